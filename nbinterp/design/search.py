"""What searches by substitution share: the beginning, the motifs, where they may go, and what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import problem
from ..model import predict
from ..motif import MotifSet
from ..perturb.call import Call, make_call
from ..sequence.edit import as_one_hot, like_input
from .objective import Objective, make_objective, one_output
from .placing import Motif, predict_placed, read_motifs
from .result import Design, Trail, design_of

__all__ = ["Motifs", "Search", "finished", "position_mask", "predicting", "prepare", "rounds_left"]

Motifs = Sequence[str] | Mapping[str, str] | MotifSet


def predicting(
    where: str, model: Any, args: Sequence[torch.Tensor] | None, batch_size: int, device: torch.device | str | None
) -> Call:
    """Give the call of `predict` that a design makes."""
    return make_call(where, predict, model, {"batch_size": batch_size, "device": device}, None, args)


def position_mask(where: str, argument: str, mask: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """Hold a mask of positions to bool and a shape."""
    held = torch.as_tensor(mask).cpu()
    if held.dtype != torch.bool or held.shape != shape:
        got = f"{held.dtype}, shape {tuple(held.shape)}"
        raise problem(where, argument, got=got, need=f"bool, shape {shape}", do="mark positions with True")
    return held


def rounds_left(where: str, max_iter: int) -> Callable[[int], bool]:
    """Give whether a round may begin; -1 is no limit."""
    if max_iter < -1:
        raise problem(where, "max_iter", got=max_iter, need="a number of rounds, or -1", do="pass -1 for no limit")
    return lambda done: max_iter == -1 or done < max_iter


def finished(design: Design, X: Any, return_steps: bool) -> Any:
    """Give the designed sequences in the form of the input `X`, or the design with them."""
    made = like_input(design.X, X, None)
    return Design(made, design.steps, design.start, design.alphabet) if return_steps else made


@dataclass(frozen=True)
class Search:
    """One call of a search; made by the function `prepare`.

    Attributes
    ----------
    X : torch.Tensor
        The one sequence, ``(1, 4, L)``.
    call, goal
        What predicts, and what judges.
    motifs : list of Motif
        On both strands where asked for.
    allowed : torch.Tensor
        Where a motif may start, bool ``(L,)``.
    """

    X: torch.Tensor
    call: Call
    goal: Objective
    motifs: list[Motif]
    allowed: torch.Tensor
    alphabet: tuple[str, ...]
    verbose: bool

    def starts(self, width: int) -> list[int]:
        """Where a motif of a width may start."""
        listed: list[int] = torch.where(self.allowed[: self.X.shape[2] - width + 1])[0].tolist()
        return listed

    def expand(self, X: torch.Tensor) -> list[torch.Tensor]:
        """Predict each motif at each of its starts: ``(starts, 1, T, ...)``."""
        return predict_placed(self.call, X, self.motifs, self.starts, self.verbose)

    def design(self, trails: Sequence[Trail]) -> Design:
        """Put trails together."""
        return design_of(trails, self.X.expand(len(trails), -1, -1).clone())


def prepare(
    where: str,
    model: Any,
    X: Any,
    y: Any,
    motifs: Motifs | None,
    loss: Callable[..., Any],
    reverse_complement: bool,
    input_mask: Any,
    output_mask: Any,
    args: Sequence[torch.Tensor] | None,
    alphabet: Sequence[str],
    batch_size: int,
    device: torch.device | str | None,
    verbose: bool,
) -> tuple[Search, Trail]:
    """Check the arguments of a search, and predict the sequence that it begins from."""
    one_hot = as_one_hot(where, X).cpu()
    if len(one_hot) != 1:
        raise problem(where, "X", got=f"{len(one_hot)} sequences", need="one", do="design each in turn: X[i:i+1]")
    length = one_hot.shape[2]
    read = read_motifs(where, alphabet if motifs is None else motifs, reverse_complement and motifs is not None,
                       alphabet, length)  # fmt: skip
    allowed = torch.ones(length, dtype=torch.bool)
    if input_mask is not None:
        allowed = position_mask(where, "input_mask", input_mask, (length,))
    call = predicting(where, model, args, batch_size, device)
    y_start = one_output(where, call.on(one_hot))
    goal = make_objective(where, y, loss, output_mask, y_start)
    search = Search(one_hot, call, goal, read, allowed, tuple(alphabet), verbose)
    if not any(search.starts(motif.width) for motif in read):
        raise problem(
            where, "input_mask", got="no start for any motif", need="at least one", do="allow positions further left"
        )
    trail = Trail(one_hot, search.alphabet).begin(float(goal.losses(y_start)[0]), float(goal.predictions(y_start)[0]))
    return search, trail
