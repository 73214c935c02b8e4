"""Recomputing only what an edit reaches: the same numbers as running the model on everything, and that it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.perturb.context import (
    context_dependence,
    context_swap,
    distance_effect,
    experiment,
    higher_order,
    multiplicity,
    necessity,
    sufficiency,
)
from nbinterp.perturb.prune import prune
from tests.perturb.test_context_tiles import Gated

TESTS: dict[str, Callable[..., pd.DataFrame]] = {
    "necessity": lambda m, X, **o: necessity(m, X, 15, n=5, **o),
    "shuffled": lambda m, X, **o: necessity(m, X, 15, n=5, fill="shuffle", **o),
    "dependence": lambda m, X, **o: context_dependence(m, X, 15, n=5, **o),
    "swap": lambda m, X, **o: context_swap(m, X, nb.random_one_hot((5, 4, 90), random_state=4), 15, **o),
    "sufficiency": lambda m, X, **o: sufficiency(
        m, X, [(0, 15), (15, 30), (60, 70), (70, 90)], keep=(31, 50), n=5, **o
    ),
    "distance": lambda m, X, **o: distance_effect(m, X, (5, 15), 7, keep=(31, 50), n=5, **o),
    "higher order": lambda m, X, **o: higher_order(m, X, 15, n=5, **o),
    "multiplicity": lambda m, X, **o: multiplicity(m, X, (5, 15), 7, keep=(31, 50), n=5, **o),
    "prune": lambda m, X, **o: prune(m, X, [(5, 20), (40, 60)], n=5, target=1, **o).table,
    "prune within": lambda m, X, **o: prune(m, X, [(5, 20), (40, 60)], n=5, context="sequence", **o).table,
}


@pytest.mark.parametrize("name", TESTS)
def test_it_equals_the_whole_forward_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model, X = Gated().double().eval(), nb.random_one_hot((2, 4, 90), random_state=1)
    X[1, :, 40:43] = 0
    answered = []

    def watched(*arguments: Any) -> Any:
        again = experiment_repredictor(*arguments)

        def call(edits: Any) -> Any:
            y = again(edits)
            answered.append(y is not None)
            return y

        return again and call

    experiment_repredictor = experiment.repredictor
    monkeypatch.setattr(experiment, "repredictor", watched)
    monkeypatch.setattr(experiment, "_WORTH", 0)
    condition = torch.randn(2, 3, generator=torch.Generator().manual_seed(0)).double()
    options: dict[str, Any] = {"args": [condition], "device": "cpu", "func": lambda y: y * 2}
    fast = TESTS[name](model, X, **options)
    assert any(answered)
    answered.clear()
    whole = TESTS[name](model, X, fast=False, **options)
    assert not answered
    pd.testing.assert_frame_equal(fast, whole, rtol=0, atol=1e-9)


def test_a_model_that_cannot_be_taken_apart_is_run_whole() -> None:
    class Branches(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return X[:, 0].sum(dim=1, keepdim=True) * (1.0 if float(X.sum()) > 0 else 2.0)

    X = nb.random_one_hot((2, 4, 90), random_state=1).float()
    rows = necessity(Branches(), X, 15, n=5, device="cpu")
    expected = necessity(Branches(), X, 15, n=5, fast=False, device="cpu")
    np.testing.assert_allclose(rows["effect"], expected["effect"], atol=1e-6)
