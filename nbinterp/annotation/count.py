"""How often each annotation occurs, and which occur together.

In: annotations (see `table`).  Out: counts as tensors, dense or sparse, or labelled tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from ..errors import problem
from .table import Annotations, read_annotations

__all__ = ["count_annotations", "counted", "pairs_of", "pairwise_annotations", "side_of"]

_DENSE_CELLS = 2**21


def count_annotations(
    X: Any,
    dtype: torch.dtype = torch.uint8,
    shape: tuple[int, int] | None = None,
    dim: int | None = None,
    *,
    names: Sequence[str] | None = None,
    sparse: bool = False,
    as_table: bool = False,
) -> Any:
    """Count each annotation in each example.

    Parameters
    ----------
    X : DataFrame, tensor (n, 2), or two vectors
        A table with example_idx, start, end and name (or annotation_idx); or example and annotation indices.
    dtype : torch.dtype
        Of the counts.
    shape : (int, int), optional
        Examples and annotations; by default as many as the largest indices (and the names) ask for.
    dim : None, 0 or 1
        Sum over examples (0) or over annotations (1).
    names : sequence of str, optional
        All names, in the order of their columns; by default those of the table.
    sparse : bool
        Give a sparse tensor.
    as_table : bool
        Give a frame with the names as columns (a series with `dim`).

    Returns
    -------
    tensor, shape (examples, annotations)
        Counts; one axis less with `dim`.

    Raises
    ------
    NbinterpError
        For indices beyond `shape`, or a count that `dtype` cannot hold.

    Notes
    -----
    Results are tangermeme's, whose counts above the dtype's largest wrap round in silence; here that is an error.  No
    annotations count as zeros, there an error.

    Examples
    --------
    >>> count_annotations(([0, 0, 2], [1, 1, 0])).tolist()
    [[0, 2], [0, 0], [1, 0]]
    """
    where = "count_annotations"
    found = read_annotations(where, X, spans=False, names=names)
    if dim not in (None, 0, 1):
        raise problem(where, "dim", got=dim, need="None, 0 or 1", do="choose one of them")
    sides = (
        side_of(where, found.example, shape and shape[0]),
        side_of(where, found.kind, shape and shape[1], found.names),
    )
    if dim is None:
        out = counted(where, found.example * sides[1] + found.kind, sides, dtype, sparse)
    else:
        axis = (found.kind, found.example)[dim]
        out = counted(where, axis, (sides[1 - dim],), dtype, sparse)
    if not as_table:
        return out
    dense = out.to_dense().numpy() if sparse else out.numpy()
    if dim is not None:
        return pd.Series(dense, index=list(found.names) if dim == 0 and found.names else None)
    return pd.DataFrame(dense, columns=list(found.names) if found.names and len(found.names) == sides[1] else None)


def pairwise_annotations(
    X: Any,
    dtype: torch.dtype = torch.int64,
    unique: bool = True,
    symmetric: bool = True,
    shape: int | None = None,
    *,
    names: Sequence[str] | None = None,
    self_pairs: bool = False,
    order: Literal["row", "position"] | None = None,
    sparse: bool = False,
    as_table: bool = False,
) -> Any:
    """Count how many examples hold each pair of annotations, or how many such pairs there are.

    Parameters
    ----------
    X : DataFrame, tensor (n, 2), or two vectors
        As in `count_annotations`.
    dtype : torch.dtype
        Of the counts.
    unique : bool
        Count a pair once an example; else every pair of instances.
    symmetric : bool
        Count a pair in both triangles (once on the diagonal); else only with its first annotation as row.
    shape : int, optional
        Annotations.
    names : sequence of str, optional
        All names in order.
    self_pairs : bool
        With `unique`: count an annotation that occurs twice or more as paired with itself, once an example.
    order : {"row", "position"}, optional
        Which annotation of a pair is the first, when not `symmetric`: that of the earlier row in `X`, or the one further
        left (tables only; ties by row).  With `unique` it is where each occurs first that counts.  By default that of
        the lower index where `unique`, and the earlier row otherwise.
    sparse, as_table : bool
        Give a sparse tensor, or a frame labelled with the names.

    Returns
    -------
    tensor, shape (annotations, annotations)

    Raises
    ------
    NbinterpError
        As `count_annotations`; or for an order by position without positions.

    Notes
    -----
    Defaults give tangermeme's results.  Its documentation promises more where `unique`: a pair of an annotation with
    itself, and rows in the order of `X`; `self_pairs` and ``order="row"`` keep those promises.

    Examples
    --------
    >>> pairwise_annotations(([0, 0, 0, 1], [1, 0, 1, 1])).tolist()
    [[0, 1], [1, 0]]
    >>> pairwise_annotations(([0, 0, 0, 1], [1, 0, 1, 1]), unique=False).tolist()
    [[0, 2], [2, 1]]
    """
    where = "pairwise_annotations"
    found = read_annotations(where, X, spans=False, names=names)
    side = side_of(where, found.kind, shape, found.names)
    example, kind = _sorted_for_pairs(where, found, unique, order)
    keys = [np.empty(0, np.int64)]
    for left, right in pairs_of(example):
        a, b = kind[left], kind[right]
        keys.append(a * side + b)
        if symmetric:
            keys.append((b * side + a)[a != b])
    if unique and self_pairs:
        cell, count = np.unique(found.example * side + found.kind, return_counts=True)
        keys.append(cell[count > 1] % side * (side + 1))
    out = counted(where, np.concatenate(keys), (side, side), dtype, sparse)
    if not as_table:
        return out
    labels = list(found.names) if found.names and len(found.names) == side else None
    return pd.DataFrame((out.to_dense() if sparse else out).numpy(), index=labels, columns=labels)


def _sorted_for_pairs(where: str, found: Annotations, unique: bool, order: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Examples and kinds, by example, in each with the annotation first that makes the row of a pair."""
    if order not in (None, "row", "position"):
        raise problem(where, "order", got=repr(order), need="'row', 'position' or None", do="choose one of them")
    if order == "position" and found.start is None:
        raise problem(where, "order", got="indices alone", need="start and end", do="pass a table of annotations")
    rank = found.start if order == "position" and found.start is not None else np.arange(len(found.kind))
    at = np.lexsort((rank, found.example))
    example, kind = found.example[at], found.kind[at]
    if unique and len(at):
        side = int(kind.max()) + 1
        _, first = np.unique(example * side + kind, return_index=True)  # sorted by example, then kind
        first = first if order is None else np.sort(first)
        example, kind = example[first], kind[first]
    return example, kind


