"""Fine clusters: parts of clusters, few enough to be sent and many enough to be cut.

In: a tree of the maps, or labels.  Out: a fine label a map, and the tree over fine clusters where there is one.  Whatever
is shown of clusters is added up from these, so that another cut needs no maps.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch

from .neighbours_maps import as_points

__all__ = ["fine_of_labels", "fine_of_tree"]

_ROUNDS: Final = 3  # of assigning maps to means
_TILE: Final = 1 << 24  # distances held at a time


def fine_of_tree(linkage: np.ndarray, n_fine: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a tree into so many parts, whatever ties.

    Parameters
    ----------
    linkage : array (N - 1, 4)
        Heights ascending.
    n_fine : int
        At least 1; N where there are fewer maps.

    Returns
    -------
    labels : np.ndarray, int64 (N,)
        0..F-1, numbered along the tree: every cut's clusters are runs of fine ones, in the order of `cut_tree`.
    tree : np.ndarray, float64 (F - 1, 4)
        The rest of the tree, in SciPy's form: leaves are fine clusters; the last column counts maps.

    Examples
    --------
    >>> labels, tree = fine_of_tree(np.array([[0, 2, 1.0, 2], [1, 3, 4.0, 3]]), 2)
    >>> labels.tolist(), tree.tolist()
    ([0, 1, 0], [[0.0, 1.0, 4.0, 3.0]])
    """
    from scipy.cluster import hierarchy

    n = len(linkage) + 1
    f = min(n_fine, n)
    made = n - f  # merges below; by number, since heights may tie
    order = np.arange(n - 1, dtype=float)
    labels = hierarchy.fcluster(linkage, made - 1, "monocrit", monocrit=order).astype(np.int64) - 1
    children = linkage[:, :2].astype(np.int64)
    member = list(range(n))  # a map of each node
    for left in children[:made, 0].tolist():
        member.append(member[left])
    below = np.append(labels[member], np.arange(f, 2 * f - 1))
    tree = linkage[made:].astype(np.float64)
    tree[:, :2] = np.sort(below[children[made:]], axis=1)
    return labels, tree


def fine_of_labels(
    maps: Any, labels: np.ndarray, n_fine: int, *, random_state: int = 0, device: Any = None
) -> np.ndarray:
    """Part clusters that have no tree: each into cells around as many of its maps as its size deserves.

    Parameters
    ----------
    maps : array or tensor (N, 4, W)
    labels : np.ndarray, int64 (N,)
        -1 is noise, which is parted likewise.
    n_fine : int
        At most so many in all, unless there are more clusters.

    Returns
    -------
    np.ndarray, int64 (N,)
        0..F-1, numbered by cluster: every cluster is a run of fine ones, noise the first.

    Examples
    --------
    >>> maps = np.array([[0.0], [0.1], [5.0], [9.0], [9.1], [30.0]])
    >>> fine_of_labels(maps, np.array([0, 0, 0, 1, 1, -1]), 3).tolist()
    [1, 1, 1, 2, 2, 0]
    """
    random = np.random.RandomState(random_state)
    kinds, sizes = np.unique(labels, return_counts=True)
    spare = max(n_fine - len(kinds), 0)
    quota = np.minimum(1 + spare * sizes // len(labels), sizes)
    fine, first = np.empty(len(labels), np.int64), 0
    for kind, cells in zip(kinds.tolist(), quota.tolist(), strict=True):
        rows = np.flatnonzero(labels == kind)
        if cells == 1:
            fine[rows] = first
        else:
            index = torch.from_numpy(rows).to(maps.device) if isinstance(maps, torch.Tensor) else rows
            cell = _cells(as_points("fine_of_labels", maps[index], device), cells, random)
            fine[rows] = first + np.unique(cell, return_inverse=True)[1]
        first = int(fine[rows].max()) + 1
    return fine


def _cells(points: torch.Tensor, k: int, random: np.random.RandomState) -> np.ndarray:
    """The nearest of k means, which begin at members drawn by lot; some may come out empty."""
    points = (points - points.mean(0)).float()
    centres = points[torch.from_numpy(random.choice(len(points), k, replace=False)).to(points.device)]
    nearest = torch.zeros(len(points), dtype=torch.long, device=points.device)
    for _ in range(_ROUNDS):
        parts = points.split(max(1, _TILE // k))
        offset = centres.square().sum(1)
        nearest = torch.cat([torch.addmm(offset, part, centres.T, alpha=-2).argmin(1) for part in parts])
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        counts = torch.bincount(nearest, minlength=k)[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    return np.asarray(nearest.cpu().numpy())
