"""MarginalView in Chromium, offline: drag, keys, flip, snap to what is stored, links, themes, export; nothing asked outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nbinterp as nb
from nbinterp.live.placements import MarginalGrid
from nbinterp.model.networks import BPNet
from nbinterp.widget.marginal import MarginalView, marginal_grid

pytestmark = pytest.mark.browser

N, L, STEP = 12, 200, 5
X = nb.random_one_hot((N, 4, L), random_state=0)
MOTIFS = {
    "AP1": "TGACTCA",
    "ETS": np.array([[0.9, 0, 0, 0.1], [0.1, 1, 1, 0], [0, 0, 0, 0.8], [0, 0, 0, 0.1]]),
    "none": "TTT",
}
LEFT, RIGHT = 96, 20  # margins of the plot


@pytest.fixture(scope="module")
def grid() -> MarginalGrid:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(4, 8, 9), nn.ReLU(), nn.Flatten(), nn.Linear(8 * (L - 8), 1))
    model[3].weight.data *= 20  # effects that are written without exponents
    return marginal_grid(model, X, {k: v for k, v in MOTIFS.items() if k != "none"}, step=STEP, device="cpu")


def marginal(grid: MarginalGrid, **options: Any) -> MarginalView:
    return MarginalView(X, MOTIFS, effects=grid, **{"start": 100, **options})


def shown(page: Any, i: int = 0) -> Any:
    """The i-th view, drawn."""
    view = page.page.locator(".nbi-marginal").nth(i)
    view.scroll_into_view_if_needed()
    page.page.wait_for_function("i => document.querySelectorAll('.nbi-marginal')[i]?.dataset.frames > 0", arg=i)
    page.settle()
    return view


def place(view: Any) -> str:
    return view.get_attribute("data-place")


def said(view: Any) -> str:
    return view.locator(".nbi-headline").inner_text()


def over(page: Any, view: Any, position: float, y: float) -> None:
    """Put the pointer over a position, while all of them are in view."""
    box = view.locator("canvas").bounding_box()
    page.page.mouse.move(box["x"] + LEFT + (box["width"] - LEFT - RIGHT) * position / L, box["y"] + y, steps=4)


def press(page: Any, view: Any, *keys: str) -> None:
    view.locator("canvas").focus()
    for key in keys:
        page.page.keyboard.press(key)
    page.settle()


BLOCK, CURVE, STRIPS = 50, 200, 390


def test_it_is_dragged_to_where_an_answer_is_stored(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid))
    view = shown(page)
    assert place(view) == "AP1 100 +"
    over(page, view, 103, BLOCK)
    page.page.mouse.down()
    over(page, view, 142, BLOCK)
    assert place(view) == "AP1 140 +"  # 139 is not stored
    over(page, view, 500, BLOCK)
    page.page.mouse.up()
    assert place(view) == "AP1 193 +"
    over(page, view, 20, BLOCK)  # not held any more
    page.settle()
    assert place(view) == "AP1 193 +"
    over(page, view, 60, CURVE)
    page.page.mouse.down()
    page.page.mouse.up()
    page.settle()
    assert place(view) == "AP1 55 +"  # about the pointer
    assert page.errors == []
    assert page.outside() == []


def test_keys_move_flip_and_choose(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid))
    view = shown(page)
    for key, where in (
        ("ArrowRight", "AP1 105 +"), ("Shift+ArrowRight", "AP1 115 +"), ("ArrowLeft", "AP1 110 +"), ("Shift+ArrowLeft", "AP1 100 +"),
        ("f", "AP1 100 -"), ("Home", "AP1 0 -"), ("End", "AP1 193 -"), ("f", "AP1 193 +"), ("]", "ETS 195 +"), ("[", "AP1 193 +"),
    ):  # fmt: skip
        press(page, view, key)
        assert place(view) == where, key
    view.get_by_label("motif", exact=True).select_option("ETS")
    page.settle()
    assert place(view).startswith("ETS ")
    view.get_by_role("button", name="strand plus").click()
    assert place(view).endswith(" -")


def test_the_number_is_the_mean_with_its_interval(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    one = marginal(grid, start=40, strand="-")
    view = shown(open_page(one))
    assert float(view.get_attribute("data-effect")) == pytest.approx(one.effect.mean, abs=1e-4)
    pattern = r"effect ([+\u2212][\d.]+) \(95 % interval (\u2212?[\d.]+) to (\u2212?[\d.]+), 12 backgrounds\)"
    found = re.fullmatch(pattern, said(view))
    assert found, said(view)
    mean, low, high, _ = one.effect
    np.testing.assert_allclose([float(v.replace("\u2212", "-")) for v in found.groups()], [mean, low, high], rtol=6e-3)
    assert view.locator(".nbi-headline").get_attribute("aria-live") == "polite"
    readout = view.locator(".nbi-readout").inner_text()
    assert readout.startswith("TGAGTCA put in on \u2212 \u00b7 prediction ")


def test_hover_speaks_of_both_strands_and_of_backgrounds(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid))
    view = shown(page)
    over(page, view, 43.5, CURVE)
    page.settle()
    text = view.locator(".nbi-readout").inner_text()
    assert re.match(r"43\s+\+ at 40 .* \u2212 at 40 ", text), text
    box = view.locator("canvas").bounding_box()
    seen = set()
    for y in range(STRIPS, int(box["height"]) - 20, 3):
        for x in range(620, 1010, 6):
            page.page.mouse.move(box["x"] + x, box["y"] + y)
            words = view.locator(".nbi-readout").inner_text()
            if words.startswith("background"):
                seen.add(words)
        if seen:
            break
    assert any(re.match(r"background \d+ .* \u2192 .* effect [+\u2212]", words) for words in seen), seen


def test_what_is_not_stored_is_said(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid, motif="none"))
    view = shown(page)
    assert said(view) == "no stored answer for none on +: run the notebook"
    assert "static: stored answers only" in view.inner_text()
    assert view.get_attribute("data-live") == "0"
    press(page, view, "ArrowRight")
    assert page.errors == []


def test_it_zooms_and_keeps_the_motif_in_view(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid))
    view = shown(page)
    press(page, view, "+", "+", "+")
    over(page, view, 100, CURVE)
    page.page.mouse.move(5, 5)
    before = view.locator("canvas").screenshot()
    press(page, view, *["Shift+ArrowRight"] * 4)
    assert place(view) == "AP1 140 +"
    assert view.locator("canvas").screenshot() != before
    box = view.locator("canvas").bounding_box()
    page.page.mouse.click(box["x"] + box["width"] - 60, box["y"] + CURVE)  # 25 positions are in view, of 200
    page.settle()
    assert 140 <= int(place(view).split()[1]) <= 150
    press(page, view, "0")
    assert view.get_attribute("data-moving") == "0"


def test_linked_views_see_the_same_place(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid, link="pair"), nb.LogoView(X, link="pair"))
    view, logo = shown(page), page.logo()
    press(page, view, "ArrowRight")
    assert "selected 105\u2013112 (7 bp)" in logo.locator(".nbi-readout").inner_text()
    press(page, view, "+")
    assert "100 bp in view" in logo.locator(".nbi-readout").inner_text()
    assert page.errors == []


def test_profiles_before_and_after(open_page: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    stored = marginal_grid(BPNet(4, 2, trimming=20), X, {"AP1": "TGACTCA"}, target="logcounts", step=50, device="cpu")
    page = open_page(
        MarginalView(X, {"AP1": "TGACTCA"}, effects=stored, start=100),
        MarginalView(X, {"AP1": "TGACTCA"}, effects=stored._replace(profile=None, span=None), start=100),
    )
    with_profile, without = (shown(page, i).locator("canvas").bounding_box()["height"] for i in (0, 1))
    assert with_profile > without + 150
    press(page, shown(page), "ArrowRight", "f")
    assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_follows_the_ground(scheme: str, open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    ink = shown(open_page(marginal(grid), color_scheme=scheme)).evaluate("e => getComputedStyle(e).color")
    light = sum(int(v) for v in ink[4:-1].split(",")[:3]) > 380
    assert light is (scheme == "dark")


def test_narrow_it_is_one_column(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid))
    view = shown(page)
    wide = view.locator("canvas").bounding_box()["height"]
    page.page.set_viewport_size({"width": 480, "height": 900})
    page.settle()
    box = view.locator("canvas").bounding_box()
    assert box["width"] < 480
    assert box["height"] > wide + 100


def test_no_motion_for_who_wants_none(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid), reduced_motion="reduce")
    view = shown(page)
    view.locator("canvas").focus()
    page.page.keyboard.press("+")
    assert view.get_attribute("data-moving") == "0"


def test_pictures_and_numbers_are_saved(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    view = shown(page := open_page(marginal(grid)))
    saved = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.page.expect_download() as caught:
            view.get_by_role("button", name=kind).click()
        saved[kind] = Path(caught.value.path()).read_bytes()
    assert saved["PNG"][:4] == b"\x89PNG"
    assert saved["SVG"].startswith(b"<svg")
    lines = saved["CSV"].decode().splitlines()
    known = grid.placements["AP1"]
    assert len(lines) == len(known.starts) + 1
    assert lines[1].startswith('"AP1",0,7,+,')
    assert float(lines[1].split(",")[4]) == pytest.approx(known.effects[known.find(0, "+")].mean(), abs=1e-4)


def test_edges_draw_without_errors(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    one = MarginalGrid(
        np.zeros(1), {"AP1": grid.placements["AP1"]._replace(effects=grid.placements["AP1"].effects[:, :1])}
    )
    flat = MarginalGrid(
        np.ones(N), {"AP1": grid.placements["AP1"]._replace(effects=grid.placements["AP1"].effects * 0)}
    )
    many = {f"motif {i} with a long name": "ACGT" for i in range(200)}
    whole = {"all": "ACGT" * (L // 4)}
    page = open_page(
        MarginalView(X[:1], {"AP1": "TGACTCA"}, effects=one, start=100),
        MarginalView(X, {"AP1": "TGACTCA"}, effects=flat, start=100),
        MarginalView(X, many, effects=MarginalGrid(np.zeros(N), {})),
        MarginalView(X, whole, effects=MarginalGrid(np.zeros(N), {})),
    )
    for i in range(4):
        press(page, shown(page, i), "ArrowRight", "f", "+", "-", "End", "]")
    assert "(1 background: no interval)" in said(shown(page, 0))
    assert said(shown(page, 1)) == "effect +0 (95 % interval 0 to 0, 12 backgrounds)"
    assert page.errors == []


def test_it_is_quick(open_page: Callable[..., Any], grid: MarginalGrid) -> None:
    page = open_page(marginal(grid))
    view = shown(page)
    times = []
    for key in ("ArrowRight", "f", "ArrowLeft", "ArrowLeft", "f"):
        press(page, view, key)
        times.append(float(view.get_attribute("data-ms")))
    assert np.median(times) < 60  # a guard: a few ms of script a frame on a quiet machine
