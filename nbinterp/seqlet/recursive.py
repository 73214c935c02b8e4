"""Recursive seqlets: spans all of whose parts are significant.

In: attributions ``(N, L)``.  Out: a table of spans with p-values.  The null of a span's sum is the convolution of the
histogram of single positions with itself, once for each position; a span is called when it and every span inside it (of
at least the shortest length) are below the threshold, longest spans first.

Results are those of tangermeme 1.6.  Only starts whose shortest span is significant are ever extended, so that numpy
alone does the work in the time that the peer's compiled code takes, and nothing is compiled at the first call.

Source: Schreiber, tangermeme (Nature Methods 2026).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..errors import NbinterpWarning, problem

__all__ = ["RecursiveSeqletsResult", "recursive_seqlets"]

_COLUMNS = ("example_idx", "start", "end", "attribution", "p-value")


class RecursiveSeqletsResult(NamedTuple):
    """Seqlets, and the estimated false discovery rate at each threshold tried."""

    seqlets: pd.DataFrame
    fdr: pd.DataFrame


@dataclass(frozen=True)
class _Null:
    """The distribution of the sum of 1 .. max_len positions, in bins: ``tails[k][i]`` is P(sum of k bins >= i)."""

    low: Any
    width: float
    n_bins: int
    tails: tuple[np.ndarray, ...]

    def bins(self, X: np.ndarray) -> np.ndarray:
        """Bin each value, clamped to the ends."""
        raw = np.floor((X - self.low).astype(np.float64) / self.width)
        binned: np.ndarray = np.clip(raw, 0, self.n_bins - 1).astype(np.int64)
        return binned


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
        table, fdr = _one_sign(
            sign * values, None if control is None else sign * control, threshold, lengths, additional_flanks, n_bins,
            target_fdr,
        )  # fmt: skip
        found.append(table.assign(attribution=sign * table["attribution"]))
        fdrs.append(fdr if fdr is None or not both_signs else fdr.assign(sign=sign))
    seqlets = pd.concat(found, ignore_index=True) if len(found) > 1 else found[0]
    seqlets = seqlets.sort_values("p-value", kind="stable", ignore_index=True)
    return RecursiveSeqletsResult(seqlets, pd.concat(fdrs, ignore_index=True)) if return_fdr else seqlets


def _as_attributions(where: str, argument: str, X: Any) -> np.ndarray:
    array = X.detach().cpu().numpy() if hasattr(X, "detach") else np.asarray(X)
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
    null = _null(X, lengths[-1], n_bins)
    fdr, chosen = None, threshold
    if control is not None:
        fdr = _false_discovery(X, control, null, lengths)
        passing = fdr["fdr"] <= target_fdr
        if not passing.any():
            best = fdr["fdr"].min()
            warnings.warn(
                f"no threshold reaches target_fdr={target_fdr}; the lowest estimate is {best:.3g}",
                NbinterpWarning,
                stacklevel=4,
            )
            return _table([]), fdr
        chosen = float(fdr.loc[passing, "threshold"].max())
    return (_table([]) if null is None else _table(_call(X, null, chosen, lengths, flanks))), fdr


def _null(X: np.ndarray, max_len: int, n_bins: int) -> _Null | None:
    low, high = X.min(), X.max()
    if low == high:
        return None
    null = _Null(low, float(high - low) / (n_bins - 1), n_bins, ())
    single = np.bincount(null.bins(X).ravel(), minlength=n_bins) / X.size
    sums = single
    # tails are summed from the top, where they are smallest: a transform would lose all below 1e-16
    tails = [np.ones(1), np.cumsum(single[::-1])[::-1]]
    for _ in range(2, max_len + 1):
        sums = np.convolve(sums, single)
        tails.append(np.cumsum(sums[::-1])[::-1])
    return _Null(low, null.width, n_bins, tuple(tails))


def _candidates(
    cumulated: np.ndarray, length: int, null: _Null, threshold: float, lengths: range
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each span length, the starts (flat over rows) whose whole triangle is below the threshold, and their p.

    A start of length n + 1 is left only if it and the next start are left at length n, so each length is looked up
    at what the one before left.
    """
    first = lengths[0]
    sums = cumulated[:, first:] - cumulated[:, :-first]
    p_all = null.tails[first][sums]
    rows, starts = np.nonzero(p_all < threshold)
    at, p = rows * length + starts, p_all[rows, starts]
    worst = p  # the largest p in the triangle under each start
    flat = cumulated.ravel()
    kept = [(at, p)]
    for n in lengths[1:]:
        if not len(at):
            kept.append((at, p))
            continue
        following = np.append(at[1:] == at[:-1] + 1, False) & (at % length + n <= length)
        here = np.flatnonzero(following)
        at, p, worst = at[here], p[here], worst[here + 1]
        corner = at + at // length  # rows of the cumulated sums are one longer
        p = np.maximum(null.tails[n][flat[corner + n] - flat[corner]], p)
        worst = np.maximum(p, worst)
        left = worst < threshold
        at, p, worst = at[left], p[left], worst[left]
        kept.append((at, p))
    return kept


