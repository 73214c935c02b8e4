"""The wire: what is packed comes back, and the browser half reads the same bytes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from nbinterp.live import Packed, pack_blocks, pack_sequence, quantize, unpack_blocks

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "protocol" / "blocks.json"


def example() -> dict[str, np.ndarray]:
    """Small arrays of every kind, one large enough to be compressed."""
    rng = np.random.RandomState(0)
    codes = rng.randint(0, 5, (2, 11)).astype(np.uint8)
    packed, runs = pack_sequence(codes)
    scores, scale = quantize(np.array([[0.5, -1.0, np.nan], [0.0, 0.0, 0.0]]))
    return {
        "sequence": packed,
        "unknown": runs,
        "scores": scores,
        "scale": scale,
        "large": np.zeros(40_000, np.int16),
    }


def test_round_trip() -> None:
    arrays = example()
    packed = pack_blocks(arrays)
    for name, array in unpack_blocks(packed).items():
        np.testing.assert_array_equal(array, arrays[name])
    assert all(block["offset"] % 8 == 0 for block in packed.blocks)
    assert {b["encoding"] for b in packed.blocks} == {"raw", "gzip"}


def test_quantisation_error_is_small() -> None:
    values = np.random.RandomState(0).laplace(size=(3, 4, 100))
    codes, scale = quantize(values)
    error = np.abs(codes * scale[:, None, None] - values).max(axis=(1, 2))
    assert (error <= 1.6e-5 * np.abs(values).max(axis=(1, 2))).all()


def test_both_halves_read_the_fixture() -> None:
    """js/test/wire.test.ts reads the same file."""
    stored = json.loads(FIXTURE.read_text())
    arrays = unpack_blocks(Packed(base64.b64decode(stored["data"]), stored["blocks"]))
    for name, array in example().items():
        np.testing.assert_array_equal(arrays[name], array)
    assert stored["codes"] == np.random.RandomState(0).randint(0, 5, (2, 11)).tolist()


def test_nothing_is_packed_too() -> None:
    codes, scale = quantize(np.zeros((0, 4, 7)))
    assert (codes.shape, scale.shape) == ((0, 4, 7), (0,))
