"""Two alleles of each variant, as a view of them needs them: codes, what is changed, and which bases stand in one column.

In: effects of variants, or a table and windows.  Out: `Alleles`, plain arrays and lists.  Loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import problem
from .edits import LETTERS, Change

__all__ = ["Alleles", "align", "alleles_of"]

_NEEDED = ("start", "ref", "alt")


@dataclass(frozen=True)
class Alleles:
    """Rows of `table`, their windows, and what the alternative changes in each.

    `ref` and `alt` are codes ``(N, L)``; 4 is unknown.  `changes` are in positions of the reference's window, the last one
    first, so that they can be made one after the other.  `places` hold chromosome and first position of each window;
    `dropped` counts what was left out, by reason.
    """

    table: pd.DataFrame
    ref: np.ndarray
    alt: np.ndarray
    changes: tuple[tuple[Change, ...], ...]
    places: tuple[tuple[str, int] | None, ...]
    dropped: dict[str, int]

    def __len__(self) -> int:
        return len(self.table)

    def first(self, row: int) -> int:
        """The first position that a variant changes."""
        return min((change.start for change in self.changes[row]), default=self.ref.shape[1] // 2)


def align(changes: Sequence[Change], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Say which base of the reference, and which of the alternative, stands in each column; -1 where one has none.

    Columns end with the window: what only one of the two has at its right end is left out.

    Examples
    --------
    >>> ref, alt = align([Change(4, 4, "G"), Change(1, 3, "T")], 7)
    >>> ref.tolist(), alt.tolist()
    ([0, 1, 2, 3, -1, 4, 5], [0, 1, -1, 2, 3, 4, 5])
    """
    ref, alt, at, shift = [], [], 0, 0
    for start, end, bases in sorted(changes):
        both = min(end - start, len(bases))
        ref += [*range(at, end), *[-1] * (len(bases) - both)]
        alt += [*range(at + shift, start + both + shift), *[-1] * (end - start - both)]
        alt += range(start + both + shift, start + len(bases) + shift)
        at, shift = end, shift + len(bases) - (end - start)
    ref += range(at, length)
    alt += range(at + shift, length + shift)
    return np.array(ref[:length], np.int32), np.array(alt[:length], np.int32)


def alleles_of(where: str, effects: Any, X_ref: Any, X_alt: Any, codes_of: Callable[[str, Any], np.ndarray]) -> Alleles:
    """Read what `variant_effects` gives, or a table and codes ``(N, L)`` of its windows.

    Parameters
    ----------
    where : str
        Who asks, for errors.
    effects : VariantEffects or DataFrame
        A table has the columns start, ref and alt, and where known chrom and window_start; without it a window lies
        around its variant as `read_variants` cuts it.  Where it has example_idx, these are the rows of the windows.
    X_ref, X_alt : one-hot (N, 4, L) or compact container, optional
        Windows of both alleles; those that `effects` hold by default.
    codes_of : callable
        Gives codes (N, L) of windows.

    Raises
    ------
    NbinterpError
        When columns or windows are missing, or the reference allele is not what its window has.
    """
    table = effects if isinstance(effects, pd.DataFrame) else getattr(effects, "table", None)
    if not isinstance(table, pd.DataFrame) or not len(table):
        got = "no row" if isinstance(table, pd.DataFrame) else f"a {type(effects).__name__}"
        raise problem(
            where, "effects", got=got, need="VariantEffects, or a table of variants", do="score some variants"
        )
    variants = getattr(effects, "variants", None)
    X_ref, X_alt = (
        getattr(variants, name, None) if X is None else X for name, X in (("X_ref", X_ref), ("X_alt", X_alt))
    )
    if X_ref is None or X_alt is None:
        raise problem(where, "X_ref, X_alt", got="none", need="the windows of both alleles", do="pass both")
    ref, alt = codes_of(where, X_ref), codes_of(where, X_alt)
    if ref.shape != alt.shape:
        got = f"shapes {ref.shape} and {alt.shape}"
        raise problem(where, "X_ref, X_alt", got=got, need="windows that are alike", do="cut them alike")
    rows = table["example_idx"].to_numpy(int) if "example_idx" in table else np.arange(len(table))
    if rows.min() < 0 or rows.max() >= len(ref):
        got = f"{len(ref)} windows for {len(table)} variants"
        raise problem(where, "X_ref, X_alt", got=got, need="one a row of the table", do="match them")
    table = table.reset_index(drop=True)
    starts = _windows(table, ref.shape[1])
    if variants is not None:
        changes = tuple(_moved(variants.changes[row], variants.max_shift) for row in rows)
    else:
        changes = tuple(_change(where, i, row, start) for i, (row, start) in enumerate(_rows(where, table, starts)))
        _check_ref(where, table, ref[rows], starts)
    places = [None] * len(table) if "chrom" not in table else list(zip(table["chrom"].map(str), starts, strict=True))
    left = getattr(variants, "dropped", None)
    dropped = {} if left is None or not len(left) else left["reason"].value_counts().to_dict()
    return Alleles(table, ref[rows], alt[rows], changes, tuple(places), {str(k): int(v) for k, v in dropped.items()})


