"""Build a construct of motifs by what it does to many backgrounds.

In: a model, backgrounds, motifs and the change that is wanted.  Out: the construct: motifs, their strands and spacings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch

from ..errors import problem
from ..sequence.edit import as_one_hot, like_input
from .objective import SQUARED_ERROR, Objective, make_objective, one_output
from .placing import Placed, best_placed, predict_placed, read_motifs
from .result import Design, Trail, design_of, keeping_steps
from .search import Motifs, predicting, rounds_left

__all__ = ["greedy_marginalize"]

_WHERE: Final = "greedy_marginalize"


def greedy_marginalize(
    model: Any,
    X: Any,
    y: Any,
    motifs: Motifs,
    loss: Callable[..., Any] = SQUARED_ERROR,
    max_spacing: int = 12,
    reverse_complement: bool = True,
    output_mask: torch.Tensor | None = None,
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
    """Build a construct whose effect, over the backgrounds, is nearest to the change that is wanted.

    The first motif goes to the middle.  Then every motif is tried at every start within `max_spacing` of the construct,
    over it included, in all backgrounds, and the best is kept; until a round improves the loss by no more than `tol`.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and rows of `args`; gives one tensor ``(n, T, ...)``.
    X : one-hot (N, 4, L) or compact container
        Backgrounds.
    y : tensor (1 or N, T, ...)
        The change of the output that is wanted: with the construct, minus without.
    motifs, loss, reverse_complement, output_mask, args, alphabet, batch_size, device, verbose
        As in `greedy_substitution`; `args` have N rows, or one for all.
    max_spacing : int
        Bases between the construct and a further motif, at most.
    tol : float
        The least improvement after which to go on.
    max_iter : int
        The most rounds; -1 is no limit.
    return_steps : bool
        Give a `Design`, with every step: its `start` is an unknown sequence, its `X` the construct, and
        ``design.replay(n, X)`` writes the first n motifs into backgrounds.

    Returns
    -------
    One-hot (4, width), zero between motifs, packed if `X` is; or `Design`

    Raises
    ------
    NbinterpError
        When `y` is None or has another shape, or a motif is longer than the sequences.
    ModelError
        When the model gives several tensors.
    Interrupted
        On a keyboard interrupt; `.partial` is the `Design` so far, `.n_done` the number of its steps.

    Notes
    -----
    tangermeme raises when a start falls off the sequence; here such starts are left out.  It writes the N of a motif over
    the motifs before it in the construct that it returns, but not in the sequences that it scores; here they are left as
    they are in both.  A loss that is not symmetric takes what is wanted first, in the beginning too.

    Examples
    --------
    >>> from nbinterp import characters, random_one_hot
    >>> model = lambda X: X[:, 2, :-1].mul(X[:, 1, 1:]).sum(dim=-1, keepdim=True).float()  # counts GC
    >>> X = random_one_hot((8, 4, 40), random_state=0)
    >>> construct = greedy_marginalize(model, X, [3.0], ["GCGC", "TTT"], max_iter=2)
    >>> characters(construct, allow_N=True)
    'GCGCGC'
    """
    goes_on = rounds_left(_WHERE, max_iter)
    if max_spacing < 0:
        raise problem(_WHERE, "max_spacing", got=max_spacing, need="0 or more", do="raise it")
    backgrounds = as_one_hot(_WHERE, X).cpu()
    length = backgrounds.shape[2]
    read = read_motifs(_WHERE, motifs, reverse_complement, alphabet, length)
    call = predicting(_WHERE, model, args, batch_size, device)
    y_start = one_output(_WHERE, call.on(backgrounds))
    goal = _wanted_change(y, loss, output_mask, y_start)
    blank = torch.zeros(1, len(alphabet), length, dtype=torch.int8)
    nothing = torch.zeros_like(y_start)
    trail = Trail(blank, tuple(alphabet)).begin(float(goal.losses(nothing).mean()), 0.0)

    def one_round() -> Placed | None:
        middle, written = length // 2, trail.steps[1:]
        left, right = min([middle, *(s.start for s in written)]), max([middle, *(s.end for s in written)])
        known = trail.X.sum(dim=1, keepdim=True) > 0
        now = torch.where(known, trail.X.to(backgrounds), backgrounds)

        def starts(width: int) -> list[int]:
            if not written:
                return [max(0, min(length // 2 - 1, length - width))]
            return list(range(max(0, left - max_spacing - width), min(length - width, right + max_spacing) + 1))

        changes = [y_hat - y_start for y_hat in predict_placed(call, now, read, starts, verbose)]
        return best_placed(goal, read, starts, changes, trail.loss)

    done = 0
    with keeping_steps(lambda: _construct(trail, X)):
        while goes_on(done):
            best = one_round()
            if best is None:
                break
            before, motif = trail.loss, best.motif
            trail = trail.then(motif.name, motif.strand, best.start, motif.columns, best.loss, best.prediction)
            done += 1
            if before - trail.loss <= tol:
                break
    design = _construct(trail, X)
    return design if return_steps else design.X


def _wanted_change(y: Any, loss: Callable[..., Any], output_mask: Any, like: torch.Tensor) -> Objective:
    if y is None:
        raise problem(_WHERE, "y", got=None, need="the change that is wanted", do="pass for example y=[1.0]")
    return make_objective(_WHERE, y, loss, output_mask, like)


def _construct(trail: Trail, X: Any) -> Design:
    """Cut the construct out of the unknown sequence it was written into."""
    known = torch.where(trail.X[0].sum(dim=0) > 0)[0]
    first, last = (int(known[0]), int(known[-1]) + 1) if len(known) else (0, 0)
    design = design_of([trail], torch.zeros_like(trail.X))
    return Design(like_input(trail.X[0, :, first:last], X, None), design.steps, design.start, design.alphabet)
