"""The references that sequences are compared with.

In: one-hot sequences, and a tensor, a compact container or a function of references.  Out: ``(S, R, 4, L)`` for a span of
sequences, the same whatever the batch: reference j of every sequence is drawn with seed ``random_state + j``, or all
references of every sequence in one call with seed ``random_state``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..core.batches import take_rows
from ..core.check import check_one_hot
from ..errors import problem
from ..sequence import dinucleotide_shuffle

__all__ = ["ReferenceMaker"]


class ReferenceMaker:
    """Draws or cuts the references of rows ``[start, end)``.

    Parameters
    ----------
    where : str
        The public function, for messages.
    X : one-hot (N, 4, L) or compact container
        The sequences.
    references : callable, tensor (N, R, 4, L) or compact container
        A callable is called as ``references(X, n=1, random_state=seed)`` and gives ``(N, 1, 4, L)``.
    n_shuffles : int
        R, for a callable.
    random_state : int or None
        Seed.
    at_once : bool
        Call as ``references(X, n=R, random_state=seed)`` for each sequence, which gives ``(1, R, 4, L)``.
    """

    def __init__(
        self, where: str, X: Any, references: Any, n_shuffles: int, random_state: int | None, *, at_once: bool = False
    ) -> None:
        self._X, self._source, self._random_state, self._at_once = X, references, random_state, at_once
        self.n = n_shuffles
        if callable(references):
            if n_shuffles < 1:
                raise problem(where, "n_shuffles", got=n_shuffles, need="at least 1", do="raise it")
            return
        shape = tuple(getattr(references, "shape", ()))
        if len(shape) != 4 or shape[0] != X.shape[0] or shape[2:] != tuple(X.shape[1:]):
            need = f"a function, or shape ({X.shape[0]}, R, {X.shape[1]}, {X.shape[2]})"
            raise problem(where, "references", got=f"shape {shape}", need=need, do="give R references a sequence")
        if isinstance(references, torch.Tensor):
            check_one_hot(where, "references", references.flatten(0, 1))
        self.n = shape[1]

    def rows(self, start: int, end: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
        """Give ``(end - start, R, 4, L)`` on the device."""
        if not callable(self._source):
            return take_rows(self._source, start, end, device=device, dtype=dtype)
        X = take_rows(self._X, start, end, device="cpu", dtype=torch.int8)
        if self._at_once:
            drawn = torch.cat([self._made(X[i : i + 1], self.n, 0) for i in range(len(X))])
        else:
            drawn = self._draw(X) if self._source is dinucleotide_shuffle else self._call(X)
        return drawn.to(device).to(dtype)

    def _draw(self, X: torch.Tensor) -> torch.Tensor:
        """All shuffles of a step in one call."""
        rows = X.repeat_interleave(self.n, dim=0)
        seeds = None
        if self._random_state is not None:
            seeds = np.tile(self._random_state + np.arange(self.n), len(X))
        shuffled: torch.Tensor = dinucleotide_shuffle(rows, n=1, random_state=seeds)
        return shuffled.view(len(X), self.n, *X.shape[1:])

    def _call(self, X: torch.Tensor) -> torch.Tensor:
        """The references of a step, one by one."""
        columns = [torch.cat([self._made(X[i : i + 1], 1, j) for i in range(len(X))]) for j in range(self.n)]
        return torch.cat(columns, dim=1)

    def _made(self, X: torch.Tensor, n: int, j: int) -> torch.Tensor:
        """What the function gives for one sequence, (1, n, 4, L)."""
        seed = {} if self._random_state is None else {"random_state": self._random_state + j}
        made = self._source(X, n=n, **seed)
        one_hot: torch.Tensor = made if isinstance(made, torch.Tensor) else made.to_one_hot()
        return one_hot
