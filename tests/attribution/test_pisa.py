"""PISA: the peer's numbers, completeness at every output, independence of the batch."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.attribution.pisa import pisa
from nbinterp.errors import Interrupted, ModelError, NbinterpError
from tests.attribution.networks import ARCHITECTURES, extra, ready

Tensor = torch.Tensor


class Profile(nn.Module):
    """Dilated residual layers and a wide filter; each output position is a column."""

    def __init__(self, outputs: int = 21) -> None:
        super().__init__()
        self.first, self.a, self.b = nn.Conv1d(4, 8, 7, padding=3), nn.ReLU(), nn.ReLU()
        self.conv, self.head = nn.Conv1d(8, 8, 3, dilation=2, padding=2), nn.Conv1d(8, 1, 9, padding=2)
        self.outputs = outputs

    def forward(self, X: Tensor) -> Tensor:
        h = self.a(self.first(X))
        h = h + self.b(self.conv(h))
        return self.head(h)[:, 0, : self.outputs]


@pytest.fixture(scope="module")
def X() -> Tensor:
    return nb.random_one_hot((4, 4, 70), random_state=0).double()


@pytest.fixture(params=["profile", *ARCHITECTURES])
def case(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    return request.param, ready({"profile": Profile, **ARCHITECTURES}[request.param]())


def test_each_output_is_that_output_of_deep_lift_shap(case: tuple[str, nn.Module], X: Tensor) -> None:
    name, model = case
    references = nb.dinucleotide_shuffle(X, n=4, random_state=1)
    found = pisa(model, X, extra(name), references=references, batch_size=11)
    for t in range(found.shape[1]):
        one = nb.deep_lift_shap(model, X, extra(name), target=t, references=references)
        torch.testing.assert_close(found[:, t], one, rtol=0, atol=1e-12)


def test_scores_add_up_at_every_output(X: Tensor) -> None:
    model = ready(Profile())
    scores, r = pisa(model, X, n_shuffles=5, random_state=3, return_references=True)
    with torch.no_grad():
        difference = model(X) - torch.stack([model(r[:, j].to(X)) for j in range(5)]).mean(dim=0)
    torch.testing.assert_close(scores.sum(dim=(-2, -1)), difference, rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 3, 20, 1000])
@pytest.mark.parametrize("raw", [False, True])
def test_results_do_not_depend_on_the_batch(X: Tensor, batch_size: int, raw: bool) -> None:
    model = ready(Profile())
    common = {"n_shuffles": 4, "random_state": 0, "raw_outputs": raw}
    expected = pisa(model, X, **common)
    assert expected.shape == ((4, 4, 21, 4, 70) if raw else (4, 21, 4, 70))
    torch.testing.assert_close(pisa(model, X, batch_size=batch_size, **common), expected, rtol=0, atol=1e-13)


def test_chosen_outputs_are_those_of_all(X: Tensor) -> None:
    model = ready(Profile())
    whole = pisa(model, X, n_shuffles=2, random_state=0)
    part = pisa(model, X, n_shuffles=2, random_state=0, outputs=[5, -1, 5])
    torch.testing.assert_close(part, whole[:, [5, 20, 5]], rtol=0, atol=1e-13)


def test_compact_and_narrow_sequences_give_the_same(X: Tensor) -> None:
    model, narrow = ready(Profile()), X.to(torch.int8)
    expected = pisa(model, X, n_shuffles=2, random_state=0)
    for rows in (narrow, nb.PackedSequence.from_one_hot(narrow), nb.CodedSequence.from_one_hot(narrow)):
        torch.testing.assert_close(pisa(model, rows, n_shuffles=2, random_state=0), expected, rtol=0, atol=0)


class Cube(nn.Module):
    """A module that only the user has a rule for."""

    def forward(self, X: Tensor) -> Tensor:
        return X**3


def test_rules_of_ones_own(X: Tensor) -> None:
    model = ready(nn.Sequential(nn.Conv1d(4, 3, 5), Cube(), nn.Flatten(), nn.Linear(3 * 66, 5)))
    rules = {Cube: nb.integrated_gradients_op()}
    found = pisa(model, X, n_shuffles=3, random_state=0, additional_nonlinear_ops=rules, batch_size=100)
    plain = pisa(model, X, n_shuffles=3, random_state=0)  # x**3 has the rescale rule of its own
    assert found.shape == (4, 5, 4, 70)
    torch.testing.assert_close(found.sum(dim=(-2, -1)), plain.sum(dim=(-2, -1)), rtol=0, atol=1e-9)


def test_warns_when_scores_do_not_add_up(X: Tensor) -> None:
    class Slope(nn.ReLU):
        pass

    model = ready(nn.Sequential(nn.Conv1d(4, 3, 5), Slope(), nn.Flatten(), nn.Linear(3 * 66, 2)))
    options = {"n_shuffles": 2, "random_state": 0, "additional_nonlinear_ops": {Slope: lambda m, a, b: (b[0],)}}
    with pytest.warns(RuntimeWarning, match="Convergence deltas too high") as caught:
        pisa(model, X[:1], **options)
    assert {w.filename for w in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pisa(model, X[:1], warning_threshold=1e9, **options)
    with pytest.warns(nb.NbinterpWarning, match="convergence deltas: "):
        pisa(ready(Profile()), X[:1], n_shuffles=1, print_convergence_deltas=True)


def test_out_of_memory_takes_fewer_rows(X: Tensor) -> None:
    class Small(Profile):
        def forward(self, X: Tensor) -> Tensor:
            if len(X) > 3:
                raise torch.OutOfMemoryError("too many rows")
            return super().forward(X)

    expected = pisa(ready(Profile()), X, n_shuffles=8, random_state=0)
    found = pisa(ready(Small()), X, n_shuffles=8, random_state=0)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_an_interrupt_keeps_the_finished_rows(X: Tensor) -> None:
    model = ready(Profile())
    expected = pisa(model, X, n_shuffles=2, random_state=0)
    calls: list[int] = []

    def references(X: Tensor, n: int, random_state: int) -> Tensor:
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return nb.dinucleotide_shuffle(X, n=n, random_state=random_state)

    with pytest.raises(Interrupted) as caught:
        pisa(model, X, references=references, n_shuffles=2, random_state=0, batch_size=2)
    assert caught.value.n_done == 2
    torch.testing.assert_close(caught.value.partial, expected[:2], rtol=0, atol=1e-13)


class Rounds(nn.Module):
    """Has an operation without a rule."""

    def forward(self, X: Tensor) -> Tensor:
        return torch.round(X.mean(dim=-1))


@pytest.mark.parametrize(
    ("model", "options", "kind", "message"),
    [
        (Rounds(), {}, ModelError, r"pisa\(model\): got the operation round at"),
        (nn.Conv1d(4, 2, 3), {}, ModelError, r"pisa\(model\): got an output of shape \(4, 2, 68\)"),
        (Profile(), {"outputs": [99]}, ModelError, r"pisa\(model\): .* for target \[99\]"),
        (Profile(), {"outputs": []}, NbinterpError, r"pisa\(outputs\): got \[\]; need column numbers"),
        (Profile(), {"n_shuffles": 0}, NbinterpError, r"pisa\(n_shuffles\): got 0"),
        (Profile(), {"batch_size": 0}, NbinterpError, r"pisa\(batch_size\): got 0"),
        (Profile(), {"references": torch.zeros(4, 2, 4, 9)}, NbinterpError, r"pisa\(references\): got shape"),
        (Profile(), {"args": (torch.zeros(2, 1),)}, NbinterpError, r"pisa\(args\[0\]\)"),
        (Profile(), {"additional_nonlinear_ops": {"ReLU": print}}, NbinterpError, r"pisa\(additional_nonlinear_ops"),
    ],
)
def test_bad_arguments(model: nn.Module, options: dict[str, object], kind: type, message: str, X: Tensor) -> None:
    with pytest.raises(kind, match=message):
        pisa(model.double(), X, **{"n_shuffles": 2, **options})


def test_bad_sequences(X: Tensor) -> None:
    unknown = X.clone()
    unknown[1, :, 3] = 0
    for rows, message in ((unknown, "without a base"), (X[:0], "no sequences"), (X / 2, "an entry of 0.5")):
        with pytest.raises(NbinterpError, match=r"pisa\(X\): got .*" + message):
            pisa(ready(Profile()), rows)


@pytest.mark.parity
@pytest.mark.parametrize(
    "options",
    [{}, {"hypothetical": True, "batch_size": 5}, {"raw_outputs": True, "batch_size": 64}],
    ids=["default", "hypothetical", "raw"],
)
def test_equals_tangermeme(case: tuple[str, nn.Module], X: Tensor, options: dict[str, object]) -> None:
    peer = pytest.importorskip("tangermeme.pisa")
    name, model = case
    theirs = model
    if "attention" in name:  # the peer knows its own class of bilinear operations
        from tangermeme.deep_lift_shap import BilinearOp

        theirs = ready(type(model)(BilinearOp))
    common = {"n_shuffles": 3, "random_state": 7, "return_references": True, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, drawn = peer.pisa(theirs, X, args=extra(name), device="cpu", **common)
    found, references = pisa(model, X, args=extra(name), device="cpu", **common)
    assert torch.equal(references.to(drawn.dtype), drawn)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_a_second_device_agrees_with_the_cpu(case: tuple[str, nn.Module], X: Tensor, second_device: str) -> None:
    name, model = case
    common = {"args": extra(name), "n_shuffles": 2, "random_state": 0, "batch_size": 9}
    expected = pisa(model, X, device="cpu", **common)
    found = pisa(model, X, device=second_device, **common)
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    assert next(model.parameters()).device.type == "cpu"
