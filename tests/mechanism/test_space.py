"""A space: whatever it says of clusters follows from the maps, and what does not fit is refused."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.cluster.hierarchy import fcluster, linkage

from nbinterp.errors import FormatError, NbinterpError, NbinterpWarning
from nbinterp.mechanism import (
    MechanismSpace,
    adjusted_rand,
    background_entropy,
    cluster_maps,
    global_library,
    random_library,
)
from nbinterp.mechanism.space_fine import fine_of_labels, fine_of_tree

RNG = np.random.default_rng(0)
REFERENCE = "".join(RNG.choice(list("ACGT"), 30))
N, START, WIDTH = 150, 5, 20


def parts(n: int = N, seed: int = 0) -> dict[str, Any]:
    """A library whose maps and activities follow two sites of the reference."""
    library = random_library(REFERENCE, n, 0.2, random_state=seed)
    kept = (library.codes[:, 8:12] == library.reference_codes[8:12]).mean(1)
    other = (library.codes[:, 15:20] == library.reference_codes[15:20]).mean(1)
    random = np.random.default_rng(seed)
    maps = random.normal(size=(n, 4, WIDTH)).astype(np.float32) * 0.2
    maps[:, :, 3:7] += (kept > 0.7)[:, None, None]
    maps[:, :, 10:15] -= (other > 0.7)[:, None, None]
    return {"X": library, "maps": maps, "y": kept + other + random.normal(size=n) * 0.1, "start": START}


@pytest.fixture(scope="module")
def space() -> MechanismSpace:
    return MechanismSpace.from_parts(**parts(), n_clusters=6, n_fine=40)


@pytest.mark.parametrize("n_fine", [1, 2, 17, N, 1000])
def test_fine_clusters_of_a_tree_are_scipys_cut_and_nest(n_fine: int) -> None:
    tree = linkage(parts()["maps"].reshape(N, -1), "ward")
    fine, rest = fine_of_tree(tree, n_fine)
    f = min(n_fine, N)
    if f < N:  # of N SciPy gives each its number
        assert (fine == fcluster(tree, f, "maxclust") - 1).all()
    assert rest.shape == (f - 1, 4)
    np.testing.assert_array_equal(rest[:, 2:], tree[N - f :, 2:])
    for k in {1, 2, f // 2, f} - {0}:
        mine = fcluster(_counted(rest), k, "maxclust")[fine] if f > 1 else np.ones(N, int)
        theirs = fcluster(tree, k, "maxclust")
        assert len(set(zip(mine.tolist(), theirs.tolist(), strict=True))) == k
        of = [theirs[fine == one][0] for one in range(f)]
        assert k == N or (np.diff(of) >= 0).all()  # clusters are runs of fine ones


def _counted(tree: np.ndarray) -> np.ndarray:
    """The tree with leaves counted, as SciPy's functions want it."""
    sizes = [1] * (len(tree) + 1)
    for left, right in tree[:, :2].astype(int).tolist():
        sizes.append(sizes[left] + sizes[right])
    return np.column_stack([tree[:, :3], sizes[len(tree) + 1 :]])


def test_fine_clusters_of_a_tree_full_of_ties() -> None:
    """A number that no height gives is cut all the same: fine clusters are a budget."""
    tree = linkage(np.repeat(np.eye(4), 5, axis=0), "ward")
    fine, rest = fine_of_tree(tree, 7)
    assert fine.max() == 6
    assert rest[-1, 3] == 20
    assert (np.diff([fcluster(tree, 4, "maxclust")[fine == one][0] for one in range(7)]) >= 0).all()


def test_fine_clusters_of_labels_nest_and_keep_to_the_budget() -> None:
    maps, labels = parts()["maps"], RNG.choice([-1, 0, 1, 5], N, p=[0.1, 0.5, 0.3, 0.1])
    for n_fine in (2, 4, 40, 500):
        fine = fine_of_labels(maps, labels, n_fine)
        assert fine.min() == 0
        assert len(np.unique(fine)) == fine.max() + 1 <= max(n_fine, 4)
        of = [np.unique(labels[fine == one]) for one in range(fine.max() + 1)]
        assert all(len(one) == 1 for one in of)
        assert (np.diff(np.concatenate(of)) >= 0).all()
    np.testing.assert_array_equal(fine_of_labels(torch.from_numpy(maps), labels, 40), fine_of_labels(maps, labels, 40))


