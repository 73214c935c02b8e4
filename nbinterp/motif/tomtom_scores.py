"""TOMTOM's scores: every query column against every target column, and the best alignment with every target.

In: query columns and `Targets`.  Out: `Columns` (what depends on a column alone, so that equal columns are compared once)
and, for each query, `QueryScores`: the distribution of its columns' whole-number scores and its best alignments.

A pair of columns scores its negative Euclidean distance, less the median over all target columns, in whole bins; columns
that hang over score 0.  Source: Gupta et al., Genome Biology 2007; Tanaka et al., Bioinformatics 2011 (complete scores);
the arithmetic, in its order, is memelite's, since a bin boundary is decided by the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .tomtom_targets import Layout, Targets

__all__ = ["Best", "Columns", "QueryScores", "compare_columns", "score_query"]

_BLOCK = 4


class Best(NamedTuple):
    """The best alignment with each target: score, where the query starts in the target, and columns shared."""

    score: np.ndarray
    offset: np.ndarray
    overlap: np.ndarray


class Columns(NamedTuple):
    """Distinct query columns: negative distances ``(n, targets)`` to the target columns, and a median each."""

    gamma: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median: np.ndarray


class QueryScores(NamedTuple):
    """Distribution ``(w, bins + 1)`` of each query column's score, the bin that is score 0, and the best alignments."""

    distribution: np.ndarray
    zero: int
    best: Best


def compare_columns(columns: np.ndarray, norms: np.ndarray, targets: Targets, n_median_bins: int) -> Columns:
    """Compare query columns ``(4, n)``, of squared norms `norms`, with the target columns."""
    n, n_targets = len(norms), targets.columns.shape[1]
    gamma, (low, high, median) = np.empty((n, n_targets)), np.empty((3, n))
    for start in range(0, n, _BLOCK):  # what is worked on stays in the processor's cache
        rows = slice(start, start + _BLOCK)
        _negative_distances(columns[:, rows], norms[rows], targets, out=gamma[rows])
        low[rows], high[rows] = gamma[rows].min(axis=1), gamma[rows].max(axis=1)
        median[rows] = _binned_medians(gamma[rows], low[rows], high[rows], targets.counts, n_median_bins)
    return Columns(gamma, low, high, median)


def score_query(
    columns: Columns, which: np.ndarray, targets: Targets, layout: Layout, n_score_bins: int
) -> QueryScores:
    """Score the query made of the columns `which` against all targets."""
    distinct, which = np.unique(which, return_inverse=True)
    median = columns.median[distinct]
    floor = int(np.floor((columns.low[distinct] - median).min()))
    scale = int(np.floor(n_score_bins / max((columns.high[distinct] - median).max() - floor, 1.0)))
    scaled = columns.gamma[distinct]
    scaled -= (median + floor)[:, None]
    scaled *= scale
    scaled += 0.5
    bins = scaled.astype(np.intp)  # never negative, so this rounds down
    zero = -floor * scale
    width, n = len(which), bins.shape[1]
    kind = np.int16 if width * n_score_bins < 2**15 else np.int32
    scores = np.zeros((len(distinct), n + 1), kind)  # the last column is the blank between targets
    np.subtract(bins, zero, out=scores[:, :n], casting="unsafe")
    distribution = _weighted_counts(bins, targets.counts, n_score_bins + 1) / targets.counts.sum()
    best = _best_alignments(scores, which, width * zero, targets.lengths, layout)
    return QueryScores(distribution[which], zero, best)


def _negative_distances(columns: np.ndarray, norms: np.ndarray, targets: Targets, out: np.ndarray) -> None:
    np.add(norms[:, None], targets.norms, out=out)
    product = np.empty_like(out)
    for weight, target in zip(2 * columns, targets.columns, strict=True):
        out -= np.multiply(weight[:, None], target, out=product)
    np.maximum(out, 0, out=out)
    np.sqrt(out, out=out)
    np.negative(out, out=out)


def _binned_medians(
    values: np.ndarray, low: np.ndarray, high: np.ndarray, counts: np.ndarray, n_bins: int
) -> np.ndarray:
    """The weighted median of each row, taken as the mean of the bin that holds it."""
    spread = np.where(high == low, 1, high - low)
    scaled = values - low[:, None]
    scaled /= spread[:, None]
    scaled *= n_bins - 1
    bins = scaled.astype(np.intp)
    held = _weighted_counts(bins, counts, n_bins).cumsum(axis=1) >= counts.sum() / 2
    middle = held.argmax(axis=1)
    row, column = np.divmod(np.flatnonzero(bins == middle[:, None]), values.shape[1])
    weight = counts[column]
    total = np.bincount(row, values[row, column] * weight, minlength=len(values))
    return np.where(high == low, low, total / np.bincount(row, weight, minlength=len(values)))


def _weighted_counts(bins: np.ndarray, weights: np.ndarray, n_bins: int) -> np.ndarray:
    return np.stack([np.bincount(row, weights, minlength=n_bins) for row in bins])


def _best_alignments(
    scores: np.ndarray, which: np.ndarray, unaligned: int, lengths: np.ndarray, layout: Layout
) -> Best:
    width, n = len(which), len(layout.target)
    lines = [row.take(layout.columns) for row in scores]
    totals = lines[which[0]][:n].copy()
    for column in range(1, width):
        totals += lines[which[column]][column : column + n]
    highest = np.maximum.reduceat(totals, layout.first)
    at = np.flatnonzero(totals == highest.take(layout.target))
    target = layout.target[at]
    offset = at - layout.first[target] - (width - 1)
    overlap = np.minimum(offset + width, lengths[target]) - np.maximum(offset, 0)
    # Ties: memelite reads alignments from left to right and takes the next one when the offset of the one it holds is less
    # than the overlap of the next.
    first = np.searchsorted(target, np.arange(len(lengths)))
    n_tied = np.diff(first, append=len(target))
    held = first.copy()
    for step in range(1, int(n_tied.max())):
        tied = np.flatnonzero(n_tied > step)
        rival = first[tied] + step
        held[tied] = np.where(offset[held[tied]] < overlap[rival], rival, held[tied])
    score = highest.astype(np.int64) + unaligned
    return Best(score, offset[held], overlap[held])
