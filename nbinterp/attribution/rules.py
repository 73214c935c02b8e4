"""DeepLIFT's multipliers of single operations.

In: what an operation saw for the observed row (x) and for a reference (r).  Out: an autograd function on the reference
whose backward multiplies by the rule.  Each rule keeps the summation to delta: the multipliers times ``x - r`` give
``f(x) - f(r)`` exactly.

With ``di = x - r`` and ``do = f(x) - f(r)``:

* one input, elementwise: ``do / di``; the derivative at x where ``|di| < 1e-6`` (rescale).
* max pooling: each window's difference goes to the winners, ``max(fx, fr) - fr`` to x's and ``fx - max(fx, fr)`` to r's.
* bilinear forms: the Jacobian at the midpoint of both.
* layer and RMS norm, softmax, GLU: closed forms of their parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..errors import ModelError, problem

Tensor = torch.Tensor

__all__ = ["NEAR", "Multiplied", "glu", "max_select", "midpoint", "norm", "rescale", "softmax"]

NEAR = 1e-6  # differences below this are taken as zero, as the peers do


class Multiplied(torch.autograd.Function):
    """A value whose backward pass is a given linear map of the upstream gradient."""

    @staticmethod
    def forward(ctx: Any, ref: Tensor, value: Tensor, pull: Callable[[Tensor], Tensor]) -> Tensor:
        """Give the value."""
        ctx.pull, ctx.kept = pull, ref.detach()
        ctx.version = ctx.kept._version
        return value

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Pull the gradient back."""
        if ctx.kept._version != ctx.version:
            raise problem(
                "deep_lift_shap", "model", got="an activation changed in place after an operation had read it",
                need="operations that leave their inputs as they are", do="write y = f(x) instead of an in-place form",
                kind=ModelError,
            )  # fmt: skip
        return ctx.pull(grads[0]), None, None


