"""How many bits a surrogate knows about a measurement.

Predictive information is the mutual information of latent phenotype and measurement, by nearest neighbours, whatever the noise
model says.  Variational information is what the noise model's likelihood vouches for: at most as much, but for errors of
estimation.

In: numbers, or negative log likelihoods.  Out: bits with a standard error.
Source: Kozachenko and Leonenko 1987; Kraskov et al. 2004; Tareen et al. 2022 (MAVE-NN, whose defaults these are).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma, ndtri
from scipy.stats import rankdata

from ..errors import problem

__all__ = ["Information", "entropy", "mutual_information", "variational_information"]


class Information(NamedTuple):
    """Bits, and their standard error."""

    bits: float
    error: float


def entropy(x: Any, *, k: int = 7, n_subsamples: int = 25, random_state: int | None = None) -> Information:
    """Differential entropy of N numbers, from the distance of each to its k-th neighbour.

    Parameters
    ----------
    x : array (N,)
        Ties make it minus infinity.
    k : int
    n_subsamples : int
        Halves of the data from which the error is estimated; 0 for none (NaN).
    random_state : int, optional

    Examples
    --------
    >>> x = np.random.RandomState(0).normal(size=2000)
    >>> bool(abs(entropy(x, random_state=0).bits - 0.5 * np.log2(2 * np.pi * np.e)) < 0.1)
    True
    """
    (values,) = _checked("entropy", k, n_subsamples, x=x)
    return _with_error(lambda rows: _entropy(values[rows], k), len(values), n_subsamples, random_state)


def mutual_information(
    x: Any,
    y: Any,
    *,
    k: int = 5,
    fuzz: float = 0.01,
    scores: bool = True,
    n_subsamples: int = 25,
    random_state: int | None = None,
) -> Information:
    """Mutual information of N pairs of numbers (Kraskov, Stoegbauer and Grassberger's first estimator).

    Parameters
    ----------
    x, y : arrays (N,)
    k : int
        Neighbours in the plane, under the largest of both distances.
    fuzz : float
        Width of Gaussian noise added to `x`, in (robust) standard deviations: it unties equal values, and bounds what can be known.
    scores : bool
        Replace both by normal scores of their ranks, which changes no information.  Without it the estimate depends on units
        and tails, as MAVE-NN's does on those of measurements.
    n_subsamples : int
        Halves of the data from which the error is estimated; 0 for none (NaN).
    random_state : int, optional
        Of the noise and the halves.

    Returns
    -------
    Information

    Examples
    --------
    >>> x, e = np.random.RandomState(0).normal(size=(2, 2000))
    >>> bool(abs(mutual_information(x, x + e, random_state=0).bits - 0.5) < 0.1)  # log2(1 + 1) / 2
    True
    """
    a, b = _checked("mutual_information", k, n_subsamples, x=x, y=y)
    a = _fuzzed(a, fuzz, random_state)
    if scores:
        a, b = (ndtri((rankdata(one) - 0.5) / len(one)) for one in (a, b))
    return _with_error(lambda rows: _mutual_information(a[rows], b[rows], k), len(a), n_subsamples, random_state)


def variational_information(
    y: Any, losses: Any, *, k: int = 7, fuzz: float = 0.01, n_subsamples: int = 25, random_state: int | None = None
) -> Information:
    """Entropy of measurements less their mean negative log likelihood.

    Parameters
    ----------
    y : array (N,)
        Measurements.
    losses : array (N,)
        Their negative log likelihoods in nats, in the units of `y`.
    k, fuzz, n_subsamples, random_state
        Of the entropy; `fuzz` unties measurements.

    Returns
    -------
    Information
        The error is that of the entropy and of the mean together.
    """
    values, nats = _checked("variational_information", k, n_subsamples, y=y, losses=losses)
    noise = np.random.RandomState(random_state).normal(size=len(values))
    of_y = entropy(
        values + fuzz * values.std(ddof=1) * noise, k=k, n_subsamples=n_subsamples, random_state=random_state
    )
    bits = nats / np.log(2)
    error = np.hypot(of_y.error, bits.std(ddof=1) / np.sqrt(len(bits)))
    return Information(float(of_y.bits - bits.mean()), float(error))


def _checked(where: str, k: int, n_subsamples: int, **arrays: Any) -> list[np.ndarray]:
    out = [np.asarray(a, np.float64).ravel() for a in arrays.values()]
    least = 2 * (k + 2) if n_subsamples else k + 2
    for name, values in zip(arrays, out, strict=True):
        if len(values) != len(out[0]) or len(values) < least:
            raise problem(
                where, name, got=f"{len(values)} values", need=f"as many as the others, at least {least}",
                do="measure more sequences, or lower k",
            )  # fmt: skip
        if not np.isfinite(values).all():
            raise problem(where, name, got="NaN or infinite values", need="finite values", do="drop these sequences")
    return out


def _fuzzed(values: np.ndarray, fuzz: float, random_state: int | None) -> np.ndarray:
    """With noise as wide as a share of the bulk: heavy tails have no deviation to speak of."""
    width, bulk = values.std(ddof=1), np.subtract(*np.quantile(values, (0.75, 0.25))) / 1.349
    return np.asarray(
        values + fuzz * (min(width, bulk) or width) * np.random.RandomState(random_state).normal(size=len(values))
    )


def _with_error(estimate: Callable[[Any], float], n: int, n_subsamples: int, random_state: int | None) -> Information:
    """The estimate, and the spread among halves of the data, as it would be of the whole."""
    whole = estimate(slice(None))
    if n_subsamples < 2:
        return Information(float(whole), float("nan"))
    random = np.random.RandomState(random_state)
    halves = [estimate(random.choice(n, n // 2, replace=False)) for _ in range(n_subsamples)]
    return Information(float(whole), float(np.std(halves, ddof=1) / np.sqrt(2)))


def _entropy(x: np.ndarray, k: int) -> float:
    ordered, n = np.sort(x), len(x)
    # the k-th neighbour on a line ends a window of k + 1 sorted values that has the point in it
    padded = np.concatenate([np.full(k, -np.inf), ordered, np.full(k, np.inf)])
    windows = [np.maximum(ordered - padded[s : s + n], padded[s + k : s + k + n] - ordered) for s in range(k + 1)]
    distance = np.minimum.reduce(windows)
    with np.errstate(divide="ignore"):
        nats = digamma(n) - digamma(k) + np.log(2) + np.log(distance).mean()
    return float(nats / np.log(2))


def _mutual_information(x: np.ndarray, y: np.ndarray, k: int) -> float:
    points = np.stack([x, y], axis=1)
    distance = cKDTree(points).query(points, k=[k + 1], p=np.inf)[0][:, 0] * (1 - 1e-10)  # strictly within
    near = sum(digamma(_within(one, distance)).mean() for one in (x, y))
    return float((digamma(k) + digamma(len(x)) - near) / np.log(2))


def _within(x: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """How many values are at most so far from each, itself included."""
    ordered = np.sort(x)
    found = np.searchsorted(ordered, x + distance, side="right") - np.searchsorted(ordered, x - distance, side="left")
    return np.asarray(np.maximum(found, 1))
