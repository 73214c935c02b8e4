"""How sequences enter a library: one byte a position.

In: strings, one-hot ``(4, L)`` or channels last ``(L, 4)`` as SQUID and SEAM have it, two-hot of diploid genomes.  Out:
uint8 codes, indices into the letters of an alphabet; the next index is an unknown base.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch

from ..errors import problem
from ..sequence.encode import code_table, encode_codes

__all__ = ["DIPLOID", "HAPLOID", "as_codes", "as_strings", "channels_first", "columns_of", "span_within"]

HAPLOID: Final = "ACGT"
DIPLOID: Final = "ACGTRYSWKM"  # R is A and G on the two copies, Y is C and T, and so on (IUPAC)
_PAIRS: Final = ("AA", "CC", "GG", "TT", "AG", "CT", "CG", "AT", "GT", "AC")


def columns_of(letters: str) -> np.ndarray:
    """Give each letter's column, and a zero column for what is unknown: int8 ``(len(letters) + 1, 4)``."""
    pairs = HAPLOID if letters == HAPLOID else _PAIRS
    counts = [[pair.count(base) for base in HAPLOID] for pair in pairs]
    return np.array([*counts, [0] * 4], np.int8)


def channels_first(where: str, argument: str, X: Any) -> np.ndarray:
    """Give an array with bases before positions; ``(..., L, 4)`` is turned round, and ``(..., 4, 4)`` taken as it is.

    Examples
    --------
    >>> channels_first("example", "X", np.zeros((2, 7, 4))).shape
    (2, 4, 7)
    """
    array = X.detach().cpu().numpy() if isinstance(X, torch.Tensor) else np.asarray(X)
    if array.ndim >= 2 and array.shape[-2] == 4:
        return array
    if array.ndim >= 2 and array.shape[-1] == 4:
        return np.swapaxes(array, -1, -2)
    raise problem(where, argument, got=f"shape {array.shape}", need="(..., 4, L), or (..., L, 4)", do="check the axes")


def as_codes(where: str, argument: str, X: Any, letters: str = HAPLOID) -> np.ndarray:
    """Give codes ``(L,)`` of one sequence, or ``(N, L)`` of several; integers of two axes or fewer are not guessed at.

    For `DIPLOID` the columns add up to 2; one-hot, whose columns add up to 1, stands for two equal copies.
    """
    if isinstance(X, str):
        return encode_codes(where, X, code_table(where, letters, ("N",)), letters)
    if isinstance(X, Sequence) and len(X) and all(isinstance(one, str) for one in X):
        rows = [as_codes(where, argument, one, letters) for one in X]
        if len({len(row) for row in rows}) > 1:
            raise problem(where, argument, got="sequences of several lengths", need="one length", do="cut them alike")
        return np.stack(rows)
    if hasattr(X, "to_one_hot"):
        X = X.to_one_hot()
    array = channels_first(where, argument, X)
    if letters == DIPLOID and array.size and array.sum(-2).max() == 1:
        array = array * 2
    known = columns_of(letters).astype(np.float64)
    digits = np.array([27, 9, 3, 1])  # a column as a number in base 3
    table = np.full(81, 255, np.uint8)
    table[(known @ digits).astype(int)] = np.arange(len(known))
    whole = np.isin(array, (0, 1, 2)).all()
    codes = table[np.einsum("...bl,b->...l", array, digits).astype(int)] if whole else np.array(255)
    if (codes == 255).any():
        need = "one base a position" if letters == HAPLOID else "two bases a position"
        raise problem(where, argument, got="columns of other sums or entries", need=need, do="encode the sequence")
    return codes


def as_strings(codes: np.ndarray, letters: str) -> list[str]:
    """Write codes ``(N, L)`` as strings."""
    table = np.frombuffer(f"{letters}N".encode(), np.uint8)
    text = table[codes]
    return [row.tobytes().decode() for row in text]


def span_within(where: str, argument: str, span: tuple[int, int] | None, length: int) -> tuple[int, int]:
    """Give a half-open span, the whole by default; it must hold a position."""
    start, end = (0, length) if span is None else (int(span[0]), int(span[1]))
    if not 0 <= start < end <= length:
        need = f"0 <= start < end <= {length}"
        raise problem(where, argument, got=f"[{start}, {end})", need=need, do="choose a span inside the sequence")
    return start, end
