"""Rows that are read when they are asked for, so that inputs may be larger than memory.

In: arrays, HDF5 datasets, members of npz files, bigWig files, a genome.  Out: things with a ``shape`` and slices of rows.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from ..errors import FormatError, NbinterpError, problem

__all__ = ["FastaRows", "H5Rows", "MeanRows", "NpyRows", "Rows", "SignalRows", "WindowRows", "centred"]


class Rows(Protocol):
    """N rows of something."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows first."""

    def __getitem__(self, rows: slice) -> np.ndarray: ...


def centred(where: str, argument: str, source: str, length: int, width: int) -> slice:
    """The middle `width` positions of `length`, as Fi-NeMo takes them."""
    start = length // 2 - width // 2
    if start < 0 or start + width > length:
        got, do = f"{length} positions in {source}", f"ask for at most {length - length % 2}"
        raise problem(where, argument, got=got, need=f"at least the {width} of a region", do=do)
    return slice(start, start + width)


class H5Rows:
    """A dataset of an HDF5 file ``(N, 4, L)``, or ``(N, L, 4)`` with `last`; a window of it.  Opened for each reading."""

    def __init__(self, where: str, path: str | os.PathLike[str], dataset: str, width: int, last: bool = False) -> None:
        import h5py

        self._path, self._dataset, self._last = os.fspath(path), dataset, last
        try:
            with h5py.File(path, "r") as file:
                shape = file[dataset].shape
        except (OSError, KeyError) as error:
            need = f"an HDF5 file with {dataset}"
            got = f"{self._path} ({error.args[0]})"
            raise problem(
                where, "h5s", got=got, need=need, do="check the path and the format", kind=FormatError
            ) from error
        if len(shape) != 3 or shape[2 if last else 1] != 4:
            need = "(N, L, 4)" if last else "(N, 4, L)"
            got = f"{dataset} of shape {shape} in {self._path}"
            raise problem(where, "h5s", got=got, need=need, do="check the format", kind=FormatError)
        self._window = centred(where, "region_width", self._path, shape[1 if last else 2], width)
        self.shape = (int(shape[0]), 4, width)

    def __getitem__(self, rows: slice) -> np.ndarray:
        import h5py

        with h5py.File(self._path, "r") as file:
            found = file[self._dataset]
            part = found[rows, self._window] if self._last else found[rows, :, self._window]
        return np.asarray(part.transpose(0, 2, 1) if self._last else part)


