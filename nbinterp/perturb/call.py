"""How an experiment calls its function.

In: the `func` of an experiment (`predict`, `deep_lift_shap` or any callable ``(model, X, **options)``), its options and
sequences.  Out: what it gives: a tensor, or lists, tuples, named tuples or dicts of tensors, each with one row a sequence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from ..core.batches import Compact
from ..core.check import check_one_hot, check_options
from ..errors import Interrupted, OptionError, problem
from ..model.predict import check_inputs

__all__ = ["Call", "accepts", "each", "join", "make_call", "sequences"]


@dataclass(frozen=True)
class Call:
    """A function of a model with its options, checked once.

    Attributes
    ----------
    where : str
        The experiment, for messages.
    func : callable
        ``(model, X, **options)``.
    model : callable
        What it is called on.
    options : mapping
        All but `args`.
    args : tuple of tensors, or None
        Further inputs of the model, one row a sequence.
    """

    where: str
    func: Callable[..., Any]
    model: Any
    options: Mapping[str, Any]
    args: tuple[torch.Tensor, ...] | None

    @property
    def stays_whole(self) -> bool:
        """Whether an option holds rows or a random stream, so that calls must be those the user would make by hand."""
        kinds = (torch.Tensor, Compact, np.ndarray, np.random.RandomState, np.random.Generator, torch.Generator)
        return any(isinstance(value, kinds) for value in self.options.values())

    def __call__(self, X: torch.Tensor, args: Sequence[torch.Tensor] | None = None) -> Any:
        """Apply the function to sequences and their rows of `args`."""
        further = {} if args is None else {"args": args}
        try:
            return self.func(self.model, X, **self.options, **further)
        except Interrupted:  # what it finished is a part of this experiment that cannot stand alone
            raise KeyboardInterrupt from None

    def on(self, X: torch.Tensor) -> Any:
        """Apply the function to all the sequences that `args` belong to."""
        return self(X, self.args)

    def of(self, rows: torch.Tensor) -> Call:
        """Give the call whose `args` belong to some of these sequences."""
        return replace(self, args=self.args_of(rows))

    def args_of(self, rows: torch.Tensor) -> tuple[torch.Tensor, ...] | None:
        """Give the rows of `args` that belong to some sequences; a single row belongs to all of them."""
        if self.args is None:
            return None
        return tuple(a.expand(len(rows), *a.shape[1:]) if len(a) == 1 else a[rows.to(a.device)] for a in self.args)


def make_call(
    where: str,
    func: Callable[..., Any],
    model: Any,
    options: Mapping[str, Any],
    additional: Mapping[str, Any] | None,
    args: Sequence[torch.Tensor] | None = None,
    *,
    X: Any = None,
) -> Call:
    """Put the options of `func` together.

    Parameters
    ----------
    where : str
        The experiment, for messages.
    func, model
        What to call, and on what.
    options, additional : mapping
        The user's further arguments, and `additional_func_kwargs`.
    args : sequence of tensors, optional
        Where the experiment has `args` as an argument of its own.
    X : one-hot (N, 4, L), optional
        The sequences that `args` must have a row for.

    Raises
    ------
    NbinterpError
        When `args` have other numbers of rows.
    OptionError
        When an option is given twice, or `func` does not accept it; the message names the ones it does.
    """
    merged: dict[str, Any] = {} if args is None else {"args": args}
    for name, value in (*options.items(), *(additional or {}).items()):
        if name in merged:
            raise problem(
                where, name, got="the option twice", need="it once", kind=OptionError,
                do="leave it out of additional_func_kwargs, or give it there alone",
            )  # fmt: skip
        merged[name] = value
    if not callable(func):
        raise problem(where, "func", got=f"a {type(func).__name__}", need="a function of a model and sequences",
                      do="pass for example predict or deep_lift_shap")  # fmt: skip
    check_options(where, func, merged)
    further = merged.pop("args", None)
    if further is not None and X is not None:
        check_inputs(where, X, further)
    return Call(where, func, model, merged, None if further is None else tuple(further))


def accepts(func: Callable[..., Any], option: str, *, through: bool = False) -> bool:
    """Whether a function names an option in its signature; or, with `through`, takes any that it passes on."""
    try:
        parameters = inspect.signature(func).parameters
    except (TypeError, ValueError):  # a builtin has no signature
        return False
    return option in parameters or (through and any(p.kind is p.VAR_KEYWORD for p in parameters.values()))


def sequences(where: str, X: Any, *, argument: str = "X", letters: int | None = None, soft: bool = False) -> Any:
    """Give sequences as a tensor, compact ones as int8 one-hot, held to ``(N, letters, L)`` with N at least 1.

    Parameters
    ----------
    where, argument : str
        The public function and its argument, for messages.
    X : tensor, array or compact container
        One-hot sequences.
    letters : int, optional
        The size of the alphabet.
    soft : bool
        Whether values other than 0 and 1 are let through.
    """
    if isinstance(X, np.ndarray):
        X = torch.from_numpy(np.ascontiguousarray(X))
    elif isinstance(X, Compact) and not isinstance(X, torch.Tensor):
        X = X.to_one_hot()
    if not soft or not isinstance(X, torch.Tensor) or X.ndim != 3:
        check_one_hot(where, argument, X)
    if letters is not None and X.shape[1] != letters:
        raise problem(
            where, "alphabet", got=f"{letters} letters for {argument} of shape {tuple(X.shape)}",
            need=f"{X.shape[1]} letters", do="pass the alphabet that the sequences were encoded with",
        )  # fmt: skip
    if len(X) == 0:
        raise problem(where, argument, got="no sequences", need="at least one", do="check how they were read")
    return X


def each(change: Callable[[torch.Tensor], torch.Tensor], y: Any) -> Any:
    """Apply a function to every tensor of an output."""
    return tree_map(change, y)


def join(where: str, parts: Sequence[Any], rows: int) -> Any:
    """Concatenate outputs, tensor by tensor, and hold them to one row a sequence."""
    leaves, specs = zip(*(tree_flatten(part) for part in parts), strict=True)
    columns = list(zip(*leaves, strict=True))
    fault = next((leaf for leaf in leaves[0] if not isinstance(leaf, torch.Tensor) or leaf.ndim == 0), None)
    if fault is not None or not columns:
        got = "an empty output" if not columns else f"an output that holds a {type(fault).__name__} without rows"
        raise problem(where, "func", got=got, need="tensors with a row for each sequence", do="wrap it so that it does")
    joined = [column[0] if len(column) == 1 else torch.cat(column) for column in columns]
    odd = next((y for y in joined if len(y) != rows), None)
    if odd is not None:
        raise problem(
            where, "func", got=f"{len(odd)} rows for {rows} sequences", need="a row for each sequence",
            do="wrap it so that it keeps the batch axis",
        )  # fmt: skip
    return tree_unflatten(joined, specs[0])
