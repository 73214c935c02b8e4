"""Keras models in HDF5, turned into PyTorch modules without TensorFlow.

In: an ``.h5`` file with the architecture inside, or a weights file and its ``.json``.  Out: a `KerasModel` that takes
one-hot ``(N, 4, L)``.  Reads what Keras 1, 2 and 3 write in HDF5, for Sequential and functional models, nested ones too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import FormatError, ModelError, problem
from .keras_layers import BUILDERS, Unsupported, Weights

__all__ = ["KerasModel", "load_keras"]


@dataclass(frozen=True)
class _Node:
    """One use of a layer: what it makes, the layer, the tensors it takes.

    A tensor is called "layer#use.number", since a nested model makes several.
    """

    output: str
    layer: str
    inputs: tuple[str, ...]


class KerasModel(nn.Module):
    """A Keras graph as a PyTorch module.

    Attributes
    ----------
    in_length : int or None
        The length of sequence that it takes; None when any will do.
    head_names : list of str
        Names of the outputs, as Keras had them.
    task_names : list of str or None
        When every head is one number, they are concatenated to ``(N, T)`` and named here.
    """

    def __init__(
        self, layers: Mapping[str, nn.Module], nodes: list[_Node], inputs: list[str], outputs: list[str]
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({_key(name): layer for name, layer in layers.items()})
        self.nodes, self.inputs, self.outputs = nodes, inputs, outputs
        self.in_length: int | None = None
        self.head_names = [name.rsplit("#", 1)[0] for name in outputs]
        self.task_names: list[str] | None = None

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        """Give ``(N, T)``, or a tuple with an output a head."""
        values = dict(zip(self.inputs, (X, *args), strict=True))
        for node in self.nodes:
            made = self.layers[_key(node.layer)](*(values[name] for name in node.inputs))
            for i, tensor in enumerate(made if isinstance(made, tuple) else (made,)):
                values[f"{node.output}.{i}"] = tensor
        heads = tuple(values[name] for name in self.outputs)
        if len(heads) == 1:
            return heads[0]
        return torch.cat(heads, dim=1) if self.task_names else heads


def _key(name: str) -> str:
    """ModuleDict keys may not hold dots."""
    return name.replace(".", "_")


def load_keras(weights_path: Path, architecture: str | None) -> KerasModel:
    """Read weights from HDF5, and the architecture from there or from JSON text.

    Raises
    ------
    FormatError
        When the file is truncated or holds no weights, or no architecture can be found.
    ModelError
        When layers are unsupported; all of them are named.
    """
    import h5py

    try:
        with h5py.File(weights_path, "r") as file:
            stored = file.attrs.get("model_config")
            weights = _read_weights(file.get("model_weights", file))
    except (OSError, KeyError, RuntimeError) as error:
        raise problem(
            "load_model", str(weights_path), got=f"an HDF5 file that cannot be read ({error})",
            need="a whole Keras .h5 file", do="download it again; it may be truncated", kind=FormatError,
        ) from error  # fmt: skip
    text = stored if stored is not None else architecture
    if text is None:
        raise problem(
            "load_model", str(weights_path), got="Keras weights without an architecture",
            need="the .json that was saved beside them", do="pass it as path and this file as weights=", kind=FormatError,
        )  # fmt: skip
    try:
        config = json.loads(text.decode() if isinstance(text, bytes) else text)
    except json.JSONDecodeError as error:
        raise problem(
            "load_model", str(weights_path), got=f"an architecture that is no JSON ({error})", need="Keras' to_json()",
            do="check the .json file", kind=FormatError,
        ) from error  # fmt: skip
    faults: list[str] = []
    model = _build(config, weights, faults)
    if faults or model is None:
        raise problem(
            "load_model", str(weights_path), got="; ".join(faults), need=f"layers among {', '.join(sorted(BUILDERS))}",
            do="convert the model to PyTorch by hand, or ask for these layers", kind=ModelError,
        )  # fmt: skip
    _describe(model.eval(), config)
    return model


def _read_weights(group: Any) -> dict[str, dict[str, np.ndarray]]:
    """Give layer name -> variable name -> array; nested models' layers by their own name."""
    import h5py

    found: dict[str, dict[str, np.ndarray]] = {}

    def visit(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            parts = path.split("/")
            variable = parts[-1].split(":")[0]
            # the group is the layer; within a nested model it is the last folder before the variable
            owners = {parts[0], parts[-2] if len(parts) > 1 else parts[0]}
            for owner in owners:
                found.setdefault(owner, {}).setdefault(variable, np.asarray(item))

    group.visititems(visit)
    return found


def _layers_of(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    inner = config["config"]
    layers: list[dict[str, Any]] = inner if isinstance(inner, list) else inner["layers"]
    return layers


def _build(config: Mapping[str, Any], weights: Mapping[str, Weights], faults: list[str]) -> KerasModel | None:
    """Translate a model's configuration; what cannot be is added to `faults`."""
    kind = config.get("class_name")
    layers: dict[str, nn.Module] = {}
    nodes: list[_Node] = []
    inputs: list[str] = []
    sequential = kind == "Sequential"
    if not sequential and "layers" not in config.get("config", {}):
        faults.append(f"model class {kind!r}")
        return None
    previous = "input"
    wanted = [] if sequential else [_tensor_name(one) for one in _listed(config["config"]["output_layers"])]
    first_use = _first_uses(config, wanted)
    for entry in _layers_of(config):
        settings, name = entry["config"], entry.get("name") or entry["config"]["name"]
        uses = [[previous]] if sequential else _uses(entry)
        if entry["class_name"] == "InputLayer" and not sequential:
            inputs.append(f"{name}#0.0")
            continue
        try:
            layers[name] = _layer(entry["class_name"], settings, weights, max(map(len, uses), default=1), faults)
        except Unsupported as fault:
            faults.append(str(fault))
            continue
        except KeyError as error:
            faults.append(f"{entry['class_name']} {name!r} lacks {error}")
            continue
        for i, use in enumerate(uses, first_use.get(name, 0)):
            nodes.append(_Node(f"{name}#{i}", name, tuple(use)))
        previous = f"{name}#0.0"
    if sequential:
        return KerasModel(layers, nodes, ["input"], [previous])
    given = [_tensor_name(one) for one in _listed(config["config"]["input_layers"])] or inputs
    return None if faults else KerasModel(layers, _ordered(nodes, given), given, wanted)


def _first_uses(config: Mapping[str, Any], outputs: list[str]) -> dict[str, int]:
    """The number of each nested model's first use: 1 where Keras counted the model's own making as use 0."""
    if config.get("class_name") == "Sequential":
        return {}
    entries = _layers_of(config)
    asked = [*outputs, *(name for entry in entries for use in _uses(entry) for name in use)]
    last: dict[str, int] = {}
    for tensor in asked:
        name, _, use = _use_of(tensor).rpartition("#")
        last[name] = max(last.get(name, 0), int(use))
    names = {entry.get("name") or entry["config"]["name"]: len(_uses(entry)) for entry in entries}
    return {name: max(last.get(name, 0) - max(uses - 1, 0), 0) for name, uses in names.items()}


def _tensor_name(history: Any) -> str:
    """Name, use and number, as Keras writes them."""
    return f"{history[0]}#{history[1]}.{history[2]}"


def _use_of(tensor: str) -> str:
    """The use that makes a tensor, and all others of that use."""
    return tensor.rpartition(".")[0]


def _listed(value: Any) -> list[Any]:
    """Keras 3 writes a single [name, 0, 0] without the list around it."""
    return [value] if value and isinstance(value[0], str) else list(value)


def _layer(
    kind: str, settings: Mapping[str, Any], weights: Mapping[str, Weights], n_inputs: int, faults: list[str]
) -> nn.Module:
    if kind in ("Functional", "Model", "Sequential"):
        nested = _build({"class_name": kind, "config": settings}, weights, faults)
        if nested is None:
            raise Unsupported(f"nested model {settings.get('name')!r}")
        return nested
    if kind not in BUILDERS:
        raise Unsupported(f"{kind} {settings.get('name')!r}")
    return BUILDERS[kind](settings, weights.get(settings.get("name", ""), {}), n_inputs)


def _uses(entry: Mapping[str, Any]) -> list[list[str]]:
    """The inputs of each use of a layer, as "layer#use"; both dialects of inbound_nodes."""
    uses = []
    for node in entry.get("inbound_nodes", []):
        if isinstance(node, Mapping):  # Keras 3
            uses.append(list(_histories(node.get("args", []))))
        else:
            uses.append([_tensor_name(one) for one in node])
    return uses


def _histories(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return [_tensor_name(value["config"]["keras_history"])]
        return []
    return [name for one in value for name in _histories(one)] if isinstance(value, (list, tuple)) else []


def _ordered(nodes: list[_Node], ready: list[str]) -> list[_Node]:
    """Sort nodes so that each comes after what it takes."""
    known, waiting, ordered = set(map(_use_of, ready)), list(nodes), []
    while waiting:
        now = [node for node in waiting if known.issuperset(map(_use_of, node.inputs))]
        if not now:
            break  # what is left hangs on nothing that is computed, and no output needs it
        ordered += now
        known.update(node.output for node in now)
        waiting = [node for node in waiting if node.output not in known]
    return ordered


def _describe(model: KerasModel, config: Mapping[str, Any]) -> None:
    """Set the input length and, when all heads are single numbers, the names of the tasks."""
    for entry in _layers_of(config):
        shape = entry["config"].get("batch_input_shape") or entry["config"].get("batch_shape")
        if shape:
            model.in_length = None if shape[1] is None else int(shape[1])
            break
    if len(model.outputs) == 1 or model.in_length is None or len(model.inputs) > 1:
        return
    with torch.no_grad():
        heads = model(torch.zeros(1, 4, model.in_length))
    if all(head.shape == (1, 1) for head in heads):
        model.task_names = list(model.head_names)
