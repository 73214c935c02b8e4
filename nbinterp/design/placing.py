"""Motifs at every place: what the model says, and which is best.

In: motifs, sequences, and the starts that are allowed.  Out: predictions of every motif at every start, scored together;
only what a motif reaches is recomputed where the model allows it (`nbinterp.perturb.run`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
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
    N, alike = len(X), {motif.width: [m for m in motifs if m.width == motif.width] for motif in motifs}
    columns = {width: torch.stack([m.columns for m in several])[:, None].to(X) for width, several in alike.items()}
    places = {width: starts(width) for width in alike}
    conditions = [(width, start) for width in alike for start in places[width]]

    def edits(i: int) -> Edits:
        width, start = conditions[i]
        new, old = columns[width], X[:, :, start : start + width]
        written = torch.where(new.sum(dim=2, keepdim=True) > 0, new, old)  # (motifs, N, 4, width)
        return Edits(torch.arange(N).repeat(len(new)), start, written.flatten(0, 1))

    copies = [len(alike[width]) * N for width, _ in conditions]
    y = one_output(
        call.where,
        run_edits(call, X, edits, len(copies), copies, together=True, verbose=verbose, finish=lambda y, done: y),
    )
    shapes = {width: (len(places[width]), len(several), N) for width, several in alike.items()}
    parts = dict(zip(alike, y.split([prod(shape) for shape in shapes.values()]), strict=True))
    found = {width: iter(parts[width].unflatten(0, shapes[width]).unbind(1)) for width in alike}
    return [next(found[motif.width]) for motif in motifs]


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
