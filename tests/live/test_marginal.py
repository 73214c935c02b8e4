"""A motif over backgrounds: exact against plain predictions, both strands, edges, order of answers, what both halves read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.live import Newest, Packed, pack_blocks, unpack_blocks
from nbinterp.live.marginal import MarginalEngine, every_answer, every_place, make_engine
from nbinterp.live.motifs import letters_of, motif_matrices
from nbinterp.live.placements import (
    Interval,
    MarginalAnswer,
    MarginalAsk,
    Placements,
    decode_marginal,
    encode_grid,
    encode_marginal,
    interval,
    interval_factor,
    read_placements,
)
from nbinterp.model.networks import BPNet

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "protocol" / "marginal.json"
N, L = 5, 60
MOTIFS = {"AP1": "TGACTCA", "GATA": "AGATAAG", "gap": "TGNNNCA"}


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv1d(4, 6, 7, padding=3), nn.ReLU(), nn.Conv1d(6, 4, 5, padding=4, dilation=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(4 * L, 1),
    ).eval()  # fmt: skip


def backgrounds(n: int = N, length: int = L) -> torch.Tensor:
    X = nb.random_one_hot((n, 4, length), random_state=0)
    X[0, :, 10:13] = 0  # unknown bases
    return X


def codes_of(X: torch.Tensor) -> np.ndarray:
    return torch.where(X.sum(dim=1) == 0, 4, X.argmax(dim=1)).numpy().astype(np.uint8)


def engine(**options: Any) -> MarginalEngine:
    options = {"device": "cpu", "step": 7, **options}
    return MarginalEngine(network(), codes_of(backgrounds()), MOTIFS, **options)


def plainly(model: nn.Module, X: torch.Tensor, letters: str, start: int, strand: str) -> np.ndarray:
    """By its own definition: substitute, predict, subtract."""
    put = letters if strand == "+" else letters[::-1].translate(str.maketrans("ACGT", "TGCA"))
    motif = torch.stack([torch.tensor([float(letter == base) for letter in put]) for base in "ACGT"])
    edited = X.clone().float()
    edited[:, :, start : start + len(put)] = motif
    return (nb.predict(model, edited, device="cpu") - nb.predict(model, X, device="cpu"))[:, 0].numpy()


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("motif", list(MOTIFS))
@pytest.mark.parametrize("way", [False, True], ids=["whole", "in part"])
def test_effects_are_those_of_substituted_sequences(motif: str, strand: str, way: bool) -> None:
    one, model, X = engine(), network(), backgrounds()
    assert one._can_edit()
    one._seconds = {(w, several): [float(w != way)] * 2 for w in (False, True) for several in (False, True)}
    starts = [0, 9, 31, L - 7]
    found = one.place(motif, starts, strand)
    for start, effects in zip(starts, found, strict=True):
        np.testing.assert_allclose(effects, plainly(model, X, MOTIFS[motif], start, strand), atol=2e-6)
    np.testing.assert_allclose(found, [one.place(motif, [start], strand)[0] for start in starts], atol=1e-6)


def test_many_places_at_once_are_those_one_by_one() -> None:
    one, starts = engine(), list(range(L - 6))
    found = one.place("GATA", starts, "-")
    assert len(starts) > 32  # of one round
    for start in starts[::9]:
        np.testing.assert_allclose(found[start], plainly(network(), backgrounds(), "AGATAAG", start, "-"), atol=2e-6)


def test_both_ways_are_tried_and_the_faster_one_is_kept() -> None:
    one = engine()
    taken = []
    for name in ("_whole", "_edited"):
        own = getattr(one, name)
        setattr(one, name, lambda *args, own=own, name=name: (taken.append(name), own(*args))[1])
    for start in range(8):
        one.place("AP1", [start], "+")
    assert taken[:4] == ["_whole", "_whole", "_edited", "_edited"]
    assert len(set(taken[4:])) == 1


def test_a_model_that_cannot_be_taken_apart_is_run_as_a_whole() -> None:
    class Odd(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return X.flatten(1).softmax(dim=-1)[:, 5:6] * float(X.shape[-1])

    X = backgrounds()
    one = MarginalEngine(Odd(), codes_of(X), MOTIFS, device="cpu")
    assert not one._can_edit()
    np.testing.assert_allclose(one.place("AP1", [3], "-")[0], plainly(Odd(), X, "TGACTCA", 3, "-"), atol=1e-6)


def test_one_device_and_another_agree(second_device: str) -> None:
    there = engine(device=second_device)
    np.testing.assert_allclose(there.place("AP1", [3, 30], "-"), engine().place("AP1", [3, 30], "-"), atol=1e-5)


def test_the_interval_is_students() -> None:
    stats = pytest.importorskip("scipy.stats")
    effects = np.random.RandomState(0).normal(size=12)
    low, high = stats.t.interval(0.95, 11, effects.mean(), stats.sem(effects))
    assert interval(effects) == pytest.approx(Interval(effects.mean(), low, high, 12))
    alone = interval(np.array([0.5]))
    assert alone.mean == 0.5
    assert math.isnan(alone.low)
    assert interval_factor(1) is None


@pytest.mark.parametrize("strands", [1, 2])
def test_profiles_have_bands_and_a_change(strands: int) -> None:
    torch.manual_seed(1)
    model, X = BPNet(4, 2, n_outputs=strands, trimming=5), backgrounds()
    one, label = make_engine(model, codes_of(X), MOTIFS, device="cpu")
    assert label == "profile, profile"
    assert one.reader is not None
    assert one.reader.span == (strands, 50, 1, 5, "reads")
    found = one.profile("AP1", 20, "+")
    assert found is not None

    def reads(sequences: torch.Tensor) -> np.ndarray:
        logits, counts = nb.predict(model, sequences, device="cpu")
        shares = logits.flatten(1).softmax(dim=-1).reshape(logits.shape)
        return (shares * counts.exp()[:, :, None]).numpy()

    after, before = reads(nb.substitute(X, "TGACTCA", 20)), reads(X)
    low, high = np.quantile(after, [0.05, 0.95], axis=0)
    np.testing.assert_allclose(found[: 3 * strands], np.concatenate([after.mean(axis=0), low, high]), rtol=2e-5)
    change = (after - before).sum(axis=1)
    expected = [change.mean(axis=0), *np.quantile(change, [0.05, 0.95], axis=0)]
    np.testing.assert_allclose(found[3 * strands :], expected, atol=1e-6)


def test_long_profiles_are_averaged_into_columns() -> None:
    X = backgrounds(3, 1000)
    one, _ = make_engine(
        None,
        codes_of(X),
        MOTIFS,
        targets={"sum": lambda x: x[:, 0].sum(-1, keepdim=True)},
        profile=lambda x: x[:, 0],
        device="cpu",
    )
    assert one.reader is not None
    assert one.reader.span[1:4] == (250, 4, 0)
    np.testing.assert_allclose(one.reader.before[0, 0], X[:, 0].float().reshape(3, 250, 4).mean(dim=(0, 2)))


# --- edges ----------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(NbinterpError, match=r"long, 61 bp; need at most 60 bp"):
        MarginalEngine(network(), codes_of(backgrounds()), {"long": "A" * 61}, device="cpu")
    one = engine()
    for start in (-1, L - 6):
        with pytest.raises(NbinterpError, match=r"start\): got .*; need 0 to 53"):
            one.place("AP1", [start])
    with pytest.raises(NbinterpError, match="AP2"):
        one.place("AP2", [0])
    assert MarginalEngine(network(), codes_of(backgrounds()), {"all": "A" * L}, device="cpu").place(
        "all", [0]
    ).shape == (1, N)


@pytest.mark.parametrize(
    ("motifs", "words"),
    [
        ({}, "got none"),
        ("TGACTCA", "got a str"),
        ({"a": "TGX"}, "letters A, C, G, T or N"),
        ({"a": np.ones((3, 4))}, r"shape \(3, 4\)"),
    ],
)
def test_what_is_no_motif_is_said(motifs: Any, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        motif_matrices("MarginalView", motifs)


def test_letters_are_the_consensus() -> None:
    motifs = nb.MotifSet({"a": torch.rand(4, 9, generator=torch.Generator().manual_seed(0)), "b": torch.eye(4)})
    found = motif_matrices("MarginalView", motifs)
    assert {name: letters_of(one) for name, one in found.items()} == {name: motifs.consensus(name) for name in motifs}


def test_places_reach_both_ends() -> None:
    assert every_place(60, 7, 10) == [0, 10, 20, 30, 40, 50, 53]
    assert every_place(7, 7, 10) == [0]


# --- answers --------------------------------------------------------------------------------------------------------


def answers(one: MarginalEngine, ask: MarginalAsk) -> list[MarginalAnswer]:
    return list(one.answer(ask))


def test_the_place_comes_first_and_the_curve_after_it() -> None:
    one = engine()
    told = answers(one, MarginalAsk(4, "AP1", 20, "-"))
    assert {answer.number for answer in told} == {4}
    assert [answer.last for answer in told] == [False] * (len(told) - 1) + [True]
    first = told[0]
    assert first.stage == "placed"
    assert first.placements is not None
    assert (first.placements.starts.tolist(), first.placements.strands.tolist()) == ([20], [1])
    places = {
        (start, strand)
        for answer in told
        if answer.placements is not None
        for start, strand in zip(answer.placements.starts.tolist(), answer.placements.strands.tolist(), strict=True)
    }
    assert places == {(start, strand) for start in every_place(L, 7, 7) for strand in (0, 1)} | {(20, 1)}
    again = answers(one, MarginalAsk(5, "AP1", 20, "-", have=len(places)))
    assert [answer.stage for answer in again] == ["placed", "curve"]  # nothing more to tell
    told_all = answers(one, MarginalAsk(6, "AP1", 20, "-", have=3))[1].placements
    assert told_all is not None
    assert len(told_all.starts) == len(places)


def test_what_is_stale_is_not_carried_on_and_not_lost() -> None:
    one = engine()
    stopped = list(one.answer(MarginalAsk(1, "AP1", 20, "+"), stale=lambda: True))
    assert [answer.stage for answer in stopped] == ["placed"]
    assert not any(answer.last for answer in stopped)

    def some() -> Iterator[bool]:
        yield from [False] * 4
        while True:
            yield True

    turn = some()
    list(one.answer(MarginalAsk(2, "AP1", 20, "+"), stale=lambda: next(turn)))
    known = len(one.known("AP1").starts)
    assert 1 < known < 2 * len(every_place(L, 7, 7))
    told = answers(one, MarginalAsk(3, "AP1", 20, "+", have=1))[1]
    assert told.placements is not None
    assert len(told.placements.starts) == known


def test_answers_are_told_in_the_context_of_who_asks() -> None:
    """A kernel routes a view's next message by it: told without, the message would wait for the cell that runs."""
    asker: ContextVar[str] = ContextVar("asker", default="nobody")
    heard: list[str] = []
    worker = Newest(lambda ask, stale: [ask], lambda _: heard.append(asker.get()))
    asker.set("subshell")
    worker.submit(1)
    assert worker.wait(5)
    assert heard == ["subshell"]


