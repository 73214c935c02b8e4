"""DBSCAN without a matrix of distances.

In: points (N, D) in float64.  Out: labels; -1 is noise.  Source: Ester et al. 1996.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from .cluster_kmeans import in_order
from .neighbours_bounds import lower_bounds, narrow, squares, tile_rows
from .neighbours_maps import centre

__all__ = ["dbscan"]


def dbscan(points: torch.Tensor, eps: float, min_samples: int) -> np.ndarray:
    """Clusters of points that have `min_samples` within `eps`, themselves among them, and of what they reach.

    Clusters are numbered by their first core point, and a point that several reach is the first's.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(points)
    points = centre(points.clone())
    counts = np.zeros(n, np.int64)
    for i, _ in _within(points, eps):
        counts += np.bincount(i, minlength=n)
    core = counts >= min_samples
    group = np.arange(n)
    for i, j in _within(points, eps):  # the graph never exists whole: each tile joins groups
        both = core[i] & core[j]
        edges = coo_array((np.ones(int(both.sum())), (group[i[both]], group[j[both]])), shape=(n, n))
        group = connected_components(edges, directed=False)[1][group]
    labels = in_order(np.where(core, group, -1))
    reached = np.full(n, n)
    for i, j in _within(points, eps):
        border = ~core[i] & core[j]
        np.minimum.at(reached, i[border], labels[j[border]])
    return np.where(core, labels, np.where(reached < n, reached, -1))


def _within(points: torch.Tensor, eps: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs (i, j) at most `eps` apart, tile by tile, both ways and with themselves."""
    every = torch.arange(len(points), device=points.device)
    tile = narrow(points, every, torch.float32)
    for some in every.split(tile_rows(len(points), points.device)):
        rows = tile.take(some)
        bounds = lower_bounds(rows, tile)
        room = (rows.norms[:, None] + tile.norms).mul_(3 * tile.slack)  # the truth is not farther above the bound
        i, j = torch.nonzero(bounds <= eps * eps, as_tuple=True)
        near = (bounds + room)[i, j] <= eps * eps
        doubtful = torch.nonzero(~near)[:, 0]
        i = some[i]
        near[doubtful] = squares(points, i[doubtful], j[doubtful]) <= eps * eps
        yield i[near].cpu().numpy(), j[near].cpu().numpy()
