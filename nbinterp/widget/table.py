"""TableView: a table to sort, filter and save.

In: a DataFrame.  Out: a widget; the row that a person chose comes back as a trait, and can move a `LogoView` beside it.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from ..errors import problem
from .base import View, static
from .logo import LogoView

__all__ = ["TableView"]


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

    Attributes
    ----------
    selected : int
        Row of the DataFrame chosen by the reader (by position), -1 for none.

    Examples
    --------
    >>> view = TableView(pd.DataFrame({"a": [1, 2]}))
    >>> view.selected
    -1
    """

    _esm = static("table.js")
    _css = static("logo.css")

    columns = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Unicode().tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True, echo_update=False)
    link = traitlets.Unicode("").tag(sync=True)
    name = traitlets.Unicode("table").tag(sync=True)
    height = traitlets.Int(260).tag(sync=True)

    def __init__(
        self, table: pd.DataFrame, *, logo: LogoView | None = None, name: str = "table", height: int = 260
    ) -> None:
        if not isinstance(table, pd.DataFrame):
            raise problem("TableView", "table", got=f"a {type(table).__name__}", need="a DataFrame", do="convert it")
        kinds = [
            {"name": str(column), "kind": "number" if pd.api.types.is_numeric_dtype(table[column]) else "text"}
            for column in table.columns
        ]
        body = [list(map(_cell, row)) for row in table.itertuples(index=False, name=None)]
        super().__init__(
            columns=json.dumps(kinds),
            rows=json.dumps(body, separators=(",", ":")),
            link=logo.uid if logo is not None else "",
            name=name,
            height=height,
        )


def _cell(value: Any) -> Any:
    """A value as JSON can hold it; missing ones are null."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return None if value is None or value is pd.NA else str(value)
