"""Libraries: against loops written out, against SQUID's numbers, their laws, their errors."""

from __future__ import annotations

from itertools import combinations, product
from math import ceil
from typing import Any

import numpy as np
import pytest
import torch

from nbinterp.core.batches import Compact
from nbinterp.errors import NbinterpError
from nbinterp.mechanism.library import Library, library_of
from nbinterp.mechanism.library_combinatorial import combinatorial_library, holds_all, window_numbers
from nbinterp.mechanism.library_draw import below, letters, poisson_counts, replacements
from nbinterp.mechanism.library_global import backgrounds_of, global_library
from nbinterp.mechanism.library_letters import DIPLOID, as_codes, channels_first
from nbinterp.mechanism.library_random import random_library, two_hot_library

REFERENCE = "ACGTTGCATGCCATTAGACA"


def one_hot(sequence: str = REFERENCE) -> np.ndarray:
    """Channels last, as SQUID has it."""
    return np.eye(4, dtype=np.uint8)[["ACGT".index(base) for base in sequence]]


def every_kind() -> list[Library]:
    return [
        random_library(REFERENCE, 30, 0.2, random_state=1),
        random_library(REFERENCE, 30, 0.2, window=(3, 11), counts="exact", random_state=2),
        random_library(REFERENCE, 30, 0.2, stream="squid", random_state=2),
        combinatorial_library(REFERENCE, 2, window=(4, 9)),
        global_library(REFERENCE, 30, (5, 12), rate=0.1, gaps=[(7, 9)], random_state=3),
        global_library(REFERENCE, 30, (5, 12), context="dinucleotide", random_state=3),
        two_hot_library(REFERENCE, 30, 0.2, random_state=4),
        library_of(random_library(REFERENCE, 30, random_state=5).sequences()),
    ]


# ---- laws of all libraries


@pytest.mark.parametrize("library", every_kind(), ids=lambda library: repr(library)[8:22])
def test_a_row_does_not_depend_on_how_the_library_is_cut(library: Library) -> None:
    whole = library.codes
    assert whole.dtype == np.uint8
    assert whole.shape == (len(library), 20)
    chosen = np.array([7, 3, 3, 11])
    np.testing.assert_array_equal(library[4:9].codes, whole[4:9])
    np.testing.assert_array_equal(library[4:20][::3].codes, whole[4:20:3])
    np.testing.assert_array_equal(library[chosen][1:].codes, whole[chosen[1:]])
    np.testing.assert_array_equal(library[whole[:, 8] == 0].codes, whole[whole[:, 8] == 0])
    np.testing.assert_array_equal(library[-1].codes, whole[-1:])
    assert isinstance(library, Compact)
    assert library[:0].codes.shape == (0, 20)
    assert library.shape == tuple(library.to_one_hot().shape)
    torch.testing.assert_close(library.to_one_hot(3, 9), library.to_one_hot()[:, :, 3:9])
    with pytest.raises(IndexError):
        library[len(library)]


@pytest.mark.parametrize("library", every_kind(), ids=lambda library: repr(library)[8:22])
def test_rows_are_the_same_on_another_device(library: Library, second_device: str) -> None:
    torch.testing.assert_close(library.to_codes(second_device).cpu(), library.to_codes())
    there = library.to_one_hot(dtype=torch.float32, device=second_device)
    assert there.device.type == second_device
    torch.testing.assert_close(there.cpu(), library.to_one_hot(dtype=torch.float32))


def test_fingerprints_tell_libraries_apart() -> None:
    made = [library.fingerprint for library in every_kind()]
    assert made == [library.fingerprint for library in every_kind()]
    library = random_library(REFERENCE, 30, 0.2, random_state=1)
    others = [library[1:], library[np.arange(30)[::-1]], random_library(REFERENCE, 30, 0.2, random_state=0)]
    assert len({*made, *(other.fingerprint for other in others)}) == len(made) + len(others)


def test_a_library_knows_its_reference_and_its_distance() -> None:
    library = random_library(REFERENCE, 40, 0.2, random_state=1)
    np.testing.assert_array_equal(library.reference.T, one_hot())
    naive = [sum(a != b for a, b in zip(row, REFERENCE, strict=True)) for row in library.sequences()]
    np.testing.assert_array_equal(library.n_mutations, naive)
    assert library.reference_row == 0
    assert library[1:].reference_row is None


# ---- random libraries


