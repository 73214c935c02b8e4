"""Gauges (parity point 14): SQUID's and MAVE-NN's formulas, predictions that do not move, errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.gauge import GAUGES, Parameters, fix_gauge, fix_parameters, gauge_probabilities


def squid_fix_gauge(x: np.ndarray, gauge: str, wt: np.ndarray | None, r: float = 0.1) -> np.ndarray:
    """SQUID 0.4.9's definitions, one position at a time, (L, A)."""
    out = x.copy()
    for l in range(len(x)):
        if gauge == "empirical":
            p = [1 - r if c == wt[l].argmax() else r / 3 for c in range(4)]
            out[l] -= sum(p[c] * x[l, c] for c in range(4))
        elif gauge == "wild-type":
            out[l] -= x[l, wt[l].argmax()]
        elif gauge == "hierarchical":
            out[l] -= x[l].mean()
    return out


def mavenn_gauge(
    theta_0: float, lc: np.ndarray, lclc: np.ndarray, p: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """MAVE-NN's sums over dense (L, C, L, C) parameters, upper triangle filled."""
    n = np.newaxis
    both = lclc * p[:, :, n, n] * p[n, n]
    zero = theta_0 + (p * lc).sum() + both.sum()
    one = (
        lc
        - (lc * p).sum(axis=1)[:, n]
        + (lclc * p[n, n]).sum(axis=(2, 3))
        + (lclc * p[:, :, n, n]).sum(axis=(0, 1))
        - both.sum(axis=(1, 2, 3))[:, n]
        - both.sum(axis=(0, 1, 3))[:, n]
    )
    two = (
        lclc
        - (lclc * p[:, :, n, n]).sum(axis=1)[:, n]
        - (lclc * p[n, n]).sum(axis=3)[:, :, :, n]
        + both.sum(axis=(1, 3))[:, n, :, n]
    )
    return float(zero), one, two


def parameters(length: int = 5, seed: int = 0) -> Parameters:
    random = np.random.RandomState(seed)
    positions = np.array(list(itertools.combinations(range(length), 2)))
    return Parameters(0.7, random.normal(size=(4, length)), positions, random.normal(size=(len(positions), 4, 4)))


def value(parameters: Parameters, codes: np.ndarray) -> float:
    """One sequence, by the definition."""
    total = parameters.intercept + sum(parameters.theta[c, l] for l, c in enumerate(codes))
    return total + sum(
        pair[codes[i], codes[j]] for (i, j), pair in zip(parameters.positions, parameters.pairs, strict=True)
    )


def probabilities(length: int, seed: int = 1) -> np.ndarray:
    return np.random.RandomState(seed).dirichlet(np.ones(4), length).T


@pytest.mark.parametrize("gauge", ["hierarchical", "wild-type", "empirical"])
def test_maps_are_moved_as_squid_moves_them(gauge: str) -> None:
    random = np.random.RandomState(0)
    maps, wild = random.normal(size=(3, 4, 7)), np.eye(4)[random.randint(0, 4, 7)].T
    found = fix_gauge(maps, gauge, reference=wild, mut_rate=0.2)
    for one, expected in zip(found, maps, strict=True):
        np.testing.assert_allclose(one.T, squid_fix_gauge(expected.T, gauge, wild.T, 0.2), atol=1e-14)
    assert np.array_equal(fix_gauge(maps, "none"), maps)


def test_a_users_gauge_and_the_dtype() -> None:
    maps, p = np.random.RandomState(0).normal(size=(4, 6)).astype(np.float32), probabilities(6)
    found = fix_gauge(maps, "user", p=3 * p)
    assert found.dtype == np.float32
    np.testing.assert_allclose((found * p).sum(axis=0), 0, atol=1e-6)
    assert fix_gauge(np.arange(8).reshape(4, 2)).dtype == np.float64


def test_an_unknown_base_of_the_reference_is_every_base() -> None:
    maps, wild = np.random.RandomState(0).normal(size=(4, 2)), np.array([[0, 1], [0, 0], [0, 0], [0, 0]])
    found = fix_gauge(maps, "wild-type", reference=wild)
    assert found[0, 1] == 0
    assert abs(found[:, 0].mean()) < 1e-15
    assert abs(fix_gauge(maps, "empirical", reference=wild)[:, 0].mean()) < 1e-15


def test_parameters_equal_mavenns_dense_sums() -> None:
    old, p = parameters(), probabilities(5)
    dense = np.zeros((5, 4, 5, 4))
    for (i, j), pair in zip(old.positions, old.pairs, strict=True):
        dense[i, :, j, :] = pair
    zero, one, two = mavenn_gauge(old.intercept, old.theta.T, dense, p.T)
    new = fix_parameters(old, p)
    assert abs(new.intercept - zero) < 1e-12
    np.testing.assert_allclose(new.theta, one.T, atol=1e-12)
    for (i, j), pair in zip(new.positions, new.pairs, strict=True):
        np.testing.assert_allclose(pair, two[i, :, j, :], atol=1e-12)


def test_no_sequence_changes_its_value_and_means_vanish() -> None:
    old, p = parameters(), probabilities(5)
    new = fix_parameters(old, p)
    for codes in np.random.RandomState(2).randint(0, 4, (50, 5)):
        assert abs(value(old, codes) - value(new, codes)) < 1e-12
    np.testing.assert_allclose((new.theta * p).sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.einsum("pcd,pc->pd", new.pairs, p.T[new.positions[:, 0]]), 0, atol=1e-12)
    np.testing.assert_allclose(np.einsum("pcd,pd->pc", new.pairs, p.T[new.positions[:, 1]]), 0, atol=1e-12)
    again = fix_parameters(new, p)
    np.testing.assert_allclose(again.theta, new.theta, atol=1e-12)
    np.testing.assert_allclose(again.pairs, new.pairs, atol=1e-12)


def test_the_wild_type_gauge_is_the_effect_of_each_substitution() -> None:
    old, wild = parameters(), np.array([2, 0, 3, 3, 1])
    new = fix_parameters(old, np.eye(4)[wild].T)
    assert abs(new.intercept - value(old, wild)) < 1e-12
    for l, c in itertools.product(range(5), range(4)):
        edited = wild.copy()
        edited[l] = c
        assert abs(new.theta[c, l] - (value(old, edited) - value(old, wild))) < 1e-12


def test_probabilities_of_each_gauge() -> None:
    observed = np.array([[0.5, 0.0, 0], [0.3, 1.0, 0], [0.2, 0.0, 0], [0.0, 0.0, 0]])
    third = [1 / 3, 1 / 3, 1 / 3, 0]
    np.testing.assert_allclose(gauge_probabilities("uniform", 3, observed=observed)[:, 0], third)
    assert gauge_probabilities("consensus", 3, observed=observed)[:, 0].tolist() == [1, 0, 0, 0]
    np.testing.assert_allclose(gauge_probabilities("empirical", 3, observed=observed)[:, :2], observed[:, :2])
    for gauge in ("uniform", "consensus", "empirical"):  # a position of N alone
        assert gauge_probabilities(gauge, 3, observed=observed)[:, 2].tolist() == [0.25] * 4
    wild = torch.eye(4)[None, :, :3]
    assert np.array_equal(gauge_probabilities("wild-type", 3, reference=wild), wild[0].numpy())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gauge": "wildtype"}, r"fix_gauge\(gauge\): got 'wildtype' \(did you mean 'wild-type'\?\)"),
        ({"gauge": "wild-type"}, r"fix_gauge\(reference\): got None; need one-hot of shape \(4, 3\)"),
        ({"gauge": "wild-type", "reference": np.ones((4, 3))}, r"fix_gauge\(reference\): got no one-hot"),
        ({"gauge": "wild-type", "reference": np.eye(4)}, r"fix_gauge\(reference\): got shape \(4, 4\)"),
        ({"gauge": "user"}, r"fix_gauge\(p\): got None"),
        ({"gauge": "user", "p": -np.ones((4, 3))}, r"fix_gauge\(p\): got entries that are no probabilities"),
        ({"gauge": "empirical", "reference": np.eye(4)[:, :3], "mut_rate": 2}, r"fix_gauge\(mut_rate\): got 2"),
    ],
)
def test_errors(arguments: dict, message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        fix_gauge(np.zeros((4, 3)), **arguments)


def test_errors_of_shape_and_of_missing_frequencies() -> None:
    with pytest.raises(NbinterpError, match=r"fix_gauge\(theta\): got shape \(5, 3\)"):
        fix_gauge(np.zeros((5, 3)))
    with pytest.raises(NbinterpError, match=r"gauge_probabilities\(gauge\): got 'empirical'; need letters seen"):
        gauge_probabilities("empirical", 3)
    assert GAUGES[0] == "none"


_SQUID = {  # printed by squid.utils.fix_gauge (0.4.9) for the maps below, mutated at a rate of 0.2
    "empirical": [
        [0.4723955253, -1.763706252, -1.6801215907, -2.2249184605],
        [-0.3839525842, -3.5508989104, 0.4954515507, -2.0105671144],
        [1.8650332198, 1.2966237483, 3.0081020608, -0.5141465857],
        [0.004062215, -0.0575749357, 1.4602488613, -0.7734118483],
        [0.4996851433, -0.2057450671, 0.7143270975, 1.2549285645],
    ],
    "wild-type": [
        [0.0, -2.2361017773, -2.1525171159, -2.6973139858],
        [-0.8794041349, -4.0463504611, 0.0, -2.5060186651],
        [2.3791798056, 1.810770334, 3.5222486465, 0.0],
        [0.0616371507, 0.0, 1.517823797, -0.7158369126],
        [0.7054302104, 0.0, 0.9200721646, 1.4606736316],
    ],
    "hierarchical": [
        [1.7714832198, -0.4646185575, -0.3810338962, -0.9258307661],
        [0.9785391804, -2.1884071458, 1.8579433153, -0.6480753498],
        [0.451130109, -0.1172793625, 1.59419895, -1.9280496965],
        [-0.1542688581, -0.2159060088, 1.3019177883, -0.9317429214],
        [-0.0661137913, -0.7715440017, 0.148528163, 0.68912963],
    ],
}


@pytest.mark.parity
@pytest.mark.parametrize("gauge", _SQUID)
def test_squids_own_numbers(gauge: str) -> None:
    maps = np.random.RandomState(1).normal(size=(5, 4))
    wild = np.eye(4)[[0, 2, 3, 1, 1]]
    found = fix_gauge(maps.T, gauge, reference=wild.T, mut_rate=0.2)
    np.testing.assert_allclose(found.T, _SQUID[gauge], atol=1e-9)
