"""How sure an effect is: its mean over backgrounds or shuffles, its spread and an interval.

In: values ``(N, ...)``, one row a background, usually the prediction after an edit minus that before.  Out: an `Effect`
of what is left when the rows are averaged.  `until_precise` measures rows only until the intervals are narrow enough.
The interval is Student's: mean plus and minus t standard errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from ..core.batches import n_rows
from ..errors import Interrupted, problem

__all__ = ["Effect", "summarize", "until_precise"]


class Effect(NamedTuple):
    """A mean and how sure it is, each of the shape of one row, in float64.

    Attributes
    ----------
    mean, sd, se : torch.Tensor
        Over the rows; `sd` divides by n - 1, and `se` is ``sd / sqrt(n)``.
    low, high : torch.Tensor
        Ends of the confidence interval of the mean.
    n : int
        How many rows.
    """

    mean: torch.Tensor
    sd: torch.Tensor
    se: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    n: int


def summarize(values: torch.Tensor, *, level: float = 0.95) -> Effect:
    """Average over the first axis, with spread and a confidence interval.

    Parameters
    ----------
    values : torch.Tensor
        ``(N, ...)``: one row a background or shuffle.  For the effect of an edit these are differences within a
        background, so that what the backgrounds differ in by themselves does not widen the interval.
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    Effect

    Raises
    ------
    NbinterpError
        When there are no rows, or `level` is not between 0 and 1.

    Notes
    -----
    With one row the mean is known and its spread is not: `sd`, `se`, `low` and `high` are NaN.  A NaN among the values
    makes everything about its cell NaN; an infinite one leaves an infinite (or NaN) mean and a NaN spread.  Neither is
    left out, since a mean over the other backgrounds would answer another question.

    Examples
    --------
    >>> effect = summarize(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    >>> [round(float(x), 3) for x in effect]
    [2.5, 1.291, 0.645, 0.446, 4.554, 4.0]
    """
    _check_level("summarize", level)
    if not isinstance(values, torch.Tensor) or values.ndim == 0 or n_rows(values) == 0:
        got = f"shape {tuple(values.shape)}" if isinstance(values, torch.Tensor) else f"a {type(values).__name__}"
        raise problem("summarize", "values", got=got, need="a tensor (N, ...) of at least one row", do="add rows")
    n, rows = n_rows(values), values.to(torch.float64)
    mean = rows.mean(dim=0)
    sd = ((rows - mean).square().sum(dim=0) / (n - 1)).sqrt() if n > 1 else torch.full_like(mean, math.nan)
    se = sd / math.sqrt(n)
    half = se * t_quantile(level, n - 1) if n > 1 else se
    return Effect(mean, sd, se, mean - half, mean + half, n)


def until_precise(
    measure: Callable[[int, int], torch.Tensor],
    *,
    n: int,
    precision: float | None = None,
    step: int | None = None,
    level: float = 0.95,
) -> torch.Tensor:
    """Measure rows in rounds until every mean is known precisely enough.

    Parameters
    ----------
    measure : callable
        ``measure(start, end)`` gives the values of rows ``[start, end)``, ``(end - start, ...)``.  A row must depend on
        its index alone (a seed of its own where it draws anything): what is measured is then the first rows of what a
        full run would give, wherever it stops.
    n : int
        Rows at most.
    precision : float, optional
        Half the width of the interval that is narrow enough, in units of the values; None measures all `n` rows in one
        call.
    step : int, optional
        Rows a round, at least 2; 16 by default.
    level : float
        Of the interval.

    Returns
    -------
    torch.Tensor
        The rows measured, at most `n`.

    Raises
    ------
    NbinterpError
        When `n`, `step`, `precision` or `level` is out of range.
    Interrupted
        When stopped by the user; `.partial` holds the rows of the finished rounds.

    Notes
    -----
    Looking at the interval after each round and stopping at the first that is narrow makes its true coverage a little
    lower than `level`, the more so the smaller the rounds.  Cells that hold NaN are never precise, and run to `n`.

    Examples
    --------
    >>> noise = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0))
    >>> rows = until_precise(lambda start, end: noise[start:end], n=1000, precision=0.2)
    >>> rows.shape, torch.equal(rows, noise[: len(rows)])
    (torch.Size([112, 3]), True)
    """
    each = round_size("until_precise", n, precision, step, level)
    rounds: list[torch.Tensor] = []
    for start in range(0, n, each):
        try:
            rounds.append(measure(start, min(start + each, n)))
        except KeyboardInterrupt:
            raise Interrupted(torch.cat(rounds) if rounds else None, start) from None
        if precision is not None and is_precise(torch.cat(rounds), precision, level):
            break
    return torch.cat(rounds)


def is_precise(values: torch.Tensor, precision: float, level: float) -> bool:
    """Whether the interval of every mean over the first axis is at most `precision` to either side."""
    effect = summarize(values, level=level)
    return bool((effect.high - effect.mean <= precision).all())


def round_size(where: str, n: int, precision: float | None, step: int | None, level: float) -> int:
    """Hold what says when to stop to its rules; give the rows of a round."""
    _check_level(where, level)
    if n < 1:
        raise problem(where, "n", got=n, need="at least 1", do="raise it")
    if precision is not None and not precision >= 0:
        raise problem(where, "precision", got=precision, need="a number of at least 0, or None", do="correct it")
    if step is not None and step < 2:
        raise problem(where, "step", got=step, need="at least 2: one row has no spread", do="raise it")
    return n if precision is None else (step or 16)


def _check_level(where: str, level: float) -> None:
    if not 0 < level < 1:
        raise problem(where, "level", got=level, need="a number between 0 and 1", do="pass for example 0.95")


def t_quantile(level: float, df: int) -> float:
    """Give t with ``P(|T| < t) = level`` for Student's T with `df` degrees of freedom, a whole number.

    With ``t = sqrt(df) tan(angle)`` the probability is a finite sum of cosines of the angle (Abramowitz and Stegun,
    26.7.3 and 26.7.4), which rises with it; the angle is found by halving.

    Examples
    --------
    >>> round(t_quantile(0.95, 4), 4)
    2.7764
    """
    odd = df % 2
    step = 2.0 * np.arange(1, (df - odd) // 2)
    ratios = (step - 1 + odd) / (step + odd)

    def inside(angle: float) -> float:
        cosine = math.cos(angle)
        total = math.sin(angle) * (1 + float(np.cumprod(ratios * cosine**2).sum()))
        if not odd:
            return total
        return 2 / math.pi * (angle + (total * cosine if df > 1 else 0))

    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < level else (low, middle)
    return math.sqrt(df) * math.tan((low + high) / 2)
