"""How many rows cover each base, and stretches of bases in a few numbers.

In: intervals.  Out: runs of one depth; for stretches of one length how much of them is covered, and how deep, in bigBed's form.
"""

from __future__ import annotations

from typing import Final

import numpy as np

__all__ = ["SUMMARY", "covered", "summed"]

SUMMARY: Final = np.dtype(
    [
        *((name, "<u4") for name in ("chrom", "start", "end", "valid")),
        *((name, "<f4") for name in ("min", "max", "sum", "squares")),
    ]
)
RUN: Final = np.dtype([("chrom", np.int64), ("start", np.int64), ("end", np.int64), ("depth", np.int64)])


def covered(chrom: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Runs of bases that equally many intervals cover, at least one, in order: chrom, start, end, depth.

    Examples
    --------
    >>> covered(np.array([0, 0]), np.array([2, 4]), np.array([6, 8])).tolist()
    [(0, 2, 4, 1), (0, 4, 6, 2), (0, 6, 8, 1)]
    """
    chrom, place = np.concatenate([chrom, chrom]), np.concatenate([start, end])
    change = np.repeat([1, -1], len(start))
    order = np.lexsort((place, chrom))
    chrom, place, depth = chrom[order], place[order], change[order].cumsum()
    runs = np.zeros(max(len(place) - 1, 0), RUN)
    runs["chrom"], runs["start"], runs["end"], runs["depth"] = chrom[:-1], place[:-1], place[1:], depth[:-1]
    kept: np.ndarray = runs[(runs["depth"] > 0) & (place[1:] != place[:-1])]
    return kept


def summed(runs: np.ndarray, length: int, sizes: np.ndarray) -> np.ndarray:
    """Stretches of this length of chromosomes of these sizes, those that are covered at all: records of `SUMMARY`.

    Valid are the bases that are covered; smallest, largest and summed depth, and its squares, are of those.

    Examples
    --------
    >>> summed(covered(np.array([0, 0]), np.array([2, 4]), np.array([6, 8])), 5, np.array([9])).tolist()
    [(0, 0, 5, 3, 1.0, 2.0, 4.0, 6.0), (0, 5, 9, 3, 1.0, 2.0, 4.0, 6.0)]
    """
    first = runs["start"] // length
    counts = (runs["end"] - 1) // length - first + 1
    run = np.repeat(np.arange(len(runs)), counts)
    stretch = first[run] + np.arange(len(run)) - (counts.cumsum() - counts)[run]
    chrom, depth = runs["chrom"][run], runs["depth"][run]
    bases = np.minimum(runs["end"][run], (stretch + 1) * length) - np.maximum(runs["start"][run], stretch * length)
    new = np.flatnonzero(np.diff(chrom, prepend=-1) | np.diff(stretch, prepend=-1))
    out = np.zeros(len(new), SUMMARY)
    if len(new):
        out["chrom"], out["start"] = chrom[new], stretch[new] * length
        out["end"] = np.minimum(out["start"].astype(np.int64) + length, sizes[chrom[new]])
        out["min"], out["max"] = np.minimum.reduceat(depth, new), np.maximum.reduceat(depth, new)
        for name, values in (("valid", bases), ("sum", bases * depth), ("squares", bases * depth**2)):
            out[name] = np.add.reduceat(values, new)
    return out
