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

from .neighbours_bounds import Tile, at_a_time, lower_bounds, narrow, smallest, squares, tile_rows
from .neighbours_pairs import least_of_all, weighed

__all__ = ["Lists"]

_SHRINK = 1 - 1e-12  # more than the rounding of the formulas on bounds
_CELLS = 2**16  # entries of lists that are compared with one another at a time
_CHUNK = 2**19  # numbers moved at a time
_SPARE = 8  # slots are closed up when one of so many is empty
_INF = float("inf")


class Lists:
    """Clusters in slots, in the order of their first members, and what is near to each.

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
        self.first = torch.arange(n, device=self.device)  # members
        self.alive = torch.ones(n, dtype=torch.bool, device=self.device)
        self.near = self.first[:, None].repeat(1, length)  # entries that are out name their own cluster
        self.low = torch.full((n, length), _INF, dtype=torch.float64, device=self.device)
        self.sure = torch.zeros((n, length), dtype=torch.bool, device=self.device)
        self.rim = torch.zeros(n, dtype=torch.float64, device=self.device)
        self.nearest = torch.full((n,), -1, dtype=torch.long, device=self.device)  # -1: not known
        self.height = torch.full((n,), _INF, dtype=torch.float64, device=self.device)  # squared, of that merge
        self.formed = torch.zeros(n, dtype=torch.float64, device=self.device)  # squared height, never below its parts'
        self.tile = narrow(points, self.first, torch.float32)
        self._rows = max(1, at_a_time(_CELLS, self.device) // length)

    def exact(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Squared heights at which the pairs would merge."""
        u, v = self.weights[a], self.weights[b]
        return 2 * u * v / (u + v) * squares(self.points, a, b)

    def close_up(self) -> None:
        """Give up the slots of clusters that have been merged away, once they are many."""
        n, kept = len(self.alive), torch.nonzero(self.alive)[:, 0]
        if (n - len(kept)) * _SPARE < n:
            return
        slot = self.alive.cumsum(0) - 1
        for name in ("first", "weights", "sure", "low", "rim", "height", "formed"):
            setattr(self, name, getattr(self, name)[kept])
        self.near = slot[self.near[kept]]
        nearest = self.nearest[kept]
        self.nearest = torch.where(nearest < 0, nearest, slot[nearest.clamp(min=0)])
        self.points = _closed(self.points, kept)
        self.tile = Tile(_closed(self.tile.rows, kept), self.tile.norms[kept], self.tile.slack)
        self.alive = torch.ones_like(kept, dtype=torch.bool)

    # -- all pairs ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Fill all lists; afterwards each cluster knows its nearest."""
        n = len(self.points)
        k = min(self.length, n - 1)
        if k:
            halves = None if bool((self.weights == 1).all()) else self._halves(self.tile)
            rows = torch.arange(n, device=self.device)
            self._write(rows, *least_of_all(self.tile, k, halves), n - 1)
            self.settle(rows)
            self._insist(rows)

    def refresh(self, rows: torch.Tensor) -> None:
        """Fill the lists of `rows` anew; afterwards each of them knows its nearest."""
        self._fill(rows, self.tile)
        self._insist(rows)

    def _insist(self, rows: torch.Tensor) -> None:
        """Look again, in float64, for the nearest of those among `rows` that do not know it."""
        rows = rows[self.nearest[rows] < 0]
        if not len(rows):
            return
        alive = torch.nonzero(self.alive)[:, 0]
        wide = narrow(self.points, alive, torch.float64)
        tile = Tile(self.points, torch.full_like(self.rim, _INF).index_copy_(0, alive, wide.norms), wide.slack)
        self._fill(rows, tile)
        for row in rows[self.nearest[rows] < 0]:  # more equals than a list holds
            self._fill_with_one(row, tile)

    def _halves(self, tile: Tile) -> torch.Tensor:
        return (0.5 / self.weights).to(tile.norms.dtype)

    def _bounds(self, rows: torch.Tensor, tile: Tile) -> torch.Tensor:
        halves = self._halves(tile)
        bounds = weighed(lower_bounds(tile.take(rows), tile), halves[rows], halves)
        bounds[torch.arange(len(rows), device=self.device), rows] = _INF
        return bounds

    def _fill(self, rows: torch.Tensor, tile: Tile) -> None:
        others = int(self.alive.sum()) - 1
        k = min(self.length, others)
        for some in rows.split(tile_rows(len(self.points), self.device)):
            self._write(some, *smallest(self._bounds(some, tile), k), others)
        self.settle(rows)

    def _write(self, rows: torch.Tensor, low: torch.Tensor, at: torch.Tensor, others: int) -> None:
        """New lists: the least of the bounds of so many others."""
        k = low.shape[1]
        slack = 1 - 8 * torch.finfo(low.dtype).eps  # the weights' share of the rounding
        low = low.double().clamp_(min=0).mul_(slack)
        self.near[rows, :k], self.low[rows, :k] = at, low
        self.low[rows, k:], self.near[rows, k:], self.sure[rows] = _INF, rows[:, None], False
        self.rim[rows] = low[:, -1] if k < others else _INF

    def _fill_with_one(self, row: torch.Tensor, tile: Tile) -> None:
        bounds = self._bounds(row[None], tile)[0]
        within = torch.nonzero(bounds <= self.exact(row[None], bounds.argmin()[None]))[:, 0]
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
        some = 1  # entries made exact at a time: twice as many each time, for fewer and fewer rows
        while len(rows):
            width = min(some + 1, self.length)
            low, at = torch.topk(self.low[rows], width, dim=1, largest=False)
            known = low[:, 0] < _INF
            rows, low, at = rows[known], low[known], at[known]
            unsure = (low < _INF) & ~self.sure[rows].gather(1, at)
            least = low == low[:, :1]
            done = ~(unsure & least).any(1)
            if width < self.length:
                done &= ~least[:, -1]  # else there may be more of them
            ready = rows[done]
            near = self.near[ready].gather(1, at[done])
            self.nearest[ready] = torch.where(least[done], near, len(self.near)).amin(1)
            self.height[ready] = low[done, 0]
            i, j = torch.nonzero(unsure[:, :some] & ~done[:, None], as_tuple=True)
            row, column = rows[i], at[i, j]
            near = self.near[row, column]
            height = self.exact(row, near)
            within = height <= self.rim[row]
            self.low[row, column] = torch.where(within, height, _INF)
            self.near[row, column] = torch.where(within, near, row)
            self.sure[row, column] = True
            rows, some = rows[~done], 2 * some

    # -- merges ------------------------------------------------------------------------------------------------------

    def merge(self, a: torch.Tensor, b: torch.Tensor) -> None:
        """Unite the clusters a < b, pair by pair; each pair is of mutual nearest neighbours."""
        joined, united = self.height[a], self._unite(a, b)
        before = self.weights.clone()
        partner = torch.arange(len(self.near), device=self.device)
        partner[a], partner[b] = b, a
        heights = torch.zeros_like(self.rim)
        heights[a], heights[b] = joined, joined
        self.formed[a] = torch.maximum(joined, torch.maximum(self.formed[a], self.formed[b]))
        self._move(a, b)
        merging = torch.zeros_like(self.alive)
        merging[a], merging[b] = True, True
        touched = merging[self.near].any(1) & self.alive & ~merging
        rows = torch.nonzero(touched)[:, 0]
        for part in rows.split(self._rows):
            self._keep(
                part, *self._follow(part, self.near[part], self.low[part], self.sure[part], partner, heights, before)
            )
        for s, (near, low) in zip(a.split(self._rows), united, strict=True):
            self._keep(
                s, *self._follow(s, near, low, torch.zeros_like(near, dtype=torch.bool), partner, heights, before)
            )
        self.settle(torch.cat([rows, a]))

    def _move(self, a: torch.Tensor, b: torch.Tensor) -> None:
        """Put the centroids of the unions into the slots a; the slots b are empty then."""
        step = _step(self.points)
        for i, j in zip(a.split(step), b.split(step), strict=True):
            u, v = self.weights[i], self.weights[j]
            self.points[i] += (v / (u + v))[:, None] * (self.points[j] - self.points[i])
            new = narrow(self.points, i, torch.float32)
            self.tile.rows[i], self.tile.norms[i] = new.rows, new.norms
        self.weights[a] += self.weights[b]
        self.tile.norms[b] = _INF
        self.alive[b] = False

    def _unite(self, a: torch.Tensor, b: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Lists of the unions, of clusters as they are before the merges, and their rims."""
        lightest = self.weights[self.alive].min()
        out = []
        for x, y in zip(a.split(self._rows), b.split(self._rows), strict=True):
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
        near = torch.where(low < _INF, near, rows[:, None])
        self.near[rows], self.low[rows], self.sure[rows] = near, low, sure


def _united(
    u: torch.Tensor, v: torch.Tensor, w: torch.Tensor, left: torch.Tensor, right: torch.Tensor, joined: torch.Tensor
) -> torch.Tensor:
    """Bound the dissimilarity of a cluster of weight w from the union of two of weights u, v, from bounds for the two."""
    value = ((u + w) * left + (v + w) * right - w * joined) / (u + v + w)
    return torch.maximum(value, torch.minimum(left, right)) * _SHRINK


def _step(x: torch.Tensor) -> int:
    return max(1, at_a_time(_CHUNK, x.device) // max(x.shape[1], 1))


def _closed(x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """The rows `kept`, ascending, moved up to the beginning, in place."""
    done = 0
    for some in kept.split(_step(x)):
        x[done : done + len(some)] = x[some]
        done += len(some)
    return x[:done]
