"""Draw sequences at random and keep the best.

In: a model, a shape and what is wanted.  Out: the best sequences drawn, best first.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from ..core.check import check_options
from ..errors import problem
from ..model import predict
from ..sequence import random_one_hot
from ..sequence.edit import as_one_hot, like_input
from .objective import SQUARED_ERROR, Objective, make_objective, one_output
from .result import Design, Trail, design_of, keeping_steps
from .search import rounds_left

__all__ = ["screen"]

_WHERE: Final = "screen"


def screen(
    model: Any,
    shape: tuple[int, ...],
    y: Any = None,
    loss: Callable[..., Any] = SQUARED_ERROR,
    tol: float = 1e-3,
    max_iter: int = -1,
    args: Sequence[torch.Tensor] | None = None,
    n_best: int = 1,
    alphabet: Sequence[str] = ("A", "C", "G", "T"),
    batch_size: int = 32,
    func: Callable[..., Any] = random_one_hot,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: bool = False,
    *,
    return_steps: bool = False,
) -> Any:
    """Draw sequences, a batch a round, and keep the `n_best` whose predictions are nearest to what is wanted.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and rows of `args`; gives one tensor ``(n, T, ...)``.
    shape : tuple
        ``(4, L)``.
    y : tensor (1, T, ...), optional
        The output that is wanted; the largest sum of outputs when left out.
    loss : callable
        ``loss(y, y_hat)`` with a value for each row, or each output; these are added up.
    tol : float
        The screen ends when all that are kept have a loss below it.
    max_iter : int
        The most rounds; -1 is no limit, which needs `y`.
    args : sequence of tensors, optional
        Further inputs, `batch_size` rows each, or one for all.
    n_best : int
        Sequences to keep.
    alphabet : sequence of str
        The letters of the rows.
    batch_size : int
        Sequences drawn in a round.
    func : callable
        Draws them: ``func((batch_size, 4, L), random_state=...)``.
    additional_func_kwargs : mapping, optional
        Options of `func`.
    dtype, device
        As in `predict`.
    random_state : int or RandomState, optional
        Seed; round i draws with ``random_state + i``.
    verbose : bool
        Show the progress of each round's predictions.
    return_steps : bool
        Give a `Design`.  A step there is a sequence that took the place of a worse one; `motif` is the round.

    Returns
    -------
    Sequences (n_best, 4, L), compact if `func` gives them so; or `Design`

    Raises
    ------
    NbinterpError
        When neither `y` nor `max_iter` would ever end the screen, or fewer sequences are drawn than are to be kept.
    ModelError
        When the model gives several tensors.
    Interrupted
        On a keyboard interrupt; `.partial` is the `Design` so far, `.n_done` the number of its steps.

    Notes
    -----
    tangermeme raises when two losses are equal; here the earlier sequence counts as the better.  Without `y` it aims at
    9,999,999, where single precision no longer tells sequences apart, and no loss ends the screen.

    Examples
    --------
    >>> from nbinterp import characters
    >>> model = lambda X: X[:, 2].sum(dim=-1, keepdim=True).float()  # counts G
    >>> found = screen(model, (4, 6), max_iter=8, random_state=0)
    >>> characters(found[0]).count("G")
    5
    """
    goes_on = rounds_left(_WHERE, max_iter)
    _check_numbers(y, max_iter, batch_size, n_best)
    options = dict(additional_func_kwargs or {})
    check_options(_WHERE, func, {"random_state": random_state, **options})
    kept: list[_Kept] = []
    done, drawn, goal = 0, None, None
    with keeping_steps(lambda: _design(kept, shape, alphabet, drawn)):
        while goes_on(done):
            seed = random_state + done if isinstance(random_state, (int, np.integer)) else random_state
            drawn = func((batch_size, *shape), random_state=seed, **options)
            one_hot = as_one_hot(_WHERE, drawn).cpu()
            further = None if args is None else [a.expand(batch_size, *a.shape[1:]) if len(a) == 1 else a for a in args]
            y_hat = one_output(_WHERE, predict(model, one_hot, further, dtype=dtype, device=device, verbose=verbose))
            goal = goal or make_objective(_WHERE, y, loss, None, y_hat)
            _keep_best(kept, one_hot, y_hat, goal, n_best, done, tuple(alphabet))
            done += 1
            if y is not None and len(kept) == n_best and -kept[0].score < tol:
                break
    design = _design(kept, shape, alphabet, drawn)
    return design if return_steps else design.X


def _check_numbers(y: Any, max_iter: int, batch_size: int, n_best: int) -> None:
    for name, value in (("batch_size", batch_size), ("n_best", n_best)):
        if value < 1:
            raise problem(_WHERE, name, got=value, need="at least 1", do="raise it")
    if y is None and max_iter == -1:
        raise problem(
            _WHERE, "max_iter", got="-1 without y", need="an end", do="pass how many rounds to draw, or what is wanted"
        )
    if max_iter != -1 and max_iter * batch_size < n_best:
        got = f"{n_best} of {max_iter * batch_size} sequences drawn"
        raise problem(_WHERE, "n_best", got=got, need="no more than are drawn", do="raise max_iter or batch_size")


class _Kept(NamedTuple):
    """A sequence that is kept; of equal scores the earlier is the better.  `trail` has those it took the place of."""

    score: float
    order: int
    trail: Trail


def _keep_best(
    kept: list[_Kept], X: torch.Tensor, y_hat: torch.Tensor, goal: Objective, n_best: int, done: int,
    alphabet: tuple[str, ...],
) -> None:  # fmt: skip
    """Put the sequences of a round into the heap of the best, whose first is the worst."""
    losses = goal.losses(y_hat) * y_hat[0].numel()  # the sum over outputs, as `tol` is meant
    predictions = goal.predictions(y_hat)
    for i, one in enumerate(losses.tolist()):
        if len(kept) == n_best and -one <= kept[0].score:
            continue
        place = kept[0].trail if len(kept) == n_best else Trail(torch.zeros_like(X[:1]), alphabet)
        trail = place.instead(f"round {done}", "+", 0, X[i], one, float(predictions[i]))
        entry = _Kept(-one, -(done * len(X) + i), trail)
        (heapq.heappushpop if len(kept) == n_best else heapq.heappush)(kept, entry)


def _design(kept: Sequence[_Kept], shape: tuple[int, ...], alphabet: Sequence[str], drawn: Any) -> Design:
    """Put what is kept together, the best first."""
    trails = [one.trail for one in sorted(kept, reverse=True)]
    if not trails:
        trails = [Trail(torch.zeros(1, *shape, dtype=torch.int8), tuple(alphabet))]
    design = design_of(trails, torch.zeros(len(trails), *shape, dtype=trails[0].X.dtype))
    return Design(like_input(design.X, drawn, None), design.steps, design.start, design.alphabet)
