"""The report from disk with the network cut: nothing is asked for, and everything still answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbinterp as nb

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nb.run_report("attribution", {"demo": True, "n_demo": 12}, tmp_path_factory.mktemp("offline"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_lives_without_kernel_and_network(
    scheme: str, page_path: Path, open_page: Callable[..., Any]
) -> None:
    page = open_page(page_path, color_scheme=scheme)
    view = page.logo()
    canvas = view.locator("canvas")
    canvas.focus()
    before = view.locator(".nbi-place").inner_text()
    page.page.keyboard.press("+")
    page.settle()
    assert view.locator(".nbi-place").inner_text() != before
    box = canvas.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.settle()
    assert "deep_lift_shap" in view.locator(".nbi-readout").inner_text()
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] / 2 + 120, box["y"] + 100, steps=4)
    page.page.mouse.up()
    page.page.mouse.move(2, 2)
    page.settle()
    assert "selected" in view.locator(".nbi-readout").inner_text()

    seqlets = page.page.locator(".nbi-table").nth(1)
    seqlets.scroll_into_view_if_needed()
    seqlets.locator(".nbi-row").first.click()
    page.settle()
    row = seqlets.locator(".nbi-row").first.locator(".nbi-td")
    start, end = row.nth(1).inner_text(), row.nth(2).inner_text()
    assert f"selected {start}\u2013{end}" in view.locator(".nbi-readout").inner_text()
    assert "static" in view.inner_text()

    canvas.focus()
    page.page.keyboard.press(".")
    facts, first = view.locator(".nbi-facts-line"), view.get_attribute("data-prediction")
    for base in "ac":  # one of them is not there yet
        page.page.keyboard.press(base)
        page.page.keyboard.press(".")
        page.settle()
        if view.get_attribute("data-prediction") != first:
            break
    assert ", " in facts.inner_text()  # "2.44, -0.31": answered from what is stored
    page.page.keyboard.press("u")
    page.settle()
    assert view.get_attribute("data-prediction") == first
    assert page.outside() == []
    assert page.errors == []
