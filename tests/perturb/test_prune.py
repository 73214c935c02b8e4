"""Pruning: a naive search, a closed form, minimality, the grammar, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp import demo
from nbinterp.demo.grammar import CONSENSUS
from nbinterp.perturb.context import necessity, sufficiency
from nbinterp.perturb.prune import prune
from tests.perturb.test_context_tiles import Additive, Gated, shuffles


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return Gated().double().eval()


@pytest.fixture
def X() -> torch.Tensor:
    one_hot = nb.random_one_hot((3, 4, 40), random_state=0).double()
    one_hot[1, :, 8:11] = 0
    return one_hot


def mean_of(model: nn.Module, x: torch.Tensor, mask: np.ndarray, backgrounds: list[torch.Tensor]) -> float:
    """The mean prediction of a sequence of which only the bases of a mask are left."""
    with torch.no_grad():
        made = [torch.where(torch.from_numpy(mask), x, b) for b in backgrounds]
        return float(model(torch.stack(made))[:, 1].mean())


def naive(
    model: nn.Module,
    x: torch.Tensor,
    backgrounds: list[torch.Tensor],
    span: np.ndarray,
    around: np.ndarray,
    part: float,
) -> np.ndarray:
    """The same search, one span and one prediction at a time."""
    whole, none = (mean_of(model, x, mask, backgrounds) for mask in (span | around, around))
    sign = 1 if whole >= none else -1
    least = sign * (none + part * (whole - none))

    def enough(mask: np.ndarray) -> float:
        return sign * mean_of(model, x, mask | around, backgrounds)

    different = np.array([(b != x).any(dim=0).numpy() for b in backgrounds]).any(axis=0)
    kept = span & different
    for size in (16, 4, 1):
        tiles = [np.arange(40) // size == t for t in range(40)]
        while True:
            left = [tile for tile in tiles if (tile & kept).any()]
            alone = [enough(kept & ~tile) for tile in left]
            order = [left[i] for i in np.argsort([-a for a in alone], kind="stable") if alone[i] >= least]
            n = len(order)
            while n and enough(kept & ~np.any(order[:n], axis=0)) < least:
                n //= 2
            if not n:
                break
            kept = kept & ~np.any(order[:n], axis=0)
    return kept


@pytest.mark.parametrize("context", ["background", "sequence"])
@pytest.mark.parametrize("part", [0.6, 0.9])
def test_a_naive_search(context: str, part: float, model: nn.Module, X: torch.Tensor) -> None:
    spans, keep = [(3, 30), (0, 9)], {"keep": (32, 36)} if context == "background" else {}
    found = prune(model, X, spans, context=context, part=part, n=3, target=1, device="cpu", **keep)
    drawn = shuffles(X, 3)
    for row, (i, a, b) in enumerate((i, a, b) for i in range(3) for a, b in spans):
        span = (np.arange(40) >= a) & (np.arange(40) < b)
        around = (np.arange(40) >= 32) & (np.arange(40) < 36) if context == "background" else ~span
        backgrounds = [b[i] for b in drawn]
        expected = naive(model, X[i], backgrounds, span, around, part)
        assert (found.kept[row] == expected).all()
        whole, none, now = (mean_of(model, X[i], m, backgrounds) for m in (span | around, around, expected | around))
        line = found.table.iloc[row]
        assert line["bases"] == expected.sum()
        assert line["effect"] == pytest.approx(whole - none, abs=1e-12)
        assert line["left"] == pytest.approx((now - none) / (whole - none), abs=1e-9)
        assert line["left"] >= part


def test_the_effect_is_that_of_the_whole_span(model: nn.Module, X: torch.Tensor) -> None:
    options: dict[str, Any] = {"n": 4, "device": "cpu"}
    for context, test in (("background", sufficiency), ("sequence", necessity)):
        found = prune(model, X, (5, 20), context=context, **options).table
        columns = ["example_idx", "start", "end", "prediction", "effect", "sd", "low", "high", "n"]
        pd.testing.assert_frame_equal(found[columns], test(model, X, (5, 20), **options)[columns], atol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_left_of_an_additive_model_is_its_best_bases(sign: int) -> None:
    """With one background, bases are worth what they differ by; the fewest that make up the part are the best ones."""
    torch.manual_seed(2)
    model, X = Additive(60), nb.random_one_hot((1, 4, 60), random_state=3).double()
    with torch.no_grad():
        model.weight.copy_(X[0] * torch.rand(60) * sign)  # every base of the sequence is worth something
    found = prune(model, X, (10, 50), part=0.7, sizes=(1,), n=1, device="cpu")
    background = shuffles(X, 1)[0]
    worth = ((X - background) * model.weight.detach()).sum(dim=1)[0].numpy()[10:50] * sign
    assert (worth[found.kept[0, 10:50]].min() >= np.sort(worth)[: -found.kept.sum()]).all()
    assert found.table["left"][0] >= 0.7
    smallest = worth[found.kept[0, 10:50]].min()
    assert found.table["left"][0] - smallest / worth.sum() < 0.7  # one fewer is too few


def test_no_base_that_is_left_can_go(model: nn.Module, X: torch.Tensor) -> None:
    found = prune(model, X, (2, 38), n=3, target=1, device="cpu")
    for i, mask in enumerate(found.kept):
        backgrounds = [b[i] for b in shuffles(X, 3)]
        span = (np.arange(40) >= 2) & (np.arange(40) < 38)
        whole, none = (mean_of(model, X[i], m, backgrounds) for m in (span, span & False))
        sign = 1 if whole >= none else -1
        for base in np.flatnonzero(mask):
            less = mask & (np.arange(40) != base)
            y = mean_of(model, X[i], less, backgrounds)
            assert sign * y < sign * (none + 0.9 * (whole - none))


def test_planted_sites_are_what_is_left() -> None:
    """Of 60 bases around a planted site what is enough lies within the site; of a repressor's too."""
    X = nb.random_one_hot((2, 4, 400), random_state=5)
    X[:1] = nb.substitute(X[:1], CONSENSUS["ETS"], start=200)
    X[1:] = nb.substitute(X[1:], CONSENSUS["REP"], start=200)
    for context in ("background", "sequence"):
        found = prune(demo.load_model(), X, (175, 235), context=context, n=6, device="cpu")
        for mask, name, effect in zip(found.kept, ("ETS", "REP"), found.table["effect"], strict=True):
            site = mask[200 : 200 + len(CONSENSUS[name])]
            assert effect > 0.7 if name == "ETS" else effect < -0.7
            assert site.sum() >= 4
            assert site.sum() / mask.sum() > 0.8
        assert (found.table["left"] >= 0.9).all()


