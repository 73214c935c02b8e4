"""TOMTOM in compiled loops.

In: queries and `Targets`.  Out: the planes that `tomtom` finds with NumPy, to the bit, p-values to rounding.  ``native/``
has the loops; this lays their arguments out.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ..core.native import call_native, native
from .tomtom_targets import Targets

__all__ = ["CompiledTomtom"]

_HUGE = 1e150  # squares of what is larger may not be finite


class _Motifs(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_letters", "n_columns", "n_motifs")),
        *((name, ctypes.c_void_p) for name in ("columns", "norms", "counts", "which", "widths", "order")),
    )


class CompiledTomtom:
    """The loops, for some targets.

    Parameters
    ----------
    targets : Targets
        With `reverse_complement`, the second half are the reverse complements of the first.
    n_score_bins, n_median_bins : int
        As `tomtom` has them.
    reverse_complement : bool
        Merge the two halves.
    """

    def __init__(self, targets: Targets, n_score_bins: int, n_median_bins: int, reverse_complement: bool) -> None:
        self._bins = n_score_bins, n_median_bins
        self._both = reverse_complement
        self._n_out = len(targets.lengths) // (2 if reverse_complement else 1)
        back = np.argsort(targets.rank)  # memelite's order, in which sums are taken
        self._targets, self._kept = _packed(
            targets.columns[:, back],
            targets.norms[back],
            targets.counts[back],
            targets.rank[targets.where],
            targets.lengths,
        )

    @staticmethod
    def fits(queries: list[np.ndarray], targets: Targets, n_score_bins: int) -> bool:
        """Tell whether there are loops, and sums of scores fit the 16 bits, and distances the numbers, of theirs."""
        widest = max(one.shape[1] for one in queries)
        largest = max(float(np.abs(np.concatenate(queries, axis=1)).max()), float(np.abs(targets.columns).max()))
        return native() is not None and widest * (n_score_bins + 1) < 2**15 and largest < _HUGE

    def __call__(self, queries: list[np.ndarray]) -> np.ndarray:
        """The five planes ``(5, queries, targets)``."""
        every = np.concatenate(queries, axis=1)
        rows, norms = np.ascontiguousarray(every.T), (every**2).sum(axis=0)
        _, first, which = np.unique(
            rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel(),
            return_index=True,
            return_inverse=True,
        )
        widths = np.array([one.shape[1] for one in queries])
        packed, _kept = _packed(rows[first].T, norms[first], np.ones(len(first)), which, widths, by_column=True)
        out = np.empty((5, len(queries), self._n_out))
        if call_native("tomtom", ctypes.byref(packed), ctypes.byref(self._targets), *self._bins, self._both, out):
            raise MemoryError("tomtom: no memory for the scores; compare fewer targets at a time")
        return out


def _packed(
    columns: np.ndarray,
    norms: np.ndarray,
    counts: np.ndarray,
    which: np.ndarray,
    widths: np.ndarray,
    by_column: bool = False,
) -> tuple[_Motifs, list[Any]]:
    """What the loops read, and the arrays that it points to, to be held as long."""
    arrays = [
        np.ascontiguousarray(columns.T if by_column else columns),
        np.ascontiguousarray(norms),
        counts.astype(np.int32),
        which.astype(np.int32),
        widths.astype(np.int64),
        np.argsort(widths, kind="stable").astype(np.int64),
    ]
    return _Motifs(*columns.shape, len(widths), *(one.ctypes.data for one in arrays)), arrays
