"""SpacingView in Python: what it keeps, traits, the row and the sequence chosen, answers, errors, the still picture."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import traitlets
from torch import nn

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.perturb.spacing import SpacingEffects
from nbinterp.widget.spacing import SpacingView

L = 60
X = nb.random_one_hot((12, 4, L), random_state=0)
A, B = {"one": np.eye(4)[:, [3, 2, 0, 1, 3]] * 0.9 + 0.025}, "GATA"
DISTANCES = [0, 3, 8]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(4, 5, 7), nn.ReLU(), nn.Flatten(), nn.Linear(5 * (L - 6), 2)).eval()


@pytest.fixture(scope="module")
def found() -> SpacingEffects:
    return nb.spacing_effects(network(), X, A, B, DISTANCES, device="cpu")


def view(found: SpacingEffects, **options: Any) -> SpacingView:
    return SpacingView(found, X, A, B, **options)


def test_it_begins_where_the_two_do_most(found: SpacingEffects) -> None:
    one = view(found)
    rows = found.table.query("output == 0")
    means = rows.groupby(["arrangement", "distance"])["cooperativity"].mean()
    assert (one.arrangement, one.distance) == means.abs().idxmax()
    assert one.motifs == ("one", "GATA")
    assert json.loads(one.meta)["n"] == 8  # backgrounds that are kept
    other = view(found, value="effect", output=1)
    effects = found.table.query("output == 1").groupby(["arrangement", "distance"])["effect"].mean()
    assert (other.arrangement, other.distance) == effects.abs().idxmax()


def test_the_row_and_the_sequence_are_those_of_the_point(found: SpacingEffects) -> None:
    one = view(found, arrangement="facing", distance=3)
    one.order, one.example = "ba", 2
    row = one.selected
    assert row is not None
    assert row["strand_a"] + row["strand_b"] == "-+"
    start, end = one.selection
    assert (start, end) == (row["start_b"], row["start_a"] + 5)
    expected = nb.multisubstitute(X[2:3], ["GATA", "AGTCA"], [3], start=start)
    assert one.sequence == "".join("ACGT"[i] for i in expected[0].argmax(dim=0))
    after = nb.predict(network(), expected.float(), device="cpu")[0, 0]
    index = found.table.query("output == 0").index.get_loc(row.name)
    assert float(found.y_after[index, 2, 0]) == pytest.approx(float(after), abs=1e-5)


def test_a_table_will_do_and_nothing_but_it(found: SpacingEffects) -> None:
    one = SpacingView(found.table, None, A, B)
    assert json.loads(one.meta)["backgrounds"] is False
    assert one.to_png()[:4] == b"\x89PNG"
    with pytest.raises(NbinterpError, match="no backgrounds"):
        _ = one.sequence


def test_the_numbers_travel_whole(found: SpacingEffects) -> None:
    one = view(found)
    arrays = unpack_blocks(Packed(one.data, json.loads(one.meta)["blocks"]))
    assert arrays["cooperativity"].shape == (1, 4, 2, 3)
    assert np.isfinite(arrays["low"]).all()
    assert arrays["codes"].shape == (8, L)
    np.testing.assert_allclose(arrays["motif0"], A["one"], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": "sum"}, "value"),
        ({"readings": "three"}, "readings"),
        ({"arrangement": "sideways"}, "arrangement"),
        ({"distance": 4}, r"distance\): got 4; need one of 0 to 8"),
        ({"output": 5}, r"output\): got 5; need 0 to 1"),
        ({"names": ["a"]}, "need 8"),
        ({"colors": "red"}, "colors"),
        ({"a": "TGACT"}, r"got TGACT and GATA; need a pair of the table: one and GATA"),
        ({"a": {"one": "TG"}}, r"one, 2 bp; need 5 bp, as it was measured"),
        ({"a": {"one": "TGACT", "two": "A"}}, "2 motifs"),
        ({"X": X[:, :, :30]}, "30 bp; need at least"),
        ({"found": 3}, "got a int; need SpacingEffects"),
        ({"X": None, "model": network()}, "no backgrounds to run it on"),
    ],
)
def test_what_does_not_fit_is_said(found: SpacingEffects, change: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"found": found, "X": X, "a": A, "b": B, **change}
    with pytest.raises(NbinterpError, match=words):
        SpacingView(given.pop("found"), given.pop("X"), given.pop("a"), given.pop("b"), **given)


def test_traits_are_held_to_what_was_measured(found: SpacingEffects) -> None:
    one = view(found, distance=3)
    for name, value in (
        ("distance", 5),
        ("arrangement", "x"),
        ("value", "x"),
        ("hidden", ["x"]),
        ("pair", 1),
        ("example", 8),
    ):
        with pytest.raises((NbinterpError, traitlets.TraitError)):
            setattr(one, name, value)
    assert one.distance == 3


def test_a_gap_has_no_row(found: SpacingEffects) -> None:
    part = found.table[~((found.table["distance"] == 3) & (found.table["arrangement"] == "apart"))]
    one = SpacingView(part, X, A, B, arrangement="apart", distance=3)
    assert one.selected is None
    assert one.to_png()[:4] == b"\x89PNG"


def test_attributions_are_told_and_the_last_are_kept(found: SpacingEffects) -> None:
    one = view(found, model=network(), n_shuffles=3, device="cpu", arrangement="facing", distance=3)
    message = {
        "kind": "spacing", "number": 7, "key": "k", "pair": 0, "arrangement": "facing", "order": "ab", "distance": 3,
        "background": 0,
    }  # fmt: skip
    one._answer(one, message, [])
    assert one._answers is not None
    assert one._answers.wait(20)
    words = json.loads(one.answer)
    assert (words["kind"], words["number"], words["key"], words["words"]) == ("spacing", 7, "k", "")
    told = unpack_blocks(Packed(one.answer_data, words["blocks"]))["attributions"]
    put = nb.one_hot_encode(one.sequence)[None].float()
    expected = nb.deep_lift_shap(network(), put, n_shuffles=3, device="cpu", random_state=0)
    np.testing.assert_allclose(told, expected[0].sum(dim=0), atol=1e-6)
    for key, value in (("distance", 5), ("background", 8), ("pair", 1)):
        one._answer(one, {**message, key: value}, [])
        assert one._answers.wait(20)
        assert key in json.loads(one.answer)["words"]


def test_displaying_keeps_the_attributions_of_what_is_shown(found: SpacingEffects) -> None:
    one = view(found, model=network(), n_shuffles=3, device="cpu", arrangement="facing", distance=3)
    one.to_png()
    words = json.loads(one.answer)
    assert words["key"] == "0 facing ab 3 0"
    assert unpack_blocks(Packed(one.answer_data, words["blocks"]))["attributions"].shape == (L,)
    one._engine = None  # what is known is drawn without
    assert one._attributions() is not None
    one.distance = 8
    assert one._attributions() is None


def test_a_still_picture_is_kept_until_something_changes(found: SpacingEffects) -> None:
    one = view(found)
    first = one.to_png()
    assert first[:4] == b"\x89PNG"
    assert one.to_png() is first
    one.readings, one.hidden = "both", ["apart"]
    assert one.to_png() is not first
    assert "image/png" in one._repr_mimebundle_()[0]


def test_no_values_at_all_are_drawn_as_such(found: SpacingEffects) -> None:
    empty = found.table.assign(effect=np.nan, cooperativity=np.nan, low=np.nan, high=np.nan)
    one = SpacingView(empty, X, A, B)
    assert one.to_png()[:4] == b"\x89PNG"
    single = SpacingView(found.table[found.table["distance"] == 3], X, A, B)
    assert single.to_png()[:4] == b"\x89PNG"


def test_one_order_alone_will_do(found: SpacingEffects) -> None:
    rows = found.table[(found.table["order"] == "ab") & (found.table["strand_a"] == "+")]
    one = SpacingView(rows, X, A, B, arrangement="facing", distance=3)
    row = one.selected
    assert row is not None
    assert one.selection == [row["start_a"], row["start_b"] + 4]
    assert SpacingView(rows, None, A, B).to_png()[:4] == b"\x89PNG"


def test_views_of_it_can_be_linked(found: SpacingEffects) -> None:
    one, logo = view(found), nb.LogoView(X)
    assert nb.widget.link(one, logo) == one.link == logo.link


def test_the_table_may_hold_other_pairs() -> None:
    pairs = nb.interaction_map(network(), X, {**A, "GATA": "GATA", "third": "CCC"}, DISTANCES, device="cpu").table
    assert isinstance(pairs, pd.DataFrame)
    assert json.loads(SpacingView(pairs, X, A, B).meta)["pairs"] == [[0, 1, L // 2 - 2]]