def test_numbers_and_places_of_substitutions_follow_their_distributions() -> None:
    library = random_library("ACGT" * 25, 8000, 0.1, random_state=0)
    counts = library.n_mutations[1:]
    # a Poisson mean of 10 over 7,999 rows has a standard error of 0.035; its variance, of 0.16
    assert abs(counts.mean() - 10) < 0.15
    assert abs(counts.var() - 10) < 0.7
    changed = library.codes[1:] != library.reference_codes
    expected = counts.sum() / 100
    statistic = ((changed.sum(0) - expected) ** 2 / expected).sum()
    assert 50 < statistic < 160  # chi-square of 99 degrees
    shifts = ((library.codes[1:] - library.reference_codes) % 4)[changed]
    np.testing.assert_allclose(np.bincount(shifts, minlength=4)[1:] / len(shifts), 1 / 3, atol=0.01)
    together = np.corrcoef(changed.T.astype(float))[np.triu_indices(100, 1)]
    assert np.abs(together).max() < 0.08  # 5 standard errors of a correlation of independent columns, and some


def test_every_set_of_positions_is_equally_probable() -> None:
    rows = torch.arange(30000)
    chosen = replacements(5, rows, torch.full_like(rows, 2), 5, 3) > 0
    assert bool((chosen.sum(1) == 2).all())
    pairs = (chosen.long() * 2 ** torch.arange(5)).sum(1)
    counts = torch.bincount(pairs)[torch.bincount(pairs) > 0]
    assert len(counts) == 10
    assert counts.min() > 2800
    assert counts.max() < 3200


def test_the_values_of_a_row_are_independent() -> None:
    rows = torch.arange(9000)
    values = replacements(5, rows, torch.full_like(rows, 2), 2, 3)
    pairs = torch.bincount(values[:, 0].long() * 3 + values[:, 1] - 4)
    assert len(pairs) == 9
    assert pairs.min() > 850  # 1000 expected, with a standard deviation of 30
    assert pairs.max() < 1150


def test_draws_are_uniform_and_bounded() -> None:
    assert below(torch.tensor([0, 2**32 - 1]), 7).tolist() == [0, 6]
    drawn = letters(3, torch.arange(4000), 37)
    np.testing.assert_allclose(np.bincount(drawn.numpy().ravel()) / drawn.numel(), 0.25, atol=0.006)
    assert drawn[:, 0].unique().numel() == drawn[:, 36].unique().numel() == 4
    counts = poisson_counts(1, torch.arange(5000), 30.0, 12)
    assert counts.max() == 12
    assert poisson_counts(1, torch.arange(50), 0.0, 12).max() == 0


@pytest.mark.parametrize(("rate", "mean"), [(0.0, 0), (0.1, 2), (0.11, 3), (1.0, 20)])
def test_exact_counts(rate: float, mean: int) -> None:
    library = random_library(REFERENCE, 12, rate, counts="exact", random_state=0)
    assert library.n_mutations.tolist() == [0, *[mean] * 11]
    assert ceil(rate * 20) == mean


def test_nothing_changes_outside_the_window() -> None:
    library = random_library(REFERENCE, 50, 0.5, window=(6, 10), random_state=0)
    changed = (library.codes != library.reference_codes).any(0)
    assert np.flatnonzero(changed).tolist() == [6, 7, 8, 9]


