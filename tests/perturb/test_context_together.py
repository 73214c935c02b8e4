"""Distance, higher-order interaction and multiplicity: naive loops, the peer, closed forms, the grammar, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp import demo
from nbinterp.demo.grammar import CONSENSUS, PAIR_GAPS
from nbinterp.perturb.context import distance_effect, higher_order, multiplicity, necessity, sufficiency
from tests.perturb.test_context_tiles import Additive, Gated, ask, shuffles

TILES = [(0, 7), (10, 20), (33, 40)]


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return Gated().double().eval()


@pytest.fixture
def X() -> torch.Tensor:
    return nb.random_one_hot((3, 4, 40), random_state=0).double()


def planted(*sites: tuple[str, int]) -> torch.Tensor:
    """One random sequence of the demo's length with consensus sites."""
    X = nb.random_one_hot((1, 4, 400), random_state=5)
    for name, at in sites:
        X = nb.substitute(X, CONSENSUS[name], start=at)
    return X


# --- distance --------------------------------------------------------------------------------------------------------


def test_distance_in_a_naive_loop(model: nn.Module, X: torch.Tensor) -> None:
    places = [0, 11, 20, 25, 35]
    rows = distance_effect(model, X, (2, 7), places, keep=(18, 20), n=4, target=1, device="cpu")
    gains = np.zeros((4, 3, len(places)))
    own, bare = np.zeros((4, 3)), np.zeros((4, 3))
    for j, backgrounds in enumerate(shuffles(X, 4)):
        for i, x in enumerate(X):
            background = backgrounds[i].clone()
            background[:, 18:20] = x[:, 18:20]
            bare[j, i] = ask(model, background)
            made = background.clone()
            made[:, 2:7] = x[:, 2:7]
            own[j, i] = ask(model, made) - bare[j, i]
            for p, at in enumerate(places):
                made = background.clone()
                made[:, at : at + 5] = x[:, 2:7]
                gains[j, i, p] = ask(model, made) - bare[j, i]
    np.testing.assert_allclose(rows["effect"], gains.mean(axis=0).ravel(), atol=1e-12)
    np.testing.assert_allclose(rows["sd"], gains.std(axis=0, ddof=1).ravel(), atol=1e-12)
    np.testing.assert_allclose(rows["control"], np.repeat(bare.mean(axis=0), 5), atol=1e-12)
    np.testing.assert_allclose(rows["original"], np.repeat(own.mean(axis=0), 5), atol=1e-12)
    assert rows["distance"].tolist() == [-13, -2, 0, 5, 15] * 3
    assert (rows["end"] - rows["start"] == 5).all()


def test_a_step_gives_every_place_that_fits(model: nn.Module, X: torch.Tensor) -> None:
    rows = distance_effect(model, X[:1], (2, 7), 3, keep=(18, 20), n=2, device="cpu")
    assert rows["start"].tolist() == [0, 3, 6, 9, 12, 21, 24, 27, 30, 33]
    free = distance_effect(model, X[:1], (2, 7), 3, n=2, device="cpu")
    assert free["start"].tolist() == list(range(0, 36, 3))
    assert free["distance"].isna().all()


def test_the_pair_of_the_demo_model_keeps_its_distance() -> None:
    """TEAD adds most where 4 to 8 bases are between it and a GATA before it; its own effect elsewhere is small."""
    X = planted(("GATA", 190), ("TEAD", 205))
    rows = distance_effect(
        demo.load_model(), X, (205, 214), list(range(150, 181)) + list(range(199, 240)), keep=(190, 199), target=1, n=8,
        device="cpu",
    )  # fmt: skip
    preferred = rows["distance"].between(*PAIR_GAPS)
    assert rows.loc[preferred, "low"].min() > 0.9
    assert rows.loc[~preferred, "high"].max() < rows.loc[preferred, "low"].min()
    assert (rows["original"] - rows.loc[rows["start"] == 205, "effect"].iloc[0]).abs().max() < 1e-6


