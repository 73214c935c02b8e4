"""Constructs: against a search over strings, against the peer, and what their steps say."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.design import Design, greedy_marginalize
from nbinterp.errors import Interrupted, ModelError, NbinterpError
from tests.design.common import (
    LENGTH,
    StopsAt,
    TwoHeads,
    WithArgs,
    backgrounds,
    encode,
    other_strand,
    put,
    small_model,
    strings,
)

Tensor = torch.Tensor
MOTIFS = ["GATAAG", "TGA", "CCGGA"]
WANTED = torch.tensor([[0.4, -0.2]])


def naive(model: nn.Module, X: Tensor, motifs: list[str], rounds: int, spacing: int) -> str:
    """Write strings into strings, everywhere that is near enough."""
    texts, blank = strings(X), "N" * LENGTH
    left = right = LENGTH // 2
    with torch.no_grad():
        y0 = model(X.double())
        best = float(WANTED.square().mean())
        for step in range(rounds):
            tried = []
            for m in (*motifs, *map(other_strand, motifs)):
                starts = range(left - spacing - len(m), right + spacing + 1) if step else [LENGTH // 2 - 1]
                for p in starts:
                    if 0 <= p <= LENGTH - len(m):
                        new = put(blank, m, p)
                        change = model(encode([put(t, new, 0) for t in texts]).double()) - y0
                        tried.append((float((change - WANTED).square().mean()), len(tried), new, p, m))
            loss, _, new, p, m = min(tried)
            if loss >= best:
                break
            before, best, blank = best, loss, new
            left, right = min(left, p), max(right, p + len(m))
            if before - best <= 1e-3:
                break
    return blank.strip("N")


@pytest.mark.parametrize("spacing", [0, 4, 30])
def test_equals_a_search_over_strings(spacing: int) -> None:
    model, X = small_model(), backgrounds(5)
    found = greedy_marginalize(model, X, WANTED, MOTIFS, max_spacing=spacing, max_iter=3)
    assert nb.characters(found, allow_N=True) == naive(model, X, MOTIFS, 3, spacing)


def test_steps_replay_into_backgrounds() -> None:
    model, X = small_model(), backgrounds(5)
    design = greedy_marginalize(model, X, WANTED, [*MOTIFS, "GNNC"], max_iter=3, tol=0, return_steps=True)
    assert isinstance(design, Design)
    assert nb.characters(design.replay()[0], allow_N=True).strip("N") == nb.characters(design.X, allow_N=True)
    y0 = nb.predict(model, X)
    for row in design.steps.itertuples():
        change = nb.predict(model, design.replay(row.step, X)) - y0
        assert row.loss == pytest.approx(float((change - WANTED).square().mean()), abs=1e-12)
        assert row.prediction == pytest.approx(float(change.mean()), abs=1e-12)


def test_nothing_helps_gives_an_empty_construct() -> None:
    design = greedy_marginalize(small_model(), backgrounds(2), torch.zeros(1, 2), MOTIFS, return_steps=True)
    assert design.X.shape == (4, 0)
    assert design.steps["step"].tolist() == [0]


def test_every_background_has_its_inputs_and_wishes() -> None:
    model, X = WithArgs().double(), backgrounds(3)
    offset = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).double()
    wanted = torch.linspace(-0.5, 0.5, 6).double().view(3, 2)
    design = greedy_marginalize(model, X, wanted, MOTIFS, args=(offset,), max_iter=2, tol=0, return_steps=True)
    with torch.no_grad():
        change = model(design.replay(None, X).double(), offset) - model(X.double(), offset)
    assert design.steps["loss"].iloc[-1] == pytest.approx(float((change - wanted).square().mean()), abs=1e-12)


def test_packed_backgrounds_give_a_packed_construct() -> None:
    model, X = small_model(), backgrounds(3)
    expected = greedy_marginalize(model, X, WANTED, MOTIFS, max_iter=2)
    found = greedy_marginalize(model, nb.PackedSequence.from_one_hot(X), WANTED, MOTIFS, max_iter=2)
    assert isinstance(found, nb.PackedSequence)
    assert torch.equal(found.to_one_hot(), expected)


def test_an_interrupt_keeps_the_steps() -> None:
    model, X = small_model(), backgrounds(2)
    whole = greedy_marginalize(model, X, WANTED, MOTIFS, max_iter=3, tol=0, return_steps=True)
    counts = StopsAt(model, -1)
    greedy_marginalize(counts, X, WANTED, MOTIFS, max_iter=2, tol=0)
    with pytest.raises(Interrupted) as stopped:
        greedy_marginalize(StopsAt(model, -1 - counts.left), X, WANTED, MOTIFS, max_iter=3, tol=0)
    assert stopped.value.n_done >= 1
    assert torch.equal(stopped.value.partial.replay(), whole.replay(stopped.value.n_done))


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"y": None}, NbinterpError, r"\(y\): got None"),
        ({"y": [1.0]}, NbinterpError, r"\(y\): got shape \(1, 1\)"),
        ({"max_spacing": -1}, NbinterpError, r"\(max_spacing\): got -1"),
        ({"motifs": ["A" * 41]}, NbinterpError, r"\(motifs\): got .* of 41 bases"),
        ({"model": TwoHeads()}, ModelError, r"\(model\): got a list"),
    ],
)
def test_bad_arguments(options: dict[str, object], kind: type, message: str) -> None:
    given = {"model": small_model(), "X": backgrounds(2), "y": WANTED, "motifs": MOTIFS, **options}
    with pytest.raises(kind, match="greedy_marginalize" + message):
        greedy_marginalize(**given)


@pytest.mark.parity
@pytest.mark.parametrize("n", [1, 6])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_spacing": 2, "tol": 0.0},
        {"reverse_complement": False, "output_mask": torch.tensor([True, False])},
        {"loss": nn.L1Loss(reduction="none"), "y": [0.1, 0.2]},
    ],
)
def test_constructs_are_the_peers(options: dict[str, object], n: int) -> None:
    peer = pytest.importorskip("tangermeme.design")
    model, X = small_model(), backgrounds(n)
    X[0, :, 5:8] = 0
    given = {"y": WANTED, "motifs": MOTIFS, "max_iter": 2, "max_spacing": 3, "device": "cpu", **options}
    assert torch.equal(greedy_marginalize(model, X, **given), peer.greedy_marginalize(model, X, **given))


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    model, X = small_model(), backgrounds(3)
    expected = greedy_marginalize(model, X, WANTED, MOTIFS, max_iter=2, device="cpu")
    assert torch.equal(greedy_marginalize(model, X, WANTED, MOTIFS, max_iter=2, device=second_device), expected)
