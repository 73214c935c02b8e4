"""The graph of nearest neighbours, exact: one for Leiden, UMAP and t-SNE.

In: maps (N, 4, L).  Out: for each map its k nearest others and their distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import problem
from .neighbours_bounds import Tile, lower_bounds, narrow, smallest, squares, tile_rows
from .neighbours_maps import as_points, centre
from .neighbours_pairs import least_of_all

__all__ = ["NeighbourGraph", "nearest_neighbours"]

_SPARE = 8  # looked at beyond k, so that rounding rarely matters


@dataclass(frozen=True)
class NeighbourGraph:
    """The k nearest others of each of N maps, nearest first.

    Attributes
    ----------
    indices : array (N, k), int64
    distances : array (N, k), float64
        Euclidean.
    """

    indices: np.ndarray
    distances: np.ndarray

    @property
    def k(self) -> int:
        """Neighbours a map."""
        return int(self.indices.shape[1])


def nearest_neighbours(
    maps: Any,
    k: int = 15,
    *,
    gauge: str = "none",
    reference: Any = None,
    device: torch.device | str | None = None,
) -> NeighbourGraph:
    """Find the `k` nearest others of each map, exactly; of equals the first ones.

    Parameters
    ----------
    maps : array or tensor (N, 4, L)
        All finite; (N, L, 4) and points (N, D) are taken as well.
    k : int
        At most N - 1.
    gauge, reference, device
        As in `ward_linkage`.

    Returns
    -------
    NeighbourGraph

    Raises
    ------
    NbinterpError
        For a k that the number of maps does not allow, or maps that are not finite.

    Notes
    -----
    Products in float32 propose, differences in float64 decide; where float32 cannot exclude the rest, float64 does.

    Examples
    --------
    >>> nearest_neighbours(np.array([[0.0], [4.0], [1.0]]), 1).indices.ravel().tolist()
    [2, 2, 0]
    """
    where = "nearest_neighbours"
    points = centre(as_points(where, maps, device, gauge=gauge, reference=reference, least=2))
    n = len(points)
    if not 1 <= k < n:
        raise problem(where, "k", got=k, need=f"between 1 and {n - 1}, for {n} maps", do="15 is usual")
    indices = torch.empty((n, k), dtype=torch.long, device=points.device)
    heights = torch.empty((n, k), dtype=torch.float64, device=points.device)
    every, width = torch.arange(n, device=points.device), min(k + _SPARE, n - 1)

    def decide(some: torch.Tensor, low: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """Write the neighbours of some rows; give those rows that may have others."""
        indices[some], heights[some] = _nearest(points, some, at, k)
        certain = heights[some, -1] < low[:, -1].double()
        return some[~certain] if width < n - 1 else some[:0]

    low, at = least_of_all(narrow(points, every, torch.float32), width)
    step = tile_rows(n, points.device)
    rows = torch.cat([decide(some, low[some], at[some]) for some in every.split(step)])
    if len(rows):
        tile = narrow(points, every, torch.float64)
        rows = torch.cat([decide(some, *smallest(_to_others(tile, some), width)) for some in rows.split(step)])
        for row in rows:  # equals at the edge: all that may be among them
            at = torch.nonzero(_to_others(tile, row[None])[0] <= heights[row, -1])[:, 0][None]
            indices[row], heights[row] = (part[0] for part in _nearest(points, row[None], at, k))
    return NeighbourGraph(indices.cpu().numpy(), heights.sqrt().cpu().numpy())


def _to_others(tile: Tile, rows: torch.Tensor) -> torch.Tensor:
    bounds = lower_bounds(tile.take(rows), tile)
    bounds[torch.arange(len(rows), device=rows.device), rows] = float("inf")
    return bounds


def _nearest(points: torch.Tensor, rows: torch.Tensor, at: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k nearest of the candidates `at` of each row, by (distance, index), and their squared distances."""
    at = at.sort(dim=1).values
    exact = squares(points, rows.repeat_interleave(at.shape[1]), at.flatten()).view(at.shape)
    order = exact.argsort(dim=1, stable=True)[:, :k]
    return at.gather(1, order), exact.gather(1, order)
