"""PatternView: what it is given, what it stores, what comes back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.live.wire import Packed, unpack_blocks
from nbinterp.motif import Pattern, PatternSet, patterns_from_seqlets
from nbinterp.widget import PatternView, link


def patterns(n: int = 12) -> PatternSet:
    """Two patterns, of one sign each."""
    rng = np.random.default_rng(0)
    X = np.eye(4)[rng.integers(0, 4, (n, 60))].transpose(0, 2, 1)
    scores = X * rng.random((n, 1, 60))
    spans = pd.DataFrame(
        {"example_idx": np.arange(n), "start": 10, "end": 20, "name": "up", "strand": ["+", "-"] * (n // 2)}
    )
    down = spans.assign(name="down", start=30, end=42)
    scores[:, :, 30:42] *= -1
    return patterns_from_seqlets(X, scores, pd.concat([spans, down], ignore_index=True))


def blocks(view: PatternView) -> dict[str, np.ndarray]:
    return unpack_blocks(Packed(view.data, json.loads(view.meta)["blocks"]))


def test_what_is_stored_is_what_was_given() -> None:
    given = patterns()
    view = PatternView(given, rows=np.arange(12)[::-1])
    held, facts = blocks(view), json.loads(view.meta)["patterns"]
    assert [one["name"] for one in facts] == list(given.names)
    for i, pattern in enumerate(given):
        letters, scores = pattern.seqlet_arrays["sequence"], pattern.seqlet_arrays["contrib_scores"].sum(axis=1)
        assert np.array_equal(held[f"codes{i}"], letters.argmax(axis=1))
        np.testing.assert_allclose(held[f"scores{i}"] * held[f"scale{i}"], scores, atol=1e-4 * np.abs(scores).max())
        np.testing.assert_allclose(held[f"total{i}"], scores.sum(axis=1), rtol=1e-5)
        np.testing.assert_allclose(held[f"cwm{i}"], pattern.contrib_scores, rtol=1e-6)
        example, start, _, minus, row, part = held[f"places{i}"].T
        assert (row == 11 - example).all()
        assert (start == pattern.seqlets["start"]).all()
        assert (minus == (pattern.seqlets["strand"] == "-")).all()
        assert (part == -1).all()
        np.testing.assert_allclose(held[f"centres{i}"], (pattern.seqlets["start"] + pattern.seqlets["end"]) / 2 - 30)


def test_of_many_seqlets_some_are_stored_from_strong_to_weak() -> None:
    given = patterns(400)
    held = blocks(PatternView(given, n_seqlets=50))
    assert held["places0"].shape == (50, 6)
    assert held["totals0"].shape == held["centres0"].shape == (400,)
    stored, every = np.sort(held["total0"]), np.sort(held["totals0"])
    assert (stored[0], stored[-1]) == (every[0], every[-1])
    assert np.abs(stored - np.quantile(every, np.linspace(0, 1, 50))).max() < 0.2 * np.ptp(every)
    assert np.array_equal(held["totals0"][held["which0"]], held["total0"])


def test_subpatterns_and_what_is_in_none() -> None:
    whole = patterns()[0]
    half = Pattern(
        f"{whole.name}.subpattern_3",
        whole.sequence,
        whole.contrib_scores,
        whole.hypothetical_contribs,
        whole.seqlets[:5],
        {},
    )
    other = Pattern(f"{whole.name}.subpattern_4", np.eye(4), np.eye(4), np.eye(4), whole.seqlets[5:6], {})
    both = Pattern(
        whole.name,
        whole.sequence,
        whole.contrib_scores,
        whole.hypothetical_contribs,
        whole.seqlets,
        whole.seqlet_arrays,
        (half, other),
    )
    view = PatternView(PatternSet((both,), window_size=60))
    held = blocks(view)
    assert held["places0"][:, 5].tolist() == [0] * 5 + [1] + [-1] * 6
    assert json.loads(view.meta)["patterns"][0]["parts"] == [
        {"name": "subpattern_3", "n": 5},
        {"name": "subpattern_4", "n": 1},
    ]
    assert "pfm0.0" in held
    assert "pfm0.1" not in held  # of another width: it is not on the pattern's columns


def test_what_is_chosen_comes_back() -> None:
    given = patterns()
    view = PatternView(given, pattern="neg_patterns.pattern_0", length=100)
    assert (view.pattern, view.name) == (1, "neg_patterns.pattern_0")
    assert view.selected is None
    view.seqlet = 3
    assert view.selected is not None
    assert view.selected["example_idx"] == 3
    assert blocks(view)["places1"][3, 1] == 30 + 20  # of the whole sequence
    assert view.to_png()[:4] == b"\x89PNG"
    assert link(view, PatternView(given)) == view.link


def test_without_letters_and_without_seqlets() -> None:
    seqlets = pd.DataFrame({"example_idx": [1], "start": [3], "end": [7], "strand": ["+"]})
    bare = Pattern("pos_patterns.pattern_0", np.eye(4), np.eye(4), np.eye(4), seqlets, {})
    none = Pattern("pos_patterns.pattern_1", np.eye(4), 0 * np.eye(4), np.eye(4), seqlets[:0], {})
    view = PatternView(PatternSet((bare, none)))
    held, facts = blocks(view), json.loads(view.meta)
    assert [one["letters"] for one in facts["patterns"]] == [False, False]
    assert facts["window"] is None
    assert "codes0" not in held
    assert np.isnan(held["totals0"]).all()
    assert held["places1"].shape == (0, 6)
    assert view.to_png()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pattern": "pos_patterns.pattern_00"}, "did you mean 'pos_patterns.pattern_0'"),
        ({"pattern": 2}, "0 to 1"),
        ({"order": "size"}, "order"),
        ({"n_seqlets": 0}, "at least 1"),
        ({"colors": "rainbow"}, "colors"),
        ({"length": 30}, "at most 30"),
    ],
)
def test_wrong_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        PatternView(patterns(), **options)


def test_no_patterns() -> None:
    with pytest.raises(NbinterpError, match="none"):
        PatternView(PatternSet(()))
