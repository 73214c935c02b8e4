"""Sums by cluster, the summary matrix, the order of clusters and their logos: against naive loops and SEAM's formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from nbinterp.errors import NbinterpError
from nbinterp.mechanism.summary import (
    background_entropy,
    cluster_order,
    cluster_statistics,
    entropy_matrix,
    summary_matrix,
)
from nbinterp.mechanism.summary_logos import cluster_logos, difference_logo
from nbinterp.mechanism.summary_sums import FineSums, fine_sums, nested

N, L, K = 300, 12, 7


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Maps, codes, labels (two missing numbers, one cluster of one) and activities."""
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 3, 4, 8, 9], size=N)
    labels[17] = 11
    return rng.normal(size=(N, 4, L)).astype(np.float32), rng.integers(0, 4, (N, L)), labels, rng.normal(size=N)


def one_hot(codes: np.ndarray) -> np.ndarray:
    return np.eye(5, dtype=np.int8)[codes][..., :4].transpose(0, 2, 1)


def assert_same(a: FineSums, b: FineSums) -> None:
    for name in ("labels", "n", "letters", "y_counts", "y_edges"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for name in ("maps", "squares", "y", "y_squares"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=1e-10)


def test_sums_equal_a_naive_loop(rows: tuple) -> None:
    maps, codes, labels, y = rows
    sums = fine_sums(maps, codes, labels, y)
    assert sums.labels.tolist() == [0, 1, 3, 4, 8, 9, 11]
    for place, label in enumerate(sums.labels):
        own = labels == label
        assert sums.n[place] == own.sum()
        np.testing.assert_allclose(sums.maps[place], maps[own].astype(float).sum(0), atol=1e-10)
        np.testing.assert_allclose(sums.squares[place], (maps[own].astype(float) ** 2).sum(0), atol=1e-10)
        np.testing.assert_allclose(sums.means[place], maps[own].astype(float).mean(0), atol=1e-12)
        np.testing.assert_array_equal(sums.letters[place], one_hot(codes[own]).sum(0))
        assert sums.y[place] == pytest.approx(y[own].sum())
        np.testing.assert_array_equal(sums.y_counts[place], np.histogram(y[own], sums.y_edges)[0])
        if own.sum() > 1:
            np.testing.assert_allclose(sums.variances[place], maps[own].astype(float).var(0, ddof=1), atol=1e-10)
    assert np.isnan(sums.standard_errors[-1]).all()  # a cluster of one


def test_sums_depend_on_neither_batches_nor_layout_nor_container(rows: tuple, tmp_path) -> None:
    maps, codes, labels, y = rows
    expected = fine_sums(maps, codes, labels, y)
    for size in (1, 7, 1000):
        assert_same(fine_sums(maps, codes, labels, y, batch_size=size), expected)
    np.save(tmp_path / "maps.npy", maps.transpose(0, 2, 1))
    stored = np.load(tmp_path / "maps.npy", mmap_mode="r")  # channels last, memory-mapped
    assert_same(fine_sums(stored, one_hot(codes), torch.from_numpy(labels), y[:, None]), expected)
    strings = ["".join("ACGT"[c] for c in row) for row in codes]
    assert_same(fine_sums(torch.from_numpy(maps), strings, labels, torch.from_numpy(y)), expected)
    assert not expected.maps.flags.writeable


def test_a_window_counts_the_letters_under_it(rows: tuple) -> None:
    maps, codes, labels, _ = rows
    whole, part = fine_sums(maps, codes, labels), fine_sums(maps[:, :, 3:9], codes, labels, start=3)
    np.testing.assert_array_equal(part.letters, whole.letters[:, :, 3:9])
    assert (part.start, part.end) == (3, 9)
    assert (part.union().start, part.select([3]).end) == (3, 9)
    pd.testing.assert_frame_equal(
        entropy_matrix(part), entropy_matrix(whole).loc[:, 3:8], check_column_type=False, check_index_type=False
    )


def test_a_library_goes_in_as_it_is() -> None:
    from nbinterp.mechanism.library_random import random_library

    library = random_library("ACGTACGTACGT", 50, rate=0.2, random_state=1)
    maps, labels = np.zeros((50, 4, 12), np.float32), np.arange(50) % 3
    assert_same_letters = fine_sums(maps, library, labels).letters
    np.testing.assert_array_equal(assert_same_letters, fine_sums(maps, library.codes, labels).letters)


def test_unions_add_up(rows: tuple) -> None:
    """A cut, a union and a selection of fine sums equal those made from the rows."""
    maps, codes, labels, y = rows
    fine = fine_sums(maps, codes, labels, y)
    coarse = np.select([labels < 2, labels < 9], [5, 2], 9)
    assert_same(fine.merge(nested(labels, coarse)), fine_sums(maps, codes, coarse, y))
    assert_same(fine.union(), fine_sums(maps, codes, np.zeros(N, int), y))
    own = np.isin(labels, [3, 9])
    edges = fine.y_edges
    chosen = fine.select([3, 9])
    assert chosen.labels.tolist() == [3, 9]
    np.testing.assert_allclose(chosen.union().means[0], maps[own].astype(float).mean(0), atol=1e-12)
    np.testing.assert_array_equal(chosen.union().y_counts[0], np.histogram(y[own], edges)[0])


def test_noise_is_in_no_sum(rows: tuple) -> None:
    maps, codes, labels, y = rows
    noisy = np.where(labels == 8, -1, labels)
    maps = maps.copy()
    maps[labels == 8] = np.nan  # not even looked at
    sums = fine_sums(maps, codes, noisy, y, batch_size=16)
    assert 8 not in sums.labels
    assert sums.n.sum() == (labels != 8).sum()


def test_a_second_device_agrees_with_the_cpu(rows: tuple, second_device: str) -> None:
    maps, codes, labels, y = rows
    expected = fine_sums(maps, codes, labels, y, device="cpu")
    assert_same(fine_sums(maps, codes, labels, y, device=second_device), expected)
    there = torch.from_numpy(maps).to(second_device)
    assert_same(fine_sums(there, codes, labels, y, batch_size=64), expected)
    noisy = np.where(labels == 4, -1, labels)
    assert_same(fine_sums(there, codes, noisy, y), fine_sums(maps, codes, noisy, y))


def naive_msm(codes: np.ndarray, labels: np.ndarray, reference: np.ndarray) -> list[list[float]]:
    """SEAM's formulas, a cluster and a position at a time."""
    made = []
    for k in np.unique(labels):
        for l in range(codes.shape[1]):
            counts = np.array([(codes[labels == k, l] == b).sum() for b in range(4)])
            n = counts.sum()
            p = counts / n
            entropy = -(p * np.log2(p + 1e-10)).sum()
            made.append([k, l, 100 - 100 * counts[reference[l]] / n, 100 * counts.max() / n, entropy])
    return made


@pytest.mark.parity
def test_parity_7_summary_matrix(rows: tuple) -> None:
    maps, codes, labels, _ = rows
    reference = codes[0]
    table = summary_matrix(fine_sums(maps, codes, labels), reference)
    assert list(table.columns) == ["Cluster", "Position", "Reference", "Consensus", "Entropy"]
    np.testing.assert_allclose(table.to_numpy(float), naive_msm(codes, labels, reference), rtol=0, atol=1e-12)
    single = table[table["Cluster"] == 11]  # one sequence: the 1e-10 in the logarithm shows
    np.testing.assert_allclose(single["Entropy"], -np.log2(1 + 1e-10), rtol=1e-6)


def test_the_matrix_reads_any_reference_and_window(rows: tuple) -> None:
    maps, codes, labels, _ = rows
    reference = codes[0].astype(np.uint8)
    whole = summary_matrix(fine_sums(maps, codes, labels), reference)
    part = fine_sums(maps[:, :, 3:9], codes, labels, start=3)
    expected = whole[whole["Position"].between(3, 8)].reset_index(drop=True)
    text = "".join("ACGT"[c] for c in reference)
    for given in (text, text[3:9], one_hot(codes[:1])[0], torch.from_numpy(one_hot(codes[:1])[0]), reference[3:9]):
        pd.testing.assert_frame_equal(summary_matrix(part, given), expected)
    assert "Reference" not in summary_matrix(part)


def test_unknown_bases_are_no_letter() -> None:
    sums = fine_sums(np.zeros((4, 4, 2)), np.array([[0, 4], [0, 4], [1, 4], [4, 4]]), [0] * 4)
    assert sums.letters[0].tolist() == [[2, 0], [1, 0], [0, 0], [0, 0]]
    table = summary_matrix(sums, "AN")
    p = np.array([2 / 3, 1 / 3])
    assert table["Entropy"].to_numpy() == pytest.approx([-(p * np.log2(p)).sum(), 0], abs=1e-9)
    assert table["Reference"].tolist() == [50.0, 100.0]


def test_delta_entropy_is_zero_where_mutation_is_free() -> None:
    assert background_entropy(0.1) == pytest.approx(-0.9 * np.log2(0.9) - 0.1 * np.log2(0.1 / 3))
    assert background_entropy(0) == 0
    codes = np.array([[0]] * 90 + [[1]] * 4 + [[2]] * 3 + [[3]] * 3)
    delta = entropy_matrix(fine_sums(np.zeros((100, 4, 1)), codes, [0] * 100), rate=0.1)
    assert abs(delta.iloc[0, 0]) < 0.01


@pytest.mark.parity
def test_parity_9_median_order(rows: tuple) -> None:
    *_, labels, y = rows
    table = cluster_statistics(labels, y)
    medians = [np.median(y[labels == k]) for k in np.unique(labels)]
    np.testing.assert_array_equal(cluster_order(table), np.unique(labels)[np.argsort(medians)])
    np.testing.assert_allclose(table["median"], medians)
    np.testing.assert_array_equal(table.sort_values("rank").index, cluster_order(table))
    assert table.index[table["reference"]].tolist() == [labels[0]]
    assert table["n"].sum() == N
    np.testing.assert_allclose(
        table["iqr"], [np.subtract(*np.quantile(y[labels == k], [0.75, 0.25])) for k in table.index]
    )


def test_equal_medians_stay_in_order_of_label() -> None:
    assert cluster_order(cluster_statistics([2, 0, 1], [1.0, 1.0, 0.0])).tolist() == [1, 0, 2]


def test_other_orders(rows: tuple) -> None:
    maps, codes, labels, y = rows
    sums = fine_sums(maps, codes, labels)
    by_size = cluster_order(sums, "size")
    np.testing.assert_array_equal(by_size, cluster_order(cluster_statistics(labels, y, reference_row=None), "size"))
    assert (np.diff([(labels == k).sum() for k in by_size]) <= 0).all()
    codes = np.concatenate([np.zeros((40, 6), int), np.random.default_rng(0).integers(0, 4, (40, 6))])
    four = fine_sums(np.zeros((80, 4, 6)), codes, np.repeat([0, 2, 1, 3], 20))
    order = cluster_order(four, "entropy").tolist()
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset([0, 2]), frozenset([1, 3])}


