"""FIMO against a naive reference, against its own laws, and against memelite."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import FormatError, NbinterpError
from nbinterp.motif import MotifSet, fimo, lookup, read_motifs, scan, stream_fimo
from nbinterp.motif.letters import as_letters
from nbinterp.motif.score import score_model

UNIFORM = (0.25, 0.25, 0.25, 0.25)
SKEWED = (0.35, 0.2, 0.1, 0.35)


@pytest.fixture(autouse=True)
def both_ways(loops: str) -> None:
    """Every test runs with the compiled loops and with NumPy."""


def some_motifs(widths: tuple[int, ...] = (1, 4, 6, 8, 10, 11, 19, 35), seed: int = 0) -> dict[str, np.ndarray]:
    """Sharp motifs of every kind of width: within a word, a word, wider, wider than what packs into 64 bits."""
    g = np.random.RandomState(seed)
    return {f"w{w} name": g.dirichlet(np.full(4, 0.3 if w < 12 else 0.8), size=w).T for w in widths}


def one_hot(n: int, length: int, seed: int = 0, unknown: float = 0.0) -> np.ndarray:
    g = np.random.RandomState(seed)
    codes = g.randint(0, 4, (n, length))
    X = (codes[:, None] == np.arange(4)[:, None]).astype(np.int8)
    X.transpose(0, 2, 1)[g.rand(n, length) < unknown] = 0
    return X


def enumerated(scores: np.ndarray, bin_size: float, background: tuple[float, ...]) -> dict[int, float]:
    """P(binned score) by trying every word."""
    bins = np.round(scores / bin_size).astype(int)
    found: dict[int, float] = {}
    for word in itertools.product(range(4), repeat=scores.shape[1]):
        total = int(sum(bins[letter, j] for j, letter in enumerate(word)))
        found[total] = found.get(total, 0.0) + float(np.prod([background[letter] for letter in word]))
    return found


def naive(
    motifs: dict[str, np.ndarray], X: np.ndarray, threshold: float, background: tuple[float, ...] = UNIFORM
) -> list[tuple[str, int, int, str, float]]:
    """Hits by scoring every window in turn; p-values by enumeration."""
    hits = []
    for name, matrix in motifs.items():
        for strand, one in (("+", matrix), ("-", matrix[::-1, ::-1])):
            scores = np.log2(one + 1e-4) - np.log2(np.array(background))[:, None]
            pdf = enumerated(scores, 0.1, background)
            bins = range(min(pdf), max(pdf) + 2)
            cut = next(b for b in bins if sum(v for k, v in pdf.items() if k >= b) < threshold)
            w = one.shape[1]
            for i, row in enumerate(X):
                for start in range(row.shape[1] - w + 1):
                    score = float((scores * row[:, start : start + w]).sum())
                    if score > np.float32(cut * 0.1):
                        p = sum(v for k, v in pdf.items() if k >= int(score / 0.1))
                        hits.append((name, i, start, strand, p))
    return hits


def as_rows(hits: list[pd.DataFrame]) -> list[tuple[Any, ...]]:
    columns = ["motif_name", "sequence_name", "start", "strand", "p-value"]
    return [row for one in hits for row in one[columns].itertuples(index=False, name=None)]


def same_hits(ours: list[pd.DataFrame], theirs: list[pd.DataFrame]) -> None:
    """Hits are equal; scores and p-values are within 1e-12, since the peer's compiler may sum in any order it likes."""
    assert len(ours) == len(theirs)
    if not ours:
        return
    a, b = (pd.concat([one for one in many if len(one)] or many[:1]) for many in (ours, theirs))
    assert list(a.columns) == list(b.columns)
    for column in a.columns:
        if column in {"p-value", "score"}:
            np.testing.assert_allclose(a[column], b[column].astype(float), rtol=1e-12, atol=1e-12 * (column == "score"))
        else:
            assert a[column].tolist() == b[column].tolist(), column
    assert [len(one) for one in ours] == [len(one) for one in theirs]


@pytest.mark.parametrize("background", [UNIFORM, SKEWED])
def test_equals_a_naive_scan(background: tuple[float, ...]) -> None:
    motifs = some_motifs((1, 3, 5))
    X = one_hot(3, 60, unknown=0.05)
    best = motifs["w5 name"].argmax(axis=0)
    for first in (0, 55):  # instances in the first window and in the last
        X[0, :, first : first + 5] = np.eye(4, dtype=np.int8)[:, best]
    found = as_rows(fimo(motifs, X, threshold=0.02, background=background))
    expected = naive(motifs, X, 0.02, background)
    assert [row[:4] for row in found] == [row[:4] for row in expected]
    np.testing.assert_allclose([row[4] for row in found], [row[4] for row in expected], rtol=1e-12)
    assert {0, 55} <= {row[2] for row in found if row[:2] == ("w5 name", 0)}


