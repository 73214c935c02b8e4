"""Gradient attributions: closed forms on linear and quadratic models, laws, the peer's saliency, errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from nbinterp.attribution.gradient import (
    expected_gradients,
    input_x_gradient,
    integrated_gradients,
    saliency,
    smooth_grad,
)
from nbinterp.attribution.gradient_run import quadrature
from nbinterp.errors import Interrupted, ModelError, NbinterpError

L = 24


def one_hot(n: int = 3, seed: int = 0) -> torch.Tensor:
    codes = torch.randint(0, 4, (n, L), generator=torch.Generator().manual_seed(seed))
    return nn.functional.one_hot(codes, 4).transpose(1, 2).double().contiguous()


def model() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv1d(4, 6, 5), nn.Tanh(), nn.Flatten(), nn.Linear(6 * (L - 4), 3))
    return nn.Sequential(*layers).double().eval()


class Gated(nn.Module):
    """Takes a second input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate = nn.Conv1d(4, 6, 5), nn.Linear(2, 6)

    def forward(self, X: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        return (torch.tanh(self.conv(X)) * self.gate(a)[:, :, None]).mean(dim=2)


def uniform_references(X: torch.Tensor, n: int, random_state: int) -> torch.Tensor:
    """Random sequences, whose seed is the only thing they depend on."""
    generator = torch.Generator().manual_seed(random_state)
    codes = torch.randint(0, 4, (len(X), n, X.shape[2]), generator=generator)
    return nn.functional.one_hot(codes, 4).transpose(2, 3)


METHODS: dict[str, Callable[..., torch.Tensor]] = {
    "saliency": saliency,
    "input_x_gradient": input_x_gradient,
    "integrated_gradients": partial(integrated_gradients, n_steps=7),
    "integrated_gradients from shuffles": partial(
        integrated_gradients, n_steps=3, references=uniform_references, n_shuffles=3, random_state=1
    ),
    "expected_gradients": partial(
        expected_gradients, n_samples=2, references=uniform_references, n_shuffles=4, random_state=1
    ),
    "smooth_grad": partial(smooth_grad, n_samples=5, random_state=1),
}
every_method = pytest.mark.parametrize("name", METHODS)


def test_saliency_is_the_gradient() -> None:
    X = one_hot()
    leaf = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model()(leaf)[:, 1].sum(), leaf)
    plain = saliency(model(), X, target=1, hypothetical=True, gradient_correction=False, device="cpu")
    torch.testing.assert_close(plain, gradient)
    torch.testing.assert_close(saliency(model(), X, target=1, device="cpu"), (gradient - gradient.mean(1, True)) * X)
    torch.testing.assert_close(input_x_gradient(model(), X, target=1, device="cpu"), gradient * X)
    torch.testing.assert_close(input_x_gradient(model(), X, target=1, hypothetical=True, device="cpu"), gradient)


