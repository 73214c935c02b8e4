"""DeepLIFT/SHAP: equal to tangermeme to rounding, complete, and honest about what it cannot do."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.attribution.deep_lift_shap_run import Total
from nbinterp.errors import Interrupted, ModelError, NbinterpError
from tests.attribution.networks import (
    ARCHITECTURES,
    Attention,
    BPNetLike,
    NativeAttention,
    extra,
    ready,
)

Tensor = torch.Tensor


@pytest.fixture(scope="module")
def X() -> Tensor:
    return nb.random_one_hot((4, 4, 70), random_state=0).double()


@pytest.fixture(params=ARCHITECTURES)
def case(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    return request.param, ready(ARCHITECTURES[request.param]())


def completeness(model: nn.Module, X: Tensor, args: tuple[Tensor, ...] | None, target: int = 0, n: int = 5) -> float:
    """Largest gap between summed scores and the difference in prediction, over pairs."""
    m, r = nb.deep_lift_shap(
        model, X, args, target=target, n_shuffles=n, random_state=1, raw_outputs=True, return_references=True
    )
    more = args or ()
    with torch.no_grad():
        f_x = model(X, *more)[:, target]
        f_r = torch.stack([model(r[:, j].to(X), *more)[:, target] for j in range(n)], dim=1)
    return float((((X[:, None] - r) * m).sum(dim=(-2, -1)) - (f_x[:, None] - f_r)).abs().max())


@pytest.mark.parity
@pytest.mark.parametrize(
    "options",
    [{}, {"target": 2, "hypothetical": True, "batch_size": 3}, {"raw_outputs": True, "batch_size": 64}],
    ids=["default", "hypothetical", "raw"],
)
def test_equals_tangermeme(case: tuple[str, nn.Module], X: Tensor, options: dict) -> None:
    """1e-12 in float64: the order of sums differs, nothing else."""
    peer = pytest.importorskip("tangermeme.deep_lift_shap")
    name, ours = case
    theirs = ready(Attention(peer.BilinearOp)) if "attention" in name else ours
    common = {"args": extra(name), "n_shuffles": 5, "random_state": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer warns of deltas that ours does not have
        expected = peer.deep_lift_shap(theirs, X, device="cpu", **common)
    got = nb.deep_lift_shap(ours, X, **common)
    assert got.shape == expected.shape
    assert float(expected.abs().max()) > 1e-4
    assert float((got - expected).abs().max()) < 1e-12


@pytest.mark.parity
@pytest.mark.parametrize(
    "activation",
    "ReLU ReLU6 RReLU SELU CELU GELU SiLU Mish ELU LeakyReLU Sigmoid Tanh Softplus Softshrink LogSigmoid PReLU".split(),
)
def test_every_activation_equals_tangermeme(activation: str, X: Tensor) -> None:
    peer = pytest.importorskip("tangermeme.deep_lift_shap")
    model = ready(nn.Sequential(nn.Conv1d(4, 5, 5), getattr(nn, activation)(), nn.Flatten(), nn.Linear(330, 1)))
    expected = peer.deep_lift_shap(model, X, n_shuffles=3, random_state=0, device="cpu")
    assert float((nb.deep_lift_shap(model, X, n_shuffles=3, random_state=0) - expected).abs().max()) < 1e-12


@pytest.mark.parity
def test_references_given_as_tensor_with_unknown_bases(X: Tensor) -> None:
    peer = pytest.importorskip("tangermeme.deep_lift_shap")
    R = nb.dinucleotide_shuffle(X, n=4, random_state=3)
    R[:, :, :, 10:20] = 0
    model = ready(BPNetLike())
    expected = peer.deep_lift_shap(model, X, references=R, device="cpu")
    for given in (R, nb.PackedSequence.from_one_hot(R)):
        assert float((nb.deep_lift_shap(model, X, references=given) - expected).abs().max()) < 1e-12
    ours = nb.deep_lift_shap(model, X, references=nb.shuffle, n_shuffles=3, random_state=5)
    theirs = peer.deep_lift_shap(model, X, references=_peer_shuffle(), n_shuffles=3, random_state=5, device="cpu")
    assert float((ours - theirs).abs().max()) < 1e-12


def _peer_shuffle() -> object:
    return pytest.importorskip("tangermeme.ersatz").shuffle


@pytest.mark.parity
def test_user_rules_work_for_classes_and_subclasses(X: Tensor) -> None:
    peer = pytest.importorskip("tangermeme.deep_lift_shap")

    class Cube(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x**3 + torch.sin(x)

    class Child(Cube):
        pass

    def build(kind: type) -> nn.Module:
        return ready(nn.Sequential(nn.Conv1d(4, 5, 5), kind(), nn.Flatten(), nn.Linear(330, 1)))

    common = {"n_shuffles": 3, "random_state": 0}
    expected = peer.deep_lift_shap(
        build(Cube), X, additional_nonlinear_ops={Cube: peer.integrated_gradients_op()}, device="cpu", **common
    )
    for kind in (Cube, Child):
        for op in (nb.integrated_gradients_op(), peer.integrated_gradients_op()):
            got = nb.deep_lift_shap(build(kind), X, additional_nonlinear_ops={Cube: op}, **common)
            assert float((got - expected).abs().max()) < 1e-12


def test_scores_add_up(case: tuple[str, nn.Module], X: Tensor) -> None:
    name, model = case
    assert completeness(model, X, extra(name)) < 1e-10


class Functional(nn.Module):
    """Everything that is usually written without modules."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv1d(4, 6, 5), nn.Conv1d(6, 6, 3), nn.Linear(6, 3)

    def forward(self, X: Tensor) -> Tensor:
        F = nn.functional
        h = F.max_pool1d(torch.relu(self.a(X)), 3, 2)
        h = self.b(h).sigmoid() * torch.tanh(self.b(h))
        h = h / (1 + h.abs().mean(dim=1, keepdim=True))
        h = F.log_softmax(h, dim=1) + h.softmax(dim=1) * h.logsumexp(dim=1, keepdim=True)
        h = F.group_norm(h, 2) + torch.maximum(h, h.flip(-1)) + h.std(dim=1, keepdim=True)
        h = torch.clamp(h, -1.5, 1.5) + h.pow(2) - torch.exp(-h) + torch.sqrt(h * h + 1)
        return self.head(h.amax(dim=-1) + torch.einsum("ncl,ncl->nc", h, h.flip(-1)) / 30)


