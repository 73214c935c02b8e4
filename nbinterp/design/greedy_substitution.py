"""Write the motif that helps most where it helps most, and again, until nothing helps.

In: a model, one sequence, motifs and what is wanted.  Out: the sequence with motifs written into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch

from .objective import SQUARED_ERROR
from .placing import best_placed
from .result import keeping_steps
from .search import Motifs, finished, prepare, rounds_left

__all__ = ["greedy_substitution"]

_WHERE: Final = "greedy_substitution"


def greedy_substitution(
    model: Any,
    X: Any,
    y: Any = None,
    motifs: Motifs | None = None,
    loss: Callable[..., Any] = SQUARED_ERROR,
    reverse_complement: bool = True,
    input_mask: torch.Tensor | None = None,
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
    """Substitute motifs into a sequence, each time the one that brings the prediction nearest to what is wanted.

    In each round every motif is tried at every start; the best is kept.  The search ends after the round that improves
    the loss by no more than `tol`, or when nothing improves it.

    Parameters
    ----------
    model : callable
        Takes ``(n, 4, L)`` and rows of `args`; gives one tensor ``(n, T, ...)``.
    X : one-hot (1, 4, L) or compact container
        The sequence.  Unknown bases may be written over.
    y : tensor (1, T, ...), optional
        The output that is wanted; the largest mean output when left out.
    motifs : sequence of str, mapping of names to str, or MotifSet, optional
        What is written (of a set, each consensus); single letters when left out.  An N leaves the base that is there.
    loss : callable
        ``loss(y, y_hat)`` with a value for each row, or each output.
    reverse_complement : bool
        Whether to try the other strand of each motif too.
    input_mask : bool tensor (L,), optional
        Where a motif may start.
    output_mask : bool tensor (T,), optional
        Which outputs count.
    tol : float
        The least improvement after which to go on.
    max_iter : int
        The most rounds; -1 is no limit.
    args : sequence of tensors, optional
        Further inputs, one row each.
    alphabet : sequence of str
        The letters of the rows.
    batch_size, device
        As in `predict`.
    verbose : bool
        Show the progress of each round.
    return_steps : bool
        Give a `Design`, with every step.

    Returns
    -------
    The sequence (1, 4, L), in the form of `X`; or `Design`

    Raises
    ------
    NbinterpError
        When there is not one sequence, a motif is longer than it, or a mask or `y` has another shape.
    ModelError
        When the model gives several tensors.
    Interrupted
        On a keyboard interrupt; `.partial` is the `Design` so far, `.n_done` the number of its steps.

    Notes
    -----
    tangermeme's ``max_iter=-1``, its default, returns `X` as it is; here it is no limit, as in `beam_substitution`.
    There, a motif's N are scored as unknown bases but not written; here what is scored is what is written.

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> model = lambda X: X[:, 2].sum(dim=-1, keepdim=True)  # counts G
    >>> X = one_hot_encode("AAAAAA").unsqueeze(0)
    >>> design = greedy_substitution(model, X, y=[3.0], motifs=["GTG", "CC"], return_steps=True)
    >>> characters(design.X[0]), design.steps["motif"].tolist(), design.steps["loss"].tolist()
    ('GGTGAA', ['', 'GTG', 'GTG'], [9.0, 1.0, 0.0])
    """
    goes_on = rounds_left(_WHERE, max_iter)
    search, trail = prepare(
        _WHERE, model, X, y, motifs, loss, reverse_complement, input_mask, output_mask, args, alphabet, batch_size,
        device, verbose,
    )  # fmt: skip
    done = 0
    with keeping_steps(lambda: search.design([trail])):
        while goes_on(done):
            best = best_placed(search.goal, search.motifs, search.starts, search.expand(trail.X), trail.loss)
            if best is None:
                break
            before, motif = trail.loss, best.motif
            trail = trail.then(motif.name, motif.strand, best.start, motif.columns, best.loss, best.prediction)
            done += 1
            if before - trail.loss <= tol:
                break
    return finished(search.design([trail]), X, return_steps)
