"""Products of sequences and further inputs: against loops, against the peer, their errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nbinterp.attribution import deep_lift_shap
from nbinterp.core.results import PerturbationResult
from nbinterp.errors import NbinterpError, OptionError
from nbinterp.model import predict
from nbinterp.perturb import ablate, apply_pairwise, apply_product, marginalize, space, substitution_effect
from nbinterp.sequence import PackedSequence

from .shared import Gated, TwoHeads, further, model, one_hot, same

CPU = {"device": "cpu"}


class Conditioned(TwoHeads):
    """Two heads, one of them shifted by a further input."""

    def forward(self, X: torch.Tensor, shift: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        profile, count = super().forward(X)
        return profile, count + shift


def conditions(*rows: int) -> tuple[torch.Tensor, ...]:
    """Further inputs of `Gated`, with their own numbers of rows."""
    return tuple(one[:n] for one, n in zip(further(9), rows, strict=True))


def test_every_sequence_meets_every_condition() -> None:
    net, X, (a, b) = model(Gated), one_hot(4), conditions(3, 3)
    pairs = apply_pairwise(predict, net, X, (a, b), **CPU)
    crossed = apply_product(predict, net, X, (a, b), **CPU)
    assert (pairs.shape, crossed.shape) == ((4, 3, 2), (4, 3, 3, 2))
    with torch.no_grad():
        for i in range(4):
            for j in range(3):
                same(pairs[i, j], net(X[i : i + 1], a[j : j + 1], b[j : j + 1])[0])
                for k in range(3):
                    same(crossed[i, j, k], net(X[i : i + 1], a[j : j + 1], b[k : k + 1])[0])


def test_groups_and_kinds_of_sequences_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    net, X, args = model(Gated), one_hot(4, unknown=True), conditions(3, 2)
    expected = apply_product(predict, net, X, args, **CPU)
    monkeypatch.setattr("nbinterp.perturb.product.GROUP_BYTES", 1)
    for rows in (X, PackedSequence.from_one_hot(X), X.numpy(), X.to(torch.int8)):
        for batch_size in (1, 7, 100):
            same(apply_product(predict, net, rows, args, batch_size, **CPU), expected)


def test_without_further_inputs_it_is_the_function_itself() -> None:
    net, X = model(Gated), one_hot(4)
    same(apply_product(predict, net, X, (), **CPU), predict(net, X, **CPU))


def test_options_reach_functions_that_take_them() -> None:
    seen = []

    def bare(model: object, X: torch.Tensor, args: object) -> torch.Tensor:
        seen.append("bare")
        return X

    def named(
        model: object, X: torch.Tensor, args: object, batch_size: int, device: str, verbose: bool
    ) -> torch.Tensor:
        seen.append((batch_size, device, verbose))
        return X

    for func in (bare, named):
        y = apply_pairwise(func, None, one_hot(2), conditions(3, 3), batch_size=5, verbose=True, **CPU)
        assert y.shape == (2, 3, 4, 60)
    assert seen == ["bare", (5, "cpu", False)]


def test_results_of_experiments_keep_their_names() -> None:
    net, X, args = model(Gated), one_hot(4), conditions(3, 3)
    result = apply_pairwise(marginalize, net, X, args, motif="TGACTCA", **CPU)
    assert isinstance(result, PerturbationResult)
    assert result.y_after.shape == (4, 3, 2)
    assert apply_pairwise(ablate, net, X, args, start=5, end=20, n=4, random_state=0, **CPU).y_after.shape == (
        4,
        3,
        4,
        2,
    )


@pytest.mark.parametrize("apply", [apply_pairwise, apply_product])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": one_hot(2)[:0]}, r"\(X\): got no sequences; need at least one"),
        ({"args": torch.zeros(3, 3)}, r"\(args\): got a Tensor; need a tuple of tensors"),
        ({"args": (torch.zeros(0, 3),)}, r"\(args\[0\]\): got \(0, 3\); need a tensor with at least one row"),
        ({"args": None}, r"\(args\): got a NoneType"),
    ],
)
def test_bad_arguments(apply: object, arguments: dict[str, object], message: str) -> None:
    given = {"func": predict, "model": model(Gated), "X": one_hot(2), "args": conditions(2, 2), **arguments}
    with pytest.raises(NbinterpError, match=apply.__name__ + message):  # type: ignore[attr-defined]
        apply(**given)  # type: ignore[operator]


def test_pairs_need_as_many_rows_each_and_options_are_named() -> None:
    net, X = model(Gated), one_hot(2)
    for args in (conditions(3, 2), ()):
        with pytest.raises(NbinterpError, match=r"apply_pairwise\(args\): got rows .*; do use apply_product"):
            apply_pairwise(predict, net, X, args)
    with pytest.raises(OptionError, match=r"apply_product\(motif\): got an option that predict does not accept"):
        apply_product(predict, net, X, conditions(2, 2), motif="ACG")
    with pytest.raises(OptionError, match=r"marginalize\(motive\): got an option that predict does not accept"):
        apply_product(marginalize, net, X, conditions(2, 2), motif="ACG", motive="ACG")


@pytest.mark.parity
@pytest.mark.parametrize(
    ("name", "rows"), [("apply_pairwise", (5, 5)), ("apply_product", (5, 2)), ("apply_product", (1, 3))]
)
def test_products_are_the_peers(name: str, rows: tuple[int, int]) -> None:
    peers = {
        module: pytest.importorskip(f"tangermeme.{module}")
        for module in ("product", "predict", "marginalize", "space", "ablate", "variant_effect", "deep_lift_shap")
    }
    ours = {"apply_pairwise": apply_pairwise, "apply_product": apply_product}[name]
    theirs = getattr(peers["product"], name)
    X, args = one_hot(4, unknown=True), conditions(*rows)
    gaps = {"motifs": ["TGA", "GATA"], "spacing": [[3], [5]]}
    for func, module, options in (
        (predict, "predict", {}),
        (marginalize, "marginalize", {"motif": "TGANTCA", "start": 3}),
        (space, "space", gaps),
        (ablate, "ablate", {"start": 10, "end": 30, "n": 3, "random_state": 0}),
    ):
        peer = getattr(peers[module], func.__name__)
        found = ours(func, model(Gated), X, args, **options, **CPU)
        same(found, theirs(peer, model(Gated), X, args, **options, **CPU))
    two = (args[0][:, :1],)
    found, expected = (
        f(g, model(Conditioned), X, two, motif="TGA", **CPU)
        for f, g in ((ours, marginalize), (theirs, peers["marginalize"].marginalize))
    )
    same(found, expected)  # several outputs of a function with several results
    same(
        ours(predict, model(Conditioned), X, two, **CPU),
        theirs(peers["predict"].predict, model(Conditioned), X, two, **CPU),
    )


@pytest.mark.parity
def test_attributions_are_the_peers() -> None:
    product = pytest.importorskip("tangermeme.product")
    dls = pytest.importorskip("tangermeme.deep_lift_shap").deep_lift_shap
    marginal = pytest.importorskip("tangermeme.marginalize").marginalize
    net, X, args = (
        model(Additive),
        one_hot(2),
        (torch.randn(3, 1, generator=torch.Generator().manual_seed(0)).double(),),
    )
    options = {"n_shuffles": 2, "random_state": 1, **CPU}
    same(
        apply_pairwise(deep_lift_shap, net, X, args, **options),
        product.apply_pairwise(dls, net, X, args, **options),
    )
    same(
        apply_product(
            marginalize, net, X, args, motif="TGA", additional_func_kwargs={"func": deep_lift_shap}, **options
        ),
        product.apply_product(marginal, net, X, args, motif="TGA", additional_func_kwargs={"func": dls}, **options),
    )


class Additive(torch.nn.Module):
    """A dense layer plus a further input."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = torch.nn.Linear(240, 2)

    def forward(self, X: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        return self.dense(X.flatten(1)) + shift


def test_variants_within_a_product() -> None:
    X, args = one_hot(1), conditions(3, 3)
    found = apply_pairwise(lambda net, X, args: substitution_effect(net, X, [[k, 5, 1] for k in range(len(X))], args, **CPU),
                           model(Gated), X, args, **CPU)  # fmt: skip
    assert np.shape(found.y_after) == (1, 3, 2)


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    net, X, args = model(Gated), one_hot(4), conditions(3, 3)
    for apply in (apply_pairwise, apply_product):
        expected = apply(predict, net, X, args, **CPU)
        same(apply(predict, net, X, args, device=second_device), expected, 1e-10)
        there = [a.to(second_device) for a in args]
        same(apply(predict, net, X.to(second_device), there, device=second_device), expected, 1e-10)
    assert next(net.parameters()).device.type == "cpu"
