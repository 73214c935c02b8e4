"""Notebook servers on this machine, and one journey through a LogoView that every one of them must carry.

In: a folder and a browser.  Out: a page of a notebook whose cells are run by number.  Nothing but this machine is asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

MAKE = """import numpy as np, torch, nbinterp as nb
X = nb.random_one_hot((2, 4, 200), random_state=0)
scores = np.random.RandomState(0).normal(size=(2, 4, 200))
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(800, 1))
view = nb.LogoView(X, {"score": scores}, model=model, method="saliency", device="cpu")"""
SHOW = f"{MAKE}\nview"
ASK = "print(view.example, [round(v) for v in view.view], view.selection)"
MOVE = "view.example, view.view = 0, [10., 30.]"

QUIET = ["--LabApp.extension_manager=readonly", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
OPTIONS = {"jupyterlab": QUIET, "notebook": []}
PATHS = {"jupyterlab": "/lab/tree/{}?reset", "notebook": "/notebooks/{}"}
# Notebook 7.6 raises it for any notebook: a plug-in's settings change before all are known.
OWN_ERRORS = {"jupyterlab": "", "notebook": "reading 'schema'"}
PATIENCE = 45  # seconds for a server to answer


# --- servers --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(words: list[str], root: Path, alive: str, **env: str) -> Iterator[str]:
    """Run ``python -m WORDS --port=FREE`` until the block ends; give its address once ``alive`` answers there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base, log = f"http://127.0.0.1:{port}", root / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", *words, f"--port={port}"], cwd=root, env={**os.environ, **env},
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(base + alive):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{words[0]} did not come up:\n{log.read_text()[-3000:]}")
                time.sleep(0.2)
            yield base
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(5)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError:
        return False
    return True


class Jupyter(NamedTuple):
    """A server, "jupyterlab" or "notebook", and the folder that it shows and keeps its own things in."""

    app: str
    base: str
    root: Path

    def write(self, name: str, *sources: str) -> Path:
        """A notebook of code cells."""
        spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), self.root / name)
        return self.root / name

    @contextlib.contextmanager
    def open(self, browser: Any, name: str) -> Iterator[Notebook]:
        """Open a notebook and wait until its kernel is idle."""
        with watched(browser, self.base, OWN_ERRORS[self.app]) as page:
            page.goto(self.base + PATHS[self.app].format(name))
            page.wait_for_function("() => window.jupyterapp?.restored")
            page.evaluate("() => window.jupyterapp.restored")
            page.locator(".jp-Notebook").first.wait_for()
            page.wait_for_function(
                "() => jupyterapp.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'"
            )
            yield Notebook(page)


@contextlib.contextmanager
def jupyter(app: str, root: Path) -> Iterator[Jupyter]:
    """Serve a folder with no settings but its own; end the kernels, then the server."""
    kernel = root / ".data" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    words = [
        app, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}", "--ServerApp.disable_check_xsrf=True", "--expose-app-in-browser", *OPTIONS[app],
    ]  # fmt: skip
    with serving(words, root, "/api/status", **folders(root)) as base:
        try:
            yield Jupyter(app, base, root)
        finally:
            with contextlib.suppress(OSError):  # the server has gone, and its kernels with it
                for one in json.loads(_text(f"{base}/api/kernels")):
                    _text(f"{base}/api/kernels/{one['id']}", method="DELETE")


def folders(root: Path) -> dict[str, str]:
    """Where Jupyter and IPython keep things, all of it under ``root``."""
    names = ("JUPYTER_CONFIG", "JUPYTER_RUNTIME", "JUPYTER_DATA", "JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES")
    kept = {f"{name}_DIR": str(root / f".{name.split('_')[1].lower()}") for name in names}
    return {**kept, "IPYTHONDIR": str(root / ".ipython")}


def _text(url: str, method: str = "GET") -> str:
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
        return answer.read().decode()


