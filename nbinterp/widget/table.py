"""TableView: a table to sort, filter and save, with small pictures in it.

In: a DataFrame, and what is drawn of its rows.  Out: a widget; the row that a person chose comes back as a trait, and can
move a `LogoView` beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from ..core.arrays import numpy_of
from ..errors import problem
from ..live import pack_blocks, quantize
from .base import View, static
from .logo import LogoView

__all__ = ["TableView", "cells_of"]


class TableView(View):
    """A table to sort, filter and save as TSV.

    Parameters
    ----------
    table : DataFrame
        Numbers are shown with three significant digits, and saved as they are.
    logo : LogoView, optional
        Moved to a row's ``example_idx``, ``start`` and ``end`` when it is chosen, with a kernel or without.
    name : str
        Of the saved file, without its suffix.
    height : int
        Of the table's body, in pixels.
    logos : mapping from column to sequence of (4, w), optional
        Motifs, one a row, as probabilities; drawn in bits.  They stand in the place of the column's text, by which rows are
        still sorted, filtered and saved; a column that the table does not have comes last.
    lines : mapping from column to array (n, points) or (n, lines, points), optional
        Curves, some a row; of several the first one is drawn quietly, as what was before.
    intervals : mapping from column to (low, high), optional
        Names of the columns that hold an interval's ends: it is drawn beside the number, on one scale for all rows, and
        the two columns are shown no more (they are saved).

    Attributes
    ----------
    selected : int
        Row of the DataFrame chosen by the reader (by position), -1 for none.

    Examples
    --------
    >>> view = TableView(pd.DataFrame({"a": [1, 2]}))
    >>> view.selected
    -1
    >>> table = pd.DataFrame({"motif": ["AC"], "effect": [0.5], "low": [0.4], "high": [0.6]})
    >>> view = TableView(table, logos={"motif": [np.eye(4)[:, :2]]}, intervals={"effect": ("low", "high")})
    """

    _esm = static("table.js")
    _css = static("logo.css")

    columns = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Unicode().tag(sync=True)
    blocks = traitlets.Unicode("[]").tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True, echo_update=False)
    link = traitlets.Unicode("").tag(sync=True)
    name = traitlets.Unicode("table").tag(sync=True)
    height = traitlets.Int(260).tag(sync=True)

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        logo: LogoView | None = None,
        name: str = "table",
        height: int = 260,
        logos: Mapping[str, Sequence[Any]] | None = None,
        lines: Mapping[str, Any] | None = None,
        intervals: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        if not isinstance(table, pd.DataFrame):
            raise problem("TableView", "table", got=f"a {type(table).__name__}", need="a DataFrame", do="convert it")
        drawn = {**(logos or {}), **(lines or {})}
        table = table.assign(**{label: "" for label in drawn if label not in table.columns})
        kinds: dict[str, dict[str, Any]] = {
            str(column): {
                "name": str(column),
                "kind": "number" if pd.api.types.is_numeric_dtype(table[column]) else "text",
            }
            for column in table.columns
        }
        arrays: dict[str, np.ndarray] = {}
        for label, matrices in (logos or {}).items():
            kinds[label]["picture"] = _logos(label, matrices, len(table), arrays)
        for label, curves in (lines or {}).items():
            kinds[label]["picture"] = _lines(label, curves, len(table), arrays)
        for label, ends in (intervals or {}).items():
            kinds[label]["picture"] = _interval(table, label, ends)
            for end in ends:
                kinds[end]["hidden"] = True
        body = cells_of(table)
        packed = pack_blocks(arrays)
        super().__init__(
            columns=json.dumps(list(kinds.values())),
            rows=json.dumps(body, separators=(",", ":")),
            blocks=json.dumps(packed.blocks),
            data=packed.data,
            link=logo.uid if logo is not None else "",
            name=name,
            height=height,
        )


def _logos(label: str, matrices: Sequence[Any], n: int, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Matrices end to end, a byte a number: a picture needs no more."""
    found = [numpy_of(one) for one in matrices]
    if len(found) != n or any(one.ndim != 2 or one.shape[0] != 4 or (one < 0).any() for one in found):
        raise problem(
            "TableView", f"logos[{label!r}]", got=f"{len(found)} of shape {found[0].shape if found else ()}",
            need=f"{n} of shape (4, w), none below 0", do="pass probabilities, one matrix a row",
        )  # fmt: skip
    scaled = [np.rint(255 * one / np.maximum(one.sum(axis=0, keepdims=True), 1e-12)) for one in found]
    arrays[f"{label} values"] = np.concatenate([one.T for one in scaled] or [np.zeros((0, 4))]).astype(np.uint8)
    arrays[f"{label} at"] = np.cumsum([0, *(one.shape[1] for one in found)]).astype(np.int32)
    return {"kind": "logo", "values": f"{label} values", "at": f"{label} at"}


def _lines(label: str, curves: Any, n: int, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    values = numpy_of(curves)
    values = values[:, None] if values.ndim == 2 else values
    if values.ndim != 3 or len(values) != n:
        raise problem(
            "TableView", f"lines[{label!r}]", got=f"shape {values.shape}", need=f"({n}, points) or ({n}, lines, points)",
            do="pass one curve a row",
        )  # fmt: skip
    arrays[f"{label} values"], arrays[f"{label} scale"] = quantize(values)
    return {
        "kind": "lines", "values": f"{label} values", "scale": f"{label} scale",
        "count": values.shape[1], "points": values.shape[2],
    }  # fmt: skip


def _interval(table: pd.DataFrame, label: str, ends: tuple[str, str]) -> dict[str, Any]:
    names = [str(column) for column in table.columns]
    for name in (label, *ends):
        if name not in names:
            raise problem(
                "TableView", "intervals", got=f"a column {name!r}", need=f"columns of {', '.join(names)}",
                do="name the number and its two ends",
            )  # fmt: skip
    numbers = table[[label, *ends]].to_numpy(float)
    known = numbers[np.isfinite(numbers)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    where = [names.index(name) for name in (label, *ends)]
    return {
        "kind": "interval",
        "value": where[0],
        "low": where[1],
        "high": where[2],
        "range": [min(low, 0), max(high, 0)],
    }


def cells_of(table: pd.DataFrame) -> list[list[Any]]:
    """Rows as JSON can hold them."""
    return [list(map(_cell, row)) for row in table.itertuples(index=False, name=None)]


def _cell(value: Any) -> Any:
    """A value as JSON can hold it; missing ones are null."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return None if value is None or value is pd.NA else str(value)
