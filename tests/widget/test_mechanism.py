"""MechanismView in Python: what travels, clusters and selections as a person leaves them, errors, the still picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.live.mechanism_sums import pack_selection
from nbinterp.mechanism.space import MechanismSpace
from nbinterp.widget import LogoView, MechanismView, link
from nbinterp.widget.mechanism_clusters import Leaves, clusters_of
from nbinterp.widget.mechanism_data import columns_of, point_blocks, sequence_blocks
from nbinterp.widget.packed import packed
from tests.live.mechanisms import Sites, shared

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "protocol" / "mechanism.json"


def view(**options: Any) -> MechanismView:
    return MechanismView(shared(), **options)


def blocks(one: MechanismView) -> dict[str, np.ndarray]:
    return unpack_blocks(Packed(one.data, json.loads(one.meta)["blocks"]))


# --- what travels ---------------------------------------------------------------------------------------------------


def test_sums_travel_within_the_error_of_16_bits() -> None:
    arrays, fine = blocks(view()), shared().fine
    mean = arrays["mean"] * arrays["mean_scale"][:, None, None]
    spread = arrays["spread"] * arrays["spread_scale"][:, None, None]
    most = np.abs(fine.means).max(axis=(1, 2), keepdims=True)
    assert (np.abs(mean - fine.means) <= 1.7e-5 * most).all()
    squares = (spread + mean**2) * fine.n[:, None, None]
    np.testing.assert_allclose(squares, fine.squares, atol=1e-4 * float(fine.squares.max()))
    np.testing.assert_array_equal(arrays["counts"], fine.n)
    np.testing.assert_array_equal(arrays["y"], fine.y)
    np.testing.assert_array_equal(arrays["children"], shared().fine_tree[:, :2])
    np.testing.assert_array_equal(arrays["heights"], shared().fine_tree[:, 2])
    np.testing.assert_array_equal(arrays["labels"][shared().fine_labels], shared().labels)
    assert "letters" not in arrays  # counted in the page


def test_places_sequences_and_columns_come_back() -> None:
    one = view(columns={"kind": np.where(shared().y > 15, "high", "low")})
    arrays, meta = blocks(one), json.loads(one.meta)
    left, right, bottom, top = meta["box"]
    xy = arrays["xy"] / 65535 * [right - left, top - bottom] + [left, bottom]
    np.testing.assert_allclose(xy, shared().embedding, atol=(right - left) / 60_000)
    stride = arrays["codes"] ^ blocks(view())["codes"][:1]  # the first row is the reference: all of it 0
    assert not blocks(view())["codes"][0].any()
    codes = np.stack([stride >> shift & 3 for shift in (6, 4, 2, 0)], axis=2).reshape(len(shared()), -1)[:, :36]
    np.testing.assert_array_equal((codes > 0).sum(axis=1), shared().library.n_mutations)
    assert [column["name"] for column in meta["columns"]] == ["prediction", "hamming", "kind"]
    assert meta["columns"][2]["kinds"] == ["high", "low"]
    low, high = meta["columns"][0]["low"], meta["columns"][0]["high"]
    np.testing.assert_allclose(arrays["column0"] / 254 * (high - low) + low, shared().y, atol=(high - low) / 500)
    assert (meta["star"], meta["rate"], meta["leaves"]) == (0, shared().rate, 40)


def test_what_is_missing_constant_or_too_much() -> None:
    arrays, said = columns_of({"nan": np.full(3, np.nan), "same": np.ones(3), "words": np.array(list("abc"), object), "yes": np.array([True, False, True])})  # fmt: skip
    assert arrays["column0"].tolist() == [255, 255, 255]
    assert arrays["column1"].tolist() == [0, 0, 0]
    assert said[3]["kinds"] == ["False", "True"]
    assert columns_of({"many": np.arange(100).astype(str)}) == ({}, [])
    places, box = point_blocks(np.zeros((2, 2), np.float32), np.zeros(2, int))
    assert places["xy"].tolist() == [[32768, 32768]] * 2
    assert box == [-0.5, 0.5, -0.5, 0.5]
    assert sequence_blocks(np.broadcast_to(np.uint8(0), (300_000, 249)), np.zeros(249, np.uint8)) == {}


def test_many_bases_stay_in_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbinterp.widget.mechanism_data.MOST_BASES", 100)
    arrays = blocks(view())
    assert "codes" not in arrays
    np.testing.assert_array_equal(arrays["letters"], shared().fine.letters)


def test_of_wide_windows_fewer_sums_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbinterp.widget.mechanism_data.MOST_SUMS", 12 * 4 * 36)
    one = view()
    arrays = blocks(one)
    assert len(arrays["counts"]) == 12
    assert arrays["children"].shape == (11, 2)
    np.testing.assert_array_equal(one.labels, shared().labels)
    for k in (1, 3, 8, 12):
        one.n_clusters = k
        np.testing.assert_array_equal(one.labels, shared().cut(k).labels)
    assert len(one.space.fine) == len(shared().fine)  # what Python reads has them all
    rows = np.arange(240) % 3 == 0
    np.testing.assert_allclose(one._engine.sums(rows).maps[0], shared().maps[rows].sum(axis=0), rtol=1e-5, atol=1e-5)
    with pytest.raises(NbinterpError, match="need 1 to 12"):
        one.n_clusters = 13
    monkeypatch.undo()
    whole = view()
    whole.cut, whole.edits = {"k": 2}, [["split", 0]] * 12
    monkeypatch.setattr("nbinterp.widget.mechanism_data.MOST_SUMS", 12 * 4 * 36)
    deep = MechanismView(whole.space)  # parted lower down: all of it travels
    assert deep.n_clusters == whole.n_clusters
    assert len(deep._space.fine) == 40


def test_the_module_unpacks_itself_and_is_small() -> None:
    assert len(MechanismView._esm) < 60_000
    for code in ("", "a", "ab", "abc", "abcd", "export default 1;" * 99):
        assert packed(code).startswith('const data="')


# --- clusters -------------------------------------------------------------------------------------------------------


def test_clusters_are_those_of_the_space_until_they_are_cut() -> None:
    one = view()
    np.testing.assert_array_equal(one.labels, shared().labels)
    for k in (1, 2, 7, 13):
        one.n_clusters = k
        np.testing.assert_array_equal(one.labels, shared().cut(k).labels)
        assert one.n_clusters == k
    one.cut = {"height": shared().cut(4).clusters.height}
    np.testing.assert_array_equal(one.labels, shared().cut(4).labels)
    assert view(n_clusters=3).n_clusters == 3


def test_merges_splits_and_names() -> None:
    one = view()
    one.edits = [["merge", 4, 1]]
    want = np.where(shared().labels == 4, 1, shared().labels)
    np.testing.assert_array_equal(one.labels, want)
    assert one.merged == {1: [4, 1]}
    one.cluster_names = {1: "one site"}
    assert one.cluster_names == {0: "0", 1: "one site", 2: "2", 3: "3"}
    one.edits = [["merge", 4, 1], ["split", 1]]
    np.testing.assert_array_equal(one.labels, shared().labels)
    assert one.cluster_names[1] == "1"  # the name is that of the union
    one.edits = [["split", 2]]
    labels = one.labels
    assert sorted(set(labels[shared().labels == 2].tolist())) == [2, 5]
    assert (labels == 2).sum() >= (labels == 5).sum() > 0
    assert one.n_clusters == 6
    one.edits = [["split", 2], ["merge", 2, 5]]
    np.testing.assert_array_equal(one.labels, shared().labels)
    one.n_clusters = 5
    assert one.edits == []


def test_the_space_and_the_table_follow() -> None:
    one = view()
    one.edits, one.cluster_names = [["merge", 0, 3]], {2: "both"}
    now = one.space
    assert now.clusters.k == 4
    assert now.name(2) == "both"
    sums = now.sums()
    np.testing.assert_allclose(sums.maps.sum(axis=0), shared().fine.maps.sum(axis=0))
    table = one.table
    assert (table["cluster_name"][table["cluster"] == 2] == "both").all()
    np.testing.assert_array_equal(table["cluster"], one.labels)
    assert view().space.labels is shared().labels
    named = MechanismView(shared().renamed({3: "core"}))
    assert named.cluster_names[3] == "core"
    named.cut = {"k": 5}
    assert named.cluster_names[3] == "core"  # the same leaves have the same name


def test_clusters_with_no_tree_and_noise() -> None:
    labels = np.where(shared().labels == 1, -1, shared().labels)
    flat = MechanismSpace.from_parts(
        shared().library, shared().maps, shared().y, clusters=labels, n_fine=20, n_refits=0
    )
    one = MechanismView(flat)
    np.testing.assert_array_equal(one.labels, flat.labels)
    assert (one.labels == -1).sum() == (shared().labels == 1).sum()
    one.edits = [["merge", 0, 1], ["split", 2]]
    assert one.n_clusters == 3
    with pytest.raises(NbinterpError, match=r"MechanismView\(n_clusters\): got clusters by labels; need a tree to cut"):
        one.n_clusters = 3


def test_both_halves_cut_merge_and_split_alike() -> None:
    """The fixture is read by ``js/test/mechanism.test.ts``, too."""
    case = json.loads(FIXTURE.read_text())
    leaves = Leaves(np.array(case["counts"]), np.array(case["labels"]), np.array(case["tree"]))
    for one in case["cases"]:
        found = clusters_of(leaves, one["cut"], one["edits"])
        assert [[each.id, each.key, list(each.leaves)] for each in found] == one["clusters"]


# --- selections -----------------------------------------------------------------------------------------------------


def test_selections_are_rows() -> None:
    one = view()
    one.selections = {"a": [5, 3, 3], "b": shared().y > 20, "none": []}
    assert one.kept == ["a", "b"]
    assert len(one.bits) == 60
    assert one.selections["a"].tolist() == [3, 5]
    np.testing.assert_array_equal(one.selections["b"], np.flatnonzero(shared().y > 20))
    assert one.selected.tolist() == []
    one.shown = "a"
    assert one.selected.tolist() == [3, 5]
    one.select(range(4), "first")
    assert (one.shown, one.selected.tolist()) == ("first", [0, 1, 2, 3])
    assert one.table["first"].sum() == 4
    one.select([])
    assert one.shown == ""
    one.chosen = [2]
    np.testing.assert_array_equal(one.selected, np.flatnonzero(shared().labels == 2))
    one.selections = {}
    assert one.shown == ""


def test_a_browser_hands_on_memory() -> None:
    one, rows = view(), shared().labels == 0
    one.set_state({"kept": ["drawn"], "bits": memoryview(pack_selection(rows)), "shown": "drawn"})
    np.testing.assert_array_equal(one.selected, np.flatnonzero(rows))


def test_a_message_is_answered_while_the_model_works() -> None:
    one = view(model=Sites(), device="cpu")
    rows = shared().labels == 3
    ask = {"kind": "mechanism", "number": 5, "key": "k"}
    one._answer(one, {**ask, "what": "resample", "count": 10, "rate": 0.1, "seed": 0}, [pack_selection(rows)])
    assert one._workers["resample"].wait(20)
    one._answer(one, {**ask, "what": "sums"}, [memoryview(pack_selection(rows))])
    assert one._workers["sums"].wait(20)
    words = json.loads(one.answer)
    assert (words["what"], words["number"], words["key"], words["words"]) == ("sums", 5, "k", "")
    arrays = unpack_blocks(Packed(one.answer_data, words["blocks"]))
    np.testing.assert_allclose(arrays["maps"][0], shared().maps[rows].sum(axis=0), rtol=1e-5, atol=1e-5)
    [fresh] = one.fresh
    assert fresh.maps.shape == (10, 4, 36)


# --- the rest -------------------------------------------------------------------------------------------------------


def test_hits_colour_points() -> None:
    hits = pd.DataFrame({"example_idx": [0, 0, 7], "name": ["AP1", "AP1", "GATA"]})
    one = view(hits=hits, colour="hits: AP1")
    assert blocks(one)["column2"][:2].tolist() == [254, 0]
    assert one._columns["hits: GATA"][7] == 1


def test_a_linked_logo_has_the_clusters() -> None:
    one = view(n_clusters=3)
    logo = one.logo()
    assert isinstance(logo, LogoView)
    assert logo.link == one.link != ""
    assert one.followed == [cluster.key for cluster in one._clusters]
    assert json.loads(logo.meta)["names"] == ["cluster 0", "cluster 1", "cluster 2"]
    other = LogoView(np.eye(4)[:, np.arange(36) % 4])
    assert link(one, other) == one.link == other.link


def test_the_still_picture_is_kept_until_something_changes() -> None:
    one = view(colour="cluster")
    first = one.to_png()
    assert first.startswith(b"\x89PNG")
    assert one.to_png() is first
    one.select(range(20))
    assert one.to_png() is not first
    assert "image/png" in one._repr_mimebundle_()[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"colour": "predicton"}, r"MechanismView\(colour\): got 'predicton'; need .*did you mean 'prediction'"),
        ({"colour": "base:99"}, r'got \'base:99\'; need "cluster", a column, "base:0" to "base:35"'),
        ({"colour": "motif:XYZ"}, r"got 'motif:XYZ'"),
        ({"n_clusters": 41}, r"MechanismView\(n_clusters\): got 41; need 1 to 40, the fine clusters"),
        ({"columns": {"a": [1, 2]}}, r"MechanismView\(columns\): got shape \(2,\) of 'a'; need 240 values"),
        ({"hits": pd.DataFrame({"name": ["a"]})}, r"MechanismView\(hits\): got no column example_idx"),
        ({"hits": pd.DataFrame({"example_idx": [999], "name": ["a"]})}, r"got rows beyond the library"),
        ({"height": 20}, r"MechanismView\(height\): got 20"),
        ({"colors": "loud"}, r"MechanismView\(colors\)"),
    ],
)
def test_errors_say_what_to_do(options: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        view(**options)


def test_later_errors_say_what_to_do() -> None:
    one = view()
    with pytest.raises(
        NbinterpError, match=r"MechanismView\(selections\): got int64 of shape \(1,\); need rows 0 to 239"
    ):
        one.selections = {"a": [240]}
    with pytest.raises(
        NbinterpError, match=r"MechanismView\(cluster_names\): got 9; need clusters that there are: 0, 1"
    ):
        one.cluster_names = {9: "a"}
    with pytest.raises(NbinterpError, match=r"MechanismView\(cut\)"):
        one.cut = {"other": 3}
