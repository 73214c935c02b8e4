"""Designs and linear surrogates: dense oracles, scikit-learn, the duality gap, devices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nbinterp.errors import NbinterpError, NbinterpWarning
from nbinterp.mechanism import surrogate_linear
from nbinterp.mechanism.surrogate_bootstrap import bootstrap_surrogate
from nbinterp.mechanism.surrogate_design import Design, as_codes, pair_positions
from nbinterp.mechanism.surrogate_fit import fit_surrogate
from nbinterp.mechanism.surrogate_lime import _path, fit_lime
from nbinterp.mechanism.surrogate_linear import fit_lasso, fit_ridge, fit_ridge_cv
from nbinterp.sequence import PackedSequence


def sequences(n: int = 120, length: int = 6, seed: int = 0, unknown: float = 0.0) -> torch.Tensor:
    """Mutants of one sequence, some bases unknown."""
    random = np.random.RandomState(seed)
    wild = random.randint(0, 4, length)
    codes = np.where(random.rand(n, length) < 0.4, random.randint(0, 4, (n, length)), wild)
    return torch.as_tensor(np.where(random.rand(n, length) < unknown, 4, codes).astype(np.uint8))


def dense(codes: torch.Tensor, positions: np.ndarray) -> np.ndarray:
    """The columns, one entry at a time."""
    n, length = codes.shape
    out = np.zeros((n, 4 * length + 16 * len(positions)))
    for row, one in enumerate(codes.tolist()):
        for l, c in enumerate(one):
            if c < 4:
                out[row, 4 * l + c] = 1
        for p, (i, j) in enumerate(positions):
            if one[i] < 4 and one[j] < 4:
                out[row, 4 * length + 16 * p + 4 * one[i] + one[j]] = 1
    return out


def problem(unknown: float = 0.0, pairs: str = "neighbour") -> tuple[Design, np.ndarray, torch.Tensor]:
    codes = sequences(unknown=unknown)
    positions = pair_positions("test", pairs, codes.shape[1], None, None)
    columns = dense(codes, positions)
    random = np.random.RandomState(1)
    weights = random.normal(size=columns.shape[1]) * (random.rand(columns.shape[1]) < 0.3)
    y = torch.as_tensor(columns @ weights + 0.1 * random.normal(size=len(codes)) + 2)
    return Design(codes, positions, "cpu"), columns, y


@pytest.mark.parametrize("pairs", ["additive", "neighbour", "pairwise"])
@pytest.mark.parametrize("unknown", [0.0, 0.2])
def test_products_equal_dense_columns(pairs: str, unknown: float) -> None:
    design, columns, y = problem(unknown, pairs)
    w = torch.randn(columns.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    np.testing.assert_allclose(design.times(w), columns @ w.numpy(), atol=1e-12)
    np.testing.assert_allclose(design.transposed(y), columns.T @ y.numpy(), atol=1e-11)
    assert np.array_equal(design.gram(), columns.T @ columns)
    counts = np.random.RandomState(3).poisson(2, len(columns))
    among = np.array([5, 0, 11])
    weighted = design.gram(torch.as_tensor(counts, dtype=torch.float64), torch.as_tensor(among))
    assert np.array_equal(weighted, (columns.T @ (columns * counts[:, None]))[np.ix_(among, among)])


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("pairs", ["additive", "neighbour", "pairwise"])
@pytest.mark.parametrize("unknown", [0.0, 0.2, 1.0])
def test_counts_are_exact_however_few_deviate(
    pairs: str, unknown: float, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    design, columns, _ = problem(unknown, pairs)
    monkeypatch.setattr(Design, "_few_deviate", lambda self: few)
    assert np.array_equal(design.gram(), columns.T @ columns)
    counts = np.random.RandomState(3).poisson(2, len(columns))
    weighted = design.gram(torch.as_tensor(counts, dtype=torch.float64))
    assert np.array_equal(weighted, columns.T @ (columns * counts[:, None]))


def test_a_library_around_one_sequence_counts_its_deviations() -> None:
    random = np.random.RandomState(0)
    codes = np.where(random.rand(3000, 60) < 0.05, random.randint(0, 4, (3000, 60)), random.randint(0, 4, 60))
    design = Design(torch.as_tensor(codes, dtype=torch.uint8), np.zeros((0, 2), np.int64), "cpu")
    assert design._few_deviate()
    columns = dense(design.codes, np.zeros((0, 2), np.int64))
    assert np.array_equal(design.gram(), columns.T @ columns)


def test_blocks_do_not_change_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    design, columns, y = problem(0.1)
    monkeypatch.setattr("nbinterp.mechanism.surrogate_design._BLOCK", 100)
    small = Design(design.codes, design.positions.numpy(), "cpu")
    np.testing.assert_allclose(small.transposed(y), columns.T @ y.numpy(), atol=1e-11)
    assert np.array_equal(small.gram(), design.gram())


def test_every_form_of_sequences_gives_the_same_codes() -> None:
    codes = sequences(8, 7, unknown=0.3)
    one_hot = torch.cat([torch.eye(4), torch.zeros(1, 4)])[codes.long()].transpose(1, 2)
    forms = [codes, codes.numpy().astype(int), one_hot, one_hot.transpose(1, 2).numpy(), one_hot.to(torch.uint8)]
    for form in [*forms, PackedSequence.from_one_hot(one_hot)]:
        assert torch.equal(as_codes("test", form), codes)


def test_pairs_of_positions() -> None:
    assert pair_positions("test", "pairwise", 4, 2, None).tolist() == [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]
    assert pair_positions("test", "additive", 4, None, [[1, 3], [0, 2], [1, 3]]).tolist() == [[0, 2], [1, 3]]
    for pairs in ([[3, 1]], [[0, 4]], [0, 1]):
        with pytest.raises(NbinterpError, match=r"test\(pairs\): got"):
            pair_positions("test", "additive", 4, None, pairs)


def ridge(columns: np.ndarray, y: np.ndarray, strength: float) -> tuple[float, np.ndarray]:
    centred = columns - columns.mean(axis=0)
    w = np.linalg.solve(centred.T @ centred + strength * np.eye(columns.shape[1]), centred.T @ (y - y.mean()))
    return y.mean() - columns.mean(axis=0) @ w, w


@pytest.mark.parametrize("unknown", [0.0, 0.2])
def test_ridge_equals_the_normal_equations(unknown: float) -> None:
    design, columns, y = problem(unknown)
    found = fit_ridge(design, y, 0.3)
    intercept, w = ridge(columns, y.numpy(), 0.3)
    assert abs(found.intercept - intercept) < 1e-10
    np.testing.assert_allclose(found.weights, w, atol=1e-10)


def test_conjugate_gradients_equal_the_normal_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    design, _, y = problem()
    counts = torch.as_tensor(np.random.RandomState(3).poisson(1, len(y)), dtype=torch.float64)
    expected = fit_ridge(design, y, 0.3, counts)
    monkeypatch.setattr(surrogate_linear, "_MOST_DENSE", 1)
    found = fit_ridge(design, y, 0.3, counts)
    assert found.facts["solver"] == "conjugate gradients"
    torch.testing.assert_close(found.weights, expected.weights, rtol=0, atol=1e-8)
    monkeypatch.setattr(surrogate_linear, "_MOST_STEPS", 2)
    with pytest.warns(NbinterpWarning, match="stopped after 2 steps"):
        fit_ridge(design, y, 0.3)
    with pytest.raises(NbinterpError, match=r"need at most 1 for cross-validation"):
        fit_ridge_cv(design, y, [1.0])


def test_no_penalty_is_the_solution_of_least_norm() -> None:
    design, columns, y = problem()
    found = fit_ridge(design, y, 0.0)
    expected = np.linalg.lstsq(columns - columns.mean(axis=0), y.numpy() - y.numpy().mean(), rcond=1e-10)[0]
    np.testing.assert_allclose(found.weights, expected, atol=1e-8)


def test_counts_are_rows_repeated() -> None:
    design, _, y = problem()
    counts = np.random.RandomState(3).poisson(1, len(y))
    rows = np.repeat(np.arange(len(y)), counts)
    again = Design(design.codes[rows], design.positions.numpy(), "cpu")
    weights = torch.as_tensor(counts, dtype=torch.float64)
    torch.testing.assert_close(fit_ridge(design, y, 0.5, weights).weights, fit_ridge(again, y[rows], 0.5).weights)
    one, other = fit_lasso(design, y, 0.02, weights), fit_lasso(again, y[rows], 0.02)
    torch.testing.assert_close(design.times(one.weights), design.times(other.weights), atol=1e-3, rtol=0)


def test_cross_validation_measures_rows_left_out() -> None:
    design, columns, y = problem()
    strengths = (1e-3, 0.1, 1.0, 10.0)
    found = fit_ridge_cv(design, y, strengths, folds=5, random_state=0)
    fold = np.random.RandomState(0).permutation(len(y)) % 5
    errors = np.zeros(4)
    for s, strength in enumerate(strengths):
        for k in range(5):
            intercept, w = ridge(columns[fold != k], y.numpy()[fold != k], strength)
            errors[s] += ((y.numpy() - intercept - columns @ w)[fold == k] ** 2).sum()
    assert found.facts["strength"] == strengths[errors.argmin()]
    assert abs(found.facts["cv_mse"] - errors.min() / len(y)) < 1e-9


def objective(columns: np.ndarray, y: np.ndarray, intercept: float, w: np.ndarray, strength: float) -> float:
    return float(((y - intercept - columns @ w) ** 2).mean() / 2 + strength * np.abs(w).sum())


@pytest.mark.parametrize("strength", [0.2, 0.02, 0.002])
def test_lasso_is_within_its_duality_gap_of_the_optimum(strength: float) -> None:
    design, columns, y = problem(pairs="pairwise")
    found = fit_lasso(design, y, strength, tolerance=1e-8)
    assert 0 <= found.facts["gap"] <= 1e-8 * float(y.var(correction=0))
    # proximal gradient steps, a long time
    centred, target = columns - columns.mean(axis=0), y.numpy() - y.numpy().mean()
    step = len(y) / np.linalg.norm(centred, 2) ** 2
    w = z = np.zeros(columns.shape[1])
    for k in range(4000):
        moved = z + step * centred.T @ (target - centred @ z) / len(y)
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * strength, 0)
        w, z = new, new + k / (k + 3) * (new - w)
    expected = objective(centred, target, 0, w, strength)
    got = objective(columns, y.numpy(), found.intercept, found.weights.numpy(), strength)
    assert got <= expected + found.facts["gap"] + 1e-12
    assert found.facts["n_nonzero"] == (found.weights != 0).sum()


def test_a_strong_lasso_keeps_nothing_and_an_impossible_one_warns() -> None:
    design, _, y = problem()
    nothing = fit_lasso(design, y, 10.0)
    assert nothing.facts["n_nonzero"] == 0
    assert abs(nothing.intercept - float(y.mean())) < 1e-12
    with pytest.warns(NbinterpWarning, match="lasso stopped at a duality gap of"):
        fit_lasso(design, y, 0.01, max_rounds=1)
    with pytest.raises(NbinterpError, match=r"got 0.0; need above 0 for lasso"):
        fit_lasso(design, y, 0.0)


@pytest.mark.parity
def test_scikit_learn_agrees() -> None:
    """What SQUID's SurrogateRidgeCV and SurrogateLasso call."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    design, columns, y = problem()
    theirs = linear_model.Ridge(alpha=0.3).fit(columns, y.numpy())
    found = fit_ridge(design, y, 0.3)
    np.testing.assert_allclose(found.weights, theirs.coef_, atol=1e-9)
    assert abs(found.intercept - theirs.intercept_) < 1e-9
    lasso = linear_model.Lasso(alpha=0.02, tol=1e-10, max_iter=100_000).fit(columns, y.numpy())
    ours = fit_lasso(design, y, 0.02, tolerance=1e-10)
    fitted = ours.intercept + design.times(ours.weights).numpy()
    np.testing.assert_allclose(fitted, lasso.predict(columns), atol=1e-4)
    got = objective(columns, y.numpy(), ours.intercept, ours.weights.numpy(), 0.02)
    assert abs(got - objective(columns, y.numpy(), lasso.intercept_, lasso.coef_, 0.02)) < 1e-8


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    design, _, y = problem(0.1)
    there = Design(design.codes, design.positions.numpy(), second_device)
    assert torch.equal(there.gram().cpu(), design.gram())
    found = fit_ridge(there, y.to(second_device), 0.3)
    assert found.weights.device.type == torch.device(second_device).type
    torch.testing.assert_close(found.weights.cpu(), fit_ridge(design, y, 0.3).weights, rtol=0, atol=1e-10)
    lasso = fit_lasso(there, y.to(second_device), 0.02)
    torch.testing.assert_close(lasso.weights.cpu(), fit_lasso(design, y, 0.02).weights, rtol=0, atol=1e-8)


