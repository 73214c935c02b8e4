"""What the surrogate report computes: fits that are judged by sequences they never saw, and what each variant does.

In: a library with its activities, and what was asked.  Out: `Judged` fits, and tables.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ..errors import NbinterpWarning, problem
from .parameters.surrogate import SurrogateParameters

if TYPE_CHECKING:
    from ..mechanism import Library, Surrogate, SurrogateBootstrap, SurrogateMetrics

__all__ = [
    "Judged",
    "draw_again",
    "fit_and_judge",
    "judged_table",
    "pair_strengths",
    "split_sequences",
    "variant_table",
]

_STRENGTHS: Final = (1000.0, 100.0, 10.0, 1.0, 0.1)


@dataclass(frozen=True)
class Judged:
    """A surrogate that was fitted to some sequences, and what others say of it.

    Attributes
    ----------
    name : str
    surrogate : Surrogate
    metrics : SurrogateMetrics
        On the held-out sequences.
    predicted : float64 array
        Of the held-out sequences, in order.
    finished : bool
        Whether the fit stopped by itself.
    """

    name: str
    surrogate: Surrogate
    metrics: SurrogateMetrics
    predicted: np.ndarray
    finished: bool

    @property
    def n_parameters(self) -> int:
        """Effects of letters and pairs that a gauge leaves free: three a position that varies, nine a pair."""
        return 1 + 3 * int(((self.surrogate.frequencies > 0).sum(axis=0) > 1).sum()) + 9 * len(self.surrogate.positions)


def split_sequences(library: Library, part: float, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit, and rows held out: all copies of a sequence are in one of the two.

    Examples
    --------
    >>> from nbinterp.mechanism.library import library_of
    >>> rows, held = split_sequences(library_of(["AC", "AG", "AC", "AT"]), 0.34, 0)
    >>> sorted([*rows.tolist(), *held.tolist()]), {0, 2} <= set(rows.tolist()) or {0, 2} <= set(held.tolist())
    ([0, 1, 2, 3], True)
    """
    kinds, which = np.unique(library.codes, axis=0, return_inverse=True)
    n_out = max(1, round(part * len(kinds)))
    chosen = np.random.RandomState(random_state).permutation(len(kinds))[:n_out]
    out = np.isin(which.ravel(), chosen)
    return np.flatnonzero(~out), np.flatnonzero(out)


def fit_and_judge(
    asked: SurrogateParameters, library: Library, y: np.ndarray, rows: np.ndarray, held: np.ndarray
) -> list[Judged]:
    """Fit what was asked for, after what is simpler: each letter by itself on a line, and under a curve."""
    plans: dict[str, Mapping[str, Any]] = {"additive, on a line": {"gpmap": "additive", "linearity": "linear"}}
    if asked.linearity == "nonlinear":
        plans["additive, under a curve"] = {"gpmap": "additive", "linearity": "nonlinear", "noise": asked.noise or None}
    if asked.gpmap != "additive":
        shape = "on a line" if asked.linearity == "linear" else "under a curve"
        plans[f"{asked.gpmap}, {shape}"] = {
            "gpmap": asked.gpmap, "linearity": asked.linearity, "noise": asked.noise or None,
            "pairs": _pairs(asked, library.window),
        }  # fmt: skip
    elif asked.linearity == "linear" and asked.noise:
        plans["additive, on a line"] = {**plans["additive, on a line"], "noise": asked.noise}
    return [_judged(asked, name, plan, library, y, rows, held) for name, plan in plans.items()]


def _pairs(asked: SurrogateParameters, window: tuple[int, int]) -> np.ndarray:
    """Pairs of positions that vary: what lies outside the window tells nothing."""
    from ..mechanism.surrogate_design import pair_positions

    reach = asked.max_distance or None
    found = pair_positions(asked.where, asked.gpmap, window[1] - window[0], reach, None)
    return found + window[0]


def _judged(
    asked: SurrogateParameters,
    name: str,
    plan: Mapping[str, Any],
    library: Library,
    y: np.ndarray,
    rows: np.ndarray,
    held: np.ndarray,
) -> Judged:
    strength = asked.reg_strength or _strength(asked, plan, library[rows], y[rows])
    made = _fitted(asked, plan, library[rows], y[rows], strength)
    if asked.gauge == "wild-type":
        made = made.gauge("wild-type", reference=library.reference)
    metrics = made.measure(library[held], y[held], random_state=asked.random_state)
    metrics = metrics._replace(n_train=len(rows))
    return Judged(name, made, metrics, made.predict(library[held]), made.facts.get("stopped") != "max_iterations")


def _fitted(
    asked: SurrogateParameters, plan: Mapping[str, Any], library: Library, y: np.ndarray, strength: float
) -> Surrogate:
    from ..core.batches import resolve_device
    from ..mechanism import fit_surrogate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NbinterpWarning)  # the page says which fit was stopped
        return fit_surrogate(
            library, y, **plan, penalty=asked.penalty, reg_strength=strength, test=0.0, random_state=asked.random_state,
            gauge="empirical" if asked.gauge == "wild-type" else asked.gauge, device=str(resolve_device(asked.device or None)),
        )  # fmt: skip


