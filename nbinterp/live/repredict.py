"""The prediction of an edited sequence, recomputing only what the edit reaches.

In: a model, one sequence, and edited codes.  Out: outputs ``(T,)`` that equal the model's own to rounding.  The span in
which the two sequences differ is what is recomputed; where it is most of the sequence (after an insertion, say), or where
the model cannot be taken apart, the model itself is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ..core.batches import on_device, resolve_device, resolve_dtype
from ..errors import ModelError
from ..model.incremental import ChangeRangePlan, Edit, change_range_plan
from .edits import LETTERS

__all__ = ["Repredictor", "one_hot_of"]

_MOST = 4  # a span longer than a quarter of the sequence is not worth the bookkeeping


def one_hot_of(codes: np.ndarray, device: Any, dtype: Any) -> torch.Tensor:
    """One-hot (1, 4, L) of codes; 4 is a zero column."""
    table = torch.eye(5, dtype=dtype)[:, :4].to(device)
    columns: torch.Tensor = table[torch.from_numpy(codes.astype(np.int64)).to(device)]
    return columns.T[None]


class Repredictor:
    """Answers for edited copies of one sequence.

    Parameters
    ----------
    model : callable
        ``(N, 4, L)`` to ``(N, T)``.
    codes : uint8 array (L,)
        The sequence.
    args : sequence of tensors, optional
        One row of each further input, the same for every edit.
    device : optional
        As in `predict`.

    Attributes
    ----------
    y0 : torch.Tensor, shape (T,)
        The prediction of the sequence itself.
    reason : str
        Why every edit takes the whole forward pass; empty when it does not.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 2, 3), torch.nn.Flatten(), torch.nn.Linear(36, 1))
    >>> codes = np.arange(20, dtype=np.uint8) % 4
    >>> once = Repredictor(model, codes)
    >>> edited = codes.copy()
    >>> edited[7] = 0
    >>> bool(torch.allclose(once.predict(edited), once.predict_whole(edited), atol=1e-6))
    True
    """

    def __init__(
        self, model: Callable[..., Any], codes: np.ndarray, args: Sequence[torch.Tensor] = (), device: Any = None
    ) -> None:
        self._model, self._codes = model, codes
        self._device, self._dtype = resolve_device(device, model), resolve_dtype(None, model)
        self._args = [a.to(self._device, self._dtype) for a in args]
        self._plan: ChangeRangePlan | None = None
        self.reason = ""
        X = one_hot_of(codes, self._device, self._dtype)
        try:
            self._plan = change_range_plan(model, X, self._args, device=self._device)
        except ModelError as error:
            self.reason = str(error)
        self.y0 = self.predict_whole(codes) if self._plan is None else self._plan.y0[0].clone()

    def predict(self, codes: np.ndarray) -> torch.Tensor:
        """Give the prediction (T,) of edited codes of the same length."""
        differing = np.flatnonzero(codes != self._codes)
        if not len(differing):
            return self.y0
        start, end = int(differing[0]), int(differing[-1]) + 1
        if self._plan is None or (end - start) * _MOST > len(codes):
            return self.predict_whole(codes)
        bases = "".join(LETTERS[code] for code in codes[start:end].tolist())
        changed: torch.Tensor = self._plan.edit([Edit(start, bases)])[0]
        return changed

    def predict_whole(self, codes: np.ndarray) -> torch.Tensor:
        """Run the model on all of it."""
        with on_device(self._model, self._device), torch.inference_mode():
            whole: torch.Tensor = self._model(one_hot_of(codes, self._device, self._dtype), *self._args)[0]
            return whole
