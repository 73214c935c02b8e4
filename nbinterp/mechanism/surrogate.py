"""A model simple enough to read, in place of a network around one sequence.

``y = g(phi) + noise``, where the latent phenotype phi adds an effect of each letter, and of pairs of letters where the surrogate
has them, and g is a line or one rising curve.

In: sequences.  Out: predictions, effects of variants, an attribution map, all in a gauge of choice.
Source: Seitz et al. 2024 (SQUID), Tareen et al. 2022 (MAVE-NN).  `fit_surrogate` makes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..core.arrays import numpy_of
from ..core.check import check_choice
from ..errors import problem
from .gauge import Parameters, fix_parameters, gauge_probabilities
from .noise import Noise
from .surrogate_design import Design, as_codes
from .surrogate_epistasis import Curve
from .surrogate_information import Information, mutual_information, variational_information

__all__ = ["Surrogate", "SurrogateMetrics"]

_BATCH = 4096
_LEAST = 18  # rows from which information is estimated


class SurrogateMetrics(NamedTuple):
    """How well a surrogate does on rows that it was not fitted to (on its own rows where none were held out).

    ``r2`` is the squared correlation of prediction and measurement (SQUID's), ``explained`` the share of variance explained,
    ``i_var`` and ``i_pred`` are variational and predictive information in bits (NaN below 18 rows).
    """

    r2: float
    explained: float
    i_var: Information
    i_pred: Information
    n_train: int
    n_test: int

    @classmethod
    def unknown(cls, n_train: int) -> SurrogateMetrics:
        """Nothing measured yet."""
        nothing = Information(float("nan"), float("nan"))
        return cls(float("nan"), float("nan"), nothing, nothing, n_train, 0)


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A fitted surrogate.

    Attributes
    ----------
    intercept : float
    theta : float64 array (4, L)
        Effect of each letter on the latent phenotype, in the gauge `gauge_name`.
    positions : int array (P, 2)
        Pairs of positions that interact, left first; none for an additive surrogate.
    pairs : float64 array (P, 4, 4)
        Effect of each pair of letters, the left position's letter first.
    curve : Curve
        From latent phenotype to prediction.
    noise : Noise
    frequencies : float64 array (4, L)
        How often each letter was seen in training; a letter never seen has no information.
    gauge_name : str
    metrics : SurrogateMetrics
    history : DataFrame
        A row an iteration; empty for closed forms.
    options : mapping
        Everything that `fit_surrogate` was told, by name.
    facts : mapping
        About the solution: ``solver``, ``strength``, ``gap`` (lasso), ``stopped`` (likelihood fits: by
        tolerance, validation, line search or max_iterations).
    """

    intercept: float
    theta: np.ndarray
    positions: np.ndarray
    pairs: np.ndarray
    curve: Curve
    noise: Noise
    frequencies: np.ndarray
    gauge_name: str
    metrics: SurrogateMetrics
    history: pd.DataFrame
    options: Mapping[str, Any]
    facts: Mapping[str, Any]

    def __repr__(self) -> str:
        parts = [f"{self.options.get('gpmap', 'additive')}, {self.length} positions"]
        parts += [f"{len(self.positions):,} pairs"] if len(self.positions) else []
        parts += [f"{self.options.get('linearity', 'linear')}, {self.noise.kind} noise, gauge {self.gauge_name}"]
        on = f"{self.metrics.n_test:,} held-out" if self.metrics.n_test else f"its own {self.metrics.n_train:,}"
        return f"Surrogate({', '.join(parts)}; r2 {self.metrics.r2:.3f} on {on} sequences)"

    @property
    def length(self) -> int:
        """Positions."""
        return int(self.theta.shape[1])

    def phi(self, X: Any) -> np.ndarray:
        """Latent phenotype of N sequences: codes ``(N, L)`` or one-hot ``(N, 4, L)``; an N adds nothing."""
        codes = as_codes("Surrogate.phi", X)
        if codes.shape[1] != self.length:
            got, need = f"sequences of length {codes.shape[1]}", f"length {self.length}"
            raise problem("Surrogate.phi", "X", got=got, need=need, do="cut them to the window of the library")
        weights = torch.as_tensor(np.concatenate([self.theta.T.ravel(), self.pairs.ravel()]))
        out = np.empty(len(codes))
        for start in range(0, len(codes), _BATCH):
            rows = codes[start : start + _BATCH]
            out[start : start + _BATCH] = Design(rows, self.positions, "cpu").times(weights).numpy()
        return out + self.intercept

    def predict(self, X: Any) -> np.ndarray:
        """Prediction for N sequences, in the units of the measurements: the mode of the noise."""
        return self.curve(self.phi(X))

    def interval(self, X: Any, level: float = 0.95) -> np.ndarray:
        """Bounds within which that share of measurements of each sequence falls: ``(N, 2)``."""
        if not 0 < level < 1:
            raise problem("Surrogate.interval", "level", got=level, need="between 0 and 1", do="pass for example 0.95")
        predicted = self.predict(X)
        return np.stack([self.noise.quantile(predicted, q) for q in ((1 - level) / 2, (1 + level) / 2)], axis=1)

    def measure(self, X: Any, y: Any, *, random_state: int | None = 0) -> SurrogateMetrics:
        """How well the surrogate predicts measurements ``y (N,)`` of other sequences."""
        phi, values = self.phi(X), np.asarray(y, np.float64).ravel()
        if len(values) != len(phi):
            got, need = f"{len(values)} values", f"{len(phi)}, one a sequence"
            raise problem("Surrogate.measure", "y", got=got, need=need, do="pass the measurements of X")
        found = SurrogateMetrics.unknown(self.metrics.n_train)._replace(n_test=len(values))
        predicted = self.curve(phi)
        total = float(((values - values.mean()) ** 2).sum())
        if total == 0:
            return found
        own = float(((predicted - predicted.mean()) ** 2).sum())
        together = float(((values - values.mean()) * (predicted - predicted.mean())).sum())
        explained = 1 - float(((values - predicted) ** 2).sum()) / total
        found = found._replace(r2=together**2 / (total * own) if own > 0 else 0.0, explained=explained)
        if len(values) < _LEAST:
            return found
        i_var = variational_information(values, self.noise.loss(values, predicted), random_state=random_state)
        return found._replace(i_var=i_var, i_pred=mutual_information(phi, values, random_state=random_state))

    def gauge(self, name: str, *, reference: Any = None, p: Any = None) -> Surrogate:
        """The same surrogate with its parameters in another gauge; predictions do not change.

        Parameters
        ----------
        name : str
            ``hierarchical``: letters alike; ``uniform``: letters seen in training alike; ``empirical``: as often as seen;
            ``consensus``: the letter most seen is zero; ``wild-type``: the letters of `reference` are zero; ``user``: the mean
            under `p` is zero.
        reference : one-hot (4, L), optional
        p : array (4, L), optional
        """
        chosen = gauge_probabilities(
            name, self.length, observed=self.frequencies, reference=reference, p=p, where="Surrogate.gauge"
        )
        fixed = fix_parameters(Parameters(self.intercept, self.theta, self.positions, self.pairs), chosen)
        return replace(self, intercept=fixed.intercept, theta=fixed.theta, pairs=fixed.pairs, gauge_name=name)

    def variant_effects(self, reference: Any, *, scale: str = "phi") -> np.ndarray:
        """Effect of every substitution in a sequence: ``(4, L)``, zero at its own letters.

        Parameters
        ----------
        reference : one-hot (4, L), (1, 4, L) or codes (L,)
        scale : str
            ``phi``, differences of latent phenotype (the wild-type gauge); ``y``, of predictions.
        """
        check_choice("Surrogate.variant_effects", "scale", scale, ("phi", "y"))
        codes = self._reference(reference)
        padded = np.pad(self.theta, ((0, 1), (0, 0)))
        change = self.theta - padded[codes, np.arange(self.length)]
        tables = np.pad(self.pairs, ((0, 0), (0, 1), (0, 1)))
        left, right = codes[self.positions[:, 0]], codes[self.positions[:, 1]]
        pair = np.arange(len(tables))
        own = tables[pair, left, right][:, None]
        np.add.at(change.T, self.positions[:, 0], tables[pair, :4, right] - own)
        np.add.at(change.T, self.positions[:, 1], tables[pair, left, :4] - own)
        if scale == "phi":
            return np.asarray(change)
        base = self.phi(codes[None])[0]
        return np.asarray(self.curve(base + change) - self.curve(base))

    def attribution_map(self, *, length: int | None = None, start: int = 0, unobserved: float = 0.0) -> np.ndarray:
        """Effects of letters in the present gauge, as a map ``(4, length)`` with zeros around the window (SQUID's logo).

        Parameters
        ----------
        length : int, optional
            Of the map; by default the surrogate's own.
        start : int
            Where the surrogate's first position stands in it.
        unobserved : float
            For letters never seen in training.
        """
        full = start + self.length if length is None else length
        if start < 0 or start + self.length > full:
            got, need = f"start {start}, length {full}", f"room for {self.length} positions"
            raise problem("Surrogate.attribution_map", "start", got=got, need=need, do="pass the window's start")
        out = np.zeros((4, full))
        out[:, start : start + self.length] = np.where(self.frequencies > 0, self.theta, unobserved)
        return out

    def pair_table(self, n: int | None = None) -> pd.DataFrame:
        """Pairs of letters by the size of their effect in the present gauge, the strongest first.

        Columns: start (the left position), end (just past the right one), letters (both, left first), effect.
        """
        effects = self.pairs.reshape(-1)
        order = np.argsort(-np.abs(effects), kind="stable")[:n]
        pair, letters = np.divmod(order, 16)
        names = np.array([left + right for left in "ACGT" for right in "ACGT"])
        columns = {"start": self.positions[pair, 0], "end": self.positions[pair, 1] + 1}
        return pd.DataFrame({**columns, "letters": names[letters], "effect": effects[order]})

    def _reference(self, reference: Any) -> np.ndarray:
        array = numpy_of(reference)
        batched = array[None] if array.shape in ((self.length,), (4, self.length)) else array
        codes = as_codes("Surrogate.variant_effects", batched)
        if codes.shape != (1, self.length):
            got, need = f"shape {array.shape}", f"one sequence, (4, {self.length})"
            raise problem("Surrogate.variant_effects", "reference", got=got, need=need, do="pass one sequence")
        return codes[0].numpy().astype(np.int64)
