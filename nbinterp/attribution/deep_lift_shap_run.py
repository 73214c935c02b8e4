"""One call of `deep_lift_shap` at work: its steps, and the sums over references.

In: a model, sequences and the maker of their references.  Out: scores, their standard errors and the references, step by
step; a step that runs out of memory can be repeated.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import torch

from ..core.batches import autocast, take_rows
from ..core.results import AttributionReferencesResult
from ..errors import ModelError, NbinterpWarning, problem
from ..model.predict import call_model
from .engine import Pairing, Tracer, UserRule, frozen
from .operations import HANDLERS, LINEAR
from .references import ReferenceMaker

__all__ = [
    "AttributionErrorResult",
    "Run",
    "Total",
    "choose_columns",
    "complaints",
    "forward",
    "hypothetical_scores",
]

CALLER: Final = 6  # frames from a warning in a step up to the caller of deep_lift_shap


class AttributionErrorResult(NamedTuple):
    """Attributions, their standard error over references, and, when asked for, the references."""

    attributions: torch.Tensor
    standard_error: torch.Tensor
    references: torch.Tensor | None = None


def hypothetical_scores(m: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
    """``m[c] - sum over c' of r[c'] m[c']``."""
    return m - (r * m).sum(dim=-2, keepdim=True)


def choose_columns(where: str, y: Any, targets: list[int] | None) -> torch.Tensor:
    """Take the target columns of a model's output, or all of them, as (N, number of targets)."""
    if not isinstance(y, torch.Tensor):
        got, do = f"an output of type {type(y).__name__}", "choose an output with target(model, head=...)"
    else:
        while y.ndim > 2 and y.shape[-1] == 1:
            y = y.squeeze(-1)
        if y.ndim == 2 and all(-y.shape[1] <= t < y.shape[1] for t in targets or ()):
            chosen: torch.Tensor = y if targets is None else y[:, targets]
            return chosen
        got = f"an output of shape {tuple(y.shape)}" + ("" if targets is None else f" for target {targets}")
        do = "choose columns with target=, or make them with target(model, ...)"
    need = "(N, T)" if targets is None else "(N, T) with that column"
    raise problem(where, "model", got=got, need=need, do=do, kind=ModelError)


def forward(
    tracer: Tracer, model: Any, X: torch.Tensor, args: list[torch.Tensor], targets: list[int] | None
) -> torch.Tensor:
    """Run rows through the model under the tracer, with gradients at `X`; give the target columns."""
    with torch.enable_grad():
        X.requires_grad_()
        with tracer:
            y = call_model(tracer.asked_by, model, X, *args)
    chosen = choose_columns(tracer.asked_by, y, targets)
    if not chosen.requires_grad:
        raise problem(
            tracer.asked_by, "model", got="an output that does not depend on X", need="one that does",
            do="check the model for detach() or no_grad()", kind=ModelError,
        )  # fmt: skip
    return chosen


def complaints(worst: float, threshold: float) -> list[str]:
    """Say that scores miss the difference in prediction by too much, or that it is no number."""
    if not math.isfinite(worst):
        return [f"Convergence deltas are {worst}: something is not finite; see predict(model, X)"]
    if worst > threshold:
        return [f"Convergence deltas too high: up to {worst:.3g}; diagnose(model, X) names the operation at fault"]
    return []


class Run:
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
        device, dtype = self.device, self.dtype
        X = take_rows(self.X, start, end, device=device, dtype=dtype)
        args = [take_rows(one, start, end, device=device, dtype=dtype) for one in self.extra]
        references = self.maker.rows(start, end, device, dtype)
        tracer = Tracer(HANDLERS, LINEAR)
        total = Total()
        raw: list[torch.Tensor] = []
        with frozen(self.model, tracer, self.rules), autocast(device, dtype):
            y_x = forward(tracer, self.model, X.clone(), args, self.targets).detach()
            for m, r in self._chunks(tracer, X, y_x, references, args):
                if self.raw:
                    raw.append(m.cpu())
                else:
                    scores = hypothetical_scores(m, r)
                    total.add(scores if self.hypothetical else scores * X[:, None, None])
        self.scores.append(torch.cat(raw, dim=1) if self.raw else total.mean().cpu())
        if self.keep_error:
            self.errors.append(total.standard_error().cpu())
        if self.keep_references:
            self.references.append(references.cpu())

    def _chunks(
        self, tracer: Tracer, X: torch.Tensor, y_x: torch.Tensor, references: torch.Tensor, args: list[torch.Tensor]
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Multipliers and references, in spans of references that fit the batch.

        A step of several sequences takes all of theirs at once; that of one halves its span when memory runs out.
        """
        n, start = len(X), 0
        while start < self.maker.n:
            span = references[:, start : start + (self.chunk if n == 1 else self.maker.n)]
            k = span.shape[1]
            try:
                m, y_r, r = self._multipliers(tracer, Pairing(n, k), span, args)
                summed = ((X[:, None, None] - r) * m).sum(dim=(-2, -1))
            except torch.OutOfMemoryError:
                if n > 1 or k == 1:
                    raise
                self.chunk = k // 2
                continue
            self._check(y_x[:, None], y_r, summed)
            yield m, r
            start += k

    def _multipliers(
        self, tracer: Tracer, pairing: Pairing, references: torch.Tensor, args: list[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Multipliers (n, k, T, 4, L), outputs (n, k, T) and the references as (n, k, 1, 4, L)."""
        tracer.second_pass(pairing)
        rows = references.flatten(0, 1).clone()
        repeated = [one.repeat_interleave(pairing.k, dim=0) for one in args]
        y = forward(tracer, self.model, rows, repeated, self.targets)
        last = len(self.targets) - 1
        grads = [torch.autograd.grad(y[:, t].sum(), rows, retain_graph=t < last)[0] for t in range(last + 1)]
        shape = (pairing.n, pairing.k)
        return torch.stack(grads, dim=1).unflatten(0, shape), y.detach().unflatten(0, shape), references.unsqueeze(2)

    def _check(self, y_x: torch.Tensor, y_r: torch.Tensor, summed: torch.Tensor) -> None:
        """Warn when scores do not add up to the difference in prediction."""
        differences = y_x - y_r
        deltas = (differences - summed).abs()
        worst, relative = float(deltas.max()), float(deltas.mean() / differences.abs().mean().clamp_min(1e-12))
        if self.report_deltas:
            warnings.warn(f"convergence deltas: {deltas.flatten().tolist()}", NbinterpWarning, stacklevel=CALLER)
        messages = complaints(worst, self.threshold)
        if relative > 0.01:
            messages.append(
                f"Convergence deltas are {relative:.1%} of the differences in output: an operation in the model has no "
                "DeepLIFT rule; diagnose(model, X) names it"
            )
        for message in messages:
            warnings.warn(message, RuntimeWarning, stacklevel=CALLER)

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


class Total:
    """Mean and spread over references, merged chunk by chunk (Chan, Golub and LeVeque 1983).

    Squares are of distances from the mean, so that float32 keeps a spread that is small next to the scores.
    """

    def __init__(self) -> None:
        self.n = 0
        self._mean = self._squares = torch.zeros(())

    def add(self, scores: torch.Tensor) -> None:
        """Add scores (n, k, T, 4, L) over k."""
        k = scores.shape[1]
        mean = scores.mean(dim=1)
        squares = (scores - mean.unsqueeze(1)).square().sum(dim=1)
        if self.n == 0:
            self.n, self._mean, self._squares = k, mean, squares
            return
        apart = mean - self._mean
        self._squares = self._squares + squares + apart.square() * (self.n * k / (self.n + k))
        self._mean = self._mean + apart * (k / (self.n + k))
        self.n += k

    def mean(self) -> torch.Tensor:
        """Mean over references."""
        return self._mean

    def standard_error(self) -> torch.Tensor:
        """Standard error of the mean; NaN for a single reference."""
        if self.n == 1:
            return torch.full_like(self._squares, float("nan"))
        return (self._squares / (self.n - 1) / self.n).sqrt()
