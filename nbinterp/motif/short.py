"""Which motifs can be at each place of a short sequence.

In: codes of sequence.  Out: the windows that may score above a motif's threshold.  The idea is that of a dictionary:
for every word of `SHORT` letters, the motifs that a window with this word at their most informative columns can be.  It
is made once for a set of motifs; a sequence is then read word by word, and nothing else is looked at.
"""

from __future__ import annotations

import functools

import numpy as np

from .lookup import informative, passing_words, ranges, words_at
from .score import ScoreModel

__all__ = ["SHORT", "short_candidates"]

SHORT = 8  # letters: at p < 1e-4 one motif in eighty can be at a word


@functools.lru_cache(maxsize=4)
def _dictionary(model: ScoreModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give (first, rows, offsets): row ``rows[first[word] : first[word + 1]]`` of the model can have the word there."""
    words, rows, offsets = [], [], np.zeros(model.n_rows, np.int64)
    for row in range(model.n_rows):
        scores = model.scores_of(row)[:, :4]
        length = min(len(scores), SHORT)
        offsets[row], rest = informative(scores, length)
        found, _ = passing_words(scores[offsets[row] : offsets[row] + length], model.threshold[row] - rest)
        free = 2 * (SHORT - length)  # a narrow motif is at every word that begins as it does
        words.append(ranges(found << free, np.full(len(found), 1 << free)).astype(np.uint16))
        rows.append(np.full(len(words[-1]), row, np.int32))
    joined = np.concatenate(words)
    order = np.argsort(joined, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(joined, minlength=4**SHORT))])
    return first, np.concatenate(rows)[order], offsets


def short_candidates(model: ScoreModel, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give rows of the model and starts of all windows without unknown bases that can be hits, and of some others.

    Windows may run over the end; the caller knows where its sequences end.
    """
    first, rows, offsets = _dictionary(model)
    word = words_at(codes, SHORT)
    count = first[word + 1] - first[word]
    row = rows[ranges(first[word], count)]
    starts = np.repeat(np.arange(len(codes)), count) - offsets[row]
    inside = starts >= 0
    return row[inside].astype(np.int64), starts[inside]
