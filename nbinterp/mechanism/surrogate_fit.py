"""Fitting a surrogate to a library: from sequences and predictions to a `Surrogate` with its measures.

Linear surrogates with Gaussian noise are solved exactly; a curve, or other noise, is fitted by likelihood from that start.

In: sequences, measurements.  Out: `Surrogate`.  Source: Seitz et al. 2024 (SQUID), whose names and defaults these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem
from .gauge import GAUGES, Parameters, fix_parameters, gauge_probabilities
from .noise import Noise
from .surrogate import Surrogate, SurrogateMetrics
from .surrogate_design import Design, as_codes, pair_positions
from .surrogate_epistasis import Curve, EpistasisOptions, fit_epistasis
from .surrogate_lime import fit_lime
from .surrogate_linear import Linear, fit_lasso, fit_ridge, fit_ridge_cv

__all__ = ["Fitted", "Plan", "distinct", "fit_rows", "fit_surrogate", "plan_fit"]

_NOISES = {"Gaussian": "gaussian", "Cauchy": "cauchy", "SkewedT": "skewed_t"}
_GPMAPS = ("additive", "neighbour", "neighbor", "pairwise")


class Plan(NamedTuple):
    """What is to be fitted, checked."""

    positions: np.ndarray
    exact: bool
    strength: float | tuple[float, ...]
    n_effects: int
    options: EpistasisOptions
    validation: float
    device: str


class Fitted(NamedTuple):
    """What was fitted: ``phi = intercept + columns . weights``, the curve, the noise."""

    intercept: float
    weights: torch.Tensor
    curve: Curve
    noise: Noise
    history: pd.DataFrame
    facts: dict[str, Any]

    def parameters(self, positions: np.ndarray) -> Parameters:
        """In the shapes of a `Surrogate`."""
        flat = self.weights.cpu().numpy()
        theta, pairs = np.split(flat, [len(flat) - 16 * len(positions)])
        return Parameters(self.intercept, theta.reshape(-1, 4).T.copy(), positions, pairs.reshape(-1, 4, 4).copy())


def fit_surrogate(
    X: Any,
    y: Any,
    *,
    gpmap: str = "additive",
    linearity: str = "nonlinear",
    noise: str | None = None,
    noise_order: int | None = None,
    penalty: str = "ridge",
    reg_strength: float | Sequence[float] = 0.1,
    n_effects: int = 20,
    hidden_nodes: int = 50,
    gauge: str = "empirical",
    pairs: Any = None,
    max_distance: int | None = None,
    test: float = 0.2,
    validation: float = 0.2,
    deduplicate: bool = True,
    n_starts: int = 1,
    max_iterations: int = 1000,
    random_state: int | None = 0,
    device: str = "cpu",
) -> Surrogate:
    """Fit a surrogate to a library of sequences and their predictions.

    Parameters
    ----------
    X : codes (N, L), one-hot (N, 4, L), or a library
        One-hot ``(N, L, 4)`` is taken too.  An N adds nothing.
    y : array (N,) or (N, 1)
        Predictions or measurements.
    gpmap : str
        ``additive``; ``neighbour``, with pairs of adjacent positions; ``pairwise``, with all pairs.
    linearity : str
        ``nonlinear``, with a rising curve (global epistasis); ``linear``.
    noise : str, optional
        ``Gaussian``, ``Cauchy`` or ``SkewedT``; by default SkewedT with a curve and Gaussian without.
    noise_order : int, optional
        Degree of the polynomials by which noise depends on the prediction; 2 with a curve, 0 without.
    penalty : str
        ``ridge`` or ``lasso``, on effects of letters and pairs.  A closed form has a lasso's zeros exactly; a likelihood has those
        that it reached before it stopped.  ``lime``, of linear surrogates: the first `n_effects` letters of the lasso's path,
        fitted again without a penalty (``gauge="none"`` keeps the others at 0).
    reg_strength : float or several
        A closed form has scikit-learn's alpha; several are compared by five-fold cross-validation (ridge).  With a likelihood
        it multiplies the sum of squares (absolute values) of effects on a phenotype of deviation 1, against the summed
        negative log likelihood.
    n_effects : int
        Effects that ``lime`` keeps; SQUID's ``k``.
    hidden_nodes : int
        Hyperbolic tangents in the curve.
    gauge : str
        Of the parameters that are given; the penalty does not know it.
    pairs : int array (P, 2), optional
        The pairs of positions to have, instead of those of `gpmap`.
    max_distance : int, optional
        Farthest positions that a pairwise surrogate pairs.
    test : float
        Share of rows held out, on which metrics are measured; 0 for none.
    validation : float
        Share of the other rows that decides when a likelihood fit stops (25 iterations after the best); 0 for none.  Closed
        forms fit them too.
    deduplicate : bool
        Rows of one sequence and one measurement count once.
    n_starts : int
        Starts of the likelihood; the one that predicts validation rows best wins (without any, the best objective).
    max_iterations : int
        Of each start.
    random_state : int, optional
        Of the split, the curve's start, and errors of information.
    device : str
        Where products are computed.

    Returns
    -------
    Surrogate

    Raises
    ------
    NbinterpError
        Sequences that are none, measurements that are constant or not finite, options that do not go together.

    Notes
    -----
    SQUID's `reg_strength` does not reach an additive or pairwise MAVE-NN model (1.1.4 uses its own 0.01); here it counts.
    SQUID drops duplicates from a table alone, not from linear fits; here they are dropped.  MAVE-NN standardises the phenotype
    by 1,000 random rows; here all training rows are taken, so that a seed is not needed.

    Examples
    --------
    >>> random = np.random.RandomState(0)
    >>> X, theta = random.randint(0, 4, (300, 6)), random.normal(size=(4, 6))
    >>> y = theta[X, np.arange(6)].sum(axis=1)
    >>> surrogate = fit_surrogate(X, y, linearity="linear", reg_strength=1e-6)
    >>> surrogate.metrics.r2 > 0.999
    True
    >>> effects = surrogate.variant_effects(X[0])
    >>> bool(np.abs(effects - (theta - theta[X[0], np.arange(6)])).max() < 1e-4)
    True
    """
    told = {name: value for name, value in locals().items() if name not in ("X", "y")}
    plan, codes, values = plan_fit(X, y, told)
    if deduplicate:
        codes, values = distinct(codes, values)
    train, held = _split("test", len(values), test, random_state)
    fitted = fit_rows(codes[train], values[train], plan)
    counts = torch.stack([(codes[train] == c).double().sum(dim=0) for c in range(4)]).numpy()
    frequencies = counts / np.maximum(counts.sum(axis=0), 1)
    raw = fitted.parameters(plan.positions)
    if gauge != "none":
        raw = fix_parameters(
            raw, gauge_probabilities(gauge, codes.shape[1], observed=frequencies, where="fit_surrogate")
        )
    made = Surrogate(
        raw.intercept, raw.theta, plan.positions, raw.pairs, fitted.curve, fitted.noise, frequencies, gauge,
        SurrogateMetrics.unknown(len(train)), fitted.history, told, fitted.facts,
    )  # fmt: skip
    rows = held if len(held) else train
    metrics = made.measure(codes[rows], values[rows], random_state=random_state)
    return replace(made, metrics=metrics._replace(n_test=len(held)))


def plan_fit(X: Any, y: Any, told: dict[str, Any]) -> tuple[Plan, torch.Tensor, np.ndarray]:
    """Check what `fit_surrogate` was told; give the plan, codes and measurements."""
    where = "fit_surrogate"
    choices = {"gpmap": _GPMAPS, "linearity": ("linear", "nonlinear"), "penalty": ("ridge", "lasso", "lime")}
    for argument, known in (*choices.items(), ("gauge", tuple(g for g in GAUGES if g not in ("wild-type", "user")))):
        check_choice(where, argument, told[argument], known)
    nonlinear = told["linearity"] == "nonlinear"
    noise = told["noise"] or ("SkewedT" if nonlinear else "Gaussian")
    check_choice(where, "noise", noise, _NOISES)
    order = told["noise_order"] if told["noise_order"] is not None else 2 * nonlinear
    for argument, value, least in (
        ("noise_order", order, 0), ("hidden_nodes", told["hidden_nodes"], 1), ("n_starts", told["n_starts"], 1),
        ("max_iterations", told["max_iterations"], 1), ("n_effects", told["n_effects"], 1),
    ):  # fmt: skip
        if not isinstance(value, (int, np.integer)) or value < least:
            raise problem(where, argument, got=repr(value), need=f"an integer of at least {least}", do="correct it")
    codes = as_codes(where, X)
    values = _measurements(where, y, len(codes))
    exact = not nonlinear and noise == "Gaussian" and order == 0
    if told["penalty"] == "lime" and not exact:
        got, need = f"'lime' with linearity={told['linearity']!r}", "a linear surrogate with Gaussian noise of order 0"
        raise problem(where, "penalty", got=got, need=need, do="pass linearity='linear', or penalty='lasso'")
    several = np.ndim(told["reg_strength"]) > 0
    strengths = np.atleast_1d(np.asarray(told["reg_strength"], np.float64))
    if not len(strengths) or not np.isfinite(strengths).all() or (strengths < 0).any():
        raise problem(where, "reg_strength", got=told["reg_strength"], need="0 or more", do="pass for example 0.1")
    if several and not (exact and told["penalty"] == "ridge"):
        need = "one strength, but for a linear ridge with Gaussian noise"
        raise problem(where, "reg_strength", got=f"{len(strengths)} strengths", need=need, do="choose one")
    name = "neighbour" if told["gpmap"] == "neighbor" else told["gpmap"]
    positions = pair_positions(where, name, codes.shape[1], told["max_distance"], told["pairs"])
    options = EpistasisOptions(
        nonlinear=nonlinear, noise=_NOISES[noise], noise_order=int(order), penalty=told["penalty"],
        strength=float(strengths[0]), hidden=told["hidden_nodes"], n_starts=told["n_starts"],
        max_iterations=told["max_iterations"], random_state=told["random_state"],
    )  # fmt: skip
    strength = tuple(strengths.tolist()) if several else float(strengths[0])
    return (
        Plan(positions, exact, strength, told["n_effects"], options, told["validation"], told["device"]),
        codes,
        values,
    )


def _measurements(where: str, y: Any, n: int) -> np.ndarray:
    values = numpy_of(y, np.float64)
    if values.shape not in ((n,), (n, 1)):
        need = f"shape ({n},), one number a sequence"
        raise problem(where, "y", got=f"shape {values.shape}", need=need, do="choose one task of the model")
    values = values.ravel()
    if not np.isfinite(values).all():
        raise problem(where, "y", got="NaN or infinite values", need="finite values", do="drop these sequences")
    if n < 4 or np.ptp(values) == 0:
        got = f"{n} sequences" if n < 4 else "one value for every sequence"
        raise problem(where, "y", got=got, need="at least 4 sequences whose values differ", do="make a larger library")
    return values


def distinct(codes: torch.Tensor, values: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
    """The first of each sequence with each measurement, in order."""
    rows = np.concatenate([codes.numpy(), values[:, None].view(np.uint8)], axis=1)
    _, first = np.unique(np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").ravel(), return_index=True)
    first.sort()
    return codes[torch.as_tensor(first)], values[first]


def _split(argument: str, n: int, share: float, random_state: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows that stay, and rows that are taken out."""
    if not 0 <= share < 1:
        raise problem("fit_surrogate", argument, got=share, need="0 or more, below 1", do="pass for example 0.2")
    order = np.random.RandomState(random_state).permutation(n)
    n_out = int(share * n)
    return np.sort(order[n_out:]), np.sort(order[:n_out])


