"""Combinatorial libraries: every variant of a window, to any number of substitutions.

In: a reference, a window, a highest order.  Out: a `Library` of the reference, then all single substitutions, then all
pairs, and so on, in SQUID's order: positions as `itertools.combinations` gives them, and for each choice of positions
the other bases in the order of the alphabet, the last position's fastest.  A row is made from its number alone.

Source: SQUID 0.4.9 (`CombinatorialMutagenesis`), whose window is closed; here it is half-open, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any, Final

import numpy as np
import torch

from ..errors import problem
from .library import Library
from .library_letters import HAPLOID, span_within
from .library_random import one_sequence

__all__ = ["combinatorial_library", "holds_all", "window_numbers"]

_MOST_ROWS: Final = 1 << 62


def combinatorial_library(reference: Any, max_order: int = -1, *, window: tuple[int, int] | None = None) -> Library:
    """Make every variant of a window with at most `max_order` substitutions.

    Parameters
    ----------
    reference : str, one-hot (4, L) or (L, 4)
        Without unknown bases in the window.
    max_order : int
        The most substitutions of a row; -1 is the width of the window, which gives all ``4 ** width`` sequences.
    window : (int, int), optional
        The positions to change, half-open; all by default.

    Returns
    -------
    Library
        ``1 + sum over r of comb(width, r) * 3 ** r`` rows.

    Raises
    ------
    NbinterpError
        When the order is outside the window's width, a base of the window is unknown, or the rows cannot be counted in 62 bits.

    Examples
    --------
    >>> len(combinatorial_library("ACGT", 2)), len(combinatorial_library("ACGT"))
    (67, 256)
    >>> combinatorial_library("AC", window=(0, 1)).sequences()
    ['AC', 'CC', 'GC', 'TC']
    """
    where = "combinatorial_library"
    codes = one_sequence(where, reference)
    span = span_within(where, "window", window, len(codes))
    width = span[1] - span[0]
    if not isinstance(max_order, (int, np.integer)) or not -1 <= max_order <= width:
        raise problem(where, "max_order", got=repr(max_order), need=f"-1, or 0 to {width}", do="lower it")
    if (codes[slice(*span)] == 4).any():
        raise problem(where, "reference", got="an unknown base in the window", need="known bases", do="move the window")
    order = width if max_order == -1 else int(max_order)
    n = sum(comb(width, r) * 3**r for r in range(order + 1))
    if n >= _MOST_ROWS:
        raise problem(where, "max_order", got=f"{n:.3g} rows", need="fewer than 2**62", do="lower it, or pass a window")
    return Library(codes, "combinatorial", span, None, _Combinatorial(order, span), range(n))


def holds_all(library: Library) -> bool:
    """Whether a library holds each of the ``4 ** width`` sequences of its window, once."""
    start, end = library.window
    if library.letters != HAPLOID or len(library) != 4 ** (end - start) or (library.codes[:, start:end] > 3).any():
        return False
    return bool((np.bincount(window_numbers(library), minlength=len(library)) == 1).all())


def window_numbers(library: Library) -> np.ndarray:
    """Read each row's window, of known bases, as a number in base 4, the first position first: int64 ``(N,)``."""
    start, end = library.window
    numbers = np.zeros(len(library), np.int64)
    for digit in library.codes[:, start:end].T:
        numbers = numbers * 4 + digit
    return numbers


@dataclass(frozen=True)
class _Combinatorial:
    """Rows by their number, order by order."""

    order: int
    window: tuple[int, int]

    def codes(self, reference: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        width = self.window[1] - self.window[0]
        sizes = [comb(width, r) * 3**r for r in range(self.order + 1)]
        firsts = torch.from_numpy(np.cumsum([0, *sizes])).to(rows.device)
        orders = torch.searchsorted(firsts, rows, right=True) - 1
        shifts = torch.zeros(len(rows), width, dtype=torch.uint8, device=rows.device)
        for r in range(1, self.order + 1):
            members = torch.where(orders == r)[0]
            if len(members):
                shifts[members] = _ranked(rows[members] - firsts[r], width, r, reference[slice(*self.window)])
        codes = reference.expand(len(rows), -1).clone()
        window = codes[:, slice(*self.window)]
        window.copy_((window + shifts) % 4)
        return codes


def _ranked(ranks: torch.Tensor, width: int, r: int, bases: torch.Tensor) -> torch.Tensor:
    """Give the r shifts of each rank among the variants of order r: uint8 ``(n, width)``, zeros elsewhere."""
    # neighbours in rank have their positions in common
    choices, which = torch.unique_consecutive(torch.div(ranks, 3**r, rounding_mode="floor"), return_inverse=True)
    at = _chosen(choices, width, r)[which]
    powers = torch.tensor([3**k for k in range(r - 1, -1, -1)], device=ranks.device)
    other = torch.div((ranks % 3**r)[:, None], powers, rounding_mode="floor") % 3  # among the bases but the one there
    base = bases[at]
    other += other >= base
    shifts = torch.zeros(len(ranks), width, dtype=torch.uint8, device=ranks.device)
    return shifts.scatter_(1, at, ((other - base) % 4).to(torch.uint8))


def _chosen(choices: torch.Tensor, width: int, r: int) -> torch.Tensor:
    """Give choices of r positions by their rank in lexicographic order: int64 ``(n, r)``."""
    positions = torch.empty(len(choices), r, dtype=torch.int64, device=choices.device)
    following = torch.zeros_like(choices)  # the first position that may come next
    for k in range(r):
        # how many choices of what is left begin at or after each position, from the last position to the first
        begun = torch.tensor([comb(width - p, r - k) for p in range(width, -1, -1)], device=choices.device)
        wanted = begun[width - following] - choices
        positions[:, k] = at = width - torch.searchsorted(begun, wanted)  # the last with at least so many
        choices = begun[width - at] - wanted
        following = at + 1
    return positions
