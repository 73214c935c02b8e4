"""Apply a function to the edited copies of many conditions.

In: sequences, and for each of C conditions (an annotation, a spacing, a sequence) edited copies, mostly E of them.
Out: the function's output for all of them, ``(C, E, ...)``.  Copies are written out a group of conditions at a time, and
several conditions share a call of the function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from ..core.batches import run_batches
from .call import Call, each, join
from .edits import Edits, write_out
from .reuse import Repredictor, repredictor

__all__ = ["run_edits", "stack"]

GROUP_BYTES = 256 << 20  # of edited copies at a time


def run_edits(
    call: Call,
    X: torch.Tensor,
    edits: Callable[[int], Edits],
    n: int,
    per_condition: int | Sequence[int],
    *,
    together: bool,
    reuse: bool = True,
    verbose: bool = False,
    finish: Callable[[Any, int], Any],
) -> Any:
    """Apply a function to the edited copies of n conditions.

    Parameters
    ----------
    call : Call
        The function; its `args` belong to `X`.
    X : torch.Tensor
        The sequences.
    edits : callable
        Gives the copies of a condition; asked again when a group is halved for lack of memory.
    n : int
        C.
    per_condition : int or sequence of int
        E; or the number of copies of each condition, of which `finish` gets ``(copies, ...)``.
    together : bool
        Whether conditions may share a call.
    reuse : bool
        Whether `predict` may recompute only what the edits reach.
    verbose : bool
        Show progress by condition.
    finish : callable
        Makes the result of the output ``(C, E, ...)`` and C; when the user interrupts, of the C that are finished.
    """
    finished: list[Any] = []
    sizes = [per_condition] * n if isinstance(per_condition, int) else per_condition
    predicted = repredictor(call, X, sum(sizes)) if reuse else None
    bytes_each = max(sizes, default=0) * X[0].numel() * X.element_size()
    size = max(1, GROUP_BYTES // max(1, bytes_each)) if together else 1

    def step(start: int, end: int) -> None:
        group = [edits(i) for i in range(start, end)]
        finished.append(_answer(call, X, group, predicted))

    def result(done: int) -> Any:
        y = join(call.where, finished, sum(sizes[:done]))
        if isinstance(per_condition, int):
            y = each(lambda t: t.reshape(done, per_condition, *t.shape[1:]), y)
        return finish(y, done)

    run_batches(n, size, step, desc=call.where, verbose=verbose, partial=result)
    return result(n)


def _answer(call: Call, X: torch.Tensor, group: Sequence[Edits], predicted: Repredictor | None) -> Any:
    """Give the output for the copies of some conditions, in their order: in part where that pays, the others in full."""
    order: list[int] = []
    parts: list[Any] = []
    if predicted is not None:
        near = [i for i, one in enumerate(group) if predicted.pays(one)]
        y = predicted([group[i] for i in near]) if near else None
        if y is not None:
            parts, order = [y], near
    far = sorted(set(range(len(group))) - set(order))
    if far:
        rows = torch.cat([group[i].rows for i in far])
        parts.append(call(torch.cat([write_out(X, group[i]) for i in far]), call.args_of(rows)))
    sizes = [len(one.rows) for one in group]
    joined = join(call.where, parts, sum(sizes))
    if not order or not far:
        return joined
    places = torch.arange(sum(sizes)).split(sizes)
    back = torch.cat([places[i] for i in order + far]).argsort()
    return each(lambda t: t[back], joined)


def stack(results: Sequence[Any]) -> Any:
    """Stack results of one shape (named tuples of outputs) tensor by tensor."""
    leaves, specs = zip(*(tree_flatten(one) for one in results), strict=True)
    return tree_unflatten([torch.stack(column) for column in zip(*leaves, strict=True)], specs[0])
