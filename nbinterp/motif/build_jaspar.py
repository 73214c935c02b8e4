"""How the embedded JASPAR set was made: ``python -m nbinterp.motif.build_jaspar JASPAR2026.sqlite``.

In: a release of the database as SQLite, such as the package pyjaspar on PyPI brings.  Out: the newest version of each
CORE matrix, with its counts exact, in one compressed file beside this one.  pyjaspar 4.0.0, from which the file in this
folder was made: ``pyjaspar/data/JASPAR2026.sqlite``, sha256
4fde0cc35fa91725e8ffb4e4baa51b9af74aab07a1577ecf7f645d6f6026668e; the script refuses another unless told its checksum.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from ..core.files import writing
from ..errors import FormatError, problem

__all__ = ["core_of", "main"]

_SHA256: Final = "4fde0cc35fa91725e8ffb4e4baa51b9af74aab07a1577ecf7f645d6f6026668e"
_OUT: Final = Path(__file__).parent / "data" / "jaspar2026_core.npz"
_NEWEST: Final = """
    SELECT id, base_id || '.' || MAX(CAST(version AS INTEGER)), name
    FROM matrix WHERE collection = 'CORE' GROUP BY base_id ORDER BY base_id
"""  # with a lone MAX, SQLite takes the other columns from the row that holds it


def core_of(path: Path) -> dict[str, np.ndarray]:
    """Read the newest version of each CORE matrix: lines of text, widths, and counts.

    Counts are rows A C G T of one matrix after the other.  A few older matrices were entered as frequencies: their
    fractions are kept apart, so that all counts are what the database has.
    """
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        newest = database.execute(_NEWEST).fetchall()
        facts: dict[tuple[int, str], list[str]] = {}
        for one, tag, value in database.execute("SELECT id, tag, val FROM matrix_annotation ORDER BY local_id"):
            facts.setdefault((one, tag), []).append(value)
        columns: dict[int, dict[str, list[float]]] = {}
        for one, letter, value in database.execute("SELECT id, row, val FROM matrix_data ORDER BY id, col"):
            columns.setdefault(one, {}).setdefault(letter, []).append(value)
    text = [
        "\t".join([matrix, name, *("::".join(facts.get((one, tag), ())) for tag in ("tax_group", "class", "family"))])
        for one, matrix, name in newest
    ]
    matrices = [np.array([columns[one][letter] for letter in "ACGT"]) for one, _, _ in newest]
    counts = np.concatenate([matrix.ravel() for matrix in matrices])
    whole = np.floor(counts)
    at = np.flatnonzero(counts != whole)
    return {
        "text": np.frombuffer("\n".join(text).encode(), np.uint8),
        "widths": np.array([matrix.shape[1] for matrix in matrices], np.uint8),
        "counts": whole.astype("<i4")
        .view(np.uint8)
        .reshape(-1, 4)
        .T.copy(),  # bytes of equal weight pack best together
        "exact": counts[at],
        "exact_at": at.astype(np.int32),
    }


def main() -> None:
    """Check the source and write."""
    parser = argparse.ArgumentParser(description="Pack JASPAR's CORE collection.")
    parser.add_argument("database", type=Path, help="JASPAR's SQLite file")
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument("--sha256", default=_SHA256, help="what the database must be")
    options = parser.parse_args()
    actual = hashlib.sha256(options.database.read_bytes()).hexdigest()
    if actual != options.sha256:
        got, do = f"sha256 {actual}", "check which release it is, then pass --sha256"
        raise problem("build_jaspar", "database", got=got, need=options.sha256, do=do, kind=FormatError)
    with writing(options.out) as temporary, temporary.open("wb") as packed:
        np.savez_compressed(packed, **core_of(options.database))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
