"""Checks of arguments, made once at the public door.

In: what the user passed.  Out: nothing, or an error of the house shape (`nbinterp.errors.problem`).
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import NbinterpWarning, OptionError, problem, suggest

if TYPE_CHECKING:  # views and charts check words without loading torch
    import torch

__all__ = ["check_choice", "check_one_hot", "check_options", "validate_input"]


def _one_hot_fault(X: torch.Tensor, dim: int, allow_N: bool) -> tuple[str, str] | None:
    """Name what keeps `X` from being one-hot along `dim` as (got, need), or None."""
    import torch

    if X.is_floating_point() and not bool(torch.isfinite(X).all()):
        return "NaN or infinite entries", "entries of exactly 0 or 1"
    if bool(((X != 0) & (X != 1)).any()):
        value = X[(X != 0) & (X != 1)].flatten()[0].item()
        return f"an entry of {value:.4g}", "entries of exactly 0 or 1"
    total = X.sum(dim=dim)
    if bool((total > 1).any()):
        return "positions with more than one base", "one base at each position"
    if not allow_N and bool((total == 0).any()):
        return "positions without a base (N)", "one base at each position"
    return None


def check_one_hot(where: str, argument: str, X: torch.Tensor, *, allow_N: bool = True) -> None:
    """Hold `X` to one-hot of shape ``(N, 4, L)`` (any alphabet size); zero columns are unknown bases.

    Raises
    ------
    NbinterpError
        When `X` is no 3-D tensor, is soft, holds NaN, or has an N that is not allowed.

    Examples
    --------
    >>> import torch
    >>> check_one_hot("predict", "X", torch.eye(4)[None])
    >>> check_one_hot("predict", "X", torch.full((1, 4, 8), 0.25))
    Traceback (most recent call last):
    ...
    nbinterp.errors.NbinterpError: predict(X): got an entry of 0.25; need entries of exactly 0 or 1; do ...
    """
    import torch

    remedy = "one-hot encode the sequences with one_hot_encode"
    if not isinstance(X, torch.Tensor):
        raise problem(where, argument, got=f"a {type(X).__name__}", need="a tensor of shape (N, 4, L)", do=remedy)
    if X.ndim != 3:
        raise problem(where, argument, got=f"shape {tuple(X.shape)}", need="shape (N, 4, L)", do="add the batch axis")
    fault = _one_hot_fault(X, 1, allow_N)
    if fault is not None:
        if "(N)" in fault[0]:
            remedy = "drop these sequences, or replace the unknown bases"
        raise problem(where, argument, got=fault[0], need=fault[1], do=remedy)


def validate_input(
    X: Any,
    name: str = "input",
    shape: Sequence[int] | None = None,
    dtype: torch.dtype | Iterable[torch.dtype] | None = None,
    min_value: float | None = None,
    max_value: float | None = None,
    ohe: bool = False,
    ohe_dim: int = 1,
    allow_N: bool = False,
    only_warn: bool = False,
) -> Any:
    """Check a tensor against what is asked of it, and give it back (tangermeme's `_validate_input`).

    Parameters
    ----------
    X : torch.Tensor
        What to check.
    name : str
        How messages call it.
    shape : sequence of int, optional
        The shape needed; -1 stands for any size.
    dtype : torch.dtype or several, optional
        The dtype(s) allowed.
    min_value, max_value : float, optional
        Bounds of the entries, inclusive.
    ohe, ohe_dim, allow_N
        Whether entries must be one-hot along `ohe_dim`, and whether zero columns are allowed.
    only_warn : bool
        Warn (`NbinterpWarning`) where an error would be raised.

    Raises
    ------
    NbinterpError
        When a check fails.

    Examples
    --------
    >>> import torch
    >>> validate_input(torch.eye(4)[None], "X", shape=(-1, 4, -1), ohe=True).shape
    torch.Size([1, 4, 4])
    """
    fault = _fault(X, shape, dtype, min_value, max_value, ohe, ohe_dim, allow_N)
    if fault is not None:
        error = problem("validate_input", name, got=fault[0], need=fault[1], do="pass a tensor that fits")
        if not only_warn:
            raise error
        warnings.warn(str(error), NbinterpWarning, stacklevel=2)
    return X


def _fault(
    X: Any,
    shape: Sequence[int] | None,
    dtype: torch.dtype | Iterable[torch.dtype] | None,
    min_value: float | None,
    max_value: float | None,
    ohe: bool,
    ohe_dim: int,
    allow_N: bool,
) -> tuple[str, str] | None:
    import torch

    if not isinstance(X, torch.Tensor):
        return f"a {type(X).__name__}", "a torch.Tensor"
    if shape is not None and (
        X.ndim != len(shape) or any(want not in (-1, have) for want, have in zip(shape, X.shape, strict=True))
    ):
        return f"shape {tuple(X.shape)}", f"shape {tuple(shape)} (-1 is any size)"
    if dtype is not None:
        allowed = (dtype,) if isinstance(dtype, torch.dtype) else tuple(dtype)
        if X.dtype not in allowed:
            return f"dtype {X.dtype}", "dtype " + " or ".join(str(d) for d in allowed)
    if X.numel() and min_value is not None and X.min() < min_value:
        return f"a minimum of {X.min().item():.4g}", f"entries of at least {min_value}"
    if X.numel() and max_value is not None and X.max() > max_value:
        return f"a maximum of {X.max().item():.4g}", f"entries of at most {max_value}"
    return _one_hot_fault(X, ohe_dim, allow_N) if ohe else None


def check_choice(where: str, argument: str, value: object, choices: Iterable[str]) -> None:
    """Hold `value` to a list of words; the error names all of them and the nearest.

    Examples
    --------
    >>> check_choice("shuffle", "method", "unifrom", ["tangermeme", "uniform"])
    Traceback (most recent call last):
    ...
    nbinterp.errors.NbinterpError: shuffle(method): got 'unifrom' (did you mean 'uniform'?); need one of ...
    """
    known = list(choices)
    if value not in known:
        hint = suggest(value, known) if isinstance(value, str) else ""
        listed = ", ".join(repr(word) for word in known)
        raise problem(where, argument, got=f"{value!r}{hint}", need=f"one of {listed}", do="choose one of them")


def check_options(where: str, func: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Refuse options that `func` does not accept, naming the ones it does.

    Raises
    ------
    OptionError
        (a `TypeError`) at the first unknown option.

    Examples
    --------
    >>> def func(model, X, batch_size=32): ...
    >>> check_options("marginalize", func, {"batch_sise": 1})
    Traceback (most recent call last):
    ...
    nbinterp.errors.OptionError: marginalize(batch_sise): got an option that func does not accept (did you mean ...
    """
    try:
        parameters = inspect.signature(func).parameters
    except (TypeError, ValueError):  # a builtin without a signature: let it judge for itself
        return
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return
    for option in options:
        if option not in parameters:
            name = getattr(func, "__name__", type(func).__name__)
            raise problem(
                where,
                option,
                got=f"an option that {name} does not accept{suggest(option, parameters)}",
                need=f"one of {', '.join(parameters)}",
                do="correct or remove it",
                kind=OptionError,
            )
