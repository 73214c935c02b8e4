"""Annotation tracks in Chromium, offline: layouts, thresholds, the table, the chosen motif, links, edge cases, a million."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from tests.browser.test_track import place, press, said, shown

pytestmark = pytest.mark.browser

LENGTH, N = 200, 3
PROFILE = np.ones((N, LENGTH), np.float32)
HITS = pd.DataFrame(
    {
        "example_idx": [0, 0, 0, 1, 2],
        "start": [20, 60, 120, 50, 100],
        "end": [32, 72, 130, 62, 112],
        "name": ["GATA", "ETS", "GATA", "GATA", "ETS"],
        "strand": list("+-+-+"),
        "score": [12.5, -3.0, 4.0, np.nan, 8.0],
        "attribution": [0.5, 0.25, -0.5, 0.125, 1.0],
    }
)
PEAKS = pd.DataFrame({"example_idx": [0], "start": [0], "end": [LENGTH], "name": ["peak"]})
MOTIF = "() => globalThis[Symbol.for('nbinterp.v1')].links.get('motif').state.motif"
BUDGET = 8 * (2 if os.environ.get("CI") else 1)


def track(annotations: Any = None, **options: Any) -> nb.TrackView:
    return nb.TrackView(PROFILE, annotations=HITS if annotations is None else annotations, **options)


def over(page: Any, view: Any, position: float, from_below: float) -> None:
    """Put the pointer over a position of a sequence that is all in view, so far above the lower edge of the canvas."""
    view.locator("canvas").scroll_into_view_if_needed()
    box, left = view.locator("canvas").bounding_box(), max(24 + 7.6 * len("profile"), 72)
    page.page.mouse.move(
        box["x"] + left + (box["width"] - left - 8) * position / LENGTH, box["y"] + box["height"] - from_below, steps=2
    )


def click(page: Any, view: Any, position: float, from_below: float) -> None:
    over(page, view, position, from_below)
    page.page.mouse.down()
    page.page.mouse.up()
    page.page.mouse.move(2, 2)
    page.settle()


def test_a_click_chooses_the_motif_in_every_linked_view(open_page: Callable[..., Any]) -> None:
    X = np.eye(4)[np.zeros((N, LENGTH), int)].transpose(0, 2, 1)
    page = open_page(
        track(link="motif"),
        nb.LogoView(X, {"score": X}, annotations=HITS, link="motif"),
        track(link="other"),
        nb.TrackView(PROFILE, link="motif"),
    )
    view, logo, other, bare = shown(page), page.logo(), shown(page, 1), shown(page, 2)
    over(page, view, 125, 12)
    page.settle()
    assert said(view).endswith("GATA 120–130 (+), score 4, attribution −0.5")
    click(page, view, 125, 12)
    assert said(view) == "200 bp in view · selected 120–130 (10 bp) · GATA: 2 here, 3 in 2 sequences"
    assert said(logo).endswith("selected 120–130 (10 bp) · GATA: 2 here, 3 in 2 sequences")
    assert page.page.evaluate(MOTIF) == "GATA"
    assert "GATA" not in said(other)
    assert "GATA" not in said(bare)  # it has no annotations to count
    press(page, logo, "n")
    assert "selected 50–62 (12 bp) · GATA: 1 here" in said(view)
    assert place(view).startswith("sequence 1:")
    press(page, view, "n")
    assert said(view) == "no later GATA"
    press(page, view, "p")
    assert "selected 120–130" in said(logo)
    press(page, logo, "Escape")
    for one in (view, logo):
        assert said(one) == "200 bp in view"
    assert page.page.evaluate(MOTIF) is None
    press(page, view, "n")  # of any name
    assert "selected 20–32" in said(view)
    assert page.errors == []
    assert page.outside() == []


def test_others_step_back_from_the_chosen_motif(open_page: Callable[..., Any]) -> None:
    chosen = track(view=(0, 150))
    chosen.motif = "GATA"
    page = open_page(track(view=(0, 150)), chosen)
    fills = []
    for i in range(2):
        view = shown(page, i)
        with page.page.expect_download() as caught:
            view.get_by_role("button", name="SVG").click()
        text = Path(caught.value.path()).read_text()
        fills.append(sorted({part.split('"')[0] for part in text.split('fill="rgba(')[1:]}))
    assert any(fill.endswith("0.16)") for fill in fills[1])
    assert not any(fill.endswith("0.16)") for fill in fills[0])
    assert "GATA: 2 here, 3 in 2 sequences" in said(shown(page, 1))


def test_a_row_for_each_name(open_page: Callable[..., Any]) -> None:
    page = open_page(track({"hits": HITS, "peaks": PEAKS, "none": HITS.iloc[:0]}))
    view = shown(page)
    before = view.locator("canvas").bounding_box()["height"]
    view.get_by_label("layout of the annotations").select_option("rows")
    page.settle()
    assert view.locator("canvas").bounding_box()["height"] > before
    with page.page.expect_download() as caught:
        view.get_by_role("button", name="SVG").click()
    text = Path(caught.value.path()).read_text()
    assert text.index(">GATA<") < text.index(">ETS<") < text.index(">peak<") < text.index(">none here<")
    view.get_by_label("order of the rows").select_option("first")
    page.settle()
    box = view.locator("canvas").bounding_box()
    # from below: the empty table (16 + 16 + 6), peaks (16 + 20 + 6), and the second row of hits
    page.page.mouse.click(box["x"] + 40, box["y"] + box["height"] - 38 - 42 - 14)
    page.settle()
    assert "ETS: 1 here, 2 in 2 sequences" in said(view)
    page.page.mouse.click(box["x"] + 40, box["y"] + box["height"] - 38 - 42 - 14)
    page.settle()
    assert "ETS" not in said(view)
    assert page.errors == []


def test_many_names_have_pages(open_page: Callable[..., Any]) -> None:
    start = np.arange(500) % 180
    names = pd.DataFrame(
        {"example_idx": 0, "start": start, "end": start + 9, "name": [f"M{i:03d}" for i in range(500)]}
    )
    page = open_page(track(names, annotation_layout="rows"))
    view = shown(page)
    words = view.locator(".nbi-spans")
    assert "page 1 of 42" in words.inner_text()
    view.get_by_title("names after these").click()
    assert "page 2 of 42" in words.inner_text()
    box = view.locator("canvas").bounding_box()
    page.page.mouse.click(box["x"] + 60, box["y"] + box["height"] - 10)  # "+488 more"
    assert "page 3 of 42" in words.inner_text()
    assert "500 annotations; no scores, so no threshold" in words.inner_text()
    assert page.errors == []


def test_a_threshold_says_how_many_are_left(open_page: Callable[..., Any]) -> None:
    page = open_page(track({"hits": HITS, "peaks": PEAKS}))
    view = shown(page)
    line = view.locator(".nbi-span-line").first
    assert "all 5" in line.inner_text()
    assert "no scores, so no threshold" in view.locator(".nbi-span-line").nth(1).inner_text()
    field, slider = line.get_by_label("least score of hits").first, line.locator("input[type=range]")
    slider.evaluate("e => { e.value = 1; e.dispatchEvent(new Event('input')); }")
    page.settle()
    assert "3 of 5" in line.inner_text()  # the lowest is hidden, and the one with no score
    field.fill("8")
    field.press("Enter")
    page.settle()
    assert "2 of 5" in line.inner_text()
    press(page, view, "n", "n", "n")  # the peak, and what is shown of the hits
    assert place(view).startswith("sequence 2:")
    line.get_by_label("score of hits", exact=True).select_option("attribution")
    assert field.input_value() == ""
    field.fill("0.6")
    field.blur()
    page.settle()
    assert "1 of 5" in line.inner_text()
    field.fill("")
    field.blur()
    page.settle()
    assert "2 of 5" in line.inner_text()
    assert page.errors == []


def test_the_table_is_of_what_is_in_view_or_brushed(open_page: Callable[..., Any]) -> None:
    page = open_page(track({"hits": HITS, "peaks": PEAKS}))
    view = shown(page)
    view.get_by_role("button", name="table").click()
    grid = view.locator(".nbi-table")

    def listed(count: int) -> None:
        page.page.wait_for_function(f"() => document.querySelector('.nbi-table').dataset.shown === '{count}'")

    listed(4)
    assert grid.locator(".nbi-row").first.inner_text().split("\n")[:2] == ["hits", "GATA"]
    over(page, view, 50, 100)
    page.page.mouse.down()
    over(page, view, 80, 100)
    page.page.mouse.up()
    listed(2)
    assert "in the selection" in view.locator(".nbi-span-list").inner_text()
    press(page, view, "Escape")
    listed(4)
    grid.get_by_role("button", name="start").click()
    with page.page.expect_download() as caught:
        grid.get_by_role("button", name="TSV").click()
    rows = [line.split("\t") for line in Path(caught.value.path()).read_text().splitlines()]
    assert rows[0] == ["track", "name", "start", "end", "strand", "score", "attribution"]
    assert [row[2] for row in rows[1:]] == ["120", "60", "20", "0"]
    grid.locator(".nbi-row").nth(1).click()
    page.settle()
    assert "selected 60–72 (12 bp) · ETS: 1 here" in said(view)
    page.page.wait_for_timeout(250)
    assert grid.locator(".nbi-row.nbi-on").inner_text().split("\n")[:2] == ["hits", "ETS"]
    press(page, view, "+", "+")
    listed(2)
    press(page, view, "]", "0")
    listed(1)
    assert page.errors == []
    assert page.outside() == []


def test_what_was_saved_is_there_again(open_page: Callable[..., Any]) -> None:
    view = track({"hits": HITS}, annotation_layout="rows")
    view.thresholds, view.motif = {"hits": {"score": 4.0}}, "GATA"
    view.selection, view.item = [20, 32], 0
    page = open_page(view)
    again = shown(page)
    assert said(again) == "200 bp in view · selected 20–32 (12 bp) · GATA: 2 here, 2 in 1 sequence"
    assert again.get_by_label("layout of the annotations").input_value() == "rows"
    assert "3 of 5" in again.locator(".nbi-span-line").inner_text()


def edge(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"example_idx": 0, "start": [0, 0, 5], "end": [LENGTH, LENGTH, 6], **columns})


@pytest.mark.parametrize("layout", ["packed", "rows"])
def test_whatever_comes_is_drawn(layout: str, open_page: Callable[..., Any]) -> None:
    start = np.arange(6000) % 190
    tables: dict[str, Any] = {
        "empty": HITS.iloc[:0],
        "one": HITS.iloc[:1],
        "no names, no scores": edge(),
        "one name": edge(name="GATA", score=[1.0, 1.0, 1.0]),
        "no score is a number": edge(name=["a", "b", None], score=np.nan),
        "negative": edge(name=list("abc"), score=[-5.0, -1e-9, np.nan]),
        "p": edge(name=list("abc"), **{"p-value": [0.0, 1e-12, 1.0]}),
        "deep": pd.DataFrame({"example_idx": 0, "start": start, "end": start + 8, "name": "GATA"}),
    }
    page = open_page(
        *(track(table, annotation_layout=layout) for table in tables.values()),
        track(tables, annotation_layout=layout, view=(10, 60)),
        nb.LogoView(np.eye(4)[:, [0, 1, 2, 3] * 50], annotations=tables["deep"]),
    )
    for i, label in enumerate((*tables, "all")):
        view = shown(page, i)
        press(page, view, "+", "n", "0", "Escape")
        view.get_by_role("button", name="table").click()
        page.settle()
        words = view.locator(".nbi-spans").inner_text()
        assert ("no annotations" in words) is (label in ("empty", "all")), label
        assert ("no scores, so no threshold" in words) is (label in ("no names, no scores", "deep", "all")), label
        assert ("no score is a number" in words) is (label in ("no score is a number", "all")), label
    assert "the first 5,000 of 6,000 in view" in shown(page, 7).locator(".nbi-spans").inner_text()
    page.logo()
    assert page.errors == []
    assert page.outside() == []


def test_narrow_and_wide(open_page: Callable[..., Any]) -> None:
    page = open_page(track({"a long label of called hits": HITS, "peaks": PEAKS}, annotation_layout="rows"))
    view = shown(page)
    page.page.set_viewport_size({"width": 420, "height": 900})
    page.settle()
    assert view.evaluate(
        "e => [...e.querySelectorAll('.nbi-spans *')].every((o) => o.getBoundingClientRect().right <= innerWidth)"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("n", "length"), [(1, 1_000_000), (1000, 2000)])
def test_a_million_are_quick(n: int, length: int, open_page: Callable[..., Any]) -> None:
    rng, total = np.random.RandomState(0), 1_000_000
    start = rng.randint(0, length - 20, total)
    table = pd.DataFrame(
        {
            "example_idx": rng.randint(0, n, total),
            "start": start,
            "end": start + rng.randint(6, 21, total),
            "name": np.array([f"M{i:03d}" for i in range(500)])[rng.randint(0, 500, total)],
            "strand": np.array(["+", "-"])[rng.randint(0, 2, total)],
            "score": rng.gamma(5, 2, total).astype(np.float32),
        }
    )
    made = nb.TrackView(np.ones((n, 100), np.float32), length=length, annotations=table)
    wire = (len(made.data) + len(made.meta)) / 1e6
    page = open_page(made)
    times = []
    for _ in range(2):
        page.page.reload()
        page.page.wait_for_function("() => document.querySelector('.nbi-track')?.dataset.frames > 0")
        times.append(page.page.evaluate("() => performance.now()") / 1000)
    view, loaded = shown(page), min(times)

    def frames(*keys: str) -> float:
        """Milliseconds of script a frame: the median over these keys, once they were pressed before."""
        times = []
        for key in keys * 3:
            press(page, view, key)
            times.append(float(view.get_attribute("data-ms")))
        return float(np.median(times[len(keys) :]))

    pan = ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft")
    took = {}
    for layout in ("packed", "rows"):
        view.get_by_label("layout of the annotations").select_option(layout)
        press(page, view, "0", "+")
        took[f"{layout}, far"] = frames(*pan)
        took[f"{layout}, zoomed"] = frames("+", "+", "+", "+", "-", "-", "-", "-")
        press(page, view, *"++++++++")
        took[f"{layout}, near"] = frames(*pan)
    click(page, view, 1, 400)
    press(page, view, "0", "n")
    words = ", ".join(f"{name} {ms:.1f}" for name, ms in took.items())
    print(
        f"1,000,000 spans in {n} sequences: {wire:.1f} MB on the wire, shown in {loaded:.2f} s, ms of script a frame: {words}"
    )
    assert wire < 20
    assert loaded < 1.5 * (2 if os.environ.get("CI") else 1)
    assert max(took.values()) < BUDGET
    assert page.errors == []
    assert [url for url in page.outside() if not url.startswith("file:")] == []  # it was read again
