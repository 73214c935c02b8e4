"""Long sequences in overlapping pieces, and back.

In: a list of ``(A, L_i)`` tensors.  Out: ``(n, A, size)``, or the list again.
"""

from __future__ import annotations

from typing import Any

import torch

from ..core.check import validate_input
from ..errors import problem
from .compact import PackedSequence

__all__ = ["chunk", "unchunk"]


def chunk(X: list[Any], size: int = 1024, overlap: int = 0) -> Any:
    """Cut sequences into windows of `size`, each `overlap` positions into the one before; a short rest is dropped.

    Parameters
    ----------
    X : list of tensors (A, L_i), or of `PackedSequence` of one sequence each
        The sequences.
    size, overlap : int
        In positions.

    Returns
    -------
    (n, A, size)

    Examples
    --------
    >>> tuple(chunk([torch.zeros(4, 10)], size=4, overlap=1).shape)
    (3, 4, 4)
    """
    if not isinstance(X, list):
        raise problem("chunk", "X", got=f"a {type(X).__name__}", need="a list of tensors", do="wrap it in a list")
    if not isinstance(size, int) or size <= 0:
        raise problem("chunk", "size", got=repr(size), need="a positive integer", do="correct it")
    if not isinstance(overlap, int) or not 0 <= overlap < size:
        raise problem("chunk", "overlap", got=repr(overlap), need=f"an integer from 0 to {size - 1}", do="correct it")
    if X and isinstance(X[0], PackedSequence):
        codes = [x.to_codes().reshape(-1).unfold(-1, size, size - overlap) for x in X]
        return PackedSequence.from_codes(torch.cat(codes), X[0].alphabet)
    return torch.cat([x.unfold(-1, size, size - overlap).transpose(0, 1) for x in X], dim=0)


def unchunk(X: Any, lengths: Any = None, overlap: int = 0) -> list[torch.Tensor]:
    """Join windows made by `chunk` again, half of each overlap from either side.

    Parameters
    ----------
    X : tensor (n, ..., size)
        Values over the windows, in order.
    lengths : sequence of int
        Length of each original sequence.
    overlap : int
        As in `chunk`.

    Returns
    -------
    list of tensors (..., L_i)
        Without the rest that `chunk` dropped.  A sequence of one window comes back whole; tangermeme 1.6 trims it.

    Examples
    --------
    >>> x = torch.arange(10.0).reshape(1, 10)
    >>> torch.equal(unchunk(chunk([x], size=4, overlap=1), [10], overlap=1)[0], x)
    True
    """
    X = torch.as_tensor(X)
    if X.ndim <= 2:
        raise problem(
            "unchunk", "X", got=f"shape {tuple(X.shape)}", need="shape (n, ..., size)", do="keep the window axis"
        )
    counts = torch.as_tensor(lengths)
    validate_input(counts, "lengths", shape=(-1,), min_value=0)
    size = X.shape[-1]
    left = overlap // 2
    right = size - (overlap - left)
    joined, first = [], 0
    for n in ((counts - size) // (size - overlap) + 1).tolist():
        windows = X[first : first + n]
        pieces = [windows[i, ..., (0 if i == 0 else left) : (size if i == n - 1 else right)] for i in range(n)]
        joined.append(torch.cat(pieces, dim=-1))
        first += n
    return joined
