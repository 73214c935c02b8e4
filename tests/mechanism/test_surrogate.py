"""Surrogates: parameters, curve and information of simulated libraries recovered; laws; errors; a real enhancer."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nbinterp.errors import NbinterpError, NbinterpWarning
from nbinterp.mechanism.noise import Noise
from nbinterp.mechanism.surrogate import Surrogate
from nbinterp.mechanism.surrogate_bootstrap import bootstrap_surrogate
from nbinterp.mechanism.surrogate_design import pair_positions
from nbinterp.mechanism.surrogate_fit import fit_surrogate
from nbinterp.mechanism.surrogate_information import mutual_information


def library(n: int, length: int, rate: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes of mutants of one sequence, itself first; and its one-hot."""
    random = np.random.RandomState(seed)
    wild = random.randint(0, 4, length)
    mutated = random.rand(n, length) < rate
    mutated[0] = False
    codes = np.where(mutated, (wild + random.randint(1, 4, (n, length))) % 4, wild)
    return codes.astype(np.uint8), np.eye(4)[wild].T


def latent(X: np.ndarray, seed: int = 1, share: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """A phenotype of mean 0 and deviation 1 over the library, and its effects."""
    random = np.random.RandomState(seed)
    theta = random.normal(size=(4, X.shape[1])) * (random.rand(X.shape[1]) < share)
    phi = theta[X, np.arange(X.shape[1])].sum(axis=1)
    return (phi - phi.mean()) / phi.std(), theta / phi.std()


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 3 / (1 + np.exp(-2 * z))


TRUTH = {
    "Gaussian": Noise("gaussian", np.log([[0.2]])),
    "Cauchy": Noise("cauchy", np.log([[0.1]])),
    "SkewedT": Noise("skewed_t", np.log([[8.0], [3.0], [0.15]])),
}


def effects(theta: np.ndarray, wild: np.ndarray) -> np.ndarray:
    return theta - (theta * wild).sum(axis=0)


@pytest.mark.parametrize("kind", TRUTH)
def test_a_known_phenotype_curve_and_noise_are_recovered(kind: str) -> None:
    X, wild = library(3000, 20)
    z, theta = latent(X)
    y = TRUTH[kind].sample(sigmoid(z), 3)
    surrogate = fit_surrogate(X, y, noise=kind, noise_order=0, hidden_nodes=20)
    assert surrogate.facts["stopped"] in ("tolerance", "validation")
    expected = effects(theta, wild)
    found = surrogate.gauge("wild-type", reference=wild).theta
    np.testing.assert_allclose(found, surrogate.variant_effects(wild), atol=1e-12)
    assert np.sqrt(((found - expected) ** 2).mean()) < 0.05 * expected.std()
    assert 0.97 < (found * expected).sum() / (expected**2).sum() < 1.03
    grid = np.linspace(-2, 1.5, 8)
    assert np.abs(surrogate.curve(grid) - sigmoid(grid)).max() < 0.08
    assert (np.diff(surrogate.curve(np.linspace(-9, 9, 500))) >= 0).all()
    own, true = (noise.parameters(1.5) for noise in (surrogate.noise, TRUTH[kind]))
    for name in ("sigma", "gamma", "s"):
        assert name not in own or 0.7 < own[name] / true[name] < 1.3
    metrics = surrogate.metrics
    best = mutual_information(z, y, random_state=0).bits
    assert abs(metrics.i_pred.bits - best) < 4 * metrics.i_pred.error + 0.02
    assert metrics.i_var.bits < metrics.i_pred.bits + 4 * metrics.i_var.error
    assert abs(metrics.i_var.bits - best) < 4 * metrics.i_var.error + 0.05
    low, high = surrogate.interval(X, 0.9).T
    assert 0.87 < ((y > low) & (y < high)).mean() < 0.93


def test_noise_that_grows_with_the_signal() -> None:
    X, _ = library(3000, 20)
    z, _ = latent(X)
    truth = Noise("gaussian", np.array([[-2.5, 0.6]]))
    surrogate = fit_surrogate(X, truth.sample(sigmoid(z), 3), noise="Gaussian", noise_order=1, hidden_nodes=20)
    at = np.array([0.3, 2.7])
    np.testing.assert_allclose(surrogate.noise.std(at), truth.std(at), rtol=0.2)


def test_pairs_are_recovered_and_no_gauge_moves_a_prediction() -> None:
    X, wild = library(4000, 7, rate=0.5)
    random = np.random.RandomState(2)
    positions = pair_positions("test", "pairwise", 7, None, None)
    theta, pairs = random.normal(size=(4, 7)), random.normal(size=(len(positions), 4, 4))
    phi = theta[X, np.arange(7)].sum(axis=1)
    phi += sum(pair[X[:, i], X[:, j]] for (i, j), pair in zip(positions, pairs, strict=True))
    options: dict[str, Any] = {"gpmap": "pairwise", "linearity": "linear", "reg_strength": 1e-3}
    surrogate = fit_surrogate(X, phi, **options)
    assert surrogate.metrics.explained > 0.9999
    for name in ("hierarchical", "uniform", "empirical", "consensus", "wild-type", "user"):
        other = surrogate.gauge(name, reference=wild, p=np.full((4, 7), [[0.1], [0.2], [0.3], [0.4]]))
        np.testing.assert_allclose(other.predict(X[:50]), surrogate.predict(X[:50]), atol=1e-10)
        assert other.gauge_name == name
    # the truth in the wild-type gauge: double differences
    found, own = surrogate.gauge("wild-type", reference=wild), wild.argmax(axis=0)
    for (i, j), pair, true in zip(positions, found.pairs, pairs, strict=True):
        double = true - true[own[i]] - true[:, own[j]][:, None] + true[own[i], own[j]]
        np.testing.assert_allclose(pair, double, atol=0.05)
    table = found.pair_table(5)
    best = np.unravel_index(np.abs(found.pairs).argmax(), found.pairs.shape)
    assert table["start"][0] == positions[best[0]][0]
    assert table["end"][0] == positions[best[0]][1] + 1
    assert table["letters"][0] == "ACGT"[best[1]] + "ACGT"[best[2]]
    assert table["effect"].abs().is_monotonic_decreasing


@pytest.mark.parametrize("gpmap", ["additive", "neighbor", "pairwise"])
def test_variant_effects_are_differences_of_predictions(gpmap: str) -> None:
    X, wild = library(400, 6, rate=0.5)
    y = sigmoid(latent(X)[0]) + 0.1 * np.random.RandomState(0).normal(size=len(X))
    surrogate = fit_surrogate(X, y, gpmap=gpmap, noise="Gaussian", hidden_nodes=5, reg_strength=1.0)
    codes = wild.argmax(axis=0)
    codes[2] = 4  # an unknown base: what a base there adds
    for scale, measure in (("phi", surrogate.phi), ("y", surrogate.predict)):
        found = surrogate.variant_effects(codes, scale=scale)
        for l, c in itertools.product(range(6), range(4)):
            edited = codes.copy()
            edited[l] = c
            expected = measure(edited[None])[0] - measure(codes[None])[0]
            assert abs(found[c, l] - expected) < 1e-10
    one_hot = torch.as_tensor(wild)
    np.testing.assert_allclose(surrogate.variant_effects(one_hot), surrogate.variant_effects(one_hot[None]))


def test_neighbours_are_pairs_of_adjacent_positions() -> None:
    X, _ = library(400, 6, rate=0.5)
    y = (X[:, 1] == 2) * (X[:, 2] == 1.0)
    one, other = (fit_surrogate(X, y, gpmap=word, linearity="linear") for word in ("neighbour", "neighbor"))
    assert one.positions.tolist() == [[i, i + 1] for i in range(5)]
    assert np.array_equal(one.pairs, other.pairs)
    row = one.gauge("hierarchical").pair_table(1).iloc[0]
    assert (row["start"], row["end"], row["letters"]) == (1, 3, "GC")
    chosen = fit_surrogate(X, y, pairs=[[1, 2]], linearity="linear")
    assert chosen.positions.tolist() == [[1, 2]]
    assert chosen.metrics.explained > 0.99
    assert fit_surrogate(X, y, linearity="linear").metrics.explained < 0.95


def test_a_lasso_behind_a_curve_keeps_few_effects() -> None:
    X, wild = library(2000, 20)
    z, theta = latent(X, share=0.15)
    y = TRUTH["Gaussian"].sample(sigmoid(z), 3)
    options: dict[str, Any] = {"noise": "Gaussian", "hidden_nodes": 10, "gauge": "none"}
    sparse = fit_surrogate(X, y, penalty="lasso", reg_strength=50.0, **options)
    silent = np.abs(theta).sum(axis=0) == 0
    assert (sparse.theta == 0).mean() > 0.5
    assert np.abs(sparse.variant_effects(wild)[:, silent]).max() < 0.06
    assert np.corrcoef(sparse.variant_effects(wild).ravel(), effects(theta, wild).ravel())[0, 1] > 0.98


def test_linear_surrogates_are_exact_and_in_the_units_of_measurements() -> None:
    X, wild = library(500, 8, rate=0.3)
    theta = np.random.RandomState(0).normal(size=(4, 8))
    y = 5 + theta[X, np.arange(8)].sum(axis=1)
    for options in ({"reg_strength": 1e-6}, {"penalty": "lasso", "reg_strength": 1e-4}, {"reg_strength": [1e-6, 10]}):
        surrogate = fit_surrogate(X, y, linearity="linear", **options)
        tolerance = 1e-2 if "penalty" in options else 1e-4
        np.testing.assert_allclose(surrogate.variant_effects(wild), effects(theta, wild), atol=tolerance)
        np.testing.assert_allclose(surrogate.predict(X), y, atol=tolerance)
        assert surrogate.history.empty
    cauchy = fit_surrogate(X, TRUTH["Cauchy"].sample(y, 3), linearity="linear", noise="Cauchy")
    assert np.abs(cauchy.variant_effects(wild, scale="y") - effects(theta, wild)).max() < 0.15


def test_metrics_of_other_sequences_of_few_and_of_nothing_learned() -> None:
    X, _ = library(400, 8, rate=0.3)
    y = latent(X, share=1)[0]
    surrogate = fit_surrogate(X, y, linearity="linear", test=0.0)
    found = surrogate.measure(X[:100], 2 * y[:100] + 1)
    assert found.n_test == 100
    assert found.r2 > 0.999
    assert found.explained < 0.6
    assert abs(found.r2 - np.corrcoef(surrogate.predict(X[:100]), y[:100])[0, 1] ** 2) < 1e-9
    assert surrogate.metrics.n_test == 0
    assert np.isnan(surrogate.measure(X[:17], y[:17]).i_pred.bits)
    assert np.isnan(surrogate.measure(X[:50], np.ones(50)).r2)
    with pytest.raises(NbinterpError, match=r"Surrogate.measure\(y\): got 9 values; need 10, one a sequence"):
        surrogate.measure(X[:10], y[:9])
    nothing = fit_surrogate(X, y, linearity="linear", penalty="lasso", reg_strength=100.0)
    assert nothing.metrics.r2 < 1e-12
    assert abs(nothing.metrics.i_pred.bits) < 0.2


def test_the_same_seed_gives_the_same_numbers() -> None:
    X, _ = library(400, 8)
    y = TRUTH["SkewedT"].sample(sigmoid(latent(X)[0]), 3)
    fits = [fit_surrogate(X, y, hidden_nodes=5, random_state=seed) for seed in (0, 0, 1)]
    assert np.array_equal(fits[0].theta, fits[1].theta)
    assert fits[0].metrics == fits[1].metrics
    assert fits[0].metrics != fits[2].metrics
    assert fits[0].history["objective"].iloc[-1] < fits[0].history["objective"].iloc[0]
    more = fit_surrogate(X, y, hidden_nodes=5, n_starts=2)
    assert set(more.history["start"]) == {0, 1}
    best = more.history.groupby("start")["validation"].min()
    assert best[0] == fits[0].history["validation"].min()


def test_forms_of_sequences_units_of_measurements_and_duplicates() -> None:
    X, _ = library(300, 8)
    y = TRUTH["Gaussian"].sample(sigmoid(latent(X)[0]), 3)
    options: dict[str, Any] = {"noise": "Gaussian", "hidden_nodes": 5, "test": 0.0}
    expected = fit_surrogate(X, y, **options)
    one_hot = torch.eye(4)[torch.as_tensor(X).long()]
    for form, values in ((one_hot.transpose(1, 2), torch.as_tensor(y)[:, None]), (one_hot.numpy(), y.tolist())):
        assert np.array_equal(fit_surrogate(form, values, **options).theta, expected.theta)
    twice = fit_surrogate(np.concatenate([X, X]), np.concatenate([y, y]), **options)
    assert np.array_equal(twice.theta, expected.theta)
    assert fit_surrogate(np.concatenate([X, X]), np.concatenate([y, y]), deduplicate=False).metrics.n_train == 480
    units = fit_surrogate(X, 10 * y - 3, **options)
    np.testing.assert_allclose(units.theta, expected.theta, atol=1e-3)
    np.testing.assert_allclose(units.predict(X), 10 * expected.predict(X) - 3, atol=0.05)


def test_a_map_stands_in_its_window() -> None:
    X, _ = library(300, 8)
    X[:, 3] = 2
    surrogate = fit_surrogate(X, latent(X, share=1)[0], linearity="linear")
    found = surrogate.attribution_map(length=20, start=5, unobserved=np.nan)
    assert (found[:, :5] == 0).all()
    assert (found[:, 13:] == 0).all()
    assert np.isnan(found[:, 8]).tolist() == [True, True, False, True]
    np.testing.assert_allclose(np.nan_to_num(found[:, 5:13]), surrogate.theta * (surrogate.frequencies > 0))
    np.testing.assert_allclose((surrogate.theta * surrogate.frequencies).sum(axis=0), 0, atol=1e-12)
    with pytest.raises(NbinterpError, match=r"attribution_map\(start\): got start 5, length 12; need room for 8"):
        surrogate.attribution_map(length=12, start=5)


def test_bootstrap_errors_are_the_spread_of_new_libraries() -> None:
    theta = np.random.RandomState(0).normal(size=(4, 6))

    def measured(seed: int) -> tuple[np.ndarray, np.ndarray]:
        X = np.random.RandomState(seed).randint(0, 4, (300, 6))
        return X, theta[X, np.arange(6)].sum(axis=1) + np.random.RandomState(seed + 999).normal(size=300)

    def fit(seed: int) -> Surrogate:
        return fit_surrogate(*measured(seed), linearity="linear", gauge="hierarchical", test=0.0)

    spread = np.std([fit(seed).theta for seed in range(25)], axis=0, ddof=1)
    draws = bootstrap_surrogate(fit(0), *measured(0), n=25)
    assert draws.gauge_name == "hierarchical"
    assert 0.75 < np.median(draws.standard_error() / spread) < 1.3
    covered = []
    for seed in range(5):
        low, high = bootstrap_surrogate(fit(seed), *measured(seed), n=25).interval(0.9)
        true = theta - theta.mean(axis=0)
        covered.append(((low < true) & (true < high)).mean())
    assert 0.75 < np.mean(covered) < 0.98
    few = bootstrap_surrogate(fit(0), *measured(0), n=3)
    assert np.array_equal(few.theta, draws.theta[:3])
    wild = np.eye(4)[:, [0, 1, 2, 3, 0, 1]]
    assert (draws.gauge("wild-type", reference=wild).theta[:, wild == 1] == 0).all()


def test_bootstrap_of_pairs_and_of_a_curve() -> None:
    X, _ = library(300, 5, rate=0.5)
    y = TRUTH["Gaussian"].sample(sigmoid(latent(X)[0]), 3)
    surrogate = fit_surrogate(X, y, gpmap="neighbour", noise="Gaussian", hidden_nodes=4, max_iterations=1000)
    draws = bootstrap_surrogate(surrogate, X, y, n=3)
    assert draws.pair_interval().shape == (2, 4, 4, 4)
    assert draws.theta.shape == (3, 4, 5)
    with pytest.raises(NbinterpError, match=r"bootstrap_surrogate\(n\): got 1"):
        bootstrap_surrogate(surrogate, X, y, n=1)
    with pytest.raises(NbinterpError, match=r"bootstrap_surrogate\(X\): got sequences of length 4; need length 5"):
        bootstrap_surrogate(surrogate, X[:, :4], y, n=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gpmap": "pairwse"}, r"fit_surrogate\(gpmap\): got 'pairwse' \(did you mean 'pairwise'\?\)"),
        ({"noise": "skewed"}, r"fit_surrogate\(noise\): got 'skewed'.*; need one of 'Gaussian'"),
        ({"gauge": "wild-type"}, r"fit_surrogate\(gauge\): got 'wild-type'"),
        ({"noise_order": -1}, r"fit_surrogate\(noise_order\): got -1; need an integer of at least 0"),
        ({"reg_strength": -1.0}, r"fit_surrogate\(reg_strength\): got -1.0; need 0 or more"),
        ({"reg_strength": [1.0, 2.0]}, r"fit_surrogate\(reg_strength\): got 2 strengths; need one strength, but"),
        ({"test": 1.0}, r"fit_surrogate\(test\): got 1.0; need 0 or more, below 1"),
        ({"gpmap": "pairwise", "max_distance": 0}, r"fit_surrogate\(max_distance\): got 0"),
    ],
)
def test_errors_of_options(arguments: dict[str, Any], message: str) -> None:
    X, _ = library(50, 5)
    with pytest.raises(NbinterpError, match=message):
        fit_surrogate(X, np.arange(50.0), **arguments)


