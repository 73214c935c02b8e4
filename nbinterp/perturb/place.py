"""Where motifs go.

In: motifs, and sequences to write them over.  Out: checked widths and first positions, and encoded motifs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch

from ..errors import problem
from ..sequence import one_hot_encode
from .call import sequences

__all__ = ["DNA", "check_placed", "motif_width", "one_hot_motif"]

DNA: Final = ("A", "C", "G", "T")


def motif_width(where: str, argument: str, motif: Any, X: torch.Tensor) -> int:
    """Give the width of a motif, a string or one-hot; a tensor must be where the sequences are."""
    if isinstance(motif, torch.Tensor) and motif.device != X.device:
        raise problem(
            where, argument, got=f"a motif on {motif.device}", need=f"one on {X.device}, where X is", do="move it"
        )
    return len(motif) if isinstance(motif, str) else int(motif.shape[-1])


def one_hot_motif(where: str, argument: str, motif: Any, alphabet: Sequence[str], X: torch.Tensor) -> torch.Tensor:
    """Give a motif, a string or one-hot, as (1 or N, letters, width), as the sequences are; N is a zero column."""
    if isinstance(motif, str):
        encoded = one_hot_encode(motif, alphabet=alphabet, ignore=("N",))
        assert isinstance(encoded, torch.Tensor)
        motif = encoded[None]
    motif = sequences(where, motif, argument=argument)
    if motif.shape[1] != X.shape[1] or len(motif) not in (1, len(X)):
        raise problem(
            where, argument, got=f"shape {tuple(motif.shape)}", need=f"shape (1 or {len(X)}, {X.shape[1]}, width)",
            do="pass one motif, or one for each sequence",
        )  # fmt: skip
    return motif.to(X)  # type: ignore[no-any-return]


def check_placed(where: str, argument: str, width: int, start: int | None, length: int) -> int:
    """Give the first position of a motif of a width (the middle by default); it must lie within the sequence."""
    if width > length:
        raise problem(
            where, argument, got=f"{width} bases", need=f"at most the sequences' length, {length}", do="shorten it"
        )
    at = length // 2 - width // 2 if start is None else int(start)
    if not 0 <= at <= length - width:
        raise problem(where, "start", got=at, need=f"0 to {length - width} for {width} bases in {length}", do="move it")
    return at
