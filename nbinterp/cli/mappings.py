"""Fi-NeMo's files about motifs: what a motif is called, where it ends, what it costs.

In: tab-separated files without a header.  Out: rows, and values by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import FormatError, problem

__all__ = ["read_mapping", "read_names"]

_WHERE = "hits call"


def read_names(argument: str, path: str | None) -> list[str] | None:
    """The first column; None of no file."""
    return None if path is None else [row[0] for row in _rows(argument, path, 1)]


def read_mapping(argument: str, path: str | None, kind: Callable[[str], Any], columns: int = 1) -> dict[str, Any]:
    """Values by the name in the first column, tuples where there are several columns; nothing of no file."""
    out: dict[str, Any] = {}
    for name, *values in [] if path is None else _rows(argument, path, 1 + columns):
        if name in out:
            raise _bad(argument, f"{name} twice in {path}", "each motif once", "remove one of them")
        try:
            found = tuple(kind(value) for value in values[:columns])
        except ValueError as error:
            raise _bad(argument, f"{error} for {name} in {path}", "numbers after the name", "mend the file") from error
        out[name] = found[0] if columns == 1 else found
    return out


def _rows(argument: str, path: str, columns: int) -> list[list[str]]:
    """Rows of at least so many columns; blank lines are none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(argument, f"{path} ({error})", "a text file", "check the path") from error
    rows = [
        (number, [cell.strip() for cell in line.split("\t")]) for number, line in enumerate(lines, 1) if line.strip()
    ]
    for number, row in rows:
        if len(row) < columns:
            got = f"{len(row)} columns in line {number} of {path}"
            raise _bad(argument, got, f"{columns}, separated by tabs", "mend the file")
    return [row for _, row in rows]


def _bad(argument: str, got: str, need: str, do: str) -> Exception:
    return problem(_WHERE, argument, got=got, need=need, do=do, kind=FormatError)
