"""The look at every place: what a plain product finds, whichever way it is cut."""

from __future__ import annotations

import numpy as np
import pytest

from nbinterp.hit import HitMotifs, hit_motifs
from nbinterp.hit.bank import Bank
from nbinterp.hit.dense import product
from nbinterp.hit.scaled import Scaled, scale_regions

LENGTH = 50


def made(mode: str, n: int = 5) -> tuple[Scaled, HitMotifs, np.ndarray]:
    """Regions, motifs of widths in several classes, and a residual."""
    rng = np.random.default_rng(0)
    widths = [1, 3, 7, 8, 9, 12, 16, 17, 30, LENGTH, LENGTH + 3]
    motifs = hit_motifs({f"m{w}": rng.normal(size=(4, w)) for w in widths}, trim=0, lambdas=0.3)
    codes = rng.integers(0, 5, (n, LENGTH))
    problem = scale_regions(codes, rng.normal(size=(n, LENGTH) if mode == "pp" else (n, 4, LENGTH)), False)
    return problem, motifs, problem.y * rng.random((n, 1, LENGTH))


def naive(problem: Scaled, motifs: HitMotifs, residual: np.ndarray) -> dict[tuple[int, int, int], float]:
    """Correlation over penalty of every window."""
    seen = residual * (problem.codes[:, None] == np.arange(4)[:, None]) if residual.shape[1] == 1 else residual
    out = {}
    for region in range(len(seen)):
        for m in range(len(motifs)):
            kernel, wide = motifs.weights[m, :, motifs.starts[m] : motifs.ends[m]], motifs.ends[m] - motifs.starts[m]
            for start in range(motifs.starts[m], LENGTH - motifs.widths[m] + motifs.starts[m] + 1):
                energy = np.square(problem.y[region, :, start : start + wide]).sum()
                fit = (seen[region, :, start : start + wide] * kernel).sum() / np.sqrt(energy + 1)
                out[region, m, int(start)] = fit / motifs.lambdas[m]
    return out


@pytest.mark.parametrize("mode", ["pp", "hh"])
@pytest.mark.parametrize("cells", [2**18, 200])
def test_finds_what_a_plain_product_finds(mode: str, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into tiles or not."""
    monkeypatch.setattr("nbinterp.hit.dense._PRODUCT", cells)
    monkeypatch.setattr("nbinterp.hit.dense._CELLS", cells)
    monkeypatch.setattr("nbinterp.hit.dense._MOTIFS", 64 if cells > 1000 else 3)
    problem, motifs, residual = made(mode)
    expected = naive(problem, motifs, residual)
    for part in (0.05, 0.3, 9.0):
        windows, fits = Bank(motifs, LENGTH).near(problem, residual, part)
        found = dict(zip(zip(*(one.tolist() for one in windows), strict=True), fits, strict=True))
        must, may = ({k for k, fit in expected.items() if fit > part + slack} for slack in (1e-5, -1e-5))
        assert must <= set(found) <= may
        np.testing.assert_allclose([expected[k] for k in found], list(found.values()), rtol=1e-9)
    assert not found


def test_another_device_finds_the_same(second_device: str) -> None:
    for mode in ("pp", "hh"):
        problem, motifs, residual = made(mode)
        here, there = (Bank(motifs, LENGTH, device).near(problem, residual, 0.3) for device in ("cpu", second_device))
        assert len(here[1]) > 50
        for one, other in zip((*here[0], here[1]), (*there[0], there[1]), strict=True):
            np.testing.assert_array_equal(one, other)


def test_no_motif_fits_in() -> None:
    problem, _, residual = made("pp")
    windows, fits = Bank(hit_motifs({"wide": np.ones((4, 99))}), LENGTH).near(problem, residual, 0.1)
    assert len(windows.region) == len(fits) == 0


def test_products_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = np.arange(12.0).reshape(4, 3), np.arange(15.0).reshape(3, 5)
    monkeypatch.setattr("nbinterp.hit.dense._PRODUCT", 31)
    np.testing.assert_array_equal(product(a, b), a @ b)
    stacks = np.stack([a, a + 1])
    np.testing.assert_array_equal(product(stacks, b), stacks @ b)
