"""The demo: its model learned its grammar, and attributions find what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp import demo
from nbinterp.demo.grammar import CONSENSUS, activity
from nbinterp.errors import NbinterpError


def test_the_same_seed_gives_the_same_sequences() -> None:
    X, truth = demo.sequences(20, random_state=3)
    again, same = demo.sequences(20, random_state=3)
    assert torch.equal(X, again)
    pd.testing.assert_frame_equal(truth, same)
    assert (X.sum(dim=1) == 1).all()
    for row in truth.itertuples():
        assert row.end - row.start == len(CONSENSUS[row.name])


def test_planted_sites_look_like_their_motifs() -> None:
    X, truth = demo.sequences(200, random_state=1)
    agree = []
    for row in truth.itertuples():
        site = nb.characters(X[row.example_idx, :, row.start : row.end])
        site = site if row.strand == "+" else nb.reverse_complement(site)
        agree.append(np.mean([a == b for a, b in zip(site, CONSENSUS[row.name], strict=True)]))
    assert 0.95 < np.mean(agree) < 1


def test_pairs_keep_their_order_strand_and_gap() -> None:
    _, truth = demo.sequences(200, random_state=1)
    pairs = truth[truth["role"] == "pair"]
    assert len(pairs) > 50
    for _, two in pairs.groupby("example_idx"):
        left, right = two.sort_values("start").itertuples()
        assert left.strand == right.strand
        assert 4 <= right.start - left.end <= 8
        assert (left.name, right.name) == (("GATA", "TEAD") if left.strand == "+" else ("TEAD", "GATA"))


def test_the_model_learned_the_grammar() -> None:
    model = demo.load_model()
    X, truth = demo.sequences(300, random_state=99)
    predicted = nb.predict(model, X).numpy()
    known = activity(truth, 300)
    for task in range(2):
        assert np.corrcoef(predicted[:, task], known[:, task])[0, 1] > 0.93
    assert min(demo.truth()["held_out_pearson"].values()) > 0.93


def test_attributions_and_seqlets_recover_what_was_planted() -> None:
    """The figures of the demo report; the thresholds leave room for another machine's rounding."""
    X, truth = demo.sequences(40, random_state=0)
    scores = nb.deep_lift_shap(demo.load_model(), X, target=0, random_state=0, batch_size=64)
    found = demo.recovery(nb.recursive_seqlets(scores.sum(dim=1), both_signs=True), truth, task="enhancer")
    assert found.recall > 0.93
    assert found.precision > 0.75
    assert found.n_sites > 40


def test_recovery_counts_by_hand() -> None:
    truth = pd.DataFrame(
        {
            "example_idx": [0, 0, 1],
            "start": [10, 50, 10],
            "end": [20, 60, 20],
            "name": ["ETS", "DECOY", "REP"],
            "role": ["activator", "decoy", "repressor"],
        }
    )
    seqlets = pd.DataFrame({"example_idx": [0, 0, 1], "start": [15, 50, 16], "end": [21, 60, 30]})
    found = demo.recovery(seqlets, truth)
    assert found.n_sites == 2  # the decoy does nothing
    assert found.recall == 0.5  # five of ten bases are half; four are not
    assert found.precision == pytest.approx(1 / 3)
    empty = demo.recovery(seqlets.iloc[:0], truth)
    assert empty.recall == 0
    assert np.isnan(empty.precision)
    with pytest.raises(NbinterpError, match="enhancer"):
        demo.recovery(seqlets, truth, task="enhancr")
