"""Query columns against target columns: the extremes and the median of their distances.

In: query columns and `Targets`.  Out: `Columns`, what the scores of a query need to know of each of its columns.

Distances are found in single precision by one product of matrices, and only those that can decide an extreme or the median
are computed again, exactly: the arithmetic, in its order, is then memelite's, since the boundary of a bin is decided by the
last bit.  The median is guessed from a sample and corrected by what lies nearer than the guess; what lies about it is looked
at exactly, and more of it where the median turns out to be elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .tomtom_targets import Targets

__all__ = ["Columns", "compare_columns", "exact_gamma", "product"]

_ROWS = 64  # query columns held at a time: what is worked on stays in the processor's cache
_PART = 2**15  # numbers of a product with six terms each
_SLACK = 2.0**-18  # what rounding may do to a squared distance, at most, as a share of the largest that there can be
_SPREAD = 0.0015  # share of the target columns to either side of a guess among which the median is looked for first
_EVERY = 0.5  # from this spread on all target columns are looked at


class Columns(NamedTuple):
    """Distinct query columns ``(4, n)``, their squared norms, and the least, largest and median of minus the distance."""

    columns: np.ndarray
    norms: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median: np.ndarray


class _Pairs(NamedTuple):
    """Pairs of a query column and a target column, by query column.

    `central` pairs are all those `inner` to `outer` apart (0: however near), one a query column; the target columns farther
    than them weigh `beyond`.
    """

    row: np.ndarray
    at: np.ndarray
    central: np.ndarray
    inner: np.ndarray
    outer: np.ndarray
    beyond: np.ndarray


def product(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """``a @ b`` in parts so small that the matrix library does each in the calling thread."""
    out = np.empty((len(a), b.shape[1]), a.dtype) if out is None else out
    columns = min(b.shape[1], max(_PART // len(a), 64))
    rows = max(_PART // columns, 1)
    for i in range(0, len(a), rows):
        for j in range(0, b.shape[1], columns):
            np.matmul(a[i : i + rows], b[:, j : j + columns], out=out[i : i + rows, j : j + columns])
    return out


def exact_gamma(
    columns: np.ndarray, norms: np.ndarray, targets: Targets, query: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Minus the distance of the query columns `query` from the target columns `at`, pair by pair."""
    gamma: np.ndarray = norms[query] + targets.norms[at]
    products = np.ascontiguousarray(2 * columns.T).take(query, axis=0)
    products *= targets.columns.T.take(at, axis=0)
    for one in products.T:
        gamma -= one
    gamma *= gamma > 0
    np.sqrt(gamma, out=gamma)
    np.negative(gamma, out=gamma)
    return gamma


def compare_columns(columns: np.ndarray, norms: np.ndarray, targets: Targets, n_median_bins: int) -> Columns:
    """Compare query columns ``(4, n)``, of squared norms `norms`, with the target columns."""
    low, high, median = np.empty((3, len(norms)))
    left, spread = np.arange(len(norms)), _SPREAD
    while len(left):
        pairs = _deciding(columns[:, left], targets, n_median_bins, spread)
        gamma = exact_gamma(columns, norms, targets, left[pairs.row], pairs.at)
        first = np.searchsorted(pairs.row, np.arange(len(left)))
        least, largest = np.minimum.reduceat(gamma, first), np.maximum.reduceat(gamma, first)
        found, certain = _medians(pairs, gamma, least, largest, targets, n_median_bins)
        low[left], high[left], median[left] = least, largest, found
        left, spread = left[~certain & (spread < _EVERY)], 8 * spread
    return Columns(columns, norms, low, high, median)


def _deciding(columns: np.ndarray, targets: Targets, n_median_bins: int, spread: float) -> _Pairs:
    """The pairs that may hold an extreme, and those near the median."""
    centred = columns - targets.centre
    norms = (centred**2).sum(axis=0)
    bound = (np.sqrt(norms) + targets.radius) ** 2
    scale = 1 / np.where(bound > 0, bound, 1)
    unit = targets.unit
    factors = np.vstack([-2 * unit * centred * scale, np.full_like(norms, unit**2) * scale, norms * scale])
    factors = np.ascontiguousarray(factors.T.astype(np.float32))
    guess, step = _guess(factors, targets)
    some = [slice(start, start + _ROWS) for start in range(0, len(scale), _ROWS)]
    found = [_near(factors[i], guess[i], step[i], targets, n_median_bins, spread) for i in some]
    row, at, central, inner, outer, beyond = (np.concatenate(part) for part in zip(*found, strict=True))
    row += np.repeat(np.arange(len(some)) * _ROWS, [len(one.row) for one in found])
    return _Pairs(row, at, central, np.sqrt(inner / scale), np.sqrt(outer / scale), beyond)


