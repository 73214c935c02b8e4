"""A surrogate of measurements that come in bins: sorted cells, classes, counts before and after a selection.

The latent phenotype is that of any surrogate; what is measured is how often each bin was seen, and how the probability of a
bin depends on the phenotype is learned without saying how measurements are made (measurement process agnostic, MPA):
``p(bin | phi)`` is in proportion to ``exp(a + sum b tanh(c phi + d))``, with an a of each bin, and b, c and d of each bin and
hidden node.

In: sequences, bins or counts.  Out: `BinnedSurrogate`.  Source: Tareen et al. 2022 (MAVE-NN), whose regression "MPA" this is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem
from .gauge import Parameters, fix_parameters, gauge_probabilities
from .noise import Noise
from .surrogate import Surrogate, SurrogateMetrics
from .surrogate_design import Design, as_codes, pair_positions
from .surrogate_epistasis import Curve, EpistasisOptions, minimise
from .surrogate_information import Information
from .surrogate_linear import fit_ridge

__all__ = ["BinnedSurrogate", "fit_binned_surrogate"]

_WHERE = "fit_binned_surrogate"
_GAUGES = ("none", "hierarchical", "uniform", "empirical", "consensus")


@dataclass(frozen=True, eq=False)
class BinnedSurrogate:
    """A fitted surrogate of bins.

    Attributes
    ----------
    latent : Surrogate
        Of the phenotype: its effects, gauges and effects of variants; what it "predicts" is the phenotype itself, which
        rises with the bins.
    a : float64 array (Y,)
    b, c, d : float64 arrays (Y, K)
        Of the probabilities of bins.
    information : Information
        Between phenotype and bin, in bits, on rows that were held out (on all where none were): the entropy of bins less
        the mean negative log likelihood; a lower bound of what sequences say about bins.
    history : DataFrame
        A row an iteration.
    stopped : str
        By tolerance, validation, line search or max_iterations.
    """

    latent: Surrogate
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    d: np.ndarray
    information: Information
    history: pd.DataFrame
    stopped: str

    @property
    def n_bins(self) -> int:
        """How many there are."""
        return len(self.a)

    def phi(self, X: Any) -> np.ndarray:
        """Latent phenotype of N sequences (see `Surrogate.phi`)."""
        return self.latent.phi(X)

    def at(self, phi: Any) -> np.ndarray:
        """Probabilities of bins ``(N, Y)`` at latent phenotypes ``(N,)``."""
        logs = _log_probabilities(torch.as_tensor(np.asarray(phi, np.float64)), self._parts())
        return np.asarray(logs.exp())

    def predict(self, X: Any) -> np.ndarray:
        """Probabilities of bins ``(N, Y)`` for N sequences."""
        return self.at(self.phi(X))

    def measure(self, X: Any, y: Any) -> Information:
        """Bits that the phenotype gives about bins (N,), or counts (N, Y), of other sequences."""
        counts = _counts("BinnedSurrogate.measure", y, self.n_bins)
        phi = torch.as_tensor(self.phi(X))
        if len(counts) != len(phi):
            got, need = f"{len(counts)} rows", f"{len(phi)}, one a sequence"
            raise problem("BinnedSurrogate.measure", "y", got=got, need=need, do="pass the measurements of X")
        return _information(_log_probabilities(phi, self._parts()), torch.as_tensor(counts))

    def _parts(self) -> tuple[torch.Tensor, ...]:
        return tuple(torch.as_tensor(part) for part in (self.a, self.b, self.c, self.d))


def fit_binned_surrogate(
    X: Any,
    y: Any,
    *,
    n_bins: int | None = None,
    gpmap: str = "additive",
    reg_strength: float = 0.1,
    hidden_nodes: int = 10,
    gauge: str = "empirical",
    pairs: Any = None,
    max_distance: int | None = None,
    test: float = 0.2,
    validation: float = 0.2,
    max_iterations: int = 1000,
    random_state: int | None = 0,
    device: str = "cpu",
) -> BinnedSurrogate:
    """Fit a surrogate to a library that was measured in bins.

    Parameters
    ----------
    X : codes (N, L), one-hot (N, 4, L), or a library
    y : integers (N,) or counts (N, Y)
        The bin of each sequence, from 0; or how often each was seen in each bin.
    n_bins : int, optional
        Y; by default one more than the largest bin.
    gpmap, gauge, pairs, max_distance, test, validation, max_iterations, random_state, device
        As in `fit_surrogate`.
    reg_strength : float
        Of the sum of squared effects on a phenotype of deviation 1, against the summed negative log likelihood.
    hidden_nodes : int
        Hyperbolic tangents of each bin.

    Returns
    -------
    BinnedSurrogate

    Raises
    ------
    NbinterpError
        For sequences that are none, and measurements that are no bins or all in one.

    Examples
    --------
    >>> random = np.random.RandomState(0)
    >>> X, theta = random.randint(0, 4, (400, 5)), random.normal(size=(4, 5))
    >>> bins = np.digitize(theta[X, np.arange(5)].sum(axis=1), [-1, 0, 1])
    >>> surrogate = fit_binned_surrogate(X, bins)
    >>> surrogate.predict(X[:3]).shape, surrogate.information.bits > 1
    ((3, 4), True)
    """
    check_choice(_WHERE, "gpmap", gpmap, ("additive", "neighbour", "neighbor", "pairwise"))
    check_choice(_WHERE, "gauge", gauge, _GAUGES)
    codes, counts = as_codes(_WHERE, X), _counts(_WHERE, y, n_bins)
    if len(counts) != len(codes):
        got, need = f"{len(counts)} rows", f"{len(codes)}, one a sequence"
        raise problem(_WHERE, "y", got=got, need=need, do="pass the measurements of X")
    if ((counts.sum(0) > 0).sum()) < 2:
        raise problem(_WHERE, "y", got="one bin", need="at least 2 that were seen", do="choose other edges of bins")
    name = "neighbour" if gpmap == "neighbor" else gpmap
    positions = pair_positions(_WHERE, name, codes.shape[1], max_distance, pairs)
    train, held = _parted("test", np.arange(len(codes)), test, random_state)
    fitted, watched = _parted("validation", train, validation, random_state)
    options = EpistasisOptions(
        strength=reg_strength, hidden=hidden_nodes, max_iterations=max_iterations, random_state=random_state
    )
    some = np.sort(np.concatenate([fitted, watched]))
    design = Design(codes[some], positions, device)
    often = torch.as_tensor(counts[some] * np.isin(some, fitted)[:, None], device=device)
    objective = _Bins(design, torch.as_tensor(counts[some], device=device), often, options)
    begin = objective.begin()
    bounds = np.tile([-np.inf, np.inf], (len(begin), 1))
    found, history = minimise(objective.value, begin, bounds, design.codes.device, options, bool(len(watched)))
    intercept, weights, (a, b, c, d) = objective.result(found.x)
    seen = torch.stack([(codes[train] == letter).double().sum(dim=0) for letter in range(4)]).numpy()
    frequencies = seen / np.maximum(seen.sum(axis=0), 1)
    theta, pair = np.split(weights, [len(weights) - 16 * len(positions)])
    raw = Parameters(intercept, theta.reshape(-1, 4).T.copy(), positions, pair.reshape(-1, 4, 4).copy())
    if gauge != "none":
        raw = fix_parameters(raw, gauge_probabilities(gauge, codes.shape[1], observed=frequencies, where=_WHERE))
    latent = Surrogate(
        raw.intercept, raw.theta, positions, raw.pairs, Curve(slope=1.0), Noise("gaussian", np.zeros((1, 1))),
        frequencies, gauge, SurrogateMetrics.unknown(len(train))._replace(n_test=len(held)), history,
        {"gpmap": gpmap, "reg_strength": reg_strength, "hidden_nodes": hidden_nodes}, {"stopped": found.stopped},
    )  # fmt: skip
    nothing = Information(float("nan"), float("nan"))
    made = BinnedSurrogate(latent, a, b, c, d, nothing, history, found.stopped)
    rows = held if len(held) else train
    return replace(made, information=made.measure(codes[rows], counts[rows]))


def _counts(where: str, y: Any, n_bins: int | None) -> np.ndarray:
    """How often each sequence was seen in each bin, (N, Y) in float64."""
    values = numpy_of(y)
    need = "whole numbers of 0 or more: bins (N,), or counts (N, Y)"
    whole = values.dtype.kind in "iufb" and np.isfinite(values).all() and (values == np.floor(values)).all()
    if values.ndim not in (1, 2) or not values.size or not whole or values.min() < 0:
        got = f"{values.dtype} of shape {values.shape}" if whole else "other than whole numbers"
        raise problem(where, "y", got=got, need=need, do="cut measurements into bins, with np.digitize")
    if values.ndim == 2:
        if n_bins not in (None, values.shape[1]):
            got, need = f"{values.shape[1]} columns", f"{n_bins}, one a bin"
            raise problem(where, "y", got=got, need=need, do="pass counts of all bins")
        return values.astype(np.float64)
    if n_bins is not None and values.max() >= n_bins:
        got, need = f"bin {int(values.max())}", f"0 to {n_bins - 1}"
        raise problem(where, "y", got=got, need=need, do="number bins from 0")
    return np.eye(int(values.max()) + 1 if n_bins is None else n_bins)[values.astype(np.int64)]


def _parted(argument: str, rows: np.ndarray, share: float, random_state: int | None) -> tuple[np.ndarray, np.ndarray]:
    if not 0 <= share < 1:
        raise problem(_WHERE, argument, got=share, need="0 or more, below 1", do="pass for example 0.2")
    order = np.random.RandomState(random_state).permutation(rows)
    n_out = int(share * len(rows))
    return np.sort(order[n_out:]), np.sort(order[:n_out])


def _log_probabilities(phi: torch.Tensor, parts: tuple[torch.Tensor, ...]) -> torch.Tensor:
    a, b, c, d = parts
    return torch.log_softmax(a + (b * torch.tanh(c * phi[:, None, None] + d)).sum(-1), dim=1)


def _information(logs: torch.Tensor, counts: torch.Tensor) -> Information:
    """Entropy of bins less the mean negative log likelihood, in bits, and the standard error of the latter's mean."""
    n = counts.sum()
    share = counts.sum(0) / n
    before = torch.where(share > 0, share.clamp_min(1e-300).log(), 0.0)
    gain = torch.where(counts > 0, logs - before, 0.0) / np.log(2)
    mean = (counts * gain).sum() / n
    error = ((counts * (gain - mean).square()).sum() / n).sqrt() / n.sqrt()
    return Information(float(mean), float(error))


