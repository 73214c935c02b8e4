"""What a summary of a clustered library is made from: one sequence, one label and one activity a row.

In: what the user passed.  Out: arrays of the same number of rows, or an error that names the row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..errors import problem
from .library_letters import HAPLOID, as_codes

__all__ = ["read_activity", "read_codes", "read_labels", "read_reference", "read_window"]


def read_codes(where: str, X: Any) -> np.ndarray:
    """Give integer codes ``(N, L)``, 4 and above where unknown, of whatever holds sequences."""
    if getattr(X, "letters", HAPLOID) != HAPLOID:
        raise problem(where, "X", got="a diploid library", need="one base a position", do="count it by copy")
    given = getattr(X, "codes", X)
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu().numpy()
    flat = isinstance(given, np.ndarray) and given.ndim == 2 and given.dtype.kind in "iu"
    codes = np.asarray(given) if flat else as_codes(where, "X", X)
    if codes.ndim != 2 or not len(codes):
        raise problem(where, "X", got=f"codes of shape {codes.shape}", need="N sequences", do="add the batch axis")
    return codes


def read_window(where: str, X: Any, n: int, start: int, width: int) -> np.ndarray:
    """Give the codes ``(n, width)`` under a window of as many sequences as there are maps."""
    codes = read_codes(where, X)
    if len(codes) != n:
        raise problem(where, "X", got=f"{len(codes)} sequences for {n} maps", need="one each", do="match the rows")
    if start < 0 or start + width > codes.shape[1]:
        raise problem(where, "start", got=f"maps of [{start}, {start + width})", need=f"a window of the {codes.shape[1]} bases",
                      do="say where the maps begin")  # fmt: skip
    return codes[:, start : start + width]


def read_labels(where: str, labels: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The labels that there are, and the place of each row's among them, -1 for noise."""
    given = labels.detach().cpu().numpy() if isinstance(labels, torch.Tensor) else np.asarray(labels)
    if given.shape != (n,) or given.dtype.kind not in "iu":
        raise problem(where, "labels", got=f"{given.dtype} of shape {given.shape}", need=f"{n} integers",
                      do="give one label a row")  # fmt: skip
    present = np.unique(given[given >= 0])
    if not len(present):
        raise problem(where, "labels", got="only -1", need="at least one cluster", do="cluster with other settings")
    return present.astype(np.int64), np.where(given >= 0, np.searchsorted(present, given), -1).astype(np.int64)


def read_activity(where: str, y: Any, n: int) -> np.ndarray:
    """Hold activities to one finite number a row, float64 ``(n,)``; a column ``(n, 1)`` is taken as such."""
    values = np.asarray(y.detach().cpu() if isinstance(y, torch.Tensor) else y, np.float64)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.shape != (n,):
        raise problem(where, "y", got=f"shape {values.shape}", need=f"{n} numbers", do="give one activity a row")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise problem(where, "y", got=f"{values[row]} in row {row}", need="finite numbers", do="drop such rows")
    return values


def read_reference(where: str, reference: Any, start: int, end: int) -> np.ndarray:
    """Give the codes under a window, uint8 ``(W,)``, of a reference as long as the window or as the sequences."""
    given = reference.detach().cpu().numpy() if isinstance(reference, torch.Tensor) else reference
    flat = isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype.kind in "iu"
    codes = given if flat else as_codes(where, "reference", given)
    if codes.ndim != 1 or (len(codes) != end - start and len(codes) < end):
        raise problem(where, "reference", got=f"shape {codes.shape}", need=f"one sequence that covers [{start}, {end})",
                      do="pass the library's reference")  # fmt: skip
    return codes if len(codes) == end - start else codes[start:end]
