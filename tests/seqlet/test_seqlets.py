"""Seqlets: equal to their definition, to tangermeme, and there at once."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import NbinterpError, NbinterpWarning
from nbinterp.seqlet.tfmodisco import isotonic


@pytest.fixture(autouse=True)
def both_ways(loops: str) -> None:
    """Every test runs with the compiled loops and with NumPy."""


def attributions(seed: int, n: int = 8, length: int = 300, dtype: type = np.float64) -> np.ndarray:
    rng = np.random.RandomState(seed)
    X = rng.laplace(scale=0.02, size=(n, length))
    for _ in range(3 * n):
        row, at, width = rng.randint(n), rng.randint(length - 30), rng.randint(5, 25)
        X[row, at : at + width] += rng.uniform(0.05, 0.4) * rng.choice([1, 1, -1])
    X[0, :6] += 0.5
    X[1, -6:] += 0.5
    return X.astype(dtype)


def by_definition(X: np.ndarray, threshold: float, low_len: int, high_len: int, n_bins: int = 1000) -> list[tuple]:
    """The rule, word for word: a span is called if every span inside it, of the shortest length or more, is significant."""
    low, width = X.min(), float(X.max() - X.min()) / (n_bins - 1)
    bins = np.clip(np.floor((X - low) / width), 0, n_bins - 1).astype(int)
    f = np.bincount(bins.ravel(), minlength=n_bins) / X.size
    dists = {1: f}
    for k in range(2, high_len + 1):
        dists[k] = np.convolve(dists[k - 1], f)
    tail = {k: np.cumsum(d[::-1])[::-1] for k, d in dists.items()}
    called = []
    for row in range(len(X)):
        taken = np.zeros(X.shape[1], bool)

        def p(a: int, b: int, row: int = row) -> float:
            return tail[b - a][bins[row, a:b].sum()]

        for n in range(high_len, low_len - 1, -1):
            good = []
            for a in range(X.shape[1] - n + 1):
                inside = [p(s, e) for s in range(a, a + n) for e in range(s + low_len, a + n + 1)]
                if max(inside) < threshold:
                    # the order: by the largest p among the prefixes, then by start
                    good.append((max(p(a, e) for e in range(a + low_len, a + n + 1)), a))
            for _, a in sorted(good):
                if not taken[a : a + n].any():
                    taken[a : a + n] = True
                    called.append((row, a, a + n, p(a, a + n)))
    return called


def test_recursive_seqlets_equal_their_definition() -> None:
    X = attributions(0, n=3, length=60)
    expected = sorted(by_definition(X, 0.05, 3, 9))
    found = nb.recursive_seqlets(X, threshold=0.05, min_seqlet_len=3, max_seqlet_len=9)
    got = sorted((int(e), int(s), int(t), p) for e, s, t, _, p in found.itertuples(index=False))
    assert [one[:3] for one in got] == [one[:3] for one in expected]
    assert len(got) > 5
    np.testing.assert_allclose([one[3] for one in got], [one[3] for one in expected], rtol=1e-10)
    for e, s, t, a in found.iloc[:, :4].itertuples(index=False):
        assert a == pytest.approx(X[int(e), int(s) : int(t)].sum(), abs=1e-12)


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """In an order that does not depend on how ties in p are sorted."""
    return table.sort_values(["example_idx", "start", "end"], ignore_index=True)


@pytest.mark.parity
@pytest.mark.slow  # the peer compiles for half a minute, twice
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"threshold": 0.1, "additional_flanks": 3},
        {"min_seqlet_len": 6, "max_seqlet_len": 12, "n_bins": 200},
        {"min_seqlet_len": 1, "max_seqlet_len": 3},
    ],
)
def test_recursive_seqlets_equal_tangermeme(options: dict, dtype: type) -> None:
    peer = pytest.importorskip("tangermeme.seqlet")
    X = attributions(1, n=30, dtype=dtype)
    ours, theirs = keyed(nb.recursive_seqlets(X, **options)), keyed(peer.recursive_seqlets(X, **options))
    assert len(theirs) > 20
    assert (ours.iloc[:, :3].to_numpy() == theirs.iloc[:, :3].to_numpy()).all()
    np.testing.assert_allclose(ours["p-value"], theirs["p-value"], rtol=1e-10)
    np.testing.assert_allclose(ours["attribution"], theirs["attribution"], atol=1e-12)
    control = np.random.RandomState(5).laplace(scale=0.02, size=(20, 300)).astype(dtype)
    a = nb.recursive_seqlets(X, X_control=control, return_fdr=True)
    b = peer.recursive_seqlets(X, X_control=control, return_fdr=True)
    pd.testing.assert_frame_equal(a.fdr, b.fdr)
    assert (keyed(a.seqlets).iloc[:, :3].to_numpy() == keyed(b.seqlets).iloc[:, :3].to_numpy()).all()


def test_both_signs_and_inputs() -> None:
    X = attributions(2)
    both = nb.recursive_seqlets(X, both_signs=True)
    up, down = nb.recursive_seqlets(X), nb.recursive_seqlets(-X)
    assert len(both) == len(up) + len(down)
    assert (both["attribution"] < 0).sum() == len(down) > 0
    assert both["p-value"].is_monotonic_increasing
    pd.testing.assert_frame_equal(nb.recursive_seqlets(torch.from_numpy(X).requires_grad_()), up)


def test_edges_of_recursive_seqlets() -> None:
    empty = nb.recursive_seqlets(np.zeros((2, 30)))
    assert list(empty.columns) == ["example_idx", "start", "end", "attribution", "p-value"]
    assert empty.dtypes.map(str).tolist() == ["int64", "int64", "int64", "float64", "float64"]
    assert len(nb.recursive_seqlets(np.random.RandomState(0).rand(2, 3))) == 0
    with pytest.raises(NbinterpError, match=r"X_attr.sum\(dim=1\)"):
        nb.recursive_seqlets(np.zeros((2, 4, 30)))
    with pytest.raises(NbinterpError, match=r"rows \[1\]"):
        nb.recursive_seqlets(np.array([[0.0, 1], [np.nan, 2]]))
    with pytest.raises(NbinterpError, match="at most 1"):
        nb.recursive_seqlets(np.eye(30), threshold=2)
    with pytest.raises(NbinterpError, match="X_control"):
        nb.recursive_seqlets(np.eye(30), return_fdr=True)
    with pytest.warns(NbinterpWarning, match="no threshold"):
        assert len(nb.recursive_seqlets(attributions(0), X_control=attributions(0), target_fdr=1e-9)) == 0


def test_the_first_call_takes_under_a_second() -> None:
    code = (
        "import time, numpy as np, nbinterp; X = np.random.RandomState(0).laplace(size=(200, 2114)); "
        "t = time.perf_counter(); nbinterp.recursive_seqlets(X); print(time.perf_counter() - t)"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert float(out) < 1


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the peer's calls of numpy on tensors
def test_tfmodisco_seqlets_equal_tangermeme() -> None:
    peer = pytest.importorskip("tangermeme.seqlet")
    X = attributions(3, n=25, length=400, dtype=np.float32)  # the peer takes no float64
    for options in ({}, {"window_size": 15, "flank": 4, "target_fdr": 0.05}, {"flank": 0, "max_passing_frac": 0.05}):
        ours, theirs = nb.tfmodisco_seqlets(X, **options), peer.tfmodisco_seqlets(torch.from_numpy(X.copy()), **options)
        assert len(theirs) > 10
        assert (ours.iloc[:, :3].to_numpy() == theirs.iloc[:, :3].to_numpy()).all()
        np.testing.assert_allclose(ours["attribution"], theirs["attribution"], rtol=1e-5)


def test_white_noise_no_longer_crashes() -> None:
    X = np.random.RandomState(0).laplace(size=(100, 2114)).astype(np.float32)
    found = nb.tfmodisco_seqlets(X)
    assert (found["end"] - found["start"] == 41).all()
    assert ((found["start"] >= 0) & (found["end"] <= 2114)).all()
    with pytest.raises(NbinterpError, match="length 10"):
        nb.tfmodisco_seqlets(X[:, :10])


@pytest.mark.parametrize("increasing", [True, False])
def test_isotonic_regression_is_the_best_monotone_fit(increasing: bool) -> None:
    rng = np.random.RandomState(0)
    x, y, w = rng.randint(0, 6, 14).astype(float), rng.rand(14), rng.rand(14) + 0.1
    knots, fit = isotonic(x, y, w, increasing)
    step = np.diff(fit)
    assert (step >= -1e-12).all() if increasing else (step <= 1e-12).all()

    def loss(values: np.ndarray) -> float:
        return float((w * (values[np.searchsorted(knots, x)] - y) ** 2).sum())

    for _ in range(3000):  # no monotone fit nearby is better
        other = fit + rng.normal(scale=0.05, size=len(fit))
        other = np.maximum.accumulate(other) if increasing else np.minimum.accumulate(other)
        assert loss(other) >= loss(fit) - 1e-12
