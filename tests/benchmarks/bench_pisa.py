"""PISA of a profile, next to the peer's.

Ours runs the sequence and its references forward once and takes the gradients of the outputs at the references alone;
the peer runs a pair as often as its batch is large, and carries the gradients of both halves.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from nbinterp.attribution.pisa import pisa
from nbinterp.sequence import dinucleotide_shuffle

from .bench_saturation_mutagenesis import BPNetLike, one_hot
from .case import Case


class Profile(BPNetLike):
    """The body of a BPNet, and its profile head: one filter of 75 over the length, cut to the middle."""

    def __init__(self, outputs: int) -> None:
        super().__init__(channels=32, layers=5)
        self.profile, self.outputs = nn.Conv1d(32, 1, 75), outputs

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = self.profile(self.body(self.relu(self.first(X))))[:, 0]
        start = (y.shape[1] - self.outputs) // 2
        return y[:, start : start + self.outputs]


def dense(length: int) -> nn.Module:
    """Two convolutions with pooling, and 150 dense outputs: no layer gains from being turned round."""
    layers = (nn.Conv1d(4, 32, 15, padding=7), nn.ReLU(), nn.MaxPool1d(4), nn.Conv1d(32, 32, 7, padding=3), nn.ReLU())
    return nn.Sequential(*layers, nn.MaxPool1d(4), nn.Flatten(), nn.Linear(32 * (length // 16), 150))


def theirs(model: nn.Module, X: torch.Tensor, **options: Any) -> Any:
    from tangermeme.pisa import pisa as peer

    return peer(model, X, **options)


def cases() -> Iterator[Case]:
    """Give a profile of 128 positions and 150 dense outputs, on each device that is there."""
    torch.manual_seed(0)
    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        for name, model, length, bar in (
            ("BPNet-like, 128 outputs", Profile(128), 600, 5.0),
            ("150 dense outputs", dense(400), 400, 2.5),
        ):
            X = one_hot(length)
            options = {"references": dinucleotide_shuffle(X, n=10, random_state=0), "device": device}
            yield Case(
                f"PISA, {name}, {length} bp, 10 references given, {device}",
                partial(pisa, model.eval(), X, **options),
                partial(theirs, model, X, **options),
                "tangermeme 1.6.0",
                bar,
            )
