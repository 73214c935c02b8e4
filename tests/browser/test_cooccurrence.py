"""CooccurrenceView in Chromium, offline: pairs by pointer and keys, spacings, partners, tables, many names, links, export."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.widget import link
from nbinterp.widget.cooccurrence import CooccurrenceView
from nbinterp.widget.logo import LogoView

pytestmark = pytest.mark.browser


def table(n: int = 240, seed: int = 0) -> pd.DataFrame:
    """In each third sequence TEAD stands 5 bases downstream of GATA, on the same strand; YY1 avoids GATA."""
    rng = np.random.default_rng(seed)
    rows = []
    for example in range(n):
        planted = example % 3 == 0
        if planted:
            at = int(rng.integers(20, 150))
            rows += [(example, at, "GATA", "+"), (example, at + 13, "TEAD", "+")]
        elif rng.random() < 0.7:
            rows.append((example, int(rng.integers(0, 180)), "YY1", "+-"[rng.integers(2)]))
        if rng.random() < 0.5:
            rows.append((example, int(rng.integers(0, 180)), "SPI1", "+-"[rng.integers(2)]))
    frame = pd.DataFrame(rows, columns=["example_idx", "start", "name", "strand"])
    return frame.assign(end=frame["start"] + 8)


def shown(page: Any, i: int = 0) -> Any:
    """The i-th view, drawn."""
    view = page.page.locator(".nbi-cooccurrence").nth(i)
    view.scroll_into_view_if_needed()
    ready = "i => { const v = document.querySelectorAll('.nbi-cooccurrence')[i]; return v && [...v.querySelectorAll('.nbi-map, .nbi-pair, .nbi-partners')].every(e => e.dataset.frames > 0); }"
    page.page.wait_for_function(ready, arg=i)
    page.settle()
    return view


def said(view: Any, part: str) -> str:
    return re.sub(r"\s+", " ", view.locator(f".nbi-{part} > .nbi-readout").inner_text())


def pair_of(view: Any) -> str:
    return view.locator(".nbi-map").get_attribute("data-pair")


def cell(view: Any, row: int, column: int) -> Any:
    return view.locator(f'[role=gridcell][data-at="{row} {column}"]')


def make(**options: Any) -> CooccurrenceView:
    return CooccurrenceView(table(), length=200, **options)


def test_a_cell_shows_its_pair(open_page: Callable[..., Any]) -> None:
    page = open_page(make())
    view = shown(page)
    assert pair_of(view) == "GATA TEAD"
    assert said(view, "map").startswith("GATA and TEAD: in 80 of 240 sequences, 26.7 expected, log2 +1.57, q ")
    assert said(view, "pair").startswith("80 nearer than 100 bp")
    view.get_by_label("order of the names").select_option("name")
    page.settle()
    cell(view, 3, 0).hover()  # YY1 by GATA
    assert said(view, "map").startswith("YY1 and GATA: in 0 of 240 sequences")
    cell(view, 1, 0).click()
    page.settle()
    assert pair_of(view) == "GATA SPI1"  # the motif stays
    cell(view, 2, 1).click()
    assert pair_of(view) == "TEAD SPI1"
    cell(view, 2, 2).click()
    page.settle()
    assert view.locator(".nbi-pair .nbi-facts-line").inner_text() == "TEAD twice"
    assert page.errors == []
    assert page.outside() == []


def test_keys_and_names_reach_every_cell(open_page: Callable[..., Any]) -> None:
    page = open_page(make())
    view = shown(page)
    view.get_by_label("order of the names").select_option("name")
    page.settle()
    assert view.get_by_role("grid", name="pairs of motifs").count() == 1
    assert view.locator(".nbi-cells").get_by_role("gridcell").count() == 10
    assert cell(view, 2, 0).get_attribute("tabindex") == "0"
    cell(view, 2, 0).focus()
    for key, pair in (
        ("ArrowDown", "GATA YY1"),
        ("ArrowRight", "YY1 SPI1"),
        ("End", "YY1 YY1"),
        ("Home", "YY1 GATA"),
        ("ArrowUp", "GATA TEAD"),
    ):
        page.page.keyboard.press(key)
        assert set(pair_of(view).split()) == set(pair.split()), key
    assert page.page.evaluate("document.activeElement.dataset.at") == "2 0"
    assert cell(view, 2, 0).get_attribute("aria-selected") == "true"
    assert cell(view, 2, 0).get_attribute("aria-label").startswith("TEAD and GATA: in 80 of 240")


def test_spacings_are_read_out_by_pointer_and_keys(open_page: Callable[..., Any]) -> None:
    page = open_page(make())
    view = shown(page)
    canvas = view.locator(".nbi-pair canvas")
    box = canvas.bounding_box()
    plot = box["width"] - 36 - 8
    page.page.mouse.move(box["x"] + 36 + 5.5 * plot / 100, box["y"] + 30)
    assert re.match(r"GATA▸ TEAD▸, 5 bp: 80 ×, 0\.\d+ expected \[0 to 2\], q ≤ 0\.05", said(view, "pair"))
    page.page.mouse.move(0, 0)
    assert said(view, "pair").startswith("80 nearer")
    canvas.focus()
    for key, words in (("ArrowRight", "GATA▸ TEAD▸, 0 bp"), ("Shift+ArrowRight", "GATA▸ TEAD▸, 10 bp"), ("ArrowDown", "TEAD▸ GATA▸, 10 bp"), ("End", "TEAD▸ GATA▸, 99 bp")):  # fmt: skip
        page.page.keyboard.press(key)
        assert said(view, "pair").startswith(words), key
    page.page.keyboard.press("f")
    page.settle()
    assert pair_of(view) == "TEAD GATA"
    view.get_by_role("button", name="turn").click()
    assert pair_of(view) == "GATA TEAD"


def test_partners_are_chosen_and_read_out(open_page: Callable[..., Any]) -> None:
    page = open_page(make(pair=("TEAD", "SPI1")))
    view = shown(page)
    view.get_by_label("order of the names").select_option("name")
    page.settle()
    partners = view.locator(".nbi-partners")
    assert partners.locator(".nbi-facts-line").inner_text() == "partners of TEAD"
    canvas = partners.locator("canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] - 40, "y": 18 + 6})  # GATA
    page.settle()
    assert pair_of(view) == "TEAD GATA"
    canvas.focus()
    page.page.keyboard.press("ArrowLeft")
    assert said(view, "partners").startswith("GATA upstream, 0 bp: 0")
    for _ in range(5):
        page.page.keyboard.press("ArrowLeft")
    assert said(view, "partners").startswith("GATA upstream, 5 bp: 80")
    page.page.keyboard.press("ArrowDown")
    page.settle()
    assert pair_of(view) == "TEAD SPI1"
    partners.get_by_label("what the map of partners shows").select_option("count")
    page.settle()
    assert partners.get_attribute("data-partners") == "count"


def test_tables_choose_too(open_page: Callable[..., Any]) -> None:
    page = open_page(make(pair=("SPI1", "YY1")))
    view = shown(page)
    view.locator(".nbi-tables .nbi-row").first.click()
    page.settle()
    assert pair_of(view) == "GATA TEAD"
    view.get_by_role("tab", name="strongest spacings").click()
    rows = view.locator(".nbi-tables .nbi-row:visible")
    assert re.sub(r"\s+", " ", rows.first.inner_text()).startswith("GATA TEAD 5")
    assert view.get_by_role("tab", name="strongest pairs").get_attribute("aria-selected") == "false"


@pytest.mark.parametrize("width", [1100, 1000])
def test_tables_show_all_their_columns(width: int, open_page: Callable[..., Any]) -> None:
    """Under the map and the pair, as wide as both, whatever the names are."""
    long = table().replace({"name": {"GATA": "MA0482.3 GATA4::TAL1", "TEAD": "MA1121.2 TEAD2 (long)"}})
    page = open_page(CooccurrenceView(long, length=200))
    page.page.set_viewport_size({"width": width, "height": 900})
    page.settle()
    view = shown(page)
    for tab, last in (("strongest pairs", "expected"), ("strongest spacings", "partner lies")):
        view.get_by_role("tab", name=tab).click()
        body = view.locator(".nbi-tables .nbi-body:visible")
        assert body.evaluate("e => e.scrollWidth <= e.clientWidth"), tab
        assert body.locator(".nbi-sort").last.inner_text() == last
        cut = "e => [...e.querySelectorAll('.nbi-td, .nbi-sort')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
        assert body.evaluate(cut) == 0, tab


def test_the_map_shows_other_numbers_and_other_names(open_page: Callable[..., Any]) -> None:
    page = open_page(make())
    view = shown(page)
    for value in ("sequences", "significance"):
        view.get_by_label("what the map shows").select_option(value)
        page.settle()
        assert view.locator(".nbi-map").get_attribute("data-value") == value
    view.get_by_label("filter names", exact=True).fill("ga, te")
    page.settle()
    assert view.locator(".nbi-map").get_attribute("data-names") == "2"
    assert "2 of 2 names" in view.inner_text()
    view.get_by_label("filter names", exact=True).fill("zzz")
    page.settle()
    assert "no names match the filter" in view.inner_text()
    assert pair_of(view) == "GATA TEAD"
    assert page.errors == []


@pytest.mark.parametrize("width", [1100, 420])
def test_three_hundred_names_fit(width: int, open_page: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    kind, start = rng.integers(0, 300, 20_000), rng.integers(0, 480, 20_000)
    names = np.array([f"MA{i:04d}.1 ZNF{i}" for i in range(300)], dtype=object)
    many = pd.DataFrame({"example_idx": rng.integers(0, 2000, 20_000), "start": start, "end": start + 9, "name": names[kind],
                         "strand": np.array(["+", "-"])[kind % 2]})  # fmt: skip
    page = open_page(CooccurrenceView(many, length=500))
    page.page.set_viewport_size({"width": width, "height": 900})
    page.settle()
    view = shown(page)
    assert view.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    assert view.get_attribute("data-wide") == ("1" if width > 860 else "0")
    assert view.locator(".nbi-cells").get_by_role("gridcell").count() == 820
    assert "40 of 300 names" in view.inner_text()
    cell(view, 10, 3).click()
    page.settle()
    view.get_by_label("filter names", exact=True).fill("ZNF299")
    page.settle()
    cell(view, 0, 0).click()
    page.settle()
    assert pair_of(view) == "MA0299.1 ZNF299 MA0299.1 ZNF299"
    assert view.locator(".nbi-pair").evaluate("e => Number(e.dataset.ms)") < 50
    assert page.errors == []


def test_edge_cases_draw_without_errors(open_page: Callable[..., Any]) -> None:
    one = table()
    views = [
        CooccurrenceView(one.query("name == 'GATA'")),
        CooccurrenceView(one.query("example_idx == 0")),
        CooccurrenceView(one.drop(columns="strand"), max_distance=1),
        CooccurrenceView(one, names=["absent", *sorted(set(one["name"]))], pair=("absent", "absent")),
        CooccurrenceView(one, max_distance=2000),
    ]
    page = open_page(CooccurrenceView(one.iloc[:0], n_examples=9), *views)
    page.page.wait_for_selector(".nbi-cooccurrence")
    assert "nothing to count" in page.page.locator(".nbi-cooccurrence").first.inner_text()
    assert "0 annotations in 9 sequences" in page.page.locator(".nbi-cooccurrence").first.inner_text()
    for i in range(1, len(views) + 1):
        view = shown(page, i)
        view.locator(".nbi-cell").last.click()
        page.page.keyboard.press("ArrowUp")
        view.locator(".nbi-partners canvas").focus()
        page.page.keyboard.press("ArrowDown")
        page.page.keyboard.press("ArrowRight")
        view.locator(".nbi-pair canvas").hover()
        page.settle()
        assert "NaN" not in view.inner_text()
    assert page.errors == []


def test_linked_views_choose_the_same_motif(open_page: Callable[..., Any]) -> None:
    first, second = make(pair=("SPI1", "YY1")), make(pair=("GATA", "TEAD"))
    letters = LogoView(np.eye(4)[:, np.arange(40) % 4])
    link(first, second, letters)
    page = open_page(first, second, letters)
    one, two = shown(page, 0), shown(page, 1)
    one.get_by_label("order of the names").select_option("name")
    page.settle()
    cell(one, 2, 0).click()  # TEAD by GATA
    page.settle()
    assert pair_of(two).split()[0] == pair_of(one).split()[0] == "TEAD"
    two.get_by_role("button", name="turn").click()
    page.settle()
    assert pair_of(one) == "GATA TEAD"
    chosen = f"() => globalThis[Symbol.for('nbinterp.v1')].links.get('{first.link}').state.motif"
    assert page.page.evaluate(chosen) == "GATA"
    assert page.errors == []


def test_maps_are_saved(open_page: Callable[..., Any]) -> None:
    page = open_page(make())
    view = shown(page)
    for part, name in (("map", "cooccurrence"), ("pair", "spacings"), ("partners", "partners")):
        for kind, starts in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
            with page.page.expect_download() as caught:
                view.locator(f".nbi-{part}").get_by_role("button", name=kind).click()
            assert Path(caught.value.path()).read_bytes().startswith(starts)
            assert caught.value.suggested_filename == f"{name}.{kind.lower()}"
