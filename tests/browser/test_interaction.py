"""InteractionView in Chromium, offline: a cell chosen by pointer and keys, the map at one distance, many motifs, export."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.widget.interaction import InteractionView

pytestmark = pytest.mark.browser

MOTIFS = {"ETS": "ACCGGAAGT", "GATA": "CAGATAAGG", "TEAD": "ACATTCCAG"}
X = nb.random_one_hot((4, 4, 160), random_state=0)


def table(names: list[str], distances: list[int]) -> pd.DataFrame:
    """The second and the third work together at 6 bases, a then b; the first lowers itself; else nothing."""
    d = np.arange(len(distances))
    parts = []
    for i, a in enumerate(names):
        for j, b in enumerate(names[i:], i):
            for order in ("ab",) if i == j else ("ab", "ba"):
                for k, arrangement in enumerate(("a_then_b", "b_then_a", "facing", "apart")):
                    value = np.full(len(d), 0.01 * k)
                    value[[x == 6 for x in distances]] += {(1, 2): 1.0, (0, 0): -0.5}.get((i, j), 0) * (k == 0)
                    start_b = [60 + 9 + x if order == "ab" else 60 - 9 - x for x in distances]
                    parts.append(pd.DataFrame({
                        "motif_a": a, "motif_b": b, "order": order, "arrangement": arrangement, "distance": distances, "start_a": 60,
                        "start_b": start_b, "output": 0, "n": 16, "effect": value, "cooperativity": value, "low": value - 0.1, "high": value + 0.1,
                    }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


SMALL = table(list(MOTIFS), [2, 6, 10])


def shown(page: Any, i: int = 0) -> Any:
    """The i-th view, drawn."""
    view = page.page.locator(".nbi-interaction").nth(i)
    view.scroll_into_view_if_needed()
    ready = "i => { const v = document.querySelectorAll('.nbi-interaction')[i]; return v && [...v.querySelectorAll('.nbi-map, .nbi-spacing')].every(e => e.dataset.frames > 0); }"
    page.page.wait_for_function(ready, arg=i)
    page.settle()
    return view


def said(view: Any) -> str:
    return re.sub(r"\s+", " ", view.locator(".nbi-map > .nbi-readout").inner_text())


def cell(view: Any, row: int, column: int) -> Any:
    return view.locator(f'[role=gridcell][data-at="{row} {column}"]')


def test_a_cell_shows_its_pair(open_page: Callable[..., Any]) -> None:
    page = open_page(InteractionView(SMALL, X=X, motifs=MOTIFS))
    view = shown(page)
    assert view.get_attribute("data-pair") == "GATA TEAD"
    assert said(view) == "GATA and TEAD: cooperativity +1 [0.9 to 1.1] at 6 bp, GATA▸ TEAD▸"
    assert view.locator(".nbi-spacing").get_attribute("data-place") == "a_then_b ab 6"
    cell(view, 1, 0).hover()
    assert said(view).startswith("ETS and GATA: cooperativity +0.03")
    cell(view, 0, 0).click()
    page.settle()
    assert view.get_attribute("data-pair") == "ETS ETS"
    assert "cooperativity −0.5" in view.locator(".nbi-headline").inner_text()
    assert "ETS 60–69 (+), ETS 75–84 (+)" in view.inner_text()
    assert page.errors == []
    assert page.outside() == []


def test_keys_and_names_reach_every_cell(open_page: Callable[..., Any]) -> None:
    page = open_page(InteractionView(SMALL))
    view = shown(page)
    assert view.get_by_role("grid", name="pairs of motifs").count() == 1
    assert view.get_by_role("gridcell").count() == 6
    assert cell(view, 2, 1).get_attribute("tabindex") == "0"
    cell(view, 2, 1).focus()
    for key, pair in (
        ("ArrowLeft", "ETS TEAD"),
        ("ArrowUp", "ETS GATA"),
        ("ArrowRight", "GATA GATA"),
        ("ArrowUp", "ETS ETS"),
        ("ArrowDown", "ETS GATA"),
        ("End", "GATA GATA"),
        ("Home", "ETS GATA"),
    ):
        page.page.keyboard.press(key)
        assert view.get_attribute("data-pair") == pair, key
    assert page.page.evaluate("document.activeElement.dataset.at") == "1 0"
    assert cell(view, 1, 0).get_attribute("aria-selected") == "true"
    assert "then TEAD on the same strand" in cell(view, 2, 1).get_attribute("aria-label")


def test_the_map_is_of_one_distance_or_of_any(open_page: Callable[..., Any]) -> None:
    page = open_page(InteractionView(SMALL))
    view = shown(page)
    slider = view.get_by_label("distance of the map")
    slider.fill("1")
    page.settle()
    assert view.get_attribute("data-at") == "2"
    assert said(view).startswith("GATA and TEAD: cooperativity +0.03")
    cell(view, 1, 1).click()
    page.settle()
    assert view.locator(".nbi-spacing").get_attribute("data-place").endswith(" 2")
    slider.fill("0")
    page.settle()
    assert view.get_attribute("data-at") == "-1"
    assert slider.get_attribute("aria-valuetext") == "strongest at any distance"


def test_lanes_under_the_curve_are_points_too(open_page: Callable[..., Any]) -> None:
    page = open_page(InteractionView(SMALL))
    view = shown(page)
    box = view.locator(".nbi-spacing canvas").bounding_box()
    page.page.mouse.click(box["x"] + 64 + 20, box["y"] + 12 + 220 + 36 + 8 + 14 * 2 + 7)
    page.settle()
    assert view.locator(".nbi-spacing").get_attribute("data-place") == "facing ab 2"


@pytest.mark.parametrize("width", [1400, 420])
def test_twenty_motifs_and_fifty_distances_fit(width: int, open_page: Callable[..., Any]) -> None:
    one = InteractionView(table([f"ZNF{i}" for i in range(20)], list(range(50))))
    assert len(one.data) < 2_000_000
    page = open_page(one)
    page.page.set_viewport_size({"width": width, "height": 900})
    page.settle()
    view = shown(page)
    assert view.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    assert view.get_attribute("data-wide") == ("1" if width > 860 else "0")
    assert view.get_by_role("gridcell").count() == 210
    cell(view, 10, 3).click()
    page.settle()
    assert view.get_attribute("data-pair") == "ZNF3 ZNF10"
    assert page.errors == []


def test_edge_cases_draw_without_errors(open_page: Callable[..., Any]) -> None:
    numbers = ["effect", "cooperativity", "low", "high"]
    views = [
        InteractionView(SMALL[SMALL["distance"] == 6]),
        InteractionView(SMALL.assign(**dict.fromkeys(numbers, np.nan))),
        InteractionView(SMALL[(SMALL["motif_a"] != "ETS") | (SMALL["motif_b"] != "TEAD")]),
        InteractionView(table(["alone"], [0, 1])),
    ]
    page = open_page(*views)
    for i in range(len(views)):
        view = shown(page, i)
        view.get_by_role("gridcell").last.click()
        page.page.keyboard.press("ArrowUp")
        page.settle()
    assert cell(shown(page, 2), 2, 0).get_attribute("aria-label") == "not in the table"
    assert page.errors == []


def test_the_map_is_saved(open_page: Callable[..., Any]) -> None:
    page = open_page(InteractionView(SMALL))
    buttons = shown(page).locator(".nbi-map")
    for kind, starts in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.page.expect_download() as caught:
            buttons.get_by_role("button", name=kind).click()
        assert Path(caught.value.path()).read_bytes().startswith(starts)
        assert caught.value.suggested_filename == f"interactions.{kind.lower()}"