def test_the_ways_of_scanning_agree() -> None:
    motifs = some_motifs()
    X = one_hot(7, 700, unknown=0.01)
    X[2, :, 300:420] = 0  # a run wider than any motif
    X[3, :, -40:] = 0
    for threshold in (1e-4, 0.01, 0.9):  # 0.9: windows of unknown bases alone are hits of some
        expected = fimo(motifs, X, threshold=threshold)
        # places of short words and of long ones, convolution, dictionary of words
        for short, rare, words in ((0, 1.0, 8), (0, 1.0, 10), (2**15, 0.0, 8), (2**15, 1.0, 8)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("NBINTERP_NATIVE", "0")
                patch.setattr(scan, "_SHORT", short)
                patch.setattr(scan, "_RARE", rare)
                patch.setattr(lookup, "WORDS", ((2**63, words),))
                same_hits(fimo(motifs, X, threshold=threshold), expected)
    assert sum(map(len, expected)) > 1000  # the last threshold lets many through


def test_stretches_do_not_show() -> None:
    motifs = some_motifs((6, 11, 35))
    X = one_hot(3, 200, unknown=0.01)
    expected = fimo(motifs, X, threshold=0.01, as_table=True)
    assert len(expected) > 10
    for size in (7, 61, 199, 200, 1000):
        parts = [part for part in stream_fimo(motifs, X, threshold=0.01, size=size) if len(part)]
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), expected)
    model = score_model(
        list(motifs.values()), bin_size=0.1, eps=1e-4, threshold=1e-3, reverse_complement=True, background=UNIFORM
    )
    sizes = [len(s.codes) for s in as_letters(one_hot(1, 5000), "ACGT").stretches(1000, model.widest)]
    assert max(sizes) <= 1000 + model.widest  # what is held is bounded


def test_the_other_strand_of_the_sequence_has_the_mirrored_hits() -> None:
    motifs = some_motifs((4, 6, 11))
    X = one_hot(4, 300, unknown=0.01)
    for background in (None, (0.3, 0.2, 0.2, 0.3)):
        there = fimo(motifs, X, threshold=0.01, background=background, as_table=True)
        back = fimo(
            motifs, np.ascontiguousarray(X[:, ::-1, ::-1]), threshold=0.01, background=background, as_table=True
        )
        mirrored = {
            (e, 300 - b, 300 - a, n, "+-"[s == "+"]) for e, a, b, n, s in there.iloc[:, :5].itertuples(index=False)
        }
        assert mirrored == set(back.iloc[:, :5].itertuples(index=False, name=None))
        assert len(mirrored) > 10


def test_p_values_are_those_of_random_sequence() -> None:
    """As many windows of random letters hit as the threshold says."""
    motifs = some_motifs((9, 11))
    g = np.random.RandomState(1)
    codes = g.choice(4, size=(1, 200_000), p=SKEWED)
    X = nb.CodedSequence(codes.astype(np.uint8))
    rate = fimo(motifs, X, threshold=0.005, background=SKEWED, return_counts=True) / (2 * 200_000)
    assert (rate < 0.0055).all()
    assert (rate > 0.003).all()
    assert (fimo(motifs, X, threshold=0.005, return_counts=True) / 400_000 > rate * 1.05).any()  # uniform is wrong here


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    motifs = some_motifs((5, 8))
    X = one_hot(3, 200)
    hits = fimo(motifs, X, threshold=0.01, q_values=True)
    for one, width in zip(hits, (5, 8), strict=True):
        n = 2 * 3 * (200 - width + 1)
        p = one["p-value"].to_numpy()
        expected = [min(min(q, 1.0) for q in (other * n / (p <= other).sum() for other in p[p >= mine])) for mine in p]
        np.testing.assert_allclose(one["q-value"], expected, rtol=1e-12)
    assert "q-value" in fimo(motifs, X, threshold=0.01, q_values=True, as_table=True)


