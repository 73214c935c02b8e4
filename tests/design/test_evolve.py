"""In-silico evolution: against a search over strings; what is protected stays."""

from __future__ import annotations

import pytest
import torch

import nbinterp as nb
from nbinterp.design import Design, evolve
from nbinterp.errors import Interrupted, ModelError, NbinterpError
from tests.design.common import LENGTH, StopsAt, TwoHeads, WithArgs, backgrounds, encode, put, small_model, strings

Tensor = torch.Tensor


def naive(bases: str, steps: int, free: list[int], wanted: Tensor | None) -> str:
    """Try every base at every free position."""
    model = small_model()

    def judge(texts: list[str]) -> Tensor:
        with torch.no_grad():
            y_hat = model(encode(texts).double())
        return -y_hat.mean(dim=1) if wanted is None else (y_hat - wanted).square().mean(dim=1)

    for _ in range(steps):
        tried = [put(bases, b, p) for p in free for b in "ACGT"]
        losses = judge(tried)
        if not losses.min() < judge([bases])[0]:
            break
        bases = tried[int(losses.argmin())]
    return bases


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("y", [None, [0.6, -0.6]])
def test_equals_a_search_over_strings(fast: bool, y: list[float] | None) -> None:
    X = backgrounds(2)
    X[1, :, 10] = 0  # an unknown base
    protected = torch.zeros(LENGTH, dtype=torch.bool)
    protected[:8] = protected[20:24] = True
    wanted = None if y is None else torch.tensor([y])
    found = evolve(small_model(), X, wanted, n_steps=3, protected=protected, fast=fast)
    free = torch.where(~protected)[0].tolist()
    assert strings(found) == [naive(one, 3, free, wanted) for one in strings(X)]


def test_protected_positions_never_change() -> None:
    X = backgrounds(3)
    protected = torch.rand(3, LENGTH, generator=torch.Generator().manual_seed(0)) < 0.8
    found = evolve(small_model(), X, n_steps=20, protected=protected)
    changed = (found != X).any(dim=1)
    assert bool(changed.any(dim=1).all())
    assert not bool((changed & protected).any())


def test_steps_are_what_happened_and_replay() -> None:
    model, X = small_model(), backgrounds(3)
    design = evolve(model, X, n_steps=4, return_steps=True)
    assert torch.equal(design.replay(), design.X)
    assert torch.equal(design.replay(0), X)
    for n in range(5):
        y_hat = nb.predict(model, design.replay(n)).mean(dim=1)
        at = design.steps[design.steps["step"] == n]
        assert at["prediction"].to_numpy() == pytest.approx(y_hat[at["example_idx"].tolist()].numpy(), abs=1e-12)
    each = design.steps.groupby("example_idx")["prediction"]
    assert bool(each.apply(lambda p: p.is_monotonic_increasing).all())
    assert set(design.steps["end"][design.steps["step"] > 0] - design.steps["start"][design.steps["step"] > 0]) == {1}
    with pytest.raises(NbinterpError, match=r"replay\(X\): got shape \(2, 4, 40\); need \(3, 4, 40\)"):
        design.replay(1, X[:2])


def test_it_ends_when_nothing_helps() -> None:
    design = evolve(lambda X: X[:, 2].sum(dim=-1, keepdim=True).float(), backgrounds()[:, :, :6], n_steps=50, fast=False,
                    return_steps=True)  # fmt: skip
    assert strings(design.X) == ["GGGGGG"]
    assert len(design.steps) - 1 == 6 - strings(backgrounds())[0][:6].count("G")


def test_every_sequence_has_its_inputs_and_wishes() -> None:
    model, X = WithArgs().double(), backgrounds(2)
    offset, wanted = torch.tensor([[1.0, 2.0], [-1.0, 0.5]]).double(), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    both = evolve(model, X, wanted, n_steps=2, args=(offset,))
    for i in range(2):
        one = evolve(model, X[i : i + 1], wanted[i : i + 1], n_steps=2, args=(offset[i : i + 1],))
        assert torch.equal(both[i], one[0])


def test_compact_sequences_come_back_compact() -> None:
    X = backgrounds(2)
    found = evolve(small_model(), nb.PackedSequence.from_one_hot(X), n_steps=2)
    assert isinstance(found, nb.PackedSequence)
    assert torch.equal(found.to_one_hot(), evolve(small_model(), X, n_steps=2))


def test_an_interrupt_keeps_the_steps() -> None:
    X = backgrounds(2)
    whole = evolve(small_model(), X, n_steps=3, fast=False, batch_size=200, return_steps=True)
    with pytest.raises(Interrupted) as stopped:  # one call for the beginning, two a step
        evolve(StopsAt(small_model(), 11), X, n_steps=3, fast=False, batch_size=200)
    design = stopped.value.partial
    assert isinstance(design, Design)
    assert stopped.value.n_done == 4
    assert torch.equal(design.X[0], whole.X[0])
    assert torch.equal(design.X[1], whole.replay(1)[1])


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"n_steps": -1}, NbinterpError, r"\(n_steps\): got -1"),
        ({"protected": torch.ones(LENGTH, dtype=torch.bool)}, NbinterpError, r"\(protected\): got every position"),
        ({"protected": torch.ones(9, dtype=torch.bool)}, NbinterpError, r"\(protected\): got torch.bool, shape \(9,\)"),
        ({"protected": torch.zeros(LENGTH)}, NbinterpError, r"\(protected\): got torch.float32"),
        ({"y": [1.0]}, NbinterpError, r"\(y\): got shape \(1, 1\)"),
        ({"X": torch.zeros(1, 5, LENGTH), "model": lambda X: X[:, 0]}, NbinterpError, r"\(X\): got shape \(1, 5, 40\)"),
        ({"X": backgrounds()[:0]}, NbinterpError, r"\(X\): got no sequences"),
        ({"model": TwoHeads()}, ModelError, r"\(model\): got a list"),
    ],
)
def test_bad_arguments(options: dict[str, object], kind: type, message: str) -> None:
    with pytest.raises(kind, match="evolve" + message):
        evolve(**{"model": small_model(), "X": backgrounds(), "n_steps": 1, **options})


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    X = backgrounds(2)
    expected = evolve(small_model(), X, n_steps=2, device="cpu")
    assert torch.equal(evolve(small_model(), X, n_steps=2, device=second_device), expected)
