"""CooccurrenceView in Python: what it counts, what it sends, traits, errors, the still picture."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.annotation import ORIENTATIONS, pair_enrichment, pairwise_annotations_spacing, spacing_enrichment
from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.widget import link
from nbinterp.widget.cooccurrence import CooccurrenceView
from nbinterp.widget.cooccurrence_data import near_blocks

EMPTY = pd.DataFrame({"example_idx": np.empty(0, int), "start": 0, "end": 0, "name": ""}).iloc[:0]


def table(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Four names anywhere; in each third example b stands 5 bases downstream of a, on the same strand."""
    rng = np.random.default_rng(seed)
    rows = []
    for example in range(n):
        rows += [
            (example, int(rng.integers(0, 180)), name, "+-"[rng.integers(2)]) for name in "abcd" if rng.random() < 0.3
        ]
        if example % 3 == 0:
            at = int(rng.integers(20, 150))
            rows += [(example, at, "a", "+"), (example, at + 13, "b", "+")]
        elif example % 3 == 1 and example % 2:
            at = int(rng.integers(20, 150))
            rows += [(example, at, "a", "-"), (example, at - 13, "b", "-")]
    frame = pd.DataFrame(rows, columns=["example_idx", "start", "name", "strand"])
    return frame.assign(end=frame["start"] + 8)


def sent(view: CooccurrenceView) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    meta = json.loads(view.meta)
    return meta, unpack_blocks(Packed(view.data, meta["blocks"]))


def test_tables_are_those_of_the_functions() -> None:
    view = CooccurrenceView(table(), n_examples=300, length=200)
    pd.testing.assert_frame_equal(view.pairs, pair_enrichment(table(), 300))
    pd.testing.assert_frame_equal(view.spacings, spacing_enrichment(table(), 200, stranded=True))
    assert view.pair == ["a", "b"]
    best = view.spacings.iloc[0]
    assert (best["row"], best["column"], best["orientation"], best["distance"]) == ("a", "b", "downstream, same", 5)


