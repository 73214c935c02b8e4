"""Motif enrichment against scipy's tests, its laws, and PU.1 peaks, whose motif is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.motif import fimo, motif_enrichment, read_meme

THRESHOLD = 1e-3
ETS = r"(?i)^(SPI\w|ETS\d|ETV\d|ELF\d|ELK\d|EHF|ERF|ERG|FLI1|FEV|GABPA)$"


def some_motifs(n: int = 30, seed: int = 0) -> dict[str, np.ndarray]:
    g = np.random.RandomState(seed)
    return {f"m{i}": g.dirichlet(np.full(4, 0.3), size=g.randint(5, 12)).T for i in range(n)}


def some_sequences(n: int, length: int, seed: int, motif: np.ndarray | None = None) -> torch.Tensor:
    """Random sequences; in half of them the motif's consensus is planted."""
    X = nb.random_one_hot((n, 4, length), random_state=seed)
    if motif is not None:
        X[: n // 2, :, 10 : 10 + motif.shape[1]] = torch.eye(4, dtype=X.dtype)[:, motif.argmax(axis=0)]
    return X


def having(motifs: Any, X: torch.Tensor, threshold: float = THRESHOLD) -> list[int]:
    """Sequences that have each motif, one motif after another."""
    return [table["sequence_name"].nunique() for table in fimo(motifs, X, threshold=threshold)]


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a, b, check_exact=False, rtol=1e-12)


def test_equal_lengths_are_tested_as_fisher_does() -> None:
    motifs = some_motifs()
    X, control = some_sequences(40, 60, 0, motifs["m3"]), some_sequences(70, 60, 1)
    found = motif_enrichment(X, control, motifs, THRESHOLD)
    assert found["name"].iloc[0] == "m3"
    found = found.sort_values("motif_idx")
    assert found["n"].tolist() == having(motifs, X)
    assert found["n_control"].tolist() == having(motifs, control)
    assert found["hits"].tolist() == fimo(motifs, X, threshold=THRESHOLD, return_counts=True).tolist()
    assert found["hits_control"].tolist() == fimo(motifs, control, threshold=THRESHOLD, return_counts=True).tolist()
    for row in found.itertuples():
        square = [[row.n, 40 - row.n], [row.n_control, 70 - row.n_control]]
        assert row._10 == pytest.approx(stats.fisher_exact(square, alternative="greater").pvalue, rel=1e-10)
        assert (row.fraction, row.fraction_control) == (row.n / 40, row.n_control / 70)
    np.testing.assert_allclose(found["log10_p-value"], np.log10(found["p-value"]), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["q-value"], stats.false_discovery_control(found["p-value"]), rtol=1e-12)


@pytest.mark.parametrize("test", ["binomial", None])
def test_unequal_lengths_are_tested_by_windows(test: Any) -> None:
    motifs = some_motifs()
    X, control = some_sequences(40, 60, 0, motifs["m3"]), some_sequences(50, 90, 1)
    found = motif_enrichment(X, control, motifs, THRESHOLD, test=test).sort_values("motif_idx")
    for (name, motif), p in zip(motifs.items(), found["p-value"], strict=True):
        a, b = having({name: motif}, X)[0], having({name: motif}, control)[0]
        places, others = 40 * (61 - motif.shape[1]), 50 * (91 - motif.shape[1])
        assert p == pytest.approx(stats.binom.sf(a - 1, a + b, places / (places + others)), rel=1e-10)


def test_the_least_p_values_are_told_apart() -> None:
    """Far below what a double can hold."""
    motif = {"m": np.eye(4)[:, [0, 1, 2, 3, 3, 0]]}
    site = nb.one_hot_encode("AACGTTAA").expand(1500, -1, -1)
    none = nb.one_hot_encode("AAAAAAAA").expand(1500, -1, -1)
    for k in (1500, 1400):
        X = torch.cat([site[:k], none[k:]])
        found = motif_enrichment(X, none, motif, THRESHOLD).iloc[0]
        assert found["p-value"] == 0
        logp = stats.hypergeom.logsf(k - 1, 3000, k, 1500) if k < 1500 else stats.hypergeom.logpmf(k, 3000, k, 1500)
        assert found["log10_p-value"] == pytest.approx(logp / np.log(10), rel=1e-9)
        fisher, binomial = (motif_enrichment(X, none, motif, THRESHOLD, test=one) for one in ("fisher", "binomial"))
        assert fisher["log10_p-value"].iloc[0] < binomial["log10_p-value"].iloc[0]  # without replacement there is less


def test_no_enrichment_where_there_is_none() -> None:
    """Under the null, p-values are no smaller than uniform ones."""
    motifs = some_motifs(300)
    found = motif_enrichment(some_sequences(150, 80, 0), some_sequences(150, 80, 1), motifs, THRESHOLD)
    for level in (0.01, 0.05, 0.2):
        assert (found["p-value"] <= level).mean() <= level + 2 * np.sqrt(level / 300)
    assert found["q-value"].min() > 0.05


def test_laws() -> None:
    motifs = some_motifs()
    X, control = some_sequences(40, 60, 0, motifs["m3"]), some_sequences(70, 60, 1)
    found = motif_enrichment(X, control, motifs, THRESHOLD)
    turned = motif_enrichment(X.flip(1, 2), control.flip(1, 2), motifs, THRESHOLD)
    same(turned, found)  # a sequence and its reverse complement
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    same(motif_enrichment(X[order], control, motifs, THRESHOLD), found)
    other = motif_enrichment(control, X, motifs, THRESHOLD).set_index("name").loc[found["name"]]
    np.testing.assert_allclose(other["ratio"].to_numpy() * found["ratio"].to_numpy(), 1, rtol=1e-12)
    exactly = stats.hypergeom.pmf(found["n"], 110, found["n"] + found["n_control"], 40)
    np.testing.assert_allclose(found["p-value"].to_numpy() + other["p-value"].to_numpy(), 1 + exactly, rtol=1e-9)


