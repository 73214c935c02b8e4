"""Small networks of the architectures that attribution is held to, with seeded weights."""

from __future__ import annotations

import torch
from torch import nn

import nbinterp as nb

Tensor = torch.Tensor


class BPNetLike(nn.Module):
    """ReLU, residual dilations, mean."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu = nn.Conv1d(4, 8, 7, padding=3), nn.ReLU()
        self.convs = nn.ModuleList(nn.Conv1d(8, 8, 3, dilation=2**i, padding=2**i) for i in range(3))
        self.relus = nn.ModuleList(nn.ReLU() for _ in range(3))
        self.head = nn.Linear(8, 3)

    def forward(self, X: Tensor) -> Tensor:
        h = self.relu(self.first(X))
        for conv, relu in zip(self.convs, self.relus, strict=True):
            h = h + relu(conv(h))
        return self.head(h.mean(dim=-1))


def pooled() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(4, 6, 5), nn.GELU(), nn.MaxPool1d(4, 2), nn.Conv1d(6, 5, 3), nn.ELU(), nn.MaxPool1d(3),
        nn.Flatten(), nn.Linear(5 * 10, 3),
    )  # fmt: skip


class Attention(nn.Module):
    """LayerNorm and attention out of BilinearOp and nn.Softmax, as the peer needs it written."""

    def __init__(self, op: type) -> None:
        super().__init__()
        self.embed, self.norm = nn.Conv1d(4, 8, 5, padding=2), nn.LayerNorm(8)
        self.q, self.k, self.v = (nn.Linear(8, 8) for _ in range(3))
        self.score, self.mix, self.softmax = op("nid,njd->nij"), op("nij,njd->nid"), nn.Softmax(dim=-1)
        self.gelu, self.head = nn.GELU(), nn.Linear(8, 3)

    def forward(self, X: Tensor) -> Tensor:
        h = self.norm(self.embed(X).transpose(1, 2))
        weights = self.softmax(self.score(self.q(h), self.k(h)) / 8**0.5)
        return self.head(self.gelu(h + self.mix(weights, self.v(h))).mean(dim=1))


class NativeAttention(Attention):
    """The same in plain functions."""

    def forward(self, X: Tensor) -> Tensor:
        h = torch.nn.functional.layer_norm(self.embed(X).transpose(1, 2), (8,), self.norm.weight, self.norm.bias)
        q, k, v = self.q(h), self.k(h), self.v(h)
        out = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return self.head(torch.nn.functional.gelu(h + out).mean(dim=1))


class Gated(nn.Module):
    """GLU, RMSNorm, sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.glu, self.norm = nn.Conv1d(4, 12, 5), nn.GLU(dim=1), nn.RMSNorm(66)
        self.sigmoid, self.head = nn.Sigmoid(), nn.Linear(6, 3)

    def forward(self, X: Tensor) -> Tensor:
        return self.head(self.sigmoid(self.norm(self.glu(self.conv(X)))).mean(dim=-1))


def softmax_head() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(4, 6, 5), nn.BatchNorm1d(6), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 66, 7), nn.Softmax(dim=-1),
        nn.Linear(7, 3),
    )  # fmt: skip


class TwoInputs(nn.Module):
    """A second input, which has no references."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.tanh, self.relu = nn.Conv1d(4, 6, 5), nn.Tanh(), nn.ReLU()
        self.side, self.head = nn.Linear(2, 6), nn.Linear(6, 3)

    def forward(self, X: Tensor, side: Tensor) -> Tensor:
        return self.head(self.relu(self.tanh(self.conv(X)).mean(dim=-1) + self.side(side)))


class Reused(nn.Module):
    """One ReLU used three times."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.relu, self.head = nn.Conv1d(4, 6, 5), nn.Conv1d(6, 6, 3), nn.ReLU(), nn.Linear(6, 3)

    def forward(self, X: Tensor) -> Tensor:
        return self.head(self.relu(self.relu(self.b(self.relu(self.a(X)))).mean(dim=-1) - 0.05))


def ready(model: nn.Module) -> nn.Module:
    """Seeded weights, double precision, batch statistics that do something."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator).double() * 0.4
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.uniform_(-0.5, 0.5, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    return model.double().eval()


ARCHITECTURES = {
    "bpnet": BPNetLike,
    "overlapping pool and GELU": pooled,
    "layer norm and attention": lambda: Attention(nb.BilinearOp),
    "GLU, RMS norm, sigmoid": Gated,
    "batch norm and softmax head": softmax_head,
    "two inputs": TwoInputs,
    "re-used ReLU": Reused,
}


def extra(name: str) -> tuple[Tensor, ...] | None:
    return (torch.arange(8, dtype=torch.float64).reshape(4, 2) / 5,) if name == "two inputs" else None
