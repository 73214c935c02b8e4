"""One block of edits on its way through the model.

An `Example` holds the reference values of one sequence; a `Block` holds what a block of edits changed so far, and gives
rules what they ask for: a change, the edited values over a window, or the edited values at full length.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, Final

import torch

from .capture import Op, Recording, Ref, Size, refs
from .window import Change, Geometry, Layout, Track, blank, cut

__all__ = ["Block", "Context", "Example", "Result", "Rule"]

_DERIVED: Final[Mapping[str, Callable[[torch.Tensor], torch.Tensor]]] = {
    "low": lambda values: values.clamp(max=0),
    "-high": lambda values: values.neg().clamp_(max=0),
}
Result = Any  # a Change, a full tensor, or None where nothing changed; a tuple of them for several outputs


@dataclass(frozen=True)
class Rule:
    """How one operation carries changes: each output's layout (None: full length), and the function that does it."""

    layouts: tuple[Layout | None, ...]
    run: Callable[[Block], Result]
    incremental: bool = True


@dataclass
class Context:
    """What is known of each tensor of a recording while rules are chosen."""

    recording: Recording
    constants: dict[int, torch.Tensor]
    row_bound: set[int]  # depends on the other inputs or on the number of rows, not on the sequence
    layouts: dict[int, Layout]  # changes in windows
    whole: set[int]  # changes everywhere

    def shape(self, index: int) -> tuple[int, ...] | None:
        """Give a shape with 1 for the rows, or None unless the first axis, and no other, is the rows."""
        first, *rest = self.recording.shapes[index] or (0,)
        fixed = [size for size in rest if isinstance(size, int)]
        return (1, *fixed) if first == Size(0, 1) and len(fixed) == len(rest) else None

    def dtype(self, index: int) -> torch.dtype:
        """Give the type of an activation's numbers."""
        return self.recording.dtypes[index]

    def edited(self, tree: Any) -> list[int]:
        """List the tensors of an argument tree that an edit can change."""
        return [i for i in refs(tree) if i in self.layouts or i in self.whole]

    def source(self, item: Any, *, flat: bool = False) -> tuple[int, Layout] | None:
        """Give the number and layout of an argument that changes in windows."""
        if not isinstance(item, Ref) or item.index not in self.layouts:
            return None
        layout = self.layouts[item.index]
        return (item.index, layout) if layout.flat == flat else None

    def constant(self, item: Any) -> torch.Tensor | None:
        """Give the value of an argument that never changes."""
        return self.constants.get(item.index) if isinstance(item, Ref) else None

    def laid_out(self, op: Op, axis: int, pace: Fraction) -> Layout | None:
        """Give the layout of an operation's first output, whose length axis is `axis`."""
        shape = self.shape(op.outputs[0])
        return None if shape is None or not 0 < axis < len(shape) else Layout(axis, shape, pace)


class Example:
    """The reference values of one sequence (one row of each input)."""

    def __init__(
        self, context: Context, moving: Sequence[Op], bound: Sequence[Op], rows: Sequence[torch.Tensor]
    ) -> None:
        recording = context.recording
        self._context, self._bound, self._args = context, bound, rows[1:]
        self._bound_values: dict[int, dict[int, Any]] = {}
        self._tracks: dict[tuple[int, int, str], Track] = {}
        # memory that blocks use in turn, and how it was seen last
        self.scratch: dict[Hashable, tuple[torch.Tensor, torch.Tensor]] = {}
        self.values: dict[int, Any] = {recording.inputs[0]: rows[0]}
        for op in moving:
            results = recording.run(op, self.value, 1)
            self.values.update(zip(op.outputs, results, strict=True))

    def value(self, index: int, n: int = 1) -> Any:
        """Give a tensor's reference value; one that depends on the other inputs, for n rows."""
        if index in self._context.constants:
            return self._context.constants[index]
        return self.bound(n)[index] if index in self._context.row_bound else self.values[index]

    def bound(self, n: int) -> Mapping[int, Any]:
        """Give every tensor that depends on the other inputs or the number of rows alone, for n rows."""
        if n not in self._bound_values:
            recording = self._context.recording
            values: dict[int, Any] = {
                i: arg.expand(n, *arg.shape[1:]) for i, arg in zip(recording.inputs[1:], self._args, strict=True)
            }
            for op in self._bound:
                results = recording.run(op, lambda i: values[i] if i in values else self._context.constants[i], n)
                values.update(zip(op.outputs, results, strict=True))
            self._bound_values[n] = values
        return self._bound_values[n]

    def track(self, index: int, axis: int, ndim: int, kind: str = "") -> Track:
        """Give the reference values along `axis` of an activation seen with `ndim` axes.

        `kind` chooses a derived array: "" the values, "low" their negative part, "-high" minus their positive part,
        "-inf" the values with minus infinity outside the sequence.
        """
        key = (index, axis, kind)
        if key not in self._tracks:
            value = self.value(index)
            layout = self._context.layouts.get(index)
            value = (
                value.reshape(layout.shape)
                if layout is not None
                else value.reshape((1,) * (ndim - value.ndim) + tuple(value.shape))
            )
            fill = float("-inf") if kind == "-inf" else 0.0
            self._tracks[key] = Track(value, axis, fill, _DERIVED.get(kind))
        return self._tracks[key]


