"""The loops that are compiled when nbinterp is installed, where there is a C compiler.

Out: `native`, the library, or None without it: callers then take their NumPy path, which gives the same results and is
what tests hold the compiled loops to.  The sources are in ``native/``; ``NBINTERP_NATIVE=0`` leaves the library alone.
"""

from __future__ import annotations

import ctypes
import operator
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["LIBRARY", "about_native", "call_native", "native"]

# The number rises when functions change or are added: a library that an older installation left is not found.
_INTERFACE = 3
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
LIBRARY = Path(__file__).with_name(f"libnbinterp-{_INTERFACE}{_SUFFIX}")


def native() -> ctypes.CDLL | None:
    """Give the library, or None where nbinterp was installed without it, or ``NBINTERP_NATIVE`` is 0.

    Examples
    --------
    >>> native() is None or hasattr(native(), "nbinterp_tomtom")
    True
    """
    return None if os.environ.get("NBINTERP_NATIVE") == "0" else _load()


def about_native() -> str:
    """Say whether the compiled loops are there, and what to do if not.

    Examples
    --------
    >>> print(about_native())
    compiled loops: ...
    """
    if native():
        return "compiled loops: yes"
    if os.environ.get("NBINTERP_NATIVE") == "0":
        return "compiled loops: no, since NBINTERP_NATIVE is 0; results are the same, some take longer"
    return "compiled loops: no, install nbinterp again where there is a C compiler (CC); results are the same, some take longer"


def call_native(name: str, *arguments: Any) -> int:
    """Call a loop: arrays go as where they begin, whole numbers as 64 bits, others as double; the rest as it is.

    The caller holds the arrays, of the types that the loop reads, and has seen that `native` is not None.

    Examples
    --------
    >>> import numpy as np
    >>> out = np.empty((2, 3), np.uint8)
    >>> table = np.full(256, 255, np.uint8)
    >>> table[[ord("A"), ord("C")]] = 0, 1
    >>> letters = np.frombuffer(b"ACA", np.uint8)
    >>> _ = native() and call_native("one_hot", letters, 3, table, 2, out)
    """
    library = native()
    assert library
    run = library[f"nbinterp_{name}"]
    run.restype = ctypes.c_int64
    return int(run(*(_argument(one) for one in arguments)))


def _argument(value: Any) -> Any:
    if hasattr(value, "ctypes"):  # an array; numpy itself is not there when the library is compiled, and this is read
        return ctypes.c_void_p(value.ctypes.data)
    if hasattr(value, "__index__"):
        return ctypes.c_int64(operator.index(value))
    return ctypes.c_double(value) if isinstance(value, float) else value


@cache
def _load() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(LIBRARY))
    except OSError:  # not there, or made for another kind of machine
        return None
