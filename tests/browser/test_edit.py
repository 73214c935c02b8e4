"""Edits with no kernel, and with nothing but a keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbinterp as nb

pytestmark = pytest.mark.browser

LENGTH = 120


def stored(n: int = 2, label: str = "score", **options: Any) -> tuple[nb.LogoView, np.ndarray]:
    """A view with the table of single edits, and the table."""
    rng = np.random.RandomState(0)
    table = rng.normal(size=(n, 4, LENGTH)).astype(np.float32)
    X = nb.random_one_hot((n, 4, LENGTH), random_state=0)
    view = nb.LogoView(
        X, {label: rng.normal(size=(n, 4, LENGTH))}, predictions=np.arange(n) + 2.0, target="activity",
        mutagenesis=table, view=(0, 60), **options,
    )  # fmt: skip
    return view, table


def connected(page: Any, i: int = 0) -> Any:
    """The i-th logo, once it knows that there is no kernel."""
    logo = page.logo(i)
    page.page.wait_for_function(
        "i => !document.querySelectorAll('.nbi-logo')[i].querySelector('.nbi-buttons').hidden", arg=i
    )
    return logo


def test_a_single_edit_is_answered_from_the_table(open_page: Callable[..., Any]) -> None:
    view, table = stored()
    page = open_page(view)
    logo = connected(page)
    box = logo.locator("canvas").bounding_box()
    left = 72
    page.page.mouse.click(box["x"] + left + (box["width"] - left - 8) * 20.5 / 60, box["y"] + 90)
    menu = logo.locator(".nbi-pop")
    assert "change base 20" in menu.get_attribute("aria-label")
    letter = "ACGT".index(menu.locator("button:not(:disabled)").first.inner_text())
    menu.locator("button:not(:disabled)").first.click()
    page.settle()
    assert float(logo.get_attribute("data-prediction")) == pytest.approx(2 + table[0, letter, 20], abs=1e-3)
    assert "activity " in logo.locator(".nbi-facts-line").inner_text()
    assert logo.locator(".nbi-trouble").is_hidden()

    page.page.keyboard.press(".")
    page.page.keyboard.press("a")
    page.page.keyboard.press(".")
    page.page.keyboard.press("c")
    page.settle()
    assert "no kernel: single substitutions are stored" in logo.locator(".nbi-trouble").inner_text()
    logo.get_by_text("reset", exact=True).click()
    page.settle()
    assert logo.locator(".nbi-trouble").is_hidden()
    assert logo.get_attribute("data-prediction") == "2"
    assert page.errors == []
    assert page.outside() == []


def test_without_a_table_it_says_what_edits_need(open_page: Callable[..., Any]) -> None:
    X = nb.random_one_hot((1, 4, LENGTH), random_state=0)
    page = open_page(nb.LogoView(X, np.ones((1, LENGTH)), view=(0, 60)))
    logo = page.logo()
    box = logo.locator("canvas").bounding_box()
    page.page.mouse.click(box["x"] + 400, box["y"] + 90)
    assert logo.locator(".nbi-pop").count() == 0
    assert "edits need the notebook" in logo.locator(".nbi-readout").inner_text()
    assert logo.locator(".nbi-buttons").is_hidden()


def test_everything_by_keyboard(open_page: Callable[..., Any]) -> None:
    view, table = stored()
    page = open_page(view)
    logo, press = connected(page), page.page.keyboard.press
    facts, readout = logo.locator(".nbi-facts-line"), logo.locator(".nbi-readout")
    assert readout.get_attribute("aria-live") == "polite"
    for _ in range(20):  # reach the canvas as a person does
        press("Tab")
        if page.page.evaluate("document.activeElement.tagName") == "CANVAS":
            break
    assert "comma and full stop step" in page.page.evaluate("document.activeElement.getAttribute('aria-label')")
    press("+")
    page.settle()
    assert "30 bp in view" in readout.inner_text()
    press("d")
    cells = logo.locator(".nbi-data tr").nth(1).locator("td").all_inner_texts()
    assert cells[0] == "15"
    assert cells[1] in "ACGT"
    assert logo.locator(".nbi-data tr").count() == 31
    press("Escape")
    assert logo.locator(".nbi-data").is_hidden()
    press("ArrowRight")
    page.settle()
    press(".")
    press(".")
    page.settle()
    position = int(readout.locator("b").inner_text())
    now = readout.inner_text().split()[1]
    assert now in "ACGT"
    press("Enter")
    assert logo.locator(".nbi-pop").is_visible()
    press("Escape")
    assert logo.locator(".nbi-pop").count() == 0
    other = "ACGT"[("ACGT".index(now) + 1) % 4]
    press(other.lower())
    page.settle()
    expected = 2 + table[0, "ACGT".index(other), position]
    assert float(logo.get_attribute("data-prediction")) == pytest.approx(expected, abs=1e-3)
    assert readout.inner_text().split()[1] == other
    press("u")
    page.settle()
    assert facts.inner_text() == "activity 2"
    press("r")
    page.settle()
    assert "," in facts.inner_text()
    press(">")
    press(">")
    page.settle()
    press("Escape")
    press(">")
    press("Delete")
    page.settle()
    assert "no kernel" in logo.locator(".nbi-trouble").inner_text()
    press("u")
    with page.page.expect_download() as saved:
        for _ in range(20):
            press("Shift+Tab")
            if "export" in (page.page.evaluate("document.activeElement.getAttribute('aria-label')") or ""):
                break
        press("B")
    assert saved.value.suggested_filename.endswith(".bed")
    assert Path(saved.value.path()).read_text().startswith("sequence 0\t")
    assert page.errors == []


def test_linked_views_follow_each_other_with_no_kernel(open_page: Callable[..., Any]) -> None:
    (a, _), (b, _) = stored(), stored(label="a much longer label")
    track = nb.TrackView(np.random.RandomState(1).rand(2, LENGTH))
    nb.link(a, b, track)
    page = open_page(a, b, track)
    first, second = connected(page), connected(page, 1)
    margin = "e => e.querySelector('.nbi-busy').style.width"
    assert first.evaluate(margin) == second.evaluate(margin)  # the axes line up, whatever the labels
    first.locator("canvas").focus()
    page.page.keyboard.press("+")
    page.page.keyboard.press("]")
    page.page.keyboard.press(".")
    page.page.keyboard.press(">")
    page.settle()
    page.page.mouse.move(3, 3)
    assert second.locator(".nbi-place").inner_text().endswith(":15-45")
    assert "2 of 2" in second.locator(".nbi-bar").inner_text()
    assert second.locator(".nbi-readout b").inner_text() == first.locator(".nbi-readout b").inner_text()
    assert page.page.locator(".nbi-track .nbi-place").inner_text().endswith(":15-45")
    assert page.outside() == []
