"""Saturation mutagenesis: against naive loops, against the peer, its windows, its options, its errors."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from nbinterp.attribution.ism import saturation_mutagenesis
from nbinterp.core.results import SaturationMutagenesisRawResult
from nbinterp.errors import Interrupted, ModelError, NbinterpError, NbinterpWarning


def one_hot(n: int, length: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 4, (n, length), generator=generator)
    return nn.functional.one_hot(codes, 4).transpose(1, 2).double().contiguous()


class WithArgs(nn.Module):
    """A convolution gated by a second input, and a third added at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate, self.out = nn.Conv1d(4, 6, 5, padding=2), nn.Linear(3, 6), nn.Linear(6, 2)

    def forward(self, X: torch.Tensor, condition: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.conv(X)) * torch.sigmoid(self.gate(condition))[:, :, None]
        return self.out(hidden.mean(dim=2)) + offset


class TwoHeads(nn.Module):
    """A profile and a count."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.profile, self.count = nn.Conv1d(4, 6, 5), nn.Conv1d(6, 2, 3), nn.Linear(6, 1)

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.relu(self.conv(X))
        return self.profile(hidden), self.count(hidden.mean(dim=2))


def small_model() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv1d(4, 6, 5, padding=2), nn.ReLU(), nn.MaxPool1d(3, 2), nn.Conv1d(6, 5, 3), nn.GELU(), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(5 * 17, 3)).double().eval()


def naive(model: nn.Module, X: torch.Tensor, *args: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Predict every sequence with every base at every position, one at a time."""
    n, alphabet, length = X.shape
    with torch.no_grad():
        y0 = model(X, *args)
        y_hat = torch.empty(n, alphabet, length, *y0.shape[1:], dtype=y0.dtype)
        for i in range(n):
            for b in range(alphabet):
                for p in range(length):
                    edited = X[i : i + 1].clone()
                    edited[0, :, p] = 0
                    edited[0, b, p] = 1
                    y_hat[i, b, p] = model(edited, *(a[i : i + 1] for a in args))[0]
    return y0, y_hat


@pytest.mark.parametrize("fast", [True, False])
def test_raw_outputs_equal_a_naive_loop(fast: bool) -> None:
    model, X = small_model(), one_hot(2, 40)
    X[0, :, 7] = X[1, :, 39] = 0  # unknown bases keep all four edits
    y0, y_hat = naive(model, X)
    result = saturation_mutagenesis(model, X, raw_outputs=True, fast=fast, device="cpu")
    assert isinstance(result, SaturationMutagenesisRawResult)
    torch.testing.assert_close(result.y0, y0, rtol=0, atol=1e-12)
    torch.testing.assert_close(result.y_hat, y_hat, rtol=0, atol=1e-12)


@pytest.mark.parametrize("fast", [True, False])
def test_further_inputs_go_with_their_rows(fast: bool) -> None:
    torch.manual_seed(1)
    model, X = WithArgs().double().eval(), one_hot(3, 20)
    args = (torch.randn(3, 3).double(), torch.randn(3, 2).double())
    y0, y_hat = naive(model, X, *args)
    result = saturation_mutagenesis(model, X, args=args, raw_outputs=True, fast=fast, device="cpu")
    torch.testing.assert_close(result.y_hat, y_hat, rtol=0, atol=1e-12)
    torch.testing.assert_close(result.y0, y0, rtol=0, atol=1e-12)


