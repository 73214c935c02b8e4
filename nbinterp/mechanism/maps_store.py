"""Maps that are kept as they are made, in memory or in a file that can be taken up again.

In: a shape and what the maps are of.  Out: an array ``(N, 4, W)``.  A file, ``.npy`` or ``.zarr``, grows under another name,
beside a note of what it is of and how far it has come; it gets its own name when it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..core.files import writing
from ..errors import FormatError, problem
from .maps_zarr import create_zarr, open_zarr

__all__ = ["MapStore"]

_SECONDS: Final = 2.0  # between notes; at most so much work is lost when the process dies


class MapStore:
    """An array of maps, the first `done` of which have been made.

    Parameters
    ----------
    where : str
        The public function.
    path : path or None
        Of the file, ``.npy``, or ``.zarr``, a folder of compressed parts; None keeps the maps in memory.
    shape : (N, 4, W)
        Of the maps.
    identity : mapping of str to str
        What decides the maps, by name; a file made of something else is not taken up.
    overwrite : bool
        Whether to begin anew where the file is of something else.

    Examples
    --------
    >>> store = MapStore("example", None, (3, 4, 2), {}, False)
    >>> store.write(np.ones((2, 4, 2)))
    >>> store.done, store.finish().shape
    (2, (3, 4, 2))
    """

    def __init__(
        self,
        where: str,
        path: str | os.PathLike[str] | None,
        shape: tuple[int, int, int],
        identity: Mapping[str, str],
        overwrite: bool,
    ) -> None:
        self.done, self._where, self._identity, self._shape = 0, where, dict(identity), shape
        self._path = None if path is None else Path(path)
        self.maps: Any
        if self._path is None:
            self.maps = np.empty(shape, np.float32)
            return
        kind = self._path.suffix
        if kind not in (".npy", ".zarr"):
            raise problem(where, "path", got=str(path), need="a name that ends in .npy or .zarr", do="rename it")
        self._partial = self._path.with_name(f"{self._path.stem}.partial{kind}")
        self._note = self._path.with_name(f"{self._path.stem}.json")
        self._noted = time.monotonic()
        self.maps = self._open(overwrite)

    def _open(self, overwrite: bool) -> Any:
        assert self._path is not None
        there = next((file for file in (self._path, self._partial) if file.exists()), None)
        if there is not None and not overwrite:
            self.done = self._recorded(there)
        if there is not None and self.done:
            try:
                found = self._read(there, "r" if there == self._path else "r+")
            except (OSError, ValueError) as error:
                raise self._other(there, f"{there} ({error})") from error
            if found.shape == self._shape and found.dtype == np.float32:
                return found
            raise self._other(there, f"{there} of shape {found.shape}")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for old in (self._path, self._partial):
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        if self._path.suffix == ".zarr":
            made = create_zarr(self._where, self._partial, self._shape)
        else:
            made = np.lib.format.open_memmap(self._partial, mode="w+", dtype=np.float32, shape=self._shape)
        self._write_note()
        return made

    def _read(self, there: Path, mode: Any) -> Any:
        return open_zarr(self._where, there, mode) if there.suffix == ".zarr" else np.load(there, mmap_mode=mode)

    def _recorded(self, there: Path) -> int:
        """Give how many maps a file has, once it is known to be of the same things."""
        try:
            note = json.loads(self._note.read_text())
            done, identity = int(note["done"]), dict(note["identity"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._other(there, f"{there} without a readable {self._note.name}") from error
        names = [*self._identity, *(name for name in identity if name not in self._identity)]
        other = [name for name in names if identity.get(name) != self._identity.get(name)]
        if other:
            raise self._other(there, f"{there}, made with other values of {', '.join(other)}")
        return done

    def _other(self, there: Path, got: str) -> Exception:
        do = "pass overwrite=True, or another path"
        need = f"maps of this call in {there.name}, or no such file"
        return problem(self._where, "path", got=got, need=need, do=do, kind=FormatError)

    def write(self, values: np.ndarray) -> None:
        """Append maps; NaN and infinity are refused."""
        finite = np.isfinite(values).reshape(len(values), -1).all(1)
        if not finite.all():
            row = self.done + int((~finite).argmax())
            do = "check the model, or leave the row out of the library"
            raise problem(self._where, "model", got=f"a map with NaN or infinity in row {row}", need="numbers", do=do)
        self.maps[self.done : self.done + len(values)] = values
        self.done += len(values)
        if self._path is not None and time.monotonic() - self._noted > _SECONDS:
            self.save()

    def save(self) -> None:
        """Put on disk what has been made, then the note that says so."""
        if self._path is None or not self._partial.exists():
            return
        if isinstance(self.maps, np.memmap):
            self.maps.flush()
        self._write_note()
        self._noted = time.monotonic()

    def _write_note(self) -> None:
        with writing(self._note) as temporary:
            temporary.write_text(json.dumps({"done": self.done, "of": self._shape[0], "identity": self._identity}))

    def finish(self) -> Any:
        """Give the maps; a file gets its name, and is read where it lies."""
        if self._path is None:
            return self.maps
        self.save()
        if self._partial.exists() and self.done == self._shape[0]:
            self._partial.replace(self._path)
        return self._read(self._path, "r")