def test_every_method_on_a_linear_model() -> None:
    """There the gradient is the same everywhere, so all agree up to the reference."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(4 * L, 1)).double()
    weights, X = linear[1].weight.detach().view(4, L), one_hot()
    on = partial(torch.testing.assert_close, rtol=0, atol=1e-12)
    on(integrated_gradients(linear, X, n_steps=1, device="cpu"), weights * X)
    on(smooth_grad(linear, X, n_samples=2, gradient_correction=False, device="cpu"), weights * X)
    composition = X.mean(2, keepdim=True)
    expected = (weights - (weights * composition).sum(1, keepdim=True)).expand_as(X)
    on(integrated_gradients(linear, X, references="mean", hypothetical=True, device="cpu"), expected)
    references = torch.stack([one_hot(5, seed=i) for i in range(3)])
    expected = (weights - (weights * references).sum(2, keepdim=True)).mean(1)
    on(expected_gradients(linear, X, references=references, n_samples=1, hypothetical=True, device="cpu"), expected)


@pytest.mark.parametrize("rule", ["gauss-legendre", "midpoint"])
def test_integrated_gradients_add_up(rule: str) -> None:
    X, f = one_hot(), model()
    result = integrated_gradients(f, X, target=2, n_steps=40, rule=rule, return_deltas=True, device="cpu")
    with torch.no_grad():
        rise = (f(X) - f(torch.zeros_like(X)))[:, 2]
    tolerance = 1e-10 if rule == "gauss-legendre" else 1e-4
    torch.testing.assert_close(result.attributions.sum((1, 2)), rise, rtol=0, atol=tolerance)
    torch.testing.assert_close(result.convergence_deltas, rise - result.attributions.sum((1, 2)), rtol=0, atol=1e-12)


def test_deltas_are_against_the_mean_of_several_references() -> None:
    X, f, references = one_hot(), model(), torch.stack([one_hot(4, seed=i) for i in range(3)])
    result = integrated_gradients(f, X, references=references, n_steps=30, return_deltas=True, device="cpu")
    with torch.no_grad():
        rise = f(X)[:, 0] - torch.stack([f(r)[:, 0].mean() for r in references])
    torch.testing.assert_close(result.attributions.sum((1, 2)), rise, rtol=0, atol=1e-10)
    assert result.convergence_deltas.abs().max() < 1e-10


def test_expected_gradients_tend_to_integrated_gradients() -> None:
    X, f = one_hot(), model()
    arguments = {"references": uniform_references, "n_shuffles": 3, "random_state": 0, "device": "cpu"}
    exact = integrated_gradients(f, X, n_steps=30, **arguments)
    rough, fine = (expected_gradients(f, X, n_samples=n, **arguments) for n in (1, 100))
    assert (fine - exact).abs().max() < 0.05 * (rough - exact).abs().max()


def test_smooth_grad_without_noise_is_saliency() -> None:
    X = one_hot()
    found = smooth_grad(model(), X, noise=0, n_samples=2, device="cpu")
    torch.testing.assert_close(found, saliency(model(), X, device="cpu"))


@every_method
def test_neither_batches_nor_neighbours_change_a_row(name: str) -> None:
    X, method = one_hot(5), METHODS[name]
    X[1, :, 4] = 0
    whole = method(model(), X, device="cpu")
    for batch_size in (1, 3, 1000):
        torch.testing.assert_close(method(model(), X, batch_size=batch_size, device="cpu"), whole, rtol=0, atol=1e-14)
    torch.testing.assert_close(method(model(), X[:2], device="cpu"), whole[:2], rtol=0, atol=1e-14)


@every_method
def test_hypothetical_scores_project_to_the_others(name: str) -> None:
    X, method = one_hot(), METHODS[name]
    hypothetical = method(model(), X, hypothetical=True, device="cpu")
    torch.testing.assert_close(method(model(), X, device="cpu"), hypothetical * X)
    assert (hypothetical[X == 0] != 0).any()


@every_method
def test_further_inputs_go_with_their_rows(name: str) -> None:
    torch.manual_seed(0)
    gated, X, a, method = Gated().double(), one_hot(), torch.randn(3, 2).double(), METHODS[name]
    together = method(gated, X, (a,), batch_size=4, device="cpu")
    if "random_state" not in getattr(method, "keywords", {}):
        apart = torch.cat([method(gated, X[i : i + 1], (a[i : i + 1],), device="cpu") for i in range(3)])
        torch.testing.assert_close(together, apart)
    torch.testing.assert_close(method(gated, X[:1], (a[:1],), device="cpu"), together[:1])


@pytest.mark.parametrize("name", [name for name in METHODS if "seed" in name or "shuffles" in name or "smooth" in name])
def test_seeds(name: str) -> None:
    X, method = one_hot(), METHODS[name]
    first = method(model(), X, random_state=5, device="cpu")
    assert torch.equal(method(model(), X, random_state=5, device="cpu"), first)
    assert not torch.equal(method(model(), X, random_state=6, device="cpu"), first)
    # row i of seed s is row 0 of seed s + i
    torch.testing.assert_close(method(model(), X[2:], random_state=7, device="cpu"), first[2:])


@every_method
def test_compact_rows_and_narrow_types(name: str) -> None:
    from nbinterp.sequence import PackedSequence

    X, method = one_hot(), METHODS[name]
    expected = method(model(), X, device="cpu")
    for rows in (X.to(torch.int8), X.numpy(), PackedSequence.from_one_hot(X.to(torch.int8))):
        torch.testing.assert_close(method(model(), rows, device="cpu"), expected)


@every_method
def test_the_model_is_left_as_it_was(name: str) -> None:
    f = model().train()
    METHODS[name](f, one_hot(), device="cpu")
    assert f.training
    assert all(p.grad is None and p.requires_grad for p in f.parameters())


def test_dinucleotide_shuffles_are_the_default_references() -> None:
    from nbinterp.sequence import dinucleotide_shuffle

    X = one_hot()
    X[:, 0, :6] = torch.tensor([1.0, 0, 1, 0, 1, 1])
    X = nn.functional.one_hot(X.argmax(1), 4).transpose(1, 2).double()
    found = expected_gradients(model(), X, n_shuffles=2, random_state=3, device="cpu")
    shuffles = torch.cat([dinucleotide_shuffle(X[i : i + 1], n=2, random_state=3 + i) for i in range(3)])
    given = expected_gradients(model(), X, references=shuffles, random_state=3, device="cpu")
    torch.testing.assert_close(found, given)


def test_the_nodes_integrate_polynomials() -> None:
    nodes, weights = quadrature("gauss-legendre", 4)
    for power in range(8):
        assert abs((weights * nodes**power).sum() - 1 / (power + 1)) < 1e-14
    nodes, weights = quadrature("midpoint", 4)
    assert abs((weights * nodes).sum() - 0.5) < 1e-14


def test_an_interrupt_keeps_finished_rows() -> None:
    f, X, calls = model(), one_hot(4), [0]

    def impatient(x: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        if calls[0] == 3:
            raise KeyboardInterrupt
        return f(x)

    with pytest.raises(Interrupted) as stopped:
        saliency(impatient, X, batch_size=1, dtype=torch.float64, device="cpu")
    assert stopped.value.n_done == 2
    torch.testing.assert_close(stopped.value.partial, saliency(f, X, device="cpu")[:2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, X: saliency(f, X[0]), r"saliency\(X\): got shape \(4, 24\)"),
        (lambda f, X: saliency(f, X / 2), r"saliency\(X\): got an entry of 0.5; need entries of exactly 0 or 1"),
        (lambda f, X: saliency(f, X, target=3), r"saliency\(target\): got 3; need an index into 3 outputs"),
        (lambda f, X: saliency(f, X, target=None), r"saliency\(target\): got None; need an integer"),
        (lambda f, X: saliency(f, X, (X[:1],)), r"saliency\(args\[0\]\): got \(1, 4, 24\); need a tensor of 3 rows"),
        (lambda f, X: integrated_gradients(f, X, n_steps=0), r"\(n_steps\): got 0; need an integer of at least 1"),
        (
            lambda f, X: integrated_gradients(f, X, rule="midpiont"),
            r"\(rule\): got 'midpiont' \(did you mean 'midpoint'\?\)",
        ),
        (
            lambda f, X: integrated_gradients(f, X, references="zero"),
            r"\(references\): got 'zero' \(did you mean 'zeros'\?\)",
        ),
        (
            lambda f, X: integrated_gradients(f, X, references=X),
            r"\(references\): got shape \(3, 4, 24\); need shape \(3, R, 4, L\)",
        ),
        (
            lambda f, X: integrated_gradients(f, X, references=X[None, :, :, 1:]),
            r"\(references\): got sequences of shape \(4, 23\)",
        ),
        (lambda f, X: integrated_gradients(f, X, references=3), r"\(references\): got a int"),
        (lambda f, X: smooth_grad(f, X, noise=-1), r"smooth_grad\(noise\): got -1"),
        (lambda f, X: expected_gradients(f, X, n_samples=0), r"expected_gradients\(n_samples\): got 0"),
    ],
)
def test_bad_arguments(call: Callable[..., object], message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        call(model(), one_hot())


def test_profiles_must_be_reduced() -> None:
    profile = nn.Conv1d(4, 2, 3).double()
    with pytest.raises(ModelError, match=r"saliency\(model\): got an output of shape \(3, 2, 22\); need .* \(n, T\)"):
        saliency(profile, one_hot(), device="cpu")
    assert saliency(profile, one_hot(), func=lambda y: y.sum(2), device="cpu").shape == (3, 4, L)


@pytest.mark.parity
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"target": 2, "hypothetical": True},
        {"gradient_correction": False},
        {"func": lambda y: y**2, "batch_size": 2},
        {"dtype": "float32"},
    ],
)
def test_saliency_is_the_peers(arguments: dict[str, object]) -> None:
    peer = pytest.importorskip("tangermeme.saliency")
    f, X = model(), one_hot()
    if "dtype" in arguments:
        f = f.float()
    X[0, :, 3] = 0
    tolerance = 1e-6 if "dtype" in arguments else 1e-14  # the same arithmetic in the same precision
    theirs = peer.saliency(f, X, device="cpu", **arguments)
    torch.testing.assert_close(saliency(f, X, device="cpu", **arguments), theirs, rtol=0, atol=tolerance)


@every_method
def test_a_second_device_agrees_with_the_cpu(name: str, second_device: str) -> None:
    X, method = one_hot(), METHODS[name]
    found = method(model(), X, device=second_device)
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, method(model(), X, device="cpu"), rtol=0, atol=1e-12)
