"""Edits answered by change-range plans, held to the model itself on edited copies."""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from nbinterp.errors import ModelError, NbinterpError
from nbinterp.model.incremental import Edit, change_range_plan, change_range_reason, plan_of
from nbinterp.model.incremental.window import Geometry, Track

L = 60


class Net(nn.Module):
    """A forward function over some layers."""

    def __init__(self, forward: Callable[..., object], *layers: nn.Module) -> None:
        super().__init__()
        self.layers, self._forward = nn.ModuleList(layers), forward

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> object:
        return self._forward(self.layers, X, *args)


def conv(channels: int = 8, width: int = 5, **options: object) -> nn.Conv1d:
    return nn.Conv1d(4, channels, width, **options)


def same(channels: int = 8) -> nn.Conv1d:
    return conv(channels, padding=2)


def residual_tower(m: nn.ModuleList, X: torch.Tensor) -> torch.Tensor:
    hidden = torch.relu(m[0](X))
    for layer in m[1:-1]:
        hidden = hidden + torch.relu(layer(hidden))
    return m[-1](hidden.mean(dim=2))


def attention(m: nn.ModuleList, X: torch.Tensor) -> torch.Tensor:
    hidden = m[1](functional.relu(m[0](X)).transpose(1, 2))
    hidden = hidden + m[2](hidden, hidden, hidden, need_weights=False)[0]
    return m[4](m[3](hidden).mean(dim=1))


def gated(m: nn.ModuleList, X: torch.Tensor) -> torch.Tensor:
    hidden = functional.relu(m[0](X))
    return m[2](hidden * torch.sigmoid(m[1](hidden.mean(dim=2)))[:, :, None]).amax(dim=2)


def both_strands(m: nn.ModuleList, X: torch.Tensor) -> torch.Tensor:
    forward, reverse = (m[1](functional.relu(m[0](x))) for x in (X, X.flip(1, 2)))
    return (forward + reverse.flip(2)) / 2


def chunks(m: nn.ModuleList, X: torch.Tensor) -> torch.Tensor:
    a, b, c = m[0](X).chunk(3, dim=1)
    return m[1](torch.cat([a * b, c / (1 + a.abs()), a - 2 * b], dim=1)).sum(dim=-1)


def positions(m: nn.ModuleList, X: torch.Tensor) -> torch.Tensor:
    place = m[1](torch.arange(X.shape[2])).t()
    return torch.where(place > 0, functional.relu(m[0](X)) * place, place).sum(dim=2)


def deepstarr(m: nn.ModuleList, X: torch.Tensor) -> torch.Tensor:
    for layer, norm in zip(m[0:3], m[3:6], strict=True):
        X = functional.max_pool1d(functional.relu(norm(layer(X))), 2)
    return m[7](functional.relu(m[6](X.flatten(1))))


