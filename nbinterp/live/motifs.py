"""Motifs as a view takes them.

In: a `MotifSet`, or a mapping from name to letters or to a matrix.  Out: matrices ``(4, w)``, and the letters that stand for
each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.arrays import numpy_of
from ..errors import problem

__all__ = ["letters_of", "motif_matrices"]


def motif_matrices(where: str, motifs: Any) -> dict[str, np.ndarray]:
    """Name to matrix ``(4, w)``; letters become their one-hot, N a zero column.

    Examples
    --------
    >>> motif_matrices("MarginalView", {"AP1": "TGAC"})["AP1"].argmax(axis=0).tolist()
    [3, 2, 0, 1]
    """
    if not isinstance(motifs, Mapping) or not motifs:
        raise problem(
            where, "motifs", got="none" if isinstance(motifs, Mapping) else f"a {type(motifs).__name__}",
            need="a MotifSet, or a mapping from name to letters or matrix", do="pass {'AP1': 'TGACTCA'}, for one",
        )  # fmt: skip
    found = {}
    for name, given in motifs.items():
        if isinstance(given, str):
            if not given or set(given.upper()) - set("ACGTN"):
                need = "letters A, C, G, T or N"
                raise problem(where, f"motifs[{name!r}]", got=repr(given), need=need, do="correct it")
            matrix = np.array([[letter == base for letter in given.upper()] for base in "ACGT"], np.float32)
        else:
            matrix = numpy_of(given, np.float32)
            fits = matrix.ndim == 2 and matrix.shape[0] == 4 and matrix.shape[1] > 0 and np.isfinite(matrix).all()
            if not fits or (matrix < 0).any():
                got, need = f"shape {matrix.shape}, or values below 0", "(4, width) of finite probabilities"
                raise problem(where, f"motifs[{name!r}]", got=got, need=need, do="pass a position weight matrix")
        found[str(name)] = matrix
    return found


def letters_of(matrix: np.ndarray) -> str:
    """The most probable letter of each position; N where none is.

    Examples
    --------
    >>> letters_of(np.array([[0.9, 0], [0.1, 0], [0, 0], [0, 0]]))
    'AN'
    """
    best = np.where(matrix.sum(axis=0) > 0, matrix.argmax(axis=0), 4)
    return "".join("ACGTN"[i] for i in best)
