"""Pictures in a table: motifs, curves and intervals that sort, filter and save like the numbers they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb

pytestmark = pytest.mark.browser


def pictured() -> nb.TableView:
    table = pd.DataFrame(
        {
            "motif": ["AC", "GGT", "T"],
            "effect": [0.5, -1.0, np.nan],
            "low": [0.4, -1.5, np.nan],
            "high": [0.6, -0.5, np.nan],
        }
    )
    matrices = [np.eye(4)[:, [0, 1]], np.eye(4)[:, [2, 2, 3]], np.eye(4)[:, [3]]]
    curves = np.arange(24.0).reshape(3, 2, 4)
    return nb.TableView(
        table, logos={"motif": matrices}, lines={"profile": curves}, intervals={"effect": ("low", "high")}
    )


def test_pictures_stand_for_the_numbers(open_page: Callable[..., Any]) -> None:
    page = open_page(pictured())
    grid = page.page.locator(".nbi-table")
    grid.locator(".nbi-row").first.wait_for()
    assert grid.locator(".nbi-row canvas").count() == 9
    inked = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)"
    assert all(one.evaluate(inked) for one in grid.locator(".nbi-row canvas").all())
    heads = [one.inner_text() for one in grid.locator(".nbi-sort").all()]
    assert heads == ["motif", "effect", "profile"]  # the ends of the interval are drawn, not written
    assert grid.locator("canvas").first.get_attribute("aria-label") == "motif AC"
    grid.get_by_role("button", name="effect").click()
    assert [one.get_attribute("data-row") for one in grid.locator(".nbi-row").all()] == ["0", "1", "2"]
    grid.get_by_label("filter motif").fill("gg")
    assert grid.get_attribute("data-shown") == "1"
    with page.page.expect_download() as caught:
        grid.get_by_role("button", name="TSV").click()
    assert caught.value.path().read_text() == "motif\teffect\tlow\thigh\tprofile\nGGT\t-1\t-1.5\t-0.5\t\n"
    assert page.errors == []
    assert page.outside() == []


def test_pictures_follow_the_theme(open_page: Callable[..., Any]) -> None:
    shot = {}
    for scheme in ("light", "dark"):
        page = open_page(pictured(), color_scheme=scheme)
        canvas = page.page.locator(".nbi-row canvas").first
        canvas.wait_for()
        shot[scheme] = canvas.evaluate("c => Array.from(c.getContext('2d').getImageData(4, c.height - 8, 1, 1).data)")
    assert shot["light"] != shot["dark"]
