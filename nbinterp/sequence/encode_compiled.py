"""Letters to one-hot in a compiled loop.

In: a string and the row of each letter.  Out: the rows that `one_hot_encode` finds with NumPy.  ``native/encode.c`` has the
loop.
"""

from __future__ import annotations

import ctypes

import numpy as np
import torch

from ..core.native import call_native, native

__all__ = ["one_hot_rows"]

_letters_of = ctypes.pythonapi.PyUnicode_AsUTF8AndSize  # of ASCII where they stand, without a copy
_letters_of.restype = ctypes.c_void_p
_letters_of.argtypes = [ctypes.py_object, ctypes.c_void_p]


def one_hot_rows(sequence: str, table: np.ndarray, n_rows: int) -> torch.Tensor | None:
    """Give the one-hot ``(n_rows, L)`` in int8; None where a letter is wrong, and where NumPy has to do it.

    Parameters
    ----------
    sequence : str
        L letters.
    table : uint8, shape (256,)
        The row of each letter, `n_rows` for those that are in none, 255 for wrong ones (`code_table`).
    n_rows : int
        How many.
    """
    if native() is None or not sequence.isascii() or n_rows >= 255:
        return None
    rows = np.empty((n_rows, len(sequence)), np.int8)  # in large pages, which torch's own are not
    wrong = call_native("one_hot", _letters_of(sequence, None), len(sequence), table.tobytes(), n_rows, rows)
    return None if wrong else torch.from_numpy(rows)
