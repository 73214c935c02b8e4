"""A surrogate behind one monotone curve: latent phenotype, non-linearity, noise.

The latent phenotype is linear in the columns and has mean 0 and deviation 1 over the training rows, in the objective itself, so
that nothing is lost to its scale.  The curve is a sum of hyperbolic tangents that only rise.  All is fitted at once, by
L-BFGS within bounds, to the likelihood of the measurements.

In: a `Design`, standardised measurements.  Out: weights, `Curve`, coefficients of noise.
Source: Tareen et al. 2022 (MAVE-NN); the optimiser is SciPy's L-BFGS-B.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize, nnls

from ..errors import NbinterpWarning
from .noise import NOISES, log_likelihood_loss
from .surrogate_design import Design

__all__ = ["Curve", "Epistasis", "EpistasisOptions", "Found", "fit_epistasis", "minimise"]

_FAR = 4.0  # measurements farther out do not shape the start


@dataclass(frozen=True, eq=False)
class Curve:
    """From latent phenotype to prediction: ``center + scale (a + slope z + sum b tanh(c z + d))``.

    Attributes
    ----------
    a, slope : float
        `slope` is 0 for a curve of tangents; a straight line has no tangents.
    b, c, d : float64 arrays (K,)
        ``b`` and ``c`` are at least 0: the curve never falls.
    center, scale : float
        Of measurements, which the fit standardises.

    Examples
    --------
    >>> Curve(slope=2.0, center=1.0)([0.0, 1.5]).tolist()
    [1.0, 4.0]
    """

    a: float = 0.0
    slope: float = 0.0
    b: np.ndarray = field(default_factory=lambda: np.zeros(0))
    c: np.ndarray = field(default_factory=lambda: np.zeros(0))
    d: np.ndarray = field(default_factory=lambda: np.zeros(0))
    center: float = 0.0
    scale: float = 1.0

    def __call__(self, phi: Any) -> np.ndarray:
        """Prediction at latent phenotypes of any shape."""
        z = np.asarray(phi, np.float64)
        bent = sum((b * np.tanh(c * z + d) for b, c, d in zip(self.b, self.c, self.d, strict=True)), np.zeros_like(z))
        return np.asarray(self.center + self.scale * (self.a + self.slope * z + bent))


class EpistasisOptions(NamedTuple):
    """Of `fit_epistasis`; see `fit_surrogate`."""

    nonlinear: bool = True
    noise: str = "gaussian"
    noise_order: int = 0
    penalty: str = "ridge"
    strength: float = 0.1
    eta: float = 1e-3
    hidden: int = 50
    n_starts: int = 1
    max_iterations: int = 1000
    patience: int = 25
    random_state: int | None = None


class Epistasis(NamedTuple):
    """``z = intercept + columns . weights``, the curve over it, the noise around that."""

    intercept: float
    weights: torch.Tensor
    curve: Curve
    noise: np.ndarray
    stopped: str
    """By tolerance, validation, line search or max_iterations."""
    history: pd.DataFrame
    """A row an iteration: start, iteration, objective (nats a row, penalties included), validation (nats a row)."""


class Found(NamedTuple):
    """The best point of one start, and how good it is where it counts."""

    x: np.ndarray
    score: float
    stopped: str


def fit_epistasis(
    design: Design,
    y: torch.Tensor,
    start: torch.Tensor,
    options: EpistasisOptions,
    counts: torch.Tensor,
    watched: torch.Tensor,
) -> Epistasis:
    """Fit weights, curve and noise together.

    The point is kept that predicts watched rows best, and the fit stops when none has been better for a while: a likelihood
    with free noise has no bound where parameters can reach single rows.

    Parameters
    ----------
    design : Design
    y : float64 tensor (N,)
        Standardised.
    start : float64 tensor (n_features,)
        Weights to begin from, such as a ridge's.
    options : EpistasisOptions
    counts, watched : float64 tensors (N,)
        How often each row counts in the fit, and in deciding when to stop; all zero to go on until nothing moves.
    """
    objective = _Objective(design, y, options, counts, watched)
    random = np.random.RandomState(options.random_state)
    best, traces = None, []
    for index in range(options.n_starts):
        weights = start.cpu().numpy()
        if index:  # the first start is the best guess; others leave it
            weights = weights + weights.std() * random.normal(size=weights.shape)
        begin = objective.begin(weights, random)
        found, trace = minimise(
            objective.value, begin, objective.bounds(len(begin)), y.device, options, objective.watches
        )
        traces.append(trace.assign(start=index))
        if best is None or found.score < best.score:
            best = found
    assert best is not None
    if best.stopped == "max_iterations":
        message = f"fit_surrogate: stopped after {options.max_iterations} iterations; raise max_iterations"
        warnings.warn(message, NbinterpWarning, stacklevel=3)
    history = pd.concat(traces, ignore_index=True)[["start", "iteration", "objective", "validation"]]
    return objective.result(best.x, best.stopped, history)


def minimise(
    value: Callable[[torch.Tensor], tuple[torch.Tensor, float]],
    v: np.ndarray,
    bounds: np.ndarray,
    device: torch.device,
    options: EpistasisOptions,
    watches: bool,
) -> tuple[Found, pd.DataFrame]:
    """The best point from one start, and the way there; `value` gives what is minimised and the loss of watched rows."""
    trace: list[tuple[float, float]] = []
    best = Found(v, np.inf, "")
    last: dict[str, Any] = {"x": v, "watched": np.nan}
    since = 0

    def both(x: np.ndarray) -> tuple[float, np.ndarray]:
        at = torch.as_tensor(x, device=device).requires_grad_()
        objective, last["watched"] = value(at)
        last["x"] = x.copy()
        (slope,) = torch.autograd.grad(objective, at)
        return float(objective.detach()), slope.cpu().numpy()

    def look(intermediate_result: Any) -> None:
        nonlocal best, since
        if not np.array_equal(last["x"], intermediate_result.x):  # the search tried another point after this one
            both(intermediate_result.x)
        trace.append((float(intermediate_result.fun), float(last["watched"]) if watches else np.nan))
        since += 1
        if trace[-1][1] < best.score:
            best, since = Found(intermediate_result.x.copy(), trace[-1][1], ""), 0
        if watches and since >= options.patience:
            raise StopIteration

    found = minimize(
        both, v, jac=True, method="L-BFGS-B", bounds=bounds, callback=look,
        options={"maxiter": options.max_iterations, "maxfun": 3 * options.max_iterations, "maxcor": 20,
                 "ftol": 1e-8, "gtol": 1e-6},
    )  # fmt: skip
    reasons = {0: "tolerance", 1: "max_iterations", 2: "line search"}
    if not np.isfinite(best.score):
        best = Found(found.x, float(found.fun), "")
    history = pd.DataFrame(trace, columns=["objective", "validation"])
    history.insert(0, "iteration", np.arange(1, len(trace) + 1))
    return best._replace(stopped=reasons.get(found.status, "validation")), history


class _Objective:
    """Mean negative log likelihood and penalties, as a function of one vector."""

    def __init__(
        self, design: Design, y: torch.Tensor, options: EpistasisOptions, counts: torch.Tensor, watched: torch.Tensor
    ) -> None:
        self.design, self.y, self.options = design, y, options
        self.share = counts / counts.sum()
        self.n = float(counts.sum())
        self.watches = bool((watched > 0).any())
        self.watched = watched / watched.sum().clamp_min(1)
        self.fitted = (counts > 0).cpu().numpy()
        self.lasso = options.penalty == "lasso"
        self.k = options.hidden if options.nonlinear else 0
        self.n_weights = design.n_features * (2 if self.lasso else 1)
        self.n_curve = 1 + 3 * self.k if self.k else 2
        self.noise_shape = (len(NOISES[options.noise]), options.noise_order + 1)

    def split(self, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Weights, their absolute values, parameters of the curve, coefficients of noise."""
        weights, curve, noise = v.split([self.n_weights, self.n_curve, int(np.prod(self.noise_shape))])
        if not self.lasso:
            return weights, weights.abs(), curve, noise.reshape(self.noise_shape)
        up, down = weights.chunk(2)  # both at least 0: the sum is the absolute value, and is smooth
        return up - down, up + down, curve, noise.reshape(self.noise_shape)

    def latent(self, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Phenotypes standardised over the rows, the mean and the deviation that were taken out."""
        raw = self.design.times(weights)
        mean = (self.share * raw).sum()
        deviation = ((self.share * (raw - mean).square()).sum() + 1e-24).sqrt()
        return (raw - mean) / deviation, mean, deviation

    def bend(self, z: torch.Tensor, curve: torch.Tensor) -> torch.Tensor:
        if not self.k:
            return curve[0] + curve[1] * z
        b, c, d = curve[1:].chunk(3)
        return curve[0] + torch.tanh(torch.addcmul(d, z[:, None], c)) @ b

    def value(self, v: torch.Tensor) -> tuple[torch.Tensor, float]:
        """What is minimised, and the loss of watched rows."""
        weights, sizes, curve, noise = self.split(v)
        z, _, deviation = self.latent(weights)
        losses = log_likelihood_loss(self.options.noise, self.y, self.bend(z, curve), noise)
        small = sizes.sum() / deviation if self.lasso else (weights / deviation).square().sum()
        penalty = self.options.strength * small + self.options.eta * (curve @ curve + (noise * noise).sum())
        return self.share @ losses + penalty / self.n, float(self.watched @ losses.detach())

    def begin(self, weights: np.ndarray, random: np.random.RandomState) -> np.ndarray:
        """A line or a rough curve through the measurements, and noise as wide as what is left."""
        with torch.no_grad():
            z, _, deviation = self.latent(torch.as_tensor(weights, device=self.y.device))
        weights = weights / max(float(deviation), 1e-12)
        z_rows, y_rows = z.cpu().numpy()[self.fitted], self.y.cpu().numpy()[self.fitted].clip(-_FAR, _FAR)
        if self.k:
            curve, predicted = _rough_curve(z_rows, y_rows, self.k, random)
        else:
            slope = max(float(np.mean(z_rows * y_rows)), 1e-3)
            curve, predicted = np.array([0.0, slope]), slope * z_rows
        noise = np.zeros(self.noise_shape)
        noise[:, 0] = _first_noise(self.options.noise, y_rows - predicted)
        up_down = [np.maximum(weights, 0), np.maximum(-weights, 0)] if self.lasso else [weights]
        return np.concatenate([*up_down, curve, noise.ravel()])

    def bounds(self, n: int) -> np.ndarray:
        """Of every parameter: the curve never falls, and the parts of a lasso's weights are at least zero."""
        low = np.full(n, -np.inf)
        if self.lasso:
            low[: self.n_weights] = 0.0
        first = self.n_weights + 1
        low[first : first + (2 * self.k or 1)] = 0.0  # b and c, or the slope
        return np.stack([low, np.full(n, np.inf)], axis=1)

    def result(self, v: np.ndarray, stopped: str, history: pd.DataFrame) -> Epistasis:
        with torch.no_grad():
            weights, _, curve, noise = self.split(torch.as_tensor(v, device=self.y.device))
            _, mean, deviation = self.latent(weights)
        found = curve.cpu().numpy()
        if self.k:
            b, c, d = np.split(found[1:], 3)
            made = Curve(float(found[0]), 0.0, b, c, d)
        else:
            made = Curve(float(found[0]), float(found[1]))
        return Epistasis(
            -float(mean / deviation), weights / deviation, made, noise.cpu().numpy().copy(), stopped, history
        )


def _rough_curve(z: np.ndarray, y: np.ndarray, k: int, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Tangents at quantiles of the phenotype, as high as means of neighbours want them."""
    order = np.argsort(z, kind="stable")
    bins = np.array_split(order, min(200, max(2, len(z) // 5)))
    z_mean, y_mean = (np.array([one[rows].mean() for rows in bins if len(rows)]) for one in (z, y))
    centers = np.quantile(z, (np.arange(k) + random.uniform(0.25, 0.75, k)) / k)
    c = np.where(np.arange(k) % 2 == 0, 1.0, 0.4)  # steep and slow ones, so that a line is within reach
    d = -c * centers
    rises = np.tanh(np.outer(z_mean, c) + d)
    heights, _ = nnls(rises - rises.mean(axis=0), y_mean - y_mean.mean())
    b = heights + 0.1 / k  # none is stuck at its bound
    a = float((y_mean - rises @ b).mean())
    return np.concatenate([[a], b, c, d]), a + np.tanh(np.outer(z, c) + d) @ b


def _first_noise(kind: str, residual: np.ndarray) -> np.ndarray:
    width = max(float(residual.std()), 1e-3)
    if kind == "gaussian":
        return np.log([width])
    if kind == "cauchy":
        return np.log([max(float(np.median(np.abs(residual))), 1e-3)])
    return np.log([5.0, 5.0, 0.9 * width])  # ten degrees of freedom, no skew