def _windows(table: pd.DataFrame, length: int) -> list[int]:
    """First position of each window."""
    if "window_start" in table:
        return [int(v) for v in table["window_start"]]
    middle = table["start"].astype(int) + table["ref"].astype(str).str.len() // 2
    return [int(v) for v in middle - length // 2]


def _moved(changes: Any, margin: int) -> tuple[Change, ...]:
    """Changes of a haplotype in positions of the window, the last one first."""
    moved = [Change(start - margin, end - margin, "".join(LETTERS[c] for c in codes)) for start, end, codes in changes]
    return tuple(sorted(moved, reverse=True))


def _rows(where: str, table: pd.DataFrame, starts: list[int]) -> list[tuple[Any, int]]:
    for name in _NEEDED:
        if name not in table:
            raise problem(where, "effects", got=f"no column {name}", need=", ".join(_NEEDED), do="add it")
    if table["ref"].astype(str).str.contains(",").any():
        raise problem(
            where, "effects", got="haplotypes of several variants in a table", need="what they change in the windows",
            do="pass the VariantEffects that the table is of",
        )  # fmt: skip
    columns = [table[name].tolist() for name in _NEEDED]
    return list(zip(zip(*columns, strict=True), starts, strict=True))


def _change(where: str, i: int, row: Any, window: int) -> tuple[Change, ...]:
    """The alleles without what they begin and end with alike."""
    start, ref, alt = int(row[0]), str(row[1]).upper().strip("-"), str(row[2]).upper().strip("-")
    head = _alike(ref, alt)
    tail = _alike(ref[head:][::-1], alt[head:][::-1])
    change = Change(start + head - window, start + len(ref) - tail - window, alt[head : len(alt) - tail])
    if set(ref + alt) - set("ACGT") or change.start < 0:
        raise problem(
            where, "effects", got=f"{ref}>{alt} at {start} in row {i}", need="A, C, G, T inside the window",
            do="read the variants with read_variants",
        )  # fmt: skip
    return (change,)


def _alike(a: str, b: str) -> int:
    """How many letters both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _check_ref(where: str, table: pd.DataFrame, ref: np.ndarray, starts: list[int]) -> None:
    """Hold the reference alleles to the windows."""
    for i, (start, allele, window) in enumerate(zip(table["start"], table["ref"], starts, strict=True)):
        wanted = str(allele).upper().strip("-")
        first = int(start) - window
        have = "".join(LETTERS[code] for code in ref[i, first : first + len(wanted)])
        if have != wanted:
            raise problem(
                where, "X_ref", got=f"{have or 'nothing'} where row {i} has {wanted}", need="windows of these variants",
                do="pass window_start, the first position of each window",
            )  # fmt: skip