def test_what_a_result_does_not_depend_on(model: nn.Module, X: torch.Tensor, second_device: str) -> None:
    spans = [(3, 30), (0, 9)]
    expected = prune(model, X, spans, n=3, device="cpu")
    for same in (
        prune(model, X, spans, n=3, device="cpu", batch_size=5),
        prune(model, X, spans, n=3, device=second_device),
        prune(model, X, spans, n=50, precision=1e3, step=3, device="cpu"),
        prune(model, X, spans, backgrounds=torch.stack(shuffles(X, 3), dim=1), device="cpu"),
    ):
        assert (same.kept == expected.kept).all()
        pd.testing.assert_frame_equal(same.table, expected.table, rtol=0, atol=1e-9)
    for row in range(6):
        one = prune(model, X[row // 2 : row // 2 + 1], spans[row % 2], n=3, device="cpu")
        assert (one.kept[0] == expected.kept[row]).all()


def test_a_span_without_effect_is_pruned_away(X: torch.Tensor) -> None:
    class Deaf(nn.Module):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return X[:, :, 0].sum(dim=1, keepdim=True)

    found = prune(Deaf(), X, (5, 20), n=2, device="cpu")
    assert not found.kept.any()
    assert found.table["left"].isna().all()


def test_what_cannot_be(model: nn.Module, X: torch.Tensor) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        (r"prune\(part\): got 0", {"part": 0}),
        (r"prune\(part\): got 1.5", {"part": 1.5}),
        (r"prune\(sizes\): got \[\]", {"sizes": ()}),
        (r"prune\(sizes\): got \[4, 0\]", {"sizes": (4, 0)}),
        (r"prune\(context\): got 'seqence' \(did you mean 'sequence'", {"context": "seqence"}),
        (r"prune\(keep\): got spans", {"context": "sequence", "keep": (30, 35)}),
        (r"prune\(tiles\): got \[5, 20\) of sequence 0, which overlaps keep", {"keep": (18, 25)}),
        (r"prune\(scales\): ", {"scales": (500, 50)}),
    ]
    for words, options in cases:
        with pytest.raises(nb.NbinterpError, match=words):
            prune(model, X, (5, 20), **options)
    with pytest.raises(nb.NbinterpError, match=r"prune\(tiles\): .*empty"):
        prune(model, X, (5, 5))
