"""Keras layers as PyTorch modules.

In: a layer's configuration and weights, as Keras stores them.  Out: a registered module that works channels-first:
Keras' ``(L, C)`` is ``(C, L)`` here, so one-hot ``(N, 4, L)`` goes in as it is.  Only layers whose meaning is certain are
here; `BUILDERS` is the list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from .bilinear import BilinearOp
from .keras_lambda import build_lambda
from .networks import Exp

__all__ = ["BUILDERS", "Unsupported", "build_activation"]

Config = Mapping[str, Any]
Weights = Mapping[str, np.ndarray]


class Unsupported(Exception):  # noqa: N818 - it is caught and gathered into one ModelError
    """A layer, or an option of one, that has no translation; the text names it."""


def _one(value: Any) -> int:
    """Keras writes sizes as 5 or [5]."""
    return int(value[0] if isinstance(value, (list, tuple)) else value)


def _tensor(array: np.ndarray) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(np.ascontiguousarray(array)).float())


class ChannelsLast(nn.Module):
    """Apply a module to ``(N, L, C)`` and come back to ``(N, C, L)``; vectors pass as they are."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transpose, apply, transpose back."""
        if x.ndim == 2:
            return self.inner(x)  # type: ignore[no-any-return]
        return self.inner(x.transpose(1, 2)).transpose(1, 2)  # type: ignore[no-any-return]


class Flatten(nn.Module):
    """Flatten position by position, as Keras' channels-last order has it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, L) to (N, L * C)."""
        return x.transpose(1, 2).flatten(1) if x.ndim == 3 else x.flatten(1)


class Reshape(nn.Module):
    """Reshape in Keras' order of axes."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Go through channels-last."""
        last = x.transpose(1, 2) if x.ndim == 3 else x
        shaped = last.reshape(x.shape[0], *self.shape)
        return shaped.transpose(1, 2) if shaped.ndim == 3 else shaped


class Swap(nn.Module):
    """Exchange positions and channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, L) to (N, L, C)."""
        return x.transpose(1, 2)


class SamePad(nn.Module):
    """Pad so that a strided window gives ``ceil(L / stride)`` outputs, as Keras' "same" does."""

    def __init__(self, kernel: int, stride: int, dilation: int, value: float = 0.0) -> None:
        super().__init__()
        self.reach, self.stride, self.value = (kernel - 1) * dilation + 1, stride, value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pad the right side by the odd base."""
        out = math.ceil(x.shape[-1] / self.stride)
        total = max((out - 1) * self.stride + self.reach - x.shape[-1], 0)
        return nn.functional.pad(x, (total // 2, total - total // 2), value=self.value)


class Crop(nn.Module):
    """Cut positions off both ends."""

    def __init__(self, left: int, right: int) -> None:
        super().__init__()
        self.left, self.right = left, right

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Slice the length."""
        return x[:, :, self.left : x.shape[-1] - self.right]


class GlobalAverage(nn.Module):
    """Mean over positions."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, L) to (N, C)."""
        return x.mean(dim=-1)


class GlobalMax(nn.Module):
    """Maximum over positions, as a pooling, which has an attribution rule."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, L) to (N, C)."""
        return nn.functional.max_pool1d(x, x.shape[-1]).squeeze(-1)


class Combine(nn.Module):
    """Add, average, subtract or concatenate several inputs."""

    def __init__(self, kind: str, dim: int = 1) -> None:
        super().__init__()
        self.kind, self.dim = kind, dim

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        """Combine in order."""
        if self.kind == "concatenate":
            return torch.cat(xs, dim=self.dim)
        if self.kind == "subtract":
            return xs[0] - xs[1]
        total = xs[0]
        for x in xs[1:]:
            total = total + x
        return total / len(xs) if self.kind == "average" else total

    def extra_repr(self) -> str:
        """Show what it does."""
        return self.kind


