"""Pairs and spacings against chance: exact enumeration, simulated shuffles, laws."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nbinterp.annotation import count_annotations, pair_enrichment, pairwise_annotations, spacing_enrichment
from nbinterp.annotation.enrichment import spacing_grid
from nbinterp.errors import NbinterpError


def table(n: int = 60, k: int = 5, seed: int = 0, length: int = 120) -> pd.DataFrame:
    """Annotations anywhere, that may overlap, some with no strand-mate."""
    rng = np.random.default_rng(seed)
    per = rng.poisson(3, n)
    example = np.repeat(np.arange(n), per)
    start, width = rng.integers(0, length - 20, len(example)), rng.integers(4, 14, len(example))
    return pd.DataFrame(
        {"example_idx": example, "start": start, "end": start + width, "name": [f"m{i}" for i in rng.integers(0, k, len(example))],
         "strand": np.array(["+", "-"])[rng.integers(0, 2, len(example))]}
    )  # fmt: skip


def shared_by_chance(k: int, n: int, a: int, b: int) -> float:
    """Twice the tail of Fisher's exact test, in whole numbers."""
    lowest, highest = max(0, a + b - n), min(a, b)
    tail = range(k, highest + 1) if k * n >= a * b else range(lowest, k + 1)
    return float(min(1, 2 * sum(Fraction(comb(a, i) * comb(n - a, b - i), comb(n, b)) for i in tail)))


def test_pairs_equal_fishers_test_in_whole_numbers() -> None:
    frame, n = table(), 70
    names = sorted(set(frame["name"]))
    found = pair_enrichment(frame, n, self_pairs=False)
    there = count_annotations(frame, shape=(n, len(names))) > 0
    both = pairwise_annotations(frame, as_table=True)
    assert len(found) == 10
    for row in found.itertuples():
        a, b = (int(there[:, names.index(one)].sum()) for one in (row.row, row.column))
        assert row.observed == both.loc[row.row, row.column]
        assert row.expected == pytest.approx(a * b / n)
        p = found.loc[row.Index, "p-value"]
        assert p == pytest.approx(shared_by_chance(row.observed, n, a, b), rel=1e-11)
        assert row.log2_ratio == pytest.approx(np.log2((row.observed + 0.5) / (a * b / n + 0.5)))
    assert found["p-value"].is_monotonic_increasing


