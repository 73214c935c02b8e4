"""Information: closed forms, MAVE-NN's estimators written as loops, errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import digamma

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.noise import Noise
from nbinterp.mechanism.surrogate_information import entropy, mutual_information, variational_information


def npeet_entropy(x: np.ndarray, k: int) -> float:
    distances = [np.sort(np.abs(x - one))[k] for one in x]
    return (digamma(len(x)) - digamma(k) + np.log(2) + np.mean(np.log(distances))) / np.log(2)


def npeet_information(x: np.ndarray, y: np.ndarray, k: int) -> float:
    total = 0.0
    for a, b in zip(x, y, strict=True):
        far = np.sort(np.maximum(np.abs(x - a), np.abs(y - b)))[k] - 1e-15
        total += digamma((np.abs(x - a) <= far).sum()) + digamma((np.abs(y - b) <= far).sum())
    return (digamma(k) + digamma(len(x)) - total / len(x)) / np.log(2)


def test_estimators_equal_naive_loops() -> None:
    x, y = np.random.RandomState(0).normal(size=(2, 150))
    y = y + x**2
    assert abs(entropy(x, k=7, n_subsamples=0).bits - npeet_entropy(x, 7)) < 1e-12
    found = mutual_information(x, y, k=5, fuzz=0, scores=False, n_subsamples=0)
    assert abs(found.bits - npeet_information(x, y, 5)) < 1e-12
    assert np.isnan(found.error)


@pytest.mark.parametrize("r", [0.0, 0.6, 0.95])
def test_information_of_gaussians(r: float) -> None:
    x, e = np.random.RandomState(1).normal(size=(2, 4000))
    found = mutual_information(x, r * x + np.sqrt(1 - r**2) * e, random_state=0)
    assert abs(found.bits + 0.5 * np.log2(1 - r**2)) < 4 * found.error + 0.01
    assert 0 < found.error < 0.05


def test_information_does_not_depend_on_units() -> None:
    x, e = np.random.RandomState(1).normal(size=(2, 500))
    one = mutual_information(x, x + e, random_state=3, n_subsamples=0).bits
    assert abs(mutual_information(100 * x, np.exp(9 * (x + e)), random_state=3, n_subsamples=0).bits - one) < 1e-6
    units = [mutual_information(x, s * (x + e), scores=False, n_subsamples=0, random_state=3).bits for s in (1, 1e-3)]
    assert abs(units[0] - units[1]) > 0.2  # MAVE-NN's way
    assert abs(entropy(8 * x, n_subsamples=0).bits - entropy(x, n_subsamples=0).bits - 3) < 1e-9


def test_variational_information_of_the_true_noise_is_the_information() -> None:
    x, e = np.random.RandomState(2).normal(size=(2, 4000))
    y, noise = 2 * x + e, Noise("gaussian", np.zeros((1, 1)))
    found = variational_information(y, noise.loss(y, 2 * x), random_state=0)
    assert abs(found.bits - 0.5 * np.log2(5)) < 4 * found.error + 0.01
    wrong = variational_information(y, Noise("gaussian", np.ones((1, 1))).loss(y, 2 * x), random_state=0)
    assert wrong.bits < found.bits - 0.1


def test_the_error_is_the_spread_of_repetitions() -> None:
    draws = [np.random.RandomState(seed).normal(size=(2, 600)) for seed in range(40)]
    found = [mutual_information(x, x + e, random_state=0) for x, e in draws]
    spread = np.std([one.bits for one in found], ddof=1)
    assert 0.6 < np.mean([one.error for one in found]) / spread < 1.6


def test_errors() -> None:
    x = np.random.RandomState(0).normal(size=100)
    with pytest.raises(NbinterpError, match=r"mutual_information\(y\): got 99 values; need as many as the others"):
        mutual_information(x, x[1:])
    with pytest.raises(NbinterpError, match=r"entropy\(x\): got NaN or infinite values"):
        entropy(np.append(x, np.nan))
    with pytest.raises(NbinterpError, match=r"entropy\(x\): got 10 values; need as many as the others, at least 18"):
        entropy(x[:10])


@pytest.mark.parity
def test_mavenns_own_numbers() -> None:
    """Printed by MAVE-NN's estimators (1.0.2); noise of 1e-5 that it adds moves a count now and then."""
    random = np.random.RandomState(0)
    x = random.normal(size=300)
    y = x + 0.5 * random.normal(size=300)
    assert abs(mutual_information(x, y, fuzz=0, scores=False, n_subsamples=0).bits - 1.1792308065) < 1e-9
    assert abs(entropy(x, n_subsamples=0).bits - 2.02688) < 5e-5
