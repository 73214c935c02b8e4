"""Agreement, silhouette and consensus, against naive ones and scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.cluster import cluster_maps
from nbinterp.mechanism.stability import adjusted_rand, silhouette, stability_of


def naive_rand(a: np.ndarray, b: np.ndarray) -> float:
    """Over all pairs."""
    pairs = [(i, j) for i in range(len(a)) for j in range(i)]
    one, two = (np.array([x[i] == x[j] for i, j in pairs]) for x in (a, b))
    together, expected = (one & two).sum(), one.sum() * two.sum() / len(pairs)
    return float((together - expected) / ((one.sum() + two.sum()) / 2 - expected))


@pytest.mark.parametrize("seed", range(4))
def test_agreement_is_over_all_pairs(seed: int) -> None:
    random = np.random.RandomState(seed)
    a = random.randint(4, size=40)
    b = np.where(random.random_sample(40) < 0.7, a, random.randint(5, size=40)) - 1
    np.testing.assert_allclose(adjusted_rand(a, b), naive_rand(a, b))
    assert adjusted_rand(a, b) == adjusted_rand(b, a)
    assert adjusted_rand(a, a * 7 - 3) == 1
    metrics = pytest.importorskip("sklearn.metrics")
    np.testing.assert_allclose(adjusted_rand(a, b), metrics.adjusted_rand_score(a, b))


def test_agreement_of_nothing_to_disagree_about_is_one() -> None:
    assert adjusted_rand([0, 0], [1, 1]) == 1
    assert adjusted_rand([0, 1, 2], [2, 1, 0]) == 1
    assert adjusted_rand([0], [0]) == 1


def naive_silhouette(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    distances, out = cdist(points, points), np.full(len(labels), np.nan)
    for i in np.flatnonzero(labels >= 0):
        means = {}
        for k in set(labels[labels >= 0]):
            members = (labels == k) & (np.arange(len(labels)) != i)
            means[k] = distances[i, members].mean() if members.any() else None
        own = means.pop(labels[i])
        other = min(means.values())
        out[i] = 0 if own is None else (other - own) / max(other, own)
    return out


def test_silhouette_is_the_naive_one() -> None:
    random = np.random.RandomState(0)
    maps, labels = random.standard_normal((60, 4, 3)), random.randint(-1, 4, size=60)
    labels[0] = 9  # the only one of its cluster
    found = silhouette(maps, labels)
    np.testing.assert_allclose(found, naive_silhouette(maps.reshape(60, -1), labels), atol=1e-9)
    part = silhouette(maps, labels, at_most=20, random_state=1)
    assert (~np.isnan(part)).sum() == 20
    np.testing.assert_allclose(part[~np.isnan(part)], found[~np.isnan(part)])


def test_silhouette_of_one_cluster_is_undefined() -> None:
    assert np.isnan(silhouette(np.eye(4), [0, 0, 0, -1])).all()


def test_silhouette_on_another_device(second_device: str) -> None:
    random = np.random.RandomState(0)
    maps, labels = random.standard_normal((40, 4, 3)), random.randint(-1, 3, size=40)
    np.testing.assert_allclose(silhouette(maps, labels, device=second_device), silhouette(maps, labels), atol=1e-9)


def test_labels_of_other_maps_are_refused() -> None:
    with pytest.raises(NbinterpError, match=r"silhouette\(labels\): got shape \(3,\); need one for each of 4 maps"):
        silhouette(np.eye(4), [0, 1, 2])


def test_consensus_is_that_of_the_whole_matrix() -> None:
    """Two clusters, and refits that are given: pairs drawn together, and pairs kept together, counted one by one."""
    random = np.random.RandomState(0)
    labels = np.repeat([0, 1, -1], [12, 7, 3])
    maps = random.standard_normal((22, 3))
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def refit(part: np.ndarray) -> np.ndarray:
        rows = np.array([int(np.flatnonzero((maps == row).all(1))[0]) for row in part])
        seen.append((rows, random.randint(3, size=len(rows))))
        return seen[-1][1]

    found = stability_of(maps, labels, refit, n_refits=6, fraction=0.6, random_state=5)
    kept, drawn = np.zeros((22, 22)), np.zeros((22, 22))
    for rows, new in seen:
        drawn[np.ix_(rows, rows)] += 1
        kept[np.ix_(rows, rows)] += new[:, None] == new
    inside = (labels[:, None] == labels) & ~np.eye(22, dtype=bool) & (labels >= 0)
    with np.errstate(invalid="ignore"):
        each = (kept * inside).sum(1) / (drawn * inside).sum(1)
    np.testing.assert_allclose(found.map_consensus, each)
    for k in range(2):
        of = inside & (labels == k)
        np.testing.assert_allclose(found.consensus[k], kept[of].sum() / drawn[of].sum())
    expected = [adjusted_rand(labels[rows], new) for rows, new in seen]
    np.testing.assert_allclose(found.agreement, expected)
    assert found.n_maps == len(seen[0][0]) == 13
    assert found.table().shape == (2, 2)


def test_clusters_that_are_there_come_back_and_others_do_not() -> None:
    random = np.random.RandomState(0)
    noise = random.standard_normal((100, 4, 3))
    truth = np.arange(100) % 3
    found = cluster_maps(noise * 0.1 + truth[:, None, None], 3).stability
    assert found.agreement.min() == 1
    assert found.silhouette.min() > 0.7
    shaken = cluster_maps(noise, 3).stability
    assert shaken.agreement.max() < 0.9
    assert np.nanmax(shaken.silhouette) < 0.3
    assert np.nanmean(shaken.consensus) < 0.95
    assert "adjusted Rand index 1.00 (1.00 to 1.00) over 5 refits on 90 maps; silhouette 0." in str(found)
    assert str(cluster_maps(noise, 3, n_refits=0).stability).startswith("no refits; silhouette")


def test_a_seed_gives_the_same_numbers_and_a_tensor_too() -> None:
    maps = np.random.RandomState(0).standard_normal((40, 4, 3)).astype(np.float32)
    one, two = cluster_maps(maps, 4, random_state=3), cluster_maps(torch.from_numpy(maps), 4, random_state=3)
    assert np.array_equal(one.stability.agreement, two.stability.agreement)
    assert not np.array_equal(one.stability.agreement, cluster_maps(maps, 4, random_state=4).stability.agreement)


def test_refits_are_of_a_bounded_size() -> None:
    maps = np.random.RandomState(0).standard_normal((80, 6))
    assert cluster_maps(maps, 4, at_most=30).stability.n_maps == 30
    with pytest.raises(NbinterpError, match=r"fraction\): got 0; need above 0"):
        cluster_maps(maps, 4, fraction=0)


@pytest.mark.real
def test_clusters_of_real_maps_are_a_noisy_partition(data_dir: Path) -> None:
    """Published as 0.35 to 0.69 for refits on nine tenths of these maps, from 5 to 30 clusters."""
    maps = np.load(data_dir / "deepstarr_intgrad_maps_1000x249x4.npy")
    agreement = cluster_maps(maps, 10, n_refits=2, at_most=900).stability.agreement
    assert 0.3 < agreement.mean() < 0.75
