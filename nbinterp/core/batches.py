"""Rows in batches: to the device, through the model, and back.

In: tensors, arrays or compact containers of N rows.  Out: batches on a device, in order; results that do not depend on
the batch size.  A batch that does not fit the device's memory is halved; an interrupt keeps what was finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch

from ..errors import Interrupted, problem

__all__ = [
    "Compact",
    "autocast",
    "n_rows",
    "on_device",
    "progress",
    "resolve_device",
    "resolve_dtype",
    "run_batches",
    "take_rows",
]


@runtime_checkable
class Compact(Protocol):
    """A container of N sequences that becomes one-hot on demand, such as `PackedSequence`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, 4, L)``."""

    def __getitem__(self, index: Any) -> Any: ...

    def to_one_hot(self, dtype: torch.dtype = ..., device: Any = ...) -> torch.Tensor:
        """Decode to a one-hot tensor on the device."""


Rows: TypeAlias = "torch.Tensor | np.ndarray | Compact"  # what a public function takes for X


def n_rows(X: Any) -> int:
    """Count the rows of a tensor, an array or a compact container."""
    return int(X.shape[0])


def take_rows(X: Any, start: int, end: int, *, device: torch.device | str, dtype: torch.dtype) -> torch.Tensor:
    """Give rows ``[start, end)`` as a tensor of `dtype` on `device`.

    Narrow integers are moved first and cast there, since they are several times smaller than floats.
    """
    rows = X[start:end]
    if isinstance(rows, np.ndarray):
        rows = torch.from_numpy(np.ascontiguousarray(rows))
    if isinstance(rows, torch.Tensor):
        if rows.element_size() < torch.empty((), dtype=dtype).element_size():
            return rows.to(device).to(dtype)
        return rows.to(device=device, dtype=dtype)
    decoded: torch.Tensor = rows.to_one_hot(dtype=dtype, device=device)
    return decoded


def resolve_device(device: torch.device | str | None, model: Any = None) -> torch.device:
    """Choose the device: the one asked for, else CUDA if there is one, else where the model is (CPU by default)."""
    if device is not None:
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    first = _first_parameter(model)
    return first.device if first is not None else torch.device("cpu")


def resolve_dtype(dtype: torch.dtype | str | None, model: Any) -> torch.dtype:
    """Choose the dtype: the one asked for, else that of the model's first parameter, else float32."""
    if isinstance(dtype, str):
        named = getattr(torch, dtype, None)
        if not isinstance(named, torch.dtype):
            raise problem("dtype", "dtype", got=repr(dtype), need="a torch dtype", do="pass for example torch.float32")
        return named
    if dtype is not None:
        return dtype
    first = _first_parameter(model)
    return first.dtype if first is not None and first.is_floating_point() else torch.float32


def _first_parameter(model: Any) -> torch.Tensor | None:
    parameters = getattr(model, "parameters", None)
    if not callable(parameters):
        return None
    return next(iter(parameters()), None)


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[Any]:
    """Autocast for half precision, and for nothing else: wider types run as they are."""
    if dtype in (torch.float16, torch.bfloat16):
        return torch.autocast(device.type, dtype=dtype)
    return nullcontext()


@contextmanager
def on_device(model: Any, device: torch.device) -> Iterator[Any]:
    """Hold `model` on `device` in evaluation mode; put its device and every module's mode back afterwards.

    Anything callable is accepted; what is no `nn.Module` is passed through untouched.
    """
    if not isinstance(model, torch.nn.Module):
        yield model
        return
    modes = [(module, module.training) for module in model.modules()]
    first = _first_parameter(model)
    home = first.device if first is not None else None
    try:
        model.eval()
        if home is not None and home != device:
            model.to(device)
        yield model
    finally:
        if home is not None and home != device:
            model.to(home)
        for module, training in modes:
            module.training = training


def run_batches(
    n: int,
    batch_size: int,
    step: Callable[[int, int], None],
    *,
    desc: str = "",
    verbose: bool = False,
    partial: Callable[[int], Any] | None = None,
) -> None:
    """Call ``step(start, end)`` over ``[0, n)`` in order, at most `batch_size` rows at a time.

    Out of memory halves the batch, from that row on; at one row it is an error.  `step` must write its results only
    when it succeeded, so that it can be repeated.

    Parameters
    ----------
    n, batch_size : int
        Rows in all, and rows a step at most (at least 1).
    step : callable
        Does the work of rows ``[start, end)``.
    desc, verbose
        Label of the progress bar, and whether to show it.
    partial : callable, optional
        ``partial(n_done)`` gives the results of the first `n_done` rows.  With it a KeyboardInterrupt is raised again
        as `Interrupted`, which carries them.
    """
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise problem(desc or "run", "batch_size", got=repr(batch_size), need="an integer of at least 1", do="raise it")
    done, size = 0, min(int(batch_size), max(n, 1))
    with progress(n, desc, verbose) as advance:
        try:
            while done < n:
                end = min(done + size, n)
                try:
                    step(done, end)
                except torch.OutOfMemoryError:
                    if size == 1:
                        raise
                    size = max(1, (end - done) // 2)
                    torch.cuda.empty_cache()
                    continue
                advance(end - done)
                done = end
        except Interrupted:
            raise
        except KeyboardInterrupt:
            if partial is None:
                raise
            raise Interrupted(partial(done) if done else None, done) from None


@contextmanager
def progress(n: int, desc: str, verbose: bool) -> Iterator[Callable[[int], Any]]:
    """A bar of `n` steps, or nothing; call what it gives with the number of steps that were made."""
    if not verbose:
        yield lambda _: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=n, desc=desc or None) as bar:
        yield bar.update
