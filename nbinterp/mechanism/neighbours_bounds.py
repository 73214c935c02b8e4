"""Which rows may be near, by matrix products; how near they are, by differences in float64.

A product of matrices gives all distances of a tile at once, but as differences of large numbers, rounded.  Here the
squared norms are shortened by a little more than that rounding, so that what comes out is never above the truth: a
lower bound.  A row's nearest is certain as soon as its exact distance is within the least bound of what was left out.

In: points (N, D) in float64 on any device.  Out: lower bounds, and exact squared distances.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

__all__ = ["Tile", "at_a_time", "lower_bounds", "narrow", "smallest", "squares", "tile_rows"]

_CELLS = 2**22  # entries of a tile
_ROWS = 256  # a product of fewer costs as much as of so many
_PAIRS = 2**19  # numbers of a batch of exact differences
_GROUP = 16


def at_a_time(few: int, device: torch.device) -> int:
    """How many numbers to work on at a time: so few that they stay near a processor; a GPU wants fewer, larger steps."""
    return 16 * few if device.type == "cuda" else few


def squares(points: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Squared distances of the pairs (a, b) of rows, by differences."""
    out = points.new_empty(len(a))
    step = max(1, at_a_time(_PAIRS, points.device) // max(points.shape[1], 1))
    for i in range(0, len(a), step):
        end = i + step
        out[i:end] = (points[a[i:end]] - points[b[i:end]]).square_().sum(1)
    return out


class Tile(NamedTuple):
    """Points made ready for products: their rows in some precision, their squared norms shortened by a part, `slack`."""

    rows: torch.Tensor
    norms: torch.Tensor
    slack: float

    def take(self, index: torch.Tensor) -> Tile:
        """Some of the rows."""
        return Tile(self.rows[index], self.norms[index], self.slack)

    def part(self, start: int, end: int) -> Tile:
        """Rows that follow one another, not copied."""
        return Tile(self.rows[start:end], self.norms[start:end], self.slack)


def narrow(points: torch.Tensor, index: torch.Tensor, dtype: torch.dtype) -> Tile:
    """Make the rows `index` ready, in `dtype`.

    The sum of D products is off by the unit roundoff times sqrt(D) or so, and no input short of an adversary's makes
    it D; four times that, and the rounding of the points themselves, is taken off.
    """
    wide = points.shape[1]
    rows = torch.empty((len(index), wide), dtype=dtype, device=points.device)
    norms = torch.empty(len(index), dtype=dtype, device=points.device)
    slack = torch.finfo(dtype).eps / 2 * (16 + 4 * math.sqrt(wide))
    step = max(1, at_a_time(_PAIRS, points.device) // max(wide, 1))
    for i in range(0, len(index), step):
        part = points[index[i : i + step]]
        rows[i : i + step] = part.to(dtype)
        norms[i : i + step] = (part.square().sum(1) * (1 - slack)).to(dtype)
    return Tile(rows, norms, slack)


def tile_rows(n_columns: int, device: torch.device) -> int:
    """How many rows make a tile of bounded size with so many columns."""
    return max(_ROWS, at_a_time(_CELLS, device) // max(n_columns, 1))


def lower_bounds(rows: Tile, columns: Tile) -> torch.Tensor:
    """Squared distances (rows, columns), none above the truth, and some a little below 0."""
    return torch.addmm(columns.norms, rows.rows, columns.rows.T, alpha=-2).add_(rows.norms[:, None])


def smallest(values: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The `k` smallest of each row, ascending, and their columns.

    They lie in the k groups with the smallest minima, and minima over strides are cheap where a selection is not.
    """
    n = values.shape[1]
    groups = n // _GROUP
    if groups < 2 * k:
        low, at = torch.topk(values, min(k, n), dim=1, largest=False)
        return low, at
    whole = groups * _GROUP
    minima = values[:, :whole].unflatten(1, (_GROUP, groups)).amin(1)
    chosen = torch.topk(minima, k, dim=1, largest=False, sorted=False).indices
    steps = torch.arange(0, whole, groups, device=values.device)
    columns = (chosen[:, :, None] + steps).flatten(1)
    rest = torch.arange(whole, n, device=values.device).expand(len(values), -1)
    columns = torch.cat([columns, rest], dim=1)
    low, at = torch.topk(values.gather(1, columns), k, dim=1, largest=False)
    return low, columns.gather(1, at)
