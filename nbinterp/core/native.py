"""The loops that are compiled when nbinterp is installed, where there is a C compiler.

Out: `native`, the library, or None without it: callers then take their NumPy path, which gives the same results and is
what tests hold the compiled loops to.  The sources are in ``native/``; ``NBINTERP_NATIVE=0`` leaves the library alone.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path

__all__ = ["LIBRARY", "about_native", "native"]

# The number rises when functions change or are added: a library that an older installation left is not found.
_INTERFACE = 2
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


@cache
def _load() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(LIBRARY))
    except OSError:  # not there, or made for another kind of machine
        return None