def test_scores_of_a_linear_model_are_its_centred_weights() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4 * 9, 1)).double()
    scores = saturation_mutagenesis(model, one_hot(2, 9), hypothetical=True, fast=False, device="cpu")
    weights = model[1].weight.detach().view(4, 9)
    torch.testing.assert_close(scores, (weights - weights.mean(0)).expand(2, 4, 9))


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_batch_size_changes_nothing(batch_size: int) -> None:
    model, X = small_model(), one_hot(2, 40)
    expected = saturation_mutagenesis(model, X, device="cpu")
    for fast in (True, False):
        found = saturation_mutagenesis(model, X, batch_size=batch_size, fast=fast, device="cpu")
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_arguments_that_choose_outputs_agree_with_raw_outputs() -> None:
    model, X = small_model(), one_hot(2, 40)
    y0, y_hat = saturation_mutagenesis(model, X, raw_outputs=True, device="cpu")
    change = y_hat - y0[:, None, None]
    change = change - change.mean(1, keepdim=True)
    for target, chosen in ((1, change[..., 1]), ([0, 2], change[..., [0, 2]].mean(-1)), (None, change.mean(-1))):
        scores = saturation_mutagenesis(model, X, target=target, hypothetical=True, device="cpu")
        torch.testing.assert_close(scores, chosen)
    last = saturation_mutagenesis(model, X, func=lambda y: y[:, 2:], hypothetical=True, device="cpu")
    torch.testing.assert_close(last, change[..., 2])


