"""Headless Chromium, and a page of widgets with no Jupyter around it."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbinterp.report import to_html

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; absent, it is a failure under CI and a loud skip elsewhere."""
    found = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
    if found is None:
        message = "NO CHROMIUM: install 'chromium' to run the browser tests"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=ARGS)
        yield chromium
        chromium.close()


def notebook_of(*widgets: Any) -> dict[str, Any]:
    """A notebook that shows widgets, as nbclient would have saved it."""
    states: dict[str, Any] = {}
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "source": "# Views", "metadata": {}}]
    for widget in widgets:
        state, buffers = {}, []
        for name, value in widget.get_state().items():
            if isinstance(value, bytes):
                buffers.append({"path": [name], "data": base64.b64encode(value).decode(), "encoding": "base64"})
            elif isinstance(value, (str, int, float, bool, list, dict)):
                state[name] = value
        states[widget.model_id] = {"model_module": "anywidget", "state": state, "buffers": buffers}
        data = {"application/vnd.jupyter.widget-view+json": {"model_id": widget.model_id}}
        output = {"output_type": "display_data", "data": data, "metadata": {}}
        cells.append({"cell_type": "code", "source": "view", "metadata": {}, "outputs": [output]})
    kept = {"application/vnd.jupyter.widget-state+json": {"state": states}}
    return json.loads(json.dumps({"cells": cells, "metadata": {"widgets": kept}, "nbformat": 4, "nbformat_minor": 5}))


class Page:
    """A page opened from disk with the network cut; it keeps its errors and its requests."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(offline=True, viewport={"width": 1100, "height": 900}, **options)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.goto(path.as_uri())

    def outside(self) -> list[str]:
        """Requests that left the page."""
        return [url for url in self.requests[1:] if not url.startswith(("blob:", "data:"))]

    def logo(self, i: int = 0) -> Any:
        """The i-th logo, drawn."""
        logo = self.page.locator(".nbi-logo").nth(i)
        logo.scroll_into_view_if_needed()
        self.page.wait_for_function("i => document.querySelectorAll('.nbi-logo')[i]?.dataset.frames > 0", arg=i)
        return logo

    def settle(self) -> None:
        """Two animation frames, and then until nothing moves."""
        frames = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        self.page.evaluate(frames)
        self.page.wait_for_function("() => !document.querySelector('[data-moving=\"1\"]')")
        self.page.evaluate(frames)


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open widgets (or a file) as an offline page."""
    pages: list[Page] = []

    def open_(*what: Any, **options: Any) -> Page:
        path = what[0]
        if not isinstance(path, Path):
            path = tmp_path / f"page{len(pages)}.html"
            path.write_text(to_html(notebook_of(*what)))
        pages.append(Page(browser, path, **options))
        return pages[-1]

    yield open_
    for page in pages:
        page.context.close()
