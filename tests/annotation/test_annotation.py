"""Annotations against plain loops, their laws, and tangermeme."""

from __future__ import annotations

import itertools
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.annotation import (
    ORIENTATIONS,
    annotate_seqlets,
    as_annotations,
    attribute_annotations,
    count_annotations,
    pairwise_annotations,
    pairwise_annotations_spacing,
    spacing_enrichment,
)
from nbinterp.errors import NbinterpError

LENGTH = 400


def table(n_examples: int = 12, seed: int = 0, n_kinds: int = 4, gap: int = 40) -> pd.DataFrame:
    """Annotations that do not overlap, in no order."""
    rng = np.random.default_rng(seed)
    rows = []
    for example in range(n_examples):
        at = int(rng.integers(0, gap))
        while at + 12 <= LENGTH:
            kind, width = int(rng.integers(0, n_kinds)), int(rng.integers(4, 12))
            rows.append((example, at, at + width, f"m{kind}", "+-"[int(rng.integers(0, 2))]))
            at += width + int(rng.integers(0, gap))
    frame = pd.DataFrame(rows, columns=["example_idx", "start", "end", "name", "strand"])
    return frame.sample(frac=1, random_state=seed, ignore_index=True)


def indices(frame: pd.DataFrame, spans: bool = False) -> torch.Tensor:
    kind = frame["name"].str[1:].astype(int)
    columns = [frame["example_idx"], kind, frame["start"], frame["end"]]
    return torch.from_numpy(np.stack([one.to_numpy() for one in columns[: 4 if spans else 2]], axis=1))


def turned(frame: pd.DataFrame) -> pd.DataFrame:
    """The same annotations on the reverse complement."""
    strand = frame["strand"].map({"+": "-", "-": "+"})
    return frame.assign(start=LENGTH - frame["end"], end=LENGTH - frame["start"], strand=strand)


def pairs(frame: pd.DataFrame) -> list[tuple[Any, Any, int]]:
    """Left, right and distance of every pair, one after another."""
    out = []
    for _, rows in frame.groupby("example_idx"):
        for one, two in itertools.combinations(rows.sort_values("start").itertuples(), 2):
            out.append((one, two, two.start - one.end))
    return out


def test_counts_by_hand() -> None:
    frame = table()
    counts = count_annotations(frame, as_table=True)
    assert list(counts.columns) == ["m0", "m1", "m2", "m3"]
    for example, name in itertools.product(range(12), counts.columns):
        expected = ((frame["example_idx"] == example) & (frame["name"] == name)).sum()
        assert counts.loc[example, name] == expected
    dense = count_annotations(frame)
    assert dense.dtype == torch.uint8
    assert torch.equal(count_annotations(frame, sparse=True).to_dense(), dense)
    assert torch.equal(count_annotations(frame, dim=0, sparse=True).to_dense(), dense.sum(0, dtype=torch.uint8))
    assert count_annotations(frame, dim=0, as_table=True)["m2"] == int(dense[:, 2].sum())
    wider = count_annotations(frame, names=["absent", "m3", "m2", "m1", "m0"])
    assert torch.equal(wider[:, 1:].flip(1), dense)
    assert not wider[:, 0].any()


@pytest.mark.parametrize("stranded", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_spacings_by_hand(symmetric: bool, stranded: bool) -> None:
    frame = table()
    found = pairwise_annotations_spacing(frame, 60, symmetric=symmetric, stranded=stranded)
    expected = np.zeros((4, 4, 4, 60), np.int64)
    for left, right, distance in pairs(frame):
        if distance >= 60:
            continue
        a, b = int(left.name[1:]), int(right.name[1:])
        # the other lies downstream when it is where the reading goes
        from_left = ORIENTATIONS.index(
            f"{'down' if left.strand == '+' else 'up'}stream, {'same' if left.strand == right.strand else 'opposite'}"
        )
        from_right = ORIENTATIONS.index(
            f"{'down' if right.strand == '-' else 'up'}stream, {'same' if left.strand == right.strand else 'opposite'}"
        )
        if symmetric and a == b and left.strand == right.strand:
            from_left = 0
        expected[from_left, a, b, distance] += 1
        if symmetric and a != b:
            expected[from_right, b, a, distance] += 1
    if not stranded:
        expected = expected.sum(axis=0)
    assert np.array_equal(found.numpy(), expected)
    sparse = pairwise_annotations_spacing(frame, 60, symmetric=symmetric, stranded=stranded, sparse=True)
    assert torch.equal(sparse.to_dense(), found)
    cells = pairwise_annotations_spacing(frame, 60, symmetric=symmetric, stranded=stranded, as_table=True)
    assert cells["count"].sum() == expected.sum()


def test_the_other_strand_counts_the_same() -> None:
    frame = table()
    assert torch.equal(
        pairwise_annotations_spacing(frame, stranded=True), pairwise_annotations_spacing(turned(frame), stranded=True)
    )
    one, other = (
        spacing_enrichment(x, LENGTH, stranded=True).sort_values(["row", "column", "orientation", "distance"])
        for x in (frame, turned(frame))
    )
    pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))


