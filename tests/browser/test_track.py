"""TrackView in Chromium, offline: zoom, hover, brush, keys, links without a kernel, themes, edge cases, export, speed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.widget.track import TrackView

pytestmark = pytest.mark.browser

RNG = np.random.RandomState(0)
N, P, OFFSET = 3, 200, 50
UP = RNG.poisson(4, (N, P)).astype(np.float32)
TWO = np.stack([UP, UP[:, ::-1] / 2], axis=1)


def track(**options: Any) -> TrackView:
    spans = pd.DataFrame(
        {
            "example_idx": [0, 0, 1],
            "start": [60, 150, 5],
            "end": [72, 180, 40],
            "name": ["ETS", "AP1", "x"],
            "strand": list("+-+"),
        }
    )
    options = {"offset": OFFSET, "annotations": spans, "predictions": np.arange(N) + 0.5, **options}
    return TrackView({"predicted": TWO, "observed": UP}, **options)


def shown(page: Any, i: int = 0) -> Any:
    """The i-th view, drawn."""
    view = page.page.locator(".nbi-track").nth(i)
    view.scroll_into_view_if_needed()
    page.page.wait_for_function("i => document.querySelectorAll('.nbi-track')[i]?.dataset.frames > 0", arg=i)
    return view


def said(view: Any) -> str:
    return view.locator(".nbi-readout").inner_text()


def place(view: Any) -> str:
    return view.locator(".nbi-place").inner_text()


def over(page: Any, view: Any, part: float, y: float = 90) -> None:
    """Put the pointer over a part of the width of the plot, whose gutter the labels set."""
    box, left = view.locator("canvas").bounding_box(), 24 + 7.6 * len("predicted")
    page.page.mouse.move(box["x"] + left + (box["width"] - left - 8) * part, box["y"] + y, steps=3)


def press(page: Any, view: Any, *keys: str) -> None:
    view.locator("canvas").focus()
    for key in keys:
        page.page.keyboard.press(key)
    page.settle()


def test_zoom_hover_brush_and_keys(open_page: Callable[..., Any]) -> None:
    page = open_page(track(view=(60, 120)))
    view = shown(page)
    assert view.get_attribute("data-mode") == "steps"
    over(page, view, 10.5 / 60)
    page.settle()
    i = 70 - OFFSET
    low = f"{TWO[0, 1, i]:g}"
    assert said(view) == f"70 predicted {UP[0, i]:g} (+), {low} (−) observed {UP[0, i]:g}"

    over(page, view, 20.2 / 60)
    page.page.mouse.down()
    over(page, view, 39.8 / 60)
    page.page.mouse.up()
    page.page.mouse.move(5, 5)
    page.settle()
    assert said(view) == "60 bp in view · selected 80–100 (20 bp)"

    press(page, view, "-")
    assert "120 bp in view" in said(view)
    press(page, view, "0")
    assert "300 bp in view" in said(view)
    press(page, view, "-", "Home", "ArrowRight", "ArrowLeft", "+")
    assert "150 bp in view" in said(view)
    press(page, view, "Escape", "]")
    assert "selected" not in said(view)
    assert "2 of 3" in view.locator(".nbi-bar").inner_text()
    assert "1.5" in view.locator(".nbi-facts-line").inner_text()
    assert page.errors == []
    assert page.outside() == []


def test_far_away_it_is_an_area(open_page: Callable[..., Any]) -> None:
    page = open_page(TrackView(np.ones((1, 2000))))
    assert shown(page).get_attribute("data-mode") == "area"


def test_outside_the_profiles_there_is_no_value(open_page: Callable[..., Any]) -> None:
    page = open_page(track())
    view = shown(page)
    over(page, view, 15.5 / 300)
    page.settle()
    assert said(view) == "15 outside the profiles"


def test_wheel_mini_map_and_ruler(open_page: Callable[..., Any]) -> None:
    page = open_page(track(view=(100, 200)))
    view = shown(page)
    over(page, view, 0.5)
    page.page.mouse.wheel(0, -300)
    page.settle()
    assert place(view) == "sequence 0:100-200"
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -300)
    page.page.keyboard.up("Control")
    page.settle()
    assert place(view) != "sequence 0:100-200"

    box = view.locator("canvas").bounding_box()
    over(page, view, 0.005, 33)  # the mini-map
    page.page.mouse.down()
    page.page.mouse.up()
    page.settle()
    assert place(view).startswith("sequence 0:0-")
    page.page.mouse.dblclick(box["x"] + 500, box["y"] + 33)
    page.settle()
    assert place(view) == "sequence 0:0-300"


def test_a_click_on_a_span_selects_and_centres_it(open_page: Callable[..., Any]) -> None:
    page = open_page(track(view=(50, 110)))
    view = shown(page)
    over(page, view, 16 / 60, view.locator("canvas").bounding_box()["height"] - 12)
    page.page.mouse.down()
    page.page.mouse.up()
    page.page.mouse.move(5, 5)
    page.settle()
    assert "selected 60–72 (12 bp)" in said(view)
    assert place(view) == "sequence 0:36-96"


def test_linked_views_follow_each_other_with_no_kernel(open_page: Callable[..., Any]) -> None:
    page = open_page(track(link="pair"), track(link="pair", height=40), track(link="other"), track())
    one, two, other, alone = (shown(page, i) for i in range(4))
    assert one.get_attribute("data-live") == "0"
    press(page, one, "]", "+")
    assert place(one) == place(two) == "sequence 1:75-225"
    assert place(other) == place(alone) == "sequence 0:0-300"
    over(page, two, 0.5)
    page.settle()
    assert said(one) == said(two)
    assert said(one).startswith("150 predicted")
    page.page.mouse.down()
    over(page, two, 0.75)
    page.page.mouse.up()
    page.page.mouse.move(5, 5)
    page.settle()
    assert "selected 150–188" in said(one)
    assert "selected" not in said(other)
    press(page, two, "[", "0")
    assert place(one) == "sequence 0:0-300"
    assert page.errors == []
    assert page.outside() == []


def test_linked_views_meet_in_genome_coordinates(open_page: Callable[..., Any]) -> None:
    def at(chrom: str, start: int) -> TrackView:
        loci = pd.DataFrame({"chrom": [chrom], "start": [start], "end": [start + 400]})
        return TrackView(np.arange(400.0), loci=loci, link="genome")

    page = open_page(at("chr7", 1000), at("chr7", 1100), at("chr8", 1000))
    one, two, elsewhere = (shown(page, i) for i in range(3))
    press(page, one, "+")
    assert place(one) == place(two) == "chr7:1,100-1,300"
    assert place(elsewhere) == "chr8:1,000-1,400"


def test_a_logo_and_a_track_follow_each_other(open_page: Callable[..., Any]) -> None:
    loci = pd.DataFrame({"chrom": ["chr1", "chr2", "chr3"], "start": [1000, 2000, 3000]}).assign(
        end=lambda t: t["start"] + 300
    )
    X = np.eye(4)[RNG.randint(0, 4, (N, 300))].transpose(0, 2, 1)
    page = open_page(nb.LogoView(X, {"score": X}, loci=loci, link="both"), track(loci=loci, link="both"))
    logo, view = page.logo(), shown(page)
    press(page, view, "]", "+")
    assert place(logo) == place(view) == "chr2:2,075-2,225"
    press(page, logo, "[", "+")
    assert place(logo) == place(view) == "chr1:1,112-1,188"
    over(page, view, 0.5)
    page.settle()
    assert said(logo)[:5] == said(view)[:5] == "1,150"
    assert page.errors == []


def test_no_motion_for_who_wants_none(open_page: Callable[..., Any]) -> None:
    page = open_page(track(view=(60, 120)), reduced_motion="reduce")
    view = shown(page)
    view.locator("canvas").focus()
    page.page.keyboard.press("-")
    assert view.get_attribute("data-moving") == "0"
    page.settle()
    assert "120 bp in view" in said(view)


def test_it_says_that_it_is_static(open_page: Callable[..., Any]) -> None:
    view = shown(open_page(track()))
    assert view.get_attribute("data-live") == "0"
    assert "static: stored answers only" in view.inner_text()


def test_a_sequence_is_found_by_name_or_number(open_page: Callable[..., Any]) -> None:
    page = open_page(TrackView(RNG.rand(30, 60), names=[f"peak_{i:02d}" for i in range(30)]))
    view = shown(page)
    field = view.get_by_label("sequence", exact=True)
    for text, found in (("peak_07", "8 of 30"), ("12", "12 of 30"), ("_29", "30 of 30"), ("nowhere", "30 of 30")):
        field.fill(text)
        field.press("Enter")
        field.blur()
        assert found in view.locator(".nbi-bar").inner_text()
    assert field.input_value() == "peak_29"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_follows_the_ground(scheme: str, open_page: Callable[..., Any]) -> None:
    ink = shown(open_page(track(), color_scheme=scheme)).evaluate("e => getComputedStyle(e).color")
    light = sum(int(v) for v in ink[4:-1].split(",")[:3]) > 380
    assert light is (scheme == "dark")


def test_it_follows_its_own_width(open_page: Callable[..., Any]) -> None:
    page = open_page(track())
    view = shown(page)
    page.page.set_viewport_size({"width": 480, "height": 800})
    page.settle()
    assert view.locator("canvas").evaluate("e => e.width / devicePixelRatio") < 480


def test_edge_cases_draw_without_errors(open_page: Callable[..., Any]) -> None:
    gaps, out = UP[:1].copy(), UP[:1].copy()
    gaps[0, 20:60] = np.nan
    out[0, 9] = 1e6
    many = pd.DataFrame({"example_idx": 0, "start": np.arange(6000) % 190, "end": np.arange(6000) % 190 + 8})
    pages = [
        TrackView({"gaps": gaps, "zero": 0 * gaps, "none": gaps * np.nan, "outlier": out}),
        TrackView({"gaps": np.stack([gaps, -out], axis=1)}, view=(10, 40), height=24),
        TrackView([3.0]),
        TrackView(UP, annotations=many, scale="shared"),
        TrackView(
            {"after": TWO, "before": TWO * 2},
            overlay={"after": "before"},
            band={"after": (TWO * 0.8, TWO * 1.2)},
            offset=OFFSET,
        ),
    ]
    page = open_page(*pages)
    for i in range(len(pages)):
        press(page, shown(page, i), "+", "+", "-", "0")
    over(page, shown(page, 4), 0.5)
    page.settle()
    assert " to " in said(shown(page, 4))
    assert "before" in said(shown(page, 4))
    assert page.errors == []


def test_pictures_and_values_are_saved(open_page: Callable[..., Any]) -> None:
    page = open_page(track(view=(60, 90), overlay={}))
    view = shown(page)
    saved = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.page.expect_download() as caught:
            view.get_by_role("button", name=kind).click()
        saved[kind] = Path(caught.value.path()).read_bytes()
    assert saved["PNG"][:4] == b"\x89PNG"
    assert saved["SVG"].startswith(b"<svg")
    assert b"predicted" in saved["SVG"]
    lines = saved["CSV"].decode().splitlines()
    assert lines[0] == 'position,"predicted (+)","predicted (-)","observed"'
    assert len(lines) == 31
    np.testing.assert_allclose(
        [float(v) for v in lines[1].split(",")], [60, UP[0, 10], TWO[0, 1, 10], UP[0, 10]], rtol=1e-3
    )


def test_it_is_quick(open_page: Callable[..., Any]) -> None:
    many = {f"row {i}": np.abs(RNG.normal(size=(1, 2, 200_000))).astype(np.float32) for i in range(3)}
    page = open_page(TrackView(many))
    view = shown(page)
    view.locator("canvas").focus()
    times = []
    for key in ("+", "ArrowRight", "ArrowLeft", "+", "+", "ArrowRight"):
        page.page.keyboard.press(key)
        page.settle()
        times.append(float(view.get_attribute("data-ms")))
    assert np.median(times) < 60  # a guard: about 10 ms of script a frame on a quiet machine
    assert page.errors == []


# --- a sequence that was edited in a linked logo ------------------------------------------------------------------------------


def edited_pair(**options: Any) -> tuple[nb.LogoView, TrackView]:
    """A logo in which single edits are stored, and the profile of a model, of one link."""
    torch.manual_seed(0)
    X = np.eye(4)[RNG.randint(0, 4, (2, 60))].transpose(0, 2, 1).astype(np.float32)
    logo = nb.LogoView(
        X, {"score": X}, mutagenesis=RNG.normal(size=X.shape), predictions=[1.0, 2.0], view=(0, 40), link="edits"
    )
    observed = {"observed": RNG.rand(2, 2, 50)}
    model = torch.nn.Conv1d(4, 2, 11)
    return logo, TrackView(observed, X=X, model=model, link="edits", device="cpu", **options)


def test_with_no_kernel_the_stored_profile_stays_and_says_so(open_page: Callable[..., Any]) -> None:
    page = open_page(*edited_pair())
    logo, view = page.logo(), shown(page)
    trouble = view.locator(".nbi-trouble")
    assert "static: stored answers only" in view.inner_text()
    assert trouble.is_hidden()
    press(page, logo, *",,,")  # the cross-hair, in both
    before = said(view)
    number = before.split("observed")[0]
    press(page, logo, *"acg")
    assert trouble.inner_text().startswith("no kernel: the profile is of the sequence as it was given")
    assert "2 edits" in view.locator(".nbi-facts-line").inner_text() or "3 edits" in view.inner_text()
    assert said(view) == before.replace(number, number.replace("predicted", "predicted (original)"))
    trouble.click()
    page.settle()
    assert trouble.is_hidden()
    press(page, logo, "]")
    assert "edit" not in view.locator(".nbi-facts-line").inner_text()
    press(page, view, "[")
    assert "edit" in view.locator(".nbi-facts-line").inner_text()
    press(page, logo, "u", "u", "u", *",,,")
    assert said(view) == before
    assert trouble.is_hidden()
    assert page.errors == []
    assert page.outside() == []


def test_edits_that_were_saved_are_there_from_the_start(open_page: Callable[..., Any]) -> None:
    logo, view = edited_pair()
    logo.edit(20, "T" if logo.edited[20] == "A" else "A")
    for order in ((logo, view), (view, logo)):
        page = open_page(*order)
        page.logo()
        page.settle()
        assert "1 edit" in shown(page).locator(".nbi-facts-line").inner_text()


def test_what_no_model_answers_for_follows_no_edits(open_page: Callable[..., Any]) -> None:
    logo, _ = edited_pair()
    logo.edit(20, "T" if logo.edited[20] == "A" else "A")
    page = open_page(logo, TrackView(RNG.rand(2, 60), link="edits"))
    page.logo()
    view = shown(page)
    page.settle()
    assert "edit" not in view.locator(".nbi-facts-line").inner_text()
    assert view.locator(".nbi-trouble").is_hidden()


EDITS = "() => globalThis[Symbol.for('nbinterp.v1')].links.get('edits').state.edits"


def test_the_link_carries_the_edits_of_each_sequence(open_page: Callable[..., Any]) -> None:
    page = open_page(*edited_pair())
    logo = page.logo()
    shown(page)
    press(page, logo, ",", "Enter")
    logo.locator(".nbi-letter:not(:disabled)").first.click()
    page.settle()
    ((key, changes),) = page.page.evaluate(EDITS).items()
    assert key == "[0,60,null]"
    assert len(changes) == 1
    assert changes[0][1] == changes[0][0] + 1