def test_every_number_of_a_pair_is_in_the_page() -> None:
    view = CooccurrenceView(table(), max_distance=40, length=200)
    meta, blocks = sent(view)
    counts = pairwise_annotations_spacing(table(), 40, stranded=True, overlaps="skip").numpy()
    names = "abcd"
    assert meta["whole"] is True
    assert len(blocks["near"]) == 8  # two of c, or of d, never share an example
    for k, (i, j) in enumerate(blocks["near"]):
        a, b = names.index(meta["names"][i]), names.index(meta["names"][j])
        assert a <= b
        np.testing.assert_array_equal(blocks["counts"].reshape(8, 4, 40)[k], counts[:, a, b])
    called = view.spacings[view.spacings["q-value"] <= 0.05]
    assert len(blocks["marks"]) == len(called) > 0
    marked = set()
    for at in blocks["marks"]:
        pair, way, distance = (int(one) for one in np.unravel_index(at, (8, 4, 40)))
        marked.add((*(meta["names"][i] for i in blocks["near"][pair]), ORIENTATIONS[way], distance))
    assert marked == set(called[["row", "column", "orientation", "distance"]].itertuples(index=False, name=None))
    for row in view.pairs.itertuples():
        i, j = sorted((meta["names"].index(row.row), meta["names"].index(row.column)))
        assert blocks["observed"][j * (j + 1) // 2 + i] == row.observed
        assert blocks["expected"][j * (j + 1) // 2 + i] == pytest.approx(row.expected, rel=1e-6)


def test_without_strands_the_order_is_told() -> None:
    frame = table().drop(columns="strand")
    view = CooccurrenceView(frame, length=200)
    meta, blocks = sent(view)
    assert meta["stranded"] is False
    pd.testing.assert_frame_equal(view.spacings, spacing_enrichment(frame, 200, symmetric=False))
    counts = pairwise_annotations_spacing(frame, symmetric=False, overlaps="skip").numpy()
    for k, (i, j) in enumerate(blocks["near"]):
        a, b = ("abcd".index(meta["names"][one]) for one in (i, j))
        right, left = blocks["counts"].reshape(-1, 2, 100)[k]
        np.testing.assert_array_equal(right, counts[a, b])
        np.testing.assert_array_equal(left, counts[b, a] if a != b else 0 * left)
    some = table()
    some.loc[3, "strand"] = "."
    assert json.loads(CooccurrenceView(some).meta)["stranded"] is False


def test_what_is_expected_lies_on_a_line_between_the_knots() -> None:
    view = CooccurrenceView(table(), length=200)
    meta, blocks = sent(view)
    chance = blocks["chance"].reshape(-1, len(blocks["knots"]))
    for row in view.spacings.head(60).itertuples():
        near = [[meta["names"][i] for i in near] for near in blocks["near"]].index([row.row, row.column])
        line = chance[near * 4 + ORIENTATIONS.index(row.orientation)]
        assert np.interp(row.distance, blocks["knots"], line) == pytest.approx(row.expected, rel=1e-5)


def test_the_most_frequent_names_come_first_and_all_are_known() -> None:
    frame = pd.DataFrame({"example_idx": [0, 1, 2, 0], "start": 0, "end": 5, "name": ["b", "b", "b", "c"]})
    view = CooccurrenceView(frame, names=["a", "b", "c"], n_examples=9)
    meta, blocks = sent(view)
    assert meta["names"] == ["b", "c", "a"]
    assert (meta["n_examples"], meta["n_annotations"], meta["n_all"]) == (9, 4, 3)
    assert blocks["observed"].tolist() == [0, 1, 0, 0, 0, 0]


def test_what_does_not_fit_in_the_page_is_left_out_by_frequency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbinterp.widget.cooccurrence_data._CELLS", 2 * 4 * 100)
    monkeypatch.setattr("nbinterp.widget.cooccurrence._NAMES", 3)
    view = CooccurrenceView(table(), length=200)
    meta, blocks = sent(view)
    assert meta["whole"] is False
    assert (len(meta["names"]), meta["n_all"]) == (3, 4)
    assert len(blocks["observed"]) == 6
    assert [meta["names"][i] for i in blocks["near"][0]] == ["a", "b"]
    assert len(blocks["near"]) == 2
    view.pair = [min(set("abcd") - set(meta["names"])), "a"]  # not in the page, and yet known


def test_tables_of_hits_and_empty_ones_are_read() -> None:
    hits = pd.DataFrame(
        {"motif_name": ["GATA", "TAL"], "motif_idx": [1, 0], "sequence_name": 0, "start": [4, 20], "end": [8, 26]}
    )
    assert CooccurrenceView(hits).pair == ["GATA", "TAL"]
    empty = CooccurrenceView(EMPTY)
    assert empty.pair == []
    assert len(empty.pairs) == len(empty.spacings) == 0
    assert empty.to_png()[:4] == b"\x89PNG"
    assert CooccurrenceView(EMPTY, names=["a", "b"], n_examples=5).pair == ["a", "b"]
    one = CooccurrenceView(table().query("name == 'a'"))
    assert one.pair == ["a", "a"]
    assert CooccurrenceView(table().query("example_idx == 0")).to_png()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("annotations", "options", "words"),
    [
        ([1], {}, r"annotations\): got a list; need a DataFrame"),
        (table().drop(columns="name"), {}, r"annotations\): got columns .*; need a column name too"),
        (table().assign(name=None), {}, "no name in row 0"),
        (table().assign(start=-1), {}, "need no negatives"),
        (table(), {"names": ["a", "b", "c"]}, r"names\): got no 'd'"),
        (table(), {"names": ["a", "b", "c", "d", "a"]}, "'a' twice"),
        (table(), {"n_examples": 7}, r"n_examples\): got 7; need at least 299"),
        (table(), {"length": 50}, r"length\): got 50; need at least"),
        (table(), {"max_distance": 0}, r"max_distance\): got 0; need at least 1"),
        (table(), {"n_names": 0}, r"n_names\): got 0; need 1 to 100"),
        (table(), {"n_names": 101}, r"n_names\): got 101; need 1 to 100"),
        (table(), {"pair": ("a", "z")}, r"pair\): got \['a', 'z'\]"),
    ],
)
def test_what_does_not_fit_is_said(annotations: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        CooccurrenceView(annotations, **options)


def test_a_pair_is_chosen_and_linked() -> None:
    view, other = CooccurrenceView(table()), CooccurrenceView(table())
    view.pair = ["d", "c"]
    with pytest.raises(NbinterpError, match="name them as the table does"):
        view.pair = ["d", "x"]
    assert view.pair == ["d", "c"]
    assert link(view, other) == view.link == other.link


def test_a_still_picture_follows_what_is_shown() -> None:
    view = CooccurrenceView(table(), length=200)
    first = view.to_png()
    assert view.to_png() is first
    for change in ({"pair": ["c", "d"]}, {"value": "sequences"}, {"filter": "a,b"}):
        before = view.to_png()
        view.set_trait(*next(iter(change.items())))
        assert view.to_png() != before, change
    view.filter = "zzz"
    assert view.to_png()[:4] == b"\x89PNG"


@pytest.mark.slow
def test_a_million_annotations_of_300_names_take_seconds() -> None:
    rng = np.random.default_rng(0)
    n, names = 1_000_000, np.array([f"m{i}" for i in range(300)], dtype=object)
    kind, start = rng.integers(0, 300, n), rng.integers(0, 960, n)
    frame = pd.DataFrame(
        {"example_idx": np.arange(n) // 20, "start": start, "end": start + 6 + kind % 12, "name": names[kind],
         "strand": np.array(["+", "-"])[rng.integers(0, 2, n)]}
    )  # fmt: skip
    began = time.process_time()
    view = CooccurrenceView(frame, length=1000)
    assert time.process_time() - began < 15  # of the processor, so that others do not count; about 4
    assert len(view.data) < 2_000_000
    assert (view.pairs["q-value"] > 0.01).all()


def test_near_blocks_of_nothing() -> None:
    from nbinterp.annotation.enrichment import spacing_grid, spacing_table

    grid = spacing_grid(EMPTY, 10, names=["a"])
    blocks, whole = near_blocks(grid, spacing_table(grid), np.array([0]))
    assert whole
    assert blocks["near"].shape == (0, 2)
