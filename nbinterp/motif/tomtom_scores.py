"""TOMTOM's scores: whole numbers for every column of some queries against every target column.

In: queries made of compared `Columns`.  Out: `Scores`: a table of bins for each place in the queries, and the distribution
of each column's bin.

A pair of columns scores its negative Euclidean distance, less the median over all target columns, in whole bins; columns
that hang over score 0.  Source: Gupta et al., Genome Biology 2007; Tanaka et al., Bioinformatics 2011 (complete scores).
Single precision gives nearly all bins for certain; those it leaves in doubt are found again as memelite finds them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .tomtom_columns import Columns, exact_gamma, product
from .tomtom_targets import Targets

__all__ = ["Scores", "score_queries"]

_DOUBT = 0.25  # squared bins of doubt from which on nothing is certain: queries far from all targets
_CHUNK = 2**17  # numbers worked on at a time: they stay in the processor's cache


class Scores(NamedTuple):
    """Of queries from wide to narrow: a table of bins for each place, for the queries that reach so far.

    Attributes
    ----------
    bins : list of arrays (target columns, queries)
        For each place.
    distributions : list of arrays (queries, bins + 1)
        For each place, how the target columns spread over the bins.
    zero, width : arrays (queries,)
        The bin that is score 0, and the number of places.
    """

    bins: list[np.ndarray]
    distributions: list[np.ndarray]
    zero: np.ndarray
    width: np.ndarray


def score_queries(columns: Columns, queries: list[np.ndarray], targets: Targets, n_score_bins: int) -> Scores:
    """Score queries, each a list of indices of `columns`, from wide to narrow."""
    width = np.array([len(one) for one in queries])
    every, first = np.concatenate(queries), np.cumsum(width) - width
    median = columns.median[every]
    floor = np.floor(np.minimum.reduceat(columns.low[every] - median, first))
    spread = np.maximum.reduceat(columns.high[every] - median, first) - floor
    scale = np.floor(n_score_bins / np.maximum(spread, 1.0))
    kind = np.int16 if max(len(queries), width[0]) * (n_score_bins + 1) < 2**15 else np.int32
    distinct, which = np.unique(
        np.stack([every, np.repeat(floor, width), np.repeat(scale, width)]), axis=1, return_inverse=True
    )
    repeated = 2 * distinct.shape[1] <= len(every)  # as one-hot queries do: the same column, scored alike
    if repeated:
        all_bins = _bins(columns, distinct, targets, n_score_bins, kind)
        all_distributions = _distributions(all_bins, targets, n_score_bins + 1)
    bins, distributions = [], []
    for place in range(width[0]):
        here = which.ravel()[first[width > place] + place]
        if repeated:
            bins.append(all_bins.take(here, axis=1))
            distributions.append(all_distributions[here])
        else:
            bins.append(_bins(columns, distinct[:, here], targets, n_score_bins, kind))
            distributions.append(_distributions(bins[-1], targets, n_score_bins + 1))
    return Scores(bins, distributions, (-floor * scale).astype(np.int64), width)


def _bins(columns: Columns, scored: np.ndarray, targets: Targets, n_score_bins: int, kind: type) -> np.ndarray:
    """The bins ``(target columns, query columns)`` of query columns: ``(3, n)`` index, floor and scale of each."""
    which, (floor, scale) = scored[0].astype(np.intp), scored[1:]
    start = columns.median[which] + floor
    own = columns.columns[:, which] - targets.centre
    norms = (own**2).sum(axis=0)
    # What rounding can do to a squared distance, in squared bins; it is added, so that there is a square root.
    slack = float(((np.sqrt(norms) + targets.radius) * scale).max() ** 2) * 2.0**-21
    factors = np.vstack([-2 * own * targets.unit, np.full_like(norms, targets.unit**2), norms]) * scale**2
    factors[-1] += slack
    with np.errstate(over="ignore"):  # of vast numbers nothing is certain, and no product is taken
        factors = factors.astype(np.float32)
    top = 0.5 - start * scale
    rounding = float(np.abs(top).max() + n_score_bins) * 2.0**-22
    n, m = len(targets.counts), len(which)
    step = max(_CHUNK // m, 1)
    tops = np.empty((min(step, n), m), np.float32)
    tops[:] = top - rounding
    bins: np.ndarray = np.empty((n, m), kind)
    work, higher = np.empty_like(tops), np.empty_like(bins[: len(tops)])
    doubtful = []
    for begin in range(0, n, step) if slack < _DOUBT else ():
        size = min(step, n - begin)
        distance, low, high = work[:size], bins[begin : begin + size], higher[:size]
        product(targets.augmented_rows[begin : begin + size], factors, out=distance)
        np.sqrt(distance, out=distance)
        doubt = distance < 1  # here the square root widens what rounding did
        np.subtract(tops[:size], distance, out=distance)
        np.copyto(low, distance, casting="unsafe")
        distance += np.float32(1.2 * slack + 2 * rounding)
        np.copyto(high, distance, casting="unsafe")
        doubt |= low != high
        doubtful.append(np.flatnonzero(doubt) + begin * m)
    flat = np.concatenate(doubtful) if doubtful else np.arange(n * m)
    at, query = np.divmod(flat, m)
    column = which[query]
    exact = exact_gamma(columns.columns, columns.norms, targets, column, at)
    exact -= start[query]
    exact *= scale[query]
    exact += 0.5
    bins.ravel()[flat] = exact.astype(kind)  # never negative, so this rounds down
    return bins


def _distributions(bins: np.ndarray, targets: Targets, n_bins: int) -> np.ndarray:
    """The share of the target columns in each bin ``(query columns, bins)``."""
    n = bins.shape[1]
    kind = bins.dtype if n * n_bins < 2**15 else np.dtype(np.int32)
    keys = np.add(bins, n_bins * np.arange(n), dtype=kind, casting="unsafe")
    counts = np.bincount(keys.ravel(), minlength=n * n_bins).astype(np.float64)
    again = keys[targets.n_single :]
    if again.size:
        extra = np.repeat(targets.counts[targets.n_single :] - 1, n)
        counts += np.bincount(again.ravel(), extra, minlength=n * n_bins)
    shares: np.ndarray = counts.reshape(n, n_bins) / targets.total
    return shares
