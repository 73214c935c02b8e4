"""Screening: against sorting everything that was drawn, against the peer, seeds and ties."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.design import screen
from nbinterp.errors import Interrupted, ModelError, NbinterpError, OptionError
from tests.design.common import LENGTH, StopsAt, TwoHeads, WithArgs, small_model

Tensor = torch.Tensor
SHAPE = (4, LENGTH)


def drawn(rounds: int, batch_size: int) -> Tensor:
    return torch.cat([nb.random_one_hot((batch_size, *SHAPE), random_state=i) for i in range(rounds)])


@pytest.mark.parametrize("y", [None, [0.2, -0.1]])
def test_the_best_of_all_that_were_drawn(y: list[float] | None) -> None:
    model, X = small_model(), drawn(3, 8)
    with torch.no_grad():
        y_hat = model(X.double())
    losses = -y_hat.sum(dim=1) if y is None else (y_hat - torch.tensor(y)).square().sum(dim=1)
    found = screen(model, SHAPE, y=y, max_iter=3, n_best=4, batch_size=8, tol=0.0, random_state=0)
    assert torch.equal(found, X[losses.argsort()[:4]])


def test_it_ends_when_all_that_are_kept_are_near_enough() -> None:
    model = small_model()
    design = screen(model, SHAPE, y=[0.0, 0.0], tol=0.05, n_best=3, batch_size=8, random_state=0, return_steps=True)
    last = design.steps.groupby("example_idx")["loss"].last()
    assert last.max() < 0.05
    assert last.is_monotonic_increasing
    assert torch.equal(design.replay(), design.X)


def test_steps_are_the_sequences_that_were_kept_for_a_while() -> None:
    model, X = small_model(), drawn(3, 8)
    design = screen(model, SHAPE, max_iter=3, batch_size=8, random_state=0, return_steps=True)
    with torch.no_grad():
        means = model(X.double()).mean(dim=1)
    records = [i for i in range(len(X)) if means[i] > (means[:i].max() if i else -torch.inf)]
    assert design.steps["step"].tolist() == list(range(1, len(records) + 1))
    for n, i in enumerate(records, 1):
        assert torch.equal(design.replay(n)[0], X[i])
    assert design.steps["prediction"].tolist() == pytest.approx(means[records].tolist())


def test_unknown_bases_are_replayed() -> None:
    def draw(shape: tuple[int, ...], random_state: int) -> Tensor:
        X = nb.random_one_hot(shape, random_state=random_state)
        X[:, :, random_state::7] = 0
        return X

    design = screen(small_model(), SHAPE, max_iter=4, n_best=2, batch_size=3, func=draw, random_state=0,
                    return_steps=True)  # fmt: skip
    assert torch.equal(design.replay(), design.X)


def test_the_same_seed_gives_the_same() -> None:
    one, two, other = (screen(small_model(), SHAPE, max_iter=2, random_state=seed) for seed in (1, 1, 7))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_of_equal_losses_the_earlier_is_the_better() -> None:
    def same(X: Tensor) -> Tensor:
        return torch.ones(len(X), 1)

    found = screen(same, SHAPE, y=[1.0], n_best=3, batch_size=4, tol=-1.0, max_iter=2, random_state=0)
    assert torch.equal(found, drawn(1, 4)[:3])


def test_compact_sequences_and_further_inputs() -> None:
    def packed(shape: tuple[int, ...], random_state: Any) -> nb.PackedSequence:
        return nb.random_one_hot(shape, random_state=random_state, return_packed=True)

    expected = screen(small_model(), SHAPE, max_iter=2, n_best=2, random_state=0)
    found = screen(small_model(), SHAPE, max_iter=2, n_best=2, random_state=0, func=packed)
    assert isinstance(found, nb.PackedSequence)
    assert torch.equal(found.to_one_hot(), expected)
    offset = torch.ones(1, 2).double()
    assert torch.equal(
        screen(WithArgs().double(), SHAPE, max_iter=2, n_best=2, args=(offset,), random_state=0), expected
    )


def test_an_interrupt_keeps_the_best_so_far() -> None:
    model = small_model()
    expected = screen(model, SHAPE, max_iter=2, n_best=2, random_state=0)
    with pytest.raises(Interrupted) as stopped:
        screen(StopsAt(model, 3), SHAPE, y=[99.0, 99.0], n_best=2, random_state=0)
    assert torch.equal(
        stopped.value.partial.X, screen(model, SHAPE, [99.0, 99.0], max_iter=2, n_best=2, random_state=0)
    )
    assert stopped.value.partial.X.shape == expected.shape


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"max_iter": -1}, NbinterpError, r"\(max_iter\): got -1 without y"),
        ({"n_best": 0}, NbinterpError, r"\(n_best\): got 0"),
        ({"n_best": 33}, NbinterpError, r"\(n_best\): got 33 of 32 sequences drawn"),
        ({"batch_size": 0}, NbinterpError, r"\(batch_size\): got 0"),
        ({"y": [1.0, 2.0, 3.0]}, NbinterpError, r"\(y\): got shape \(1, 3\)"),
        ({"additional_func_kwargs": {"prob": 1}}, OptionError, r"\(prob\): got an option that random_one_hot"),
        ({"model": TwoHeads()}, ModelError, r"\(model\): got a list"),
    ],
)
def test_bad_arguments(options: dict[str, object], kind: type, message: str) -> None:
    with pytest.raises(kind, match="screen" + message):
        screen(**{"model": small_model(), "shape": SHAPE, "max_iter": 1, **options})


@pytest.mark.parity
@pytest.mark.parametrize(
    "options",
    [
        {"max_iter": 3},
        {"y": [[0.2, -0.1]], "max_iter": 3, "n_best": 5},
        {"y": [[0.0, 0.0]], "tol": 0.05, "n_best": 2, "max_iter": 20},
        {"y": [[0.0, 0.3]], "tol": 0.1, "max_iter": 20, "loss": nn.L1Loss(reduction="none"), "batch_size": 7},
    ],
)
def test_choices_are_the_peers(options: dict[str, object]) -> None:
    peer = pytest.importorskip("tangermeme.design")
    given = {"random_state": 3, "device": "cpu", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer lets the loss broadcast, which PyTorch advises against
        expected = peer.screen(small_model(), SHAPE, **given)
    assert torch.equal(screen(small_model(), SHAPE, **given), expected)


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    expected = screen(small_model(), SHAPE, max_iter=2, n_best=3, random_state=0, device="cpu")
    assert torch.equal(
        screen(small_model(), SHAPE, max_iter=2, n_best=3, random_state=0, device=second_device), expected
    )
