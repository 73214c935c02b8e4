"""Motifs at every place: what the model says, and which is best.

In: motifs, sequences, and the starts that are allowed.  Out: predictions of every motif at every start, scored together;
only what a motif reaches is recomputed where the model allows it (`nbinterp.perturb.run`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from ..errors import problem
from ..motif import MotifSet
from ..perturb.call import Call
from ..perturb.edits import Edits
from ..perturb.run import run_edits
from ..sequence import one_hot_encode, reverse_complement
from .objective import Objective, one_output

__all__ = ["Motif", "Placed", "best_placed", "predict_placed", "read_motifs"]


@dataclass(frozen=True)
class Motif:
    """A motif on one strand: `columns` int8 ``(4, w)``; zero columns (N) leave the sequence as it is."""

    name: str
    strand: str
    columns: torch.Tensor

    @property
    def width(self) -> int:
        """Bases."""
        return int(self.columns.shape[1])


class Placed(NamedTuple):
    """A motif at a start, and what that is worth."""

    motif: Motif
    start: int
    loss: float
    prediction: float


def read_motifs(
    where: str,
    motifs: Sequence[str] | Mapping[str, Any] | MotifSet,
    both_strands: bool,
    alphabet: Sequence[str],
    length: int,
) -> list[Motif]:
    """Encode motifs in the order given, then the other strand of each; those with names keep them."""
    named: list[tuple[str, Any]]
    if isinstance(motifs, MotifSet):
        named = [(name, motifs.consensus(name)) for name in motifs]
    elif isinstance(motifs, Mapping):
        named = list(motifs.items())
    else:
        named = [(motif, motif) for motif in ([motifs] if isinstance(motifs, str) else motifs)]
    if not named:
        raise problem(where, "motifs", got="none", need="at least one", do="pass strings, or a MotifSet")
    for name, bases in named:
        if not isinstance(bases, str) or not 0 < len(bases) <= length:
            got = f"{name!r} of {len(bases)} bases" if isinstance(bases, str) else f"a {type(bases).__name__}"
            raise problem(where, "motifs", got=got, need=f"strings of 1 to {length} bases", do="shorten or remove it")
    strands = [("+", named)]
    if both_strands:
        strands.append(("-", [(name, reverse_complement(bases)) for name, bases in named]))
    return [
        Motif(name, strand, torch.as_tensor(one_hot_encode(bases, alphabet=alphabet)))
        for strand, every in strands
        for name, bases in every
    ]


def predict_placed(
    call: Call, X: torch.Tensor, motifs: Sequence[Motif], starts: Callable[[int], list[int]], verbose: bool
) -> list[torch.Tensor]:
    """Predict sequences ``(N, 4, L)`` with each motif at each start that its width allows: ``(starts, N, T, ...)``."""
    found: dict[int, torch.Tensor] = {}
    for width in dict.fromkeys(motif.width for motif in motifs):
        members = [m for m, motif in enumerate(motifs) if motif.width == width]
        columns = torch.stack([motifs[m].columns for m in members]).to(X)
        y = _predict_width(call, X, columns, starts(width), verbose)
        found.update((m, y[:, k]) for k, m in enumerate(members))
    return [found[m] for m in range(len(motifs))]


def _predict_width(
    call: Call, X: torch.Tensor, columns: torch.Tensor, starts: list[int], verbose: bool
) -> torch.Tensor:
    """Predict with motifs of one width, ``(K, 4, w)``: ``(starts, K, N, ...)``."""
    (K, _, width), N = columns.shape, len(X)
    rows, known = torch.arange(N).repeat(K), columns.sum(dim=1)[:, None, None] > 0

    def edits(i: int) -> Edits:
        old = X[:, :, starts[i] : starts[i] + width]
        return Edits(rows, starts[i], torch.where(known, columns[:, None], old).flatten(0, 1))

    y = run_edits(call, X, edits, len(starts), K * N, together=True, verbose=verbose, finish=lambda y, done: y)
    by_motif: torch.Tensor = one_output(call.where, y).unflatten(1, (K, N))
    return by_motif


def best_placed(
    goal: Objective, motifs: Sequence[Motif], starts: Callable[[int], list[int]], y_hat: list[torch.Tensor], loss: float
) -> Placed | None:
    """Give the first of the best, by motif and start, that is better than `loss`; several sequences are averaged."""
    best = None
    for motif, y in zip(motifs, y_hat, strict=True):
        if not len(y):
            continue
        losses = goal.losses(y.flatten(0, 1)).view(y.shape[:2]).mean(dim=1)
        at = int(losses.argmin())
        if float(losses[at]) < loss:
            loss = float(losses[at])
            best = Placed(motif, starts(motif.width)[at], loss, float(goal.predictions(y[at]).mean()))
    return best