class MultiHead(nn.Module):
    """torch's own attention and encoder layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv1d(4, 8, 5)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.1)
        self.head = nn.Linear(8, 3)

    def forward(self, X: Tensor) -> Tensor:
        h = self.embed(X).transpose(1, 2)
        return self.head(self.layer(h + self.attention(h, h, h)[0]).mean(dim=1))


class InPlace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.relu, self.head = nn.Conv1d(4, 6, 5), nn.ReLU(inplace=True), nn.Linear(6, 3)

    def forward(self, X: Tensor) -> Tensor:
        h = self.a(X)
        self.relu(h)  # the caller goes on with h, which has changed
        return self.head(h.mean(dim=-1).tanh_())


@pytest.mark.parametrize("build", [Functional, MultiHead, InPlace, lambda: NativeAttention(nb.BilinearOp)])
def test_functional_operations_have_rules(build: object, X: Tensor) -> None:
    model = ready(build())
    assert completeness(model, X, None) < 1e-9


def test_functional_and_module_attention_agree(X: Tensor) -> None:
    modules, functions = ready(Attention(nb.BilinearOp)), ready(NativeAttention(nb.BilinearOp))
    a, b = (nb.deep_lift_shap(m, X, n_shuffles=4, random_state=0) for m in (modules, functions))
    assert float((a - b).abs().max()) < 1e-12


def test_a_linear_model_has_its_weights_as_multipliers(X: Tensor) -> None:
    model = ready(nn.Sequential(nn.Flatten(), nn.Linear(280, 2)))
    m = nb.deep_lift_shap(model, X, target=1, n_shuffles=2, random_state=0, raw_outputs=True)
    assert torch.allclose(m, model[1].weight[1].reshape(1, 1, 4, 70).expand_as(m), atol=1e-14)


def test_results_do_not_depend_on_the_batch(X: Tensor) -> None:
    model = ready(BPNetLike())
    whole = nb.deep_lift_shap(model, X, n_shuffles=6, random_state=0, batch_size=1000)
    for size in (1, 4, 7, 12, 13):
        part = nb.deep_lift_shap(model, X, n_shuffles=6, random_state=0, batch_size=size)
        assert float((part - whole).abs().max()) < 1e-14
    one = nb.deep_lift_shap(model, X[2:3], n_shuffles=6, random_state=0)
    shuffled = nb.dinucleotide_shuffle(X[2:3], n=1, random_state=0)
    kept = nb.deep_lift_shap(model, X, n_shuffles=6, random_state=0, return_references=True).references
    assert torch.equal(kept[2, 0], shuffled[0, 0])
    # reference j has seed random_state + j for every sequence, so a row alone gives the row of the batch
    assert float((one[0] - whole[2]).abs().max()) < 1e-14


def test_several_targets_share_a_forward_pass(X: Tensor) -> None:
    model = ready(BPNetLike())
    common = {"n_shuffles": 3, "random_state": 0}
    together = nb.deep_lift_shap(model, X, target=[2, 0], **common)
    assert together.shape == (4, 2, 4, 70)
    for i, target in enumerate((2, 0)):
        assert float((together[:, i] - nb.deep_lift_shap(model, X, target=target, **common)).abs().max()) < 1e-14


def test_standard_error_is_that_of_the_references(X: Tensor) -> None:
    model = ready(BPNetLike())
    common = {"n_shuffles": 6, "random_state": 0}
    result = nb.deep_lift_shap(model, X, return_standard_error=True, return_references=True, **common)
    m, r = nb.deep_lift_shap(model, X, raw_outputs=True, return_references=True, **common)
    each = (m - (m * r).sum(dim=-2, keepdim=True)) * X[:, None]
    assert torch.allclose(result.attributions, each.mean(dim=1), atol=1e-14)
    assert torch.allclose(result.standard_error, each.std(dim=1) / 6**0.5, atol=1e-9)
    assert torch.equal(result.references, r)


def test_compact_sequences_give_the_same(X: Tensor) -> None:
    model = ready(BPNetLike())
    common = {"n_shuffles": 3, "random_state": 0}
    expected = nb.deep_lift_shap(model, X, **common)
    for kind in (nb.PackedSequence, nb.CodedSequence):
        assert torch.equal(nb.deep_lift_shap(model, kind.from_one_hot(X), **common), expected)


def test_the_model_comes_back_as_it_was(X: Tensor) -> None:
    model = ready(BPNetLike()).train()
    model.first.weight.requires_grad_(False)
    before = {n: (p.requires_grad, p.clone()) for n, p in model.named_parameters()}
    nb.deep_lift_shap(model, X, n_shuffles=2, random_state=0)

    class Breaks(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, X: Tensor) -> Tensor:
            self.inner(X)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        nb.deep_lift_shap(Breaks(model), X)
    assert model.training
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad is before[name][0]
        assert torch.equal(parameter, before[name][1])
        assert parameter.grad is None
    assert not any(m._forward_hooks or m._forward_pre_hooks or "forward" in vars(m) for m in model.modules())


class Sorts(nn.Module):
    def forward(self, X: Tensor) -> Tensor:
        return X.sum(dim=1).sort(dim=-1).values


class Branches(nn.Module):
    def forward(self, X: Tensor) -> Tensor:
        y = X[:, 0].sum(dim=-1, keepdim=True)
        return y.relu() if float(y.detach().sum()) > 17.5 * len(X) else y.tanh()


class Masks(nn.Module):
    def forward(self, X: Tensor) -> Tensor:
        return (X * (X[:, :1] > 0)).flatten(1).sum(dim=1, keepdim=True)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Sorts(), r"the operation sort at .*Sorts"),
        (Masks(), "mask or detached value computed from the sequence"),
        (nn.Sequential(nn.Flatten(), nn.Linear(99, 1)), "shape"),
        (nn.Sequential(nn.Conv1d(4, 2, 3)), r"output of shape \(\d+, 2, 68\)"),
    ],
)
def test_what_has_no_rule_is_refused_by_name(model: nn.Module, words: str, X: Tensor) -> None:
    with pytest.raises(ModelError, match=words):
        nb.deep_lift_shap(model.double(), X, n_shuffles=2, random_state=0)


def test_a_branch_on_the_data_is_refused() -> None:
    X = nb.one_hot_encode("A" * 20 + "C").unsqueeze(0)
    R = nb.one_hot_encode("C" * 21).reshape(1, 1, 4, 21)
    with pytest.raises(ModelError, match=r"relu|tanh"):
        nb.deep_lift_shap(Branches(), X, references=R, device="cpu")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda X: X * 0.5, "got an entry of 0.5"),
        (lambda X: X * float("nan"), "NaN"),
        (lambda X: X[0], "batch axis|rows"),
        (lambda X: X[:0], "no sequences"),
        (lambda X: torch.cat([X[:, :, :-1], torch.zeros(4, 4, 1, dtype=X.dtype)], dim=-1), "without a base"),
    ],
)
def test_bad_sequences_are_refused(make: object, words: str, X: Tensor) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.deep_lift_shap(ready(BPNetLike()), make(X))


def test_an_interrupt_keeps_the_finished_rows(X: Tensor) -> None:
    model = ready(BPNetLike())
    expected = nb.deep_lift_shap(model, X, n_shuffles=2, random_state=0)
    calls = []

    def references(X: Tensor, n: int, random_state: int) -> Tensor:
        calls.append(1)
        if len(calls) > 6:
            raise KeyboardInterrupt
        return nb.dinucleotide_shuffle(X, n=n, random_state=random_state)

    with pytest.raises(Interrupted) as caught:
        nb.deep_lift_shap(model, X, references=references, n_shuffles=2, random_state=0, batch_size=2)
    assert caught.value.n_done == 3
    assert float((caught.value.partial - expected[:3]).abs().max()) < 1e-14


def test_a_custom_autograd_function_is_refused_by_name(X: Tensor) -> None:
    class Hidden(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx: object, g: Tensor) -> Tensor:
            return 2 * ctx.saved_tensors[0] * g

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.hidden = nn.Conv1d(4, 3, 5), Hidden.apply

        def forward(self, X: Tensor) -> Tensor:
            return self.hidden(self.conv(X)).sum(dim=(1, 2))[:, None]

    with pytest.raises(ModelError, match=r"the operation Hidden \(a custom autograd function\) at the model \(Model\)"):
        nb.deep_lift_shap(ready(Model()), X, n_shuffles=2, random_state=0)


def test_warns_when_scores_do_not_add_up(X: Tensor) -> None:
    class Slope(nn.Module):
        def forward(self, h: Tensor) -> Tensor:
            return h**2

    def wrong(module: nn.Module, grad_input: tuple, grad_output: tuple) -> tuple:
        return (grad_output[0] * 2,)

    model = ready(nn.Sequential(nn.Conv1d(4, 3, 5), Slope(), nn.Flatten(), nn.Linear(198, 1)))
    with pytest.warns(RuntimeWarning, match="diagnose") as caught:
        nb.deep_lift_shap(model, X, n_shuffles=2, random_state=0, additional_nonlinear_ops={Slope: wrong})
    assert {warning.filename for warning in caught} == {__file__}


def test_warns_of_predictions_that_are_not_finite(X: Tensor) -> None:
    class Overflows(nn.Module):
        def forward(self, X: Tensor) -> Tensor:
            return (X.sum(dim=1) * 1e200).square().sum(dim=-1, keepdim=True)

    with pytest.warns(RuntimeWarning, match="deltas are nan.*not finite"):
        nb.deep_lift_shap(Overflows(), X, n_shuffles=2, random_state=0)


class Through(nn.Module):
    """A convolution, some function, a mean."""

    def __init__(self, function: object) -> None:
        super().__init__()
        self.conv, self.side, self.function, self.head = (
            nn.Conv1d(4, 6, 5),
            nn.Conv1d(4, 6, 5),
            function,
            nn.Linear(6, 3),
        )

    def forward(self, X: Tensor) -> Tensor:
        return self.head(self.function(self.conv(X), self.side(X)).mean(dim=-1))


def assign(h: Tensor, mask: Tensor) -> Tensor:
    h = h.clone()
    h[mask] = 0
    return h


def built_mask(h: Tensor) -> Tensor:
    mask = torch.zeros(h.shape, dtype=h.dtype)
    mask[h.detach() > 0] = 1
    return mask


@pytest.mark.parametrize(
    "function",
    [
        lambda h, g: assign(h, h < 0),
        lambda h, g: h.masked_fill(mask=h < 0, value=0.0),
        lambda h, g: torch.where(condition=h > 0, input=h, other=torch.zeros(())),
        lambda h, g: h / h.detach().amax(dim=(1, 2), keepdim=True),
        lambda h, g: torch.clamp(h, max=h.detach().mean(dim=-1, keepdim=True)),
        lambda h, g: nn.functional.conv1d(h, (h.detach()[:1, :, :1] * torch.ones(6, 1, 1))),
        lambda h, g: h * built_mask(h),
    ],
    ids=["assignment", "masked_fill", "where", "division", "clamp", "weight", "assigned mask"],
)
def test_masks_and_detached_values_are_refused_wherever_they_enter(function: object, X: Tensor) -> None:
    with pytest.raises(ModelError, match="a mask or detached value computed from the sequence"):
        nb.deep_lift_shap(ready(Through(function)), X[:1], n_shuffles=2, random_state=0)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda h, g: nn.functional.dropout(h, 0.2), "dropout that is on"),
        (lambda h, g: torch.div(h, 0.1, rounding_mode="floor"), "div that rounds"),
        (lambda h, g: nn.functional.batch_norm(h, None, None, training=True), "statistics of the batch"),
    ],
)
def test_chance_rounding_and_batch_statistics_are_refused(function: object, words: str, X: Tensor) -> None:
    with pytest.raises(ModelError, match=words):
        nb.deep_lift_shap(ready(Through(function)), X, n_shuffles=2, random_state=0)


@pytest.mark.parametrize(
    "function",
    [
        lambda h, g: torch.lerp(h, g, h.sigmoid()),
        lambda h, g: torch.addcmul(h, h, g, value=0.5),
        lambda h, g: torch.baddbmm(h[:, :, :6], h.transpose(1, 2)[:, :6], g[:, :, :6]),
        lambda h, g: torch.cat([nn.functional.linear(one, two) for one, two in [(h[0], g[0])]]).unsqueeze(0),
        lambda h, g: nn.functional.conv1d(h.reshape(1, -1, 66), g.mean(dim=-1).reshape(-1, 1, 1), groups=6 * len(h)),
        lambda h, g: torch.matmul(input=h, other=g.transpose(1, 2)),
        lambda h, g: torch.mul(h, other=g),
        lambda h, g: torch.div(h, other=1 + g.square()),
        lambda h, g: torch.max(h, g) + torch.minimum(h, other=g),
        lambda h, g: nn.functional.relu(input=h),
        lambda h, g: torch.sigmoid(input=h) + nn.functional.softmax(input=g, dim=1),
    ],
    ids="lerp addcmul baddbmm linear conv matmul mul div max relu sigmoid".split(),
)
def test_products_however_they_are_written_add_up(function: object, X: Tensor) -> None:
    """One reference at a time: `linear` and `conv1d` with weights from the sequence know no batch."""
    model, X = ready(Through(function)), X[:1]
    if function.__code__.co_names.count("reshape") or "linear" in function.__code__.co_names:
        model.head = nn.Identity()
    R = nb.dinucleotide_shuffle(X, n=1, random_state=0)
    m = nb.deep_lift_shap(model, X, references=R, raw_outputs=True)[:, 0]
    with torch.no_grad():
        gap = (model(X) - model(R[:, 0].double()))[..., 0].flatten()[0] - ((X - R[:, 0]) * m).sum()
    assert abs(float(gap)) < 1e-10


def test_several_targets_through_products(X: Tensor) -> None:
    model = ready(NativeAttention(nb.BilinearOp))
    both = nb.deep_lift_shap(model, X, target=[0, 2], n_shuffles=2, random_state=0)
    for i, target in enumerate((0, 2)):
        one = nb.deep_lift_shap(model, X, target=target, n_shuffles=2, random_state=0)
        assert float((both[:, i] - one).abs().max()) < 1e-14


def test_a_plain_function_may_hold_weights_that_want_gradients(X: Tensor) -> None:
    """They do not see the sequence: no rule is asked for them, and none gets a gradient."""
    model = ready(nn.Sequential(nn.Conv1d(4, 5, 5), nn.PReLU(), nn.Flatten(), nn.Linear(330, 1)))
    common = {"n_shuffles": 2, "random_state": 0, "dtype": torch.float64}
    plain = nb.deep_lift_shap(model.forward, X, **common)
    assert float((plain - nb.deep_lift_shap(model, X, **common)).abs().max()) < 1e-14
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


def test_numpy_integers_are_targets(X: Tensor) -> None:
    model, common = ready(BPNetLike()), {"n_shuffles": 2, "random_state": 0}
    one = nb.deep_lift_shap(model, X, target=1, **common)
    assert torch.equal(nb.deep_lift_shap(model, X, target=np.int64(1), **common), one)
    assert torch.equal(nb.deep_lift_shap(model, X, target=np.array([1]), **common), one[:, None])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": []}, r"deep_lift_shap\(target\): got \[\]"),
        ({"target": 0.5}, r"target\): got 0.5"),
        ({"target": "counts"}, r"target\): got 'counts'"),
        (
            {"raw_outputs": True, "return_standard_error": True},
            r"return_standard_error\): got True together with raw_out",
        ),
        ({"additional_nonlinear_ops": {torch.relu: lambda m, a, b: a}}, "classes of modules"),
        ({"additional_nonlinear_ops": {"ReLU": lambda m, a, b: a}}, "classes of modules"),
    ],
)
def test_options_without_an_effect_are_refused(options: dict, words: str, X: Tensor) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.deep_lift_shap(ready(BPNetLike()), X, n_shuffles=2, **options)


def test_rules_need_a_module_to_find_their_parts_in(X: Tensor) -> None:
    model = ready(BPNetLike())
    with pytest.raises(NbinterpError, match="rules for a model that is a method"):
        nb.deep_lift_shap(model.forward, X, additional_nonlinear_ops={nn.ReLU: nb.integrated_gradients_op()})


def test_out_of_memory_within_one_sequence_halves_its_references(X: Tensor) -> None:
    inner, rows = ready(BPNetLike()), []

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, X: Tensor) -> Tensor:
            rows.append(len(X))
            if len(X) > 3:
                raise torch.OutOfMemoryError("too many rows")
            return self.inner(X)

    common = {"n_shuffles": 10, "random_state": 0, "return_standard_error": True}
    expected = nb.deep_lift_shap(inner, X, **common)
    got = nb.deep_lift_shap(Small(), X, batch_size=32, **common)
    assert {2, 5, 10} < set(rows)
    for a, b in zip(got[:2], expected[:2], strict=True):
        assert float((a - b).abs().max()) < 1e-14


def test_standard_errors_are_stable_in_single_precision() -> None:
    """A spread of a thousandth on scores of a thousand, in chunks; sums of squares would lose it in float32."""
    scores = 1000 + torch.randn(1, 24, 1, 4, 5, generator=torch.Generator().manual_seed(0)) / 1000
    total = Total()
    for part in scores.split((7, 7, 7, 3), dim=1):
        total.add(part)
    exact = scores.double().std(dim=1) / 24**0.5
    assert float((total.standard_error() / exact - 1).abs().max()) < 0.02
    assert float((total.mean() - scores.double().mean(dim=1)).abs().max()) < 2e-4


def test_a_second_device_equals_the_cpu(case: tuple[str, nn.Module], X: Tensor, second_device: str) -> None:
    name, model = case
    common = {"args": extra(name), "n_shuffles": 4, "random_state": 0}
    a = nb.deep_lift_shap(model, X, device="cpu", **common)
    b = nb.deep_lift_shap(model, X, device=second_device, **common)
    assert float((a - b).abs().max()) < 1e-10


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("func", [nb.deep_lift_shap, nb.pisa])
def test_a_script_is_refused_in_words(func: Any) -> None:
    X = nb.random_one_hot((1, 4, 12), random_state=0)
    script = torch.jit.trace(nn.Sequential(nn.Flatten(), nn.Linear(48, 1)), torch.zeros(1, 4, 12))
    with pytest.raises(nb.ModelError, match="saturation_mutagenesis"):
        func(nn.Sequential(script), X, n_shuffles=1)
