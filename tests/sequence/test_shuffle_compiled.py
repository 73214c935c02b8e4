"""The compiled loops of dinucleotide shuffles against NumPy: whatever the sequences, the same letters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import nbinterp as nb
from nbinterp.core.native import about_native, native
from nbinterp.sequence import shuffle_compiled

pytestmark = pytest.mark.skipif(native() is None, reason=about_native())

rng = np.random.default_rng(0)


def one_hot(codes: np.ndarray, letters: int = 4) -> torch.Tensor:
    """Codes of `letters` and more are unknown."""
    return torch.from_numpy((codes[:, None] == np.arange(letters)[:, None]).astype(np.int8))


def codes(n: int, length: int, letters: int = 4) -> np.ndarray:
    return rng.integers(0, letters, (n, length))


CASES: dict[str, torch.Tensor] = {
    **{f"{length} letters": one_hot(codes(3, length)) for length in (1, 2, 3, 4, 5, 31, 400)},
    "no sequence": torch.zeros((0, 4, 30), dtype=torch.int8),
    "many, which walk together in eights": one_hot(codes(9, 40)),
    "lists of powers of two, and one more": one_hot(np.repeat(np.arange(4), [17, 16, 15, 33])[None]),
    "unknown": one_hot(codes(4, 60, 6)),
    "nothing but unknown": torch.zeros((1, 4, 12), dtype=torch.int8),
    "one letter": one_hot(np.zeros((2, 12), np.int64)),
    "twenty letters": one_hot(codes(3, 500, 21), 20),
    "255 letters": one_hot(codes(2, 900, 255), 255),
    "every second position": one_hot(codes(3, 80))[:, :, ::2],
    "rows apart": one_hot(codes(6, 50))[::2],
    "float32": one_hot(codes(3, 50)).float(),
    "bfloat16": one_hot(codes(3, 50)).bfloat16(),
    "bool": one_hot(codes(3, 50)).bool(),
}


@pytest.mark.parametrize("method", ["tangermeme", "uniform"])
@pytest.mark.parametrize("span", [(0, -1), (3, -4), (2, 1)], ids=str)
@pytest.mark.parametrize("n", [1, 2, 9])
@pytest.mark.parametrize("case", CASES)
def test_the_letters_are_those_of_numpy(
    case: str, n: int, span: tuple[int, int], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    for way in ("1", "0"):
        monkeypatch.setenv("NBINTERP_NATIVE", way)
        try:
            found.append(nb.dinucleotide_shuffle(CASES[case], *span, n, random_state=7, allow_N=True, method=method))
        except nb.errors.NbinterpError as error:
            found.append(str(error))
    one, other = found
    assert isinstance(one, torch.Tensor) == isinstance(other, torch.Tensor)
    if isinstance(one, torch.Tensor):
        assert one.dtype == CASES[case].dtype
        assert torch.equal(one, other)
    else:
        assert one == other


@pytest.mark.parametrize("most", [1, 3, 100])
def test_words_that_run_out_are_followed_by_more(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X = one_hot(codes(2, 300))
    whole = nb.dinucleotide_shuffle(X, n=11, random_state=3)
    monkeypatch.setattr(shuffle_compiled, "_WORDS", 0.01)
    monkeypatch.setattr(shuffle_compiled, "_MOST", most)
    assert torch.equal(nb.dinucleotide_shuffle(X, n=11, random_state=3), whole)


def test_the_words_are_those_of_numpys_own_shuffle() -> None:
    successors, counts = codes(1, 700)[0].astype(np.uint8), np.array([0, 1, 2, 513, 184])
    ends = np.cumsum(counts)
    out = np.empty((5, 700), np.uint8)
    rng_ours, rng_numpy = np.random.RandomState(5), np.random.RandomState(5)
    shuffle_compiled.permute_keeping_last(successors, ends - counts, counts, 0, rng_ours, out)
    expected = successors.copy()
    for row in out:
        for start, end in zip(ends - counts, ends, strict=True):
            rng_numpy.shuffle(expected[start : max(end - 1, start)])
        assert np.array_equal(row, expected)


@pytest.mark.usefixtures("loops")
def test_local_shuffles_keep_their_stream() -> None:
    X = one_hot(np.random.RandomState(0).randint(0, 4, (1, 60)))
    found = nb.local_dinucleotide_shuffle(X, n=1, bin_size=30, min_bin_size=20, random_state=1)
    assert nb.characters(found[0, 0]) == "ATTCGATGTCTTCAATTTGAAGCGACGTACACCCCTTAGTCTATTGTCCATACCTATGAT"  # tangermeme's
