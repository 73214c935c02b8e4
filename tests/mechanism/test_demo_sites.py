"""On the demo model the sites are the planted ones, and the planted pair is what acts together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.cluster.hierarchy import fcluster, linkage

from nbinterp import demo
from nbinterp.attribution import saliency
from nbinterp.mechanism.library_random import random_library
from nbinterp.mechanism.sites import covariance_sites, find_sites
from nbinterp.mechanism.sites_configurations import site_configurations
from nbinterp.mechanism.sites_effects import site_effects, site_states
from nbinterp.mechanism.sites_motifs import name_sites
from nbinterp.mechanism.summary_sums import FineSums, fine_sums
from nbinterp.model import predict

TASK = demo.TASKS.index("cooperative")
MARGIN = 25  # bases beside the planted sites that the library varies too


class Case(NamedTuple):
    """A library of one demo sequence, clustered."""

    truth: pd.DataFrame
    reference: torch.Tensor
    library: Any
    y: np.ndarray
    sums: FineSums


def make(example: int, n: int, n_clusters: int, crop: bool = False) -> Case:
    """Mutate, predict, attribute and cluster; with `crop`, on the bases around the sites alone, which is faster.

    The network averages over positions, so that it takes sequences of any length.
    """
    X, truth = demo.sequences(400, random_state=7)
    truth = truth[truth["example_idx"] == example].assign(example_idx=0).reset_index(drop=True)
    window = (max(int(truth["start"].min()) - MARGIN, 0), int(truth["end"].max()) + MARGIN)
    reference = X[example]
    if crop:
        reference, truth = reference[:, slice(*window)], truth.assign(start=truth["start"] - window[0])
        truth["end"] -= window[0]
        window = (0, reference.shape[1])
    library = random_library(reference, n, rate=0.1, window=window, random_state=0)
    model = demo.load_model()
    model.in_length = reference.shape[1]
    y = predict(model, library, batch_size=64, device="cpu")[:, TASK].numpy()
    maps = saliency(model, library, target=TASK, batch_size=64, hypothetical=True, device="cpu")[:, :, slice(*window)]
    labels = fcluster(linkage(maps.flatten(1).numpy(), "ward"), n_clusters, "maxclust")
    return Case(truth, reference, library, y, fine_sums(maps, library, labels, y, start=window[0]))


def check_sites(sites: pd.DataFrame, truth: pd.DataFrame) -> None:
    """Every planted site is found, nothing else is, and both ends are right to one base."""
    found = demo.recovery(sites, truth, "cooperative", min_overlap=0.7)
    assert (found.recall, found.precision) == (1.0, 1.0)
    assert np.abs(sites["start"].to_numpy() - truth["start"].to_numpy()).max() <= 1
    assert np.abs(sites["end"].to_numpy() - truth["end"].to_numpy()).max() <= 1


def check_pair(effects: pd.DataFrame, names: dict[str, str]) -> None:
    """GATA and TEAD are the strongest of the terms of two sites, and its interval excludes zero."""
    pairs = effects[effects["order"] == 2]
    strongest = pairs.loc[pairs["effect"].abs().idxmax()]
    assert {names[site] for site in strongest["sites"]} == {"GATA", "TEAD"}
    assert strongest["low"] > 0
    others = pairs.drop(index=strongest.name)
    assert (strongest["low"] > others["effect"].abs()).all()


def journey(case: Case) -> pd.DataFrame:
    sites = find_sites(case.sums)
    check_sites(sites, case.truth)
    configurations = site_configurations(case.sums, sites)
    named = name_sites(sites, case.sums, configurations, demo.motifs(n_shuffled=4))
    assert named["motif"].tolist() == case.truth["name"].tolist()
    assert named["motif_start"].tolist() == case.truth["start"].tolist()
    assert named["motif_end"].tolist() == case.truth["end"].tolist()
    palindrome = case.truth["name"] == "NRF1"
    assert (named["strand"] == case.truth["strand"])[~palindrome].all()
    states = site_states(case.library, sites, case.reference)
    check_pair(site_effects(case.y, states), dict(zip(named["name"], named["motif"], strict=True)))
    return named


def test_sites_of_the_demo_model_are_the_planted_ones() -> None:
    """One sequence with NRF1 and the pair; the sites, their names and the pair."""
    journey(make(197, 1500, 60, crop=True))


@pytest.mark.slow
@pytest.mark.parametrize("example", [197, 346])
def test_more_sequences_of_the_demo_model(example: int) -> None:
    case = make(example, 4000, 100)
    journey(case)
    tree = covariance_sites(case.sums, n_sites=3)  # told how many, SEAM's tree finds them in one of these; elsewhere it
    if example == 197:  # splits one in two that overlap
        check_sites(tree, case.truth)
