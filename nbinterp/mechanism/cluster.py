"""Clusters of attribution maps, each with how far it can be trusted.

In: maps (N, 4, L).  Out: `Clusters`: a label a map, the tree where there is one, and `Stability`.
Source: SEAM (`Clusterer`), whose default is Ward; unlike it, nothing is embedded first.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from ..core.check import check_choice
from ..errors import NbinterpWarning, problem
from .cluster_dbscan import dbscan
from .cluster_kmeans import kmeans
from .cluster_leiden import leiden
from .cluster_tree import cut_tree
from .neighbours import nearest_neighbours
from .neighbours_maps import as_points
from .stability import Stability, stability_of
from .ward import ward_linkage

__all__ = ["Clusters", "cluster_maps"]

_TREES = ("ward", "average", "complete")
_METHODS = (*_TREES, "kmeans", "dbscan", "leiden")


@dataclass(frozen=True)
class Clusters:
    """Clusters of N maps.

    Attributes
    ----------
    labels : array (N,), int64
        0..k-1; -1 is noise (DBSCAN).  Numbered as SciPy's `fcluster` numbers those of a tree, else by first members.
    k : int
    stability : Stability
        Refits on part of the maps, silhouette, consensus.
    linkage : array (N - 1, 4) or None
        The tree, for its methods.
    height : float or None
        The highest merge made.
    method, gauge : str
    """

    labels: np.ndarray
    k: int
    stability: Stability
    linkage: np.ndarray | None = None
    height: float | None = None
    method: str = "ward"
    gauge: str = "none"

    @property
    def sizes(self) -> np.ndarray:
        """Maps in each cluster (k,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.k)


