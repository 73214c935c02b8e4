"""The exact tree of Ward without a matrix of distances.

Clusters that are one another's nearest can be merged in any order (Ward's criterion is reducible), so each round merges
all such pairs; memory is that of the maps, not of their pairs.  In: maps (N, 4, L).  Out: the linkage matrix that
SciPy's `linkage(maps, "ward")` gives.

Source: Murtagh 1983, A survey of recent advances in hierarchical clustering algorithms.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from ..core.batches import progress
from ..core.check import check_choice
from .neighbours_maps import as_points, centre, collapse
from .ward_lists import Lists

__all__ = ["ward_linkage"]

_LENGTH = 48  # entries of a list of near clusters


class _Pace(NamedTuple):
    """When lists that have run empty are filled.

    They wait while a round merges at least one of `wait` clusters; then one of `part` of them are filled, and `least` or
    more.  The longer they wait, the fewer clusters are left to look at; the shorter, the fewer rounds there are.
    """

    wait: int
    least: int
    part: int


_PACES = {"cuda": _Pace(64, 2048, 2)}  # where rounds cost more than products
_PACE = _Pace(2**40, 128, 8)


def ward_linkage(
    maps: Any,
    *,
    engine: str = "reciprocal",
    gauge: str = "none",
    reference: Any = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
) -> np.ndarray:
    """Agglomerate maps by Ward's criterion, exactly, in memory that grows with N and not with its square.

    Parameters
    ----------
    maps : array or tensor (N, 4, L)
        Attributions, all finite; (N, L, 4) and points (N, D) are taken as well.
    engine : str
        ``"reciprocal"``, or ``"scipy"``: SciPy's own, 8 N^2 bytes, for its order among exact ties.
    gauge : str
        ``"none"``: maps as they are; ``"hierarchical"``: the mean of each position is taken off; ``"wild-type"``: the value
        of the reference's letter is.  Distances, and so clusters, depend on it.
    reference : array (4, L), optional
        One-hot, for ``"wild-type"``.
    device : optional
        Where to work; default: where a tensor is, CUDA for an array if there is one.
    verbose : bool
        Show a bar of merges.

    Returns
    -------
    array (N - 1, 4), float64
        A row a merge, heights ascending: the two clusters (maps are 0..N-1, the cluster of row i is N + i), the height,
        the number of maps.  The height is sqrt(2 n m / (n + m)) times the distance of the means.

    Raises
    ------
    NbinterpError
        For fewer than 2 maps, or maps that are not finite.

    Notes
    -----
    Identical maps are merged first, at height 0, in their order.  Where distances tie exactly, Ward's tree is not unique:
    of equally near clusters the one whose first member comes first is taken, on any device, while SciPy's rule follows
    its path through the data.  Without ties the two agree row by row.

    Examples
    --------
    >>> ward_linkage(np.array([[0.0], [4.0], [1.0]])).round(3)
    array([[0.   , 2.   , 1.   , 2.   ],
           [1.   , 3.   , 4.041, 3.   ]])
    """
    check_choice("ward_linkage", "engine", engine, ["reciprocal", "scipy"])
    where = "ward_linkage"
    form: dict[str, Any] = {"gauge": gauge, "reference": reference, "least": 2}
    if engine == "scipy":
        from scipy.cluster import hierarchy

        return np.asarray(hierarchy.linkage(as_points(where, maps, "cpu", **form).numpy(), "ward"))
    points = as_points(where, maps, device, **form)
    n = len(points)
    first, weights, pairs = collapse(points)
    if len(first) < n:
        points = points[first]
    merged = _agglomerate(centre(points), weights, n - len(first), verbose)
    slots = first.cpu().numpy()
    a = np.concatenate([pairs[:, 0], slots[merged[0]]])
    b = np.concatenate([pairs[:, 1], slots[merged[1]]])
    return _linkage(a, b, np.concatenate([np.zeros(len(pairs)), np.sqrt(merged[2])]), n)


def _agglomerate(
    points: torch.Tensor, weights: torch.Tensor, done: int, verbose: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge all; the slots a < b of each merge and its squared height, never below those of its parts."""
    lists = Lists(points, weights, _LENGTH)
    lists.start()
    left, pace = len(points), _PACES.get(points.device.type, _PACE)
    rounds: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    with progress(done + left - 1, "ward", verbose) as advance:
        advance(done)
        while left > 1:
            lists.close_up()
            a = _mutual(lists)
            hungry = torch.nonzero(lists.alive & (lists.nearest < 0))[:, 0]
            if len(a) * pace.wait < left and len(hungry):
                lists.refresh(_first_needed(lists, hungry, pace))
                continue
            if not len(a):  # heights that tie but for their rounding can run in a circle
                a = torch.where(lists.alive, lists.height, torch.inf).argmin()[None]
            a, b = torch.minimum(a, lists.nearest[a]), torch.maximum(a, lists.nearest[a])
            lists.merge(a, b)
            rounds.append((lists.first[a], lists.first[b], lists.formed[a]))
            left -= len(a)
            advance(len(a))
    if not rounds:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    one, two, heights = (torch.cat(part).cpu().numpy() for part in zip(*rounds, strict=True))
    return one, two, heights


def _mutual(lists: Lists) -> torch.Tensor:
    """The slots of clusters that come before their mutual nearest neighbours."""
    slots = torch.nonzero(lists.alive & (lists.nearest >= 0))[:, 0]
    nearest = lists.nearest[slots]
    return slots[(nearest > slots) & (lists.nearest[nearest] == slots)]


def _first_needed(lists: Lists, hungry: torch.Tensor, pace: _Pace) -> torch.Tensor:
    """Those whose rims are lowest: when the others come to be needed, there will be fewer clusters to look at."""
    some = max(pace.least, len(hungry) // pace.part)
    return hungry if some >= len(hungry) else hungry[lists.rim[hungry].argsort()[:some]].sort().values


def _linkage(a: np.ndarray, b: np.ndarray, heights: np.ndarray, n: int) -> np.ndarray:
    """Rows in order of height; a cluster is known by its first member until it gets its number."""
    order = np.argsort(heights, kind="stable")
    number, size = list(range(n)), [1] * n
    out = np.empty((n - 1, 4))
    for row, (i, j, height) in enumerate(
        zip(a[order].tolist(), b[order].tolist(), heights[order].tolist(), strict=True)
    ):
        size[i] += size[j]
        one, two = number[i], number[j]
        out[row] = min(one, two), max(one, two), height, size[i]
        number[i] = n + row
    return out
