"""Which of the many parameters that mean the same model is shown.

A constant can be moved from a position's four parameters to the intercept, and from a pair to its positions, without changing
any prediction.  A gauge is one choice, named by letter probabilities: under them every position's effects, and every pair's
on either side, average to zero, so that an effect is a difference from that mixture.  Wild-type probabilities make each
parameter the effect of one substitution.

In: parameters, probabilities ``(4, L)``.  Out: parameters of the same predictions.  Source: Tareen et al. 2022 (MAVE-NN),
Posfai et al. 2025.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem

__all__ = ["GAUGES", "Parameters", "fix_gauge", "fix_parameters", "gauge_probabilities"]

GAUGES = ("none", "hierarchical", "uniform", "empirical", "consensus", "wild-type", "user")


class Parameters(NamedTuple):
    """An intercept, effects of letters ``(4, L)``, and of pairs ``(P, 4, 4)`` at ``positions (P, 2)``, left letter first."""

    intercept: float
    theta: np.ndarray
    positions: np.ndarray
    pairs: np.ndarray


def fix_gauge(
    theta: Any, gauge: str = "hierarchical", *, reference: Any = None, mut_rate: float = 0.1, p: Any = None
) -> np.ndarray:
    """Move each position of additive parameters, or of attribution maps, to a gauge (SQUID's function of the name).

    Parameters
    ----------
    theta : array (..., 4, L)
        Parameters or maps.
    gauge : str
        ``none``; ``hierarchical``, the mean of a position is zero; ``wild-type``, the reference's letter is zero (SQUID's
        ``wildtype``); ``empirical``, the mean of the library is zero: the reference's letter with probability
        ``1 - mut_rate``, the others alike; ``user``, the mean under `p`.
    reference : array (4, L), optional
        One-hot; a zero column (N) takes part with equal probabilities.
    mut_rate : float
        Of the library, for ``empirical``.
    p : array (4, L), optional
        For ``user``; each position is normalised.

    Returns
    -------
    array of the shape and dtype of `theta`

    Raises
    ------
    NbinterpError
        An unknown gauge (SQUID gives the input back silently), or one whose probabilities are not there.

    Examples
    --------
    >>> theta = np.array([[1.0], [2.0], [3.0], [6.0]])
    >>> fix_gauge(theta).ravel().tolist()
    [-2.0, -1.0, 0.0, 3.0]
    >>> fix_gauge(theta, "wild-type", reference=[[0], [1], [0], [0]]).ravel().tolist()
    [-1.0, 0.0, 1.0, 4.0]
    """
    where = "fix_gauge"
    values = np.asarray(theta)
    if values.ndim < 2 or values.shape[-2] != 4:
        raise problem(
            where, "theta", got=f"shape {values.shape}", need="shape (..., 4, L)", do="transpose maps of (..., L, 4)"
        )
    check_choice(where, "gauge", gauge, ("none", "hierarchical", "wild-type", "empirical", "user"))
    if gauge == "none":
        return values.copy()
    if not 0 <= mut_rate <= 1:
        raise problem(where, "mut_rate", got=mut_rate, need="between 0 and 1", do="pass the library's rate")
    observed = None
    if gauge == "empirical":
        wild = _wild_type(where, reference, values.shape[-1])
        observed = np.where(wild == 0.25, 0.25, np.where(wild == 1, 1 - mut_rate, mut_rate / 3))
    probabilities = gauge_probabilities(
        gauge, values.shape[-1], observed=observed, reference=reference, p=p, where=where
    )
    out = values - (values * probabilities).sum(axis=-2, keepdims=True)
    return np.asarray(out, values.dtype if np.issubdtype(values.dtype, np.floating) else np.float64)


def gauge_probabilities(
    gauge: str,
    length: int,
    *,
    observed: np.ndarray | None = None,
    reference: Any = None,
    p: Any = None,
    where: str = "gauge_probabilities",
) -> np.ndarray:
    """Probabilities ``(4, L)`` that name a gauge.

    ``hierarchical`` is 1/4 everywhere; ``uniform`` alike over the letters seen in training (MAVE-NN's); ``empirical`` as
    often as seen; ``consensus`` the letter most seen; ``wild-type`` the reference's; ``user`` what is given.

    Parameters
    ----------
    gauge : str
    length : int
    observed : array (4, L), optional
        Frequencies of letters in training.
    reference : array (4, L), optional
        One-hot.
    p : array (4, L), optional
        At least zero; each position is normalised.
    where : str
        Who asks, for messages.

    Returns
    -------
    array (4, L)

    Examples
    --------
    >>> gauge_probabilities("consensus", 1, observed=np.array([[0.2], [0.5], [0.3], [0.0]])).ravel().tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    check_choice(where, "gauge", gauge, GAUGES[1:])
    if gauge == "hierarchical":
        return np.full((4, length), 0.25)
    if gauge == "wild-type":
        return _wild_type(where, reference, length)
    if gauge == "user":
        return _normalised(where, "p", p, length)
    if observed is None:
        raise problem(
            where, "gauge", got=repr(gauge), need="letters seen in training", do="use 'hierarchical', or 'user' with p"
        )
    seen = np.asarray(observed, np.float64)
    if gauge == "uniform":
        seen = (seen > 0).astype(np.float64)
    elif gauge == "consensus":
        seen = (np.arange(4)[:, None] == seen.argmax(axis=0)) * (seen.sum(axis=0) > 0).astype(np.float64)
    total = seen.sum(axis=0)
    return np.where(total > 0, seen / np.where(total > 0, total, 1), 0.25)


def _wild_type(where: str, reference: Any, length: int) -> np.ndarray:
    """One-hot, with 1/4 at an N."""
    if reference is None:
        raise problem(where, "reference", got="None", need=f"one-hot of shape (4, {length})", do="pass the wild type")
    wild = _array(where, "reference", reference, length)
    total = wild.sum(axis=0)
    if not np.isin(wild, (0, 1)).all() or (total > 1).any():
        raise problem(where, "reference", got="no one-hot", need="one base at each position", do="use one_hot_encode")
    return np.where(total > 0, wild, 0.25)


def _normalised(where: str, argument: str, p: Any, length: int) -> np.ndarray:
    values = _array(where, argument, p, length)
    total = values.sum(axis=0)
    if not np.isfinite(values).all() or (values < 0).any() or (total <= 0).any():
        raise problem(
            where, argument, got="entries that are no probabilities", need="at least zero, some above in each position",
            do="pass frequencies of letters",
        )  # fmt: skip
    return np.asarray(values / total)


def _array(where: str, argument: str, value: Any, length: int) -> np.ndarray:
    out = numpy_of(value, np.float64) if value is not None else np.zeros(0)
    if out.shape == (1, 4, length):
        out = out[0]
    if out.shape != (4, length):
        raise problem(
            where, argument, got=f"shape {out.shape}" if value is not None else "None", need=f"shape (4, {length})",
            do="pass one column a position",
        )  # fmt: skip
    return out


def fix_parameters(parameters: Parameters, p: np.ndarray) -> Parameters:
    """Move an intercept, effects and pairs to the gauge of probabilities ``p (4, L)``.

    Pairs are centred on both letters; what they lose goes to their positions, and what those lose to the intercept, so that
    every sequence of known bases keeps its value.

    Examples
    --------
    >>> old = Parameters(0.0, np.zeros((4, 2)), np.array([[0, 1]]), np.ones((1, 4, 4)))
    >>> new = fix_parameters(old, np.full((4, 2), 0.25))
    >>> new.intercept, float(abs(new.theta).max()), float(abs(new.pairs).max())
    (1.0, 0.0, 0.0)
    """
    intercept, theta, positions, pairs = parameters
    left, right = p.T[positions[:, 0]], p.T[positions[:, 1]]  # (P, 4)
    over_left = np.einsum("pcd,pc->pd", pairs, left)
    over_right = np.einsum("pcd,pd->pc", pairs, right)
    over_both = np.einsum("pc,pc->p", over_right, left)
    fixed = pairs - over_left[:, None] - over_right[:, :, None] + over_both[:, None, None]
    moved = theta.T.copy()
    np.add.at(moved, positions[:, 0], over_right - over_both[:, None])
    np.add.at(moved, positions[:, 1], over_left - over_both[:, None])
    means = np.einsum("lc,cl->l", moved, p)
    total = float(intercept + means.sum() + over_both.sum())
    return Parameters(total, (moved - means[:, None]).T.copy(), positions, fixed)