@pytest.mark.parametrize(("a", "b", "n"), [(1, 1, 1), (0, 3, 5), (5, 5, 5), (3, 4, 9), (40, 50, 60), (200, 300, 8000)])
def test_every_shared_number_has_the_exact_tail(a: int, b: int, n: int) -> None:
    lowest, highest = max(0, a + b - n), min(a, b)
    for k in sorted({lowest, highest, (lowest + highest) // 2, a * b // n, min(highest, a * b // n + 30)}):
        one, other = np.arange(a), np.r_[np.arange(k), np.arange(a, a + b - k)]
        found = pair_enrichment(([*one, *other], [*[0] * a, *[1] * b]), n, names=["x", "y"], self_pairs=False).iloc[0]
        assert found["observed"] == k
        assert found["p-value"] == pytest.approx(shared_by_chance(k, n, a, b), rel=1e-8)


def test_twice_in_an_example_is_expected_as_often_as_instances_fall_so() -> None:
    """Every way in which three instances fall into four examples."""
    ways = [max(np.bincount(one, minlength=4)) > 1 for one in itertools.product(range(4), repeat=3)]
    found = pair_enrichment(([0, 0, 3], [0, 0, 0]), 4)
    assert found["expected"].iloc[0] == pytest.approx(np.mean(ways))  # never more than one such example
    assert found["observed"].iloc[0] == 1
    chance = np.mean(ways) / 4
    tail = sum(comb(4, i) * chance**i * (1 - chance) ** (4 - i) for i in (1, 2, 3, 4))
    assert found["p-value"].iloc[0] == pytest.approx(min(1, 2 * tail))
    rng = np.random.default_rng(0)
    falls = [int((np.bincount(rng.integers(0, 50, 40)) > 1).sum()) for _ in range(4000)]
    found = pair_enrichment((list(range(40)), [0] * 40), 50)
    assert found["expected"].iloc[0] == pytest.approx(np.mean(falls), rel=0.02)
    assert found["p-value"].iloc[0] == pytest.approx(2 * (1 - found["expected"].iloc[0] / 50) ** 50)  # none was seen


def test_pairs_by_chance_are_seldom_called_and_planted_ones_always() -> None:
    rng = np.random.default_rng(3)
    example, kind = np.nonzero(rng.random((400, 20)) < 0.2)
    found = pair_enrichment(([*example, *range(30)], [*kind, *[20] * 30]), 400, names=[f"m{i}" for i in range(21)])
    apart = found[found["row"] != found["column"]]
    assert (apart["p-value"] < 0.05).mean() < 0.07
    assert not (apart["q-value"] < 0.05).any()
    together = pair_enrichment(([*range(30), *range(30), *example], [*[20] * 30, *[21] * 30, *kind]), 400)
    assert together.loc[0, ["row", "column"]].tolist() == [20, 21]
    assert together["q-value"].iloc[0] < 1e-30


def test_pairs_do_not_depend_on_rows_order_of_names_or_copies() -> None:
    frame = table()
    one = pair_enrichment(frame, 70)
    other = pair_enrichment(frame.sample(frac=1, random_state=1), 70, names=["m4", "m2", "m0", "m1", "m3"])
    key = ["observed", "expected", "log2_ratio", "p-value", "q-value"]

    def by_pair(found: pd.DataFrame) -> pd.DataFrame:
        pairs = [" ".join(sorted(pair)) for pair in zip(found["row"], found["column"], strict=True)]
        return found.set_index(pd.Index(pairs))[key].sort_index()

    pd.testing.assert_frame_equal(by_pair(one), by_pair(other))
    apart = ~(one["row"] == one["column"])
    twice = pair_enrichment(pd.concat([frame, frame]), 70)
    pd.testing.assert_series_equal(
        by_pair(one[apart])["p-value"], by_pair(twice[twice["row"] != twice["column"]])["p-value"]
    )


def test_nothing_and_little() -> None:
    empty = pd.DataFrame({"example_idx": np.empty(0, int), "start": 0, "end": 0, "name": ""}).iloc[:0]
    assert len(pair_enrichment(empty)) == 0
    absent = pair_enrichment(empty, 5, names=["a", "b"])
    assert absent["observed"].tolist() == [0, 0, 0]
    assert absent["p-value"].tolist() == [1, 1, 1]
    alone = pair_enrichment(empty.reindex([0]).assign(example_idx=0, start=0, end=4, name="a"))
    assert alone[["observed", "expected", "p-value"]].to_numpy().tolist() == [[0, 0, 1]]


def test_errors_say_what_to_do() -> None:
    with pytest.raises(NbinterpError, match=r"pair_enrichment\(n_examples\): got 3, and an annotation of example 59"):
        pair_enrichment(table(), 3)
    with pytest.raises(NbinterpError, match="pair_enrichment"):
        pair_enrichment(pd.DataFrame({"start": [1]}))


def placed(
    frame: pd.DataFrame, length: int, max_distance: int, stranded: bool, symmetric: bool
) -> dict[Any, np.ndarray]:
    """What is expected of each kind of pair, from all pairs one after another."""
    names = sorted(set(frame["name"]))
    out: dict[Any, np.ndarray] = {}
    for _, rows in frame.groupby("example_idx"):
        for one, two in itertools.combinations(rows.itertuples(), 2):
            if one.start < two.end and two.start < one.end:
                continue
            free = length - (one.end - one.start) - (two.end - two.start) + 1
            chance = np.maximum(free - np.arange(max_distance), 0) / (free * (free + 1))
            for left, right in ((one, two), (two, one)):
                a, b, s, t = names.index(left.name), names.index(right.name), left.strand, right.strand
                way = (s != t) + 2 * (s == "-") if stranded else 0
                if symmetric and a > b:
                    a, b, way = b, a, ((s != t) + 2 * (t == "+") if stranded else 0)
                if symmetric and a == b and way % 2 == 0:
                    way = 0
                out[way, a, b] = out.get((way, a, b), 0) + chance
    return out


@pytest.mark.parametrize("stranded", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_expected_spacings_are_the_sum_over_all_pairs(stranded: bool, symmetric: bool) -> None:
    frame = table(n=25, k=3)
    grid = spacing_grid(frame, 120, 110, stranded=stranded, symmetric=symmetric)
    expected = placed(frame, 120, 110, stranded, symmetric)
    kinds = list(zip(grid.orientation.tolist(), grid.row.tolist(), grid.column.tolist(), strict=True))
    assert set(kinds) == set(expected)
    for kind, found in zip(kinds, grid.expected, strict=True):
        np.testing.assert_allclose(found, expected[kind], rtol=1e-12)
    seen = spacing_enrichment(frame, 120, 110, stranded=stranded, symmetric=symmetric)
    assert seen["observed"].sum() == grid.observed.sum()


def test_annotations_on_a_device_count_the_same(second_device: str) -> None:
    rows = torch.tensor([[0, 1], [0, 0], [2, 1], [2, 0], [1, 1]])
    pd.testing.assert_frame_equal(pair_enrichment(rows, 5), pair_enrichment(rows.to(second_device), 5))
