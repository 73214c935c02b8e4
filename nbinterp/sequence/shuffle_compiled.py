"""Dinucleotide shuffles in compiled loops.

In: lists of successors, and numpy's generator.  Out: what `shuffle_codes` finds with NumPy, to the bit.  The generator's
words are drawn here, in the order in which `RandomState.shuffle` would draw them, and ``native/shuffle.c`` spends them.
"""

from __future__ import annotations

import ctypes

import numpy as np

from ..core.native import call_native, native

__all__ = ["has_loops", "permute_keeping_last", "walk"]

_WORDS = 1.45  # for a place: 1.39 to 1.47 on average, in long lists
_MOST = 2**22  # words that are drawn at once


def has_loops(length: int, n_letters: int) -> bool:
    """Tell whether there are loops, and places and codes fit the numbers of theirs."""
    return native() is not None and length < 2**32 and n_letters <= 256


def permute_keeping_last(
    successors: np.ndarray,
    offsets: np.ndarray,
    counts: np.ndarray,
    last: int,
    rng: np.random.RandomState,
    out: np.ndarray,
) -> None:
    """Permute each list but its last entry; each shuffle starts from the one before."""
    del offsets, last
    current, places = successors.astype(np.uint8), np.empty(len(successors), np.uint32)
    counts = np.ascontiguousarray(counts, np.int64)
    words, reached = np.empty(0, np.uint32), (ctypes.c_int64 * 2)()  # shuffles, and words spent on them
    done = 0
    while done < len(out):
        wanted = int(_WORDS * len(current) * (len(out) - done)) + 64
        drawn = rng.randint(0, 2**32, size=min(wanted, max(_MOST, 2 * len(current))), dtype=np.uint32)
        words = np.concatenate([words[reached[1] :], drawn])
        call_native(
            "permute",
            current,
            len(current),
            counts,
            len(counts),
            words,
            len(words),
            places,
            out[done:],
            len(out) - done,
            reached,
        )
        done += reached[0]


def walk(lists: np.ndarray, offsets: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Read the successor lists ``(rows, n, L - 1)``: each visit to a letter takes the next entry of its list."""
    first = np.ascontiguousarray(first, np.uint8)
    rows, n, steps = lists.shape
    paths = np.empty((rows, n, steps + 1), np.uint8)
    call_native("walk", lists, offsets, first, rows, n, steps, offsets.shape[1], paths)
    return paths
