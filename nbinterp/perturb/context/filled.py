"""Templates: codes ``(R, L)`` of which `HOLE` stands for a base that a background gives.

In: templates, and what fills their holes.  Out: sequences, made a slice at a time; or the edits that make them of others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import torch

from ...sequence import CodedSequence
from ..edits import Edits

__all__ = ["HOLE", "Filled", "Filler", "Near", "edits_of"]

HOLE: Final = 255
_MOST = 4  # a span longer than a quarter of the sequence is not worth the bookkeeping

Filler = Callable[
    [np.ndarray, np.ndarray, np.ndarray], np.ndarray
]  # templates' rows, backgrounds, holes -> their codes


class Filled:
    """Templates filled from backgrounds ``[start, end)``: all of them in the first background, then in the next.

    A compact container, as `predict` takes it: rows are made when they are asked for.
    """

    def __init__(self, templates: np.ndarray, filler: Filler, start: int, end: int) -> None:
        self.templates, self._filler, self._start = templates, filler, start
        self.shape = ((end - start) * len(templates), 4, templates.shape[1])

    def __getitem__(self, index: slice) -> CodedSequence:
        return CodedSequence(self.codes(np.arange(*index.indices(self.shape[0]))))

    def codes(self, index: np.ndarray) -> np.ndarray:
        """Give the codes of some rows."""
        j, rows = np.divmod(index, len(self.templates))
        codes = self.templates[rows]
        holes = codes == HOLE
        codes[holes] = self._filler(rows, j + self._start, holes)
        return codes


class Near(NamedTuple):
    """Templates (B, L) from which others differ in a short span: template r from ``templates[which[r]]``."""

    templates: np.ndarray
    which: np.ndarray


def edits_of(filled: Filled, near: Near, stride: int) -> tuple[list[Edits], np.ndarray] | None:
    """Describe what is filled as edits of what is near, and say which row each is; None where the edits are long.

    Parameters
    ----------
    filled : Filled
        What is to be made.
    near : Near
        What it is made of.
    stride : int
        By how many rows what is near lies further on for the next background; 0 where it is the same in all.
    """
    differs = filled.templates != near.templates[near.which]
    changed, length = differs.any(axis=1), differs.shape[1]
    start = np.where(changed, differs.argmax(axis=1), 0)
    end = np.where(changed, length - differs[:, ::-1].argmax(axis=1), 1)
    if int((end - start).max()) * _MOST > length:
        return None
    spans, group = np.unique(np.stack([start, end], axis=1), axis=0, return_inverse=True)
    edits, order = [], []
    for i, (a, b) in enumerate(spans.tolist()):
        rows = np.flatnonzero(group.reshape(-1) == i)
        index = (np.arange(0, filled.shape[0], len(differs))[:, None] + rows).reshape(-1)
        j, row = np.divmod(index, len(differs))
        columns = CodedSequence(filled.codes(index)[:, a:b]).to_one_hot()
        edits.append(Edits(torch.from_numpy(near.which[row] + stride * j), a, columns))
        order.append(index)
    return edits, np.concatenate(order)
