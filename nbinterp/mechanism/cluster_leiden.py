"""Leiden's communities of the neighbour graph.

In: a `NeighbourGraph`.  Out: labels in order of first members.  Source: Traag et al. 2019; the weights, shared neighbours
by Jaccard, are those of Levine et al. 2015 (PhenoGraph).  Needs the extra ``mechanism``.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ..errors import NbinterpError, problem
from .cluster_kmeans import in_order
from .neighbours import NeighbourGraph

__all__ = ["leiden", "optional", "shared_neighbours"]


def optional(where: str, argument: str, value: str, module: str) -> Any:
    """Import a library of the extra ``mechanism``, or say how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        need, do = f"{module.partition('.')[0]}, which is not installed", "pip install 'nbinterp[mechanism]'"
        raise problem(where, argument, got=repr(value), need=need, do=do, kind=NbinterpError) from error


def shared_neighbours(graph: NeighbourGraph) -> tuple[np.ndarray, np.ndarray]:
    """Edges (E, 2), i < j, of maps of which one is a neighbour of the other, and their weights.

    A weight is the part that the two neighbourhoods, each with its own map in it, share of all that is in either.

    Examples
    --------
    >>> graph = NeighbourGraph(np.array([[1], [0], [1]]), np.ones((3, 1)))
    >>> edges, weights = shared_neighbours(graph)
    >>> edges.tolist(), weights.round(2).tolist()
    ([[0, 1], [1, 2]], [1.0, 0.33])
    """
    from scipy.sparse import csr_array

    n, k = graph.indices.shape
    with_self = np.concatenate([np.arange(n)[:, None], graph.indices], axis=1)
    sets = csr_array((np.ones(n * (k + 1)), with_self.ravel(), np.arange(0, n * (k + 1) + 1, k + 1)), shape=(n, n))
    i, j = np.repeat(np.arange(n), k), graph.indices.ravel()
    edges = np.unique(np.stack([np.minimum(i, j), np.maximum(i, j)], axis=1), axis=0)
    step = 2**16
    shared = np.concatenate(
        [
            np.asarray(sets[part[:, 0]].multiply(sets[part[:, 1]]).sum(axis=1)).ravel()
            for part in np.split(edges, range(step, len(edges), step))
        ]
    )
    return edges, shared / (2 * (k + 1) - shared)


def leiden(graph: NeighbourGraph, *, resolution: float = 1.0, random_state: int = 0) -> np.ndarray:
    """Communities of greatest modularity at the resolution, in order of first members.

    Parameters
    ----------
    graph : NeighbourGraph
    resolution : float
        More gives more and smaller ones.
    random_state : int

    Returns
    -------
    array (N,), int64

    Raises
    ------
    NbinterpError
        Where leidenalg is not installed; it comes with ``nbinterp[mechanism]``.
    """
    leidenalg = optional("leiden", "method", "leiden", "leidenalg")
    igraph = optional("leiden", "method", "leiden", "igraph")
    edges, weights = shared_neighbours(graph)
    net = igraph.Graph(n=len(graph.indices), edges=edges.tolist())
    kind = leidenalg.RBConfigurationVertexPartition
    found = leidenalg.find_partition(
        net, kind, weights=weights.tolist(), resolution_parameter=resolution, n_iterations=-1, seed=random_state
    )
    return in_order(np.asarray(found.membership))
