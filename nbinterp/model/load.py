"""A checkpoint of the field becomes a module that takes one-hot ``(N, 4, L)``.

In: a path.  Out: an `nn.Module` in evaluation mode.  What a file is, is read from the file: TorchScript, a state dict, a
Cherimoya checkpoint, a pickled module, or Keras HDF5.
"""

from __future__ import annotations

import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import FormatError, problem
from .keras import load_keras
from .networks import BPNet, Cherimoya, ChromBPNet

__all__ = ["load_model"]

_HDF5 = b"\x89HDF\r\n\x1a\n"


def load_model(
    path: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    trust: bool = False,
    device: torch.device | str = "cpu",
) -> torch.nn.Module:
    """Load a trained model.

    Parameters
    ----------
    path : path
        TorchScript; a PyTorch state dict of BPNet (bpnet-lite's names) or ChromBPNet; a Cherimoya checkpoint; a Keras
        ``.h5``; or the ``.json`` of a Keras model.
    weights : path, optional
        The weights, when `path` is an architecture (or the architecture, when it is weights).  A Keras ``.json`` and
        ``.h5`` of the same name find each other; an ``.h5`` that holds its own architecture uses that.
    trust : bool
        Allow a pickled module.  Unpickling runs whatever code the file's maker put in it, so say yes only to files
        whose origin you trust.
    device : str or torch.device
        Where to put it.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, with ``in_length`` (int or None), ``head_names`` and ``task_names`` where they are known.

    Raises
    ------
    FormatError
        When the file is absent, truncated, of an unknown kind, or pickled and not trusted.
    ModelError
        When a Keras model has layers without a translation; all are named.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mktemp(suffix=".pt")
    >>> from nbinterp import BPNet
    >>> torch.save(BPNet(n_filters=4, n_layers=2).state_dict(), path)
    >>> type(load_model(path)).__name__
    'BPNet'
    """
    file = Path(path)
    if not file.is_file():
        raise problem(
            "load_model", "path", got=f"{file}, which is no file", need="a checkpoint", do="check it", kind=FormatError
        )
    with file.open("rb") as opened:
        head = opened.read(8)
    if head == _HDF5:
        beside = Path(weights) if weights is not None else _sibling(file, ".json")
        model: torch.nn.Module = load_keras(file, beside.read_text() if beside is not None else None)
    elif head[:1] in (b"{", b"["):
        stored = Path(weights) if weights is not None else _sibling(file, ".h5", ".hdf5")
        if stored is None:
            raise problem(
                "load_model",
                "weights",
                got="None",
                need="the .h5 beside the .json",
                do="pass weights=",
                kind=FormatError,
            )
        model = load_keras(stored, file.read_text())
    else:
        model = _load_torch(file, trust)
    return model.eval().to(device)


def _sibling(file: Path, *suffixes: str) -> Path | None:
    """The file beside it with the same name up to the suffix; ``.weights`` or ``.model`` before it may be there or not."""

    def stem(path: Path) -> str:
        return path.stem.removesuffix(".weights").removesuffix(".model")

    found = [p for p in sorted(file.parent.iterdir()) if stem(p) == stem(file) and p.suffix in suffixes and p != file]
    return found[0] if found else None


def _load_torch(file: Path, trust: bool) -> torch.nn.Module:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if any(name.endswith("constants.pkl") for name in archive.namelist()):
                script: torch.nn.Module = torch.jit.load(str(file), map_location="cpu")
                return script
    try:
        stored = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        pickled = file.read_bytes()[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
        if trust and pickled:
            return _unpickle(file)
        if not pickled:
            raise _unreadable(file, error) from error
        raise problem(
            "load_model", "trust", got=f"{file}, a pickled module", need="trust=True",
            do="pass it only if you trust the file's origin, since unpickling runs code from the file", kind=FormatError,
        ) from error  # fmt: skip
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    return _from_state(file, stored)


def _unpickle(file: Path) -> torch.nn.Module:
    try:
        module = torch.load(file, map_location="cpu", weights_only=False)
    except (ImportError, AttributeError) as error:
        raise problem(
            "load_model", str(file), got=f"a pickled module of a class that is not here ({error})",
            need="its package", do="install or import it first", kind=FormatError,
        ) from error  # fmt: skip
    if not isinstance(module, torch.nn.Module):
        raise _unreadable(file, TypeError(f"a pickled {type(module).__name__}"))
    return module


def _unreadable(file: Path, error: Exception) -> Exception:
    return problem(
        "load_model", str(file), got=f"a file that cannot be read ({str(error).splitlines()[0]})",
        need="TorchScript, a state dict, a Cherimoya checkpoint or Keras .h5", do="check that it is whole", kind=FormatError,
    )  # fmt: skip


def _from_state(file: Path, stored: Any) -> torch.nn.Module:
    """Recognise a network by the names of its weights."""
    if isinstance(stored, Mapping) and {"config", "state_dict"} <= set(stored):
        return _cherimoya(stored["config"], stored["state_dict"])
    if isinstance(stored, Mapping) and "state_dict" in stored:
        stored = stored["state_dict"]
    names = set(stored) if isinstance(stored, Mapping) else set()
    if any(name.startswith("bias.") for name in names) and any(name.startswith("accessibility.") for name in names):
        return ChromBPNet(_bpnet(_under(stored, "bias.")), _bpnet(_under(stored, "accessibility.")))
    if {"iconv.weight", "fconv.weight", "linear.weight", "rconvs.0.weight"} <= names:
        return _bpnet(stored)
    listed = ", ".join(sorted(names)[:4]) or type(stored).__name__
    raise problem(
        "load_model", str(file), got=f"weights named {listed}, ...", need="BPNet, ChromBPNet or Cherimoya",
        do="build the module yourself, load_state_dict into it, and use it as it is: any nn.Module will do",
        kind=FormatError,
    )  # fmt: skip


def _under(state: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _bpnet(state: Mapping[str, torch.Tensor]) -> BPNet:
    """A BPNet of these weights; the trimming is not among them, so it is bpnet-lite's default (``model.trimming`` can be set)."""
    n_filters = state["iconv.weight"].shape[0]
    n_layers = len({m[1] for name in state if (m := re.match(r"rconvs\.(\d+)\.weight", name))})
    model = BPNet(
        n_filters,
        n_layers,
        n_outputs=state["fconv.weight"].shape[0],
        n_control_tracks=state["fconv.weight"].shape[1] - n_filters,
        n_count_outputs=state["linear.weight"].shape[0],
    )
    missing = set(model.state_dict()) - set(state)
    if missing:
        raise problem(
            "load_model", "weights", got=f"no {', '.join(sorted(missing))}", need="all weights of a BPNet", do="check the file",
            kind=FormatError,
        )  # fmt: skip
    model.load_state_dict({name: state[name] for name in model.state_dict()})
    return model


def _cherimoya(config: Mapping[str, Any], state: Mapping[str, torch.Tensor]) -> Cherimoya:
    wanted = ("n_filters", "n_layers", "signal_groups", "n_control_tracks", "expansion", "residual_scale", "trimming")
    model = Cherimoya(**{key: config[key] for key in wanted if key in config})
    # lw0 and lw1 weigh the losses in training and have no part in a prediction
    model.load_state_dict({k: v for k, v in state.items() if k not in ("lw0", "lw1")})
    return model
