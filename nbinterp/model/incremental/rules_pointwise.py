"""Rules of operations that are not linear: make the edited values over the window, take the reference's result off.

An operation is *aligned* when each position of its output reads that position, and no other, of its inputs: functions
of single entries, and norms, softmax and gates over the channels.
"""

from __future__ import annotations

import torch

from .block import Block, Context, Result, Rule
from .capture import Op, arguments, concrete, name_of
from .rules_linear import beside, same_line, scaling
from .window import Change, Layout, stored, unify

__all__ = ["POINTWISE_RULES"]

# fmt: off
_ELEMENTWISE = (
    "abs", "acos", "addcdiv", "addcmul", "asin", "atan", "atan2", "bitwise_and", "bitwise_not", "bitwise_or", "ceil",
    "celu", "clamp", "clamp_max", "clamp_min", "copysign", "cos", "cosh", "elu", "eq", "erf", "erfc", "exp", "exp2",
    "expm1", "floor", "fmax", "fmin", "fmod", "frac", "ge", "gelu", "gt", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hypot", "le", "leaky_relu", "lerp", "log", "log10", "log1p", "log2", "log_sigmoid", "logaddexp",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "lt", "masked_fill", "maximum", "minimum",
    "mish", "nan_to_num", "ne", "pow", "prelu", "reciprocal", "relu6", "remainder", "round", "rsqrt", "selu", "sgn",
    "sigmoid", "sign", "silu", "sin", "sinh", "softplus", "softshrink", "softsign", "sqrt", "square", "tan", "tanh",
    "tanhshrink", "threshold", "trunc", "where", "xlogy",
)
# fmt: on


def relu(op: Op, context: Context) -> Rule | None:
    """Two passes instead of three: relu(a + d) - relu(a) = max(d + min(a, 0), -max(a, 0))."""
    (item,) = op.args[:1]
    source = context.source(item) or context.source(item, flat=True)
    if source is None:
        return None
    index, layout = source

    def run(block: Block) -> Result:
        change = block.change(index)
        if change is None:
            return None
        g, ndim = block.geometry, len(layout.shape)
        low, high = (
            block.windows(index, layout.axis, ndim, change.lo, change.width, change.step, kind)
            for kind in ("low", "-high")
        )
        if change.owned and g.K == 1:
            change.delta.add_(low)
            torch.maximum(change.delta, high, out=change.delta)
            return Change(change.delta, layout.axis, change.lo, change.step)
        low, high = low.unsqueeze(1), high.unsqueeze(1)
        if change.owned:
            delta = change.delta
            split = g.split(delta)
            split.add_(low)
        else:
            stored = change.delta.movedim(layout.axis, 1)
            delta = torch.empty(stored.shape, dtype=stored.dtype, device=stored.device).movedim(1, layout.axis)
            split = g.split(delta)
            torch.add(g.split(change.delta), low, out=split)
        torch.maximum(split, high, out=split)
        return Change(delta, layout.axis, change.lo, change.step)

    return Rule((layout,), run)


def elementwise(op: Op, context: Context) -> Rule | None:
    """Any function applied to each entry; of a flattened activation, when it takes nothing else of that length."""
    edited = context.edited((op.args, op.kwargs))
    if len(edited) == 1 and len(op.reads) == 1 and edited[0] in context.layouts:
        return _aligned(op, context, context.layouts[edited[0]])
    first = context.layouts.get(edited[0])
    if first is None or context.shape(op.outputs[0]) is None:
        return None
    out = context.laid_out(op, first.axis, first.pace)
    if out is None or not all(i in context.layouts and same_line(context.layouts[i], out) for i in edited):
        return None
    return _aligned(op, context, out)


def across_channels(op: Op, context: Context) -> Rule | None:
    """Operations along one other axis than the length: softmax, gates, sorts of cumulation, extremes."""
    a = arguments(op)
    source = context.source(a.get("self", a.get("input")))
    if source is None or a.get("dim") is None:
        return None
    _, layout = source
    dims = [d % len(layout.shape) for d in ([a["dim"]] if isinstance(a["dim"], int) else a["dim"])]
    if not dims or 0 in dims or layout.axis in dims or len(op.outputs) != 1:
        return None
    shape = context.shape(op.outputs[0])
    if shape is None:
        return None
    dropped = 0 if len(shape) == len(layout.shape) else sum(d < layout.axis for d in dims)
    out = context.laid_out(op, layout.axis - dropped, layout.pace)
    return None if out is None else _aligned(op, context, out)


def channel_norm(op: Op, context: Context) -> Rule | None:
    """Layer and root-mean-square norms over trailing axes that leave the length out."""
    a = arguments(op)
    source = context.source(a["input"])
    if source is None or source[1].axis >= len(source[1].shape) - len(a["normalized_shape"]):
        return None
    out = context.laid_out(op, source[1].axis, source[1].pace)
    if out is None or context.edited((a["weight"], a.get("bias"))):
        return None
    return _aligned(op, context, out)


def _aligned(op: Op, context: Context, out: Layout) -> Rule | None:
    """Make edited values of every input over the joint window, apply the operation, subtract the reference's result."""
    edited = context.edited((op.args, op.kwargs))
    if len(op.outputs) != 1 or not edited:
        return None
    if any(i not in context.layouts or context.layouts[i].length != out.length for i in edited):
        return None
    keep = name_of(op) in {"layer_norm", "rms_norm", "prelu"}  # their weights are no activations

    def run(block: Block) -> Result:
        aligned = block.aligned(dict.fromkeys(edited))
        if aligned is None:
            return None
        changes, step = aligned
        lo, hi = unify([c for c in changes.values() if c is not None])
        made: dict[int, torch.Tensor] = {}

        def value(index: int) -> torch.Tensor:
            if index not in changes:
                return block.example.value(index) if keep else beside(block, index, out, lo, hi - lo, step)
            if index not in made:
                made[index] = block.edited(index, changes[index], lo, hi, step)
            return made[index]

        args, kwargs = concrete((op.args, op.kwargs), value, block.geometry.rows)
        delta = stored(op.target(*args, **kwargs), out.axis)
        reference = block.windows(op.outputs[0], out.axis, len(out.shape), lo, hi - lo, step)
        split = block.geometry.split(delta)
        split.sub_(reference.unsqueeze(1))
        block.geometry.clear_outside(delta, out.axis, lo, step, out.length)
        return Change(delta, out.axis, lo, step)

    return Rule((out,), run)


def product(op: Op, context: Context) -> Rule | None:
    """``mul`` and ``div``: linear where one side never changes, element-wise otherwise."""
    return scaling(op, context) or elementwise(op, context)


POINTWISE_RULES = {
    **dict.fromkeys(_ELEMENTWISE, elementwise),
    "relu": relu,
    **dict.fromkeys(("mul", "div"), product),
    **dict.fromkeys(
        ("softmax", "_softmax", "log_softmax", "_log_softmax", "glu", "amax", "amin", "logsumexp", "cumsum", "prod"),
        across_channels,
    ),
    **dict.fromkeys(("layer_norm", "rms_norm"), channel_norm),
}
