"""Where in a long sequence each motif can be, without looking at every window.

In: codes of sequence.  Out: the windows that may score above a motif's threshold.  The idea: positions are sorted once
by the 8 or 10 letters they begin with, so that all places of a word lie side by side.  A motif's most informative
columns are a word; the few words that leave it a chance are listed without trying the others, and only their places are
looked at.  For the motifs of JASPAR at p < 1e-4 that is one window in two hundred.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .letters import UNKNOWN
from .score import ScoreModel

__all__ = ["Places", "informative", "lookup_candidates", "passing_words", "ranges", "words_at"]

WORDS = ((2**19, 8), (2**63, 10))  # below so many letters, so long a word: not many more words than positions
_BLOCK = 6  # columns whose scores are looked up at once; a table of 4 ** 6 floats stays in the first cache
_SLACK = 1e-6  # sums in another order than the exact score's differ by less


class Places:
    """Positions of a sequence in the order of the words that begin there.

    Parameters
    ----------
    codes : uint8 array (L,)
        An unknown base begins no word, and reads as A within one.
    widest : int
        Columns of the widest motif.

    Attributes
    ----------
    length : int
        Letters of a word.
    """

    def __init__(self, codes: np.ndarray, widest: int) -> None:
        self.length = next(length for size, length in WORDS if len(codes) < size)
        word = words_at(codes, self.length)
        known = np.flatnonzero(codes != UNKNOWN)
        keys = word[known].astype(np.int64)
        self.sorted = np.sort((keys << 32) | known).astype(np.int32)  # the lower half is the position
        self.first = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=4**self.length))]).astype(np.int32)
        block = (word >> 2 * (self.length - _BLOCK)).astype(np.uint16)
        self.block = np.concatenate([block, np.zeros(widest, np.uint16)])

    def of(self, words: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Give positions where words of `length` letters begin, and how many there are of each word."""
        free = 2 * (self.length - length)
        at = words << free
        low = self.first[at]
        count = self.first[at + (1 << free)] - low
        return self.sorted[ranges(low, count)], count


def lookup_candidates(model: ScoreModel, places: Places, rows: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
    """Give rows of the model and starts of all windows without unknown bases that can be hits, and of a few others.

    Windows may run over the end; the caller knows where its sequences end.
    """
    found = [(row, _starts(model.scores_of(row)[:, :4], model.threshold[row], places)) for row in rows]
    numbers = np.repeat(np.array([row for row, _ in found]), [len(starts) for _, starts in found])
    return numbers, np.concatenate([starts for _, starts in found])


def _starts(scores: np.ndarray, cut: float, places: Places) -> np.ndarray:
    """The windows of one row of the model; `scores` are ``(w, 4)``."""
    width = len(scores)
    length = min(width, places.length)
    offset, rest = informative(scores, length)
    words, score = passing_words(scores[offset : offset + length], cut - rest)
    place, count = places.of(words, length)
    if length == width:
        return place
    starts = place - offset
    inside = starts >= 0
    starts, score = starts[inside], np.repeat(score, count)[inside]
    for first, last in _blocks(offset, offset + length, width):
        table = _sums(scores[first:last]).astype(np.float32)
        rest -= float(scores[first:last].max(axis=1).sum())
        score = score + table[places.block[starts + first] >> 2 * (_BLOCK - (last - first))]
        alive = np.flatnonzero(score + rest > cut - 1e-3)  # single precision
        starts, score = starts[alive], score[alive]
    return starts


def _blocks(first: int, last: int, width: int) -> list[tuple[int, int]]:
    """Tile the columns outside of ``[first, last)`` by blocks, the nearest ones first."""
    right = [(at, min(at + _BLOCK, width)) for at in range(last, width, _BLOCK)]
    left = [(max(at - _BLOCK, 0), at) for at in range(first, 0, -_BLOCK)]
    return right + left


def words_at(codes: np.ndarray, length: int) -> np.ndarray:
    """Number of the word of `length` letters at each position; A stands for unknown bases and beyond the end."""
    letters = np.concatenate([codes & 3, np.zeros(length, np.uint8)]).astype(np.int32)
    word = np.zeros(len(codes), np.int32)
    for i in range(length):
        word <<= 2
        word |= letters[i : i + len(codes)]
    return word


def informative(scores: np.ndarray, length: int) -> tuple[int, float]:
    """Where the `length` columns begin that tell most, and what the others can add at best."""
    best = scores.max(axis=1)
    gain = np.concatenate([[0], np.cumsum(best - scores.mean(axis=1))])
    offset = int(np.argmax(gain[length:] - gain[:-length]))
    return offset, float(best[:offset].sum() + best[offset + length :].sum())


def passing_words(scores: np.ndarray, cut: float) -> tuple[np.ndarray, np.ndarray]:
    """List the words that score more than `cut`, and their scores.

    Words are pairs of halves; with the second halves in order of score, those that a first half can go with are the
    first so many, so the work is as large as the list.
    """
    half = len(scores) // 2
    head, tail = _sums(scores[:half]), _sums(scores[half:])
    order = np.argsort(-tail)
    tail = tail[order]
    count = np.searchsorted(-tail, head - (cut - _SLACK), side="left")
    heads = np.repeat(np.arange(len(head)), count)
    tails = ranges(np.zeros(len(head), np.int64), count)
    return (heads << 2 * (len(scores) - half)) | order[tails], head[heads] + tail[tails]


def _sums(scores: np.ndarray) -> np.ndarray:
    """Score of every word of as many letters as there are columns, in the order of their numbers."""
    sums = np.zeros(1)
    for column in scores:
        sums = (sums[:, None] + column).ravel()
    return sums


def ranges(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Put ``first[i], first[i] + 1, ...``, `count[i]` of them, one after the other."""
    end = np.cumsum(count)
    return np.repeat(first - end + count, count) + np.arange(end[-1] if len(end) else 0)
