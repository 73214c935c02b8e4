"""The nearest few of every point, each product of two points made once.

The bound of a pair serves both of its points: tiles on and above the diagonal are enough.  Each row keeps the least so
far, and of a tile only what is below the greatest of these is looked at.

In: a tile of all points.  Out: for each its least lower bounds, and whose they are.
"""

from __future__ import annotations

import torch

from .neighbours_bounds import Tile, lower_bounds, smallest, tile_rows

__all__ = ["least_of_all", "weighed"]

_ROWS = 1024
_INF = float("inf")


def weighed(bounds: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Squared distances, in place, times 2 u v / (u + v), where halves of the reciprocals of u and v are given."""
    return bounds.div_(rows[:, None] + columns)


def least_of_all(tile: Tile, k: int, halves: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """The `k` smallest lower bounds (N, k) of each row to the others, ascending, and their columns.

    Parameters
    ----------
    tile : Tile
        All N points.
    k : int
        At most N - 1.
    halves : tensor (N,), optional
        Of the reciprocals of the weights: then the bounds are of squared heights of Ward, not of squared distances.
    """
    n, device = len(tile.norms), tile.norms.device
    low = torch.full((n, k), _INF, dtype=tile.norms.dtype, device=device)
    at = torch.zeros((n, k), dtype=torch.long, device=device)
    height = max(_ROWS, tile_rows(n, device))
    width = max(k + 1, tile_rows(height, device))
    for top in range(0, n, height):
        end = min(top + height, n)
        rows = tile.part(top, end)
        for left in range(top, n, width):
            right = min(left + width, n)
            bounds = lower_bounds(rows, tile.part(left, right))
            if halves is not None:
                weighed(bounds, halves[top:end], halves[left:right])
            if left < end:  # a point and itself
                own = torch.arange(max(top, left), min(end, right), device=device)
                bounds[own - top, own - left] = _INF
            _offer(low[top:end], at[top:end], bounds, left, fresh=top == 0 and left == 0)
            if right > end:
                start = max(end, left)
                _offer(low[start:right], at[start:right], bounds[:, start - left :].T, top, fresh=top == 0)
    return low, at


def _offer(low: torch.Tensor, at: torch.Tensor, bounds: torch.Tensor, offset: int, fresh: bool) -> None:
    """Take into the least of each row what is less among its bounds, of the columns from `offset` on."""
    k = low.shape[1]
    if fresh:
        some = min(k, bounds.shape[1])
        low[:, :some], place = smallest(bounds.contiguous(), some)
        at[:, :some] = place + offset
        return
    if bounds.is_contiguous():
        i, j = torch.nonzero(bounds < low[:, -1:], as_tuple=True)
    else:  # a transposed tile: compared as it lies, then put in order of rows
        j, i = torch.nonzero(low[:, -1] > bounds.T, as_tuple=True)
        order = i.argsort(stable=True)
        i, j = i[order], j[order]
    counts = torch.bincount(i, minlength=len(low))
    rows = torch.nonzero(counts)[:, 0]
    if not len(rows):
        return
    place = torch.arange(len(i), device=i.device) - (counts.cumsum(0) - counts)[i] + k
    rank = (counts > 0).cumsum(0)[i] - 1
    size = (len(rows), k + int(counts.max()))
    both = torch.full(size, _INF, dtype=low.dtype, device=low.device)
    which = torch.zeros(size, dtype=torch.long, device=low.device)
    both[:, :k], which[:, :k] = low[rows], at[rows]
    both[rank, place], which[rank, place] = bounds[i, j], j + offset
    least, order = torch.topk(both, k, dim=1, largest=False)
    low[rows], at[rows] = least, which.gather(1, order)
