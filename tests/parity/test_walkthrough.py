"""The walkthrough of tangermeme's README runs after changing the imports, and prints what it prints there."""

from __future__ import annotations

import pytest
import torch

from nbinterp import (
    characters,
    deep_lift_shap,
    dinucleotide_shuffle,
    insert,
    local_dinucleotide_shuffle,
    one_hot_encode,
    predict,
    random_one_hot,
    recursive_seqlets,
    saliency,
    saturation_mutagenesis,
    substitute,
)


class Model(torch.nn.Module):
    """The README's model."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv1d(4, 16, kernel_size=21, padding=10)
        self.relu = torch.nn.ReLU()
        self.linear = torch.nn.Linear(16, 2)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        h = self.relu(self.conv(X))
        return self.linear(h.mean(dim=-1))


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    return Model()


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    return random_one_hot((100, 4, 2000), random_state=0).float()


def test_ersatz() -> None:
    seq = one_hot_encode("AAAAAA").unsqueeze(0)
    assert characters(insert(seq, "GCGC")[0]) == "AAAGCGCAAA"
    assert characters(substitute(seq, "GCGC")[0]) == "AGCGCA"


def test_shuffles(X: torch.Tensor) -> None:
    seq = one_hot_encode("CATCGACAGACTACGCTAC").unsqueeze(0)
    shuf = dinucleotide_shuffle(seq, random_state=0)
    assert characters(shuf[0, 0]) == "CAGATACACGACGCTCTAC"
    assert characters(shuf[0, 1]) == "CGATAGACACGCTCACTAC"

    seq = one_hot_encode("CATCGACAGACGCATACTCAGACTTACGCTAC").unsqueeze(0)
    shuf = dinucleotide_shuffle(seq, start=5, end=25, random_state=0)
    assert characters(shuf[0, 0]) == "CATCGAGCGACTCAGATACACACTTACGCTAC"
    assert characters(shuf[0, 1]) == "CATCGACGAGCATCACACTAGACTTACGCTAC"

    shuf = local_dinucleotide_shuffle(X[:2], n=5, bin_size=200, min_bin_size=100, random_state=0)
    assert tuple(shuf.shape) == (2, 5, 4, 2000)


def test_predict(model: Model, X: torch.Tensor) -> None:
    assert tuple(predict(model, X, batch_size=64).shape) == (100, 2)


def test_attributions_and_seqlets(model: Model, X: torch.Tensor) -> None:
    X_attr = deep_lift_shap(model, X, target=0, random_state=0)
    assert tuple(X_attr.shape) == (100, 4, 2000)

    # the printed head of the README, at the six decimals that it shows
    printed = [
        (93, 1611, 1619, 0.000388, 0.000001),
        (24, 966, 973, 0.000337, 0.000005),
        (94, 52, 59, 0.000329, 0.000009),
        (32, 886, 894, 0.000342, 0.000015),
        (94, 199, 207, 0.000342, 0.000016),
    ]
    head = recursive_seqlets(X_attr.sum(dim=1)).head()
    assert list(head.columns) == ["example_idx", "start", "end", "attribution", "p-value"]
    for row, expected in zip(head.itertuples(index=False), printed, strict=True):
        assert tuple(row[:3]) == expected[:3]
        assert row[3] == pytest.approx(expected[3], abs=6e-7)
        assert row[4] == pytest.approx(expected[4], abs=6e-7)


def test_saliency_and_saturation_mutagenesis(model: Model, X: torch.Tensor) -> None:
    assert tuple(saliency(model, X, target=1).shape) == (100, 4, 2000)
    assert tuple(saturation_mutagenesis(model, X[:5], target=0).shape) == (5, 4, 2000)
