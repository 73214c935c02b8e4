"""The compiled loops of recursive seqlets against NumPy: whatever the attributions, the same spans."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import nbinterp as nb
from nbinterp.core.native import about_native, native
from nbinterp.errors import NbinterpWarning
from nbinterp.seqlet import recursive_compiled as compiled
from nbinterp.seqlet.null import SpanNull, span_null

pytestmark = pytest.mark.skipif(native() is None, reason=about_native())

rng = np.random.default_rng(0)


def attributions(n: int, length: int, seed: int = 0) -> np.ndarray:
    some = np.random.default_rng(seed)
    X = some.laplace(scale=0.02, size=(n, length))
    for row, at in zip(some.integers(0, n, 3 * n), some.integers(0, length, 3 * n), strict=True):
        X[row, at : at + int(some.integers(1, 30))] += some.uniform(0.05, 0.4) * some.choice([1, 1, -1])
    return X


X = attributions(8, 300)
CASES: dict[str, np.ndarray] = {
    "float64": X,
    "float32": X.astype(np.float32),
    "long rows, in more than one chunk": attributions(2, 3000),
    "one position": rng.normal(size=(3, 1)),
    "shorter than the shortest span": rng.normal(size=(5, 3)),
    "one row": X[:1],
    "two values": (rng.random((20, 200)) < 0.2) * 1.0,
    "few values, so that many are equal": np.round(X * 20) / 20,
    "outliers, with empty bins between": np.where(rng.random(X.shape) < 0.01, 1e6, X),
    "all significant": np.where(np.arange(300) < 295, 1.0, 0.0)[None].repeat(2, axis=0),
    "every second position": X[:, ::2],
    "columns first": np.asfortranarray(X.astype(np.float32)),
    "backwards": X[::-1, ::-1],
    "huge": X * 1e307,
    "tiny": X * 1e-300,
    "subnormal": X * 1e-317,
    "whole numbers": rng.integers(-3, 4, (6, 200)),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "lax, with flanks": {"threshold": 0.45, "additional_flanks": 3},
    "strict": {"threshold": 1e-6},
    "no threshold that can be met": {"threshold": 0},
    "short spans": {"min_seqlet_len": 1, "max_seqlet_len": 3, "threshold": 0.31},
    "one length": {"min_seqlet_len": 5, "max_seqlet_len": 5, "threshold": 0.1},
    "long spans, few bins": {"max_seqlet_len": 70, "n_bins": 33},
    "two bins": {"n_bins": 2, "threshold": 0.2},
    "both signs, an odd number of bins": {"both_signs": True, "n_bins": 97},
    "control": {"X_control": attributions(5, 111, 1) / 3, "return_fdr": True},
    "control, both signs": {"X_control": X[:, :90], "return_fdr": True, "both_signs": True, "target_fdr": 0.5},
}


def both(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> list[Any]:
    """With the loops, and without."""
    found = []
    for way in ("1", "0"):
        monkeypatch.setenv("NBINTERP_NATIVE", way)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", NbinterpWarning)
            found.append(work())
    return found


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("case", CASES)
def test_the_spans_are_those_of_numpy(case: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = both(monkeypatch, lambda: nb.recursive_seqlets(CASES[case], **options))
    if "return_fdr" in options:
        assert one.fdr.equals(other.fdr)
        one, other = one.seqlets, other.seqlets
    assert one.iloc[:, :4].equals(other.iloc[:, :4])
    np.testing.assert_allclose(one["p-value"], other["p-value"], rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threshold", [0.5, 0.01, 1e-9])
def test_what_can_be_asked_for_is_known(dtype: type, threshold: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bins and cutoffs to the bit; each probability is right where it is below the threshold, and 1 or right elsewhere."""
    Y, control = attributions(6, 400, 3).astype(dtype), attributions(4, 150, 4).astype(dtype)
    lengths = range(3, 21)

    def null() -> tuple[SpanNull, np.ndarray, np.ndarray | None]:
        found = span_null(Y, control, lengths, 200, threshold)
        assert found
        return found

    (one, sums, others), (other, plain_sums, plain_others) = both(monkeypatch, null)
    assert one.compiled
    assert not other.compiled
    assert np.array_equal(sums, plain_sums)
    assert np.array_equal(others, plain_others)
    assert one.cutoff(3, threshold) == other.cutoff(3, threshold)
    assert len(one.tails) == len(other.tails) == 21
    for ours, plain in zip(one.tails, other.tails, strict=True):
        if len(ours) == 1:  # longer than any span can be
            continue
        known = ours != 1
        np.testing.assert_allclose(ours[known], plain[: len(ours)][known], rtol=1e-13)
        assert (plain[: len(ours)][~known] > threshold * (1 - 1e-12)).all()


@pytest.mark.parametrize(
    ("Y", "options"),
    [
        (X, {"threshold": 0.6}),
        (X.astype(np.float16), {}),
        (X.astype(">f8"), {}),
        (X / np.abs(X).max() * 1.7e308, {}),
        (X, {"n_bins": 2**27, "max_seqlet_len": 16}),
    ],
    ids=["a threshold that rounding would decide", "float16", "big-endian", "a range that is not finite", "many bins"],
)
def test_what_does_not_fit_is_left_to_numpy(
    Y: np.ndarray, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def numpy_it_is(*_: Any) -> None:
        raise InterruptedError

    monkeypatch.setattr("nbinterp.seqlet.null._summed_bins", numpy_it_is)
    with pytest.raises(InterruptedError), np.errstate(all="ignore"):
        nb.recursive_seqlets(Y, **options)


def test_missing_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = np.zeros((2, 31), np.int32)
    monkeypatch.setattr(compiled, "call_native", Mock(return_value=1))
    with pytest.raises(MemoryError, match="one sequence"):
        compiled.called_spans(sums, (np.ones(1),) * 6, range(4, 6), 1, 0.01)
