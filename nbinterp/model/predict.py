"""Apply a model to sequences in batches.

In: a model and N sequences (one-hot or compact).  Out: its outputs on the CPU, in the order of the sequences; the same
whatever the batch size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..core.batches import autocast, n_rows, on_device, resolve_device, resolve_dtype, run_batches, take_rows
from ..errors import ModelError, problem

__all__ = ["predict"]


def predict(
    model: Any,
    X: Any,
    args: Sequence[torch.Tensor] | None = None,
    func: Callable[[Any], Any] | None = None,
    batch_size: int = 32,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
) -> Any:
    """Predict in evaluation mode, without gradients, a batch at a time.

    Parameters
    ----------
    model : callable
        Takes ``(X, *args)``; its device and mode are put back afterwards.
    X : one-hot (N, 4, L) or compact container
        The sequences.  Each batch is moved to the device as it is stored and cast there.
    args : sequence of tensors, optional
        Further inputs, with N rows each, cast like `X`.
    func : callable, optional
        Applied to the output of each batch on the device, before it is copied back.
    batch_size : int
        Rows at a time; halved when the device runs out of memory.
    dtype : torch.dtype or str, optional
        Of the computation; that of the model's first parameter by default.
    device : str or torch.device, optional
        CUDA if there is one, else where the model is.
    verbose : bool
        Show a progress bar.

    Returns
    -------
    torch.Tensor, or a list (dict) of them where the model gives several
        On the CPU; a tuple of outputs becomes a list, as in tangermeme.

    Raises
    ------
    NbinterpError
        When `X` is empty or `args` have other numbers of rows.
    ModelError
        When the model cannot take the sequences' length, or gives something that is no tensor.
    Interrupted
        On a keyboard interrupt, with the finished rows.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> tuple(predict(model, torch.zeros(5, 4, 4)).shape)
    (5, 2)
    """
    extra = check_inputs("predict", X, args)
    device, dtype = resolve_device(device, model), resolve_dtype(dtype, model)
    finished: list[Any] = []

    def step(start: int, end: int) -> None:
        batch = [take_rows(one, start, end, device=device, dtype=dtype) for one in (X, *extra)]
        with torch.inference_mode(), autocast(device, dtype):
            y = call_model("predict", model, *batch)
            y = y if func is None else func(y)
        finished.append(_to_cpu(y, end - start))

    with on_device(model, device):
        run_batches(
            n_rows(X), batch_size, step, desc="predict", verbose=verbose, partial=lambda _: _concatenate(finished)
        )
    return _concatenate(finished)


def check_inputs(where: str, X: Any, args: Sequence[torch.Tensor] | None) -> tuple[torch.Tensor, ...]:
    """Hold `X` and `args` to the same, positive number of rows; give `args` as a tuple."""
    if not hasattr(X, "shape") or len(X.shape) < 2:
        raise problem(
            where, "X", got=f"a {type(X).__name__}", need="a tensor (N, 4, L)", do="one-hot encode the sequences"
        )
    n = n_rows(X)
    if n == 0:
        raise problem(where, "X", got="no sequences", need="at least one", do="check how they were read")
    extra = tuple(args or ())
    for i, one in enumerate(extra):
        if not hasattr(one, "shape") or len(one.shape) == 0 or one.shape[0] != n:
            shape = tuple(one.shape) if hasattr(one, "shape") else type(one).__name__
            raise problem(where, f"args[{i}]", got=shape, need=f"a tensor of {n} rows, as X has", do="match the rows")
    return extra


def call_model(where: str, model: Any, X: torch.Tensor, *args: torch.Tensor) -> Any:
    """Call the model; a shape that it cannot take becomes an error that names the lengths."""
    wanted = getattr(model, "in_length", None)
    if isinstance(wanted, int) and X.ndim == 3 and X.shape[-1] != wanted:
        raise _wrong_length(where, X, f"length {wanted}", wanted)
    try:
        return model(X, *args)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        if any(word in str(error) for word in ("shape", "size", "channels")):
            raise _wrong_length(where, X, f"a shape the model can take ({_first_line(error)})", wanted) from error
        raise


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _wrong_length(where: str, X: torch.Tensor, need: str, wanted: int | None) -> ModelError:
    remedy = f"extract the sequences with in_window={wanted}" if wanted else "check the length of the sequences"
    error = problem(where, "X", got=f"shape {tuple(X.shape)}", need=need, do=remedy, kind=ModelError)
    assert isinstance(error, ModelError)
    return error


def _to_cpu(y: Any, rows: int) -> Any:
    if isinstance(y, torch.Tensor):
        if y.ndim == 0 or y.shape[0] != rows:
            raise problem(
                "predict", "model", got=f"an output of shape {tuple(y.shape)} for {rows} rows", need="a row for each",
                do="keep the batch axis first", kind=ModelError,
            )  # fmt: skip
        return y.cpu()
    if isinstance(y, (list, tuple)):
        return [_to_cpu(one, rows) for one in y]
    if isinstance(y, dict):
        return {key: _to_cpu(one, rows) for key, one in y.items()}
    raise problem(
        "predict", "model", got=f"an output of type {type(y).__name__}", need="tensors, or a list or dict of them",
        do="wrap the model so that it gives tensors", kind=ModelError,
    )  # fmt: skip


def _concatenate(parts: list[Any]) -> Any:
    first = parts[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(parts)
    if isinstance(first, dict):
        return {key: _concatenate([part[key] for part in parts]) for key in first}
    return [_concatenate(list(column)) for column in zip(*parts, strict=True)]
