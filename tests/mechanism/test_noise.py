"""Noise models (parity point 15): MAVE-NN's likelihood, SciPy's distributions, quantiles, far tails, devices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.special import gammaln

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.noise import Noise, log_likelihood_loss
from nbinterp.mechanism.surrogate_design import Design
from nbinterp.mechanism.surrogate_epistasis import EpistasisOptions, _Objective

COEFFICIENTS = {
    "gaussian": np.array([[-0.5, 0.3, -0.1]]),
    "cauchy": np.array([[-0.8, 0.2, 0.1]]),
    "skewed_t": np.array([[1.2, 0.1, 0.05], [0.7, -0.2, 0.0], [-0.6, 0.1, 0.1]]),
}


def mavenn_loss(kind: str, y: float, y_hat: float, coefficients: np.ndarray) -> float:
    """MAVE-NN's formulas, one measurement at a time; natural logarithms, no clipping."""
    logs = [sum(a * y_hat**k for k, a in enumerate(row)) for row in coefficients]
    if kind == "gaussian":
        return 0.5 * ((y - y_hat) / np.exp(logs[0])) ** 2 + logs[0] + 0.5 * np.log(2 * np.pi)
    if kind == "cauchy":
        return np.log(np.exp(2 * logs[0]) + (y - y_hat) ** 2) - logs[0] + np.log(np.pi)
    a, b, s = np.exp(logs)
    mode = (a - b) * np.sqrt(a + b) / (np.sqrt(2 * a + 1) * np.sqrt(2 * b + 1))
    t = mode + (y - y_hat) / s
    u = t / np.sqrt(a + b + t**2)
    return -(
        (a + 0.5) * np.log(1 + u)
        + (b + 0.5) * np.log(1 - u)
        - (a + b - 1) * np.log(2)
        - 0.5 * np.log(a + b)
        + (gammaln(a + b) - gammaln(a) - gammaln(b))
        - np.log(s)
    )


