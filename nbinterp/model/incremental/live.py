"""Edits of one sequence, answered by recomputing what they reach.

In: a model and one sequence.  Out: a `ChangeRangePlan`, whose `edit` gives the model's outputs for edited copies; and
`sweep`, which runs over every single substitution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from ...core.batches import on_device, resolve_device, resolve_dtype, take_rows
from ...errors import ModelError, problem
from .block import Example
from .cached import Verdict, plan_of, substitutions
from .plan import Plan
from .window import Geometry

__all__ = ["ChangeRangePlan", "Edit", "Piece", "change_range_plan", "change_range_reason", "sweep"]

_CACHE_BYTES = 8 << 20  # of the largest array of a block on a CPU: what its caches hold
_GPU_BYTES = 512 << 20  # on an accelerator larger blocks cost fewer launches


class Edit(NamedTuple):
    """Bases put in from a position on, in place of as many: ``Edit(102, "T")``, ``Edit(40, "TGACTCA")``.

    A base of ``N`` clears its position.
    """

    start: int
    bases: str


class Piece(NamedTuple):
    """Some of the edits of a sweep: `bases` (P, K) put in at `positions` (P,), and the model's outputs, P * K rows."""

    positions: torch.Tensor
    bases: torch.Tensor
    output: Any


class ChangeRangePlan:
    """A model's answers to edits of one sequence; make it with `change_range_plan`.

    It speaks for the model as it was then: make another after changing its parameters.  Blocks of edits share memory,
    so one plan serves one thread at a time.

    Attributes
    ----------
    y0 : tensor, or list or tuple of tensors
        The model's output for the sequence itself, one row.
    windowed, whole : tuple of str
        The operations recomputed over windows (or updated from them), and those recomputed at full length.
    """

    def __init__(self, model: Callable[..., Any], plan: Plan, rows: Sequence[torch.Tensor]) -> None:
        self._model, self._plan, self._rows = model, plan, list(rows)
        self._letters = torch.eye(5, dtype=rows[0].dtype, device=rows[0].device)[:, :4]
        with on_device(model, rows[0].device), torch.no_grad():
            self._example: Example = plan.example(self._rows)
            self.y0: Any = tree_map(torch.clone, plan.output(self._example))
        self.windowed, self.whole = plan.windowed, plan.whole

    def edit(self, edits: Sequence[Edit | tuple[int, str]]) -> Any:
        """Give the model's output for each edit made alone, one row an edit, in order.

        Parameters
        ----------
        edits : sequence of Edit or (start, bases)
            What to put in.

        Returns
        -------
        tensor, or list or tuple of tensors
            What the model returns, for ``len(edits)`` rows, on the plan's device.

        Raises
        ------
        NbinterpError
            When there are no edits, an edit leaves the sequence, or has another letter than A, C, G, T and N.
        """
        columns = [self._columns(Edit(*edit)) for edit in edits]
        if not columns:
            raise problem("edit", "edits", got="none", need="at least one edit", do="pass (start, bases) pairs")
        groups: dict[tuple[int, int], list[int]] = {}
        for i, (edit, column) in enumerate(zip(edits, columns, strict=True)):
            groups.setdefault((edit[0], column.shape[1]), []).append(i)
        order: list[int] = []
        pieces: list[list[torch.Tensor]] = []
        x = self._rows[0]
        with torch.inference_mode():  # the plan has the model's weights: the model itself is not run
            for (start, width), members in groups.items():
                chosen = columns[members[0]][None] if len(members) == 1 else torch.stack([columns[i] for i in members])
                delta = chosen - x.narrow(2, start, width)
                geometry = Geometry(start, self._plan.stride, 1, len(members))
                leaves, spec = tree_flatten(self._plan.run(self._example, geometry, delta, start)[0])
                order += members
                pieces.append(leaves)
        # outside, so that they are tensors that gradients may meet again
        joined = [torch.cat(parts) for parts in zip(*pieces, strict=True)]
        if order != sorted(order):
            back = torch.tensor(order, device=x.device).argsort()
            joined = [part[back] for part in joined]
        return tree_unflatten(joined, spec)

    def _columns(self, edit: Edit) -> torch.Tensor:
        x = self._rows[0]
        length = x.shape[2]
        if not edit.bases or edit.start < 0 or edit.start + len(edit.bases) > length:
            raise problem(
                "edit",
                "edits",
                got=f"[{edit.start}, {edit.start + len(edit.bases)})",
                need=f"a non-empty span within [0, {length})",
                do="move or shorten the edit",
            )
        codes = ["ACGTN".find(base) for base in edit.bases.upper()]
        if min(codes) < 0:
            raise problem("edit", "edits", got=repr(edit.bases), need="letters A, C, G, T or N", do="correct them")
        return (self._letters[codes] if len(codes) > 1 else self._letters.narrow(0, codes[0], 1)).t()


