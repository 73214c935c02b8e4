"""Each rule against a naive one, written out element by element over both halves; and laws that hold for all.

The naive form runs the observed and the reference rows side by side and builds the whole matrix of multipliers of one
operation, ``M[o, i]``, with loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

import nbinterp as nb

Tensor = torch.Tensor
NEAR = 1e-6


def naive_rescale(f: Callable[[Tensor], Tensor], x: Tensor, r: Tensor) -> Tensor:
    M = torch.zeros(x.numel(), x.numel(), dtype=x.dtype)
    for i in range(len(x)):
        point = x[i].clone().requires_grad_()
        f(point).backward()
        far = abs(float(x[i] - r[i])) >= NEAR
        M[i, i] = (f(x[i]) - f(r[i])) / (x[i] - r[i]) if far else point.grad
    return M


def naive_pool(x: Tensor, r: Tensor, size: int, stride: int) -> Tensor:
    """Each window gives ``max(fx, fr) - fr`` to x's winner and ``fx - max(fx, fr)`` to r's, over the difference there."""
    n = (len(x) - size) // stride + 1
    M = torch.zeros(n, len(x), dtype=x.dtype)
    for w in range(n):
        window = slice(w * stride, w * stride + size)
        fx, fr = x[window].max(), r[window].max()
        i, j = (w * stride + int(one[window].argmax()) for one in (x, r))
        top = max(fx, fr)
        for at, part in ((i, top - fr), (j, fx - top)):
            if x[at] != r[at]:
                M[w, at] += part / (x[at] - r[at])
        for at in range(len(x)):
            if x[at] == r[at]:
                M[w, at] = float(at == i)
    return M


def naive_softmax(x: Tensor, r: Tensor) -> Tensor:
    """``y = a v``, ``a = exp(x)``, ``v = 1 / sum(a)``: y through its logarithm, the sum through each a."""
    a, a_r = x.exp(), r.exp()
    v, v_r = 1 / a.sum(), 1 / a_r.sum()
    log_v = (v / v_r).log()
    M = torch.zeros(len(x), len(x), dtype=x.dtype)
    for o in range(len(x)):
        per_log = (a[o] * v - a_r[o] * v_r) / (x[o] - r[o] + log_v)
        for i in range(len(x)):
            sum_to_log = -log_v / (a.sum() - a_r.sum())  # log v per unit of the sum, with its sign
            M[o, i] = per_log * (float(o == i) - sum_to_log * (a[i] - a_r[i]) / (x[i] - r[i]))
    return M


def naive_layer_norm(x: Tensor, r: Tensor, eps: float) -> Tensor:
    """``a v``: both at the midpoint of the product; v through the mean of squares."""
    D = len(x)
    a, a_r = x - x.mean(), r - r.mean()
    s, s_r = (a**2).mean() + eps, (a_r**2).mean() + eps
    v, v_r = s**-0.5, s_r**-0.5
    per_square = (v - v_r) / (s - s_r)
    M = torch.zeros(D, D, dtype=x.dtype)
    for o in range(D):
        for i in range(D):
            centred = float(o == i) - 1 / D
            # d mean(a**2) goes through a[k] + a_r[k], and a is centred, so the mean's own part cancels
            M[o, i] = (v + v_r) / 2 * centred + (a[o] + a_r[o]) / 2 * per_square * (a[i] + a_r[i]) / D
    return M


def multipliers(f: Callable[[Tensor], Tensor], x: Tensor, r: Tensor) -> Tensor:
    """Ours: all rows of M, out of `deep_lift_shap` with every output as a target, through a fixed linear first layer.

    The first layer turns one-hot columns A and C into the values x and r, so that the input of `f` is known.
    """
    L = len(x)

    class Model(nn.Module):
        def forward(self, X: Tensor) -> Tensor:
            return f(X[:, 0] * x + X[:, 1] * r)

    X, R = torch.zeros(1, 4, L, dtype=x.dtype), torch.zeros(1, 1, 4, L, dtype=x.dtype)
    X[:, 0], R[:, :, 1] = 1, 1
    n = f(x[None]).shape[1]
    m = nb.deep_lift_shap(Model(), X, references=R, target=list(range(n)), raw_outputs=True, dtype=x.dtype)
    # the multiplier of row A is M * x[i], that of C is M * r[i]: read M where the larger of both is
    return torch.where(x.abs() > r.abs(), m[0, 0, :, 0] / x, m[0, 0, :, 1] / r)


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x, r = (torch.randn(12, generator=generator, dtype=torch.float64) for _ in range(2))
    return x, r


def with_equals(x: Tensor, r: Tensor) -> Tensor:
    """Make some entries of r equal those of x, and one nearly so."""
    r = r.clone()
    r[[0, 5]] = x[[0, 5]]
    r[7] = x[7] + 1e-8
    return r


@pytest.mark.parametrize("equal", [False, True], ids=["apart", "some equal"])
@pytest.mark.parametrize("f", [torch.relu, torch.sigmoid, torch.exp, nn.functional.gelu, lambda z: z**2, torch.abs])
def test_rescale(f: Callable[[Tensor], Tensor], equal: bool, pair: tuple[Tensor, Tensor]) -> None:
    x, r = pair
    r = with_equals(x, r) if equal else r
    assert torch.allclose(multipliers(f, x, r), naive_rescale(f, x, r), atol=1e-12)


@pytest.mark.parametrize("equal", [False, True], ids=["apart", "some equal"])
@pytest.mark.parametrize(("size", "stride"), [(3, 3), (4, 2), (3, 1), (12, 1)])
def test_max_pooling(size: int, stride: int, equal: bool, pair: tuple[Tensor, Tensor]) -> None:
    x, r = pair
    r = with_equals(x, r) if equal else r

    def pool(z: Tensor) -> Tensor:
        return nn.functional.max_pool1d(z[:, None], size, stride)[:, 0]

    assert torch.allclose(multipliers(pool, x, r), naive_pool(x, r, size, stride), atol=1e-12)


def test_max_over_an_axis_is_one_window(pair: tuple[Tensor, Tensor]) -> None:
    x, r = pair
    for f in (lambda z: z.amax(dim=1, keepdim=True), lambda z: z.max(dim=1, keepdim=True).values):
        assert torch.allclose(multipliers(f, x, r), naive_pool(x, r, 12, 1), atol=1e-12)


def test_softmax(pair: tuple[Tensor, Tensor]) -> None:
    x, r = pair
    assert torch.allclose(multipliers(lambda z: z.softmax(dim=1), x, r), naive_softmax(x, r), atol=1e-12)


def test_layer_norm(pair: tuple[Tensor, Tensor]) -> None:
    x, r = pair
    for eps in (1e-5, 0.3):
        ours = multipliers(lambda z, eps=eps: nn.functional.layer_norm(z, (12,), eps=eps), x, r)
        assert torch.allclose(ours, naive_layer_norm(x, r, eps), atol=1e-12)


OPERATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": nn.functional.gelu,
    "pool": lambda h: nn.functional.max_pool1d(h, 3, 2),
    "softmax": lambda h: h.softmax(dim=1),
    "log-softmax": lambda h: h.log_softmax(dim=-1),
    "layer norm": lambda h: nn.functional.layer_norm(h.transpose(1, 2), (6,)).transpose(1, 2),
    "rms norm": lambda h: nn.functional.rms_norm(h, h.shape[-1:]),
    "group norm": lambda h: nn.functional.group_norm(h, 2),
    "glu": lambda h: nn.functional.glu(h, dim=1),
    "product": lambda h: h * h.sigmoid(),
    "division": lambda h: h / (1 + h.square()),
    "attention": lambda h: nn.functional.scaled_dot_product_attention(h, h, h),
    "standard deviation": lambda h: h.std(dim=-1, keepdim=True),
}


class Model(nn.Module):
    """A convolution, one operation, a mean over positions, a dense layer."""

    def __init__(self, operation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.operation = nn.Conv1d(4, 6, 5).double(), operation
        self.head = nn.LazyLinear(2, dtype=torch.float64)

    def forward(self, X: Tensor) -> Tensor:
        return self.head(self.operation(self.conv(X)).mean(dim=-1).tanh())


def built(name: str, X: Tensor) -> Model:
    model = Model(OPERATIONS[name]).eval()
    model(X)  # sizes the lazy layer
    return model


@pytest.fixture(scope="module")
def X() -> Tensor:
    return nb.random_one_hot((2, 4, 31), random_state=1).double()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_sequence_against_itself_has_no_attributions(name: str, X: Tensor) -> None:
    """Every difference is nought: multipliers are finite, and the scores of the bases that are there vanish."""
    model = built(name, X)
    m, r = nb.deep_lift_shap(model, X, references=X[:, None], raw_outputs=True, return_references=True)
    assert torch.isfinite(m).all()
    assert torch.equal(r[:, 0], X)
    leaf = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(leaf)[:, 0].sum(), leaf)
    assert float((m[:, 0] - gradient).abs().max()) < 1e-9  # the limit of every rule is the derivative
    assert float(nb.deep_lift_shap(model, X, references=X[:, None]).abs().max()) < 1e-15


class Mirrored(nn.Module):
    """The model on the other strand."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, X: Tensor) -> Tensor:
        return self.model(X.flip(1, 2))


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_other_strand_has_the_mirrored_attributions(name: str, X: Tensor) -> None:
    model, R = built(name, X), nb.dinucleotide_shuffle(X, n=4, random_state=0)
    for hypothetical in (False, True):
        here = nb.deep_lift_shap(model, X, references=R, hypothetical=hypothetical)
        there = nb.deep_lift_shap(
            Mirrored(model), nb.reverse_complement(X), references=R.flip(2, 3), hypothetical=hypothetical
        )
        assert float(here.abs().max()) > 1e-6
        assert float((here - there.flip(1, 2)).abs().max()) < 1e-14


def test_the_naive_rules_add_up(pair: tuple[Tensor, Tensor]) -> None:
    """The oracles themselves are complete, so that they are worth comparing with."""
    x, r = pair
    for M, f in (
        (naive_softmax(x, r), lambda z: z.softmax(0)),
        (naive_layer_norm(x, r, 0.1), lambda z: nn.functional.layer_norm(z, (12,), eps=0.1)),
        (naive_pool(x, r, 4, 2), lambda z: nn.functional.max_pool1d(z[None, None], 4, 2)[0, 0]),
    ):
        assert math.isclose(float((M @ (x - r) - (f(x) - f(r))).abs().max()), 0, abs_tol=1e-12)
