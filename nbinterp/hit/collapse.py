"""Hits that lie on each other, and hits that several calls share.

In: tables of hits, as `read_hits` gives them.  Out: tables of hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from ..errors import problem

__all__ = ["collapse_hits", "intersect_hits"]

_PAIRS = 2**22  # compared at a time


def collapse_hits(hits: pd.DataFrame, overlap_frac: float = 0.2) -> pd.DataFrame:
    """Mark the hits that no overlapping hit beats.

    Parameters
    ----------
    hits : DataFrame
        chr, start, end, hit_similarity, peak_id; where chr is ``NA``, regions stand for themselves.
    overlap_frac : float
        Two hits overlap when they share at least this part of their mean length; 0: any base, or touching ends.

    Returns
    -------
    DataFrame
        The hits with is_primary: 1 for a hit of greater similarity than all that overlap it (of equals the earlier row), else 0.

    Raises
    ------
    NbinterpError
        For a part that is not between 0 and 1.

    Notes
    -----
    Fi-NeMo 0.41 marks the worst hit instead, its two assignments being swapped, and takes all regions for one where there are no
    chromosomes; this is what its documentation says.

    Examples
    --------
    >>> two = pd.DataFrame({"chr": "chr1", "start": [10, 12], "end": [20, 22], "hit_similarity": [0.9, 0.8], "peak_id": 0})
    >>> collapse_hits(two)["is_primary"].tolist()
    [1, 0]
    """
    if not 0 <= overlap_frac <= 1:
        do = "0.2 is usual"
        raise problem("collapse_hits", "overlap_frac", got=overlap_frac, need="between 0 and 1", do=do)
    size = ((hits["end"] - hits["start"]) * overlap_frac).to_numpy().astype(np.int64)
    low, high = 2 * hits["start"].to_numpy(np.int64) + size, 2 * hits["end"].to_numpy(np.int64) - size
    place = hits["chr"].where(hits["chr"] != "NA", "NA " + hits["peak_id"].astype(str))
    ground = pd.factorize(place)[0] * (int(high.max(initial=0)) - int(low.min(initial=0)) + 2)
    low, high = low + ground, high + ground
    order = np.argsort(low, kind="stable")
    last = np.searchsorted(low[order], high[order], side="right")
    counts = np.maximum(last - np.arange(len(order)) - 1, 0)  # how many of those that begin later each one overlaps
    similarity, beaten = hits["hit_similarity"].to_numpy(), np.zeros(len(hits), bool)
    for begin, end in _chunks(counts):
        one = np.repeat(np.arange(begin, end), counts[begin:end])
        ends = np.cumsum(counts[begin:end])
        other = one + 1 + np.arange(len(one)) - np.repeat(ends - counts[begin:end], counts[begin:end])
        a, b = order[one], order[other]
        first, second = np.minimum(a, b), np.maximum(a, b)
        wins = similarity[second] > similarity[first]
        beaten[np.where(wins, first, second)] = True
    return hits.assign(is_primary=(~beaten).astype(np.uint32))


def _chunks(counts: np.ndarray) -> list[tuple[int, int]]:
    """Rows whose pairs are not too many together."""
    total = np.cumsum(counts) // _PAIRS
    edges = [0, *(np.flatnonzero(np.diff(total)) + 1).tolist(), len(counts)]
    return list(pairwise(edges))


_PLACE = ["chr", "start_untrimmed", "end_untrimmed", "motif_name", "strand"]
_STRICT = ["chr", "start", "end", *_PLACE[1:], "peak_name", "peak_id"]


def intersect_hits(tables: Sequence[pd.DataFrame], relaxed: bool = False) -> pd.DataFrame:
    """Keep the hits that all of several calls have.

    Parameters
    ----------
    tables : sequence of DataFrame
        Hits of one set of regions, called otherwise.
    relaxed : bool
        The same motif in the same place is enough; else regions and trimmed ends are the same, too.

    Returns
    -------
    DataFrame
        Rows in the order of the first table; columns of the second one with the suffix ``_1``, and so on.

    Raises
    ------
    NbinterpError
        For no tables.

    Notes
    -----
    Fi-NeMo 0.41 cannot do it with a current polars, and writes a column ``count`` of ones.
    """
    if not tables:
        raise problem("intersect_hits", "tables", got="none", need="one or more", do="name the files")
    keys = _PLACE if relaxed else _STRICT
    shared = tables[0]
    for i, other in enumerate(tables[1:], 1):
        renamed = other.rename(columns={name: f"{name}_{i}" for name in other if name not in keys})
        shared = shared.merge(renamed, on=keys, how="inner")
    return shared