class Product(nn.Module):
    """Multiply several inputs elementwise, each product with its own rule."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.steps = nn.ModuleList(BilinearOp("...,...->...") for _ in range(n - 1))

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        """Multiply in order."""
        total = xs[0]
        for step, x in zip(self.steps, xs[1:], strict=True):
            total = step(total, x)
        return total


_ACTIVATIONS: Final[Mapping[str, Callable[[], nn.Module]]] = MappingProxyType(
    {
        "linear": nn.Identity,
        "relu": nn.ReLU,
        "relu6": nn.ReLU6,
        "elu": nn.ELU,
        "selu": nn.SELU,
        "gelu": nn.GELU,
        "swish": nn.SiLU,
        "silu": nn.SiLU,
        "mish": nn.Mish,
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "softplus": nn.Softplus,
        "softsign": nn.Softsign,
        "log_sigmoid": nn.LogSigmoid,
        "exponential": Exp,
        "softmax": lambda: nn.Softmax(dim=1),  # Keras' last axis is the channels, here the second
    }
)


def build_activation(value: Any) -> nn.Module:
    """Translate an activation by name (or its Keras 3 dictionary)."""
    if isinstance(value, Mapping):
        value = value.get("config", {}).get("name") if value.get("class_name") == "function" else value["class_name"]
        value = value.get("name") if isinstance(value, Mapping) else value
    name = "linear" if value is None else str(value)
    if name not in _ACTIVATIONS:
        raise Unsupported(f"activation {name!r}")
    return _ACTIVATIONS[name]()


def _with_activation(layers: list[nn.Module], config: Config) -> nn.Module:
    activation = build_activation(config.get("activation"))
    if not isinstance(activation, nn.Identity):
        layers = [*layers, activation]
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


def _conv1d(config: Config, weights: Weights, n_inputs: int) -> nn.Module:
    del n_inputs
    kernel = weights["kernel"]  # (width, in / groups, out)
    width, stride, dilation = kernel.shape[0], _one(config.get("strides", 1)), _one(config.get("dilation_rate", 1))
    groups, padding = int(config.get("groups", 1)), config.get("padding", "valid")
    reach = (width - 1) * dilation
    if config.get("data_format", "channels_last") != "channels_last":
        raise Unsupported(f"{config['name']}: data_format {config['data_format']!r}")
    before: list[nn.Module] = []
    inner = 0
    if padding == "same" and stride == 1 and reach % 2 == 0:
        inner = reach // 2
    elif padding == "same":
        before = [SamePad(width, stride, dilation)]
    elif padding == "causal":
        before = [nn.ConstantPad1d((reach, 0), 0.0)]
    elif padding != "valid":
        raise Unsupported(f"{config['name']}: padding {padding!r}")
    conv = nn.Conv1d(
        kernel.shape[1] * groups, kernel.shape[2], width, stride, inner, dilation, groups, bias="bias" in weights
    )
    conv.weight = _tensor(kernel.transpose(2, 1, 0))
    if "bias" in weights:
        conv.bias = _tensor(weights["bias"])
    return _with_activation([*before, conv], config)


def _dense(config: Config, weights: Weights, n_inputs: int) -> nn.Module:
    del n_inputs
    kernel = weights["kernel"]
    linear = nn.Linear(kernel.shape[0], kernel.shape[1], bias="bias" in weights)
    linear.weight = _tensor(kernel.T)
    if "bias" in weights:
        linear.bias = _tensor(weights["bias"])
    return _with_activation([ChannelsLast(linear)], config)


def _batch_norm(config: Config, weights: Weights, n_inputs: int) -> nn.Module:
    del n_inputs
    if _one(config.get("axis", -1)) not in (-1, 2):
        raise Unsupported(f"{config['name']}: batch normalisation over axis {config['axis']}")
    mean = weights["moving_mean"]
    norm = nn.BatchNorm1d(len(mean), eps=float(config.get("epsilon", 1e-3)))
    norm.weight = _tensor(weights.get("gamma", np.ones_like(mean)))
    norm.bias = _tensor(weights.get("beta", np.zeros_like(mean)))
    norm.running_mean = _tensor(mean).detach()
    norm.running_var = _tensor(weights["moving_variance"]).detach()
    return norm


def _layer_norm(config: Config, weights: Weights, n_inputs: int) -> nn.Module:
    del n_inputs
    if _one(config.get("axis", -1)) not in (-1, 2):
        raise Unsupported(f"{config['name']}: axis {config['axis']}")
    if not weights:
        raise Unsupported(f"{config['name']}: layer normalisation without scale and centre")
    size = len(next(iter(weights.values())))
    norm = nn.LayerNorm(size, eps=float(config.get("epsilon", 1e-3)))
    norm.weight = _tensor(weights.get("gamma", np.ones(size)))
    norm.bias = _tensor(weights.get("beta", np.zeros(size)))
    return ChannelsLast(norm)


def _pool(kind: type[nn.MaxPool1d | nn.AvgPool1d]) -> Callable[[Config, Weights, int], nn.Module]:
    def build(config: Config, weights: Weights, n_inputs: int) -> nn.Module:
        del weights, n_inputs
        size = _one(config.get("pool_size", 2))
        stride = _one(config.get("strides") or size)
        if config.get("padding", "valid") == "valid":
            return kind(size, stride)
        if kind is nn.AvgPool1d:
            raise Unsupported(f"{config['name']}: average pooling with padding 'same'")
        return nn.Sequential(SamePad(size, stride, 1, -math.inf), kind(size, stride))

    return build


def _cut(config: Config, key: str) -> tuple[int, int]:
    value = config[key]
    left, right = value if isinstance(value, (list, tuple)) else (value, value)
    return int(left), int(right)


def _concatenate(config: Config, weights: Weights, n_inputs: int) -> nn.Module:
    del weights, n_inputs
    dims = {-1: 1, 2: 1, 1: 2}  # channels are second here; axis 1 is the length (or the features of vectors)
    return Combine("concatenate", dims[int(config.get("axis", -1))])


def _permute(config: Config, weights: Weights, n_inputs: int) -> nn.Module:
    del weights, n_inputs
    dims = tuple(config["dims"])
    if dims == (1, 2):
        return nn.Identity()
    if dims == (2, 1):
        return Swap()
    raise Unsupported(f"{config['name']}: permutation {dims}")


def _lambda(config: Config, weights: Weights, n_inputs: int) -> nn.Module:
    del weights, n_inputs
    known = build_lambda(config)
    if known is None:
        raise Unsupported(f"Lambda {config.get('name')!r} (code from a file is not run)")
    return known


def _plain(make: Callable[[Config], nn.Module]) -> Callable[[Config, Weights, int], nn.Module]:
    return lambda config, weights, n_inputs: make(config)


def _relu(config: Config) -> nn.Module:
    slope, top, threshold = (config.get(key) for key in ("negative_slope", "max_value", "threshold"))
    if threshold or (slope and top is not None):
        raise Unsupported(f"{config.get('name')}: ReLU with a threshold, or a slope and a maximum")
    if top is not None:
        return nn.Hardtanh(0.0, float(top))
    return nn.LeakyReLU(float(slope)) if slope else nn.ReLU()


def _softmax(config: Config) -> nn.Module:
    axis = _one(config.get("axis", -1))
    if axis not in (-1, 1, 2):
        raise Unsupported(f"{config.get('name')}: softmax over axis {axis}")
    return nn.Softmax(dim=2 if axis == 1 else 1)  # Keras' axis 1 is the length, here the third


def _slope(config: Config) -> float:
    return float(config.get("negative_slope", config.get("alpha", 0.3)))


BUILDERS: Final[Mapping[str, Callable[[Config, Weights, int], nn.Module]]] = MappingProxyType(
    {
        "Conv1D": _conv1d,
        "Convolution1D": _conv1d,
        "Dense": _dense,
        "BatchNormalization": _batch_norm,
        "LayerNormalization": _layer_norm,
        "Activation": _plain(lambda c: build_activation(c["activation"])),
        "ReLU": _plain(_relu),
        "ELU": _plain(lambda c: nn.ELU(float(c.get("alpha", 1.0)))),
        "LeakyReLU": _plain(lambda c: nn.LeakyReLU(_slope(c))),
        "Softmax": _plain(_softmax),
        "MaxPooling1D": _pool(nn.MaxPool1d),
        "AveragePooling1D": _pool(nn.AvgPool1d),
        "GlobalAveragePooling1D": _plain(lambda c: GlobalAverage()),
        "GlobalMaxPooling1D": _plain(lambda c: GlobalMax()),
        "Flatten": _plain(lambda c: Flatten()),
        "Reshape": _plain(lambda c: Reshape(tuple(c["target_shape"]))),
        "Permute": _permute,
        "Dropout": _plain(lambda c: nn.Identity()),  # the identity at inference, which is all there is here
        "SpatialDropout1D": _plain(lambda c: nn.Identity()),
        "GaussianNoise": _plain(lambda c: nn.Identity()),
        "GaussianDropout": _plain(lambda c: nn.Identity()),
        "ActivityRegularization": _plain(lambda c: nn.Identity()),
        "InputLayer": _plain(lambda c: nn.Identity()),
        "Cropping1D": _plain(lambda c: Crop(*_cut(c, "cropping"))),
        "ZeroPadding1D": _plain(lambda c: nn.ConstantPad1d(_cut(c, "padding"), 0.0)),
        "Add": _plain(lambda c: Combine("add")),
        "Average": _plain(lambda c: Combine("average")),
        "Subtract": _plain(lambda c: Combine("subtract")),
        "Concatenate": _concatenate,
        "Lambda": _lambda,
        "Multiply": lambda c, w, n: Product(n),
    }
)
