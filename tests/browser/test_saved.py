"""Notebooks opened again in JupyterLab, no cell run: what is left of a LogoView, by what was saved and who is trusted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from tests.browser.jupyter import MOVE, SHOW, Jupyter, folders, jupyter, live_logo

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

NOT_FOUND = "Error displaying widget: model not found"
LATER = 5500  # ms; a view has given up waiting for Python


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    root = tmp_path_factory.mktemp("saved")
    settings = root / ".config" / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": true}}')
    with jupyter("jupyterlab", root) as server:
        yield server


@pytest.fixture(scope="module")
def executed(lab: Jupyter) -> nbformat.NotebookNode:
    """A notebook as a run without a browser leaves it: outputs in the cells, the widgets' state in the metadata."""
    path = lab.write("executed.ipynb", SHOW, MOVE)
    words = ["nbconvert", "--to=notebook", "--execute", "--inplace", "--log-level=WARN", str(path)]
    subprocess.run([sys.executable, "-m", *words], env={**os.environ, **folders(lab.root)}, check=True, timeout=60)
    return nbformat.read(path, 4)


@pytest.fixture
def save(lab: Jupyter, executed: nbformat.NotebookNode) -> Callable[..., str]:
    """Save it under a name, with the state or without, signed by the person who will open it or not."""

    def save_(name: str, *, state: bool, trust: bool) -> str:
        notebook = nbformat.from_dict(executed)
        if not state:
            del notebook.metadata["widgets"]
        nbformat.write(notebook, lab.root / name)
        if trust:
            notary = NotebookNotary(data_dir=folders(lab.root)["JUPYTER_DATA_DIR"])
            notary.sign(nbformat.read(lab.root / name, 4))
            notary.store.close()
        return name

    return save_


def test_of_a_stranger_the_picture_is_shown(lab: Jupyter, save: Callable[..., str], browser: Any) -> None:
    with lab.open(browser, save("stranger.ipynb", state=True, trust=False)) as notebook:
        picture = notebook.page.locator(".jp-OutputArea img")
        picture.wait_for()
        assert picture.evaluate("e => e.complete && e.naturalWidth") > 100
        notebook.page.wait_for_timeout(1000)
        assert notebook.page.locator("canvas, .nbi-logo").count() == 0
        assert notebook.page.get_by_text(NOT_FOUND).count() == 0


def test_the_state_draws_the_view_which_says_that_it_is_static(
    lab: Jupyter, save: Callable[..., str], browser: Any
) -> None:
    with lab.open(browser, save("state.ipynb", state=True, trust=True)) as notebook:
        page, logo = notebook.page, notebook.page.locator(".nbi-logo")
        page.locator(".nbi-readout", has_text="20 bp").wait_for()  # where the last cell left it
        logo.locator("canvas").focus()
        page.keyboard.press("-")
        page.locator(".nbi-readout", has_text="40 bp").wait_for()
        page.wait_for_timeout(LATER)
        assert logo.get_attribute("data-live") == "0"
        assert "static: stored answers only" in logo.inner_text()
        assert "\u2026" not in logo.inner_text()  # it waits for no answer
        assert page.locator(".jp-OutputArea img").count() == 0


def test_without_the_state_only_jupyterlab_can_speak(lab: Jupyter, save: Callable[..., str], browser: Any) -> None:
    """A limit of JupyterLab: it prefers the widget to the picture beside it, and then finds no widget."""
    with lab.open(browser, save("bare.ipynb", state=False, trust=True)) as notebook:
        notebook.page.get_by_text(NOT_FOUND).wait_for()
        assert notebook.page.locator(".jp-OutputArea img, .nbi-logo").count() == 0


def test_jupyterlab_keeps_the_state_where_its_settings_say_so(lab: Jupyter, browser: Any) -> None:
    lab.write("kept.ipynb", SHOW, MOVE)
    with lab.open(browser, "kept.ipynb") as notebook:
        notebook.run(0)
        live_logo(notebook.page)
        notebook.run(1)
        notebook.page.locator(".nbi-readout", has_text="20 bp").wait_for()
        notebook.page.evaluate(
            """async () => {
            await jupyterapp.commands.execute('docmanager:save');
            await jupyterapp.shell.currentWidget.sessionContext.shutdown();
        }"""
        )
    with lab.open(browser, "kept.ipynb") as notebook:
        notebook.page.locator(".nbi-readout", has_text="20 bp").wait_for()
        assert "static" in notebook.page.locator(".nbi-logo").inner_text()
