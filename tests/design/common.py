"""Models and sequences that the design tests share."""

from __future__ import annotations

import torch
from torch import nn

import nbinterp as nb

Tensor = torch.Tensor
LENGTH = 40


def small_model(outputs: int = 2, length: int = LENGTH) -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv1d(4, 6, 5, padding=2), nn.GELU(), nn.Conv1d(6, 4, 3), nn.ReLU(), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(4 * (length - 2), outputs)).double().eval()


def backgrounds(n: int = 1, seed: int = 0) -> Tensor:
    return nb.random_one_hot((n, 4, LENGTH), random_state=seed)


class WithArgs(nn.Module):
    """Adds a second input."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = small_model()

    def forward(self, X: Tensor, offset: Tensor) -> Tensor:
        return self.inner(X) * offset


class TwoHeads(nn.Module):
    """Gives a list."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = small_model()

    def forward(self, X: Tensor) -> list[Tensor]:
        return [self.inner(X), X.sum(dim=-1)]


class StopsAt(nn.Module):
    """Raises what an impatient user raises, at a call."""

    def __init__(self, model: nn.Module, call: int) -> None:
        super().__init__()
        self.model, self.left = model, call

    def forward(self, X: Tensor) -> Tensor:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.model(X)


def strings(X: Tensor) -> list[str]:
    return [nb.characters(one, allow_N=True) for one in X]


def other_strand(motif: str) -> str:
    return motif[::-1].translate(str.maketrans("ACGT", "TGCA"))


def put(bases: str, motif: str, start: int) -> str:
    """Write a motif into a string; an N leaves the base."""
    kept = "".join(b if m == "N" else m for m, b in zip(motif, bases[start : start + len(motif)], strict=True))
    return bases[:start] + kept + bases[start + len(motif) :]


def encode(bases: list[str]) -> Tensor:
    return torch.stack([nb.one_hot_encode(one) for one in bases])
