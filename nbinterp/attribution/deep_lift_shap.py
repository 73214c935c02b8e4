"""DeepLIFT/SHAP: how each base moves a prediction away from those of shuffled sequences.

In: a model and one-hot sequences.  Out: ``(N, 4, L)``.  Names, defaults and results are those of tangermeme 1.6; each
sequence is run forward once for all its references, and one gradient is carried instead of two (see `engine`).

Sources: Shrikumar et al. 2017 (DeepLIFT); Lundberg and Lee 2017 (SHAP); Avsec et al. 2021 (hypothetical scores).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..core.batches import n_rows, on_device, resolve_device, resolve_dtype, run_batches
from ..core.check import check_one_hot
from ..errors import ModelError, NbinterpError, NbinterpWarning, problem
from ..model.predict import check_inputs
from ..sequence import dinucleotide_shuffle
from .deep_lift_shap_run import AttributionErrorResult, Run, hypothetical_scores
from .engine import UserRule
from .references import ReferenceMaker

__all__ = ["AttributionErrorResult", "deep_lift_shap", "hypothetical_attributions", "integrated_gradients_op"]


def hypothetical_attributions(
    multipliers: tuple[torch.Tensor], X: tuple[torch.Tensor], references: tuple[torch.Tensor]
) -> tuple[torch.Tensor]:
    """Score every base at every position, as if it were there: ``m[c] - sum over c' of r[c'] m[c']``.

    Parameters
    ----------
    multipliers, X, references : 1-tuples of tensors (N, 4, L)
        As captum passes them; `X` is not used, since the one-hot of each base takes its place.

    Examples
    --------
    >>> m = torch.tensor([[[1.0], [0.0], [0.0], [3.0]]])
    >>> r = torch.tensor([[[0.0], [0.0], [0.0], [1.0]]])
    >>> hypothetical_attributions((m,), (r,), (r,))[0].flatten().tolist()
    [-2.0, -3.0, -3.0, 0.0]
    """
    for name, one in (("multipliers", multipliers), ("X", X), ("references", references)):
        if not isinstance(one, tuple) or len(one) != 1:
            raise problem(
                "hypothetical_attributions", name, got=type(one).__name__, need="a tuple of one", do="wrap it"
            )
    m, r = multipliers[0], references[0]
    if m.shape != r.shape or m.shape != X[0].shape:
        raise problem(
            "hypothetical_attributions",
            "references",
            got=f"{tuple(r.shape)}",
            need=f"{tuple(m.shape)}",
            do="match them",
        )
    return (hypothetical_scores(m, r),)


def integrated_gradients_op(K: int = 8, name: str | None = None) -> UserRule:
    """A rule for any module of one input: its gradient averaged over the straight path, at `K` Gauss-Legendre points.

    Parameters
    ----------
    K : int
        Points; exact for polynomials of degree 2K.
    name : str, optional
        Of the returned function.

    Examples
    --------
    >>> class Cube(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x**3
    >>> model = torch.nn.Sequential(Cube(), torch.nn.Flatten(), torch.nn.Linear(16, 1))
    >>> X, R = torch.eye(4)[None], torch.eye(4).flip(0)[None, None]
    >>> ops = {Cube: integrated_gradients_op()}
    >>> a = deep_lift_shap(model, X, references=R, additional_nonlinear_ops=ops)
    """
    nodes, weights = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(K))

    def rule(module: torch.nn.Module, grad_input: Any, grad_output: Any) -> tuple[torch.Tensor]:
        del grad_input
        x, r = module.input.chunk(2)  # type: ignore[operator]
        halves = []
        for g in grad_output[0].chunk(2):
            total = torch.zeros_like(x)
            for node, weight in zip(((nodes + 1) / 2).tolist(), (weights / 2).tolist(), strict=True):
                with torch.enable_grad():
                    point = (r + node * (x - r)).detach().requires_grad_()
                    (grad,) = torch.autograd.grad(module(point), point, g)
                total = total + weight * grad
            halves.append(total)
        return (torch.cat(halves),)

    rule.__name__ = f"integrated_gradients_op_{name or 'fn'}_K{K}"
    return rule


def deep_lift_shap(
    model: Any,
    X: Any,
    args: Sequence[torch.Tensor] | None = None,
    target: int | Sequence[int] = 0,
    batch_size: int = 32,
    references: Any = dinucleotide_shuffle,
    n_shuffles: int = 20,
    return_references: bool = False,
    hypothetical: bool = False,
    warning_threshold: float = 0.001,
    additional_nonlinear_ops: Mapping[type, UserRule] | None = None,
    print_convergence_deltas: bool = False,
    raw_outputs: bool = False,
    only_warn: bool = False,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    random_state: int | None = None,
    verbose: bool = False,
    *,
    return_standard_error: bool = False,
) -> Any:
    """Attribute predictions to bases, against references.

    For each reference the scores add up to the difference between the prediction for the sequence and that for the
    reference (completeness); the result is their mean over references.

    Parameters
    ----------
    model : callable
        Takes ``(X, *args)`` and gives ``(N, T)``; see `target` for models that give more.
    X : one-hot (N, 4, L) or compact container
        Without unknown bases.
    args : sequence of tensors, optional
        Further inputs, which have no references.
    target : int or several ints
        Column(s) of the output.  Several share one forward pass and give ``(N, T, 4, L)``.
    batch_size : int
        Reference rows at a time; halved when the device runs out of memory.  Results do not depend on it.
    references : callable, tensor (N, R, 4, L) or compact container
        Called as ``references(X, n=1, random_state=random_state + j)`` for reference j; unknown bases are allowed.
    n_shuffles : int
        R, for a callable.
    return_references : bool
        Give the references too.
    hypothetical : bool
        Score all four bases of each position, not only the one that is there.
    warning_threshold : float
        Warn when a pair's scores miss the difference in prediction by more.
    additional_nonlinear_ops : dict, optional
        From a module's class (its subclasses included) to ``rule(module, grad_input, grad_output)``, which finds the
        observed and the reference half in ``module.input`` and ``module.output``.
    print_convergence_deltas : bool
        Report the deltas of each step as a warning.
    raw_outputs : bool
        Give the multipliers of each reference, ``(N, R, 4, L)``.
    only_warn : bool
        Warn where a check of `X` fails.
    dtype, device, verbose
        As in `predict`.
    random_state : int, optional
        Seed.
    return_standard_error : bool
        Give the standard error of the mean over references too.

    Returns
    -------
    torch.Tensor, shape (N, 4, L); `AttributionReferencesResult`; or `AttributionErrorResult`
        On the CPU.

    Raises
    ------
    ModelError
        When an operation has no rule (it is named, with its module), or the output has no columns.
    NbinterpError
        When `X` or `references` is not one-hot, or options contradict each other.
    Interrupted
        On a keyboard interrupt, with what was finished.

    Warns
    -----
    RuntimeWarning
        When scores do not add up; `diagnose` names the operation at fault.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    >>> from nbinterp import random_one_hot
    >>> X = random_one_hot((2, 4, 10), random_state=0)
    >>> tuple(deep_lift_shap(model, X, n_shuffles=3, random_state=0).shape)
    (2, 4, 10)
    """
    extra = check_inputs("deep_lift_shap", X, args)
    check_sequences("deep_lift_shap", X, only_warn)
    device, dtype = resolve_device(device, model), resolve_dtype(dtype, model)
    maker = ReferenceMaker("deep_lift_shap", X, references, n_shuffles, random_state)
    single, targets = isinstance(target, (int, np.integer)), _check_target(target)
    rules = dict(additional_nonlinear_ops or {})
    _check_options(model, rules, raw_outputs, return_standard_error)
    run = Run(
        model, X, extra, maker, targets, batch_size, hypothetical, raw_outputs, return_references, return_standard_error,
        warning_threshold, print_convergence_deltas, rules, device, dtype,
    )  # fmt: skip
    with on_device(model, device):
        run_batches(
            n_rows(X),
            max(1, batch_size // maker.n),
            run.step,
            desc="deep_lift_shap",
            verbose=verbose,
            partial=lambda _: run.result(single),
        )
    return run.result(single)


def _check_target(target: Any) -> list[int]:
    """One or several column numbers, as a list."""
    targets = [target] if isinstance(target, (int, np.integer)) else list(target) if hasattr(target, "__iter__") else []
    if not targets or not all(isinstance(one, (int, np.integer)) for one in targets):
        raise problem(
            "deep_lift_shap",
            "target",
            got=repr(target),
            need="a column number or several",
            do="pass for example target=0",
        )
    return [int(one) for one in targets]


def _check_options(model: Any, rules: Mapping[Any, UserRule], raw_outputs: bool, return_standard_error: bool) -> None:
    """Refuse options that could not have an effect."""
    if raw_outputs and return_standard_error:
        raise problem(
            "deep_lift_shap", "return_standard_error", got="True together with raw_outputs", need="one of both",
            do="compute it from the raw multipliers, or leave raw_outputs out",
        )  # fmt: skip
    check_rules("deep_lift_shap", model, rules)


def check_rules(where: str, model: Any, rules: Mapping[Any, UserRule]) -> None:
    """Hold rules to classes of modules with functions, and their model to a module that can be looked into."""
    if isinstance(model, torch.nn.Module) and any(isinstance(one, torch.jit.ScriptModule) for one in model.modules()):
        raise problem(
            where, "model", got="a TorchScript module, whose operations cannot be seen", need="a model in Python",
            do="load its state dict into the class it was made from, or use saturation_mutagenesis or a gradient",
            kind=ModelError,
        )  # fmt: skip
    for kind, rule in rules.items():
        if not (isinstance(kind, type) and issubclass(kind, torch.nn.Module) and callable(rule)):
            raise problem(
                where, "additional_nonlinear_ops", got=f"{kind!r}: {rule!r}", need="classes of modules with "
                "functions", do="put the operation into a torch.nn.Module, and give its class",
            )  # fmt: skip
    if rules and not isinstance(model, torch.nn.Module):
        raise problem(
            where, "additional_nonlinear_ops", got=f"rules for a model that is a {type(model).__name__}",
            need="a torch.nn.Module, whose parts can be found", do="make the model a torch.nn.Module",
        )  # fmt: skip


def check_sequences(where: str, X: Any, only_warn: bool = False) -> None:
    """Hold sequences to known bases."""
    if not isinstance(X, torch.Tensor):
        unknown: Any = getattr(X, "n_runs", ())
        if len(unknown):
            row = int(unknown[0, 0])
            raise problem(
                where, "X", got=f"unknown bases (N), first in row {row}", need="known bases",
                do="drop such sequences (read_sequences(drop_unknown=True))",
            )  # fmt: skip
        return
    try:
        check_one_hot(where, "X", X, allow_N=False)
    except NbinterpError as error:
        if not only_warn:
            raise
        warnings.warn(str(error), NbinterpWarning, stacklevel=3)
