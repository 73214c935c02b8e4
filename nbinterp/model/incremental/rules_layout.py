"""Rules of operations that move values and compute nothing: axes renamed, pieces cut, padded and joined."""

from __future__ import annotations

from functools import partial
from math import prod

import torch
from torch.nn import functional

from .block import Block, Context, Result, Rule
from .capture import Op, arguments, name_of
from .rules_linear import homogeneous, same_line
from .window import Change, Layout, blank, cut, inside, strided, unify

__all__ = ["LAYOUT_RULES"]


def unchanged(op: Op, context: Context) -> Rule | None:
    """Copies, changes of memory format, dropout in evaluation."""
    a = arguments(op)
    if a.get("train") or a.get("training"):
        return None
    item = a.get("self", a.get("input"))
    source = context.source(item) or context.source(item, flat=True)
    if source is None or context.dtype(op.outputs[0]) != context.dtype(source[0]):
        return None
    return homogeneous(source[0], source[1], lambda delta: delta)


def permute(op: Op, context: Context) -> Rule | None:
    a = arguments(op)
    source = context.source(a["self"])
    if source is None:
        return None
    index, layout = source
    n = len(layout.shape)
    order = list(range(n))
    if name_of(op) == "permute":
        order = [d % n for d in a["dims"]]
    else:
        names = ("dim0", "dim1") if "dim0" in a else ("axis0", "axis1")
        i, j = (a[name] % n for name in names)
        order[i], order[j] = order[j], order[i]
    if order[0] != 0:
        return None
    out = context.laid_out(op, order.index(layout.axis), layout.pace)
    return None if out is None else homogeneous(index, out, lambda delta: delta.permute(order))


def reshape(op: Op, context: Context) -> Rule | None:
    """Any reshape that keeps the rows and the length whole, or flattens everything but the rows."""
    source = context.source(arguments(op)["self"])
    shape = context.shape(op.outputs[0])
    if source is None or shape is None:
        return None
    index, layout = source
    before, after = prod(layout.shape[: layout.axis]), prod(layout.shape[layout.axis + 1 :])
    for axis in range(1, len(shape)):
        if (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])) == (before, layout.length, after):
            out = Layout(axis, shape, layout.pace)
            return homogeneous(index, out, partial(_reshape, axis_in=layout.axis, out=out))
    if len(shape) == 2:
        return homogeneous(index, Layout(layout.axis, layout.shape, layout.pace, flat=True), lambda delta: delta)
    return None


def _reshape(delta: torch.Tensor, *, axis_in: int, out: Layout) -> torch.Tensor:
    """Reshape the axes before and after the length, each in the model's order."""
    shaped = delta.reshape(_but((len(delta), *out.shape[1:]), out.axis, delta.shape[axis_in]))
    return shaped.movedim(out.axis, 1).contiguous().movedim(1, out.axis)


def expand(op: Op, context: Context) -> Rule | None:
    source = context.source(arguments(op)["self"])
    shape = context.shape(op.outputs[0])
    if source is None or shape is None or len(shape) != len(source[1].shape):
        return None
    index, layout = source
    if shape[layout.axis] != layout.length:
        return None
    out = Layout(layout.axis, shape, layout.pace)
    rest = [-1 if i == layout.axis else size for i, size in enumerate(shape)][1:]
    return homogeneous(index, out, lambda delta: delta.expand(delta.shape[0], *rest), owned=False)


def flip(op: Op, context: Context) -> Rule | None:
    a = arguments(op)
    source = context.source(a["self"])
    if source is None:
        return None
    index, layout = source
    dims = [d % len(layout.shape) for d in a["dims"]]
    if 0 in dims:
        return None
    if layout.axis not in dims:
        return homogeneous(index, layout, lambda delta: delta.flip(dims))
    out = Layout(layout.axis, layout.shape, -layout.pace)

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        return Change(change.delta.flip(dims), layout.axis, layout.length - change.hi, -change.step)

    return Rule((out,), run)


