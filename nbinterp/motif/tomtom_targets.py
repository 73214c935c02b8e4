"""The columns that queries are compared with, merged, weighted and laid out for sliding.

In: target motifs.  Out: `Targets`: distinct columns with how often each occurs, and where the columns of each target are
among them.  Columns that fall into the same cell of a grid stand for one another (``n_target_bins``), as in memelite.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

__all__ = ["Layout", "Targets", "lay_targets"]

_SAMPLE = 256  # columns from which a median is guessed


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


class LengthClass(NamedTuple):
    """The targets of one length, and their columns ``(length, targets)``."""

    length: int
    target: np.ndarray
    columns: np.ndarray


@dataclass(frozen=True)
class Targets:
    """Distinct columns ``(4, n)``, their squared norms and counts; the columns and the length of each target.

    The first `n_single` columns occur once, the others several times; `rank` is the order in which memelite has them.
    """

    columns: np.ndarray
    norms: np.ndarray
    counts: np.ndarray
    where: np.ndarray
    lengths: np.ndarray
    rank: np.ndarray

    @cached_property
    def n_single(self) -> int:
        """How many of the columns stand for themselves alone."""
        return int((self.counts == 1).sum())

    def weight(self, some: np.ndarray) -> np.ndarray:
        """How many columns there are among `some` ``(rows, n)``, merged ones counted."""
        n = self.n_single
        weight: np.ndarray = some[:, n:] @ self.counts[n:]
        weight += [np.count_nonzero(row) for row in some[:, :n]]
        return weight

    @cached_property
    def sample(self) -> np.ndarray:
        """Some columns, spread evenly over all, heavy ones more often."""
        place = (np.arange(_SAMPLE) + 0.5) * self.total / _SAMPLE
        return np.searchsorted(self.counts.cumsum(), place)

    @cached_property
    def total(self) -> float:
        """How many columns there are, merged ones counted."""
        return float(self.counts.sum())

    @cached_property
    def centre(self) -> np.ndarray:
        """Amid the columns: seen from here their norms are small, and so are the errors of single precision."""
        centre: np.ndarray = (self.columns @ self.counts / self.total)[:, None]
        return centre

    @cached_property
    def radius(self) -> float:
        """How far the farthest column lies from the centre."""
        return float(np.sqrt(((self.columns - self.centre) ** 2).sum(axis=0)).max())

    @property
    def unit(self) -> float:
        """In what single precision measures lengths, so that their squares are neither vast nor tiny."""
        return self.radius or 1.0

    @cached_property
    def augmented(self) -> np.ndarray:
        """``(6, n)``, single: centred columns in units, their squared norms, ones; a product gives squared distances."""
        centred = (self.columns - self.centre) / self.unit
        rows = [*centred, (centred**2).sum(axis=0), np.ones(len(self.counts))]
        return np.stack(rows).astype(np.float32)

    @cached_property
    def augmented_rows(self) -> np.ndarray:
        """`augmented`, a row a column."""
        return np.ascontiguousarray(self.augmented.T)

    @cached_property
    def by_length(self) -> list[LengthClass]:
        """The targets, those of one length together."""
        start = np.cumsum(self.lengths) - self.lengths
        classes = []
        for length in np.unique(self.lengths).tolist():
            target = np.flatnonzero(self.lengths == length)
            classes.append(LengthClass(length, target, self.where[start[target] + np.arange(length)[:, None]]))
        return classes

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
        every = np.arange(columns.shape[1])
        return Targets(np.ascontiguousarray(columns), norms, np.ones(len(every)), every, lengths, every)
    low, high = columns.min(axis=1, keepdims=True), columns.max(axis=1, keepdims=True)
    high = np.where(high == low, low + 1, high)
    cell = np.around((columns - low) / (high - low) * (n_target_bins - 1))
    first, where, counts = _alike(cell.T @ float(n_target_bins) ** np.arange(len(columns)))
    rank = np.argsort(counts > 1, kind="stable")
    place = np.empty_like(rank)
    place[rank] = np.arange(len(rank))
    first = first[rank]
    return Targets(
        np.ascontiguousarray(columns[:, first]),
        norms[first],
        counts[rank].astype(np.float64),
        place[where],
        lengths,
        rank,
    )


def _alike(key: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first of each distinct key, by key; which of them each key is; how often each occurs."""
    n = len(key)
    n_bits = n.bit_length()
    if key.max() < 2 ** min(53, 62 - n_bits):  # sorted with their places, which is faster than the places alone
        order = np.sort((key.astype(np.int64) << n_bits) | np.arange(n)) & (2**n_bits - 1)
    else:
        order = np.argsort(key, kind="stable")
    ordered = key[order]
    new = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.diff(new, append=n)
    where = np.empty(n, np.intp)
    where[order] = np.repeat(np.arange(len(new)), counts)
    return order[new], where, counts
