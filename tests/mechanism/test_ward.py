"""Exact Ward: SciPy's tree, row by row, without its matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.cluster import hierarchy

from nbinterp.errors import NbinterpError
from nbinterp.mechanism import neighbours_bounds as bounds_module
from nbinterp.mechanism import neighbours_pairs as pairs_module
from nbinterp.mechanism import ward as ward_module
from nbinterp.mechanism.neighbours_bounds import lower_bounds, narrow, smallest
from nbinterp.mechanism.neighbours_maps import as_points, collapse
from nbinterp.mechanism.neighbours_pairs import least_of_all
from nbinterp.mechanism.ward import ward_linkage
from nbinterp.mechanism.ward_lists import Lists


def mutant_maps(n: int, length: int, seed: int) -> np.ndarray:
    """Maps of three mechanisms, of unequal spread."""
    random = np.random.RandomState(seed)
    centres = random.standard_normal((3, 4, length)) * (random.random_sample((1, 1, length)) < 0.3)
    spread = random.gamma(1.0, 0.3, (n, 1, 1))
    return (centres[random.randint(3, size=n)] + spread * random.standard_normal((n, 4, length))).astype(np.float32)


def naive_ward(points: np.ndarray) -> np.ndarray:
    """Merge the nearest pair until one is left; of equals the one whose members come first."""
    members = {i: [i] for i in range(len(points))}
    rows = []
    for new in range(len(points), 2 * len(points) - 1):
        found = []
        ids = sorted(members, key=lambda i: min(members[i]))
        for x, i in enumerate(ids):
            for j in ids[x + 1 :]:
                a, b = points[members[i]], points[members[j]]
                weight = 2 * len(a) * len(b) / (len(a) + len(b))
                found.append((np.sqrt(weight) * np.linalg.norm(a.mean(0) - b.mean(0)), i, j))
        height, i, j = min(found, key=lambda item: item[0])
        members[new] = members.pop(i) + members.pop(j)
        rows.append((min(i, j), max(i, j), height, len(members[new])))
    return np.array(rows)


def assert_same_tree(ours: np.ndarray, theirs: np.ndarray, rtol: float = 1e-9) -> None:
    assert np.array_equal(ours[:, [0, 1, 3]], theirs[:, [0, 1, 3]])
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=rtol)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_naive_tree(seed: int) -> None:
    points = np.random.RandomState(seed).standard_normal((24, 3))
    assert_same_tree(ward_linkage(points), naive_ward(points))


@pytest.mark.parity  # the checklist of SEAM, 6: Ward is SciPy's
@pytest.mark.parametrize(("n", "wide"), [(2, 1), (3, 2), (500, 1), (2000, 40), (600, 996)])
def test_random_points_give_scipys_rows_and_heights(n: int, wide: int) -> None:
    points = np.random.RandomState(n).standard_normal((n, wide))
    assert_same_tree(ward_linkage(points), hierarchy.linkage(points, "ward"))


@pytest.mark.parity
def test_maps_of_unequal_spread_give_scipys_rows_and_heights() -> None:
    maps = mutant_maps(1500, 30, seed=3)
    assert_same_tree(ward_linkage(maps), hierarchy.linkage(maps.reshape(len(maps), -1).astype(float), "ward"))


@pytest.mark.parity
@pytest.mark.real
def test_real_maps_give_scipys_rows_and_heights(data_dir: Path) -> None:
    maps = np.load(data_dir / "deepstarr_intgrad_maps_1000x249x4.npy", mmap_mode="r")
    theirs = hierarchy.linkage(np.asarray(maps, np.float64).reshape(1000, -1), "ward")
    assert_same_tree(ward_linkage(maps), theirs)
    assert_same_tree(ward_linkage(np.ascontiguousarray(maps.transpose(0, 2, 1))), theirs)  # distances need no layout


@pytest.mark.parity
def test_a_complete_library_gives_scipys_rows_and_heights() -> None:
    """Mutagenesis maps of all 4^6 sequences, gathered from their predictions; many of its distances are alike."""
    y = np.random.RandomState(0).standard_normal([4] * 6)
    maps = np.stack([np.stack([np.take(y, [b], axis=l) - y for b in range(4)]) for l in range(6)], axis=-1)
    maps = np.moveaxis(maps.reshape(4, 4096, 6), 1, 0)
    assert_same_tree(ward_linkage(maps), hierarchy.linkage(maps.reshape(4096, -1), "ward"))


def test_an_offset_that_float32_cannot_hold_does_not_matter() -> None:
    points = np.random.RandomState(1).standard_normal((300, 5)) * 1e-3
    points[:10] += 1e4  # so that the centre does not take it away
    assert_same_tree(ward_linkage(points), hierarchy.linkage(points, "ward"), rtol=1e-6)


def test_a_long_chain_gives_scipys_tree() -> None:
    points = np.cumsum(1.01 ** np.arange(300.0))[:, None]
    assert_same_tree(ward_linkage(points), hierarchy.linkage(points, "ward"))


def test_identical_maps_merge_first_and_the_rest_is_scipys() -> None:
    random = np.random.RandomState(0)
    kinds = random.standard_normal((40, 4, 5))
    maps = kinds[random.randint(40, size=200)]
    maps[0, 0, 0] = 0.0
    maps[maps == 0] = -0.0  # the same number
    ours = ward_linkage(maps)
    theirs = hierarchy.linkage(maps.reshape(200, -1), "ward")
    kinds_seen = len(np.unique(maps.reshape(200, -1) + 0.0, axis=0))
    assert (ours[: 200 - kinds_seen, 2] == 0).all()
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], atol=1e-7)
    for k in (2, 5, 20):
        cuts = [hierarchy.fcluster(tree, k, "maxclust") for tree in (ours, theirs)]
        assert len({*zip(*cuts, strict=True)}) == k


def test_all_maps_identical_is_a_tree_of_zeros() -> None:
    tree = ward_linkage(np.ones((5, 4, 3)))
    assert tree.tolist() == [[0, 1, 0, 2], [2, 5, 0, 3], [3, 6, 0, 4], [4, 7, 0, 5]]


def test_collapse_tells_patterns_of_few_values_apart() -> None:
    """Their bits are alike, and sums of them could be, too."""
    points = torch.from_numpy(np.random.RandomState(0).randint(0, 2, (2000, 12)).astype(float))
    first, weights, _ = collapse(points)
    kinds, counts = np.unique(points.numpy(), axis=0, return_counts=True)
    assert len(first) == len(kinds)
    assert sorted(weights.tolist()) == sorted(counts.tolist())


def test_collapse_finds_the_first_of_each_kind() -> None:
    points = torch.tensor([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0], [-0.0, 0.0], [2.0, 1.0]], dtype=torch.float64)
    first, weights, pairs = collapse(points)
    assert first.tolist() == [0, 1, 4]
    assert weights.tolist() == [2, 2, 1]
    assert pairs.tolist() == [[0, 2], [1, 3]]


@pytest.mark.parametrize("seed", range(3))
def test_massive_ties_give_a_valid_tree_of_least_merges(seed: int) -> None:
    """On a grid most distances tie: each merge is still of nearest neighbours, and the order of maps decides."""
    points = np.random.RandomState(seed).randint(0, 3, (300, 4)).astype(float)
    tree = ward_linkage(points)
    assert hierarchy.is_valid_linkage(tree)
    assert hierarchy.is_monotonic(tree)
    sizes, means = [1] * 300, list(points)
    for a, b, height, size in tree:
        i, j = int(a), int(b)
        n, m = sizes[i], sizes[j]
        expected = np.sqrt(2 * n * m / (n + m)) * np.linalg.norm(means[i] - means[j])
        np.testing.assert_allclose(height, expected, atol=1e-9)
        sizes.append(int(size))
        means.append((n * means[i] + m * means[j]) / (n + m))
    assert np.array_equal(tree, ward_linkage(torch.from_numpy(points)))


def test_ties_are_broken_by_the_earliest_member() -> None:
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert ward_linkage(square)[:2, :2].tolist() == [[0, 1], [2, 3]]
    assert_same_tree(ward_linkage(square), naive_ward(square))


def test_the_engine_of_scipy_is_scipys_to_the_bit() -> None:
    points = np.random.RandomState(0).randint(0, 3, (200, 4)).astype(float)
    assert np.array_equal(ward_linkage(points, engine="scipy"), hierarchy.linkage(points, "ward"))


def test_short_lists_and_patience_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = mutant_maps(150, 5, seed=5)
    expected = ward_linkage(maps)
    for length, wait, least, part in [(1, 1, 1, 8), (2, 2**40, 128, 8), (3, 8, 5, 2), (500, 64, 1, 1)]:
        monkeypatch.setattr(ward_module, "_LENGTH", length)
        monkeypatch.setattr(ward_module, "_PACE", ward_module._Pace(wait, least, part))
        assert np.array_equal(ward_linkage(maps), expected)


@pytest.mark.parametrize("seed", range(3))
def test_lists_hold_all_that_is_within_their_rim(seed: int) -> None:
    """What makes it exact, after every round: nothing outside a list is nearer than its rim, and bounds are below."""
    maps = mutant_maps(60, 5, seed)
    points = as_points("test", maps)
    lists = Lists(points - points.mean(0), torch.ones(60, dtype=torch.float64), 4)
    lists.refresh(torch.arange(60))
    while lists.alive.sum() > 1:
        active = torch.nonzero(lists.alive)[:, 0]
        for x in active.tolist():
            others = active[active != x]
            truth = dict(zip(others.tolist(), lists.exact(torch.full_like(others, x), others).tolist(), strict=True))
            entries = {int(i): float(v) for i, v in zip(lists.near[x], lists.low[x], strict=True) if v < np.inf}
            assert all(entries[y] <= truth[y] * (1 + 1e-12) for y in entries)
            assert all(truth[y] >= float(lists.rim[x]) * (1 - 1e-12) for y in truth if y not in entries)
            if lists.nearest[x] >= 0:
                assert truth[int(lists.nearest[x])] == min(truth.values())
        hungry = active[lists.nearest[active] < 0]
        if len(hungry):
            lists.refresh(hungry)
        nearest = lists.nearest[active]
        a = active[(nearest > active) & (lists.nearest[nearest] == active)]
        lists.merge(a, lists.nearest[a])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bounds_are_below_the_truth_and_close(dtype: torch.dtype) -> None:
    points = torch.from_numpy(np.random.RandomState(0).standard_normal((200, 996)))
    points[::3] = points[::3] * 1e-3 + 2
    tile = narrow(points, torch.arange(200), dtype)
    truth = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").square()
    bounds = lower_bounds(tile, tile).double()
    assert (bounds <= truth).all()
    assert (truth - bounds <= 4 * tile.slack * (tile.norms[:, None] + tile.norms)).all()


@pytest.mark.parametrize(("n", "k"), [(5, 3), (1000, 7), (1003, 7), (4096, 48)])
def test_smallest_is_a_selection(n: int, k: int) -> None:
    values = torch.from_numpy(np.random.RandomState(n).permutation(3 * n).reshape(3, n).astype(float))
    low, at = smallest(values, k)
    assert torch.equal(low, values.sort(dim=1).values[:, :k])
    assert torch.equal(values.gather(1, at), low)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("rows", "cells"), [(1, 1), (7, 40), (16, 2**22), (1000, 2**22)])
def test_the_least_of_all_pairs_are_those_of_every_row(
    rows: int, cells: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the pairs are cut into tiles."""
    monkeypatch.setattr(pairs_module, "_ROWS", rows)
    monkeypatch.setattr(bounds_module, "_ROWS", 1)
    monkeypatch.setattr(bounds_module, "_CELLS", cells)
    random = np.random.RandomState(0)
    points = torch.from_numpy(random.standard_normal((50, 6)))
    points[20:25] = points[30:35]  # ties
    weights = torch.from_numpy(random.randint(1, 9, 50).astype(float)) if weighted else torch.ones(50).double()
    tile = narrow(points, torch.arange(50), torch.float64)
    low, at = least_of_all(tile, 5, 0.5 / weights if weighted else None)
    truth = lower_bounds(tile, tile) * (2 * weights[:, None] * weights / (weights[:, None] + weights))
    truth.fill_diagonal_(torch.inf)
    torch.testing.assert_close(low, truth.sort(dim=1).values[:, :5])
    torch.testing.assert_close(low, truth.gather(1, at))
    assert all(len(set(row)) == 5 for row in at.tolist())


