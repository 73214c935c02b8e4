"""False discovery rates.

In: p-values of one family of tests.  Out: q-values.
Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 1995.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["q_values"]


def q_values(p: Any, n_tests: int | None = None) -> np.ndarray:
    """Give the least false discovery rate at which each test is called (Benjamini and Hochberg).

    Parameters
    ----------
    p : array, shape (..., n)
        p-values; each row along the last axis is a family of its own.
    n_tests : int, optional
        How many tests a family has, when those left out have a p-value of 1.

    Returns
    -------
    float64 array, shape (..., n)
        q-values, at most 1, in the order of `p`.

    Examples
    --------
    >>> q_values([0.01, 0.02, 0.5]).round(3).tolist()
    [0.03, 0.03, 0.5]
    """
    p = np.asarray(p, np.float64)
    n = p.shape[-1]
    n_tests = n if n_tests is None else n_tests
    order = np.argsort(p, axis=-1, kind="stable")
    rate = np.take_along_axis(p, order, axis=-1) * n_tests / np.arange(1, n + 1)
    rate = np.minimum.accumulate(rate[..., ::-1], axis=-1)[..., ::-1]
    out: np.ndarray = np.empty_like(p)
    np.put_along_axis(out, order, np.minimum(rate, 1), axis=-1)
    return out
