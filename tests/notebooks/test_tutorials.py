"""Tutorials run from top to bottom, and show what they promise."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import nbclient
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

TUTORIALS: Final = Path(__file__).resolve().parents[2] / "notebooks" / "tutorials"


class Shows(NamedTuple):
    """What the outputs of a tutorial must hold: words that only right answers give, and live views."""

    words: tuple[str, ...]
    views: int


PROMISED: Final = {
    "first_light": Shows(("recall",), 1),
    "hits": Shows(
        (
            "optimal to 1e-9",
            "all seven motifs scanned: recall",
            "GATA downstream, same: TEAD at 4 to 8 bases",
        ),
        2,
    ),
    "mechanisms": Shows(
        (
            "adjusted Rand index",
            "sites: NRF1 111-121, GATA 226-235, TEAD 240-248",  # as planted, but for a base of TEAD that is another here
            "recall 100.0% of 3 planted sites, precision 100.0% of 3 spans",
            "the pair that acts together: GATA and TEAD; its interval excludes 0: True",
            "the intervals of all other pairs hold 0: True",
            "under a curve: explains 8",
        ),
        3,
    ),
    "motifs": Shows(
        (
            "to the base and by name: recall",
            "MA0482.3 GATA4",  # what the motifs that the model sees are called in JASPAR
            "MA0090.4 TEAD1",
            "MA0506.3 Nrf1",
            "GATA downstream, same: TEAD at 4 to 8 bases",  # the grammar, read back
        ),
        4,
    ),
    "what_if": Shows(
        (
            "a_then_b at ",  # the strongest arrangement of GATA and TEAD
            "at 4 to 9 bases",  # where it is
            "......ATGAGTCAT.....",  # AP1, pruned out of its surroundings
            "demo_2:339",  # the strongest variant
            "CACTTCCGGTCC",  # ETS, written by evolution
            "CAGATAAGGNNNNNNNACATTCCAG",  # GATA and TEAD, as far apart as they were planted
        ),
        4,
    ),
}


def test_every_tutorial_promises_something() -> None:
    assert {path.stem for path in TUTORIALS.glob("*.ipynb")} == set(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_tutorial_shows_what_it_promises(name: str, tmp_path: Path) -> None:
    outputs = executed(TUTORIALS / f"{name}.ipynb", tmp_path)
    text = "\n".join(said(output) for output in outputs)
    for word in PROMISED[name].words:
        assert word in text
    views = [output for output in outputs if "application/vnd.jupyter.widget-view+json" in output.get("data", {})]
    assert len(views) == PROMISED[name].views


@pytest.mark.parametrize("path", sorted(TUTORIALS.glob("*.ipynb")), ids=lambda p: p.stem)
def test_no_outputs_are_stored(path: Path) -> None:
    assert all(not cell.get("outputs") for cell in json.loads(path.read_text())["cells"])


def executed(path: Path, folder: Path) -> list[Any]:
    """Run a notebook in a kernel of this interpreter; give all its outputs."""
    spec = folder / "kernels" / "here"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "here", "language": "python"}))
    specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")])
    manager = AsyncKernelManager(kernel_name="here", kernel_spec_manager=specs)
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, km=manager, timeout=120, kernel_name="here").execute()
    del manager
    gc.collect()  # what nbclient left open is closed while such warnings are let pass
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def said(output: Any) -> str:
    """The text of an output."""
    data = output.get("data", {})
    return str(output.get("text", "")) + "".join(str(data.get(kind, "")) for kind in ("text/plain", "text/html"))
