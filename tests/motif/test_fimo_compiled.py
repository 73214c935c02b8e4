"""The compiled search of FIMO against NumPy: whatever the motifs and sequences, the same hits to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.core.native import about_native, native
from nbinterp.motif import fimo, scan_compiled, stream_fimo
from nbinterp.motif.scan_compiled import compiled_scan
from nbinterp.motif.score import score_model

pytestmark = pytest.mark.skipif(native() is None, reason=about_native())

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Dictionaries of one test are not those of the next."""
    scan_compiled._made.cache_clear()
    yield
    scan_compiled._made.cache_clear()


def motifs_of(*widths: int, sharpness: float = 0.3) -> dict[str, np.ndarray]:
    return {f"m{i}": rng.dirichlet([sharpness] * 4, w).T for i, w in enumerate(widths)}


def letters(n: int, length: int, unknown: float = 0.0) -> np.ndarray:
    X = np.eye(4, dtype=np.int8)[rng.integers(0, 4, (n, length))].transpose(0, 2, 1).copy()
    X.transpose(0, 2, 1)[rng.random((n, length)) < unknown] = 0
    return X


def both(*arguments: Any, **options: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    compiled = fimo(*arguments, as_table=True, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBINTERP_NATIVE", "0")
        return compiled, fimo(*arguments, as_table=True, **options)


# to the widest word and its blocks of columns: inside, equal, one more, all blocks, and beyond them
EVERY_WIDTH = motifs_of(*range(1, 31), 45, 80)
CASES: dict[str, tuple[dict[str, np.ndarray], np.ndarray, dict[str, Any]]] = {
    "every width": (EVERY_WIDTH, letters(20, 500), {}),
    "every width, hits common": (EVERY_WIDTH, letters(3, 300), {"threshold": 0.02}),
    "every window a hit": (motifs_of(3, 9, 20), letters(2, 100), {"threshold": 1.0}),
    "unknown bases": (EVERY_WIDTH, letters(10, 300, unknown=0.05), {"threshold": 0.001}),
    "shorter than the motifs": (EVERY_WIDTH, letters(40, 7), {"threshold": 0.01}),
    "one letter": (motifs_of(1, 2), letters(50, 1), {"threshold": 0.5}),
    "flat": (
        {"flat": np.full((4, 12), 0.25), "half": np.full((4, 5), [[0.5], [0.5], [0.0], [0.0]])},
        letters(5, 200),
        {},
    ),
    "one strand": (EVERY_WIDTH, letters(5, 400), {"reverse_complement": False}),
    "rare letters": (EVERY_WIDTH, letters(5, 400), {"background": [0.4, 0.1, 0.2, 0.3], "threshold": 0.001}),
    "single precision": ({k: v.astype(np.float32) for k, v in EVERY_WIDTH.items()}, letters(5, 400), {}),
    "many threads' turns": (EVERY_WIDTH, letters(1, 300_000), {}),
}


@pytest.mark.parametrize("length", [7, 9])
@pytest.mark.parametrize("case", CASES)
def test_the_hits_are_those_of_numpy(case: str, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_compiled, "LENGTHS", (length,))
    motifs, X, options = CASES[case]
    compiled, plain = both(motifs, X, **options)
    pd.testing.assert_frame_equal(compiled, plain, check_exact=True)
    if case not in {"flat", "shorter than the motifs"}:
        assert len(compiled)


def test_a_site_at_every_place_is_found() -> None:
    """Planted consensus of each motif at every place of a short sequence, ends included."""
    motifs = motifs_of(6, 9, 13, 21, sharpness=0.05)
    for name, motif in motifs.items():
        width = motif.shape[1]
        X = letters(60 - width + 1, 60)
        for at in range(len(X)):
            X[at, :, at : at + width] = np.eye(4, dtype=np.int8)[motif.argmax(axis=0)].T
        found = fimo({name: motif}, X, threshold=0.001, as_table=True)
        found = found[found["strand"] == "+"]
        assert set(range(len(X))) <= set(found.loc[found["start"] == found["example_idx"], "example_idx"])


def test_hits_beyond_the_room_for_them_are_handed_over_later(monkeypatch: pytest.MonkeyPatch) -> None:
    motifs, X = motifs_of(4, 8), letters(1, 5000)
    whole = fimo(motifs, X, threshold=0.2, as_table=True)
    monkeypatch.setattr(scan_compiled, "_ROOM", 0)
    monkeypatch.setattr(scan_compiled, "_SHARE", 777)
    pd.testing.assert_frame_equal(fimo(motifs, X, threshold=0.2, as_table=True), whole)
    assert len(whole) > 1000


def test_stretches_do_not_show() -> None:
    motifs, X = motifs_of(5, 12, 30), letters(3, 4000, unknown=0.002)
    whole = fimo(motifs, X, threshold=0.001, as_table=True)
    parts = pd.concat(stream_fimo(motifs, X, threshold=0.001, size=333), ignore_index=True)
    pd.testing.assert_frame_equal(parts, whole)


def test_a_dictionary_too_large_is_made_of_shorter_words_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    motifs, X = motifs_of(9, 12), letters(2, 3000)
    model = score_model(
        list(motifs.values()), bin_size=0.1, eps=1e-4, threshold=0.01, reverse_complement=True, background=(0.25,) * 4
    )
    plain = both(motifs, X, threshold=0.01)[1]
    found, largest = [], scan_compiled._LARGEST
    for _ in range(4):
        scan_compiled._made.cache_clear()
        monkeypatch.setattr(scan_compiled, "_LARGEST", largest)
        made = compiled_scan(model)
        found.append(made.length if made else 0)
        largest = len(made._entries) - 1 if made else 0
        pd.testing.assert_frame_equal(fimo(motifs, X, threshold=0.01, as_table=True), plain)
    assert found == [*scan_compiled.LENGTHS, 0]
