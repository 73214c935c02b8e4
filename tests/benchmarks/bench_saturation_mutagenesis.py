"""Saturation mutagenesis of one sequence, against the peer's two paths.

The peer tries its fast path only for jobs that it expects to take half a minute; here it is made to try at once, as it
would for a longer job.  Ours is measured on the second call, when the model's plan is there; so is the peer's, which
captures the model in every call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from nbinterp.attribution.ism import saturation_mutagenesis

from .case import Case


class Residual(nn.Module):
    """x + relu(conv(x))."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.relu(self.conv(x))


class BPNetLike(nn.Module):
    """64 filters of 21, eight dilated residual layers, mean over the length, one output."""

    def __init__(self, channels: int = 64, layers: int = 8) -> None:
        super().__init__()
        self.first, self.relu = nn.Conv1d(4, channels, 21, padding=10), nn.ReLU()
        self.body = nn.Sequential(*(Residual(channels, 2 ** (i + 1)) for i in range(layers)))
        self.head = nn.Linear(channels, 1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(self.relu(self.first(X))).mean(dim=2))


def deepstarr_like() -> nn.Module:
    """Four convolutions with pooling by two, flattened into two dense layers (249 bp)."""
    layers: list[nn.Module] = []
    for before, after, width in ((4, 256, 7), (256, 60, 3), (60, 60, 5), (60, 120, 3)):
        layers += [nn.Conv1d(before, after, width, padding="same"), nn.BatchNorm1d(after), nn.ReLU(), nn.MaxPool1d(2)]
    for before, after in ((120 * 15, 256), (256, 256)):
        layers += [nn.Flatten(), nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(256, 2)).eval()


def one_hot(length: int) -> torch.Tensor:
    codes = torch.randint(0, 4, (1, length), generator=torch.Generator().manual_seed(0))
    return nn.functional.one_hot(codes, 4).transpose(1, 2).float().contiguous()


def theirs(model: nn.Module, X: torch.Tensor, fast: bool, **options: Any) -> Callable[[], Any]:
    import tangermeme.saturation_mutagenesis as peer

    def run() -> Any:
        with patch.object(peer, "_FAST_MIN_SECONDS", 0.0):
            return peer.saturation_mutagenesis(model, X, fast=fast, **options)

    return run


def ours(model: nn.Module, X: torch.Tensor, **options: Any) -> Callable[[], Any]:
    return partial(saturation_mutagenesis, model, X, **options)


def cases() -> Iterator[Case]:
    """Give BPNet-like cases (all positions; the middle ones, where windows are widest) and DeepSTARR-like ones."""
    torch.manual_seed(0)
    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        on = {"device": device}
        bpnet, X = BPNetLike().eval(), one_hot(2114)
        middle = {"start": 925, "end": 1189, **on}
        name = f"mutagenesis, BPNet-like, 2,114 bp, {device}"
        slow, fast = "tangermeme 1.6.0, fast=False", "tangermeme 1.6.0, fast=True"
        yield Case(f"{name}, 264 positions", ours(bpnet, X, **middle), theirs(bpnet, X, False, **middle), slow, 4.0)
        yield Case(f"{name}, all", ours(bpnet, X, **on), theirs(bpnet, X, True, **on), fast, 1.0, repeats=1)
        pooled, X = deepstarr_like(), one_hot(249)
        name = f"mutagenesis, DeepSTARR-like, 249 bp, {device}"
        yield Case(name, ours(pooled, X, **on), theirs(pooled, X, False, **on), slow, 1.0)
        yield Case(name, ours(pooled, X, **on), theirs(pooled, X, True, **on), fast, 1.0)
