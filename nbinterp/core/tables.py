"""The tables that travel between the parts, one schema each.

Loci, seqlets and annotations are pandas frames; whatever makes one and whatever draws or counts one meet only here.
Positions are 0-based and half-open; ``example_idx`` is the row in ``X``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from ..errors import problem

__all__ = ["ANNOTATIONS", "LOCI", "SEQLETS", "check_spans", "check_table"]

# column -> kind of its values: "int", "float" or "str".  Further columns are welcome and kept.
LOCI: Final = MappingProxyType({"chrom": "str", "start": "int", "end": "int"})
SEQLETS: Final = MappingProxyType({"example_idx": "int", "start": "int", "end": "int", "attribution": "float"})
ANNOTATIONS: Final = MappingProxyType({"example_idx": "int", "start": "int", "end": "int"})


def _is_text(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)


_TESTS: Final[Mapping[str, Callable[[Any], bool]]] = MappingProxyType(
    {"int": pd.api.types.is_integer_dtype, "float": pd.api.types.is_numeric_dtype, "str": _is_text}
)


def check_table(where: str, argument: str, table: object, schema: Mapping[str, str]) -> pd.DataFrame:
    """Hold a frame to a schema and give it back.

    Raises
    ------
    NbinterpError
        When it is no frame, lacks columns (all are named) or holds the wrong kind of value.

    Examples
    --------
    >>> check_table("LogoView", "annotations", pd.DataFrame({"start": [1]}), ANNOTATIONS)
    Traceback (most recent call last):
    ...
    nbinterp.errors.NbinterpError: LogoView(annotations): got columns start; need columns example_idx, ...
    """
    if not isinstance(table, pd.DataFrame):
        raise problem(where, argument, got=f"a {type(table).__name__}", need="a pandas DataFrame", do="convert it")
    missing = [name for name in schema if name not in table.columns]
    if missing:
        have = ", ".join(map(str, table.columns)) or "none"
        raise problem(
            where, argument, got=f"columns {have}", need=f"columns {', '.join(missing)} too", do="add or rename them"
        )
    for name, kind in schema.items():
        if len(table) and not _TESTS[kind](table[name]):
            raise problem(
                where,
                argument,
                got=f"column {name} of {table[name].dtype}",
                need=f"values of kind {kind}",
                do="convert it",
            )
    return table


def check_spans(
    where: str, argument: str, table: pd.DataFrame, n: int, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hold spans to `n` sequences of `length` bases, and give example, start and end (int64).

    Raises
    ------
    NbinterpError
        When a span is empty or outside; the first such row is named.

    Examples
    --------
    >>> check_spans("plot", "hits", pd.DataFrame({"example_idx": [0], "start": [3], "end": [9]}), 1, 8)
    Traceback (most recent call last):
    ...
    nbinterp.errors.NbinterpError: plot(hits): got (0, 3, 9) in row 0; need spans within 1 sequences of 8 bases; ...
    """
    example, start, end = (table[name].to_numpy(np.int64) for name in ANNOTATIONS)
    bad = (example < 0) | (example >= n) | (start < 0) | (start >= end) | (end > length)
    if bad.any():
        row = int(bad.argmax())
        raise problem(
            where,
            argument,
            got=f"({example[row]}, {start[row]}, {end[row]}) in row {row}",
            need=f"spans within {n} sequences of {length} bases",
            do="drop or correct them",
        )
    return example, start, end
