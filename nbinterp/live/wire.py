"""Arrays to bytes for the browser, and back.

In: sequences as codes, scores as floats.  Out: two bits a base, 16 bits a score with a scale for each example, in blocks
aligned to 8 bytes, compressed where that is worth it.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

__all__ = ["Packed", "pack_blocks", "pack_sequence", "quantize", "unpack_blocks"]

MISSING: Final = -32768  # the code of NaN
_LARGE: Final = 64_000  # bytes from which a block is compressed
_KINDS: Final[Mapping[str, str]] = MappingProxyType({kind: f"<{kind}" for kind in ("u1", "u2", "i2", "i4", "f4", "f8")})


@dataclass(frozen=True)
class Packed:
    """Bytes, and one entry for each block: name, dtype, shape, offset, length, encoding."""

    data: bytes
    blocks: list[dict[str, Any]]


def pack_sequence(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pack codes 0..3 (4 = unknown) of shape (N, L) to two bits a base, and runs of unknown bases (row, start, end).

    Examples
    --------
    >>> packed, runs = pack_sequence(np.array([[0, 1, 2, 3, 4]], np.uint8))
    >>> packed.tolist(), runs.tolist()
    ([[27, 0]], [[0, 4, 5]])
    """
    n, length = codes.shape
    unknown = codes == 4
    edge = np.zeros((n, 1), bool)
    change = np.diff(np.concatenate([edge, unknown, edge], axis=1).astype(np.int8), axis=1)
    rows, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    padded = np.zeros((n, -(-length // 4) * 4), np.uint8)
    padded[:, :length] = np.where(unknown, 0, codes)
    fours = padded.reshape(n, -1, 4)
    packed = (fours[..., 0] << 6) | (fours[..., 1] << 4) | (fours[..., 2] << 2) | fours[..., 3]
    return packed, np.stack([rows, starts, ends], axis=1).astype(np.int32)


def quantize(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale each example (first axis) to int16; the error is at most 1.6e-5 of its largest value.  NaN is kept.

    Examples
    --------
    >>> codes, scale = quantize(np.array([[0.0, -2.0, np.nan]]))
    >>> codes.tolist(), (codes[0, 1] * scale[0]).round(6).item()
    ([[0, -32767, -32768]], -2.0)
    """
    flat = values.reshape(len(values), math.prod(values.shape[1:])).astype(np.float64)
    missing = ~np.isfinite(flat)
    known = np.where(missing, 0, flat)
    scale = np.abs(known).max(axis=1, initial=0) / 32767
    codes = np.rint(known / np.where(scale == 0, 1, scale)[:, None]).astype(np.int16)
    codes[missing] = MISSING
    return codes.reshape(values.shape), scale.astype(np.float32)


def pack_blocks(arrays: Mapping[str, np.ndarray]) -> Packed:
    """Lay arrays (integers of 8 to 32 bits, floats of 32 or 64) end to end.

    Examples
    --------
    >>> packed = pack_blocks({"a": np.arange(3, dtype=np.int16)})
    >>> packed.blocks[0]["length"], len(packed.data)
    (6, 8)
    """
    parts: list[bytes] = []
    blocks: list[dict[str, Any]] = []
    offset = 0
    for name, array in arrays.items():
        kind = array.dtype.str[1:]
        raw = np.ascontiguousarray(array).astype(_KINDS[kind], copy=False).tobytes()
        small = gzip.compress(raw, 6, mtime=0) if len(raw) >= _LARGE else raw
        encoding = "gzip" if len(small) < len(raw) else "raw"
        body = small if encoding == "gzip" else raw
        blocks.append(
            {
                "name": name,
                "dtype": kind,
                "shape": list(array.shape),
                "offset": offset,
                "length": len(body),
                "encoding": encoding,
            }
        )
        padding = -len(body) % 8
        parts += [body, b"\0" * padding]
        offset += len(body) + padding
    return Packed(b"".join(parts), blocks)


def unpack_blocks(packed: Packed) -> dict[str, np.ndarray]:
    """Read what `pack_blocks` wrote."""
    arrays = {}
    for block in packed.blocks:
        body = packed.data[block["offset"] : block["offset"] + block["length"]]
        raw = gzip.decompress(body) if block["encoding"] == "gzip" else body
        arrays[block["name"]] = np.frombuffer(raw, _KINDS[block["dtype"]]).reshape(block["shape"])
    return arrays
