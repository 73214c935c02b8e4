"""Rules of pooling along the length: each output reads a few positions, so windows shrink by the stride.

An average is linear, and pools the change; a maximum needs the edited values beside the window too.
"""

from __future__ import annotations

from typing import Any

import torch

from .block import Block, Context, Result, Rule
from .capture import Op, arguments
from .rules_linear import per_axis
from .window import Change, Layout, inside, stored, strided

__all__ = ["POOL_RULES"]


def average_pool(op: Op, context: Context) -> Rule | None:
    a = arguments(op)
    source = context.source(a["self"])
    if source is None or a["ceil_mode"] or a.get("divisor_override") is not None:
        return None
    index, layout = source
    pool = _numbers(a, layout)
    if pool is None:
        return None
    k, s, p, _ = pool
    if p and not a["count_include_pad"]:
        return None
    out = context.laid_out(op, layout.axis, layout.pace * s)
    if out is None:
        return None

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        step = change.step // s
        lo, hi = -((-(change.lo + p - k + 1)) // s), (change.hi - 1 + p) // s + 1
        lo, hi = block.geometry.trim(lo, hi, step, out.length)
        if lo >= hi:
            return None
        window = inside(change, lo * s - p, (hi - 1) * s - p + k)
        delta = sum(strided(window, out.axis, i, s, hi - lo) for i in range(k)) / k
        assert isinstance(delta, torch.Tensor)
        block.geometry.clear_outside(delta, out.axis, lo, step, out.length)
        return Change(delta, out.axis, lo, step)

    return Rule((out,), run)


def max_pool(op: Op, context: Context) -> Rule | None:
    a = arguments(op)
    source = context.source(a["self"])
    if source is None:
        return None
    index, layout = source
    pool = _numbers(a, layout)
    if pool is None:
        return None
    k, s, p, d = pool
    out = context.laid_out(op, layout.axis, layout.pace * s)
    if out is None:
        return None

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        step = change.step // s
        lo, hi = -((-(change.lo + p - (k - 1) * d)) // s), (change.hi - 1 + p) // s + 1
        lo, hi = block.geometry.trim(lo, hi, step, out.length)
        if lo >= hi:
            return None
        first, last = lo * s - p, (hi - 1) * s - p + (k - 1) * d + 1
        values = block.edited(index, change, first, last, change.step, "-inf")
        delta = strided(values, out.axis, 0, s, hi - lo)
        if k == 1:
            delta = delta.clone()
        for i in range(1, k):
            piece = strided(values, out.axis, i * d, s, hi - lo)
            delta = torch.maximum(delta, piece) if i == 1 else torch.maximum(delta, piece, out=delta)
        delta = stored(delta, out.axis)
        reference = block.windows(op.outputs[0], out.axis, len(out.shape), lo, hi - lo, step)
        block.geometry.split(delta).sub_(reference.unsqueeze(1))
        block.geometry.clear_outside(delta, out.axis, lo, step, out.length)
        return Change(delta, out.axis, lo, step)

    return Rule((out,), run)


def _numbers(a: dict[str, Any], layout: Layout) -> tuple[int, int, int, int] | None:
    """Give (kernel, stride, padding, dilation) of a pool along the length alone."""
    n, at = len(layout.shape) - 2, layout.axis - 2
    if at < 0:
        return None
    kernel = per_axis(a["kernel_size"], n)
    stride = per_axis(a["stride"], n) if a["stride"] else kernel
    padding, dilation = per_axis(a["padding"], n), per_axis(a.get("dilation", 1), n)
    if any((kernel[i], stride[i], padding[i]) != (1, 1, 0) for i in range(n) if i != at):
        return None
    return kernel[at], stride[at], padding[at], dilation[at]


POOL_RULES = {
    **dict.fromkeys(("avg_pool1d", "avg_pool2d"), average_pool),
    **dict.fromkeys(("max_pool1d", "max_pool2d"), max_pool),
}
