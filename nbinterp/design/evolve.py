"""In-silico evolution: the best single substitution, again and again.

In: a model, sequences, what is wanted, and positions that must stay.  Out: the sequences after a number of steps.
Each step is a saturation mutagenesis, of which only what an edit reaches is computed where the model allows it.

Source: in-silico evolution, de Almeida et al. 2022 and Taskiran et al. 2024 (Nature).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch

from ..attribution import saturation_mutagenesis
from ..core.results import SaturationMutagenesisRawResult
from ..errors import problem
from ..model.predict import check_inputs
from ..sequence.edit import as_one_hot
from .objective import SQUARED_ERROR, Objective, make_objective, one_output
from .result import Trail, design_of, keeping_steps
from .search import finished, position_mask, predicting

__all__ = ["evolve"]

_WHERE: Final = "evolve"
_LETTERS: Final = "ACGT"


def evolve(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    n_steps: int,
    protected: torch.Tensor | None = None,
    loss: Callable[..., Any] = SQUARED_ERROR,
    output_mask: torch.Tensor | None = None,
    tol: float = 0.0,
    args: Sequence[torch.Tensor] | None = None,
    batch_size: int = 32,
    device: torch.device | str | None = None,
    verbose: bool = False,
    fast: bool = True,
    return_steps: bool = False,
) -> Any:
    """Change one base at a time, each time the one that brings the prediction nearest to what is wanted.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and rows of `args`; gives one tensor ``(n, T, ...)``.
    X : one-hot (N, 4, L) or compact container
        Sequences; each evolves by itself.
    y : tensor (1 or N, T, ...), optional
        The output that is wanted; the largest mean output when left out.
    n_steps : int
        The most substitutions in a sequence.
    protected : bool tensor (L,) or (N, L), optional
        Positions that must stay as they are.
    loss : callable
        ``loss(y, y_hat)`` with a value for each row, or each output.
    output_mask : bool tensor (T,), optional
        Which outputs count.
    tol : float
        A sequence is finished after the step that improves the loss by no more, or when nothing improves it.
    args : sequence of tensors, optional
        Further inputs, N rows each.
    batch_size, device
        As in `predict`.
    verbose : bool
        Show the progress, by sequence.
    fast : bool
        As in `saturation_mutagenesis`.
    return_steps : bool
        Give a `Design`, with every step of every sequence.

    Returns
    -------
    Sequences (N, 4, L), in the form of `X`; or `Design`

    Raises
    ------
    NbinterpError
        When `X`, `y`, `args` or a mask have shapes that do not go together, or every position is protected.
    ModelError
        When the model gives several tensors.
    Interrupted
        On a keyboard interrupt; `.partial` is the `Design` so far, `.n_done` the number of its steps.

    Examples
    --------
    >>> import torch
    >>> from nbinterp import characters, one_hot_encode
    >>> model = torch.nn.Sequential(torch.nn.Conv1d(4, 1, 3), torch.nn.AdaptiveMaxPool1d(1), torch.nn.Flatten())
    >>> model[0].weight.data[0] = one_hot_encode("GAT").float()
    >>> X = one_hot_encode("AAAAAA").unsqueeze(0)
    >>> protected = torch.tensor([True, True, False, False, False, False])
    >>> design = evolve(model, X, n_steps=3, protected=protected, fast=False, return_steps=True)
    >>> characters(design.X[0]), design.steps["after"].tolist()
    ('AAGATA', ['', 'G', 'T'])
    """
    extra = check_inputs(_WHERE, X, args)
    start = as_one_hot(_WHERE, X).cpu()
    if start.shape[1] != len(_LETTERS):
        raise problem(_WHERE, "X", got=f"shape {tuple(start.shape)}", need="(N, 4, L)", do="encode it over ACGT")
    if n_steps < 0:
        raise problem(_WHERE, "n_steps", got=n_steps, need="0 or more", do="pass how many bases may change")
    free = _free(protected, start)
    y_start = one_output(_WHERE, predicting(_WHERE, model, args, batch_size, device).on(start))
    goal = make_objective(_WHERE, y, loss, output_mask, y_start)
    losses, predictions = goal.losses(y_start).tolist(), goal.predictions(y_start).tolist()
    letters = tuple(_LETTERS)
    trails = [Trail(start[i : i + 1], letters).begin(losses[i], predictions[i]) for i in range(len(start))]

    def mutate(i: int) -> tuple[torch.Tensor, slice]:
        """Predict every substitution of sequence i as it is now, ``(4, W, T, ...)``, in the span that is free."""
        at = torch.where(free[i])[0]
        span = slice(int(at[0]), int(at[-1]) + 1)
        further = [one[i : i + 1] for one in extra] or None
        raw = saturation_mutagenesis(
            model, trails[i].X, further, span.start, span.stop, batch_size, raw_outputs=True, device=device, fast=fast
        )
        assert isinstance(raw, SaturationMutagenesisRawResult)
        return raw.y_hat[0], span

    with keeping_steps(lambda: design_of(trails, start)):
        for i in range(len(trails)):
            mine = goal if goal.y is None or len(goal.y) == 1 else Objective(_WHERE, goal.y[i : i + 1], loss, goal.mask)
            for _ in range(n_steps):
                before = trails[i].loss
                trails[i] = _best_step(trails[i], mine, free[i], *mutate(i))
                if before - trails[i].loss <= tol:
                    break
    return finished(design_of(trails, start), X, return_steps)


def _free(protected: Any, X: torch.Tensor) -> torch.Tensor:
    """Give the positions that may change, (N, L)."""
    n, _, length = X.shape
    if protected is None:
        return torch.ones(n, length, dtype=torch.bool)
    each = len(getattr(protected, "shape", ())) == 2
    free = ~position_mask(_WHERE, "protected", protected, (n, length) if each else (length,)).expand(n, length)
    if not bool(free.any(dim=1).all()):
        raise problem(_WHERE, "protected", got="every position", need="one that may change", do="leave some False")
    return free


def _best_step(trail: Trail, goal: Objective, free: torch.Tensor, y_hat: torch.Tensor, span: slice) -> Trail:
    """Take the best substitution, the first by position of equal ones; or none, where none is better."""
    y = y_hat.transpose(0, 1).flatten(0, 1)  # by position, then base
    losses = goal.losses(y)
    there = trail.X[0, :, span].t().flatten() > 0
    blocked = there | ~free[span].repeat_interleave(len(_LETTERS))
    losses = torch.where(blocked, torch.inf, losses)
    best = int(losses.argmin())
    if not float(losses[best]) < trail.loss:
        return trail
    position, base = divmod(best, len(_LETTERS))
    column = torch.zeros(len(_LETTERS), 1, dtype=trail.X.dtype)
    column[base] = 1
    prediction = float(goal.predictions(y[best : best + 1])[0])
    return trail.then(_LETTERS[base], "+", span.start + position, column, float(losses[best]), prediction)