def test_clusters_that_are_gone_give_up_their_slots() -> None:
    """Nothing else changes: neither names, nor bounds, nor the order of slots."""
    maps = mutant_maps(60, 5, seed=1)
    lists = Lists(as_points("test", maps), torch.ones(60, dtype=torch.float64), 6)
    lists.start()
    while lists.alive.sum() > 20:
        nearest = lists.nearest
        hungry = torch.nonzero(lists.alive & (nearest < 0))[:, 0]
        if len(hungry):
            lists.refresh(hungry)
        slots = torch.nonzero(lists.alive)[:, 0]
        a = slots[(lists.nearest[slots] > slots) & (lists.nearest[lists.nearest[slots]] == slots)]
        lists.merge(a, lists.nearest[a])
    kept, names = lists.alive.clone(), lists.first
    before = {
        name: getattr(lists, name)[kept].clone() for name in ("first", "weights", "points", "rim", "low", "height")
    }
    nearest = [int(names[i]) if i >= 0 else -1 for i in lists.nearest[kept]]
    near = torch.where(lists.low[kept] < torch.inf, names[lists.near[kept]], -1)
    norms = lists.tile.norms[kept]
    lists.close_up()
    assert bool(lists.alive.all())
    for name, values in before.items():
        assert torch.equal(getattr(lists, name), values)
    assert [int(lists.first[i]) if i >= 0 else -1 for i in lists.nearest] == nearest
    assert torch.equal(torch.where(lists.low < torch.inf, lists.first[lists.near], -1), near)
    assert torch.equal(lists.tile.norms, norms)
    assert torch.equal(lists.tile.rows, lists.points.float())
    slots = len(lists.alive)
    lists.close_up()
    assert len(lists.alive) == slots