@pytest.mark.parity
def test_parity_13_logos(rows: tuple) -> None:
    maps, codes, labels, _ = rows
    sums = fine_sums(maps, codes, labels)
    every = one_hot(codes).sum(0)
    for place, k in enumerate(sums.labels):
        counts = one_hot(codes[labels == k]).sum(0)
        n = counts.sum(0)
        ppm = (counts + 0.5) / (n + 2) + 1e-6
        np.testing.assert_allclose(
            cluster_logos(sums, "pwm")[place], ppm * (ppm * np.log2(ppm / 0.25)).sum(0), atol=1e-12
        )
        # SEAM divides raw counts; frequencies differ from that by one number
        seam = np.log2((counts + 0.5) / (every + 0.5))
        ours = cluster_logos(sums, "enrichment")[place]
        np.testing.assert_allclose(ours - seam, np.log2((N + 2) / (n + 2)) * np.ones((4, 1)), atol=1e-12)
        np.testing.assert_allclose(cluster_logos(sums)[place], maps[labels == k].astype(float).mean(0), atol=1e-12)
    centred = cluster_logos(sums, centre=True)
    np.testing.assert_allclose(centred, sums.means - sums.means.mean(1, keepdims=True))
    np.testing.assert_allclose(
        cluster_logos(sums.select(3), "enrichment", library=sums), cluster_logos(sums, "enrichment")[2:3]
    )


