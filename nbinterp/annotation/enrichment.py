"""Which spacings are more frequent than chance.

In: annotations with spans.  Out: a table of pairs and distances with observed and expected counts, p- and q-values.

The null shuffles positions: every annotation keeps its example, its kind and its strand, and every pair lies anywhere in
the sequence without overlapping.  Two spans of w and v bases in a sequence of L then stand d bases apart, in one of
their two orders, with probability ``(m - d) / (m (m + 1))``, where ``m = L - w - v + 1``: the limit of infinitely many
shuffles, so none are drawn.  Sums over many pairs are taken to be Poisson.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..errors import problem
from ..motif.fdr import q_values
from .count import side_of
from .spacing import ORIENTATIONS, near_pairs, views, with_strands
from .table import Annotations, read_annotations

__all__ = ["SpacingGrid", "as_many", "spacing_enrichment", "spacing_grid", "spacing_table"]


def spacing_enrichment(
    X: Any,
    length: int,
    max_distance: int = 100,
    *,
    symmetric: bool = True,
    stranded: bool = False,
    names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Test every pair of annotations at every distance against shuffled positions.

    Parameters
    ----------
    X : DataFrame or tensor (n, 4)
        As in `pairwise_annotations_spacing`; overlapping pairs are left out.
    length : int
        Bases of the sequences that were annotated.
    max_distance : int
        Distances 0 to ``max_distance - 1`` are tested.
    symmetric : bool
        Take a pair together whichever stands left; else the row's annotation is the left one.
    stranded : bool
        Test the orientations apart (`ORIENTATIONS`, as the row's annotation reads).
    names : sequence of str, optional
        All names, in order.

    Returns
    -------
    DataFrame
        row, column, (orientation), distance, observed, expected, p-value (as many or more, Poisson) and q-value
        (Benjamini-Hochberg over all pairs and distances, those never observed too); by p-value.

    Raises
    ------
    NbinterpError
        For annotations that leave a sequence of this length; or as `pairwise_annotations_spacing`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> start = rng.integers(0, 150, 40)
    >>> table = pd.DataFrame({"example_idx": np.tile(np.arange(40), 2), "start": np.concatenate([start, start + 17]),
    ...                       "name": ["a"] * 40 + ["b"] * 40})
    >>> best = spacing_enrichment(table.assign(end=table["start"] + 7), length=200).iloc[0]
    >>> best["row"], best["column"], int(best["distance"]), int(best["observed"]), float(best["expected"].round(1))
    ('a', 'b', 10, 40, 0.4)
    """
    return spacing_table(spacing_grid(X, length, max_distance, symmetric=symmetric, stranded=stranded, names=names))


class SpacingGrid(NamedTuple):
    """Every kind of pair that can occur, at every distance.

    Attributes
    ----------
    names : tuple of str, or None
    orientation, row, column : int arrays (n,)
        What kind of pair: index into `ORIENTATIONS` (0 where not stranded), and of two annotations.
    observed : int array (n, max_distance)
    expected : float array (n, max_distance)
        The mean over shuffled positions.
    stranded : bool
    """

    names: tuple[str, ...] | None
    orientation: np.ndarray
    row: np.ndarray
    column: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    stranded: bool


def spacing_grid(
    X: Any,
    length: int,
    max_distance: int = 100,
    *,
    symmetric: bool = True,
    stranded: bool = False,
    names: Sequence[str] | None = None,
    where: str = "spacing_enrichment",
) -> SpacingGrid:
    """Count and expect every kind of pair at every distance; arguments as those of `spacing_enrichment`."""
    if max_distance < 1:
        raise problem(where, "max_distance", got=max_distance, need="at least 1", do="raise it")
    found = with_strands(where, read_annotations(where, X, spans=True, names=names), stranded)
    if found.end is not None and len(found.end) and found.end.max() > length:
        raise problem(where, "length", got=f"{length}, and an annotation that ends at {found.end.max()}",
                      need="the length of the sequences", do="pass it")  # fmt: skip
    side = side_of(where, found.kind, None, found.names)
    keys, expected = _expected(found, length, max_distance, symmetric, side)
    left, right, distance = near_pairs(where, found, max_distance, "skip")
    cell = np.searchsorted(keys, _key(found, left, right, symmetric, side)) * max_distance + distance
    observed = np.bincount(cell, minlength=expected.size).reshape(expected.shape)
    orientation, row, column = np.unravel_index(keys, (len(ORIENTATIONS), max(side, 1), max(side, 1)))
    return SpacingGrid(found.names, orientation, row, column, observed, expected, stranded)


