"""Rules of linear operations: the change goes through them by itself, without the reference.

A convolution of a change that is w wide costs w x k multiplications per pair of channels, about half of what
recomputing its w + (k - 1) d outputs would; a mean over the length adds up the window; a dense layer after flattening
multiplies the window with the rows of its weights that the window meets.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from .block import Block, Context, Result, Rule
from .capture import Op, Ref, arguments, name_of
from .window import Change, Layout, Track, blank, cut, inside, unify

__all__ = ["LINEAR_RULES"]

WIDE = 64


def per_axis(value: Any, n: int) -> list[int]:
    """Give one integer per spatial axis."""
    values = [value] if isinstance(value, int) else list(value)
    return values * n if len(values) == 1 else values


def convolution(op: Op, context: Context) -> Rule | None:
    a = arguments(op)
    source, weight = context.source(a["input"]), context.constant(a["weight"])
    if source is None or weight is None or a.get("transposed"):
        return None
    index, layout = source
    n = len(layout.shape) - 2
    at = layout.axis - 2
    if at < 0 or weight.ndim != n + 2:
        return None
    stride, dilation = per_axis(a["stride"], n), per_axis(a["dilation"], n)
    if isinstance(a["padding"], str):
        spans = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        if a["padding"] == "same" and any(span % 2 for i, span in enumerate(spans) if i != at):
            return None
        padding = [span // 2 if a["padding"] == "same" else 0 for span in spans]
    else:
        padding = per_axis(a["padding"], n)
    out = context.laid_out(op, layout.axis, layout.pace * stride[at])
    if out is None:
        return None
    k, s, d, p, groups = weight.shape[layout.axis], stride[at], dilation[at], padding[at], a["groups"]
    taps = _Taps(weight, d) if n == 1 and s == 1 and groups == 1 else None
    beside = [0 if i == at else pad for i, pad in enumerate(padding)]
    apply = (functional.conv1d, functional.conv2d, functional.conv3d)[n - 1]

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        lo, hi = -((-(change.lo + p - (k - 1) * d)) // s), (change.hi - 1 + p) // s + 1
        step = change.step // s
        first = lo
        lo, hi = block.geometry.trim(lo, hi, step, out.length)
        if lo >= hi:
            return None
        if taps is not None and (k <= 9 or 2 * change.width <= (k - 1) * d):
            delta = taps(block, op.outputs[0], change.delta, lo - first, hi - first)
        else:
            window = inside(change, lo * s - p, (hi - 1) * s - p + (k - 1) * d + 1)
            delta = apply(window, weight, None, stride, beside, dilation, groups)
            delta = delta.movedim(out.axis, 1).contiguous().movedim(1, out.axis)
        block.geometry.clear_outside(delta, out.axis, lo, step, out.length)
        return Change(delta, out.axis, lo, step)

    return Rule((out,), run)


class _Taps:
    """A convolution of a short piece as matrix products: each tap's product is added where that tap writes."""

    def __init__(self, weight: torch.Tensor, dilation: int) -> None:
        flipped = weight.detach().flip(2)  # the first piece of output comes from the last tap
        self._k, self._d, self._channels = weight.shape[2], dilation, weight.shape[0]
        self._each = [tap[None] for tap in flipped.permute(2, 1, 0).contiguous()]  # k of (1, in, out)
        self._all = flipped.permute(1, 2, 0).reshape(weight.shape[1], -1).contiguous()  # (in, k * out)

    def __call__(self, block: Block, key: int, delta: torch.Tensor, start: int, end: int) -> torch.Tensor:
        """Give ``[start, end)`` of the full convolution of `delta`, in the memory that the block keeps under `key`."""
        x = delta.transpose(1, 2).contiguous()  # (rows, width, in)
        rows, width, _ = x.shape
        wide = width >= WIDE
        if not wide:
            product = block.scratch((key, "product"), (rows * width, self._all.shape[1]), x)
            torch.mm(x.flatten(0, 1), self._all, out=product)
            product = product.view(rows, width, self._k, -1)
            if width == 1 and self._d == 1:
                return product[:, 0, start:end].transpose(1, 2)
        out = block.scratch((key, "out"), (rows, end - start, self._channels), x)
        reached = start  # everything before this has been written to
        # narrow() throughout: for one edit this loop is most of the work, and indexing costs more than the sums
        for i in range(self._k):
            a, b = max(i * self._d, start), min(i * self._d + width, end)
            if a >= b:
                continue
            fresh = reached == start
            if fresh and a > start:
                out.narrow(1, 0, a - start).zero_()
            elif not fresh and b > reached:
                out.narrow(1, reached - start, b - reached).zero_()
            reached = b
            target = out.narrow(1, a - start, b - a)
            piece = x if wide else product.select(2, i)
            if b - a < width:
                piece = piece.narrow(1, a - i * self._d, b - a)
            if wide:
                weight = self._each[i] if rows == 1 else self._each[i].expand(rows, -1, -1)
                torch.baddbmm(target, piece, weight, beta=0 if fresh else 1, out=target)
            elif fresh:
                target.copy_(piece)
            else:
                target.add_(piece)
        if reached < end:
            out.narrow(1, reached - start, end - reached).zero_()
        return out.transpose(1, 2)


