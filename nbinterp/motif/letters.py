"""Sequences as a scan reads them: stretches of codes, end to end, of bounded size.

In: one-hot arrays, compact containers, or the path of a FASTA file of any size.  Out: the names, and `Stretch` after
`Stretch`: whole short sequences, and pieces of long ones that overlap by as much as the widest motif needs, so that
every window lies in exactly one of them.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import FormatError, problem
from ..sequence import Sequences

__all__ = ["UNKNOWN", "Letters", "Stretch", "as_letters"]

UNKNOWN = 4  # the code of N, and of every letter outside the alphabet
_ROWS = 4096  # sequences decoded at a time


@dataclass(frozen=True)
class Stretch:
    """Codes of several pieces of sequence, end to end.

    Attributes
    ----------
    codes : uint8 array
        0 to 3 for A C G T, 4 for an unknown base.
    sequence : int64 array (P,)
        The sequence that each piece is of.
    origin : int64 array (P,)
        Where in its sequence the piece begins.
    bounds : int64 array (P + 1,)
        Where in `codes` each piece begins, and the end.
    own : int64 array (P,)
        Windows that begin in this many first positions of a piece are its own; later ones are the next piece's.
    """

    codes: np.ndarray
    sequence: np.ndarray
    origin: np.ndarray
    bounds: np.ndarray
    own: np.ndarray

    @cached_property
    def reach(self) -> np.ndarray:
        """At each position, how wide a window may be that begins there; int32, 0 where none may."""
        length = np.diff(self.bounds)
        within = np.arange(len(self.codes)) - np.repeat(self.bounds[:-1], length)
        left = np.repeat(length, length) - within
        return np.where(within < np.repeat(self.own, length), left, 0).astype(np.int32)

    def places(self, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the sequence of positions in `codes`, and where in it they are."""
        piece = np.searchsorted(self.bounds, starts, side="right") - 1
        return self.sequence[piece], self.origin[piece] + starts - self.bounds[piece]


@dataclass
class Letters:
    """Sequences to scan; `lengths` (and `names`, for FASTA) are complete once `sequences` has run to its end.

    Attributes
    ----------
    source : object
        A path, an array, or a compact container.
    alphabet : sequence of str
        The four letters, for FASTA.
    names : list of str or None
        Of FASTA records or of given sequences; None where rows have only numbers.
    loci : DataFrame or None
        chrom, start, end of each sequence.
    lengths : list of int
        Letters in each sequence read so far.
    """

    source: Any
    alphabet: Sequence[str]
    names: list[str] | None = None
    loci: Any = None
    lengths: list[int] = field(default_factory=list)

    def sequences(self) -> Iterator[np.ndarray]:
        """Yield the codes of one sequence after the other."""
        self.lengths.clear()
        for codes in self._records() if isinstance(self.source, Path) else self._rows():
            self.lengths.append(len(codes))
            yield codes

    def stretches(self, size: int, widest: int) -> Iterator[Stretch]:
        """Yield stretches of about `size` letters, and of no more than that and `widest`."""
        parts: list[np.ndarray] = []
        facts: list[tuple[int, int, int]] = []  # sequence, origin, own
        filled = 0
        for number, codes in enumerate(self.sequences()):
            at = 0
            while at < len(codes):
                own = min(len(codes) - at, size - filled)
                parts.append(codes[at : at + own + widest - 1])
                facts.append((number, at, own))
                filled += own
                at += own
                if filled >= size:
                    yield _stretch(parts, facts)
                    parts, facts, filled = [], [], 0
        if parts:
            yield _stretch(parts, facts)

    def _records(self) -> Iterator[np.ndarray]:
        table = np.full(256, UNKNOWN, np.uint8)
        for code, letter in enumerate(self.alphabet):
            table[[ord(letter.upper()), ord(letter.lower())]] = code
        names = self.names = []
        opened = gzip.open if self.source.suffix in {".gz", ".bgz"} else open
        parts: list[bytes] = []
        try:
            with opened(self.source, "rb") as lines:
                for line in lines:
                    if not line.startswith(b">"):
                        parts.append(line.strip())
                        continue
                    if names:
                        yield _translate(parts, table)
                    elif any(parts):
                        raise _bad_fasta(self.source, "text before the first '>'")
                    parts = []
                    words = line[1:].split()
                    names.append(words[0].decode("ascii", "replace") if words else str(len(names)))
        except (OSError, EOFError) as error:
            raise _bad_fasta(self.source, f"a file that cannot be read ({error})") from error
        if not names:
            raise _bad_fasta(self.source, "no record")
        yield _translate(parts, table)

    def _rows(self) -> Iterator[np.ndarray]:
        for start in range(0, int(self.source.shape[0]), _ROWS):
            rows = self.source[start : start + _ROWS]
            yield from rows.to_codes("cpu").numpy() if hasattr(rows, "to_codes") else _codes(rows)


def _stretch(parts: list[np.ndarray], facts: list[tuple[int, int, int]]) -> Stretch:
    sequence, origin, own = (np.array(column, np.int64) for column in zip(*facts, strict=True))
    bounds = np.cumsum([0, *(len(part) for part in parts)])
    return Stretch(np.concatenate(parts), sequence, origin, bounds, own)


def _translate(parts: list[bytes], table: np.ndarray) -> np.ndarray:
    return np.frombuffer(b"".join(parts).translate(table.tobytes()), np.uint8)


def _codes(rows: Any) -> np.ndarray:
    """One-hot rows ``(n, 4, L)`` to codes."""
    one_hot = rows.detach().cpu().numpy() if isinstance(rows, torch.Tensor) else np.asarray(rows)
    known = one_hot.astype(bool)
    total = known.sum(axis=1, dtype=np.uint8)
    if total.size and (int(total.max()) > 1 or not np.array_equal(known, one_hot)):
        need = "one-hot: 0 or 1, at most one base a position"
        raise problem("fimo", "sequences", got="entries that are not one-hot", need=need, do="encode the sequences")
    ones = known.view(np.uint8)
    codes: np.ndarray = ones[:, 1] + 2 * ones[:, 2] + 3 * ones[:, 3] + UNKNOWN * (total == 0).view(np.uint8)
    return codes


def _bad_fasta(path: Path, got: str) -> Exception:
    return problem("fimo", str(path), got=got, need="a FASTA file", do="check the path", kind=FormatError)


def as_letters(sequences: Any, alphabet: Sequence[str]) -> Letters:
    """Take what the user gave to scan.

    Raises
    ------
    NbinterpError
        For another alphabet than four letters, a file that is absent, or an array of another shape.
    """
    letters = [str(letter) for letter in alphabet]
    if len(letters) != 4 or any(len(letter) != 1 for letter in letters):
        raise problem("fimo", "alphabet", got=letters, need="four letters", do="pass for example ['A', 'C', 'G', 'T']")
    if isinstance(sequences, (str, os.PathLike)):
        path = Path(sequences)
        if not path.is_file():
            raise _bad_fasta(path, "a path to no file")
        return Letters(path, letters)
    if isinstance(sequences, Sequences):
        return Letters(sequences.X, letters, list(sequences.names), sequences.loci)
    shape = tuple(getattr(sequences, "shape", ()))
    if len(shape) != 3 or shape[1] != 4:
        got = f"shape {shape}" if shape else f"a {type(sequences).__name__}"
        raise problem("fimo", "sequences", got=got, need="a FASTA path or one-hot (N, 4, L)", do="add the batch axis")
    return Letters(sequences, letters)