def test_seeds_matter_and_zero_is_one() -> None:
    first, again, other = (random_library(REFERENCE, 20, random_state=seed).codes for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_first_rows_of_a_larger_library_are_the_smaller() -> None:
    np.testing.assert_array_equal(random_library(REFERENCE, 9).codes, random_library(REFERENCE, 90).codes[:9])


def squid_rows(x: np.ndarray, rate: float, n: int, seed: int) -> np.ndarray:
    """The order of SQUID's calls, written out."""
    np.random.seed(seed)
    length, reference = len(x), x.argmax(1)
    counts = np.clip(np.random.poisson(int(np.ceil(rate * length)), (n, 1))[:, 0], 0, length)
    rows = [reference]
    for count in counts[1:]:
        at = np.random.choice(range(length), count, replace=False)
        by = np.random.choice(range(1, 4), len(at))
        row = reference.copy()
        row[at] += by
        rows.append(row % 4)
    return np.eye(4, dtype=np.uint8)[np.array(rows)]


@pytest.mark.parametrize("seed", [0, 7])
def test_squids_stream_gives_squids_rows(seed: int) -> None:
    """Parity checklist 1."""
    ours = random_library(one_hot(), 60, 0.3, random_state=seed, stream="squid").to_one_hot().numpy()
    np.testing.assert_array_equal(ours.transpose(0, 2, 1), squid_rows(one_hot(), 0.3, 60, seed))


@pytest.mark.parity
def test_rows_equal_squids_own() -> None:
    """Parity checklist 1 and 2."""
    theirs = pytest.importorskip("squid.mutagenizer")
    x = one_hot()
    for ours, made in [
        (random_library(x, 50, 0.2, random_state=3, stream="squid"), theirs.RandomMutagenesis(0.2, seed=3)(x, 50)),
        (two_hot_library(x, 50, 0.2, random_state=3, stream="squid"), theirs.TwoHotMutagenesis(0.2, seed=3)(2 * x, 50)),
        (combinatorial_library(x, 3, window=(2, 9)), theirs.CombinatorialMutagenesis(3, mut_window=[2, 8])(x, None)),
        (combinatorial_library(x, window=(2, 7)), theirs.CombinatorialMutagenesis(-1, mut_window=[2, 6])(x, None)),
    ]:
        np.testing.assert_array_equal(ours.to_one_hot().numpy().transpose(0, 2, 1), made)


# ---- diploid libraries


def test_two_hot_columns_count_two_copies() -> None:
    library = two_hot_library("ACRYSWKMGT", 300, 0.3, random_state=1)
    X = library.to_one_hot()
    assert bool((X.sum(1) == 2).all())
    assert library.sequences()[0] == "ACRYSWKMGT"
    assert library.n_mutations.max() > 3
    assert sorted(np.unique(library.codes)) == list(range(10))
    np.testing.assert_array_equal(as_codes("test", "X", X, DIPLOID), library.codes)
    exact = two_hot_library("A" * 500, 200, 0.1, counts="exact", random_state=0).n_mutations[1:]
    assert exact.max() <= 51  # one more than the rate says, of which a tenth puts the same symbol in
    assert abs(exact.mean() - 0.9 * 51) < 1
    drawn = two_hot_library("A" * 500, 2000, 0.01, random_state=0).n_mutations[1:]
    assert abs(drawn.mean() - 0.9 * 6) < 0.2


# ---- combinatorial libraries


def naive_combinations(reference: str, order: int, start: int, end: int) -> list[str]:
    rows = [reference]
    for r in range(1, order + 1):
        for positions in combinations(range(start, end), r):
            for bases in product(*("ACGT".replace(reference[p], "") for p in positions)):
                row = list(reference)
                for p, base in zip(positions, bases, strict=True):
                    row[p] = base
                rows.append("".join(row))
    return rows


@pytest.mark.parametrize(("order", "window"), [(0, (0, 20)), (1, (0, 20)), (2, (0, 20)), (3, (4, 12)), (-1, (5, 10))])
def test_all_variants_in_squids_order(order: int, window: tuple[int, int]) -> None:
    """Parity checklist 2."""
    library = combinatorial_library(REFERENCE, order, window=window)
    naive = naive_combinations(REFERENCE, order if order >= 0 else window[1] - window[0], *window)
    assert library.sequences() == naive
    scattered = np.random.RandomState(0).permutation(len(naive))[:50]
    assert library[scattered].sequences() == [naive[i] for i in scattered]


def test_a_library_of_many_rows_is_made_where_it_is_looked_at() -> None:
    library = combinatorial_library("ACGT" * 60, 4)
    assert len(library) > 10**10
    last = library[len(library) - 1]
    assert last.n_mutations.tolist() == [4]
    assert last.sequences()[0].endswith("TTTG")  # the last other base of each of the last four positions, ACGT
    assert library[10**10 : 10**10 + 3].n_mutations.tolist() == [4, 4, 4]


def test_whether_a_library_holds_every_sequence_of_its_window() -> None:
    library = combinatorial_library(REFERENCE, window=(5, 9))
    assert holds_all(library)
    assert sorted(window_numbers(library)) == list(range(256))
    assert holds_all(library_of(library[np.random.RandomState(0).permutation(256)].sequences(), window=(5, 9)))
    assert not holds_all(library[1:])
    assert not holds_all(library[np.r_[0, 0:255]])
    assert not holds_all(combinatorial_library(REFERENCE, 3, window=(5, 9)))
    assert not holds_all(library_of(["A", "C", "G", "N"]))


# ---- global libraries


@pytest.mark.parametrize("context", ["random", "dinucleotide"])
def test_the_motif_stays_and_the_rest_is_drawn(context: str) -> None:
    """Parity checklist 3."""
    reference = "ACGTTGCATGCCATTAGACA" * 3
    library = global_library(reference, 400, (20, 30), gaps=[(23, 26)], context=context, random_state=1)
    held = np.r_[20:23, 26:30]
    codes = library.codes
    assert (codes[:, held] == library.reference_codes[held]).all()
    drawn = np.setdiff1d(np.arange(1, 59), held)  # a dinucleotide shuffle keeps both ends
    assert all(len(np.unique(codes[:, p])) == 4 for p in drawn)
    contexts = backgrounds_of(library).codes
    np.testing.assert_array_equal(contexts[:, drawn], codes[:, drawn])
    assert (contexts[:, 20] != library.reference_codes[20]).any()
    if context == "dinucleotide":
        assert all(pairs(row) == pairs(library.reference_codes) for row in contexts[:20])


def pairs(codes: np.ndarray) -> list[int]:
    return np.bincount(codes[:-1].astype(int) * 4 + codes[1:], minlength=16).tolist()


def test_the_motif_may_be_mutated_too() -> None:
    library = global_library(REFERENCE, 3000, (5, 15), rate=0.2, random_state=0)
    changed = (library.codes != library.reference_codes)[:, 5:15]
    assert not changed[0].any()
    assert abs(changed[1:].sum(1).mean() - 2) < 0.15


# ---- sequences that exist, borders and errors


def test_sequences_that_exist_in_every_form() -> None:
    rows = [REFERENCE, REFERENCE.replace("A", "C"), REFERENCE.replace("T", "N")]
    X = torch.from_numpy(np.stack([as_codes("test", "X", row) for row in rows]))
    first = (X[:, None] == torch.arange(4)[:, None]).to(torch.int8)
    for form in (rows, first, first.numpy(), first.transpose(1, 2), first.double()):
        assert library_of(form, reference=1).sequences() == rows
    assert library_of(rows).n_mutations.tolist()[0] == 0
    outside = library_of(rows, reference="A" * 20)
    assert outside.reference_row is None
    assert outside.n_mutations.tolist() == [20 - row.count("A") for row in rows]
    assert library_of(first[:1]).shape == (1, 4, 20)


def test_channels_last_is_turned_round() -> None:
    assert channels_first("test", "X", np.zeros((2, 9, 4))).shape == (2, 4, 9)
    assert channels_first("test", "X", torch.zeros(4, 4)).shape == (4, 4)
    from_last, from_first = random_library(one_hot(), 5), random_library(one_hot().T, 5)
    assert from_last.sequences() == from_first.sequences()


def test_a_library_of_one() -> None:
    for library in (random_library(REFERENCE, 1), combinatorial_library(REFERENCE, 0), library_of([REFERENCE])):
        assert library.sequences() == [REFERENCE]
        assert library.reference_row == 0
    assert global_library(REFERENCE, 1, (3, 9)).sequences()[0][3:9] == REFERENCE[3:9]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: random_library(REFERENCE, 0), r"random_library\(n\): got 0; need an integer of at least 1"),
        (lambda: random_library(REFERENCE, 5, 1.5), r"random_library\(rate\): got 1.5; need a number from 0 to 1"),
        (lambda: random_library(REFERENCE, 5, window=(8, 30)), r"window\): got \[8, 30\); need 0 <= start < end <= 20"),
        (lambda: random_library(REFERENCE, 5, counts="exacts"), r"counts\): got 'exacts' \(did you mean 'exact'\?\)"),
        (lambda: random_library(REFERENCE, 5, stream="numpy"), r"stream\): got 'numpy'; need one of 'row', 'squid'"),
        (lambda: random_library("ACNT", 5), r"reference\): got an unknown base at position 2; need known bases"),
        (lambda: random_library("ACXT", 5), "got 'X' at position 2"),
        (lambda: random_library(np.zeros((5, 3)), 5), r"got shape \(5, 3\); need"),
        (lambda: random_library(one_hot().T * 0.5, 5), r"reference\): got columns of other sums or entries"),
        (lambda: random_library([REFERENCE] * 2, 5), r"reference\): got shape \(2, 20\); need one sequence"),
        (lambda: combinatorial_library(REFERENCE, 21), r"max_order\): got 21; need -1, or 0 to 20"),
        (lambda: combinatorial_library("ACGT" * 60), r"max_order\): got .* rows; need fewer than 2\*\*62"),
        (lambda: combinatorial_library("ANG"), "got an unknown base in the window"),
        (lambda: global_library(REFERENCE, 5, (3, 9), context="shuffled"), r"context\): got 'shuffled'"),
        (lambda: global_library("ANGTC", 5, (2, 4), context="dinucleotide"), r"reference\): got an unknown base"),
        (lambda: backgrounds_of(random_library(REFERENCE, 5)), r"library\): got a random library; need one made by"),
        (lambda: library_of(["ACG", "AC"]), "got sequences of several lengths"),
        (lambda: library_of(["ACG"], reference="AC"), r"reference\): got 2 positions; need the 3 of X"),
        (lambda: library_of(["ACG"], reference=3), r"reference\): got 3; need a row of 1"),
        (lambda: library_of(["ACG", "ACT"], window=(0, 2)), r"window\): got another base at position 2 of row 1"),
    ],
)
def test_errors_say_what_to_do(make: Any, message: str) -> None:
    with pytest.raises(NbinterpError, match=message):
        make()
