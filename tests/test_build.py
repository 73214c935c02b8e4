"""What is committed is what is built: the browser bundles, the wheel's contents, the version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nbinterp.widget.packed import packed

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "nbinterp" / "widget" / "static"


@pytest.fixture(scope="module")
def js_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources beside an empty package, so that a rebuild touches nothing of the checkout."""
    if shutil.which("npm") is None:
        pytest.skip("no Node: the committed JavaScript cannot be rebuilt here")
    root = tmp_path_factory.mktemp("rebuild")
    shutil.copytree(ROOT / "js", root / "js", ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(ROOT / "nbinterp" / "chart", root / "nbinterp" / "chart")
    shutil.copytree(ROOT / "tests" / "fixtures", root / "tests" / "fixtures")
    (root / "nbinterp" / "widget" / "static").mkdir(parents=True)
    _npm(root, "ci", "--no-audit", "--no-fund")
    return root


def _npm(root: Path, *words: str) -> None:
    done = subprocess.run(["npm", *words], check=False, cwd=root / "js", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_a_rebuild_gives_the_committed_bytes(js_copy: Path) -> None:
    _npm(js_copy, "run", "build")
    rebuilt = {p.name: p.read_bytes() for p in (js_copy / "nbinterp" / "widget" / "static").iterdir()}
    committed = {p.name: p.read_bytes() for p in STATIC.iterdir()}
    assert sorted(rebuilt) == sorted(committed)
    different = [name for name in rebuilt if rebuilt[name] != committed[name]]
    assert not different, f"run `make js` and commit {different}"


def test_the_browser_half_types_and_passes_its_own_tests(js_copy: Path) -> None:
    _npm(js_copy, "run", "typecheck")
    _npm(js_copy, "test")


def test_bundles_are_small_and_self_contained() -> None:
    """Each view carries its module in a notebook's state; that of mechanisms, which is large, as one that unpacks itself."""
    for path in STATIC.glob("*.js"):
        text = path.read_text()
        carried = len(packed(text) if path.name == "mechanism.js" else text)
        assert carried < 60_000, f"{path.name} is {carried} characters"
        assert "https://" not in text.replace("http://www.w3.org", ""), f"{path.name} names an address"


@pytest.mark.slow
def test_the_wheel_holds_templates_bundles_and_weights(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)],
        check=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    wheel = next(tmp_path.glob("*.whl"))
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "nbinterp/report/templates/attribution.ipynb",
        "nbinterp/widget/static/logo.js",
        "nbinterp/demo/weights.npz",
        "nbinterp/demo/truth.json",
        "nbinterp/motif/data/jaspar2026_core.npz",
        "nbinterp/motif/data/JASPAR-LICENSE.txt",
        "nbinterp/py.typed",
    ):
        assert needed in names, needed
    assert wheel.stat().st_size < 3_000_000
