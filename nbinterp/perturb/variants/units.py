"""What is made together in one window, and which window that is.

In: variant rows, some with a reason not to be scored.  Out: `Unit`s, each a variant or a haplotype with the place of
its window; rows that turn out not to fit get their reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...sequence.fasta import Genome
from ...sequence.loci import read_loci
from .haplotype import Change, overlap, trimmed

__all__ = ["Unit", "place_units"]


@dataclass(frozen=True)
class Unit:
    """Rows of the table that are made together, what they change in the contig, and the bases they are about."""

    rows: tuple[int, ...]
    chrom: str
    first: int
    last: int
    changes: tuple[Change, ...]

    @property
    def middle(self) -> int:
        """The base that the window is centred on."""
        return self.first + (self.last - self.first) // 2

    @property
    def drawn(self) -> int:
        """How many bases deletions draw in from the right of the window."""
        return max(0, -sum(change.growth for change in self.changes))


def place_units(
    where: str,
    table: pd.DataFrame,
    reasons: np.ndarray,
    genome: Genome,
    in_window: int,
    margin: int,
    loci: Any,
    snap: int,
    pad: bool,
) -> list[tuple[Unit, int]]:
    """Give the units that can be scored, each with the start of its window; write down why the others cannot."""
    placed = []
    nearest = None if loci is None else _Nearest(where, loci)
    for unit in _units(table, reasons, in_window):
        middle = unit.middle - unit.middle % snap + snap // 2
        start: int | None = middle - in_window // 2 if nearest is None else nearest(unit, in_window)
        if start is None:
            _drop(reasons, unit.rows, "in no window of loci")
            continue
        if unit.first < start or unit.last > start + in_window:
            _drop(reasons, unit.rows, f"spans {unit.last - unit.first} bases, which leave the window of its bin")
            continue
        first, last = start - margin, start + in_window + margin + unit.drawn
        length = genome.lengths[unit.chrom]
        if not pad and (first < 0 or last > length):
            _drop(reasons, unit.rows, f"window [{first}, {last}) leaves {unit.chrom}, which has {length} bases")
        else:
            placed.append((unit, start))
    return placed


def _units(table: pd.DataFrame, reasons: np.ndarray, in_window: int) -> Iterator[Unit]:
    """Give rows alone, and the rows of each haplotype unless one of them is at fault or two overlap."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for row, (chrom, label) in enumerate(zip(table["chrom"], table["haplotype"], strict=True)):
        groups.setdefault((chrom, label) if label else (chrom, "", str(row)), []).append(row)
    columns = [table[name].tolist() for name in ("start", "end", "ref", "alt")]
    for (chrom, label, *_), rows in groups.items():
        good = [row for row in rows if not reasons[row]]
        changes = [trimmed(columns[0][row], columns[2][row], columns[3][row]) for row in good]
        first, last = min(columns[0][row] for row in rows), max(columns[1][row] for row in rows)
        two = overlap(changes)
        if two is not None:
            a, b = (f"{chrom}:{columns[0][good[i]] + 1} {columns[2][good[i]]}>{columns[3][good[i]]}" for i in two)
            _drop(reasons, rows, f"{a} and {b} of haplotype {label} overlap")
        elif len(good) < len(rows):
            _drop(reasons, rows, f"another variant of haplotype {label} was left out")
        elif last - first > in_window:
            _drop(reasons, rows, f"haplotype {label} spans {last - first} bases, more than a window")
        else:
            yield Unit(tuple(rows), chrom, first, last, tuple(sorted(changes)))


def _drop(reasons: np.ndarray, rows: Any, reason: str) -> None:
    for row in rows:
        reasons[row] = reasons[row] or reason


class _Nearest:
    """Finds the window of loci that a unit is seen in: that around the nearest middle."""

    def __init__(self, where: str, loci: Any) -> None:
        table = read_loci(where, loci)
        middle = table["start"] + (table["end"] - table["start"]) // 2
        self._middles = {str(chrom): np.sort(group.to_numpy()) for chrom, group in middle.groupby(table["chrom"])}

    def __call__(self, unit: Unit, in_window: int) -> int | None:
        middles = self._middles.get(unit.chrom)
        if middles is None:
            return None
        start = int(middles[np.abs(middles - unit.middle).argmin()]) - in_window // 2
        inside = start <= unit.first and max(unit.last, unit.first + 1) <= start + in_window
        return start if inside else None
