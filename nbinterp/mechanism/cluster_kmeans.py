"""k-means by matrix products.

In: points (N, D) in float64.  Out: labels in order of first members, and the sum of squared distances to the means.
Source: Lloyd 1982; seeding of Arthur and Vassilvitskii 2007.
"""

from __future__ import annotations

import numpy as np
import torch

from .neighbours_bounds import tile_rows

__all__ = ["in_order", "kmeans"]


def kmeans(
    points: torch.Tensor, k: int, *, n_init: int = 10, max_iter: int = 300, random_state: int = 0
) -> tuple[np.ndarray, float]:
    """Labels of the best of `n_init` starts; fewer than `k` where there are not so many kinds of points."""
    points = points - points.mean(0)
    norms = points.square().sum(1)
    random = np.random.RandomState(random_state)
    best, least = np.zeros(len(points), np.int64), float("inf")
    for _ in range(n_init):
        labels, inertia = _lloyd(points, norms, _seeds(points, norms, k, random), max_iter)
        if inertia < least * (1 - 1e-12):
            best, least = labels.cpu().numpy(), inertia
    return in_order(best), least


def in_order(labels: np.ndarray) -> np.ndarray:
    """Number clusters from 0 in order of their first members; -1 stays.

    Examples
    --------
    >>> in_order(np.array([7, 3, -1, 7])).tolist()
    [0, 1, -1, 0]
    """
    kinds, first, of = np.unique(labels, return_index=True, return_inverse=True)
    first = np.where(kinds < 0, -1, first)
    rank = np.argsort(np.argsort(first)) - int((kinds < 0).any())
    return rank[of].astype(np.int64)


def _distances(points: torch.Tensor, norms: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    out = torch.addmm(centres.square().sum(1), points, centres.T, alpha=-2)
    return out.add_(norms[:, None]).clamp_(min=0)


def _seeds(points: torch.Tensor, norms: torch.Tensor, k: int, random: np.random.RandomState) -> torch.Tensor:
    """Starting centres, each drawn with the square of its distance to those before."""
    chosen = [int(random.randint(len(points)))]
    nearest = (points - points[chosen[0]]).square().sum(1)
    while len(chosen) < k:
        total = nearest.cumsum(0)
        if total[-1] == 0:  # no other kind of point is left
            break
        draw = torch.as_tensor(random.random_sample(), dtype=total.dtype, device=total.device) * total[-1]
        chosen.append(min(int(torch.searchsorted(total, draw, right=True)), len(points) - 1))
        nearest = torch.minimum(nearest, (points - points[chosen[-1]]).square().sum(1))
    return points[chosen]


def _lloyd(
    points: torch.Tensor, norms: torch.Tensor, centres: torch.Tensor, max_iter: int
) -> tuple[torch.Tensor, float]:
    k, labels = len(centres), torch.full((len(points),), -1, device=points.device)
    inertia = torch.zeros(())
    for _ in range(max_iter):
        new, distance = torch.empty_like(labels), torch.empty_like(norms)
        step = tile_rows(k, points.device)
        for i in range(0, len(points), step):
            s = slice(i, i + step)
            distance[s], new[s] = _distances(points[s], norms[s], centres).min(1)
        sizes = torch.bincount(new, minlength=k)
        for empty in torch.nonzero(sizes == 0)[:, 0]:  # takes the point that is worst off
            worst = distance.argmax()
            new[worst], distance[worst] = empty, 0
        inertia = distance.sum()
        if bool((new == labels).all()):
            break
        labels = new
        sums = torch.zeros_like(centres).index_add_(0, labels, points)
        sizes = torch.bincount(labels, minlength=k)
        centres = torch.where(sizes[:, None] > 0, sums / sizes.clamp(min=1)[:, None], centres)
    return labels, float(inertia)
