"""Sequences at one byte or two bits a base, accepted wherever a one-hot tensor is.

In: codes 0..3 (4 = unknown) or one-hot.  Out: the same sequences, one-hot, made a batch at a time on the device of the
model, so that what crosses to a GPU is 4 to 64 times smaller than float one-hot.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from ..core.files import writing
from ..errors import FormatError, problem

__all__ = ["CodedSequence", "PackedSequence"]


def _one_hot_to_codes(where: str, X: torch.Tensor) -> torch.Tensor:
    if X.ndim < 2 or X.shape[-2] != 4:
        raise problem(
            where, "X", got=f"shape {tuple(X.shape)}", need="shape (..., 4, L)", do="one-hot encode over ACGT"
        )
    total = X.sum(dim=-2)
    if bool(((X != 0) & (X != 1)).any()) or bool((total > 1).any()):
        raise problem(
            where, "X", got="entries that are not one-hot", need="0 or 1, one base a position", do="encode it"
        )
    return torch.where(total == 0, 4, X.argmax(dim=-2)).to(torch.uint8)


class CodedSequence:
    """Sequences at one byte a base: codes 0..3 for A C G T, 4 for an unknown base.

    Parameters
    ----------
    codes : tensor or array of uint8, shape (..., L)
        On any device.
    alphabet : sequence of str
        The four letters.

    Examples
    --------
    >>> X = CodedSequence(torch.tensor([[0, 1, 4]], dtype=torch.uint8))
    >>> X.shape, X.to_one_hot()[0].tolist()
    ((1, 4, 3), [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]])
    """

    def __init__(self, codes: torch.Tensor | np.ndarray, alphabet: Sequence[str] = ("A", "C", "G", "T")) -> None:
        codes = torch.as_tensor(codes)
        if codes.dtype != torch.uint8 or codes.ndim < 1 or (codes.numel() and int(codes.max()) > 4):
            raise problem(
                "CodedSequence",
                "codes",
                got=f"{codes.dtype}, shape {tuple(codes.shape)}",
                need="uint8 codes 0..4",
                do="convert",
            )
        self.data = codes
        self.alphabet = tuple(alphabet)

    @classmethod
    def from_codes(
        cls, codes: torch.Tensor | np.ndarray, alphabet: Sequence[str] = ("A", "C", "G", "T")
    ) -> CodedSequence:
        """Hold codes as they are."""
        return cls(codes, alphabet)

    @classmethod
    def from_one_hot(cls, X: torch.Tensor, alphabet: Sequence[str] = ("A", "C", "G", "T")) -> CodedSequence:
        """Take the codes of a one-hot tensor ``(..., 4, L)``."""
        return cls(_one_hot_to_codes("CodedSequence.from_one_hot", X), alphabet)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(..., 4, L)``, as the one-hot tensor would have."""
        return (*self.data.shape[:-1], 4, self.data.shape[-1])

    @property
    def ndim(self) -> int:
        """Number of axes of the one-hot tensor."""
        return self.data.ndim + 1

    @property
    def length(self) -> int:
        """Positions in each sequence."""
        return int(self.data.shape[-1])

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, index: Any) -> CodedSequence:
        return CodedSequence(self.data[_batch_index(index, self.data.ndim - 1)], self.alphabet)

    def __repr__(self) -> str:
        return f"CodedSequence(shape={self.shape})"

    def to_codes(self, device: Any = None) -> torch.Tensor:
        """Give uint8 codes of shape (..., L)."""
        return self.data if device is None else self.data.to(device)

    def to_one_hot(self, dtype: torch.dtype = torch.int8, device: Any = None) -> torch.Tensor:
        """Give the one-hot tensor (..., 4, L), made on `device`."""
        codes = self.to_codes(device)
        return (codes.unsqueeze(-2) == torch.arange(4, device=codes.device, dtype=torch.uint8)[:, None]).to(dtype)


def _batch_index(index: Any, n_axes: int) -> Any:
    """Refuse an index that would reach into the packed axis."""
    parts = index if isinstance(index, tuple) else (index,)
    if len([part for part in parts if part is not Ellipsis and part is not None]) > n_axes:
        raise problem("sequence", "index", got=repr(index), need=f"at most {n_axes} batch axes", do="decode it first")
    return index


