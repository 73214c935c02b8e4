"""The compiled loops: installed where there is a compiler, left alone where one asks for that, and missed by nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nbinterp.core.native import LIBRARY, about_native, native

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not any(shutil.which(name) for name in ("cc", "gcc", "clang")), reason="no C compiler")
def test_it_is_there_where_there_is_a_compiler() -> None:
    assert native(), f"{LIBRARY} is missing or does not load: install nbinterp again"
    newest = max(path.stat().st_mtime for path in (ROOT / "native").glob("*.[ch]"))
    assert LIBRARY.stat().st_mtime >= newest, "the sources are newer than the library: install nbinterp again"


def test_it_is_left_alone_where_one_asks_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBINTERP_NATIVE", "0")
    assert native() is None
    assert "NBINTERP_NATIVE is 0" in about_native()


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["", "no-such-compiler"])
def test_a_wheel_has_it_or_is_for_any_machine(compiler: str, tmp_path: Path) -> None:
    """Built from a copy, since building leaves the library in the tree."""
    tree = tmp_path / "tree"
    ignored = shutil.ignore_patterns(".venv", ".git", "node_modules", "__pycache__", "docs", "tests", "libnbinterp-*")
    shutil.copytree(ROOT, tree, ignore=ignored)
    environment = {**os.environ, "CC": compiler}
    words = ["-m", "pip", "wheel", "-v", "--no-deps", "-w", str(tmp_path), str(tree)]
    done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    inside = [name for name in names if "libnbinterp-" in name]
    if compiler:
        assert not inside
        assert wheel.name.endswith("py3-none-any.whl")
        assert "installed without its compiled loops" in done.stdout + done.stderr
    else:
        assert inside == [f"nbinterp/core/{LIBRARY.name}"]
        assert "-py3-none-" in wheel.name
        assert "any" not in wheel.name
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = "import nbinterp.core.native as n; print(n.LIBRARY); print(n.about_native())"
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(unpacked)}, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    where, what = run.stdout.splitlines()
    assert where.startswith(str(unpacked))
    assert what.startswith("compiled loops: no, install" if compiler else "compiled loops: yes")
