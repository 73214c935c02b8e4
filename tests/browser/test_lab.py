"""LogoView in a real JupyterLab: it says that it is live, and what a person does reaches Python."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKE = """import numpy as np, nbinterp as nb
X = nb.random_one_hot((2, 4, 200), random_state=0)
view = nb.LogoView(X, {"score": np.random.RandomState(0).normal(size=(2, 4, 200))})
view"""
ASK = "print(view.example, [round(v) for v in view.view], view.selection)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("lab")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kernel = root / ".data" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    names = ("CONFIG", "RUNTIME", "DATA")
    env = {**os.environ, **{f"JUPYTER_{n}_DIR": str(root / f".{n.lower()}") for n in names}}
    env |= {"JUPYTERLAB_SETTINGS_DIR": str(root / ".settings"), "JUPYTERLAB_WORKSPACES_DIR": str(root / ".workspaces")}
    words = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}", "--expose-app-in-browser",
        "--ServerApp.disable_check_xsrf=True", "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with (root / "lab.log").open("w") as log:
        server = subprocess.Popen(words, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        base = f"http://127.0.0.1:{port}"
        try:
            _wait(base, server, root)
            yield base, root
            for one in json.load(urllib.request.urlopen(f"{base}/api/kernels", timeout=5)):
                gone = urllib.request.Request(f"{base}/api/kernels/{one['id']}", method="DELETE")
                urllib.request.urlopen(gone, timeout=10).close()
        finally:
            server.terminate()
            server.wait(15)


def _wait(base: str, server: subprocess.Popen[bytes], root: Path) -> None:
    deadline = time.time() + 90
    while True:
        try:
            urllib.request.urlopen(f"{base}/api/status", timeout=2).close()
        except (urllib.error.URLError, OSError):
            if server.poll() is not None or time.time() > deadline:
                raise RuntimeError((root / "lab.log").read_text()[-3000:]) from None
            time.sleep(0.3)
        else:
            return


def run_cell(page: Any, index: int) -> str:
    """Run a cell and give the text of its outputs."""
    return page.evaluate(
        """async (i) => {
        const panel = window.jupyterapp.shell.currentWidget;
        panel.content.activeCellIndex = i;
        panel.content.deselectAll();
        await window.jupyterapp.commands.execute('notebook:run-cell');
        const outs = panel.context.model.cells.get(i).toJSON().outputs;
        const bad = outs.find((o) => o.output_type === 'error');
        if (bad) throw new Error(bad.ename + ': ' + bad.evalue);
        return outs.map((o) => o.text ?? '').flat().join('');
    }""",
        index,
    )


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_traits_reach_python_and_python_moves_the_view(lab: tuple[str, Path], browser: Any) -> None:
    base, root = lab
    cells = [nbformat.v4.new_code_cell(s) for s in (MAKE, ASK, "view.view = [10., 30.]")]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), root / "a.ipynb")
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(f"{base}/lab/tree/a.ipynb?reset")
    page.wait_for_function("() => window.jupyterapp?.restored", timeout=90_000)
    page.evaluate("() => window.jupyterapp.restored")
    page.locator(".jp-Notebook").first.wait_for(timeout=90_000)
    idle = "() => window.jupyterapp.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(idle, timeout=90_000)
    run_cell(page, 0)
    logo = page.locator(".nbi-logo").first
    logo.wait_for(timeout=30_000)
    page.wait_for_function("() => document.querySelector('.nbi-logo')?.dataset.live === '1'", timeout=20_000)

    canvas = logo.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    canvas.focus()
    page.keyboard.press("]")
    page.keyboard.press("+")
    page.mouse.move(box["x"] + 300, box["y"] + 70)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 70, steps=6)
    page.mouse.up()
    page.wait_for_timeout(700)
    example, rest = run_cell(page, 1).split(" ", 1)
    view, selection = (json.loads(part) for part in rest.replace("] [", "]|[").split("|"))
    assert example == "1"
    assert view == [50, 150]
    assert 0 <= selection[0] < selection[1] <= 200

    page.mouse.move(5, 5)  # off the logo, so that the read-out speaks of the view
    run_cell(page, 2)
    page.wait_for_function("() => document.querySelector('.nbi-readout').textContent.includes('20 bp')")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    page.wait_for_timeout(300)
    ink = logo.evaluate("e => getComputedStyle(e).color")
    assert sum(float(v) for v in ink[ink.index("(") + 1 : -1].split(",")[:3]) > 380
    assert errors == []
    page.close()
