"""JASPAR's CORE collection, as it comes with the package.

In: nothing, or the name of a taxonomic group.  Out: the motifs, or a table of what is known of each.  The counts are
those of the database, exact; `build_jaspar` made the file, and ``data/JASPAR-LICENSE.txt`` has its licence and citation.

Source: JASPAR 2026, the newest version of each CORE matrix; CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..core.check import check_choice
from .motifset import MotifSet

__all__ = ["RELEASE", "core_motifs", "jaspar_table"]

RELEASE: Final = 2026
_FILE: Final = Path(__file__).parent / "data" / "jaspar2026_core.npz"
_SOURCE: Final = "JASPAR 2026 CORE, non-redundant (CC BY 4.0; https://jaspar.elixir.no)"


class _Core(NamedTuple):
    """The file's contents: one line of facts a matrix, widths (N,), counts one matrix (4, w) after the other."""

    facts: tuple[tuple[str, ...], ...]
    widths: np.ndarray
    counts: np.ndarray


@cache
def _core() -> _Core:
    with np.load(_FILE, allow_pickle=False) as held:
        counts = np.ascontiguousarray(held["counts"].T).view("<i4").ravel().astype(np.float64)
        counts[held["exact_at"]] = held["exact"]
        lines = held["text"].tobytes().decode().split("\n")
        widths = held["widths"].astype(np.int64)
    for one in (counts, widths):
        one.flags.writeable = False
    return _Core(tuple(tuple(line.split("\t")) for line in lines), widths, counts)


def _rows(where: str, tax_group: str | None) -> Sequence[int]:
    facts = _core().facts
    if tax_group is None:
        return range(len(facts))
    check_choice(where, "tax_group", tax_group, dict.fromkeys(one[2] for one in facts))
    return [i for i, one in enumerate(facts) if one[2] == tax_group]


def _counts(rows: Sequence[int]) -> list[np.ndarray]:
    """Give the counts ``(4, w)`` of some matrices."""
    core = _core()
    ends = np.cumsum(4 * core.widths)
    return [core.counts[ends[i] - 4 * core.widths[i] : ends[i]].reshape(4, -1) for i in rows]


def core_motifs(where: str, tax_group: str | None, dtype: torch.dtype) -> MotifSet:
    """Give the motifs of a taxonomic group, or all: counts divided by the sum of their column."""
    rows = _rows(where, tax_group)
    facts = [_core().facts[i] for i in rows]
    counts = _counts(rows)
    totals = [one.sum(axis=0) for one in counts]
    return MotifSet(
        [torch.from_numpy(one / total).to(dtype) for one, total in zip(counts, totals, strict=True)],
        [f"{matrix} {name}" for matrix, name, *_ in facts],
        alternate=[name for _, name, *_ in facts],
        n_sites=[round(total.max()) for total in totals],
        source=_SOURCE,
    )


def jaspar_table(tax_group: str | None = "vertebrates") -> pd.DataFrame:
    """Tabulate what JASPAR knows of its CORE motifs.

    Parameters
    ----------
    tax_group : str, optional
        "vertebrates", "plants", "insects", "fungi", "nematodes", "urochordates", "diatoms"; None for all.

    Returns
    -------
    DataFrame
        One row a motif, in the order and under the `name` that `load_jaspar` gives: `name`, `matrix` (identifier and
        version), `factor`, `tax_group`, `tf_class`, `tf_family` (of the DNA-binding domain, two joined by ``::`` for a
        pair of factors, empty where not known), `width`, `n_sites`.

    Raises
    ------
    NbinterpError
        For another taxonomic group, with the nearest.

    Examples
    --------
    >>> jaspar_table().query("factor == 'CTCFL'")[["matrix", "tf_family", "width"]].values.tolist()
    [['MA1102.3', 'More than 3 adjacent zinc fingers', 8]]
    """
    rows = _rows("jaspar_table", tax_group)
    table = pd.DataFrame(
        [_core().facts[i] for i in rows], columns=["matrix", "factor", "tax_group", "tf_class", "tf_family"]
    )
    table.insert(0, "name", table["matrix"] + " " + table["factor"])
    table["width"] = _core().widths[list(rows)]
    table["n_sites"] = [round(one.sum(axis=0).max()) for one in _counts(rows)]
    return table
