"""The compiled loops of TOMTOM against NumPy: whatever the motifs, the same planes."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from nbinterp.core.native import about_native, native
from nbinterp.motif import tomtom_compiled
from nbinterp.motif.tomtom import tomtom
from nbinterp.motif.tomtom_compiled import CompiledTomtom
from nbinterp.motif.tomtom_targets import lay_targets

pytestmark = [
    pytest.mark.skipif(native() is None, reason=about_native()),
    pytest.mark.filterwarnings("ignore:tomtom"),
]

Motifs = list[np.ndarray]
rng = np.random.default_rng(0)


def soft(n: int, least: int = 1, most: int = 45, letters: int = 4) -> Motifs:
    return [rng.dirichlet([0.3] * letters, int(width)).T for width in rng.integers(least, most, n)]


def hard(n: int, least: int = 1, most: int = 45) -> Motifs:
    return [np.eye(4)[rng.integers(0, 4, int(width))].T for width in rng.integers(least, most, n)]


def normal(n: int, scale: float) -> Motifs:
    return [scale * rng.normal(size=(4, int(width))) for width in rng.integers(1, 40, n)]


known = soft(80, 5, 25)
CASES: dict[str, tuple[Motifs, Motifs, dict[str, Any]]] = {
    "probabilities": (soft(60), known, {}),
    "one strand": (soft(30), known, {"reverse_complement": False}),
    "nothing merged": (soft(30), known, {"n_target_bins": None}),
    "letters, which share columns": (hard(60), known, {}),
    "letters among letters, with many equals": (hard(40), hard(60), {}),
    "contributions": (normal(30, 1.0), known, {}),
    "far from all targets": (normal(30, 1e6), known, {}),
    "so far that no difference is left": (normal(20, 1e17), known, {}),
    "near beside vast ones": (normal(20, 1.0), normal(40, 1e9), {}),
    "twenty letters": (soft(20, letters=20), soft(50, letters=20), {}),
    "flat targets": (soft(20), [np.full((4, 6), 0.25)] * 3, {}),
    "one target": (soft(20), known[:1], {}),
    "narrower than all targets": (soft(10, 1, 4), known, {}),
    "wider than all targets": (soft(5, 60, 90), known, {}),
    "a target that is a sequence": (soft(3, 5, 20), [*hard(1, 40_000, 40_001), *known], {}),
    "many bins": (soft(20), known, {"n_score_bins": 300, "n_median_bins": 50}),
    "two bins": (soft(20), known, {"n_score_bins": 2, "n_median_bins": 2}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_planes_are_those_of_numpy(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queries, targets, options = CASES[case]
    assert CompiledTomtom.fits(queries, lay_targets(targets), options.get("n_score_bins", 100))
    compiled = tomtom(queries, targets, **options)
    monkeypatch.setenv("NBINTERP_NATIVE", "0")
    plain = tomtom(queries, targets, **options)
    for name, one, other in zip(("score", "offset", "overlap", "strand"), compiled[1:], plain[1:], strict=True):
        assert np.array_equal(one, other), name
    np.testing.assert_allclose(compiled[0], plain[0], rtol=2e-12, atol=0)


def test_columns_beyond_those_that_are_kept_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """More distinct columns that occur twice than there is room for distances: 4 million of them are kept."""
    queries = soft(40, 30, 40)
    targets = soft(300, 20, 40)
    twice = [*queries, *(one[:, ::-1] for one in queries)]
    assert 2**22 // lay_targets(targets).columns.shape[1] < sum(one.shape[1] for one in queries)
    whole = tomtom(twice, targets, n_target_bins=None)
    for i in (0, 39, 40, 79):
        alone = tomtom(twice[i : i + 1], targets, n_target_bins=None)
        assert np.array_equal(whole[1:, i], alone[1:, 0])
        np.testing.assert_allclose(whole[0, i], alone[0, 0], rtol=1e-13)


@pytest.mark.parametrize(
    ("queries", "options"),
    [(soft(2, 400, 401), {}), (normal(2, 1e151), {}), (soft(2), {"n_score_bins": 2**15})],
    ids=["sums beyond 16 bits", "squares that are not finite", "bins beyond 16 bits"],
)
def test_what_does_not_fit_is_left_to_numpy(
    queries: Motifs, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(tomtom_compiled.CompiledTomtom, "__init__", fails)
    module = importlib.import_module("nbinterp.motif.tomtom")
    monkeypatch.setattr(module, "_compare", lambda some, job: np.zeros((5, len(some), len(known))))
    with np.errstate(all="ignore"):
        assert not tomtom(queries, known, **options).any()


def test_missing_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    run = CompiledTomtom(lay_targets(known), 100, 1000, reverse_complement=False)
    monkeypatch.setattr("nbinterp.motif.tomtom_compiled.call_native", lambda *_: 1)
    with pytest.raises(MemoryError, match="fewer targets"):
        run(soft(1))
