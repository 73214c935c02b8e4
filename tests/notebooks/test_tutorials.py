"""Tutorials run from top to bottom."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

TUTORIALS = sorted((Path(__file__).resolve().parents[2] / "notebooks" / "tutorials").glob("*.ipynb"))


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_tutorial_runs(path: Path, tmp_path: Path) -> None:
    spec = tmp_path / "kernels" / "here"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "here", "language": "python"}))
    specs = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])
    manager = AsyncKernelManager(kernel_name="here", kernel_spec_manager=specs)
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, km=manager, timeout=120, kernel_name="here").execute()
    del manager
    gc.collect()  # what nbclient left open is closed while such warnings are let pass
    text = json.dumps(notebook.cells)
    assert "recall" in text
    assert "widget-view+json" in text


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda p: p.stem)
def test_no_outputs_are_stored(path: Path) -> None:
    assert all(not cell.get("outputs") for cell in json.loads(path.read_text())["cells"])
