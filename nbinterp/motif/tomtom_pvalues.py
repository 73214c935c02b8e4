"""TOMTOM's null: the chance that the best of all alignments with a target of some length scores as high.

In: the distribution of the score of each query column (several queries of one width at once).  Out: `Null`, which gives
P(best score >= s) for every target length.

Scores of the columns of a span add up, so their distribution is a convolution; the alignments with a target are taken to
be independent, so the best of them is at least s unless none is.  Everything counts down from the highest score that can
be reached and stops at the lowest that occurred: tails are sums of positive numbers and keep their relative precision,
and so do sums of the logarithms of what is left.
Source: Gupta et al., Genome Biology 2007; Tanaka et al., Bioinformatics 2011.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .tomtom_scratch import Scratch

__all__ = ["Null", "null_of_best"]

_BLOCK = 16  # scores that one small product gives; the matrix library does it in the calling thread
_BLOCKS = 4  # products that take the same spans
_ALMOST = 1 - 2.0**-53  # the largest probability whose complement has a logarithm


class Null(NamedTuple):
    """How the best score of queries of one width spreads.

    ``missed[query, t, d]`` is log P(no alignment with t columns, the first t of a longer target, scores top - d or more) for
    t up to the width, and that of one whole alignment alone for t = 0; ``top[query]`` is the highest reachable score.
    """

    missed: np.ndarray
    top: np.ndarray

    def p_values(self, score: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """P(best >= score), for scores ``(targets, queries)`` counted from no column aligned."""
        n_queries, n_lengths, depth = self.missed.shape
        place = self.top + depth * n_lengths * np.arange(n_queries) - score
        logs = self.missed.ravel()
        more = np.maximum(lengths - (n_lengths - 1), 0)
        missed: np.ndarray = logs.take(place)  # each column more is one whole alignment more
        missed *= more[:, None]
        place += depth * (lengths - more)[:, None]
        missed += logs.take(place)
        np.expm1(missed, out=missed)
        np.subtract(0, missed, out=missed)
        return missed


def null_of_best(
    distribution: np.ndarray, zero: np.ndarray, lowest: np.ndarray, shortest: int, scratch: Scratch
) -> Null:
    """The null of Q queries of one width.

    Parameters
    ----------
    distribution : array, shape (Q, width, bins + 1)
        Of each column's bin.
    zero : array, shape (Q,)
        The bin that is score 0.
    lowest : array, shape (Q,)
        The lowest score that will be asked for, counted from all columns unaligned.
    shortest : int
        The length of the shortest target.
    scratch : Scratch
        Where the result and all before it lie.
    """
    n_queries, width = distribution.shape[:2]
    shortest = min(shortest, width)
    least, most = _column_extremes(distribution, zero)
    top = most.sum(axis=1)
    depth = int(max((top - lowest).max(), 0)) + 1
    missed = scratch("missed", (n_queries, width + 1, depth))
    edge = scratch("edge", (n_queries, width, depth))
    missed[:] = 0
    edge[:] = 0
    for last, (begin, spans) in enumerate(_spans(distribution, zero, least, most, depth, scratch)):
        n = last + 1
        n_whole = max(n + 1 - shortest, 0)  # spans that a target may fall into; the first of all is an edge too
        some = spans[:, : n if n == width else max(n_whole, 1), begin:]
        logs = np.log1p(some, out=scratch("logs", some.shape))
        if n_whole:
            missed[:, n : shortest - 1 : -1, begin:] += logs[:, :n_whole]
        if n < width:
            edge[:, n, begin:] += logs[:, 0]
        else:
            edge[:, n - 1 : 0 : -1, begin:] += logs[:, 1:]
            missed[:, 0, begin:] = logs[:, 0]
    for t in range(1, width):
        edge[:, t] += edge[:, t - 1]
        missed[:, t + 1] += edge[:, t]
    return Null(missed, top)


def _column_extremes(distribution: np.ndarray, zero: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the highest score of each column; 0 lies between."""
    seen = distribution > 0
    least = seen.argmax(axis=-1) - zero[:, None]
    most = distribution.shape[-1] - 1 - seen[..., ::-1].argmax(axis=-1) - zero[:, None]
    return np.minimum(least, 0), np.maximum(most, 0)


