"""How far a surrogate's parameters would move with another library of the same size.

Rows are drawn again with replacement, and the same fit is made of each draw.

In: a surrogate, the library it was fitted to.  Out: parameters of every draw, standard errors, intervals.
Source: Efron 1979.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import problem
from .gauge import Parameters, fix_parameters, gauge_probabilities
from .surrogate import Surrogate
from .surrogate_fit import distinct, fit_rows, plan_fit

__all__ = ["SurrogateBootstrap", "bootstrap_surrogate"]


@dataclass(frozen=True, eq=False)
class SurrogateBootstrap:
    """Parameters of B fits to draws of a library.

    Attributes
    ----------
    intercept : float64 array (B,)
    theta : float64 array (B, 4, L)
    positions : int array (P, 2)
    pairs : float64 array (B, P, 4, 4)
    frequencies : float64 array (4, L)
        Of letters in the surrogate's training rows, for gauges.
    gauge_name : str
    """

    intercept: np.ndarray
    theta: np.ndarray
    positions: np.ndarray
    pairs: np.ndarray
    frequencies: np.ndarray
    gauge_name: str

    def gauge(self, name: str, *, reference: Any = None, p: Any = None) -> SurrogateBootstrap:
        """Every draw in another gauge; see `Surrogate.gauge`.  In the wild-type gauge `theta` are effects of variants."""
        length = self.theta.shape[2]
        where = "SurrogateBootstrap.gauge"
        chosen = gauge_probabilities(name, length, observed=self.frequencies, reference=reference, p=p, where=where)
        return _of([fix_parameters(one, chosen) for one in self._draws()], self.frequencies, name)

    def standard_error(self) -> np.ndarray:
        """Of effects of letters: ``(4, L)``."""
        return np.asarray(self.theta.std(axis=0, ddof=1))

    def interval(self, level: float = 0.95) -> np.ndarray:
        """Bounds of effects of letters, by percentiles: ``(2, 4, L)``."""
        return np.asarray(np.quantile(self.theta, _levels("SurrogateBootstrap.interval", level), axis=0))

    def pair_interval(self, level: float = 0.95) -> np.ndarray:
        """Bounds of effects of pairs, by percentiles: ``(2, P, 4, 4)``."""
        return np.asarray(np.quantile(self.pairs, _levels("SurrogateBootstrap.pair_interval", level), axis=0))

    def _draws(self) -> list[Parameters]:
        return [
            Parameters(float(i), theta, self.positions, pairs)
            for i, theta, pairs in zip(self.intercept, self.theta, self.pairs, strict=True)
        ]


def _levels(where: str, level: float) -> list[float]:
    if not 0 < level < 1:
        raise problem(where, "level", got=level, need="between 0 and 1", do="pass for example 0.95")
    return [(1 - level) / 2, (1 + level) / 2]


def _of(draws: list[Parameters], frequencies: np.ndarray, name: str) -> SurrogateBootstrap:
    intercept = np.array([one.intercept for one in draws])
    theta, pairs = np.stack([one.theta for one in draws]), np.stack([one.pairs for one in draws])
    return SurrogateBootstrap(intercept, theta, draws[0].positions, pairs, frequencies, name)


def bootstrap_surrogate(
    surrogate: Surrogate, X: Any, y: Any, *, n: int = 20, random_state: int | None = 0
) -> SurrogateBootstrap:
    """Fit a surrogate again to draws of its library.

    Parameters
    ----------
    surrogate : Surrogate
        Its options are used again; a strength that was chosen by cross-validation is kept.
    X, y
        The library, as `fit_surrogate` takes it.  All its rows are drawn from, those held out for metrics too.
    n : int
        Draws, at least 2.
    random_state : int, optional
        Of the draws; each has its own stream, so that the first draws do not depend on `n`.

    Returns
    -------
    SurrogateBootstrap
        In the surrogate's gauge where letters seen in training name it, else in ``empirical``; others by `.gauge`.

    Examples
    --------
    >>> from nbinterp.mechanism.surrogate_fit import fit_surrogate
    >>> random = np.random.RandomState(0)
    >>> X = random.randint(0, 4, (200, 3))
    >>> y = (X[:, 0] == 1) + random.normal(size=200)
    >>> surrogate = fit_surrogate(X, y, linearity="linear")
    >>> draws = bootstrap_surrogate(surrogate, X, y, n=20)
    >>> low, high = draws.interval()
    >>> bool(low[1, 0] > 0), bool(low[1, 1] < 0 < high[1, 1])
    (True, True)
    """
    where = "bootstrap_surrogate"
    if not isinstance(n, (int, np.integer)) or n < 2:
        raise problem(where, "n", got=repr(n), need="an integer of at least 2", do="raise it")
    plan, codes, values = plan_fit(X, y, dict(surrogate.options))
    if surrogate.options["deduplicate"]:
        codes, values = distinct(codes, values)
    if codes.shape[1] != surrogate.length:
        got = f"sequences of length {codes.shape[1]}"
        raise problem(where, "X", got=got, need=f"length {surrogate.length}", do="pass the library it was fitted to")
    if isinstance(plan.strength, tuple):
        plan = plan._replace(strength=float(surrogate.facts["strength"]))
    empirical = gauge_probabilities("empirical", surrogate.length, observed=surrogate.frequencies, where=where)
    draws = []
    for seed in np.random.RandomState(random_state).randint(0, 2**31 - 1, size=n):
        counts = np.bincount(np.random.RandomState(seed).randint(0, len(values), len(values)), minlength=len(values))
        fitted = fit_rows(codes, values, plan, counts.astype(np.float64))
        draws.append(fix_parameters(fitted.parameters(plan.positions), empirical))
    made = _of(draws, surrogate.frequencies, "empirical")
    if surrogate.gauge_name in ("hierarchical", "uniform", "consensus"):
        return made.gauge(surrogate.gauge_name)
    return made
