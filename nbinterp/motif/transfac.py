"""The TRANSFAC motif format, in and out.

In: text of records that end in ``//``, with fields of two letters and a matrix under ``P0`` (or ``PO``), one row a
position.  Out: a `MotifSet`.  Source: the format pages of TRANSFAC and of JASPAR, which exports it.
"""

from __future__ import annotations

import os

import torch

from ..core.files import writing
from .motifset import MotifSet
from .text import bad_file, check_names, from_counts, numbers, read_lines

__all__ = ["read_transfac", "write_transfac"]


def read_transfac(filename: str | os.PathLike[str], *, dtype: torch.dtype = torch.float32) -> MotifSet:
    r"""Read motifs from a TRANSFAC file.

    Parameters
    ----------
    filename : path
        Gzipped or not.
    dtype : torch.dtype
        Of the matrices.

    Returns
    -------
    MotifSet
        Counts divided by the sum of their column; `n_sites` is the largest sum.  A name is the accession (AC) with the
        identifier (ID) or name (NA) after a blank; whichever there is, where there is one.

    Raises
    ------
    FormatError
        Naming the line, when a record has no matrix or no name, or a row is no row of four counts.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.transfac"
    >>> _ = path.write_text("AC M1\nXX\nID GATA\nP0 A C G T\n01 0 0 9 1 G\n02 10 0 0 0 A\nXX\n//\n")
    >>> motifs = read_transfac(path)
    >>> motifs.names, motifs.consensus(0)
    (('M1 GATA',), 'GA')
    """
    where = "read_transfac"
    names, alternate, matrices, sites = [], [], [], []
    fields: dict[str, str] = {}
    rows: list[list[float]] = []
    within = False
    for number, line in enumerate(read_lines(where, filename, "a TRANSFAC file"), 1):
        tag, text = line[:2].strip(), line[2:].strip()
        if tag == "//":
            if rows:  # a file may begin with a record about itself
                name, other = _name(filename, fields, number)
                columns = [list(column) for column in zip(*rows, strict=True)]
                matrix, n = from_counts(where, filename, name, columns, dtype)
                names.append(name)
                alternate.append(other)
                matrices.append(matrix)
                sites.append(n)
            fields, rows, within = {}, [], False
        elif tag.upper() in {"P0", "PO"}:
            if text.upper().split()[:4] != list("ACGT"):
                raise bad_file(where, filename, f"{line!r} in line {number}", "columns A C G T")
            within = True
        elif within and line.split() and line.split()[0].isdigit():
            values = numbers(line.split()[1:5])
            if values is None or len(values) != 4:
                raise bad_file(where, filename, f"{line!r} in line {number}", "a position and four counts")
            rows.append(values)
        else:
            within = False
            fields.setdefault(tag, text)
    if rows:
        raise bad_file(where, filename, "a last record without '//'", "whole records", "check that the file is whole")
    if not matrices:
        raise bad_file(where, filename, "no matrix under P0", "a TRANSFAC file")
    check_names(where, filename, names)
    return MotifSet(matrices, names, alternate=alternate, n_sites=sites, source=os.fspath(filename))


def _name(filename: str | os.PathLike[str], fields: dict[str, str], line: int) -> tuple[str, str]:
    """The name of a record, and the second of its parts."""
    other = fields.get("ID") or fields.get("NA") or ""
    parts = [part for part in dict.fromkeys([fields.get("AC", ""), other]) if part]
    if not parts:
        raise bad_file("read_transfac", filename, f"a record without AC, ID or NA before line {line}", "a name")
    return " ".join(parts), parts[1] if len(parts) > 1 else ""


def write_transfac(filename: str | os.PathLike[str], motifs: MotifSet) -> None:
    r"""Write motifs in TRANSFAC's format: counts where the number of sites is known, else probabilities.

    Parameters
    ----------
    filename : path
        Written whole or not at all.
    motifs : MotifSet
        Probabilities (4, w), rows ACGT; counts are these times `MotifSet.n_sites`, with six digits.  The
        name's first word becomes the accession, the rest the identifier.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.transfac"
    >>> write_transfac(path, MotifSet({"M1 GA": torch.eye(4)[:, [2, 0]]}, n_sites=[20]))
    >>> path.read_text().splitlines()[:5]
    ['AC M1', 'XX', 'ID GA', 'XX', 'P0 A C G T']
    """
    parts = []
    for name, n_sites in zip(motifs.names, motifs.n_sites, strict=True):
        matrix = motifs.pwm(name)
        columns = (matrix.double() * max(n_sites, 1)).T.tolist()
        accession, _, other = name.partition(" ")
        lines = [f"AC {accession}", "XX", *([f"ID {other}", "XX"] if other else []), "P0 A C G T"]
        letters = motifs.consensus(name)
        for i, (column, letter) in enumerate(zip(columns, letters, strict=True), 1):
            lines.append(f"{i:02d} {' '.join(f'{v:.6g}' for v in column)} {letter}")
        parts.append("\n".join([*lines, "XX", "//"]))
    with writing(filename) as temporary:
        temporary.write_text("\n".join(parts) + "\n")