def _guess(factors: np.ndarray, targets: Targets) -> tuple[np.ndarray, np.ndarray]:
    """About the median of the squared distances, and how much a share of the target columns adds to it, from a sample."""
    sample = targets.augmented.take(targets.sample, axis=1)
    n = sample.shape[1]
    ranks = 2 * n // 5, n // 2, 3 * n // 5
    place = product(factors, sample)
    place.partition(ranks, axis=1)
    before, guess, after = place[:, ranks].T.astype(np.float64)
    return guess, np.maximum(after - before, 2.0**-10) * n / (ranks[2] - ranks[0])


def _near(
    factors: np.ndarray, guess: np.ndarray, step: np.ndarray, targets: Targets, n_median_bins: int, spread: float
) -> _Pairs:
    """`_deciding` of some rows, with the limits squared."""
    n, n_targets = len(guess), len(targets.counts)
    place = product(factors, targets.augmented)
    picked, one = np.empty((2, n, n_targets), bool)
    nearest, farthest = place.min(axis=1), place.max(axis=1)
    guess = guess + step * (0.5 - targets.weight(_compared(np.less, place, guess, picked)) / targets.total)
    # The bin of memelite that holds the median: its width in distance is kept on both sides.
    reach = 1.01 * (np.sqrt(np.maximum(farthest, 0)) - np.sqrt(np.maximum(nearest, 0))) / (n_median_bins - 1)
    if spread < _EVERY:
        inner = np.sqrt(np.maximum(guess - spread * step, 0)) - reach
        inner = np.where(inner > 0, inner**2, -1)  # -1: as near as can be
        outer = (np.sqrt(np.maximum(guess + spread * step, 0)) + reach) ** 2
    else:
        inner, outer = np.full((2, n), [[-1.0], [4.0]])
    _compared(np.less, place, outer, picked)
    beyond = targets.total - targets.weight(picked)
    picked &= _compared(np.greater_equal, place, inner, one)
    central = np.flatnonzero(picked)
    _compared(np.less_equal, place, nearest + _SLACK, picked)
    picked |= _compared(np.greater_equal, place, farthest - _SLACK, one)
    flat = np.concatenate([central, np.flatnonzero(picked)])
    row, at = np.divmod(flat, n_targets)
    order = np.argsort(row, kind="stable")
    sure = np.where(inner > 0, inner + 2 * _SLACK, 0), np.maximum(outer - 2 * _SLACK, 0)
    return _Pairs(row[order], at[order], order < len(central), *sure, beyond)


def _compared(compare: np.ufunc, place: np.ndarray, limits: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Compare every row with its limit."""
    result: np.ndarray = compare(place, limits.astype(np.float32)[:, None], out=out)
    return result


def _medians(
    pairs: _Pairs, gamma: np.ndarray, low: np.ndarray, high: np.ndarray, targets: Targets, n_bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """The weighted median of each row, taken as the mean of the bin that holds it; and if that bin was seen whole."""
    row, at, gamma = pairs.row[pairs.central], pairs.at[pairs.central], gamma[pairs.central]
    n = len(low)
    size = np.where(high == low, 1, high - low)
    bins = ((gamma - low[row]) / size[row] * (n_bins - 1)).astype(np.int64)
    start = np.full(n, n_bins)
    np.minimum.at(start, row, bins)
    bins -= start[row]
    width = int(bins.max(initial=0)) + 1
    weight = np.bincount(row * width + bins, targets.counts[at], n * width).reshape(n, width)
    nearer = weight.cumsum(axis=1) + pairs.beyond[:, None]
    middle = (nearer >= targets.total / 2).argmax(axis=1)
    edge = -low - (start + middle + [[0], [1]]) * size / (n_bins - 1)
    certain = (pairs.beyond < targets.total / 2) & (nearer[:, -1] >= targets.total / 2)
    certain &= ((edge[0] < pairs.outer) | (pairs.outer >= -low)) & ((edge[1] > pairs.inner) | (pairs.inner <= 0))
    certain |= high == low
    chosen = np.flatnonzero(bins == middle[row])
    order = np.argsort(row[chosen] * len(targets.rank) + targets.rank[at[chosen]])
    chosen = chosen[order]  # summed in memelite's order
    row, weight = row[chosen], targets.counts[at[chosen]]
    total = np.bincount(row, weight, n)
    mean = np.bincount(row, gamma[chosen] * weight, n) / np.where(total > 0, total, 1)
    return np.where(high == low, low, mean), certain
