"""VariantView in Chromium, offline: list, threshold, alleles in columns, keys, links, themes, edge cases, export, speed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.perturb.variants import read_variants
from nbinterp.widget import VariantView

pytestmark = pytest.mark.browser

RNG = np.random.RandomState(0)
N, L = 40, 200
LETTERS = np.array(list("ACGT"))
CODES = RNG.randint(0, 4, (N, L))
SCORES = np.round(RNG.laplace(size=N), 3)
SCORES[:3] = 9, -8, 7  # a substitution, an insertion, a deletion


def one_hot(codes: np.ndarray) -> np.ndarray:
    return np.eye(4, dtype=np.int8)[codes].transpose(0, 2, 1)


def alternatives() -> np.ndarray:
    made = CODES.copy()
    made[:, 100] = (CODES[:, 100] + 1) % 4
    made[1] = np.concatenate([CODES[1, :101], [3, 3, 0], CODES[1, 101:-3]])
    made[2] = np.concatenate([CODES[2, :101], CODES[2, 105:], [0, 1, 2, 3]])
    return made


ALT = alternatives()


def table_of() -> pd.DataFrame:
    ref, alt = LETTERS[CODES[:, 100]], LETTERS[ALT[:, 100]]
    table = pd.DataFrame({"chrom": "chr1", "start": 1100 + 1000 * np.arange(N), "ref": ref, "alt": alt})
    table.loc[1, "alt"] = table["ref"][1] + "TTA"
    table.loc[2, ["ref", "alt"]] = ["".join(LETTERS[CODES[2, 100:105]]), LETTERS[CODES[2, 100]]]
    return table.assign(
        window_start=1000 + 1000 * np.arange(N), reference=5.0, alternative=5 + SCORES, difference=SCORES, jsd=np.abs(SCORES) / 10
    )  # fmt: skip


def variants(**options: Any) -> VariantView:
    ref, alt = RNG.normal(size=(2, N, L))
    ref[5:], alt[5:] = np.nan, np.nan
    return VariantView(table_of(), one_hot(CODES), one_hot(ALT), **{"attributions": (ref, alt), **options})


def shown(page: Any, i: int = 0) -> Any:
    """The i-th view, drawn."""
    view = page.page.locator(".nbi-variant").nth(i)
    view.scroll_into_view_if_needed()
    page.page.wait_for_function("i => document.querySelectorAll('.nbi-pair')[i]?.dataset.frames > 0", arg=i)
    page.settle()
    return view


def said(view: Any) -> str:
    return view.locator(".nbi-pair .nbi-readout").inner_text()


def counted(view: Any) -> str:
    return view.locator(".nbi-scores .nbi-readout").inner_text()


def listed(view: Any) -> list[int]:
    rows = view.locator(".nbi-row")
    return [int(rows.nth(i).get_attribute("data-row")) for i in range(rows.count())]


def press(page: Any, target: Any, *keys: str) -> None:
    target.focus()
    for key in keys:
        page.page.keyboard.press(key)
    page.settle()


def at(view: Any, page: Any, column: float, y: float = 100) -> tuple[float, float]:
    """Where a column of the view, 81 wide, is on the page."""
    box = view.locator(".nbi-pair canvas").bounding_box()
    return box["x"] + 108 + (box["width"] - 108 - 12) * column / 81, box["y"] + y


def test_the_list_is_ranked_and_a_row_shows_its_alleles(open_page: Callable[..., Any]) -> None:
    page = open_page(variants())
    view = shown(page)
    ranked = np.argsort(-np.abs(SCORES), kind="stable").tolist()
    assert listed(view) == ranked[: len(listed(view))]
    headline = view.locator(".nbi-headline")
    assert "difference +9" in headline.inner_text()
    assert "reference 5 → alternative 14" in headline.inner_text()
    assert view.locator(".nbi-pair").get_attribute("data-rows") == "3"
    view.locator(".nbi-row").nth(2).click()
    page.settle()
    assert "difference +7" in headline.inner_text()
    press(page, view.locator(".nbi-body"), "ArrowUp")
    assert view.get_attribute("data-selected") == "1"
    assert view.locator(".nbi-row.nbi-on").get_attribute("aria-selected") == "true"
    press(page, view.locator(".nbi-pair canvas"), "]", "]", "]", "]", "]")
    assert view.get_attribute("data-selected") == str(ranked[6])
    assert "attributions of this variant are not stored" in said(view)
    assert view.locator(".nbi-pair").get_attribute("data-rows") == "2"
    assert "static: stored answers only" in view.inner_text()
    assert page.errors == []
    assert page.outside() == []


def test_gaps_keep_the_columns_together(open_page: Callable[..., Any]) -> None:
    page = open_page(variants(selected=1))
    view = shown(page)

    def over(column: float) -> str:
        page.page.mouse.move(*at(view, page, column), steps=2)
        page.settle()
        return said(view)

    base = LETTERS[CODES[1]]
    assert over(39.5).startswith(f"2,100 {base[100]} reference")
    assert over(40.5).startswith("before 2,101 – > T alternative")
    assert "difference" not in over(41.5)
    assert over(43.5).startswith(f"2,101 {base[101]} reference")
    press(page, view.locator(".nbi-pair canvas"), "]")  # the next in the list: a deletion
    gone = LETTERS[CODES[2]]
    assert over(40.5).startswith(f"3,101 {gone[101]} > – reference")
    assert over(44.5).startswith(f"3,105 {gone[105]} reference")
    assert page.errors == []


def test_the_threshold_is_moved_by_keys(open_page: Callable[..., Any]) -> None:
    page = open_page(variants())
    view = shown(page)
    slider = view.get_by_role("slider")
    assert counted(view) == "all 40 variants: drag to set a threshold"
    press(page, slider, *["ArrowRight"] * 20)
    assert slider.get_attribute("aria-valuenow") == "2"
    n = int((np.abs(SCORES) >= 2).sum())
    assert slider.get_attribute("aria-valuetext") == counted(view) == f"{n} of 40 variants with |difference| ≥ 2"
    assert len(listed(view)) == n
    assert f"{n} of 40 variants" in view.locator(".nbi-list .nbi-bar").inner_text()
    press(page, slider, "Shift+ArrowLeft", "ArrowLeft")
    assert slider.get_attribute("aria-valuenow") == "0.9"
    press(page, slider, "End")
    assert listed(view) == [0]
    press(page, slider, "Home")
    assert view.get_attribute("data-beyond") == "40"


def test_the_threshold_is_dragged(open_page: Callable[..., Any]) -> None:
    page = open_page(variants())
    view = shown(page)
    box = view.get_by_role("slider").bounding_box()

    def x(score: float) -> float:
        return float(box["x"] + 44 + (box["width"] - 56) * (score + 9) / 18)

    page.page.mouse.move(x(2), box["y"] + 90)
    page.page.mouse.down()
    page.page.mouse.move(x(6), box["y"] + 90, steps=4)
    page.page.mouse.move(x(-7.5), box["y"] + 90, steps=4)  # to the other side: size is what counts
    page.page.mouse.up()
    page.settle()
    assert float(view.get_attribute("data-threshold")) == pytest.approx(7.5, abs=0.06)
    assert listed(view) == [0, 1]
    page.page.mouse.move(x(9) - 2, box["y"] + 90)
    page.settle()
    assert counted(view).startswith("1 variant from 8.")


def test_none_passes(open_page: Callable[..., Any]) -> None:
    page = open_page(variants(selected=7))
    view = shown(page)
    field = view.get_by_label("threshold", exact=True)
    field.fill("100")
    field.press("Enter")
    page.settle()
    assert view.locator(".nbi-none").inner_text() == "no variants match"
    assert counted(view) == "0 of 40 variants with |difference| ≥ 100"
    assert "below the threshold of 100" in view.locator(".nbi-headline").inner_text()
    assert view.get_attribute("data-selected") == "7"
    press(page, view.locator(".nbi-pair canvas"), "]")
    assert view.get_attribute("data-selected") == "7"
    assert page.errors == []


def test_another_score_ranks_anew(open_page: Callable[..., Any]) -> None:
    page = open_page(variants(threshold=0.5))
    view = shown(page)
    view.get_by_label("score").select_option("jsd")
    page.settle()
    assert (view.get_attribute("data-score"), view.get_attribute("data-threshold")) == ("jsd", "0")
    assert "jsd +0.9" in view.locator(".nbi-headline").inner_text()
    press(page, view.get_by_role("slider"), "PageUp")
    assert counted(view).endswith("with jsd ≥ 0.1")


def test_filters_and_the_threshold_work_together(open_page: Callable[..., Any]) -> None:
    page = open_page(variants(threshold=1))
    view = shown(page)
    view.get_by_label("filter difference").fill("< 0")
    page.settle()
    assert listed(view) == [i for i in np.argsort(-np.abs(SCORES), kind="stable") if SCORES[i] <= -1]
    with page.page.expect_download() as saved:
        view.locator(".nbi-list").get_by_text("TSV").click()
    lines = Path(saved.value.path()).read_text().strip().split("\n")
    assert len(lines) == 1 + int((SCORES <= -1).sum())
    assert lines[0].split("\t")[:5] == ["chrom", "start", "ref", "alt", "difference"]


def test_keys_zoom_step_and_come_back(open_page: Callable[..., Any]) -> None:
    page = open_page(variants(selected=0))
    view = shown(page)
    canvas = view.locator(".nbi-pair canvas")
    assert said(view) == "81 columns in view"
    assert view.locator(".nbi-pair").get_attribute("data-mode") == "letters"
    press(page, canvas, "0")
    assert said(view) == "200 columns in view"
    assert view.locator(".nbi-place").inner_text() == "chr1:1,000-1,200"
    press(page, canvas, "+", "Enter", ".")
    assert said(view).startswith("1,100 ")
    press(page, canvas, ",")
    assert said(view).startswith("1,099 ")
    press(page, canvas, "Escape")
    assert said(view) == "100 columns in view"


def test_what_is_in_view_is_saved(open_page: Callable[..., Any]) -> None:
    page = open_page(variants(selected=2))
    view = shown(page)
    for kind in ("SVG", "CSV"):
        with page.page.expect_download() as saved:
            view.locator(".nbi-pair").get_by_text(kind, exact=True).click()
        path = Path(saved.value.path())
        assert path.stat().st_size > 500
    lines = path.read_text().strip().split("\n")
    assert lines[0] == "position,ref,alt,reference,alternative,difference"
    assert lines[41].startswith(f"3101,{LETTERS[CODES[2, 101]]},-,")


def test_profiles_before_and_after(open_page: Callable[..., Any]) -> None:
    up = RNG.poisson(9, (N, 2, 120)).astype(float)
    page = open_page(variants(profiles=(up, up + 1), selected=0))
    view = shown(page)
    assert view.locator(".nbi-pair").get_attribute("data-rows") == "5"
    page.page.mouse.move(*at(view, page, 20.5), steps=2)
    page.settle()
    value = up[0, :, 80 - 40]
    assert f"profile {value[0] + 1:g}, {value[1] + 1:g} change 2" in said(view)


def test_a_logo_and_a_track_of_the_same_windows_follow(open_page: Callable[..., Any]) -> None:
    table = table_of()
    loci = pd.DataFrame({"chrom": "chr1", "start": table["window_start"], "end": table["window_start"] + L})
    logo_view = nb.LogoView(one_hot(CODES), {"score": CODES.astype(float)}, loci=loci, link="v")
    page = open_page(variants(link="v", selected=0), logo_view)
    view, logo = shown(page), page.logo()
    assert logo.locator(".nbi-place").inner_text() == "chr1:1,060-1,141"
    press(page, view.locator(".nbi-pair canvas"), "]")
    assert logo.locator(".nbi-place").inner_text() == "chr1:2,061-2,139"  # three of the columns are inserted
    page.page.mouse.move(*at(view, page, 43.5), steps=2)
    page.settle()
    assert logo.locator(".nbi-readout").inner_text().startswith("2,101")
    press(page, logo.locator("canvas"), "]")
    assert view.get_attribute("data-selected") == "2"
    assert page.errors == []
    assert page.outside() == []


def test_a_saved_notebook_has_what_the_model_said(open_page: Callable[..., Any]) -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4 * L, 1))
    view = variants(model=model, method="saliency", device="cpu", selected=7)
    for number, example in enumerate(view._stored.examples(7)):
        ask = {"kind": "ask", "number": number, "example": example, "changes": [], "target": "prediction"}
        view._answer(view, ask | {"method": "saliency"}, [])
        assert view._answers.wait(20)
    shown_view = shown(page := open_page(view))
    assert shown_view.locator(".nbi-pair").get_attribute("data-rows") == "3"
    assert "saliency of prediction" in shown_view.locator(".nbi-bar").first.inner_text()
    press(page, shown_view.locator(".nbi-pair canvas"), "]")
    assert shown_view.locator(".nbi-pair").get_attribute("data-rows") == "2"
    assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 420])
def test_it_fits_and_is_drawn(open_page: Callable[..., Any], scheme: str, width: int) -> None:
    page = open_page(variants(), color_scheme=scheme)
    page.page.set_viewport_size({"width": width, "height": 800})
    view = shown(page)
    box = view.bounding_box()
    assert box["x"] + box["width"] <= width
    for canvas in view.locator("canvas").all():
        assert canvas.bounding_box()["width"] <= width
    ink = page.page.evaluate(
        "() => { const c = document.querySelector('.nbi-pair canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n / (d.length / 4); }"
    )
    assert ink > 0.02
    assert page.errors == []


def test_what_was_left_out_is_said(open_page: Callable[..., Any]) -> None:
    genome = {"chr1": one_hot(CODES)[0]}
    letter = LETTERS[CODES[0]]
    table = pd.DataFrame(
        {"chrom": "chr1", "start": [100, 101, 3], "ref": [letter[100], "N", letter[3]], "alt": "GTTTT"}
    )
    found = read_variants(table, genome, in_window=40)

    class Effects:
        variants, table = found, found.examples.assign(score=1.5)

    page = open_page(VariantView(Effects()))
    view = shown(page)
    assert "2 left out: " in view.locator(".nbi-dropped").inner_text()
    assert "ref holds other letters" in view.locator(".nbi-dropped").inner_text()


def test_ten_thousand_variants_are_filtered_in_a_moment(open_page: Callable[..., Any]) -> None:
    n, length = 10_000, 100
    codes = RNG.randint(0, 4, (n, length))
    table = pd.DataFrame({"start": np.arange(n), "ref": LETTERS[codes[:, 50]], "alt": LETTERS[(codes[:, 50] + 1) % 4]})
    page = open_page(VariantView(table.assign(difference=RNG.laplace(size=n)), one_hot(codes), one_hot(codes)))
    view = shown(page)
    view.get_by_role("slider").focus()
    took = page.page.evaluate(
        """() => { const slider = document.activeElement, press = () => slider.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
        press(); const began = performance.now(); for (let i = 0; i < 20; i++) press(); return (performance.now() - began) / 20; }"""
    )
    assert took < 50  # a frame or two, on a machine that does much else
    assert "of 10,000 variants with" in counted(view)
    assert view.locator(".nbi-row").count() < 40
