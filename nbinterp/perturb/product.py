"""Products: every sequence with every condition.

In: a function, a model of several inputs, sequences, and values of the other inputs.  Out: the function's output for each
combination.  Combinations are put together a group at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch

from ..core.batches import on_device, resolve_device, run_batches
from ..errors import problem
from .call import accepts, each, join, make_call, sequences
from .run import GROUP_BYTES

__all__ = ["apply_pairwise", "apply_product"]


def apply_pairwise(
    func: Callable[..., Any],
    model: Any,
    X: Any,
    args: Sequence[torch.Tensor],
    batch_size: int = 32,
    device: str | torch.device | None = None,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    verbose: bool = False,
    **kwargs: Any,
) -> Any:
    """Apply a function to every sequence with every row of `args`, whose rows belong together.

    Parameters
    ----------
    func : callable
        ``func(model, X, args=..., **options)``: `predict`, `deep_lift_shap`, `marginalize`, or your own.
    model : callable
        Takes ``(X, *args)``.
    X : one-hot (N, 4, L) or compact container
        The sequences.
    args : sequence of tensors
        Further inputs of the model, M rows each: a cell's state and its depth, say.
    batch_size, device
        Given to `func` where it has parameters for them.
    additional_func_kwargs : mapping, optional
        Options of `func` whose names are taken by an argument here.
    verbose : bool
        Show progress by combination; `func` does not see it.
    **kwargs
        Options of `func`.

    Returns
    -------
    tensor, or tensors as `func` gives them
        ``(N, M, ...)``.

    Raises
    ------
    NbinterpError
        When there are no sequences or no `args`, or these differ in their numbers of rows.
    OptionError
        When `func` does not accept an option.
    Interrupted
        On a keyboard interrupt; nothing is kept.

    Notes
    -----
    Combinations are given to `func` in groups that fill memory moderately, not `batch_size` at a time.

    Examples
    --------
    >>> from nbinterp import predict
    >>> X, shift = torch.eye(4)[None].repeat(3, 1, 1), torch.arange(2.0)[:, None]
    >>> y = apply_pairwise(predict, lambda X, a: X.sum((1, 2))[:, None] + a, X, args=(shift,), device="cpu")
    >>> y[:, :, 0].tolist()
    [[4.0, 5.0], [4.0, 5.0], [4.0, 5.0]]
    """
    where = "apply_pairwise"
    _check_args(where, args)
    lengths = [len(a) for a in args]
    if not lengths or len(set(lengths)) > 1:
        raise problem(
            where,
            "args",
            got=f"rows {lengths}",
            need="tensors of as many rows each",
            do="use apply_product to cross them",
        )
    options = (batch_size, device, additional_func_kwargs, verbose, kwargs)
    return _apply(where, func, model, X, args, lengths[:1], lambda at: [at[1]] * len(args), *options)


def apply_product(
    func: Callable[..., Any],
    model: Any,
    X: Any,
    args: Sequence[torch.Tensor],
    batch_size: int = 32,
    device: str | torch.device | None = None,
    additional_func_kwargs: Mapping[str, Any] | None = None,
    verbose: bool = False,
    **kwargs: Any,
) -> Any:
    """Apply a function to every sequence with every combination of rows of `args`.

    Parameters
    ----------
    args : sequence of tensors
        Further inputs of the model, with M1, M2, ... rows; one row where a value does not vary.
    func, model, X, batch_size, device, additional_func_kwargs, verbose, **kwargs
        As in `apply_pairwise`, which also says what is raised.

    Returns
    -------
    tensor, or tensors as `func` gives them
        ``(N, M1, M2, ...)``, the last axes being those of `func`.

    Examples
    --------
    >>> from nbinterp import predict
    >>> X, a, b = torch.eye(4)[None], torch.arange(2.0)[:, None], torch.ones(3, 1)
    >>> y = apply_product(predict, lambda X, a, b: X.sum((1, 2))[:, None] * b + a, X, args=(a, b), device="cpu")
    >>> tuple(y.shape)
    (1, 2, 3, 1)
    """
    where = "apply_product"
    _check_args(where, args)
    options = (batch_size, device, additional_func_kwargs, verbose, kwargs)
    return _apply(where, func, model, X, args, [len(a) for a in args], lambda at: at[1:], *options)


def _check_args(where: str, args: Any) -> None:
    if not isinstance(args, (list, tuple)):
        raise problem(where, "args", got=f"a {type(args).__name__}", need="a tuple of tensors", do="wrap it: (tensor,)")
    for i, one in enumerate(args):
        if not isinstance(one, torch.Tensor) or one.ndim == 0 or len(one) == 0:
            shape = tuple(one.shape) if isinstance(one, torch.Tensor) else type(one).__name__
            raise problem(where, f"args[{i}]", got=shape, need="a tensor with at least one row", do="check it")


def _apply(
    where: str,
    func: Callable[..., Any],
    model: Any,
    X: Any,
    args: Sequence[torch.Tensor],
    sizes: Sequence[int],
    rows_of_args: Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]],
    batch_size: int,
    device: str | torch.device | None,
    additional: Mapping[str, Any] | None,
    verbose: bool,
    kwargs: Mapping[str, Any],
) -> Any:
    """Go through the combinations in order, the last index fastest."""
    one_hot = sequences(where, X, soft=True)
    on = resolve_device(device, model)
    call = make_call(where, func, model, kwargs, additional, args)
    defaults = {"batch_size": batch_size, "device": str(on), "verbose": False}
    taken = {name: value for name, value in defaults.items() if accepts(func, name, through=True)}
    call = replace(call, options={**taken, **call.options})
    shape = (len(one_hot), *sizes)
    row_bytes = sum(one[0].numel() * one.element_size() for one in (one_hot, *args))
    finished: list[Any] = []

    def step(start: int, end: int) -> None:
        at = np.unravel_index(np.arange(start, end), shape)
        rows = torch.from_numpy(at[0]).to(one_hot.device)
        chosen = [a[torch.from_numpy(i).to(a.device)] for a, i in zip(args, rows_of_args(at), strict=True)]
        finished.append(join(where, [call(one_hot[rows], chosen)], end - start))

    with on_device(model, on):
        run_batches(prod(shape), max(batch_size, GROUP_BYTES // row_bytes), step, desc=where, verbose=verbose)
    return each(lambda y: y.reshape(*shape, *y.shape[1:]), join(where, finished, prod(shape)))
