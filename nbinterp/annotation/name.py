"""Names for seqlets: the known motifs nearest to each.

In: sequences, seqlets, known motifs.  Out: the nearest motifs of each seqlet by TOMTOM on its sequence, as tangermeme's
pair of tensors, or as a table that keeps strand, offset and q-value and goes on to counts, spacings and views.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..core.batches import n_rows, take_rows
from ..core.tables import ANNOTATIONS, check_spans, check_table
from ..motif.formats import read_motifs
from ..motif.tomtom import motif_matrices, tomtom

__all__ = ["annotate_seqlets"]


def annotate_seqlets(
    X: Any,
    seqlets: pd.DataFrame,
    motifs: Any,
    n_nearest: int = 1,
    n_jobs: int = 4,
    *,
    as_table: bool = False,
    **kwargs: Any,
) -> Any:
    """Name seqlets by the motifs nearest to their sequence.

    Parameters
    ----------
    X : tensor (N, 4, L) or compact sequences
        The sequences that the seqlets lie in.
    seqlets : DataFrame
        example_idx, start, end by name, or as its first three columns.
    motifs : MotifSet, mapping of name to matrix (4, w), or path of a motif file (MEME, JASPAR, ...)
        Known motifs.
    n_nearest : int
        How many to give for each seqlet, nearest first.
    n_jobs : int
        Threads.
    as_table : bool
        Give a table instead of two tensors.
    **kwargs
        For `tomtom`.

    Returns
    -------
    indices (S, n_nearest) int32, p-values (S, n_nearest) float64
        Which motifs, and how sure.
    DataFrame, with `as_table`
        The seqlets' columns, then name, annotation_idx, strand, offset, overlap, score, motif_p-value, motif_q-value
        (within the seqlet's comparisons with all motifs), and motif_start, motif_end: where the whole motif lies in the
        sequence, which it may leave.  Rows are seqlets in order, each with its motifs by p-value (column rank).

    Raises
    ------
    NbinterpError
        For seqlets outside their sequences, and as `tomtom`.

    Notes
    -----
    Tangermeme's documentation speaks of -1 where nothing matches; the nearest motif is always given, there and here.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> motifs = {f"m{i}": torch.eye(4)[:, rng.integers(0, 4, 9)] for i in range(30)}
    >>> X = torch.eye(4)[:, rng.integers(0, 4, 50)][None]
    >>> X[0, :, 20:29] = motifs["m3"].flip(0, 1)
    >>> seqlets = pd.DataFrame({"example_idx": [0], "start": [20], "end": [28]})
    >>> named = annotate_seqlets(X, seqlets, motifs, as_table=True)
    >>> named[["name", "strand", "motif_start", "motif_end"]].values.tolist()
    [['m3', '-', 20, 29]]
    """
    where = "annotate_seqlets"
    known = read_motifs(motifs, dtype=torch.float64) if isinstance(motifs, (str, os.PathLike)) else motifs
    names, matrices = motif_matrices(where, "motifs", known)
    spans = _spans(where, X, seqlets)
    n_kept = min(n_nearest, len(names))
    if len(spans):
        found = tomtom(_cut(X, spans), matrices, n_nearest=n_nearest, n_jobs=n_jobs, **kwargs, q_values=True)
    else:
        found = np.empty((7, 0, n_kept))
    if not as_table:
        return torch.from_numpy(found[5].astype(np.int32)), torch.from_numpy(found[0].copy())
    p, score, offset, overlap, strand, which, q = (plane.ravel() for plane in found)
    row = np.repeat(np.arange(len(spans)), n_kept)
    which, offset = which.astype(np.int64), offset.astype(np.int64)
    width = np.array([one.shape[1] for one in matrices])
    table = seqlets.iloc[row].reset_index(drop=True)
    columns = dict(zip(ANNOTATIONS, spans[row].T, strict=True))
    return table.drop(columns=[one for one in columns if one in table]).assign(
        **columns,
        name=np.asarray(names, dtype=object)[which],
        annotation_idx=which,
        strand=np.where(strand == 1, "-", "+"),
        offset=offset,
        overlap=overlap.astype(np.int64),
        score=score,
        **{"motif_p-value": p, "motif_q-value": q},
        motif_start=spans[row, 1] - offset,
        motif_end=spans[row, 1] - offset + width[which],
        rank=np.tile(np.arange(n_kept), len(spans)),
    )


def _spans(where: str, X: Any, seqlets: pd.DataFrame) -> np.ndarray:
    """Example, start and end of each seqlet, held to lie within `X`."""
    if isinstance(seqlets, pd.DataFrame) and not set(ANNOTATIONS) <= set(seqlets.columns) and seqlets.shape[1] >= 3:
        seqlets = seqlets.iloc[:, :3].set_axis(list(ANNOTATIONS), axis=1)
    table = check_table(where, "seqlets", seqlets, ANNOTATIONS)
    return np.stack(check_spans(where, "seqlets", table, n_rows(X), X.shape[-1]), axis=1)


def _cut(X: Any, spans: np.ndarray) -> list[np.ndarray]:
    """The one-hot sequence of each span; rows are decoded once."""
    cut: list[np.ndarray] = [np.empty(0)] * len(spans)
    for example in np.unique(spans[:, 0]).tolist():
        letters = take_rows(X, example, example + 1, device="cpu", dtype=torch.float32)[0].numpy()
        for row in np.flatnonzero(spans[:, 0] == example):
            cut[row] = letters[:, spans[row, 1] : spans[row, 2]]
    return cut
