"""The distribution of the sum of neighbouring attributions, when neighbours have nothing to do with each other.

In: attributions ``(N, L)``.  Out: for each length of a span, the probability of a sum at least as large.  It is the
histogram of single positions convolved with itself, once for each position.

A transform would lose every probability below 1e-16, and those are the ones that matter; so the sums are taken as they
stand, every term positive, by one matrix product for each length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_BLOCK = 256  # entries of the longer histogram in a row of the matrix; 128 to 512 take the same time


@dataclass(frozen=True)
class SpanNull:
    """The null in bins: ``tails[k][i]`` is P(sum of k bins >= i), for k of 0 .. the longest span."""

    low: Any
    width: float
    n_bins: int
    tails: tuple[np.ndarray, ...]

    def bins(self, X: np.ndarray) -> np.ndarray:
        """Bin each value (int32), clamped to the ends."""
        return _bins(X, self.low, self.width, self.n_bins)

    def cutoff(self, length: int, threshold: float) -> int:
        """Give the smallest sum of `length` bins with a probability below `threshold`."""
        tail = self.tails[length]
        return len(tail) - int(np.searchsorted(tail[::-1], threshold))


def span_null(X: np.ndarray, max_len: int, n_bins: int) -> tuple[SpanNull, np.ndarray] | None:
    """The null of `X` and its bins; None when all values are the same."""
    low, high = X.min(), X.max()
    if low == high:
        return None
    width = float(high - low) / (n_bins - 1)
    binned = _bins(X, low, width, n_bins)
    single = np.bincount(binned.ravel(), minlength=n_bins) / X.size
    # tails are summed from the top, where they are smallest
    tails = [np.ones(1), *(np.cumsum(sums[::-1])[::-1] for sums in _powers(single, max_len))]
    return SpanNull(low, width, n_bins, tuple(tails)), binned


def _bins(X: np.ndarray, low: Any, width: float, n_bins: int) -> np.ndarray:
    scaled: np.ndarray = (X - low).astype(np.float64, copy=False)
    scaled /= width
    # truncation is the floor, but for what lies below the first bin, which is put into it anyway
    np.clip(scaled, 0, n_bins - 1, out=scaled)
    return scaled.astype(np.int32)


def _powers(single: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """Give `single` convolved with itself 0 .. count - 1 times.

    Blocks of the longer histogram, one a row, are multiplied by the matrix whose row i is `single` moved i to the right;
    the rows of the product are then added where their blocks stand.
    """
    reach = _BLOCK + len(single) - 1
    padded = np.zeros(_BLOCK - 1 + reach)
    padded[_BLOCK - 1 : _BLOCK - 1 + len(single)] = single
    moved = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(padded, reach)[::-1])
    sums = single
    yield sums
    for _ in range(count - 1):
        n_blocks = -(-len(sums) // _BLOCK)
        blocks = np.zeros(n_blocks * _BLOCK)
        blocks[: len(sums)] = sums
        product = blocks.reshape(n_blocks, _BLOCK) @ moved
        total = np.zeros((n_blocks + -(-reach // _BLOCK)) * _BLOCK)
        for left in range(0, reach, _BLOCK):
            part = product[:, left : left + _BLOCK]
            total[left : left + n_blocks * _BLOCK].reshape(n_blocks, _BLOCK)[:, : part.shape[1]] += part
        sums = total[: len(sums) + len(single) - 1]
        yield sums
