"""The few letters that say most, and their effects: SQUID's LIME.

Least angles: the lasso's whole path, from no column on, by the angles that columns make with what is left.  Where the path
first has so many columns, these are kept, and their weights are fitted again without a penalty.

In: a `Design`, measurements, a number of columns.  Out: intercept, weights, facts about the solution.
Source: Efron et al. 2004 (least angle regression, section 3.1); Ribeiro et al. 2016 (LIME); SQUID (`SurrogateLIME`).
"""

from __future__ import annotations

import torch

from ..errors import problem
from .surrogate_design import Design
from .surrogate_linear import Linear

__all__ = ["fit_lime"]

_DEPENDENT = 1e-9  # of a column: what others leave of it, below which it is their sum
_NOTHING = 1e-9  # of what there was to explain: all is
_MOST_COLUMNS = 6000  # of normal equations that are written down
_STEPS = 20  # a column wanted: some leave the path again


def fit_lime(design: Design, y: torch.Tensor, n_effects: int, counts: torch.Tensor | None = None) -> Linear:
    """Least squares on the first `n_effects` columns of the lasso's path; the intercept is free, other weights are 0.

    Parameters
    ----------
    design : Design
    y : float64 tensor (N,)
    n_effects : int
        SQUID's ``k``.
    counts : float64 tensor (N,), optional
        How often each row counts; whole numbers.

    Returns
    -------
    Linear
        Facts: ``solver``, ``strength`` (the lasso's penalty, scikit-learn's alpha, where the path had so many), ``n_nonzero``.

    Raises
    ------
    NbinterpError
        Where the path ends before it has so many columns.

    Examples
    --------
    >>> import numpy as np
    >>> codes = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=torch.uint8)
    >>> design = Design(codes, np.zeros((0, 2), int), "cpu")
    >>> fit_lime(design, torch.tensor([0.0, 3.0, 1.0, 4.0], dtype=torch.float64), 1).weights.tolist()
    [-3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    if design.n_features > _MOST_COLUMNS:
        got, need = f"{design.n_features} columns", f"at most {_MOST_COLUMNS} for penalty='lime'"
        raise problem("fit_surrogate", "penalty", got=got, need=need, do="pass fewer pairs, or penalty='lasso'")
    ones = torch.ones_like(y) if counts is None else counts
    n = float(ones.sum())
    y_mean = float((ones * y).sum() / n)
    means = design.transposed(ones) / n
    gram = design.gram(None if counts is None else counts) - n * torch.outer(means, means)
    product = design.transposed(ones * (y - y_mean))
    chosen, strength = _path(gram, product, n_effects)
    weights = torch.zeros_like(product)
    weights[chosen] = torch.linalg.solve(gram[chosen][:, chosen], product[chosen])
    facts: dict[str, float | str] = {
        "solver": "least angles",
        "strength": strength / n,
        "n_nonzero": float(len(chosen)),
    }
    return Linear(float(y_mean - means @ weights), weights, facts)


def _path(gram: torch.Tensor, product: torch.Tensor, wanted: int) -> tuple[torch.Tensor, float]:
    """The columns where the lasso's path first has as many as wanted, ascending, and the correlation that is left there."""
    w, slope = torch.zeros_like(product), product.clone()
    free = gram.diagonal() > _DEPENDENT * max(float(gram.diagonal().max()), 1e-300)
    active: list[int] = []
    left_now = -1  # a column that has just left does not come back at once
    for _ in range(_STEPS * wanted):
        outside = free.clone()
        outside[active] = False
        if left_now < 0 and bool(outside.any()):
            new = int(torch.where(outside, slope.abs(), -1.0).argmax())
            rest = gram[active][:, active]
            beside = gram[active][:, new]
            alone = gram[new, new] - (beside @ torch.linalg.solve(rest, beside) if active else 0.0)
            if alone <= _DEPENDENT * gram[new, new]:
                free[new] = False
                continue
            active.append(new)
            outside[new] = False
        if not active:
            break
        top = slope[active].abs().amax()
        if top <= _NOTHING * product.abs().amax():
            break
        direction = torch.linalg.solve(gram[active][:, active], slope[active].sign())
        turn = gram[:, active] @ direction
        join = torch.cat([((top - slope) / (1 - turn))[outside], ((top + slope) / (1 + turn))[outside]])
        join = torch.where(join > 1e-12 * top, join, torch.inf)
        join_at = min(float(join.min()) if len(join) else float("inf"), float(top))
        leave = torch.where(direction * w[active] < 0, -w[active] / direction, torch.inf)
        leave_at = float(leave.min())
        step = min(join_at, leave_at)
        w[active] += step * direction
        slope = slope - step * turn
        left_now = -1
        if leave_at < join_at:
            left_now = active.pop(int(leave.argmin()))
            w[left_now] = 0.0
        if int((w != 0).sum()) == wanted:
            return torch.nonzero(w)[:, 0], float(slope[active].abs().amax())
    got = f"{wanted}, where the path ends at {int((w != 0).sum())} columns"
    raise problem("fit_surrogate", "n_effects", got=got, need="as many as carry something", do="lower it")
