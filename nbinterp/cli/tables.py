"""Tables as a shell wants them: written row by row, and read back.

In: data frames, one after the other.  Out: one TSV or BED file, gzipped where its name says so, whole or not at all; or
standard output.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from ..core.files import writing
from ..errors import FormatError, problem
from ..sequence.loci import read_loci

__all__ = ["SUFFIXES", "as_bed", "as_tsv", "read_spans", "wants_bed", "write_tables"]

SUFFIXES = {".gz", ".bgz"}


def wants_bed(asked: bool, out: Path | None) -> bool:
    """Whether BED is asked for, by the option or by the file's name."""
    return asked or (out is not None and (out.with_suffix("") if out.suffix in SUFFIXES else out).suffix == ".bed")


def write_tables(
    tables: Iterable[pd.DataFrame], out: Path | None, *, columns: list[str] | None = None, header: bool = True
) -> None:
    """Write tables under one another, holding one at a time; numbers have six digits.

    `columns` are which, in which order, and are the header even of no table; by default those of each table.
    """
    with _opened(out) as text:
        if columns is not None and header:
            text.write("\t".join(columns) + "\n")
            header = False
        for table in tables:
            as_tsv(table, text, columns=columns, header=header)
            header = False


def as_tsv(table: pd.DataFrame, text: IO[str], *, columns: list[str] | None, header: bool) -> None:
    """Write the rows of a table as every table of a command is written."""
    table.to_csv(text, sep="\t", columns=columns, header=header, index=False, float_format="%.6g", lineterminator="\n")


@contextmanager
def _opened(out: Path | None) -> Iterator[IO[str]]:
    if out is None:
        yield sys.stdout
        sys.stdout.flush()  # here, where a reader that went away is still ours to notice
        return
    with writing(out) as temporary:
        opened: Any = gzip.open if out.suffix in SUFFIXES else open
        with opened(temporary, "wt", encoding="utf-8", newline="") as text:
            yield text


def as_bed(table: pd.DataFrame, place: list[str]) -> pd.DataFrame:
    """Give the six columns of BED, then score and p-value; BED's own score is -10 log10 p, from 0 to 1,000.

    Blanks in a name become underscores, since some readers of BED part columns there.
    """
    p = table["p-value"].to_numpy(np.float64)
    ranked = np.rint(-10 * np.log10(np.maximum(p, 1e-100))).clip(0, 1000).astype(np.int64)
    return pd.DataFrame(
        {
            **{name: table[column].to_numpy() for name, column in zip(("chrom", "start", "end"), place, strict=True)},
            "name": table["name"].astype(str).str.replace(r"\s+", "_", regex=True).to_numpy(),
            "rank": ranked,
            "strand": table["strand"].to_numpy(),
            "score": table["score"].to_numpy(),
            "p-value": p,
        }
    )


def read_spans(where: str, path: Path) -> pd.DataFrame:
    """Read spans: a TSV with a header (chrom or example_idx, start, end, ...), or BED."""
    opened: Any = gzip.open if path.suffix in SUFFIXES else open
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            first = next((line for line in lines if line.strip()), "")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _bad(where, path, f"a file that cannot be read ({error})") from error
    columns = first.rstrip("\r\n").lstrip("#").split("\t")
    if "start" not in columns:
        return read_loci(where, path)
    table = pd.read_csv(path, sep="\t")
    table = table.rename(columns={table.columns[0]: str(table.columns[0]).lstrip("#")})
    if "end" not in table or not {"chrom", "example_idx"} & set(table):
        raise _bad(where, path, f"columns {', '.join(columns)}")
    return table


def _bad(where: str, path: Path, got: str) -> Exception:
    need = "a TSV with columns start, end and chrom or example_idx, or BED"
    return problem(where, str(path), got=got, need=need, do="check the file", kind=FormatError)
