"""Every window against every motif, as one convolution.

In: codes of sequence.  Out: the windows that may score above a motif's threshold.  The way of a GPU, which is made for
it, of windows with unknown bases, and of short sequences where hits are frequent.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import torch

from .score import ScoreModel

__all__ = ["dense_candidates"]

_SLAB = 2**19  # scores held at a time on a CPU, within its cache; a GPU is given 512 times more
_GROUPS = 8  # classes of similar width, so that narrow motifs are not padded to the widest
# One-hot letters are exact in any precision, so what a product loses is the rounding of a weight, at worst to the
# 8 bits of bfloat16; the user's torch.set_float32_matmul_precision is left alone.
_ROUNDING = 2.0**-8


@functools.lru_cache(maxsize=8)
def _filters(model: ScoreModel, device: str) -> tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], ...]:
    """Give (rows, filters (n, 4, widest), cuts) of each class of width, on the device."""
    best = np.add.reduceat(np.clip(model.columns, 0, None).max(axis=1), model.first).astype(np.float64)
    # a hit reaches the threshold out of at most `best`, so its positive and negative parts sum to no more than this
    cut = model.threshold - _ROUNDING * (2 * best - model.threshold) - 1e-3
    found = []
    for rows in np.array_split(np.argsort(model.width, kind="stable"), min(_GROUPS, model.n_rows)):
        filters = np.zeros((len(rows), 4, int(model.width[rows].max())), np.float32)
        for into, row in zip(filters, rows.tolist(), strict=True):
            into[:, : model.width[row]] = model.scores_of(row)[:, :4].T
        held = torch.from_numpy(rows), torch.from_numpy(filters), torch.from_numpy(cut[rows].astype(np.float32))
        found.append(tuple(one.to(device) for one in held))
    return tuple(found)  # type: ignore[arg-type]


def dense_candidates(model: ScoreModel, codes: np.ndarray, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Give rows of the model and starts in `codes` of all windows that can be hits, and of a few that are not.

    Windows may run over the end, where they meet unknown bases; the caller knows where its sequences end.
    """
    one_hot = torch.zeros(4, len(codes) + model.widest, device=device)
    known = torch.from_numpy(codes.astype(np.int64)).to(device)
    one_hot[:, : len(codes)] = (known == torch.arange(4, device=device)[:, None]).to(one_hot.dtype)
    found = list(_scan(model, one_hot, len(codes), device))
    rows, starts = (np.concatenate(part) for part in zip(*found, strict=True))
    return rows, starts


def _scan(
    model: ScoreModel, one_hot: torch.Tensor, length: int, device: torch.device
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for rows, filters, cuts in _filters(model, str(device)):
        width = filters.shape[2]
        step = max(1, _SLAB * (512 if device.type == "cuda" else 1) // len(rows))
        for start in range(0, length, step):
            n = min(step, length - start)
            window = one_hot[None, :, start : start + n + width - 1]
            passing = torch.nn.functional.conv1d(window, filters)[0] > cuts[:, None]
            row, at = passing.nonzero(as_tuple=True) if device.type != "cpu" else _nonzero(passing)
            yield rows[row].cpu().numpy(), (at + start).cpu().numpy()


def _nonzero(passing: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same as torch's on a CPU, several times faster where few entries are set."""
    flat = torch.from_numpy(np.flatnonzero(passing.numpy()))
    return flat // passing.shape[1], flat % passing.shape[1]
