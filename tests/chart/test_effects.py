"""Charts of effects: what is drawn is what the table says, and a wrong table is refused."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.chart.theme import ARRANGEMENTS, EFFECT
from nbinterp.errors import NbinterpError

mpl.use("agg")
ROOT = Path(__file__).resolve().parents[2]


def drawn(chart: Any) -> list[dict[str, Any]]:
    """Every row of data in a chart, validated by Altair against Vega-Lite's schema."""
    return list(itertools.chain.from_iterable(chart.to_dict()["datasets"].values()))


def effects(**more: Any) -> pd.DataFrame:
    names = ["A", "B", "C"]
    rows = [
        {"name": n, "strand": s, "output": o, "effect": e, "low": e - 0.1, "high": e + 0.1, "n": 8, **more}
        for (n, e), s, o in itertools.product(zip(names, (0.1, -2.0, 1.0), strict=True), "+-", (0, 1))
    ]
    return pd.DataFrame(rows)


def test_the_largest_effects_are_drawn_in_order() -> None:
    chart = nb.plot_motif_effects(effects(), n=2)
    rows = [row for row in drawn(chart) if "name" in row]
    assert {row["name"] for row in rows} == {"B", "C"}
    assert len(rows) == 4  # two strands of one output
    assert chart.to_dict()["layer"][0]["encoding"]["y"]["sort"] == ["C", "B"]


def test_lines_carry_their_bands() -> None:
    table = pd.concat([effects(start=s) for s in range(4)], ignore_index=True)
    chart = nb.plot_position_effects(table, output=1)
    assert len([row for row in drawn(chart) if "start" in row]) == 24
    layers = chart.to_dict()["spec"]["layer"]
    assert [layers[0]["encoding"][k]["field"] for k in ("y", "y2")] == ["low", "high"]


def pairs() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "motif_a": "A", "motif_b": b, "order": o, "arrangement": a, "distance": d, "output": 0,
                "effect": 2.0, "cooperativity": d - 1.0, "low": d - 2.0, "high": float(d),
            }
            for b, o, a, d in itertools.product("AB", ("ab", "ba"), ("facing", "apart"), range(3))
        ]
    )  # fmt: skip


def test_spacing_and_interactions() -> None:
    chart = nb.plot_spacing(pairs())
    assert [layer["mark"]["type"] for layer in chart.to_dict()["layer"]] == ["area", "line", "rule"]
    plain = nb.plot_spacing(pairs(), value="effect")
    assert [layer["mark"]["type"] for layer in plain.to_dict()["layer"]] == ["line", "rule"]
    heat = nb.plot_interactions(pairs()).to_dict()
    assert heat["spec"]["encoding"]["color"]["scale"]["domain"] == [-1.0, 0, 1.0]
    assert heat["facet"]["row"]["field"] == "arrangement"


def test_variants_have_a_threshold_on_both_sides() -> None:
    chart = nb.plot_variants(pd.DataFrame({"jsd": [0.1, 0.5]}), score="jsd", threshold=0.3)
    assert sorted(row["jsd"] for row in drawn(chart)) == [-0.3, 0.1, 0.3, 0.5]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nb.plot_motif_effects(pd.DataFrame({"name": []})), "no column strand"),
        (lambda: nb.plot_motif_effects(effects(), output=5), "0 to 1"),
        (lambda: nb.plot_spacing(pairs(), value="sum"), "cooperativity or effect"),
        (lambda: nb.plot_variants(pd.DataFrame({"a": [1.0]}), score="b"), "one of a"),
        (lambda: nb.plot_pwm(np.ones((4, 3))), "sum to 1"),
        (lambda: nb.publication_logo(np.eye(3)), "sum to 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Any, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        make()


def test_a_motif_is_as_high_as_its_information() -> None:
    pwm = torch.tensor([[1.0, 0.25, 0.5], [0, 0.25, 0.5], [0, 0.25, 0], [0, 0.25, 0]])
    _, ax = plt.subplots()
    nb.plot_pwm(pwm, ax=ax, name="mixed")
    assert ax.get_title() == "mixed"
    assert ax.get_ylabel() == "Information Content (Bits)"
    heights = nb.publication_logo(pwm).df
    assert np.allclose(heights.sum(axis=1), [2, 0, 1], atol=1e-5)
    plt.close("all")


@pytest.mark.parity
def test_plot_pwm_has_the_peers_arguments() -> None:
    import inspect

    peer = pytest.importorskip("tangermeme.plot")
    assert list(inspect.signature(nb.plot_pwm).parameters) == list(inspect.signature(peer.plot_pwm).parameters)


def test_the_browser_has_the_same_diverging_pair() -> None:
    text = (ROOT / "js" / "src" / "draw" / "theme.ts").read_text()
    line = next(line for line in text.splitlines() if "EFFECT =" in line)
    assert re.findall(r"#[0-9a-f]{6}", line) == [*EFFECT["light"], *EFFECT["dark"]]


def test_the_browser_has_the_same_colours_of_arrangements() -> None:
    text = (ROOT / "js" / "src" / "view" / "spacing.ts").read_text()
    line = next(line for line in text.splitlines() if line.startswith("const COLORS"))
    assert dict(re.findall(r'(\w+): \["(#[0-9a-f]{6})"', line)) == ARRANGEMENTS
