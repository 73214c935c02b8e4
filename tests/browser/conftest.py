"""A JupyterLab for the journeys of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.jupyter import Jupyter, jupyter


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter("jupyterlab", tmp_path_factory.mktemp("lab")) as server:
        yield server