def test_pairs_keep_what_is_promised() -> None:
    rows = torch.tensor([[0, 2], [0, 1], [0, 2], [1, 0]])
    assert pairwise_annotations(rows, self_pairs=True).tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 1]]
    assert pairwise_annotations(rows, symmetric=False)[1, 2] == 1
    assert pairwise_annotations(rows, symmetric=False, order="row").tolist() == [[0] * 3, [0] * 3, [0, 1, 0]]
    frame = pd.DataFrame({"example_idx": 0, "start": [9, 2], "end": [11, 4], "name": ["a", "b"]})
    by_row = pairwise_annotations(frame, unique=False, symmetric=False, as_table=True)
    by_place = pairwise_annotations(frame, unique=False, symmetric=False, order="position", as_table=True)
    assert (by_row.loc["a", "b"], by_row.loc["b", "a"]) == (1, 0)
    assert (by_place.loc["a", "b"], by_place.loc["b", "a"]) == (0, 1)
    assert torch.equal(pairwise_annotations(frame, sparse=True).to_dense(), pairwise_annotations(frame))
    with pytest.raises(NbinterpError, match="order"):
        pairwise_annotations(rows, order="position")


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("stranded", [False, True])
def test_enrichment_expects_the_mean_of_all_placements(stranded: bool, symmetric: bool) -> None:
    """The closed form against every placement of each pair without overlap."""
    length = 30
    frame = pd.DataFrame(
        {"example_idx": 0, "start": [0, 6, 14], "end": [4, 12, 19], "name": ["a", "b", "a"], "strand": ["+", "-", "+"]}
    )
    width = (frame["end"] - frame["start"]).to_numpy()
    mean: dict[Any, float] = {}
    for i, j in ((0, 1), (1, 2), (0, 2)):
        one, two = (x.ravel() for x in np.mgrid[: length - width[i] + 1, : length - width[j] + 1])
        apart = (one >= two + width[j]) | (two >= one + width[i])
        n = int(apart.sum())
        placed = pd.concat(
            frame.iloc[[k] * n].assign(example_idx=np.arange(n), start=start[apart], end=start[apart] + width[k])
            for k, start in ((i, one), (j, two))
        )
        cells = pairwise_annotations_spacing(
            placed, 10, torch.int64, symmetric=symmetric, stranded=stranded, as_table=True
        )
        for *key, count in cells.itertuples(index=False):
            mean[tuple(key)] = mean.get(tuple(key), 0) + count / n
    found = spacing_enrichment(frame, length, 10, symmetric=symmetric, stranded=stranded)
    assert set(found["distance"]) == {2}
    for row in found.itertuples(index=False):
        assert row.expected == pytest.approx(mean[row[: 4 if stranded else 3]], rel=1e-12)
        assert row[-2] == pytest.approx(poisson_tail(row.observed, row.expected))


def poisson_tail(at_least: int, mean: float) -> float:
    return 1 - sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(at_least))


def test_a_planted_spacing_is_found_and_nothing_else() -> None:
    frame = table(60, n_kinds=5)
    rng = np.random.default_rng(1)
    start = rng.integers(0, 300, 30)
    planted = pd.concat(
        [pd.DataFrame({"example_idx": np.arange(100, 130), "start": start + s, "end": start + s + 8, "name": name, "strand": "+"})
         for s, name in ((0, "m0"), (21, "m4"))]
    )  # fmt: skip
    found = spacing_enrichment(pd.concat([frame, planted]), LENGTH, stranded=True)
    best = found.iloc[0]
    assert (best["row"], best["column"], best["orientation"], best["distance"]) == ("m0", "m4", ORIENTATIONS[0], 13)
    assert best["q-value"] < 1e-6
    assert (found["q-value"].iloc[1:] > 0.05).all()
    uniform = spacing_enrichment(frame, LENGTH)
    assert uniform["q-value"].min() > 0.05
    assert uniform["observed"].sum() == pairwise_annotations_spacing(
        frame, dtype=torch.int64, symmetric=False
    ).sum()  # fmt: skip


