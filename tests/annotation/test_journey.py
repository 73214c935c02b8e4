"""From attributions to grammar, on the model whose grammar is known: names, places, counts, pairs and distances.

The figures are printed; the bounds leave room for another machine's rounding, and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp import demo
from nbinterp.annotation import motif_sites, name_seqlets
from nbinterp.demo.grammar import EFFECTS, PAIR, PAIR_GAPS
from nbinterp.errors import NbinterpError

N = 100
PALINDROME = "NRF1"  # on both strands at once
FAMILIES = {  # what JASPAR calls the planted motifs; REP and DECOY are made up
    "ETS": r"ETS\d|ETV\d|ELF\d|ELK\d|EHF|ERF|ERG|FLI1|FEV|GABPA",
    "AP1": r"JUN\w?|FOS\w*|JDP2|NFE2|BACH\d|BATF\d?|ATF\d|BNC2",
    "NRF1": "NRF1",
    "GATA": r"GATA\d|TRPS1",
    "TEAD": r"TEAD\d",
}


class Journey(NamedTuple):
    """One task: attributions, seqlets with the motif's name and place, and hits of the planted motifs."""

    task: str
    scores: torch.Tensor
    seqlets: pd.DataFrame
    named: pd.DataFrame
    hits: pd.DataFrame

    def confident(self) -> pd.DataFrame:
        """Seqlets of sure names, where the whole motif lies."""
        return motif_sites(name_seqlets(self.named), demo.LENGTH)

    def strong(self, least: float = 0.1) -> pd.DataFrame:
        """Hits that the model uses: half of the least planted effect."""
        return self.hits[self.hits["attribution"].abs() >= least]


@pytest.fixture(scope="module")
def planted() -> tuple[torch.Tensor, pd.DataFrame]:
    return demo.sequences(N, random_state=1)


@pytest.fixture(scope="module")
def walk(planted: tuple[torch.Tensor, pd.DataFrame]) -> Callable[[str], Journey]:
    X, _ = planted
    model, known = demo.load_model(), demo.motifs(n_shuffled=4)

    @cache
    def one(task: str) -> Journey:
        target = demo.TASKS.index(task)
        attributions = nb.deep_lift_shap(model, X, target=target, n_shuffles=5, batch_size=250, random_state=0)
        scores = attributions.sum(dim=1)
        seqlets = nb.recursive_seqlets(scores, both_signs=True)
        named = nb.annotate_seqlets(X, seqlets, known, as_table=True)
        hits = nb.attribute_annotations(attributions, nb.fimo(demo.motifs(), X, as_table=True))
        return Journey(task, scores, seqlets, named, hits)

    return one


@pytest.mark.parametrize(("task", "recall", "precision"), [("enhancer", 0.9, 0.9), ("cooperative", 0.55, 0.95)])
def test_planted_motifs_are_found_by_name_at_their_places(
    walk: Callable[[str], Journey],
    planted: tuple[torch.Tensor, pd.DataFrame],
    task: str,
    recall: float,
    precision: float,
) -> None:
    _, truth = planted
    named = walk(task).confident()
    found = demo.recovery(named, truth, task, min_overlap=1, by_name=True)  # to the base
    print(f"{task}, seqlets by name and place: {found}\n{found.by_motif.to_string()}")
    assert found.recall > recall
    assert found.precision > precision
    assert named["name"].str.contains("shuffled").sum() <= 2
    rates = found.by_motif.set_index(["name", "role"])["recall"]
    assert rates[rates.index.get_level_values("role") != "single"].min() > 0.8
    if task == "cooperative":  # a site by itself adds a quarter of what it adds in a pair: too little for a seqlet
        assert rates.xs("pair", level="role").min() > 0.9
        assert rates.xs("single", level="role").max() < 0.2


@pytest.mark.parametrize("task", demo.TASKS)
def test_strands_are_right(
    walk: Callable[[str], Journey], planted: tuple[torch.Tensor, pd.DataFrame], task: str
) -> None:
    both = walk(task).confident().merge(planted[1], on=["example_idx", "start", "end", "name"], suffixes=("", "_truth"))
    both = both[both["name"] != PALINDROME]
    assert len(both) > 50
    assert (both["strand"] == both["strand_truth"]).all()


