"""diagnose: names the culprit, its place and its share, and tells our limits from those of others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.errors import ModelError

Tensor = torch.Tensor


class Squares(torch.autograd.Function):
    """A custom function."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: object, g: Tensor) -> Tensor:
        return 2 * ctx.saved_tensors[0] * g


class Inner(nn.Module):
    """Holds the fault, so that its path can be asked for."""

    def __init__(self, fault: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.fault = fault

    def forward(self, h: Tensor) -> Tensor:
        return self.fault(h)


class Model(nn.Module):
    """Convolution, ReLU, something, mean, dense."""

    def __init__(self, fault: Callable[[Tensor], Tensor] | nn.Module) -> None:
        super().__init__()
        self.conv, self.relu, self.head = nn.Conv1d(4, 5, 5), nn.ReLU(), nn.Linear(5, 2)
        self.middle = fault if isinstance(fault, nn.Module) else Inner(fault)

    def forward(self, X: Tensor) -> Tensor:
        return self.head(self.relu(self.middle(self.conv(X))).mean(dim=-1))


def zero_the_negative(h: Tensor) -> Tensor:
    h = h.clone()
    h[h < 0] = 0
    return h


def ready(fault: Callable[[Tensor], Tensor] | nn.Module) -> nn.Module:
    torch.manual_seed(1)
    return Model(fault).double().eval()


@pytest.fixture(scope="module")
def X() -> Tensor:
    return nb.random_one_hot((3, 4, 40), random_state=0).double()


FAULTS = {
    "cumprod": (lambda h: h.cumprod(dim=1), "cumprod", "no rule"),
    "sort": (lambda h: torch.sort(h, dim=-1).values * torch.arange(36.0), "sort", "no rule"),
    "norm over positions": (lambda h: h / torch.linalg.vector_norm(h, dim=-1, keepdim=True), "linalg_vector_norm", "no rule"),
    "custom function": (Squares.apply, "Squares", "custom autograd function"),
    "mask": (lambda h: h * (h > 0.1), "__mul__|mul", "mask"),
    "masked_fill by keyword": (lambda h: h.masked_fill(mask=h < 0, value=0.0), "masked_fill", "mask"),
    "assignment": (zero_the_negative, "__setitem__", "mask"),
    "detached scale": (lambda h: h / h.detach().amax(dim=(1, 2), keepdim=True), "__truediv__|div", "detached"),
    "dropout that stays on": (lambda h: nn.functional.dropout(h, 0.5), "dropout", "stays on"),
    "batch statistics": (nn.BatchNorm1d(5, track_running_stats=False), "batch_norm", "statistics of the batch"),
    "amax over two axes": (lambda h: h + h.amax(dim=(1, 2), keepdim=True), "amax", "several axes"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_planted_fault_is_named_with_its_whole_share(name: str, X: Tensor) -> None:
    fault, operation, words = FAULTS[name]
    found = nb.diagnose(ready(fault), X)
    assert len(found.findings) == 1, found
    row = found.findings.iloc[0]
    assert row.operation in operation.split("|")
    assert row["where"].startswith("middle (")
    assert words in row.problem
    assert row.remedy
    assert row.share == pytest.approx(1, abs=1e-6)
    assert found.relative_delta > 1e-3
    assert not found.complete
    assert row.operation in str(found)
    assert "100%" in str(found)
    assert row.operation in found._repr_html_()


def test_two_faults_share_the_delta(X: Tensor) -> None:
    model = nn.Sequential(Model(lambda h: Squares.apply(h.cumprod(dim=1))), nn.Softmax(dim=-1)).double().eval()
    found = nb.diagnose(model, X)
    assert set(found.findings.operation) == {"cumprod", "Squares"}
    assert float(found.findings.share.sum()) == pytest.approx(1, abs=1e-6)
    assert found.findings["where"].str.startswith("0.middle (Inner)").all()
    assert found.findings["where"].str.contains("test_diagnose.py:").all()


def test_a_rule_of_the_user_clears_the_finding(X: Tensor) -> None:
    class Cumulated(nn.Module):
        def forward(self, h: Tensor) -> Tensor:
            return h.cumprod(dim=1)

    model = ready(Cumulated())
    assert list(nb.diagnose(model, X).findings.operation) == ["cumprod"]
    found = nb.diagnose(model, X, additional_nonlinear_ops={Cumulated: nb.integrated_gradients_op()})
    assert found.complete, found
    assert "add up" in str(found)


def test_the_delta_is_that_of_deep_lift_shap(X: Tensor) -> None:
    """The same number by another way: sums of raw multipliers against predictions."""
    model = ready(lambda h: h * h * h)  # complete: two products
    assert nb.diagnose(model, X).delta < 1e-12
    broken = ready(FAULTS["cumprod"][0])
    R = nb.dinucleotide_shuffle(X, n=1, random_state=0)
    found = nb.diagnose(broken, X, references=R)
    leaf = R[:, 0].double().requires_grad_()
    relu = (broken.conv(X), broken.conv(leaf))
    x, r = (h.cumprod(dim=1) for h in relu)
    slope = torch.where((x - r).abs() < 1e-6, (x > 0).double(), (x.relu() - r.relu()) / (x - r))
    upstream = (slope * broken.head.weight[0][:, None] / 36).detach()
    (m,) = torch.autograd.grad(r, leaf, upstream)
    gap = (broken(X) - broken(R[:, 0].double()))[:, 0] - ((X - leaf) * m).sum(dim=(1, 2))
    assert found.delta == pytest.approx(float(gap.abs().mean().detach()), rel=1e-9)


class Reuses(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, h: Tensor) -> Tensor:
        return self.relu(self.relu(h) - 0.1)


def made_in_forward(h: Tensor) -> Tensor:
    sigmoid = nn.Sigmoid()
    return sigmoid(h)


ELSEWHERE = {
    "functional": (torch.tanh, "tanh", "functional call", "tangermeme, captum"),
    "softmax": (lambda h: h.softmax(dim=1), "softmax", "functional call", "tangermeme, captum"),
    "group norm": (nn.GroupNorm(1, 5), "group_norm", "GroupNorm has no rule", "tangermeme, captum"),
    "GELU": (nn.GELU(), "gelu", "no rule in captum", "captum"),
    "re-used": (Reuses(), "relu", "more than once", "captum"),
    "made in forward": (made_in_forward, "sigmoid", "made in forward", "tangermeme, captum"),
    "product": (lambda h: h * h.flip(-1), "mul|__mul__", "product of activations", "tangermeme, captum"),
    "in place": (nn.ReLU(inplace=True), "relu", "in place", "tangermeme, captum"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_other_tools_miss_is_told_apart(name: str, X: Tensor) -> None:
    middle, operation, words, tools = ELSEWHERE[name]
    found = nb.diagnose(ready(middle), X)
    assert found.complete, found
    row = next(row for row in found.elsewhere.itertuples() if words in row.problem)
    assert row.operation in operation.split("|")
    assert row.tools == tools
    assert row.where.startswith("middle")


def test_plain_modules_give_nothing_to_say(X: Tensor) -> None:
    found = nb.diagnose(ready(nn.Sigmoid()), X)
    assert found.complete
    assert not len(found.elsewhere)


def test_modules_left_in_training_are_mentioned_and_left_so(X: Tensor) -> None:
    model = ready(nn.Sequential(nn.BatchNorm1d(5), nn.Dropout(0.3))).train()
    found = nb.diagnose(model, X)
    assert found.complete
    assert list(found.elsewhere.operation) == ["BatchNorm1d", "Dropout"]
    assert list(found.elsewhere["where"]) == ["middle.0 (BatchNorm1d)", "middle.1 (Dropout)"]
    assert all(module.training for module in model.modules())


def test_a_branch_on_the_data_is_a_finding() -> None:
    X = nb.one_hot_encode("A" * 20 + "C").unsqueeze(0)
    R = nb.one_hot_encode("C" * 21).reshape(1, 1, 4, 21)

    class Branches(nn.Module):
        def forward(self, X: Tensor) -> Tensor:
            y = X[:, 0].sum(dim=-1, keepdim=True)
            return y.relu() if float(y.detach().sum()) > 17.5 * len(X) else y.tanh()

    found = nb.diagnose(Branches(), X, references=R, device="cpu")
    assert "another sequence of operations" in found.findings.problem[0]
    assert "share unknown" in str(found)


def test_errors_at_the_door(X: Tensor) -> None:
    with pytest.raises(ModelError, match=r"diagnose\(model\): got an output of shape \(3, 2\) for target \[7\]"):
        nb.diagnose(ready(nn.ReLU()), X, target=7)
    with pytest.raises(ModelError, match="does not depend on X"):
        nb.diagnose(ready(lambda h: h.detach()), X)


def test_a_plain_function_and_in_place_faults(X: Tensor) -> None:
    model = ready(nn.Identity())

    def changed(X: Tensor) -> Tensor:
        h = model.conv(X).relu_()
        h.cumprod_(dim=1)
        return model.head(h.mean(dim=-1))

    found = nb.diagnose(changed, X, dtype=torch.float64)
    assert list(found.findings.operation) == ["cumprod_"]
    assert found.findings.share[0] == pytest.approx(1, abs=1e-6)
    line = changed.__code__.co_firstlineno + 2
    assert found.findings["where"][0] == f"the model, test_diagnose.py:{line}"


@pytest.mark.parametrize("name", ["cumprod", "mask", "detached scale"])
def test_faults_are_found_on_a_second_device(name: str, X: Tensor, second_device: str) -> None:
    model = ready(FAULTS[name][0])
    here, there = nb.diagnose(model, X, device="cpu"), nb.diagnose(model, X, device=second_device)
    assert there.findings.operation.tolist() == here.findings.operation.tolist()
    assert there.relative_delta == pytest.approx(here.relative_delta)
