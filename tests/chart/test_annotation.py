"""Still pictures of pairs and spacings: what is drawn where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from nbinterp.chart import plot_pairs, plot_partners
from nbinterp.chart.annotation import cooccurrence_png
from nbinterp.chart.theme import EFFECT
from nbinterp.errors import NbinterpError


def pairs() -> pd.DataFrame:
    """a and c go together, b and d avoid each other; nothing else."""
    rows = []
    for i, a in enumerate("abcd"):
        for b in "abcd"[i:]:
            ratio = {"ac": 2.0, "bd": -2.0}.get(a + b, 0.01)
            rows.append((a, b, int(8 * 2**ratio), 8.0, ratio, 1e-9 if abs(ratio) > 1 else 0.8))
    return pd.DataFrame(rows, columns=["row", "column", "observed", "expected", "log2_ratio", "q-value"])


def cells(ax: Any) -> dict[tuple[str, str], Rectangle]:
    """Drawn cells by the names of their row and column."""
    names = [text.get_text() for text in ax.texts]
    found = {}
    for patch in ax.patches:
        if patch.get_fill():
            j, i = (
                round(v + s / 2) for v, s in zip(patch.get_xy(), (patch.get_width(), patch.get_height()), strict=True)
            )
            found[names[i], names[j]] = patch
    return found


def cell(ax: Any, a: str, b: str) -> Rectangle:
    drawn = cells(ax)
    return drawn.get((a, b)) or drawn[b, a]


def test_cells_have_the_colour_of_the_effect_and_the_size_of_its_certainty() -> None:
    ax = plot_pairs(pairs())
    assert len(cells(ax)) == 10
    assert to_hex(cell(ax, "a", "c").get_facecolor()) == EFFECT["light"][0]
    assert to_hex(cell(ax, "b", "d").get_facecolor()) == EFFECT["light"][1]
    assert cell(ax, "a", "c").get_width() > 2 * cell(ax, "a", "b").get_width()


def test_what_goes_together_stands_together() -> None:
    names = [text.get_text() for text in plot_pairs(pairs(), list("abcd")).texts]
    assert abs(names.index("a") - names.index("c")) == 1
    assert [text.get_text() for text in plot_pairs(pairs(), list("dcab"), cluster=False).texts] == list("dcab")


@pytest.mark.parametrize("value", ["enrichment", "sequences", "significance"])
def test_values(value: str) -> None:
    ax = plot_pairs(pairs(), value=value, chosen=("c", "a"))
    assert next(patch for patch in ax.patches if not patch.get_fill()).get_width() == 1
    assert to_hex(cell(ax, "a", "c").get_facecolor()) == EFFECT["light"][0]


def test_partners_stand_on_their_side() -> None:
    spacings = pd.DataFrame(
        [
            ("a", "b", "downstream, same", 3), ("a", "b", "upstream, opposite", 4),
            ("0", "a", "downstream, same", 5), ("0", "a", "downstream, opposite", 6), ("0", "b", "upstream, same", 7),
        ],
        columns=["row", "column", "orientation", "distance"],
    ).assign(**{"observed": 9, "expected": 0.1, "q-value": 0.001})  # fmt: skip
    ax = plot_partners(spacings, "a", ["0", "b"], max_distance=10)
    grid = np.asarray(ax.images[0].get_array())
    assert {(i, int(j) - 10) for i, j in zip(*np.nonzero(grid > 2), strict=True)} == {
        (1, 3), (1, -5), (0, -6), (0, 6)  # 4 upstream is column -5: distance 0 upstream is column -1
    }  # fmt: skip
    plain = spacings.drop(columns="orientation")
    grid = np.asarray(plot_partners(plain, "a", ["0", "b"], max_distance=10).images[0].get_array())
    assert {(i, int(j) - 10) for i, j in zip(*np.nonzero(grid > 2), strict=True)} == {(1, 3), (1, 4), (0, -6), (0, -7)}


def test_empty_pictures() -> None:
    none = pairs().iloc[:0]
    spacings = pd.DataFrame({"row": [], "column": [], "distance": [], "observed": [], "expected": [], "q-value": []})
    assert cooccurrence_png(none, spacings, [], [])[:4] == b"\x89PNG"
    assert cooccurrence_png(pairs(), spacings, list("abcd"), ["a", "b"])[:4] == b"\x89PNG"
    assert plot_partners(spacings, "a").get_yticks().size == 0


def test_errors_say_what_to_do() -> None:
    with pytest.raises(NbinterpError, match=r"plot_pairs\(value\)"):
        plot_pairs(pairs(), value="count")
    with pytest.raises(NbinterpError, match=r"plot_pairs\(names\): got no 'z'"):
        plot_pairs(pairs(), ["a", "z"])
