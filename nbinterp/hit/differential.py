"""Hits that one set of contributions has and another has not.

In: two calls in the same regions: two cell types, two models, before and after.  Out: one table of both.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..errors import problem

__all__ = ["differential_hits"]

_KEY = ["example_idx", "name", "strand"]
_FILES = {"peak_id": "example_idx", "motif_name": "name", "hit_coefficient_global": "score"}


def differential_hits(
    first: pd.DataFrame, second: pd.DataFrame, *, tolerance: int = 3, score: str = "score"
) -> pd.DataFrame:
    """Pair the hits of two calls, and say what each has that the other lacks.

    Parameters
    ----------
    first, second : DataFrame
        Tables of `call_hits`, or of `read_hits`, in the same regions, in the same order.
    tolerance : int
        Starts of a motif on one strand that are this near are one site; nearest first, each hit in one pair at most.
    score : str
        The column that is compared: score (the global coefficient), importance, leave_one_out, ...

    Returns
    -------
    DataFrame
        example_idx, name, strand, start, end (of the first where it has the hit), change (``both``, ``gained`` or ``lost`` in the
        second), first, second (the scores, 0 where there is no hit), difference and log2_ratio (infinite where one is 0, NaN
        where both are, or one is below 0); by region and start.

    Raises
    ------
    NbinterpError
        For tables without these columns, or a tolerance below 0.

    Examples
    --------
    >>> hit = {"example_idx": [0], "start": [4], "end": [8], "name": ["GATA"], "strand": ["+"], "score": [1.0]}
    >>> differential_hits(pd.DataFrame(hit), pd.DataFrame({**hit, "start": [5], "score": [4.0]}))["log2_ratio"].tolist()
    [2.0]
    """
    where = "differential_hits"
    if tolerance < 0:
        raise problem(where, "tolerance", got=tolerance, need="at least 0", do="3 is usual")
    need = [*_KEY, "start", "end", score]
    first, second = (_as_called(table) for table in (first, second))
    for argument, table in (("first", first), ("second", second)):
        missing = [name for name in need if name not in table]
        if missing:
            raise problem(where, argument, got=f"no {', '.join(missing)}", need=", ".join(need), do="pass Hits.table")
    a, b = (t[need].reset_index(drop=True).reset_index(names="row") for t in (first, second))
    pairs = a.merge(b, on=_KEY, suffixes=("", "_b"))
    pairs["apart"] = (pairs["start"] - pairs["start_b"]).abs()
    pairs = pairs[pairs["apart"] <= tolerance].sort_values(["apart", "row", "row_b"], kind="stable")
    kept = _matched(pairs["row"].to_numpy(), pairs["row_b"].to_numpy())
    both = pairs[kept]
    columns = [*_KEY, "start", "end"]
    parts = [
        both[columns].assign(change="both", first=both[score].to_numpy(), second=both[f"{score}_b"].to_numpy()),
        _alone(a, both["row"], columns, "lost", score),
        _alone(b, both["row_b"], columns, "gained", score),
    ]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log2(found["second"].to_numpy(float)) - np.log2(found["first"].to_numpy(float))
    found = found.assign(difference=found["second"] - found["first"], log2_ratio=ratio)
    return found.sort_values(["example_idx", "start", "name", "strand"], kind="stable", ignore_index=True)


def _as_called(table: pd.DataFrame) -> pd.DataFrame:
    """A table of files in the columns of a call."""
    if "motif_name" not in table:
        return table
    kept = table.drop(columns=[name for name in _FILES.values() if name in table])
    return kept.rename(columns=lambda name: _FILES.get(name, str(name).removeprefix("hit_")))


def _matched(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pairs in the order given, each of whose two is in no pair before."""
    used: tuple[set[int], set[int]] = (set(), set())
    kept = np.zeros(len(rows), bool)
    for i, (a, b) in enumerate(zip(rows.tolist(), others.tolist(), strict=True)):
        if a not in used[0] and b not in used[1]:
            used[0].add(a)
            used[1].add(b)
            kept[i] = True
    return kept


def _alone(table: pd.DataFrame, paired: pd.Series[int], columns: list[str], change: str, score: str) -> pd.DataFrame:
    rest = table[~table["row"].isin(paired)]
    nothing = np.zeros(len(rest))
    scores = (rest[score], nothing) if change == "lost" else (nothing, rest[score])
    return rest[columns].assign(change=change, first=scores[0], second=scores[1])