@pytest.mark.parametrize("task", demo.TASKS)
def test_a_real_database_names_the_families(
    walk: Callable[[str], Journey], planted: tuple[torch.Tensor, pd.DataFrame], task: str
) -> None:
    """With the whole of JASPAR, seqlets on planted sites get the name of the factor's family, or none."""
    X, truth = planted
    matches = nb.annotate_seqlets(X, walk(task).seqlets, nb.load_jaspar(), n_nearest=10, as_table=True)
    named = name_seqlets(matches)
    both = named.merge(truth, on="example_idx", suffixes=("", "_truth"))
    shared = both[["end", "end_truth"]].min(axis=1) - both[["start", "start_truth"]].max(axis=1)
    both = both[(shared >= 6) & both["name_truth"].isin(FAMILIES)]
    said = both["name"].str.upper().str.extract(r"\.\d (\w+)")[0]  # the first of a dimer
    for name, family in FAMILIES.items():
        of = both["name_truth"] == name
        if of.sum() < 20:  # this task does not use it
            continue
        sure = of & said.notna()
        right = said[sure].str.fullmatch(family).mean()
        print(f"{task}, {name}: {sure.sum()} of {of.sum()} seqlets are named, {right:.0%} in the family")
        assert sure.sum() > 0.5 * of.sum()
        assert right > 0.88


def test_signs_are_right(walk: Callable[[str], Journey]) -> None:
    """Attributions of a site are its planted effect."""
    named = walk("enhancer").confident()
    typical = named.groupby("name")["attribution"].median()
    for name in ("ETS", "AP1", "NRF1", "REP"):
        assert typical[name] == pytest.approx(EFFECTS[name][0], abs=0.2)


@pytest.mark.parametrize("task", demo.TASKS)
def test_attributions_make_hits_precise(
    walk: Callable[[str], Journey], planted: tuple[torch.Tensor, pd.DataFrame], task: str
) -> None:
    """FIMO finds what looks like a motif; with attributions, what the model uses, and none of it is lost."""
    _, truth = planted
    journey = walk(task)
    alone = demo.recovery(journey.hits, truth, task, min_overlap=1, by_name=True)
    kept = demo.recovery(journey.strong(), truth, task, min_overlap=1, by_name=True)
    print(f"{task}, FIMO: {alone}\n{task}, FIMO and attributions: {kept}")
    assert kept.recall == alone.recall > 0.8
    assert alone.precision < 0.6
    assert kept.precision > 0.97


def test_attributions_allow_a_looser_threshold(
    walk: Callable[[str], Journey], planted: tuple[torch.Tensor, pd.DataFrame]
) -> None:
    """Sites with a letter wrong are above FIMO's usual threshold."""
    X, truth = planted
    loose = nb.attribute_annotations(walk("enhancer").scores, nb.fimo(demo.motifs(), X, threshold=1e-3, as_table=True))
    kept = loose[loose["attribution"].abs() >= 0.3]
    usual = demo.recovery(walk("enhancer").strong(), truth, "enhancer", 1, by_name=True)
    alone, both = (demo.recovery(one, truth, "enhancer", 1, by_name=True) for one in (loose, kept))
    print(f"enhancer, FIMO at 0.001: {alone}\nenhancer, FIMO at 0.001 and attributions: {both}")
    assert alone.precision < 0.45
    assert both.precision > 0.88
    assert both.recall > max(0.94, usual.recall + 0.05)


def test_decoys_are_there_and_do_nothing(
    walk: Callable[[str], Journey], planted: tuple[torch.Tensor, pd.DataFrame]
) -> None:
    decoys = planted[1].query("name == 'DECOY'")
    for task in demo.TASKS:
        journey = walk(task)
        hits = journey.hits[journey.hits["name"] == "DECOY"]
        found = hits.merge(decoys, on=["example_idx", "start", "end"])
        assert found[["example_idx", "start"]].drop_duplicates().shape[0] > 0.8 * len(decoys)  # they look like motifs
        assert hits["attribution"].abs().max() < 0.05
        assert (journey.confident()["name"] == "DECOY").sum() <= 3


