"""Random numbers that belong to a seed, a row and a place, and to nothing else.

In: a seed and row numbers on any device.  Out: integers, the same on every device and however the rows are batched.
Only integer arithmetic is used, a hash of 64 bits (the finaliser of SplitMix64, Steele et al. 2014), so that a CPU and a
GPU agree to the bit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from scipy.special import pdtr

__all__ = ["below", "letters", "poisson_counts", "replacements"]

_GOLDEN: Final = -7046029254386353131  # the constants of SplitMix64, as signed 64-bit integers
_FIRST: Final = -4658895280553007687
_SECOND: Final = -7723592293110705685
_COUNTS, _POSITIONS, _VALUES, _LETTERS = range(4)  # what a number is drawn for
_BITS: Final = 32
_LETTERS_A_DRAW: Final = _BITS // 2


def _shifted(z: torch.Tensor, by: int) -> torch.Tensor:
    """Shift right as unsigned numbers do."""
    return (z >> by) & ((1 << (64 - by)) - 1)


def _draw(seed: int, rows: torch.Tensor, place: int | torch.Tensor, purpose: int) -> torch.Tensor:
    """Give 32 random bits for each row and place, as int64."""
    start = _signed((seed * 4 + purpose) * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D)
    z = _mixed(rows * _GOLDEN + start)
    step = (place + 1) * _GOLDEN
    return _shifted(_mixed(z + (_signed(step) if isinstance(step, int) else step)), _BITS)


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _mixed(z: torch.Tensor) -> torch.Tensor:
    z = (z ^ _shifted(z, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)


def below(bits: torch.Tensor, bound: int | torch.Tensor) -> torch.Tensor:
    """Make 32 random bits a number in ``[0, bound)``, for bounds below 2**31.

    Examples
    --------
    >>> below(torch.tensor([0, 2**31, 2**32 - 1]), 10).tolist()
    [0, 5, 9]
    """
    return (bits * bound) >> _BITS


def poisson_counts(seed: int, rows: torch.Tensor, mean: float, most: int) -> torch.Tensor:
    """Draw each row's number from a Poisson distribution, cut off at `most`."""
    ends = np.minimum(np.floor(pdtr(np.arange(most), mean) * 2.0**_BITS), 2.0**_BITS)
    table = torch.from_numpy(ends.astype(np.int64)).to(rows.device)
    return torch.searchsorted(table, _draw(seed, rows, 0, _COUNTS), right=True)


def replacements(seed: int, rows: torch.Tensor, counts: torch.Tensor, width: int, n_values: int) -> torch.Tensor:
    """Choose `counts` distinct positions of each row, and a value in ``[1, n_values]`` for each; 0 elsewhere.

    Every set of positions is equally probable (Floyd's method: one draw a position, whatever was drawn before).

    Returns
    -------
    torch.Tensor, uint8, shape (rows, width)
    """
    chosen = torch.zeros(len(rows), width, dtype=torch.uint8, device=rows.device)
    for k in range(int(counts.max()) if len(rows) else 0):
        last = (width - counts + k).clamp_(max=width - 1)
        at = below(_draw(seed, rows, k, _POSITIONS), last + 1)[:, None]
        at = torch.where(chosen.gather(1, at) > 0, last[:, None], at)
        value = (below(_draw(seed, rows, k, _VALUES), n_values) + 1).to(torch.uint8)[:, None]
        chosen.scatter_(1, at, torch.where((counts > k)[:, None], value, chosen.gather(1, at)))
    return chosen


def letters(seed: int, rows: torch.Tensor, width: int) -> torch.Tensor:
    """Draw letters 0..3, uniform and independent: uint8 ``(rows, width)``."""
    draws = -(-width // _LETTERS_A_DRAW)
    places = torch.arange(draws, device=rows.device)
    bits = _draw(seed, rows[:, None], places, _LETTERS)
    shifts = torch.arange(_LETTERS_A_DRAW, device=rows.device) * 2
    return ((bits[:, :, None] >> shifts) & 3).to(torch.uint8).flatten(1)[:, :width]
