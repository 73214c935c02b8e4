"""Which spacings are more frequent than chance.

In: annotations with spans.  Out: a table of pairs and distances with observed and expected counts, p- and q-values.

The null shuffles positions: every annotation keeps its example, its kind and its strand, and every pair lies anywhere in
the sequence without overlapping.  Two spans of w and v bases in a sequence of L then stand d bases apart, in one of
their two orders, with probability ``(m - d) / (m (m + 1))``, where ``m = L - w - v + 1``: the limit of infinitely many
shuffles, so none are drawn.  Sums over many pairs are taken to be Poisson.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..errors import problem
from ..motif.fdr import q_values
from .count import pairs_of, side_of
from .spacing import ORIENTATIONS, near_pairs, views, with_strands
from .table import Annotations, read_annotations

__all__ = ["spacing_enrichment"]


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
    where = "spacing_enrichment"
    if max_distance < 1:
        raise problem(where, "max_distance", got=max_distance, need="at least 1", do="raise it")
    found = with_strands(where, read_annotations(where, X, spans=True, names=names), stranded)
    if found.end is not None and len(found.end) and found.end.max() > length:
        raise problem(where, "length", got=f"{length}, and an annotation that ends at {found.end.max()}",
                      need="the length of the sequences", do="pass it")  # fmt: skip
    side = side_of(where, found.kind, None, found.names)
    left, right, distance = near_pairs(where, found, max_distance, "skip")
    keys, expected = _expected(found, length, max_distance, symmetric, side)
    observed = np.zeros_like(expected)
    np.add.at(observed, (np.searchsorted(keys, _key(found, left, right, symmetric, side)), distance), 1)
    row, at = np.nonzero(observed)
    seen, chance = observed[row, at], expected[row, at]
    p = torch.special.gammainc(torch.from_numpy(seen), torch.from_numpy(chance)).numpy()
    orientation, a, b = np.unravel_index(keys[row], (len(ORIENTATIONS), side, side))
    label = np.asarray(found.names, dtype=object) if found.names else np.arange(side)
    columns: dict[str, Any] = {"row": label[a], "column": label[b]}
    if stranded:
        columns["orientation"] = np.asarray(ORIENTATIONS, dtype=object)[orientation]
    columns |= {"distance": at, "observed": seen.astype(np.int64), "expected": chance, "p-value": p}
    table = pd.DataFrame({**columns, "q-value": q_values(p, n_tests=expected.size)})
    return table.sort_values("p-value", kind="stable", ignore_index=True)


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
    """The kinds of pair that can occur, sorted, and how many of each are expected at each distance."""
    if found.start is None or found.end is None or not len(found.kind):
        return np.empty(0, np.int64), np.empty((0, max_distance))
    at = np.argsort(found.example, kind="stable")
    width = found.end - found.start
    cells, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for one, two in pairs_of(found.example[at]):
        i, j = at[one], at[two]
        free = length - width[i] - width[j] + 1
        apart = (found.start[j] >= found.end[i]) | (found.start[i] >= found.end[j])
        i, j, free = i[apart], j[apart], free[apart]
        for left, right in ((i, j), (j, i)):
            cell, count = np.unique(_key(found, left, right, symmetric, side) * (length + 2) + free, return_counts=True)
            cells.append(cell)
            counts.append(count)
    cell, which = np.unique(np.concatenate(cells), return_inverse=True)
    n_pairs = np.bincount(which.ravel(), np.concatenate(counts), minlength=len(cell))
    free = (cell % (length + 2))[:, None]
    chance = n_pairs[:, None] * np.maximum(free - np.arange(max_distance), 0) / (free * (free + 1))
    keys, which = np.unique(cell // (length + 2), return_inverse=True)
    expected = np.zeros((len(keys), max_distance))
    np.add.at(expected, which.ravel(), chance)
    return keys, expected
