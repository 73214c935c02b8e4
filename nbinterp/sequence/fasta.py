"""FASTA in and out.

In: paths (plain or gzipped), or tensors.  Out: names and strings, windows of a genome, or a FASTA file.  pyfaidx's one
door.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core.files import writing
from ..errors import FormatError, problem
from .compact import CodedSequence, PackedSequence
from .encode import DNA, characters

__all__ = ["Genome", "one_hot_to_fasta", "open_genome", "read_fasta"]


def read_fasta(path: str | os.PathLike[str]) -> dict[str, str]:
    r"""Read all records of a FASTA file, gzipped or not, in order.

    Returns
    -------
    dict
        From the first word of each header to its sequence, with case as it is.

    Raises
    ------
    FormatError
        When the file is absent, is no FASTA, repeats a name or holds an empty record.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "two.fa"
    >>> _ = path.write_text(">a first\nACG\nT\n>b\nGG\n")
    >>> read_fasta(path)
    {'a': 'ACGT', 'b': 'GG'}
    """
    records: dict[str, list[str]] = {}
    name: str | None = None
    opened = gzip.open if os.fspath(path).endswith((".gz", ".bgz")) else open
    try:
        with opened(path, "rt", encoding="ascii") as lines:
            for number, raw in enumerate(lines, 1):
                line = raw.strip()
                if line.startswith(">"):
                    words = line[1:].split()
                    name = words[0] if words else str(len(records))
                    if name in records:
                        raise _bad_fasta(
                            path, f"a second record {name!r} in line {number}", "unique names", "rename one"
                        )
                    records[name] = []
                elif line:
                    if name is None:
                        raise _bad_fasta(
                            path, f"text before the first '>' in line {number}", "a FASTA file", "check it"
                        )
                    records[name].append(line)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _bad_fasta(path, f"a file that cannot be read ({error})", "a FASTA file", "check the path") from error
    empty = [key for key, parts in records.items() if not parts]
    if empty or not records:
        raise _bad_fasta(path, f"record {empty[0]!r} without sequence" if empty else "no record", "records", "check it")
    return {key: "".join(parts) for key, parts in records.items()}


def _bad_fasta(path: str | os.PathLike[str], got: str, need: str, do: str) -> Exception:
    return problem("read_fasta", os.fspath(path), got=got, need=need, do=do, kind=FormatError)


class Genome:
    """Windows of chromosomes, from an indexed FASTA file or from arrays already in memory.

    Parameters
    ----------
    source : pyfaidx.Fasta or mapping
        A mapping holds one-hot ``(A, length)`` arrays by chromosome.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._arrays = isinstance(source, Mapping)
        self.lengths: dict[str, int] = (
            {str(k): int(v.shape[-1]) for k, v in source.items()}
            if self._arrays
            else {str(k): len(source[k]) for k in source.keys()}  # noqa: SIM118 - a Fasta iterates over records
        )

    def text(self, chrom: str, start: int, end: int) -> str:
        """Letters of ``[start, end)``."""
        if self._arrays:
            return characters(np.asarray(self._source[chrom])[:, start:end], allow_N=True)
        return str(self._source[chrom][start:end])

    def array(self, chrom: str, start: int, end: int) -> np.ndarray | None:
        """One-hot of ``[start, end)`` when the chromosomes are arrays, else None."""
        return np.asarray(self._source[chrom])[:, start:end] if self._arrays else None


@contextmanager
def open_genome(where: str, source: Any) -> Iterator[Genome]:
    """Open a FASTA path (indexed beside it on first use), or take a pyfaidx.Fasta or a mapping as it is."""
    if not isinstance(source, (str, os.PathLike)):
        yield Genome(source)
        return
    import pyfaidx

    path = Path(source)
    if not path.is_file():
        raise problem(
            where, "genome", got=f"{path}, which is no file", need="a FASTA file", do="check the path", kind=FormatError
        )
    try:
        fasta = pyfaidx.Fasta(str(path), rebuild=False)
    except (pyfaidx.FastaIndexingError, pyfaidx.UnsupportedCompressionFormat, OSError, ImportError) as error:
        raise problem(
            where,
            "genome",
            got=f"{path} ({error})",
            need="a FASTA file, plain or bgzipped",
            do="gunzip it, or use bgzip",
            kind=FormatError,
        ) from error
    try:
        yield Genome(fasta)
    finally:
        fasta.close()


def one_hot_to_fasta(
    X: torch.Tensor | np.ndarray | PackedSequence | CodedSequence,
    filename: str | os.PathLike[str],
    mode: str = "w",
    headers: Sequence[str] | None = None,
    alphabet: Sequence[str] = DNA,
) -> None:
    r"""Write sequences as FASTA, 80 letters a line, a blank line between records, as tangermeme does.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        Unknown bases become N.
    filename : path
        Written whole or not at all.
    mode : "w" or "a"
        Write anew, or after what is there.
    headers : sequence of str, optional
        One for each sequence; their numbers by default.
    alphabet : sequence of str
        The letters of the rows.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from nbinterp import one_hot_encode
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.fa"
    >>> one_hot_to_fasta(one_hot_encode("ACGT").unsqueeze(0), path)
    >>> path.read_text()
    '> 0\nACGT\n\n'
    """
    n = int(X.shape[0])
    if headers is not None and len(headers) != n:
        raise problem("one_hot_to_fasta", "headers", got=f"{len(headers)} headers", need=f"{n}", do="one a sequence")
    with writing(filename) as temporary:
        if mode == "a" and Path(filename).exists():
            shutil.copyfile(filename, temporary)
        with temporary.open("a") as out:
            for i in range(n):
                text = characters(X[i], alphabet, allow_N=True)
                lines = "\n".join(text[j : j + 80] for j in range(0, len(text), 80))
                out.write(f"> {i if headers is None else headers[i]}\n{lines}\n\n")
