"""Patterns in numbers: against plain h5py and numpy, against TF-MoDISco's own means, and at the edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import FormatError, NbinterpError
from nbinterp.motif import (
    Pattern,
    PatternSet,
    pattern_core,
    pattern_seqlets,
    pattern_table,
    patterns_from_seqlets,
    read_modisco,
    seqlet_contributions,
    write_modisco,
)

KEYS = ["example_idx", "start", "end", "strand"]


@pytest.fixture
def golden(data_dir: Path) -> Path:
    folder = data_dir.parent / "golden" / "modisco"
    if not (folder / "modisco_results.h5").is_file():
        pytest.skip(f"no {folder / 'modisco_results.h5'}")
    return folder


def one(name: str = "pos_patterns.pattern_0", n: int = 3, width: int = 6, sign: float = 1.0, seed: int = 0) -> Pattern:
    """A pattern of random seqlets with their arrays."""
    rng = np.random.default_rng(seed)
    letters = np.eye(4)[rng.integers(0, 4, (n, width))].transpose(0, 2, 1).astype(np.float32)
    scores = (sign * letters * rng.random((n, 1, width))).astype(np.float32)
    start = rng.integers(0, 30, n)
    table = pd.DataFrame(
        {"example_idx": np.arange(n), "start": start, "end": start + width, "strand": (["+", "-"] * n)[:n]}
    )[:n]
    means = [letters.mean(0), scores.mean(0), scores.mean(0)] if n else [np.zeros((4, width))] * 3
    arrays = {"sequence": letters, "contrib_scores": scores, "hypothetical_contribs": scores}
    return Pattern(name, *(m.astype(np.float64) for m in means), table, arrays)


# ---- against the file itself -----------------------------------------------------------------------------------------


@pytest.mark.real
def test_the_table_says_what_the_file_holds(golden: Path) -> None:
    h5py = pytest.importorskip("h5py")
    table = pattern_table(read_modisco(golden / "modisco_results.h5")).set_index("name")
    seen = 0
    with h5py.File(golden / "modisco_results.h5") as file:
        for group in ("pos_patterns", "neg_patterns"):
            for key, held in file[group].items():
                row, each = table.loc[f"{group}.{key}"], held["seqlets/contrib_scores"][()].sum(axis=(1, 2))
                centres = (held["seqlets/start"][()] + held["seqlets/end"][()]) / 2
                assert row["n_seqlets"] == held["seqlets/n_seqlets"][0] == len(each)
                assert row["n_subpatterns"] == sum(name.startswith("subpattern") for name in held)
                assert row["n_examples"] == len(set(held["seqlets/example_idx"][()].tolist()))
                assert row["contribution"] == pytest.approx(each.mean(), abs=1e-5)
                assert row["contribution_sd"] == pytest.approx(each.std(), abs=1e-5)
                assert row["distance"] == np.median(np.abs(centres - file.attrs["window_size"] / 2))
                assert row["sign"] == ("+" if group == "pos_patterns" else "-")
                seen += 1
    assert seen == len(table) == 7


@pytest.mark.real
def test_cores_of_seqlets_lie_on_the_motif(golden: Path) -> None:
    """Under each cut span stands the same stretch, in the pattern's orientation, as in the pattern's own array."""
    patterns, X = read_modisco(golden / "modisco_results.h5"), np.load(golden / "ohe.npz")["arr_0"]
    cut = pattern_seqlets(patterns, X.shape[-1], fraction=0.3)
    for pattern in patterns:
        first, last = pattern_core(pattern, 0.3)
        rows = cut[cut["name"] == pattern.name]
        for row, letters in zip(rows.itertuples(), pattern.seqlet_arrays["sequence"], strict=True):
            there = X[row.example_idx, :, row.start : row.end]
            assert np.array_equal(there[::-1, ::-1] if row.strand == "-" else there, letters[:, first:last])


@pytest.mark.real
def test_patterns_made_of_seqlets_are_those_of_modisco(golden: Path) -> None:
    patterns = read_modisco(golden / "modisco_results.h5")
    X, attributions = (np.load(golden / name)["arr_0"] for name in ("ohe.npz", "attr.npz"))
    again = patterns_from_seqlets(X, attributions, patterns.seqlets(X.shape[-1]))
    assert again.names == patterns.names
    for ours, theirs in zip(again, patterns, strict=True):
        for what in ("sequence", "contrib_scores", "hypothetical_contribs"):
            np.testing.assert_allclose(getattr(ours, what), getattr(theirs, what), atol=1e-7)  # float32 means
        assert ours.seqlets[KEYS].to_numpy().tolist() == theirs.seqlets[KEYS].to_numpy().tolist()


@pytest.mark.real
def test_planted_motifs_lie_in_the_cores(golden: Path) -> None:
    truth = pd.read_csv(golden / "truth.tsv", sep="\t")
    cut = pattern_seqlets(read_modisco(golden / "modisco_results.h5"), 400, fraction=0.3)
    both = cut.merge(truth, left_on="example_idx", right_on="seq", suffixes=("", "_true"))
    both = both[(both["start"] < both["end_true"]) & (both["end"] > both["start_true"])]
    overlap = np.minimum(both["end"], both["end_true"]) - np.maximum(both["start"], both["start_true"])
    assert len(both[["name", "motif"]].drop_duplicates()) == 7
    assert len(both) == len(truth) == 648
    assert (overlap / (both["end_true"] - both["start_true"])).min() >= 0.8


# ---- laws ----------------------------------------------------------------------------------------------------------


def test_the_core_is_that_of_trimmed_motifs() -> None:
    for seed in range(30):
        pattern = one(seed=seed, width=12)
        first, last = pattern_core(pattern, 0.6)
        motif = PatternSet((pattern,)).motifs().trim(0.6)
        assert motif.widths == (last - first,)
        np.testing.assert_allclose(motif.cwm(0), pattern.contrib_scores[:, first:last], rtol=1e-6)
        wide = pattern_core(pattern, 0.6, pad=2)
        assert wide == (max(first - 2, 0), min(last + 2, 12))


def test_the_other_strand_has_the_same_patterns() -> None:
    rng = np.random.default_rng(1)
    X = np.eye(4)[rng.integers(0, 4, (5, 40))].transpose(0, 2, 1)
    scores = rng.normal(size=X.shape)
    start = rng.integers(0, 30, 20)
    spans = pd.DataFrame(
        {"example_idx": rng.integers(0, 5, 20), "start": start, "end": start + 8, "name": ["a", "b"] * 10}
    )
    spans["strand"] = np.where(rng.random(20) < 0.5, "+", "-")
    turned = spans.assign(start=40 - spans["end"], end=40 - spans["start"])
    turned["strand"] = spans["strand"].map({"+": "-", "-": "+"})
    here, there = (
        patterns_from_seqlets(X, scores, spans),
        patterns_from_seqlets(X[:, ::-1, ::-1], scores[:, ::-1, ::-1], turned),
    )
    assert here.names == there.names
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(a.contrib_scores, b.contrib_scores, atol=1e-12)
        np.testing.assert_allclose(seqlet_contributions(a), seqlet_contributions(b), rtol=1e-6)


def test_made_patterns_are_written_and_read(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    rng = np.random.default_rng(2)
    X = np.eye(4)[rng.integers(0, 4, (4, 30))].transpose(0, 2, 1)
    spans = pd.DataFrame(
        {"example_idx": [0, 1, 2, 3], "start": [3, 4, 5, 6], "end": [9, 10, 11, 12], "name": list("uuud")}
    )
    scores = np.where(np.arange(4)[:, None, None] == 3, -X, X)
    made = patterns_from_seqlets(X, scores, spans)
    assert made.names == ("pos_patterns.pattern_0", "neg_patterns.pattern_0")
    write_modisco(tmp_path / "m.h5", made)
    pd.testing.assert_frame_equal(pattern_table(read_modisco(tmp_path / "m.h5")), pattern_table(made))


# ---- edges ---------------------------------------------------------------------------------------------------------


def test_no_patterns_one_pattern_no_seqlets() -> None:
    assert len(pattern_table(PatternSet(()))) == len(pattern_seqlets(PatternSet(()), fraction=0.3)) == 0
    empty = PatternSet((one(n=0),), window_size=40)
    row = pattern_table(empty).loc[0]
    assert (row["n_seqlets"], row["n_examples"], row["contribution"]) == (0, 0, 0)
    assert np.isnan(row["distance"])
    assert np.isnan(row["contribution_sd"])
    assert len(pattern_seqlets(empty, fraction=0.3)) == 0
    assert pattern_core(empty[0]) == (0, 6)  # nothing contributes: all of it is the core
    assert len(pattern_table(PatternSet((one(n=1),)))) == 1


def test_without_arrays_what_is_not_known_is_missing() -> None:
    full = one()
    bare = Pattern(full.name, full.sequence, full.contrib_scores, full.hypothetical_contribs, full.seqlets, {})
    assert np.isnan(seqlet_contributions(bare)).all()
    row = pattern_table(PatternSet((bare,))).loc[0]
    assert row["contribution"] == pytest.approx(float(full.contrib_scores.sum()))
    assert np.isnan([row["contribution_sd"], row["distance"]]).all()


def test_a_pattern_as_wide_as_a_column() -> None:
    pattern = one(width=1)
    assert pattern_core(pattern, 1.0, pad=5) == (0, 1)
    assert pattern_table(PatternSet((pattern,)), fraction=1.0)["width"].tolist() == [1]


def test_two_patterns_of_one_name_are_refused_as_motifs() -> None:
    with pytest.raises(NbinterpError, match="twice"):
        PatternSet((one(), one(seed=1))).motifs()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ["a", "a"], "end": [9, 12]}, "'a' of 6 and 9 positions"),
        ({"start": [-1, 3]}, "in row 0; need spans within 2"),
        ({"example_idx": [0, 9]}, "in row 1; need spans within 2"),
        ({"name": None}, "name"),
    ],
)
def test_spans_that_make_no_pattern(change: dict[str, Any], words: str) -> None:
    spans = pd.DataFrame({"example_idx": [0, 1], "start": [3, 3], "end": [9, 9], "name": ["a", "b"]}).assign(**change)
    spans = spans if change.get("name", "") is not None else spans.drop(columns="name")
    with pytest.raises(NbinterpError, match=words):
        patterns_from_seqlets(np.zeros((2, 4, 20)), np.zeros((2, 4, 20)), spans)
    with pytest.raises(NbinterpError, match=r"both \(N, 4, L\)"):
        patterns_from_seqlets(np.zeros((2, 4, 20)), np.zeros((2, 20, 4)), spans)


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("contrib_scores", np.zeros((5, 4)), r"contrib_scores of shape \(5, 4\), not \(6, 4\)"),
        ("sequence", np.zeros((4, 6)), r"sequence of shape \(4, 6\)"),
        ("sequence", np.full((6, 4), np.nan), "NaN"),
        ("sequence", np.full((6, 4), b"A"), "not numbers"),
        ("seqlets/end", np.zeros(2), r"seqlets.end of shape \(2,\), not \(3\)"),
        ("seqlets/is_revcomp", np.zeros((3, 1)), "is_revcomp"),
        ("seqlets/contrib_scores", np.zeros((3, 5, 4)), r"seqlets.contrib_scores of shape \(3, 5, 4\)"),
        ("seqlets/start", None, "start"),
        ("hypothetical_contribs", {}, "shape None"),
        ("seqlets", np.zeros(3), "pattern_0.seqlets, a dataset"),
        ("", np.zeros(3), "pattern_0, a dataset"),
    ],
)
def test_files_that_hold_no_patterns(part: str, value: Any, words: str, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "m.h5"
    write_modisco(path, PatternSet((one(),), window_size=40))
    assert len(read_modisco(path)) == 1
    with h5py.File(path, "a") as file:
        where = f"pos_patterns/pattern_0/{part}".rstrip("/")
        del file[where]
        if isinstance(value, dict):
            file.create_group(where)
        elif value is not None:
            file[where] = value
    with pytest.raises(FormatError, match=words):
        read_modisco(path)