class _Bins:
    """Mean negative log likelihood of bins and penalties, as a function of one vector."""

    def __init__(self, design: Design, counts: torch.Tensor, often: torch.Tensor, options: EpistasisOptions) -> None:
        self.design, self.options = design, options
        self.n = float(often.sum())
        self.share, self.rows = often / self.n, often.sum(1) / self.n
        left = counts - often
        self.watched = left / left.sum().clamp_min(1)
        self.bins, self.k = counts.shape[1], options.hidden
        self.sizes = [design.n_features, self.bins, *[self.bins * self.k] * 3]

    def split(self, v: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        weights, a, *rest = v.split(self.sizes)
        return weights, (a, *(part.reshape(self.bins, self.k) for part in rest))

    def latent(self, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Phenotypes standardised over the rows that are fitted, the mean and the deviation that were taken out."""
        raw = self.design.times(weights)
        mean = (self.rows * raw).sum()
        deviation = ((self.rows * (raw - mean).square()).sum() + 1e-24).sqrt()
        return (raw - mean) / deviation, mean, deviation

    def value(self, v: torch.Tensor) -> tuple[torch.Tensor, float]:
        """What is minimised, and the loss of watched rows."""
        weights, parts = self.split(v)
        z, _, deviation = self.latent(weights)
        losses = -_log_probabilities(z, parts)
        size = self.options.eta * sum((part.square().sum() for part in parts), torch.zeros((), device=v.device))
        penalty = self.options.strength * (weights / deviation).square().sum() + size
        return (self.share * losses).sum() + penalty / self.n, float((self.watched * losses.detach()).sum())

    def begin(self) -> np.ndarray:
        """Effects on the mean bin, bins as frequent as they are, tangents along the phenotype."""
        often = self.share * self.n
        totals = often.sum(1)
        numbers = torch.arange(self.bins, dtype=often.dtype, device=often.device)
        mean = (often @ numbers) / totals.clamp_min(1)
        start = fit_ridge(self.design, mean, 1.0, totals)
        a = torch.log(often.sum(0) + 0.5).cpu().numpy()
        random = np.random.RandomState(self.options.random_state)
        shape = (self.bins, self.k)
        b = 0.1 * random.normal(size=shape)
        c = np.ones(shape)
        d = -np.linspace(-2, 2, self.k)[None] * c + 0.1 * random.normal(size=shape)
        return np.concatenate([start.weights.cpu().numpy(), a - a.mean(), b.ravel(), c.ravel(), d.ravel()])

    def result(self, v: np.ndarray) -> tuple[float, np.ndarray, tuple[np.ndarray, ...]]:
        """Intercept, weights, parts; turned round where the phenotype falls with the bins."""
        with torch.no_grad():
            weights, parts = self.split(torch.as_tensor(v, device=self.share.device))
            z, mean, deviation = self.latent(weights)
            numbers = torch.arange(self.bins, dtype=z.dtype, device=z.device)
            sign = (
                -1.0
                if float((self.share.sum(1) * z * (_log_probabilities(z, parts).exp() @ numbers)).sum()) < 0
                else 1.0
            )
        a, b, c, d = (part.cpu().numpy().copy() for part in parts)
        return -sign * float(mean / deviation), sign * (weights / deviation).cpu().numpy(), (a, b, sign * c, d)
