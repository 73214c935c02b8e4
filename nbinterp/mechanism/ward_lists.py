"""Lists of near clusters that survive merges: what makes exact Ward need little more than one pass over all pairs.

Each cluster x keeps the clusters that may be its nearest, each with a lower bound of its dissimilarity, and a rim: no
cluster outside the list is nearer than that.  When a and b merge, the formula of Lance and Williams, which rises with
the dissimilarities, turns bounds for a and b into bounds for their union; and since Ward is reducible (a union of
nearest neighbours is no nearer to x than the nearer of the two), rims stay true.  A bound is replaced by the exact
dissimilarity only when it is the least of its list, and all pairs are looked at again only when a list has run empty.

In: centroids, weights.  Out: nearest neighbours, exact; of equals the one with the earliest first member.
Source: Lance and Williams 1967; reducibility: Bruynooghe 1977.
"""

from __future__ import annotations

import torch

from .neighbours_bounds import Tile, lower_bounds, narrow, smallest, squares, tile_rows

__all__ = ["Lists"]

_SHRINK = 1 - 1e-12  # more than the rounding of the formulas on bounds
_ROWS = 1024  # lists whose entries are compared with one another at a time
_INF = float("inf")


class Lists:
    """Clusters in slots, a slot being the first member of its cluster, and what is near to each.

    Parameters
    ----------
    points : tensor (N, D), float64
        Centroids; overwritten as clusters merge.
    weights : tensor (N,), float64
        How many maps each stands for.
    length : int
        Entries a list.
    """

    def __init__(self, points: torch.Tensor, weights: torch.Tensor, length: int) -> None:
        n, self.device = len(points), points.device
        self.points, self.weights, self.length = points, weights, length
        self.alive = torch.ones(n, dtype=torch.bool, device=self.device)
        self.near = torch.zeros((n, length), dtype=torch.long, device=self.device)
        self.low = torch.full((n, length), _INF, dtype=torch.float64, device=self.device)
        self.sure = torch.zeros((n, length), dtype=torch.bool, device=self.device)
        self.rim = torch.zeros(n, dtype=torch.float64, device=self.device)
        self.nearest = torch.full((n,), -1, dtype=torch.long, device=self.device)  # -1: not known
        self.height = torch.full((n,), _INF, dtype=torch.float64, device=self.device)  # squared, of that merge

    def exact(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Squared heights at which the pairs would merge."""
        u, v = self.weights[a], self.weights[b]
        return 2 * u * v / (u + v) * squares(self.points, a, b)

    # -- all pairs ---------------------------------------------------------------------------------------------------

    def refresh(self, rows: torch.Tensor) -> None:
        """Fill the lists of `rows` anew; afterwards each of them knows its nearest."""
        for dtype in (torch.float32, torch.float64):
            columns = torch.nonzero(self.alive)[:, 0]
            tile, weights = narrow(self.points, columns, dtype), self.weights[columns].to(dtype)
            where = torch.searchsorted(columns, rows)
            step = tile_rows(len(columns))
            for i in range(0, len(rows), step):
                self._fill(rows[i : i + step], where[i : i + step], columns, tile, weights)
            self.settle(rows)
            rows = rows[self.nearest[rows] < 0]
            if not len(rows):
                return
        for row in rows:  # more equals than a list holds
            self._fill_with_one(row, columns, tile, weights)

    def _bounds(self, where: torch.Tensor, tile: Tile, weights: torch.Tensor) -> torch.Tensor:
        own = weights[where]
        bounds = lower_bounds(tile.take(where), tile)
        bounds.mul_(weights).div_(own[:, None] + weights).mul_(2 * own[:, None])
        bounds[torch.arange(len(where), device=self.device), where] = _INF
        return bounds

    def _fill(
        self, rows: torch.Tensor, where: torch.Tensor, columns: torch.Tensor, tile: Tile, weights: torch.Tensor
    ) -> None:
        k = min(self.length, len(columns) - 1)
        low, at = smallest(self._bounds(where, tile, weights), k)
        slack = 1 - 8 * torch.finfo(low.dtype).eps  # the weights' share of the rounding
        self.near[rows, :k], self.low[rows, :k] = columns[at], low.double() * slack
        self.low[rows, k:], self.sure[rows] = _INF, False
        self.rim[rows] = low[:, -1].double() * slack if k < len(columns) - 1 else _INF

    def _fill_with_one(self, row: torch.Tensor, columns: torch.Tensor, tile: Tile, weights: torch.Tensor) -> None:
        bounds = self._bounds(torch.searchsorted(columns, row[None]), tile, weights)[0]
        first = columns[bounds.argmin()]
        within = columns[bounds <= self.exact(row[None], first[None])]
        heights = self.exact(row.expand(len(within)), within)
        best = heights.min()
        self.near[row, 0], self.low[row, 0], self.sure[row, 0] = within[heights == best][0], best, True
        self.rim[row], self.nearest[row], self.height[row] = best, self.near[row, 0], best

    # -- the least of a list -----------------------------------------------------------------------------------------

    def settle(self, rows: torch.Tensor) -> None:
        """Find the nearest of each row in its list: the least entries are made exact until the least is.

        A row of which no entry is within the rim does not know its nearest.
        """
        self.nearest[rows], self.height[rows] = -1, _INF
        while len(rows):
            low = self.low[rows]
            best = low.amin(1)
            known = best < _INF
            rows, low, best = rows[known], low[known], best[known]
            least = low == best[:, None]
            i, j = torch.nonzero(least & ~self.sure[rows], as_tuple=True)
            done = torch.ones(len(rows), dtype=torch.bool, device=self.device)
            done[i] = False
            ready = rows[done]
            earliest = torch.where(least[done], self.near[ready], len(self.near)).amin(1)
            self.nearest[ready], self.height[ready] = earliest, best[done]
            row = rows[i]
            height = self.exact(row, self.near[row, j])
            self.low[row, j] = torch.where(height <= self.rim[row], height, _INF)
            self.sure[row, j] = True
            rows = rows[~done]

    # -- merges ------------------------------------------------------------------------------------------------------

    def merge(self, a: torch.Tensor, b: torch.Tensor) -> None:
        """Unite the clusters a < b, pair by pair; each pair is of mutual nearest neighbours."""
        u, v, joined = self.weights[a], self.weights[b], self.height[a]
        united = self._unite(a, b)
        before = self.weights.clone()
        partner = torch.arange(len(self.near), device=self.device)
        partner[a], partner[b] = b, a
        heights = torch.zeros_like(self.rim)
        heights[a], heights[b] = joined, joined
        step = max(1, 2**19 // max(self.points.shape[1], 1))
        for i in range(0, len(a), step):
            s = slice(i, i + step)
            share = (v[s] / (u[s] + v[s]))[:, None]
            self.points[a[s]] += share * (self.points[b[s]] - self.points[a[s]])
        self.weights[a] = u + v
        self.alive[b] = False
        touched = self.alive & ((partner != torch.arange(len(partner), device=self.device))[self.near]
                                & (self.low < _INF)).any(1)  # fmt: skip
        touched[a] = False
        rows = torch.nonzero(touched)[:, 0]
        for part in rows.split(_ROWS):
            self._keep(
                part, *self._follow(part, self.near[part], self.low[part], self.sure[part], partner, heights, before)
            )
        for s, (near, low) in zip(a.split(_ROWS), united, strict=True):
            self._keep(
                s, *self._follow(s, near, low, torch.zeros_like(near, dtype=torch.bool), partner, heights, before)
            )
        self.settle(torch.cat([rows, a]))

    def _unite(self, a: torch.Tensor, b: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Lists of the unions, of clusters as they are before the merges, and their rims."""
        lightest = self.weights[self.alive].min()
        out = []
        for x, y in zip(a.split(_ROWS), b.split(_ROWS), strict=True):
            joined, u, v = self.height[x], self.weights[x], self.weights[y]
            near = torch.cat([self.near[x], self.near[y]], dim=1)
            own = torch.cat([self.low[x], self.low[y]], dim=1)
            same = (self.near[x][:, :, None] == self.near[y][:, None]) & (self.low[x] < _INF)[:, :, None]
            same &= (self.low[y] < _INF)[:, None]
            of_y = torch.where(same, self.low[y][:, None], _INF).amin(2)
            of_y = torch.where(same.any(2), of_y, self.rim[y][:, None])
            of_x = self.rim[x][:, None].expand_as(self.low[y])
            other = torch.cat([of_y, of_x], dim=1)
            out_of = (own == _INF) | (near == x[:, None]) | (near == y[:, None])
            out_of[:, self.length :] |= same.any(1)
            first = torch.arange(near.shape[1], device=self.device) < self.length
            left, right = torch.where(first, own, other), torch.where(first, other, own)
            low = _united(u[:, None], v[:, None], self.weights[near], left, right, joined[:, None])
            out.append((near, torch.where(out_of, _INF, low)))
            # for what is outside both lists: at the lightest cluster there is, or in the limit of a heavy one
            p, q = self.rim[x], self.rim[y]
            self.rim[x] = torch.minimum(_united(u, v, lightest, p, q, joined), (p + q - joined) * _SHRINK)
        return out

    def _follow(
        self,
        rows: torch.Tensor,
        near: torch.Tensor,
        low: torch.Tensor,
        sure: torch.Tensor,
        partner: torch.Tensor,
        heights: torch.Tensor,
        before: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Entries that have merged become entries of their unions."""
        with_whom = partner[near]
        i, j = torch.nonzero((with_whom != near) & (low < _INF), as_tuple=True)
        x, y = near[i, j], with_whom[i, j]
        beside = torch.where((near[i] == y[:, None]) & (low[i] < _INF), low[i], _INF)
        other = beside.amin(1)
        both = other < _INF
        rim = self.rim[rows][i]
        other = torch.where(both, other, rim)
        bound = _united(before[x], before[y], self.weights[rows][i], low[i, j], other, heights[x])
        near, low, sure = near.clone(), low.clone(), sure.clone()
        low[i, j] = torch.where((both & (x > y)) | (bound > rim), _INF, bound)
        near[i, j], sure[i, j] = torch.minimum(x, y), False
        return near, low, sure

    def _keep(self, rows: torch.Tensor, near: torch.Tensor, low: torch.Tensor, sure: torch.Tensor) -> None:
        """Write the lists of `rows`; what does not fit lowers the rim."""
        low = torch.where(low > self.rim[rows][:, None], _INF, low)
        if low.shape[1] > self.length:
            low, order = low.sort(dim=1, stable=True)
            near, sure = near.gather(1, order), sure.gather(1, order)
            self.rim[rows] = torch.minimum(self.rim[rows], low[:, self.length])
            near, low, sure = near[:, : self.length], low[:, : self.length], sure[:, : self.length]
        self.near[rows], self.low[rows], self.sure[rows] = near, low, sure


def _united(
    u: torch.Tensor, v: torch.Tensor, w: torch.Tensor, left: torch.Tensor, right: torch.Tensor, joined: torch.Tensor
) -> torch.Tensor:
    """Bound the dissimilarity of a cluster of weight w from the union of two of weights u, v, from bounds for the two."""
    value = ((u + w) * left + (v + w) * right - w * joined) / (u + v + w)
    return torch.maximum(value, torch.minimum(left, right)) * _SHRINK
