"""Pairs of motifs: against naive loops, laws of the two strands, what the demo model knows of its pair, errors."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp import demo
from nbinterp.errors import Interrupted, NbinterpError
from nbinterp.perturb.motif_effects import motif_effects
from nbinterp.perturb.spacing import SpacingEffects, interaction_map, spacing_effects

LENGTH = 40


class Model(nn.Module):
    """Two convolutions, so that neighbours interact."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv1d(4, 6, 5, padding=2), nn.Conv1d(6, 6, 5, padding=4, dilation=2)
        self.out = nn.Linear(6, outputs)
        self.double()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.second(torch.relu(self.first(X)))).mean(dim=2))


class BothStrands(nn.Module):
    """A model that gives a sequence and its reverse complement one answer."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.model(X) + self.model(X.flip(1, 2))


def backgrounds(n: int, seed: int = 0) -> torch.Tensor:
    return nb.random_one_hot((n, 4, LENGTH), random_state=seed)


def predicted(model: nn.Module, X: torch.Tensor, *sites: tuple[str, str, int]) -> torch.Tensor:
    """Write (site, strand, start) into the backgrounds one after the other, and predict."""
    for site, strand, start in sites:
        X = nb.substitute(X, site if strand == "+" else nb.reverse_complement(site), start=start)
    return model(X.double()).detach()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("batch_size", [1, 64])
def test_pairs_equal_a_naive_loop(fast: bool, batch_size: int) -> None:
    model, X, a, b = Model().eval(), backgrounds(3), "GATTA", "CCN"
    found = spacing_effects(model, X, a, b, [6, 0, 3], fast=fast, batch_size=batch_size, device="cpu")
    assert len(found.table) == 2 * 4 * 3 * 2
    assert found.y_after.shape == (24, 3, 2)
    before, start = predicted(model, X), LENGTH // 2 - 2
    laid = list(product(("ab", "ba"), "+-", "+-", [6, 0, 3]))
    for k, (order, strand_a, strand_b, gap) in enumerate(laid):
        start_b = start + 5 + gap if order == "ab" else start - gap - 3
        site_a, site_b = (a, strand_a, start), (b, strand_b, start_b)
        both = predicted(model, X, site_a, site_b)
        alone_a, alone_b = predicted(model, X, site_a) - before, predicted(model, X, site_b) - before
        torch.testing.assert_close(found.y_after[k], both, rtol=0, atol=1e-12)
        torch.testing.assert_close(found.y_expected[k], before + alone_a + alone_b, rtol=0, atol=1e-12)
        rows = found.table.iloc[2 * k : 2 * k + 2]
        assert set(rows["order"] + rows["strand_a"] + rows["strand_b"]) == {order + strand_a + strand_b}
        assert rows["distance"].tolist() == [gap, gap]
        assert rows["start_a"].tolist() == [start, start]
        assert rows["start_b"].tolist() == [start_b, start_b]
        assert rows["output"].tolist() == [0, 1]
        more = both - before - alone_a - alone_b
        for column, known in (
            ("effect", (both - before).mean(0)),
            ("effect_a", alone_a.mean(0)),
            ("effect_b", alone_b.mean(0)),
            ("cooperativity", more.mean(0)),
            ("sd", more.std(0)),
            ("low", more.mean(0) - 4.302652729911275 * more.std(0) / 3**0.5),
        ):
            np.testing.assert_allclose(rows[column], known, atol=1e-12)


def test_arrangements_are_what_the_other_strand_reads() -> None:
    """A model blind to strands gives both readings of an arrangement one answer, and each arrangement its own."""
    model, a, b = BothStrands().eval(), "GATTA", "CCGTA"  # of one width, so that turning keeps the places
    X = backgrounds(2)
    X = torch.cat([X, X.flip(1, 2)])
    table = spacing_effects(model, X, a, b, [0, 4], start=17, device="cpu").table  # 17: turned, a begins at 18
    other = spacing_effects(model, X, a, b, [0, 4], start=18, device="cpu").table
    for distance in (0, 4):
        means = []
        for arrangement, rows in table[table["distance"] == distance].groupby("arrangement"):
            assert rows["order"].tolist() == ["ab", "ba"]
            turned = other[(other["distance"] == distance) & (other["arrangement"] == arrangement)]
            np.testing.assert_allclose(rows["effect"], turned["effect"][::-1], atol=1e-12)
            np.testing.assert_allclose(rows["cooperativity"], turned["cooperativity"][::-1], atol=1e-12)
            means.append(float(rows["effect"].iloc[0]))
        assert len(np.unique(np.round(means, 6))) == 4


def test_effects_that_add_leave_nothing() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(4 * LENGTH, 1)).double().eval()
    table = spacing_effects(linear, backgrounds(4), "GATA", "CCC", range(8), device="cpu").table
    assert table["cooperativity"].abs().max() < 1e-12
    assert table["effect"].abs().min() > 1e-4


def test_single_motifs_are_those_of_motif_effects() -> None:
    model, X = Model().eval(), backgrounds(4)
    table = spacing_effects(model, X, "GATTA", "CCC", [2], device="cpu").table
    alone = motif_effects(model, X, "GATTA", strands="-", device="cpu").table
    rows = table[table["strand_a"] == "-"]
    np.testing.assert_allclose(rows.loc[rows["output"] == 0, "effect_a"], alone["effect"].iloc[0], atol=1e-12)


def test_each_single_motif_is_predicted_once() -> None:
    model, X, rows = Model().eval(), backgrounds(5), []

    def counting(model: Any, X: Any, **options: Any) -> Any:
        rows.append(len(X))
        return nb.predict(model, X, **options)

    spacing_effects(model, X, "GATTA", "CCC", range(6), func=counting, device="cpu")
    singles = 2 + 2 * 2 * 6  # a on two strands; b on two strands, on two sides, at six places
    assert sum(rows) == 5 * (1 + singles + 8 * 6)


def test_drawn_sites_differ_between_backgrounds_and_hold_over_distances() -> None:
    model, X = Model().eval(), backgrounds(1).repeat(6, 1, 1)
    flat = torch.full((4, 5), 0.25)
    options: dict[str, Any] = {"sample": True, "device": "cpu"}
    found = spacing_effects(model, X, flat, {"b": flat}, [1, 5], random_state=0, **options)
    again = spacing_effects(model, X[:4], flat, {"b": flat}, [5], random_state=0, batch_size=3, **options)
    assert float(found.y_after.std(dim=1).min()) > 1e-4
    torch.testing.assert_close(again.y_after, found.y_after[1::2, :4], rtol=0, atol=1e-12)
    assert found.table["motif_a"].unique().tolist() == ["a"]


def test_two_copies_have_one_order_and_sites_of_their_own() -> None:
    flat, weights = {"m": torch.full((4, 5), 0.25)}, torch.rand(4, 5)

    def reads(X: torch.Tensor) -> torch.Tensor:  # what stands at the one place and at the other
        return torch.stack([(X[:, :, at : at + 5] * weights).sum(dim=(1, 2)) for at in (18, 26)], dim=1)

    found = interaction_map(reads, backgrounds(6), flat, [3], sample=True, random_state=0, fast=False, device="cpu")
    assert found.table["order"].unique().tolist() == ["ab"]
    assert found.table["start_b"].unique().tolist() == [26]
    assert bool(((found.y_after[0, :, 0] - found.y_after[0, :, 1]).abs() > 1e-3).all())


def test_the_map_holds_every_pair_as_spacing_gives_it() -> None:
    model, X, motifs = Model().eval(), backgrounds(3), {"x": "GATTA", "y": "CC", "z": "TGT"}
    whole = interaction_map(model, X, motifs, [0, 2], device="cpu")
    pairs = whole.table.groupby(["motif_a", "motif_b"], sort=False).size()
    assert pairs.to_dict() == {(a, b): 16 if a == b else 32 for a, b in ("xx", "xy", "xz", "yy", "yz", "zz")}
    for a, b in ("xy", "yz"):
        one = spacing_effects(model, X, {a: motifs[a]}, {b: motifs[b]}, [0, 2], device="cpu").table
        mine = whole.table[(whole.table["motif_a"] == a) & (whole.table["motif_b"] == b)].reset_index(drop=True)
        assert mine.select_dtypes(exclude="number").equals(one.select_dtypes(exclude="number"))
        np.testing.assert_allclose(mine.select_dtypes("number"), one.select_dtypes("number"), atol=1e-12)


def test_each_pair_stops_when_its_cooperativity_is_precise() -> None:
    model, X = Model().eval(), backgrounds(40)
    full = spacing_effects(model, X, "GATTA", "CCC", range(6), device="cpu")
    precision = 2 * float((full.table["high"] - full.table["low"]).max() / 2)
    found = spacing_effects(model, X, "GATTA", "CCC", range(6), precision=precision, step=4, device="cpu")
    assert found.table["n"].nunique() > 1
    assert ((found.table["high"] - found.table["low"]) / 2 <= precision).all()
    for k, n in enumerate(found.table["n"][::2]):
        torch.testing.assert_close(found.y_after[k, :n], full.y_after[k, :n], rtol=0, atol=1e-12)
        more = full.y_after[k, :n] - full.y_expected[k, :n]
        np.testing.assert_allclose(found.table["cooperativity"].iloc[2 * k : 2 * k + 2], more.mean(0), atol=1e-12)


def test_the_demo_model_knows_its_pair_to_one_base() -> None:
    """GATA then TEAD on one strand, with 4 to 8 bases between them: the figures are read from the ground-truth file."""
    truth, motifs = demo.truth(), demo.motifs()
    a, b = truth["pair"]["motifs"]
    least, most = truth["pair"]["gaps"]
    task = truth["tasks"].index("cooperative")
    known = truth["pair"]["effect"][task]
    X = nb.random_one_hot((32, 4, demo.LENGTH), random_state=0)
    model = demo.load_model()
    table = spacing_effects(model, X, {a: motifs[a]}, {b: motifs[b]}, range(21), device="cpu").table
    table = table[table["output"] == task]
    pair = table[table["arrangement"] == "a_then_b"]
    assert set(pair["order"] + pair["strand_a"] + pair["strand_b"]) == {"ab++", "ba--"}
    for _, rows in pair.groupby("order"):
        preferred = rows.loc[rows["cooperativity"] > 0.9 * rows["cooperativity"].max(), "distance"]
        assert preferred.tolist() == list(range(least, most + 1))
        inside = rows["distance"].between(least, most)
        assert rows.loc[inside, "cooperativity"].between(known - 0.1, known + 0.1).all()
        assert rows.loc[inside, "low"].min() > rows.loc[~inside, "high"].max()
    elsewhere = table[table["arrangement"] != "a_then_b"]
    assert elsewhere["cooperativity"].max() < 0.25 * known


@pytest.mark.parametrize("at", [3, 35])
def test_an_interrupt_keeps_the_finished_pairs(at: int) -> None:
    model, X, calls = Model().eval(), backgrounds(2), []

    def stopping(model: Any, X: Any, **options: Any) -> Any:
        calls.append(len(X))
        if len(calls) == at:
            raise KeyboardInterrupt
        return nb.predict(model, X, **options)

    with pytest.raises(Interrupted) as stopped:
        spacing_effects(model, X, "GATTA", "CCC", range(6), func=stopping, batch_size=2, device="cpu")
    partial = stopped.value.partial
    if at == 3:  # single motifs alone say nothing of pairs
        assert partial is None
        return
    assert isinstance(partial, SpacingEffects)
    assert stopped.value.n_done == len(partial.y_after) == len(partial.y_expected) > 0
    known = spacing_effects(model, X, "GATTA", "CCC", range(6), device="cpu").table
    np.testing.assert_allclose(
        partial.table.select_dtypes("number"), known.iloc[: len(partial.table)].select_dtypes("number"), atol=1e-12
    )


@pytest.mark.parametrize("fast", [True, False])
def test_on_another_device(second_device: str, fast: bool) -> None:
    model, X, flat = Model().eval(), backgrounds(3), torch.full((4, 5), 0.25)
    options: dict[str, Any] = {"sample": True, "random_state": 0, "fast": fast, "batch_size": 5}
    here = spacing_effects(model, X, "GATTA", flat, [0, 4], device="cpu", **options)
    there = spacing_effects(model, X, "GATTA", flat, [0, 4], device=second_device, **options)
    torch.testing.assert_close(there.y_after, here.y_after, rtol=0, atol=1e-9)
    torch.testing.assert_close(there.y_expected, here.y_expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distances": [-1, 2]}, r"spacing_effects\(distances\): got \[-1, 2\]; need one or more of 0 or more"),
        ({"distances": []}, r"spacing_effects\(distances\): got \[\]"),
        ({"distances": range(40)}, r"got 39; need at most 14; do keep GATTA at 18 and CCC inside the 40 bases"),
        ({"distances": [3], "start": 3}, r"got 3; need at most 0"),
        ({"distances": [0], "start": 1}, "need motifs that fit beside each other"),
        ({"distances": [0], "start": -1}, "need motifs that fit beside each other"),
        ({"motif_a": "A" * 41}, "need motifs that fit beside each other"),
        ({"motif_a": {"x": "A", "y": "C"}}, r"spacing_effects\(motif_a\): got 2 motifs; need one"),
        ({"motif_b": torch.ones(3, 2)}, r"spacing_effects\(motif_b\): got shape \(3, 2\) for b"),
    ],
)
def test_messages(options: dict[str, Any], message: str) -> None:
    call = {"motif_a": "GATTA", "motif_b": "CCC", "distances": [0], "device": "cpu", **options}
    with pytest.raises(NbinterpError, match=message):
        spacing_effects(Model().eval(), backgrounds(2), **call)
