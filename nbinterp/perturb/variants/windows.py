"""Variants to windows of reference and alternative sequence.

In: VCF or a table of variants, and a genome.  Out: `Variants`: for each variant (or haplotype) the window of the
reference and the same window with the change made, and the table of variants that were left out, each with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from ...errors import problem
from ...sequence.compact import CodedSequence
from ...sequence.encode import DNA, code_table, encode_codes
from ...sequence.fasta import Genome, open_genome
from .alleles import COLUMNS, allele_faults, read_alleles
from .haplotype import Change, alignment, apply_changes
from .units import Unit, place_units

__all__ = ["Variants", "read_variants"]

_WHERE = "read_variants"
_IUPAC = tuple("NRYKMSWBDHV")  # what genomes hold beside A, C, G and T; read as unknown


@dataclass(frozen=True)
class Variants:
    """Windows with and without each variant; made by `read_variants`.

    Attributes
    ----------
    variants : DataFrame
        A row a variant: example_idx (its row in `X_ref` and `X_alt`, one for all variants of a haplotype), chrom, start,
        end (0-based, half-open), ref, alt, id, haplotype, window_start, and what else the input had.
    dropped : DataFrame
        A row for each variant that is not in a window, in the same columns, with the reason.
    in_window, max_shift : int
        Length of the windows, and how far they can be moved.
    windows : array of uint8, shape (U, in_window + 2 * max_shift + more)
        The reference around the variants, codes 0 to 3 (4 = unknown); each window once, with bases on the right for
        deletions to draw in.
    window_idx : array of int, shape (N,)
        The row of `windows` that each example is in.
    changes : tuple of tuple of Change
        What each example changes, in coordinates of its row of `windows`.
    """

    variants: pd.DataFrame
    dropped: pd.DataFrame
    in_window: int
    max_shift: int
    windows: np.ndarray
    window_idx: np.ndarray
    changes: tuple[tuple[Change, ...], ...]

    def __len__(self) -> int:
        return len(self.changes)

    @property
    def X_ref(self) -> CodedSequence:
        """The windows as they are in the genome, ``(N, 4, in_window)``."""
        return self._middle(self.windows[self.window_idx])

    @cached_property
    def X_alt(self) -> CodedSequence:
        """The windows with the changes made, ``(N, 4, in_window)``."""
        return self._middle(self.alternatives(range(len(self))))

    def _middle(self, codes: np.ndarray) -> CodedSequence:
        cut = codes[:, self.max_shift : self.max_shift + self.in_window]
        return CodedSequence(torch.from_numpy(np.ascontiguousarray(cut)))

    @property
    def width(self) -> int:
        """Bases that windows moved as far as they can be reach over."""
        return self.in_window + 2 * self.max_shift

    def alternatives(self, examples: Sequence[int]) -> np.ndarray:
        """Give codes ``(n, width)`` of examples with their changes made."""
        made = [apply_changes(self.windows[self.window_idx[i]], self.changes[i], self.width) for i in examples]
        return np.stack(made) if made else np.empty((0, self.width), np.uint8)

    def alignment(self, example: int) -> np.ndarray:
        """Say where each position of ``X_ref[example]`` is in ``X_alt[example]``; -1 for one that is not there."""
        places = alignment(self.changes[example], self.width)
        if places is None:
            return np.arange(self.in_window)
        places = places[self.max_shift : self.max_shift + self.in_window] - self.max_shift
        return np.where((places >= 0) & (places < self.in_window), places, -1)

    @cached_property
    def examples(self) -> pd.DataFrame:
        """A row an example: the columns of `variants`, with those of several variants of a haplotype joined by commas."""
        if len(self.variants) == len(self):
            return self.variants
        joined = {"start": "min", "end": "max", "chrom": "first", "haplotype": "first", "window_start": "first"}
        how = {name: joined.get(name, _join) for name in self.variants.columns if name != "example_idx"}
        return self.variants.groupby("example_idx", sort=True).agg(how).reset_index()[list(self.variants.columns)]


def _join(values: pd.Series) -> str:
    return ",".join(str(value) for value in values)


def read_variants(
    variants: str | os.PathLike[str] | pd.DataFrame,
    genome: Any,
    *,
    in_window: int = 2114,
    loci: Any = None,
    snap: int = 1,
    max_shift: int = 0,
    max_allele: int | None = None,
    pad: bool = False,
) -> Variants:
    r"""Cut windows of reference and alternative sequence around variants.

    The window of a variant is ``[mid - in_window // 2, mid + in_window // 2 + in_window % 2)`` with
    ``mid = start + (end - start) // 2``, as for loci: a substitution is at position ``in_window // 2``.  Variants that
    share a label in a column `haplotype` are made together, in one window around all of them.  In both windows what is
    left of the (first) change is at the same place; a deletion draws further bases of the genome in from the right, an
    insertion pushes bases out there.

    Parameters
    ----------
    variants : path or DataFrame
        VCF (plain, gzipped, bgzipped; one row for each alternative allele), or a table, tab-separated with a header:
        chrom, start (0-based), ref, alt, and id, haplotype and others where wanted; or CHROM, POS (1-based), REF, ALT.
        Lower case is read as upper case.  An empty allele, or ``-``, is no base.
    genome : path, pyfaidx.Fasta or mapping of one-hot arrays
        Holds the contigs.  With a mapping ``{name: (4, length)}`` any sequences can be varied.
    in_window : int
        Length of the windows, which is the length that the model takes.
    loci : path or DataFrame, optional
        Windows to use (BED or a table): a variant is seen in the window around the middle of the nearest locus,
        and not in one around itself.  Variants of one window are then predicted against one reference.
    snap : int
        Centre windows on the middle of the bin of so many bases that the variant's middle is in, so that near variants
        share a window, and the time that its reference takes; at most half a window.
    max_shift : int
        How far `variant_effects` may move the windows, in bases.
    max_allele : int, optional
        The longest allele; half a window by default.
    pad : bool
        Read what lies beyond a contig's ends as unknown bases (N), instead of leaving such variants out: for sequences
        that are no pieces of a genome, from which a deletion has nothing to draw in.

    Returns
    -------
    Variants
        With everything that was left out, and why, in ``.dropped``: alleles that are symbolic, ``*``, missing or hold
        other letters than A, C, G and T; a reference allele that the genome does not have; contigs that are not there;
        windows that leave their contig; variants of a haplotype that overlap, with the rest of that haplotype.

    Raises
    ------
    NbinterpError
        When columns are missing, an option is out of range, or no variant is left; the reasons are counted.

    Notes
    -----
    Other unknown letters of the genome, such as N and M, are unknown bases (zero columns), but none is varied.

    Examples
    --------
    >>> genome = {"chr1": np.eye(4, dtype=np.int8)[np.arange(40) % 4].T}  # ACGTACGT...
    >>> table = pd.DataFrame({"chrom": "chr1", "start": [12, 14, 3], "ref": ["A", "GT", "A"], "alt": ["G", "G", "C"]})
    >>> found = read_variants(table, genome, in_window=8)
    >>> from nbinterp import characters
    >>> characters(found.X_ref[1].to_one_hot()), characters(found.X_alt[1].to_one_hot())
    ('TACGTACG', 'TACGACGT')
    >>> found.dropped["reason"].tolist()
    ['ref is A, the genome has T']
    """
    if in_window < 1 or max_shift < 0 or not 1 <= snap <= max(1, in_window // 2):
        raise problem(
            _WHERE,
            "in_window, max_shift, snap",
            got=f"{in_window}, {max_shift}, {snap}",
            need="in_window of at least 1, max_shift of at least 0, snap from 1 to half a window",
            do="correct them",
        )
    table = read_alleles(variants)
    longest = max(1, in_window // 2) if max_allele is None else max_allele
    with open_genome(_WHERE, genome) as opened:
        reasons = allele_faults(table, opened, longest)
        placed = place_units(_WHERE, table, reasons, opened, in_window, max_shift, loci, snap, pad)
        if not placed:
            listed = "; ".join(f"{n} x {r}" for r, n in pd.Series(reasons).value_counts().head(3).items()) or "no rows"
            raise problem(
                _WHERE, "variants", got=f"none left ({listed})", need="at least one", do="check genome and window"
            )
        windows, window_idx, changes = _cut(placed, opened, in_window + 2 * max_shift, max_shift)
    kept, dropped = _tables(table, reasons, placed)
    return Variants(kept, dropped, in_window, max_shift, windows, window_idx, changes)


def _cut(
    placed: list[tuple[Unit, int]], genome: Genome, width: int, margin: int
) -> tuple[np.ndarray, np.ndarray, tuple[tuple[Change, ...], ...]]:
    """Read each window once, and put the changes in its coordinates."""
    letters = code_table(_WHERE, DNA, _IUPAC)
    width += max(unit.drawn for unit, _ in placed)
    found: dict[tuple[str, int], int] = {}
    windows: list[np.ndarray] = []
    changes = []
    for unit, start in placed:
        place = unit.chrom, start - margin
        if place not in found:
            found[place] = len(windows)
            # near the contig's end there are fewer bases to draw in than other windows need
            first, end = max(0, place[1]), min(place[1] + width, genome.lengths[unit.chrom])
            codes = encode_codes(_WHERE, genome.text(unit.chrom, first, end), letters, DNA)
            windows.append(np.pad(codes, (first - place[1], place[1] + width - end), constant_values=4))
        changes.append(tuple(change.moved(-place[1]) for change in unit.changes))
    window_idx = np.array([found[unit.chrom, start - margin] for unit, start in placed], np.int64)
    return np.stack(windows), window_idx, tuple(changes)


def _tables(
    table: pd.DataFrame, reasons: np.ndarray, placed: list[tuple[Unit, int]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the rows that are in windows, by example, and those that are not, with their reasons."""
    places = [(row, i, start) for i, (unit, start) in enumerate(placed) for row in unit.rows]
    rows, examples, starts = (np.array(column, np.int64) for column in zip(*places, strict=True))
    kept = table.iloc[rows].reset_index(drop=True).assign(example_idx=examples, window_start=starts)
    columns = ["example_idx", *COLUMNS, "window_start"]
    kept = kept[[*columns, *(name for name in table.columns if name not in columns)]]
    return kept, table[reasons != ""].assign(reason=reasons[reasons != ""]).reset_index(drop=True)
