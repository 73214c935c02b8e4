"""The compiled loop of one-hot encoding against NumPy: whatever the letters, the same rows and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import nbinterp as nb
from nbinterp.core.native import about_native, native
from nbinterp.sequence import encode_compiled

pytestmark = pytest.mark.skipif(native() is None, reason=about_native())

rng = np.random.default_rng(0)


def text(letters: str, n: int) -> str:
    return "".join(rng.choice(list(letters), n))


LONG = text("ACGT", 9001)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "empty": ("", {}),
    **{f"{n} letters": (text("ACGTN", n), {}) for n in (1, 2, 63, 64, 65, 2047, 2048, 2049)},
    "long": (LONG, {}),
    "lower case": (LONG.lower(), {}),
    "soft-masked, with unknown": (text("ACGTacgtNn", 9001), {}),
    "nothing but unknown": ("N" * 3000, {}),
    "one unknown at the end": (LONG + "N", {}),
    "float32": (LONG, {"dtype": torch.float32}),
    "proteins": (text("ACDEFGHIKLMNPQRSTVWYX", 5000), {"alphabet": "ACDEFGHIKLMNPQRSTVWY", "ignore": "X*"}),
    "many ignored": (text("ACGTNRYSWKMBDHVryswkm", 5000), {"ignore": "NRYSWKMBDHV"}),
    "nothing ignored": (LONG, {"ignore": ()}),
    "an alphabet of both cases": (text("acgtACGT", 5000), {"alphabet": "aAcCgGtT", "ignore": ()}),
    "a lower-case alphabet": (text("acgt", 5000), {"alphabet": "acgt"}),
    "a letter whose other case is ignored": (text("ACGTa", 5000), {"ignore": "a"}),
    "two letters": (text("01", 5000), {"alphabet": "01"}),
    "a letter twice": ("ACCAN", {"alphabet": "AACC"}),
    "no alphabet": ("NNN", {"alphabet": ()}),
    "every letter of ASCII": (
        "".join(map(chr, range(128))) * 20,
        {"alphabet": [chr(i) for i in range(128)], "ignore": ()},
    ),
    "wrong at the start": ("X" + LONG, {}),
    "wrong in the middle": (LONG[:5000] + "-" + LONG, {}),
    "wrong at the end": (LONG + "*", {}),
    "wrong among unknown": ("N" * 2500 + "." + "N" * 600, {}),
    "beyond ASCII": (LONG + "é", {}),
    "beyond ASCII, where a question mark is a letter": ("AC?é", {"alphabet": "ACGT?"}),
    "a zero byte": ("AC\0GT", {}),
    "half a character": ("AC\ud800", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_rows_are_those_of_numpy(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sequence, options = CASES[case]
    found: list[Any] = []
    for way in ("1", "0"):
        monkeypatch.setenv("NBINTERP_NATIVE", way)
        try:
            found.append(nb.one_hot_encode(sequence, **options))
        except nb.errors.NbinterpError as error:
            found.append(str(error))
    one, other = found
    assert isinstance(one, torch.Tensor) == isinstance(other, torch.Tensor)
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert one.is_contiguous()
        assert torch.equal(one, other)
    else:
        assert one == other


def test_a_string_is_not_copied() -> None:
    """Neither its letters nor a second form of them, which Python would keep beside the string."""
    before = LONG.__sizeof__()
    nb.one_hot_encode(LONG)
    assert LONG.__sizeof__() == before


def test_every_letter_is_looked_at() -> None:
    """One wrong letter anywhere is seen."""
    table = np.full(256, 255, np.uint8)
    table[[65, 67, 71, 84]] = range(4)
    for i in (*range(70), 2046, 2047, 2048, 4095, 4096, 8999, 9000):
        assert encode_compiled.one_hot_rows(LONG[:i] + "N" + LONG[i + 1 :], table, 4) is None
    assert encode_compiled.one_hot_rows(LONG, table, 4) is not None
