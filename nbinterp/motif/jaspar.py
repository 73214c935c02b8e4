"""The JASPAR motif format, in and out.

In: text with a header ``>identifier name`` and four rows of counts, with letters and brackets or without (raw PFM).
Out: a `MotifSet`.  Source: the JASPAR database's format page.
"""

from __future__ import annotations

import os

import torch

from ..core.files import writing
from .motifset import MotifSet
from .text import bad_file, check_names, from_counts, numbers, read_lines

__all__ = ["read_jaspar", "write_jaspar"]

_LETTERS = "ACGT"


def read_jaspar(filename: str | os.PathLike[str], *, dtype: torch.dtype = torch.float32) -> MotifSet:
    r"""Read motifs from a JASPAR file.

    Parameters
    ----------
    filename : path
        Gzipped or not.
    dtype : torch.dtype
        Of the matrices.

    Returns
    -------
    MotifSet
        Counts divided by the sum of their column; `n_sites` is the largest sum.  A name is the identifier, with the
        factor's name after a blank, as in JASPAR's MEME files.

    Raises
    ------
    FormatError
        Naming the motif and the line, when rows are missing, unequal, or no counts.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.jaspar"
    >>> _ = path.write_text(">M1 GATA\nA [ 0 9 0 ]\nC [ 0 1 0 ]\nG [ 10 0 0 ]\nT [ 0 0 10 ]\n")
    >>> motifs = read_jaspar(path)
    >>> motifs.names, motifs.consensus(0), motifs.n_sites
    (('M1 GATA',), 'GAT', (10,))
    """
    where = "read_jaspar"
    lines = read_lines(where, filename, "a JASPAR file")
    heads = [i for i, line in enumerate(lines) if line.startswith(">")]
    if not heads:
        raise bad_file(where, filename, "no line that begins with '>'", "a JASPAR file")
    names, alternate, matrices, sites = [], [], [], []
    for head, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        words = lines[head][1:].split(maxsplit=1)
        if not words:
            raise bad_file(where, filename, f"a motif without a name in line {head + 1}", ">identifier name")
        name = " ".join(lines[head][1:].split())
        rows = _rows(filename, name, [(i, lines[i]) for i in range(head + 1, end) if lines[i].strip()])
        matrix, n = from_counts(where, filename, name, rows, dtype)
        names.append(name)
        alternate.append(words[1].strip() if len(words) > 1 else "")
        matrices.append(matrix)
        sites.append(n)
    check_names(where, filename, names)
    return MotifSet(matrices, names, alternate=alternate, n_sites=sites, source=os.fspath(filename))


def _rows(filename: str | os.PathLike[str], name: str, lines: list[tuple[int, str]]) -> list[list[float]]:
    """Four rows of equal length, in the order of their letters where they have any."""
    need = "four rows, of A C G T, of equal length"
    rows: dict[str, list[float]] = {}
    for i, line in lines:
        words = line.replace("[", " ").replace("]", " ").split()
        letter = words.pop(0).upper() if words and words[0].isalpha() else _LETTERS[min(len(rows), 3)]
        values = numbers(words)
        if letter not in _LETTERS or letter in rows or not values:
            raise bad_file("read_jaspar", filename, f"{line.strip()!r} in line {i + 1}", need)
        rows[letter] = values
    lengths = {len(row) for row in rows.values()}
    if len(rows) != 4 or len(lengths) != 1:
        got = f"motif {name!r} with {len(rows)} rows of {sorted(lengths)} numbers"
        raise bad_file("read_jaspar", filename, got, need)
    return [rows[letter] for letter in _LETTERS]


def write_jaspar(filename: str | os.PathLike[str], motifs: MotifSet) -> None:
    r"""Write motifs in JASPAR's format: counts where the number of sites is known, else probabilities.

    Parameters
    ----------
    filename : path
        Written whole or not at all.
    motifs : MotifSet
        Probabilities (4, w), rows ACGT; counts are these times `MotifSet.n_sites`, with six digits.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.jaspar"
    >>> write_jaspar(path, MotifSet({"GA": torch.eye(4)[:, [2, 0]]}, n_sites=[20]))
    >>> path.read_text().splitlines()[:2]
    ['>GA', 'A [ 0 20 ]']
    """
    parts = []
    for name, n_sites in zip(motifs.names, motifs.n_sites, strict=True):
        counts = (motifs.pwm(name).double() * max(n_sites, 1)).tolist()
        rows = [f"{letter} [ {' '.join(f'{v:.6g}' for v in row)} ]" for letter, row in zip("ACGT", counts, strict=True)]
        parts.append("\n".join([f">{name}", *rows]))
    with writing(filename) as temporary:
        temporary.write_text("\n".join(parts) + "\n")
