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

from .recursive_compiled import fits, span_tails, summed_bins

_BLOCK = 256  # entries of the longer histogram in a row of the matrix; 128 to 512 take the same time


@dataclass(frozen=True)
class SpanNull:
    """The null in bins: ``tails[k][i]`` is P(sum of k bins >= i).

    With compiled loops, only for the k and i that are looked up, and 1 where it is no smaller than the threshold.
    """

    tails: tuple[np.ndarray, ...]
    compiled: bool

    def cutoff(self, length: int, threshold: float) -> int:
        """Give the smallest sum of `length` bins with a probability below `threshold`."""
        tail = self.tails[length]
        return len(tail) - int(np.searchsorted(tail[::-1], threshold))


def span_null(
    X: np.ndarray, control: np.ndarray | None, lengths: range, n_bins: int, threshold: float
) -> tuple[SpanNull, np.ndarray, np.ndarray | None] | None:
    """The null of `X`, and the sums of the bins left of each boundary, ``(N, L + 1)``, of `X` and of `control`.

    Probabilities from `threshold` on are not asked for.  None when all values of `X` are the same.
    """
    low, high = X.min(), X.max()
    if low == high:
        return None
    width = float(high - low) / (n_bins - 1)
    compiled = fits(X, width, n_bins, lengths[-1], threshold)
    summed = summed_bins if compiled else _summed_bins
    sums, counts = summed(X, low, width, n_bins)
    others = None if control is None else summed(control, low, width, n_bins)[0]
    single = counts / X.size
    if compiled:
        tails = span_tails(single, [sums] if others is None else [sums, others], lengths, threshold)
    else:  # summed from the top, where they are smallest
        tails = (np.ones(1), *(np.cumsum(one[::-1])[::-1] for one in _powers(single, lengths[-1])))
    return SpanNull(tails, compiled), sums, others


def _summed_bins(X: np.ndarray, low: Any, width: float, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the bins left of each boundary, and how many values are in each bin."""
    scaled: np.ndarray = (X - low).astype(np.float64, copy=False)
    scaled /= width
    # truncation is the floor, but for what lies below the first bin, which is put into it anyway
    np.clip(scaled, 0, n_bins - 1, out=scaled)
    binned = scaled.astype(np.int32)
    sums = np.zeros((X.shape[0], X.shape[1] + 1), np.int32)
    np.cumsum(binned, axis=1, out=sums[:, 1:])
    return sums, np.bincount(binned.ravel(), minlength=n_bins)


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