def test_errors_are_answers() -> None:
    [told] = answers(engine(), MarginalAsk(1, "AP2", 0, "+"))
    assert (told.stage, told.last) == ("error", True)
    assert "AP2" in told.words

    class Nan(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            y = X[:, 0].sum(-1, keepdim=True)
            return torch.where(X[:, 3:, 0] == 1, torch.nan, y)

    X = backgrounds()
    X[:, :, 0] = torch.tensor([1, 0, 0, 0])
    one = MarginalEngine(Nan(), codes_of(X), {"T": "T"}, device="cpu")
    [told] = answers(one, MarginalAsk(1, "T", 0, "+"))
    assert "a prediction of nan for background 0" in told.words


def test_a_grid_is_every_place_on_both_strands() -> None:
    one = engine(step=20)
    grid = every_answer(one)
    assert list(grid) == list(MOTIFS)
    np.testing.assert_allclose(grid["gap"].effects[grid["gap"].find(20, "-")], one.place("gap", [20], "-")[0])
    assert grid["gap"].find(21, "-") == -1
    other = engine(step=20)
    other.learn(grid)
    other._quickest = None  # type: ignore[assignment, method-assign]
    np.testing.assert_allclose(other.place("AP1", [0, 40], "+"), one.place("AP1", [0, 40], "+"))


# --- the wire -------------------------------------------------------------------------------------------------------


def fixture() -> dict[str, Any]:
    """What both halves must read alike; every number fits the wire exactly."""
    placements = Placements(
        np.array([4, 12], np.int32),
        np.array([0, 1], np.uint8),
        np.array([[0.5, -1.0, 0.25], [2.0, 0.0, 1.5]], np.float32),
        np.arange(12, dtype=np.float32).reshape(2, 6, 1),
    )
    words, data = encode_marginal(MarginalAnswer(7, "AP1", "curve", False, placements, 0.25))
    failed, _ = encode_marginal(MarginalAnswer(8, "AP1", "error", True, words="the kettle is empty"))
    grid, grid_data = encode_grid({"AP1": placements, "GATA": placements._replace(profiles=None)})
    effects = placements.effects[0]
    low, high = np.quantile(effects, [0.05, 0.95])
    return {
        "asks": [
            {"kind": "marginal", "number": 7, "motif": "AP1", "start": 12, "strand": "-", "have": 0},
            {"kind": "marginal", "number": 8, "motif": "GATA", "start": 0, "strand": "+", "have": 2},
        ],
        "answer": {"words": words, "hex": data.hex()},
        "failed": failed,
        "grid": {"words": grid, "hex": grid_data.hex()},
        "placements": {name: getattr(placements, name).tolist() for name in placements._fields},
        "interval": {
            "factor": interval_factor(3),
            **interval(effects)._asdict(),
            "p05": float(low),
            "p95": float(high),
        },
    }


def test_both_halves_read_the_fixture() -> None:
    """js/test/marginal.test.ts reads the same file."""
    stored = json.loads(FIXTURE.read_text())
    now = json.loads(json.dumps(fixture()))
    assert stored["interval"] == pytest.approx(now["interval"])
    assert {k: v for k, v in stored.items() if k != "interval"} == {k: v for k, v in now.items() if k != "interval"}
    for message in stored["asks"]:
        ask = decode_marginal(message)
        assert {"kind": "marginal", **vars(ask)} == message
    for part, suffix in (("answer", ""), ("grid", ".0")):
        said = stored[part]
        arrays = unpack_blocks(Packed(bytes.fromhex(said["hex"]), said["words"]["blocks"]))
        found = read_placements(arrays, suffix)
        for name in Placements._fields:
            np.testing.assert_allclose(getattr(found, name), stored["placements"][name], atol=2e-4)


@pytest.mark.parametrize("key", ["motif", "start", "strand", "have"])
def test_a_request_that_is_none_is_refused(key: str) -> None:
    message = {"kind": "marginal", "number": 1, "motif": "AP1", "start": 1, "strand": "+", "have": 0}
    with pytest.raises(NbinterpError, match=key):
        decode_marginal({**message, key: None})
    with pytest.raises(NbinterpError, match="'\\+' or '-'"):
        decode_marginal({**message, "strand": "."})


def test_a_drag_of_many_places_is_small_on_the_wire() -> None:
    places = Placements(np.arange(500, dtype=np.int32), np.zeros(500, np.uint8), np.ones((500, 32), np.float32))
    assert len(encode_marginal(MarginalAnswer(1, "a", "curve", False, places))[1]) < 64_000
    assert pack_blocks({"a": np.zeros(1, np.int32)}).data
