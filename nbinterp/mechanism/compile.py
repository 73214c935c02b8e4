"""A library and what the model says of it, as a table.

In: a `Library` and predictions.  Out: a DataFrame, a row a sequence: prediction, Hamming distance, global importance,
sequence.

Source: SEAM (`Compiler`), whose column names are an argument away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from ..core.check import check_choice
from ..errors import problem
from .compile_sequence import LazySequences
from .library import Library

__all__ = ["compile_library", "scalar_predictions"]


def compile_library(
    library: Library,
    predictions: Any,
    backgrounds: Any = None,
    *,
    target: int | None = None,
    names: str = "nbinterp",
) -> pd.DataFrame:
    """Put a library and its predictions into a table.

    Parameters
    ----------
    library : Library
        N sequences.
    predictions : tensor or array, (N,) or (N, T)
        For example of ``predict(model, library)``.
    backgrounds : tensor or array, (N,) or (N, T), optional
        Predictions of the same contexts without the motif (`backgrounds_of`), for global importance.
    target : int, optional
        Which of several outputs; needed when T is more than 1.
    names : "nbinterp" or "seam"
        Column names: prediction, hamming, global_importance, sequence; or SEAM's, in its order: DNN, Hamming or GIA,
        Sequence.

    Returns
    -------
    pd.DataFrame
        `hamming` counts the positions that differ from the reference; a global library, which is not made around one,
        has it only without `backgrounds`.  `global_importance` is prediction - background.  `sequence` is written when it
        is looked at.

    Raises
    ------
    NbinterpError
        When rows or outputs do not fit, or a prediction is NaN or infinite.

    Examples
    --------
    >>> from nbinterp.mechanism.library import library_of
    >>> compile_library(library_of(["ACGT", "ACGA"]), np.array([0.5, 0.25]))
       prediction  hamming sequence
    0        0.50        0     ACGT
    1        0.25        1     ACGA
    """
    where = "compile_library"
    check_choice(where, "names", names, ["nbinterp", "seam"])
    y = scalar_predictions(where, "predictions", predictions, len(library), target)
    columns: dict[str, Any] = {"prediction": y}
    if backgrounds is None or library.kind != "global":
        columns["hamming"] = library.n_mutations
    if backgrounds is not None:
        columns["global_importance"] = y - scalar_predictions(where, "backgrounds", backgrounds, len(library), target)
    table = pd.DataFrame({**columns, "sequence": pd.Series(LazySequences(library))})
    if names == "seam":
        theirs = {"prediction": "DNN", "hamming": "Hamming", "global_importance": "GIA", "sequence": "Sequence"}
        table = table.rename(columns=theirs)
    return table


def scalar_predictions(where: str, argument: str, y: Any, n: int, target: int | None) -> np.ndarray:
    """Give one number a row, in the dtype it came in."""
    values = y.detach().cpu().numpy() if isinstance(y, torch.Tensor) else np.asarray(y)
    if values.ndim not in (1, 2) or len(values) != n:
        need = f"({n},) or ({n}, T)"
        raise problem(where, argument, got=f"shape {values.shape}", need=need, do="predict this library")
    if values.ndim == 2:
        n_outputs = values.shape[1]
        if target is None and n_outputs != 1:
            raise problem(where, "target", got="None", need=f"one of {n_outputs} outputs", do="choose one")
        column = 0 if target is None else target
        if not -n_outputs <= column < n_outputs:
            raise problem(where, "target", got=column, need=f"an index into {n_outputs} outputs", do="choose one")
        values = values[:, column]
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        got = f"{values[wrong[0]]} in row {wrong[0]}"
        raise problem(where, argument, got=got, need="finite numbers", do="check the model, or drop such rows")
    return values
