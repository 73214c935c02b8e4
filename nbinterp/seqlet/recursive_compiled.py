"""The null of recursive seqlets, and where their spans begin, in compiled loops.

In: attributions.  Out: what `span_null` and `_candidates` find with NumPy: bins and starts to the bit, probabilities to
rounding.  ``native/seqlets.c`` has the loops.

Only what can be asked for is found: no span is longer than the starts in a row that are significant, no sum is above that
of the longest span from such a start, and no probability at the threshold or above it is told from one.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ..core.native import call_native, native

__all__ = ["called_spans", "fits", "span_starts", "span_tails", "summed_bins"]

_LARGEST = 0.5
_BLOCK = 64  # written beyond the last sum
_GROUP = 32  # shares that are worked on together


def fits(X: np.ndarray, width: float, n_bins: int, longest: int, threshold: float) -> bool:
    """Tell whether there are loops, the bins and their sums fit the numbers of theirs, and rounding decides nothing.

    Probabilities near 1 are told apart by their rounding alone.
    """
    return (
        native() is not None
        and threshold <= _LARGEST
        and X.dtype in (np.float32, np.float64)
        and 0 < width < np.inf
        and n_bins >= 2
        and longest * n_bins < 2**31
    )


def summed_bins(X: np.ndarray, low: Any, width: float, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the bins left of each boundary, ``(N, L + 1)`` int32, and how many values are in each bin."""
    X = np.ascontiguousarray(X)
    sums, counts = np.empty((X.shape[0], X.shape[1] + 1), np.int32), np.zeros(n_bins, np.int64)
    call_native("sum_bins", X, X.dtype == np.float64, *X.shape, float(low), width, n_bins, sums, counts)
    return sums, counts


def span_starts(sums: np.ndarray, length: int, least: int) -> np.ndarray:
    """The starts, flat over rows, of the spans of `length` whose bins add up to `least`."""
    rows, size = sums.shape[0], sums.shape[1] - 1
    at, n = np.empty(rows * max(size - length + 1, 0), np.int64), ctypes.c_int64()
    call_native("starts", sums, rows, size, length, least, at, ctypes.byref(n))
    return at[: n.value]


def called_spans(
    sums: np.ndarray, tails: tuple[np.ndarray, ...], lengths: range, least: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Starts, flat over rows, and lengths of the spans that are called; `least` is the cutoff of the shortest."""
    rows, size = sums.shape[0], sums.shape[1] - 1
    at, n = np.empty((2, rows * (size // lengths[0])), np.int64), ctypes.c_int64()
    pointers = (ctypes.c_void_p * len(tails))(*(tail.ctypes.data for tail in tails))
    if call_native(
        "call", sums, rows, size, pointers, lengths[0], lengths[-1], least, threshold, at[0], at[1], ctypes.byref(n)
    ):
        raise MemoryError("recursive_seqlets: no memory for the spans of one sequence; pass shorter ones")
    return at[0, : n.value], at[1, : n.value]


def span_tails(single: np.ndarray, every: list[np.ndarray], lengths: range, threshold: float) -> tuple[np.ndarray, ...]:
    """The probabilities below `threshold` of all sums that occur; ones where they are not below.

    Parameters
    ----------
    single : float64, shape (B,)
        The share of each bin.
    every : list of int32, shape (N, L + 1)
        The sums of bins that will be looked up.
    lengths : range
        Of the spans.
    threshold : float
        The highest that will be asked for.
    """
    top, first = len(single) - 1, lengths[0]
    one = np.ascontiguousarray(np.cumsum(single[::-1])[::-1])
    short = [
        np.ones(1),
        one,
        *_more_tails(one, single, range(2, first + 1), np.zeros(first + 1, np.int64), first * top),
    ]
    least = int(np.argmax(np.append(short[first], -1) < threshold))
    starts = [span_starts(sums, first, least) for sums in every]
    longest = max(first, min(lengths[-1], first - 1 + max(_longest_run(at) for at in starts)))
    highest = max(_highest(sums, at, longest) for sums, at in zip(every, starts, strict=True))
    lowest = np.minimum(_lowest(single, longest, threshold), highest + 1)
    found = _more_tails(short[first], single, range(first + 1, longest + 1), lowest, highest)
    return *short, *found, *[np.ones(1)] * (lengths[-1] - longest)


def _more_tails(
    known: np.ndarray, single: np.ndarray, lengths: range, lowest: np.ndarray, highest: int
) -> list[np.ndarray]:
    """The probabilities for `lengths`, given those for one bin less: up to the sum `highest`, ones below `lowest`."""
    shares = np.zeros(-(-len(single) // _GROUP) * _GROUP)
    shares[: len(single)] = single
    table = np.zeros((len(lengths) + 1, len(shares) + highest + 1 + _BLOCK))
    table[:, : len(shares)] = 1  # a sum is always above what is below 0
    tails = table[:, len(shares) :]
    tails[0, : min(len(known), highest + 1)] = known[: highest + 1]
    call_native("tails", shares, len(single), lengths.start, lengths.stop - 1, lowest, highest, table.shape[1], tails)
    return [tails[i + 1, : min(n * (len(single) - 1), highest) + 1] for i, n in enumerate(lengths)]


def _longest_run(at: np.ndarray) -> int:
    """The most starts in a row: a span is called only if each part of the shortest length is significant."""
    if not len(at):
        return 0
    ends = np.flatnonzero(np.diff(at, append=at[-1] + 2) != 1)
    return int(np.diff(ends, prepend=-1).max())


def _highest(sums: np.ndarray, at: np.ndarray, longest: int) -> int:
    """The highest sum of a span from one of the starts."""
    size = sums.shape[1] - 1
    rows, starts = np.divmod(at, size)
    return int((sums[rows, np.minimum(starts + longest, size)] - sums[rows, starts]).max(initial=0))


def _lowest(single: np.ndarray, longest: int, threshold: float) -> np.ndarray:
    """For each length a sum below which no probability is below `threshold`, nor needed for one that is.

    A sum of n bins reaches its mean less x with a probability of at least x^2 / (x^2 + variance) (Cantelli).
    """
    bins, n = np.arange(len(single)), np.arange(longest + 1)
    if threshold <= 0:
        return np.zeros(longest + 1, np.int64)
    mean = (single * bins).sum()
    variance = (single * (bins - mean) ** 2).sum()
    odds = threshold / (1 - threshold)
    below = n * mean - np.sqrt(1.001 * n * variance * odds) - 1
    # what a sum of n bins leaves open is open too for what the bins to follow may add to it
    open_from = np.minimum.accumulate((below - n * (len(single) - 1))[::-1])[::-1] + n * (len(single) - 1)
    return np.maximum(np.floor(open_from), 0).astype(np.int64)
