"""SpacingView in Chromium, offline: hover, click, keys, lines on and off, both readings, backgrounds, edge cases, export."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.widget.spacing import SpacingView

pytestmark = pytest.mark.browser

L, START, DISTANCES = 120, 55, list(range(21))
X = nb.random_one_hot((10, 4, L), random_state=0)
A, B = {"GATA": "CAGATAAGG"}, {"TEAD": "ACATTCCAG"}
LEFT, TOP, HEIGHT = 64, 12, 220  # of the curve
STRANDS = {"a_then_b": "++", "b_then_a": "--", "facing": "+-", "apart": "-+"}


def table(distances: list[int] = DISTANCES) -> pd.DataFrame:
    """One bump at 6, and three lines at steps of a tenth below zero; the second reading is 0.2 lower."""
    rows = []
    for k, (arrangement, strands) in enumerate(STRANDS.items()):
        for order in ("ab", "ba"):
            for d in distances:
                value = (1.2 * np.exp(-((d - 6) ** 2) / 8) if k == 0 else -0.2 * k) - 0.2 * (order == "ba")
                turned = strands if order == "ab" else strands.translate(str.maketrans("+-", "-+"))
                start_b = START + 9 + d if order == "ab" else START - d - 9
                rows.append(
                    (
                        "GATA",
                        "TEAD",
                        order,
                        *turned,
                        arrangement,
                        d,
                        START,
                        start_b,
                        0,
                        64,
                        value + 0.5,
                        value,
                        value - 0.1,
                        value + 0.1,
                    )
                )
    names = "motif_a motif_b order strand_a strand_b arrangement distance start_a start_b output n effect cooperativity low high"
    return pd.DataFrame(rows, columns=names.split())


def spacing(**options: Any) -> SpacingView:
    return SpacingView(options.pop("table", table()), X, A, B, **options)


def shown(page: Any, i: int = 0) -> Any:
    """The i-th view, drawn."""
    view = page.page.locator(".nbi-spacing").nth(i)
    view.scroll_into_view_if_needed()
    page.page.wait_for_function("i => document.querySelectorAll('.nbi-spacing')[i]?.dataset.frames > 0", arg=i)
    page.settle()
    return view


def place(view: Any) -> str:
    return view.get_attribute("data-place")


def said(view: Any, where: str = ".nbi-headline") -> str:
    return re.sub(r"\s+", " ", view.locator(where).inner_text())


def over(page: Any, view: Any, distance: float, part: float) -> None:
    """Put the pointer over a distance, at a part of the height of the curve."""
    box, right = view.locator("canvas").bounding_box(), 6.6 * 11 + 16
    x = box["x"] + LEFT + (box["width"] - LEFT - right) * (distance + 0.5) / len(DISTANCES)
    page.page.mouse.move(x, box["y"] + TOP + HEIGHT * part, steps=3)
    page.settle()


def press(page: Any, view: Any, *keys: str) -> None:
    view.locator("canvas").focus()
    for key in keys:
        page.page.keyboard.press(key)
    page.settle()


def test_it_begins_at_the_strongest_and_says_it(open_page: Callable[..., Any]) -> None:
    page = open_page(spacing())
    view = shown(page)
    assert place(view) == "a_then_b ab 6"
    assert said(view) == "cooperativity +1.1 (interval 1 to 1.2, 64 backgrounds) · GATA▸ TEAD▸, 6 bp between"
    assert "GATA 55–64 (+), TEAD 70–79 (+) · letters: information of the motifs" in view.inner_text()
    assert "static: stored answers only" in view.inner_text()
    assert page.errors == []
    assert page.outside() == []


def test_a_point_is_read_out_and_clicked(open_page: Callable[..., Any]) -> None:
    page = open_page(spacing())
    view = shown(page)
    over(page, view, 11, 0.99)
    assert said(view, ".nbi-readout").startswith(
        "11 bp ◂GATA TEAD▸ cooperativity −0.7 [−0.8 to −0.6] effect of both −0.2"
    )
    assert place(view) == "a_then_b ab 6"
    page.page.mouse.down()
    page.page.mouse.up()
    page.page.mouse.move(5, 5)
    page.settle()
    assert place(view) == "apart ab 11"
    assert "GATA 55–64 (−), TEAD 75–84 (+)" in view.inner_text()
    over(page, view, 6, 0.05)
    assert said(view, ".nbi-readout").startswith("6 bp GATA▸ TEAD▸ cooperativity +1.1")


def test_keys_go_everywhere(open_page: Callable[..., Any]) -> None:
    page = open_page(spacing())
    view = shown(page)
    for key, where in (
        ("ArrowRight", "a_then_b ab 7"), ("Shift+ArrowRight", "a_then_b ab 17"), ("End", "a_then_b ab 20"), ("ArrowLeft", "a_then_b ab 19"),
        ("Home", "a_then_b ab 0"), ("ArrowDown", "b_then_a ab 0"), ("ArrowDown", "facing ab 0"), ("ArrowUp", "b_then_a ab 0"), ("f", "b_then_a ba 0"),
    ):  # fmt: skip
        press(page, view, key)
        assert place(view) == where, key
    press(page, view, "]", "]", "[")
    assert "2 of 8" in view.inner_text()
    press(page, view, "v")
    assert said(view).startswith("effect +0.2 (the sum of both alone +0.5, 64 backgrounds)")
    assert "no interval of its own in the table" in said(view, ".nbi-readout")
    press(page, view, "h")
    assert view.get_by_role("button", name="10.5 bp").get_attribute("aria-pressed") == "true"
    assert page.errors == []


def test_lines_go_on_and_off(open_page: Callable[..., Any]) -> None:
    page = open_page(spacing())
    view = shown(page)
    chip = view.get_by_role("button", name="GATA and TEAD facing apart")
    chip.click()
    assert chip.get_attribute("aria-pressed") == "false"
    over(page, view, 11, 0.99)
    assert "GATA▸ ◂TEAD" in said(view, ".nbi-readout")
    chip.click()
    over(page, view, 11, 0.99)
    assert "◂GATA TEAD▸" in said(view, ".nbi-readout")
    for one in view.locator(".nbi-chip").all():
        one.click()
    over(page, view, 11, 0.99)
    press(page, view, "ArrowUp", "ArrowRight")
    assert page.errors == []


def test_each_reading_can_be_seen(open_page: Callable[..., Any]) -> None:
    page = open_page(spacing())
    view = shown(page)
    view.get_by_label("readings").select_option("both")
    page.settle()
    assert said(view).startswith("cooperativity +1.2 (interval 1.1 to 1.3")
    over(page, view, 11, 0.99)
    assert "reading 2 cooperativity −0.8" in said(view, ".nbi-readout")
    view.get_by_role("button", name="other reading").click()
    page.settle()
    assert place(view) == "a_then_b ba 6"
    assert said(view).startswith("cooperativity +1 (interval 0.9 to 1.1")
    assert "GATA 55–64 (−), TEAD 40–49 (−)" in view.inner_text()


def test_another_view_is_told_where_the_pair_is(open_page: Callable[..., Any]) -> None:
    page = open_page(nb.LogoView(X, link="pair"), spacing(link="pair"))
    logo, view = page.logo(), shown(page, 0)
    press(page, view, "ArrowRight", "]")
    assert "2 of 10" in logo.inner_text()
    assert "selected 55–80" in logo.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_follows_the_ground(scheme: str, open_page: Callable[..., Any]) -> None:
    view = shown(open_page(spacing(), color_scheme=scheme))
    ink = view.evaluate("e => getComputedStyle(e).color")
    assert (sum(int(v) for v in ink[4:-1].split(",")[:3]) > 380) is (scheme == "dark")
    line = view.locator(".nbi-chip").first.evaluate("e => e.style.getPropertyValue('--nbi-line')")
    assert line == {"light": "#2563b8", "dark": "#6ea8fe"}[scheme]


def test_it_follows_its_own_width(open_page: Callable[..., Any]) -> None:
    page = open_page(spacing())
    view = shown(page)
    page.page.set_viewport_size({"width": 420, "height": 800})
    page.settle()
    assert view.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    assert view.locator("canvas").evaluate("e => e.width / devicePixelRatio") < 420


def test_edge_cases_draw_without_errors(open_page: Callable[..., Any]) -> None:
    gaps = table()
    gaps.loc[gaps["distance"].isin([5, 7]), ["effect", "cooperativity", "low", "high"]] = np.nan
    nothing = gaps.assign(effect=np.nan, cooperativity=np.nan, low=np.nan, high=np.nan)
    views = [
        spacing(table=table([6])),
        spacing(table=gaps, distance=7),
        spacing(table=nothing),
        spacing(table=gaps[gaps["order"] == "ab"], readings="both"),
        spacing(table=table().assign(cooperativity=0.0, low=0.0, high=0.0)),
        SpacingView(table(), None, A, B),
    ]
    page = open_page(*views)
    for i in range(len(views)):
        view = shown(page, i)
        over(page, view, 6, 0.5)
        press(page, view, "ArrowLeft", "ArrowUp", "ArrowDown", "f", "v", "h")
    assert said(shown(page, 1)).startswith("not measured") or place(shown(page, 1)) != "a_then_b ab 7"
    assert "not measured" in said(shown(page, 2))
    assert page.errors == []


def test_pictures_and_values_are_saved(open_page: Callable[..., Any]) -> None:
    page = open_page(spacing())
    view = shown(page)
    saved = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.page.expect_download() as caught:
            view.get_by_role("button", name=kind).click()
        saved[kind] = Path(caught.value.path()).read_bytes()
        assert caught.value.suggested_filename == f"spacing_GATA_TEAD.{kind.lower()}"
    assert saved["PNG"][:4] == b"\x89PNG"
    assert b"bases between the motifs" in saved["SVG"]
    lines = saved["CSV"].decode().splitlines()
    assert len(lines) == 1 + 4 * len(DISTANCES)
    assert lines[7].startswith('"GATA","TEAD",a_then_b,mean,6,64,1.1')
