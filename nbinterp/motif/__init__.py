"""Motifs: sets of position weight matrices of unequal width.

In: MEME files, arrays.  Out: a `MotifSet`, a mapping from name to a matrix ``(4, w)`` of probabilities, rows A C G T.
"""

from .meme import read_meme, write_meme
from .motifset import MotifSet

__all__ = ["MotifSet", "read_meme", "write_meme"]
