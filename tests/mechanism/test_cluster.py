"""Neighbours, the other clusterings, embeddings, cuts: against naive ones, SciPy and scikit-learn."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from scipy.cluster import hierarchy
from scipy.spatial.distance import cdist

from nbinterp.errors import NbinterpError, NbinterpWarning
from nbinterp.mechanism import neighbours as neighbours_module
from nbinterp.mechanism.cluster import cluster_maps
from nbinterp.mechanism.cluster_dbscan import dbscan
from nbinterp.mechanism.cluster_embed import embed_tsne, embed_umap, principal_components
from nbinterp.mechanism.cluster_kmeans import in_order, kmeans
from nbinterp.mechanism.cluster_leiden import leiden, shared_neighbours
from nbinterp.mechanism.cluster_tree import cut_tree
from nbinterp.mechanism.neighbours import NeighbourGraph, nearest_neighbours
from nbinterp.mechanism.stability import adjusted_rand
from nbinterp.mechanism.ward import ward_linkage


def blobs(n: int, length: int, k: int, seed: int, spread: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Maps around k centres, and whose they are."""
    random = np.random.RandomState(seed)
    centres, truth = random.standard_normal((k, 4, length)), random.randint(k, size=n)
    return (centres[truth] + spread * random.standard_normal((n, 4, length))).astype(np.float32), truth


# -- neighbours ----------------------------------------------------------------------------------------------------------


