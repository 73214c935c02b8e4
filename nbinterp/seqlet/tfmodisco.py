"""TF-MoDISco's seqlets: windows whose summed attribution stands out from a Laplace null.

In: attributions ``(N, L)``.  Out: a table of windows with flanks, both signs.  Results are those of tangermeme 1.6, and
what crashed it (a value equal to the null's centre) is mended.

Source: Shrikumar et al. 2018, TF-MoDISco.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import problem
from .recursive import _as_attributions

if TYPE_CHECKING:  # it is loaded at the first call: the package is used without it
    import torch

__all__ = ["tfmodisco_seqlets"]


def tfmodisco_seqlets(
    X_attr: Any,
    window_size: int = 21,
    flank: int = 10,
    target_fdr: float = 0.2,
    min_passing_frac: float = 0.03,
    max_passing_frac: float = 0.2,
    weak_threshold_for_counting_sign: float = 0.8,
) -> pd.DataFrame:
    """Call windows of high attribution, positive and negative.

    Parameters
    ----------
    X_attr : tensor or array, shape (N, L)
        Attributions of the observed bases.
    window_size, flank : int
        Bases summed, and bases added on both sides.
    target_fdr : float
        Estimated false discovery rate that sets the thresholds.
    min_passing_frac, max_passing_frac : float
        Bounds of the fraction of windows that pass; a symmetric quantile takes over outside them.
    weak_threshold_for_counting_sign : float
        Accepted for compatibility; it has no part in the result, in tangermeme neither.

    Returns
    -------
    DataFrame
        example_idx, start, end, attribution (sum over the inner window); by example, strongest first.

    Raises
    ------
    NbinterpError
        For another shape, NaN, or sequences shorter than a window.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> X = rng.laplace(scale=0.01, size=(10, 200))
    >>> X[3, 90:110] += 1
    >>> found = tfmodisco_seqlets(X)
    >>> found.loc[found["attribution"].idxmax(), ["example_idx", "end"]].astype(int).tolist()
    [3, 121]
    """
    import torch

    del weak_threshold_for_counting_sign
    where = "tfmodisco_seqlets"
    attributions = torch.from_numpy(_as_attributions(where, "X_attr", X_attr))
    if attributions.shape[1] < window_size:
        raise problem(
            where, "X_attr", got=f"length {attributions.shape[1]}", need=f"{window_size} or more", do="shorten"
        )
    sums = attributions.unfold(-1, window_size, 1).sum(dim=-1)
    high, low = _thresholds(sums, target_fdr, min_passing_frac, max_passing_frac)
    passing = (sums >= high) | (sums <= low)
    scores = torch.where(passing, sums.abs(), torch.tensor(-torch.inf, dtype=sums.dtype)).numpy()
    if flank > 0:
        scores[:, :flank] = scores[:, -flank:] = -np.inf
    inner = attributions.numpy()
    rows = [
        (row, at - flank, at + window_size + flank, float(torch.from_numpy(inner[row, at : at + window_size]).sum()))
        for row, at in _peaks(scores, int(0.5 * window_size) + flank)
    ]
    table = pd.DataFrame(rows, columns=["example_idx", "start", "end", "attribution"])
    return table.astype({"example_idx": int, "start": int, "end": int, "attribution": float})


def _peaks(scores: np.ndarray, suppress: int) -> list[tuple[int, int]]:
    """The highest window of each row, again and again, each taking its neighbourhood away."""
    found = []
    for row, line in enumerate(scores):
        while True:
            at = int(np.argmax(line))
            if line[at] == -np.inf:
                break
            found.append((row, at))
            line[max(at - suppress, 0) : at + suppress + 1] = -np.inf
    return found


def _thresholds(sums: torch.Tensor, fdr: float, least: float, most: float) -> tuple[float, float]:
    import torch

    values = sums.flatten()
    if len(values) > 1_000_000:
        values = torch.from_numpy(np.random.RandomState(1234).choice(a=values.numpy(), size=1_000_000, replace=False))
    positive, negative = values[values >= 0], values[values < 0]
    null = _laplace_null(sums.flatten())
    high = _threshold(positive, null[null >= 0], True, fdr)
    low = _threshold(negative, null[null < 0], False, fdr)
    fraction = float(((values >= high) | (values <= low)).double().mean())
    for bound, outside in ((least, fraction < least), (most, fraction > most)):
        if outside:
            high = float(np.quantile(values.abs().double().numpy(), 1 - bound))
            low = -high
    return high, low


def _laplace_null(values: torch.Tensor, n: int = 10_000, random_state: int = 1234) -> torch.Tensor:
    """Draws from a Laplace distribution with its own scale on each side, fitted by the most extreme of 18 quantiles."""
    import torch

    counts, edges = torch.histogram(values, bins=1000)
    peak = int(torch.argmax(counts))
    top = values[(edges[peak] < values) & (values < edges[peak + 1])]
    centre = float(edges[peak] + edges[peak + 1]) / 2
    if len(top):
        counts, edges = torch.histogram(top, bins=1000)
        peak = int(torch.argmax(counts))
        centre = (edges[peak] + edges[peak + 1]).item() / 2
    right, left = values[values >= centre], values[values <= centre]
    # the quantile 0 is left out: a value at the centre makes it 0 / 0, which is what crashes the peer
    q = (torch.arange(1, 19) * 5.0 / 100).double()
    exponent = -torch.log(1 - q)
    scales = []
    for side, at in ((right, q), (left, 1 - q)):
        distance = np.abs(np.quantile(side.double().numpy(), at.numpy()) - centre) if len(side) else np.ones(len(q))
        rate = exponent.numpy()[distance > 0] / distance[distance > 0]
        scales.append(rate.max() if len(rate) else np.inf)
    uniform = torch.from_numpy(np.random.RandomState(random_state).uniform(size=(n, 2)))
    depth = torch.log(1 - uniform[:, 1])
    share = len(right) / len(values)
    return torch.where(uniform[:, 0] < share, centre - depth / float(scales[0]), centre + depth / float(scales[1]))


def _threshold(values: torch.Tensor, null: torch.Tensor, increasing: bool, fdr: float, least: float = 0.95) -> float:
    """First value, in the order given, whose estimated precision is enough; beyond all values when there is no null."""
    import torch

    if not len(values) or not len(null):
        return float("inf") if increasing else float("-inf")
    x = torch.cat([values.double(), null.double()]).numpy()
    y = np.concatenate([np.ones(len(values)), np.zeros(len(null))])
    weight = np.concatenate([np.ones(len(values)), np.full(len(null), len(values) / len(null))])
    knots, fitted = isotonic(x, y, weight, increasing)
    lowest = max(fitted[0] if increasing else fitted[-1], 1e-7)
    negative = min(max(-1 / (1 - 1 / lowest), least), 1.0) if lowest != 1 else least
    at = np.maximum(fitted[np.searchsorted(knots, x[: len(values)])], 1e-7)
    precision = np.clip(1 + negative * (1 - 1 / at), 0, 1)
    precision[-1] = 1
    return float(values[int(np.argmax(precision >= 1 - fdr))])


def isotonic(x: np.ndarray, y: np.ndarray, weight: np.ndarray, increasing: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weighted isotonic regression by pooling adjacent violators; gives the distinct x and the fit at each."""
    knots, inverse = np.unique(x, return_inverse=True)
    total = np.bincount(inverse, weights=weight)
    mean = np.bincount(inverse, weights=weight * y) / total
    sign = 1.0 if increasing else -1.0
    levels: list[float] = []
    weights: list[float] = []
    sizes: list[int] = []
    for one, weight_of_one in zip((sign * mean).tolist(), total.tolist(), strict=True):
        value, w, size = one, weight_of_one, 1
        while levels and levels[-1] >= value:
            last, last_w = levels.pop(), weights.pop()
            value, w = (value * w + last * last_w) / (w + last_w), w + last_w
            size += sizes.pop()
        levels.append(value)
        weights.append(w)
        sizes.append(size)
    return knots, sign * np.repeat(levels, sizes)
