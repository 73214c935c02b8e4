"""DeepLIFT/SHAP: how each base moves a prediction away from those of shuffled sequences.

In: a model and one-hot sequences.  Out: ``(N, 4, L)``.  Names, defaults and results are those of tangermeme 1.6; each
sequence is run forward once for all its references, and one gradient is carried instead of two (see `engine`).

Sources: Shrikumar et al. 2017 (DeepLIFT); Lundberg and Lee 2017 (SHAP); Avsec et al. 2021 (hypothetical scores).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from ..core.batches import autocast, n_rows, on_device, resolve_device, resolve_dtype, run_batches, take_rows
from ..core.check import check_one_hot
from ..core.results import AttributionReferencesResult
from ..errors import ModelError, NbinterpError, NbinterpWarning, problem
from ..model.predict import call_model, check_inputs
from ..sequence import dinucleotide_shuffle
from .engine import Pairing, Tracer, UserRule, frozen
from .operations import HANDLERS, LINEAR
from .references import ReferenceMaker

__all__ = ["AttributionErrorResult", "deep_lift_shap", "hypothetical_attributions", "integrated_gradients_op"]


class AttributionErrorResult(NamedTuple):
    """Attributions, their standard error over references, and, when asked for, the references."""

    attributions: torch.Tensor
    standard_error: torch.Tensor
    references: torch.Tensor | None = None


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
    return (_hypothetical(m, r),)


def _hypothetical(m: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
    return m - (r * m).sum(dim=-2, keepdim=True)


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
    import numpy as np

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
        When `X` or `references` is not one-hot.
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
    _check_sequences(X, only_warn)
    device, dtype = resolve_device(device, model), resolve_dtype(dtype, model)
    maker = ReferenceMaker("deep_lift_shap", X, references, n_shuffles, random_state)
    targets = [target] if isinstance(target, int) else list(target)
    run = _Run(
        model, X, extra, maker, targets, batch_size, hypothetical, raw_outputs, return_references, return_standard_error,
        warning_threshold, print_convergence_deltas, dict(additional_nonlinear_ops or {}), device, dtype,
    )  # fmt: skip
    with on_device(model, device):
        run_batches(
            n_rows(X),
            max(1, batch_size // maker.n),
            run.step,
            desc="deep_lift_shap",
            verbose=verbose,
            partial=lambda _: run.result(isinstance(target, int)),
        )
    return run.result(isinstance(target, int))


def _check_sequences(X: Any, only_warn: bool) -> None:
    if not isinstance(X, torch.Tensor):
        unknown = getattr(X, "n_runs", ())
        if len(unknown):
            row = int(unknown[0, 0])
            raise problem(
                "deep_lift_shap", "X", got=f"unknown bases (N), first in row {row}", need="known bases",
                do="drop such sequences (read_sequences(drop_unknown=True))",
            )  # fmt: skip
        return
    try:
        check_one_hot("deep_lift_shap", "X", X, allow_N=False)
    except NbinterpError as error:
        if not only_warn:
            raise
        warnings.warn(str(error), NbinterpWarning, stacklevel=3)


class _Run:
    """The state of one call: what each step needs, and what was finished."""

    def __init__(
        self,
        model: Any,
        X: Any,
        extra: tuple[torch.Tensor, ...],
        maker: ReferenceMaker,
        targets: list[int],
        batch_size: int,
        hypothetical: bool,
        raw: bool,
        keep_references: bool,
        keep_error: bool,
        threshold: float,
        report_deltas: bool,
        rules: dict[type, UserRule],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.model, self.X, self.extra, self.maker, self.targets = model, X, extra, maker, targets
        self.batch_size, self.hypothetical, self.raw = batch_size, hypothetical, raw
        self.keep_references, self.keep_error = keep_references, keep_error
        self.threshold, self.report_deltas, self.rules = threshold, report_deltas, rules
        self.device, self.dtype = device, dtype
        self.chunk = max(1, min(batch_size, maker.n))
        self.scores: list[torch.Tensor] = []
        self.errors: list[torch.Tensor] = []
        self.references: list[torch.Tensor] = []

    def step(self, start: int, end: int) -> None:
        """Attribute rows ``[start, end)`` and keep the results."""
        n, device, dtype = end - start, self.device, self.dtype
        X = take_rows(self.X, start, end, device=device, dtype=dtype)
        args = [take_rows(one, start, end, device=device, dtype=dtype) for one in self.extra]
        references = self.maker.rows(start, end, device, dtype)
        tracer = Tracer(HANDLERS, LINEAR)
        total = _Total(self.maker.n)
        raw: list[torch.Tensor] = []
        with frozen(self.model, tracer, self.rules), autocast(device, dtype):
            y_x = self._forward(tracer, X.clone(), args).detach()
            for a, b in self._chunks(n):
                m, y_r, r = self._multipliers(tracer, Pairing(n, b - a), references[:, a:b], args)
                wide = X[:, None, None]
                self._check(y_x[:, None], y_r, ((wide - r) * m).sum(dim=(-2, -1)))
                if self.raw:
                    raw.append(m.cpu())
                    continue
                scores = _hypothetical(m, r)
                total.add(scores if self.hypothetical else scores * wide)
        self.scores.append(torch.cat(raw, dim=1) if self.raw else total.mean().cpu())
        if self.keep_error:
            self.errors.append(total.standard_error().cpu())
        if self.keep_references:
            self.references.append(references.cpu())

    def _chunks(self, n: int) -> list[tuple[int, int]]:
        """Spans of references that fit the batch; a step of several sequences takes all of theirs at once."""
        size = self.maker.n if n > 1 else self.chunk
        return [(a, min(a + size, self.maker.n)) for a in range(0, self.maker.n, size)]

    def _forward(self, tracer: Tracer, X: torch.Tensor, args: list[torch.Tensor]) -> torch.Tensor:
        with torch.enable_grad():
            X.requires_grad_()
            with tracer:
                y = call_model("deep_lift_shap", self.model, X, *args)
        return self._columns(y)

    def _columns(self, y: Any) -> torch.Tensor:
        if not isinstance(y, torch.Tensor):
            got, do = f"an output of type {type(y).__name__}", "choose an output with target(model, head=...)"
        else:
            while y.ndim > 2 and y.shape[-1] == 1:
                y = y.squeeze(-1)
            if y.ndim == 2 and all(-y.shape[1] <= t < y.shape[1] for t in self.targets):
                return y[:, self.targets]
            got = f"an output of shape {tuple(y.shape)} for target {self.targets}"
            do = "choose columns with target=, or make them with target(model, ...)"
        raise problem("deep_lift_shap", "model", got=got, need="(N, T) with that column", do=do, kind=ModelError)

    def _multipliers(
        self, tracer: Tracer, pairing: Pairing, references: torch.Tensor, args: list[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Multipliers (n, k, T, 4, L), outputs (n, k, T) and the references as (n, k, 1, 4, L)."""
        tracer.second_pass(pairing)
        rows = references.flatten(0, 1).clone()
        y = self._forward(tracer, rows, [one.repeat_interleave(pairing.k, dim=0) for one in args])
        last = len(self.targets) - 1
        if not y.requires_grad:
            raise problem(
                "deep_lift_shap", "model", got="an output that does not depend on X", need="one that does",
                do="check the model for detach() or no_grad()", kind=ModelError,
            )  # fmt: skip
        grads = [torch.autograd.grad(y[:, t].sum(), rows, retain_graph=t < last)[0] for t in range(last + 1)]
        shape = (pairing.n, pairing.k)
        return torch.stack(grads, dim=1).unflatten(0, shape), y.detach().unflatten(0, shape), references.unsqueeze(2)

    def _check(self, y_x: torch.Tensor, y_r: torch.Tensor, summed: torch.Tensor) -> None:
        """Warn when scores do not add up to the difference in prediction."""
        differences = y_x - y_r
        deltas = (differences - summed).abs()
        worst, mean = float(deltas.max()), float(deltas.mean())
        if self.report_deltas:
            warnings.warn(f"convergence deltas: {deltas.flatten().tolist()}", NbinterpWarning, stacklevel=6)
        if worst > self.threshold:
            warnings.warn(
                f"Convergence deltas too high: up to {worst:.3g}; diagnose(model, X) names the operation at fault",
                RuntimeWarning,
                stacklevel=6,
            )
        relative = mean / max(float(differences.abs().mean()), 1e-12)
        if relative > 0.01:
            warnings.warn(
                f"Convergence deltas are {relative:.1%} of the differences in output: an operation in the model has no "
                "DeepLIFT rule; diagnose(model, X) names it",
                RuntimeWarning,
                stacklevel=6,
            )

    def result(self, single: bool) -> Any:
        """What is finished, in the shape that was asked for."""
        if not self.scores:
            return None
        scores = _without_targets(torch.cat(self.scores), single, self.raw)
        references = torch.cat(self.references) if self.keep_references else None
        if self.keep_error:
            return AttributionErrorResult(scores, _without_targets(torch.cat(self.errors), single, False), references)
        return scores if references is None else AttributionReferencesResult(scores, references)


def _without_targets(scores: torch.Tensor, single: bool, raw: bool) -> torch.Tensor:
    return scores.squeeze(2 if raw else 1) if single else scores


class _Total:
    """Running sums over references."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.sums: torch.Tensor | None = None
        self.squares: torch.Tensor | None = None

    def add(self, scores: torch.Tensor) -> None:
        """Add scores (n, k, T, 4, L) over k."""
        sums, squares = scores.sum(dim=1), scores.square().sum(dim=1)
        self.sums = sums if self.sums is None else self.sums + sums
        self.squares = squares if self.squares is None else self.squares + squares

    def mean(self) -> torch.Tensor:
        """Mean over references."""
        assert self.sums is not None
        return self.sums / self.n

    def standard_error(self) -> torch.Tensor:
        """Standard error of the mean; NaN for a single reference."""
        assert self.squares is not None
        variance = (self.squares / self.n - self.mean().square()).clamp_min(0) * self.n / max(self.n - 1, 1)
        return (variance / self.n).sqrt() if self.n > 1 else torch.full_like(variance, float("nan"))
