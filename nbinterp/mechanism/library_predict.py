"""Predictions of a library, recomputing only what its window reaches.

In: a model and a library.  Out: predictions ``(N, ...)``.  Where the window is narrow, every row is an edit of one
reference: the reference's activations are computed once, and each row carries its difference through the model
(`nbinterp.model.incremental`), to the same numbers but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch

from ..core.batches import on_device, resolve_device, resolve_dtype, run_batches
from ..model.incremental import plan_of
from ..model.incremental.window import Geometry
from ..model.predict import predict
from .library import Library
from .library_letters import HAPLOID

__all__ = ["WindowModel", "predict_library"]

_FEWEST: Final = 32  # rows, below which capturing the model costs more than it saves
_PART: Final = 4  # a window longer than a quarter of the sequence is not worth the bookkeeping
_CPU_BYTES: Final = 1 << 20  # of the largest array of a block: what a core has a cache of its own for
_GPU_BYTES: Final = 512 << 20


def predict_library(
    model: Any,
    library: Library,
    batch_size: int = 64,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
    *,
    fast: bool = True,
) -> Any:
    """Predict every sequence of a library.

    It gives what `predict` gives, and is several times faster for a library whose window is at most a quarter of the
    sequence, if the model has a change-range plan.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)``.
    library : Library
        N sequences.
    batch_size, dtype, device, verbose
        As in `predict`.
    fast : bool
        Whether to recompute only what the window reaches.

    Returns
    -------
    What `predict` returns
        On the CPU.

    Raises
    ------
    NbinterpError, Interrupted
        As `predict`.

    Examples
    --------
    >>> from nbinterp.mechanism.library_combinatorial import combinatorial_library
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 3), torch.nn.Flatten(), torch.nn.Linear(36, 1))
    >>> library = combinatorial_library("ACGTACGTACGTACGTACGT", window=(8, 11))
    >>> tuple(predict_library(model, library, device="cpu").shape)
    (64, 1)
    """
    if fast and library.kind != "global" and len(library) >= _FEWEST:
        window = WindowModel.of(
            "predict_library", model, library, library.window, batch_size=batch_size, dtype=dtype, device=device
        )
        if window is not None:
            return window.predict(len(library), lambda start, end: library[start:end].to_codes(device), verbose=verbose)
    return predict(model, library, batch_size=batch_size, dtype=dtype, device=device, verbose=verbose)


class WindowModel:
    """A model of sequences that differ from one reference in a window alone; make it with `of`."""

    def __init__(
        self, where: str, model: Any, verdict: Any, x: torch.Tensor, span: tuple[int, int], batch_size: int
    ) -> None:
        self._where, self._model, self._verdict, self._x, self._span = where, model, verdict, x, span
        self._example = verdict.plan.example([x])
        width = span[1] - span[0]
        # a wide window holds more than the single base that the plan was measured with
        entries = min(verdict.full, verdict.widest + verdict.full * width // x.shape[2])
        budget = _CPU_BYTES if x.device.type == "cpu" else _GPU_BYTES
        held = budget // (entries * x.element_size())
        self._rows = max(1, min(held, batch_size * verdict.full // entries))

    @classmethod
    def of(
        cls,
        where: str,
        model: Any,
        library: Library,
        span: tuple[int, int],
        *,
        batch_size: int,
        dtype: torch.dtype | str | None,
        device: torch.device | str | None,
    ) -> WindowModel | None:
        """Prepare a model for edits of the library's reference in `span`, or give None where that does not pay."""
        at, of = resolve_device(device, model), resolve_dtype(dtype, model)
        narrow = (span[1] - span[0]) * _PART <= library.shape[2]
        if not narrow or library.letters != HAPLOID or of not in (torch.float32, torch.float64):
            return None
        x = torch.from_numpy(library.reference)[None].to(at, of)
        with on_device(model, at), torch.no_grad():
            verdict = plan_of(model, [x])
            verdict.warn(where, stacklevel=3)
            if verdict.plan is None:
                return None
            made = cls(where, model, verdict, x, span, batch_size)
            return made if isinstance(verdict.plan.output(made._example), torch.Tensor) else None

    def predict(
        self, n: int, codes: Callable[[int, int], torch.Tensor | np.ndarray], *, verbose: bool = False
    ) -> torch.Tensor:
        """Predict n sequences; ``codes(start, end)`` gives some of them, uint8 ``(end - start, L)``."""
        start, end = self._span
        x, plan = self._x, self._verdict.plan
        reference, bases = x[:, :, start:end], torch.arange(4, dtype=torch.uint8, device=x.device)[:, None]
        finished: list[torch.Tensor] = []

        def step(first: int, last: int) -> None:
            window = torch.as_tensor(codes(first, last)).to(x.device)[:, start:end]
            delta = (window[:, None] == bases).to(x.dtype) - reference
            with torch.inference_mode():
                y, _ = plan.run(self._example, Geometry(start, plan.stride, 1, len(delta)), delta, start)
            finished.append(y.cpu().clone())

        with on_device(self._model, x.device):
            run_batches(n, self._rows, step, desc=self._where, verbose=verbose, partial=lambda _: torch.cat(finished))
        return torch.cat(finished)
