"""Sums of any selection of maps, exactly, quickly enough to follow a lasso.

In: maps, sequences and activities whose fine clusters were summed before; which rows are selected.  Out: the sums of those
rows, in the form of `FineSums`.

Fine clusters that are selected whole are added up from their sums; of one that is cut, the smaller side is read row by row,
and added, or taken off the sum of all.  So at most half the rows are read, a few hundred at a time, while they lie in the
processor's cache; most lassos read far fewer.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..errors import problem
from ..mechanism.summary_sums import FineSums

__all__ = ["SelectionSums", "letter_counts", "pack_selection", "unpack_selection"]

_ROWS: Final = 256  # read at a time: a megabyte of maps of 249 bases
_BYTES: Final = 255  # rows whose letters are counted in a byte


def pack_selection(rows: np.ndarray) -> bytes:
    r"""Pack bools (N,) to bits, the first row in the lowest bit of the first byte.

    Examples
    --------
    >>> pack_selection(np.array([True, False, True])), unpack_selection(b"\x05", 3).tolist()
    (b'\x05', [True, False, True])
    """
    return np.packbits(rows, bitorder="little").tobytes()


def unpack_selection(data: bytes, n: int) -> np.ndarray:
    """Read what `pack_selection` wrote; nothing is an empty selection."""
    if not data:
        return np.zeros(n, bool)
    bits = np.frombuffer(data, np.uint8)
    if len(bits) != -(-n // 8):
        need = f"{-(-n // 8)}, a bit a row"
        raise problem("unpack_selection", "data", got=f"{len(bits)} bytes", need=need, do="send all of it")
    return np.unpackbits(bits, count=n, bitorder="little").astype(bool)


class SelectionSums:
    """Sums of selections of one library.

    Parameters
    ----------
    maps : array or memory map (N, 4, W)
        Read where a fine cluster is selected in part.
    codes : uint8 array (N, W)
        The sequences under the window of the maps; 4 and above is unknown.
    y : array (N,)
        Activities.
    fine_labels : int array (N,)
        The fine cluster of each row; -1 for none.
    fine : FineSums
        Their sums, with activities.

    Examples
    --------
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> maps, codes = np.arange(24, dtype=np.float32).reshape(3, 4, 2), np.array([[0, 1], [0, 2], [3, 3]], np.uint8)
    >>> labels, y = np.array([0, 0, 1]), np.array([1.0, 2.0, 3.0])
    >>> sums = SelectionSums(maps, codes, y, labels, fine_sums(maps, codes, labels, y))
    >>> one = sums.of(np.array([True, False, True]))
    >>> int(one.n[0]), one.means[0, 0].tolist(), one.letters[0, :, 0].tolist(), float(one.y[0])
    (2, [8.0, 9.0], [1, 0, 0, 1], 4.0)
    """

    def __init__(self, maps: Any, codes: np.ndarray, y: np.ndarray, fine_labels: np.ndarray, fine: FineSums) -> None:
        n, _, width = self.shape = tuple(maps.shape)
        self._maps = maps.reshape(n, 4 * width)
        self._codes, self._y, self._fine = codes, np.asarray(y, np.float64), fine
        present = np.searchsorted(fine.labels, np.maximum(fine_labels, fine.labels[0]))
        self._leaf = np.where(fine_labels < 0, len(fine), present).astype(np.int64)
        self._whole = np.append(fine.n, -1)  # rows of no cluster are never a whole one
        edges = fine.y_edges
        assert edges is not None  # those of a space have activities
        k, size = len(fine), 4 * width
        self._sums = (
            fine.maps.reshape(k, size),
            fine.squares.reshape(k, size),
            fine.letters.reshape(k, size).astype(float),
        )
        last = len(edges) - 2
        self._bins = last + 1
        self._bin = np.clip(np.searchsorted(edges, self._y, side="right") - 1, 0, last)

    def of(self, rows: np.ndarray) -> FineSums:
        """Sums of the rows of a selection, bool (N,), as one cluster labelled 0.

        Raises
        ------
        NbinterpError
            When nothing is selected.
        """
        n = int(np.count_nonzero(rows))
        if not n:
            raise problem("SelectionSums", "rows", got="none", need="at least one row", do="select some")
        fine = self._fine
        inside = np.bincount(self._leaf[rows], minlength=len(fine) + 1)
        cut = inside < self._whole  # selected in part, or not at all
        turned = cut & (2 * inside > self._whole)  # all of it, less what is not selected
        weights = (~cut | turned)[:-1].astype(np.float64)
        weights[inside[:-1] == 0] = 0
        turned_row = turned[self._leaf]
        loose = rows & (cut | (self._whole < 0))[self._leaf] & ~turned_row
        maps, squares, letters = self._read(np.flatnonzero(loose))
        if turned.any():
            less = self._read(np.flatnonzero(~rows & turned_row))
            maps, squares, letters = maps - less[0], squares - less[1], letters - less[2]
        whole = [weights @ one for one in self._sums]
        maps, squares, letters = maps + whole[0], squares + whole[1], letters + np.rint(whole[2]).astype(np.int64)
        y, shape = self._y[rows], (1, 4, self.shape[2])
        counts = np.bincount(self._bin[rows], minlength=self._bins)[None]
        return FineSums(
            np.zeros(1, np.int64), np.array([n]), maps.reshape(shape), np.maximum(squares, 0).reshape(shape),
            letters.reshape(shape), fine.start, y.sum(keepdims=True), (y**2).sum(keepdims=True), counts, fine.y_edges,
        )  # fmt: skip

    def _read(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sums of maps, of their squares, and of letters, row by row."""
        size = self._maps.shape[1]
        maps, squares, ones = np.zeros(size), np.zeros(size), np.ones(_ROWS, np.float32)
        for start in range(0, len(rows), _ROWS):
            part = np.asarray(self._maps[rows[start : start + _ROWS]], np.float32)
            maps += ones[: len(part)] @ part
            squares += ones[: len(part)] @ np.square(part)
        return maps, squares, letter_counts(self._codes[rows]).ravel()


def letter_counts(codes: np.ndarray) -> np.ndarray:
    """How many rows hold each base at each position, int64 (4, W); in bytes first, which is several times as fast."""
    n, width = codes.shape
    whole = n // _BYTES * _BYTES
    counts = np.empty((4, width), np.int64)
    for base in range(4):
        same = (codes == base).view(np.uint8)
        blocks = same[:whole].reshape(-1, _BYTES, width).sum(axis=1, dtype=np.uint8)
        counts[base] = blocks.sum(axis=0, dtype=np.int64) + same[whole:].sum(axis=0, dtype=np.int64)
    return counts
