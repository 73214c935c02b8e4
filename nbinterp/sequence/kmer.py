"""Counts of k-mers and of gapped k-mers.

In: one-hot ``(N, 4, L)`` and, optionally, a score for each position.  Out: a matrix with a row a sequence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from ..errors import problem
from .compact import CodedSequence, PackedSequence
from .encode import characters, reverse_complement

__all__ = ["gapped_kmers", "kmers", "strongest_kmers"]


def kmers(X: Any, k: int, scores: torch.Tensor | None = None) -> torch.Tensor:
    """Count k-mers, or sum their scores.

    Parameters
    ----------
    X : one-hot (N, A, L) or compact container
        Unknown bases count as the first letter, as in tangermeme.
    k : int
        Width.
    scores : torch.Tensor, shape (N, L), optional
        A k-mer's weight is the sum over its positions; 1 by default.

    Returns
    -------
    torch.Tensor, shape (N, A**k)
        The index of a k-mer is ``sum(code[j] * A**j)``: its first letter varies fastest.

    Examples
    --------
    >>> from nbinterp import one_hot_encode
    >>> kmers(one_hot_encode("ACAC").unsqueeze(0), 2).nonzero()[:, 1].tolist()
    [1, 4]
    """
    one_hot = X.to_one_hot() if isinstance(X, (PackedSequence, CodedSequence)) else X
    letters, length = one_hot.shape[1], one_hot.shape[2]
    if not 1 <= k <= length:
        raise problem("kmers", "k", got=k, need=f"1 to the length, {length}", do="lower it")
    codes = one_hot.argmax(dim=1) * (one_hot.sum(dim=1) > 0)
    n = length - k + 1
    index = sum(codes[:, j : j + n] * letters**j for j in range(k))
    assert isinstance(index, torch.Tensor)
    if scores is None:
        weights = torch.ones_like(index, dtype=torch.float32)
    else:
        weights = scores.to(torch.float32).unfold(1, k, 1).sum(dim=-1)
    counts = torch.zeros((one_hot.shape[0], letters**k), device=one_hot.device)
    return counts.scatter_add_(1, index, weights)


def gapped_kmers(
    X: Any,
    scores: torch.Tensor | None = None,
    min_k: int = 4,
    max_k: int = 8,
    max_gap: int = 2,
    max_len: int = 10,
    max_gkmers: int = 10,
    max_pos: int | None = None,
) -> Any:
    """Sum the scores of gapped k-mers and keep the strongest of each sequence.

    A gapped k-mer takes k positions in order, each at most `max_gap` after the one before and all within `max_len`.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    scores : torch.Tensor, shape (N, L), optional
        Of each position; 1 by default.  An occurrence adds the mean over its positions.
    min_k, max_k, max_gap, max_len : int
        Limits of the patterns.
    max_gkmers : int
        How many to keep for each sequence, by absolute score.
    max_pos : int, optional
        Use only so many positions of each sequence, those of highest score.

    Returns
    -------
    scipy.sparse.csr_matrix, shape (N, 5**max_len)
        The key of a pattern is ``sum((code + 1) * 5**offset)`` over its positions.

    Examples
    --------
    >>> from nbinterp import one_hot_encode
    >>> gapped_kmers(one_hot_encode("ACGTAC").unsqueeze(0), max_gkmers=3).shape
    (1, 9765625)
    """
    import scipy.sparse

    one_hot = X.to_one_hot() if isinstance(X, (PackedSequence, CodedSequence)) else X
    codes = one_hot.argmax(dim=1).cpu().numpy()
    weights = np.ones(codes.shape) if scores is None else torch.as_tensor(scores).cpu().numpy().astype(np.float64)
    keep = codes.shape[1] if max_pos is None else max_pos
    rows, keys, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for i in range(len(codes)):
        positions = np.sort(np.argsort(-weights[i])[:keep])
        found, summed = _patterns(positions, codes[i, positions], weights[i, positions], min_k, max_k, max_gap, max_len)
        best = np.argsort(-np.abs(summed), kind="stable")[:max_gkmers]
        rows.append(np.full(len(best), i))
        keys.append(found[best])
        values.append(summed[best])
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(keys)))
    return scipy.sparse.csr_matrix(entries, shape=(len(codes), 5**max_len))


def _patterns(
    positions: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray,
    min_k: int,
    max_k: int,
    max_gap: int,
    max_len: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Extend all paths by one position at a time; give keys in order of first appearance, and their sums."""
    n = len(positions)
    first, last = np.arange(n), np.arange(n)
    key, weight = codes + 1, weights.copy()
    all_keys, all_values = [], []
    for k in range(2, max_k + 1):
        # a next position is one of the following entries: at most max_gap of them lie within max_gap bases
        step = np.arange(1, max_gap + 1)
        following = last[:, None] + step
        path = np.repeat(np.arange(len(last)), max_gap)
        following = following.ravel()
        inside = following < n
        path, following = path[inside], following[inside]
        near = (positions[following] - positions[last[path]] <= max_gap) & (
            positions[following] - positions[first[path]] < max_len
        )
        path, following = path[near], following[near]
        # the order in which the peer meets them: by first position, then by the new one, then by path
        order = np.lexsort((path, following, first[path]))
        path, following = path[order], following[order]
        offset = positions[following] - positions[first[path]]
        key = key[path] + (codes[following] + 1) * 5**offset
        weight = weight[path] + weights[following]
        first, last = first[path], following
        if k >= min_k:
            all_keys.append(key)
            all_values.append(weight / k)
        if not len(last):
            break
    if not all_keys:
        return np.zeros(0, np.int64), np.zeros(0)
    joined, values = np.concatenate(all_keys), np.concatenate(all_values)
    unique, where, inverse = np.unique(joined, return_index=True, return_inverse=True)
    summed = np.bincount(inverse, weights=values, minlength=len(unique))
    appearance = np.argsort(where, kind="stable")
    return unique[appearance], summed[appearance]


