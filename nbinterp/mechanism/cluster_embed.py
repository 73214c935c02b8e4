"""Maps in a plane: principal components, UMAP and t-SNE, the last two from one shared neighbour graph.

In: maps (N, 4, L), or their `NeighbourGraph`.  Out: coordinates (N, d).  A picture of the maps, not what is clustered.
Sources: McInnes et al. 2018 (UMAP); van der Maaten and Hinton 2008 (t-SNE).  Both need the extra ``mechanism``.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import torch

from ..errors import problem
from .cluster_leiden import optional
from .neighbours import NeighbourGraph
from .neighbours_maps import as_points

__all__ = ["PrincipalComponents", "embed_tsne", "embed_umap", "principal_components"]


class PrincipalComponents(NamedTuple):
    """Coordinates (N, d), directions (d, D), and the part of the variance that each explains (d,)."""

    coordinates: np.ndarray
    directions: np.ndarray
    explained: np.ndarray


def principal_components(
    maps: Any,
    n_components: int = 2,
    *,
    gauge: str = "none",
    reference: Any = None,
    device: torch.device | str | None = None,
) -> PrincipalComponents:
    """Directions of most variance, exactly, from the covariance (D, D) in float64.

    Parameters
    ----------
    maps : array or tensor (N, 4, L)
        All finite; (N, L, 4) and points (N, D) are taken as well.
    n_components : int
        At most min(N, D).
    gauge, reference, device
        As in `ward_linkage`.

    Returns
    -------
    PrincipalComponents
        The largest entry of each direction is positive.

    Raises
    ------
    NbinterpError
        For more components than there are, or maps that are not finite.

    Notes
    -----
    Clusters of a few components are not those of the maps: of real maps a hundred components and more carry 80 % of the
    variance.

    Examples
    --------
    >>> principal_components(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), 1).explained.round(6).tolist()
    [1.0]
    """
    where = "principal_components"
    points = as_points(where, maps, device, gauge=gauge, reference=reference)
    most = min(points.shape)
    if not 1 <= n_components <= most:
        raise problem(where, "n_components", got=n_components, need=f"between 1 and {most}", do="2 is usual")
    points -= points.mean(0)
    values, vectors = torch.linalg.eigh(points.T @ points)
    directions = vectors[:, -n_components:].flip(1).T
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    directions = directions * torch.where(largest < 0, -1.0, 1.0)
    total = values.clamp(min=0).sum()
    explained = values[-n_components:].flip(0).clamp(min=0) / total.clamp(min=torch.finfo(total.dtype).tiny)
    parts = (points @ directions.T, directions, explained)
    return PrincipalComponents(*(part.cpu().numpy() for part in parts))


def embed_umap(
    graph: NeighbourGraph, maps: Any, *, n_components: int = 2, min_dist: float = 0.1, random_state: int = 0
) -> np.ndarray:
    """UMAP of a neighbour graph.

    Parameters
    ----------
    graph : NeighbourGraph
        Of `maps`; UMAP's ``n_neighbors``, which counts a map itself, is ``graph.k + 1``.
    maps : array or tensor (N, 4, L)
        For the start and for components that are not connected.
    n_components, min_dist
        As in umap-learn.
    random_state : int

    Returns
    -------
    array (N, n_components), float32

    Raises
    ------
    NbinterpError
        Where umap-learn is not installed; it comes with ``nbinterp[mechanism]``.
    """
    umap = optional("embed_umap", "method", "umap", "umap")
    points = as_points("embed_umap", maps, "cpu").numpy()
    _same("embed_umap", graph, points)
    itself = np.arange(len(points))[:, None]
    known = (
        np.concatenate([itself, graph.indices], axis=1).astype(np.int32),
        np.concatenate([np.zeros_like(itself), graph.distances], axis=1).astype(np.float32),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, and that new points cannot be added: neither is asked for
        reducer = umap.UMAP(
            n_neighbors=graph.k + 1,
            n_components=n_components,
            min_dist=min_dist,
            random_state=random_state,
            precomputed_knn=known,
            force_approximation_algorithm=True,  # else small inputs are searched again
        )
        return np.asarray(reducer.fit_transform(points), np.float32)


def embed_tsne(
    graph: NeighbourGraph, maps: Any, *, n_components: int = 2, perplexity: float | None = None, random_state: int = 0
) -> np.ndarray:
    """t-SNE of a neighbour graph, begun at the principal components.

    Parameters
    ----------
    graph : NeighbourGraph
        Of `maps`.
    maps : array or tensor (N, 4, L)
    n_components : int
        1 or 2.
    perplexity : float, optional
        At most, and by default, a third of the neighbours.
    random_state : int

    Returns
    -------
    array (N, n_components), float32

    Raises
    ------
    NbinterpError
        For a perplexity that the graph is too small for, or where openTSNE is not installed; it comes with
        ``nbinterp[mechanism]``.
    """
    where = "embed_tsne"
    optional(where, "method", "t-sne", "openTSNE")
    affinity = optional(where, "method", "t-sne", "openTSNE.affinity")
    nearest = optional(where, "method", "t-sne", "openTSNE.nearest_neighbors")
    tsne = optional(where, "method", "t-sne", "openTSNE")
    _same(where, graph, maps)
    wanted = graph.k / 3 if perplexity is None else perplexity
    if not 1 <= wanted <= graph.k / 3:
        need, do = f"between 1 and {graph.k / 3:g}, a third of the graph's k", "make a graph with more neighbours"
        raise problem(where, "perplexity", got=wanted, need=need, do=do)
    start = principal_components(maps, n_components).coordinates
    start = start / max(float(start[:, 0].std()), np.finfo(float).tiny) * 1e-4
    known = nearest.PrecomputedNeighbors(graph.indices, graph.distances)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        similar = affinity.PerplexityBasedNN(knn_index=known, perplexity=wanted, random_state=random_state)
        model = tsne.TSNE(n_components=n_components, random_state=random_state, negative_gradient_method="bh")
        return np.asarray(model.fit(affinities=similar, initialization=start), np.float32)


def _same(where: str, graph: NeighbourGraph, maps: Any) -> None:
    n = len(graph.indices)
    if len(maps) != n:
        raise problem(where, "maps", got=f"{len(maps)} maps", need=f"the {n} of the graph", do="pass the same maps")
