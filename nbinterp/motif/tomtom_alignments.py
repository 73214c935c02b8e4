"""The best alignment of every query with every target.

In: `Scores`.  Out: `Best`.  Targets of one length are taken together, so that one addition moves all of them, for all
queries, one place along.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .tomtom_scores import Scores
from .tomtom_targets import LengthClass, Targets

__all__ = ["Best", "best_alignments"]

_CHUNK = 2**18  # scores worked on at a time: they stay in the processor's cache


class Best(NamedTuple):
    """The best alignments ``(targets, queries)``: score, where the query starts in the target, and columns shared."""

    score: np.ndarray
    offset: np.ndarray
    overlap: np.ndarray


class _Ties(NamedTuple):
    """Equally good alignments, from left to right: the pair's place in ``(targets, queries)``, and the offset."""

    pair: np.ndarray
    offset: np.ndarray


def best_alignments(scores: Scores, targets: Targets) -> Best:
    """Slide every query along every target."""
    n_queries = len(scores.width)
    score, offset = np.empty((2, len(targets.lengths), n_queries), np.int64)
    ties = []
    for group in targets.by_length:
        size = max(_CHUNK // ((group.length + int(scores.width[0]) - 1) * n_queries), 1)
        for start in range(0, len(group.target), size):
            some = slice(start, start + size)
            part = LengthClass(group.length, group.target[some], group.columns[:, some])
            totals = _totals(scores, part)
            score[part.target], offset[part.target], tied = _highest(totals, scores, part)
            ties.append(tied)
    lengths = targets.lengths[:, None]
    _settle(_Ties(*(np.concatenate(one) for one in zip(*ties, strict=True))), scores.width, targets.lengths, offset)
    return Best(score, offset, np.minimum(offset + scores.width, lengths) - np.maximum(offset, 0))


def _totals(scores: Scores, group: LengthClass) -> np.ndarray:
    """The score ``(alignments, targets, queries)`` of every alignment; the first has the widest query's last column."""
    widest, n_queries, n_targets = int(scores.width[0]), len(scores.width), len(group.target)
    kind = scores.bins[0].dtype
    offset = np.arange(1 - widest, group.length)[:, None]
    overlap = np.minimum(offset + scores.width, group.length) - np.maximum(offset, 0)
    none_shared = np.iinfo(kind).min // 2  # narrower queries have fewer alignments
    unaligned = np.where(overlap > 0, scores.zero * (scores.width - overlap), none_shared).astype(kind)
    totals = np.empty((len(offset), n_targets, n_queries), kind)
    totals[:] = unaligned[:, None]
    columns = group.columns.ravel()
    for place, bins in enumerate(scores.bins):
        n = bins.shape[1]
        moved = bins.take(columns, axis=0, mode="clip").reshape(group.length, n_targets, n)
        first = widest - 1 - place
        totals[first : first + group.length, :, :n] += moved
    return totals


def _highest(totals: np.ndarray, scores: Scores, group: LengthClass) -> tuple[np.ndarray, np.ndarray, _Ties]:
    """The highest score ``(targets, queries)``, an offset that has it, and all offsets where there are several."""
    n, _, n_queries = totals.shape
    highest = totals.max(axis=0)
    equal = totals == highest
    kind = np.int8 if n < 2**7 else np.int32
    number = np.add.reduce(equal.view(np.int8), axis=0, dtype=kind)
    at = np.add.reduce(equal * np.arange(n, dtype=kind)[:, None, None], axis=0, dtype=kind)
    first = 1 - int(scores.width[0])
    target, query = np.nonzero(number > 1)
    tie, which = np.nonzero(equal[:, target, query].T)
    pair = group.target[target] * n_queries + query
    return highest, at.astype(np.int64) + first, _Ties(pair[tie], which + first)


def _settle(ties: _Ties, width: np.ndarray, lengths: np.ndarray, offset: np.ndarray) -> None:
    """Choose among equals as memelite does.

    It reads alignments from left to right and takes the next one when the offset of the one it holds is less than the
    overlap of the next.
    """
    if not len(ties.pair):
        return
    order = np.argsort(ties.pair, kind="stable")
    pair, place = ties.pair[order], ties.offset[order]
    target, query = np.divmod(pair, len(width))
    overlap = np.minimum(place + width[query], lengths[target]) - np.maximum(place, 0)
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    n_tied = np.diff(first, append=len(pair))
    held = first.copy()
    for step in range(1, int(n_tied.max())):
        tied = np.flatnonzero(n_tied > step)
        rival = first[tied] + step
        held[tied] = np.where(place[held[tied]] < overlap[rival], rival, held[tied])
    offset.ravel()[pair[first]] = place[held]