def test_inputs_are_interchangeable(tmp_path: Path) -> None:
    motifs = some_motifs()
    X = one_hot(3, 120, unknown=0.02)
    path = tmp_path / "x.fa"
    nb.one_hot_to_fasta(torch.from_numpy(X), path, headers=["b", "a more", "c"])
    lower = tmp_path / "lower.fa.gz"
    with gzip.open(lower, "wt") as out:
        out.write(path.read_text().lower().replace("n", "r"))  # soft-masked, and a letter outside of the alphabet
    expected = fimo(motifs, X, threshold=0.02)
    named = {0: "b", 1: "a", 2: "c"}
    for given in (path, str(path), lower):
        found = fimo(motifs, given, threshold=0.02)
        assert as_rows(found) == [(m, named[s], *rest) for m, s, *rest in as_rows(expected)]
    packed = nb.PackedSequence.from_one_hot(torch.from_numpy(X))
    for rows in (
        torch.from_numpy(X),
        X.astype(np.float32),
        X.astype(bool),
        packed,
        nb.CodedSequence(packed.to_codes()),
    ):
        same_hits(fimo(motifs, rows, threshold=0.02), expected)
    nb.write_meme(tmp_path / "m.meme", MotifSet(motifs))
    assert fimo(tmp_path / "m.meme", X, threshold=0.02, return_counts=True).sum() > 0
    by_sequence = fimo(motifs, path, threshold=0.02, dim=1)
    assert [one["sequence_name"].iloc[0] for one in by_sequence] == ["a", "b", "c"]
    assert sum(map(len, by_sequence)) == sum(map(len, expected))


def test_loci_give_places_in_the_genome() -> None:
    motifs = some_motifs((6,))
    X = one_hot(2, 100)
    loci = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [1000, 50], "end": [1100, 150]})
    hits = fimo(motifs, X, threshold=0.01, loci=loci, as_table=True)
    assert (hits["chrom_start"] - hits["start"] == np.array([1000, 50])[hits["example_idx"]]).all()
    assert (hits["chrom"] == np.array(["chr1", "chr2"])[hits["example_idx"]]).all()
    sequences = nb.Sequences(nb.PackedSequence.from_one_hot(torch.from_numpy(X)), ["p", "q"], loci, pd.DataFrame())
    again = fimo(motifs, sequences, threshold=0.01, as_table=True)
    pd.testing.assert_frame_equal(again.drop(columns="sequence_name"), hits.drop(columns="sequence_name"))
    with pytest.raises(NbinterpError, match="2 loci of 100 bases"):
        fimo(motifs, X, loci=loci.iloc[:1])
    with pytest.raises(NbinterpError, match="columns end too"):
        fimo(motifs, X, loci=loci[["chrom", "start"]])


def test_the_letters_of_a_hit_are_those_of_its_strand(tmp_path: Path) -> None:
    X = one_hot(3, 400, seed=5, unknown=0.03)
    words = ["".join("ACGTN"[column.argmax() if column.any() else 4] for column in row.T) for row in X]
    hits = fimo(some_motifs(), X, threshold=0.01, matched_sequence=True, as_table=True)
    assert set(hits["strand"]) == {"+", "-"}
    assert hits["matched_sequence"].str.contains("N").any()
    other = str.maketrans("ACGTN", "TGCAN")
    for row in hits.itertuples():
        word = words[row.example_idx][row.start : row.end]
        assert row.matched_sequence == (word if row.strand == "+" else word.translate(other)[::-1])
    parts = pd.concat(stream_fimo(some_motifs(), X, threshold=0.01, matched_sequence=True, size=100))
    keys = ["example_idx", "name", "strand", "start"]
    pd.testing.assert_frame_equal(
        parts.sort_values(keys, ignore_index=True), hits.sort_values(keys, ignore_index=True), check_like=True
    )
    by_motif = fimo(some_motifs(), X, threshold=0.01, matched_sequence=True)
    assert sum(map(len, by_motif)) == len(hits)
    none = fimo(some_motifs(), X[:, :, :2], matched_sequence=True, as_table=True)
    assert none["matched_sequence"].dtype == hits["matched_sequence"].dtype
    (tmp_path / "soft.fa").write_text(">s\nttgataagNgcttatcaa\n")
    motif = {"GATAAG": np.eye(4)[:, [2, 0, 3, 0, 0, 2]] * 0.97 + 0.0075}
    found = fimo(motif, tmp_path / "soft.fa", threshold=0.001, matched_sequence=True, as_table=True)
    assert found["matched_sequence"].tolist() == ["GATAAG", "GATAAG"]


