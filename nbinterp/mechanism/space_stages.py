"""Stages that are kept in a folder as they are made.

In: a model and a library.  Out: one prediction a sequence, in memory or in a file that can be taken up again; and arrays that
are computed once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from ..core.batches import progress
from ..core.cache import content_hash
from ..core.files import writing
from ..errors import Interrupted, ModelError, problem
from .library import Library
from .library_predict import predict_library
from .maps_store import MapStore

__all__ = ["Computing", "keep_array", "library_predictions", "model_key", "output_of", "predict_to_file"]

_ROWS: Final = 1 << 13  # predicted between two looks at the clock


class Computing(NamedTuple):
    """How a model is run."""

    batch_size: int
    dtype: Any
    device: Any


def model_key(model: Any) -> str:
    """What a model is known by: its content; of another callable, its name."""
    if isinstance(model, torch.nn.Module):
        return content_hash(model)
    return str(getattr(model, "__qualname__", type(model).__qualname__))


def output_of(where: str, model: Any, library: Library, target: int | None, computing: Computing) -> int:
    """Which output is meant, seen from the first sequence's; not yet how good it is."""
    y = predict_library(model, library[:1], *computing)
    if not isinstance(y, torch.Tensor) or y.ndim != 2:
        got = f"an output of shape {tuple(y.shape)}" if isinstance(y, torch.Tensor) else f"a {type(y).__name__}"
        do = "wrap the model in a target"
        raise problem(where, "model", got=got, need="an output of shape (n, T)", do=do, kind=ModelError)
    n = y.shape[1]
    if target is None and n != 1:
        raise problem(where, "target", got="None", need=f"one of {n} outputs", do="choose one")
    output = 0 if target is None else int(target)
    if not -n <= output < n:
        raise problem(where, "target", got=output, need=f"an index into {n} outputs", do="choose one")
    return output % n


def library_predictions(
    where: str,
    model: Any,
    library: Library,
    output: int,
    computing: Computing,
    path: Path | None,
    identity: Mapping[str, str],
    overwrite: bool,
    verbose: bool,
) -> np.ndarray:
    """Predict a library, float64 ``(N,)`` of float32 numbers; with a path, some thousand rows at a time, kept as they come.

    Raises
    ------
    NbinterpError
        When a prediction is not finite, or the file is of something else.
    Interrupted
        When stopped by the user; `.partial` are the finished predictions, and so is the file.
    """
    n = len(library)
    store = MapStore(where, path, (n, 1, 1), {**identity, "library": library.fingerprint}, overwrite)

    def write(y: torch.Tensor) -> None:
        values = y[:, output].float().cpu().numpy()
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            got = f"a prediction of {values[bad[0]]} in row {store.done + bad[0]}"
            do = "check the model, or leave the row out of the library"
            raise problem(where, "model", got=got, need="finite numbers", do=do, kind=ModelError)
        store.write(values[:, None, None])

    with progress(n - store.done, f"{where}: predictions", verbose) as advance:
        try:
            while store.done < n:
                rows = library[store.done : store.done + _ROWS]
                write(predict_library(model, rows, *computing))
                advance(len(rows))
        except KeyboardInterrupt as stopped:
            done = getattr(stopped, "partial", None)
            if done is not None:
                write(done)
            raise Interrupted(store.maps[: store.done].ravel(), store.done) from None
        finally:
            store.save()
    return np.array(store.finish(), np.float64).ravel()


def predict_to_file(
    model: Any,
    library: Library,
    path: str | os.PathLike[str],
    *,
    target: int | None = None,
    batch_size: int = 64,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    overwrite: bool = False,
    verbose: bool = False,
) -> np.ndarray:
    """Predict a library into a file, which can be taken up again.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)``, gives ``(n, T)``.
    library : Library
    path : path
        ``.npy``; a note of what it is of lies beside it.
    target : int, optional
        Which output; needed where there are several.
    batch_size, dtype, device, verbose
        As in `predict`.
    overwrite : bool
        Whether a file of something else may be replaced.

    Returns
    -------
    np.ndarray, float64 (N,)
        Of float32 numbers.

    Raises
    ------
    NbinterpError
        When a prediction is not finite, or the file is of something else.
    Interrupted
        When stopped by the user; `.partial` are the finished predictions, and so is the file.

    Examples
    --------
    >>> import tempfile
    >>> from nbinterp.mechanism.library_random import random_library
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    >>> library = random_library("ACGTACGTAC", 6, random_state=0)
    >>> predict_to_file(model, library, Path(tempfile.mkdtemp()) / "y.npy", device="cpu").shape
    (6,)
    """
    where, computing = "predict_to_file", Computing(batch_size, dtype, device)
    output = output_of(where, model, library, target, computing)
    identity = {"model": model_key(model), "target": str(output), "dtype": str(dtype)}
    return library_predictions(where, model, library, output, computing, Path(path), identity, overwrite, verbose)


def keep_array(path: Path | None, key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """An array, read where it was kept under the same key, else made and kept."""
    if path is None:
        return make()
    note = path.with_suffix(".json")
    try:
        if json.loads(note.read_text())["key"] == key:
            return np.asarray(np.load(path))
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        pass  # nothing that can be used: it is made again
    note.unlink(missing_ok=True)
    array = make()
    with writing(path) as temporary:
        np.save(temporary, array)
    with writing(note) as temporary:
        temporary.write_text(json.dumps({"key": key}))
    return array