def _spans(X: np.ndarray, null: _Null, threshold: float, lengths: range) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Accept spans from the longest to the shortest, by p and then by start, where nothing was accepted before."""
    length = X.shape[1]
    cumulated = np.zeros((len(X), length + 1), np.int64)
    np.cumsum(null.bins(X), axis=1, out=cumulated[:, 1:])
    kept = _candidates(cumulated, length, null, threshold, lengths)
    called = bytearray(X.size)
    spans: list[tuple[int, int]] = []
    for n, (at, p) in zip(reversed(lengths), reversed(kept), strict=True):
        mark = b"\x01" * n
        for start in at[np.lexsort((at, p))].tolist():
            # a span that overlaps an accepted one covers its first or its last base, the accepted being no shorter
            if not (called[start] or called[start + n - 1]):
                called[start : start + n] = mark
                spans.append((start, n))
    return spans, cumulated


def _call(
    X: np.ndarray, null: _Null, threshold: float, lengths: range, flanks: int
) -> list[tuple[int, int, int, float, float]]:
    spans, cumulated = _spans(X, null, threshold, lengths)
    length = X.shape[1]
    sums = np.zeros((len(X), length + 1))
    np.cumsum(X, axis=1, dtype=np.float64, out=sums[:, 1:])
    found = []
    for at, n in spans:
        row, start = divmod(at, length)
        p = null.tails[n][cumulated[row, start + n] - cumulated[row, start]]
        a, b = max(start - flanks, 0), min(start + n + flanks, length)
        found.append((row, a, b, float(sums[row, b] - sums[row, a]), float(p)))
    # by example, then from the longest: a stable sort by p-value comes after
    return sorted(found, key=lambda one: one[0])


def _false_discovery(X: np.ndarray, control: np.ndarray, null: _Null | None, lengths: range) -> pd.DataFrame:
    """Seqlets on X and on the control at each threshold; one control seqlet is added, so that none is never certain."""
    rows = []
    scale = X.size / control.size
    exhausted = null is None
    for threshold in np.sort(np.logspace(-1, -30, 117))[::-1]:
        n = n_control = 0
        if not exhausted:
            assert null is not None
            n = len(_spans(X, null, threshold, lengths)[0])
            n_control = len(_spans(control, null, threshold, lengths)[0])
            exhausted = n == 0 and n_control == 0
        rows.append((threshold, n, n_control, (n_control + 1) * scale / n if n else np.nan))
    return pd.DataFrame(rows, columns=["threshold", "n_seqlets", "n_control_seqlets", "fdr"])


def _table(found: list[tuple[int, int, int, float, float]]) -> pd.DataFrame:
    kinds = (np.int64, np.int64, np.int64, np.float64, np.float64)
    columns = zip(*found, strict=True) if found else ([] for _ in kinds)
    return pd.DataFrame(
        {name: np.array(list(c), dtype=kind) for name, c, kind in zip(_COLUMNS, columns, kinds, strict=True)}
    )
