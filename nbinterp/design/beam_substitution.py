"""Keep the few best sequences of each round of substitutions, not only the best.

In: a model, one sequence, motifs and what is wanted.  Out: the best sequences, best first.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import torch

from ..errors import problem
from .objective import SQUARED_ERROR
from .placing import Motif
from .result import Trail, keeping_steps
from .search import Motifs, Search, finished, prepare, rounds_left

__all__ = ["beam_substitution"]

_WHERE: Final = "beam_substitution"


def beam_substitution(
    model: Any,
    X: Any,
    y: Any = None,
    motifs: Motifs | None = None,
    loss: Callable[..., Any] = SQUARED_ERROR,
    reverse_complement: bool = True,
    input_mask: torch.Tensor | None = None,
    output_mask: torch.Tensor | None = None,
    beam_size: int = 4,
    n_best: int = 1,
    tol: float = 1e-3,
    max_iter: int = -1,
    args: Sequence[torch.Tensor] | None = None,
    alphabet: Sequence[str] = ("A", "C", "G", "T"),
    batch_size: int = 32,
    device: torch.device | str | None = None,
    verbose: bool = False,
    *,
    return_steps: bool = False,
) -> Any:
    """Substitute motifs into a sequence, following the `beam_size` best sequences at once.

    In each round every motif is tried at every start of every sequence of the beam; the best of these and of the beam
    itself are the next beam.  A pair of motifs that only helps together, which `greedy_substitution` passes by, may so
    be found.  With ``beam_size=1`` both are the same.

    Parameters
    ----------
    model, X, y, motifs, loss, reverse_complement, input_mask, output_mask, args, alphabet, batch_size, device, verbose
        As in `greedy_substitution`.
    beam_size : int
        Sequences kept in each round.
    n_best : int
        Sequences returned, the best first; at most as many distinct ones as the beam ends with.
    tol : float
        The search ends after the round that improves the best loss by no more.
    max_iter : int
        The most rounds; -1 is no limit.
    return_steps : bool
        Give a `Design`, with the steps that led to each.

    Returns
    -------
    Sequences (n_best, 4, L), in the form of `X`; or `Design`

    Raises
    ------
    NbinterpError, ModelError
        As in `greedy_substitution`.
    Interrupted
        On a keyboard interrupt; `.partial` is the `Design` so far, `.n_done` the number of its steps.

    Notes
    -----
    Equal sequences count once, after the beam is cut, as in tangermeme; a beam may thus be shorter than `beam_size`.

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> model = lambda X: X[:, 2].sum(dim=-1, keepdim=True)  # counts G
    >>> X = one_hot_encode("AAAA").unsqueeze(0)
    >>> found = beam_substitution(model, X, motifs=["GG"], reverse_complement=False, n_best=2, max_iter=1)
    >>> [characters(one) for one in found]
    ['GGAA', 'AGGA']
    """
    for name, value in (("beam_size", beam_size), ("n_best", n_best)):
        if value < 1:
            raise problem(_WHERE, name, got=value, need="at least 1", do="raise it")
    goes_on = rounds_left(_WHERE, max_iter)
    search, first = prepare(
        _WHERE, model, X, y, motifs, loss, reverse_complement, input_mask, output_mask, args, alphabet, batch_size,
        device, verbose,
    )  # fmt: skip
    beam, done = [first], 0
    with keeping_steps(lambda: search.design(beam[:n_best])):
        while goes_on(done):
            before, beam = beam[0].loss, _next_beam(search, beam, beam_size)
            done += 1
            if before - beam[0].loss <= tol:
                break
    return finished(search.design(beam[:n_best]), X, return_steps)


class _Candidate(NamedTuple):
    """A sequence of the next beam; of equal scores the earlier one is the better, and the first to be dropped."""

    score: float
    order: int
    trail: Trail
    motif: Motif | None = None
    start: int = 0
    prediction: float = 0.0

    def taken(self) -> Trail:
        """Make the substitution."""
        if self.motif is None:
            return self.trail
        motif = self.motif
        return self.trail.then(
            motif.name, motif.strand, self.start, motif.columns, -self.score, self.prediction
        )  # fmt: skip


def _next_beam(search: Search, beam: Sequence[Trail], size: int) -> list[Trail]:
    """Give the best of the beam and of all substitutions into it, equal sequences once."""
    heap: list[_Candidate] = []
    order = 0

    def consider(candidate: _Candidate) -> None:
        if len(heap) < size:
            heapq.heappush(heap, candidate)
        elif candidate.score > heap[0].score:
            heapq.heappushpop(heap, candidate)

    for trail in beam:
        consider(_Candidate(-trail.loss, order, trail))
        order += 1
        for motif, y_hat in zip(search.motifs, search.expand(trail.X), strict=True):
            if not len(y_hat):
                continue
            y, starts = y_hat[:, 0], search.starts(motif.width)
            losses, predictions = search.goal.losses(y), search.goal.predictions(y)
            for at in torch.topk(-losses, min(size, len(losses))).indices.tolist():
                consider(
                    _Candidate(-float(losses[at]), order, trail, motif, starts[at], float(predictions[at]))
                )  # fmt: skip
                order += 1
    distinct: dict[bytes, Trail] = {}
    for candidate in sorted(heap, key=lambda one: (-one.score, one.order)):
        trail = candidate.taken()
        distinct.setdefault(trail.X.numpy().tobytes(), trail)
    return list(distinct.values())
