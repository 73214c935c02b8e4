"""LogoView in marimo, which puts it in a shadow root: what a person does re-runs the cells that read it, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from tests.browser.jupyter import MAKE, MOVE, journey, lightness, live_logo, serving, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
pytest.importorskip("marimo")

APP = f"""import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
{indent(MAKE, "    ")}
    wrapped = mo.ui.anywidget(view)
    wrapped
    return mo, view, wrapped

@app.cell
def _(mo, wrapped):
    known = wrapped.value
    mo.md(f"<p id='known'>{{known['example']}} {{[round(v) for v in known['view']]}} {{known['selection']}}</p>")
    return

@app.cell
def _(mo, view):
    def move(_):
        {MOVE}
    mo.ui.button(label="move", on_click=move)
    return
"""

BUSY = """
@app.cell
def _(wrapped):
    import time
    wrapped
    time.sleep(10)
    return
"""


@contextmanager
def app(root: Path, browser: Any, *, cells: str = "", theme: str = "light", **options: Any) -> Iterator[Any]:
    """Run it with more cells, in a theme of marimo's, for a browser with other options."""
    (root / "app.py").write_text(APP + cells)
    (root / "config" / "marimo").mkdir(parents=True)
    (root / "config" / "marimo" / "marimo.toml").write_text(f'[display]\ntheme = "{theme}"\n')
    kept = {"HOME": root, **{f"XDG_{name}_HOME": root / name.lower() for name in ("CONFIG", "CACHE", "STATE", "DATA")}}
    words = ["marimo", "run", "app.py", "--headless", "--no-token", "--host=127.0.0.1"]
    env = {name: str(folder) for name, folder in kept.items()}
    with serving(words, root, "/health", **env) as base, watched(browser, base, **options) as page:
        page.goto(base)
        yield page


def test_traits_reach_python_and_python_moves_the_view(tmp_path: Path, browser: Any) -> None:
    with app(tmp_path, browser) as page:
        button = page.get_by_role("button", name="move", exact=True)
        journey(page, page.locator("#known").inner_text, button.click)


def test_ink_is_read_where_the_theme_is_not_the_browsers(tmp_path: Path, browser: Any) -> None:
    with app(tmp_path, browser, theme="dark", color_scheme="light") as page:
        assert lightness(live_logo(page)) > 127


def test_a_view_shown_while_python_is_busy_says_later_that_it_is_live(tmp_path: Path, browser: Any) -> None:
    with app(tmp_path, browser, cells=BUSY) as page:
        page.locator(".nbi-logo").wait_for()
        page.set_default_timeout(20_000)
        live_logo(page)
