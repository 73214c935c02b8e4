"""Maps as points: in a gauge, flattened, finite, in float64; and which of them are the same.

In: maps (N, 4, L), or (N, L, 4), or points (N, D); arrays, memory-mapped or tensors.  Out: points (N, D) in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..core.batches import resolve_device
from ..core.check import check_choice
from ..errors import problem
from .gauge import gauge_probabilities

__all__ = ["as_points", "centre", "collapse"]

_GAUGES = ("none", "hierarchical", "wild-type")

_CHUNK = 2**22  # numbers converted at a time


def as_points(
    where: str,
    maps: Any,
    device: torch.device | str | None = None,
    *,
    gauge: str = "none",
    reference: Any = None,
    least: int = 1,
) -> torch.Tensor:
    """A new tensor (N, D) in float64; refuses too few maps, and what is not finite.

    Without a device: where a tensor is, CUDA for an array if there is one.
    """
    wide = _width(where, maps, least)
    weights = _weights(where, maps, gauge, reference)
    home = maps.device if device is None and isinstance(maps, torch.Tensor) else resolve_device(device)
    n = int(maps.shape[0])
    out = torch.empty((n, wide), dtype=torch.float64, device=home)
    step = max(1, _CHUNK // max(wide, 1))
    for start in range(0, n, step):
        part = maps[start : start + step]
        if not isinstance(part, torch.Tensor):
            part = torch.from_numpy(np.array(part))
        part = part.detach().to(home).double()
        if weights is not None:
            part = part if part.shape[1] == 4 else part.transpose(1, 2)
            part = part - (part * weights.to(home)).sum(1, keepdim=True)
        out[start : start + step] = part.reshape(-1, wide)
        bad = torch.nonzero(~torch.isfinite(out[start : start + step]).all(1))
        if len(bad):
            got = f"NaN or infinity in map {start + int(bad[0])}"
            do = "drop such maps, or see why the attribution failed there"
            raise problem(where, "maps", got=got, need="finite numbers", do=do)
    return out


def _width(where: str, maps: Any, least: int) -> int:
    if not hasattr(maps, "shape") or len(maps.shape) < 2:
        got = f"a {type(maps).__name__}" if not hasattr(maps, "shape") else f"shape {tuple(maps.shape)}"
        raise problem(where, "maps", got=got, need="an array (N, 4, L) or (N, D)", do="stack the maps")
    n = int(maps.shape[0])
    if n < least:
        got, need = f"{n} map{'' if n == 1 else 's'}", f"at least {least}"
        raise problem(where, "maps", got=got, need=need, do="make a larger library")
    return int(np.prod([int(size) for size in maps.shape[1:]]))


def _weights(where: str, maps: Any, gauge: str, reference: Any) -> torch.Tensor | None:
    """Of the mean that the gauge takes off at each position, (4, L)."""
    check_choice(where, "gauge", gauge, _GAUGES)
    if gauge == "none":
        return None
    if len(maps.shape) != 3 or 4 not in maps.shape[1:]:
        got, do = f"shape {tuple(maps.shape)}", "reshape them, or take gauge='none'"
        raise problem(where, "maps", got=got, need=f"maps (N, 4, L), for gauge={gauge!r}", do=do)
    length = int(maps.shape[2] if maps.shape[1] == 4 else maps.shape[1])
    return torch.from_numpy(gauge_probabilities(gauge, length, reference=reference, where=where))


def centre(points: torch.Tensor) -> torch.Tensor:
    """Move points, in place, to about their mean: rounded to float32, so that distances that tie go on to."""
    points -= points.mean(0).float()
    return points


def collapse(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Find identical points.

    Returns
    -------
    first : tensor (M,), long
        The first of each kind, ascending.
    weights : tensor (M,), float64
        How many there are of it.
    pairs : array (N - M, 2)
        The first of its kind, and another.
    """
    points += 0.0  # of the two zeros, one
    n, keys = len(points), _hash(points)
    _, kind = torch.unique(keys, return_inverse=True)
    kind = kind.cpu().numpy()
    _, first_of, kind = np.unique(kind, return_index=True, return_inverse=True)
    first = first_of[kind]
    others = np.flatnonzero(first != np.arange(n))
    step = max(1, _CHUNK // max(points.shape[1], 1))
    for i in range(0, len(others), step):
        here = torch.from_numpy(others[i : i + step]).to(points.device)
        there = torch.from_numpy(first[others[i : i + step]]).to(points.device)
        unlike = ~(points[here] == points[there]).all(1).cpu().numpy()
        first[others[i : i + step][unlike]] = others[i : i + step][unlike]  # two kinds of one key: left apart
    weights = np.bincount(first, minlength=n)
    kept = np.flatnonzero(weights)
    moved = np.flatnonzero(first != np.arange(n))
    device = points.device
    pairs = np.stack([first[moved], moved], axis=1)
    return torch.from_numpy(kept).to(device), torch.from_numpy(weights[kept].astype(float)).to(device), pairs


def _hash(points: torch.Tensor) -> torch.Tensor:
    """A number from the bits of each row: sums that wrap around do not depend on their order."""
    bits = points.view(torch.int64)
    odd = np.random.RandomState(0).randint(-(2**63), 2**63 - 1, points.shape[1], dtype=np.int64) | 1
    factors = torch.from_numpy(odd).to(points.device)
    out = torch.empty(len(points), dtype=torch.int64, device=points.device)
    step = max(1, _CHUNK // max(points.shape[1], 1))
    for i in range(0, len(points), step):
        part = bits[i : i + step]
        out[i : i + step] = (((part >> 32) ^ part) * factors).sum(1)
    return out
