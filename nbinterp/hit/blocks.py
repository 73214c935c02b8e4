"""Many small non-negative quadratic problems at once, exactly.

minimise  1/2 c'Qc - h'c  over  c >= 0,  for thousands of small Q.

Coordinate descent finds which coefficients are not zero, a linear system gives their values; the conditions of Karush, Kuhn and
Tucker decide.  Coefficients are visited in the order given: of two that do the same, the first one takes it all.
"""

from __future__ import annotations

import numpy as np

__all__ = ["solve_blocks"]

_SWEEPS = 4  # between two linear systems
_ROUNDS = 200
_RIDGE = 1e-9


def solve_blocks(Q: np.ndarray, h: np.ndarray, tolerance: float = 1e-10) -> np.ndarray:
    """Solve them all.

    Parameters
    ----------
    Q : float64 array (n, K, K)
        Positive semidefinite; rows and columns of zeros where a problem is smaller than K.
    h : float64 array (n, K)
        Zero there, too.
    tolerance : float
        On the conditions, relative to the largest of each h.

    Returns
    -------
    array (n, K)
        Of those that do not meet the tolerance in the end, the best that was found.

    Examples
    --------
    >>> Q = np.ones((1, 2, 2))  # twins: the first one takes it all
    >>> solve_blocks(Q, np.array([[0.5, 0.5]])).tolist()
    [[0.5, 0.0]]
    """
    c = np.zeros_like(h)
    bound = tolerance * np.maximum(np.abs(h).max(axis=1, initial=0), 1e-300)
    open_ = np.arange(len(h))
    for _ in range(_ROUNDS):
        part = _polish(Q[open_], h[open_], _descend(Q[open_], h[open_], c[open_]))
        c[open_] = part
        slope = _slope(Q[open_], h[open_], part)
        wrong = np.where(part > 0, np.abs(slope), slope).max(axis=1)
        open_ = open_[wrong > bound[open_]]
        if not len(open_):
            break
    return c


def _slope(Q: np.ndarray, h: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.asarray(h - (Q @ c[:, :, None])[:, :, 0])


def _descend(Q: np.ndarray, h: np.ndarray, c: np.ndarray) -> np.ndarray:
    """A few sweeps over the coefficients, each set to its best with the others as they are."""
    slope = _slope(Q, h, c)
    diagonal = np.diagonal(Q, axis1=1, axis2=2)
    inverse = np.where(diagonal > 0, 1 / np.maximum(diagonal, 1e-300), 0)
    # rounding alone: of twins, what the first one leaves
    least = 1e-13 * np.abs(h).max(axis=1, keepdims=True, initial=0) * inverse
    c = c.copy()
    for _ in range(_SWEEPS):
        for k in range(h.shape[1]):
            new = c[:, k] + slope[:, k] * inverse[:, k]
            new = np.where(new > least[:, k], new, 0)
            slope -= Q[:, k] * (new - c[:, k])[:, None]
            c[:, k] = new
    return c


def _polish(Q: np.ndarray, h: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Solve for the coefficients that are not zero; those that would fall below zero stop there and drop out."""
    eye = np.eye(h.shape[1])
    for _ in range(h.shape[1]):
        active = c > 0
        system = np.where(active[:, :, None] & active[:, None, :], Q, eye)
        # a little on the diagonal: where Q is singular, the way leads to a border, and one coefficient drops out
        ridge = _RIDGE * np.diagonal(system, axis1=1, axis2=2).max(axis=1)
        firm = system + ridge[:, None, None] * eye
        wanted = np.where(active, h, 0)
        aim = _solved(firm, wanted)
        aim = aim + _solved(firm, _slope(system, wanted, aim))  # and taken off again
        usable = np.isfinite(aim).all(axis=1)
        falls = active & (aim < 0) & usable[:, None]
        room = np.where(falls, c / np.maximum(c - aim, 1e-300), 1.0)
        step = room.min(axis=1, keepdims=True)
        moved = np.maximum(np.where(active, c + step * (aim - c), 0), 0)
        moved[falls & (room <= step)] = 0
        better = usable & (_value(Q, h, moved) <= _value(Q, h, c))
        c = np.where(better[:, None], moved, c)
        if not (falls.any(axis=1) & better).any():
            break
    return c


def _solved(system: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.solve(system, right[:, :, None])[:, :, 0])


def _value(Q: np.ndarray, h: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.asarray((c * (0.5 * (Q @ c[:, :, None])[:, :, 0] - h)).sum(axis=1))
