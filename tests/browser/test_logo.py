"""LogoView in Chromium, offline: levels of detail, hover, brush, keys, themes, edge cases, speed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb

pytestmark = pytest.mark.browser


def scores(n: int, length: int) -> tuple[Any, np.ndarray]:
    X = nb.random_one_hot((n, 4, length), random_state=0)
    return X, np.random.RandomState(0).laplace(scale=0.1, size=(n, 4, length)).astype(np.float32)


def logo(n: int = 3, length: int = 300, **options: Any) -> nb.LogoView:
    X, H = scores(n, length)
    spans = pd.DataFrame(
        {
            "example_idx": [0, 0, 1],
            "start": [10, 100, 5],
            "end": [22, 130, 40],
            "name": ["ETS", "AP1", "x"],
            "strand": list("+-+"),
        }
    )
    return nb.LogoView(
        X,
        {"hypothetical": H, "other": H[:, 0]},
        annotations=spans[spans["example_idx"] < n],
        predictions=np.arange(n) + 0.5,
        **options,
    )


def test_zoom_hover_brush_and_keys(open_page: Callable[..., Any]) -> None:
    page = open_page(logo(view=(0, 60)))
    view = page.logo()
    assert view.get_attribute("data-mode") == "letters"
    canvas = view.locator("canvas")
    box = canvas.bounding_box()

    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 90)
    page.settle()
    said = view.locator(".nbi-readout").inner_text()
    assert "hypothetical" in said
    assert "other" in said
    assert view.locator(".nbi-four i").count() == 4

    page.page.mouse.move(box["x"] + 300, box["y"] + 90)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 500, box["y"] + 90, steps=4)
    page.page.mouse.up()
    page.page.mouse.move(box["x"] + 5, box["y"] + box["height"] - 2)
    page.settle()
    assert "selected" in view.locator(".nbi-readout").inner_text()

    canvas.focus()
    page.page.keyboard.press("-")
    page.settle()
    assert "120 bp in view" in view.locator(".nbi-readout").inner_text()
    page.page.keyboard.press("0")
    page.settle()
    assert view.get_attribute("data-mode") == "bars"
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("]")
    page.settle()
    assert "2 of 3" in view.locator(".nbi-bar").inner_text()
    assert "1.5" in view.locator(".nbi-facts-line").inner_text()
    assert page.errors == []
    assert page.outside() == []


def test_wheel_zooms_only_with_a_modifier(open_page: Callable[..., Any]) -> None:
    page = open_page(logo())
    view = page.logo()
    box = view.locator("canvas").bounding_box()
    page.page.mouse.move(box["x"] + 500, box["y"] + 90)
    before = view.locator(".nbi-place").inner_text()
    page.page.mouse.wheel(0, -300)
    page.settle()
    assert view.locator(".nbi-place").inner_text() == before
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -300)
    page.page.keyboard.up("Control")
    page.settle()
    assert view.locator(".nbi-place").inner_text() != before


def test_a_click_on_a_span_selects_and_centres_it(open_page: Callable[..., Any]) -> None:
    page = open_page(logo(n=1, view=(0, 60)))
    view = page.logo()
    box = view.locator("canvas").bounding_box()
    left = 24 + 7.6 * len("hypothetical")
    x = box["x"] + left + (box["width"] - left - 8) * 16 / 60
    page.page.mouse.click(x, box["y"] + box["height"] - 12)
    page.page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.settle()
    assert "selected 10\u201322 (12 bp)" in view.locator(".nbi-readout").inner_text()


def test_more_spans_than_lanes_are_counted(open_page: Callable[..., Any]) -> None:
    X, H = scores(1, 120)
    spans = pd.DataFrame({"example_idx": 0, "start": np.arange(14) + 40, "end": np.arange(14) + 70, "name": "GATA"})
    page = open_page(nb.LogoView(X, H, annotations=spans))
    view = page.logo()
    with page.page.expect_download() as saved:
        view.get_by_label("export what is in view").select_option("SVG")
    assert "+6 more" in Path(saved.value.path()).read_text()


def test_a_sequence_is_found_by_name_or_number(open_page: Callable[..., Any]) -> None:
    X, H = scores(30, 60)
    page = open_page(nb.LogoView(X, H, names=[f"peak_{i:02d}" for i in range(30)]))
    view = page.logo()
    field = view.get_by_label("sequence", exact=True)
    for said, found in (("peak_07", "8 of 30"), ("12", "12 of 30"), ("_29", "30 of 30"), ("nowhere", "30 of 30")):
        field.fill(said)
        field.press("Enter")
        field.blur()
        assert found in view.locator(".nbi-bar").inner_text()
    assert field.input_value() == "peak_29"


def test_no_motion_for_who_wants_none(open_page: Callable[..., Any]) -> None:
    page = open_page(logo(view=(0, 60)), reduced_motion="reduce")
    view = page.logo()
    view.locator("canvas").focus()
    page.page.keyboard.press("-")
    assert view.get_attribute("data-moving") == "0"
    page.settle()
    assert "120 bp in view" in view.locator(".nbi-readout").inner_text()


def test_it_says_that_it_is_static(open_page: Callable[..., Any]) -> None:
    page = open_page(logo())
    view = page.logo()
    assert view.get_attribute("data-live") == "0"
    assert "static: stored answers only" in view.inner_text()


def test_genome_coordinates(open_page: Callable[..., Any]) -> None:
    X, H = scores(1, 100)
    loci = pd.DataFrame({"chrom": ["chr7"], "start": [1_000_000], "end": [1_000_100]})
    page = open_page(nb.LogoView(X, H, loci=loci))
    assert page.logo().locator(".nbi-place").inner_text() == "chr7:1,000,000-1,000,100"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_follows_the_ground(scheme: str, open_page: Callable[..., Any]) -> None:
    page = open_page(logo(), color_scheme=scheme)
    ink = page.logo().evaluate("e => getComputedStyle(e).color")
    light = sum(int(v) for v in ink[4:-1].split(",")[:3]) > 380
    assert light is (scheme == "dark")


def test_edge_cases_draw_without_errors(open_page: Callable[..., Any]) -> None:
    X, H = scores(1, 120)
    bad = H[0].copy()
    bad[:, 20:30] = np.nan
    bad[0, 50] = 100
    unknown = X[0].clone()
    unknown[:, 5:9] = 0
    many = pd.DataFrame({"example_idx": 0, "start": np.arange(6000) % 110, "end": np.arange(6000) % 110 + 8})
    page = open_page(
        nb.LogoView(X[0]),
        nb.LogoView(unknown, {"bad": bad, "zero": np.zeros(120)}),
        nb.LogoView(np.eye(4)[:, :1], {"one": np.ones(1)}),
        nb.LogoView(X, H, annotations=many),
        nb.LogoView(X, H, colors="safe", scale="symmetric", hypothetical=True, view=(0, 40)),
    )
    for i in range(5):
        page.logo(i)
    assert page.errors == []


def panned(page: Any, n: int = 30) -> float:
    """Milliseconds of script a frame while the view pans, the median of n frames."""
    view = page.logo()
    view.locator("canvas").focus()
    times = []
    for i in range(n):
        page.page.keyboard.press("ArrowRight" if i % 10 < 5 else "ArrowLeft")
        page.settle()
        times.append(float(view.get_attribute("data-ms")))
    return float(np.median(times))


# milliseconds a frame: twice as long where a slow or busy machine must not fail a build
BUDGET = 8 * (2 if os.environ.get("CI") else 1)


def test_a_megabase_is_quick_and_small(open_page: Callable[..., Any]) -> None:
    length = 1_000_000
    rng = np.random.RandomState(0)
    codes = nb.CodedSequence(rng.randint(0, 4, (1, length)).astype(np.uint8))
    logo = nb.LogoView(codes, {"track": rng.laplace(size=(1, length)).astype(np.float32)}, view=(200_000, 900_000))
    wire = len(logo.data) + len(logo.meta)
    assert wire < 3e6
    page = open_page(logo)
    assert page.logo().get_attribute("data-mode") == "envelope"
    far = panned(page)
    page.page.keyboard.press("+")
    page.settle()
    near = panned(page)
    print(f"1 Mb x 1 row: {wire / 1e6:.2f} MB on the wire, {far:.1f} and {near:.1f} ms of script a frame")
    assert max(far, near) < BUDGET
    assert page.errors == []


def test_six_rows_of_letters_with_lanes_are_quick(open_page: Callable[..., Any]) -> None:
    X, H = scores(1, 2000)
    starts = np.sort(np.random.RandomState(1).randint(0, 1980, 300))
    spans = pd.DataFrame({"example_idx": 0, "start": starts, "end": starts + 20, "name": "GATA"})
    page = open_page(nb.LogoView(X, {f"row {i}": H for i in range(6)}, annotations=spans, view=(800, 990)))
    assert page.logo().get_attribute("data-mode") == "letters"
    took = panned(page)
    print(f"6 rows x 190 letters with lanes: {took:.1f} ms of script a frame")
    assert took < BUDGET


def test_a_table_sorts_filters_and_moves_the_logo(open_page: Callable[..., Any]) -> None:
    view = logo()
    table = pd.DataFrame(
        {"example_idx": [0, 2, 1], "start": [10, 200, 50], "end": [20, 215, 60], "name": ["b", "a", None]}
    )
    page = open_page(view, nb.TableView(table, logo=view))
    page.logo()
    grid = page.page.locator(".nbi-table")
    grid.scroll_into_view_if_needed()
    assert "3 rows" in grid.inner_text()
    grid.get_by_role("button", name="name").click()
    assert [r.get_attribute("data-row") for r in grid.locator(".nbi-row").all()] == ["1", "0", "2"]
    grid.get_by_label("filter start").fill("> 40")
    assert grid.get_attribute("data-shown") == "2"
    grid.locator(".nbi-row").first.click()
    page.settle()
    assert "3 of 3" in page.page.locator(".nbi-bar").first.inner_text()
    assert "selected 200\u2013215" in page.page.locator(".nbi-readout").inner_text()
    grid.get_by_label("filter start").fill("> 4000")
    assert "no rows match" in grid.inner_text()
    assert page.errors == []


def test_svg_and_csv_are_saved(open_page: Callable[..., Any]) -> None:
    page = open_page(logo(view=(0, 30)))
    view = page.logo()
    for kind, start in (("SVG", "<svg"), ("CSV", 'position,base,"hypothetical","other"')):
        with page.page.expect_download() as caught:
            view.get_by_label("export what is in view").select_option(kind)
        assert caught.value.path().read_text().startswith(start)