def test_errors_of_sequences_and_measurements() -> None:
    X, wild = library(50, 5)
    y = np.arange(50.0)
    with pytest.raises(NbinterpError, match=r"fit_surrogate\(y\): got shape \(50, 2\)"):
        fit_surrogate(X, np.zeros((50, 2)))
    with pytest.raises(NbinterpError, match=r"fit_surrogate\(y\): got one value for every sequence"):
        fit_surrogate(X, np.ones(50))
    with pytest.raises(NbinterpError, match=r"fit_surrogate\(y\): got 1 sequences"):
        fit_surrogate(X[:1], y[:1])
    with pytest.raises(NbinterpError, match=r"fit_surrogate\(y\): got NaN"):
        fit_surrogate(X, np.where(y == 3, np.nan, y))
    with pytest.raises(NbinterpError, match=r"fit_surrogate\(X\): got codes outside 0..4"):
        fit_surrogate(X + 9, y)
    with pytest.raises(NbinterpError, match=r"fit_surrogate\(X\): got torch.float64 of shape \(50, 5\)"):
        fit_surrogate(X.astype(float), y)
    surrogate = fit_surrogate(X, y, linearity="linear")
    with pytest.raises(NbinterpError, match=r"Surrogate.phi\(X\): got sequences of length 4; need length 5"):
        surrogate.predict(X[:, :4])
    with pytest.raises(NbinterpError, match=r"Surrogate.variant_effects\(reference\): got shape \(2, 5\)"):
        surrogate.variant_effects(X[:2])
    with pytest.raises(NbinterpError, match=r"Surrogate.gauge\(reference\): got None"):
        surrogate.gauge("wild-type")
    assert wild.shape == (4, 5)


