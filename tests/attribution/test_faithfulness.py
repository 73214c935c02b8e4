"""Deletion and insertion against a loop, a closed form, and what a perfect and a useless method must give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.errors import NbinterpError


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(4, 5, 3), nn.Tanh(), nn.Flatten(), nn.Linear(5 * 28, 2)).double().eval()


X = nb.random_one_hot((3, 4, 30), random_state=0).double()


def test_curves_are_those_of_a_loop(model: nn.Module) -> None:
    scores = torch.rand(3, 30, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    references = nb.dinucleotide_shuffle(X, n=3, random_state=5)
    got = nb.faithfulness(model, X, scores, target=1, n_points=7, references=references)
    for i in range(3):
        order = np.argsort(-scores[i].numpy())
        for p, fraction in enumerate(np.linspace(0, 1, 7)):
            top = order[: round(fraction * 30)]
            without, with_them = references[i].clone().double(), X[i].repeat(3, 1, 1)
            deleted, inserted = with_them.clone(), without.clone()
            deleted[:, :, top] = references[i][:, :, top].double()
            inserted[:, :, top] = X[i][:, top]
            with torch.no_grad():
                assert float(got.deletion[i, p]) == pytest.approx(float(model(deleted)[:, 1].mean()), abs=1e-12)
                assert float(got.insertion[i, p]) == pytest.approx(float(model(inserted)[:, 1].mean()), abs=1e-12)


def test_the_best_order_of_a_linear_model_has_the_least_area() -> None:
    """Scores of a linear model are what each base adds: no other order can fall faster."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(120, 1)).double()
    references = nb.dinucleotide_shuffle(X, n=1, random_state=0)
    weight = linear[1].weight.detach().reshape(4, 30)
    gain = ((X - references[:, 0].double()) * weight).sum(dim=1)
    best = nb.faithfulness(linear, X, gain, references=references)
    for seed in range(5):
        other = nb.faithfulness(
            linear, X, torch.rand(3, 30, generator=torch.Generator().manual_seed(seed)), references=references
        )
        assert (best.deletion.mean(1) <= other.deletion.mean(1) + 1e-12).all()
        assert (best.insertion.mean(1) >= other.insertion.mean(1) - 1e-12).all()
    with torch.no_grad():
        assert torch.allclose(best.deletion[:, 0], linear(X)[:, 0])
        assert torch.allclose(best.deletion[:, -1], linear(references[:, 0].double())[:, 0])
        assert torch.allclose(best.insertion[:, 0], best.deletion[:, -1])


def test_batches_devices_and_hypothetical_scores(model: nn.Module, second_device: str) -> None:
    scores = torch.randn(3, 4, 30, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    a = nb.faithfulness(model, X, scores)
    b = nb.faithfulness(model, X, (scores * X).sum(dim=1), batch_size=7, device=second_device)
    assert torch.allclose(a.deletion, b.deletion, atol=1e-12)
    assert torch.allclose(a.insertion, b.insertion, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_points": 1}, r"faithfulness\(n_points\)"),
        ({"X_attr": torch.zeros(3, 29)}, r"faithfulness\(X_attr\)"),
        ({"references": torch.zeros(3, 4, 30)}, r"faithfulness\(references\)"),
    ],
)
def test_what_does_not_fit_is_named(options: dict[str, object], words: str, model: nn.Module) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.faithfulness(model, X, **{"X_attr": torch.zeros(3, 30), **options})
