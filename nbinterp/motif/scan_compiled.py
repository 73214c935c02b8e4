"""The search for hits in compiled loops.

In: a `ScoreModel` and a `Stretch`.  Out: the hits without unknown bases, scored to the bit as `scan` scores them.
``native/fimo.c`` has the loops and tells their idea; this keeps what they need to know of a model, and shares a stretch
among threads.
"""

from __future__ import annotations

import ctypes
import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from ..core.native import call_native, native
from .letters import Stretch
from .score import ScoreModel

__all__ = ["CompiledScan", "compiled_scan"]

LENGTHS = (9, 8, 7)  # letters of a word: the first of which the dictionary has room
_LARGEST = 2**25  # entries of a dictionary, 4 bytes each; JASPAR's 879 motifs have 3 million at 9 letters
_ROOM = 2**16  # hits that are handed over together
_SHARE = 2**17  # letters in one thread's turn

_ROW = np.dtype(
    [("width", "i8"), ("first", "i8"), ("threshold", "f8"), ("offset", "i8"), ("best", "f8"), ("unit", "f8")]
)
_FILTER = np.dtype([("at", "i4", 2), ("lost", "u1", (2, 256))])


def compiled_scan(model: ScoreModel) -> CompiledScan | None:
    """Give the loops for a model, kept; None without them, or where too many words leave a chance to list them."""
    if native() is None:
        return None
    made = _made(model)
    return made if made.length else None


@functools.lru_cache(maxsize=4)
def _made(model: ScoreModel) -> CompiledScan:
    return CompiledScan(model)


class CompiledScan:
    """The dictionary of a model.

    Attributes
    ----------
    length : int
        Letters of its words; 0 where it would be too large.
    """

    def __init__(self, model: ScoreModel) -> None:
        self._columns = np.ascontiguousarray(model.columns, np.float64)
        self._rows = np.zeros(model.n_rows, _ROW)
        self._rows["width"], self._rows["first"], self._rows["threshold"] = model.width, model.first, model.threshold
        self._filters = np.zeros(model.n_rows, _FILTER)
        self._widest = model.widest
        self.length = 0
        used = np.empty(self._widest, np.uint8)  # memory for the loop
        for length in LENGTHS:
            call_native("fimo_rows", self._rows, model.n_rows, self._columns, length, self._filters, used)
            count = np.zeros(4**length, np.uint32)
            call_native("fimo_words", self._rows, model.n_rows, self._columns, length, count, None)
            total = int(count.sum(dtype=np.int64))
            if total <= _LARGEST:
                self._fill(length, count, total)
                break

    def _fill(self, length: int, count: np.ndarray, total: int) -> None:
        self.length = length
        self._most = int(count.max())  # entries of a word
        self._first = np.zeros(len(count) + 1, np.uint32)
        np.cumsum(count, out=self._first[1:])
        self._entries = np.empty(total, np.uint32)
        call_native(
            "fimo_words", self._rows, len(self._rows), self._columns, length, self._first[:-1].copy(), self._entries
        )

    def __call__(self, stretch: Stretch) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The rows, starts and scores of all hits without unknown bases, in parts; by start, nearly."""
        n, codes = len(stretch.codes), np.ascontiguousarray(stretch.codes)
        clear = np.empty(n, np.int32)
        padded = np.zeros(n + 2 * self._widest, np.uint8)
        quads = padded[self._widest :]  # may be read before its first place
        call_native("fimo_places", codes, stretch.bounds, stretch.own, len(stretch.own), clear, quads)

        def share(begin: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            end, at = min(begin + _SHARE, n), ctypes.c_int64(begin)
            room = _ROOM + self._most
            found = []
            while at.value < end:
                rows, starts, scores = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
                n_hits = call_native(
                    "fimo_scan", self._rows, self._filters, self._columns, self._first, self._entries, self.length,
                    codes, clear, quads, n, ctypes.byref(at), end, room, rows, starts, scores,
                )  # fmt: skip
                found.append((rows[:n_hits].copy(), starts[:n_hits].copy(), scores[:n_hits].copy()))
            return found

        begins = range(0, n, _SHARE)
        if len(begins) < 2:
            return [part for begin in begins for part in share(begin)]
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            return [part for parts in pool.map(share, begins) for part in parts]
