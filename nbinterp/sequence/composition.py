"""Composition of sequences: GC content, entropy, information content.

In: one-hot or probabilities ``(N, 4, L)``.  Out: one number a sequence or a position; unknown bases do not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ..core.check import validate_input
from ..errors import problem
from .compact import CodedSequence, PackedSequence
from .encode import DNA

__all__ = ["entropy", "gc_content", "information_content"]


def gc_content(X: torch.Tensor | PackedSequence | CodedSequence, alphabet: Sequence[str] = DNA) -> torch.Tensor:
    """Fraction of known bases that are G or C; 0 where none is known.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    alphabet : sequence of str
        The letters of the rows.

    Returns
    -------
    torch.Tensor, shape (N,)

    Examples
    --------
    >>> from nbinterp import one_hot_encode
    >>> gc_content(one_hot_encode("GATTNC").unsqueeze(0)).item()
    0.4000000059604645
    """
    rows = [i for i, letter in enumerate(alphabet) if letter in ("G", "C")]
    if not rows:
        raise problem("gc_content", "alphabet", got="".join(alphabet), need="an alphabet with G or C", do="correct it")
    one_hot = X.to_one_hot() if isinstance(X, (PackedSequence, CodedSequence)) else X
    validate_input(one_hot, "X", shape=(-1, len(alphabet), -1), ohe=True, allow_N=True)
    counts = one_hot.float()
    gc, total = counts[:, rows].sum(dim=(1, 2)), counts.sum(dim=(1, 2))
    return torch.where(total > 0, gc / total.clamp(min=1), torch.zeros_like(gc))


def entropy(X: torch.Tensor, eps: float = 1e-9) -> torch.Tensor:
    """Shannon entropy of each position in bits, of columns normalised to sum to 1; 0 at zero columns.

    Parameters
    ----------
    X : torch.Tensor, shape (N, A, L)
        Probabilities, counts or one-hot.
    eps : float
        Added inside the logarithm.

    Returns
    -------
    torch.Tensor, shape (N, L)

    Examples
    --------
    >>> round(entropy(torch.full((1, 4, 1), 0.25)).item(), 6)
    2.0
    """
    values = X.float()
    total = values.sum(dim=1, keepdim=True)
    probs = values / total.clamp(min=eps)
    bits = -(probs * torch.log2(probs + eps)).sum(dim=1)
    return torch.where(total.squeeze(1) == 0, torch.zeros_like(bits), bits)


def information_content(X: torch.Tensor, alphabet_size: int | None = None, eps: float = 1e-9) -> torch.Tensor:
    """Information of each position in bits: ``log2(A)`` minus the entropy; 0 at zero columns.

    Parameters
    ----------
    X : torch.Tensor, shape (N, A, L)
        Probabilities, counts or one-hot.
    alphabet_size : int, optional
        A; the number of rows by default.
    eps : float
        As in `entropy`.

    Examples
    --------
    >>> from nbinterp import one_hot_encode
    >>> [round(v, 6) for v in information_content(one_hot_encode("AN").unsqueeze(0))[0].tolist()]
    [2.0, 0.0]
    """
    bits = math.log2(alphabet_size or X.shape[1]) - entropy(X, eps=eps)
    return torch.where(X.float().sum(dim=1) == 0, torch.zeros_like(bits), bits)
