"""Fixtures for every test: where real models and sequences are, and what this machine has."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
import torch

from nbinterp.core.native import about_native, native
from tests import elsewhere
from tests.browser.page import browser, open_page  # noqa: F401 - fixtures, one browser a process

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real models and sequences: ``NBINTERP_DATA``, else ``../shared/data``; skips without one."""
    named = os.environ.get("NBINTERP_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not a folder; set NBINTERP_DATA")
    return folder


@pytest.fixture(params=["elsewhere", pytest.param("cuda", marks=pytest.mark.gpu)])
def second_device(request: pytest.FixtureRequest) -> str:
    """A device that is not the CPU: a simulated one anywhere, and a GPU where there is one."""
    if request.param == "elsewhere" and not hasattr(torch, "elsewhere"):
        pytest.skip("this torch has no devices written in Python")
    return str(request.param)


@pytest.fixture(params=["compiled", "numpy"])
def loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The compiled loops, and NumPy without them."""
    monkeypatch.setenv("NBINTERP_NATIVE", "1" if request.param == "compiled" else "0")
    if request.param == "compiled" and native() is None:
        pytest.skip(about_native())
    return str(request.param)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs CUDA where there is none; make the simulated device known before autograd counts the devices."""
    for item in items:
        if item.get_closest_marker("gpu") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs CUDA"))
    if any("second_device" in getattr(item, "fixturenames", ()) for item in items):
        with contextlib.suppress(ImportError):
            elsewhere.install()