class _Scaled(torch.autograd.Function):
    """The elementwise case: one tensor of multipliers, one multiplication."""

    @staticmethod
    def forward(ctx: Any, ref: Tensor, value: Tensor, multiplier: Tensor) -> Tensor:
        """Give the value."""
        ctx.save_for_backward(multiplier)
        return value

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Multiply."""
        return grads[0] * ctx.saved_tensors[0], None, None


def rescale(ref: Tensor, value: Tensor, x: Tensor, fx: Tensor, slope: Tensor, dim: int, folded: Any) -> Tensor:
    """Apply the rescale rule; `x`, `fx`, `slope` broadcast against ``folded(ref)`` along a split batch axis."""
    with torch.no_grad():
        r, fr = folded(ref.detach()), folded(value.detach())
        difference = x - r
        multiplier = (fx - fr).div_(difference)
        near = difference.abs_() < NEAR
        multiplier = torch.where(near, slope, multiplier)
        if dim >= 0:
            multiplier = multiplier.flatten(dim, dim + 2)
    return _Scaled.apply(ref, value.detach(), multiplier)  # type: ignore[no-untyped-call, no-any-return]


def ratio(top: Tensor, bottom: Tensor, fallback: Tensor) -> Tensor:
    """``top / bottom``, or the fallback where the bottom is nearly zero."""
    return torch.where(bottom.abs() < NEAR, fallback, top / bottom)


def midpoint(op: Callable[..., Tensor], seen: tuple[Tensor, ...], refs: tuple[Tensor, ...], value: Tensor) -> Tensor:
    """A form that is linear in each of several inputs: its Jacobian at the midpoint of observed and reference.

    Exact for forms of two inputs.  `refs` are those that see the sequence, `op` takes exactly them.
    """
    middles = tuple(((a + r.detach()) / 2).detach().requires_grad_() for a, r in zip(seen, refs, strict=True))
    with torch.enable_grad(), torch._C.DisableTorchFunction():
        out = op(*middles)
    return _Midpoint.apply(value.detach(), out, middles, *refs)  # type: ignore[no-untyped-call, no-any-return]


class _Midpoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, out: Tensor, middles: tuple[Tensor, ...], *refs: Tensor) -> Tensor:
        ctx.kept = out, middles
        return value

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        out, middles = ctx.kept
        return (None, None, None, *torch.autograd.grad(out, middles, grads[0], retain_graph=True))


def max_select(ref: Tensor, value: Tensor, x: Tensor, fx: Tensor, send_x: Any, send_r: Any) -> Tensor:
    """Selection of maxima: `send_x` and `send_r` scatter a gradient to the positions that won for x and for r."""
    fr = value.detach().clone()  # what follows may change the output in place

    def pull(g: Tensor) -> Tensor:
        r = ref.detach()
        top = torch.maximum(fx, fr)
        routed = send_x(g * (top - fr)) + send_r(g * (fx - top))
        difference = x - r
        return torch.where(difference == 0, send_x(g), routed / difference)

    return Multiplied.apply(ref, value.detach(), pull)  # type: ignore[no-untyped-call, no-any-return]


def glu(ref: Tensor, value: Tensor, x: Tensor, dim: int) -> Tensor:
    """``a * sigmoid(b)`` over two halves of an axis."""

    def pull(g: Tensor) -> Tensor:
        a, b = x.chunk(2, dim)
        a_r, b_r = ref.detach().chunk(2, dim)
        s, s_r = torch.sigmoid(b), torch.sigmoid(b_r)
        slope = ratio(s - s_r, b - b_r, s_r * (1 - s_r))
        return torch.cat([g * (s + s_r) / 2, g * (a + a_r) / 2 * slope], dim=dim)

    return Multiplied.apply(ref, value.detach(), pull)  # type: ignore[no-untyped-call, no-any-return]


def norm(
    ref: Tensor, value: Tensor, x: Tensor, dims: tuple[int, ...], eps: float, weight: Tensor | None, centred: bool
) -> Tensor:
    """Layer norm (centred) and RMS norm over `dims`: ``a * v`` with ``v = (mean(a**2) + eps)**-0.5``."""

    def parts(z: Tensor) -> tuple[Tensor, Tensor]:
        a = z - z.mean(dim=dims, keepdim=True) if centred else z
        return a, (a.square().mean(dim=dims, keepdim=True) + eps).rsqrt()

    def pull(g: Tensor) -> Tensor:
        (a, v), (a_r, v_r) = parts(x), parts(ref.detach())
        g = g if weight is None else g * weight
        v_mean, both = (v + v_r) / 2, a + a_r
        size = 1
        for d in dims:
            size *= x.shape[d]
        scale = -(v.square() * v_r.square()) / (2 * v_mean)
        inner = (g * both).sum(dim=dims, keepdim=True)
        flat = g - g.mean(dim=dims, keepdim=True) if centred else g
        return v_mean * flat + scale * both / (2 * size) * inner

    return Multiplied.apply(ref, value.detach(), pull)  # type: ignore[no-untyped-call, no-any-return]


def softmax(ref: Tensor, value: Tensor, x: Tensor, dim: int) -> Tensor:
    """Softmax as ``exp(x) * v`` with ``v = 1 / sum(exp(x))``, in logarithms."""

    def pull(g: Tensor) -> Tensor:
        wide = torch.promote_types(g.dtype, torch.float32)
        z, z_r, g_ = x.to(wide), ref.detach().to(wide), g.to(wide)
        c = torch.maximum(z, z_r).amax(dim=dim, keepdim=True)
        a, a_r = (z - c).exp(), (z_r - c).exp()
        v, v_r = 1 / a.sum(dim, keepdim=True), 1 / a_r.sum(dim, keepdim=True)
        log_v = v.log() - v_r.log()
        dz = z - z_r
        p = ratio(a * v - a_r * v_r, dz + log_v, a_r * v_r)
        q = ratio(log_v, v - v_r, 1 / v_r)
        t = ratio(a - a_r, dz, a_r)
        return (g_ * p + t * (g_ * p * q * (-v * v_r)).sum(dim, keepdim=True)).to(g.dtype)

    return Multiplied.apply(ref, value.detach(), pull)  # type: ignore[no-untyped-call, no-any-return]