def dense(op: Op, context: Context) -> Rule | None:
    """``linear`` over the channels, or over a flattened activation."""
    a = arguments(op)
    weight = context.constant(a["weight"])
    if weight is None:
        return None
    flat = context.source(a["input"], flat=True)
    if flat is not None:
        return _dense_over_length(op, flat[0], flat[1], weight)
    source = context.source(a["input"])
    if source is None or source[1].axis == len(source[1].shape) - 1:
        return None
    index, layout = source
    out = context.laid_out(op, layout.axis, layout.pace)
    return None if out is None else homogeneous(index, out, lambda delta: functional.linear(delta, weight))


def matmul(op: Op, context: Context) -> Rule | None:
    """A product with a constant matrix from the right, over the channels or over a flattened activation."""
    args = list(arguments(op).values())
    if name_of(op) == "addmm":
        args = args[1:]
    weight = context.constant(args[1])
    if weight is None or weight.ndim != 2 or (name_of(op) == "addmm" and context.edited(op.args[0])):
        return None
    flat = context.source(args[0], flat=True)
    if flat is not None:
        scale = arguments(op).get("alpha") or 1
        return _dense_over_length(op, flat[0], flat[1], weight.t() * scale)
    source = context.source(args[0])
    if source is None or name_of(op) == "addmm" or source[1].axis == len(source[1].shape) - 1:
        return None
    index, layout = source
    out = context.laid_out(op, layout.axis, layout.pace)
    return None if out is None else homogeneous(index, out, lambda delta: delta @ weight)


def _dense_over_length(op: Op, index: int, layout: Layout, weight: torch.Tensor) -> Rule:
    inner, outputs = layout.shape[1:], weight.shape[0]
    stored = weight.detach().reshape(outputs, *inner).movedim(0, -1)[None]  # (1, ..., length, ..., out)
    track = Track(stored, layout.axis)
    matrix = stored.movedim(layout.axis, 1).reshape(-1, outputs).contiguous()  # in the order changes are stored

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        reference, g = block.example.values[op.outputs[0]], block.geometry
        if change.step == 0 or 6 * change.width > layout.length:
            change = block.settle(change, layout.length)
            return reference + change.delta.movedim(change.axis, 1).reshape(g.rows, -1) @ matrix
        windows = track.windows(g, change.lo, change.width, change.step).movedim(layout.axis, 1)
        delta = change.delta.movedim(change.axis, 1).reshape(g.P, g.K, -1)
        return reference + torch.bmm(delta, windows.reshape(g.P, -1, outputs)).flatten(0, 1)

    return Rule((None,), run)


def homogeneous(index: int, out: Layout, call: Any, *, owned: bool = True, shift: int = 0) -> Rule:
    """An operation that maps changes to changes position by position, such as a transpose."""

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        return Change(call(change.delta), out.axis, change.lo + shift, change.step, owned and change.owned)

    return Rule((out,), run)


def reduction(op: Op, context: Context) -> Rule | None:
    """``sum`` and ``mean`` over any axes; over the length the reference's result is updated."""
    a = arguments(op)
    source = context.source(a.get("self"))
    if source is None:
        return None
    index, layout = source
    mean = name_of(op) != "sum"
    if name_of(op).startswith("adaptive_avg_pool"):
        n = len(layout.shape) - 2
        if set(per_axis(a["output_size"], n)) != {1} or n < 1:
            return None
        dims, keep = list(range(2, n + 2)), True
    else:
        if not a.get("dim"):
            return None
        dims = sorted(dim % len(layout.shape) for dim in per_axis(a["dim"], 1))
        keep = bool(a["keepdim"])
    if 0 in dims or a.get("dtype") is not None:
        return None
    if layout.axis not in dims:
        out = context.laid_out(op, layout.axis - (0 if keep else sum(d < layout.axis for d in dims)), layout.pace)
        reduce = torch.mean if mean else torch.sum
        return None if out is None else homogeneous(index, out, lambda delta: reduce(delta, dims, keepdim=keep))
    count = 1
    for dim in dims:
        count *= layout.shape[dim] if mean else 1

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        return block.example.values[op.outputs[0]] + change.delta.sum(dims, keepdim=keep) / count

    return Rule((None,), run)