def test_odd_motifs_and_empty_results() -> None:
    X = one_hot(2, 12)
    motifs = {"flat": np.full((4, 6), 0.25), "wider than the sequence": some_motifs((20,))["w20 name"]}
    hits = fimo(motifs, X)
    assert [len(one) for one in hits] == [0, 0]
    assert list(hits[0].dtypes) == list(fimo(some_motifs((2,)), one_hot(1, 99), threshold=0.5)[0].dtypes)
    assert fimo(motifs, X, dim=1) == []
    assert fimo(motifs, X, return_counts=True).tolist() == [0, 0]
    assert len(fimo(motifs, X, as_table=True, q_values=True)) == 0
    assert len(fimo(motifs, X[:0], as_table=True)) == 0
    assert len(fimo(motifs, X[:, :, :0], as_table=True)) == 0
    assert list(stream_fimo(motifs, X[:0])) == []


def test_the_background_of_a_motif_file(tmp_path: Path) -> None:
    motifs = MotifSet(some_motifs((6,)), background=(3.5, 2, 1, 3.5))  # need not sum to 1
    nb.write_meme(tmp_path / "m.meme", motifs)
    X = one_hot(2, 300)
    expected = fimo(motifs, X, threshold=0.01, background=SKEWED)
    same_hits(fimo(motifs, X, threshold=0.01, background="motifs"), expected)
    from_file = fimo(tmp_path / "m.meme", X, threshold=0.01, background="motifs", return_counts=True)
    assert from_file.tolist() == [len(one) for one in expected]
    assert sum(map(len, expected)) > 3


def test_a_progress_bar_where_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    fimo(some_motifs((4,)), one_hot(1, 50), verbose=True)
    assert "fimo" in capsys.readouterr().err


def test_an_edited_motif_meets_no_old_table() -> None:
    motifs = some_motifs((6,))
    X = one_hot(4, 200)
    before = fimo(motifs, X, threshold=0.01, return_counts=True)
    motifs["w6 name"][:] = np.roll(motifs["w6 name"], 1, axis=0)
    after = fimo(motifs, X, threshold=0.01, return_counts=True)
    assert (after == fimo({"new": motifs["w6 name"].copy()}, X, threshold=0.01, return_counts=True)).all()
    assert (before != after).any()


def test_a_second_device_agrees_with_the_cpu(second_device: str) -> None:
    motifs = some_motifs()
    X = one_hot(3, 400, unknown=0.01)
    expected = fimo(motifs, X, threshold=0.001, device="cpu")
    same_hits(fimo(motifs, X, threshold=0.001, device=second_device), expected)
    same_hits(fimo(motifs, torch.from_numpy(X).to(second_device), threshold=0.001, device=second_device), expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dim": 2}, r"fimo\(dim\): got 2"),
        ({"threshold": 0}, r"fimo\(threshold\): got 0"),
        ({"bin_size": -1}, r"fimo\(bin_size\)"),
        ({"eps": 0}, r"fimo\(eps\)"),
        ({"background": (1, 0, 0, 0)}, r"fimo\(background\)"),
        ({"background": "motifs"}, r"need four frequencies, or 'motifs' with a MotifSet"),
        ({"return_counts": True, "as_table": True}, r"fimo\(return_counts\)"),
        ({"alphabet": "ACDEFG"}, r"fimo\(alphabet\)"),
        ({"motifs": {}}, r"fimo\(motifs\): got none"),
        ({"motifs": [1]}, r"fimo\(motifs\): got a list"),
        ({"motifs": {"m": np.zeros((4, 0))}}, r"fimo\(motifs\['m'\]\): got shape \(4, 0\)"),
        ({"motifs": {"m": np.zeros((7, 4))}}, "transpose"),
        ({"motifs": {"m": -np.eye(4)}}, "its PWM, not its CWM"),
        ({"motifs": {"m": np.full((4, 2), np.nan)}}, "infinite"),
        ({"sequences": np.full((1, 4, 9), 0.25)}, "not one-hot"),
        ({"sequences": np.ones((1, 4, 9))}, "not one-hot"),
        ({"sequences": np.zeros((4, 9))}, "batch axis"),
        ({"sequences": [1]}, "got a list"),
    ],
)
def test_errors_say_what_to_do(change: dict[str, Any], words: str) -> None:
    given = {"motifs": some_motifs((4,)), "sequences": one_hot(1, 20), **change}
    with pytest.raises(NbinterpError, match=words):
        fimo(**given)


