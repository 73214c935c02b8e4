"""MarginalView in Python: traits, errors, answers that are kept, the still picture."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from torch import nn

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.live.placements import MarginalGrid, read_placements
from nbinterp.model.networks import BPNet
from nbinterp.widget.marginal import MarginalView, marginal_grid

N, L = 6, 40
X = nb.random_one_hot((N, 4, L), random_state=0)
MOTIFS = {"AP1": "TGACTCA", "GATA": np.eye(4)[:, [2, 0, 3, 0]]}


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(4, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(3 * (L - 4), 2)).eval()


def view(**options: Any) -> MarginalView:
    return MarginalView(X, MOTIFS, **{"model": network(), "device": "cpu", "step": 10, **options})


def stored(one: MarginalView) -> dict[str, Any]:
    """What a saved notebook holds, by motif."""
    words = json.loads(one.grid)
    arrays = unpack_blocks(Packed(one.grid_data, words["blocks"]))
    return {name: read_placements(arrays, f".{i}") for i, name in enumerate(words["motifs"])}


def test_it_begins_in_the_middle_and_says_its_place() -> None:
    one = view()
    assert (one.motif, one.start, one.strand, one.selection) == ("AP1", 16, "+", [16, 23])
    one.start, one.strand = 2, "-"
    assert one.selection == [2, 9]
    expected = nb.predict(network(), nb.substitute(X, "TGAGTCA", 2), device="cpu") - nb.predict(
        network(), X, device="cpu"
    )
    np.testing.assert_allclose(one.effects, expected[:, 0], atol=1e-6)
    assert one.effect.n == N
    assert one.effect.low < one.effect.mean < one.effect.high


def test_another_output_is_chosen_by_label() -> None:
    one = view(target="head 0 1", start=0)
    expected = nb.predict(network(), nb.substitute(X, "TGACTCA", 0), device="cpu") - nb.predict(
        network(), X, device="cpu"
    )
    np.testing.assert_allclose(one.effects, expected[:, 1], atol=1e-6)
    assert json.loads(one.meta)["target"] == "head 0 1"


def test_a_longer_motif_is_moved_inside() -> None:
    one = view(motif="GATA", start=36)
    one.motif = "AP1"
    assert (one.start, one.selection) == (33, [33, 40])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": 34}, "0 to 33, so that AP1 fits in"),
        ({"start": -1}, "0 to 33"),
        ({"motif": "AP2"}, "AP2"),
        ({"strand": "."}, "strand"),
        ({"target": "nothing"}, "nothing"),
        ({"model": None}, "a model, or stored answers"),
        ({"names": ["a"]}, "need 6"),
        ({"colors": "red"}, "colors"),
        ({"effects": 3}, "need a MarginalGrid"),
        ({"effects": MarginalGrid(np.zeros(2), {})}, "2 backgrounds; need 6"),
        ({"effects": MarginalGrid(np.zeros(N), {"AP2": None})}, "AP2"),  # type: ignore[dict-item]
    ],
)
def test_what_does_not_fit_is_said(options: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        view(**options)


def test_a_motif_longer_than_the_backgrounds_is_said() -> None:
    with pytest.raises(NbinterpError, match=r"MarginalView\(motifs\): got long, 41 bp; need at most 40 bp"):
        MarginalView(X, {"long": "A" * 41}, model=network(), device="cpu")
    with pytest.raises(NbinterpError, match=r"MarginalView\(X\): got shape \(3,\)"):
        MarginalView(np.zeros(3), MOTIFS, model=network(), device="cpu")


def test_traits_are_held_to_what_fits() -> None:
    one = view()
    with pytest.raises((NbinterpError, traitlets.TraitError)):
        one.start = 34
    with pytest.raises((NbinterpError, traitlets.TraitError)):
        one.motif = "AP2"
    with pytest.raises(traitlets.TraitError):
        one.strand = "x"
    assert (one.motif, one.start, one.strand) == ("AP1", 16, "+")


def ask(one: MarginalView, start: int, strand: str = "+", number: int = 1, motif: str = "AP1") -> dict[str, Any]:
    message = {"kind": "marginal", "number": number, "motif": motif, "start": start, "strand": strand, "have": 0}
    one._answer(one, message, [])
    assert one._answers is not None
    assert one._answers.wait(10)
    return json.loads(one.answer)


def test_questions_are_answered_and_a_whole_curve_is_kept() -> None:
    one = view()
    assert stored(one) == {}
    answer = ask(one, 3, "-")
    assert (answer["kind"], answer["number"], answer["stage"], answer["last"]) == ("marginal", 1, "curve", True)
    kept = stored(one)["AP1"]
    assert set(zip(kept.starts.tolist(), kept.strands.tolist(), strict=True)) == {
        *((start, strand) for start in (0, 10, 20, 30, 33) for strand in (0, 1)),
        (3, 1),
    }
    one.start, one.strand = 3, "-"
    np.testing.assert_allclose(kept.effects[kept.find(3, "-")], one.effects, atol=1e-4)
    assert "AP2" in ask(one, 3, motif="AP2")["words"]


def test_with_no_model_stored_answers_are_shown() -> None:
    grid = marginal_grid(network(), X, MOTIFS, step=10, device="cpu")
    alone = view(model=None, effects=grid, start=10)
    np.testing.assert_allclose(alone.effects, view(start=10).effects, atol=1e-6)
    assert json.loads(alone.meta)["live"] is False
    assert set(stored(alone)) == set(MOTIFS)
    alone.start = 11
    with pytest.raises(NbinterpError, match="a place that is stored"):
        _ = alone.effects
    assert alone.to_png()[:4] == b"\x89PNG"  # the place has no answer, the curve has


def test_stored_answers_are_not_computed_again() -> None:
    grid = marginal_grid(network(), X, MOTIFS, step=10, device="cpu")
    one = view(effects=grid, start=10)
    one._engine._quickest = None
    np.testing.assert_allclose(one.effects, grid.placements["AP1"].effects[grid.placements["AP1"].find(10, "+")])


def test_profiles_are_part_of_a_grid() -> None:
    torch.manual_seed(0)
    model = BPNet(4, 2, trimming=4)
    grid = marginal_grid(model, X, {"AP1": "TGACTCA"}, target="logcounts", step=20, device="cpu")
    assert grid.profile is not None
    assert grid.profile.shape == (3, 2, 32)
    one = MarginalView(X, {"AP1": "TGACTCA"}, effects=grid, start=20)
    kept = stored(one)["AP1"]
    assert kept.profiles.shape == (6, 9, 32)
    np.testing.assert_allclose(kept.profiles, grid.placements["AP1"].profiles, atol=1e-3)
    assert json.loads(one.meta)["profile"] == {"strands": 2, "columns": 32, "step": 1, "offset": 4, "label": "reads"}
    assert one.to_png()[:4] == b"\x89PNG"
    live = MarginalView(X, {"AP1": "TGACTCA"}, model=model, effects=grid, profile=False, start=20, device="cpu")
    assert json.loads(live.meta)["profile"] is None


def test_a_still_picture_is_kept_until_something_changes() -> None:
    one = view()
    first = one.to_png()
    assert first[:4] == b"\x89PNG"
    assert one.to_png() is first
    one.strand = "-"
    assert one.to_png() is not first
    assert "image/png" in one._repr_mimebundle_()[0]


def test_one_background_has_no_interval() -> None:
    one = MarginalView(X[:1], MOTIFS, model=network(), device="cpu")
    assert json.loads(one.meta)["factor"] is None
    assert np.isnan(one.effect.low)
    assert one.to_png()[:4] == b"\x89PNG"


def test_views_of_it_can_be_linked() -> None:
    one, logo = view(), nb.LogoView(X)
    assert nb.widget.link(one, logo) == one.link == logo.link
