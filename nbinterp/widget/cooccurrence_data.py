"""What a CooccurrenceView sends to the browser.

In: annotations, tables of pairs and spacings.  Out: plain lists, and arrays for the binary trait.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from ..errors import problem

if TYPE_CHECKING:
    from ..annotation.enrichment import SpacingGrid

__all__ = ["Lean", "lean_annotations", "near_blocks", "pair_blocks"]

_CELLS: Final = 2**20  # numbers of spacings in the page
_KNOTS: Final = 9  # what is expected falls with the distance, in a line but for its end
_MOST: Final = 300.0  # -log10 of the smallest q-value


class Lean(NamedTuple):
    """Annotations as integers.

    Attributes
    ----------
    table : DataFrame
        example_idx, annotation_idx, start, end and, where every annotation has one, strand.
    names : list of str
        What annotation_idx stands for.
    examples : int array
        In how many examples each name occurs.
    stranded : bool
    """

    table: pd.DataFrame
    names: list[str]
    examples: np.ndarray
    stranded: bool


def lean_annotations(where: str, annotations: Any, names: Sequence[str] | None) -> Lean:
    """Read a table of annotations once."""
    if not isinstance(annotations, pd.DataFrame):
        raise problem(where, "annotations", got=f"a {type(annotations).__name__}", need="a DataFrame", do="convert it")
    from ..annotation import as_annotations

    table = as_annotations(annotations)
    if "name" not in table:
        got = ", ".join(map(str, annotations.columns))
        do = "name the seqlets with annotate_seqlets"
        raise problem(where, "annotations", got=f"columns {got}", need="a column name too", do=do)
    if table["name"].isna().any():
        row = int(table["name"].isna().argmax())
        raise problem(where, "annotations", got=f"no name in row {row}", need="a name for each", do="drop such rows")
    codes, found = pd.factorize(table["name"], sort=True)
    known = [str(one) for one in (found if names is None else names)]
    if len(set(known)) < len(known):
        twice = next(one for one in known if known.count(one) > 1)
        raise problem(where, "names", got=f"{twice!r} twice", need="each name once", do="merge or rename them")
    index = pd.Index(known).get_indexer(pd.Index(found.astype(str))) if known else np.empty(0, np.int64)
    if (index < 0).any():
        absent = str(found[int((index < 0).argmax())])
        raise problem(
            where, "names", got=f"no {absent!r}", need="every name in the table", do="add it, or drop its rows"
        )
    kind = index[codes] if len(codes) else np.empty(0, np.int64)
    columns = {name: table[name].to_numpy(np.int64) for name in ("example_idx", "start", "end")}
    lean = pd.DataFrame({**columns, "annotation_idx": kind})
    if len(lean) and lean[["example_idx", "start"]].to_numpy().min() < 0:
        row = int((lean[["example_idx", "start"]] < 0).any(axis=1).argmax())
        got = f"example {lean['example_idx'][row]}, start {lean['start'][row]} in row {row}"
        raise problem(where, "annotations", got=got, need="no negatives", do="drop such rows")
    stranded = len(lean) > 0 and "strand" in table and bool(table["strand"].isin(["+", "-"]).all())
    if stranded:
        lean["strand"] = table["strand"].to_numpy()
    cells = np.unique(lean["example_idx"].to_numpy() * max(len(known), 1) + kind)
    return Lean(lean, known, np.bincount(cells % max(len(known), 1), minlength=len(known)), stranded)


def pair_blocks(pairs: pd.DataFrame, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Numbers of every two of `names`, as a triangle by rows: number `i (i + 1) / 2 + j`, for ``j <= i``."""
    index = pd.Index(list(names))
    a, b = (index.get_indexer(pd.Index(pairs[side])) for side in ("row", "column"))
    known = (a >= 0) & (b >= 0)
    i, j = np.maximum(a, b)[known], np.minimum(a, b)[known]
    at, size = i * (i + 1) // 2 + j, len(names) * (len(names) + 1) // 2
    with np.errstate(divide="ignore"):
        strength = np.minimum(-np.log10(pairs["q-value"].to_numpy(float)), _MOST)
    columns = {"observed": pairs["observed"].to_numpy(), "expected": pairs["expected"].to_numpy(), "strength": strength}
    blocks = {}
    for name, values in columns.items():
        blocks[name] = np.zeros(size, np.int32 if name == "observed" else np.float32)
        blocks[name][at] = values[known]
    return blocks


def near_blocks(grid: SpacingGrid, spacings: pd.DataFrame, rank: np.ndarray) -> tuple[dict[str, np.ndarray], bool]:
    """Spacings of the pairs that are near each other most often, as many as the page is to hold.

    Parameters
    ----------
    grid, spacings
        Every number, and the tests of those that are not 0.
    rank : int array
        Number of each name in the page, -1 for those that are not in it.

    Returns
    -------
    blocks, whole
        near (pairs, 2): the name that sees and the one that is seen; counts (pairs, ways, distances); chance (pairs, ways,
        knots): what is expected at the `knots`; marks: indices into counts of what is significant.  Ways are the
        `ORIENTATIONS`, or without strands the other one to the right and to the left.
        And whether no pair that can occur was left out.
    """
    from ..annotation.enrichment import as_many

    n_distances, side = grid.observed.shape[1], len(rank)
    ways = 4 if grid.stranded else 2
    first, second, way = grid.row, grid.column, grid.orientation
    if not grid.stranded:  # a row is the left one of two: one sees the other to its right
        first, second, way = (
            np.minimum(grid.row, grid.column),
            np.maximum(grid.row, grid.column),
            (grid.row > grid.column) * 1,
        )
    inside = np.flatnonzero((rank[first] >= 0) & (rank[second] >= 0)) if side else np.empty(0, np.int64)
    cells, which = np.unique(first[inside] * max(side, 1) + second[inside], return_inverse=True)
    which = which.ravel()
    total = np.bincount(which, grid.observed.sum(axis=1)[inside], minlength=len(cells))
    kept = np.argsort(-total, kind="stable")[: max(_CELLS // (ways * n_distances), 1)]
    place = np.full(len(cells), -1)
    place[kept] = np.arange(len(kept))
    rows = inside[place[which] >= 0]
    at = place[which][place[which] >= 0] * ways + way[rows]
    knots = np.unique(np.linspace(0, n_distances - 1, _KNOTS).astype(np.int32))
    counts = np.zeros((len(kept) * ways, n_distances), np.int32)
    chance = np.zeros((len(kept) * ways, len(knots)), np.float32)
    marks = np.zeros(counts.shape, bool)
    called = spacings.loc[spacings["q-value"] <= 0.05, "p-value"]
    if len(rows):
        counts[at], chance[at] = grid.observed[rows], grid.expected[rows][:, knots]
        marks[at] = as_many(grid.observed[rows], grid.expected[rows]) <= (called.max() if len(called) else -1)
    near = np.stack(np.divmod(cells[kept], max(side, 1)), axis=1)
    blocks = {
        "near": rank[near].astype(np.int32) if len(kept) else np.empty((0, 2), np.int32), "counts": counts,
        "chance": chance, "knots": knots, "marks": np.flatnonzero(marks).astype(np.int32),
    }  # fmt: skip
    return blocks, len(kept) == len(cells)
