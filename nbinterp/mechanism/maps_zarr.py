"""Maps in a Zarr folder: compressed parts of so many rows each.

In: a path, a shape.  Out: Zarr's array, which is read and written by slices as NumPy's is.  Needs the extra ``zarr``.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

from ..errors import NbinterpError, problem

__all__ = ["create_zarr", "open_zarr"]

_PART: Final = 2**20  # numbers


def _zarr(where: str, path: Path) -> Any:
    try:
        return importlib.import_module("zarr")
    except ImportError as error:
        do = "pip install 'nbinterp[zarr]', or a name that ends in .npy"
        raise problem(
            where, "path", got=str(path), need="zarr, which is not installed", do=do, kind=NbinterpError
        ) from error


def create_zarr(where: str, path: Path, shape: tuple[int, int, int]) -> Any:
    """A new array of float32 for N maps ``(4, W)``."""
    rows = max(1, min(shape[0], _PART // max(1, shape[1] * shape[2])))
    form = {"shape": shape, "chunks": (rows, *shape[1:]), "dtype": "float32"}
    return _zarr(where, path).open_array(str(path), mode="w", **form)


def open_zarr(where: str, path: Path, mode: str) -> Any:
    """The array at a path, to read (``r``) or to go on with (``r+``).

    Raises
    ------
    ValueError
        For what is none.
    """
    zarr = _zarr(where, path)
    try:
        return zarr.open_array(str(path), mode=mode)
    except (OSError, KeyError) as error:  # other errors of Zarr are values' already
        raise ValueError(f"no Zarr array: {error}") from error