def test_more_hits_in_a_sequence_do_not_count() -> None:
    motif = {"m": np.eye(4)[:, [0, 1, 2, 3, 3, 0]]}
    once, often = nb.one_hot_encode("ACGTTA" + "A" * 30), nb.one_hot_encode("ACGTTA" * 6)
    none = nb.one_hot_encode("A" * 36)
    found = [
        motif_enrichment(torch.stack([X, none]), none[None], motif, THRESHOLD, reverse_complement=False)
        for X in (once, often)
    ]
    assert [(one["n"].item(), one["hits"].item()) for one in found] == [(1, 1), (1, 6)]
    same(found[0].drop(columns="hits"), found[1].drop(columns="hits"))


def test_inputs_of_all_kinds(tmp_path: Path) -> None:
    motifs = some_motifs(5)
    X, control = some_sequences(20, 60, 0, motifs["m3"]), some_sequences(30, 60, 1)
    found = motif_enrichment(X, control, motifs, THRESHOLD)
    nb.one_hot_to_fasta(X, tmp_path / "x.fa")
    same(motif_enrichment(tmp_path / "x.fa", control.numpy(), motifs, THRESHOLD), found)
    same(motif_enrichment(nb.PackedSequence.from_one_hot(X), control.reshape(10, 3, 4, 60), motifs, THRESHOLD), found)
    nb.write_meme(tmp_path / "m.meme", {name: torch.from_numpy(one) for name, one in motifs.items()})
    assert motif_enrichment(X, control, tmp_path / "m.meme", THRESHOLD)["name"].iloc[0] == "m3"
    forward = motif_enrichment(X, control, motifs, THRESHOLD, reverse_complement=False).sort_values("motif_idx")
    assert (
        forward["hits"].tolist()
        == fimo(motifs, X, threshold=THRESHOLD, reverse_complement=False, return_counts=True).tolist()
    )


def test_a_motif_that_is_nowhere() -> None:
    wide = {"wide": np.full((4, 80), 0.25), "rare": np.eye(4)[:, [0, 1, 2, 3, 3, 0, 0, 0]]}
    X, control = nb.one_hot_encode("A" * 60)[None], nb.one_hot_encode("C" * 60).expand(9, -1, -1)
    for test in ("fisher", "binomial"):
        found = motif_enrichment(X, control, wide, test=test)
        for column, value in (("n", 0), ("hits_control", 0), ("ratio", 1), ("p-value", 1), ("q-value", 1)):
            assert found[column].tolist() == pytest.approx([value, value])


def test_errors_say_what_to_do() -> None:
    motifs, X = some_motifs(2), some_sequences(4, 30, 0)
    with pytest.raises(NbinterpError, match=r"motif_enrichment\(control\): got no sequences"):
        motif_enrichment(X, X[:0], motifs)
    with pytest.raises(NbinterpError, match=r"motif_enrichment\(test\): got 'fischer'.*fisher"):
        motif_enrichment(X, X, motifs, test="fischer")  # type: ignore[arg-type]
    with pytest.raises(NbinterpError, match=r"motif_enrichment\(motifs\): got none"):
        motif_enrichment(X, X, {})
    with pytest.raises(NbinterpError, match="threshold"):
        motif_enrichment(X, X, motifs, 0)


def test_on_another_device(second_device: str) -> None:
    motifs = some_motifs()
    X, control = some_sequences(40, 60, 0, motifs["m3"]), some_sequences(70, 60, 1)
    same(
        motif_enrichment(X, control, motifs, THRESHOLD, device=second_device),
        motif_enrichment(X, control, motifs, THRESHOLD, device="cpu"),
    )


@pytest.mark.real
@pytest.mark.parametrize("n", [1, 10])
def test_peaks_of_pu1_have_its_motif(data_dir: Path, n: int) -> None:
    """Of 879 motifs those of PU.1 (SPI1) and its family lead the list; shuffles against shuffles have none."""
    X = nb.read_sequences(data_dir / "pu1_200.fa").X.to_one_hot()
    motifs = read_meme(data_dir / "jaspar_core_vertebrates.meme")
    shuffles = nb.dinucleotide_shuffle(X, n=n + 1, random_state=0)
    found = motif_enrichment(X, shuffles[:, 1:], motifs)
    factor = found["name"].str.split().str[1]
    print(
        found.assign(name=factor).head(12).drop(columns=["motif_idx", "log10_p-value"]).to_string(float_format="%.3g")
    )
    assert len(found) == 879
    assert set(factor[:3].str.upper()) == {"SPI1", "SPIB", "SPIC"}
    assert factor[:8].str.match(ETS).all()
    best = found[factor.str.upper() == "SPI1"].iloc[0]
    assert best["n"] == 200  # every peak has one
    assert best["fraction_control"] < 0.15
    assert best["ratio"] > 8
    assert best["p-value"] < 1e-80
    assert best["q-value"] < 1e-78
    family = factor.str.match(ETS)
    assert family.sum() > 20
    rank = np.arange(len(found))
    above = stats.mannwhitneyu(rank[~family], rank[family]).statistic / (family.sum() * (~family).sum())
    print(f"{family.sum()} motifs of the family stand above {above:.1%} of the others")
    assert above > 0.95
    assert motif_enrichment(shuffles[:, 0], shuffles[:, 1:], motifs)["q-value"].min() > 0.05