def addition(op: Op, context: Context) -> Rule | None:
    """``add`` and ``sub``: changes add up, and what never changes drops out."""
    a = arguments(op)
    alpha = a.get("alpha", 1)
    alpha = 1 if alpha is None else alpha
    signs = {"add": (1, alpha), "sub": (1, -alpha), "rsub": (-alpha, 1)}[name_of(op).rstrip("_")]
    terms = [(item, sign) for item, sign in zip((a["self"], a["other"]), signs, strict=True) if context.edited(item)]
    sources = [context.source(item) for item, _ in terms]
    if any(source is None for source in sources) or context.shape(op.outputs[0]) is None:
        return None
    found = [(source[0], source[1], sign) for source, (_, sign) in zip(sources, terms, strict=True) if source]
    first = found[0][1]
    out = context.laid_out(op, first.axis, first.pace)
    if out is None or any(not same_line(layout, out) for _, layout, _ in found):
        return None
    if len(found) == 1:
        index, layout, sign = found[0]
        plain = layout.shape == out.shape and sign == 1
        return homogeneous(
            index, out, (lambda delta: delta) if plain else (lambda delta: sign * _widen(delta, out)), owned=plain
        )

    def run(block: Block) -> Result:
        aligned = block.aligned([index for index, _, _ in found])
        if aligned is None:
            return None
        changes, step = aligned
        present = [(c, layout.shape, sign) for index, layout, sign in found if (c := changes[index]) is not None]
        lo, hi = unify([c for c, _, _ in present])
        host = next(
            (t for t in present if t[0].owned and (t[0].lo, t[0].hi) == (lo, hi) and t[1] == out.shape and t[2] == 1),
            None,
        )
        delta = host[0].delta if host else blank(_widen(present[0][0].delta, out), out.axis, hi - lo)
        for term in present:
            if term is host:
                continue
            change, _, sign = term
            cut(delta, out.axis, change.lo - lo, change.hi - lo).add_(change.delta, alpha=sign)
        return Change(delta, out.axis, lo, step)

    return Rule((out,), run)


def same_line(layout: Layout, out: Layout) -> bool:
    """Whether two activations share their length axis."""
    return not layout.flat and (layout.axis, layout.length, layout.pace, len(layout.shape)) == (
        out.axis,
        out.length,
        out.pace,
        len(out.shape),
    )


def _widen(delta: torch.Tensor, out: Layout) -> torch.Tensor:
    """Repeat a change along the axes where the output is wider, except the length."""
    return delta.expand([delta.shape[i] if i in (0, out.axis) else size for i, size in enumerate(out.shape)])


def scaling(op: Op, context: Context) -> Rule | None:
    """``mul`` and ``div`` by what never changes; None for a product of two that do, which is not linear."""
    a = arguments(op)
    name = name_of(op)
    if a.get("rounding_mode") is not None:
        return None
    changing, fixed = (a["self"], a["other"])
    if name == "mul" and not context.edited(changing):
        changing, fixed = fixed, changing
    flat = context.source(changing, flat=True)
    source = flat or context.source(changing)
    if source is None or context.edited(fixed):
        return None
    index, layout = source
    factor_index = fixed.index if isinstance(fixed, Ref) else None
    if flat is not None:
        if factor_index is not None:
            return None
        out: Layout | None = layout
    else:
        out = context.laid_out(op, layout.axis, layout.pace)
    if out is None or out.length != layout.length or len(out.shape) != len(layout.shape):
        return None
    layout_out = out

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        factor: Any = fixed
        if factor_index is not None:
            factor = beside(block, factor_index, layout_out, change.lo, change.width, change.step)
        delta = change.delta * factor if name == "mul" else change.delta / factor
        return Change(delta, layout_out.axis, change.lo, change.step)

    return Rule((layout_out,), run)


def beside(block: Block, index: int, out: Layout, lo: int, width: int, step: int) -> torch.Tensor:
    """Give what an edit never changes, broadcastable to the rows of a window of `out`."""
    value: torch.Tensor = block.example.value(index)
    ndim = len(out.shape)
    at = out.axis - (ndim - value.ndim)
    if at < 0 or value.shape[at] == 1:
        return value
    windows = block.windows(index, out.axis, ndim, lo, width, step)
    return block.each(windows, out.axis)


def batch_norm(op: Op, context: Context) -> Rule | None:
    a = arguments(op)
    source = context.source(a["input"])
    mean, variance = context.constant(a["running_mean"]), context.constant(a["running_var"])
    if source is None or mean is None or variance is None or a["training"] or source[1].axis == 1:
        return None
    index, layout = source
    weight = context.constant(a["weight"])
    scale = (variance.detach() + a["eps"]).rsqrt() * (1 if weight is None else weight.detach())
    scale = scale.view(1, -1, *(1 for _ in layout.shape[2:]))

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        delta = change.delta.mul_(scale) if change.owned else change.delta * scale
        return Change(delta, layout.axis, change.lo, change.step)

    return Rule((layout,), run)


LINEAR_RULES = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution", "_convolution", "_convolution_mode"), convolution),
    "linear": dense,
    **dict.fromkeys(("matmul", "mm", "addmm"), matmul),
    **dict.fromkeys(("sum", "mean", "adaptive_avg_pool1d", "adaptive_avg_pool2d"), reduction),
    **dict.fromkeys(("add", "sub", "rsub"), addition),
    "batch_norm": batch_norm,
}