def _spans(
    distribution: np.ndarray, zero: np.ndarray, least: np.ndarray, most: np.ndarray, depth: int, scratch: Scratch
) -> Iterator[tuple[int, np.ndarray]]:
    """For each last column, minus the tails ``(Q, first column, depth)`` of the spans that end with it.

    Tails are P(score >= top - d), `top` being that of the whole query, for all spans; so one more column, of whatever
    query, is one product with a band matrix.  It is taken some blocks of d at a time, for the spans that rise there; before
    they rise they are 0 (below the d that is given too), and after it 1, as is the tail of no column at all, which is what
    each span starts from.
    """
    n_queries, width = most.shape
    top = most.sum(axis=1)
    low, high = int(least.min()), int(most.max())
    reach = high - low + _BLOCK
    bands = _Bands(distribution, zero, low, high, scratch)
    rises, full = _risings(top, least, most)
    # How deep a column is needed for those after it.
    end = depth + np.append(np.cumsum(most.max(axis=0)[::-1])[::-1], 0)
    pad = -low
    size = pad + int(end[0]) + high + 2 * _BLOCK
    here, after = scratch("spans", (2, n_queries, width, size))
    here[:] = (-_ALMOST * (np.arange(-pad, size - pad) >= top[:, None]))[:, None]
    after[:] = here
    sources, results = ([_windows(one, length) for one in (here, after)] for length in (reach, _BLOCK))
    for last in range(width):
        n = last + 1
        begin, stop = int(rises[last, 0]), min(int(end[n]), int(full[last].max()))
        starts = np.arange(begin, stop, _BLOCK * _BLOCKS)[:, None]
        rising = (rises[last, :n] < starts + _BLOCK * _BLOCKS) & (full[last, :n] > starts)
        band, source, result = bands.of(last), sources[last % 2], results[1 - last % 2]
        for start, rows in zip(starts.ravel().tolist(), rising.sum(axis=1).tolist(), strict=True):
            until = min(start + _BLOCK * _BLOCKS, stop)
            out = result[:, pad + start : pad + until : _BLOCK, :rows]
            np.matmul(source[:, start:until:_BLOCK, :rows], band, out=out)
        yield begin, (here, after)[1 - last % 2][:, :n, pad : pad + depth]


def _risings(top: np.ndarray, least: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where on the line of d spans leave 0 first, and reach 1 last, ``(last column, first column)``."""
    before, under = (np.pad(one.cumsum(axis=1), ((0, 0), (1, 0))) for one in (most, least))
    after = top[:, None, None]
    rises = after - before[:, 1:, None] + before[:, None, :-1]
    full = after - under[:, 1:, None] + under[:, None, :-1]
    return rises.min(axis=0), np.tril(full.max(axis=0))


def _windows(rows: np.ndarray, length: int) -> np.ndarray:
    """Every run of `length` numbers of each row ``(Q, runs, rows, length)``, not copied."""
    n_queries, n, size = rows.shape
    step = rows.strides
    return as_strided(rows, (n_queries, size - length + 1, n, length), (step[0], step[2], step[1], step[2]))


class _Bands:
    """Matrices that turn the tails of spans into those of spans with one column more."""

    def __init__(self, distribution: np.ndarray, zero: np.ndarray, low: int, high: int, scratch: Scratch) -> None:
        bins = zero[:, None] + np.arange(low, high + 1)
        inside = (bins >= 0) & (bins < distribution.shape[2])
        self._shares = np.take_along_axis(distribution, np.where(inside, bins, 0)[:, None], axis=2)
        n_queries, self._n = bins.shape
        self._shares *= inside[:, None] * (1 - (self._n + 2) * 2.0**-53)  # however it rounds, no tail grows
        # Rows of one number more than a matrix has: read as a matrix, they move one place along from row to row.
        self._rows = scratch("bands", (n_queries, _BLOCK, self._n + _BLOCK))
        self._rows[:] = 0
        reach = self._n + _BLOCK - 1
        rows = self._rows.reshape(n_queries, -1)[:, : _BLOCK * reach]
        self._bands = rows.reshape(n_queries, 1, _BLOCK, reach).transpose(0, 1, 3, 2)

    def of(self, column: int) -> np.ndarray:
        """The matrices ``(Q, 1, in, out)`` of a column; valid until the next is asked for."""
        self._rows[:, :, : self._n] = self._shares[:, None, column]
        return self._bands
