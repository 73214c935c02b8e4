"""Models and sequences that the tests of experiments share."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

LENGTH = 60


class Gated(nn.Module):
    """A convolution gated by a second input, and a third added at the end; both may be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate, self.out = nn.Conv1d(4, 6, 5, padding=2), nn.Linear(3, 6), nn.Linear(6, 2)

    def forward(self, X: torch.Tensor, condition: torch.Tensor | None = None, offset: Any = 0) -> torch.Tensor:
        hidden = torch.relu(self.conv(X))
        if condition is not None:
            hidden = hidden * torch.sigmoid(self.gate(condition))[:, :, None]
        return self.out(hidden.mean(dim=2)) + offset


class TwoHeads(nn.Module):
    """A profile and a count."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.profile, self.count = nn.Conv1d(4, 6, 5), nn.Conv1d(6, 2, 3), nn.Linear(6, 1)

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.relu(self.conv(X))
        return self.profile(hidden), self.count(hidden.mean(dim=2))


def dense() -> nn.Module:
    """Convolution, pooling and dense layers, to (N, 3); every rule of DeepLIFT applies."""
    layers = (nn.Conv1d(4, 6, 5), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(6 * ((LENGTH - 4) // 2), 3))
    return nn.Sequential(*layers)


def mixing() -> nn.Module:
    """Every position looks at every other first, so that no edit stays local."""
    return nn.Sequential(nn.Softmax(dim=2), nn.Conv1d(4, 3, 5), nn.GELU(), nn.Flatten(), nn.Linear(3 * (LENGTH - 4), 2))


def model(make: Any) -> nn.Module:
    """A seeded double-precision model."""
    torch.manual_seed(0)
    return make().double().eval()


def one_hot(n: int, length: int = LENGTH, seed: int = 0, unknown: bool = False) -> torch.Tensor:
    """Random sequences; with `unknown`, zero columns in the middle and at both ends."""
    codes = torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed))
    X = nn.functional.one_hot(codes, 4).transpose(1, 2).double().contiguous()
    if unknown:
        X[0, :, length // 2 - 1 : length // 2 + 1] = X[n - 1, :, 0] = X[n // 2, :, length - 1] = 0
    return X


def further(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The further inputs of `Gated`."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, 3, generator=generator).double(), torch.randn(n, 2, generator=generator).double()


def same(ours: Any, theirs: Any, atol: float = 1e-12) -> None:
    """Hold tensors, however nested, to each other; lists and tuples are alike."""
    if isinstance(ours, torch.Tensor):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)
        return
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        same(a, b, atol)


def at(y: Any, *index: Any) -> Any:
    """Index every tensor of an output."""
    return y[index] if isinstance(y, torch.Tensor) else [at(one, *index) for one in y]


class Counting(nn.Module):
    """A model that counts the rows it is run on."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.rows = inner, 0

    def forward(self, *inputs: torch.Tensor) -> Any:
        self.rows += len(inputs[0])
        return self.inner(*inputs)
