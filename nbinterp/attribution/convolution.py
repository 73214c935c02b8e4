"""The gradient of a convolution at its input, by the quicker of two ways.

In: a call of ``conv1d`` with constant weights.  Out: its value, whose backward pass is itself a convolution, with the
weights turned round, where the input has more channels than the output.  PyTorch's own backward pass for such a layer,
such as the last one of a profile model with one wide filter, takes up to twenty times as long on a CPU.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

__all__ = ["conv1d"]

_NAMES = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")


def conv1d(func: Any, args: Any, kwargs: Any) -> torch.Tensor:
    """Call `func`, which is ``conv1d``, so that its gradient is quick."""
    given = {**dict(zip(_NAMES, args, strict=False)), **kwargs}
    weight, padding = given["weight"], _single(given.get("padding", 0))
    stride, dilation = _single(given.get("stride", 1)), _single(given.get("dilation", 1))
    if (
        weight.shape[0] < weight.shape[1]
        and weight.dtype == given["input"].dtype
        and not torch.is_autocast_enabled(weight.device.type)
        and (stride, given.get("groups", 1)) == (1, 1)
        and isinstance(padding, int)
        and 0 <= padding <= dilation * (weight.shape[2] - 1)
    ):
        value: torch.Tensor = _Turned.apply(given["input"], weight, given.get("bias"), padding, dilation)  # type: ignore[no-untyped-call]
        return value
    plain: torch.Tensor = func(*args, **kwargs)
    return plain


def _single(value: Any) -> Any:
    """Give the only entry of a 1-tuple."""
    return value[0] if isinstance(value, (tuple, list)) else value


class _Turned(torch.autograd.Function):
    """A convolution of stride 1; only its input has a gradient."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, padding: int, dilation: int
    ) -> torch.Tensor:
        """Convolve."""
        ctx.save_for_backward(weight)
        ctx.padding, ctx.dilation = dilation * (weight.shape[2] - 1) - padding, dilation
        return F.conv1d(x, weight, bias, padding=padding, dilation=dilation)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Convolve the gradient with the weights of the other direction."""
        (weight,) = ctx.saved_tensors
        turned = weight.flip(-1).transpose(0, 1).contiguous()
        return F.conv1d(grads[0], turned, padding=ctx.padding, dilation=ctx.dilation), None, None, None, None
