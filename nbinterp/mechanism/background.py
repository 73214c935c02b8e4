"""What all clusters share, taken off each.

In: sums by cluster.  Out: the background (what positions that a cluster does not need contribute nonetheless, averaged
over clusters), its scale in each cluster, and the clusters' maps without it.

A position is entropic in a cluster when its letters vary by more than a part of what free mutation gives.  What is
attributed there owes nothing to the cluster's mechanism.
Source: Seitz et al., SEAM (2025), `MetaExplainer.compute_background`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import problem
from .summary import background_entropy, entropies
from .summary_sums import FineSums

__all__ = ["Background", "separate_background"]


@dataclass(frozen=True, eq=False)
class Background:
    """A background and what is left without it.

    Attributes
    ----------
    labels : np.ndarray, int64 (K,)
        The clusters.
    threshold : float
        Bits above which a position is entropic.
    entropic : np.ndarray, bool (K, W)
        Which positions are, in each cluster.
    clusters : np.ndarray, float64 (K, 4, W)
        Each cluster's mean map at its entropic positions, 0 elsewhere.
    background : np.ndarray, float64 (4, W)
        The mean of these over clusters.
    scale : np.ndarray, float64 (K,)
        How strong the background is in each cluster; 1 unless adaptive.
    foreground : np.ndarray, float64 (K, 4, W)
        Mean maps less the scaled background.
    start : int
        Where the window begins in the sequence.
    """

    labels: np.ndarray
    threshold: float
    entropic: np.ndarray
    clusters: np.ndarray
    background: np.ndarray
    scale: np.ndarray
    foreground: np.ndarray
    start: int = 0


def separate_background(
    sums: FineSums, *, rate: float = 0.1, multiplier: float = 0.5, adaptive: bool = False
) -> Background:
    """Separate what the clusters share from what each adds.

    Parameters
    ----------
    sums : FineSums
        Of the clusters: merge finer ones first, since the background is a mean over clusters, whatever their sizes.
    rate : float
        Mutations a base in the library.
    multiplier : float
        A position is entropic above this part of the entropy that `rate` gives.
    adaptive : bool
        Scale the background to each cluster: by the ratio of summed magnitudes, over the positions that are entropic in
        it and where the background is not 0.

    Returns
    -------
    Background

    Raises
    ------
    NbinterpError
        For a rate outside 0 to 1, or a negative multiplier.

    Notes
    -----
    SEAM's own default rate here is 0.01, whatever the library's; and a second call of it with other parameters gives the
    first one's result.  Neither is so here.

    Examples
    --------
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> maps = np.ones((4, 4, 2))
    >>> found = separate_background(fine_sums(maps, ["AA", "AC", "AG", "AT"], [0, 0, 0, 0]))
    >>> found.entropic.tolist(), found.foreground[0, 0].tolist()
    ([[False, True]], [1.0, 0.0])
    """
    if not multiplier >= 0:
        raise problem("separate_background", "multiplier", got=multiplier, need="at least 0", do="0.5 is usual")
    threshold = multiplier * background_entropy(rate)
    entropic = entropies(sums) > threshold
    means = sums.means
    clusters = means * entropic[:, None]
    background = clusters.mean(axis=0)
    scale = np.ones(len(sums))
    if adaptive:
        valid = (clusters != 0).any(axis=1) & (background != 0).any(axis=0)
        ours = (np.abs(clusters).sum(axis=1) * valid).sum(axis=1)
        shared = (np.abs(background).sum(axis=0) * valid).sum(axis=1)
        scale = np.divide(ours, shared, out=scale, where=valid.any(axis=1))
    foreground = means - scale[:, None, None] * background
    return Background(sums.labels, threshold, entropic, clusters, background, scale, foreground, sums.start)