def strongest_kmers(X: Any, spans: pd.DataFrame, k: int = 6, n: int = 12) -> pd.DataFrame:
    """Which k-mers carry the attribution of seqlets, both strands together.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    spans : DataFrame
        example_idx, start, end, attribution.
    k, n : int
        Width, and how many to give.

    Returns
    -------
    DataFrame
        kmer (of the two strands the one that comes first in the alphabet), reverse_complement, count, attribution (a
        seqlet's is shared equally by its k-mers); strongest first.

    Examples
    --------
    >>> from nbinterp import one_hot_encode
    >>> X = one_hot_encode("TTCCGGAATT").unsqueeze(0)
    >>> spans = pd.DataFrame({"example_idx": [0], "start": [2], "end": [8], "attribution": [1.0]})
    >>> strongest_kmers(X, spans)["kmer"].tolist()
    ['CCGGAA']
    """
    total: dict[str, list[float]] = {}
    for row, start, end, score in spans[["example_idx", "start", "end", "attribution"]].itertuples(index=False):
        one = X[int(row) : int(row) + 1]
        one_hot = one.to_one_hot() if isinstance(one, (PackedSequence, CodedSequence)) else one
        text = characters(one_hot[0, :, int(start) : int(end)], allow_N=True)
        words = [text[i : i + k] for i in range(len(text) - k + 1)]
        for word in words:
            if "N" in word:
                continue
            counted = total.setdefault(min(word, reverse_complement(word)), [0, 0.0])
            counted[0] += 1
            counted[1] += float(score) / len(words)
    ranked = sorted(total.items(), key=lambda item: -abs(item[1][1]))[:n]
    rows = [(word, reverse_complement(word), int(count), score) for word, (count, score) in ranked]
    return pd.DataFrame(rows, columns=["kmer", "reverse_complement", "count", "attribution"])