def test_an_early_stop_is_told() -> None:
    X, _ = library(300, 8)
    y = TRUTH["Gaussian"].sample(sigmoid(latent(X)[0]), 3)
    with pytest.warns(NbinterpWarning, match="fit_surrogate: stopped after 2 iterations"):
        surrogate = fit_surrogate(X, y, max_iterations=2)
    assert surrogate.facts["stopped"] == "max_iterations"


@pytest.mark.parametrize(
    "options", [{"noise": "Cauchy", "noise_order": 0, "gpmap": "neighbour"}, {"linearity": "linear"}]
)
def test_a_second_device_agrees_with_the_cpu(options: dict[str, Any], second_device: str) -> None:
    X, _ = library(150, 4, rate=0.4)
    y = TRUTH["Gaussian"].sample(sigmoid(latent(X, share=1)[0]), 3)
    here, there = (fit_surrogate(X, y, hidden_nodes=2, device=device, **options) for device in ("cpu", second_device))
    np.testing.assert_allclose(there.theta, here.theta, atol=1e-3 if "noise" in options else 1e-9)
    np.testing.assert_allclose(there.predict(X), here.predict(X), atol=1e-2 if "noise" in options else 1e-9)


@pytest.mark.slow
def test_a_library_of_squids_size_is_fitted_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """SQUID's example: 249 bp, 20,000 sequences at 10 %; 4 minutes on a V100 by its authors."""
    X, wild = library(20_000, 249)
    z, theta = latent(X, share=0.2)
    y = TRUTH["SkewedT"].sample(sigmoid(z), 3)
    wall, cpu = time.perf_counter(), time.process_time()
    surrogate = fit_surrogate(X, y)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    with capsys.disabled():
        print(
            f"\n20,000 x 249 additive with a curve and skewed-t noise: {wall:.1f} s, {cpu:.1f} CPU s, {surrogate.metrics}"
        )
    assert cpu < 60
    assert np.corrcoef(surrogate.variant_effects(wild).ravel(), effects(theta, wild).ravel())[0, 1] > 0.995


@pytest.mark.real
@pytest.mark.slow
def test_a_real_enhancer(data_dir: Path) -> None:
    from nbinterp.model import load_model, predict
    from nbinterp.sequence import one_hot_encode

    sequence = next(
        line for line in (data_dir / "deepstarr_example_sequences.fa").read_text().split() if line[0] != ">"
    )
    wild = one_hot_encode(sequence)
    model = load_model(data_dir / "deepstarr.model.json", weights=data_dir / "deepstarr.model.h5")
    random = np.random.RandomState(0)
    X = np.where(random.rand(3000, 249) < 0.1, random.randint(0, 4, (3000, 249)), wild.argmax(dim=0).numpy())
    one_hot = torch.eye(4)[torch.as_tensor(X).long()].transpose(1, 2)
    y = predict(model, one_hot, batch_size=256)
    y = (y[0] if isinstance(y, (list, tuple)) else y)[:, 0]
    surrogate = fit_surrogate(X, y, reg_strength=10.0)
    assert surrogate.metrics.r2 > 0.5
    assert surrogate.metrics.i_pred.bits > 0.3
