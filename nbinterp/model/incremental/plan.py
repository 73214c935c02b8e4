"""The change-range plan: what a model computes, sorted by how far an edit reaches in it.

A plan belongs to a model, to the shapes and dtype of its inputs and to a device.  It is captured once, in the time of
a few forward passes, checked against the model itself on edits at both ends and in the middle, and kept as long as the
model lives.  Given a sequence it answers edits by recomputing only what they reach.

In: a model and a sequence (one row).  Out: the model's outputs for edited copies of it.
Source: the idea of recomputing windows is fastISM's (Nair et al., Bioinformatics 2022); carrying differences instead of
values, sharing them between alternatives and neighbours, and updating sums over the length are this project's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import torch
from torch.utils._pytree import tree_map

from .block import Block, Context, Example, Rule
from .capture import Op, Recording, Ref, Unsupported, name_of, record, refs
from .rules_layout import LAYOUT_RULES
from .rules_linear import LINEAR_RULES
from .rules_pointwise import POINTWISE_RULES
from .rules_pool import POOL_RULES
from .window import Change, Geometry, Layout

__all__ = ["Plan", "make_plan"]

_RULES: Mapping[str, Callable[[Op, Context], Rule | None]] = {
    **LINEAR_RULES,
    **POINTWISE_RULES,
    **POOL_RULES,
    **LAYOUT_RULES,
}
_HEAVY = {"conv1d", "conv2d", "conv3d", "convolution", "_convolution", "_convolution_mode", "linear", "matmul", "mm"}


@dataclass(frozen=True)
class Plan:
    """A model's operations with a rule each.

    Attributes
    ----------
    windowed : tuple of str
        Operations recomputed over windows alone, in order.
    whole : tuple of str
        Operations recomputed at full length for every edit.
    stride : int
        Edits this many positions apart slide through every activation at a constant pace, and share one block.
    """

    context: Context
    rules: tuple[tuple[Op, Rule], ...]
    bound: tuple[Op, ...]
    uses: Mapping[int, int]
    stride: int

    @property
    def windowed(self) -> tuple[str, ...]:
        """Operations recomputed over windows alone, or updated from them."""
        return tuple(name_of(op) for op, rule in self.rules if rule.incremental)

    @property
    def whole(self) -> tuple[str, ...]:
        """Operations recomputed at full length."""
        return tuple(name_of(op) for op, rule in self.rules if not rule.incremental)

    def example(self, rows: Sequence[torch.Tensor]) -> Example:
        """Compute the reference values of one sequence (and one row of each further input)."""
        return Example(self.context, [op for op, _ in self.rules], self.bound, rows)

    def output(self, example: Example) -> Any:
        """Give the model's output for the reference itself, one row."""
        return tree_map(lambda x: example.value(x.index) if isinstance(x, Ref) else x, self.context.recording.output)

    def run(self, example: Example, geometry: Geometry, delta: torch.Tensor, lo: int) -> tuple[Any, int]:
        """Give the model's output for every row of a block, and how many entries its largest array had in a row.

        Parameters
        ----------
        example : Example
            The reference.
        geometry : Geometry
            Which edits the block holds.
        delta : torch.Tensor
            (P * K, 4, width), the edited columns minus the reference's.
        lo : int
            Where the first edit starts.
        """
        block = Block(self.context, example, geometry, self.uses)
        (index, *_) = self.context.recording.inputs
        block.finish(index, Change(delta, 2, lo, geometry.stride))
        left = dict(self.uses)
        for op, rule in self.rules:
            result = rule.run(block)
            results = result if isinstance(result, tuple) else (result,)
            for number, value in zip(op.outputs, results, strict=True):
                block.finish(number, value)
            for number in op.reads:
                left[number] -= 1
                if not left[number]:
                    block.state.pop(number, None)
        output = tree_map(lambda x: block.full(x.index) if isinstance(x, Ref) else x, self.context.recording.output)
        return output, block.widest


def make_plan(model: Callable[..., Any], rows: Sequence[torch.Tensor]) -> Plan:
    """Capture a model on one row of each input (the sequence first) and choose a rule for each operation.

    Raises
    ------
    Unsupported
        When the model cannot be recorded, or when no costly operation of it works on windows.
    """
    recording = record(model, rows)
    context, moving, bound = _sort(recording)
    rules = [(op, _choose(op, context)) for op in moving]
    if not any(rule.incremental and name_of(op) in _HEAVY for op, rule in rules):
        first = next((name_of(op) for op, rule in rules if not rule.incremental), "nothing")
        raise Unsupported(f"{first} reads the whole sequence before any layer that reads a part of it")
    uses = Counter(i for op in moving for i in op.reads)
    uses.update(refs(recording.output))
    stride = lcm(*(abs(layout.pace).numerator for layout in context.layouts.values()))
    return Plan(context, tuple(rules), tuple(bound), uses, stride)


def _sort(recording: Recording) -> tuple[Context, list[Op], list[Op]]:
    """Sort operations by what they depend on; those that depend on nothing are carried out now."""
    x, *others = recording.inputs
    constants, row_bound, moving_values = dict(recording.constants), set(others), {x}
    moving: list[Op] = []
    bound: list[Op] = []
    for op in recording.ops:
        if any(i in moving_values for i in op.reads):
            moving_values.update(op.outputs)
            moving.append(op)
        elif any(i in row_bound for i in op.reads) or not _fixed(op, recording):
            row_bound.update(op.outputs)
            bound.append(op)
        else:
            with torch.no_grad():
                results = recording.run(op, constants.__getitem__, 1)
            constants.update(zip(op.outputs, results, strict=True))
    shape = recording.shapes[x]
    layout = Layout(2, (1, *(size for size in shape[1:] if isinstance(size, int))), Fraction(1))
    return Context(recording, constants, row_bound, {x: layout}, set()), moving, bound


def _fixed(op: Op, recording: Recording) -> bool:
    """Whether an operation's result is the same for any number of rows."""
    return all(isinstance(size, int) for i in op.outputs for size in recording.shapes[i])


def _choose(op: Op, context: Context) -> Rule:
    """Give an operation its rule: over windows if there is one, else at full length."""
    maker = _RULES.get(name_of(op))
    rule = None
    if all(context.dtype(i).is_floating_point for i in op.outputs) and maker is not None:
        rule = maker(op, context)
    rule = rule or _at_full_length(op, context)
    for index, layout in zip(op.outputs, rule.layouts, strict=True):
        if layout is None:
            context.whole.add(index)
        else:
            context.layouts[index] = layout
    return rule


def _at_full_length(op: Op, context: Context) -> Rule:
    """Carry an operation out on every row's values at full length, unless no input changed."""
    edited = context.edited((op.args, op.kwargs))
    by_row = all(context.shape(i) is not None for i in (*edited, *op.outputs))

    def run(block: Block) -> Any:
        if by_row and all(block.state[i] is None for i in edited):
            return (None,) * len(op.outputs)
        return context.recording.run(op, block.full, block.geometry.rows)

    return Rule((None,) * len(op.outputs), run, incremental=False)