class NpyRows:
    """An array of an ``npy`` or ``npz`` file, read from its beginning to its end once, a few rows at a time."""

    def __init__(self, where: str, path: str | os.PathLike[str], member: str | None = None) -> None:
        self._path, self._member, self._where = os.fspath(path), member, where
        self._stream: IO[bytes] | None = None
        self._open()

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        if getattr(self, "_stream", None) is not None:
            self._stream.close()  # type: ignore[union-attr]
        self._stream = None

    def _open(self) -> None:
        self._close()
        self._stream = _stream(self._where, self._path, self._member)
        try:
            version = np.lib.format.read_magic(self._stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            self.shape, fortran, self.dtype = read(self._stream)
        except ValueError as error:
            raise self._bad(f"{self._path} ({error})", "an npy or npz file", "check the path") from error
        if fortran or self.dtype.hasobject:
            raise self._bad(
                f"{self._path} in Fortran order, or of objects", "rows of numbers", "save it with np.save again"
            )
        self._next = 0

    def _bad(self, got: str, need: str, do: str) -> NbinterpError:
        self._close()
        return problem(self._where, "path", got=got, need=need, do=do, kind=FormatError)

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, end, _ = rows.indices(self.shape[0])
        if start < self._next or self._stream is None:
            self._open()
        size = self.dtype.itemsize * int(np.prod(self.shape[1:]))
        self._read((start - self._next) * size)
        data = self._read(max(end - start, 0) * size)
        self._next = max(end, start)
        if self._next >= self.shape[0]:
            self._close()
        return np.frombuffer(bytearray(data), self.dtype).reshape(-1, *self.shape[1:])

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._stream.read(min(size, 2**24)) if self._stream else b""
            if not part:
                raise self._bad(f"{self._path}, which ends too early", "a whole file", "write it again")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _stream(where: str, path: str, member: str | None) -> IO[bytes]:
    try:
        if not zipfile.is_zipfile(path):
            return Path(path).open("rb")
        with zipfile.ZipFile(path) as archive:  # the member's stream keeps the file open
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            chosen = member or ("arr_0" if "arr_0" in names else names[0])
            return archive.open(f"{chosen}.npy")
    except (OSError, KeyError, IndexError) as error:
        need = f"an npz file with {member}" if member else "an npy or npz file"
        raise problem(
            where, "path", got=f"{path} ({error})", need=need, do="check the path", kind=FormatError
        ) from error


class WindowRows:
    """A window of rows ``(N, 4, L)`` that are read otherwise."""

    def __init__(self, rows: Rows, window: slice) -> None:
        self._rows, self._window = rows, window
        self.shape = (*rows.shape[:-1], window.stop - window.start)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._rows[rows][..., self._window]


class FastaRows:
    """One-hot windows of a genome, int8 ``(N, 4, L)``; zero columns beyond the ends of a chromosome."""

    def __init__(self, where: str, genome: Any, chroms: Sequence[str], starts: np.ndarray, width: int) -> None:
        from ..sequence.encode import DNA, code_table
        from ..sequence.fasta import open_genome

        self._where, self._genome, self._chroms, self._starts, self._width = where, genome, chroms, starts, width
        self._codes = code_table(where, DNA, ())  # what is none of the four is unknown
        self.shape = (len(starts), 4, width)
        with open_genome(where, genome) as opened:
            self.lengths = opened.lengths
        absent = sorted(set(chroms) - set(self.lengths))
        if absent:
            got = f"no {', '.join(absent[:3])} in the genome, which has {', '.join(list(self.lengths)[:3])}, ..."
            raise problem(where, "fasta", got=got, need="the genome of the peaks", do="check the names")

    def __getitem__(self, rows: slice) -> np.ndarray:
        from ..sequence.fasta import open_genome

        start, end, _ = rows.indices(self.shape[0])
        out = np.zeros((max(end - start, 0), 4, self._width), np.int8)
        with open_genome(self._where, self._genome) as opened:
            for i in range(start, end):
                chrom, first = self._chroms[i], int(self._starts[i])
                a, b = max(first, 0), min(first + self._width, self.lengths[chrom])
                if a < b:
                    codes = self._codes[np.frombuffer(opened.text(chrom, a, b).encode("ascii", "replace"), np.uint8)]
                    out[i - start, :, a - first : b - first] = codes == np.arange(4)[:, None]
        return out


class SignalRows:
    """Windows of a bigWig file, float32 ``(N, L)``; 0 where it says nothing."""

    def __init__(self, where: str, path: Any, chroms: Sequence[str], starts: np.ndarray, width: int) -> None:
        self._where, self._path, self._chroms, self._starts = where, path, np.asarray(chroms), starts
        self.shape = (len(starts), width)

    def __getitem__(self, rows: slice) -> np.ndarray:
        from ..sequence.signal import read_signal_windows

        return read_signal_windows(self._where, self._path, self._chroms[rows], self._starts[rows], self.shape[1])


class MeanRows:
    """The mean of several files, in float32; NaN is taken for 0, and `missing` counts it by row."""

    def __init__(self, where: str, argument: str, sources: Sequence[Rows], names: Sequence[Any]) -> None:
        if not sources:
            raise problem(where, argument, got="no files", need="at least one", do="name one")
        self._sources, self.shape = sources, sources[0].shape
        self.missing: dict[int, int] = {}
        for one, name in zip(sources, names, strict=True):
            if one.shape != self.shape:
                got, need = f"shape {one.shape} in {name}", f"{self.shape}, as in {names[0]}"
                raise problem(where, argument, got=got, need=need, do="make them of the same regions")

    def __getitem__(self, rows: slice) -> np.ndarray:
        total = np.zeros(1, np.float32)
        for one in self._sources:
            part = np.asarray(one[rows], np.float32)
            unknown = np.isnan(part)
            if unknown.any():
                counts = unknown.reshape(len(part), -1).sum(axis=1)
                first = rows.indices(self.shape[0])[0]
                for i in np.flatnonzero(counts).tolist():
                    self.missing[first + i] = self.missing.get(first + i, 0) + int(counts[i])
                part = np.where(unknown, np.float32(0), part)
            total = total + part
        return np.asarray(total / np.float32(len(self._sources)), np.float32)
