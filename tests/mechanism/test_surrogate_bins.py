"""Surrogates of bins: MAVE-NN's formula written out, recovery of what was planted, counts, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.surrogate_bins import _Bins, fit_binned_surrogate
from nbinterp.mechanism.surrogate_design import Design
from nbinterp.mechanism.surrogate_epistasis import EpistasisOptions

LENGTH = 8


def library(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, effects, and a phenotype of deviation 1."""
    random = np.random.RandomState(seed)
    codes = np.where(random.rand(n, LENGTH) < 0.4, random.randint(0, 4, (n, LENGTH)), 1)
    theta = np.random.RandomState(9).normal(size=(4, LENGTH))
    phi = theta[codes, np.arange(LENGTH)].sum(1)
    return codes, theta, (phi - phi.mean()) / phi.std()


def planted(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Bins drawn with probabilities that are no curve with noise: the middle one is seen at both ends."""
    codes, _, phi = library(n, seed)
    logits = np.stack([-2 * phi, np.abs(phi), 2 * phi], axis=1)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    bins = (np.random.RandomState(seed + 1).rand(n, 1) > p.cumsum(1)).sum(1)
    return codes, bins, p, phi


@pytest.mark.parity  # the checklist of SEAM, 15, for the other regression of SQUID's surrogates
def test_the_likelihood_is_mavenns_formula() -> None:
    codes, _, _ = library(20)
    counts = np.random.RandomState(2).poisson(1.0, (20, 3)).astype(float)
    options = EpistasisOptions(strength=0.3, eta=0.01, hidden=2, random_state=0)
    design = Design(torch.as_tensor(codes.astype(np.uint8)), np.zeros((0, 2), int), "cpu")
    objective = _Bins(design, torch.as_tensor(counts), torch.as_tensor(counts), options)
    v = np.random.RandomState(3).normal(size=len(objective.begin()))
    w, a, b, c, d = np.split(v, np.cumsum([4 * LENGTH, 3, 6, 6]))
    raw = np.array([sum(w[4 * l + code] for l, code in enumerate(row)) for row in codes])
    often = counts.sum(1) / counts.sum()
    mean = (often * raw).sum()
    deviation = np.sqrt((often * (raw - mean) ** 2).sum())
    loss = 0.0
    for row, phi in enumerate((raw - mean) / deviation):
        psi = [
            a[y] + sum(b[2 * y + k] * np.tanh(c[2 * y + k] * phi + d[2 * y + k]) for k in range(2)) for y in range(3)
        ]
        p = np.exp(psi) / np.exp(psi).sum()
        loss -= (counts[row] * np.log(p)).sum()
    penalty = 0.3 * (w**2).sum() / deviation**2 + 0.01 * sum((part**2).sum() for part in (a, b, c, d))
    found, watched = objective.value(torch.as_tensor(v))
    np.testing.assert_allclose(float(found), (loss + penalty) / counts.sum(), rtol=1e-12)
    assert watched == 0


def test_a_planted_phenotype_and_its_bins_are_recovered() -> None:
    codes, bins, p, phi = planted(3000)
    found = fit_binned_surrogate(codes, bins, hidden_nodes=4)
    assert np.corrcoef(found.phi(codes), phi)[0, 1] > 0.98
    assert np.abs(found.predict(codes) - p).mean() < 0.04
    np.testing.assert_allclose(found.predict(codes[:9]).sum(1), 1)
    truth = (p * np.log2(p / p.mean(0))).sum(1).mean()
    assert abs(found.information.bits - truth) < 4 * found.information.error
    assert found.information.error < 0.1
    grid = found.at([-2.0, 0.0, 2.0])
    assert grid[0].argmax() == 0
    assert grid[2].argmax() == 2  # the phenotype rises with the bins


def test_counts_are_rows_repeated_and_a_gauge_moves_nothing() -> None:
    codes, bins, _, _ = planted(300)
    plain: dict[str, Any] = {"test": 0, "validation": 0, "hidden_nodes": 2, "max_iterations": 60}
    counts = np.eye(3)[bins] * 2
    twice = fit_binned_surrogate(np.repeat(codes, 2, 0), np.repeat(bins, 2), **plain)
    counted = fit_binned_surrogate(codes, counts, **plain)
    np.testing.assert_allclose(counted.phi(codes), twice.phi(codes), atol=0.05)
    np.testing.assert_allclose(counted.information.bits, twice.information.bits, atol=1e-3)
    moved = counted.latent.gauge("hierarchical")
    np.testing.assert_allclose(moved.phi(codes), counted.phi(codes), atol=1e-9)
    np.testing.assert_allclose(moved.theta.sum(0), 0, atol=1e-9)


def test_the_same_seed_gives_the_same_numbers_and_pairs_are_fitted() -> None:
    codes, bins, _, _ = planted(200)
    some: dict[str, Any] = {"gpmap": "neighbour", "hidden_nodes": 2, "max_iterations": 30}
    one, two = (fit_binned_surrogate(codes, bins, **some) for _ in range(2))
    assert one.latent.pairs.shape == (LENGTH - 1, 4, 4)
    assert np.array_equal(one.predict(codes), two.predict(codes))
    assert one.latent.variant_effects(codes[0]).shape == (4, LENGTH)


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    codes, bins, _, _ = planted(120)
    some: dict[str, Any] = {"hidden_nodes": 2, "max_iterations": 15}
    here, there = (fit_binned_surrogate(codes, bins, device=device, **some) for device in ("cpu", second_device))
    np.testing.assert_allclose(there.predict(codes), here.predict(codes), atol=1e-3)


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (np.zeros(40), {}, r"y\): got one bin; need at least 2"),
        (np.arange(40) / 2, {}, r"y\): got other than whole numbers; need whole numbers of 0 or more"),
        (np.arange(40) - 1, {}, r"y\): got int64 of shape \(40,\)"),
        (np.arange(40) % 3, {"n_bins": 2}, r"y\): got bin 2; need 0 to 1"),
        (np.ones((40, 3)), {"n_bins": 2}, r"y\): got 3 columns; need 2"),
        (np.arange(39) % 3, {}, r"y\): got 39 rows; need 40"),
        (np.arange(40) % 3, {"gpmap": "pair"}, r"gpmap\): got 'pair'"),
        (np.arange(40) % 3, {"test": 1.0}, r"test\): got 1.0"),
    ],
)
def test_errors(y: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(NbinterpError, match=r"fit_binned_surrogate\(" + message):
        fit_binned_surrogate(library(40)[0], y, **options)


def test_measurements_of_other_sequences() -> None:
    codes, bins, _, _ = planted(400)
    found = fit_binned_surrogate(codes, bins, hidden_nodes=2)
    others, seen, _, _ = planted(400, seed=5)
    assert found.measure(others, seen).bits > 0.2
    assert found.measure(others, np.random.RandomState(0).permutation(seen)).bits < 0
    with pytest.raises(NbinterpError, match=r"BinnedSurrogate.measure\(y\): got 3 rows; need 400"):
        found.measure(others, seen[:3])
