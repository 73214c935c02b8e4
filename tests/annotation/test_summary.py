"""Names, sites and summaries of annotations: plain loops, laws, and the planted truth."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.annotation import (
    annotate_seqlets,
    average_annotations,
    motif_sites,
    name_seqlets,
    summarize_annotations,
)
from nbinterp.errors import NbinterpError


def matches(n: int = 30, n_nearest: int = 4, n_kinds: int = 9, seed: int = 0) -> pd.DataFrame:
    """Random matches, nearest first."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        p = np.sort(10.0 ** rng.uniform(-8, -1, n_nearest))
        kinds = rng.choice(n_kinds, n_nearest, replace=False)
        start = int(rng.integers(0, 80))
        rows += [
            (i // 3, start, start + 8, f"m{kinds[k]}", p[k], min(20 * p[k], 1), k, start - 3, start + 9)
            for k in range(n_nearest)
        ]
    columns = "example_idx start end name motif_p-value motif_q-value rank motif_start motif_end".split()
    return pd.DataFrame(rows, columns=columns)


def test_a_name_is_as_good_as_the_nearest_and_few_are_used() -> None:
    table = matches()
    named = name_seqlets(table, 0.05, 10)
    assert len(named) == 30
    assert named["nearest"].tolist() == table.loc[table["rank"] == 0, "name"].tolist()
    for (_, candidates), given in zip(table.groupby(np.arange(len(table)) // 4), named.itertuples(), strict=True):
        fits = candidates[candidates["motif_q-value"] <= 0.05]
        fits = fits[fits["motif_p-value"] <= 10 * candidates["motif_p-value"].min()]
        assert given.name in (set(fits["name"]) or {""})
    nearest = name_seqlets(table, 0.05, 1)
    sure = table[table["rank"] == 0]["motif_q-value"].to_numpy() <= 0.05
    assert nearest["name"].tolist() == np.where(sure, nearest["nearest"], "").tolist()
    assert named.loc[named["name"] != "", "name"].nunique() < nearest.loc[sure, "name"].nunique()


@pytest.mark.parametrize("seed", range(3))
def test_the_name_that_most_can_take_comes_first(seed: int) -> None:
    table = matches(n=150, n_kinds=30, seed=seed)
    rows = [
        one[one["motif_p-value"] <= 100 * one["motif_p-value"].min()] for _, one in table.groupby(np.arange(600) // 4)
    ]
    left = {i: dict(zip(one["name"], np.log(one["motif_p-value"]), strict=True)) for i, one in enumerate(rows)}
    expected = [""] * 150
    while left:
        takers = {name: [i for i, one in left.items() if name in one] for one in left.values() for name in one}
        best = min(takers, key=lambda name: (-len(takers[name]), sum(left[i][name] for i in takers[name])))
        for i in takers[best]:
            expected[i] = best
            del left[i]
    named = name_seqlets(table, 1.0, 100)
    assert named["name"].tolist() == expected


def test_the_cover_is_nearly_the_smallest() -> None:
    """Every seqlet may take what it matches: all sets of names are tried."""
    table = matches(n=14, n_kinds=6, seed=1)
    named = name_seqlets(table, 1.0, 1e9)
    sets = [set(one["name"]) for _, one in table.groupby(np.arange(len(table)) // 4)]
    names = sorted(set(table["name"]))
    fewest = next(
        k for k in range(1, 7) if any(all(set(some) & one for one in sets) for some in itertools.combinations(names, k))
    )
    assert fewest <= named["name"].nunique() <= fewest + 1


def test_of_sites_upon_each_other_the_surest_stay() -> None:
    """No two that stay share half of a span, and every one that goes does so with a surer one that stays."""
    rng = np.random.default_rng(0)
    n, start = 300, rng.integers(-5, 95, 300)
    frame = pd.DataFrame({
        "example_idx": rng.integers(0, 8, n), "start": np.arange(n), "end": np.arange(n) + 1, "name": [f"m{k}" for k in rng.integers(0, 2, n)],
        "motif_p-value": rng.permutation(n) / n, "motif_q-value": 0.0, "rank": 0, "motif_start": start, "motif_end": start + 10,
    })  # fmt: skip
    sites = motif_sites(frame, 100)
    stays = frame["start"].isin(sites["seqlet_start"]).to_numpy()
    assert 60 < stays.sum() == len(sites) < 240
    low, high = start.clip(0), (start + 10).clip(max=100)
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    upon = 2 * shared >= np.minimum(high - low, (high - low)[:, None])
    for column in ("example_idx", "name"):
        upon &= frame[column].to_numpy()[:, None] == frame[column].to_numpy()
    np.fill_diagonal(upon, False)
    assert not upon[np.ix_(stays, stays)].any()
    surer = frame["motif_p-value"].to_numpy() < frame["motif_p-value"].to_numpy()[:, None]
    assert (upon & surer)[np.ix_(~stays, stays)].any(axis=1).all()


def test_nothing_is_named_as_nothing() -> None:
    empty = matches().iloc[:0]
    assert len(name_seqlets(empty)) == 0
    assert len(motif_sites(name_seqlets(empty), 100)) == 0
    none = name_seqlets(matches(), max_q_value=0)
    assert set(none["name"]) == {""}
    assert len(motif_sites(none, 100)) == 0
    frame = pd.DataFrame(
        {"example_idx": np.empty(0, int), "start": np.empty(0, int), "end": np.empty(0, int), "name": []}
    )
    assert len(summarize_annotations(frame, 3)) == 0
    assert len(average_annotations(torch.zeros(2, 4, 9), torch.zeros(2, 9), frame)) == 0


def test_a_site_is_listed_once() -> None:
    """Of a chain of three the surest stays, and with it what does not touch it; other names and sequences stay too."""
    base = {"start": 0, "end": 1, "motif_q-value": 0.0, "rank": 0}
    rows = [
        {"example_idx": 0, "name": "a", "motif_start": 10, "motif_end": 20, "motif_p-value": 0.3},
        {"example_idx": 0, "name": "a", "motif_start": 14, "motif_end": 24, "motif_p-value": 0.2},
        {"example_idx": 0, "name": "a", "motif_start": 18, "motif_end": 28, "motif_p-value": 0.1},
        {"example_idx": 0, "name": "a", "motif_start": 24, "motif_end": 34, "motif_p-value": 0.5},
        {"example_idx": 0, "name": "b", "motif_start": 19, "motif_end": 27, "motif_p-value": 0.5},
        {"example_idx": 1, "name": "a", "motif_start": -3, "motif_end": 7, "motif_p-value": 0.5},
        {"example_idx": 1, "name": "a", "motif_start": 95, "motif_end": 105, "motif_p-value": 0.5},
    ]
    frame = pd.DataFrame([{**base, **one} for one in rows])
    for seed in range(4):
        sites = motif_sites(frame.sample(frac=1, random_state=seed), 100)
        found = list(zip(sites["example_idx"], sites["start"], sites["end"], sites["name"], strict=True))
        assert found == [
            (0, 10, 20, "a"),
            (0, 18, 28, "a"),
            (0, 19, 27, "b"),
            (0, 24, 34, "a"),
            (1, 0, 7, "a"),
            (1, 95, 100, "a"),
        ]


def test_sites_of_the_demo_are_the_planted_ones() -> None:
    """Spans of the motif, not of the seqlet: planted sites are met to the base, on their strand."""
    X, truth = nb.demo.sequences(30, random_state=1)
    rng = np.random.default_rng(0)
    seqlets = truth[["example_idx", "start", "end"]].copy()
    seqlets["start"] += rng.integers(-2, 2, len(seqlets))
    seqlets["end"] += rng.integers(-1, 3, len(seqlets))
    with pytest.warns(UserWarning, match="few"):
        found = annotate_seqlets(X, seqlets, nb.demo.motifs(), n_nearest=3, as_table=True)
    sites = motif_sites(name_seqlets(found), X.shape[-1])
    both = truth.merge(sites, on=["example_idx", "start", "end", "name"])
    assert len(both) / len(truth) > 0.97
    turns = ~both["name"].isin(["NRF1", "AP1", "DECOY"])  # nearly palindromes
    assert (both["strand_x"] == both["strand_y"])[turns].all()


def annotations(n: int = 60, length: int = 50, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.eye(4)[rng.integers(0, 4, (8, length))].transpose(0, 2, 1)
    start = rng.integers(0, length - 9, n)
    frame = pd.DataFrame({
        "example_idx": rng.integers(0, 8, n), "start": start, "end": start + 6,
        "name": [f"m{k}" for k in rng.integers(0, 3, n)], "strand": rng.choice(["+", "-"], n), "attribution": rng.normal(size=n),
    })  # fmt: skip
    return frame, X, rng.normal(size=X.shape)


def test_summaries_by_hand() -> None:
    frame, _, _ = annotations()
    table = summarize_annotations(frame, 10, level=0.8)
    assert table["count"].is_monotonic_decreasing
    for row in table.itertuples():
        own = frame[frame["name"] == row.name]
        assert row.count == len(own)
        assert row.examples == own["example_idx"].nunique()
        assert row.share == own["example_idx"].nunique() / 10
        assert row.most == max((own["example_idx"] == e).sum() for e in range(10))
        assert row.attribution == pytest.approx(np.median(own["attribution"]))
        assert row.attribution_low == pytest.approx(np.quantile(own["attribution"], 0.1))
        assert row.position_high == pytest.approx(np.quantile(own["start"] + 3, 0.9))
        assert row.plus == (own["strand"] == "+").mean()


def test_averages_by_hand() -> None:
    frame, X, scores = annotations()
    motifs = average_annotations(X, scores, frame)
    assert motifs.n_sites == tuple(
        frame["name"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    )
    for name in motifs:
        letters, values = [], []
        for one in frame[frame["name"] == name].itertuples():
            cut = X[one.example_idx, :, one.start : one.end]
            own = cut * scores[one.example_idx, :, one.start : one.end]
            letters.append(cut[::-1, ::-1] if one.strand == "-" else cut)
            values.append(own[::-1, ::-1] if one.strand == "-" else own)
        assert np.allclose(motifs[name], np.mean(letters, axis=0), atol=1e-6)
        assert np.allclose(motifs.cwm(name), np.mean(values, axis=0), atol=1e-6)
    flat = average_annotations(torch.from_numpy(X), (X * scores).sum(axis=1), frame)
    assert all(torch.allclose(flat.cwm(name), motifs.cwm(name), atol=1e-6) for name in motifs)
    packed = average_annotations(nb.PackedSequence.from_one_hot(torch.from_numpy(X).to(torch.int8)), scores, frame)
    assert all(torch.equal(packed[name], motifs[name]) for name in motifs)


def test_the_other_strand_gives_the_same_motifs() -> None:
    frame, X, scores = annotations()
    turned = frame.assign(
        start=50 - frame["end"], end=50 - frame["start"], strand=frame["strand"].map({"+": "-", "-": "+"})
    )
    one = average_annotations(X, scores, frame)
    two = average_annotations(X[:, ::-1, ::-1].copy(), scores[:, ::-1, ::-1].copy(), turned)
    for name in one:
        assert torch.allclose(one[name], two[name])
        assert torch.allclose(one.cwm(name), two.cwm(name), atol=1e-6)


def test_sites_cut_off_at_an_end_are_not_averaged() -> None:
    frame, X, scores = annotations()
    cut = pd.concat([frame, frame.iloc[:1].assign(start=0, end=4)], ignore_index=True)
    assert average_annotations(X, scores, cut).n_sites == average_annotations(X, scores, frame).n_sites


def test_tensors_of_a_device(second_device: str) -> None:
    frame, X, scores = annotations()
    there = average_annotations(
        torch.from_numpy(X).to(second_device), torch.from_numpy(scores).to(second_device), frame
    )
    here = average_annotations(X, scores, frame)
    assert all(torch.equal(there[name], here[name]) for name in here)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: name_seqlets(matches().drop(columns="rank")), "rank"),
        (lambda: name_seqlets(matches().iloc[1:]), "rank 0 first"),
        (lambda: name_seqlets(matches(), max_q_value=2), "within 0 and 1"),
        (lambda: name_seqlets(matches(), ratio=0.5), "at least 1"),
        (lambda: motif_sites(matches().drop(columns="motif_end"), 9), "motif_end"),
        (lambda: summarize_annotations(annotations()[0], 3), "all sequences"),
        (lambda: summarize_annotations(annotations()[0], 9, level=1), "between 0 and 1"),
        (lambda: summarize_annotations(annotations()[0].drop(columns="name"), 9), "annotate_seqlets"),
        (lambda: average_annotations(annotations()[1], np.zeros((8, 3)), annotations()[0]), r"\(8, 50\)"),
        (
            lambda: average_annotations(annotations()[1][:2], annotations()[2][:2], annotations()[0]),
            "within 2 sequences",
        ),
    ],
)
def test_errors_say_what_to_do(call: Any, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        call()
