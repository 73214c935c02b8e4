"""A library: a reference and its variants, as a recipe.

In: a reference, and a source of rows (random, combinatorial, global, or sequences that exist).  Out: something that goes
wherever one-hot sequences ``(N, 4, L)`` go, and makes its rows when they are asked for, on the device that asks.  A row
is the same however the library is cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np
import torch

from ..core.cache import content_hash
from ..errors import problem
from .library_letters import HAPLOID, as_codes, as_strings, columns_of, span_within

__all__ = ["Library", "Source", "Stored", "library_of"]

_AT_A_TIME: Final = 1 << 14


class Source(Protocol):
    """Where rows come from: a frozen dataclass of what decides them."""

    def codes(self, reference: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Make rows, given by their numbers, from the reference's codes: uint8 ``(n, L)`` on their device."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Rows that exist: uint8 codes over the window."""

    values: np.ndarray
    window: tuple[int, int]

    def codes(self, reference: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Look rows up."""
        made = reference.expand(len(rows), -1).clone()
        made[:, slice(*self.window)] = torch.from_numpy(self.values[rows.cpu().numpy()]).to(rows.device)
        return made


@dataclass(frozen=True, eq=False)
class Library:
    """Variants of a reference, made when they are asked for.

    It has a shape, gives smaller libraries when indexed by rows, and becomes one-hot on a device, so that `predict` and
    every attribution method take it as it is.

    Attributes
    ----------
    reference_codes : np.ndarray, uint8, shape (L,)
        Indices into `letters`; the next index is an unknown base.
    kind : str
        "random", "combinatorial", "global", "two_hot" or "given".
    window : (int, int)
        The positions that vary, half-open; of a global library, those of the motif.
    seed : int or None
        Of the draw.
    letters : str
        "ACGT", or the ten of a diploid genome.
    source : Source
        Makes rows.
    rows : range or np.ndarray
        Which rows of the source these are.

    Examples
    --------
    >>> from nbinterp.mechanism.library_random import random_library
    >>> library = random_library("ACGTACGTAC", 5, rate=0.2, random_state=1)
    >>> library.shape, library.codes.shape, library[1:3].to_one_hot().shape
    ((5, 4, 10), (5, 10), torch.Size([2, 4, 10]))
    >>> library.sequences()[0], int(library.n_mutations[0])
    ('ACGTACGTAC', 0)
    """

    reference_codes: np.ndarray
    kind: str
    window: tuple[int, int]
    seed: int | None
    source: Source
    rows: range | np.ndarray
    letters: str = HAPLOID

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, 4, L)``."""
        return len(self.rows), 4, len(self.reference_codes)

    @property
    def reference(self) -> np.ndarray:
        """The reference, int8 ``(4, L)``."""
        return np.ascontiguousarray(columns_of(self.letters)[self.reference_codes].T)

    @cached_property
    def codes(self) -> np.ndarray:
        """All rows, uint8 ``(N, L)``, kept once made."""
        return np.concatenate([codes.numpy() for codes in self._parts()])

    @cached_property
    def n_mutations(self) -> np.ndarray:
        """How many positions of each row differ from the reference, int64 ``(N,)``."""
        reference = torch.from_numpy(self.reference_codes)
        return np.concatenate([(codes != reference).sum(1).numpy() for codes in self._parts()])

    @property
    def reference_row(self) -> int | None:
        """The first row that is the reference, or None where it is not in the library."""
        same = np.flatnonzero(self.n_mutations == 0)
        return int(same[0]) if len(same) else None

    def _parts(self) -> Iterator[torch.Tensor]:
        if "codes" in self.__dict__:  # made before, and kept
            yield torch.from_numpy(self.codes)
            return
        for start in range(0, max(len(self), 1), _AT_A_TIME):
            yield self[start : start + _AT_A_TIME].to_codes("cpu")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Library:
        if isinstance(index, (int, np.integer)):
            if not -len(self) <= index < len(self):
                raise IndexError(f"row {index} of a library of {len(self)}")
            index = slice(int(index) % len(self), int(index) % len(self) + 1)
        rows = self.rows
        if not isinstance(index, slice):
            rows, index = np.asarray(rows), index.cpu().numpy() if isinstance(index, torch.Tensor) else index
        return replace(self, rows=rows[index])

    def to_codes(self, device: Any = None) -> torch.Tensor:
        """Make all rows on a device: uint8 ``(N, L)``."""
        device = torch.device("cpu" if device is None else device)
        if isinstance(self.rows, range):
            numbers = torch.arange(self.rows.start, self.rows.stop, self.rows.step, device=device)
        else:
            numbers = torch.from_numpy(self.rows).to(device)
        return self.source.codes(torch.from_numpy(self.reference_codes).to(device), numbers)

    def to_one_hot(
        self, start: int = 0, end: int | None = None, *, dtype: torch.dtype = torch.int8, device: Any = None
    ) -> torch.Tensor:
        """Make all rows on a device, positions ``[start, end)``: ``(N, 4, end - start)``; two-hot counts copies."""
        codes = self.to_codes(device)[:, start:end]
        table = torch.from_numpy(columns_of(self.letters)).to(codes.device, dtype)
        if self.letters != HAPLOID:
            return table[codes.int()].transpose(1, 2).contiguous()
        return (codes[:, None] == torch.arange(4, device=codes.device, dtype=torch.uint8)[:, None]).to(dtype)

    def sequences(self, start: int = 0, end: int | None = None) -> list[str]:
        """Write all rows as strings, positions ``[start, end)``; index the library first to write some of them."""
        return as_strings(self.to_codes("cpu")[:, start:end].numpy(), self.letters)

    @property
    def fingerprint(self) -> str:
        """The same for libraries of the same rows in the same order, in any process; what resumed work is checked by."""
        recipe = [getattr(self.source, field.name) for field in fields(self.source)]  # type: ignore[arg-type]
        rows = str(self.rows) if isinstance(self.rows, range) else self.rows
        kind = type(self.source).__qualname__
        return content_hash(self.reference_codes, self.letters, kind, rows, *map(_hashable, recipe))

    def __repr__(self) -> str:
        n, _, length = self.shape
        where = "" if self.window == (0, length) else f", window={list(self.window)}"
        return f"Library({self.kind}, {n} sequences of {length}{where}, seed={json.dumps(self.seed)})"


def _hashable(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else repr(value)


def library_of(X: Any, reference: Any = 0, *, window: tuple[int, int] | None = None) -> Library:
    """Make a library of sequences that exist.

    Parameters
    ----------
    X : sequence of str, one-hot (N, 4, L) or (N, L, 4), or a compact container
        The sequences.
    reference : int, str or one-hot
        A row of X, or a sequence, which need not be in X.
    window : (int, int), optional
        The positions that vary; all by default.

    Raises
    ------
    NbinterpError
        When X holds no sequences, they differ outside the window, or the reference is of another length.

    Examples
    --------
    >>> library = library_of(["ACGT", "ACGA"], reference="TCGA")
    >>> library.n_mutations.tolist(), library.reference_row
    ([2, 1], None)
    """
    where = "library_of"
    codes = as_codes(where, "X", X)
    if codes.ndim != 2 or not codes.size:
        raise problem(where, "X", got=f"codes of shape {codes.shape}", need="N sequences of L bases", do="add the axis")
    if isinstance(reference, (int, np.integer)):
        if not -len(codes) <= reference < len(codes):
            raise problem(where, "reference", got=reference, need=f"a row of {len(codes)}", do="choose an existing row")
        base = codes[reference]
    else:
        base = np.atleast_2d(as_codes(where, "reference", reference))[0]
    if base.shape != codes.shape[1:]:
        need = f"the {codes.shape[1]} of X"
        raise problem(where, "reference", got=f"{len(base)} positions", need=need, do="cut them alike")
    span = span_within(where, "window", window, codes.shape[1])
    outside = codes != base
    outside[:, slice(*span)] = False
    if outside.any():
        row, at = (int(i) for i in np.argwhere(outside)[0])
        need = "the reference's bases outside the window"
        raise problem(where, "window", got=f"another base at position {at} of row {row}", need=need, do="widen it")
    stored = Stored(np.ascontiguousarray(codes[:, slice(*span)]), span)
    return Library(base.copy(), "given", span, None, stored, range(len(codes)))
