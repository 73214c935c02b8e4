"""Recursive seqlets: spans all of whose parts are significant.

In: attributions ``(N, L)``.  Out: a table of spans with p-values.  The null of a span's sum is the convolution of the
histogram of single positions with itself, once for each position; a span is called when it and every span inside it (of
at least the shortest length) are below the threshold, longest spans first.

Results are those of tangermeme 1.6.  Only starts whose shortest span is significant are ever extended, and nothing is
compiled at the first call.

Source: Schreiber, tangermeme (Nature Methods 2026).
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..errors import NbinterpWarning, problem
from .null import SpanNull, span_null
from .recursive_compiled import called_spans

__all__ = ["RecursiveSeqletsResult", "recursive_seqlets"]

_COLUMNS = ("example_idx", "start", "end", "attribution", "p-value")
_THRESHOLDS = np.sort(np.logspace(-1, -30, 117))[::-1]  # from which a false discovery rate chooses


class RecursiveSeqletsResult(NamedTuple):
    """Seqlets, and the estimated false discovery rate at each threshold tried."""

    seqlets: pd.DataFrame
    fdr: pd.DataFrame


def recursive_seqlets(
    X: Any,
    threshold: float = 0.01,
    min_seqlet_len: int = 4,
    max_seqlet_len: int = 25,
    additional_flanks: int = 0,
    n_bins: int = 1000,
    X_control: Any = None,
    target_fdr: float = 0.1,
    return_fdr: bool = False,
    *,
    both_signs: bool = False,
) -> Any:
    """Call spans of high attribution.

    Parameters
    ----------
    X : tensor or array, shape (N, L)
        Attributions of the observed bases; on any device.
    threshold : float
        Largest p-value of a span and of all its parts.
    min_seqlet_len, max_seqlet_len : int
        Lengths of the spans, in bases.
    additional_flanks : int
        Bases added on both sides of each span afterwards, within the sequence.
    n_bins : int
        Bins of the histogram of attributions.
    X_control : tensor or array, shape (M, L'), optional
        Attributions of sequences without signal (shuffles, say).  The loosest threshold whose estimated false
        discovery rate is at most `target_fdr` then takes the place of `threshold`.
    target_fdr : float
        See `X_control`.
    return_fdr : bool
        Give the estimates too.
    both_signs : bool
        Call negative seqlets too: those of ``-X`` under its own null, with their (negative) attribution.

    Returns
    -------
    DataFrame or `RecursiveSeqletsResult`
        example_idx, start, end (0-based, half-open), attribution (sum over the span) and p-value (of the span itself),
        by p-value; ties stay in order of example.  Empty when every value is the same.

    Raises
    ------
    NbinterpError
        For another shape, NaN or infinite values, or a threshold above 1.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> X = rng.normal(scale=0.1, size=(5, 200))
    >>> X[2, 50:58] += 1
    >>> recursive_seqlets(X).head(1)[["example_idx", "start", "end"]].values.tolist()
    [[2, 48, 60]]
    """
    where = "recursive_seqlets"
    values = _as_attributions(where, "X", X)
    if not 1 <= min_seqlet_len <= max_seqlet_len:
        raise problem(
            where, "min_seqlet_len", got=f"{min_seqlet_len} to {max_seqlet_len}", need="1 <= min <= max", do="swap them"
        )
    if X_control is None and not threshold <= 1:
        raise problem(where, "threshold", got=threshold, need="a p-value of at most 1", do="lower it")
    if return_fdr and X_control is None:
        raise problem(where, "return_fdr", got="no X_control", need="control attributions", do="pass X_control=")
    control = None if X_control is None else _as_attributions(where, "X_control", X_control).astype(values.dtype)
    lengths = range(min_seqlet_len, max_seqlet_len + 1)
    found, fdrs = [], []
    for sign in (1, -1) if both_signs else (1,):
        if sign < 0:
            values, control = -values, None if control is None else -control
        table, fdr = _one_sign(values, control, threshold, lengths, additional_flanks, n_bins, target_fdr)
        found.append(table.assign(attribution=sign * table["attribution"]))
        fdrs.append(fdr if fdr is None or not both_signs else fdr.assign(sign=sign))
    seqlets = pd.concat(found, ignore_index=True) if len(found) > 1 else found[0]
    seqlets = seqlets.sort_values("p-value", kind="stable", ignore_index=True)
    return RecursiveSeqletsResult(seqlets, pd.concat(fdrs, ignore_index=True)) if return_fdr else seqlets


def _as_attributions(where: str, argument: str, X: Any) -> np.ndarray:
    array = numpy_of(X)
    if array.ndim != 2 or array.size == 0:
        do = "sum attributions over the bases: X_attr.sum(dim=1)" if array.ndim == 3 else "pass sequences"
        raise problem(where, argument, got=f"shape {array.shape}", need="shape (N, L), not empty", do=do)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if not np.isfinite(array).all():
        rows = np.unique(np.nonzero(~np.isfinite(array))[0])
        raise problem(
            where,
            argument,
            got=f"NaN or infinite values in rows {rows[:5].tolist()}",
            need="numbers",
            do="drop the rows",
        )
    return array


def _one_sign(
    X: np.ndarray,
    control: np.ndarray | None,
    threshold: float,
    lengths: range,
    flanks: int,
    n_bins: int,
    target_fdr: float,
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    largest = threshold if control is None else _THRESHOLDS[0]
    null, sums, others = span_null(X, control, lengths, n_bins, largest) or (None, None, None)
    fdr, chosen = None, threshold
    if control is not None:
        fdr = _false_discovery(X.size / control.size, null, sums, others, lengths)
        passing = fdr["fdr"] <= target_fdr
        if not passing.any():
            best = fdr["fdr"].min()
            warnings.warn(
                f"no threshold reaches target_fdr={target_fdr}; the lowest estimate is {best:.3g}",
                NbinterpWarning,
                stacklevel=4,
            )
            return _empty(), fdr
        chosen = float(fdr.loc[passing, "threshold"].max())
    if null is None or sums is None:
        return _empty(), fdr
    return _call(X, null, sums, chosen, lengths, flanks), fdr


def _candidates(
    cumulated: np.ndarray, null: SpanNull, threshold: float, lengths: range
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each span length, the starts (flat over rows) whose whole triangle is below the threshold, and their p.

    A start of length n + 1 is left only if it and the next start are left at length n, so each length is looked up
    at what the one before left.
    """
    first, length = lengths[0], cumulated.shape[1] - 1
    flat = cumulated.ravel()
    # across the ends of rows the sums of bins fall, so that they are compared within a row only
    rows, starts = np.nonzero(cumulated[:, first:] - cumulated[:, :-first] >= null.cutoff(first, threshold))
    at = rows * length + starts
    corner = at + rows  # rows of the cumulated sums are one longer
    p = null.tails[first][flat[corner + first] - flat[corner]]
    worst = p  # the largest p in the triangle under each start
    kept = [(at, p)]
    for n in lengths[1:]:
        if not len(at):
            kept.append((at, p))
            continue
        following = at[1:] == at[:-1] + 1
        if n == 2:  # where alone the last start of a row comes just before the next row
            following &= at[1:] % length != 0
        here = np.flatnonzero(following)
        at, corner, p, worst = at[here], corner[here], p[here], worst[here + 1]
        p = np.maximum(null.tails[n][flat[corner + n] - flat[corner]], p)
        worst = np.maximum(p, worst)
        left = worst < threshold
        at, corner, p, worst = at[left], corner[left], p[left], worst[left]
        kept.append((at, p))
    return kept


def _spans(cumulated: np.ndarray, null: SpanNull, threshold: float, lengths: range) -> tuple[np.ndarray, np.ndarray]:
    """Accept spans from the longest to the shortest, by p and then by start, where nothing was accepted before.

    Gives their starts (flat over rows) and their lengths.
    """
    if null.compiled:
        return called_spans(cumulated, null.tails, lengths, null.cutoff(lengths[0], threshold), threshold)
    kept = _candidates(cumulated, null, threshold, lengths)
    called = bytearray(cumulated.size)
    seen = np.frombuffer(called, np.uint8)
    accepted, sizes = [], []
    for n, (at, p) in zip(reversed(lengths), reversed(kept), strict=True):
        # a span that overlaps an accepted one covers its first or its last base, the accepted being no shorter
        free = (seen[at] | seen[at + n - 1]) == 0
        mark = b"\x01" * n
        for start in at[free][np.lexsort((at[free], p[free]))].tolist():
            if not (called[start] or called[start + n - 1]):
                called[start : start + n] = mark
                accepted.append(start)
                sizes.append(n)
    return np.array(accepted, np.int64), np.array(sizes, np.int64)


def _call(
    X: np.ndarray, null: SpanNull, cumulated: np.ndarray, threshold: float, lengths: range, flanks: int
) -> pd.DataFrame:
    at, sizes = _spans(cumulated, null, threshold, lengths)
    order = np.argsort(at // X.shape[1], kind="stable")  # by example, then from the longest: p-values are sorted later
    at, sizes = at[order], sizes[order]
    rows, starts = np.divmod(at, X.shape[1])
    sums = (cumulated[rows, starts + sizes] - cumulated[rows, starts]).tolist()
    left, right = np.maximum(starts - flanks, 0), np.minimum(starts + sizes + flanks, X.shape[1])
    return pd.DataFrame(
        {
            "example_idx": rows,
            "start": left,
            "end": right,
            "attribution": _span_sums(X, rows, left, right),
            "p-value": np.array([null.tails[n][total] for n, total in zip(sizes.tolist(), sums, strict=True)]),
        }
    )


def _span_sums(X: np.ndarray, rows: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sum each span, in float64."""
    widths = right - left
    ends = np.cumsum(widths)
    if not len(ends):
        return np.empty(0)
    places = np.repeat(rows * X.shape[1] + right - ends, widths) + np.arange(ends[-1])
    sums: np.ndarray = np.add.reduceat(X.ravel()[places], ends - widths, dtype=np.float64)
    return sums


def _false_discovery(
    scale: float, null: SpanNull | None, sums: np.ndarray | None, others: np.ndarray | None, lengths: range
) -> pd.DataFrame:
    """Seqlets on X and on the control at each threshold; one control seqlet is added, so that none is never certain."""
    rows = []
    exhausted = null is None
    for threshold in _THRESHOLDS:
        n = n_control = 0
        if not exhausted:
            assert null is not None
            assert sums is not None
            assert others is not None
            n, n_control = (len(_spans(one, null, threshold, lengths)[0]) for one in (sums, others))
            exhausted = n == 0 and n_control == 0
        rows.append((threshold, n, n_control, (n_control + 1) * scale / n if n else np.nan))
    return pd.DataFrame(rows, columns=["threshold", "n_seqlets", "n_control_seqlets", "fdr"])


def _empty() -> pd.DataFrame:
    kinds = (np.int64, np.int64, np.int64, np.float64, np.float64)
    return pd.DataFrame({name: np.empty(0, kind) for name, kind in zip(_COLUMNS, kinds, strict=True)})
