"""LogoView in a real JupyterLab: it says that it is live, and what a person does reaches Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.jupyter import ASK, MOVE, SHOW, Jupyter, journey, lightness, live_logo, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def test_traits_reach_python_and_python_moves_the_view(lab: Jupyter, browser: Any) -> None:
    lab.write("a.ipynb", SHOW, ASK, MOVE)
    with lab.open(browser, "a.ipynb") as notebook:
        notebook.run(0)
        logo = journey(notebook.page, lambda: notebook.run(1), lambda: notebook.run(2))
        assert lightness(logo) < 127
        notebook.dark()
        assert lightness(logo) > 127


def test_a_page_loaded_anew_finds_its_kernel(lab: Jupyter, browser: Any) -> None:
    lab.write("again.ipynb", SHOW, ASK, MOVE)
    with lab.open(browser, "again.ipynb") as notebook:
        notebook.run(0)
        live_logo(notebook.page)
        notebook.run(2)
        notebook.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    with lab.open(browser, "again.ipynb") as notebook:
        live_logo(notebook.page)
        notebook.page.locator(".nbi-readout", has_text="20 bp").wait_for()


def test_a_server_that_does_not_come_up_shows_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"(?s)jupyterlab did not come up:.*Not a directory|No such"),
        serving(["jupyterlab", "--ServerApp.root_dir=/nowhere"], tmp_path, "/api/status"),
    ):
        pass
