"""Motifs side by side, as an alignment puts them.

In: two motifs with the offset and strand of `tomtom`.  Out: matrices of one width, zero where a motif is absent, so that
logos drawn from them stand aligned.  `motif_similarity` finds alignments without a null: one number a pair.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from ..core.check import check_choice
from ..errors import problem
from .tomtom import motif_matrices
from .tomtom_targets import lay_targets

__all__ = ["AlignedMotifs", "MotifSimilarity", "align_motifs", "motif_similarity"]


class AlignedMotifs(NamedTuple):
    """Query and target ``(4, W)``, zero where absent, and the first columns of each."""

    query: np.ndarray
    target: np.ndarray
    query_start: int
    target_start: int


class MotifSimilarity(NamedTuple):
    """The similarity of each query with each target ``(queries, targets)``, and the alignment that gives it."""

    similarity: np.ndarray
    offset: np.ndarray
    overlap: np.ndarray
    strand: np.ndarray


def align_motifs(query: Any, target: Any, offset: int, strand: str | int = "+") -> AlignedMotifs:
    """Put a query and a target on one axis.

    Parameters
    ----------
    query, target : array or tensor (4, w)
        The motifs.
    offset : int
        Where the query's first column falls in the target, as `tomtom` gives it.
    strand : str or int
        "-" or 1 turns the target round first, as `tomtom` did.

    Returns
    -------
    AlignedMotifs
        `query` and `target` float64 ``(4, W)``, in the units that they have, zero where they have no column; W is the span
        of both; `query_start` and `target_start` the first columns of each.

    Raises
    ------
    NbinterpError
        For another strand, or motifs that are no matrices.

    Examples
    --------
    >>> pair = align_motifs(np.ones((4, 3)), np.ones((4, 4)), offset=-1)
    >>> pair.query[0].tolist(), pair.target[0].tolist()
    ([1.0, 1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0, 1.0])
    """
    if strand not in ("+", "-", 0, 1):
        raise problem("align_motifs", "strand", got=repr(strand), need="'+', '-', 0 or 1", do="take it from tomtom")
    _, (one,) = motif_matrices("align_motifs", "query", [query])
    _, (other,) = motif_matrices("align_motifs", "target", [target])
    if len(one) != len(other):
        got, need = f"{len(other)} rows, and a query of {len(one)}", "the same letters"
        raise problem("align_motifs", "target", got=got, need=need, do="re-encode one of them")
    if strand in ("-", 1):
        other = other[::-1, ::-1]
    offset = int(offset)
    query_start, target_start = max(offset, 0), max(-offset, 0)
    width = max(query_start + one.shape[1], target_start + other.shape[1])
    padded = np.zeros((2, len(one), width))
    padded[0, :, query_start : query_start + one.shape[1]] = one
    padded[1, :, target_start : target_start + other.shape[1]] = other
    return AlignedMotifs(padded[0], padded[1], query_start, target_start)


def motif_similarity(
    Qs: Any,
    Ts: Any = None,
    *,
    method: Literal["pearson", "euclidean"] = "pearson",
    min_overlap: int = 1,
    reverse_complement: bool = True,
) -> MotifSimilarity:
    """Compare motifs plainly: the best correlation, or the least distance, over all alignments.

    Every column is centred first; columns that hang over are compared with a flat one.  So a motif has similarity 1 (or
    distance 0) with itself alone, and short overlaps cannot look good.

    Parameters
    ----------
    Qs, Ts : MotifSet, mapping or sequence of matrices (4, w)
        What to compare; without `Ts` the queries with one another.
    method : "pearson" or "euclidean"
        Correlation of the aligned matrices, or minus their distance: larger is more alike either way.
    min_overlap : int
        Columns that an alignment shares at least (at most the shorter width counts).
    reverse_complement : bool
        Try the reverse complement of each target too; ties go to the + strand.

    Returns
    -------
    MotifSimilarity
        `similarity` float64 and `offset`, `overlap`, `strand` int64, each ``(n_Qs, n_Ts)``: from -1 to 1 (0 of a motif
        that says nothing) for "pearson", 0 and below for "euclidean"; the others as `tomtom` has them.

    Raises
    ------
    NbinterpError
        For another method, or motifs that are no matrices of finite numbers.

    Examples
    --------
    >>> gata = np.eye(4)[:, [2, 0, 3, 0]]
    >>> found = motif_similarity([gata], [gata[::-1, ::-1], gata[:, :3]])
    >>> found.similarity.round(3).tolist(), found.strand.tolist()
    ([[1.0, 0.866]], [[1, 0]])
    """
    where = "motif_similarity"
    check_choice(where, "method", method, ["pearson", "euclidean"])
    queries = [_centred(one) for one in motif_matrices(where, "Qs", Qs)[1]]
    targets = queries if Ts is None else [_centred(one) for one in motif_matrices(where, "Ts", Ts)[1]]
    both = lay_targets(targets + [one[::-1, ::-1] for one in targets] if reverse_complement else targets)
    n = len(targets)
    size = np.sqrt(np.add.reduceat(both.norms, np.cumsum(both.lengths) - both.lengths))[:n]
    out = MotifSimilarity(np.empty((len(queries), n)), *np.empty((3, len(queries), n), np.int64))
    for row, query in enumerate(queries):
        width = query.shape[1]
        layout = both.layout(width)
        products = np.pad(query.T @ both.columns, ((0, 0), (0, 1)))
        n_all = len(layout.target)
        total = sum(products[i].take(layout.columns[i : i + n_all]) for i in range(width))
        offset = np.arange(n_all) - layout.first[layout.target] - (width - 1)
        length = both.lengths[layout.target]
        overlap = np.minimum(offset + width, length) - np.maximum(offset, 0)
        total = np.where(overlap >= np.minimum(min_overlap, np.minimum(width, length)), total, -np.inf)
        best = np.array(
            [f + int(total[f : f + m].argmax()) for f, m in zip(layout.first, layout.n_alignments, strict=True)]
        )
        minus = total[best[n:]] > total[best[:n]] if reverse_complement else np.zeros(n, bool)
        best = np.where(minus, best[-n:], best[:n])
        norm = np.sqrt((query**2).sum())
        if method == "pearson":
            scale = norm * size
            out.similarity[row] = np.divide(total[best], scale, out=np.zeros(n), where=scale > 0)
        else:
            out.similarity[row] = -np.sqrt(np.maximum(norm**2 + size**2 - 2 * total[best], 0))
        out.offset[row], out.overlap[row], out.strand[row] = offset[best], overlap[best], minus
    return out


def _centred(motif: np.ndarray) -> np.ndarray:
    centred: np.ndarray = motif - motif.mean(axis=0)
    return centred
