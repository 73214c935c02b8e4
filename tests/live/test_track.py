"""What answers a view of profiles: exact against the whole forward pass, in its own words, the newest question only."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from nbinterp.errors import ModelError, NbinterpError
from nbinterp.live import Answer, Ask, Change, Newest, Packed, TrackEngine, apply_changes, encode_answer, unpack_blocks
from nbinterp.live.repredict import one_hot_of
from nbinterp.live.track import profile_head
from nbinterp.model.networks import BPNet
from tests.live.test_edits import random_changes

CODES = np.random.RandomState(0).randint(0, 4, (2, 120)).astype(np.uint8)


def ask(*changes: Change, example: int = 0, number: int = 1) -> Ask:
    return Ask(number, example, changes, "", "")


def bpnet(**options: int) -> BPNet:
    torch.manual_seed(0)
    return BPNet(6, 2, trimming=10, **options).double().eval()


@pytest.mark.parametrize("head", ["profile", 0, None])
@pytest.mark.parametrize("strands", [1, 2])
def test_profiles_of_edits_equal_the_whole_forward_pass(head: str | int | None, strands: int) -> None:
    """100 random edits: substitutions, several bases, insertions, deletions."""
    model, rng = bpnet(n_outputs=strands), np.random.RandomState(1)
    engine = TrackEngine(profile_head(model, head), CODES, device="cpu")
    for i in range(100):
        changes = random_changes(rng, 110, 1 + i % 3)
        (answer,) = engine.answer(ask(*changes, example=i % 2))
        with torch.no_grad():
            logits, counts = model(one_hot_of(apply_changes(CODES[i % 2], changes).codes, "cpu", torch.float64))
        expected = logits[0]
        if head is None:  # the reads expected: one distribution over both strands, and all of them
            expected = (expected.flatten().softmax(0) * counts.exp().sum()).reshape(expected.shape)
        assert answer.stage == "profile", answer.words
        assert answer.last
        np.testing.assert_allclose(answer.profile, expected.float().numpy(), rtol=1e-6, atol=1e-7)
        assert answer.prediction == pytest.approx(float(expected.sum()), rel=1e-9, abs=1e-9)


def test_the_original_is_what_the_view_shows_first() -> None:
    engine = TrackEngine(profile_head(bpnet()), CODES, device="cpu")
    (answer,) = engine.answer(ask())
    np.testing.assert_array_equal(answer.profile, engine.profiles[0])
    assert answer.prediction == answer.original


def test_on_a_second_device(second_device: str) -> None:
    model = bpnet().float()
    here, there = (TrackEngine(profile_head(model), CODES, device=d) for d in ("cpu", second_device))
    question = ask(Change(50, 53, "TTT"))
    a, b = next(here.answer(question)), next(there.answer(question))
    np.testing.assert_allclose(a.profile, b.profile, rtol=1e-4, atol=1e-5)
    assert str(next(model.parameters()).device) == "cpu"


def test_the_profile_travels_in_blocks() -> None:
    (answer,) = TrackEngine(profile_head(bpnet()), CODES, device="cpu").answer(ask(Change(3, 4, "A")))
    words, data = encode_answer(answer)
    arrays = unpack_blocks(Packed(data, words["blocks"]))
    assert arrays["profile"].shape == (1, *answer.profile.shape)
    read = arrays["profile"][0] * arrays["profile_scale"][0]
    np.testing.assert_allclose(read, answer.profile, atol=2e-5 * np.abs(answer.profile).max())
    assert "profile" not in words


class Moody(nn.Module):
    """Fails for, or has no number for, sequences that begin so."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if X.shape[0] == 1 and float(X[0, 0, 0]) == 1:
            raise RuntimeError("the kettle is empty")
        y = X.sum(dim=1)
        return y * float("nan") if float(X[0, 1, 0]) == 1 else y


@pytest.mark.parametrize(("base", "words"), [("A", "the kettle is empty"), ("C", "no numbers for this sequence")])
def test_errors_come_in_their_own_words(base: str, words: str) -> None:
    codes = np.full((1, 30), 3, np.uint8)
    engine = TrackEngine(profile_head(Moody()), codes, device="cpu")
    (answer,) = engine.answer(ask(Change(0, 1, base)))
    assert (answer.stage, answer.last) == ("error", True)
    assert words in answer.words
    (after,) = engine.answer(ask())  # and it goes on
    assert after.stage == "profile"
    (lost,) = engine.answer(ask(example=7))
    assert "example" in lost.words


def test_what_is_no_profile_is_refused() -> None:
    with pytest.raises(ModelError, match="head"):
        TrackEngine(profile_head(bpnet(), 2), CODES, device="cpu")
    with pytest.raises(NbinterpError, match="profil"):
        profile_head(bpnet(), "profil")
    with pytest.raises(ModelError, match=r"shape \(2, 3, 100\)"):
        TrackEngine(profile_head(bpnet(n_outputs=3), 0), CODES, device="cpu")
    with pytest.raises(ModelError, match="Module"):
        profile_head(lambda X: X)


def test_only_the_newest_question_is_answered() -> None:
    class Slow(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            time.sleep(0.02)
            return X.sum(dim=1)

    engine, told = TrackEngine(profile_head(Slow()), CODES, device="cpu"), []
    worker: Newest[Ask, Answer] = Newest(engine.answer, told.append)
    for i in range(30):
        worker.submit(ask(Change(i, i + 1, "A"), number=i))
    assert worker.wait(5)
    assert told[-1].number == 29
    assert len(told) < 5


def test_a_stale_question_gets_one_answer_at_most() -> None:
    answers: Iterator[Answer] = TrackEngine(profile_head(bpnet()), CODES, device="cpu").answer(ask(), lambda: True)
    assert [answer.stage for answer in answers] == ["profile"]
