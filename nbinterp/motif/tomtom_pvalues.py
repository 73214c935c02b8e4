"""TOMTOM's null: the chance that the best of all alignments with a target of some length scores as high.

In: the distribution of the score of each query column (several queries of one width at once).  Out: for every target
length, P(best score >= s).

Scores of the columns of a span add up, so their distribution is a convolution; the alignments with a target are taken to
be independent, so the best of them is at least s unless none is.  Everything counts down from the highest score that can
be reached and stops at the lowest that occurred: tails are sums of positive numbers and keep their relative precision.
Source: Gupta et al., Genome Biology 2007; Tanaka et al., Bioinformatics 2011.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["Tails", "best_score_tails"]

_BLOCK = 32  # small products, so that the matrix library starts no threads of its own


class Tails(NamedTuple):
    """P(best >= top - d) at ``table[length index, query, d]``, and the highest reachable score of each query."""

    table: np.ndarray
    top: np.ndarray


def best_score_tails(distribution: np.ndarray, zero: np.ndarray, lowest: np.ndarray, lengths: np.ndarray) -> Tails:
    """Tabulate the null of Q queries of one width.

    Parameters
    ----------
    distribution : array, shape (Q, width, bins + 1)
        Of each column's bin.
    zero : array, shape (Q,)
        The bin that is score 0.
    lowest : array, shape (Q,)
        The lowest score that will be asked for, counted from all columns unaligned.
    lengths : array
        The target lengths needed, distinct.
    """
    width = distribution.shape[1]
    least, most = _column_extremes(distribution, zero)
    top = most.sum(axis=1)
    depth = int(max((top - lowest).max(), 0)) + 1
    lengths_short = [length for length in lengths.tolist() if length < width]
    shortest = min(lengths_short, default=width)
    # any[t]: some span of t columns scores that high; edge[t]: the first or the last t columns do
    any_span, edge = np.zeros((2, len(zero), width + 1, depth))
    for last, spans in enumerate(_spans(distribution, zero, least, most, depth)):
        n = last + 1
        begin = int((top - most[:, :n].sum(axis=1)).min())  # above it are zeros
        n_used = n + 1 - shortest
        if n_used > 0:
            _either_of(any_span[:, n : shortest - 1 : -1, begin:], spans[:, :n_used, begin:])
        if n < width:
            _either_of(edge[:, n, begin:], spans[:, 0, begin:])
        elif n > 1:
            _either_of(edge[:, width - 1 : 0 : -1], spans[:, 1:])
    return Tails(_by_length(any_span, edge, lengths), top)


def _column_extremes(distribution: np.ndarray, zero: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the highest score of each column; 0 lies between."""
    seen = distribution > 0
    least = seen.argmax(axis=-1) - zero[:, None]
    most = distribution.shape[-1] - 1 - seen[..., ::-1].argmax(axis=-1) - zero[:, None]
    return np.minimum(least, 0), np.maximum(most, 0)


def _spans(
    distribution: np.ndarray, zero: np.ndarray, least: np.ndarray, most: np.ndarray, depth: int
) -> Iterator[np.ndarray]:
    """For each last column, the tails ``(Q, first column, depth)`` of the spans that end with it.

    Tails are P(score >= top - d), `top` being that of the whole query, for all spans; so one more column, of whatever
    query, is one product with a band matrix.  It is taken a block of d at a time, for the spans that rise there; before
    they rise they are 0, and after it 1, as is the tail of no column at all, which is what each span starts from.
    """
    width = most.shape[1]
    top = most.sum(axis=1)
    low, high = least.min(axis=0), most.max(axis=0)
    end = depth + np.append(np.cumsum(high[::-1])[::-1], 0)  # how deep a column is needed for those after it
    pad = -int(low.min())
    step = np.arange(-pad, int(end[0])) >= top[:, None]
    here = np.repeat(step[:, None].astype(np.float64), width, axis=1)
    after = here.copy()
    before = np.cumsum(np.pad(most, ((0, 0), (1, 0))), axis=1)
    under = np.cumsum(np.pad(least, ((0, 0), (1, 0))), axis=1)
    for last in range(width):
        n = last + 1
        band = _band(distribution[:, last], zero, int(low[last]), int(high[last]))
        rises = (top[:, None] - before[:, n, None] + before[:, :n]).min(axis=0)
        full = (top[:, None] - under[:, n, None] + under[:, :n]).max(axis=0)
        starts = np.arange(int(rises[0]), int(end[n]), _BLOCK)
        rising = ((rises < starts[:, None] + _BLOCK) & (full > starts[:, None])).sum(axis=1)
        reach, shift, stop = band.shape[1] - _BLOCK, pad + int(low[last]), int(end[n])
        for start, rows in zip(starts.tolist(), rising.tolist(), strict=True):
            size = min(_BLOCK, stop - start)
            block = here[:, :rows, start + shift : start + shift + reach + size]
            np.matmul(block, band[:, : reach + size, :size], out=after[:, :rows, pad + start : pad + start + size])
        here, after = after, here
        yield here[:, :n, pad : pad + depth]


def _band(distribution: np.ndarray, zero: np.ndarray, low: int, high: int) -> np.ndarray:
    """Matrices that turn the tails of spans into those of spans with one column more ``(Q, in, out)``."""
    bins = zero[:, None] + np.arange(low, high + 1)
    inside = (bins >= 0) & (bins < distribution.shape[1])
    reach = bins.shape[1]
    kernel = np.zeros((len(zero), reach + 2 * _BLOCK - 2))
    kernel[:, _BLOCK - 1 : _BLOCK - 1 + reach] = np.where(
        inside, np.take_along_axis(distribution, np.clip(bins, 0, distribution.shape[1] - 1), axis=1), 0
    )
    return np.ascontiguousarray(sliding_window_view(kernel, _BLOCK, axis=-1)[..., ::-1])


def _by_length(any_span: np.ndarray, edge: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """A target of t < width columns aligns whole with spans of t, a longer one with the whole query several times."""
    width = any_span.shape[1] - 1
    rows = {}
    overhang = np.zeros_like(edge[:, 0])
    for t in range(1, max(int(lengths.max()), width) + 1):
        rows[t] = overhang.copy()
        _either_of(rows[t], any_span[:, min(t, width)])
        if t < width:
            _either_of(overhang, edge[:, t])
        else:
            overhang = rows[t]
    return np.stack([rows[int(t)] for t in lengths])


def _either_of(p: np.ndarray, q: np.ndarray) -> None:
    """Raise `p` to the chance of one or both of two independent events, exact for small ones."""
    more = 1 - p
    more *= q
    p += more
