"""Motif files of any known format.

In: a path, or "jaspar".  Out: a `MotifSet`; or the file, from one.  What a file is shows in its first lines, what it
shall be in its suffix, and either can be said.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch

from ..core.batches import resolve_dtype
from ..core.check import check_choice
from ..core.files import writing
from ..errors import problem
from .homer import read_homer, write_homer
from .jaspar import read_jaspar, write_jaspar
from .jaspar_core import core_motifs
from .meme import read_meme, write_meme
from .modisco import read_modisco
from .motifset import MotifSet
from .text import bad_file, numbers, read_lines
from .transfac import read_transfac, write_transfac

__all__ = ["read_motifs", "write_motifs"]

Path_ = str | os.PathLike[str]


def _read_arrays(filename: Path_, *, dtype: torch.dtype) -> MotifSet:
    """Read numpy's archive of matrices by name."""
    try:
        with np.load(filename, allow_pickle=False) as held:
            matrices = {name: torch.from_numpy(held[name]).to(dtype) for name in held.files}
    except (OSError, ValueError, TypeError) as error:
        raise bad_file("read_motifs", filename, str(error), "an .npz file of matrices (4, w) by name") from error
    return MotifSet(list(matrices.values()), list(matrices), source=os.fspath(filename))


def _write_arrays(filename: Path_, motifs: MotifSet) -> None:
    with writing(filename) as temporary, temporary.open("wb") as out:
        np.savez_compressed(out, **{name: motifs[name].numpy() for name in motifs})  # type: ignore[arg-type]


def _read_modisco(filename: Path_, *, dtype: torch.dtype) -> MotifSet:
    return read_modisco(filename, arrays=False).motifs(dtype=dtype)


_READERS: Final[Mapping[str, Callable[..., MotifSet]]] = MappingProxyType({
    "meme": read_meme, "jaspar": read_jaspar, "transfac": read_transfac, "homer": read_homer,
    "modisco": _read_modisco, "npz": _read_arrays,
})  # fmt: skip
_WRITERS: Final[Mapping[str, Callable[[Path_, MotifSet], None]]] = MappingProxyType({
    "meme": write_meme, "jaspar": write_jaspar, "transfac": write_transfac, "homer": write_homer, "npz": _write_arrays,
})  # fmt: skip
_SUFFIXES: Final[Mapping[str, str]] = MappingProxyType({
    ".meme": "meme", ".jaspar": "jaspar", ".pfm": "jaspar", ".transfac": "transfac", ".dat": "transfac",
    ".homer": "homer", ".motif": "homer", ".motifs": "homer", ".npz": "npz",
})  # fmt: skip


def read_motifs(filename: Path_, format: str | None = None, *, dtype: torch.dtype | str = torch.float32) -> MotifSet:  # noqa: A002 - the word users look for
    r"""Read motifs from a file, whatever its format.

    Parameters
    ----------
    filename : path
        Text may be gzipped.  "jaspar", where no file has that name, is the set that `load_jaspar` gives of vertebrates;
        "jaspar:plants", "jaspar:all" and so on are those of other taxonomic groups.  Wherever a function takes the path
        of a motif file, it takes these names.
    format : {"meme", "jaspar", "transfac", "homer", "modisco", "npz"}, optional
        Recognised by the file's first lines, not by its name.  "modisco" is the HDF5 file of TF-MoDISco, of which
        `read_modisco` gives all; here its patterns, with their contribution weights.
    dtype : torch.dtype or str
        Of the matrices; or its name, such as "float64".

    Returns
    -------
    MotifSet
        Probabilities ``(4, w)`` by name, in the order of the file.

    Raises
    ------
    FormatError
        When the format is not known, or the file is not what it should be.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "motifs.txt"
    >>> write_motifs(path, MotifSet({"GA": torch.eye(4)[:, [2, 0]]}), "transfac")
    >>> read_motifs(path).consensus("GA")
    'GA'
    >>> len(read_motifs("jaspar:fungi"))
    193
    """
    dtype = resolve_dtype(dtype, None)
    if format is not None:
        check_choice("read_motifs", "format", format, _READERS)
    elif isinstance(filename, str) and filename.partition(":")[0] == "jaspar" and not Path(filename).is_file():
        tax_group = filename.partition(":")[2] or "vertebrates"
        return core_motifs("read_motifs", None if tax_group == "all" else tax_group, dtype)
    return _READERS[format or _recognised(filename)](filename, dtype=dtype)


def write_motifs(filename: Path_, motifs: MotifSet | Mapping[str, Any], format: str | None = None) -> None:  # noqa: A002
    r"""Write motifs to a file, in the format that its suffix names.

    Parameters
    ----------
    filename : path
        Written whole or not at all.
    motifs : MotifSet or mapping of names to arrays (4, w)
        Probabilities, rows ACGT.  Text has six decimals or digits; .npz keeps the numbers as they are.
    format : {"meme", "jaspar", "transfac", "homer", "npz"}, optional
        By the suffix: .meme, .jaspar, .pfm, .transfac, .dat, .homer, .motif, .motifs, .npz.

    Raises
    ------
    NbinterpError
        When neither says the format, or the matrices are no motifs.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.jaspar"
    >>> write_motifs(path, {"GA": torch.eye(4)[:, [2, 0]]})
    >>> read_motifs(path).names
    ('GA',)
    """
    named = format or _SUFFIXES.get(Path(filename).suffix.lower(), "")
    if not named:
        need = f"a suffix of {', '.join(_SUFFIXES)}"
        raise problem("write_motifs", "filename", got=os.fspath(filename), need=need, do="pass format= instead")
    check_choice("write_motifs", "format", named, _WRITERS)
    _WRITERS[named](filename, motifs if isinstance(motifs, MotifSet) else MotifSet(motifs))


def _recognised(filename: Path_) -> str:
    """The format that a file's first lines show."""
    try:
        with Path(filename).open("rb") as file:
            magic = file.read(8)
    except OSError as error:
        got = f"a file that cannot be read ({error})"
        raise bad_file("read_motifs", filename, got, "a motif file", "check the path") from error
    if magic == b"\x89HDF\r\n\x1a\n":
        return "modisco"
    if magic.startswith(b"PK"):
        return "npz"
    lines = [line for line in read_lines("read_motifs", filename, "a motif file") if line.strip()]
    if any(line.startswith("MEME version") for line in lines[:20]):
        return "meme"
    if lines and lines[0].startswith(">"):
        # HOMER's header has fields between tabs and its rows are positions; JASPAR's four rows are letters
        row = numbers(lines[1].split()) if len(lines) > 1 else None
        n = next((i for i, line in enumerate(lines[1:]) if line.startswith(">")), len(lines) - 1)
        positions = row is not None and len(row) == 4
        return "homer" if positions and (n != 4 or lines[0].count("\t") >= 2) else "jaspar"
    if any(line[:2].upper() in {"P0", "PO"} for line in lines):
        return "transfac"
    need = "MEME, JASPAR, TRANSFAC, HOMER, TF-MoDISco HDF5 or .npz"
    first = repr(lines[0][:40]) if lines else "nothing"
    raise bad_file("read_motifs", filename, f"a file that begins with {first}", need, "pass format=")
