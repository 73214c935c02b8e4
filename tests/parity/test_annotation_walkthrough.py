"""The calls of tangermeme's tutorial on annotations run after changing the imports, and give its results.

Where tangermeme departs from what it documents, the test says so: a name is always given, however poor (its pages speak of
-1); a pair of an annotation with itself is not counted where `unique`; counts above 255 wrap round.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp import (
    annotate_seqlets,
    count_annotations,
    deep_lift_shap,
    fimo,
    multisubstitute,
    one_hot_encode,
    pairwise_annotations,
    pairwise_annotations_spacing,
    plot_logo,
    random_one_hot,
    read_meme,
    recursive_seqlets,
)
from nbinterp.errors import NbinterpError

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning"),
]

AP1, ETV6 = "GTGACTCATC", "ACTTCCGCG"
TARGET = 57


class Model(torch.nn.Module):
    """In the place of the tutorial's: 60 outputs that two motifs raise, on either strand, among random filters."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv1d(4, 12, 11, padding=5)
        self.relu = torch.nn.ReLU()
        self.linear = torch.nn.Linear(12, 60)
        sites = [one_hot_encode(site + "N" * (11 - len(site))).float() for site in (AP1, ETV6)]
        with torch.no_grad():
            self.conv.weight[:4] = torch.stack([one for site in sites for one in (site, site.flip(0, 1))])
            self.conv.bias[:4] = -6.5
            self.linear.weight[:, :4] = 100

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.linear(self.relu(self.conv(X)).mean(dim=-1))


