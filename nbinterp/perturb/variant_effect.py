"""Variant effects: what substitutions, deletions and insertions of single bases do.

In: a model, sequences, and rows that say which base of which sequence changes.  Out: the output of a function before and
after all changes of a sequence are made together.  Sequences keep the model's length: what a deletion pulls in and an
insertion pushes out is at one end, chosen by `left`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..core.results import PerturbationResult
from ..errors import problem
from ..model import predict
from .annotations import integer_rows
from .call import make_call, sequences

__all__ = ["deletion_effect", "insertion_effect", "substitution_effect"]


def substitution_effect(
    model: Any,
    X: Any,
    substitutions: Any,
    args: Sequence[torch.Tensor] | None = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> PerturbationResult:
    """Apply a function before and after substituting bases.

    Parameters
    ----------
    model : callable
        What `func` is applied to.
    X : one-hot (N, 4, L) or compact container
        The sequences.
    substitutions : integers (n, 3)
        ``example_idx, position, base``, where base is a row of the one-hot.  All rows of a sequence are made together;
        to score alternatives, repeat the sequence.
    args : sequence of tensors, optional
        Further inputs of the model, N rows each.
    func : callable
        ``func(model, X, **options)``: `predict`, `deep_lift_shap`, `saturation_mutagenesis` or your own.
    additional_func_kwargs : mapping, optional
        Options of `func` whose names are taken by an argument here.
    **kwargs
        Options of `func`, such as `batch_size` and `device` of `predict`.

    Returns
    -------
    PerturbationResult
        `y_before` and `y_after`, each as `func` gives it for N sequences.

    Raises
    ------
    NbinterpError
        When a row is not within the sequences, or two rows are of one position.
    OptionError
        When `func` does not accept an option.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    >>> X = torch.eye(4).repeat(1, 3)[None, :, :10]
    >>> y_before, y_after = substitution_effect(model, X, [[0, 4, 1], [0, 5, 2]], device="cpu")
    >>> tuple(y_after.shape)
    (1, 1)
    """
    where = "substitution_effect"
    before = sequences(where, X, soft=True)
    rows = _read(where, "substitutions", substitutions, before, "example_idx, position, base")
    call = make_call(where, func, model, kwargs, additional_func_kwargs, args, X=before)
    _, first, counts = np.unique(rows[:, :2], axis=0, return_index=True, return_counts=True)
    if (counts > 1).any():
        example, position, _ = rows[first[np.argmax(counts > 1)]].tolist()
        raise problem(
            where, "substitutions", got=f"two rows for position {position} of sequence {example}", need="one at most",
            do="remove one, or repeat the sequence so that each alternative has its own",
        )  # fmt: skip
    example, position, base = torch.from_numpy(rows).T.to(before.device)
    after = before.clone()
    after[example, :, position] = 0
    after[example, base, position] = 1
    return PerturbationResult(call.on(before), call.on(after))


def deletion_effect(
    model: Any,
    X: Any,
    deletions: Any,
    left: bool = False,
    args: Sequence[torch.Tensor] | None = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> PerturbationResult:
    """Apply a function before and after deleting bases.

    Parameters
    ----------
    X : one-hot (N, 4, L + d) or compact container
        The sequences, longer than the model's input by d, the most deletions that one of them has.
    deletions : integers (n, 2)
        ``example_idx, position``; one given twice counts once.
    left : bool
        Keep the last L bases, rather than the first, of every sequence.
    model, args, func, additional_func_kwargs, **kwargs
        As in `substitution_effect`.

    Returns
    -------
    PerturbationResult
        `y_before` of the sequences cut to L, and `y_after`.

    Raises
    ------
    NbinterpError
        When a row is not within the sequences, or nothing would be left of one.
    OptionError
        When `func` does not accept an option.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    >>> X = torch.eye(4).repeat(1, 3)[None]  # 12 long: two more than the model takes
    >>> y_before, y_after = deletion_effect(model, X, [[0, 4], [0, 5]], device="cpu")
    >>> tuple(y_after.shape)
    (1, 1)
    """
    where = "deletion_effect"
    one_hot = sequences(where, X, soft=True)
    rows = _read(where, "deletions", deletions, one_hot, "example_idx, position")
    call = make_call(where, func, model, kwargs, additional_func_kwargs, args, X=one_hot)
    gone = np.zeros((one_hot.shape[0], one_hot.shape[2]), np.int8)
    gone[rows[:, 0], rows[:, 1]] = 1
    width = one_hot.shape[2] - int(gone.sum(axis=1).max())
    if width == 0:
        raise problem(
            where, "deletions", got=f"a sequence with all of its {one_hot.shape[2]} bases deleted", need="one left",
            do="pass sequences that are longer than the model's input by the deletions",
        )  # fmt: skip
    # a stable sort puts the bases that stay together, in order: at the front, or at the end
    order = np.argsort(-gone if left else gone, axis=1, kind="stable")
    kept = torch.from_numpy(order[:, -width:] if left else order[:, :width]).to(one_hot.device)
    after = one_hot.gather(2, kept[:, None].expand(-1, one_hot.shape[1], -1))
    before = one_hot[:, :, -width:] if left else one_hot[:, :, :width]
    return PerturbationResult(call.on(before), call.on(after))


def insertion_effect(
    model: Any,
    X: Any,
    insertions: Any,
    left: bool = False,
    args: Sequence[torch.Tensor] | None = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> PerturbationResult:
    """Apply a function before and after inserting bases.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    insertions : integers (n, 3)
        ``example_idx, position, base``: each goes in front of the base at its position.  Of several at one position the
        last given comes first, so that ``S`` goes in as rows for ``S[-1]``, ..., ``S[0]``.
    left : bool
        Drop what is too much at the left end, rather than at the right.
    model, args, func, additional_func_kwargs, **kwargs
        As in `substitution_effect`.

    Returns
    -------
    PerturbationResult
        `y_before` and `y_after`; an insertion that its neighbours push over the end is dropped with what is there.

    Raises
    ------
    NbinterpError
        When a row is not within the sequences.
    OptionError
        When `func` does not accept an option.

    Notes
    -----
    tangermeme leaves out rows of sequences that are not there, and gives `func` float32 sequences after any insertion;
    here such rows are an error, and the sequences keep their dtype.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    >>> X = torch.eye(4).repeat(1, 3)[None, :, :10]
    >>> y_before, y_after = insertion_effect(model, X, [[0, 4, 1]], device="cpu")
    >>> tuple(y_after.shape)
    (1, 1)
    """
    where = "insertion_effect"
    before = sequences(where, X, soft=True)
    rows = _read(where, "insertions", insertions, before, "example_idx, position, base")
    call = make_call(where, func, model, kwargs, additional_func_kwargs, args, X=before)
    return PerturbationResult(call.on(before), call.on(_insert(before, rows, left)))


def _insert(X: torch.Tensor, rows: np.ndarray, left: bool) -> torch.Tensor:
    """Write the old bases and the new ones where they come to lie; what lies outside is dropped."""
    n, _, length = X.shape
    rows = rows[np.lexsort((-np.arange(len(rows)), rows[:, 1], rows[:, 0]))]
    example, position, base = rows.T
    before = np.zeros((n, length), np.int64)  # insertions in front of each base, and of those before it
    np.add.at(before, (example, position), 1)
    before = before.cumsum(axis=1)
    shift = before[:, -1:] if left else np.zeros((n, 1), np.int64)
    rank = np.arange(len(rows)) - np.searchsorted(example, example)  # within the sequence
    to_old, to_new = np.arange(length) + before - shift, position + rank - shift[example, 0]
    after = X.new_zeros(X.shape)
    old_row, old_at = np.nonzero((to_old >= 0) & (to_old < length))
    new = np.flatnonzero((to_new >= 0) & (to_new < length))

    def index(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(values).to(X.device)

    after[index(old_row), :, index(to_old[old_row, old_at])] = X[index(old_row), :, index(old_at)]
    after[index(example[new]), index(base[new]), index(to_new[new])] = 1
    return after


def _read(where: str, argument: str, table: Any, X: torch.Tensor, columns: str) -> np.ndarray:
    """Give rows of (example, position[, base]), each within the sequences."""
    rows = integer_rows(where, argument, table, columns)
    sizes = (X.shape[0], X.shape[2], X.shape[1])
    for name, values, size in zip(columns.split(", "), rows.T, sizes, strict=False):
        bad = (values < 0) | (values >= size)
        if bad.any():
            row = int(np.argmax(bad))
            raise problem(
                where, argument, got=f"{name} {values[row]} in row {row}", need=f"0 to {size - 1}",
                do="correct or remove such rows",
            )  # fmt: skip
    return rows
