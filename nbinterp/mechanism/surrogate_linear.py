"""Linear surrogates, solved exactly.

Ridge by the normal equations (by conjugate gradients where they are too many); lasso by coordinate descent on the columns
that matter, until the duality gap says that no other solution is better.

In: a `Design`, measurements.  Out: intercept, weights, facts about the solution.  Scales of penalties are scikit-learn's.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch

from ..errors import NbinterpWarning, problem
from .surrogate_design import Design

__all__ = ["Linear", "fit_lasso", "fit_ridge", "fit_ridge_cv"]

_MOST_DENSE = 6000  # columns of normal equations that are written down
_MOST_STEPS = 2000  # of conjugate gradients
_MOST_SWEEPS = 20_000  # of coordinate descent, between looks at all columns


class Linear(NamedTuple):
    """``y = intercept + columns . weights``, and what is known of the solution."""

    intercept: float
    weights: torch.Tensor
    facts: Mapping[str, float | str]


class _Moments(NamedTuple):
    n: float
    y_mean: torch.Tensor
    means: torch.Tensor
    product: torch.Tensor
    """Of centred columns with centred measurements."""


def _moments(design: Design, y: torch.Tensor, counts: torch.Tensor) -> _Moments:
    n = counts.sum()
    y_mean = (counts * y).sum() / n
    return _Moments(float(n), y_mean, design.transposed(counts) / n, design.transposed(counts * (y - y_mean)))


def fit_ridge(design: Design, y: torch.Tensor, strength: float, counts: torch.Tensor | None = None) -> Linear:
    """Least ``sum of squares + strength * sum of squared weights``; the intercept is free.

    Parameters
    ----------
    design : Design
    y : float64 tensor (N,)
    strength : float
        Scikit-learn's alpha.  At 0 the solution of least norm is taken, since letters at a position add to one.
    counts : float64 tensor (N,), optional
        How often each row counts; whole numbers.

    Returns
    -------
    Linear
        Facts: ``solver``, ``strength``.

    Examples
    --------
    >>> codes = torch.tensor([[0], [1], [2], [3]], dtype=torch.uint8)
    >>> design = Design(codes, np.zeros((0, 2), int), "cpu")
    >>> fit_ridge(design, torch.tensor([0.0, 1, 2, 5], dtype=torch.float64), 1.0).weights.round(decimals=9).tolist()
    [-1.0, -0.5, 0.0, 1.5]
    """
    ones = torch.ones_like(y) if counts is None else counts
    moments = _moments(design, y, ones)
    if design.n_features > _MOST_DENSE:
        return _ridge_by_gradients(design, moments, ones, strength)
    gram = design.gram(None if counts is None else counts) - moments.n * torch.outer(moments.means, moments.means)
    return _linear(moments, _solve(gram, moments.product, strength), "normal equations", strength)


def _solve(gram: torch.Tensor, product: torch.Tensor, strength: float) -> torch.Tensor:
    if strength > 0:
        eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        factor = torch.linalg.cholesky(gram + strength * eye)
        solved: torch.Tensor = torch.cholesky_solve(product[:, None], factor)[:, 0]
        return solved
    values, vectors = torch.linalg.eigh(gram)
    kept = values > values[-1] * len(values) * 1e-12
    inverse = torch.where(kept, 1 / torch.where(kept, values, 1.0), 0.0)
    least: torch.Tensor = vectors @ (inverse * (vectors.T @ product))
    return least


def _linear(moments: _Moments, weights: torch.Tensor, solver: str, strength: float, **facts: float) -> Linear:
    intercept = float(moments.y_mean - moments.means @ weights)
    return Linear(intercept, weights, {"solver": solver, "strength": strength, **facts})


def _ridge_by_gradients(design: Design, moments: _Moments, counts: torch.Tensor, strength: float) -> Linear:
    """Conjugate gradients, preconditioned by the diagonal."""

    def normal(w: torch.Tensor) -> torch.Tensor:
        together = design.transposed(counts * design.times(w))
        return together - moments.n * moments.means * (moments.means @ w) + strength * w

    diagonal = (moments.n * moments.means * (1 - moments.means) + strength).clamp_min(1e-12)
    w = torch.zeros_like(moments.product)
    residual = moments.product.clone()
    step = z = residual / diagonal
    energy, goal = residual @ z, float(residual.norm()) * 1e-10
    for _ in range(_MOST_STEPS):
        if float(residual.norm()) <= goal:
            break
        image = normal(step)
        size = energy / (step @ image)
        w, residual = w + size * step, residual - size * image
        z = residual / diagonal
        energy, before = residual @ z, energy
        step = z + energy / before * step
    else:
        message = f"fit_surrogate: conjugate gradients stopped after {_MOST_STEPS} steps; raise strength"
        warnings.warn(message, NbinterpWarning, stacklevel=3)
    return _linear(moments, w, "conjugate gradients", strength)


def fit_ridge_cv(
    design: Design, y: torch.Tensor, strengths: Sequence[float], folds: int = 5, random_state: int | None = None
) -> Linear:
    """Ridge at the strength that predicts left-out rows best.

    The normal equations of a fold are those of all rows less its own, so that every row is counted twice in all.

    Returns
    -------
    Linear
        Facts: also ``cv_mse``, the mean squared error of left-out rows.
    """
    if design.n_features > _MOST_DENSE:
        got, need = f"{design.n_features} columns", f"at most {_MOST_DENSE} for cross-validation"
        raise problem("fit_surrogate", "strength", got=got, need=need, do="pass one strength, or fewer pairs")
    if not 2 <= folds <= design.n or not len(strengths) or min(strengths) < 0:
        got = f"{folds} folds, {len(strengths)} strengths"
        raise problem("fit_surrogate", "strength", got=got, need="2 folds, strengths of 0 or more", do="correct it")
    fold = np.random.RandomState(random_state).permutation(design.n) % folds
    membership = torch.as_tensor(fold, device=y.device)
    grams = [design.gram((membership == k).double()) for k in range(folds)]
    total = torch.stack(grams).sum(dim=0)
    errors = np.zeros(len(strengths))
    for k, own in enumerate(grams):
        moments = _moments(design, y, (membership != k).double())
        gram = total - own - moments.n * torch.outer(moments.means, moments.means)
        for s, strength in enumerate(strengths):
            linear = _linear(moments, _solve(gram, moments.product, strength), "", strength)
            out = (y - linear.intercept - design.times(linear.weights))[membership == k]
            errors[s] += float(out.square().sum())
    best = int(errors.argmin())
    found = fit_ridge(design, y, float(strengths[best]))
    return found._replace(facts={**found.facts, "cv_mse": float(errors[best]) / design.n})


def fit_lasso(
    design: Design,
    y: torch.Tensor,
    strength: float,
    counts: torch.Tensor | None = None,
    *,
    tolerance: float = 1e-8,
    max_rounds: int = 100,
) -> Linear:
    """Least ``mean of squares / 2 + strength * sum of absolute weights``; the intercept is free.

    Columns join a working set as they are found to matter; coordinate descent solves it on their counts; the duality gap of all
    columns decides.  Letters at a position add to one, so that weights of one prediction are not unique: compare predictions,
    or weights in a gauge.

    Parameters
    ----------
    strength : float
        Scikit-learn's alpha, above 0.
    tolerance : float
        Duality gap over the variance of `y` at which to stop.
    max_rounds : int
        Growths of the working set at most; a warning tells when they were not enough.

    Returns
    -------
    Linear
        Facts: also ``gap`` (absolute), ``n_nonzero``.
    """
    if strength <= 0:
        raise problem(
            "fit_surrogate", "strength", got=strength, need="above 0 for lasso", do="use penalty='ridge' at 0"
        )
    ones = torch.ones_like(y) if counts is None else counts
    moments = _moments(design, y, ones)
    centred = y - moments.y_mean
    y_square = float((ones * centred) @ centred) / moments.n
    goal = tolerance * y_square
    w = torch.zeros_like(moments.product)
    working = torch.zeros(0, dtype=torch.long, device=y.device)
    for _ in range(max_rounds):
        residual = centred - design.times(w) + moments.means @ w
        slope = design.transposed(ones * residual) / moments.n
        square, cross = (float((ones * residual) @ other) / moments.n for other in (residual, centred))
        gap = _duality_gap(square, cross, float(slope.abs().max()), float(w.abs().sum()), strength)
        if gap <= goal:
            break
        missing = slope.abs() - strength
        missing[working] = -1.0
        order = torch.argsort(missing, descending=True, stable=True)[: max(100, len(working))]
        working = torch.cat([working, order[missing[order] > 0]])
        gram = design.gram(None if counts is None else counts, working) / moments.n
        means = moments.means[working]
        gram -= torch.outer(means, means)
        product = moments.product[working] / moments.n
        inside = w[working].cpu().numpy()
        _descend(gram.cpu().numpy(), product.cpu().numpy(), y_square, inside, strength, goal)
        w = w.index_copy(0, working, torch.as_tensor(inside, device=y.device))
    else:
        message = f"fit_surrogate: lasso stopped at a duality gap of {gap:.2g}; raise tolerance or strength"
        warnings.warn(message, NbinterpWarning, stacklevel=3)
    return _linear(moments, w, "coordinate descent", strength, gap=gap, n_nonzero=float((w != 0).sum()))


def _duality_gap(square: float, cross: float, slope: float, size: float, strength: float) -> float:
    """Of the residual scaled until no column exceeds the penalty.

    Means of its square and of its product with measurements, the steepest column, the sum of absolute weights.
    """
    scale = min(1.0, strength / max(slope, 1e-300))
    return max(0.0, 0.5 * square * (1 + scale**2) - scale * cross + strength * size)


def _descend(
    gram: np.ndarray, product: np.ndarray, y_square: float, w: np.ndarray, strength: float, goal: float
) -> None:
    """Coordinate descent on counts, in place, until the gap among these columns is half of what is wanted."""
    slope = product - gram @ w
    diagonal = np.diagonal(gram)
    movable = np.flatnonzero(diagonal > 1e-12)
    for sweep in range(_MOST_SWEEPS):
        for j in movable if sweep % 10 == 0 else np.flatnonzero(w):
            pull = slope[j] + diagonal[j] * w[j]
            new = np.sign(pull) * max(abs(pull) - strength, 0.0) / diagonal[j]
            if new != w[j]:
                slope -= (new - w[j]) * gram[j]
                w[j] = new
        if sweep % 10 == 9:
            cross = y_square - float(w @ product)
            square = cross - float(w @ slope)  # of a residual: y y - 2 w p + w G w
            if _duality_gap(square, cross, float(np.abs(slope).max()), float(np.abs(w).sum()), strength) <= goal / 2:
                return
