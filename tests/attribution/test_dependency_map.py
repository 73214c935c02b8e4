"""Dependency maps: against a naive loop, against the peer, and what they mean."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.attribution.dependency_map import dependency_map
from nbinterp.errors import Interrupted, NbinterpError, OptionError
from tests.attribution.test_ism import WithArgs

Tensor = torch.Tensor


def small_model(length: int = 24) -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv1d(4, 5, 5, padding=2), nn.Tanh(), nn.Flatten(), nn.Linear(5 * length, 6), nn.GELU())
    return nn.Sequential(*layers, nn.Linear(6, 2)).double().eval()


@pytest.fixture
def X() -> Tensor:
    X = nb.random_one_hot((3, 4, 24), random_state=0).double()
    X[1, :, 7] = 0  # an unknown base
    return X


def naive(model: nn.Module, X: Tensor, start: int, end: int, func: object, args: tuple[Tensor, ...] = ()) -> Tensor:
    """Edit one base at a time."""
    made = torch.zeros(len(X), X.shape[2], end - start, dtype=torch.float64)
    for n in range(len(X)):
        more = tuple(a[n : n + 1] for a in args) or None
        before = func(model, X[n : n + 1], args=more).sum(1)[0]
        for p in range(start, end):
            changes = []
            for base in range(4):
                edited = X[n : n + 1].clone()
                edited[0, :, p] = 0
                edited[0, base, p] = 1
                if not torch.equal(edited, X[n : n + 1]):
                    changes.append((func(model, edited, args=more).sum(1)[0] - before).abs())
            made[n, :, p - start] = torch.stack(changes).mean(0)
    return made


@pytest.mark.parametrize("span", [(0, 24), (5, 9)])
def test_equals_a_naive_loop(X: Tensor, span: tuple[int, int]) -> None:
    model = small_model()
    found = dependency_map(model, X, start=span[0], end=span[1], target=1)
    expected = naive(model, X, *span, partial(nb.saliency, target=1))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_further_inputs_go_with_their_rows(X: Tensor) -> None:
    torch.manual_seed(1)
    model, args = WithArgs().double().eval(), (torch.randn(3, 3).double(), torch.randn(3, 2).double())
    found = dependency_map(model, X, args, end=6)
    torch.testing.assert_close(found, naive(model, X, 0, 6, nb.saliency, args), rtol=0, atol=1e-13)


def test_the_grouping_of_edits_changes_nothing(X: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    model = small_model()
    expected = dependency_map(model, X)
    for size in (1, 16 * 24 * 7, 16 * 24 * 3 * 24):  # an edit, seven edits, a sequence at a time
        monkeypatch.setattr(sys.modules["nbinterp.attribution.dependency_map"], "_BYTES", size)
        torch.testing.assert_close(dependency_map(model, X), expected, rtol=0, atol=1e-14)


def test_positions_that_do_not_interact_make_a_diagonal(X: Tensor) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4 * 24, 1)).double()
    found = dependency_map(model, X)
    assert bool((found.diagonal(dim1=1, dim2=2) > 0).all())
    assert float((found - torch.diag_embed(found.diagonal(dim1=1, dim2=2))).abs().max()) < 1e-12


def test_a_pair_that_interacts_is_seen_off_the_diagonal() -> None:
    class Pair(nn.Module):
        def forward(self, X: Tensor) -> Tensor:
            return (X[:, 0, 3] * X[:, 2, 10])[:, None]  # an A at 3 and a G at 10

    X = torch.zeros(1, 4, 14)
    X[:, 1] = 1
    X[0, :, 3] = torch.tensor([1.0, 0, 0, 0])
    X[0, :, 10] = torch.tensor([0, 0, 1.0, 0])
    found = dependency_map(Pair(), X)[0]
    assert set(map(tuple, found.nonzero().tolist())) == {(3, 3), (3, 10), (10, 3), (10, 10)}


def test_compact_sequences_give_the_same(X: Tensor) -> None:
    model, narrow = small_model(), X.to(torch.int8)
    expected = dependency_map(model, X)
    for rows in (narrow, nb.PackedSequence.from_one_hot(narrow)):
        assert torch.equal(dependency_map(model, rows), expected)


def test_other_functions_and_their_options(X: Tensor) -> None:
    model = small_model()
    second = dependency_map(model, X[:1], func=nb.saturation_mutagenesis, end=3, target=1)
    same = {"func": lambda y: y[:, 1:]}  # `func` is an argument here too
    found = dependency_map(model, X[:1], func=nb.saturation_mutagenesis, end=3, additional_func_kwargs=same)
    torch.testing.assert_close(found, second, rtol=0, atol=1e-13)


def test_an_interrupt_keeps_the_finished_maps(X: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys.modules["nbinterp.attribution.dependency_map"], "_BYTES", 1)
    model, calls = small_model(), []
    whole = dependency_map(model, X, end=2)

    def stops(model: nn.Module, X: Tensor, args: object = None, device: object = None) -> Tensor:
        calls.append(1)
        if len(calls) > 10:
            raise KeyboardInterrupt
        return nb.saliency(model, X, args=args, device=device)

    with pytest.raises(Interrupted) as caught:
        dependency_map(model, X, end=2, func=stops)
    assert caught.value.n_done == 1
    torch.testing.assert_close(caught.value.partial, whole[:1])


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"start": 9, "end": 9}, NbinterpError, r"\(start, end\): got \[9, 9\)"),
        ({"end": 25}, NbinterpError, r"\(start, end\): got \[0, 25\); need 0 <= start < end <= 24"),
        ({"targett": 1}, OptionError, r"\(targett\): got an option that saliency does not accept"),
        ({"func": lambda model, X, args=None, device=None: X[:, 0]}, NbinterpError, r"\(func\): got shape \(3, 24\)"),
        ({"func": lambda model, X, args=None, device=None: [X]}, NbinterpError, r"\(func\): got a list"),
        ({"args": (torch.zeros(2, 1),)}, NbinterpError, r"\(args\[0\]\): got \(2, 1\)"),
    ],
)
def test_bad_arguments(X: Tensor, options: dict[str, object], kind: type, message: str) -> None:
    with pytest.raises(kind, match="dependency_map" + message):
        dependency_map(small_model(), X, **options)


def test_bad_sequences(X: Tensor) -> None:
    for rows, message in ((X[:0], "no sequences"), (X / 2, "an entry of 0.5"), (X[0], r"shape \(4, 24\)")):
        with pytest.raises(NbinterpError, match=r"dependency_map\(X\): got " + message):
            dependency_map(small_model(), rows)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("saliency", {}),
        ("saliency", {"start": 3, "end": -5, "target": 1, "gradient_correction": False}),
        ("deep_lift_shap", {"end": 3, "n_shuffles": 2, "random_state": 0}),
        ("saturation_mutagenesis", {"end": 2, "target": 0}),
    ],
)
def test_equals_tangermeme(X: Tensor, name: str, options: dict[str, object]) -> None:
    peer = pytest.importorskip("tangermeme.dependency_map")
    import importlib

    theirs = getattr(importlib.import_module(f"tangermeme.{name}"), name)
    X = X[[0, 2]] if name == "deep_lift_shap" else X  # it takes no unknown bases
    expected = peer.dependency_map(small_model(), X, func=theirs, device="cpu", **options)
    found = dependency_map(small_model(), X, func=getattr(nb, name), device="cpu", **options)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_a_second_device_agrees_with_the_cpu(X: Tensor, second_device: str) -> None:
    model = small_model()
    expected = dependency_map(model, X, device="cpu")
    found = dependency_map(model, X, device=second_device)
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