def spacing_table(grid: SpacingGrid) -> pd.DataFrame:
    """Test each number of a grid that is not 0; as `spacing_enrichment`."""
    at, distance = np.nonzero(grid.observed)
    p = as_many(grid.observed[at, distance], grid.expected[at, distance])
    order = np.argsort(p, kind="stable")
    at, distance, p = at[order], distance[order], p[order]
    label = np.asarray(grid.names, dtype=object) if grid.names else np.arange(int(grid.column.max(initial=0)) + 1)
    columns: dict[str, Any] = {"row": label[grid.row[at]], "column": label[grid.column[at]]}
    if grid.stranded:
        columns["orientation"] = np.asarray(ORIENTATIONS, dtype=object)[grid.orientation[at]]
    columns |= {"distance": distance, "observed": grid.observed[at, distance], "expected": grid.expected[at, distance]}
    return pd.DataFrame({**columns, "p-value": p, "q-value": q_values(p, n_tests=grid.expected.size)})


def as_many(seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The chance of as many or more, of a Poisson number; 1 where none was seen."""
    chance = torch.special.gammainc(torch.from_numpy(seen.astype(float)), torch.from_numpy(expected)).numpy()
    return np.where(seen > 0, chance, 1.0)


def _key(found: Annotations, left: np.ndarray, right: np.ndarray, symmetric: bool, side: int) -> np.ndarray:
    """One number for what kind of pair each is: orientation, row and column."""
    (orientation, row, column), mirrored = views(found, left, right)
    if symmetric:
        turned = row > column
        orientation = np.where(turned, mirrored.orientation, orientation)
        orientation = np.where((row == column) & (orientation % 2 == 0), 0, orientation)
        row, column = np.minimum(row, column), np.maximum(row, column)
    key: np.ndarray = (orientation * side + row) * side + column
    return key


def _expected(
    found: Annotations, length: int, max_distance: int, symmetric: bool, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """The kinds of pair that can occur, sorted, and how many of each are expected at each distance.

    Instances of one kind, width and strand are alike, so that pairs are counted a kind at a time: all pairs of an example
    less those that overlap.
    """
    import scipy.sparse

    if found.start is None or found.end is None or not len(found.kind):
        return np.empty(0, np.int64), np.empty((0, max_distance))
    strand = np.zeros_like(found.kind) if found.strand is None else found.strand
    alike = (found.kind * 3 + strand + 1) * (length + 1) + found.end - found.start  # as one number: sorted much faster
    types, which = np.unique(alike, return_inverse=True)
    kind, width = np.divmod(types, length + 1)
    kind, strand = kind // 3, kind % 3 - 1
    n, shape = len(types), (int(found.example.max()) + 1, len(types))
    there = scipy.sparse.csr_matrix((np.ones(len(which), np.int64), (found.example, which)), shape=shape)
    i, j = (which[one] for one in _overlapping(found))
    both = np.concatenate([i, j]), np.concatenate([j, i])  # either may be the left one
    overlaps = scipy.sparse.csr_matrix((np.ones(2 * len(i), np.int64), both), shape=(n, n))
    pairs = (there.T @ there - scipy.sparse.diags(np.bincount(which, minlength=n), dtype=np.int64) - overlaps).tocoo()
    some = pairs.data > 0
    left, right, count = pairs.row[some].astype(np.int64), pairs.col[some].astype(np.int64), pairs.data[some]
    one_of_each = Annotations(kind, kind, None, strand=None if found.strand is None else strand)
    key = _key(one_of_each, left, right, symmetric, side)
    free, at = np.unique(length - width[left] - width[right] + 1, return_inverse=True)
    keys, which = np.unique(key, return_inverse=True)
    number = scipy.sparse.csr_matrix((count, (which.ravel(), at.ravel())), shape=(len(keys), len(free)), dtype=float)
    chance = np.maximum(free[:, None] - np.arange(max_distance), 0) / np.maximum(free * (free + 1), 1)[:, None]
    return keys, number @ chance


def _overlapping(found: Annotations) -> tuple[np.ndarray, np.ndarray]:
    """Rows of all pairs of one example that share a base."""
    assert found.start is not None
    assert found.end is not None
    at = np.lexsort((found.start, found.example))
    example, start, end = found.example[at], found.start[at], found.end[at]
    pairs, left = [np.empty((2, 0), np.int64)], np.arange(len(at))
    for lag in range(1, len(at)):
        left = left[: np.searchsorted(left, len(at) - lag)]
        left = left[(example[left] == example[left + lag]) & (start[left + lag] < end[left])]
        if not len(left):
            break
        shared = left[start[left] < end[left + lag]]
        pairs.append(np.stack([at[shared], at[shared + lag]]))
    i, j = np.concatenate(pairs, axis=1)
    return i, j
