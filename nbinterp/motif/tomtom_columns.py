"""Query columns against target columns: the extremes and the median of their distances.

In: query columns and `Targets`.  Out: `Columns`, what the scores of a query need to know of each of its columns.

Distances are found in single precision by one product of matrices, counted in bins, and only those that can decide an
extreme or the median are computed again, exactly: the arithmetic, in its order, is then memelite's, since the boundary of
a bin is decided by the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .tomtom_targets import Targets

__all__ = ["Columns", "compare_columns", "exact_gamma", "product"]

_ROWS = 16  # query columns held at a time: what is worked on stays in the processor's cache
_BINS = 1024  # of the squared distance; 16 rows of them fit an int16
_PART = 2**15  # numbers of a product with six terms each
_SLACK = 0.03  # bins that rounding may move a squared distance, at most


class Columns(NamedTuple):
    """Distinct query columns ``(4, n)``, their squared norms, and the least, largest and median of minus the distance."""

    columns: np.ndarray
    norms: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median: np.ndarray


class _Pairs(NamedTuple):
    """Pairs of a query column and a target column, by query column.

    `central` pairs are all those near the median; the target columns farther than them weigh `beyond`, one a query column.
    """

    row: np.ndarray
    at: np.ndarray
    central: np.ndarray
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
    for own, other in zip(2 * columns, targets.columns, strict=True):
        gamma -= own[query] * other[at]
    gamma *= gamma > 0
    np.sqrt(gamma, out=gamma)
    np.negative(gamma, out=gamma)
    return gamma


def compare_columns(columns: np.ndarray, norms: np.ndarray, targets: Targets, n_median_bins: int) -> Columns:
    """Compare query columns ``(4, n)``, of squared norms `norms`, with the target columns."""
    n = len(norms)
    centred = columns - targets.centre
    bound = (np.sqrt((centred**2).sum(axis=0)) + targets.radius) ** 2
    scale = (_BINS - 4) / np.where(bound > 0, bound, 1)  # bins a unit of squared distance
    found = []
    for start in range(0, n, _ROWS):
        rows = slice(start, min(start + _ROWS, n))
        some = _deciding(centred[:, rows], scale[rows], targets, n_median_bins)
        found.append(some._replace(row=some.row + start))
    pairs = _Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))
    gamma = exact_gamma(columns, norms, targets, pairs.row, pairs.at)
    first = np.searchsorted(pairs.row, np.arange(n))
    low, high = np.minimum.reduceat(gamma, first), np.maximum.reduceat(gamma, first)
    return Columns(columns, norms, low, high, _medians(pairs, gamma, low, high, targets, n_median_bins))


def _deciding(centred: np.ndarray, scale: np.ndarray, targets: Targets, n_median_bins: int) -> _Pairs:
    """The pairs that may hold an extreme or lie in the bin of the median."""
    n = len(scale)
    lines = _BINS * np.arange(n) + 2.0
    unit = targets.unit
    factors = np.vstack([-2 * unit * centred * scale, unit**2 * scale, scale * (centred**2).sum(axis=0) + lines])
    place = product(factors.T.astype(np.float32), targets.augmented)
    bins = place.astype(np.int16)
    weight = _weights_of_bins(bins, targets, n)
    nearer = weight.cumsum(axis=1)  # the weight up to each bin
    middle = (nearer <= targets.total / 2).sum(axis=1)  # from here on to the farthest at least half
    nearest, farthest = place.min(axis=1), place.max(axis=1)
    # The bin of memelite that holds the median: its width in distance, on both sides of the bin found here.
    last = np.sqrt(np.maximum(farthest - lines, 0) / scale)
    reach = 1.01 * (last - np.sqrt(np.maximum(nearest - lines, 0) / scale)) / (n_median_bins - 1)
    inner = np.maximum(np.sqrt(np.maximum(middle - 2 - _SLACK, 0) / scale) - reach, 0)
    outer = np.sqrt(np.maximum(middle - 1 + _SLACK, 0) / scale) + reach
    begin = np.maximum(np.floor(inner**2 * scale + 2 - _SLACK), 0).astype(np.int64)
    end = np.minimum(np.floor(outer**2 * scale + 2 + _SLACK).astype(np.int64) + 1, _BINS)
    offset = (begin + _BINS * np.arange(n)).astype(np.int16)
    central = (bins - offset[:, None]).view(np.uint16) < (end - begin).astype(np.uint16)[:, None]
    picked = place <= (nearest + _SLACK)[:, None]
    picked |= place >= (farthest - _SLACK)[:, None]
    picked |= central
    flat = np.flatnonzero(picked)
    row, at = np.divmod(flat, bins.shape[1])
    beyond = targets.total - nearer[np.arange(n), end - 1]
    return _Pairs(row, at, central.ravel()[flat], beyond)


def _weights_of_bins(bins: np.ndarray, targets: Targets, n: int) -> np.ndarray:
    """How many target columns fall in each bin ``(n, bins)``: each once, and those that stand for several again."""
    size = n * _BINS
    weight = np.bincount(bins.ravel(), minlength=size).astype(np.float64)
    again = bins[:, targets.n_single :]
    if again.size:
        extra = np.broadcast_to(targets.counts[targets.n_single :] - 1, again.shape).ravel()
        weight += np.bincount(again.ravel(), extra, minlength=size)
    return weight.reshape(n, _BINS)


def _medians(
    pairs: _Pairs, gamma: np.ndarray, low: np.ndarray, high: np.ndarray, targets: Targets, n_bins: int
) -> np.ndarray:
    """The weighted median of each row, taken as the mean of the bin that holds it."""
    row, at, gamma = pairs.row[pairs.central], pairs.at[pairs.central], gamma[pairs.central]
    scaled = gamma - low[row]
    scaled /= np.where(high == low, 1, high - low)[row]
    scaled *= n_bins - 1
    bins = scaled.astype(np.int64)
    n = len(low)
    bins -= np.minimum.reduceat(bins, np.searchsorted(row, np.arange(n)))[row]
    width = int(bins.max()) + 1
    weight = np.bincount(row * width + bins, targets.counts[at], n * width).reshape(n, width)
    middle = (weight.cumsum(axis=1) + pairs.beyond[:, None] >= targets.total / 2).argmax(axis=1)
    chosen = np.flatnonzero(bins == middle[row])
    chosen = chosen[
        np.argsort(row[chosen] * len(targets.rank) + targets.rank[at[chosen]])
    ]  # summed in memelite's order
    row, weight = row[chosen], targets.counts[at[chosen]]
    mean = np.bincount(row, gamma[chosen] * weight, n) / np.bincount(row, weight, n)
    return np.where(high == low, low, mean)
