"""Checkpoints: real Keras files against their published figures, made-up ones against numpy, and refusals."""

from __future__ import annotations

import base64
import json
import marshal
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.errors import FormatError, ModelError

ONE = (
    "GGCTCTGTCTCAGTTTCTGATTCAGTTTCGGATCCACTTCGAGAGGCAGAAGTCGGGGTCCGAGAGGCATTAGCTTGTTAGTTCTACAACCTGCTGGCAAATGTGCCAATATGTTTGCACGC"
    "TGATAAGGCCTACATGGCACCGAATTGAAAACCGCTTACATAATGAAGTGAATAGTCAGCGAATCGGCAGAGCAACCGCAATGCATTGCATTCACCATCGCGAATAATCAGATTCAAGGCAACGATC"
)
DEV = [5.8252, 6.2254, 7.3209, 3.9662, 3.3455, 4.7828, 3.7013, 4.9102, 5.7414, 4.5559]
HK = [3.1801, 2.4687, 2.9517, 0.4472, 1.9094, 1.6229, 1.0762, 2.2611, 1.5543, 0.7886]


@pytest.mark.real
def test_deepstarr_gives_its_figures(data_dir: Path) -> None:
    model = nb.load_model(data_dir / "deepstarr.model.h5")
    assert model.in_length == 249
    assert model.task_names == ["Dense_Dev", "Dense_Hk"]
    one = nb.predict(model, nb.one_hot_encode(ONE).unsqueeze(0))[0]
    assert one.tolist() == pytest.approx([2.4786, 0.1539], abs=1e-3)
    ten = nb.predict(model, nb.read_sequences(data_dir / "deepstarr_example_sequences.fa").X)
    assert ten[:, 0].tolist() == pytest.approx(DEV, abs=1e-3)
    assert ten[:, 1].tolist() == pytest.approx(HK, abs=1e-3)
    again = nb.load_model(data_dir / "deepstarr.model.json")
    assert torch.equal(
        nb.predict(nb.target(again, head="Dense_Hk"), nb.read_sequences(data_dir / "deepstarr_example_sequences.fa").X),
        ten[:, 1:],
    )


@pytest.mark.real
def test_mpra_dragonn_reads_its_motifs(data_dir: Path) -> None:
    """The published effects are means over 128 random backgrounds that were not kept, so they hold to 0.15 only."""
    model = nb.load_model(data_dir / "mpra_dragonn_conv.h5")
    X = nb.random_one_hot((128, 4, 145), random_state=0)
    before = nb.predict(model, X)
    known = {"TGCTGAGTCA": 0.66, "CCGGAAGT": 0.51, "TGACGTCA": 0.49}
    for motif, effect in known.items():
        assert float((nb.predict(model, nb.substitute(X, motif)) - before).mean(0)[2]) == pytest.approx(
            effect, abs=0.15
        )


def layer(kind: str, name: str, inputs: list[str] | None = None, **settings: Any) -> dict[str, Any]:
    nodes = [[[one, 0, 0, {}] for one in inputs]] if inputs else []
    return {"class_name": kind, "name": name, "config": {"name": name, **settings}, "inbound_nodes": nodes}


def write_keras(path: Path, config: dict[str, Any], weights: dict[str, dict[str, np.ndarray]]) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        for name, arrays in weights.items():
            for variable, array in arrays.items():
                file[f"model_weights/{name}/{name}/{variable}:0"] = array
    return path