class PackedSequence:
    """Sequences at two bits a base, with runs of unknown bases kept beside them.

    The interface is that of tangermeme's class of the same name.

    Parameters
    ----------
    data : uint8 tensor, shape (..., ceil(L / 4))
        Four bases a byte, the first in the two highest bits.
    length : int
        L.
    n_runs : int64 tensor, shape (R, 3), optional
        Runs of unknown bases: (row of the flattened batch, start, end), sorted.
    alphabet : sequence of str
        The four letters.

    Examples
    --------
    >>> X = PackedSequence.from_codes(torch.tensor([[0, 1, 4, 3, 2]], dtype=torch.uint8))
    >>> X.shape, X.data.shape, X.to_codes().tolist()
    ((1, 4, 5), torch.Size([1, 2]), [[0, 1, 4, 3, 2]])
    """

    format_version: ClassVar[int] = 1

    def __init__(
        self,
        data: torch.Tensor,
        length: int,
        n_runs: torch.Tensor | None = None,
        alphabet: Sequence[str] = ("A", "C", "G", "T"),
    ) -> None:
        if data.dtype != torch.uint8 or data.shape[-1] != -(-length // 4):
            raise problem(
                "PackedSequence",
                "data",
                got=f"{data.dtype}, last axis {data.shape[-1]}",
                need=f"uint8, last axis {-(-length // 4)} for length {length}",
                do="make it with from_codes or from_one_hot",
            )
        self.data = data
        self.length = int(length)
        self.n_runs = torch.empty((0, 3), dtype=torch.int64) if n_runs is None else n_runs
        self.alphabet = tuple(alphabet)

    @classmethod
    def from_codes(
        cls, codes: torch.Tensor | np.ndarray, alphabet: Sequence[str] = ("A", "C", "G", "T")
    ) -> PackedSequence:
        """Pack codes 0..3 (4 = unknown) of shape (..., L)."""
        codes = torch.as_tensor(codes).cpu()
        if codes.numel() and int(codes.max()) > 4:
            raise problem(
                "PackedSequence.from_codes", "codes", got=int(codes.max()), need="codes 0..4", do="recode them"
            )
        length = codes.shape[-1]
        flat = codes.reshape(-1, length).numpy().astype(np.uint8)
        runs = torch.from_numpy(_unknown_runs(flat == 4))
        padded = np.zeros((flat.shape[0], -(-length // 4) * 4), np.uint8)
        padded[:, :length] = flat & 3
        fours = padded.reshape(flat.shape[0], -1, 4)
        packed = (fours[..., 0] << 6) | (fours[..., 1] << 4) | (fours[..., 2] << 2) | fours[..., 3]
        return cls(torch.from_numpy(packed).reshape(*codes.shape[:-1], -1), length, runs, alphabet)

    @classmethod
    def from_one_hot(cls, X: torch.Tensor, alphabet: Sequence[str] = ("A", "C", "G", "T")) -> PackedSequence:
        """Pack a one-hot tensor (..., 4, L)."""
        return cls.from_codes(_one_hot_to_codes("PackedSequence.from_one_hot", X), alphabet)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(..., 4, L)``, as the one-hot tensor would have."""
        return (*self.data.shape[:-1], 4, self.length)

    @property
    def ndim(self) -> int:
        """Number of axes of the one-hot tensor."""
        return self.data.ndim + 1

    def __len__(self) -> int:
        return int(self.shape[0])

    def __repr__(self) -> str:
        return f"PackedSequence(shape={self.shape}, unknown runs={len(self.n_runs)})"

    def __getitem__(self, index: Any) -> PackedSequence:
        batch = self.data.shape[:-1]
        index = _batch_index(index, len(batch))
        data = self.data[index]
        if not len(self.n_runs):
            return PackedSequence(data, self.length, None, self.alphabet)
        rows = torch.arange(int(np.prod(batch)), dtype=torch.int64).reshape(batch)[index].reshape(-1)
        first = torch.searchsorted(self.n_runs[:, 0].contiguous(), rows)
        last = torch.searchsorted(self.n_runs[:, 0].contiguous(), rows, right=True)
        pieces = [
            torch.cat([torch.full((int(b - a), 1), i), self.n_runs[a:b, 1:]], dim=1)
            for i, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True))
            if b > a
        ]
        runs = torch.cat(pieces) if pieces else None
        return PackedSequence(data, self.length, runs, self.alphabet)

    def reshape(self, *shape: int | Sequence[int]) -> PackedSequence:
        """Reshape the batch axes."""
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return PackedSequence(
            self.data.reshape(*sizes, self.data.shape[-1]),
            self.length,
            self.n_runs,
            self.alphabet,
        )

    def to_codes(self, device: Any = None) -> torch.Tensor:
        """Give uint8 codes of shape (..., L), unpacked on `device`."""
        data = self.data if device is None else self.data.to(device)
        shifts = torch.tensor([6, 4, 2, 0], dtype=torch.uint8, device=data.device)
        codes = ((data.unsqueeze(-1) >> shifts) & 3).reshape(*data.shape[:-1], -1)[..., : self.length]
        if len(self.n_runs):
            codes = codes.contiguous()
            flat = codes.view(-1, self.length)
            for row, start, end in self.n_runs.tolist():
                flat[row, start:end] = 4
        return codes

    def to_one_hot(self, dtype: torch.dtype = torch.int8, device: Any = None) -> torch.Tensor:
        """Give the one-hot tensor (..., 4, L), made on `device`."""
        return CodedSequence(self.to_codes(device)).to_one_hot(dtype)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a folder of ``data.npy``, ``n_runs.npy`` and ``meta.json``, which `load` can map from disk."""
        folder = Path(path)
        meta = {"format_version": self.format_version, "length": self.length, "alphabet": list(self.alphabet)}
        for name, array in (("data.npy", self.data), ("n_runs.npy", self.n_runs)):
            with writing(folder / name) as temporary:
                np.save(temporary, array.numpy())
        with writing(folder / "meta.json") as temporary:
            temporary.write_text(json.dumps(meta))

    @classmethod
    def load(cls, path: str | os.PathLike[str], mmap: bool = False) -> PackedSequence:
        """Read what `save` wrote; with `mmap` the bases stay on disk until they are asked for."""
        folder = Path(path)
        try:
            meta = json.loads((folder / "meta.json").read_text())
            data = np.load(folder / "data.npy", mmap_mode="c" if mmap else None)
            runs = np.load(folder / "n_runs.npy")
        except (OSError, ValueError) as error:
            raise problem(
                "PackedSequence.load",
                "path",
                got=f"{folder} ({error})",
                need="a folder made by save",
                do="check it",
                kind=FormatError,
            ) from error
        return cls(torch.from_numpy(data), meta["length"], torch.from_numpy(runs), meta["alphabet"])


def _unknown_runs(unknown: np.ndarray) -> np.ndarray:
    """Give (row, start, end) of each run of True, in order."""
    edge = np.zeros((unknown.shape[0], 1), bool)
    change = np.diff(np.concatenate([edge, unknown, edge], axis=1).astype(np.int8), axis=1)
    rows, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    return np.stack([rows, starts, ends], axis=1).astype(np.int64)
