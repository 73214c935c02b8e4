"""The demo network, and its trained weights.

In: one-hot ``(N, 4, 400)``.  Out: ``(N, 2)``, the activity in the two tasks of `grammar`.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from torch import nn

from .grammar import LENGTH, TASKS

__all__ = ["DemoNetwork", "load_model", "truth"]


class DemoNetwork(nn.Module):
    """A motif convolution, two that see pairs, a mean over positions, and a linear layer."""

    def __init__(self, n_filters: int = 40) -> None:
        super().__init__()
        self.motifs, self.motifs_relu = nn.Conv1d(4, n_filters, 13, padding=6), nn.ReLU()
        self.pairs, self.pairs_relu = nn.Conv1d(n_filters, n_filters, 7, padding=9, dilation=3), nn.ReLU()
        self.context, self.context_relu = nn.Conv1d(n_filters, n_filters, 7, padding=9, dilation=3), nn.ReLU()
        self.head = nn.Linear(n_filters, len(TASKS))
        self.in_length = LENGTH
        self.task_names = list(TASKS)
        self.head_names = ["activity"]

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Predict both activities."""
        h = self.motifs_relu(self.motifs(X))
        h = h + self.pairs_relu(self.pairs(h))
        h = h + self.context_relu(self.context(h))
        return self.head(h.mean(dim=-1))  # type: ignore[no-any-return]


def load_model() -> DemoNetwork:
    """Load the trained network.

    Examples
    --------
    >>> tuple(load_model()(torch.zeros(1, 4, 400)).shape)
    (1, 2)
    """
    model = DemoNetwork()
    with (files(__package__) / "weights.npz").open("rb") as stored, np.load(stored) as weights:
        model.load_state_dict({name: torch.from_numpy(weights[name].astype(np.float32)) for name in weights.files})
    return model.eval()


def truth() -> dict[str, Any]:
    """What was planted and how well the network learned it, as `train` wrote it."""
    known: dict[str, Any] = json.loads((files(__package__) / "truth.json").read_text())
    return known