def fit_rows(codes: torch.Tensor, values: np.ndarray, plan: Plan, counts: np.ndarray | None = None) -> Fitted:
    """Fit a plan to rows, each counted `counts` times; rows that count 0 times (else a share) decide when to stop."""
    design = Design(codes, plan.positions, plan.device)
    y = torch.as_tensor(values, device=plan.device)
    if plan.exact:
        return _exact(design, y, plan, None if counts is None else torch.as_tensor(counts, device=plan.device))
    if counts is None:
        fitted, _ = _split("validation", len(values), plan.validation, plan.options.random_state)
        counts = np.bincount(fitted, minlength=len(values)).astype(np.float64)
    often, watched = (torch.as_tensor(one, device=plan.device) for one in (counts, (counts == 0) * 1.0))
    center, scale = _center_scale(np.repeat(values, counts.astype(int)), plan.options.noise)
    standard = (y - center) / scale
    start = fit_ridge(design, standard.clamp(-4, 4), max(plan.options.strength, 1.0), often)
    found = fit_epistasis(design, standard, start.weights, plan.options, often, watched)
    curve = Curve(found.curve.a, found.curve.slope, found.curve.b, found.curve.c, found.curve.d, center, scale)
    noise = Noise(plan.options.noise, found.noise, center, scale)
    facts = {"solver": "L-BFGS", "strength": plan.options.strength, "stopped": found.stopped}
    return Fitted(found.intercept, found.weights, curve, noise, found.history, facts)