ARCHITECTURES: dict[str, tuple[Callable[[], nn.Module], set[str]]] = {
    # name: (how to make it, operations that may run at full length beyond the head's)
    "residual dilations": (
        lambda: Net(
            residual_tower, same(), *(nn.Conv1d(8, 8, 3, padding=d, dilation=d) for d in (2, 4, 8)), nn.Linear(8, 2)
        ),
        {"linear"},
    ),
    "overlapping max-pool, GELU": (
        lambda: nn.Sequential(
            same(),
            nn.GELU(),
            nn.MaxPool1d(3, 2, 1),
            nn.Conv1d(8, 6, 3),
            nn.GELU(),
            nn.MaxPool1d(4, 2),
            nn.Flatten(),
            nn.Linear(78, 2),
        ),
        set(),
    ),
    "layer norm, attention": (
        lambda: Net(
            attention,
            same(),
            nn.LayerNorm(8),
            nn.MultiheadAttention(8, 2, batch_first=True),
            nn.LayerNorm(8),
            nn.Linear(8, 2),
        ),
        {"_native_multi_head_attention", "add", "layer_norm", "mean", "linear"},
    ),
    "layer norm": (
        lambda: Net(
            lambda m, X: m[2](m[1](functional.relu(m[0](X)).transpose(1, 2)).mean(1)),
            same(),
            nn.LayerNorm(8),
            nn.Linear(8, 2),
        ),
        {"linear"},
    ),
    "GLU": (
        lambda: nn.Sequential(
            conv(12, 7),
            nn.GLU(1),
            nn.Conv1d(6, 6, 3, dilation=3),
            nn.SiLU(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(6, 1),
        ),
        {"flatten", "linear"},
    ),
    "softmax head": (
        lambda: nn.Sequential(
            conv(6, 9, padding="same"),
            nn.BatchNorm1d(6),
            nn.ReLU(),
            nn.AvgPool1d(4),
            nn.Flatten(),
            nn.Linear(90, 3),
            nn.Softmax(-1),
        ),
        {"softmax"},
    ),
    "DeepSTARR": (
        lambda: Net(
            deepstarr,
            same(),
            nn.Conv1d(8, 6, 3, padding="same"),
            nn.Conv1d(6, 5, 5, padding="same"),
            nn.BatchNorm1d(8),
            nn.BatchNorm1d(6),
            nn.BatchNorm1d(5),
            nn.Linear(35, 6),
            nn.Linear(6, 2),
        ),
        {"relu", "linear"},
    ),
    "profile and counts": (
        lambda: Net(
            lambda m, X: (m[1](functional.elu(m[0](X)))[:, :, 10:-10], m[2](m[0](X).mean(-1))),
            same(),
            nn.Conv1d(8, 2, 7, padding=3),
            nn.Linear(8, 1),
        ),
        {"linear"},
    ),
    "both strands": (lambda: Net(both_strands, conv(), nn.Conv1d(8, 2, 5)), set()),
    "strides": (
        lambda: nn.Sequential(
            conv(8, 6, stride=3, padding=2),
            nn.Tanh(),
            nn.Conv1d(8, 8, 3, stride=2),
            nn.Sigmoid(),
            nn.Flatten(),
            nn.Linear(72, 1),
        ),
        set(),
    ),
    "two-dimensional": (
        lambda: Net(
            lambda m, X: m[2](functional.relu(m[1](functional.relu(m[0](X[:, None]))).squeeze(2)).flatten(1)),
            nn.Conv2d(1, 6, (4, 7), padding=(0, 3)),
            nn.Conv2d(6, 6, (1, 5)),
            nn.Linear(336, 2),
        ),
        set(),
    ),
    "squeeze and excite": (
        lambda: Net(gated, same(), nn.Linear(8, 8), nn.Conv1d(8, 2, 1)),
        {"linear", "sigmoid", "unsqueeze", "mul", "conv1d", "amax"},
    ),
    "chunks": (lambda: Net(chunks, same(9), nn.Conv1d(9, 2, 3)), set()),
    "positions": (lambda: Net(positions, same(), nn.Embedding(L, 8)), set()),
    "recurrent": (
        lambda: Net(
            lambda m, X: m[2](m[1](functional.relu(m[0](X)).transpose(1, 2))[0].mean(1)),
            same(),
            nn.LSTM(8, 4, batch_first=True, bidirectional=True),
            nn.Linear(8, 2),
        ),
        {"lstm", "mean", "linear"},
    ),
    "in place": (
        lambda: nn.Sequential(
            conv(),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
            nn.Conv1d(8, 8, 3, groups=2),
            nn.ELU(inplace=True),
            nn.Flatten(),
            nn.ReLU(inplace=True),
            nn.Linear(432, 1),
        ),
        set(),
    ),
    "bare squeeze": (
        lambda: Net(lambda m, X: m[1](functional.relu(m[0](X))).squeeze()[:, None], conv(), nn.Conv1d(8, 1, 56)),
        {"squeeze", "unsqueeze"},
    ),
    "padding, steps and joins": (
        lambda: Net(
            lambda m, X: m[1](
                functional.pad(
                    torch.cat(
                        [m[0](X)[:, :, 3:50:2], functional.avg_pool1d(m[0](X)[:, :, 5:53], 4, 2, 1)[:, :, :24]], 1
                    ),
                    (3, -2),
                )
            ).mean((1, 2))[:, None],
            conv(),
            nn.Conv1d(16, 4, 3),
        ),
        {"unsqueeze"},
    ),
    "constant flanks": (
        lambda: Net(
            lambda m, X: m[1](
                functional.relu(m[0](torch.cat([torch.ones(1, 4, 7).to(X).expand(len(X), -1, -1) / 4, X], 2)))
            ).flatten(1),
            conv(),
            nn.Conv1d(8, 3, 4),
        ),
        set(),
    ),
    "matrix product over channels": (
        lambda: Net(
            lambda m, X: (functional.relu(m[0](X)).permute(0, 2, 1) @ m[1].weight.t()).softmax(-1).mean(1),
            conv(),
            nn.Linear(8, 3),
        ),
        set(),
    ),
    "norms over the length": (
        lambda: Net(
            lambda m, X: m[3](m[2](m[1](m[0](X)))).mean(2),
            same(),
            nn.GroupNorm(2, 8),
            nn.InstanceNorm1d(8),
            nn.Conv1d(8, 2, 3),
        ),
        {"group_norm", "instance_norm", "conv1d", "mean"},
    ),
    "unknown operations": (
        lambda: Net(
            lambda m, X: m[1](
                functional.interpolate(functional.pad(m[0](X), (2, 2), mode="reflect"), scale_factor=2)
            ).mean(2),
            conv(),
            nn.ConvTranspose1d(8, 2, 4, 2),
        ),
        {"pad", "upsample_nearest1d", "conv_transpose1d", "mean"},
    ),
    "global max and logsumexp": (
        lambda: Net(
            lambda m, X: torch.cat([functional.adaptive_max_pool1d(m[0](X), 1)[:, :, 0], m[0](X).logsumexp(2)], 1),
            conv(),
        ),
        {"adaptive_max_pool1d", "select", "logsumexp", "cat"},
    ),
    "weight norm, RMS norm": (
        lambda: Net(
            lambda m, X: m[1](functional.rms_norm(functional.leaky_relu(m[0](X)).transpose(1, 2), (8,), eps=1e-6)).sum(
                1
            ),
            torch.nn.utils.parametrizations.weight_norm(conv()),
            nn.Linear(8, 2),
        ),
        set(),
    ),
}


def make(name: str) -> nn.Module:
    torch.manual_seed(0)
    model = ARCHITECTURES[name][0]().double().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return model


def one_hot(seed: int = 0, length: int = L) -> torch.Tensor:
    codes = torch.randint(0, 4, (1, length), generator=torch.Generator().manual_seed(seed))
    return functional.one_hot(codes, 4).transpose(1, 2).double().contiguous()


def edited(X: torch.Tensor, start: int, bases: str) -> torch.Tensor:
    X = X.clone()
    X[0, :, start : start + len(bases)] = 0
    for i, base in enumerate(bases):
        if base != "N":
            X[0, "ACGT".index(base), start + i] = 1
    return X


def leaves(y: object) -> list[torch.Tensor]:
    return list(y) if isinstance(y, (tuple, list)) else [y]  # type: ignore[list-item]


EDITS = [Edit(p, b) for p in (0, 1, 8, 29, 30, 58, 59) for b in "ACGT"]
EDITS += [Edit(0, "TGACTCA"), Edit(53, "NNACGTT"), Edit(20, "TTTTTTTTTTTTTTTTTTTTTTTTT"), Edit(17, "N")]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_edits_equal_the_model_on_edited_copies(name: str) -> None:
    model, X = make(name), one_hot()
    plan = change_range_plan(model, X, device="cpu")
    assert set(plan.whole) <= ARCHITECTURES[name][1]
    with torch.no_grad():
        copies = torch.cat([edited(X, *edit) for edit in EDITS])
        expected = leaves(model(copies))
    for ours, theirs in zip(leaves(plan.edit(EDITS)), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_blocks_of_any_size_equal_the_model(name: str) -> None:
    """All single edits in blocks as they come, and in blocks of one position."""
    from nbinterp.model.incremental import sweep

    model, X = make(name), one_hot(1)
    X[0, :, 11] = 0
    verdict = plan_of(model, [X])
    assert verdict.reason == ""
    with torch.no_grad():
        for batch_size in (1, 1000):
            seen = 0
            for piece in sweep(verdict, verdict.plan.example([X]), X, 0, L, batch_size):
                K = piece.bases.shape[1]
                rows = [
                    edited(X, int(p), "ACGT"[b])
                    for p, bases in zip(piece.positions, piece.bases.tolist(), strict=True)
                    for b in bases
                ]
                seen += len(rows)
                assert len(rows) == len(piece.positions) * K
                for ours, theirs in zip(leaves(piece.output), leaves(model(torch.cat([*rows, X]))), strict=True):
                    torch.testing.assert_close(ours, theirs[:-1], rtol=0, atol=1e-10)
            assert seen >= 3 * L + 1


def test_float32_is_exact_to_its_rounding() -> None:
    model, X = make("residual dilations").float(), one_hot().float()
    plan = change_range_plan(model, X, device="cpu")
    with torch.no_grad():
        theirs = model(torch.cat([edited(X, *edit) for edit in EDITS]))
    torch.testing.assert_close(plan.edit(EDITS), theirs, rtol=0, atol=2e-6)


def test_half_precision_runs_under_autocast() -> None:
    model, X = make("residual dilations").float(), one_hot()
    plan = change_range_plan(model, X, dtype=torch.bfloat16, device="cpu")
    with torch.no_grad():
        theirs = model(torch.cat([edited(X, *edit) for edit in EDITS]).float())
    torch.testing.assert_close(plan.edit(EDITS).float(), theirs, rtol=0, atol=0.02)  # bfloat16 has 8 bits


def test_further_inputs() -> None:
    model = Net(
        lambda m, X, a, b: (functional.relu(m[0](X)) * torch.sigmoid(m[1](a))[:, :, None] + b[:, None]).mean(2),
        same(),
        nn.Linear(3, 8),
    ).double()
    X, args = one_hot(), (torch.randn(1, 3).double(), torch.randn(1, L).double())
    plan = change_range_plan(model, X, args, device="cpu")
    with torch.no_grad():
        copies = torch.cat([edited(X, *edit) for edit in EDITS])
        theirs = model(copies, *(a.expand(len(EDITS), -1) for a in args))
    torch.testing.assert_close(plan.edit(EDITS), theirs, rtol=0, atol=1e-12)


def test_torchscript_and_plain_functions_have_plans() -> None:
    model, X = make("GLU"), one_hot()
    expected = change_range_plan(model, X, device="cpu").edit(EDITS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        script = torch.jit.script(model)
    torch.testing.assert_close(change_range_plan(script, X, device="cpu").edit(EDITS), expected)
    of_function = change_range_plan(model.forward, X, dtype=torch.float64, device="cpu")
    torch.testing.assert_close(of_function.edit(EDITS), expected)


def test_edits_outside_what_the_output_reads_change_nothing() -> None:
    model = Net(lambda m, X: m[0](X)[:, :, 20:30].amax(2), conv()).double()
    plan = change_range_plan(model, one_hot(), device="cpu")
    unchanged = plan.edit([(0, "ACGT"), (50, "ACGT")])
    assert torch.equal(unchanged, plan.y0.expand(2, -1))


def test_a_plan_is_made_once_and_goes_with_its_model() -> None:
    model, X = make("strides"), one_hot()
    first = plan_of(model, [X])
    assert plan_of(model, [one_hot(3)]) is first
    assert plan_of(model, [one_hot(0, 66)[:, :, :60].float().double()]) is first
    with torch.no_grad():
        model[0].weight.add_(0.1)
    assert plan_of(model, [X]) is not first
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_a_kept_plan_is_checked_against_the_model() -> None:
    model, X = make("residual dilations"), one_hot()
    change_range_plan(model, X, device="cpu")
    model._forward = lambda m, X: 2 * residual_tower(m, X)  # nothing that a parameter would show
    plan = change_range_plan(model, X, device="cpu")
    with torch.no_grad():
        torch.testing.assert_close(plan.y0, model(X))


def writes_a_part(m: nn.ModuleList, X: torch.Tensor) -> torch.Tensor:
    hidden = m[0](X)
    hidden[:, :, 3] = 0
    return hidden.mean(2)


@pytest.mark.parametrize(
    ("forward", "reason"),
    [
        (lambda m, X: m[0](X).mean(2) if X.sum() > 0 else m[0](X).sum(2), "turns a tensor into a plain number"),
        (writes_a_part, "writes into part of a tensor"),
        (lambda m, X: m[0](X).mean(2) * len(X) ** 0.5, "a number in the model depends on the number of rows"),
        (lambda m, X: m[0](X.cumsum(2)).mean(2), "cumsum reads the whole sequence before"),
        (lambda m, X: m[0](X).mean(2) + torch.rand(len(X), 8, dtype=X.dtype), "differs from the model by"),
    ],
)
def test_models_that_cannot_be_replayed_say_why(forward: Callable[..., object], reason: str) -> None:
    model = Net(forward, conv()).double().eval()
    assert reason in (change_range_reason(model, one_hot(), device="cpu") or "")
    with pytest.raises(ModelError, match=f"change_range_plan\\(model\\): .*{reason}"):
        change_range_plan(model, one_hot(), device="cpu")


def test_reference_values_are_laid_out_where_they_are_read() -> None:
    """Windows in any order equal slices of the whole; a lone one lays out no more than it reads."""
    values, laid = torch.randn(1, 3, 40, generator=torch.Generator().manual_seed(0)), []

    def derive(x: torch.Tensor) -> torch.Tensor:
        laid.append(len(x))
        return -x

    padded = functional.pad(-values, (60, 60), value=7.0)[0]
    one, several = Geometry(0, 1, 1, 2), Geometry(0, 1, 3, 2)
    near = [(one, 20, 4, 1), (one, 21, 3, 1), (one, 21, 4, 1), (one, 17, 8, 1)]
    beyond = [(one, -3, 6, 1), (one, 36, 9, 1), (several, 5, 4, 2)]
    for asked in (near, beyond, [(several, 38, 5, -2), (one, -9, 60, 1)]):
        track = Track(values, 2, 7.0, derive)
        for geometry, lo, width, step in asked:
            starts = [60 + lo + step * p for p in range(geometry.P)]
            expected = torch.stack([padded[:, start : start + width] for start in starts])
            torch.testing.assert_close(track.windows(geometry, lo, width, step), expected, rtol=0, atol=0)
    assert laid == [4, 15, 3, 40, 40, 40]


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([], "got none; need at least one edit"),
        ([(58, "ACG")], r"got \[58, 61\); need a non-empty span within \[0, 60\)"),
        ([(-1, "A")], r"got \[-1, 0\)"),
        ([(3, "")], r"got \[3, 3\)"),
        ([(3, "AXG")], "got 'AXG'; need letters A, C, G, T or N"),
    ],
)
def test_bad_edits(edits: list[tuple[int, str]], message: str) -> None:
    plan = change_range_plan(make("strides"), one_hot(), device="cpu")
    with pytest.raises(NbinterpError, match=r"edit\(edits\): " + message):
        plan.edit(edits)


def test_a_plan_is_for_one_sequence() -> None:
    with pytest.raises(NbinterpError, match=r"change_range_plan\(X\): got shape \(2, 4, 60\); need one sequence"):
        change_range_plan(make("strides"), one_hot().repeat(2, 1, 1), device="cpu")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_second_device_agrees_with_the_cpu(name: str, second_device: str) -> None:
    model, X = make(name), one_hot()
    if name == "positions":
        pytest.skip("makes its positions on the CPU")
    if second_device == "elsewhere" and name == "recurrent":
        pytest.skip("the simulated device has no fused LSTM cell")
    expected = leaves(change_range_plan(model, X, device="cpu").edit(EDITS))
    for ours, theirs in zip(
        leaves(change_range_plan(model, X, device=second_device).edit(EDITS)), expected, strict=True
    ):
        torch.testing.assert_close(ours.cpu(), theirs, rtol=0, atol=1e-9)
