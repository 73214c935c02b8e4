"""What the readers of motif files share: lines, numbers, and errors that name the line.

In: a path.  Out: its lines; matrices from rows of numbers.
"""

from __future__ import annotations

import gzip
import os

import numpy as np
import torch

from ..errors import FormatError, problem

__all__ = ["bad_file", "check_names", "from_counts", "numbers", "read_lines"]


def bad_file(where: str, path: str | os.PathLike[str], got: str, need: str, do: str = "check the file") -> FormatError:
    """Build the error of a file that is not what its reader needs."""
    error = problem(where, os.fspath(path), got=got, need=need, do=do, kind=FormatError)
    assert isinstance(error, FormatError)
    return error


def check_names(where: str, path: str | os.PathLike[str], names: list[str]) -> None:
    """Hold the names of a file's motifs to be distinct."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise bad_file(where, path, f"motif {name!r} twice", "distinct names", "rename one, or remove it")
        seen.add(name)


def read_lines(where: str, path: str | os.PathLike[str], need: str) -> list[str]:
    """Give the lines of a text file, gzipped or not."""
    opened = gzip.open if os.fspath(path).endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8") as text:
            return text.read().splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        got = f"a file that cannot be read ({error})"
        raise bad_file(where, path, got, need, "check the path") from error


def numbers(words: list[str]) -> list[float] | None:
    """Give words as finite numbers, or None where one is not."""
    try:
        found = [float(word) for word in words]
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def from_counts(
    where: str, path: str | os.PathLike[str], name: str, rows: list[list[float]], dtype: torch.dtype
) -> tuple[torch.Tensor, int]:
    """Divide counts ``(4, w)`` by their column's sum; give the probabilities and the number of sites."""
    counts = np.array(rows, np.float64)
    total = counts.sum(axis=0)
    if counts.size == 0 or counts.min() < 0 or total.min() <= 0:
        raise bad_file(
            where, path, f"motif {name!r} with an empty column or a negative count", "counts of four letters"
        )
    sites = int(np.rint(total.max()))
    return torch.from_numpy(counts / total).to(dtype), sites if sites > 1 else 0
