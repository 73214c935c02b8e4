"""A surrogate in a file predicts the same, and can be gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbinterp.errors import FormatError
from nbinterp.mechanism import bootstrap_surrogate, fit_surrogate, read_surrogate, write_surrogate

RANDOM = np.random.RandomState(0)
X = RANDOM.randint(0, 4, (300, 6))
Y = np.tanh(RANDOM.normal(size=(4, 6))[X, np.arange(6)].sum(1)) + RANDOM.normal(size=300) * 0.05


@pytest.mark.parametrize(
    "options",
    [
        {"linearity": "linear", "gauge": "uniform", "reg_strength": (0.1, 1.0)},
        {"linearity": "linear", "penalty": "lasso", "reg_strength": 0.01, "pairs": np.array([[0, 3], [1, 2]])},
        {"gpmap": "neighbour", "noise": "SkewedT", "max_iterations": 20},
        {"noise": "Cauchy", "max_iterations": 20, "test": 0.0, "validation": 0.0},
    ],
)
@pytest.mark.filterwarnings("ignore:fit_surrogate")  # of few iterations
def test_it_comes_back_the_same(tmp_path: Path, options: dict[str, Any]) -> None:
    surrogate = fit_surrogate(X, Y, **options)
    write_surrogate(tmp_path / "s.npz", surrogate)
    found = read_surrogate(tmp_path / "s.npz")
    np.testing.assert_array_equal(found.predict(X), surrogate.predict(X))
    np.testing.assert_array_equal(found.interval(X), surrogate.interval(X))
    np.testing.assert_array_equal(found.variant_effects(X[0], scale="y"), surrogate.variant_effects(X[0], scale="y"))
    np.testing.assert_array_equal(found.gauge("hierarchical").theta, surrogate.gauge("hierarchical").theta)
    np.testing.assert_equal(found.metrics, surrogate.metrics)  # NaN is NaN
    assert (found.gauge_name, sorted(found.options)) == (surrogate.gauge_name, sorted(surrogate.options))
    assert len(found.history) == len(surrogate.history)
    ours, theirs = (bootstrap_surrogate(one, X, Y, n=2) for one in (found, surrogate))
    np.testing.assert_array_equal(ours.theta, theirs.theta)
    assert [path.name for path in tmp_path.iterdir()] == ["s.npz"]


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"read_surrogate\(path\): got .*none.npz .*; need a surrogate that write_surrogate"
    ):
        read_surrogate(tmp_path / "none.npz")
    np.savez(tmp_path / "a.npz", theta=np.zeros(3))
    with pytest.raises(FormatError, match="about"):
        read_surrogate(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", about=np.array(json.dumps({"format": 9})))
    with pytest.raises(FormatError, match="format 9"):
        read_surrogate(tmp_path / "a.npz")
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(FormatError, match=r"a\.npz"):
        read_surrogate(tmp_path / "a.npz")