class Walk(NamedTuple):
    """What the tutorial has made when annotations begin."""

    X: torch.Tensor
    X_attr: torch.Tensor
    seqlets: pd.DataFrame
    motifs: str


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A motif file: the two motifs, and others with their columns shuffled."""
    known = dict(nb.demo.motifs(n_shuffled=5))
    for name, site in {"Jun": AP1, "ETV6": ETV6, "short": "ACTTCC"}.items():
        known[name] = one_hot_encode(site).float() * 0.9 + 0.025
    path = tmp_path_factory.mktemp("walk") / "motifs.meme.txt"
    nb.write_meme(path, known)
    return str(path)


@pytest.fixture(scope="module")
def walk(database: str) -> Walk:
    X = random_one_hot((1, 4, 2000), random_state=0).type(torch.float32)
    X = multisubstitute(X, [AP1, AP1, ETV6], [25, 25])
    X_attr = deep_lift_shap(Model(), X, device="cpu", n_shuffles=20, target=TARGET, random_state=0)
    return Walk(X, X_attr, recursive_seqlets(X_attr.sum(dim=1), additional_flanks=5), database)


@pytest.fixture(scope="module")
def named(walk: Walk) -> tuple[pd.DataFrame, torch.Tensor]:
    """Seqlets from left to right with the index of their motif, and the indices in the order of the seqlets."""
    motif_idxs, _ = annotate_seqlets(walk.X, walk.seqlets, walk.motifs)
    seqlets = walk.seqlets.copy()
    seqlets["motif_idx"] = motif_idxs[:, 0]
    return seqlets.sort_values(["example_idx", "start"]), motif_idxs


def there(module: str) -> Any:
    return pytest.importorskip(f"tangermeme.{module}")


def test_a_sequence_with_three_sites(walk: Walk) -> None:
    X = there("utils").random_one_hot((1, 4, 2000), random_state=0).type(torch.float32)
    X = there("ersatz").multisubstitute(X, [AP1, AP1, ETV6], [25, 25])
    assert torch.equal(walk.X, X)
    options = {"device": "cpu", "n_shuffles": 20, "target": TARGET, "random_state": 0}
    X_attr = there("deep_lift_shap").deep_lift_shap(Model(), X, **options)
    torch.testing.assert_close(walk.X_attr, X_attr, rtol=1e-5, atol=1e-6)


@pytest.mark.slow  # the peer compiles for as long as 10 s
def test_seqlets(walk: Walk) -> None:
    theirs = there("seqlet").recursive_seqlets(walk.X_attr.sum(dim=1), additional_flanks=5)
    pd.testing.assert_frame_equal(walk.seqlets, theirs.reset_index(drop=True), rtol=1e-5)
    assert walk.seqlets.shape[1] == 5
    assert len(walk.seqlets) >= 3


def test_names(walk: Walk) -> None:
    theirs = there("io").read_meme(walk.motifs)
    ours = read_meme(walk.motifs, dtype=torch.float64)
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    for motifs in ((walk.motifs, walk.motifs), (ours, theirs)):
        for options in ({}, {"n_nearest": 5}):
            idxs, pvals = annotate_seqlets(walk.X, walk.seqlets, motifs[0], **options)
            their_idxs, their_pvals = there("annotate").annotate_seqlets(walk.X, walk.seqlets, motifs[1], **options)
            assert (idxs.dtype, pvals.dtype) == (their_idxs.dtype, their_pvals.dtype)
            torch.testing.assert_close(pvals, their_pvals, rtol=0, atol=1e-12)
            assert torch.equal(idxs[:, :1], their_idxs[:, :1])
            for row in range(len(idxs)):  # of equal p-values the peer gives any order, and may cut between them
                sure = pvals[row] < pvals[row, -1]
                assert set(idxs[row][sure].tolist()) == set(their_idxs[row][sure].tolist())
            assert (their_idxs >= 0).all()  # never -1, though all but three are no motif's


def test_the_planted_motifs_are_named(walk: Walk) -> None:
    motif_names = list(read_meme(walk.motifs))
    motif_idxs, motif_pvalues = annotate_seqlets(walk.X, walk.seqlets, walk.motifs)
    names = [motif_names[idx] for idx in motif_idxs]
    best = motif_pvalues[:, 0].argsort()[:3]
    assert sorted(names[i] for i in best) == ["ETV6", "Jun", "Jun"]
    starts = walk.seqlets["start"].to_numpy()[best] + 5
    assert np.abs(np.sort(starts) - [960, 995, 1030]).max() <= 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*tight_layout:UserWarning")
def test_the_logo_names_the_seqlets(walk: Walk, named: tuple[pd.DataFrame, torch.Tensor]) -> None:
    mpl.use("agg")
    from matplotlib import pyplot as plt

    motif_names = list(read_meme(walk.motifs))
    seqlet_annotations = walk.seqlets.copy()
    seqlet_annotations["example_idx"] = [motif_names[idx] for idx in named[1]]
    labels = []
    for draw in (plot_logo, there("plot").plot_logo):
        figure = plt.figure(figsize=(12, 2))
        ax = plt.subplot(111)
        draw(
            walk.X_attr[0],
            ax=ax,
            start=925,
            end=1075,
            annotations=seqlet_annotations,
            score_key="attribution",
            ylim=0.15,
        )
        labels.append(sorted("".join(text.get_text().split()) for text in ax.texts))
        plt.close(figure)
    assert len(labels[0]) >= 3
    assert labels[0] == labels[1]


def test_hits_and_their_attributions(walk: Walk) -> None:
    memelite = pytest.importorskip("memelite")
    tables = []
    for scan in (fimo, memelite.fimo):
        hits = scan(walk.motifs, walk.X, dim=1)[0]
        spans = hits[["start", "end"]].to_numpy()
        hits["attribution"] = [walk.X_attr[0, :, start:end].sum().item() for start, end in spans]
        hits = hits.sort_values("attribution")
        hits_thresh = hits[hits["attribution"] > 0.05]
        y = count_annotations((hits_thresh["sequence_name"].astype(int), hits_thresh["motif_idx"]))
        columns = (hits_thresh["sequence_name"].astype(int), hits_thresh["motif_idx"].astype(int))
        assert torch.equal(y, there("annotate").count_annotations(columns))
        assert int(y.sum()) == len(hits_thresh) >= 3
        order = ["motif_idx", "start", "strand"]
        tables.append(hits.sort_values(order, ignore_index=True).astype({"sequence_name": int, "motif_name": str}))
    pd.testing.assert_frame_equal(*tables, check_dtype=False, rtol=0, atol=1e-10)
    quick = nb.attribute_annotations(walk.X_attr, fimo(walk.motifs, walk.X, as_table=True))  # the same in one call
    quick = quick.sort_values(["annotation_idx", "start", "strand"], ignore_index=True)
    np.testing.assert_allclose(quick["attribution"], tables[0]["attribution"], atol=1e-5)


def test_counts(walk: Walk, named: tuple[pd.DataFrame, torch.Tensor]) -> None:
    theirs = there("annotate").count_annotations
    pairs = (walk.seqlets["example_idx"], named[1][:, 0])
    n = len(read_meme(walk.motifs))
    for options in ({}, {"shape": (1, n)}, {"dim": 0}, {"dim": 1}, {"dtype": torch.int32, "shape": (5, n)}):
        ours = count_annotations(pairs, **options)
        assert ours.dtype == theirs(pairs, **options).dtype
        assert torch.equal(ours, theirs(pairs, **options))
    many = torch.zeros(300, 2, dtype=torch.int64)
    assert int(theirs(many)) == 300 - 256  # in silence
    with pytest.raises(NbinterpError, match="300"):
        count_annotations(many)


def test_pairs(walk: Walk, named: tuple[pd.DataFrame, torch.Tensor]) -> None:
    theirs = there("annotate").pairwise_annotations
    pairs = (walk.seqlets["example_idx"], named[1][:, 0])
    for unique in (True, False):
        for symmetric in (True, False):
            ours = pairwise_annotations(pairs, unique=unique, symmetric=symmetric)
            assert torch.equal(ours, theirs(pairs, unique=unique, symmetric=symmetric))
    ours = pairwise_annotations(pairs)
    assert torch.equal(ours, ours.T)
    jun = list(read_meme(walk.motifs)).index("Jun")
    assert int(theirs(pairs)[jun, jun]) == 0  # two are there; its pages promise one
    assert int(pairwise_annotations(pairs, self_pairs=True)[jun, jun]) == 1


def test_spacings(named: tuple[pd.DataFrame, torch.Tensor]) -> None:
    theirs = there("annotate").pairwise_annotations_spacing
    columns = named[0][["example_idx", "motif_idx", "start", "end"]]
    for function in (pairwise_annotations_spacing, theirs):  # the tutorial is older than this refusal
        with pytest.raises(ValueError, match="overlap"):
            function(columns)
    spaced = pairwise_annotations_spacing(columns, overlaps="skip")
    apart = columns[columns["start"] >= columns["end"].shift(fill_value=0)]
    assert len(apart) >= 3
    for options in ({}, {"max_distance": 150}, {"symmetric": False}):
        ours = pairwise_annotations_spacing(apart, **options)
        assert torch.equal(ours, theirs(apart, **options))
        assert ours.shape[2] == options.get("max_distance", 100)
    left, right = apart.iloc[:2].itertuples()  # as the tutorial reads it from the table
    assert spaced[left.motif_idx, right.motif_idx, right.start - left.end] == 1
