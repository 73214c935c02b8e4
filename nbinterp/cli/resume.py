"""One long table, and what a stopped run left of it.

In: tables from the n-th on, and a key of all that their rows depend on.  Out: a file, whole under its name at the end.
Until then ``.NAME.partial`` beside it holds the rows so far, and ``.NAME.partial.json`` says of which run they are, and
how many tables and bytes of them are whole; a run with the same key goes on there.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from ..core.files import explained, writing
from .tables import SUFFIXES, as_tsv

__all__ = ["resume_tables"]


def resume_tables(
    tables_from: Callable[[int], Iterator[pd.DataFrame]],
    out: Path,
    key: str,
    *,
    columns: list[str] | None = None,
    told: Callable[[int], None] = lambda n_kept: None,
) -> None:
    """Write tables under one another, a header above them if there are `columns`; tell how many an earlier run left."""
    rows, state = out.with_name(f".{out.name}.partial"), out.with_name(f".{out.name}.partial.json")
    packed = out.suffix in SUFFIXES
    with explained(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        n_kept, size = _left(rows, state, key)
        if n_kept:
            told(n_kept)
        with rows.open("r+b" if n_kept else "wb") as file:
            file.truncate(size)
            file.seek(size)
            if not n_kept and columns is not None:
                file.write(_bytes("\t".join(columns) + "\n", packed))
            for n, table in enumerate(tables_from(n_kept), n_kept + 1):
                text = io.StringIO()
                as_tsv(table, text, columns=columns, header=False)
                file.write(_bytes(text.getvalue(), packed))
                file.flush()
                with writing(state) as temporary:
                    temporary.write_text(json.dumps({"key": key, "tables": n, "bytes": file.tell()}))
        rows.replace(out)
        state.unlink(missing_ok=True)


def _left(rows: Path, state: Path, key: str) -> tuple[int, int]:
    """Tables and bytes that a run with this key left; none if it is another's, or does not hold together."""
    try:
        told = json.loads(state.read_text())
        n, size = int(told["tables"]), int(told["bytes"])
        return (n, size) if told["key"] == key and size <= rows.stat().st_size else (0, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0


def _bytes(text: str, packed: bool) -> bytes:
    """Members of gzip may stand one after the other."""
    return gzip.compress(text.encode(), 6, mtime=0) if packed else text.encode()