def test_counts(walk: Callable[[str], Journey], planted: tuple[torch.Tensor, pd.DataFrame]) -> None:
    _, truth = planted
    named, names = walk("enhancer").confident(), list(demo.motifs(n_shuffled=4))
    counts = nb.count_annotations(named, names=names, shape=(N, len(names)), as_table=True)
    true = nb.count_annotations(truth, names=names, shape=(N, len(names)), as_table=True)
    for name in ("ETS", "AP1", "NRF1", "REP"):
        right = (counts[name] == true[name]).mean()
        print(f"{name}: counted right in {right:.0%} of sequences")
        assert right > 0.9
    assert counts["DECOY"].sum() <= 3 < true["DECOY"].sum()


def test_pairs(walk: Callable[[str], Journey], planted: tuple[torch.Tensor, pd.DataFrame]) -> None:
    """GATA and TEAD are together in half of the sequences."""
    pairs = nb.pairwise_annotations(walk("cooperative").confident(), as_table=True)
    apart = pairs.where(~np.eye(len(pairs), dtype=bool), 0)
    both = int(planted[1].query("role == 'pair'")["example_idx"].nunique())
    print(f"{PAIR[0]} with {PAIR[1]} in {apart.loc[PAIR]} sequences, planted in {both}")
    assert apart.loc[PAIR] == apart.to_numpy().max()
    assert 0.85 * both <= apart.loc[PAIR] <= both + 2
    assert apart.loc[PAIR] > 2 * apart.drop(index=list(PAIR)).to_numpy().max()


@pytest.mark.parametrize("of", ["seqlets", "hits"])
def test_spacings(walk: Callable[[str], Journey], of: str) -> None:
    """The five planted distances, in the planted order and on one strand, and nothing else."""
    journey = walk("cooperative")
    table = journey.confident() if of == "seqlets" else journey.strong()
    found = nb.spacing_enrichment(table, demo.LENGTH, max_distance=50, stranded=True)
    print(found.head(7).to_string(float_format="%.2g"))
    sure = found[found["q-value"] < 0.05]
    assert set(sure["distance"]) == set(range(PAIR_GAPS[0], PAIR_GAPS[1] + 1))
    assert len(sure) == 5
    assert set(zip(sure["row"], sure["column"], strict=True)) == {PAIR}
    assert (sure["orientation"] == "downstream, same").all()
    assert found["q-value"].iloc[5] > 0.2


def test_recovery_by_name_counts_by_hand() -> None:
    columns = ["example_idx", "start", "end", "name"]
    truth = pd.DataFrame([(0, 10, 20, "ETS"), (0, 50, 60, "REP"), (1, 10, 20, "AP1")], columns=columns)
    truth["role"] = ["activator", "repressor", "activator"]
    spans = pd.DataFrame([(0, 10, 20, "ETS"), (0, 50, 60, "ETS"), (1, 11, 21, "AP1")], columns=columns)
    every, named, exact = (
        demo.recovery(spans, truth, min_overlap=overlap, by_name=by_name)
        for overlap, by_name in ((0.5, False), (0.5, True), (1, True))
    )
    assert (every.recall, every.precision) == (1, 1)
    assert (named.recall, named.precision) == pytest.approx((2 / 3, 2 / 3))  # one has another's name
    assert (exact.recall, exact.precision) == pytest.approx((1 / 3, 1 / 3))  # and one lies a base away
    with pytest.raises(NbinterpError, match=r"recovery\(seqlets\).*need columns name"):
        demo.recovery(spans.drop(columns="name"), truth, by_name=True)


def test_shuffled_motifs_have_the_same_columns_and_say_something_else() -> None:
    planted, known = demo.motifs(), demo.motifs(n_shuffled=4)
    assert list(known)[:7] == list(planted)
    assert len(known) == 35
    said = {nb.characters(one) for name in planted for one in (planted[name], planted[name].flip(0, 1))}
    for name in list(known)[7:]:
        original = planted[name.split()[0]]
        assert sorted(known[name].T.tolist()) == sorted(original.T.tolist())
        assert known.consensus(name) not in said
    with pytest.raises(NbinterpError, match="n_shuffled"):
        demo.motifs(-1)
