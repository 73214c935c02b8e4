"""LogoView in Notebook 7, which shows one document a page: what a person does reaches Python, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.jupyter import ASK, MOVE, SHOW, journey, jupyter, lightness

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
pytest.importorskip("notebook", minversion="7")


def test_traits_reach_python_and_python_moves_the_view(tmp_path: Path, browser: Any) -> None:
    with jupyter("notebook", tmp_path) as server:
        server.write("a.ipynb", SHOW, ASK, MOVE)
        with server.open(browser, "a.ipynb") as notebook:
            notebook.run(0)
            logo = journey(notebook.page, lambda: notebook.run(1), lambda: notebook.run(2))
            notebook.dark()
            assert lightness(logo) > 127
