"""How far apart annotations stand.

In: annotations with spans (see `table`).  Out: counts of each pair at each distance, as a tensor or a table.

Within an example the annotations are sorted, and each is compared with its next, second next, ... neighbour as long as
any pair is near enough: the work grows with the pairs found, not with the square of the annotations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..core.check import check_choice
from ..errors import problem
from .count import counted, side_of
from .table import Annotations, read_annotations

__all__ = ["ORIENTATIONS", "View", "near_pairs", "pairwise_annotations_spacing", "views", "with_strands"]

# What an annotation sees, in its own reading direction.
ORIENTATIONS: Final = ("downstream, same", "downstream, opposite", "upstream, same", "upstream, opposite")


class View(NamedTuple):
    """A pair seen from one of its annotations: orientation, the kind that sees and the kind that is seen."""

    orientation: np.ndarray
    row: np.ndarray
    column: np.ndarray


def pairwise_annotations_spacing(
    X: Any,
    max_distance: int = 100,
    dtype: torch.dtype = torch.uint8,
    symmetric: bool = True,
    shape: int | None = None,
    *,
    names: Sequence[str] | None = None,
    stranded: bool = False,
    overlaps: Literal["error", "skip"] = "error",
    sparse: bool = False,
    as_table: bool = False,
) -> Any:
    """Count each pair of annotations at each distance, in bases between the end of the left and the start of the right.

    Parameters
    ----------
    X : DataFrame or tensor (n, 4), or (DataFrame of three columns, vector)
        A table with example_idx, start, end and name (or annotation_idx); or integers example, annotation, start, end;
        or example, start and end beside a vector of annotations.
    max_distance : int
        Distances 0 to ``max_distance - 1`` are counted.
    dtype : torch.dtype
        Of the counts.
    symmetric : bool
        Count a pair for both of its annotations (once on the diagonal); else only in the row of the left one.
    shape : int, optional
        Annotations.
    names : sequence of str, optional
        All names, in order.
    stranded : bool
        Count by orientation too: whether the other annotation lies downstream or upstream, and on the same strand or the
        opposite one, as read from the row's annotation (`ORIENTATIONS`).  A sequence and its reverse complement count
        the same when `symmetric`.  Two of one kind on one strand count as downstream.
    overlaps : {"error", "skip"}
        What to do with pairs that overlap, and so have no distance.
    sparse : bool
        Give a sparse tensor.
    as_table : bool
        Give a frame of the cells that are not 0: row, column, (orientation), distance, count.

    Returns
    -------
    tensor, shape (annotations, annotations, max_distance)
        Counts; ``(4, annotations, annotations, max_distance)`` where `stranded`.

    Raises
    ------
    NbinterpError
        (a `ValueError`) for overlapping pairs, a count that `dtype` cannot hold, or missing strands.

    Notes
    -----
    Results are tangermeme's, whose counts above the dtype's largest wrap round in silence; here that is an error.  No
    annotations count as zeros, there an error.

    Examples
    --------
    >>> hits = pd.DataFrame({"example_idx": [0, 0, 0], "start": [20, 0, 9], "end": [24, 4, 14], "name": ["a", "a", "b"]})
    >>> pairwise_annotations_spacing(hits, as_table=True).values.tolist()
    [['a', 'a', 16, 1], ['a', 'b', 5, 1], ['a', 'b', 6, 1], ['b', 'a', 5, 1], ['b', 'a', 6, 1]]
    """
    where = "pairwise_annotations_spacing"
    check_choice(where, "overlaps", overlaps, ["error", "skip"])
    if max_distance < 1:
        raise problem(where, "max_distance", got=max_distance, need="at least 1", do="raise it")
    found = with_strands(where, read_annotations(where, X, spans=True, names=names), stranded)
    side = side_of(where, found.kind, shape, found.names)
    left, right, distance = near_pairs(where, found, max_distance, overlaps)
    size = (len(ORIENTATIONS), side, side, max_distance)
    keys = []
    seen_from_left, seen_from_right = views(found, left, right)
    for view, other in ((seen_from_left, False), (seen_from_right, True)):
        if other and not symmetric:
            continue
        orientation, row, column = view
        if symmetric:  # two of one kind and strand see each other in two ways: count the one downstream
            orientation = np.where((row == column) & (orientation % 2 == 0), 0, orientation)
        flat = ((orientation * side + row) * side + column) * max_distance + distance
        keys.append(flat[row != column] if other else flat)
    out = counted(where, np.concatenate(keys), size if stranded else size[1:], dtype, sparse or as_table)
    return _cells(out, found.names, stranded) if as_table else out


def with_strands(where: str, found: Annotations, stranded: bool) -> Annotations:
    """Hold annotations to having strands where they are asked for, and to spans that end after they start.

    Where they are not asked for all are dropped, so that every orientation is 0.
    """
    if found.start is None or found.end is None:
        raise problem(where, "X", got="no spans", need="start and end", do="pass a table of annotations")
    if (found.end < found.start).any():
        row = int((found.end < found.start).argmax())
        got = f"[{found.start[row]}, {found.end[row]}) in row {row}"
        raise problem(where, "X", got=got, need="start <= end", do="correct it")
    if not stranded:
        return Annotations(found.example, found.kind, found.names, found.start, found.end)
    if found.strand is None or (found.strand == 0).any():
        raise problem(where, "X", got="annotations without a strand", need="+ or - in a column strand",
                      do="pass stranded=False, or a table with strands")  # fmt: skip
    return found


def near_pairs(
    where: str, found: Annotations, max_distance: int, overlaps: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the left and of the right annotation, and the distance, of all pairs nearer than `max_distance`."""
    if found.start is None or found.end is None:
        raise problem(where, "X", got="no spans", need="start and end", do="pass a table of annotations")
    n = len(found.kind)
    at = np.lexsort((-np.arange(n), found.start, found.example))  # of equal starts the later row is the left one
    example, start, end = found.example[at], found.start[at], found.end[at]
    pairs = [np.empty((3, 0), np.int64)]
    left = np.arange(n)
    for lag in range(1, n):
        left = left[: np.searchsorted(left, n - lag)]
        distance = start[left + lag] - end[left]
        near = (example[left] == example[left + lag]) & (distance < max_distance)
        left, distance = left[near], distance[near]
        if not len(left):
            break
        apart = distance >= 0
        if overlaps == "error" and not apart.all():
            one = int(left[apart.argmin()])
            got = " and ".join(f"[{start[i]}, {end[i]})" for i in (one, one + lag))
            raise problem(
                where, "X", got=f"{got} in example {example[one]}", need="annotations that do not overlap",
                do="drop or merge them, or pass overlaps='skip'",
            )  # fmt: skip
        pairs.append(np.stack([at[left[apart]], at[left[apart] + lag], distance[apart]]))
    left, right, distance = np.concatenate(pairs, axis=1)
    return left, right, distance


def views(found: Annotations, left: np.ndarray, right: np.ndarray) -> tuple[View, View]:
    """Each pair as seen from its left and from its right annotation; orientation is 0 where there are no strands."""
    a, b = found.kind[left], found.kind[right]
    if found.strand is None:
        flat = np.zeros(len(a), np.int64)
        return View(flat, a, b), View(flat, b, a)
    s, t = found.strand[left], found.strand[right]
    opposite = (s != t).astype(np.int64)
    return View(opposite + 2 * (s < 0), a, b), View(opposite + 2 * (t > 0), b, a)


def _cells(counts: torch.Tensor, names: Sequence[str] | None, stranded: bool) -> pd.DataFrame:
    at = counts.indices().numpy()
    label = np.asarray(names, dtype=object) if names else np.arange(counts.shape[-2])
    columns: dict[str, Any] = {"row": label[at[-3]], "column": label[at[-2]]}
    if stranded:
        columns["orientation"] = np.asarray(ORIENTATIONS, dtype=object)[at[0]]
    return pd.DataFrame({**columns, "distance": at[-1], "count": counts.values().numpy()})