def test_fine_clusters_of_labels_put_like_with_like() -> None:
    maps = np.repeat(np.eye(3)[:, None], 10, axis=1).reshape(30, 3)
    fine = fine_of_labels(maps + RNG.normal(size=(30, 3)) * 1e-3, np.zeros(30, int), 12)
    assert all(len({int(i) // 10 for i in np.flatnonzero(fine == one)}) == 1 for one in range(fine.max() + 1))


def test_sums_are_those_of_the_maps(space: MechanismSpace) -> None:
    given = parts()
    sums = space.sums()
    for row, label in enumerate(sums.labels):
        own = space.labels == label
        np.testing.assert_allclose(sums.means[row], given["maps"][own].mean(0), atol=1e-6)
        assert sums.n[row] == own.sum()
        codes = given["X"].codes[own, START : START + WIDTH]
        np.testing.assert_array_equal(sums.letters[row], [(codes == base).sum(0) for base in range(4)])
    assert space.fine.n.sum() == N
    assert space.summary().shape == (6 * WIDTH, 5)
    assert space.logos().shape == (6, 4, WIDTH)


@pytest.mark.parametrize("k", [2, 6, 25])
def test_the_fine_tree_is_of_the_fine_clusters(space: MechanismSpace, k: int) -> None:
    assert space.fine_tree is not None
    mine = fcluster(_counted(space.fine_tree), k, "maxclust")[space.fine_labels]
    assert adjusted_rand(mine, space.cut(k).labels) == 1
    sizes = [*space.fine.n.tolist()]
    for left, right, _, n in space.fine_tree.tolist():
        sizes.append(sizes[int(left)] + sizes[int(right)])
        assert sizes[-1] == n


def test_it_says_what_the_library_is(space: MechanismSpace) -> None:
    assert (len(space), space.start, space.end, space.reference_row) == (N, START, START + WIDTH, 0)
    codes = parts()["X"].codes
    assert space.rate == pytest.approx((codes != codes[0]).mean())
    assert space.table.columns.tolist() == ["prediction", "hamming", "sequence"]
    assert space.table["sequence"][3] == space.library[3].sequences()[0]
    statistics = space.statistics()
    assert statistics["n"].sum() == N
    assert statistics["reference"].sum() == 1
    assert space.background().threshold == pytest.approx(0.5 * background_entropy(space.rate))
    assert space.background(0.01).threshold == pytest.approx(0.5 * background_entropy(0.01))


def test_a_cut_is_scipys_and_needs_no_maps(space: MechanismSpace) -> None:
    tree = linkage(parts()["maps"].reshape(N, -1).astype(float), "ward")
    for k in (1, 3, 40):
        cut = space.cut(k)
        assert (cut.labels == fcluster(tree, k, "maxclust") - 1).all()
        assert cut.sums().n.tolist() == np.bincount(cut.labels).tolist()
        assert cut.fine is space.fine
    height = float(tree[-5:-3, 2].mean())
    assert space.cut(height=height).clusters.k == 5
    assert np.isnan(space.cut(3).clusters.stability.silhouette).all()
    assert len(space.cut(3, n_refits=2).clusters.stability.agreement) == 2
    with pytest.raises(NbinterpError, match=r"cut\(n_clusters\): got 41 clusters; need at most the 40 fine ones"):
        space.cut(41)


def test_names_are_given_and_taken(space: MechanismSpace) -> None:
    named = space.renamed({2: "both", 3: "none"}).renamed({3: ""})
    assert (named.name(2), named.name(3), dict(space.names)) == ("both", "3", {})
    assert named.statistics()["name"].tolist() == ["0", "1", "both", "3", "4", "5"]
    assert not named.cut(3).names
    with pytest.raises(NbinterpError, match=r"renamed\(names\): got \[6\]; need clusters 0 to 5"):
        space.renamed({6: "x"})


def test_other_maps_lie_where_they_would(space: MechanismSpace) -> None:
    np.testing.assert_allclose(space.project(parts()["maps"][:9]), space.embedding[:9], atol=1e-5)
    with pytest.raises(NbinterpError, match=r"project\(maps\): got shape \(2, 4, 3\); need \(n, 4, 20\)"):
        space.project(np.zeros((2, 4, 3)))
    given = MechanismSpace.from_parts(**parts(), embedding=space.embedding, n_clusters=3, n_refits=0)
    with pytest.raises(NbinterpError, match="need principal components"):
        given.project(parts()["maps"])


@pytest.mark.parametrize("gauge", ["hierarchical", "wild-type"])
def test_other_maps_lie_where_they_would_in_a_gauge(gauge: str) -> None:
    given = parts()
    window = given["X"].reference[:, START : START + WIDTH]
    clusters = cluster_maps(given["maps"], 5, gauge=gauge, reference=window, n_refits=0)
    space = MechanismSpace.from_parts(**given, clusters=clusters)
    np.testing.assert_allclose(space.project(given["maps"]), space.embedding, atol=1e-5)
    np.testing.assert_array_equal(space.maps, given["maps"])


def test_sites_are_the_planted_ones() -> None:
    space = MechanismSpace.from_parts(**parts(1200), n_clusters=8, n_refits=0)
    sites = space.sites(min_positions=3, max_q=1e-6)
    assert sites[["start", "end"]].to_numpy().tolist() == [[8, 12], [15, 20]]
    configurations = space.configurations(sites, sums=space.sums_for_sites())
    assert configurations.active.shape == (60, 2)
    effects = space.effects(sites, max_mutations=1, n_bootstrap=50)
    assert (effects.loc[effects["order"] == 1, "low"] > 0).all()


def test_labels_and_linkages_are_taken() -> None:
    given = parts()
    tree = linkage(given["maps"].reshape(N, -1).astype(float), "ward")
    ours, theirs = (MechanismSpace.from_parts(**given, n_clusters=5, n_refits=1, clusters=one) for one in (None, tree))
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    labels = RNG.choice([-1, 3, 9], N)
    space = MechanismSpace.from_parts(**given, clusters=labels, n_fine=30)
    assert (dict(space.names), space.clusters.method, space.fine_tree) == ({0: "3", 1: "9"}, "labels", None)
    assert space.sums().n.tolist() == [(labels == 3).sum(), (labels == 9).sum()]
    assert space.fine.n.sum() == N  # noise is there, to be shown
    with pytest.raises(NbinterpError, match="got clusters by labels; need a tree to cut"):
        space.cut(3)


def test_maps_with_letters_last_and_more_columns() -> None:
    given = parts()
    more = pd.DataFrame({"task": ["a", "NA"] * (N // 2), "weight": np.arange(N) / 7})
    space = MechanismSpace.from_parts(
        **{**given, "maps": given["maps"].transpose(0, 2, 1)}, n_clusters=3, n_refits=0, columns=more
    )
    assert space.maps.shape == (N, 4, WIDTH)
    assert space.table.columns.tolist() == ["prediction", "hamming", "task", "weight", "sequence"]
    with pytest.raises(NbinterpError, match="another column hamming"):
        MechanismSpace.from_parts(**given, columns={"hamming": np.zeros(N)})


def same(a: MechanismSpace, b: MechanismSpace) -> None:
    for name in ("maps", "y", "labels", "embedding", "fine_labels", "fine_tree", "axes", "reference"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    np.testing.assert_array_equal(a.library.codes, b.library.codes)
    np.testing.assert_array_equal(a.fine.maps, b.fine.maps)
    np.testing.assert_array_equal(a.fine.y_counts, b.fine.y_counts)
    assert a.table.drop(columns="sequence").equals(b.table.drop(columns="sequence"))
    assert (a.table["sequence"] == b.table["sequence"]).all()
    assert str(a.clusters.stability) == str(b.clusters.stability)
    assert (a.rate, dict(a.names), dict(a.facts)) == (b.rate, dict(b.names), dict(b.facts))


def test_a_folder_holds_all_of_it(space: MechanismSpace, tmp_path: Path) -> None:
    more = {"task": ["a", "NA", ""] * (N // 3), "weight": np.arange(N) / 7, "good": np.arange(N) % 2 == 0}
    whole = MechanismSpace.from_parts(**parts(), n_clusters=6, n_refits=1, columns=more).renamed({1: "x\ty"})
    whole.table["task"] = whole.table["task"].replace("", np.nan)
    whole.save(tmp_path / "new" / "space")
    loaded = MechanismSpace.load(tmp_path / "new" / "space")
    same(whole, loaded)
    assert isinstance(loaded.maps, np.memmap)
    before = (tmp_path / "new" / "space" / "maps.npy").stat().st_mtime_ns
    loaded.cut(3).save(tmp_path / "new" / "space")
    assert (tmp_path / "new" / "space" / "maps.npy").stat().st_mtime_ns == before
    again = MechanismSpace.load(tmp_path / "new" / "space")
    assert again.clusters.k == 3
    same(loaded.cut(3), again)
    again.save(tmp_path / "other")  # no second copy of what can be large
    assert (tmp_path / "other" / "maps.npy").samefile(tmp_path / "new" / "space" / "maps.npy")
    labelled = MechanismSpace.from_parts(**parts(), clusters=np.arange(N) % 3)
    labelled.save(tmp_path / "new" / "space")  # where there was a tree
    assert MechanismSpace.load(tmp_path / "new" / "space").fine_tree is None
    same(again, MechanismSpace.load(tmp_path / "other"))


def test_a_file_of_the_user_is_copied(tmp_path: Path) -> None:
    """It may be written to later."""
    given = parts()
    np.save(tmp_path / "maps.npy", given["maps"])
    raw = np.memmap(tmp_path / "raw", np.float32, "w+", shape=given["maps"].shape)
    raw[:] = given["maps"]
    for maps in (np.load(tmp_path / "maps.npy", mmap_mode="r"), raw, raw[:, :, ::1]):
        MechanismSpace.from_parts(**{**given, "maps": maps}, n_clusters=3, n_refits=0).save(tmp_path / "space")
        assert not (tmp_path / "space" / "maps.npy").samefile(tmp_path / "maps.npy")
        np.testing.assert_array_equal(MechanismSpace.load(tmp_path / "space").maps, given["maps"])


def test_it_can_be_sent_to_another_process(space: MechanismSpace) -> None:
    named = space.renamed({1: "x"})
    same(named, pickle.loads(pickle.dumps(named)))
    same(named, copy.deepcopy(named))


def test_a_global_library_is_kept(tmp_path: Path) -> None:
    library = global_library(REFERENCE, 40, (10, 18), random_state=1)
    whole = MechanismSpace.from_parts(
        library, np.asarray(RNG.normal(size=(40, 4, 30)), np.float32), np.arange(40), n_refits=0
    )
    whole.save(tmp_path)
    loaded = MechanismSpace.load(tmp_path)
    same(whole, loaded)
    assert (loaded.library.kind, loaded.library.window) == ("global", (10, 18))


def test_a_folder_that_is_not_whole_is_refused(space: MechanismSpace, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"load\(folder\): got .* without space.json"):
        MechanismSpace.load(tmp_path)
    space.save(tmp_path)
    note = json.loads((tmp_path / "space.json").read_text())
    (tmp_path / "space.json").write_text(json.dumps({**note, "format": 99}))
    with pytest.raises(FormatError, match="format 99"):
        MechanismSpace.load(tmp_path)
    (tmp_path / "space.json").write_text("{")
    with pytest.raises(FormatError, match=r"space\.json"):
        MechanismSpace.load(tmp_path)
    space.save(tmp_path)
    (tmp_path / "labels.npy").write_bytes(b"")
    with pytest.raises(FormatError, match="need the files that save wrote"):
        MechanismSpace.load(tmp_path)


def test_one_sequence_has_no_neighbour() -> None:
    with pytest.raises(
        NbinterpError, match=r"from_parts\(X\): got 1 sequence; need at least 2, since one has no neighbour"
    ):
        MechanismSpace.from_parts(["ACGT"], np.zeros((1, 4, 4), np.float32), [0.0])


def test_identical_maps_are_one_cluster_and_that_is_said() -> None:
    given = {**parts(20), "maps": np.ones((20, 4, WIDTH), np.float32)}
    with pytest.warns(NbinterpWarning, match="ties at height 0 skip; cut into 1"):
        space = MechanismSpace.from_parts(**given, n_clusters=5)
    assert (space.clusters.k, space.sums().n.tolist()) == (1, [20])
    assert (space.embedding == 0).all()
    assert "undefined" in str(space.clusters.stability)
    assert space.background().foreground.shape == (1, 4, WIDTH)
    with pytest.raises(NbinterpError, match="cut the tree lower"):
        space.sites()


def test_a_number_that_ties_skip_is_said() -> None:
    """Four kinds of maps, all as far from each other: 3 clusters there are not."""
    given = {**parts(20), "maps": np.repeat(np.eye(4, 4 * WIDTH, dtype=np.float32), 5, 0).reshape(20, 4, WIDTH)}
    space = MechanismSpace.from_parts(**given, n_clusters=4, n_refits=1)
    with pytest.warns(NbinterpWarning, match="got 6, which ties at height 0 skip; cut into 4"):
        cut = space.cut(6)
    assert cut.sums().n.tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_maps_that_are_not_finite_are_refused_by_row(bad: float) -> None:
    given = parts()
    given["maps"][7, 2, 3] = bad
    with pytest.raises(NbinterpError, match=r"from_parts\(maps\): got NaN or infinity in map 7; need finite numbers"):
        MechanismSpace.from_parts(**given)
    with pytest.raises(NbinterpError, match="row 9"):
        MechanismSpace.from_parts(**{**parts(), "y": np.where(np.arange(N) == 9, np.nan, 1.0)})


def test_a_reference_outside_the_library(tmp_path: Path) -> None:
    given = parts()
    X = given["X"][1:].sequences()
    rest = {**given, "X": X, "maps": given["maps"][1:], "y": given["y"][1:]}
    space = MechanismSpace.from_parts(**rest, reference=REFERENCE, n_clusters=4, n_refits=0)
    assert space.reference_row is None
    assert not space.statistics()["reference"].any()
    assert space.table["hamming"].min() > 0
    assert "Reference" in space.summary()
    space.save(tmp_path)
    assert MechanismSpace.load(tmp_path).reference_row is None
    with pytest.raises(NbinterpError, match=r"reference"):
        MechanismSpace.from_parts(**rest, reference=REFERENCE + "A")


def test_a_reference_that_is_noise_is_in_no_cluster() -> None:
    labels = np.where(np.arange(N) == 0, -1, 0)
    space = MechanismSpace.from_parts(**parts(), clusters=labels)
    assert not space.statistics()["reference"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"maps": np.zeros((N - 1, 4, WIDTH))}, f"maps.*: got {N - 1} maps of {N} sequences"),
        ({"maps": np.zeros((N, WIDTH))}, "maps.*need numbers"),
        ({"maps": np.zeros((N, 4, WIDTH), int)}, "maps.*: got int64"),
        ({"start": 11}, r"start.*: got maps of \[11, 31\)"),
        ({"n_fine": 0}, "n_fine"),
        ({"clusters": np.zeros((3, 4))}, "clusters.*need Clusters, 150 integers, or a linkage"),
        ({"clusters": np.full(N, -1)}, "only noise"),
        ({"embedding": np.zeros((N, 3))}, "embedding"),
        ({"embedding": np.full((N, 2), np.nan)}, "embedding"),
        ({"columns": {"a": [1]}}, "columns"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        MechanismSpace.from_parts(**{**parts(), "n_refits": 0, **change})


def test_a_tree_that_descends_is_refused() -> None:
    tree = linkage(parts()["maps"].reshape(N, -1), "ward")
    with pytest.raises(NbinterpError, match="ascending height"):
        MechanismSpace.from_parts(**parts(), clusters=tree[::-1])


def test_no_warning_where_nothing_is_wrong() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        space = MechanismSpace.from_parts(**parts(60), n_refits=1)
    assert "30 clusters by ward" in repr(space)