@pytest.mark.parametrize("length", [2, 48])
def test_another_device_gives_the_same_tree_when_lists_run_empty(
    length: int, second_device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ward_module, "_LENGTH", length)
    monkeypatch.setattr(pairs_module, "_ROWS", 16)
    monkeypatch.setattr(bounds_module, "_ROWS", 4)
    monkeypatch.setattr(bounds_module, "_CELLS", 2**7)
    points = np.random.RandomState(3).standard_normal((60, 4))
    points[50:54] = points[0]
    points[54:] = np.round(points[54:])
    assert_same_tree(ward_linkage(points, device=second_device), ward_linkage(points, device="cpu"))


def test_another_device_gives_the_same_tree(second_device: str) -> None:
    maps = mutant_maps(40, 3, seed=2)
    maps[7] = maps[3]
    expected = ward_linkage(maps, device="cpu")
    assert_same_tree(ward_linkage(torch.from_numpy(maps).to(second_device)), expected)
    assert_same_tree(ward_linkage(maps, device=second_device), expected)


def test_the_gauge_is_a_choice() -> None:
    maps = mutant_maps(50, 6, seed=4)
    shifted = maps + np.random.RandomState(0).standard_normal((50, 1, 6)).astype(np.float32)
    assert not np.allclose(ward_linkage(maps)[:, 2], ward_linkage(shifted)[:, 2], rtol=1e-3)
    np.testing.assert_allclose(
        ward_linkage(maps, gauge="hierarchical")[:, 2], ward_linkage(shifted, gauge="hierarchical")[:, 2], rtol=1e-5
    )
    reference = np.eye(4)[:, [0, 1, 2, 3, 0, 1]]
    points = as_points("test", shifted.transpose(0, 2, 1), gauge="wild-type", reference=reference).numpy()
    expected = shifted - (shifted * reference).sum(1, keepdims=True)
    np.testing.assert_allclose(points.reshape(50, 4, 6), expected, atol=1e-6)
    assert_same_tree(
        ward_linkage(shifted, gauge="wild-type", reference=reference),
        hierarchy.linkage(expected.reshape(50, -1).astype(float), "ward"),
        rtol=1e-5,
    )


