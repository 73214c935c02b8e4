"""TOMTOM: the known motifs that a motif may be.

In: query motifs (or one-hot seqlets, or contribution matrices) and target motifs.  Out: for every pair the p-value of the
best alignment under TOMTOM's null with complete scores, that alignment, and q-values.

Results are those of memelite 0.5.0; nothing is compiled at the first call.  `tomtom_compiled` has the loops that were compiled
when nbinterp was installed; where there was no compiler NumPy gives the same, with the other files called ``tomtom_*``.
Source: Gupta et al., Genome Biology 2007; Tanaka et al., Bioinformatics 2011; Schreiber, memelite.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..errors import NbinterpWarning, problem
from .fdr import q_values as fdr
from .tomtom_alignments import Best, best_alignments
from .tomtom_columns import compare_columns
from .tomtom_compiled import CompiledTomtom
from .tomtom_pvalues import null_of_best
from .tomtom_scores import Scores, score_queries
from .tomtom_scratch import Scratch
from .tomtom_targets import Targets, lay_targets

__all__ = ["motif_matrices", "tomtom"]

_FEW_TARGETS = 25
_CHUNK = 50  # queries taken together
_TABLE = 2**24  # scores that one thread holds at a time
_NULL = 2**22  # bins of spans that one thread holds at a time

P, SCORE, OFFSET, OVERLAP, STRAND, INDEX = range(6)


def tomtom(
    Qs: Any,
    Ts: Any,
    n_nearest: int | None = None,
    n_score_bins: int = 100,
    n_median_bins: int = 1000,
    n_target_bins: int | None = 100,
    n_cache: int = 100,
    reverse_complement: bool = True,
    n_jobs: int = -1,
    *,
    q_values: bool = False,
    as_table: bool = False,
) -> Any:
    """Compare every query with every target.

    Parameters
    ----------
    Qs, Ts : MotifSet, mapping of name to matrix, or sequence of matrices (4, w)
        Queries and targets in the same units: probabilities, one-hot sequence (a zero column is N), contributions.
    n_nearest : int, optional
        Keep this many targets of each query, by p-value; ties stay in order of target.
    n_score_bins : int
        Bins of a column's score (`t` in the paper).
    n_median_bins : int
        Bins in which the median of a column's scores is found.
    n_target_bins : int or None
        Target columns in one cell of a grid of this many bins a letter are merged; None merges nothing.
    n_cache : int
        Memelite's size of scratch memory; there is none here, and results never depend on it.
    reverse_complement : bool
        Compare with the reverse complement of each target too.
    n_jobs : int
        Threads; -1 is one a core.
    q_values : bool
        Add the q-value of each pair, within its query, as a last plane.
    as_table : bool
        Give a table instead.

    Returns
    -------
    array, shape (5, queries, targets) or (6, queries, n_nearest)
        p-value; score; offset, the position of the query's first column in the target (negative where the query hangs
        over); overlap in columns; strand of the target, 0 for + and 1 for - (offsets then count in the reversed
        target).  With `n_nearest` the index of the target follows; with `q_values` the q-value comes last.
    DataFrame, with `as_table`
        query, target (names, or indices), query_idx, target_idx, p-value, q-value, score, offset, overlap, strand;
        queries in order, each with its targets by p-value.

    Raises
    ------
    NbinterpError
        For matrices that differ in their number of rows, hold no finite numbers or no columns, or are all zero.

    Warns
    -----
    NbinterpWarning
        Below 25 targets, since the target columns are the null.

    Notes
    -----
    Unlike memelite, several queries may be of any dtype and mapping; all are read as float64.  The order of equal
    p-values under `n_nearest` is that of the targets; memelite's is arbitrary.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> targets = {f"m{i}": rng.dirichlet([0.3] * 4, 8).T for i in range(40)}
    >>> best = tomtom({"query": targets["m7"][::-1, ::-1][:, 1:]}, targets, n_nearest=1, as_table=True)
    >>> best[["target", "offset", "overlap", "strand"]].values.tolist()
    [['m7', 1, 7, '-']]
    """
    where = "tomtom"
    query_names, queries = motif_matrices(where, "Qs", Qs)
    target_names, targets = motif_matrices(where, "Ts", Ts)
    _check(where, queries, targets, n_nearest, n_jobs, (n_score_bins, n_median_bins, n_target_bins))
    n = len(targets)
    if n < _FEW_TARGETS:
        warnings.warn(
            f"{where}: {n} targets are few; their columns are the null, so p-values depend on which they are",
            NbinterpWarning,
            stacklevel=2,
        )
    both = targets + [one[::-1, ::-1] for one in targets] if reverse_complement else targets
    compare = _comparison(queries, lay_targets(both, n_target_bins), n_score_bins, n_median_bins, reverse_complement)
    kept = n if n_nearest is None else min(n_nearest, n)
    n_planes = 5 + (n_nearest is not None) + (q_values or as_table)
    out = np.empty((n_planes, len(queries), kept))

    def work(chunk: list[int]) -> None:
        found = compare([queries[i] for i in chunk])
        if n_planes == 5:
            out[:, chunk] = found
            return
        for row, planes in zip(chunk, found.transpose(1, 0, 2), strict=True):
            order = np.arange(n)
            if n_nearest is not None:
                order = np.argsort(planes[P], kind="stable")[:kept]
                out[INDEX, row] = order
            out[:INDEX, row] = planes[:, order]
            if q_values or as_table:
                out[-1, row] = fdr(planes[P])[order]

    n_threads = _n_cores() if n_jobs == -1 else n_jobs
    chunks = list(_chunks(queries, sum(one.shape[1] for one in both), n_threads))
    if n_threads == 1 or len(chunks) == 1:
        for chunk in chunks:
            work(chunk)
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            try:
                list(pool.map(work, chunks))
            except BaseException:  # an interrupt, say: what has not begun is not begun
                pool.shutdown(cancel_futures=True)
                raise
    return _table(out, query_names, target_names, n_nearest is not None) if as_table else out


def motif_matrices(where: str, argument: str, motifs: Any) -> tuple[list[Any], list[np.ndarray]]:
    """Give the names (or indices) and the matrices, float64, of a set, a mapping or a sequence of motifs."""
    names = list(motifs) if isinstance(motifs, Mapping) else list(range(len(motifs)))
    given = motifs.values() if isinstance(motifs, Mapping) else motifs
    matrices = [numpy_of(m, np.float64) for m in given]
    if not matrices:
        raise problem(where, argument, got="no motifs", need="at least one", do="check how they were made")
    n_letters = matrices[0].shape[0] if matrices[0].ndim else 0
    fine = all(one.ndim == 2 and len(one) == n_letters and one.shape[1] for one in matrices)
    if not fine or not np.isfinite(np.concatenate(matrices, axis=1)).all():
        for name, one in zip(names, matrices, strict=True):
            if one.ndim != 2 or one.shape[0] != n_letters or one.shape[1] == 0 or not np.isfinite(one).all():
                raise problem(
                    where, argument, got=f"shape {one.shape} for {name!r}",
                    need=f"({n_letters or 4}, width) of finite numbers, width at least 1", do="transpose or drop it",
                )  # fmt: skip
    return names, matrices


def _check(
    where: str,
    queries: list[np.ndarray],
    targets: list[np.ndarray],
    n_nearest: int | None,
    n_jobs: int,
    bins: tuple[int | None, ...],
) -> None:
    if queries[0].shape[0] != targets[0].shape[0]:
        raise problem(
            where, "Ts", got=f"{targets[0].shape[0]} rows, and queries of {queries[0].shape[0]}",
            need="the same letters", do="re-encode one of them",
        )  # fmt: skip
    for argument, motifs in (("Qs", queries), ("Ts", targets)):
        if not any(one.any() for one in motifs):
            raise problem(where, argument, got="only zeros", need="motifs", do="check how they were made")
    for argument, value in zip(("n_score_bins", "n_median_bins", "n_target_bins"), bins, strict=True):
        if value is not None and value < 2:
            raise problem(where, argument, got=value, need="at least 2 bins", do="raise it")
    if n_nearest is not None and n_nearest < 1:
        raise problem(where, "n_nearest", got=n_nearest, need="at least 1, or None for all targets", do="raise it")
    if n_jobs != -1 and n_jobs < 1:
        raise problem(where, "n_jobs", got=n_jobs, need="a number of threads, or -1 for one a core", do="raise it")


def _comparison(
    queries: list[np.ndarray], targets: Targets, n_score_bins: int, n_median_bins: int, reverse_complement: bool
) -> Callable[[list[np.ndarray]], np.ndarray]:
    """What gives the five planes ``(5, queries, targets)`` of some queries, from wide to narrow."""
    if CompiledTomtom.fits(queries, targets, n_score_bins):
        return CompiledTomtom(targets, n_score_bins, n_median_bins, reverse_complement)
    return partial(_compare, job=_Job(targets, n_score_bins, n_median_bins, reverse_complement))


class _Job(NamedTuple):
    targets: Targets
    n_score_bins: int
    n_median_bins: int
    reverse_complement: bool


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks(queries: list[np.ndarray], n_columns: int, n_threads: int) -> Iterator[list[int]]:
    """Part the queries, widest first, into lists of like width, of bounded memory, and enough for all threads."""
    widths = np.array([one.shape[1] for one in queries])
    order = np.argsort(-widths, kind="stable")
    start = 0
    while start < len(order):
        fit = max(_TABLE // (n_columns * int(widths[order[start]])), 1)
        size = min(_CHUNK, fit, -(-len(order) // n_threads))
        yield order[start : start + size].tolist()
        start += size


def _compare(queries: list[np.ndarray], job: _Job) -> np.ndarray:
    """`_comparison` with NumPy."""
    every = np.concatenate(queries, axis=1)
    _, first, which = np.unique(every.T, axis=0, return_index=True, return_inverse=True)
    compared = compare_columns(every[:, first], (every**2).sum(axis=0)[first], job.targets, job.n_median_bins)
    ends = np.cumsum([one.shape[1] for one in queries])
    scores = score_queries(compared, np.split(which.ravel(), ends[:-1]), job.targets, job.n_score_bins)
    best = best_alignments(scores, job.targets)
    p = _p_values(scores, best, job.targets)
    return (
        _merge_strands(p, best) if job.reverse_complement else np.stack([p, *best, np.zeros_like(p)]).transpose(0, 2, 1)
    )


def _p_values(scores: Scores, best: Best, targets: Targets) -> np.ndarray:
    p = np.empty(best.score.shape)
    shortest, scratch = int(targets.lengths.min()), Scratch()
    for queries in _runs(scores.width, scores.distributions[0].shape[1]):
        width, zero = int(scores.width[queries[0]]), scores.zero[queries]
        score = best.score[:, queries] - width * zero
        distribution = np.stack([one[queries] for one in scores.distributions[:width]], axis=1)
        null = null_of_best(distribution, zero, score.min(axis=0), shortest, scratch)
        p[:, queries] = null.p_values(score, targets.lengths)
    return np.where(best.score > 0, np.clip(p, 0, 1), 1)


def _runs(widths: np.ndarray, n_score_bins: int) -> Iterator[np.ndarray]:
    """Queries of one width, as many as the null is found for at a time."""
    for width in np.unique(widths).tolist():
        queries = np.flatnonzero(widths == width)
        size = max(_NULL // (width**2 * n_score_bins), 1)
        yield from (queries[start : start + size] for start in range(0, len(queries), size))


def _merge_strands(p: np.ndarray, best: Best) -> np.ndarray:
    """The better score of each target's two strands, and the p-value of the better of two tries."""
    n = len(p) // 2
    minus = best.score[:n] <= best.score[n:]
    least = np.minimum(p[:n], p[n:])
    planes = np.stack([least * (2 - least), *(np.where(minus, one[n:], one[:n]) for one in best), minus])
    return planes.transpose(0, 2, 1)


def _table(planes: np.ndarray, queries: list[Any], targets: list[Any], nearest: bool) -> pd.DataFrame:
    n_queries, n = planes.shape[1:]
    order = np.argsort(planes[P], axis=1, kind="stable")
    sorted_ = np.take_along_axis(planes, order[None], axis=2).reshape(len(planes), -1)
    target = sorted_[INDEX].astype(np.int64) if nearest else order.ravel()
    query = np.repeat(np.arange(n_queries), n)
    return pd.DataFrame(
        {
            "query": [queries[i] for i in query],
            "target": [targets[i] for i in target],
            "query_idx": query,
            "target_idx": target,
            "p-value": sorted_[P],
            "q-value": sorted_[-1],
            "score": sorted_[SCORE].astype(np.int64),
            "offset": sorted_[OFFSET].astype(np.int64),
            "overlap": sorted_[OVERLAP].astype(np.int64),
            "strand": np.where(sorted_[STRAND] == 1, "-", "+"),
        }
    )