def test_a_difference_logo_is_welchs(rows: tuple) -> None:
    from scipy.stats import ttest_ind

    maps, codes, labels, _ = rows
    sums = fine_sums(maps, codes, labels)
    difference, error = difference_logo(sums, [0, 3], 4)
    expected = ttest_ind(maps[np.isin(labels, [0, 3])].astype(float), maps[labels == 4].astype(float), equal_var=False)
    np.testing.assert_allclose(difference / error, expected.statistic, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"maps": np.zeros((3, 5, 7))}, r"\(maps\): got shape \(3, 5, 7\); need \(N, 4, W\)"),
        ({"maps": np.full((3, 4, 2), np.nan)}, r"\(maps\): got NaN or infinite values in row 0"),
        ({"labels": [0, 1]}, r"\(labels\): got int64 of shape \(2,\); need 3 integers"),
        ({"labels": [0.0, 1.0, 1.0]}, r"\(labels\): got float64"),
        ({"labels": [-1, -1, -1]}, r"\(labels\): got only -1"),
        ({"X": ["AC", "AC"]}, r"\(X\): got 2 sequences for 3 maps"),
        ({"start": 1}, r"\(start\): got maps of \[1, 3\); need a window of the 2 bases"),
        ({"y": [1.0, 2.0]}, r"\(y\): got shape \(2,\); need 3 numbers"),
        ({"y": [1.0, np.inf, 2.0]}, r"\(y\): got inf in row 1"),
    ],
)
def test_bad_arguments(change: dict, message: str) -> None:
    arguments = {"maps": np.zeros((3, 4, 2)), "X": ["AC"] * 3, "labels": [0, 0, 1], **change}
    with pytest.raises(NbinterpError, match="fine_sums" + message):
        fine_sums(**arguments)


