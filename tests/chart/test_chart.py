"""Charts: one set of letters and colours for browser and pictures, and a palette that colour blindness leaves apart."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.chart.logo import _bottoms, _outline
from nbinterp.errors import NbinterpError

mpl.use("agg")
ROOT = Path(__file__).resolve().parents[2]

# Machado, Oliveira and Fernandes 2009, severity 1
BLINDNESS = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def linear(color: str) -> np.ndarray:
    v = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    matrix = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    x = np.array(matrix) @ rgb / np.array([0.95047, 1, 1.08883])
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_safe_colours_stay_apart(kind: str, ground: str) -> None:
    for a, b in itertools.combinations(nb.BASES["safe"][ground], 2):
        seen = [lab(np.clip(np.array(BLINDNESS[kind]) @ linear(c), 0, 1)) for c in (a, b)]
        assert np.linalg.norm(seen[0] - seen[1]) >= 20, (a, b)


@pytest.mark.parametrize("palette", nb.BASES)
def test_colours_stand_out_from_their_ground(palette: str) -> None:
    for ground, color in (("light", "#ffffff"), ("dark", "#111111")):
        assert all(contrast(c, color) >= 3 for c in nb.BASES[palette][ground])


def test_the_browser_has_the_same_palettes() -> None:
    text = (ROOT / "js" / "src" / "draw" / "theme.ts").read_text()
    for name, grounds in nb.BASES.items():
        found = re.search(rf"{name}: \{{ light: \[(.*?)\], dark: \[(.*?)\]", text)
        assert found
        for group, ground in zip(found.groups(), ("light", "dark"), strict=True):
            assert tuple(re.findall(r"#[0-9a-f]{6}", group)) == grounds[ground]


@pytest.mark.parametrize("letter", "ACGTN")
def test_letters_fill_the_unit_box(letter: str) -> None:
    vertices, codes = _outline(letter)
    points = vertices[codes != 79]  # closing steps have no place of their own
    assert points.min() >= 0
    assert points.max() <= 1
    if letter != "N":
        assert (points.max(axis=0) - points.min(axis=0) >= 0.98).all()


def test_stacks_put_the_smallest_nearest_to_the_axis() -> None:
    bottoms = _bottoms(np.array([[3.0], [1.0], [-2.0], [-0.5]]))
    assert bottoms[:, 0].tolist() == [1.0, 0.0, -0.5, 0.0]


def test_plot_logo_and_its_spans() -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    table = pd.DataFrame(
        {"name": ["edge", "inside", "outside"], "start": [0, 6, 40], "end": [6, 9, 45], "score": [1.0, 2, 3]}
    )
    nb.plot_logo(np.random.RandomState(0).normal(size=(4, 50)), ax=ax, annotations=table, start=5, end=20)
    labels = {t.get_text() for t in ax.texts}
    assert labels == {"edge (1)", "inside (2)"}  # a span that touches the edge is not lost
    assert ax.get_xlim() == (-0.1, 15)  # the first letter drawn stands at 0
    with pytest.raises(NbinterpError, match="plot_logo"):
        nb.plot_logo(np.zeros((3, 5)), ax=ax)