# --- pages ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def watched(browser: Any, base: str, own: str = "", **options: Any) -> Iterator[Any]:
    """A page that fails its test when it raised an error (other than the host's ``own``) or asked anyone but ``base``."""
    page = browser.new_page(viewport={"width": 1200, "height": 800}, **options)
    page.set_default_timeout(30_000)
    errors: list[str] = []
    outside: list[str] = []
    page.on("pageerror", lambda e: errors.append(f"{e}\n{e.stack}"))
    page.on("request", lambda r: None if r.url.startswith((base, "blob:", "data:")) else outside.append(r.url))
    try:
        yield page
        errors = [error for error in errors if not (own and own in error)]
        assert not errors, errors
        assert not outside, outside
    finally:
        page.close()


class Notebook(NamedTuple):
    """A notebook in the browser, driven by the application's commands: no menus, no shortcuts."""

    page: Any

    def run(self, index: int) -> str:
        """Run a cell and give the text of its outputs."""
        return self.page.evaluate(
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

    def told(self, index: int, right: Callable[[list[Any]], bool]) -> list[Any]:
        """What a cell says of Python, as soon as it is right: a view tells where it came to rest."""
        deadline = time.monotonic() + 8
        while not right(known := json.loads(self.run(index))) and time.monotonic() < deadline:
            self.page.wait_for_timeout(150)
        return known

    def dark(self) -> None:
        """Change to the dark theme."""
        self.page.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
        self.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
        self.page.wait_for_timeout(300)


# --- the journey ----------------------------------------------------------------------------------------------------


class Traits(NamedTuple):
    """What Python knows of a view."""

    example: int
    view: list[int]
    selection: list[int]

    @classmethod
    def read(cls, said: str) -> Traits:
        """Of the text that ``ASK`` prints."""
        example, rest = said.split(" ", 1)
        return cls(int(example), *(json.loads(part) for part in re.findall(r"\[.*?\]", rest)))


def live_logo(page: Any) -> Any:
    """The logo, once Python has answered it.  Locators look into shadow roots, where some hosts put widgets."""
    page.locator('.nbi-logo[data-live="1"]').wait_for()
    return page.locator(".nbi-logo")


def journey(page: Any, ask: Callable[[], str], move: Callable[[], None]) -> Any:
    """Keys and a brush reach Python, Python moves what is seen, and the model answers an edit; gives the logo.

    ``ask`` says what Python knows, as ``ASK`` prints it; ``move`` has Python do ``MOVE``.
    """

    def traits_when(ready: Callable[[Traits], bool]) -> Traits:
        deadline = time.monotonic() + 8  # the view tells Python where it came to rest, not each step
        while not ready(known := Traits.read(ask())) and time.monotonic() < deadline:
            page.wait_for_timeout(150)
        return known

    logo = live_logo(page)
    first = Traits.read(ask())
    assert first == (0, [0, 200], []), first
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
    known = traits_when(lambda known: bool(known.selection))
    assert known[:2] == (1, [50, 150]), known
    assert 50 <= known.selection[0] < known.selection[1] <= 150, known

    page.mouse.move(5, 5)  # off the logo, so that the read-out speaks of the view
    move()
    page.locator(".nbi-readout", has_text="20 bp").wait_for()
    page.locator(".nbi-count", has_text="1 of 2").wait_for()
    moved = Traits(0, [10, 30], [])  # what is selected in one sequence says nothing of another
    known = traits_when(lambda known: known == moved)
    assert known == moved, known

    facts = logo.locator(".nbi-facts-line")
    before = facts.inner_text()
    canvas.press(".")
    for base in "ac":  # one of them is not there yet
        canvas.press(base)
    facts.filter(has_text=re.compile(r", [+\u2212]")).wait_for()  # "1.23, +0.45": the model has answered
    logo.locator('xpath=self::*[@data-asking="0"]').wait_for()
    for _ in range(2):
        canvas.press("u")
    facts.filter(has_text=re.compile(f"^{re.escape(before)}$")).wait_for()
    return logo


def lightness(logo: Any) -> float:
    """Of the ink, 0 to 255."""
    ink = logo.evaluate("e => getComputedStyle(e).color")
    return sum(float(v) for v in ink[ink.index("(") + 1 : -1].split(",")[:3]) / 3