# ---- the few letters that say most


def sparse_problem(seed: int) -> tuple[np.ndarray, torch.Tensor]:
    """Variants of one sequence of which few letters matter."""
    random = np.random.RandomState(seed)
    codes = np.where(random.rand(300, 12) < 0.25, random.randint(0, 4, (300, 12)), random.randint(0, 4, 12))
    effects = random.normal(size=48) * (random.rand(48) < 0.3)
    y = np.eye(4)[codes].reshape(300, -1) @ effects + 0.3 * random.normal(size=300)
    return codes.astype(np.uint8), torch.as_tensor(y)


@pytest.mark.parity
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [1, 3, 8])
def test_lime_keeps_what_squid_keeps(seed: int, k: int) -> None:
    """SurrogateLIME: the first point of the path with k columns, then least squares on these."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    codes, y = sparse_problem(seed)
    columns = np.eye(4)[codes].reshape(len(codes), -1)
    alphas, _, path = linear_model.lars_path(
        columns - columns.mean(0), (y - y.mean()).numpy(), method="lasso", alpha_min=0.005
    )
    first = next(i for i in range(path.shape[1]) if (path[:, i] != 0).sum() == k)
    kept = np.flatnonzero(path[:, first])
    again = linear_model.LinearRegression().fit(columns[:, kept], y)
    found = fit_lime(Design(torch.as_tensor(codes), np.zeros((0, 2), int), "cpu"), y, k)
    assert np.flatnonzero(found.weights).tolist() == kept.tolist()
    np.testing.assert_allclose(found.weights[kept], again.coef_, atol=1e-9)
    np.testing.assert_allclose(found.intercept, again.intercept_, atol=1e-9)
    np.testing.assert_allclose(found.facts["strength"], alphas[first], rtol=1e-9)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")  # SQUID's own
@pytest.mark.parametrize("k", [3, 8])
def test_lime_is_squids_own(k: int) -> None:
    """To what its coordinate descent leaves."""
    zoo = pytest.importorskip("squid.surrogate_zoo")
    codes, y = sparse_problem(2)
    theirs = zoo.SurrogateLIME((*codes.shape, 4), 1, k=k, gpu=False)
    theirs.train(np.eye(4)[codes], y.numpy(), verbose=0)
    ours = fit_surrogate(codes, y, linearity="linear", penalty="lime", n_effects=k, gauge="none", test=0)
    np.testing.assert_allclose(ours.theta.T, theirs.get_params()[1], atol=1e-3)


def test_the_path_is_the_lassos() -> None:
    """Where the path has so many columns, a lasso at that strength has the same ones."""
    codes, y = sparse_problem(7)
    design = Design(torch.as_tensor(codes), np.zeros((0, 2), int), "cpu")
    for k in (2, 5):
        found = fit_lime(design, y, k)
        lasso = fit_lasso(design, y, float(found.facts["strength"]) * (1 + 1e-6), tolerance=1e-14)
        assert np.array_equal(lasso.weights.abs() > 1e-6, found.weights != 0)


def test_lime_counts_rows_and_finds_its_end() -> None:
    codes, y = sparse_problem(1)
    none = np.zeros((0, 2), int)
    counts = np.random.RandomState(0).poisson(1, len(y))
    repeated = fit_lime(
        Design(torch.as_tensor(np.repeat(codes, counts, 0)), none, "cpu"),
        y.repeat_interleave(torch.as_tensor(counts)),
        5,
    )
    counted = fit_lime(Design(torch.as_tensor(codes), none, "cpu"), y, 5, torch.as_tensor(counts, dtype=torch.float64))
    np.testing.assert_allclose(counted.weights, repeated.weights, atol=1e-9)
    design = Design(torch.as_tensor(codes), none, "cpu")
    with pytest.raises(
        NbinterpError, match=r"n_effects\): got 48, where the path ends at \d+ columns; need as many as"
    ):
        fit_lime(design, y, 48)
    exact = torch.as_tensor(np.eye(4)[codes][:, 2, 1])
    with pytest.raises(NbinterpError, match=r"n_effects\): got 2, where the path ends at 1 columns"):
        fit_lime(design, exact, 2)  # one letter explains all


def test_lime_on_a_second_device(second_device: str) -> None:
    codes, y = sparse_problem(2)
    none = np.zeros((0, 2), int)
    here = fit_lime(Design(torch.as_tensor(codes), none, "cpu"), y, 4)
    there = fit_lime(Design(torch.as_tensor(codes), none, second_device), y.to(second_device), 4)
    np.testing.assert_allclose(there.weights.cpu(), here.weights, atol=1e-9)


def test_a_surrogate_of_few_letters() -> None:
    codes, y = sparse_problem(3)
    found = fit_surrogate(codes, y, linearity="linear", penalty="lime", n_effects=6, gauge="none", test=0)
    assert (found.theta != 0).sum() == 6
    assert found.facts["n_nonzero"] == 6
    assert bootstrap_surrogate(found, codes, y, n=3).theta.shape == (3, 4, 12)
    with pytest.raises(NbinterpError, match=r"penalty\): got 'lime' with linearity='nonlinear'; need a linear"):
        fit_surrogate(codes, y, penalty="lime")
    with pytest.raises(NbinterpError, match=r"n_effects\): got 0; need an integer of at least 1"):
        fit_surrogate(codes, y, penalty="lime", linearity="linear", n_effects=0)


@pytest.mark.parity
@pytest.mark.parametrize("seed", [0, 2, 4])
def test_columns_leave_the_path_again_as_in_scikit_learns(seed: int) -> None:
    """Columns that say the same in part; the path turns back on itself."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    random = np.random.RandomState(seed)
    columns = random.normal(size=(60, 3)) @ random.normal(size=(3, 14)) + 0.4 * random.normal(size=(60, 14))
    y = columns @ random.normal(size=14) + random.normal(size=60)
    columns, y = columns - columns.mean(0), y - y.mean()
    _, _, path = linear_model.lars_path(columns, y, method="lasso")
    counts = (path != 0).sum(0)
    assert (np.diff(counts) < 1).any()
    for k in range(1, 15):
        kept = np.flatnonzero(path[:, np.flatnonzero(counts == k)[0]])
        found, _ = _path(torch.as_tensor(columns.T @ columns), torch.as_tensor(columns.T @ y), k)
        assert found.tolist() == kept.tolist()
