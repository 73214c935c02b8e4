"""Which bases decide whether other bases matter: how each substitution changes every attribution.

In: a model, N sequences and an attribution function.  Out: maps ``(N, L, W)``, entry ``[n, j, i]`` being how far the
attribution at position j moves, on average, when the base at the i-th position of the window is substituted.

Source: dependency maps, Tomaz da Silva et al. 2025 (Nature Genetics), with attributions in place of the predicted
nucleotides of a language model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch

from ..core.batches import n_rows, on_device, resolve_device, run_batches, take_rows
from ..core.check import check_one_hot, check_options
from ..errors import Interrupted, problem
from ..model.predict import check_inputs
from .gradient import saliency
from .ism import resolve_span

__all__ = ["dependency_map"]

_WHERE: Final = "dependency_map"
_BYTES: Final = 256 << 20  # of the attributions of a call of `func`


def dependency_map(
    model: Any,
    X: Any,
    args: Sequence[torch.Tensor] | None = None,
    start: int = 0,
    end: int = -1,
    func: Callable[..., Any] = saliency,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    device: torch.device | str | None = None,
    verbose: bool = False,
    **kwargs: Any,
) -> torch.Tensor:
    """Measure how substituting each base changes the attributions of all others.

    A model that treats positions apart has a diagonal map.  Cooperating motifs are blocks off the diagonal, and flanks
    that a motif needs are stripes.  The attribution of a position is the sum over its four bases.

    Parameters
    ----------
    model : callable
        Takes ``(X, *args)``.
    X : one-hot (N, 4, L) or compact container
        The sequences.
    args : sequence of tensors, optional
        Further inputs, N rows each.
    start, end : int
        Positions to substitute, ``[start, end)``; a negative `end` counts from the end, -1 being the end itself.
    func : callable
        Gives attributions ``(n, 4, L)``: called as ``func(model, X, args=args, device=device, **kwargs)`` with edited
        sequences (int8), of several rows of `X` in one call.
    additional_func_kwargs : mapping, optional
        Options of `func` that have the name of an argument here (`start`, `end`, `func`, `verbose`).
    device : str or torch.device, optional
        As in `predict`; the model is moved once.
    verbose : bool
        Show a progress bar, by sequence.
    **kwargs
        Options of `func`, such as `target` and `batch_size`.

    Returns
    -------
    torch.Tensor, shape (N, L, end - start)
        On the CPU.  ``[n, j, i]`` is the absolute change at position j, averaged over the substitutions of position
        ``start + i``: three, or four where there is an unknown base.

    Raises
    ------
    OptionError
        When `func` does not take an option.
    NbinterpError
        When `X` is not one-hot, the span is empty or outside the sequence, or `func` gives another shape.
    Interrupted
        On a keyboard interrupt, with the maps of the finished sequences.

    Notes
    -----
    The diagonal is the direct effect of a substitution on its own attribution and is large even for a linear model.
    A `func` that draws references draws them again for each edited sequence, unless it is given a `random_state` or
    the references themselves.

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(32, 1))
    >>> found = dependency_map(model, random_one_hot((1, 4, 8), random_state=0))[0]
    >>> bool((found.diagonal() > 0).all()), bool((found - found.diag().diag() == 0).all())
    (True, True)
    """
    extra = check_inputs(_WHERE, X, args)
    options = {**kwargs, **dict(additional_func_kwargs or {})}
    check_options(_WHERE, func, options)
    sequences = take_rows(X, 0, n_rows(X), device="cpu", dtype=torch.int8)
    check_one_hot(_WHERE, "X", X if isinstance(X, torch.Tensor) else sequences)
    start, end = resolve_span(_WHERE, start, end, X.shape[2])
    on = resolve_device(device, model)
    maps: list[torch.Tensor] = []

    def attribute(rows: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
        further = tuple(one[which.to(one.device)] for one in extra) or None
        return _summed(func, model, rows, further, {**options, "device": on})

    def step(first: int, last: int) -> None:
        maps.append(_maps(sequences, first, last, start, end, attribute))

    per_call = max(1, _BYTES // (16 * X.shape[2] * 3 * (end - start)))  # sequences, all of whose edits fit
    with on_device(model, on):
        run_batches(
            n_rows(X), per_call, step, desc=_WHERE, verbose=verbose, partial=lambda _: torch.cat(maps)
        )  # fmt: skip
    return torch.cat(maps)


def _summed(
    func: Callable[..., Any],
    model: Any,
    X: torch.Tensor,
    args: tuple[torch.Tensor, ...] | None,
    options: dict[str, Any],
) -> torch.Tensor:
    """Attributions summed over the bases, (n, L), in single precision at least."""
    try:
        scores = func(model, X, args=args, **options)
    except Interrupted:  # of some edits; the finished sequences are what is kept
        raise KeyboardInterrupt from None
    if not isinstance(scores, torch.Tensor) or scores.shape != X.shape:
        got = f"shape {tuple(scores.shape)}" if isinstance(scores, torch.Tensor) else f"a {type(scores).__name__}"
        need = f"attributions of the sequences' shape, {tuple(X.shape)}"
        raise problem(_WHERE, "func", got=got, need=need, do="wrap it so that it gives one tensor (n, 4, L)")
    return scores.to(torch.promote_types(scores.dtype, torch.float32)).sum(dim=1).cpu()


def _maps(
    X: torch.Tensor,
    first: int,
    last: int,
    start: int,
    end: int,
    attribute: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """The maps of sequences ``[first, last)``: their edits in as few calls as fit, by sequence, base and position."""
    before = attribute(X[first:last], torch.arange(first, last))
    window = X[first:last, :, start:end]
    which, bases, at = torch.where(window == 0)  # every base but the one that is there
    totals = torch.zeros(last - first, end - start, X.shape[2], dtype=before.dtype)
    per_call = max(1, _BYTES // (16 * X.shape[2]))
    for i in range(0, len(which), per_call):
        n, base, position = which[i : i + per_call], bases[i : i + per_call], at[i : i + per_call]
        edited, each = X[first + n], torch.arange(len(n))
        edited[each, :, start + position] = 0
        edited[each, base, start + position] = 1
        change = (attribute(edited, first + n) - before[n]).abs_()
        totals.index_put_((n, position), change, accumulate=True)
    counts = (window == 0).sum(dim=1).unsqueeze(-1)
    return (totals / counts).transpose(1, 2).contiguous()