class Block:
    """The state of one block of edits: what changed so far, and what is read on the way."""

    def __init__(self, context: Context, example: Example, geometry: Geometry, uses: Mapping[int, int]) -> None:
        self.context, self.example, self.geometry, self._uses = context, example, geometry, uses
        self.state: dict[int, Result] = {}
        self.widest = 0  # most elements a row has had in one array

    def change(self, index: int) -> Change | None:
        """Give the change of an activation, to be written over only if nobody else reads it."""
        change: Change | None = self.state[index]
        if change is not None and change.owned and self._uses[index] > 1:
            return Change(change.delta, change.axis, change.lo, change.step, owned=False)
        return change

    def settle(self, change: Change, length: int) -> Change:
        """Spread sliding windows over the whole length, so that all rows share one interval."""
        if change.step == 0 and (change.lo, change.width) == (0, length):
            return change
        g, travel = self.geometry, change.step * (self.geometry.P - 1)
        first = min(change.lo, change.lo + travel, 0)
        last = max(change.hi, change.hi + travel, length)
        out = blank(change.delta, change.axis, last - first).movedim(change.axis, 1)
        inner, row = out.stride(1), out.stride(0)
        out.as_strided(
            (g.P, g.K, change.width, *out.shape[2:]),
            (g.K * row + change.step * inner, row, inner, *out.stride()[2:]),
            (change.lo - first) * inner,
        ).copy_(g.split(change.delta.movedim(change.axis, 1)))
        spread = cut(out, 1, -first, length - first).movedim(1, change.axis)
        return Change(spread, change.axis, 0, 0, owned=True)

    def aligned(self, indices: Iterable[int]) -> tuple[dict[int, Change | None], int] | None:
        """Give several activations' changes sliding alike, with their step; None when none of them changed."""
        changes = {i: self.change(i) for i in indices}
        steps = {c.step for c in changes.values() if c is not None}
        if not steps:
            return None
        if len(steps) > 1:
            changes = {
                i: None if c is None else self.settle(c, self.context.layouts[i].length) for i, c in changes.items()
            }
            steps = {0}
        return changes, steps.pop()

    def scratch(self, key: Hashable, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
        """Give uninitialised memory, the same for the same key in every block; fresh pages cost more than the sums."""
        store = self.example.scratch
        memory, view = store.get(key, (None, None))
        if view is not None and view.shape == shape:  # edits of one size come one after the other
            return view
        size = prod(shape)
        if memory is None or memory.numel() < size:
            memory = like.new_empty(size)
        view = memory[:size].view(shape)
        store[key] = memory, view
        return view

    def windows(self, index: int, axis: int, ndim: int, lo: int, width: int, step: int, kind: str = "") -> torch.Tensor:
        """Give reference values (P, ..., width, ...), not to be written to."""
        return self.example.track(index, axis, ndim, kind).windows(self.geometry, lo, width, step)

    def each(self, windows: torch.Tensor, axis: int) -> torch.Tensor:
        """Repeat what is the same for all K alternatives, as a new array (P * K, ...)."""
        stored = windows.movedim(axis, 1)
        stored = stored[:, None].expand(-1, self.geometry.K, *stored.shape[1:])
        stored = stored.clone(memory_format=torch.contiguous_format)
        return stored.flatten(0, 1).movedim(1, axis)

    def edited(self, index: int, change: Change | None, lo: int, hi: int, step: int, kind: str = "") -> torch.Tensor:
        """Give the edited values of an activation over ``[lo, hi)``, as a new array (or written over the change)."""
        layout = self.context.layouts[index]
        axis = layout.axis
        base = self.windows(index, axis, len(layout.shape), lo, hi - lo, step, kind)
        if change is None:
            return self.each(base, axis)
        if (lo, hi) == (change.lo, change.hi):
            out = change.delta if change.owned else blank(change.delta, axis, hi - lo, torch.empty)
            torch.add(self.geometry.split(change.delta), base.unsqueeze(1), out=self.geometry.split(out))
            return out
        out = self.each(base, axis)
        start, end = max(lo, change.lo), min(hi, change.hi)
        if start < end:
            cut(out, axis, start - lo, end - lo).add_(cut(change.delta, axis, start - change.lo, end - change.lo))
        return out

    def full(self, index: int) -> Any:
        """Give an activation of every row at full length."""
        n = self.geometry.rows
        if index in self.context.constants or index in self.context.row_bound:
            return self.example.value(index, n)
        state, reference = self.state[index], self.example.values[index]
        if state is None:
            return reference.expand(n, *reference.shape[1:])
        if not isinstance(state, Change):
            return state
        layout = self.context.layouts[index]
        values = self.settle(state, layout.length).delta + reference.reshape(layout.shape)
        return values.contiguous().reshape(n, *reference.shape[1:])

    def finish(self, index: int, result: Result) -> None:
        """Keep a result; a window as long as its axis stops sliding."""
        if isinstance(result, Change):
            layout = self.context.layouts[index]
            self.widest = max(self.widest, result.delta.numel() // self.geometry.rows)
            if result.step and result.width >= layout.length:
                result = self.settle(result, layout.length)
        elif result is not None:
            self.widest = max(self.widest, result.numel() // self.geometry.rows)
        self.state[index] = result
