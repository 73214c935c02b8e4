"""Compile the loops in C when nbinterp is installed.

In: the sources beside this file and the machine's C compiler (``CC``, else cc, gcc or clang).  Out: one library that
`nbinterp/core/native.py` finds.  It knows nothing of Python's version.  Where there is no compiler nbinterp is installed
without it, and says so: results are the same, some are slower.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
FLAGS = [
    "-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wno-psabi", "-fopenmp-simd",
    "-fno-math-errno", "-fno-trapping-math",  # nobody reads errno or traps: a root may be taken of several numbers at once
    "-ffp-contract=off",  # the same numbers on every processor
]  # fmt: skip
# Processors for which each loop is compiled, by what compilers know: newer ones, older ones, all others.
PROCESSORS = ['"arch=x86-64-v4","arch=x86-64-v3","default"', '"avx512f","avx2","default"', None]


class CustomBuildHook(BuildHookInterface):
    """Hatchling's door."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and put the library into the wheel, which is then one of this platform."""
        if self.target_name != "wheel":
            return
        library = _place()
        trouble = _compile(library)
        if trouble:
            library.unlink(missing_ok=True)
            self.app.display_warning(f"nbinterp is installed without its compiled loops, slower in places: {trouble}")
            return
        build_data["artifacts"].append(str(library.relative_to(HERE.parent)))
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


def _place() -> Path:
    """Where the loader looks; it alone knows the name."""
    path = HERE.parent / "nbinterp" / "core" / "native.py"
    spec = importlib.util.spec_from_file_location("native", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Path(module.LIBRARY)


def _compile(library: Path) -> str:
    """Compile the sources; give what went wrong."""
    compiler = _compiler()
    if not compiler:
        return "no C compiler was found (set CC)"
    sources = sorted(str(path) for path in HERE.glob("*.c"))
    made = library.with_suffix(".tmp")
    trouble = ""
    for processors in PROCESSORS:
        command = [
            *compiler,
            *FLAGS,
            *([f"-DPROCESSORS={processors}"] if processors else []),
            *sources,
            "-o",
            str(made),
            "-lm",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return str(error)
        if done.returncode == 0:
            made.replace(library)
            return ""
        trouble = f"{shlex.join(command)}: {done.stderr.strip()[-2000:]}"
    made.unlink(missing_ok=True)
    return trouble


def _compiler() -> list[str]:
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    names = ["gcc", "clang"] if sys.platform == "win32" else ["cc", "gcc", "clang"]
    return next(([path] for name in names if (path := shutil.which(name))), [])
