"""Logos of clusters, as matrices to draw.

In: sums by cluster.  Out: a matrix ``(4, W)`` for each: the mean map, letter frequencies, information, or enrichment over
the library.
Source: Seitz et al., SEAM (2025), `MetaExplainer.generate_logos`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ..core.check import check_choice
from ..errors import problem
from .summary_sums import FineSums

__all__ = ["LOGOS", "cluster_logos", "difference_logo"]

LOGOS: Final = ("average", "frequency", "pwm", "enrichment")


def cluster_logos(
    sums: FineSums, kind: str = "average", *, centre: bool = False, library: FineSums | None = None
) -> np.ndarray:
    """Make a logo matrix of each cluster.

    Parameters
    ----------
    sums : FineSums
    kind : {"average", "frequency", "pwm", "enrichment"}
        The mean map; letter frequencies; frequencies (with half a count of each letter) times the bits they hold against
        equal ones; or log2 of those frequencies against the library's.
    centre : bool
        Take the mean over the four bases off each position, as mean maps are drawn.
    library : FineSums, optional
        What enrichment is over; all clusters of `sums` together by default.  Pass it where `sums` are a selection.

    Returns
    -------
    np.ndarray, float64 (K, 4, W)
        In the order of `sums.labels`.

    Raises
    ------
    NbinterpError
        For another kind, or a library over another window.

    Notes
    -----
    SEAM's enrichment divides raw counts, so that it is lower by about log2(n / N) everywhere, most in small clusters;
    here frequencies are compared, and a cluster like the library has about 0.

    Examples
    --------
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> sums = fine_sums(np.zeros((4, 4, 1)), ["A", "A", "C", "C"], [0, 0, 1, 1])
    >>> cluster_logos(sums, "enrichment").round(2)[0, :, 0].tolist()
    [0.58, -1.74, 0.58, 0.58]
    """
    where = "cluster_logos"
    check_choice(where, "kind", kind, LOGOS)
    if kind == "average":
        matrix = sums.means
    elif kind == "frequency":
        matrix = sums.frequencies
    else:
        p = _smoothed(sums)
        if kind == "pwm":
            p = p + 1e-6  # SEAM's
            matrix = p * (p * np.log2(p / 0.25)).sum(axis=1, keepdims=True)
        else:
            every = sums if library is None else library
            if (every.start, every.end) != (sums.start, sums.end):
                raise problem(where, "library", got=f"positions [{every.start}, {every.end})",
                              need=f"those of the clusters, [{sums.start}, {sums.end})", do="sum the same maps")  # fmt: skip
            matrix = np.log2(p / _smoothed(every.union()))
    return matrix - matrix.mean(axis=1, keepdims=True) if centre else matrix


def difference_logo(sums: FineSums, a: object, b: object) -> tuple[np.ndarray, np.ndarray]:
    """Compare the mean maps of two selections of clusters.

    Parameters
    ----------
    sums : FineSums
    a, b : int or sequences of int
        Labels of the clusters of each.

    Returns
    -------
    difference, standard_error : np.ndarray, float64 (4, W)
        Mean of `a` less that of `b`, and its standard error (Welch); the ratio is a t statistic.

    Raises
    ------
    NbinterpError
        When a label is unknown.

    Examples
    --------
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> maps = np.array([1.0, 3.0, 0.0, 0.0])[:, None, None] * np.ones((1, 4, 1))
    >>> difference, error = difference_logo(fine_sums(maps, ["A"] * 4, [0, 0, 1, 1]), 0, 1)
    >>> float(difference[0, 0]), float(error[0, 0])
    (2.0, 1.0)
    """
    one, other = (sums.select(labels).union() for labels in (a, b))
    error = np.sqrt(one.standard_errors[0] ** 2 + other.standard_errors[0] ** 2)
    return one.means[0] - other.means[0], error


def _smoothed(sums: FineSums) -> np.ndarray:
    """Letter frequencies with half a count of each letter added."""
    counts = sums.letters + 0.5
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))
