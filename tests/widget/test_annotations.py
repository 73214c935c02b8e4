"""Annotations from the Python side: what is sent, thresholds, what was chosen, and every table that may come."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.widget.annotations import read_spans

ROWS = np.ones((3, 60))
HITS = pd.DataFrame(
    {
        "example_idx": [1, 0, 0, 2, 0],
        "start": [5, 30, 4, 0, 4],
        "end": [15, 40, 12, 60, 20],
        "name": ["ETS", "GATA", "ETS", None, "AP1"],
        "strand": ["+", "-", ".", "+", None],
        "score": [3.0, np.nan, -1.5, 2.0, 7.25],
        "p-value": [1e-5, 1e-4, 0.0, 0.5, np.nan],
        "extra": list("vwxyz"),
    }
)


def sent(view: Any) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    meta = json.loads(view.meta)
    return unpack_blocks(Packed(view.data, meta["blocks"])), meta["annotations"]


def test_columns_are_sorted_by_sequence_and_start_with_the_wider_first() -> None:
    blocks, (told,) = sent(nb.TrackView(ROWS, annotations=HITS))
    assert told == {"label": "annotations", "names": ["ETS", "GATA", "", "AP1"], "scores": ["score", "-log10 p-value"]}
    assert blocks["spans0.at"].tolist() == [0, 3, 4, 5]
    start = np.cumsum(blocks["spans0.start"])
    assert start.tolist() == [4, 4, 30, 5, 0]
    assert (start + blocks["spans0.width"]).tolist() == [20, 12, 40, 15, 60]
    assert [told["names"][code] for code in blocks["spans0.name"]] == ["AP1", "ETS", "GATA", "ETS", ""]
    assert blocks["spans0.strand"].tolist() == [0, 0, 2, 1, 1]
    np.testing.assert_array_equal(blocks["spans0.value0"], np.float32([7.25, -1.5, np.nan, 3, 2]))
    np.testing.assert_allclose(blocks["spans0.value1"], [np.nan, 300, 4, 5, 0.30103], rtol=1e-6)


def test_the_same_numbers_come_back_whatever_the_order_of_the_rows() -> None:
    rng = np.random.RandomState(0)
    n = 500
    table = pd.DataFrame({"example_idx": rng.randint(0, 3, n), "start": rng.randint(0, 50, n), "score": rng.rand(n)})
    table = table.assign(end=table["start"] + rng.randint(1, 10, n), name=rng.choice(list("abc"), n))
    blocks, (told,) = sent(nb.TrackView(ROWS, annotations=table.sample(frac=1, random_state=1)))
    at, start = blocks["spans0.at"], np.cumsum(blocks["spans0.start"])
    found = {
        (e, start[i], start[i] + blocks["spans0.width"][i], told["names"][blocks["spans0.name"][i]], blocks["spans0.value0"][i])
        for e in range(3)
        for i in range(at[e], at[e + 1])
    }  # fmt: skip
    wanted = set(
        zip(
            *(table[c] for c in ("example_idx", "start", "end", "name")), table["score"].astype(np.float32), strict=True
        )
    )
    assert found == wanted


def test_several_tables_by_label_and_one_for_a_logo() -> None:
    blocks, told = sent(nb.TrackView(ROWS, annotations={"hits": HITS, "none": HITS.iloc[:0]}))
    assert [one["label"] for one in told] == ["hits", "none"]
    assert told[1]["names"] == []
    assert blocks["spans1.at"].tolist() == [0, 0, 0, 0]
    assert blocks["spans1.start"].shape == (0,)
    X = np.eye(4)[np.zeros((3, 60), int)].transpose(0, 2, 1)
    blocks, (one,) = sent(nb.LogoView(X, annotations=HITS))
    assert one["scores"] == ["score"]  # a logo says no more than one
    with pytest.raises(NbinterpError, match=r"LogoView\(annotations\): got a dict; need a pandas DataFrame"):
        nb.LogoView(X, annotations={"hits": HITS})


def test_hits_of_fimo_and_called_hits_need_no_renaming() -> None:
    fimo = pd.DataFrame(
        {"motif_name": ["A"], "sequence_name": [1], "start": [3], "end": [9], "strand": ["-"], "score": [1.0]}
    )
    called = pd.DataFrame({"peak_id": [2], "start": [3], "end": [9], "motif_name": ["B"], "hit_coefficient": [0.5]})
    blocks, told = sent(nb.TrackView(ROWS, annotations={"fimo": fimo, "called": called}))
    assert [one["names"] for one in told] == [["A"], ["B"]]
    assert blocks["spans0.at"].tolist() == [0, 0, 1, 1]
    assert blocks["spans1.at"].tolist() == [0, 0, 0, 1]
    assert [one["scores"] for one in told] == [["score"], ["score"]]


def test_what_was_clicked_or_brushed_is_read_back_as_it_was_given() -> None:
    view = nb.TrackView(ROWS, annotations=HITS)
    assert view.chosen.empty
    assert list(view.chosen.columns) == list(HITS.columns)
    view.selection = [11, 31]
    assert view.chosen["extra"].tolist() == ["z", "x", "w"]
    assert set(view.chosen["example_idx"]) == {0}
    view.thresholds = {"annotations": {"score": -1.5}}
    assert view.chosen["extra"].tolist() == ["z", "x"]  # a missing score is below any threshold
    view.selection, view.item = [4, 12], 1
    assert view.chosen["extra"].tolist() == ["x"]
    view.selection = [4, 13]  # brushed since
    assert len(view.chosen) == 2
    view.example = 1
    view.selection = [14, 15]
    assert view.chosen.index.tolist() == [0]
    view.selection = [15, 16]
    assert view.chosen.empty


def test_of_several_tables_the_track_is_told() -> None:
    view = nb.TrackView(ROWS, annotations={"hits": HITS, "none": HITS.iloc[:0], "again": HITS})
    view.selection = [35, 36]
    assert view.chosen[["track", "name"]].to_numpy().tolist() == [["hits", "GATA"], ["again", "GATA"]]
    view.selection, view.item = [30, 40], 7
    assert view.chosen["track"].tolist() == ["again"]
    view.selection = []
    assert view.chosen.empty
    assert nb.TrackView(ROWS).chosen.empty


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nb.TrackView(ROWS, annotations={"hits": 3}), r"TrackView\(annotations\['hits'\]\): got a int; need a pandas"),
        (lambda: nb.TrackView(ROWS, annotations={"a": HITS.assign(score="x")}), r"annotations\['a'\]\): got column score with"),
        (lambda: nb.TrackView(ROWS, annotations={"a": HITS.assign(end=61)}), r"annotations\['a'\]\): got \(.*61\) in row 0; need spans within 3 "),
        (lambda: nb.TrackView(ROWS, annotations=HITS.assign(end=HITS["start"])), "need spans within 3 sequences of 60 bases"),
        (lambda: nb.TrackView(ROWS, annotations=HITS.assign(example_idx=-1)), r"got \(-1, .* in row 0; need spans within 3"),
        (lambda: nb.TrackView(ROWS, annotation_layout="lanes"), r"TrackView\(annotation_layout\)"),
        (lambda: setattr(nb.TrackView(ROWS), "thresholds", {"hits": {}}), r"thresholds\): got label 'hits'; need annotations"),
        (lambda: setattr(nb.TrackView(ROWS, annotations=HITS), "thresholds", {"hits": {}}), "need one of annotations"),
        (
            lambda: setattr(nb.TrackView(ROWS, annotations=HITS), "thresholds", {"annotations": {"q": 1}}),
            r"TrackView\(thresholds\['annotations'\]\): got 'q': 1; need a number for one of score, -log10 p-value; do",
        ),
        (
            lambda: setattr(nb.TrackView(ROWS, annotations=HITS), "thresholds", {"annotations": {"score": np.nan}}),
            "got 'score': nan",
        ),
        (
            lambda: setattr(
                nb.TrackView(ROWS, annotations=HITS[["example_idx", "start", "end"]]),
                "thresholds",
                {"annotations": {"score": 1}},
            ),
            "need a table with scores",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused(make: Any, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        make()


def test_a_still_picture_is_of_what_is_shown() -> None:
    view = nb.TrackView(ROWS, annotations=HITS)
    assert view._in_view(10, 40) == [(-6, 10, "AP1"), (-6, 2, "ETS"), (20, 30, "GATA")]
    first = view.to_png()
    view.thresholds = {"annotations": {"score": 5}}
    assert view._in_view(10, 40) == [(-6, 10, "AP1")]
    assert view.to_png() != first
    many = pd.DataFrame({"example_idx": 0, "start": np.arange(50).repeat(20), "end": np.arange(50).repeat(20) + 5})
    assert nb.TrackView(ROWS, annotations=many)._in_view(0, 60) == [(0, 54, "1,000 annotations")]


def test_a_million_are_read_and_sent_in_a_few_megabytes() -> None:
    rng, n = np.random.RandomState(0), 1_000_000
    start = rng.randint(0, 999_980, n)
    table = pd.DataFrame({"example_idx": 0, "start": start, "end": start + 12, "score": rng.rand(n)})
    began = time.perf_counter()
    (spans,) = read_spans("TrackView", table, 1, 1_000_000)
    print(f"1,000,000 spans read in {time.perf_counter() - began:.2f} s")
    assert spans.at.tolist() == [0, n]
    assert (np.diff(spans.start) >= 0).all()
    small = nb.TrackView(np.ones((1, 60)), length=1_000_000, annotations=table.iloc[:100_000])
    wire = (len(small.data) + len(small.meta)) / 100_000
    print(f"{wire:.1f} bytes a span on the wire")
    assert wire < 20