def change_range_plan(
    model: Callable[..., Any],
    X: Any,
    args: Sequence[torch.Tensor] | None = None,
    *,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
) -> ChangeRangePlan:
    """Prepare a model to answer edits of one sequence, recomputing only what an edit reaches.

    A substitution changes a bounded window of each convolutional layer.  The plan keeps the reference's activations and
    carries the difference through the layers; sums and means over the length, and dense layers after flattening, are
    updated from the window.  The model is captured once and checked against itself; later plans of the same model and
    shapes take the time of one forward pass.

    Parameters
    ----------
    model : callable
        Takes ``(N, 4, L)`` and the `args`.
    X : tensor, array or compact container
        One sequence, ``(1, 4, L)``.
    args : sequence of torch.Tensor, optional
        One row of each further input.
    dtype, device : optional
        As in `predict`; by default the model's own dtype, and CUDA where there is one.

    Returns
    -------
    ChangeRangePlan
        Its `edit` gives outputs that equal the model's to rounding.

    Raises
    ------
    ModelError
        When the model cannot be replayed exactly; the message says why (see also `change_range_reason`).

    Notes
    -----
    An N (zero column) may be edited, and edits may put one in.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Conv1d(4, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 1))
    >>> X = torch.eye(4).repeat(1, 1, 3)[:, :, :10]
    >>> plan = change_range_plan(model, X, device="cpu")
    >>> plan.edit([(0, "T"), (4, "GG")]).shape
    torch.Size([2, 1])
    >>> plan.windowed
    ('conv1d', 'relu', 'flatten', 'linear')
    """
    verdict, rows = _verdict("change_range_plan", model, X, args, dtype, device)
    if verdict.plan is None:
        raise problem(
            "change_range_plan",
            "model",
            got=f"a model that cannot be replayed in part: {verdict.reason}",
            need="operations that can",
            do="predict the edited sequences instead",
            kind=ModelError,
        )
    return ChangeRangePlan(model, verdict.plan, rows)


def change_range_reason(
    model: Callable[..., Any],
    X: Any,
    args: Sequence[torch.Tensor] | None = None,
    *,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
) -> str | None:
    """Say why edits of a model cannot be recomputed in part, or None where they can.

    Parameters and errors are those of `change_range_plan`.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 3), torch.nn.Flatten(), torch.nn.Linear(16, 1))
    >>> change_range_reason(model, torch.zeros(1, 4, 10), device="cpu") is None
    True
    >>> change_range_reason(lambda X: X.softmax(-1), torch.zeros(1, 4, 10), device="cpu")
    'softmax reads the whole sequence before any layer that reads a part of it'
    """
    verdict, _ = _verdict("change_range_reason", model, X, args, dtype, device)
    return verdict.reason or None


def _verdict(
    where: str,
    model: Callable[..., Any],
    X: Any,
    args: Sequence[torch.Tensor] | None,
    dtype: torch.dtype | str | None,
    device: torch.device | str | None,
) -> tuple[Verdict, list[torch.Tensor]]:
    if len(X.shape) != 3 or X.shape[0] != 1:
        raise problem(where, "X", got=f"shape {tuple(X.shape)}", need="one sequence (1, 4, L)", do="pass X[i:i+1]")
    on, of = resolve_device(device, model), resolve_dtype(dtype, model)
    rows = [take_rows(a, 0, 1, device=on, dtype=of) for a in (X, *(args or ()))]
    with on_device(model, on):
        return plan_of(model, rows), rows


def sweep(
    verdict: Verdict, example: Example, x: torch.Tensor, start: int, end: int, batch_size: int
) -> Iterator[Piece]:
    """Run over every single substitution in ``[start, end)``, leaving out the base that is there.

    Positions with no single base (N) take all four.  `batch_size` full-length rows bound the memory; a block that does
    not fit the device is halved.
    """
    plan = verdict.plan
    assert plan is not None
    budget = _CACHE_BYTES if x.device.type == "cpu" else _GPU_BYTES
    rows = min(budget // (verdict.widest * x.element_size()), batch_size * verdict.full // verdict.widest)
    size = max(1, rows // (x.shape[1] - 1))
    alternatives, clean = _alternatives(x[0])
    for offset in range(min(plan.stride, end - start)):
        first = start + offset
        while first < end:
            count = min(size, (end - first - 1) // plan.stride + 1)
            positions = torch.arange(count) * plan.stride + first
            bases = alternatives[positions]
            if not clean[positions].all():
                bases = torch.arange(x.shape[1]).expand(count, -1)
            geometry, delta = substitutions(x, first, plan.stride, bases)
            try:
                output, _ = plan.run(example, geometry, delta, first)
            except torch.OutOfMemoryError:
                if size == 1:
                    raise
                size = max(1, size // 2)
                torch.cuda.empty_cache()
                continue
            yield Piece(positions, bases, output)
            first += count * plan.stride


def _alternatives(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Give each position's other bases (L, A - 1), and whether it has exactly one base."""
    x = x.cpu()
    alphabet = x.shape[0]
    clean = ((x == 1).sum(0) == 1) & ((x != 0).sum(0) == 1)
    others = torch.tensor([[b for b in range(alphabet) if b != base] for base in range(alphabet)])
    return others[x.argmax(0)], clean