# --- combinations ----------------------------------------------------------------------------------------------------


def greedy(model: nn.Module, x: torch.Tensor, sheets: list[torch.Tensor], blocks: Any, rounds: int, best: Any) -> Any:
    """Per round: (block, predictions in each background), of one sequence; `sheets` are what blocks are written on."""
    left, chosen = list(range(len(blocks))), []
    for _ in range(rounds):
        y = np.zeros((len(left), len(sheets)))
        for r, block in enumerate(left):
            for j, sheet in enumerate(sheets):
                made = sheet.clone()
                blocks[block](made, j)
                y[r, j] = ask(model, made)
        at = int(best(y.mean(axis=1)))
        chosen.append((left[at], y[at]))
        for j, sheet in enumerate(sheets):
            blocks[left[at]](sheet, j)
        del left[at]
    return chosen


@pytest.mark.parametrize("objective", ["min", "max"])
def test_higher_order_in_a_naive_loop(objective: str, model: nn.Module, X: torch.Tensor) -> None:
    n, best = 4, np.argmin if objective == "min" else np.argmax
    rows = higher_order(model, X, TILES, objective=objective, n=n, target=1, device="cpu")
    single = necessity(model, X, TILES, n=n, target=1, device="cpu")
    backgrounds = shuffles(X, n)
    for i, x in enumerate(X):

        def lose(a: int, b: int, i: int = i) -> Any:
            def write(made: torch.Tensor, j: int) -> None:
                made[:, a:b] = backgrounds[j][i][:, a:b]

            return write

        chosen = greedy(model, x, [x.clone() for _ in range(n)], [lose(a, b) for a, b in TILES], 3, best)
        mine, alone = rows[rows["example_idx"] == i], single[single["example_idx"] == i]["effect"].to_numpy()
        assert mine["round"].tolist() == [1, 2, 3]
        assert mine["start"].tolist() == [TILES[t][0] for t, _ in chosen]
        effects = np.array([ask(model, x) - y for _, y in chosen])
        np.testing.assert_allclose(mine["effect"], effects.mean(axis=1), atol=1e-12)
        np.testing.assert_allclose(mine["sd"], effects.std(axis=1, ddof=1), atol=1e-12)
        sums = np.cumsum([alone[t] for t, _ in chosen])
        np.testing.assert_allclose(mine["additive"], sums, atol=1e-12)
        np.testing.assert_allclose(mine["interaction"], effects.mean(axis=1) - sums, atol=1e-12)
        assert (mine["interaction_low"] <= mine["interaction"]).all()
        assert mine["interaction"].iloc[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("objective", ["min", "max"])
def test_multiplicity_in_a_naive_loop(objective: str, model: nn.Module, X: torch.Tensor) -> None:
    n, places, best = 4, [0, 8, 26, 35], np.argmin if objective == "min" else np.argmax
    rows = multiplicity(
        model, X, (2, 7), places, copies=3, keep=(18, 20), objective=objective, n=n, target=1, device="cpu"
    )
    backgrounds = shuffles(X, n)
    for i, x in enumerate(X):
        sheets = [b[i].clone() for b in backgrounds]
        for sheet in sheets:
            sheet[:, 18:20] = x[:, 18:20]
        bare = np.array([ask(model, sheet) for sheet in sheets])

        def put(at: int, x: torch.Tensor = x) -> Any:
            def write(made: torch.Tensor, j: int) -> None:
                made[:, at : at + 5] = x[:, 2:7]

            return write

        chosen = greedy(model, x, sheets, [put(at) for at in places], 3, best)
        mine = rows[rows["example_idx"] == i]
        assert mine["copy"].tolist() == [1, 2, 3]
        assert mine["start"].tolist() == [places[t] for t, _ in chosen]
        gains = np.array([y - bare for _, y in chosen])
        np.testing.assert_allclose(mine["effect"], gains.mean(axis=1), atol=1e-12)
        np.testing.assert_allclose(mine["sd"], gains.std(axis=1, ddof=1), atol=1e-12)
        np.testing.assert_allclose(mine["control"], bare.mean(), atol=1e-12)


@pytest.mark.parity
def test_the_peers_multiplicity_given_the_same_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = pytest.importorskip("creme.creme")
    torch.manual_seed(0)
    model, X = Gated().double().eval(), nb.random_one_hot((1, 4, 40), random_state=2).double()

    class Keras:
        seq_length = 40

        def predict(self, x: np.ndarray) -> np.ndarray:
            batch = torch.from_numpy(np.ascontiguousarray(x)).reshape(-1, 40, 4)
            with torch.no_grad():
                return model(batch.transpose(1, 2)).numpy()[:, :1]

    x, n, places = X[0].T.numpy(), 5, [[0, 5], [8, 13], [26, 31], [35, 40]]
    drawn = np.stack([b[0].T.numpy() for b in shuffles(X, n)])
    monkeypatch.setattr(peer.shuffle, "dinuc_shuffle", lambda *_, **__: drawn.copy())
    theirs = peer.multiplicity_test(Keras(), x, [18, 20], [8, 13], x[2:7], list(places), n, 3, np.argmax)
    ours = multiplicity(model, X, (2, 7), [a for a, _ in places], copies=3, keep=(18, 20), n=n, device="cpu")
    assert ours[["start", "end"]].to_numpy().tolist() == theirs["selected_tile_order"]
    np.testing.assert_allclose(ours["control"], theirs["only_tss_pred"], atol=1e-12)
    np.testing.assert_allclose(ours["control"] + ours["effect"], theirs["best_tss_signal"], atol=1e-12)


def test_an_additive_model_has_no_interaction() -> None:
    torch.manual_seed(1)
    model, X = Additive(60), nb.random_one_hot((2, 4, 60), random_state=3).double()
    lost = higher_order(model, X, 12, n=3, device="cpu")
    put = multiplicity(model, X, (5, 9), 4, copies=5, keep=(30, 36), n=3, device="cpu")
    for rows in (lost, put):
        np.testing.assert_allclose(rows[["interaction", "interaction_low", "interaction_high"]], 0, atol=1e-12)
    assert len(lost) == len(put) == 10
    singles = necessity(model, X, 12, n=3, device="cpu").groupby("example_idx")["effect"]
    for i, effects in singles:  # the largest losses come first
        steps = np.diff(lost.loc[lost["example_idx"] == i, "effect"], prepend=0)
        np.testing.assert_allclose(steps, np.sort(effects)[::-1], atol=1e-12)


def test_the_pair_of_the_demo_model_is_not_lost_twice() -> None:
    """GATA and TEAD are lost together: what either takes along is the cooperative effect, 1.2, counted twice."""
    X = planted(("GATA", 190), ("TEAD", 205), ("NRF1", 300))
    rows = higher_order(demo.load_model(), X, [(190, 199), (205, 214), (300, 310)], n=8, target=1, device="cpu")
    assert rows["start"][0] in (190, 205)
    assert rows["start"][1] == 300  # what is left of the pair adds less than NRF1 does
    joint = rows[rows["round"] == 3].iloc[0]
    assert -1.6 < joint["interaction_low"] <= joint["interaction_high"] < -0.8
    assert joint["effect"] > 1.6


def test_copies_of_an_activator_add_up() -> None:
    X = planted(("ETS", 190))
    rows = multiplicity(demo.load_model(), X, (190, 199), 30, copies=3, n=4, device="cpu")
    assert (np.diff(rows["effect"], prepend=0) > 0.7).all()
    worst = multiplicity(demo.load_model(), X, (190, 199), 30, copies=1, objective="min", n=4, device="cpu")
    assert worst["effect"][0] < rows["effect"][0]


def test_copies_do_not_overlap_and_stop_where_there_is_no_room(model: nn.Module, X: torch.Tensor) -> None:
    rows = multiplicity(model, X, (2, 12), 1, copies=9, keep=(18, 20), n=2, device="cpu")
    for _, mine in rows.groupby("example_idx"):
        starts = np.sort(mine["start"])
        assert (np.diff(starts) >= 10).all()
        assert 2 <= len(mine) <= 3
        assert (mine["n"] == 2).all()


def test_rounds_use_as_many_backgrounds_as_the_first(model: nn.Module, X: torch.Tensor) -> None:
    rough = higher_order(model, X, TILES, n=100, precision=1e3, step=4, device="cpu")
    pd.testing.assert_frame_equal(rough, higher_order(model, X, TILES, n=4, device="cpu"), rtol=0, atol=1e-12)
    rough = multiplicity(model, X, (2, 7), 8, copies=2, n=100, precision=1e3, step=4, device="cpu")
    exact = multiplicity(model, X, (2, 7), 8, copies=2, n=4, device="cpu")
    pd.testing.assert_frame_equal(rough, exact, rtol=0, atol=1e-12)


def test_the_first_copy_is_a_sufficient_tile(model: nn.Module, X: torch.Tensor) -> None:
    copy = multiplicity(model, X, (2, 7), [2], copies=1, keep=(18, 20), n=4, device="cpu")
    tile = sufficiency(model, X, (2, 7), keep=(18, 20), n=4, device="cpu")
    moved = distance_effect(model, X, (2, 7), [2], keep=(18, 20), n=4, device="cpu")
    for rows in (copy, moved):
        np.testing.assert_allclose(rows[["effect", "sd", "control"]], tile[["effect", "sd", "control"]], atol=1e-12)


def test_batches_and_a_second_device_agree(model: nn.Module, X: torch.Tensor, second_device: str) -> None:
    calls: list[Any] = [
        lambda **o: distance_effect(model, X, (2, 7), 9, n=3, **o),
        lambda **o: higher_order(model, X, TILES, n=3, **o),
        lambda **o: multiplicity(model, X, (2, 7), 9, n=3, copies=2, **o),
    ]
    for call in calls:
        here = call(device="cpu")
        pd.testing.assert_frame_equal(here, call(device="cpu", batch_size=3), rtol=0, atol=1e-12)
        pd.testing.assert_frame_equal(here, call(device=second_device), rtol=0, atol=1e-10)


def test_what_cannot_be(model: nn.Module, X: torch.Tensor) -> None:
    cases: list[tuple[str, Any]] = [
        (r"distance_effect\(tile\): got 2 spans of sequence 0", lambda: distance_effect(model, X, [(0, 3), (4, 6)], 5)),
        (r"distance_effect\(tile\): .*overlaps keep", lambda: distance_effect(model, X, (0, 3), 5, keep=(2, 9))),
        (r"distance_effect\(positions\): .*overlaps keep", lambda: distance_effect(model, X, (0, 3), [8], keep=(9, 12))),
        (r"distance_effect\(positions\): .*\[38, 41\)", lambda: distance_effect(model, X, (0, 3), [38])),
        (r"distance_effect\(positions\): .*\[-1, 2\)", lambda: distance_effect(model, X, (0, 3), [-1])),
        (r"distance_effect\(positions\): got 0", lambda: distance_effect(model, X, (0, 3), 0)),
        (r"distance_effect\(positions\): got \[\]", lambda: distance_effect(model, X, (0, 3), [])),
        (r"higher_order\(tiles\): got \[5, 9\) of sequence 0, which overlaps another", lambda: higher_order(model, X, [(0, 6), (5, 9)])),
        (r"higher_order\(rounds\): got 0", lambda: higher_order(model, X, 9, rounds=0)),
        (r"higher_order\(objective\): got 'mim'", lambda: higher_order(model, X, 9, objective="mim")),
        (r"multiplicity\(copies\): got 0", lambda: multiplicity(model, X, (0, 3), 9, copies=0)),
        (r"multiplicity\(nn\): ", lambda: multiplicity(model, X, (0, 3), 9, nn=0)),
    ]  # fmt: skip
    for words, call in cases:
        with pytest.raises(nb.NbinterpError, match=words):
            call()
