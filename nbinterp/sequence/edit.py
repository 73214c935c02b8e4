"""Atomic edits: insert, substitute, delete, randomize.

In: one-hot ``(N, 4, L)`` or a compact container, and motifs as strings or one-hot.  Out: new sequences; nothing is
changed in place.  Names, defaults and results are those of ``tangermeme.ersatz``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..core.check import check_one_hot, validate_input
from ..errors import problem
from .compact import CodedSequence, PackedSequence
from .encode import DNA, as_random_state, one_hot_encode, random_codes

__all__ = ["delete", "insert", "multisubstitute", "randomize", "substitute"]

AnySequence = torch.Tensor | PackedSequence | CodedSequence


def as_one_hot(where: str, X: Any, *, allow_N: bool = True) -> torch.Tensor:
    """Decode a compact container, or hold a tensor to one-hot."""
    if isinstance(X, (PackedSequence, CodedSequence)):
        X = X.to_one_hot()
    check_one_hot(where, "X", X, allow_N=allow_N)
    return X  # type: ignore[no-any-return]


def like_input(Y: torch.Tensor, X: Any, return_packed: bool | None) -> Any:
    """Pack the result when asked, or when the input was compact and nothing was said."""
    if return_packed or (return_packed is None and isinstance(X, PackedSequence)):
        return PackedSequence.from_one_hot(Y)
    if return_packed is None and isinstance(X, CodedSequence):
        return CodedSequence.from_one_hot(Y)
    return Y


def _motif(where: str, motif: Any, X: torch.Tensor, alphabet: Sequence[str], ignore: Sequence[str]) -> torch.Tensor:
    if isinstance(motif, str):
        encoded = one_hot_encode(motif, alphabet=alphabet, ignore=ignore)
        assert isinstance(encoded, torch.Tensor)
        motif = encoded.unsqueeze(0)
    if isinstance(motif, (PackedSequence, CodedSequence)):
        motif = motif.to_one_hot()
    check_one_hot(where, "motif", motif)
    if motif.shape[1] != X.shape[1] or motif.shape[0] not in (1, X.shape[0]):
        raise problem(
            where,
            "motif",
            got=f"shape {tuple(motif.shape)}",
            need=f"shape (1 or {X.shape[0]}, {X.shape[1]}, width)",
            do="pass one motif, or one for each sequence",
        )
    return motif.to(device=X.device, dtype=X.dtype)  # type: ignore[no-any-return]


def _start(where: str, start: int | None, default: int, motif: torch.Tensor, X: torch.Tensor) -> int:
    width, length = motif.shape[-1], X.shape[-1]
    if width > length:
        raise problem(where, "motif", got=f"width {width}", need=f"at most the length, {length}", do="shorten it")
    if start is None:
        return default
    if not 0 <= start <= length - width:
        raise problem(
            where, "start", got=start, need=f"0 to {length - width} for width {width} in length {length}", do="move it"
        )
    return start


def insert(
    X: AnySequence,
    motif: torch.Tensor | str,
    start: int | None = None,
    alphabet: Sequence[str] = DNA,
    return_packed: bool | None = None,
) -> Any:
    """Insert a motif between two positions; the sequences become longer by its width.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences; unknown bases stay.
    motif : str or one-hot (1 or N, 4, width)
        One for all sequences, or one for each; no unknown bases.
    start : int, optional
        Position of its first base, 0 to L - width; ``L // 2`` by default.
    alphabet : sequence of str
        The letters of a motif string.
    return_packed : bool, optional
        Give a `PackedSequence`; by default what `X` was.

    Returns
    -------
    (N, 4, L + width)

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> characters(insert(one_hot_encode("AAAAAA").unsqueeze(0), "GCGC")[0])
    'AAAGCGCAAA'
    """
    one_hot = as_one_hot("insert", X)
    block = _motif("insert", motif, one_hot, alphabet, ())
    check_one_hot("insert", "motif", block, allow_N=False)
    at = _start("insert", start, one_hot.shape[-1] // 2, block, one_hot)
    block = block.expand(one_hot.shape[0], -1, -1)
    return like_input(torch.cat([one_hot[:, :, :at], block, one_hot[:, :, at:]], dim=-1), X, return_packed)


def substitute(
    X: AnySequence,
    motif: torch.Tensor | str,
    start: int | None = None,
    alphabet: Sequence[str] = DNA,
    ignore: Sequence[str] = ("N",),
    return_packed: bool | None = None,
) -> Any:
    """Write a motif over the sequences; their length stays.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    motif : str or one-hot (1 or N, 4, width)
        Unknown bases (`ignore`, zero columns) leave the sequence as it is.
    start : int, optional
        Position of its first base; centred (``L // 2 - width // 2``) by default.
    alphabet, ignore : sequence of str
        The letters of a motif string.
    return_packed : bool, optional
        Give a `PackedSequence`; by default what `X` was.

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> characters(substitute(one_hot_encode("AAAAAA").unsqueeze(0), "GNGC")[0])
    'AGAGCA'
    """
    one_hot = as_one_hot("substitute", X)
    block = _motif("substitute", motif, one_hot, alphabet, ignore)
    width = block.shape[-1]
    at = _start("substitute", start, one_hot.shape[-1] // 2 - width // 2, block, one_hot)
    edited = one_hot.clone()
    known = block.sum(dim=1, keepdim=True) == 1
    edited[:, :, at : at + width] = torch.where(known, block, one_hot[:, :, at : at + width])
    return like_input(edited, X, return_packed)


def multisubstitute(
    X: AnySequence,
    motifs: Sequence[torch.Tensor | str],
    spacing: int | Sequence[int],
    start: int | None = None,
    alphabet: Sequence[str] = DNA,
    ignore: Sequence[str] = ("N",),
    return_packed: bool | None = None,
) -> Any:
    """Write several motifs over the sequences, from left to right.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    motifs : sequence of motifs
        As in `substitute`.
    spacing : int or list of n - 1 ints
        Bases between the end of a motif and the start of the next.
    start : int, optional
        Of the first motif; the whole is centred by default.
    alphabet, ignore, return_packed
        As in `substitute`.

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> characters(multisubstitute(one_hot_encode("AAAAAAAA").unsqueeze(0), ["GC", "TT"], 1)[0])
    'AAGCATTA'
    """
    one_hot = as_one_hot("multisubstitute", X)
    widths = [len(motif) if isinstance(motif, str) else motif.shape[-1] for motif in motifs]
    if isinstance(spacing, (int, np.integer)):
        spacing = [int(spacing)] * (len(motifs) - 1)
    if not isinstance(spacing, (list, tuple)) or len(spacing) != len(motifs) - 1:
        raise problem(
            "multisubstitute",
            "spacing",
            got=repr(spacing),
            need=f"an int or {len(motifs) - 1} ints",
            do="one for each gap",
        )
    if any(gap < 0 or gap >= one_hot.shape[-1] for gap in spacing):
        raise problem(
            "multisubstitute", "spacing", got=list(spacing), need=f"0 to {one_hot.shape[-1] - 1}", do="shorten it"
        )
    if start is None:
        whole = sum(spacing) + sum(widths)
        start = one_hot.shape[-1] // 2 - whole // 2
        if start < 0:
            raise problem(
                "multisubstitute",
                "motifs",
                got=f"{whole} bases in all",
                need=f"at most {one_hot.shape[-1]}",
                do="shorten it",
            )
    edited = one_hot
    for motif, width, gap in zip(motifs, widths, [*spacing, 0], strict=True):
        edited = substitute(edited, motif, start=start, alphabet=alphabet, ignore=ignore)
        start += width + gap
    return like_input(edited, X, return_packed)


def delete(X: AnySequence, start: int, end: int, return_packed: bool | None = None) -> Any:
    """Cut out positions ``[start, end)``; the sequences become shorter.

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> characters(delete(one_hot_encode("AACCGG").unsqueeze(0), 1, 3)[0])
    'ACGG'
    """
    one_hot = as_one_hot("delete", X)
    _check_span("delete", start, end, one_hot.shape[-1])
    return like_input(torch.cat([one_hot[:, :, :start], one_hot[:, :, end:]], dim=-1), X, return_packed)


def _check_span(where: str, start: int, end: int, length: int) -> None:
    if not 0 <= start < end <= length:
        raise problem(
            where, "start, end", got=f"{start}, {end}", need=f"0 <= start < end <= {length}", do="pass a span inside"
        )


def randomize(
    X: AnySequence,
    start: int,
    end: int,
    probs: Any = ((0.25, 0.25, 0.25, 0.25),),
    n: int = 1,
    random_state: int | np.random.RandomState | None = None,
    return_packed: bool | None = None,
) -> Any:
    """Replace positions ``[start, end)`` by random letters, `n` times.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    start, end : int
        The span.
    probs : array of shape (1, 4) or (N, 4)
        Probabilities of the letters; rows sum to 1.
    n : int
        Draws for each sequence.
    random_state : int, RandomState or None
        Seed; the stream is tangermeme's.
    return_packed : bool, optional
        Give a `PackedSequence`; by default what `X` was.

    Returns
    -------
    (N, n, 4, L)

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> characters(randomize(one_hot_encode("AAAAAAAA").unsqueeze(0), 2, 6, random_state=0)[0, 0])
    'AAGGGGAA'
    """
    one_hot = as_one_hot("randomize", X)
    weights = torch.as_tensor(probs, dtype=torch.float64)
    validate_input(weights, "probs", shape=(-1, one_hot.shape[1]), min_value=0, max_value=1)
    if bool(((weights.sum(dim=1) - 1).abs() > 1e-6).any()):
        raise problem("randomize", "probs", got="rows that do not sum to 1", need="probabilities", do="normalise them")
    # numpy refuses rows that are off by float32 rounding
    weights = weights / weights.sum(dim=1, keepdim=True)
    _check_span("randomize", start, end, one_hot.shape[-1])
    rng = as_random_state(random_state)
    edited = one_hot.unsqueeze(1).repeat(1, n, 1, 1)
    for i in range(n):
        codes = random_codes((one_hot.shape[0], one_hot.shape[1], end - start), weights.numpy(), rng)
        letters = torch.from_numpy(codes.astype(np.int64)).to(one_hot.device)
        block = torch.nn.functional.one_hot(letters, one_hot.shape[1]).transpose(1, 2)
        edited[:, i, :, start:end] = block.to(one_hot.dtype)
    return like_input(edited, X, return_packed)
