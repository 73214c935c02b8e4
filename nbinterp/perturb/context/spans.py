"""Which bases a context test is about.

In: a tile width, one span, several, or a table of them, as a user would write them.  Out: `Spans`, one row a test, each held
to its sequence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...core.tables import ANNOTATIONS, check_table
from ...errors import NbinterpError, problem

__all__ = ["Spans", "check_apart", "mask_of", "one_each", "spans_of"]


class Spans(NamedTuple):
    """Rows ``[start, end)`` of sequences `example_idx`, int64 arrays (R,)."""

    example_idx: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def inside(self, length: int) -> np.ndarray:
        """Give a mask (R, L), true within each span."""
        at = np.arange(length)
        inside: np.ndarray = (at >= self.start[:, None]) & (at < self.end[:, None])
        return inside


def spans_of(where: str, argument: str, value: Any, n: int, length: int) -> Spans:
    """Read spans of `n` sequences of `length`.

    Parameters
    ----------
    where, argument : str
        For messages.
    value : int, pair, array of two or three columns, or DataFrame
        A width (tiles of it side by side along every sequence, the last as long as what is left); ``(start, end)``, or
        several, for every sequence; ``(example_idx, start, end)`` rows; or a table with these columns, as of seqlets.

    Examples
    --------
    >>> spans_of("necessity", "tiles", 4, 1, 10).end.tolist()
    [4, 8, 10]
    >>> spans_of("necessity", "tiles", [(0, 2), (5, 9)], 2, 10).example_idx.tolist()
    [0, 0, 1, 1]
    """
    if isinstance(value, pd.DataFrame):
        rows = check_table(where, argument, value, ANNOTATIONS)[list(ANNOTATIONS)].to_numpy(np.int64)
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if value < 1:
            raise problem(where, argument, got=f"tiles of {value} bases", need="at least 1", do="widen them")
        starts = np.arange(0, length, value)
        rows = _for_each(np.stack([starts, np.minimum(starts + value, length)], axis=1), n)
    else:
        rows = _numbers(where, argument, value)
        rows = _for_each(np.atleast_2d(rows), n) if rows.shape[-1] == 2 else rows
    if not len(rows):
        raise problem(where, argument, got="no spans", need="at least one", do="pass (start, end)")
    spans = Spans(*rows.T.copy())
    wrong = (spans.start < 0) | (spans.end > length) | (spans.start >= spans.end)
    wrong |= (spans.example_idx < 0) | (spans.example_idx >= n)
    if wrong.any():
        i, a, b = rows[np.argmax(wrong)].tolist()
        empty = "the empty span " if a >= b else ""
        raise problem(
            where, argument, got=f"{empty}[{a}, {b}) of sequence {i}",
            need=f"0 <= start < end <= {length}, of sequences 0 to {n - 1}", do="move or drop it",
        )  # fmt: skip
    return spans


def _for_each(pairs: np.ndarray, n: int) -> np.ndarray:
    rows = np.tile(pairs, (n, 1))
    return np.column_stack([np.repeat(np.arange(n), len(pairs)), rows])


def _numbers(where: str, argument: str, value: Any) -> np.ndarray:
    error = problem(
        where, argument, got=_described(value), need="a width, (start, end) pairs, or rows (example_idx, start, end)",
        do="pass integers, or a table with these columns",
    )  # fmt: skip
    try:
        rows = np.asarray(value)
    except ValueError:  # ragged
        raise error from None
    if rows.size == 0 and rows.ndim in (1, 2):
        return np.empty((0, 3), np.int64)
    fits = (rows.ndim == 1 and len(rows) == 2) or (rows.ndim == 2 and rows.shape[1] in (2, 3))
    if not fits or not np.issubdtype(rows.dtype, np.integer):
        raise error
    return rows.astype(np.int64)


def _described(value: Any) -> str:
    return f"shape {tuple(value.shape)}" if hasattr(value, "shape") else repr(value)


def one_each(where: str, argument: str, value: Any, n: int, length: int) -> Spans:
    """Read exactly one span of each sequence, in their order."""
    spans = spans_of(where, argument, value, n, length)
    counts = np.bincount(spans.example_idx, minlength=n)
    if (counts != 1).any():
        i = int(np.argmax(counts != 1))
        raise problem(
            where, argument, got=f"{counts[i]} spans of sequence {i}", need="one of each sequence", do="choose one"
        )
    order = np.argsort(spans.example_idx)
    return Spans(*(column[order] for column in spans))


def mask_of(where: str, argument: str, value: Any, n: int, length: int) -> np.ndarray:
    """Give a mask (N, L) of the bases in any span; of none for None."""
    mask = np.zeros((n, length), bool)
    if value is not None:
        spans = spans_of(where, argument, value, n, length)
        np.logical_or.at(mask, spans.example_idx, spans.inside(length))
    return mask


def check_apart(where: str, argument: str, spans: Spans, taken: np.ndarray, other: str) -> None:
    """Refuse spans that reach into bases `taken` (N, L) by something else."""
    shared = (spans.inside(taken.shape[1]) & taken[spans.example_idx]).any(axis=1)
    if shared.any():
        raise overlap(where, argument, spans, int(np.argmax(shared)), other)


def overlap(where: str, argument: str, spans: Spans, row: int, other: str) -> NbinterpError:
    """Build the error of a span that meets another."""
    i, a, b = (int(column[row]) for column in spans)
    return problem(
        where, argument, got=f"[{a}, {b}) of sequence {i}, which overlaps {other}", need="spans apart from each other",
        do="move or drop it",
    )  # fmt: skip