def test_several_outputs_need_raw_outputs() -> None:
    torch.manual_seed(0)
    model, X = TwoHeads().double().eval(), one_hot(1, 15)
    _, y_hat = saturation_mutagenesis(model, X, raw_outputs=True, device="cpu")
    slow = saturation_mutagenesis(model, X, raw_outputs=True, fast=False, device="cpu")
    assert [tuple(y.shape) for y in y_hat] == [(1, 4, 15, 2, 9), (1, 4, 15, 1)]
    for a, b in zip(y_hat, slow.y_hat, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    with pytest.raises(NbinterpError, match=r"\(raw_outputs\): got a model with several outputs"):
        saturation_mutagenesis(model, X, device="cpu")
    counts = saturation_mutagenesis(model, X, func=lambda y: y[1], device="cpu")
    assert counts.shape == (1, 4, 15)


def test_edits_of_the_weights_are_noticed() -> None:
    model, X = small_model(), one_hot(1, 40)
    saturation_mutagenesis(model, X, device="cpu")
    with torch.no_grad():
        model[3].weight.mul_(-1)
    fresh = saturation_mutagenesis(model, X, device="cpu")
    model[6].weight.data = model[6].weight.data * 2  # behind the version counter's back
    doubled = saturation_mutagenesis(model, X, device="cpu")
    torch.testing.assert_close(doubled, saturation_mutagenesis(model, X, fast=False, device="cpu"))
    torch.testing.assert_close(doubled, 2 * fresh)


def test_a_model_without_a_plan_is_run_in_full_and_says_why_once() -> None:
    model = nn.Sequential(nn.Softmax(dim=2), nn.Flatten(), nn.Linear(4 * 8, 1)).double()
    X = one_hot(1, 8)
    with pytest.warns(NbinterpWarning, match="softmax reads the whole sequence"):
        scores = saturation_mutagenesis(model, X, device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = saturation_mutagenesis(model, X, device="cpu")
        slow = saturation_mutagenesis(model, X, fast=False, device="cpu")
    assert torch.equal(scores, again)
    assert torch.equal(scores, slow)


def test_compact_rows_and_narrow_types() -> None:
    from nbinterp.sequence import PackedSequence

    model, X = small_model(), one_hot(2, 40)
    expected = saturation_mutagenesis(model, X, device="cpu")
    narrow = X.to(torch.int8)
    for rows in (narrow, narrow.numpy(), PackedSequence.from_one_hot(narrow)):
        for fast in (True, False):
            found = saturation_mutagenesis(model, rows, fast=fast, device="cpu")
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_soft_values_are_truncated_with_a_warning() -> None:
    model, X = small_model(), one_hot(1, 40)
    soft = X.clone()
    soft[0, :, 3] = 0.25
    hard = X.clone()
    hard[0, :, 3] = 0
    with pytest.warns(NbinterpWarning, match="rounded towards zero"):
        scores = saturation_mutagenesis(model, soft, device="cpu")
    torch.testing.assert_close(scores, saturation_mutagenesis(model, hard, device="cpu"))


class StopsAt(nn.Module):
    """Raises what an impatient user raises, at a call."""

    def __init__(self, model: nn.Module, call: int) -> None:
        super().__init__()
        self.model, self.left = model, call

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.model(X)


def test_an_interrupt_keeps_finished_sequences() -> None:
    model, X = small_model(), one_hot(3, 40)
    whole = saturation_mutagenesis(model, X, fast=False, device="cpu")
    with pytest.raises(Interrupted) as stopped:  # one call for the references, four for each sequence
        saturation_mutagenesis(StopsAt(model, 8), X, fast=False, device="cpu")
    assert stopped.value.n_done == 1
    torch.testing.assert_close(stopped.value.partial, whole[:1])
    with pytest.raises(Interrupted) as stopped:
        saturation_mutagenesis(StopsAt(model, 1), X, device="cpu")
    assert (stopped.value.n_done, stopped.value.partial) == (0, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 5, "end": 5}, r"\(start, end\): got \[5, 5\); need 0 <= start < end <= 40"),
        ({"start": -1}, r"\(start, end\): got \[-1, 40\)"),
        ({"end": 41}, r"\(start, end\): got \[0, 41\)"),
        ({"args": (torch.zeros(3, 1),)}, r"\(args\[0\]\): got \(3, 1\); need a tensor of 2 rows"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(NbinterpError, match="saturation_mutagenesis" + message):
        saturation_mutagenesis(small_model(), one_hot(2, 40), device="cpu", **arguments)


def test_bad_input_and_output() -> None:
    with pytest.raises(NbinterpError, match=r"\(X\): got no sequences"):
        saturation_mutagenesis(small_model(), one_hot(2, 40)[:0], device="cpu")
    with pytest.raises(ModelError, match=r"\(X\): got shape \(1, 4, 30\); need a shape the model can take"):
        saturation_mutagenesis(small_model(), one_hot(1, 30), device="cpu")
    with pytest.raises(NbinterpError, match=r"\(X\): got shape \(4, 40\)"):
        saturation_mutagenesis(small_model(), one_hot(2, 40)[0], device="cpu")
    with pytest.raises(NbinterpError, match=r"\(model\): got an output of type dict"):
        saturation_mutagenesis(lambda X: {"y": X}, one_hot(1, 4), device="cpu")


@pytest.mark.parity
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"start": 5, "end": 20},
        {"start": 3, "end": -4},
        {"hypothetical": True, "target": 1},
        {"target": slice(0, 2)},
        {"raw_outputs": True, "end": 12},
        {"dtype": "float32"},
    ],
)
def test_results_are_the_peers(arguments: dict[str, object], fast: bool) -> None:
    peer = pytest.importorskip("tangermeme.saturation_mutagenesis")
    model, X = small_model(), one_hot(2, 40)
    if arguments.get("dtype") == "float32":
        model = model.float()
    X[0, :, 6] = 0
    theirs = peer.saturation_mutagenesis(model, X, device="cpu", fast=False, **arguments)
    ours = saturation_mutagenesis(model, X, device="cpu", fast=fast, **arguments)
    # float64 to rounding; float32 to a few of its last digits
    tolerance = {"rtol": 0, "atol": 1e-6 if "dtype" in arguments else 1e-12}
    if arguments.get("raw_outputs"):
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, **tolerance)
    else:
        torch.testing.assert_close(ours, theirs, **tolerance)


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    model, X = small_model(), one_hot(2, 40)
    expected = saturation_mutagenesis(model, X, device="cpu")
    for fast in (True, False):
        found = saturation_mutagenesis(model, X, device=second_device, fast=fast)
        assert found.device.type == "cpu"
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    assert next(model.parameters()).device.type == "cpu"
