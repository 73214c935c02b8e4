"""TOMTOM's null: the chance that the best of all alignments with a target of some length scores as high.

In: the distribution of the score of each query column (several queries of one width at once).  Out: for every target
length, P(best score >= s).

Scores of the columns of a span add up, so their distribution is a convolution; the alignments with a target are taken to
be independent, so the best of them is at least s unless none is.  Everything counts down from the highest score that can
be reached and stops at the lowest that occurred: tails are sums of positive numbers and keep their relative precision.
Source: Gupta et al., Genome Biology 2007; Tanaka et al., Bioinformatics 2011.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["Tails", "best_score_tails"]

_BLOCK = 64


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
    falls, tops = _from_the_top(distribution)
    tops = tops - zero[:, None]
    n_queries, width = tops.shape
    top = tops.sum(axis=1)
    depth = int(max((top - lowest).max(), 0)) + 1
    before = np.cumsum(np.pad(tops, ((0, 0), (1, 0))), axis=1)
    needed_terms = np.maximum(depth - before.min(axis=0)[:width], 1)  # the rest of a span is below what is asked for
    # any[t]: some span of t columns scores that high; edge[t]: the first or the last t columns do
    any_span = np.zeros((width + 1, n_queries, depth))
    edge = np.zeros((width + 1, n_queries, depth))
    needed = np.isin(np.arange(width + 1), lengths)
    spans = np.zeros((n_queries, 0, 1))
    for last in range(width):
        spans = _extend(spans, falls[:, last], needed_terms[: last + 1])
        n_columns = last + 1 - np.arange(last + 1)
        used = needed[n_columns] | (np.arange(last + 1) == 0) | (last == width - 1)
        begin = np.flatnonzero(used)
        short = top[:, None] - (before[:, last + 1, None] - before[:, begin])
        tails = _shifted(spans[:, begin].cumsum(axis=2), short, depth).transpose(1, 0, 2)
        any_span[n_columns[begin]] = _either(any_span[n_columns[begin]], tails)
        if last < width - 1:
            edge[last + 1] = _either(edge[last + 1], tails[0])
        else:
            inner = begin[begin > 0]
            edge[width - inner] = _either(edge[width - inner], tails[len(begin) - len(inner) :])
    return Tails(_by_length(any_span, edge, lengths), top)


def _by_length(any_span: np.ndarray, edge: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """A target of t < width columns aligns whole with spans of t, a longer one with the whole query several times."""
    width = len(any_span) - 1
    rows = {}
    overhang = np.zeros_like(edge[0])
    for t in range(1, max(int(lengths.max()), width) + 1):
        if t < width:
            rows[t] = _either(any_span[t], overhang)
            overhang = _either(overhang, edge[t])
        else:
            overhang = rows[t] = _either(overhang, any_span[width])
    return np.stack([rows[int(t)] for t in lengths])


def _either(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The chance of one or both of two independent events, exact for small ones."""
    either: np.ndarray = p + q * (1 - p)
    return either


def _from_the_top(distribution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each distribution read downwards from its highest bin that can occur, and which bin that is."""
    seen = distribution > 0
    n_bins = distribution.shape[-1]
    top = n_bins - 1 - seen[..., ::-1].argmax(axis=-1)
    reach = int((top - seen.argmax(axis=-1)).max()) + 1
    at = top[..., None] - np.arange(reach)
    return np.where(at >= 0, np.take_along_axis(distribution, np.maximum(at, 0), axis=-1), 0), top


def _extend(spans: np.ndarray, fall: np.ndarray, needed: np.ndarray) -> np.ndarray:
    """Lengthen all spans by one column and start a new one; of each `needed` terms are kept."""
    n_queries, n_spans, n_terms = spans.shape
    reach = fall.shape[1]
    n_out = min(n_terms + reach - 1 if n_spans else reach, int(needed[0]))
    longer = np.zeros((n_queries, n_spans + 1, n_out))
    if n_spans:
        _convolve(spans, fall, needed, longer[:, :-1])
    n_new = min(reach, n_out)
    longer[:, -1, :n_new] = fall[:, :n_new]
    return longer


def _convolve(spans: np.ndarray, fall: np.ndarray, needed: np.ndarray, out: np.ndarray) -> None:
    """Convolve each row with its query's `fall`, a block of terms at a time: a product with a band matrix.

    Later spans need fewer terms.  The products are small, so that the matrix library starts no threads of its own.
    """
    n_queries, n_spans, n_terms = spans.shape
    n_out, reach = out.shape[-1], fall.shape[1] - 1
    padded = np.zeros((n_queries, n_spans, reach + n_out + _BLOCK))
    n_kept = min(n_terms, n_out)
    padded[..., reach : reach + n_kept] = spans[..., :n_kept]
    kernel = np.zeros((n_queries, reach + 2 * _BLOCK - 1))
    kernel[:, _BLOCK - 1 : _BLOCK + reach] = fall[:, ::-1]
    band = np.ascontiguousarray(sliding_window_view(kernel, _BLOCK, axis=-1)[..., ::-1])
    for start in range(0, n_out, _BLOCK):
        rows = slice(0, int((needed[:n_spans] > start).sum()))
        width = min(_BLOCK, n_out - start)
        block = padded[:, rows, start : start + reach + width]
        out[:, rows, start : start + width] = block @ band[:, : reach + width, :width]


def _shifted(rows: np.ndarray, shift: np.ndarray, depth: int) -> np.ndarray:
    """Rows moved right by `shift` (zeros come in), read up to `depth`; past its end a row keeps its last value."""
    n_terms = rows.shape[-1]
    line = np.zeros((*rows.shape[:-1], 2 * depth))
    line[..., depth : depth + n_terms] = rows
    line[..., depth + n_terms :] = rows[..., -1:]
    start = np.arange(shift.size).reshape(shift.shape) * (2 * depth) + depth - np.minimum(shift, depth)
    moved: np.ndarray = line.ravel().take(start[..., None] + np.arange(depth))
    return moved
