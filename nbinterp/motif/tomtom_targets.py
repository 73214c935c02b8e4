"""The columns that queries are compared with, merged, weighted and laid out for sliding.

In: target motifs.  Out: `Targets`: distinct columns with how often each occurs, and for any query width the order in which
they are read so that every alignment with every target is one diagonal sum.  Columns that fall into the same cell of a
grid stand for one another (``n_target_bins``), as in memelite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Layout", "Targets", "lay_targets"]


class Layout(NamedTuple):
    """Where the alignments of a query of one width lie on the line of all targets.

    Attributes
    ----------
    columns : array of int
        Indices of distinct columns, targets in order, parted by ``width - 1`` blanks (index ``n``: no column).
    first, n_alignments : arrays of int, one a target
        The first alignment of each target, and how many it has (its length + width - 1).
    target : array of int, one an alignment
        Whose alignment each is.
    """

    columns: np.ndarray
    first: np.ndarray
    n_alignments: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class Targets:
    """Distinct columns ``(4, n)``, their squared norms and counts; the columns and the length of each target."""

    columns: np.ndarray
    norms: np.ndarray
    counts: np.ndarray
    where: np.ndarray
    lengths: np.ndarray

    def layout(self, width: int) -> Layout:
        """Lay the targets out for queries of `width` columns."""
        n_alignments = self.lengths + width - 1
        first = np.cumsum(n_alignments) - n_alignments
        columns = np.full(n_alignments.sum() + width - 1, self.columns.shape[1], np.intp)
        start = np.cumsum(self.lengths) - self.lengths
        at = np.arange(len(self.where)) + np.repeat(first - start, self.lengths) + width - 1
        columns[at] = self.where
        return Layout(columns, first, n_alignments, np.repeat(np.arange(len(self.lengths)), n_alignments))


def lay_targets(motifs: list[np.ndarray], n_target_bins: int | None = None) -> Targets:
    """Collect the columns of `motifs`, merging those in one cell of a grid of `n_target_bins` a letter.

    The first column of a cell stands for all.  With None nothing is merged.
    """
    columns = np.concatenate(motifs, axis=1)
    norms = (columns**2).sum(axis=0)
    lengths = np.array([motif.shape[1] for motif in motifs])
    if n_target_bins is None:
        n = columns.shape[1]
        return Targets(np.ascontiguousarray(columns), norms, np.ones(n), np.arange(n), lengths)
    low, high = columns.min(axis=1, keepdims=True), columns.max(axis=1, keepdims=True)
    high = np.where(high == low, low + 1, high)
    cell = np.around((columns - low) / (high - low) * (n_target_bins - 1))
    key = cell.T @ float(n_target_bins) ** np.arange(len(columns))
    _, first, where, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return Targets(
        np.ascontiguousarray(columns[:, first]), norms[first], counts.astype(np.float64), where.ravel(), lengths
    )
