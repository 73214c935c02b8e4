"""One reading of every table that says what lies where.

In: a table of seqlets, FIMO hits, called hits or one made by hand; or tangermeme's bare integers.  Out: `Annotations`:
columns of integers and the names they stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..core.tables import ANNOTATIONS, check_table
from ..errors import problem

__all__ = ["Annotations", "as_annotations", "read_annotations"]

# What other tables call the columns, best first.
_ALIASES: Final = {
    "example_idx": ("example_idx", "sequence_idx", "peak_id", "sequence_name"),
    "name": ("name", "motif_name", "target", "pattern"),
    "annotation_idx": ("annotation_idx", "motif_idx", "target_idx"),
    "score": ("score", "hit_coefficient"),
}


@dataclass(frozen=True)
class Annotations:
    """Integers, one entry an annotation; `start`, `end` and `strand` (1, -1, or 0 for none) are None where not given."""

    example: np.ndarray
    kind: np.ndarray
    names: tuple[str, ...] | None
    start: np.ndarray | None = None
    end: np.ndarray | None = None
    strand: np.ndarray | None = None


def as_annotations(table: pd.DataFrame) -> pd.DataFrame:
    """Give any table of spans the columns of an annotation table: example_idx, start, end, name, ...

    Parameters
    ----------
    table : DataFrame
        Seqlets, hits of `fimo` (motif_name, sequence_name: its row), called hits (peak_id, hit_coefficient), or by hand.

    Returns
    -------
    DataFrame
        A copy with columns renamed; further ones are kept.

    Raises
    ------
    NbinterpError
        When example_idx, start or end cannot be told, or are no integers.

    Examples
    --------
    >>> hits = pd.DataFrame({"motif_name": ["GATA"], "motif_idx": [3], "sequence_name": [0], "start": [4], "end": [8]})
    >>> list(as_annotations(hits).columns)
    ['name', 'annotation_idx', 'example_idx', 'start', 'end']
    """
    columns = list(check_table("as_annotations", "table", table, {}).columns)
    found = {}
    for name, aliases in _ALIASES.items():
        alias = next((one for one in aliases if one in columns), None)
        if alias is not None and alias != name:
            found[alias] = name
    return check_table("as_annotations", "table", table.rename(columns=found), ANNOTATIONS).copy()


def read_annotations(where: str, X: Any, spans: bool, names: Sequence[str] | None = None) -> Annotations:
    """Read annotations as a table, or as tangermeme's integers: pairs, or with `spans` example, kind, start, end.

    Raises
    ------
    NbinterpError
        For other columns, values that are no whole numbers or negative, or names that are not in `names`.
    """
    if isinstance(X, pd.DataFrame) and any(one in X.columns for one in ("example_idx", *_ALIASES["name"])):
        return _from_table(where, X, names)
    columns = ("example_idx, annotation_idx, start, end" if spans else "example_idx, annotation_idx").split(", ")
    if isinstance(X, (list, tuple)) and len(X):
        parts = [_numbers(one) for one in X]
        X = np.concatenate([one[:, None] if one.ndim == 1 else one for one in parts], axis=1)
        X = X[:, [0, 3, 1, 2]] if spans and X.shape[1] == 4 else X
    values = _numbers(X)
    if values.size == 0:
        values = np.empty((0, len(columns)), np.int64)
    whole = values.dtype.kind in "iub" or (values.dtype.kind == "f" and bool((values == np.trunc(values)).all()))
    if values.ndim != 2 or values.shape[1] != len(columns) or not whole:
        raise problem(
            where, "X", got=f"{values.dtype} of shape {values.shape}",
            need=f"a table with example_idx and name, or integers (n, {len(columns)}): {', '.join(columns)}",
            do="pass one row for each annotation",
        )  # fmt: skip
    values = values.astype(np.int64)
    _not_negative(where, values)
    kept = tuple(names) if names is not None else None
    if kept is not None and len(values) and values[:, 1].max() >= len(kept):
        raise problem(where, "names", got=len(kept), need=f"{values[:, 1].max() + 1} names", do="name every annotation")
    if spans:
        return Annotations(values[:, 0], values[:, 1], kept, values[:, 2], values[:, 3])
    return Annotations(values[:, 0], values[:, 1], kept)


def _numbers(values: Any) -> np.ndarray:
    return numpy_of(values.to_numpy() if isinstance(values, (pd.DataFrame, pd.Series)) else values)


def _not_negative(where: str, values: np.ndarray) -> None:
    if len(values) and values.min() < 0:
        row = int((values < 0).any(axis=1).argmax())
        raise problem(where, "X", got=f"{values[row].tolist()} in row {row}", need="no negatives", do="drop such rows")


def _from_table(where: str, X: pd.DataFrame, names: Sequence[str] | None) -> Annotations:
    table = as_annotations(X)
    _not_negative(where, table[list(ANNOTATIONS)].to_numpy(np.int64))
    if "name" in table.columns:
        known = list(names) if names is not None else _names_of(table)
        if len(set(known)) != len(known):
            twice = next(name for i, name in enumerate(known) if name in known[:i])
            raise problem(where, "names", got=f"{twice!r} twice", need="distinct names", do="name each once")
        kind = pd.Index(known).get_indexer(pd.Index(table["name"]))
        if (kind < 0).any():
            absent = table["name"].iloc[int((kind < 0).argmax())]
            raise problem(where, "names", got=f"no {absent!r}", need="every name in the table", do="add it")
    elif "annotation_idx" in table.columns:
        known, kind = list(names or ()), table["annotation_idx"].to_numpy(np.int64)
    else:
        raise problem(
            where, "X", got=f"columns {', '.join(map(str, X.columns))}", need="a column name or annotation_idx too",
            do="name the seqlets with annotate_seqlets",
        )  # fmt: skip
    strand = None
    if "strand" in table.columns:
        strand = table["strand"].map({"+": 1, "-": -1}).fillna(0).to_numpy(np.int64)
    example, start, end = (table[column].to_numpy(np.int64) for column in ANNOTATIONS)
    return Annotations(example, np.asarray(kind, np.int64), tuple(known) if known else None, start, end, strand)


def _names_of(table: pd.DataFrame) -> list[str]:
    """Names in order of annotation_idx where the table has it for every index, else in order of the alphabet."""
    if "annotation_idx" in table.columns:
        pairs = table[["annotation_idx", "name"]].drop_duplicates().sort_values("annotation_idx")
        if pairs["annotation_idx"].tolist() == list(range(len(pairs))) and pairs["name"].is_unique:
            return [str(name) for name in pairs["name"]]
    return sorted({str(name) for name in table["name"]})
