"""Libraries that load when they are used: what a command imports, and that nothing else differs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hit.synthetic import regions, write_inputs

LATE = """
import sys
from nbinterp.cli.late import load_late
for name in ("wave", "sqlite3", "xml", "no_such_library"):
    load_late(name)
load_late("wsgiref", parts=True)
late = lambda module: "Late" in type(module).__name__
import wave, sqlite3, xml, wsgiref
assert late(wave) and late(sqlite3) and late(xml) and late(wsgiref)
before = sqlite3
assert wave.WAVE_FORMAT_PCM == 1 and not hasattr(wave, "__path__")
assert sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)
assert sqlite3 is before is sys.modules["sqlite3"] and not late(sqlite3)
import xml.dom, wsgiref.headers
assert not late(xml) and late(wsgiref)
assert wsgiref.headers is sys.modules["wsgiref.headers"] and not late(wsgiref)
assert "no_such_library" not in sys.modules
"""


def run(code: str, *words: str) -> str:
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=env, check=True, text=True, capture_output=True
    ).stdout


def test_a_library_loads_at_the_first_look() -> None:
    run(LATE)


@pytest.mark.slow  # torch loads anew
def test_a_function_is_no_module_of_its_name() -> None:
    """Which is what was imported first."""
    late = "from nbinterp.cli.late import load_late; load_late('nbinterp.motif', parts=True)"
    run(f"{late}; import nbinterp.motif.fdr; from nbinterp.motif.tomtom import tomtom; from nbinterp import motif\n"
        "assert motif.tomtom is tomtom and motif.fdr.q_values is motif.q_values")  # fmt: skip


def test_hits_are_called_without_torch(tmp_path: Path) -> None:
    """On a machine without a GPU."""
    npz, h5 = write_inputs(tmp_path, regions())
    code = "import sys; from nbinterp.cli.main import main; assert not main(sys.argv[1:]); print('torch._C' in sys.modules)"
    words = ("hits", "call", "-r", str(npz), "-m", str(h5), "-o", str(tmp_path / "out"))
    assert run(code, *words).splitlines()[-1] == "False"