def points() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(0)
    return random.normal(size=60) * 2, random.normal(size=60)


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_losses_equal_mavenns_formulas(kind: str) -> None:
    y, y_hat = points()
    expected = [mavenn_loss(kind, *one, COEFFICIENTS[kind]) for one in zip(y, y_hat, strict=True)]
    found = log_likelihood_loss(kind, *(torch.as_tensor(a) for a in (y, y_hat, COEFFICIENTS[kind])))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_the_whole_objective_is_mavenns(kind: str) -> None:
    """Phenotype, curve, noise and penalties: GE regression, one sequence at a time."""
    random = np.random.RandomState(4)
    codes, y = random.randint(0, 4, (25, 3)), random.normal(size=25)
    coefficients = COEFFICIENTS[kind]
    options = EpistasisOptions(noise=kind, noise_order=2, strength=0.7, eta=0.02, hidden=2)
    design = Design(torch.as_tensor(codes.astype(np.uint8)), np.array([[0, 1]]), "cpu")
    ones = torch.ones(25, dtype=torch.float64)
    objective = _Objective(design, torch.as_tensor(y), options, ones, 0 * ones)
    w, curve = random.normal(size=design.n_features), np.array([0.3, 0.6, 0.2, 1.1, 0.4, -0.5, 0.7])
    found, _ = objective.value(torch.as_tensor(np.concatenate([w, curve, coefficients.ravel()])))
    raw = np.array([sum(w[4 * l + c] for l, c in enumerate(row)) + w[12 + 4 * row[0] + row[1]] for row in codes])
    loss = 0.0
    for phi, one in zip((raw - raw.mean()) / raw.std(), y, strict=True):
        y_hat = 0.3 + sum(b * np.tanh(c * phi + d) for b, c, d in zip(curve[1:3], curve[3:5], curve[5:], strict=True))
        loss += mavenn_loss(kind, one, y_hat, coefficients)
    penalty = 0.7 * (w**2).sum() / raw.var() + 0.02 * ((curve**2).sum() + (coefficients**2).sum())
    np.testing.assert_allclose(float(found), (loss + penalty) / 25, rtol=1e-9)


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_losses_are_scipys_log_densities(kind: str) -> None:
    y, _ = points()
    noise = Noise(kind, COEFFICIENTS[kind][:, :1])
    own = {name: float(v) for name, v in noise.parameters(0.0).items()}
    if kind == "skewed_t":
        mode = (own["a"] - own["b"]) * np.sqrt(own["a"] + own["b"])
        mode /= np.sqrt(2 * own["a"] + 1) * np.sqrt(2 * own["b"] + 1)
        peer = stats.jf_skew_t(own["a"], own["b"], loc=-own["s"] * mode, scale=own["s"])
    else:
        peer = {"gaussian": stats.norm, "cauchy": stats.cauchy}[kind](scale=next(iter(own.values())))
    np.testing.assert_allclose(noise.loss(y, np.zeros_like(y)), -peer.logpdf(y), rtol=1e-9)
    q = np.array([0.001, 0.2, 0.5, 0.99])
    np.testing.assert_allclose(noise.quantile(np.zeros(4), q), peer.ppf(q), rtol=1e-7, atol=1e-12)
    if kind != "cauchy":
        np.testing.assert_allclose(noise.mean(0.0), peer.mean(), rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(noise.std(0.0), peer.std(), rtol=1e-6)


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_a_density_integrates_to_one_and_peaks_at_the_prediction(kind: str) -> None:
    noise = Noise(kind, COEFFICIENTS[kind], center=3.0, scale=2.0)

    def density(y: float) -> float:
        return float(np.exp(-noise.loss([y], [3.5])[0]))

    total = sum(integrate.quad(density, *ends, limit=200)[0] for ends in ((-np.inf, 3.5), (3.5, np.inf)))
    assert abs(total - 1) < 1e-6
    assert density(3.5) > max(density(3.45), density(3.55))
    below = integrate.quad(density, -np.inf, float(noise.quantile(3.5, 0.3)), limit=200)[0]
    assert abs(below - 0.3) < 1e-6


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_units_change_densities_by_their_size_alone(kind: str) -> None:
    y, y_hat = points()
    one, other = (Noise(kind, COEFFICIENTS[kind], *units) for units in ((0.0, 1.0), (5.0, 10.0)))
    np.testing.assert_allclose(other.loss(5 + 10 * y, 5 + 10 * y_hat), one.loss(y, y_hat) + np.log(10), rtol=1e-12)
    np.testing.assert_allclose(other.quantile(5 + 10 * y_hat, 0.9), 5 + 10 * one.quantile(y_hat, 0.9), rtol=1e-10)


def test_far_tails_keep_their_logarithm() -> None:
    """MAVE-NN's float32 gives the density exp(-20) to whatever is beyond; here the power law goes on."""
    noise = Noise("skewed_t", np.log([[2.0], [3.0], [1.0]]))
    far = np.array([1e6, 1e7, -1e6, -1e7])
    loss = noise.loss(far, np.zeros(4))
    # the density falls as t^-(2b + 1) to the right and t^-(2a + 1) to the left (Jones and Faddy 2003)
    np.testing.assert_allclose(loss[1] - loss[0], (2 * 3 + 1) * np.log(10), rtol=1e-4)
    np.testing.assert_allclose(loss[3] - loss[2], (2 * 2 + 1) * np.log(10), rtol=1e-4)


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_gradients(kind: str) -> None:
    y, y_hat = (torch.as_tensor(a[:8]).requires_grad_() for a in points())
    coefficients = torch.tensor(COEFFICIENTS[kind], requires_grad=True)
    assert torch.autograd.gradcheck(lambda *a: log_likelihood_loss(kind, *a), (y, y_hat, coefficients))


def test_samples_follow_the_quantiles_and_the_seed() -> None:
    noise = Noise("skewed_t", COEFFICIENTS["skewed_t"])
    y_hat = np.full(20_000, 0.4)
    found = noise.sample(y_hat, 3)
    assert np.array_equal(found, noise.sample(y_hat, 3))
    for q in (0.05, 0.5, 0.95):
        assert abs((found < noise.quantile(0.4, q)).mean() - q) < 0.01


def test_what_does_not_exist() -> None:
    assert np.isnan(Noise("cauchy", np.zeros((1, 1))).mean([0.0])).all()
    assert np.isinf(Noise("cauchy", np.zeros((1, 1))).std([0.0])).all()
    heavy = Noise("skewed_t", np.log([[0.4], [3.0], [1.0]]))
    assert np.isnan(heavy.mean([0.0])).all()
    assert np.isinf(heavy.std([0.0])).all()


def test_errors() -> None:
    with pytest.raises(NbinterpError, match=r"Noise\(kind\): got 'gausian' \(did you mean 'gaussian'\?\)"):
        Noise("gausian", np.zeros((1, 1)))
    with pytest.raises(NbinterpError, match=r"Noise\(coefficients\): got shape \(1, 2\); need shape \(3, order \+ 1\)"):
        Noise("skewed_t", np.zeros((1, 2)))
    with pytest.raises(NbinterpError, match=r"Noise.quantile\(q\): got 1.0; need between 0 and 1"):
        Noise("gaussian", np.zeros((1, 1))).quantile(0.0, 1.0)


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_a_second_device_agrees_with_the_cpu(kind: str, second_device: str) -> None:
    here = [torch.as_tensor(a) for a in (*points(), COEFFICIENTS[kind])]
    found = log_likelihood_loss(kind, *(a.to(second_device) for a in here))
    torch.testing.assert_close(found.cpu(), log_likelihood_loss(kind, *here), rtol=1e-12, atol=1e-12)


# printed by MAVE-NN's own layers (1.0.2, float32) at these measurements, predictions and COEFFICIENTS
_Y, _Y_HAT = np.array([-1.5, -0.3, 0.0, 0.4, 2.2]), np.array([0.2, -0.5, 0.1, 1.2, 0.9])
_MAVENN = {
    "gaussian": {
        "loss": [3.98667002, 0.32108706, 0.46076405, 1.19965351, 2.18187761],
        "q90": [1.0220710, 0.1525102, 0.9001721, 2.1647093, 1.8390105],
        "std": [0.6414654, 0.5091564, 0.6243776, 0.7527667, 0.7327139],
    },
    "cauchy": {
        "loss": [3.03550315, 0.47689360, 0.41212964, 1.63321626, 2.39190149],
        "q90": [1.6450977, 0.7829689, 1.5122398, 3.2302866, 2.6953087],
    },
    "skewed_t": {
        "loss": [4.42052221, 0.44686621, 0.46280104, 1.49713206, 1.78461385],
        "q90": [1.3902304, 0.4702733, 1.2453941, 3.2867846, 2.6032563],
        "mean": [0.4208724, -0.3749627, 0.3031509, 1.7513257, 1.3115842],
        "std": [0.8646254, 0.7281854, 0.8347824, 1.5418167, 1.2373767],
    },
}


@pytest.mark.parity
@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_mavenns_own_numbers(kind: str) -> None:
    noise, expected = Noise(kind, COEFFICIENTS[kind]), _MAVENN[kind]
    found = {"loss": noise.loss(_Y, _Y_HAT), "q90": noise.quantile(_Y_HAT, 0.9)}
    found |= {"mean": noise.mean(_Y_HAT), "std": noise.std(_Y_HAT)}
    for name, numbers in expected.items():
        np.testing.assert_allclose(found[name], numbers, rtol=3e-6, atol=3e-6, err_msg=name)
