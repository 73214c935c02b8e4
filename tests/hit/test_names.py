"""Hits named after known motifs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.hit import call_hits
from nbinterp.hit.names import match_motifs, name_hits
from nbinterp.motif import patterns_from_seqlets
from tests.hit.synthetic import regions

KNOWN = nb.demo.motifs(n_shuffled=4)


def flanked(name: str, turned: bool = False) -> np.ndarray:
    """A motif within columns that say nothing."""
    matrix = np.pad(KNOWN.pwm(name).double().numpy(), ((0, 0), (5, 7)), constant_values=0.25)
    return matrix[::-1, ::-1].copy() if turned else matrix


def test_the_nearest_is_the_name() -> None:
    queries = nb.MotifSet(
        {
            "p0": flanked("ETS"),
            "p1": flanked("GATA", turned=True),
            "p2": np.full((4, 8), 0.25) + np.eye(4)[:, [0, 1, 2, 3] * 2] * 1e-3,
        }
    )
    found = match_motifs(queries, KNOWN)
    assert found["name"].tolist() == ["p0", "p1", "p2"]
    assert found["match"].tolist()[:2] == ["ETS", "GATA"]
    assert found["match_strand"].tolist()[:2] == ["+", "-"]
    assert found["match_q"][:2].lt(1e-3).all()
    none = match_motifs(queries, KNOWN, threshold=0)
    assert none["match"].eq("").all()
    assert none["match_strand"].eq("").all()


def test_every_hit_has_the_name_of_its_motif() -> None:
    matches = pd.DataFrame(
        {"name": ["m0", "m1"], "match": ["GATA1", ""], "match_q": [0.01, 0.7], "match_strand": ["+", ""]}
    )
    data = regions(6)
    hits = call_hits(data.X, data.projected, data.motifs, lambdas=0.6, device="cpu").table
    named = name_hits(hits, matches)
    assert len(named) == len(hits)
    for name, match in (("m0", "GATA1"), ("m1", ""), ("m2", "")):
        assert named.loc[named["name"] == name, "match"].eq(match).all()
    assert named.loc[named["name"] == "m0", "match_q"].eq(0.01).all()
    assert named.loc[named["name"] == "m2", "match_q"].isna().all()
    files = name_hits(pd.DataFrame({"motif_name": ["own", "m1"]}), matches, {"own": "m0"})
    assert files["match"].tolist() == ["GATA1", ""]
    assert len(name_hits(hits.iloc[:0], matches)) == 0


def test_patterns_by_their_letters() -> None:
    X, truth = nb.demo.sequences(60, random_state=0)
    sites = truth[truth["name"].isin(["ETS", "REP"])].assign(start=lambda t: t["start"] - 4, end=lambda t: t["end"] + 4)
    effect = {"ETS": 1.0, "REP": -1.0}
    scores = np.zeros(X.shape)
    for example, start, end, name in sites[["example_idx", "start", "end", "name"]].itertuples(index=False):
        scores[example, :, start + 4 : end - 4] = effect[name]
    patterns = patterns_from_seqlets(X, scores, sites)
    found = match_motifs(patterns, KNOWN)
    assert dict(zip(found["name"], found["match"], strict=True)) == {
        "pos_patterns.pattern_0": "ETS",
        "neg_patterns.pattern_0": "REP",
    }


def test_nothing_to_compare_with() -> None:
    with pytest.raises(nb.errors.NbinterpError):
        match_motifs(nb.MotifSet({"a": np.eye(4)}), nb.MotifSet({}))