def naive_neighbours(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """By all distances; of equals the first."""
    squares = np.array([[((a - b) ** 2).sum() for b in points] for a in points])
    np.fill_diagonal(squares, np.inf)
    order = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return order, np.sqrt(np.take_along_axis(squares, order, 1))


@pytest.mark.parametrize(("n", "k"), [(2, 1), (30, 5), (120, 15), (10, 9)])
def test_neighbours_are_the_naive_ones(n: int, k: int) -> None:
    maps, _ = blobs(n, 6, 3, seed=n)
    graph = nearest_neighbours(maps, k)
    indices, distances = naive_neighbours(maps.reshape(n, -1).astype(float), k)
    assert np.array_equal(graph.indices, indices)
    np.testing.assert_allclose(graph.distances, distances, rtol=1e-9)
    assert graph.k == k


def test_ties_and_identical_maps_give_the_first_neighbours() -> None:
    points = np.random.RandomState(0).randint(0, 3, (150, 3)).astype(float)
    graph = nearest_neighbours(points, 6)
    indices, distances = naive_neighbours(points, 6)
    assert np.array_equal(graph.indices, indices)
    np.testing.assert_allclose(graph.distances, distances, atol=1e-12)


def test_float64_decides_where_float32_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.RandomState(1).standard_normal((120, 5)) * 1e-4
    points[:3] += 1e3
    monkeypatch.setattr(neighbours_module, "_SPARE", 1)
    assert np.array_equal(nearest_neighbours(points, 4).indices[3:], naive_neighbours(points, 4)[0][3:])


def test_neighbours_on_another_device(second_device: str) -> None:
    maps, _ = blobs(30, 3, 3, seed=0)
    ours, other = nearest_neighbours(maps, 5, device="cpu"), nearest_neighbours(maps, 5, device=second_device)
    assert np.array_equal(ours.indices, other.indices)
    np.testing.assert_allclose(ours.distances, other.distances, rtol=1e-12)


def test_a_k_that_is_too_large_is_refused() -> None:
    with pytest.raises(NbinterpError, match=r"nearest_neighbours\(k\): got 5; need between 1 and 4, for 5 maps"):
        nearest_neighbours(np.eye(5), 5)


# -- cuts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parity  # the checklist of SEAM, 6 and 16: fcluster's cuts, and the level of the cut
def test_cuts_are_scipys_and_say_their_level() -> None:
    maps, _ = blobs(120, 4, 5, seed=0)
    tree = ward_linkage(maps)
    for k in (1, 2, 5, 30, 119, 120, 500):
        cut = cut_tree(tree, k)
        assert np.array_equal(cut.labels, hierarchy.fcluster(tree, k, "maxclust") - 1)
        assert cut.k == min(k, 120) == len(set(cut.labels))
        assert adjusted_rand(cut.labels, cut_tree(tree, height=cut.height).labels) == 1
        level = next(h for h in [*tree[::-1, 2], 0.0] if len(set(hierarchy.fcluster(tree, h, "distance"))) == cut.k)
        assert cut.height == level
        assert cut.below > cut.height
    for height in (0.0, 0.5, 3.0, 1e9):
        assert np.array_equal(cut_tree(tree, height=height).labels, hierarchy.fcluster(tree, height, "distance") - 1)


def test_a_number_that_ties_skip_is_said() -> None:
    corners = np.array([[0.0], [1.0], [10.0], [11.0], [20.0], [21.0]])
    tree = ward_linkage(corners)
    with pytest.warns(NbinterpWarning, match=r"cut_tree\(n_clusters\): got 5, which ties at height 1 skip; cut into 3"):
        cut = cut_tree(tree, 5)
    assert cut.k == 3
    assert np.array_equal(cut.labels, hierarchy.fcluster(tree, 5, "maxclust") - 1)
    with pytest.warns(NbinterpWarning, match="got 4"):
        assert cluster_maps(corners, 4, n_refits=2).k == 3


def test_a_cut_needs_one_of_two() -> None:
    tree = ward_linkage(np.arange(4.0)[:, None] ** 2)
    for wrong in ({}, {"n_clusters": 2, "height": 1.0}):
        with pytest.raises(NbinterpError, match=r"cut_tree\(n_clusters\): got (neither|both)"):
            cut_tree(tree, **wrong)
    with pytest.raises(NbinterpError, match="need at least 1"):
        cut_tree(tree, 0)


# -- k-means -------------------------------------------------------------------------------------------------------------


def inertia_of(points: np.ndarray, labels: np.ndarray) -> float:
    return float(sum(((points[labels == k] - points[labels == k].mean(0)) ** 2).sum() for k in np.unique(labels)))


def test_kmeans_finds_blobs_and_says_its_inertia() -> None:
    maps, truth = blobs(200, 5, 4, seed=1)
    points = torch.from_numpy(maps.reshape(200, -1)).double()
    labels, inertia = kmeans(points, 4)
    assert adjusted_rand(labels, truth) == 1
    np.testing.assert_allclose(inertia, inertia_of(points.numpy(), labels), rtol=1e-9)
    assert np.array_equal(labels, kmeans(points, 4)[0])
    assert np.array_equal(labels, in_order(labels))


def test_kmeans_ends_where_no_map_is_nearer_to_another_mean() -> None:
    points = np.random.RandomState(2).standard_normal((300, 4))
    labels, _ = kmeans(torch.from_numpy(points), 7)
    means = np.stack([points[labels == k].mean(0) for k in range(7)])
    assert np.array_equal(cdist(points, means).argmin(1), labels)


@pytest.mark.parity
def test_kmeans_is_no_worse_than_scikit_learns() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    points = np.random.RandomState(3).standard_normal((150, 6))
    theirs = cluster.KMeans(4, n_init=10, random_state=0).fit(points).inertia_
    assert kmeans(torch.from_numpy(points), 4)[1] < 1.02 * theirs


def test_kmeans_of_fewer_kinds_than_clusters_says_so() -> None:
    maps = np.repeat(np.eye(3), 4, axis=0)
    with pytest.warns(NbinterpWarning, match=r"got 5, but the maps are of 3 kinds; made 3 clusters"):
        found = cluster_maps(maps, 5, "kmeans", n_refits=2)
    assert found.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_kmeans_on_another_device(second_device: str) -> None:
    maps, _ = blobs(60, 3, 3, seed=0)
    points = torch.from_numpy(maps.reshape(60, -1)).double()
    assert np.array_equal(kmeans(points, 3, n_init=2)[0], kmeans(points.to(second_device), 3, n_init=2)[0])


# -- DBSCAN --------------------------------------------------------------------------------------------------------------


def naive_dbscan(points: np.ndarray, eps: float, min_samples: int) -> np.ndarray:
    near = cdist(points, points) <= eps
    core, labels, k = near.sum(1) >= min_samples, np.full(len(points), -1), 0
    for start in range(len(points)):
        if not core[start] or labels[start] >= 0:
            continue
        stack = [start]
        while stack:
            i = stack.pop()
            if labels[i] < 0:
                labels[i] = k
                stack.extend(np.flatnonzero(near[i] & (labels < 0)) if core[i] else [])
        k += 1
    return labels


@pytest.mark.parametrize(("eps", "min_samples"), [(0.3, 4), (0.5, 8), (0.05, 2), (10, 3), (0.4, 1)])
def test_dbscan_is_the_naive_one(eps: float, min_samples: int) -> None:
    points = np.random.RandomState(0).standard_normal((250, 2))
    labels = dbscan(torch.from_numpy(points), eps, min_samples)
    assert np.array_equal(labels, naive_dbscan(points, eps, min_samples))


@pytest.mark.parity
def test_dbscan_is_scikit_learns() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    points = np.random.RandomState(1).standard_normal((250, 2))
    theirs = cluster.DBSCAN(eps=0.3, min_samples=5).fit_predict(points)
    assert np.array_equal(dbscan(torch.from_numpy(points), 0.3, 5), theirs)


def test_dbscan_on_another_device(second_device: str) -> None:
    points = torch.from_numpy(np.random.RandomState(0).standard_normal((60, 2)))
    assert np.array_equal(dbscan(points, 0.5, 4), dbscan(points.to(second_device), 0.5, 4))


def test_dbscan_of_noise_alone_and_without_a_radius() -> None:
    found = cluster_maps(np.arange(5.0)[:, None] * 100, method="dbscan", eps=1.0, min_samples=2, n_refits=2)
    assert found.k == 0
    assert found.labels.tolist() == [-1] * 5
    assert found.sizes.tolist() == []
    assert np.isnan(found.stability.map_silhouette).all()
    with pytest.raises(NbinterpError, match=r"cluster_maps\(eps\): got None; need a radius above 0"):
        cluster_maps(np.eye(4), method="dbscan")


# -- Leiden and embeddings -----------------------------------------------------------------------------------------------


def test_shared_neighbours_are_jaccards() -> None:
    maps, _ = blobs(40, 3, 2, seed=3)
    graph = nearest_neighbours(maps, 4)
    edges, weights = shared_neighbours(graph)
    sets = [{i, *row} for i, row in enumerate(graph.indices.tolist())]
    expected = {tuple(sorted((i, j))) for i, row in enumerate(graph.indices.tolist()) for j in row}
    assert {tuple(edge) for edge in edges.tolist()} == expected
    for (i, j), weight in zip(edges.tolist(), weights, strict=True):
        np.testing.assert_allclose(weight, len(sets[i] & sets[j]) / len(sets[i] | sets[j]))


def test_leiden_finds_blobs() -> None:
    pytest.importorskip("leidenalg")
    maps, truth = blobs(120, 4, 3, seed=0)
    found = cluster_maps(maps, method="leiden", resolution=0.2, n_refits=1)
    assert adjusted_rand(found.labels, truth) == 1
    assert found.linkage is None
    graph = nearest_neighbours(maps)
    assert np.array_equal(leiden(graph, random_state=3), leiden(graph, random_state=3))


def test_umap_keeps_blobs_apart() -> None:
    pytest.importorskip("umap")
    maps, truth = blobs(150, 4, 3, seed=0)
    graph = nearest_neighbours(maps)
    plane = embed_umap(graph, maps)
    assert plane.shape == (150, 2)
    assert adjusted_rand(kmeans(torch.from_numpy(plane).double(), 3)[0], truth) == 1
    assert np.array_equal(plane, embed_umap(graph, maps))


def test_tsne_keeps_blobs_apart() -> None:
    pytest.importorskip("openTSNE")
    maps, truth = blobs(150, 4, 3, seed=0)
    graph = nearest_neighbours(maps, 30)
    plane = embed_tsne(graph, maps)
    assert plane.shape == (150, 2)
    assert adjusted_rand(kmeans(torch.from_numpy(plane).double(), 3)[0], truth) == 1
    with pytest.raises(NbinterpError, match=r"embed_tsne\(perplexity\): got 30; need between 1 and 10"):
        embed_tsne(graph, maps, perplexity=30)
    with pytest.raises(NbinterpError, match=r"got 3 maps; need the 150 of the graph"):
        embed_tsne(graph, maps[:3])


@pytest.mark.parametrize("module", ["leidenalg", "umap", "openTSNE"])
def test_a_library_that_is_not_there_is_named_with_its_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    graph = NeighbourGraph(np.array([[1], [0]]), np.ones((2, 1)))
    calls = {
        "leidenalg": lambda: leiden(graph),
        "umap": lambda: embed_umap(graph, np.eye(2)),
        "openTSNE": lambda: embed_tsne(graph, np.eye(2)),
    }
    with pytest.raises(NbinterpError, match=rf"need {module}, which is not installed; do pip install 'nbinterp\[mech"):
        calls[module]()


def test_principal_components_are_those_of_the_singular_values() -> None:
    maps, _ = blobs(50, 4, 3, seed=0)
    points = maps.reshape(50, -1).astype(float)
    found = principal_components(maps, 5)
    _, values, vectors = np.linalg.svd(points - points.mean(0), full_matrices=False)
    np.testing.assert_allclose(found.explained, values[:5] ** 2 / (values**2).sum(), rtol=1e-9)
    np.testing.assert_allclose(np.abs(found.directions @ vectors[:5].T), np.eye(5), atol=1e-7)
    np.testing.assert_allclose(found.coordinates, (points - points.mean(0)) @ found.directions.T, atol=1e-9)
    assert (found.directions[np.arange(5), np.abs(found.directions).argmax(1)] > 0).all()
    assert principal_components(np.ones((4, 3)), 2).explained.tolist() == [0, 0]
    with pytest.raises(NbinterpError, match=r"n_components\): got 9; need between 1 and 8"):
        principal_components(np.ones((10, 8)), 9)


def test_principal_components_on_another_device(second_device: str) -> None:
    maps, _ = blobs(50, 2, 3, seed=0)
    ours, other = principal_components(maps, device="cpu"), principal_components(maps, device=second_device)
    np.testing.assert_allclose(ours.coordinates, other.coordinates, atol=1e-9)


# -- the door ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["ward", "average", "complete", "kmeans"])
def test_each_method_finds_blobs_and_says_how_stable_they_are(method: str) -> None:
    maps, truth = blobs(150, 4, 4, seed=2)
    found = cluster_maps(maps, 4, method, n_refits=3)
    assert found.k == 4
    assert adjusted_rand(found.labels, truth) == 1
    assert found.sizes.tolist() == np.bincount(found.labels).tolist()
    assert found.stability.agreement.tolist() == [1, 1, 1]
    assert (found.stability.silhouette > 0.5).all()
    assert (found.stability.consensus == 1).all()
    if method in ("average", "complete"):
        theirs = hierarchy.linkage(maps.reshape(150, -1).astype(float), method)
        np.testing.assert_array_equal(found.linkage, theirs)


def test_a_tree_made_before_is_cut_again() -> None:
    maps, _ = blobs(60, 4, 3, seed=2)
    first = cluster_maps(maps, 3, n_refits=0)
    again = cluster_maps(maps, height=first.height, linkage=first.linkage, n_refits=0)
    assert np.array_equal(first.labels, again.labels)
    assert len(again.stability.agreement) == 0
    with pytest.raises(NbinterpError, match=r"linkage\): got shape \(59, 4\) for ward; need a tree of 50 maps"):
        cluster_maps(maps[:50], 3, linkage=first.linkage)
    with pytest.raises(NbinterpError, match=r"got 3, height 1.0"):
        cluster_maps(maps, 3, height=1.0)


@pytest.mark.parametrize("method", ["ward", "average", "kmeans", "dbscan", "leiden"])
def test_one_map_and_broken_maps_are_refused_by_all(method: str) -> None:
    options = {"eps": 1.0} if method == "dbscan" else {}
    with pytest.raises(NbinterpError, match="got 1 map; need at least 2"):
        cluster_maps(np.ones((1, 4, 5)), method=method, **options)
    maps = np.ones((20, 4, 5))
    maps[2, 0, 0] = np.nan
    with pytest.raises(NbinterpError, match="NaN or infinity in map 2"):
        cluster_maps(maps, method=method, **options)


def test_identical_maps_are_one_cluster_and_said_to_be() -> None:
    with pytest.warns(NbinterpWarning, match="got 30, which ties at height 0 skip; cut into 1"):
        found = cluster_maps(np.ones((40, 4, 5)), n_refits=2)
    assert found.k == 1
    assert found.stability.agreement.tolist() == [1, 1]
    assert np.isnan(found.stability.map_silhouette).all()


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(NbinterpError, match=r"method\): got 'wards' \(did you mean 'ward'\?\)"):
        cluster_maps(np.eye(4), 2, "wards")
