"""The engine: incremental predictions against the model's own, stages, staleness, errors in their own words."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp import demo
from nbinterp.live import Ask, Change, Engine, Newest, Repredictor, apply_changes, targets_of
from nbinterp.live.repredict import one_hot_of
from nbinterp.live.targets import compose
from tests.attribution.networks import ARCHITECTURES, extra, ready
from tests.benchmarks.bench_saturation_mutagenesis import BPNetLike
from tests.live.test_edits import random_changes

METHOD = "deep_lift_shap"


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_edits_equal_the_whole_forward_pass(name: str) -> None:
    """500 random edits: substitutions, several bases, insertions, deletions, pasted motifs, and mixtures."""
    model, rng = ready(ARCHITECTURES[name]()), np.random.RandomState(1)
    codes = rng.randint(0, 4, 70).astype(np.uint8)
    args = [a[:1] for a in extra(name) or ()]
    once = Repredictor(model, codes, args, device="cpu")
    worst = 0.0
    for i in range(500):
        edited = apply_changes(codes, random_changes(rng, 60, 1 + i % 3)).codes
        worst = max(worst, float((once.predict(edited) - once.predict_whole(edited)).abs().max()))
    assert worst < 1e-10
    with torch.no_grad():
        assert torch.allclose(once.y0, model(one_hot_of(codes, "cpu", torch.float64), *args)[0], atol=1e-12)


def test_what_cannot_be_taken_apart_is_run_whole_and_says_why() -> None:
    class Branches(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return X.sum(dim=(1, 2), keepdim=False)[:, None] if float(X.sum()) > 0 else X.mean(dim=(1, 2))[:, None]

    codes = np.zeros(30, np.uint8)
    once = Repredictor(Branches(), codes, device="cpu")
    assert once.reason
    assert float(once.predict(apply_changes(codes, [Change(3, 5, "")]).codes)) == 28


def engine(n: int = 2, **options: object) -> Engine:
    model = demo.load_model()
    codes = np.random.RandomState(0).randint(0, 4, (n, 400)).astype(np.uint8)
    return Engine(targets_of(model, one_hot_of(codes[0], "cpu", torch.float32)), codes, device="cpu", **options)


def test_the_prediction_comes_first_and_the_scores_are_those_of_the_library() -> None:
    live = engine()
    changes = (Change(100, 108, "TGACTCAT"),)
    answers = list(live.answer(Ask(4, 1, changes, "cooperative", METHOD)))
    assert [a.stage for a in answers] == ["prediction", "scores", "scores"]
    assert [a.last for a in answers] == [False, False, True]
    assert {a.number for a in answers} == {4}
    X = one_hot_of(apply_changes(live.codes[1], changes).codes, "cpu", torch.float32)
    model = demo.load_model()
    with torch.no_grad():
        assert answers[0].prediction == pytest.approx(float(model(X)[0, 1]), abs=1e-5)
        assert answers[0].original == pytest.approx(
            float(model(one_hot_of(live.codes[1], "cpu", X.dtype))[0, 1]), abs=1e-5
        )
    whole = nb.deep_lift_shap(
        model, X, target=1, random_state=0, hypothetical=True, device="cpu", return_standard_error=True
    )
    assert answers[2].n_references == 20
    np.testing.assert_allclose(answers[2].scores, whole[0][0], atol=1e-6)
    observed = (whole[1][0] * X[0]).sum(dim=0)
    np.testing.assert_allclose(answers[2].errors, observed, atol=1e-6)
    assert answers[1].n_references == 4


def test_every_method_answers() -> None:
    live = engine(1)
    for method in live.methods:
        last = list(live.answer(Ask(1, 0, (), "enhancer", method)))[-1]
        assert last.stage == "scores", last.words
        assert last.scores.shape == (4, 400)


def test_curves_come_with_the_last_scores_when_asked_for() -> None:
    live = engine(1)
    answers = list(live.answer(Ask(1, 0, (), "enhancer", METHOD, curves=True)))
    assert answers[1].deletion == ()
    X = one_hot_of(live.codes[0], "cpu", torch.float32)
    wanted = nb.faithfulness(demo.load_model(), X, torch.from_numpy(answers[2].scores)[None], device="cpu")
    assert answers[2].deletion == pytest.approx(wanted.deletion[0].tolist(), abs=1e-6)
    assert answers[2].insertion == pytest.approx(wanted.insertion[0].tolist(), abs=1e-6)
    assert answers[2].deletion[0] == pytest.approx(answers[0].prediction, abs=1e-5)


class Bad(nn.Module):
    """Raises, or gives NaN, or runs out of memory, at sequences that begin with A, C or G."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        first = int(X[0, :, 0].argmax()) if X.shape[0] == 1 else 3
        if first == 0:
            raise RuntimeError("the kettle is empty\nand more")
        if first == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB")
        y = X[:, 0].sum(dim=-1, keepdim=True)
        return y * float("nan") if first == 1 else y


@pytest.mark.parametrize(("base", "words"), [("A", "the kettle is empty"), ("C", "NaN|nan"), ("G", "out of memory")])
def test_errors_are_answers_and_the_engine_goes_on(base: str, words: str) -> None:
    codes = np.full((1, 40), 3, np.uint8)
    live = Engine({"y": Bad()}, codes, device="cpu")
    (answer,) = live.answer(Ask(1, 0, (Change(0, 1, base),), "y", METHOD))
    assert answer.stage == "error"
    assert answer.last
    assert re.search(words, answer.words)
    assert "\n" not in answer.words
    after = list(live.answer(Ask(2, 0, (Change(5, 6, "A"),), "y", "saliency")))
    assert next(a.stage for a in after) == "prediction"


