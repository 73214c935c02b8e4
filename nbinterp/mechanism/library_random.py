"""Random local libraries: every row has its own random substitutions of the reference.

In: a reference and a rate.  Out: a `Library`, whose first row is the reference.  The number of substitutions of a row is
Poisson or exact; each chosen position gets another base than it had.  ``stream="squid"`` replays the random numbers of
SQUID 0.4.9, so that a seed gives its rows; the other stream makes any row by itself, on any device.

Source: SQUID, Seitz et al., Nature Machine Intelligence 2024 (`RandomMutagenesis`, `TwoHotMutagenesis`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch

from ..core.check import check_choice
from ..errors import problem
from .library import Library, Source, Stored
from .library_draw import poisson_counts, replacements
from .library_letters import DIPLOID, HAPLOID, as_codes, span_within

__all__ = ["check_count", "mean_mutations", "mutated", "one_sequence", "random_library", "two_hot_library"]


def random_library(
    reference: Any,
    n: int,
    rate: float = 0.1,
    *,
    counts: str = "poisson",
    window: tuple[int, int] | None = None,
    random_state: int = 0,
    stream: str = "row",
) -> Library:
    """Draw variants of a reference with random substitutions.

    Parameters
    ----------
    reference : str, one-hot (4, L) or (L, 4)
        Without unknown bases in the window.
    n : int
        Rows, the reference among them.
    rate : float
        Substitutions a position; rows have ``ceil(rate * width)`` on average, as in SQUID.
    counts : "poisson" or "exact"
        How the number of a row's substitutions is drawn; a Poisson number is cut off at the window's width.
    window : (int, int), optional
        The positions to mutate, half-open; all by default.
    random_state : int
        Of the draw; 0 is a seed like any other.
    stream : "row" or "squid"
        Whether row i depends on the seed and i alone, or the rows are those of SQUID 0.4.9.

    Returns
    -------
    Library

    Raises
    ------
    NbinterpError
        When an argument does not fit, or the window holds an unknown base.

    Notes
    -----
    SQUID's ``uniform=True`` stops with an error; ``counts="exact"`` is what it is meant to be, on its stream too.

    Examples
    --------
    >>> library = random_library("ACGTACGTAC", 4, rate=0.2, counts="exact", random_state=3)
    >>> library.n_mutations.tolist()
    [0, 2, 2, 2]
    """
    check_choice("random_library", "counts", counts, ["poisson", "exact"])
    return _library("random_library", reference, n, rate, counts == "exact", window, random_state, stream, HAPLOID)


def two_hot_library(
    reference: Any,
    n: int,
    rate: float = 0.1,
    *,
    counts: str = "poisson",
    window: tuple[int, int] | None = None,
    random_state: int = 0,
    stream: str = "row",
) -> Library:
    """Draw variants of a diploid sequence, whose columns count the bases of two copies.

    As in SQUID, a row has one replacement more than `random_library` would give it, and each puts one of the ten
    symbols A C G T R Y S W K M in, which may be the one that was there.

    Parameters
    ----------
    reference : str, (4, L) or (L, 4)
        IUPAC letters, or columns that add up to 2; one-hot stands for two equal copies.
    n, rate, counts, window, seed, stream
        As in `random_library`.

    Examples
    --------
    >>> library = two_hot_library("ACRT", 3, random_state=0)
    >>> library.to_one_hot()[0].sum(0).tolist(), library.sequences()[0]
    ([2, 2, 2, 2], 'ACRT')
    """
    check_choice("two_hot_library", "counts", counts, ["poisson", "exact"])
    return _library("two_hot_library", reference, n, rate, counts == "exact", window, random_state, stream, DIPLOID)


@dataclass(frozen=True)
class _Random:
    """Rows of random replacements; `mean` of them, or exactly so many, and `extra`."""

    seed: int
    mean: int
    exact: bool
    extra: int
    letters: str
    window: tuple[int, int]

    def codes(self, reference: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        codes = reference.expand(len(rows), -1).clone()
        window = codes[:, slice(*self.window)]
        counts = _row_counts(self, rows, window.shape[1])
        window.copy_(mutated(self.seed, rows, counts.masked_fill(rows == 0, 0), window, self.letters))
        return codes


def _row_counts(source: _Random, rows: torch.Tensor, width: int) -> torch.Tensor:
    if source.exact:
        return torch.full_like(rows, min(source.mean + source.extra, width))
    return (poisson_counts(source.seed, rows, source.mean, width) + source.extra).clamp_(max=width)


def mutated(
    seed: int, rows: torch.Tensor, counts: torch.Tensor, codes: torch.Tensor, letters: str = HAPLOID
) -> torch.Tensor:
    """Replace `counts` letters of each row: by another of four, or by any of the ten of two copies."""
    if letters == HAPLOID:
        return (codes + replacements(seed, rows, counts, codes.shape[1], 3)) % 4
    symbols = replacements(seed, rows, counts, codes.shape[1], len(DIPLOID))
    return torch.where(symbols > 0, symbols - 1, codes)


def one_sequence(where: str, reference: Any, letters: str = HAPLOID) -> np.ndarray:
    """Give the codes of one sequence."""
    codes = as_codes(where, "reference", reference, letters)
    codes = codes[0] if codes.ndim == 2 and len(codes) == 1 else codes
    if codes.ndim != 1 or not len(codes):
        raise problem(where, "reference", got=f"shape {codes.shape}", need="one sequence", do="pass one of them")
    return codes


def check_count(where: str, n: Any) -> int:
    """Hold a number of rows to at least one."""
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise problem(where, "n", got=repr(n), need="an integer of at least 1", do="raise it")
    return int(n)


def mean_mutations(where: str, rate: float, width: int) -> int:
    """Give ``ceil(rate * width)``."""
    if not 0 <= rate <= 1:
        raise problem(where, "rate", got=rate, need="a number from 0 to 1", do="pass substitutions a position")
    return ceil(rate * width)


def _library(
    where: str,
    reference: Any,
    n: int,
    rate: float,
    exact: bool,
    window: tuple[int, int] | None,
    seed: int,
    stream: str,
    letters: str,
) -> Library:
    check_choice(where, "stream", stream, ["row", "squid"])
    codes, n = one_sequence(where, reference, letters), check_count(where, n)
    span = span_within(where, "window", window, len(codes))
    unknown = np.flatnonzero(codes[slice(*span)] == len(letters))
    if len(unknown):
        got = f"an unknown base at position {span[0] + unknown[0]}"
        raise problem(where, "reference", got=got, need="known bases in the window", do="move the window")
    mean, extra = mean_mutations(where, rate, span[1] - span[0]), int(letters == DIPLOID)
    source: Source = _Random(int(seed), mean, exact, extra, letters, span)
    if stream == "squid":
        replay = _squid_rows if letters == HAPLOID else _squid_two_hot_rows
        source = Stored(_replayed(replay, codes[slice(*span)], n, mean, exact, int(seed), extra), span)
    kind = "random" if letters == HAPLOID else "two_hot"
    return Library(codes, kind, span, int(seed), source, range(n), letters)


_Replay = Callable[[np.random.RandomState, np.ndarray, int], np.ndarray]


def _replayed(replay: _Replay, codes: np.ndarray, n: int, mean: int, exact: bool, seed: int, extra: int) -> np.ndarray:
    """Draw rows in the order in which SQUID calls numpy's legacy generator."""
    random = np.random.RandomState(seed)
    counts = np.full(n, mean) if exact else random.poisson(mean, (n, 1))[:, 0]
    counts = np.clip(counts + extra, 0, len(codes))
    rows = np.repeat(codes[None], n, axis=0)
    for i in range(1, n):
        rows[i] = replay(random, codes, int(counts[i]))
    return rows


def _squid_rows(random: np.random.RandomState, codes: np.ndarray, count: int) -> np.ndarray:
    row = codes.copy()
    at = random.choice(len(codes), count, replace=False)
    row[at] = (row[at] + random.choice(3, count) + 1) % 4
    return row


def _squid_two_hot_rows(random: np.random.RandomState, codes: np.ndarray, count: int) -> np.ndarray:
    row = codes.copy()
    symbols = random.choice(len(DIPLOID), count)
    row[random.choice(len(codes), count, replace=False)] = symbols
    return row
