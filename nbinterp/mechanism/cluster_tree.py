"""Cutting a tree: labels, and where exactly the cut is.

In: a linkage matrix.  Out: labels and the interval of heights at which they are these.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from ..errors import NbinterpWarning, problem

__all__ = ["Cut", "cut_tree"]


class Cut(NamedTuple):
    """Labels (N,) from 0, how many clusters, and the heights from which and below which a cut gives them."""

    labels: np.ndarray
    k: int
    height: float
    below: float


def cut_tree(linkage: np.ndarray, n_clusters: int | None = None, *, height: float | None = None) -> Cut:
    """Cut a tree into so many clusters, or at a height.

    Parameters
    ----------
    linkage : array (N - 1, 4)
        Of `ward_linkage`, or SciPy's.
    n_clusters : int, optional
        Where heights tie, a number can be skipped: then the next smaller one is cut, and a warning says so.
    height : float, optional
        Merges up to it are made.  One of the two is needed.

    Returns
    -------
    Cut
        The labels are SciPy's `fcluster`, less 1.  `height` is the highest merge made (SEAM's cut level; 0 for none) and
        `below` the lowest one that is not (inf for none).

    Raises
    ------
    NbinterpError
        For neither or both of the two, or a number below 1.

    Examples
    --------
    >>> tree = np.array([[0, 2, 1.0, 2], [1, 3, 4.0, 3]])
    >>> cut_tree(tree, 2)
    Cut(labels=array([0, 1, 0]), k=2, height=1.0, below=4.0)
    """
    from scipy.cluster import hierarchy

    where = "cut_tree"
    if (n_clusters is None) == (height is None):
        got = "neither" if height is None else "both"
        raise problem(where, "n_clusters", got=f"{got} of n_clusters and height", need="one of them", do="pass one")
    heights, n = np.sort(linkage[:, 2]), len(linkage) + 1
    if n_clusters is not None:
        if n_clusters < 1:
            raise problem(where, "n_clusters", got=n_clusters, need="at least 1", do="30 is usual")
        height = heights[n - n_clusters - 1] if n_clusters < n else -1.0
    assert height is not None
    made = int(np.searchsorted(heights, height, side="right"))
    k = n - made
    if n_clusters is not None and k < min(n_clusters, n):
        text = f"{where}(n_clusters): got {n_clusters}, which ties at height {height:.6g} skip; cut into {k}"
        warnings.warn(text, NbinterpWarning, stacklevel=2)
    found = (height, "distance") if n_clusters is None else (n_clusters, "maxclust")
    labels = hierarchy.fcluster(linkage, *found).astype(np.int64) - 1
    lowest, highest = heights[made] if made < n - 1 else np.inf, heights[made - 1] if made else 0.0
    return Cut(labels, k, float(highest), float(lowest))