def test_every_kind_of_table_reads_the_same() -> None:
    frame = table()
    hits = frame.rename(columns={"name": "motif_name", "example_idx": "sequence_name"}).assign(
        motif_idx=frame["name"].str[1:].astype(int), **{"p-value": 1e-5}
    )
    called = frame.rename(columns={"name": "motif_name", "example_idx": "peak_id"}).assign(hit_coefficient=1.0)
    for other in (hits, called, frame.drop(columns="strand").assign(annotation_idx=hits["motif_idx"])):
        assert torch.equal(count_annotations(other), count_annotations(frame))
        assert torch.equal(pairwise_annotations_spacing(other), pairwise_annotations_spacing(frame))
    assert torch.equal(count_annotations(indices(frame)), count_annotations(frame))
    assert {"example_idx", "name", "score"} <= set(as_annotations(called).columns)


def test_attribution_under_hits() -> None:
    frame = table(3)
    X = torch.randn(3, 4, LENGTH, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = attribute_annotations(X, frame)
    for row in found.itertuples():
        assert row.attribution == pytest.approx(float(X[row.example_idx, :, row.start : row.end].sum()))
    pd.testing.assert_frame_equal(found, attribute_annotations(X.sum(1), frame))


def test_tensors_on_a_device(second_device: str) -> None:
    frame = table(4)
    rows = indices(frame, spans=True)
    there = rows.to(second_device)
    assert torch.equal(count_annotations(there[:, :2]), count_annotations(rows[:, :2]))
    assert torch.equal(pairwise_annotations(there[:, :2]), pairwise_annotations(rows[:, :2]))
    assert torch.equal(pairwise_annotations_spacing(there), pairwise_annotations_spacing(rows))
    X = nb.random_one_hot((4, 4, LENGTH), random_state=2).float()
    pd.testing.assert_frame_equal(attribute_annotations(X.to(second_device), frame), attribute_annotations(X, frame))
    seqlets = frame.drop(columns=["name", "strand"])
    pd.testing.assert_frame_equal(
        annotate_seqlets(X.to(second_device), seqlets, known(), as_table=True),
        annotate_seqlets(X, seqlets, known(), as_table=True),
    )


def test_nothing_is_counted_as_zeros() -> None:
    empty = table()[:0]
    assert count_annotations(empty).shape == (0, 0)
    assert count_annotations(empty, shape=(3, 2)).tolist() == [[0, 0]] * 3
    assert pairwise_annotations(empty, shape=2).tolist() == [[0, 0]] * 2
    assert pairwise_annotations_spacing(empty, 5, shape=2).shape == (2, 2, 5)
    assert len(pairwise_annotations_spacing(empty, as_table=True)) == 0
    assert len(spacing_enrichment(empty, 100)) == 0
    assert len(attribute_annotations(np.zeros((1, 5)), empty)) == 0


def test_errors_say_what_to_do() -> None:
    frame = table()
    many = pd.DataFrame({"example_idx": [0] * 300, "start": 0, "end": 1, "name": "a"})
    with pytest.raises(NbinterpError, match="int32"):
        count_annotations(many)
    assert count_annotations(many, torch.int32).item() == 300
    over = pd.DataFrame({"example_idx": [0, 0], "start": [0, 3], "end": [5, 9], "name": "a"})
    with pytest.raises(ValueError, match="overlap"):
        pairwise_annotations_spacing(over)
    assert not pairwise_annotations_spacing(over, overlaps="skip").any()
    cases: list[tuple[str, Any]] = [
        ("shape", lambda: count_annotations(frame, shape=(2, 2))),
        ("shape", lambda: pairwise_annotations(frame, shape=2)),
        ("dim", lambda: count_annotations(frame, dim=2)),
        ("names", lambda: count_annotations(frame, names=["m0"])),
        ("X", lambda: count_annotations(torch.tensor([[0, -1]]))),
        ("X", lambda: count_annotations(torch.tensor([[0.5, 1]]))),
        ("X", lambda: count_annotations(frame.drop(columns="name"))),
        ("X", lambda: pairwise_annotations_spacing(indices(frame))),
        ("X", lambda: pairwise_annotations_spacing(frame.drop(columns="strand"), stranded=True)),
        ("max_distance", lambda: pairwise_annotations_spacing(frame, 0)),
        ("length", lambda: spacing_enrichment(frame, 50)),
        ("annotations", lambda: attribute_annotations(np.zeros((1, 5)), frame)),
        ("seqlets", lambda: annotate_seqlets(torch.zeros(1, 4, 9), frame, [np.eye(4)])),
    ]
    for argument, call in cases:
        with pytest.raises(NbinterpError, match=rf"\({argument}\)"):
            call()


def known(n: int = 40) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(3)
    return {f"m{i}": torch.from_numpy(rng.dirichlet([0.2] * 4, int(rng.integers(6, 12))).T) for i in range(n)}


def test_names_keep_where_the_motif_lies(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    motifs = {f"m{i}": torch.eye(4)[:, rng.integers(0, 4, 10)] for i in range(40)}
    X = nb.random_one_hot((4, 4, 80), random_state=0)
    for example, name in enumerate(list(motifs)[:4]):
        one = motifs[name] if example % 2 else motifs[name].flip(0, 1)
        X[example, :, 30:40] = one.to(X.dtype)
    seqlets = pd.DataFrame({"example_idx": range(4), "start": 29, "end": 39, "attribution": 1.0})
    nb.write_meme(tmp_path / "m.meme", nb.MotifSet(motifs))
    named = annotate_seqlets(X, seqlets, str(tmp_path / "m.meme"), as_table=True)
    assert named["name"].tolist() == ["m0", "m1", "m2", "m3"]
    assert named["strand"].tolist() == ["-", "+", "-", "+"]
    assert set(named["motif_start"]) == {30}
    assert set(named["motif_end"]) == {40}
    assert (named["motif_q-value"] >= named["motif_p-value"]).all()
    assert named["attribution"].tolist() == [1.0] * 4
    packed = nb.PackedSequence.from_one_hot(X)
    pd.testing.assert_frame_equal(named, annotate_seqlets(packed, seqlets, motifs, as_table=True))
    both = annotate_seqlets(X, seqlets, motifs, n_nearest=2, as_table=True)
    assert both["rank"].tolist() == [0, 1] * 4
    assert annotate_seqlets(X, seqlets[:0], motifs, 3)[0].shape == (0, 3)
    assert len(annotate_seqlets(X, seqlets[:0], motifs, as_table=True)) == 0
    assert count_annotations(named).sum() == 4


@pytest.mark.parity
def test_annotate_seqlets_equals_tangermeme() -> None:
    theirs = pytest.importorskip("tangermeme.annotate")
    rng = np.random.default_rng(1)
    X = nb.random_one_hot((6, 4, 120), random_state=1).double()  # as memelite is compiled for elsewhere
    start = rng.integers(0, 90, 30)
    seqlets = pd.DataFrame(
        {"example_idx": rng.integers(0, 6, 30), "start": start, "end": start + rng.integers(4, 26, 30)}
    )
    for options in ({}, {"n_nearest": 3}, {"n_nearest": 2, "reverse_complement": False, "n_score_bins": 50}):
        which, p = annotate_seqlets(X, seqlets, known(), **options)  # type: ignore[arg-type]
        their_which, their_p = theirs.annotate_seqlets(X, seqlets, known(), **options)
        assert which.dtype == their_which.dtype
        assert p.dtype == their_p.dtype
        torch.testing.assert_close(p, their_p, atol=1e-12, rtol=0)
        assert torch.equal(which, their_which)


@pytest.mark.parity
def test_counts_equal_tangermeme() -> None:
    theirs = pytest.importorskip("tangermeme.annotate")
    rows = indices(table(20))
    for options in ({}, {"dim": 0, "dtype": torch.int32}, {"dim": 1}, {"shape": (30, 9)}):
        ours = count_annotations(rows, **options)
        assert ours.dtype == theirs.count_annotations(rows, **options).dtype
        assert torch.equal(ours, theirs.count_annotations(rows, **options))
    both = (rows[:, 0].numpy(), pd.Series(rows[:, 1].numpy()))
    assert torch.equal(count_annotations(both), count_annotations(rows))
    for unique, symmetric, shape in itertools.product((True, False), (True, False), (None, 7)):
        ours = pairwise_annotations(rows, unique=unique, symmetric=symmetric, shape=shape)
        assert torch.equal(
            ours, theirs.pairwise_annotations(rows, unique=unique, symmetric=symmetric, shape=shape)
        )  # fmt: skip


@pytest.mark.parity
def test_spacings_equal_tangermeme() -> None:
    theirs = pytest.importorskip("tangermeme.annotate")
    rows = indices(table(20), spans=True)
    point = torch.tensor([[0, 0, 5, 5], [0, 1, 5, 5], [0, 2, 9, 9]])  # of equal starts the later row stands left
    for X, symmetric, distance in itertools.product((rows, point), (True, False), (20, 100)):
        ours = pairwise_annotations_spacing(X, distance, symmetric=symmetric)
        their = theirs.pairwise_annotations_spacing(X, distance, symmetric=symmetric)
        assert ours.dtype == their.dtype
        assert torch.equal(ours, their)
    example, kind, start, end = rows.T.numpy()
    spans = pd.DataFrame({"example_idx": example, "start": start, "end": end})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer makes tensors of read-only arrays
        their = theirs.pairwise_annotations_spacing((spans, kind))
    assert torch.equal(pairwise_annotations_spacing((spans, kind)), their)
    with pytest.raises(ValueError, match="overlap"):
        theirs.pairwise_annotations_spacing(torch.tensor([[0, 0, 0, 5], [0, 1, 3, 9]]))
