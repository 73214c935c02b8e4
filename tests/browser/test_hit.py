"""HitView in Chromium, offline: stored penalties, similarity, motifs, clicks, links, themes, export; nothing asked outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbinterp as nb
from nbinterp.hit import hit_motifs
from nbinterp.live.hit import weights_of
from nbinterp.widget.hit import HitView
from tests.hit.synthetic import regions

pytestmark = pytest.mark.browser

DATA = regions(3)
N, L = 3, 120


def hits(**options: Any) -> HitView:
    return HitView(DATA.X, DATA.projected, DATA.motifs, device="cpu", **options)


def shown(page: Any, i: int = 0) -> Any:
    """The i-th view, drawn."""
    view = page.page.locator(".nbi-hit").nth(i)
    view.scroll_into_view_if_needed()
    page.page.wait_for_function("i => document.querySelectorAll('.nbi-hit')[i]?.dataset.frames > 0", arg=i)
    page.settle()
    return view


def press(page: Any, view: Any, *keys: str) -> None:
    view.locator("canvas.nbi-canvas").focus()
    for key in keys:
        page.page.keyboard.press(key)
        page.settle()


def turn(page: Any, view: Any, name: str, value: float) -> None:
    field = view.get_by_label(f"{name} as a number")
    field.fill(str(value))
    field.press("Enter")
    field.blur()
    page.settle()


def count(view: Any) -> int:
    return int(view.get_attribute("data-hits"))


def facts(view: Any) -> str:
    return str(view.locator(".nbi-facts-line").inner_text())


def saved(page: Any, view: Any, kind: str) -> bytes:
    with page.page.expect_download() as caught:
        view.get_by_role("button", name=kind, exact=True).first.click()
    return Path(caught.value.path()).read_bytes()


def rows(page: Any, view: Any) -> np.ndarray:
    """Contributions, reconstruction and residual of what is in view, as they are saved."""
    lines = saved(page, view, "CSV").decode().splitlines()
    assert lines[0].startswith('position,base,"contributions","reconstruction","residual"')
    return np.array([line.split(",")[2:] for line in lines[1:]], float).T


def test_the_slider_goes_to_what_is_stored(open_page: Callable[..., Any]) -> None:
    python = hits()
    page = open_page(python)
    view = shown(page)
    assert "static: stored answers only" in view.inner_text()
    for asked, stored in ((0.62, 0.6), (0.45, 0.4), (0.88, 0.9), (0.71, 0.7)):
        turn(page, view, "lambda", asked)
        assert float(view.get_attribute("data-lambda")) == stored
        python.lambda_ = stored
        assert count(view) == len(python.hits)
        assert f"{len(python.all())} hits in all regions" in facts(view)
    assert "duality gap < 1e\u22129" in facts(view)
    assert view.get_by_text("stored: 0.4, 0.5, 0.6, 0.7, 0.8, 0.9").is_visible()
    press(page, view, "]")
    python.example = 1
    assert count(view) == len(python.hits)
    assert page.errors == []
    assert page.outside() == []


@pytest.mark.parametrize("mode", ["pp", "hp", "ph", "hh"])
@pytest.mark.parametrize("unshrunk", [False, True])
def test_the_reconstruction_is_the_sum_of_the_hits(mode: str, unshrunk: bool, open_page: Callable[..., Any]) -> None:
    python = HitView(
        DATA.X, DATA.hypothetical, hit_motifs(DATA.motifs, lambdas=0.5), mode=mode, unshrunk=unshrunk, device="cpu"
    )
    page = open_page(python)
    found = python._engine.call(0, 0.5)
    motifs, total = python._motifs, np.zeros((4, L))
    size = found.table["unshrunk"] / found.table["coefficient"] if unshrunk else np.ones(len(found.table))
    for row, weight in zip(found.table.itertuples(), weights_of(found) * size, strict=True):
        m = motifs.names.index(row.name) + (row.strand == "-")
        if row.similarity >= 0.5:
            total[:, row.start : row.end] += weight * motifs.weights[m, :, motifs.starts[m] : motifs.ends[m]]
    given, fit, rest = rows(page, shown(page))[:3]
    np.testing.assert_allclose(given, DATA.projected[0], atol=2e-4)
    np.testing.assert_allclose(fit, (total * DATA.X[0]).sum(axis=0), atol=1e-5)
    np.testing.assert_allclose(rest, given - fit, atol=1e-6)
    assert np.abs(fit).max() > 0.1


def test_similarity_hides_hits_and_takes_them_out(open_page: Callable[..., Any]) -> None:
    python = hits()
    python.lambda_ = 0.4
    page = open_page(python)
    view = shown(page)
    counts = []
    for least in (0.01, 0.6, 0.9, 0.99):
        turn(page, view, "similarity", least)
        python.similarity = least
        counts.append(count(view))
        assert counts[-1] == len(python.hits)
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < counts[0]
    assert not rows(page, view)[1].any() or counts[-1]
    view.get_by_role("button", name="as lambda").click()
    page.settle()
    python.similarity = None
    assert count(view) == len(python.hits)


def test_motifs_are_found_and_left_out(open_page: Callable[..., Any]) -> None:
    python = hits()
    page = open_page(python)
    view = shown(page)
    names = [*python.hits["name"]]
    view.get_by_role("button", name="4 motifs").click()
    page.settle()
    box = view.get_by_label(f"{names[0]} competes")
    assert box.is_checked()
    box.click()
    page.settle()
    assert count(view) == len(names) - names.count(names[0])
    assert view.get_by_role("button", name="3 of 4 motifs").is_visible()
    view.get_by_role("button", name="none", exact=True).click()
    page.settle()
    assert count(view) == 0
    assert "0 hits explain 0 %" in facts(view)
    view.get_by_label("filter motif").first.fill(names[0])
    view.get_by_role("button", name="all", exact=True).click()
    page.settle()
    assert count(view) == names.count(names[0])
    assert page.errors == []


def test_a_click_selects_a_hit_and_links_its_motif(open_page: Callable[..., Any]) -> None:
    python = hits(link="both")
    table = python.hits
    logo = nb.LogoView(DATA.X, {"score": DATA.projected}, annotations=python.all(), link="both")
    page = open_page(python, logo)
    view = shown(page)
    canvas = view.locator("canvas.nbi-canvas")
    box, first = canvas.bounding_box(), table.iloc[0]
    left = 13 * 7.6 + 24  # "contributions" in the margin; of the linked views the widest
    middle = left + (first["start"] + first["end"]) / 2 / L * (box["width"] - left - 8)
    page.page.mouse.click(box["x"] + middle, box["y"] + box["height"] - 14)
    page.settle()
    page.page.mouse.move(box["x"] + middle, box["y"] - 40)  # away
    page.settle()
    here = int((table["name"] == first["name"]).sum())
    assert f"{first['name']}: {here} here" in view.locator(".nbi-readout").inner_text()
    state = page.page.evaluate("() => globalThis[Symbol.for('nbinterp.v1')].links.get('both').state")
    assert (state["motif"], state["selection"]) == (first["name"], [first["start"], first["end"]])
    assert view.locator(".nbi-row.nbi-on").inner_text().split()[0] == first["name"]
    press(page, view, "n")
    assert page.errors == []


def test_a_row_of_the_table_shows_its_hit(open_page: Callable[..., Any]) -> None:
    python = hits()
    page = open_page(python)
    view = shown(page)
    last = python.hits.iloc[-1]
    view.locator(".nbi-row").last.click()
    page.settle()
    assert f"selected {last['start']}\u2013{last['end']}" in view.locator(".nbi-readout").inner_text()
    turn(page, view, "lambda", 0.6)  # the same hit has another number, and stays chosen
    assert view.locator(".nbi-row.nbi-on").inner_text().split()[1] == str(last["start"])


def test_tied_hits_name_their_rival(open_page: Callable[..., Any]) -> None:
    twins = {"one": DATA.motifs["m0"], "two": DATA.motifs["m0"], **DATA.motifs}
    python = HitView(DATA.X, DATA.projected, twins, example=1, device="cpu")
    tied = python.hits[python.hits["tied"]]
    assert len(tied)
    page = open_page(python)
    view = shown(page)
    assert f"{len(tied)} tied" in facts(view)
    assert "tied: " in view.locator(".nbi-body").last.inner_text()


def test_all_four_bases_where_there_are_some(open_page: Callable[..., Any]) -> None:
    page = open_page(
        HitView(DATA.X, DATA.hypothetical, DATA.motifs, device="cpu", view=(0, 60)),
        HitView(DATA.X, DATA.hypothetical, DATA.motifs, mode="hh", device="cpu", view=(0, 60)),
        hits(),
    )
    for i, more in ((0, True), (1, False)):
        view = shown(page, i)
        before = view.locator("canvas.nbi-canvas").bounding_box()["height"]
        press(page, view, "h")
        assert (view.locator("canvas.nbi-canvas").bounding_box()["height"] > before) is more
    assert shown(page, 2).get_by_role("button", name="all four bases").count() == 0
    assert page.errors == []


def test_edge_cases_draw_without_errors(open_page: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    X = np.eye(4)[rng.integers(0, 4, (1, 10_000))].transpose(0, 2, 1)
    long, short = rng.normal(size=(1, 10_000)), rng.normal(size=(1, 200))
    unknown = X[:, :, :200].copy()
    unknown[:, :, 20:80] = 0
    one = {"m0": DATA.motifs["m0"]}
    many = {f"motif {i} of a long name": rng.normal(size=(4, int(rng.integers(4, 20)))) for i in range(200)}
    far = [np.repeat(part, 70, axis=0) for part in (DATA.X, DATA.projected)]
    views = [
        HitView(DATA.X, 0 * DATA.projected, one, device="cpu"),
        HitView(unknown, short, one, device="cpu"),
        HitView(X, long, DATA.motifs, device="cpu", stored=[0.6]),
        HitView(DATA.X, DATA.projected, many, device="cpu", stored=[0.3, 0.98], view=(10, 40), height=24),
        HitView(*far, DATA.motifs, device="cpu"),
    ]
    page = open_page(*views)
    for i in range(len(views)):
        view = shown(page, i)
        press(page, view, "+", "+", "-", "n", "p", "0", "Escape")
        for name, value in (("lambda", 0.01), ("lambda", 0.99), ("similarity", 0.99)):
            turn(page, view, name, value)
        view.get_by_role("button", name=re.compile(r"\d motifs?$")).click()
        page.settle()
    assert "all contributions are 0" in facts(shown(page, 0))
    press(page, shown(page, 4), "]")
    assert "no hits are stored for this region" in facts(shown(page, 4))
    assert page.errors == []


def test_pictures_are_saved(open_page: Callable[..., Any]) -> None:
    page = open_page(hits(view=(0, 60)))
    view = shown(page)
    assert saved(page, view, "PNG")[:4] == b"\x89PNG"
    picture = saved(page, view, "SVG")
    assert picture.startswith(b"<svg")
    assert b"reconstruction" in picture
    table = saved(page, view, "TSV").decode().splitlines()
    assert table[0].split("\t")[:3] == ["motif", "start", "end"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_follows_the_ground(scheme: str, open_page: Callable[..., Any]) -> None:
    ink = shown(open_page(hits(), color_scheme=scheme)).evaluate("e => getComputedStyle(e).color")
    light = sum(int(v) for v in ink[4:-1].split(",")[:3]) > 380
    assert light is (scheme == "dark")


def test_it_follows_its_own_width(open_page: Callable[..., Any]) -> None:
    page = open_page(hits())
    view = shown(page)
    page.page.set_viewport_size({"width": 420, "height": 800})
    page.settle()
    assert view.locator("canvas.nbi-canvas").evaluate("e => e.width / devicePixelRatio") < 420
    assert view.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
