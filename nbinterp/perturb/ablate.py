"""Ablation: what a span of a sequence does, seen by shuffling it away.

In: a model, sequences, and one span, or annotated spans.  Out: the output of a function before, and after each of n
shuffles of the span.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..core.results import PerturbationAnnotationsResult, PerturbationResult
from ..errors import problem
from ..model import predict
from ..sequence import dinucleotide_shuffle, shuffle
from .annotations import read_annotations
from .call import Call, accepts, each, make_call, sequences
from .edits import Edits, edits_of_copies
from .run import run_edits, stack

__all__ = ["ablate", "ablate_annotations"]

Seed = int | np.random.RandomState | None


def ablate(
    model: Any,
    X: Any,
    start: int,
    end: int,
    n: int = 20,
    shuffle_fn: Callable[..., Any] = shuffle,
    args: Sequence[torch.Tensor] | None = None,
    random_state: Seed = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    *,
    reuse: bool = True,
    **kwargs: Any,
) -> PerturbationResult:
    """Apply a function before and after shuffling positions ``[start, end)``, n times.

    Parameters
    ----------
    model : callable
        What `func` is applied to.
    X : one-hot (N, 4, L) or compact container
        The sequences; unknown bases are allowed where `shuffle_fn` allows them.
    start, end : int
        The span; a negative `end` counts from the right, -1 being the end itself.
    n : int
        Shuffles of each sequence.
    shuffle_fn : callable
        `shuffle`, `dinucleotide_shuffle`, or your own ``(X, start=, end=, n=, random_state=)`` giving ``(N, n, 4, L)``.
    args : sequence of tensors, optional
        Further inputs of the model, N rows each; repeated for the shuffles.
    random_state : int, RandomState or None
        Seed of the shuffles, and of `func` if that has a parameter of this name (which `additional_func_kwargs` can set
        apart).
    func : callable
        ``func(model, X, **options)``: `predict`, `deep_lift_shap`, `saturation_mutagenesis` or your own.
    additional_func_kwargs : mapping, optional
        Options of `func` whose names are taken by an argument here.
    reuse : bool
        With `predict`, whether to recompute only what an edit reaches where the model allows it; equal to rounding.
    **kwargs
        Options of `func`, such as `batch_size` and `device` of `predict`.

    Returns
    -------
    PerturbationResult
        `y_before` as `func` gives it, and `y_after` with an axis of n shuffles, ``(N, n, ...)``.

    Raises
    ------
    NbinterpError
        When the span is not within the sequences, or `shuffle_fn` gives something else than n shuffles of each.
    OptionError
        When `func` does not accept an option.
    Interrupted
        On a keyboard interrupt, with the finished sequences.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 5), torch.nn.Flatten(), torch.nn.Linear(92, 1))
    >>> X = random_one_hot((8, 4, 50), random_state=0).float()
    >>> y_before, y_after = ablate(model, X, 20, 30, n=5, random_state=0, device="cpu")
    >>> tuple(y_after.shape)
    (8, 5, 1)
    """
    where = "ablate"
    one_hot = sequences(where, X)
    last = one_hot.shape[2] + 1 + int(end) if end < 0 else int(end)
    if not 0 <= start < last <= one_hot.shape[2]:
        raise problem(
            where, "start, end", got=f"{int(start)}, {int(end)}", need=f"0 <= start < end <= {one_hot.shape[2]}",
            do="pass a span inside",
        )  # fmt: skip
    call = _call(where, func, model, kwargs, additional_func_kwargs, args, one_hot, random_state, n)
    shuffled = _shuffled(where, one_hot, torch.arange(len(one_hot)), int(start), last, n, shuffle_fn, random_state)
    if call.stays_whole:
        each_one, count, per = [shuffled], 1, len(one_hot) * n
    else:
        each_one = [Edits(*parts) for parts in _split(shuffled, n)]
        count, per = len(one_hot), n
    y_before = call.on(one_hot)

    def finish(y_after: Any, done: int) -> PerturbationResult:
        rows = len(one_hot) if call.stays_whole else done
        whole = each(lambda y: y.reshape(rows, n, *y.shape[2:]), y_after)
        return PerturbationResult(each(lambda y: y[:rows], y_before) if rows < len(one_hot) else y_before, whole)

    return run_edits(  # type: ignore[no-any-return]
        call, one_hot, each_one.__getitem__, count, per, together=True, reuse=reuse, finish=finish
    )


def ablate_annotations(
    model: Any,
    X: Any,
    annotations: Any,
    *,
    n: int = 20,
    shuffle_fn: Callable[..., Any] = shuffle,
    args: Sequence[torch.Tensor] | None = None,
    random_state: Seed = None,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    reuse: bool = True,
    **kwargs: Any,
) -> PerturbationAnnotationsResult:
    """Ablate each of A annotated spans alone.

    Each annotated sequence is given to `func` once, and many annotations together in each call of it.

    Parameters
    ----------
    model : callable
        What `func` is applied to.
    X : one-hot (N, 4, L) or compact container
        The sequences.
    annotations : tensor or array (A, 3), or DataFrame
        ``example_idx, start, end``, of any widths.
    args : sequence of tensors, optional
        Further inputs of the model: N rows each, or one row for all.
    random_state : int, RandomState or None
        As in `ablate`; a number seeds every annotation alike, a RandomState goes through them in order.
    n, shuffle_fn, func, additional_func_kwargs, reuse, **kwargs
        As in `ablate`.

    Returns
    -------
    PerturbationAnnotationsResult
        `y_befores` ``(A, 1, ...)`` and `y_afters` ``(A, 1, n, ...)``.

    Raises
    ------
    NbinterpError
        When there are no annotations, or one is not within its sequence.
    OptionError
        When `func` does not accept an option.
    Interrupted
        On a keyboard interrupt, with the finished annotations.

    Notes
    -----
    A `func` whose output for one row depends on the other rows of a call gives other numbers here than one annotation at
    a time.  Where an option holds a tensor or a random stream, annotations are called one at a time, as tangermeme does.
    tangermeme takes one row of `args` for all annotations and refuses one for each sequence.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 5), torch.nn.Flatten(), torch.nn.Linear(92, 1))
    >>> X = random_one_hot((8, 4, 50), random_state=0).float()
    >>> y_befores, y_afters = ablate_annotations(model, X, [[0, 5, 12], [3, 30, 40]], n=5, device="cpu")
    >>> tuple(y_befores.shape), tuple(y_afters.shape)
    ((2, 1, 1), (2, 1, 5, 1))
    """
    where = "ablate_annotations"
    one_hot = sequences(where, X)
    spans = read_annotations(where, annotations, len(one_hot), one_hot.shape[2])
    shared = args is not None and all(len(one) == 1 for one in args)
    against = one_hot[:1] if shared else one_hot
    call = _call(where, func, model, kwargs, additional_func_kwargs, args, against, random_state, n)
    if call.stays_whole:
        alone = [
            ablate(model, one_hot[i : i + 1], a, b, n, shuffle_fn, call.args_of(torch.tensor([i])), random_state, func,
                   additional_func_kwargs, **kwargs)
            for i, a, b in spans
        ]  # fmt: skip
        return PerturbationAnnotationsResult(*stack(alone))
    distinct, of = torch.tensor([i for i, _, _ in spans]).unique(return_inverse=True)
    used, call = one_hot[distinct.to(one_hot.device)], call.of(distinct)
    edits = [
        _shuffled(where, used, row[None], a, b, n, shuffle_fn, random_state)
        for row, (_, a, b) in zip(of, spans, strict=True)
    ]
    y_before = call.on(used)

    def finish(y_afters: Any, done: int) -> PerturbationAnnotationsResult:
        y_befores = each(lambda y: y[of[:done].to(y.device)].unsqueeze(1), y_before)
        return PerturbationAnnotationsResult(y_befores, each(lambda y: y.unsqueeze(1), y_afters))

    return run_edits(  # type: ignore[no-any-return]
        call, used, edits.__getitem__, len(edits), n, together=True, reuse=reuse, finish=finish
    )


def _call(
    where: str,
    func: Callable[..., Any],
    model: Any,
    options: Mapping[str, Any],
    additional: Mapping[str, Any] | None,
    args: Sequence[torch.Tensor] | None,
    X: torch.Tensor,
    random_state: Seed,
    n: int,
) -> Call:
    """Put the options together; a seed reaches a function that has a parameter for it."""
    if n < 1:
        raise problem(where, "n", got=n, need="at least 1", do="raise it")
    extra = dict(additional or {})
    if accepts(func, "random_state"):
        extra.setdefault("random_state", random_state)
    return make_call(where, func, model, options, extra, args, X=X)


def _shuffled(
    where: str,
    X: torch.Tensor,
    rows: torch.Tensor,
    start: int,
    end: int,
    n: int,
    shuffle_fn: Callable[..., Any],
    random_state: Seed,
) -> Edits:
    """Describe n shuffles of a span of some sequences.

    The shuffles of this package see the span alone, which is all that they change; any other function sees sequences.
    """
    chosen, of = X[rows.to(X.device)], rows.repeat_interleave(n)
    if shuffle_fn is shuffle or shuffle_fn is dinucleotide_shuffle:
        columns = shuffle_fn(chosen[:, :, start:end], n=n, random_state=random_state)
        return Edits(of, start, columns.flatten(0, 1))
    copies = shuffle_fn(chosen, start=start, end=end, n=n, random_state=random_state)
    if tuple(getattr(copies, "shape", ())) != (len(rows), n, *X.shape[1:]):
        raise problem(
            where, "shuffle_fn", got=f"{type(copies).__name__} of shape {tuple(getattr(copies, 'shape', ()))}",
            need=f"a tensor of shape {(len(rows), n, *X.shape[1:])}", do="give n shuffles of each sequence",
        )  # fmt: skip
    return edits_of_copies(X, of, copies.flatten(0, 1))


def _split(edits: Edits, n: int) -> list[tuple[torch.Tensor, int, torch.Tensor]]:
    """Give the copies of one sequence at a time."""
    pairs = zip(edits.rows.split(n), edits.columns.split(n), strict=True)
    return [(rows, edits.start, columns) for rows, columns in pairs]