def test_unknown_labels_are_answered_with_the_known() -> None:
    (answer,) = engine(1).answer(Ask(1, 0, (), "nonsense", METHOD))
    assert "one of enhancer, cooperative" in answer.words


def test_a_stale_request_stops_after_the_part_at_hand() -> None:
    answers = list(engine(1).answer(Ask(1, 0, (), "enhancer", METHOD), stale=lambda: True))
    assert [a.stage for a in answers] == ["prediction"]


def test_the_newest_request_wins() -> None:
    told, begun, go = [], threading.Event(), threading.Event()

    def answer(number: int, stale: object) -> Iterator[int]:
        begun.set()
        go.wait(5)
        yield number
        time.sleep(0.01)
        yield number

    worker: Newest[int, int] = Newest(answer, told.append)
    worker.submit(0)
    assert begun.wait(5)
    for number in range(1, 30):
        worker.submit(number)
    go.set()
    assert worker.wait(10)
    assert told == [29, 29]
    worker.submit(30)
    assert worker.wait(10)
    assert told[-1] == 30


def test_targets_are_put_together_by_their_labels() -> None:
    bpnet = nb.BPNet(4, 2, n_outputs=2).double().eval()
    known = targets_of(bpnet, torch.zeros(1, 4, 300, dtype=torch.float64))
    X = nb.random_one_hot((2, 4, 300), random_state=0).double()
    margin = (300 - bpnet(X)[0].shape[-1]) // 2
    with torch.no_grad():
        part = compose(known, "profile, profile at 120-160", 300)(X)
        assert torch.equal(
            part, nb.target(bpnet, head=0, transform="profile", positions=(120 - margin, 160 - margin))(X)
        )
        both = compose(known, "logcounts, both strands", 300)(X)
        assert torch.allclose(both, (bpnet(X)[1] + bpnet(X.flip(1, 2))[1]) / 2)
        less = compose(known, "logcounts - profile, profile", 300)(X)
        assert torch.allclose(less, bpnet(X)[1] - known["profile, profile"](X))
    for label, words in (
        ("nonsense", "one of profile"),
        ("logcounts at 1-5", "a span of a profile"),
        ("profile, profile at 0-3", "meets"),
    ):
        with pytest.raises(nb.NbinterpError, match=words):
            compose(known, label, 300)
    live = engine(1)
    answers = list(live.answer(Ask(1, 0, (), "enhancer - cooperative, both strands", METHOD)))
    assert [a.stage for a in answers] == ["prediction", "scores", "scores"], answers[0].words


def test_targets_by_name() -> None:
    model = demo.load_model()
    X = torch.zeros(1, 4, 400)
    assert list(targets_of(model, X)) == ["enhancer", "cooperative"]
    profile = targets_of(nb.BPNet(4, 2, n_outputs=2), torch.zeros(1, 4, 300))
    assert list(profile) == ["profile, profile", "logcounts"]
    assert {one(torch.zeros(2, 4, 300)).shape for one in profile.values()} == {(2, 1)}
    assert list(targets_of(model, X, {"mine": model})) == ["mine"]
    with pytest.raises(nb.ModelError, match=r"MarginalView\(model\).*torch\.nn\.Module"):
        targets_of(lambda X: X, X, where="MarginalView")


@pytest.mark.slow  # a measurement: it wants the machine to itself
def test_a_substitution_takes_a_quarter_of_a_forward_pass() -> None:
    model = BPNetLike().eval()
    codes = np.random.RandomState(0).randint(0, 4, 2114).astype(np.uint8)
    once, edited = Repredictor(model, codes, device="cpu"), codes.copy()
    edited[1000] = (edited[1000] + 1) % 4

    def ratio(clock: Callable[[], float]) -> float:
        times: dict[str, list[float]] = {"part": [], "whole": []}
        for _ in range(100):
            for name, run in (("part", once.predict), ("whole", once.predict_whole)):
                began = clock()
                run(edited)
                times[name].append(clock() - began)
        return float(np.median(times["part"]) / np.median(times["whole"]))

    rounds = [(ratio(time.perf_counter), ratio(time.process_time)) for _ in range(3)]
    wall, cpu = map(
        min, zip(*rounds, strict=True)
    )  # whatever else the machine does lengthens the shorter of the two more
    print(f"a substitution takes {wall:.2f} of a forward pass by the clock, {cpu:.2f} of its CPU time")
    assert wall <= 0.25
    assert cpu <= 0.25


def test_pruning_leaves_what_is_needed() -> None:
    """A planted site survives, most of what is around it does not, and the prediction is kept."""
    X, truth = demo.sequences(6, random_state=2)
    site = truth[truth["name"] == "ETS"].iloc[0]
    row, a, b = (int(site[key]) for key in ("example_idx", "start", "end"))
    codes = X.argmax(dim=1).numpy().astype(np.uint8)
    live = Engine(targets_of(demo.load_model(), X.float()), codes, device="cpu")
    start, end = max(0, a - 30), min(400, b + 30)
    change = live.prune(Ask(1, row, (), "enhancer", METHOD), start, end)
    assert (change.start, change.end) == (start, end)
    before = nb.characters(X[row])[start:end]
    kept = np.array([p == q for p, q in zip(before, change.bases, strict=True)])
    assert kept[a - start + 1 : b - start - 1].mean() > 0.8
    assert kept.mean() < 0.75
    answers = [next(live.answer(Ask(2, row, changes, "enhancer", METHOD))) for changes in ((), (change,))]
    assert answers[1].prediction > 0.8 * answers[0].prediction