def cluster_maps(
    maps: Any,
    n_clusters: int | None = None,
    method: str = "ward",
    *,
    height: float | None = None,
    eps: float | None = None,
    min_samples: int = 10,
    n_neighbours: int = 15,
    resolution: float = 1.0,
    gauge: str = "none",
    reference: Any = None,
    engine: str = "reciprocal",
    linkage: np.ndarray | None = None,
    n_refits: int = 5,
    fraction: float = 0.9,
    at_most: int = 4000,
    random_state: int = 0,
    device: torch.device | str | None = None,
    verbose: bool = False,
) -> Clusters:
    """Cluster attribution maps, and say how stable the clusters are.

    Parameters
    ----------
    maps : array or tensor (N, 4, L)
        At least 2, all finite; (N, L, 4) and points (N, D) are taken as well.
    n_clusters : int, optional
        For the trees and k-means; default 30, or fewer where there are fewer maps.
    method : str
        ``"ward"``; ``"average"``, ``"complete"`` (SciPy's, 8 N^2 bytes); ``"kmeans"``; ``"dbscan"``, with `eps` and
        `min_samples`; ``"leiden"``, with `n_neighbours` and `resolution` (needs the extra ``mechanism``).
    height : float, optional
        Cut a tree there instead.
    eps, min_samples
        DBSCAN: Euclidean radius, and how many maps within it, itself among them, make a core.
    n_neighbours, resolution
        Leiden.
    gauge, reference
        As in `ward_linkage`; explicit, since clusters depend on it.
    engine : str
        Of Ward: ``"reciprocal"`` or ``"scipy"``.
    linkage : array (N - 1, 4), optional
        A tree of these maps, made before.
    n_refits, fraction, at_most
        Stability: how often, on what part of the maps, and on at most how many.
    random_state : int
        Of k-means, Leiden, and what refits are made on.
    device, verbose
        As in `ward_linkage`.

    Returns
    -------
    Clusters

    Raises
    ------
    NbinterpError
        For too few maps, maps that are not finite, or a number, height or eps that is missing.

    Warns
    -----
    NbinterpWarning
        When there are fewer clusters than asked for: identical maps, or ties that skip the number.

    Examples
    --------
    >>> maps = np.repeat([[0.0, 0.1], [5.0, 5.1]], 4, axis=0) + np.linspace(0, 0.2, 8)[:, None]
    >>> found = cluster_maps(maps, 2)
    >>> found.labels.tolist(), found.stability.agreement.tolist()
    ([1, 1, 1, 1, 0, 0, 0, 0], [1.0, 1.0, 1.0, 1.0, 1.0])
    """
    where = "cluster_maps"
    check_choice(where, "method", method, _METHODS)
    if linkage is not None and (method not in _TREES or linkage.shape != (len(maps) - 1, 4)):
        need = f"a tree of {len(maps)} maps, for one of {', '.join(_TREES)}"
        raise problem(where, "linkage", got=f"shape {linkage.shape} for {method}", need=need, do="leave it out")
    if method == "dbscan" and (eps is None or not eps > 0):
        do = "look at the distances of nearest_neighbours"
        raise problem(where, "eps", got=eps, need="a radius above 0, for dbscan", do=do)
    if n_clusters is not None and (n_clusters < 1 or height is not None):
        need, do = "at least 1, and no height beside it", "pass one of the two"
        raise problem(where, "n_clusters", got=f"{n_clusters}, height {height}", need=need, do=do)
    form: dict[str, Any] = {"gauge": gauge, "reference": reference, "device": device}
    tree: np.ndarray | None = linkage
    reached: float | None = None
    if method in _TREES:
        grow = partial(_tree, method=method, engine=engine, gauge=gauge, reference=reference, device=device)
        tree = grow(maps, verbose=verbose) if linkage is None else linkage
        cut = cut_tree(tree, height=height) if height is not None else cut_tree(tree, n_clusters or 30)
        labels, k, reached = cut.labels, cut.k, cut.height
        refit: Callable[[Any], np.ndarray] = partial(_regrow, grow=grow, k=k)
    else:
        refit = partial(
            _flat, method=method, k=n_clusters or 30, eps=eps, min_samples=min_samples,
            n_neighbours=n_neighbours, resolution=resolution, seed=random_state, form=form,
        )  # fmt: skip
        labels = refit(maps)
        k = int(labels.max(initial=-1)) + 1
        if method == "kmeans" and n_clusters is not None and k < n_clusters:
            text = f"{where}(n_clusters): got {n_clusters}, but the maps are of {k} kinds; made {k} clusters"
            warnings.warn(text, NbinterpWarning, stacklevel=2)
    stability = stability_of(
        maps, labels, refit, n_refits=n_refits, fraction=fraction, at_most=at_most, random_state=random_state, **form
    )
    return Clusters(labels, k, stability, tree, reached, method, gauge)


def _tree(
    maps: Any, *, method: str, engine: str, gauge: str, reference: Any, device: Any, verbose: bool = False
) -> np.ndarray:
    if method == "ward":
        return ward_linkage(maps, engine=engine, gauge=gauge, reference=reference, device=device, verbose=verbose)
    from scipy.cluster import hierarchy

    points = as_points("cluster_maps", maps, "cpu", gauge=gauge, reference=reference, least=2)
    return np.asarray(hierarchy.linkage(points.numpy(), method))


def _regrow(maps: Any, *, grow: Callable[..., np.ndarray], k: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NbinterpWarning)  # said once, of all maps
        return cut_tree(grow(maps), k).labels


def _flat(
    maps: Any,
    *,
    method: str,
    k: int,
    eps: float | None,
    min_samples: int,
    n_neighbours: int,
    resolution: float,
    seed: int,
    form: dict[str, Any],
) -> np.ndarray:
    if method == "leiden":
        return leiden(nearest_neighbours(maps, n_neighbours, **form), resolution=resolution, random_state=seed)
    device, gauge = form["device"], {"gauge": form["gauge"], "reference": form["reference"]}
    points = as_points("cluster_maps", maps, device, least=2, **gauge)
    if method == "kmeans":
        return kmeans(points, min(k, len(points)), random_state=seed)[0]
    assert eps is not None
    return dbscan(points, eps, min_samples)
