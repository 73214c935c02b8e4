"""Averages of gradients at points made from each row: what the gradient methods have in common.

In: a model, sequences, and for each row its points: places on the way from a reference to the sequence, with weights.
Out: scores of all bases, row by row.  The points of several rows share batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from ..core.batches import (
    Rows,
    autocast,
    n_rows,
    on_device,
    resolve_device,
    resolve_dtype,
    run_batches,
    take_rows,
)
from ..core.check import check_choice, check_one_hot
from ..errors import ModelError, problem
from ..model.predict import call_model, check_inputs

__all__ = [
    "GradientRun",
    "IntegratedGradientsResult",
    "Points",
    "ReferenceSource",
    "References",
    "first_seed",
    "here",
    "quadrature",
    "scored",
]

References = torch.Tensor | Callable[..., torch.Tensor]
Score = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class IntegratedGradientsResult(NamedTuple):
    """Attributions ``(N, 4, L)``, and how far each row's are from adding up, ``(N,)``.

    A delta is f(sequence) - mean f(reference) - (sum of the contributions of all positions).
    """

    attributions: torch.Tensor
    convergence_deltas: torch.Tensor


class Points(NamedTuple):
    """Where one row's gradient is taken: ``base[r] + way[r, s] * (x - base[r])``, weighted.

    `base` is (R, 4, L), `way` (R, S), and `weights` (R * S,) add up to 1.
    """

    base: torch.Tensor
    way: torch.Tensor
    weights: torch.Tensor

    def at(self, x: torch.Tensor, start: int, end: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Give points ``[start, end)`` with their references and weights."""
        base = self.base[torch.arange(start, end, device=x.device) // self.way.shape[1]]
        way = self.way.reshape(-1)[start:end, None, None]
        return torch.lerp(base, x.expand_as(base), way), base, self.weights[start:end]


PointsOf = Callable[[torch.Tensor, int], Points]


def here(x: torch.Tensor, row: int) -> Points:
    """Give the sequence itself as the one point."""
    return Points(x[None], x.new_ones(1, 1), x.new_ones(1))


def scored(hypothetical: bool, *, corrected: bool) -> Score:
    """Give the function that makes scores from a sequence and the mean gradient."""

    def score(x: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        if corrected:
            gradient = gradient - gradient.mean(dim=1, keepdim=True)
        return gradient if hypothetical else gradient * x

    return score


def quadrature(rule: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Give n nodes in (0, 1) and their weights, which add up to 1.

    Examples
    --------
    >>> nodes, weights = quadrature("gauss-legendre", 2)
    >>> round(float((weights * nodes**3).sum()), 12)
    0.25
    """
    if rule == "midpoint":
        return (np.arange(n) + 0.5) / n, np.full(n, 1 / n)
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


def first_seed(random_state: int | None) -> int:
    """Give the seed of the first row; without a `random_state`, one from the system."""
    return int(np.random.SeedSequence().generate_state(1)[0] >> 1) if random_state is None else int(random_state)


class ReferenceSource:
    """Where a row's references come from; each row has a seed of its own."""

    def __init__(self, where: str, references: str | References, n: int, random_state: int | None, rows: int) -> None:
        if isinstance(references, str):
            check_choice(where, "references", references, ["zeros", "mean"])
        elif isinstance(references, torch.Tensor):
            if references.ndim != 4 or references.shape[0] not in (1, rows):
                raise problem(
                    where,
                    "references",
                    got=f"shape {tuple(references.shape)}",
                    need=f"shape ({rows}, R, 4, L), or (1, R, 4, L) for all rows",
                    do="add the missing axes",
                )
        elif not callable(references):
            raise problem(
                where,
                "references",
                got=f"a {type(references).__name__}",
                need="'zeros', 'mean', a tensor or a function",
                do="pass one of these",
            )
        self._where, self._references, self._n = where, references, n
        self._first = first_seed(random_state)

    def seed(self, row: int) -> int:
        """Give a row's seed."""
        return (self._first + row) % 2**32

    def of(self, x: torch.Tensor, row: int) -> torch.Tensor:
        """Give the references (R, 4, L) of one sequence."""
        references = self._references
        if isinstance(references, str):
            mean = x.sum(1, keepdim=True) / x.sum().clamp(min=1)
            return (mean.expand_as(x) if references == "mean" else torch.zeros_like(x))[None]
        if isinstance(references, torch.Tensor):
            made = references[row if len(references) > 1 else 0]
        else:
            made = references(x[None].cpu(), n=self._n, random_state=self.seed(row))[0]
        if tuple(made.shape[1:]) != tuple(x.shape):
            raise problem(
                self._where,
                "references",
                got=f"sequences of shape {tuple(made.shape[1:])}",
                need=f"shape {tuple(x.shape)}, as X's",
                do="make references of the same length",
            )
        return made.to(device=x.device, dtype=x.dtype)


class GradientRun:
    """One call of a gradient method: its arguments, checked, and the batches."""

    def __init__(
        self,
        where: str,
        model: Callable[..., Any],
        X: Rows,
        args: Sequence[torch.Tensor] | None,
        target: int,
        batch_size: int,
        func: Callable[..., Any] | None,
        dtype: torch.dtype | str | None,
        device: torch.device | str | None,
        verbose: bool,
    ) -> None:
        if len(X.shape) != 3:
            raise problem(where, "X", got=f"shape {tuple(X.shape)}", need="shape (N, 4, L)", do="add the missing axis")
        self._args = check_inputs(where, X, args)
        if isinstance(X, torch.Tensor):
            check_one_hot(where, "X", X)
        if not isinstance(target, (int, np.integer)):
            raise problem(where, "target", got=repr(target), need="an integer", do="choose one output")
        self._where, self._model, self._X = where, model, X
        self._target, self._batch_size, self._func, self._verbose = target, batch_size, func, verbose
        self._device, self._dtype = resolve_device(device, model), resolve_dtype(dtype, model)

    def attribute(self, points: PointsOf, score: Score, per_row: int = 1) -> torch.Tensor:
        """Score every row by its mean gradient over its points, `per_row` of them or more."""
        return self._run(points, score, per_row, between=False, deltas=False).attributions

    def attribute_between(
        self, points: PointsOf, score: Score, per_row: int, deltas: bool
    ) -> torch.Tensor | IntegratedGradientsResult:
        """Score every row by its mean contribution relative to references."""
        result = self._run(points, score, per_row, between=True, deltas=deltas)
        return result if deltas else result.attributions

    def _run(
        self, points: PointsOf, score: Score, per_row: int, *, between: bool, deltas: bool
    ) -> IntegratedGradientsResult:
        n, (alphabet, length) = n_rows(self._X), self._X.shape[1:]
        scores = torch.empty(n, alphabet, length, dtype=self._dtype)
        missing = torch.zeros(n, dtype=self._dtype)

        def step(start: int, end: int) -> None:
            x = take_rows(self._X, start, end, device=self._device, dtype=self._dtype)
            args = [take_rows(a, start, end, device=self._device, dtype=self._dtype) for a in self._args]
            rows = [points(x[i], start + i) for i in range(end - start)]
            mean, total = self._mean(x, args, rows, between)
            scores[start:end] = score(x, mean).cpu()
            if deltas:
                missing[start:end] = (self._difference(x, args, rows) - total).cpu()

        def result(done: int) -> IntegratedGradientsResult:
            return IntegratedGradientsResult(scores[:done], missing[:done])

        def partial(done: int) -> torch.Tensor | IntegratedGradientsResult:
            return result(done) if deltas else result(done).attributions

        with on_device(self._model, self._device):
            together = max(self._batch_size // per_row, 1)
            run_batches(n, together, step, desc=self._where, verbose=self._verbose, partial=partial)
        return result(n)

    def _mean(
        self, x: torch.Tensor, args: Sequence[torch.Tensor], rows: Sequence[Points], between: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Give each row's weighted mean gradient (less its projection on the reference), and its contributions' sum."""
        mean, total = torch.zeros_like(x), x.new_zeros(len(x))
        per_row = len(rows[0].weights)

        def step(start: int, end: int) -> None:
            owner = torch.arange(start, end, device=x.device) // per_row
            parts = [
                row.at(x[i], max(start - i * per_row, 0), min(end - i * per_row, per_row))
                for i, row in enumerate(rows)
                if i * per_row < end and (i + 1) * per_row > start
            ]
            at, base, weights = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
            gradient = self._gradient(at, [a[owner] for a in args])
            if between:
                contribution = (gradient * (x[owner] - base)).sum((1, 2))
                gradient = gradient - (gradient * base).sum(1, keepdim=True)
                total.index_add_(0, owner, contribution * weights)
            mean.index_add_(0, owner, gradient * weights[:, None, None])

        run_batches(per_row * len(x), self._batch_size, step, desc=self._where)
        return mean, total

    def _gradient(self, at: torch.Tensor, args: Sequence[torch.Tensor]) -> torch.Tensor:
        with torch.enable_grad():
            at = at.detach().requires_grad_()
            y = self._output(at, args)
            (gradient,) = torch.autograd.grad(y.sum(), at)
        return gradient

    def _difference(self, x: torch.Tensor, args: Sequence[torch.Tensor], rows: Sequence[Points]) -> torch.Tensor:
        """Give f(sequence) - mean f(reference)."""
        counts = torch.tensor([len(row.base) for row in rows], device=x.device)
        each = torch.arange(len(x), device=x.device)
        owner = torch.cat([each, each.repeat_interleave(counts)])
        everything = torch.cat([x, *(row.base for row in rows)])
        y = x.new_zeros(len(everything))

        def step(start: int, end: int) -> None:
            with torch.no_grad():
                y[start:end] = self._output(everything[start:end], [a[owner[start:end]] for a in args]).to(y.dtype)

        run_batches(len(everything), self._batch_size, step, desc=self._where)
        sums = x.new_zeros(len(x)).index_add_(0, owner[len(x) :], y[len(x) :])
        return y[: len(x)] - sums / counts

    def _output(self, x: torch.Tensor, args: Sequence[torch.Tensor]) -> torch.Tensor:
        """Give the target's output, one number a row."""
        with autocast(self._device, self._dtype):
            y = call_model(self._where, self._model, x, *args)
            y = y if self._func is None else self._func(y)
        if not isinstance(y, torch.Tensor) or y.ndim < 2 or y.shape[0] != len(x) or y[0, 0].numel() != 1:
            got = f"an output of shape {tuple(y.shape)}" if isinstance(y, torch.Tensor) else f"a {type(y).__name__}"
            raise problem(
                self._where,
                "model",
                got=got,
                need="an output of shape (n, T)",
                do="reduce it with func, or wrap the model in a target",
                kind=ModelError,
            )
        if not -y.shape[1] <= self._target < y.shape[1]:
            raise problem(
                self._where,
                "target",
                got=self._target,
                need=f"an index into {y.shape[1]} outputs",
                do="choose an existing output",
            )
        return y[:, self._target].reshape(len(x))
