"""Background separation, against SEAM's loops and its laws."""

from __future__ import annotations

import numpy as np
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.background import separate_background
from nbinterp.mechanism.summary_sums import FineSums, fine_sums

RATE = 0.1


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clusters that each keep another stretch, over a background of ones."""
    rng = np.random.default_rng(0)
    n, length = 1500, 30
    labels = rng.integers(0, 4, n)
    mutated = rng.random((n, length)) < RATE
    for k in range(3):
        mutated[np.ix_(labels == k, range(8 * k, 8 * k + 6))] = False
    codes = np.where(mutated, rng.integers(1, 4, (n, length)), 0)
    return rng.normal(1, 0.5, (n, 4, length)), codes, labels


def seam(
    maps: np.ndarray, codes: np.ndarray, labels: np.ndarray, rate: float, multiplier: float, adaptive: bool
) -> tuple:
    """SEAM's steps, channels last, position by position."""
    p0 = np.array([1 - rate, rate / 3, rate / 3, rate / 3])
    threshold = multiplier * -(p0 * np.log2(p0)).sum()
    maps = maps.transpose(0, 2, 1)
    clusters = np.unique(labels)
    each = np.zeros((len(clusters), *maps.shape[1:]))
    for i, k in enumerate(clusters):
        for l in range(maps.shape[1]):
            p = np.array([(codes[labels == k, l] == b).mean() for b in range(4)])
            p = p[p > 0]
            if -(p * np.log2(p)).sum() > threshold:
                each[i, l] = maps[labels == k][:, l].mean(0)
    background = each.mean(0)
    scale = np.ones(len(clusters))
    if adaptive:
        for i in range(len(clusters)):
            valid = np.any(each[i] != 0, axis=1) & np.any(background != 0, axis=1)
            if valid.any():
                scale[i] = np.abs(each[i][valid]).sum() / np.abs(background[valid]).sum()
    foreground = np.stack([maps[labels == k].mean(0) - s * background for k, s in zip(clusters, scale, strict=True)])
    return each.transpose(0, 2, 1), background.T, scale, foreground.transpose(0, 2, 1)


@pytest.mark.parity
@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("multiplier", [0.2, 0.5, 1.0, 1.1, 9.0])
def test_parity_8_background(rows: tuple, multiplier: float, adaptive: bool) -> None:
    found = separate_background(fine_sums(*rows), rate=RATE, multiplier=multiplier, adaptive=adaptive)
    expected = seam(*rows, RATE, multiplier, adaptive)
    for ours, theirs in zip((found.clusters, found.background, found.scale, found.foreground), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_what_a_cluster_keeps_is_its_foreground(rows: tuple) -> None:
    found = separate_background(fine_sums(*rows), rate=RATE)
    for k in range(3):
        kept = np.zeros(30, bool)
        kept[8 * k : 8 * k + 6] = True
        np.testing.assert_array_equal(found.entropic[k], ~kept)
    free = found.entropic.all(axis=0)
    assert abs(found.foreground[:, :, free].mean()) < 1e-12  # what all share is gone


def test_laws(rows: tuple) -> None:
    maps, codes, labels = rows
    sums = fine_sums(maps, codes, labels)
    none = separate_background(sums, multiplier=99)
    assert not none.background.any()
    np.testing.assert_array_equal(none.foreground, sums.means)
    np.testing.assert_array_equal(separate_background(sums, multiplier=99, adaptive=True).scale, 1)
    # linear in the maps, and adaptive scales do not see their unit
    once, twice = (separate_background(fine_sums(s * maps, codes, labels), adaptive=True) for s in (1, 2))
    np.testing.assert_allclose(twice.foreground, 2 * once.foreground)
    np.testing.assert_allclose(twice.scale, once.scale)
    # a cluster whose background is twice as strong is told so
    louder = maps * np.where(labels == 3, 2, 1)[:, None, None]
    scale = separate_background(fine_sums(louder, codes, labels), adaptive=True).scale
    assert scale[3] / scale[:3].mean() == pytest.approx(2, rel=0.2)


def test_a_second_call_is_not_the_first(rows: tuple) -> None:
    """SEAM caches: later parameters are ignored."""
    sums = fine_sums(*rows)
    assert separate_background(sums, rate=0.1).threshold != separate_background(sums, rate=0.01).threshold


def test_background_of_merged_fine_clusters_needs_no_maps(rows: tuple) -> None:
    maps, codes, labels = rows
    rng = np.random.default_rng(1)
    fine = fine_sums(maps, codes, labels * 10 + rng.integers(0, 10, len(labels)))
    merged: FineSums = fine.merge(fine.labels // 10)
    ours, direct = (separate_background(s, adaptive=True) for s in (merged, fine_sums(maps, codes, labels)))
    np.testing.assert_allclose(ours.foreground, direct.foreground, atol=1e-12)


def test_bad_arguments(rows: tuple) -> None:
    sums = fine_sums(*rows)
    with pytest.raises(NbinterpError, match=r"separate_background\(multiplier\): got -1; need at least 0"):
        separate_background(sums, multiplier=-1)
    with pytest.raises(NbinterpError, match=r"\(rate\): got 2; need between 0 and 1"):
        separate_background(sums, rate=2)