def test_what_cannot_be_clustered_is_refused() -> None:
    maps = mutant_maps(5, 4, seed=0)
    with pytest.raises(NbinterpError, match=r"ward_linkage\(maps\): got 1 map; need at least 2"):
        ward_linkage(maps[:1])
    with pytest.raises(NbinterpError, match=r"got 0 maps"):
        ward_linkage(maps[:0])
    with pytest.raises(NbinterpError, match=r"got a list; need an array"):
        ward_linkage([1, 2])
    with pytest.raises(NbinterpError, match=r"got shape \(5,\)"):
        ward_linkage(np.ones(5))
    for bad in (np.nan, np.inf):
        broken = maps.copy()
        broken[3, 1, 2] = bad
        with pytest.raises(NbinterpError, match=r"NaN or infinity in map 3; need finite"):
            ward_linkage(broken)
        with pytest.raises(NbinterpError, match=r"map 3"):
            ward_linkage(broken, engine="scipy")
    with pytest.raises(NbinterpError, match=r"engine\): got 'scpy' \(did you mean 'scipy'"):
        ward_linkage(maps, engine="scpy")
    with pytest.raises(NbinterpError, match=r"gauge\): got 'zero'"):
        ward_linkage(maps, gauge="zero")
    with pytest.raises(NbinterpError, match=r"maps \(N, 4, L\), for gauge"):
        ward_linkage(maps.reshape(5, -1), gauge="hierarchical")
    with pytest.raises(NbinterpError, match=r"reference"):
        ward_linkage(maps, gauge="wild-type")


@pytest.mark.slow
def test_memory_grows_with_the_maps_and_not_with_their_square() -> None:
    """10,000 maps of 996 numbers: less than a quarter of the two matrices that SciPy's route holds."""
    import subprocess
    import sys

    code = (
        "import resource, numpy as np, torch; from nbinterp.mechanism.ward import ward_linkage\n"
        "ward_linkage(np.random.RandomState(0).standard_normal((200, 996)).astype(np.float32))\n"
        "maps = np.random.RandomState(0).standard_normal((10_000, 996)).astype(np.float32)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "ward_linkage(maps)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    used = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert int(used) * 1024 < 10_000 * 9_999 * 8 / 4
