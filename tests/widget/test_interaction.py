"""InteractionView in Python: the strongest pair, traits, backgrounds or none, errors, the still picture."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.widget.interaction import InteractionView

X = nb.random_one_hot((4, 4, 60), random_state=0)
MOTIFS = {"one": "TGACT", "two": "GATA", "gap": "CNNG"}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(4, 5, 7), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 54, 2)).eval()
    return nb.interaction_map(model, X, MOTIFS, [1, 4], device="cpu").table


def strongest(table: pd.DataFrame, value: str = "cooperativity") -> pd.Series:
    means = table.query("output == 0").groupby(["motif_a", "motif_b", "arrangement", "distance"])[value].mean()
    return means[means.abs().groupby(["motif_a", "motif_b"]).idxmax()].droplevel([2, 3])


def test_it_begins_at_the_strongest_pair(table: pd.DataFrame) -> None:
    one = InteractionView(table)
    best = strongest(table)
    assert one.motifs == best.abs().idxmax()
    found = {(one._grid.names[a], one._grid.names[b]): value for (a, b), value in one._strongest().items()}
    assert found == pytest.approx(best.to_dict(), abs=1e-6)
    one.at = 4
    at = strongest(table[table["distance"] == 4])
    found = {(one._grid.names[a], one._grid.names[b]): value for (a, b), value in one._strongest().items()}
    assert found == pytest.approx(at.to_dict(), abs=1e-6)


def test_a_pair_is_named_in_either_order(table: pd.DataFrame) -> None:
    one = InteractionView(table, pair=("gap", "one"))
    assert one.motifs == ("one", "gap")
    assert one.selected is not None
    assert set(one.selected[["motif_a", "motif_b"]]) == {"one", "gap"}
    assert json.loads(one.meta)["backgrounds"] is False


def test_with_backgrounds_the_pair_has_letters(table: pd.DataFrame) -> None:
    one = InteractionView(table, X=X, motifs=MOTIFS, pair=("one", "two"))
    one.arrangement, one.order, one.distance = "a_then_b", "ab", 4
    start, end = one.selection
    assert one.sequence[start:end][:5] == "TGACT"
    assert one.sequence[start:end][-4:] == "GATA"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pair": ("one", "four")}, "one and four"),
        ({"at": 2}, r"at\): got 2"),
        ({"output": 3}, "output"),
        ({"motifs": {"one": "TGACT"}, "X": X}, "motifs"),
        ({"model": nn.Identity()}, "no backgrounds to run it on"),
    ],
)
def test_what_does_not_fit_is_said(table: pd.DataFrame, options: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        InteractionView(table, **options)


def test_a_still_picture_follows_the_pair(table: pd.DataFrame) -> None:
    one = InteractionView(table)
    first = one.to_png()
    assert first[:4] == b"\x89PNG"
    assert one.to_png() is first
    one.pair = (one.pair + 1) % 6
    second = one.to_png()
    assert second is not first
    one.at = 1
    assert one.to_png() is not second


def test_nothing_known_is_drawn_as_such(table: pd.DataFrame) -> None:
    empty = table.assign(effect=np.nan, cooperativity=np.nan, low=np.nan, high=np.nan)
    assert InteractionView(empty).to_png()[:4] == b"\x89PNG"
