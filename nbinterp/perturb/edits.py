"""Edited copies of sequences, described by what they change.

In: sequences and copies of them.  Out: `Edits`, many times smaller than the copies, and the copies written out again.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

__all__ = ["Edits", "edits_of_copies", "write_out"]


class Edits(NamedTuple):
    """E edited copies: of sequences `rows` (E,), with positions from `start` on replaced by `columns` (E, 4, width)."""

    rows: torch.Tensor
    start: int
    columns: torch.Tensor


def write_out(X: torch.Tensor, edits: Edits) -> torch.Tensor:
    """Give the edited copies themselves."""
    copies = X[edits.rows.to(X.device)]
    copies[:, :, edits.start : edits.start + edits.columns.shape[2]] = edits.columns
    return copies


def edits_of_copies(X: torch.Tensor, rows: torch.Tensor, copies: torch.Tensor) -> Edits:
    """Describe copies (E, 4, L) by the span in which any of them differs from its sequence."""
    differs = torch.zeros(X.shape[2], dtype=torch.bool, device=X.device)
    for row in rows.unique().tolist():
        differs |= (copies[rows == row] != X[row]).any(dim=(0, 1))
    at = differs.nonzero()
    first, last = (int(at[0]), int(at[-1]) + 1) if len(at) else (0, 1)
    return Edits(rows, first, copies[:, :, first:last].clone())
