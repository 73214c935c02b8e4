"""Reports made for tests: a template's own cells, run right here, quicker than a kernel; or whole, by the clock."""

from __future__ import annotations

import json
import os
import resource
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd

import nbinterp as nb
from nbinterp.report.run import template_path


def run_cells(name: str, out: Path, **given: Any) -> dict[str, Any]:
    """What is in the notebook after its last cell; its files are in the folder."""
    known: dict[str, Any] = {"__name__": "report"}
    out.mkdir(parents=True, exist_ok=True)
    for cell in json.loads(template_path(name).read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), known)
            if "parameters" in cell["metadata"]["tags"]:
                known.update({word: str(value) if isinstance(value, Path) else value for word, value in given.items()})
                known["out"] = str(out)
    return known


def timed_report(name: str, asked: Mapping[str, Any], folder: Path, most: float) -> Path:
    """Run a report and give its folder; say how long it took, which is `most` seconds of a processor."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with mock.patch.dict(os.environ, OMP_WAIT_POLICY="passive"):  # threads that spin while they wait would be counted
        page = nb.run_report(name, asked, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name}: {time.perf_counter() - began:.1f} s, {seconds:.1f} s of processor, {page.stat().st_size:,} bytes")
    assert seconds < most  # of a processor, whatever else the machine does
    return page.parent


def table(folder: Path, name: str) -> pd.DataFrame:
    """A table that a report wrote."""
    return pd.read_csv(folder / "tables" / f"{name}.tsv", sep="\t", keep_default_na=False)


def page_alone(folder: Path, elsewhere: Path, open_page: Callable[..., Any]) -> Any:
    """The page by itself in another folder, with no network, all of its views shown."""
    alone = elsewhere / "alone" / "report.html"
    alone.parent.mkdir()
    shutil.copy(folder / "report.html", alone)
    page = open_page(alone)
    for mount in page.page.locator(".nbi-mount").all():
        mount.scroll_into_view_if_needed()
        page.page.wait_for_function("e => e.firstElementChild?.firstElementChild", arg=mount.element_handle())
    return page


def check_alone(page: Any) -> None:
    """No view failed, nothing sticks out of a narrow page, and nothing was asked of any network."""
    assert page.page.locator(".nbi-failed").count() == 0
    page.page.set_viewport_size({"width": 420, "height": 900})
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 420
    assert page.errors == []
    assert page.outside() == []
