"""Hits against seqlets, by the definitions; Fi-NeMo's own numbers are in test_files.py."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.hit import HitMotifs, Regions, call_hits, hit_motifs, hits_table
from nbinterp.hit.evaluate import Evaluation, evaluate_hits
from nbinterp.motif import PatternSet, patterns_from_seqlets
from tests.hit.synthetic import regions as synthetic

WIDTH = 12


def made(length: int = 120, peaks: bool = True) -> tuple[pd.DataFrame, Regions, HitMotifs, PatternSet]:
    """Regions that overlap one another, patterns of their planted sites, and hits at a low penalty."""
    data = synthetic(14, length, noise=0.2, seed=2)
    sites = pd.DataFrame(data.truth, columns=["example_idx", "start", "name", "strand"])
    sites["end"] = sites["start"] + WIDTH
    patterns = patterns_from_seqlets(data.X, data.hypothetical, sites[sites["end"] <= length])
    table = pd.DataFrame(
        {
            "chr": ["chr1"] * 7 + ["chr2"] * 7, "chr_id": [0] * 7 + [1] * 7, "start": np.arange(14) * 50,
            "peak_id": np.arange(14) + 3, "peak_name": "p",
        }
    )  # fmt: skip
    where = Regions(data.X, data.projected, table if peaks else None, pd.DataFrame())
    motifs = hit_motifs(patterns, lambdas=0.45)
    return hits_table(call_hits(data.X, data.projected, motifs, device="cpu"), where), where, motifs, patterns


def test_recall_by_the_definition() -> None:
    hits, where, motifs, patterns = made()
    found = evaluate_hits(hits, where, motifs, patterns, window=120, tolerance=3)
    assert found.seqlets is not None
    for row in found.report.itertuples():
        mine, theirs = (t[t["motif_name"] == row.motif_name] for t in (hits, found.seqlets))
        near = [
            [
                abs(h.start_untrimmed - s.start_untrimmed)
                for h in mine.itertuples()
                if h.chr == s.chr and h.strand == s.strand
            ]
            for s in theirs.itertuples()
        ]
        assert row.num_overlaps == sum(0 in one for one in near)
        assert row.seqlet_recall_tolerant == pytest.approx(np.mean([min(one, default=99) <= 3 for one in near]))
        assert row.num_seqlets == len(theirs)
        assert row.num_hits_total == len(mine.drop_duplicates(["chr", "start_untrimmed", "strand"]))
    assert (found.report["seqlet_recall_tolerant"] >= found.report["seqlet_recall"]).all()
    assert found.report["seqlet_recall"].sum() > 1


def test_confusion_by_the_definition() -> None:
    hits, where, motifs, patterns = made()
    found = evaluate_hits(hits, where, motifs, patterns, window=120)
    assert found.seqlets is not None
    assert found.confusion is not None
    expected = {}
    for one, other in product(motifs.names[::2], repeat=2):
        mine = found.seqlets[found.seqlets["motif_name"] == one]
        covered = [
            any(
                2 * (min(h.end, s.end) - max(h.start, s.start)) >= min(h.end - h.start, s.end - s.start)
                for h in hits[(hits["motif_name"] == other) & (hits["chr"] == s.chr)].itertuples()
            )
            for s in mine.itertuples()
        ]
        if any(covered):
            expected[one, other] = np.mean(covered)
    got = found.confusion.set_index(["motif_name_seqlets", "motif_name_hits"])["frac_overlap"].to_dict()
    assert got == pytest.approx(expected)
    assert any(one != other for one, other in got)


def test_means_by_the_definition() -> None:
    hits, where, motifs, _ = made(peaks=False)
    found = evaluate_hits(hits, where, motifs)
    assert isinstance(found, Evaluation)
    assert found.confusion is found.seqlets is None
    X, values = np.asarray(where.sequences), np.asarray(where.contributions)
    for name in motifs.names[::2]:
        parts, letters = [], []
        for hit in hits[hits["motif_name"] == name].itertuples():
            if hit.start_untrimmed < 0 or hit.end_untrimmed > 120:
                continue
            at = slice(hit.start_untrimmed, hit.end_untrimmed)
            here = X[hit.peak_id][:, at]
            both = [here * values[hit.peak_id][at], here]
            if hit.strand == "-":
                both = [one[::-1, ::-1] for one in both]
            parts.append(both[0])
            letters.append(both[1])
        np.testing.assert_allclose(found.contributions[name], np.mean(parts, axis=0), atol=1e-12)
        np.testing.assert_allclose(found.frequencies[name], np.mean(letters, axis=0), atol=1e-12)
    assert found.occurrences["total"].sum() == len(hits)
    assert found.occurrences["peak_id"].tolist() == list(range(14))


def test_a_motif_without_a_strand_is_found_on_either() -> None:
    """A palindrome called on the other strand is missed exactly, and found tolerantly."""
    rng = np.random.default_rng(0)
    site = np.eye(4)[:, [2, 1, 0, 3, 2, 1]]  # GCATGC
    X = np.eye(4)[rng.integers(0, 4, (4, 60))].transpose(0, 2, 1)
    X[:, :, 20:26] = site
    scores = np.zeros_like(X)
    scores[:, :, 20:26] = site
    spans = pd.DataFrame({"example_idx": range(4), "start": 20, "end": 26, "name": "a", "strand": "+"})
    patterns = patterns_from_seqlets(X, scores, spans)
    where, motifs = Regions(X, scores, None, pd.DataFrame()), hit_motifs(patterns)
    hits = hits_table(call_hits(X, scores, motifs, device="cpu"), where)
    for strand, exact in (("+", 1), ("-", 0)):
        turned = hits.drop_duplicates("peak_id").assign(strand=strand)
        report = evaluate_hits(turned, where, motifs, patterns, window=60).report
        assert (report["seqlet_recall"][0], report["seqlet_recall_tolerant"][0]) == (exact, 1)


def test_what_does_not_belong_together() -> None:
    hits, where, motifs, patterns = made()
    with pytest.raises(NbinterpError, match=r"evaluate_hits\(hits\): got hits of stranger"):
        evaluate_hits(hits.assign(motif_name="stranger"), where, motifs)
    with pytest.raises(NbinterpError, match=r"evaluate_hits\(hits\): got one outside of peak"):
        evaluate_hits(hits.assign(start=hits["start"] + 1000, end=hits["end"] + 1000), where, motifs)
    few = Regions(where.sequences[:3], where.contributions[:3], None, pd.DataFrame())  # type: ignore[index]
    none = hits.iloc[:0]
    with pytest.raises(NbinterpError, match=r"modisco_seqlets\(patterns\): got a seqlet of region"):
        evaluate_hits(none, few, motifs, patterns)