def test_a_nan_map_is_named_in_any_batch() -> None:
    maps = np.zeros((9, 4, 2))
    maps[7, 2, 1] = np.inf
    with pytest.raises(NbinterpError, match="in row 7"):
        fine_sums(maps, ["AC"] * 9, [-1] + [0] * 8, batch_size=4)


def test_one_sequence_and_identical_maps() -> None:
    sums = fine_sums(np.ones((1, 4, 2)), ["AC"], [0], [1.0])
    assert sums.means.tolist() == np.ones((1, 4, 2)).tolist()
    assert fine_sums(np.ones((5, 4, 2)), ["AC"] * 5, [0] * 5, [1.0] * 5).variances.max() == 0


def test_other_bad_arguments() -> None:
    sums = fine_sums(np.zeros((3, 4, 2)), ["AC"] * 3, [0, 0, 1])
    for call, message in [
        (lambda: sums.select([0, 7]), r"FineSums.select\(labels\): got \[7\]"),
        (lambda: sums.merge([0]), r"FineSums.merge\(groups\): got int64 of shape \(1,\); need 2 integers"),
        (lambda: sums.merge([-1, -1]), r"FineSums.merge\(groups\): got only -1"),
        (lambda: nested([0, 1], [0]), r"nested\(coarse\): got shape \(1,\) for \(2,\)"),
        (lambda: summary_matrix(sums, "A"), r"summary_matrix\(reference\): got shape \(1,\); need one sequence"),
        (lambda: background_entropy(1.5), r"background_entropy\(rate\): got 1.5"),
        (
            lambda: cluster_statistics([0, 0], [1.0, 2.0], reference_row=2),
            r"\(reference_row\): got 2; need a row of the 2",
        ),
        (lambda: cluster_order(sums, "median"), r"cluster_order\(by\): got 'median'"),
        (lambda: cluster_logos(sums, "averge"), r"cluster_logos\(kind\): got 'averge' \(did you mean 'average'\?\)"),
    ]:
        with pytest.raises(NbinterpError, match=message):
            call()