def test_bad_fasta_files(tmp_path: Path) -> None:
    path = tmp_path / "x.fa"
    for text, words in (("ACGT\n>a\nA\n", "before the first"), ("", "no record")):
        path.write_text(text)
        with pytest.raises(FormatError, match=words):
            fimo(some_motifs((4,)), path)
    with pytest.raises(FormatError, match="no file"):
        fimo(some_motifs((4,)), tmp_path / "absent.fa")
    with pytest.raises(NbinterpError, match="at least 1"):
        stream_fimo(some_motifs((4,)), one_hot(1, 9), size=0)
    path.write_text(">a\nACGT\n>empty\n>b\nTTTT\n")
    assert len(fimo(some_motifs((2,)), path, threshold=0.9, as_table=True)["sequence_name"].unique()) <= 2


# ---- the peer itself ----------------------------------------------------------------------------------------------


@pytest.mark.parity
@pytest.mark.parametrize("options", [{}, {"reverse_complement": False}, {"bin_size": 0.03, "eps": 0.01}, {"dim": 1}])
def test_equals_memelite(options: dict[str, Any]) -> None:
    memelite = pytest.importorskip("memelite")
    motifs = some_motifs()
    X = one_hot(5, 300, unknown=0.02)
    X[1, :, 100:180] = 0
    for threshold in (1e-4, 0.013):
        expected = memelite.fimo(motifs, X, threshold=threshold, **options)
        same_hits(fimo(motifs, X, threshold=threshold, **options), expected)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scan, "_SHORT", 0)
            same_hits(fimo(motifs, X, threshold=threshold, **options), expected)
    narrow = {name: one.astype(np.float32) for name, one in motifs.items()}  # single precision is kept
    same_hits(fimo(narrow, X, **options), memelite.fimo(narrow, X, **options))
    counts = memelite.fimo(motifs, X, return_counts=True, reverse_complement=False)
    ours = fimo(motifs, X, return_counts=True, reverse_complement=False)
    assert ours.dtype == counts.dtype
    assert (ours == counts).all()


@pytest.mark.parity
@pytest.mark.real
@pytest.mark.parametrize("name", ["pu1_200.fa", "mpra_145bp_200.fa", "deepstarr_example_sequences.fa"])
def test_the_whole_of_jaspar_equals_memelite_on_real_sequence(name: str, data_dir: Path, tmp_path: Path) -> None:
    memelite = pytest.importorskip("memelite")
    fasta = tmp_path / name  # the peer writes an index beside it
    fasta.write_bytes((data_dir / name).read_bytes())
    jaspar = data_dir / "jaspar_core_vertebrates.meme"
    theirs = memelite.fimo(str(jaspar), str(fasta))
    same_hits(fimo(jaspar, fasta), theirs)
    assert sum(map(len, theirs)) > 100


@pytest.mark.parity
@pytest.mark.real
def test_the_whole_of_jaspar_equals_memelite_with_masked_and_unknown_bases(data_dir: Path, tmp_path: Path) -> None:
    memelite = pytest.importorskip("memelite")
    with gzip.open(data_dir / "dragonn_example_pos_1kb.fa.gz", "rt") as lines:
        text = "".join(line.strip() for line in itertools.islice(lines, 0, 200) if not line.startswith(">"))
    half = len(text) // 2
    text = text[:half].lower() + "N" * 80 + "n" + text[half:-30] + "NNN" + text[-30:]
    fasta = tmp_path / "x.fa"
    fasta.write_text(f">chr1\n{text}\n>chr2\n{text[200:203]}\n>chr3\n{text[-500:]}\n")
    motifs = read_motifs(data_dir / "jaspar_core_vertebrates.meme", dtype=torch.float64)
    theirs = memelite.fimo({name: one.numpy() for name, one in motifs.items()}, str(fasta))
    same_hits(fimo(motifs, fasta), theirs)
    assert len(text) > 2**15  # the way of long sequences


@pytest.mark.parity
@pytest.mark.real
def test_the_whole_of_jaspar_equals_memelite_on_random_sequence_and_at_its_ends(data_dir: Path) -> None:
    memelite = pytest.importorskip("memelite")
    jaspar = data_dir / "jaspar_core_vertebrates.meme"
    X = one_hot(2, 2114, unknown=0.001)
    motifs = read_motifs(jaspar, dtype=torch.float64)
    widest = max(motifs, key=lambda name: motifs[name].shape[1])
    letters = nb.one_hot_encode(motifs.consensus(widest)).numpy()
    X[0, :, : letters.shape[1]] = X[0, :, -letters.shape[1] :] = letters
    ours = fimo(jaspar, X)
    same_hits(ours, memelite.fimo(str(jaspar), X))
    assert {0, 2114 - letters.shape[1]} <= set(ours[motifs.names.index(widest)].query("sequence_name == 0")["start"])
