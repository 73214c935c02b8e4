"""Tables without hits, names that are twice, motifs that do not fit: counted, spaced and named as they should be."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.annotation import (
    annotate_seqlets,
    as_annotations,
    attribute_annotations,
    count_annotations,
    pairwise_annotations,
    pairwise_annotations_spacing,
    spacing_enrichment,
)
from nbinterp.errors import NbinterpError

LENGTH = 60


def motifs(n: int = 30) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(3)
    return {f"m{i}": torch.from_numpy(rng.dirichlet([0.2] * 4, int(rng.integers(6, 12))).T) for i in range(n)}


def one_hot(n: int = 2) -> torch.Tensor:
    return nb.random_one_hot((n, 4, LENGTH), random_state=0).float()


def _scanned() -> pd.DataFrame:
    return nb.fimo(motifs(), one_hot(), threshold=1e-12, as_table=True)


def _by_motif() -> pd.DataFrame:
    return pd.concat(nb.fimo(motifs(), one_hot(), threshold=1e-12), ignore_index=True)


def _read_back() -> pd.DataFrame:
    return pd.read_csv(io.StringIO(_scanned().to_csv(sep="\t", index=False)), sep="\t")


def _named() -> pd.DataFrame:
    return annotate_seqlets(one_hot(), nb.recursive_seqlets(torch.zeros(2, LENGTH)), motifs(), as_table=True)


def _by_hand() -> pd.DataFrame:
    return pd.DataFrame({"example_idx": [], "start": [], "end": [], "name": [], "strand": []})


EMPTY: list[Callable[[], pd.DataFrame]] = [_scanned, _by_motif, _read_back, _named, _by_hand]


@pytest.mark.parametrize("made", EMPTY)
def test_a_table_without_hits_goes_all_the_way(made: Callable[[], pd.DataFrame]) -> None:
    """From a scan, from its file, from seqlets that were not called, or by hand."""
    empty = made()
    assert len(as_annotations(empty)) == 0
    assert count_annotations(empty).shape == (0, 0)
    assert count_annotations(empty, names=["a", "b"], shape=(3, 2)).tolist() == [[0, 0]] * 3
    for dim, n in ((0, 2), (1, 3)):
        assert count_annotations(empty, names=["a", "b"], shape=(3, 2), dim=dim).tolist() == [0] * n
    assert pairwise_annotations(empty).shape == (0, 0)
    assert not pairwise_annotations(empty, shape=3).any()
    for options in ({}, {"stranded": True}, {"symmetric": False}):
        assert pairwise_annotations_spacing(empty, 5, shape=2, **options).sum() == 0
        assert len(pairwise_annotations_spacing(empty, 5, as_table=True, **options)) == 0
        assert len(spacing_enrichment(empty, LENGTH, 5, **options)) == 0
    attributed = attribute_annotations(one_hot(), empty)
    assert len(attributed) == 0
    assert attributed["attribution"].dtype.kind == "f"
    named = annotate_seqlets(one_hot(), empty, motifs(), n_nearest=2, as_table=True)
    assert len(named) == 0
    full = annotate_seqlets(
        one_hot(), pd.DataFrame({"example_idx": [0], "start": [3], "end": [9]}), motifs(), as_table=True
    )
    assert set(full) <= set(named)


def test_tensors_without_rows() -> None:
    for rows in (torch.zeros(0, 2, dtype=torch.int64), np.zeros((0, 2)), torch.zeros(0)):
        assert count_annotations(rows, shape=(2, 3)).tolist() == [[0] * 3] * 2
        assert pairwise_annotations(rows, shape=2).tolist() == [[0, 0]] * 2
    assert not pairwise_annotations_spacing(torch.zeros(0, 4, dtype=torch.int64), 4, shape=2).any()


def test_motifs_of_one_name_count_together() -> None:
    """A name is what is counted; two motifs of a database may share it."""
    table = pd.DataFrame(
        {"example_idx": [0, 0, 1], "start": [0, 10, 5], "end": [4, 14, 9], "name": ["CTCF", "CTCF", "SP1"],
         "annotation_idx": [0, 1, 2]}
    )  # fmt: skip
    assert count_annotations(table).tolist() == [[2, 0], [0, 1]]
    assert pairwise_annotations(table, unique=False).shape == (2, 2)
    assert int(pairwise_annotations_spacing(table, 20)[0, 0].sum()) > 0
    for call in (count_annotations, pairwise_annotations, pairwise_annotations_spacing):
        with pytest.raises(NbinterpError, match=rf"{call.__name__}\(names\): got 'SP1' twice; need distinct names"):
            call(table, names=["SP1", "CTCF", "SP1"])
    with pytest.raises(NbinterpError, match="'a' twice"):
        annotate_seqlets(one_hot(), table, nb.MotifSet([np.eye(4)] * 2, ["a", "a"]))


def test_seqlets_are_named_by_odd_motifs() -> None:
    """One that says nothing, one that is wider than the sequence, one of a single column: each lies where it says."""
    rng = np.random.default_rng(0)
    wide = torch.eye(4, dtype=torch.float64)[:, rng.integers(0, 4, 2 * LENGTH)]
    odd = {**motifs(), "flat": torch.full((4, 8), 0.25), "one": torch.eye(4)[:, :1], "wide": wide}
    X = one_hot(3)
    X[1] = wide[:, 20 : 20 + LENGTH]
    X[2, :, 10:30] = 0  # unknown bases within
    seqlets = pd.DataFrame({"example_idx": [0, 0, 1, 2], "start": [0, 30, 0, 5], "end": [LENGTH, 31, LENGTH, 32]})
    named = annotate_seqlets(X, seqlets, odd, n_nearest=len(odd), as_table=True)
    assert len(named) == 4 * len(odd)
    assert named["motif_p-value"].between(0, 1).all()
    assert named["motif_q-value"].between(0, 1).all()
    widths = named["name"].map({name: one.shape[1] for name, one in odd.items()})
    assert ((named["motif_end"] - named["motif_start"]) == widths).all()
    best = named[named["rank"] == 0].set_index("example_idx").loc[1]
    assert best[["name", "strand", "motif_start", "motif_end"]].tolist() == ["wide", "+", -20, 2 * LENGTH - 20]


def test_seqlets_of_unknown_bases_and_no_motifs() -> None:
    seqlets = pd.DataFrame({"example_idx": [0], "start": [3], "end": [12]})
    cases: list[tuple[Any, Any, str]] = [
        (one_hot() * 0, motifs(), r"tomtom\(Qs\): got only zeros"),
        (one_hot(), {}, r"annotate_seqlets\(motifs\): got no motifs"),
        (one_hot(), {"none": torch.zeros(4, 0)}, r"\(motifs\): got shape \(4, 0\) for 'none'; need \(4, width\)"),
        (one_hot(), {"zero": torch.zeros(4, 5)}, r"got only zeros"),
        (one_hot(), {"five": torch.zeros(5, 4)}, "need the same letters"),
    ]
    for X, known, words in cases:
        with pytest.raises(NbinterpError, match=words):
            annotate_seqlets(X, seqlets, known)
    for bad in ({"start": [12]}, {"end": [LENGTH + 1]}, {"start": [-1]}, {"example_idx": [2]}):
        with pytest.raises(NbinterpError, match=r"annotate_seqlets\(seqlets\): got .* need spans within 2 sequences"):
            annotate_seqlets(one_hot(), seqlets.assign(**bad), motifs())


def test_every_table_from_a_second_device(second_device: str) -> None:
    """Tables are pandas and live on the CPU; what they are made of may come from anywhere."""
    rows = torch.tensor([[0, 0, 1, 5], [0, 1, 9, 14], [1, 1, 3, 8], [1, 0, 20, 26]])
    there = rows.to(second_device)
    for options in ({}, {"symmetric": False}):
        assert torch.equal(
            pairwise_annotations_spacing(there, 20, **options), pairwise_annotations_spacing(rows, 20, **options)
        )
        pd.testing.assert_frame_equal(
            spacing_enrichment(there, LENGTH, 20, **options), spacing_enrichment(rows, LENGTH, 20, **options)
        )
    seqlets = pd.DataFrame({"example_idx": [0, 1], "start": [3, 20], "end": [12, 33]})
    known = {name: one.to(second_device).float() for name, one in motifs().items()}
    pd.testing.assert_frame_equal(
        annotate_seqlets(one_hot().to(second_device), seqlets, known, n_nearest=2, as_table=True),
        annotate_seqlets(
            one_hot(), seqlets, {n: one.float() for n, one in motifs().items()}, n_nearest=2, as_table=True
        ),
    )
    X = torch.randn(2, 4, LENGTH, generator=torch.Generator().manual_seed(0))
    pd.testing.assert_frame_equal(
        attribute_annotations(X.to(second_device), seqlets), attribute_annotations(X, seqlets)
    )
