"""The face of the package: explicit, complete, and quick to import."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import nbinterp


def test_every_public_name_is_there() -> None:
    for name in nbinterp.__all__:
        assert getattr(nbinterp, name) is not None


@pytest.mark.parametrize("folder", sorted(nbinterp._FACE))
def test_the_face_lists_what_the_folder_exports(folder: str) -> None:
    exported = set(importlib.import_module(f"nbinterp.{folder}").__all__)
    listed = set(nbinterp._FACE[folder])
    hidden = {"problem", "suggest"} if folder == "errors" else set()
    assert exported - hidden == listed


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(AttributeError, match=r"did you mean 'NbinterpError'\?"):
        nbinterp.NbinterpErorr  # noqa: B018


def test_import_is_quick_and_brings_no_torch() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import nbinterp; t = time.perf_counter() - t; "
        "heavy = {'torch', 'pandas', 'numpy', 'matplotlib', 'anywidget'} & set(sys.modules); print(t, sorted(heavy))"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    seconds, heavy = out.split(" ", 1)
    assert float(seconds) < 0.3
    assert heavy.strip() == "[]"
