"""From a model to hits: attributions, contribution matrices, hits, and the truth of the embedded model.

The matrices are the mean contributions at the sites that were planted in some sequences; hits are called in others.  Of both tasks
every motif is sought, those that do nothing in it too, as anyone would do who does not know the truth.  A scan for the same motifs
finds letters, whatever the model makes of them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp import demo
from nbinterp.hit import call_hits


@cache
def attributed(n: int, seed: int, task: int) -> tuple[torch.Tensor, pd.DataFrame, np.ndarray]:
    """Sequences, what was planted, and the contribution of each base that is there."""
    X, truth = demo.sequences(n, random_state=seed)
    scores = nb.deep_lift_shap(
        demo.load_model(), X, target=task, n_shuffles=3, hypothetical=True, random_state=0, device="cpu"
    )
    return X, truth, (X * scores).sum(dim=1).numpy()


def at_recall(table: pd.DataFrame, by: str, ascending: bool, truth: pd.DataFrame, task: str, least: float) -> float:
    """Precision of the shortest list from the top that has this recall."""
    table = table.sort_values(by, ascending=ascending, kind="stable")
    ends = np.flatnonzero(np.r_[table[by].to_numpy()[1:] != table[by].to_numpy()[:-1], True]) + 1  # equals go together
    low, high = 0, len(ends) - 1
    while low < high:  # recall never falls with the length of the list
        middle = (low + high) // 2
        enough = demo.recovery(table.head(ends[middle]), truth, task, by_name=True).recall >= least
        low, high = (low, middle) if enough else (middle + 1, high)
    return demo.recovery(table.head(ends[low]), truth, task, by_name=True).precision


@pytest.mark.parametrize("task", demo.TASKS)
def test_planted_sites_are_recovered(task: str) -> None:
    X, truth, values = attributed(80, 0, demo.TASKS.index(task))
    motifs = nb.average_annotations(*attributed(100, 1, demo.TASKS.index(task))[::2], demo.sequences(100, 1)[1])
    hits = call_hits(X, values, motifs, device="cpu").table
    scan = nb.fimo({name: demo.motifs().pwm(name) for name in motifs}, X, threshold=1e-3, as_table=True, device="cpu")
    all_hits = demo.recovery(hits, truth, task, by_name=True)
    print(f"\n{task}: {all_hits}")
    assert all_hits.recall > 0.95
    assert all_hits.precision > 0.35  # with motifs that do nothing, whose contributions are noise: their hits are weak
    for recall in (0.8, 0.9, 0.95):
        ours = at_recall(hits, "score", False, truth, task, recall)
        theirs = at_recall(scan, "p-value", True, truth, task, recall)
        print(f"  at a recall of {recall:.0%}: precision {ours:.1%}, FIMO {theirs:.1%}")
        assert ours > 0.88
        assert ours > theirs + 0.2


def test_a_scan_for_the_motifs_that_act_alone() -> None:
    """Planted sites differ from chance occurrences in nothing: knowing which motifs act, letters say as much as contributions."""
    X, truth, values = attributed(80, 0, 0)
    acting = ["ETS", "AP1", "NRF1", "REP"]
    sites = demo.sequences(100, 1)[1]
    motifs = nb.average_annotations(*attributed(100, 1, 0)[::2], sites[sites["name"].isin(acting)])
    hits = call_hits(X, values, motifs, device="cpu").table
    scan = nb.fimo({name: demo.motifs().pwm(name) for name in acting}, X, threshold=1e-3, as_table=True, device="cpu")
    ours, theirs = (
        at_recall(hits, "score", False, truth, "enhancer", 0.9),
        at_recall(scan, "p-value", True, truth, "enhancer", 0.9),
    )
    print(f"\nacting motifs alone: precision {ours:.1%}, FIMO {theirs:.1%}")
    assert ours > theirs - 0.05
