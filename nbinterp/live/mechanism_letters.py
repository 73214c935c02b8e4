"""What each sequence of a space holds: the base at a position, or a pattern of bases on either strand.

In: codes ``(N, W)``.  Out: a small number a sequence, to colour it by.  The page does the same where it has the sequences.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import numpy as np

__all__ = ["WILD", "holds_pattern"]

# bases that a letter stands for: A 1, C 2, G 4, T 8
WILD: Final = MappingProxyType({letter: i for i, letter in enumerate("-ACMGRSVTWYHKDBN")})
_ROWS: Final = 4096


def holds_pattern(codes: np.ndarray, pattern: str) -> np.ndarray:
    """Whether each sequence holds a pattern of IUPAC letters, or its reverse complement: uint8 ``(N,)``.

    Examples
    --------
    >>> holds_pattern(np.array([[0, 1, 2, 3], [0, 0, 0, 0], [1, 0, 4, 4]], np.uint8), "YR").tolist()
    [1, 0, 1]
    """
    masks = np.array([WILD[letter] for letter in pattern.upper()], np.uint8)
    turned = np.array([_complement(int(mask)) for mask in masks[::-1]], np.uint8)
    found = np.zeros(len(codes), np.uint8)
    width = codes.shape[1] - len(masks) + 1
    if width < 1:
        return found
    for start in range(0, len(codes), _ROWS):
        bits = np.array([1, 2, 4, 8, 0], np.uint8)[np.minimum(codes[start : start + _ROWS], 4)]
        for strand in (masks, turned):
            here = np.ones((len(bits), width), bool)
            for k, mask in enumerate(strand):
                here &= (bits[:, k : k + width] & mask) > 0
            found[start : start + _ROWS] |= here.any(axis=1)
    return found


def _complement(mask: int) -> int:
    """A for T and C for G."""
    return sum(8 >> i for i in range(4) if mask >> i & 1)