def slicing(op: Op, context: Context) -> Rule | None:
    a = arguments(op)
    source = context.source(a["self"])
    if source is None:
        return None
    index, layout = source
    dim, step = a["dim"] % len(layout.shape), a.get("step", 1) or 1
    out = context.laid_out(op, layout.axis, layout.pace * (step if dim == layout.axis else 1))
    if dim == 0 or out is None:
        return None
    length = layout.shape[dim]
    start = a.get("start") or 0
    start = max(0, min(start + length if start < 0 else start, length))
    count = out.shape[dim]
    if dim != layout.axis:
        return homogeneous(index, out, lambda delta: strided(delta, dim, start, step, count))
    layout_out = out

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        lo, hi, pace = -((start - change.lo) // step), (change.hi - 1 - start) // step + 1, change.step // step
        lo, hi = block.geometry.trim(lo, hi, pace, count)
        if lo >= hi:
            return None
        first = lo * step + start
        window = strided(inside(change, first, first + (hi - lo - 1) * step + 1), dim, 0, step, hi - lo)
        if not change.owned:
            window = _copy(window, dim)
        block.geometry.clear_outside(window, dim, lo, pace, count)
        return Change(window, dim, lo, pace)

    return Rule((layout_out,), run)


def select(op: Op, context: Context) -> Rule | None:
    a = arguments(op)
    source = context.source(a["self"])
    if source is None:
        return None
    index, layout = source
    dim = a["dim"] % len(layout.shape)
    if dim in (0, layout.axis):
        return None
    out = context.laid_out(op, layout.axis - (dim < layout.axis), layout.pace)
    return None if out is None else homogeneous(index, out, lambda delta: delta.select(dim, a["index"]))


def pieces(op: Op, context: Context) -> Rule | None:
    """``split``, ``chunk`` and ``unbind`` along another axis than the length."""
    source = context.source(arguments(op)["self"])
    if source is None:
        return None
    index, layout = source
    dim = (arguments(op)["dim"] or 0) % len(layout.shape)
    shapes = [context.shape(i) for i in op.outputs]
    if dim in (0, layout.axis) or any(shape is None for shape in shapes):
        return None
    unbind = name_of(op) == "unbind"
    axis = layout.axis - (unbind and dim < layout.axis)
    layouts = tuple(Layout(axis, shape, layout.pace) for shape in shapes if shape is not None)
    sizes = [1] * len(layouts) if unbind else [out.shape[dim] for out in layouts]

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return (None,) * len(layouts)
        parts = torch.split(change.delta, sizes, dim)
        return tuple(
            Change(part.squeeze(dim) if unbind else part, axis, change.lo, change.step, change.owned) for part in parts
        )

    return Rule(layouts, run)


def pad(op: Op, context: Context) -> Rule | None:
    """Constant padding; zero is what a constant adds to a change."""
    a = arguments(op)
    source = context.source(a["self"])
    if source is None or a.get("mode", "constant") != "constant":
        return None
    index, layout = source
    amounts = list(a["pad"])
    out = context.laid_out(op, layout.axis, layout.pace)
    if out is None or len(amounts) >= 2 * len(layout.shape):
        return None
    at = 2 * (len(layout.shape) - 1 - layout.axis)
    left = amounts[at] if at < len(amounts) else 0
    amounts[at : at + 2] = [0, 0][: max(len(amounts) - at, 0)]
    layout_out = out

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        lo, hi = block.geometry.trim(change.lo + left, change.hi + left, change.step, layout_out.length)
        if lo >= hi:
            return None
        window = functional.pad(inside(change, lo - left, hi - left), amounts)
        if not change.owned:
            window = _copy(window, layout_out.axis)
        block.geometry.clear_outside(window, layout_out.axis, lo, change.step, layout_out.length)
        return Change(window, layout_out.axis, lo, change.step)

    return Rule((layout_out,), run)


def join(op: Op, context: Context) -> Rule | None:
    """``cat`` along another axis, and along the length when one part alone can change."""
    a = arguments(op)
    edited = context.edited(a["tensors"])
    sources = [context.layouts.get(i) for i in edited]
    first = sources[0]
    if first is None or any(s is None or s.flat for s in sources):
        return None
    dim = (a["dim"] or 0) % len(first.shape)
    out = context.laid_out(op, first.axis, first.pace)
    if dim == 0 or out is None:
        return None
    sizes = [context.recording.shapes[item.index][dim] for item in a["tensors"]]
    offsets = [sum(size for size in sizes[:i] if isinstance(size, int)) for i in range(len(sizes))]
    parts = [(item.index, offset) for item, offset in zip(a["tensors"], offsets, strict=True)]
    if dim == first.axis:
        places = [(i, offset) for i, offset in parts if i in edited]
        return homogeneous(places[0][0], out, lambda delta: delta, shift=places[0][1]) if len(places) == 1 else None
    if any(not same_line(Layout(s.axis, _but(s.shape, dim, out.shape[dim]), s.pace), out) for s in sources if s):
        return None
    layout_out = out

    def run(block: Block) -> Result:
        aligned = block.aligned(dict.fromkeys(edited))
        if aligned is None:
            return None
        changes, step = aligned
        present = [(c, offset) for i, offset in parts if (c := changes.get(i)) is not None]
        lo, hi = unify([c for c, _ in present])
        like = present[0][0].delta
        like = like.new_empty(()).expand(_but(tuple(like.shape), dim, layout_out.shape[dim]))
        delta = blank(like, layout_out.axis, hi - lo)
        for change, offset in present:
            place = delta.narrow(dim, offset, change.delta.shape[dim])
            cut(place, layout_out.axis, change.lo - lo, change.hi - lo).copy_(change.delta)
        return Change(delta, layout_out.axis, lo, step)

    return Rule((layout_out,), run)


def _copy(x: torch.Tensor, axis: int) -> torch.Tensor:
    return x.movedim(axis, 1).clone(memory_format=torch.contiguous_format).movedim(1, axis)


def _but(shape: tuple[int, ...], dim: int, size: int) -> tuple[int, ...]:
    return (*shape[:dim], size, *shape[dim + 1 :])


LAYOUT_RULES = {
    **dict.fromkeys(
        (
            "clone",
            "contiguous",
            "detach",
            "alias",
            "dropout",
            "feature_dropout",
            "alpha_dropout",
            "to",
            "_to_copy",
            "lift_fresh",
            "positive",
        ),
        unchanged,
    ),
    **dict.fromkeys(("permute", "transpose", "swapaxes", "swapdims"), permute),
    **dict.fromkeys(
        ("reshape", "view", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as"), reshape
    ),
    "expand": expand,
    "flip": flip,
    "slice": slicing,
    "narrow": slicing,
    "select": select,
    **dict.fromkeys(("split", "split_with_sizes", "chunk", "unbind", "tensor_split"), pieces),
    **dict.fromkeys(("constant_pad_nd", "pad"), pad),
    **dict.fromkeys(("cat", "concat", "concatenate"), join),
}
