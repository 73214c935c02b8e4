"""Prediction, targets and probing: closed forms, laws, parity, errors."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.errors import Interrupted, ModelError, NbinterpError

Tensor = torch.Tensor


class Several(nn.Module):
    """A tensor, a tuple or a dictionary of outputs, with an optional second input."""

    def __init__(self, form: str = "tuple") -> None:
        super().__init__()
        self.conv, self.form = nn.Conv1d(4, 3, 5), form
        self.dropout = nn.Dropout(0.5)

    def forward(self, X: Tensor, scale: Tensor | None = None) -> object:
        h = self.dropout(self.conv(X))
        h = h if scale is None else h * scale[:, None]
        both = h, h.mean(dim=-1)
        return {"tensor": both[1], "tuple": both, "dict": {"profile": both[0], "counts": both[1]}}[self.form]


@pytest.fixture(scope="module")
def X() -> Tensor:
    return nb.random_one_hot((7, 4, 30), random_state=0)


@pytest.fixture
def model() -> Several:
    torch.manual_seed(0)
    return Several().double()


@pytest.mark.parity
@pytest.mark.parametrize("form", ["tensor", "tuple"])
def test_predict_equals_tangermeme(form: str, X: Tensor) -> None:
    peer = pytest.importorskip("tangermeme.predict")
    torch.manual_seed(0)
    model = Several(form)
    scale = torch.arange(7).reshape(7, 1)
    for options in ({}, {"args": (scale,)}, {"batch_size": 3}, {"dtype": "float64"}):
        model.to(getattr(torch, options.get("dtype", "float32")))
        ours, theirs = nb.predict(model, X, **options), peer.predict(model, X, device="cpu", **options)
        pairs = zip(ours, theirs, strict=True) if form == "tuple" else [(ours, theirs)]
        for a, b in pairs:
            assert a.dtype == b.dtype
            assert torch.equal(a, b)


def test_results_do_not_depend_on_the_batch(model: Several, X: Tensor) -> None:
    model.train()
    whole = nb.predict(model, X, batch_size=100)
    for size in (1, 2, 5):
        for a, b in zip(nb.predict(model, X, batch_size=size), whole, strict=True):
            assert torch.allclose(a, b, atol=1e-14)
    assert model.training
    assert not whole[0].requires_grad


def test_dictionaries_functions_and_compact_containers(X: Tensor) -> None:
    torch.manual_seed(0)
    model = Several("dict")
    y = nb.predict(model, X, batch_size=2)
    assert tuple(y["profile"].shape) == (7, 3, 26)
    counts = nb.predict(model, X, func=lambda one: one["counts"])
    assert torch.allclose(counts, y["counts"], atol=1e-6)
    for kind in (nb.PackedSequence, nb.CodedSequence):
        assert torch.equal(nb.predict(model, kind.from_one_hot(X), batch_size=2)["counts"], y["counts"])


def test_an_interrupt_keeps_the_finished_rows(model: Several, X: Tensor) -> None:
    calls = []

    def stops(X: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return model.float()(X)[1].detach()

    with pytest.raises(Interrupted) as caught:
        nb.predict(stops, X, batch_size=2)
    assert tuple(caught.value.partial.shape) == (4, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X: nb.predict(nn.Sequential(nn.Flatten(), nn.Linear(99, 1)), X), r"shape \(7, 4, 30\)"),
        (lambda X: nb.predict(nb.demo.load_model(), X), "length 400"),
        (lambda X: nb.predict(lambda X: "text", X), "output of type str"),
        (lambda X: nb.predict(lambda X: X.sum(), X), "a row for each"),
        (lambda X: nb.predict(lambda X: X, X[:0]), "no sequences"),
        (lambda X: nb.predict(lambda X, a: X, X, args=(torch.zeros(3),)), "7 rows"),
        (lambda X: nb.probe(nn.Flatten()), "length"),
        (lambda X: nb.target(Several(), head="x"), "names none"),
        (lambda X: nb.target(Several(), transform="profil"), "did you mean 'profile'"),
        (lambda X: nb.target(Several())(X.float()), "which one"),
        (lambda X: nb.target(Several("tensor"), task=9)(X.float()), "columns 0 to 2"),
        (lambda X: nb.target(Several("tensor"), head=1)(X.float()), "gives one output"),
        (lambda X: nb.adapt(nn.Identity(), layout="NCHW"), "layout"),
    ],
)
def test_errors(call: object, words: str, X: Tensor) -> None:
    with pytest.raises(NbinterpError, match=words):
        call(X)


def test_targets_are_what_they_say(model: Several, X: Tensor) -> None:
    X = X.double()
    model.eval()
    with torch.no_grad():
        profile, counts = model(X)
        assert torch.equal(nb.target(model, head=1, task=[2, 0])(X), counts[:, [2, 0]])
        z = profile[:, [1], 5:20].flatten(1)
        z = z - z.mean(dim=1, keepdim=True)
        weighted = (z * z.softmax(dim=1)).sum(dim=1, keepdim=True)
        got = nb.target(model, head=0, task=1, positions=(5, 20), transform="profile")(X)
        assert torch.allclose(got, weighted, atol=1e-14)
        assert torch.allclose(nb.target(model, head=0, transform="sum")(X), profile.sum(-1), atol=1e-14)
        contrast = nb.target(model, head=1, contrast=([0, 1], [2]))(X)
        assert torch.allclose(contrast, (counts[:, :2].mean(1) - counts[:, 2])[:, None], atol=1e-14)
        both = nb.target(model, head=1, reverse_complement=True)
        assert torch.allclose(both(X), both(X.flip(1, 2)), atol=1e-14)
        folds = nb.target([model, model], head=1)
        assert torch.allclose(folds(X), counts, atol=1e-14)
        assert float(folds.spread(X).abs().max()) == 0


def test_every_attribution_rule_applies_to_a_target(model: Several, X: Tensor) -> None:
    X = X.double()
    explained = nb.target(model, head=0, transform="profile", reverse_complement=True)
    m, r = nb.deep_lift_shap(explained, X, n_shuffles=3, random_state=0, raw_outputs=True, return_references=True)
    with torch.no_grad():
        gap = explained(X) - torch.cat([explained(r[:, j]) for j in range(3)], dim=1)
    assert float((((X[:, None] - r) * m).sum(dim=(-2, -1)) - gap).abs().max()) < 1e-10


def test_adapt_is_differentiable_and_hides_the_flanks() -> None:
    class Lengths(nn.Module):
        def forward(self, X: Tensor, more: Tensor) -> Tensor:
            assert X.shape[1:] == (10, 4)
            return (X[:, :, 1] * torch.arange(10.0)).sum(dim=1, keepdim=True) + more

    model = nb.adapt(Lengths(), layout="NLC", flanks=("CC", "AAA"), extra=lambda X: (torch.ones(len(X), 1),))
    X = nb.one_hot_encode("ACCGT").float().unsqueeze(0).requires_grad_()
    y = model(X)
    assert y.item() == 0 + 1 + 3 + 4 + 1  # the flank's two C, the insert's at 3 and 4, and the extra input
    (grad,) = torch.autograd.grad(y.sum(), X)
    assert grad.shape == (1, 4, 5)
    assert grad[0, 1].tolist() == [2, 3, 4, 5, 6]


def test_probe_sees_what_is_there() -> None:
    class Odd(nn.Module):
        def forward(self, X: Tensor) -> Tensor:
            X = X[:, :, 5:20] + torch.rand(()) * 0
            return X.mean(dim=-1) + X[:, 0].mean()

    report = nb.probe(Odd(), length=30)
    assert report.receptive_field == (5, 20)
    assert not report.independent_rows
    assert report.deterministic
    assert nb.probe(nn.Sequential(nn.Flatten(), nn.Linear(120, 1)), length=30).independent_rows
    assert "NO" in str(report)
    assert "<table" in report._repr_html_()
    with pytest.raises(ModelError, match="adapt"):
        nb.probe(nn.Linear(7, 1), length=30)


def test_a_second_device_equals_the_cpu(model: Several, X: Tensor, second_device: str) -> None:
    for a, b in zip(nb.predict(model, X, device="cpu"), nb.predict(model, X, device=second_device), strict=True):
        assert torch.allclose(a, b, atol=1e-12)


def test_targets_and_adaptors_follow_the_model_to_its_device(model: Several, X: Tensor, second_device: str) -> None:
    X = X.double()
    made = {
        "profile": lambda m: nb.target(m, head=0, task=1, positions=(5, 20), transform="profile"),
        "both strands": lambda m: nb.target(m, head=1, reverse_complement=True, contrast=([0, 1], [2])),
        "ensemble": lambda m: nb.target([m, m], head=1),
        "flanks": lambda m: nb.adapt(m, flanks=("AC", "T")),
    }
    for name, make in made.items():
        with torch.no_grad():
            here = nb.predict(make(model), X, device="cpu")
            there = nb.predict(make(copy.deepcopy(model).to(second_device)), X, device=second_device)
        for a, b in zip(*([v] if isinstance(v, Tensor) else v for v in (here, there)), strict=True):
            assert torch.allclose(a, b, atol=1e-12), name
    assert nb.probe(copy.deepcopy(model).to(second_device), length=X.shape[-1]).deterministic