def pairs_of(example: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs of rows of one example, neighbours first; `example` is sorted."""
    left = np.arange(len(example))
    for lag in range(1, len(example)):
        left = left[: np.searchsorted(left, len(example) - lag)]
        left = left[example[left] == example[left + lag]]
        if not len(left):
            return
        yield left, left + lag


def side_of(where: str, index: np.ndarray, given: int | None, names: Sequence[str] | None = None) -> int:
    """How long an axis is: as given, or as its largest index and the names ask for."""
    seen = int(index.max()) + 1 if len(index) else 0
    if given is not None and seen > given:
        raise problem(where, "shape", got=f"index {seen - 1} for an axis of {given}", need=f"{seen}", do="enlarge it")
    return given if given is not None else max(seen, len(names or ()))


def counted(where: str, keys: np.ndarray, shape: tuple[int, ...], dtype: torch.dtype, sparse: bool) -> torch.Tensor:
    """Count flat indices into a tensor of `shape`, dense or sparse; what `dtype` cannot hold is an error."""
    size = int(np.prod(shape))
    dense = not sparse and size <= max(_DENSE_CELLS, len(keys))  # else most cells are empty: look at the others alone
    cell, count = (None, np.bincount(keys, minlength=size)) if dense else np.unique(keys, return_counts=True)
    if len(count) and not dtype.is_floating_point and count.max() > torch.iinfo(dtype).max:
        raise problem(
            where, "dtype", got=f"a count of {count.max()}", need=f"no more than {dtype} holds",
            do="pass dtype=torch.int32",
        )  # fmt: skip
    values = torch.from_numpy(count).to(dtype)
    if cell is None:
        return values.reshape(shape)
    if sparse:
        at = torch.from_numpy(np.stack(np.unravel_index(cell, shape)) if len(cell) else np.empty((len(shape), 0), int))
        return torch.sparse_coo_tensor(at, values, shape, is_coalesced=True, check_invariants=True)
    out = torch.zeros(size, dtype=dtype)
    out[torch.from_numpy(cell)] = values
    return out.reshape(shape)