def _center_scale(values: np.ndarray, noise: str) -> tuple[float, float]:
    """Mean and deviation; median and quartiles where noise may have heavy tails, which have no deviation."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    if noise == "gaussian" or high == low:
        return float(values.mean()), max(float(values.std()), 1e-12)
    return float(middle), float(high - low) / 1.349


def _exact(design: Design, y: torch.Tensor, plan: Plan, counts: torch.Tensor | None) -> Fitted:
    if plan.options.penalty == "lime":
        linear = fit_lime(design, y, plan.n_effects, counts)
    elif plan.options.penalty == "lasso":
        linear = fit_lasso(design, y, plan.options.strength, counts)
    elif isinstance(plan.strength, tuple) and counts is None:
        linear = fit_ridge_cv(design, y, plan.strength, random_state=plan.options.random_state)
    else:
        strength = plan.strength[0] if isinstance(plan.strength, tuple) else plan.strength
        linear = fit_ridge(design, y, strength, counts)
    width = _residual_width(linear, design, y, counts)
    history = pd.DataFrame({"start": [], "iteration": [], "objective": []})
    noise = Noise("gaussian", np.log([[max(width, 1e-12)]]))
    return Fitted(linear.intercept, linear.weights, Curve(slope=1.0), noise, history, dict(linear.facts))


def _residual_width(linear: Linear, design: Design, y: torch.Tensor, counts: torch.Tensor | None) -> float:
    square = (y - linear.intercept - design.times(linear.weights)).square()
    return float((square.mean() if counts is None else (counts * square).sum() / counts.sum()).sqrt())