def keras_conv(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int, padding: str, dilation: int = 1
) -> np.ndarray:
    """Conv1D of (L, C), as Keras defines it."""
    reach = (len(kernel) - 1) * dilation + 1
    left = right = 0
    if padding == "same":
        total = max((-(-len(x) // stride) - 1) * stride + reach - len(x), 0)
        left, right = total // 2, total - total // 2
    if padding == "causal":
        left = reach - 1
    x = np.pad(x, ((left, right), (0, 0)))
    starts = range(0, len(x) - reach + 1, stride)
    return np.stack([np.einsum("kc,kco->o", x[s : s + reach : dilation], kernel) + bias for s in starts])


@pytest.mark.parametrize("width", [3, 4])
@pytest.mark.parametrize(("padding", "stride", "dilation"), [("same", 1, 1), ("same", 2, 1), ("same", 3, 1), ("valid", 2, 1), ("causal", 1, 2), ("same", 1, 3)])  # fmt: skip
def test_keras_layers_equal_numpy(padding: str, stride: int, dilation: int, width: int, tmp_path: Path) -> None:
    rng = np.random.RandomState(0)
    kernel, bias = rng.normal(size=(width, 4, 5)), rng.normal(size=5)
    norm = {k: rng.rand(5) + 0.5 for k in ("gamma", "beta", "moving_mean", "moving_variance")}
    x = np.eye(4)[rng.randint(0, 4, 23)]
    h = keras_conv(x, kernel, bias, stride, padding, dilation)
    h = (np.maximum(h, 0) - norm["moving_mean"]) / np.sqrt(norm["moving_variance"] + 1e-3) * norm["gamma"] + norm[
        "beta"
    ]
    pooled = np.stack([h[s : s + 2].max(axis=0) for s in range(0, len(h) - 1, 2)])
    dense, offset = rng.normal(size=(pooled.size, 2)), rng.normal(size=2)
    expected = pooled.reshape(-1) @ dense + offset
    config = {
        "class_name": "Sequential",
        "config": [
            layer("Conv1D", "c", filters=5, kernel_size=[width], strides=[stride], padding=padding, dilation_rate=[dilation],
                  activation="relu", batch_input_shape=[None, 23, 4]),
            layer("BatchNormalization", "b", axis=[2], epsilon=1e-3),
            layer("Dropout", "d", rate=0.5),
            layer("MaxPooling1D", "p", pool_size=[2], strides=[2], padding="valid"),
            layer("Flatten", "f"),
            layer("Dense", "o", units=2, activation="linear"),
        ],
    }  # fmt: skip
    weights = {"c": {"kernel": kernel, "bias": bias}, "b": norm, "o": {"kernel": dense, "bias": offset}}
    model = nb.load_model(write_keras(tmp_path / "m.h5", config, weights))
    got = model(torch.from_numpy(x.T).float().unsqueeze(0))[0]
    assert got.tolist() == pytest.approx(expected.tolist(), abs=1e-4)
    assert model.in_length == 23
    assert not [m for m in model.modules() if "keras" in type(m).__module__ and "tensorflow" in type(m).__module__]


@pytest.mark.parametrize("dialect", [2, 3])
def test_functional_graphs_of_both_dialects(dialect: int, tmp_path: Path) -> None:
    rng = np.random.RandomState(1)
    kernel = rng.normal(size=(1, 4, 3))
    layers = [
        {
            "class_name": "InputLayer",
            "name": "x",
            "config": {"name": "x", "batch_input_shape": [None, None, 4]},
            "inbound_nodes": [],
        },
        layer("Conv1D", "a", ["x"], kernel_size=[1], padding="valid", activation="sigmoid", use_bias=False),
        layer("Conv1D", "b", ["x"], kernel_size=[1], padding="valid", activation="linear", use_bias=False),
        layer("Multiply", "m", ["a", "b"]),
        layer("Cropping1D", "k", ["m"], cropping=[2, 3]),
        layer("Concatenate", "c", ["k", "k"], axis=-1),
        layer("GlobalAveragePooling1D", "g", ["c"]),
    ]
    inputs, outputs = [["x", 0, 0]], [["g", 0, 0]]
    if dialect == 3:
        inputs, outputs = inputs[0], outputs[0]
        for one in layers:
            tensors = [
                {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
                for node in one["inbound_nodes"]
                for name, *_ in node
            ]
            one["inbound_nodes"] = [{"args": [tensors], "kwargs": {}}] if tensors else []
    config = {
        "class_name": "Functional",
        "config": {"layers": layers, "input_layers": inputs, "output_layers": outputs},
    }
    model = nb.load_model(write_keras(tmp_path / "m.h5", config, {"a": {"kernel": kernel}, "b": {"kernel": -kernel}}))
    x = np.eye(4)[rng.randint(0, 4, 12)]
    z = x @ kernel[0]
    h = (-z / (1 + np.exp(-z)))[2:-3].mean(axis=0)
    got = model(torch.from_numpy(x.T).float().unsqueeze(0))[0]
    assert got.tolist() == pytest.approx([*h, *h], abs=1e-5)


def test_all_unsupported_layers_are_named_at_once(tmp_path: Path) -> None:
    config = {
        "class_name": "Sequential",
        "config": [layer("LSTM", "memory"), layer("Lambda", "trick"), layer("Activation", "odd", activation="wobble")],
    }
    with pytest.raises(ModelError, match=r"LSTM 'memory'.*Lambda 'trick'.*'wobble'"):
        nb.load_model(write_keras(tmp_path / "m.h5", config, {}))


def test_each_model_finds_its_own_architecture(tmp_path: Path) -> None:
    first, second = (
        {"class_name": "Sequential", "config": [layer("Flatten", "f"), layer("Dense", "o", units=1, activation=a)]}
        for a in ("linear", "sigmoid")
    )
    weights = {"o": {"kernel": np.ones((8, 1))}}
    (tmp_path / "m.fold0.json").write_text(json.dumps(second))
    model = nb.load_model(write_keras(tmp_path / "m.fold1.h5", first, weights))
    assert model(torch.ones(1, 4, 2)).item() == pytest.approx(8)


def test_truncated_and_foreign_files_are_refused(tmp_path: Path) -> None:
    config = {"class_name": "Sequential", "config": [layer("Flatten", "f")]}
    whole = write_keras(tmp_path / "m.h5", config, {"x": {"y": np.zeros(5000)}}).read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.pt").write_text("no model")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    for name, words in (
        ("cut.h5", "truncated"),
        ("text.pt", "whole"),
        ("other.pt", "weights named a"),
        ("none.pt", "no file"),
    ):
        with pytest.raises(FormatError, match=words):
            nb.load_model(tmp_path / name)


def test_pickled_modules_need_trust(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 1), tmp_path / "m.torch")
    with pytest.raises(FormatError, match="unpickling runs code"):
        nb.load_model(tmp_path / "m.torch")
    assert isinstance(nb.load_model(tmp_path / "m.torch", trust=True), nn.Linear)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv1d(4, 2, 3), nn.ReLU())
    torch.jit.trace(model, torch.zeros(1, 4, 9)).save(tmp_path / "m.pt")
    X = nb.random_one_hot((2, 4, 9), random_state=0).float()
    assert torch.allclose(nb.load_model(tmp_path / "m.pt")(X), model(X))


def seeded(model: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for p in model.parameters():
        p.data = torch.randn(p.shape, generator=generator) * 0.2
    return model.eval()


def test_profile_networks_come_back_from_their_state(tmp_path: Path) -> None:
    X = nb.random_one_hot((2, 4, 300), random_state=0).float()
    bpnet = seeded(nb.BPNet(n_filters=6, n_layers=3, n_outputs=2, n_control_tracks=2))
    chrom = seeded(nb.ChromBPNet(nb.BPNet(4, 2, 1), nb.BPNet(6, 3, 1)))
    cherimoya = seeded(nb.Cherimoya(n_filters=6, n_layers=3, signal_groups=(2, 1)))
    config = {"n_filters": 6, "n_layers": 3, "signal_groups": (2, 1), "name": "x", "verbose": False}
    torch.save(bpnet.state_dict(), tmp_path / "b.torch")
    torch.save(chrom.state_dict(), tmp_path / "c.torch")
    state = {**cherimoya.state_dict(), "lw0": torch.zeros(1), "lw1": torch.zeros(1)}
    torch.save({"config": config, "state_dict": state}, tmp_path / "d.torch")
    for name, model in (("b", bpnet), ("c", chrom), ("d", cherimoya)):
        loaded = nb.load_model(tmp_path / f"{name}.torch")
        for a, b in zip(loaded(X), model(X), strict=True):
            assert torch.equal(a, b)
    del state["iconv.bias"]
    partial = {k: v for k, v in bpnet.state_dict().items() if k != "linear.bias"}
    torch.save(partial, tmp_path / "e.torch")
    with pytest.raises(FormatError, match=r"no linear\.bias"):
        nb.load_model(tmp_path / "e.torch")


def test_bpnet_is_what_it_says() -> None:
    """The forward pass written out, position by position of the first filter's logic."""
    model = seeded(nb.BPNet(n_filters=3, n_layers=2, n_outputs=1))
    X = nb.random_one_hot((1, 4, 200), random_state=1).float()
    h = torch.relu(nn.functional.conv1d(X, model.iconv.weight, model.iconv.bias, padding=10))
    for i, conv in enumerate(model.rconvs, 1):
        h = h + torch.relu(nn.functional.conv1d(h, conv.weight, conv.bias, padding=2**i, dilation=2**i))
    trim = 47 + 2 + 4
    profile = nn.functional.conv1d(h, model.fconv.weight, model.fconv.bias, padding=37)[:, :, trim:-trim]
    counts = h[:, :, trim - 37 : 200 - trim + 37].mean(dim=2) @ model.linear.weight.T + model.linear.bias
    got = model(X)
    assert torch.allclose(got[0], profile)
    assert torch.allclose(got[1], counts)
    full = seeded(nb.ChromBPNet(nb.BPNet(3, 2, 1), nb.BPNet(3, 2, 1)))
    both = [full.bias(X), full.accessibility(X)]
    assert torch.allclose(full(X)[1], torch.logsumexp(torch.stack([b[1] for b in both]), dim=0), atol=1e-5)
    assert torch.allclose(full(X)[0], both[0][0] + both[1][0])


def logsumexp_code() -> str:
    """What Keras stores of the lambda in ChromBPNet; its names stand for TensorFlow's."""
    function = lambda x: tf.math.reduce_logsumexp(x, axis=-1, keepdims=True)  # type: ignore[name-defined]  # noqa: E731, F821
    return base64.b64encode(marshal.dumps(function.__code__)).decode()


def keras_bpnet(prefix: str, bpnet: nb.BPNet, length: int) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """A BPNet as ChromBPNet's code builds it: valid convolutions, and residuals cropped to them."""

    def of(module: nn.Conv1d | nn.Linear) -> dict[str, np.ndarray]:
        kernel = module.weight.detach().numpy()
        kernel = kernel.transpose(2, 1, 0) if kernel.ndim == 3 else kernel.T
        return {"kernel": kernel, "bias": module.bias.detach().numpy()}

    name = f"{prefix}bpnet_1st_conv"
    weights = {name: of(bpnet.iconv)}
    graph = [
        {"class_name": "InputLayer", "name": "sequence", "inbound_nodes": [],
         "config": {"name": "sequence", "batch_input_shape": [None, length, 4]}},
        layer("Conv1D", name, ["sequence"], kernel_size=[21], padding="valid", activation="relu"),
    ]  # fmt: skip
    for i, conv in enumerate(bpnet.rconvs, 1):
        this = f"{prefix}bpnet_{i}conv"
        weights[this] = of(conv)
        settings = {"kernel_size": [3], "padding": "valid", "dilation_rate": [2**i], "activation": "relu"}
        graph += [
            layer("Conv1D", this, [name], **settings),
            layer("Cropping1D", f"{prefix}bpnet_{i}crop", [name], cropping=[2**i, 2**i]),
            layer("Add", f"{prefix}add_{i}", [this, f"{prefix}bpnet_{i}crop"]),
        ]
        name = f"{prefix}add_{i}"
    head, counts, out = f"{prefix}prof_out_precrop", f"{prefix}logcount_predictions", f"{prefix}logits"
    weights |= {head: of(bpnet.fconv), counts: of(bpnet.linear)}
    graph += [
        layer("Conv1D", head, [name], kernel_size=[75], padding="valid", activation="linear"),
        layer("Cropping1D", f"{prefix}crop", [head], cropping=[3, 3]),
        layer("Flatten", out, [f"{prefix}crop"]),
        layer("GlobalAveragePooling1D", f"{prefix}gap", [name]),
        layer("Dense", counts, [f"{prefix}gap"], units=1, activation="linear"),
    ]
    config = {
        "name": f"{prefix}model", "layers": graph, "input_layers": [["sequence", 0, 0]],
        "output_layers": [[out, 0, 0], [counts, 0, 0]],
    }  # fmt: skip
    return config, weights


def write_chrombpnet(path: Path, chrom: nb.ChromBPNet, length: int, code: str) -> Path:
    bias, bias_weights = keras_bpnet("bias_", chrom.bias, length)
    free, free_weights = keras_bpnet("wo_bias_", chrom.accessibility, length)
    graph = [
        {"class_name": "InputLayer", "name": "sequence", "inbound_nodes": [],
         "config": {"name": "sequence", "batch_input_shape": [None, length, 4]}},
        {"class_name": "Functional", "name": "model", "config": {**bias, "name": "model"},
         "inbound_nodes": [[["sequence", 0, 0, {}]]]},
        {"class_name": "Functional", "name": "model_wo_bias", "config": {**free, "name": "model_wo_bias"},
         "inbound_nodes": [[["sequence", 0, 0, {}]]]},
        {"class_name": "Add", "name": "logits_profile_predictions", "config": {"name": "logits_profile_predictions"},
         "inbound_nodes": [[["model_wo_bias", 1, 0, {}], ["model", 1, 0, {}]]]},
        {"class_name": "Concatenate", "name": "concatenate", "config": {"name": "concatenate", "axis": -1},
         "inbound_nodes": [[["model_wo_bias", 1, 1, {}], ["model", 1, 1, {}]]]},
        layer("Lambda", "logcount_predictions", ["concatenate"], function=[code, None, None], function_type="lambda",
              arguments={}),
    ]  # fmt: skip
    outputs = [["logits_profile_predictions", 0, 0], ["logcount_predictions", 0, 0]]
    config = {
        "class_name": "Functional",
        "config": {"name": "model_1", "layers": graph, "input_layers": [["sequence", 0, 0]], "output_layers": outputs},
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        for owner, weights in (("model", bias_weights), ("model_wo_bias", free_weights)):
            for name, arrays in weights.items():
                for variable, array in arrays.items():
                    file[f"model_weights/{owner}/{name}/{variable}:0"] = array
    return path


def test_chrombpnet_as_its_own_code_writes_it(tmp_path: Path) -> None:
    """Nested models with two outputs each, used at another node than the first, and a lambda that is recognised."""
    length, trim = 300, 10 + 2 + 4 + 37 + 3
    chrom = seeded(nb.ChromBPNet(nb.BPNet(3, 2, 1, trimming=trim), nb.BPNet(5, 2, 1, trimming=trim)))
    model = nb.load_model(write_chrombpnet(tmp_path / "chrombpnet.h5", chrom, length, logsumexp_code()))
    X = nb.random_one_hot((3, 4, length), random_state=0).float()
    profile, counts = model(X)
    assert model.head_names == ["logits_profile_predictions", "logcount_predictions"]
    assert torch.allclose(profile, chrom(X)[0][:, 0], atol=1e-5)
    # Keras pools over what its valid convolutions leave
    inner = chrom.bias, chrom.accessibility
    pooled = [
        nn.functional.linear(hidden(one, X)[:, :, 16:-16].mean(-1), one.linear.weight, one.linear.bias) for one in inner
    ]
    assert torch.allclose(counts, torch.logsumexp(torch.cat(pooled, dim=1), dim=1, keepdim=True), atol=1e-5)
    explained = nb.target(model.double(), head=1)
    m, r = nb.deep_lift_shap(
        explained, X.double(), n_shuffles=2, random_state=0, raw_outputs=True, return_references=True
    )
    with torch.no_grad():
        gap = explained(X.double()) - torch.cat([explained(r[:, j]) for j in range(2)], dim=1)
    assert float((((X.double()[:, None] - r) * m).sum(dim=(-2, -1)) - gap).abs().max()) < 1e-10


def hidden(bpnet: nb.BPNet, X: torch.Tensor) -> torch.Tensor:
    h = bpnet.irelu(bpnet.iconv(X))
    for conv in bpnet.rconvs:
        h = h + torch.relu(conv(h))
    return h


def test_other_lambdas_are_refused_and_not_run(tmp_path: Path) -> None:
    chrom = seeded(nb.ChromBPNet(nb.BPNet(3, 2, 1), nb.BPNet(3, 2, 1)))
    other = lambda x: tf.math.reduce_sum(x, axis=-1, keepdims=True)  # type: ignore[name-defined]  # noqa: E731, F821
    for code in (base64.b64encode(marshal.dumps(other.__code__)).decode(), "no code"):
        with pytest.raises(ModelError, match=r"Lambda 'logcount_predictions' \(code from a file is not run\)"):
            nb.load_model(write_chrombpnet(tmp_path / "m.h5", chrom, 300, code))
