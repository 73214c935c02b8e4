"""The MEME motif format, in and out.

In: text of MEME version 4 or later, as MEME, JASPAR, HOCOMOCO and the Regulatory Genomics groups write it.  Out: a
`MotifSet`.  Source: the MEME suite's format page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import torch

from ..core.files import writing
from ..errors import FormatError
from .motifset import MotifSet
from .text import bad_file, check_names, numbers, read_lines

__all__ = ["read_meme", "write_meme"]

_PAIR = re.compile(r"(\w+)=\s*(\S+)")


def read_meme(
    filename: str | os.PathLike[str], n_motifs: int | None = None, *, dtype: torch.dtype = torch.float32
) -> MotifSet:
    r"""Read motifs from a MEME file.

    Parameters
    ----------
    filename : path
        The file.
    n_motifs : int, optional
        Read only the first so many.
    dtype : torch.dtype
        Of the matrices.

    Returns
    -------
    MotifSet
        A mapping from name to ``(4, w)`` probabilities, in the order of the file; a name is the identifier, with
        the alternate name after a blank where there is one, as tangermeme has it.

    Raises
    ------
    FormatError
        Naming the line, when the file is no MEME file or a matrix is malformed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.meme"
    >>> write_meme(path, MotifSet({"GATA": torch.eye(4)[:, [2, 0, 3, 0]]}))
    >>> read_meme(path).consensus("GATA")
    'GATA'
    """
    lines = read_lines("read_meme", filename, "a MEME file")
    if not any(line.startswith("MEME version") for line in lines[:20]):
        raise _bad(filename, "no 'MEME version' in its first lines", "a MEME file", "convert it")
    names: list[str] = []
    alternate: list[str] = []
    sites: list[int] = []
    matrices: list[torch.Tensor] = []
    background = [0.25] * 4
    at = 0
    while at < len(lines) and (n_motifs is None or len(matrices) < n_motifs):
        line = lines[at].strip()
        at += 1
        if line.startswith("ALPHABET") and "ACGT" not in line.replace(" ", ""):
            raise _bad(filename, f"{line!r} in line {at}", "ALPHABET= ACGT", "convert it")
        if line.startswith("Background letter frequencies") and at < len(lines):
            background = _background(filename, lines[at], at + 1) or background
        elif line.startswith("MOTIF"):
            words = line.split(maxsplit=2)
            if len(words) < 2:
                raise _bad(filename, f"a motif without a name in line {at}", "MOTIF name", "name it")
            alternate.append(words[2].strip() if len(words) > 2 else "")
            names.append(" ".join(words[1:]))
        elif line.startswith("letter-probability matrix"):
            if len(names) != len(matrices) + 1:
                raise _bad(filename, f"a matrix without MOTIF before it in line {at}", "MOTIF first", "add it")
            facts = dict(_PAIR.findall(line))
            matrix, at = _matrix(filename, lines, at, _width(filename, facts, at), dtype)
            matrices.append(matrix)
            sites.append(_sites(facts))
    if not matrices:
        raise _bad(filename, "no motif", "at least one", "check it")
    if len(names) != len(matrices):
        raise _bad(filename, f"motif {names[-1]!r} without a matrix", "one each", "check that the file is whole")
    check_names("read_meme", filename, names)
    return MotifSet(
        matrices,
        names,
        alternate=alternate,
        n_sites=sites,
        background=background,
        source=os.fspath(filename),
    )


def _background(filename: str | os.PathLike[str], text: str, line: int) -> list[float] | None:
    """Four frequencies, or None of a line that has none: some writers leave them out."""
    words = text.split()
    if words[0::2] != ["A", "C", "G", "T"]:
        return None
    found = numbers(words[1::2])
    if found is None or len(found) != 4 or min(found) < 0 or sum(found) <= 0:
        raise _bad(filename, f"{text.strip()!r} in line {line}", "frequencies of A C G T", "check it")
    return found


def _width(filename: str | os.PathLike[str], facts: dict[str, str], line: int) -> int | None:
    """Columns that the header promises, or None where it does not say."""
    word = facts.get("w")
    if word is not None and not (word.isdigit() and int(word) > 0):
        raise _bad(filename, f"w= {word} in line {line}", "at least one column", "drop the motif")
    return None if word is None else int(word)


def _sites(facts: dict[str, str]) -> int:
    try:
        return int(float(facts.get("nsites", 0)))
    except ValueError:
        return 0  # some writers put a word for what they do not know


def _matrix(
    filename: str | os.PathLike[str], lines: list[str], at: int, width: int | None, dtype: torch.dtype
) -> tuple[torch.Tensor, int]:
    """Read rows of four numbers: as many as the header says, or up to the first other line."""
    rows: list[list[float]] = []
    while at < len(lines) and (width is None or len(rows) < width):
        words = lines[at].split()
        if not words and not rows:
            at += 1
            continue
        row = numbers(words) or []
        if len(row) != 4:
            if width is None:
                break
            need = f"row {len(rows) + 1} of {width}, four finite numbers"
            raise _bad(filename, f"{lines[at].strip()!r} in line {at + 1}", need, "check it")
        rows.append(row)
        at += 1
    if not rows or (width is not None and len(rows) != width):
        raise _bad(filename, f"{len(rows)} rows up to line {at}", f"{width} rows", "check that the file is whole")
    if at < len(lines) and len(numbers(lines[at].split()) or []) == 4:
        raise _bad(filename, f"a further row in line {at + 1}", f"{width} rows, as w= says", "correct w=")
    return torch.tensor(rows, dtype=dtype).T.contiguous(), at


def _bad(filename: str | os.PathLike[str], got: str, need: str, do: str) -> FormatError:
    return bad_file("read_meme", filename, got, need, do)


def write_meme(filename: str | os.PathLike[str], motifs: MotifSet | Mapping[str, Any]) -> None:
    r"""Write a motif set, or matrices ``(4, w)`` by name, as a MEME version 4 file.

    Parameters
    ----------
    filename : path
        Written whole or not at all.
    motifs : MotifSet or mapping of names to arrays (4, w)
        Probabilities, rows ACGT; they are written with six decimals, with the set's background and numbers of sites.

    Raises
    ------
    NbinterpError
        For matrices that are no motifs; see `MotifSet`.

    Notes
    -----
    The format: https://meme-suite.org/meme/doc/meme-format.html.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.meme"
    >>> write_meme(path, {"A": torch.eye(4)[:, :1]})
    >>> path.read_text().splitlines()[0]
    'MEME version 4'
    """
    motifs = motifs if isinstance(motifs, MotifSet) else MotifSet(motifs)
    frequencies = " ".join(f"{b} {f:.6g}" for b, f in zip("ACGT", motifs.background, strict=True))
    parts = [f"MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\n{frequencies}\n"]
    for (name, matrix), n_sites in zip(motifs.items(), motifs.n_sites, strict=True):
        head = f"letter-probability matrix: alength= 4 w= {matrix.shape[1]} nsites= {n_sites} E= 0"
        rows = "\n".join(" ".join(f"{value:.6f}" for value in column) for column in matrix.T.tolist())
        parts.append(f"MOTIF {name}\n{head}\n{rows}\n")
    with writing(filename) as temporary:
        temporary.write_text("\n".join(parts))
