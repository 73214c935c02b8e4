"""Annotations as an experiment reads them.

In: a frame with ``example_idx, start, end``, or rows of three integers.  Out: checked triples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from ..core.tables import ANNOTATIONS, check_table
from ..errors import problem

__all__ = ["integer_rows", "read_annotations"]


def integer_rows(where: str, argument: str, table: Any, columns: str) -> np.ndarray:
    """Give a table of integers as (n, columns); further columns are left out.

    Parameters
    ----------
    where, argument : str
        The public function and its argument, for messages.
    table : tensor, array or nested sequence
        n rows of at least as many integers.
    columns : str
        What the columns are, separated by commas.
    """
    values = table.detach().cpu().numpy() if isinstance(table, torch.Tensor) else np.asarray(table)
    wanted = columns.count(",") + 1
    if values.size == 0:
        return np.empty((0, wanted), np.int64)
    whole = values.dtype.kind in "iu" or (values.dtype.kind == "f" and bool((values == np.trunc(values)).all()))
    if values.ndim != 2 or values.shape[1] < wanted or not whole:
        raise problem(
            where, argument, got=f"{values.dtype} of shape {values.shape}", need=f"integers (n, {wanted}): {columns}",
            do="pass one row for each",
        )  # fmt: skip
    return values[:, :wanted].astype(np.int64)


def read_annotations(where: str, annotations: Any, n: int, length: int) -> list[tuple[int, int, int]]:
    """Give annotations as (example_idx, start, end), each within one of n sequences.

    Raises
    ------
    NbinterpError
        When there are none, or one names a sequence that is not there, is empty or leaves its sequence.
    """
    if isinstance(annotations, pd.DataFrame):
        annotations = check_table(where, "annotations", annotations, ANNOTATIONS)[list(ANNOTATIONS)].to_numpy()
    rows = integer_rows(where, "annotations", annotations, "example_idx, start, end")
    if not len(rows):
        raise problem(where, "annotations", got="no annotations", need="at least one", do="check how they were made")
    example, start, end = rows.T
    for bad, need in (
        ((example < 0) | (example >= n), f"example_idx of 0 to {n - 1}"),
        ((start < 0) | (start >= end) | (end > length), f"0 <= start < end <= {length}"),
    ):
        if bad.any():
            row = int(np.argmax(bad))
            raise problem(
                where, "annotations", got=f"({', '.join(map(str, rows[row].tolist()))}) in row {row}", need=need,
                do="drop or correct such annotations",
            )  # fmt: skip
    return [(int(i), int(a), int(b)) for i, a, b in rows]