def _strength(asked: SurrogateParameters, plan: Mapping[str, Any], library: Library, y: np.ndarray) -> float:
    """The penalty under which a fifth of the sequences is likeliest; from strong ones down, until it loses."""
    some, others = split_sequences(library, 0.2, asked.random_state)
    closed_lasso = asked.penalty == "lasso" and plan["linearity"] == "linear" and plan.get("noise") is None
    scale = len(some) if closed_lasso else 1  # scikit-learn's alpha is of the mean over sequences
    best, least = _STRENGTHS[0] / scale, np.inf
    for strength in _STRENGTHS:
        made = _fitted(asked, plan, library[some], y[some], strength / scale)
        loss = float(made.noise.loss(y[others], made.predict(library[others])).mean())
        if loss > least:
            break
        if loss < least:  # equal where it is so strong that nothing is left
            best, least = strength / scale, loss
    return best


def judged_table(fits: list[Judged]) -> pd.DataFrame:
    """A row a fit: how well it does on the held-out sequences."""
    columns = {
        "surrogate": [one.name for one in fits],
        "parameters": [one.n_parameters for one in fits],
        "penalty": [float(one.surrogate.facts["strength"]) for one in fits],
        "explained": [one.metrics.explained for one in fits],
        "r²": [one.metrics.r2 for one in fits],
        "bits": [one.metrics.i_pred.bits for one in fits],
        "± bits": [one.metrics.i_pred.error for one in fits],
        "vouched for": [one.metrics.i_var.bits for one in fits],
        "± vouched for": [one.metrics.i_var.error for one in fits],
        "stopped by": [str(one.surrogate.facts.get("stopped", "closed form")) for one in fits],
    }
    return pd.DataFrame(columns)


def draw_again(asked: SurrogateParameters, best: Judged, library: Library, y: np.ndarray) -> SurrogateBootstrap:
    """Fit the surrogate again to draws of the whole library; effects are those of variants of the reference."""
    from ..mechanism import bootstrap_surrogate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NbinterpWarning)
        draws = bootstrap_surrogate(best.surrogate, library, y, n=asked.n_bootstrap, random_state=asked.random_state)
    return draws.gauge("wild-type", reference=library.reference)


def variant_table(
    surrogate: Surrogate,
    library: Library,
    draws: SurrogateBootstrap | None = None,
    *,
    level: float = 0.95,
    model: np.ndarray | None = None,
) -> pd.DataFrame:
    """What every substitution of the reference does, strongest first.

    Parameters
    ----------
    surrogate : Surrogate
    library : Library
        Positions outside its window are left out.
    draws : SurrogateBootstrap, optional
        In the wild-type gauge; for intervals, from the draws' standard deviation and Student's t.
    level : float
    model : array (4, L), optional
        What the model itself says of each substitution.

    Returns
    -------
    DataFrame
        position, ref, alt, effect (on the latent phenotype), low, high, change (of the prediction), model, n (sequences of
        the library that have it).
    """
    from scipy.stats import t

    codes = library.reference_codes
    if (codes[slice(*library.window)] > 3).any():
        raise problem(
            "variant_table", "library", got="an unknown base in the reference", need="known ones", do="fill it"
        )
    effect = surrogate.variant_effects(codes)
    change = surrogate.variant_effects(codes, scale="y")
    seen = np.stack([(library.codes == code).sum(axis=0) for code in range(4)])
    start, end = library.window
    base, at = np.nonzero(np.arange(4)[:, None] != codes[start:end])
    at = at + start
    table = pd.DataFrame(
        {
            "position": at, "ref": [*map("ACGT".__getitem__, codes[at])], "alt": [*map("ACGT".__getitem__, base)],
            "effect": effect[base, at], "change": change[base, at], "n": seen[base, at],
        }
    )  # fmt: skip
    if draws is not None:
        reach = t.ppf((1 + level) / 2, len(draws.theta) - 1) * draws.standard_error()[base, at]
        table.insert(4, "low", table["effect"] - reach)
        table.insert(5, "high", table["effect"] + reach)
    if model is not None:
        table.insert(list(table).index("change") + 1, "model", model[base, at])
    return table.iloc[np.argsort(-table["effect"].abs().to_numpy(), kind="stable")].reset_index(drop=True)


def pair_strengths(surrogate: Surrogate, reference: np.ndarray) -> pd.DataFrame:
    """How far two substitutions together are from their sum, for every pair of positions, strongest first.

    Returns
    -------
    DataFrame
        start and end (just past the right position), epistasis: the mean over the nine double substitutions of the reference, on
        the latent phenotype; and spread, their standard deviation.
    """
    own = surrogate.gauge("wild-type", reference=reference)
    left, right = (reference.argmax(axis=0)[own.positions[:, side]] for side in (0, 1))
    other = np.ones_like(own.pairs, bool)
    each = np.arange(len(own.pairs))
    other[each, left, :] = False
    other[each, :, right] = False
    nine = own.pairs[other].reshape(-1, 9)
    table = pd.DataFrame(
        {
            "start": own.positions[:, 0],
            "end": own.positions[:, 1] + 1,
            "epistasis": nine.mean(axis=1),
            "spread": nine.std(axis=1),
        }
    )
    return table.iloc[np.argsort(-table["epistasis"].abs().to_numpy(), kind="stable")].reset_index(drop=True)
