"""What a MechanismView carries to the page: points, fine clusters with their sums, sequences, columns to colour by.

In: a `MechanismSpace`.  Out: blocks and words.  Any cut, union, logo or background follows from the sums, so that they need
no kernel.

Blocks, of N points, F fine clusters (leaves) and a window of W positions:

=================  ============  ======================================================================================
xy                 u2 (N, 2)     places, from the lower left corner of ``box`` to the upper right one, 0 to 65535
leaf               u2 (N,)       fine cluster of each point
column0, ...       u1 (N,)       numbers, ``low`` to ``high`` as 0 to 254; or, of ``kinds``, which; 255 for none
activity           f4 (N,)       activities
codes              u1 (N, W/4)   bases, two bits each, xor the reference's; left out where they are too many
unknown            i4 (R, 3)     runs of unknown bases: row, start, end
letters            i4 (F, 4, W)  where ``codes`` are left out
labels             i4 (F,)       cluster of each leaf, as the space has them
counts             i4 (F,)       points of each leaf
mean, spread       i2 (F, 4, W)  mean maps, and mean squares about them; with mean_scale and spread_scale f4 (F,)
y, y_squares       f8 (F,)       sums of activities and of their squares
y_counts           i4 (F, bins)  their histogram
heights, children  f8, i4        the tree of the leaves, in the form of a linkage; left out where there is none
=================  ============  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from ..live import pack_sequence, quantize

__all__ = ["columns_of", "lean_space", "point_blocks", "sequence_blocks", "sums_blocks"]

MOST_BASES: Final = 64_000_000  # bases that travel: 16 MB before compression, half of it after
MOST_SUMS: Final = 8_000_000  # numbers of all mean maps: 16 MB before compression
_LEVELS: Final = 60  # of words; a column of more kinds is left out
_NONE: Final = 255


def lean_space(space: Any) -> Any:
    """The space with so few fine clusters that their sums travel: of wide windows, fewer of them, as their tree has them."""
    from ..mechanism.space_fine import fine_of_tree
    from ..mechanism.summary_sums import nested

    f, width = len(space.fine), space.end - space.start
    most = max(MOST_SUMS // (4 * width), space.clusters.k, 2)
    if space.fine_tree is None or f <= most:
        return space
    sizes = np.ones(2 * f - 1)
    for i, (a, b) in enumerate(space.fine_tree[:, :2].astype(int)):
        sizes[f + i] = sizes[a] + sizes[b]  # SciPy counts leaves, not points
    groups, tree = fine_of_tree(np.column_stack([space.fine_tree[:, :3], sizes[f:]]), most)
    given = nested(space.fine_labels, space.labels)
    if len(set(zip(groups.tolist(), given.tolist(), strict=True))) > most:
        return space  # its clusters are parted lower down than that
    _, first = np.unique(groups, return_index=True)  # leaves are numbered along the whole tree, and so are these
    rank = np.append(np.argsort(np.argsort(first)), np.arange(most, 2 * most))
    groups, tree[:, :2] = rank[groups], np.sort(rank[tree[:, :2].astype(int)], axis=1)
    return replace(space, fine_labels=groups[space.fine_labels], fine=space.fine.merge(groups), fine_tree=tree)


def point_blocks(embedding: np.ndarray, leaf: np.ndarray) -> tuple[dict[str, np.ndarray], list[float]]:
    """Places in 16 bits, and leaves; and the box: left, right, bottom, top.

    Examples
    --------
    >>> blocks, box = point_blocks(np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([0, 1]))
    >>> blocks["xy"].tolist(), box
    ([[0, 32768], [65535, 32768]], [0.0, 2.0, 4.5, 5.5])
    """
    low, high = (np.asarray(f(embedding, axis=0), np.float64) for f in (np.min, np.max))
    low, high = np.where(high > low, low, low - 0.5), np.where(high > low, high, high + 0.5)
    steps = np.rint((embedding - low) / (high - low) * 65535)
    box = [float(low[0]), float(high[0]), float(low[1]), float(high[1])]
    return {"xy": steps.astype(np.uint16), "leaf": leaf.astype(np.uint16)}, box


def columns_of(columns: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Columns to colour by: blocks, and what each holds.  Words of more than 60 kinds are left out.

    Examples
    --------
    >>> blocks, said = columns_of({"y": np.array([0.0, 1.0, np.nan]), "kind": np.array(["b", "a", "b"])})
    >>> blocks["column0"].tolist(), blocks["column1"].tolist(), said[1]["kinds"]
    ([0, 254, 255], [1, 0, 1], ['a', 'b'])
    """
    blocks: dict[str, np.ndarray] = {}
    said: list[dict[str, Any]] = []
    for name, values in columns.items():
        series = pd.Series(values).reset_index(drop=True)
        if series.dtype.kind in "iuf":
            numbers = series.to_numpy(np.float64)
            known = np.isfinite(numbers)
            low, high = (float(f(numbers[known])) if known.any() else 0.0 for f in (np.min, np.max))
            steps = np.rint((np.where(known, numbers, low) - low) / ((high - low) or 1) * (_NONE - 1))
            blocks[f"column{len(said)}"] = np.where(known, steps, _NONE).astype(np.uint8)
            said.append({"name": str(name), "low": low, "high": high, "whole": series.dtype.kind in "iu"})
            continue
        if series.nunique() > _LEVELS:
            continue
        kind = series.astype(object).where(series.notna(), None).astype("category").cat
        blocks[f"column{len(said)}"] = np.where(kind.codes < 0, _NONE, kind.codes).astype(np.uint8)
        said.append({"name": str(name), "kinds": [str(one) for one in kind.categories]})
    return blocks, said


def sequence_blocks(codes: np.ndarray, reference: np.ndarray) -> dict[str, np.ndarray]:
    """Bases under a window, most of them 0, which compress well; nothing where they are too many.

    Examples
    --------
    >>> sequence_blocks(np.array([[0, 1], [0, 2]], np.uint8), np.array([0, 1], np.uint8))["codes"].tolist()
    [[0], [48]]
    """
    if codes.size > MOST_BASES:
        return {}
    packed, runs = pack_sequence(codes)
    plain, _ = pack_sequence(np.where(reference > 3, 0, reference)[None].astype(np.uint8))
    return {"codes": packed ^ plain, "unknown": runs}


def sums_blocks(fine: Any, labels: np.ndarray, tree: np.ndarray | None, *, letters: bool) -> dict[str, np.ndarray]:
    """Sums of the leaves, the clusters that they are in, and their tree."""
    means = fine.means
    mean, mean_scale = quantize(means)
    spread, spread_scale = quantize(np.maximum(fine.squares / fine.n[:, None, None] - means**2, 0))
    blocks = {
        "labels": labels.astype(np.int32),
        "counts": fine.n.astype(np.int32),
        "mean": mean,
        "mean_scale": mean_scale,
        "spread": spread,
        "spread_scale": spread_scale,
        "y": fine.y,
        "y_squares": fine.y_squares,
        "y_counts": fine.y_counts.astype(np.int32),
    }
    if letters:
        blocks["letters"] = fine.letters.astype(np.int32)
    if tree is not None:
        blocks |= {"heights": tree[:, 2], "children": tree[:, :2].astype(np.int32)}
    return blocks
