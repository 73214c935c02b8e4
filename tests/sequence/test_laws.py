"""Laws of sequence operations, and their errors."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import FormatError, NbinterpError, NbinterpWarning


def text_of(X: torch.Tensor) -> str:
    return nb.characters(X, allow_N=True)


def encode(text: str) -> torch.Tensor:
    return nb.one_hot_encode(text).unsqueeze(0)


def dinucleotides(text: str) -> Counter[str]:
    return Counter(text[i : i + 2] for i in range(len(text) - 1))


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("method", ["tangermeme", "uniform"])
def test_dinucleotide_counts_are_kept(method: str) -> None:
    X = nb.random_one_hot((5, 4, 80), random_state=0)
    Y = nb.dinucleotide_shuffle(X, n=6, random_state=1, method=method)
    for before, after in zip(X, Y, strict=True):
        for one in after:
            assert dinucleotides(text_of(one)) == dinucleotides(text_of(before))
            assert text_of(one)[0] == text_of(before)[0]
            assert text_of(one)[-1] == text_of(before)[-1]


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize(("text", "paths"), [("ACCCACGATGATG", 27), ("ACCCACGATGATA", 72)])
def test_uniform_draws_every_path_equally_often(text: str, paths: int) -> None:
    n = 40 * paths
    Y = nb.dinucleotide_shuffle(encode(text), n=n, random_state=3, method="uniform")
    counts = Counter(text_of(one) for one in Y[0])
    assert len(counts) == paths
    expected = n / paths
    statistic = sum((c - expected) ** 2 / expected for c in counts.values())
    # chi-square with paths - 1 degrees of freedom: mean paths - 1, this bound is past its 99.9th percentile
    assert statistic < paths - 1 + 3.5 * np.sqrt(2 * (paths - 1))


@pytest.mark.usefixtures("loops")
def test_the_peers_draw_reaches_fewer_paths() -> None:
    Y = nb.dinucleotide_shuffle(encode("ACCCACGATGATG"), n=1000, random_state=3)
    assert len({text_of(one) for one in Y[0]}) == 9


def test_shuffles_are_the_same_however_many_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    X = nb.random_one_hot((3, 4, 50), random_state=0)
    whole = nb.shuffle(X, 5, 40, n=7, random_state=1)
    for together in (1, 900):
        monkeypatch.setattr(sys.modules["nbinterp.sequence.shuffle"], "_TOGETHER", together)
        assert torch.equal(nb.shuffle(X, 5, 40, n=7, random_state=1), whole)


@pytest.mark.usefixtures("loops")
def test_a_row_is_shuffled_alike_in_any_batch() -> None:
    X = nb.random_one_hot((4, 4, 50), random_state=0)
    for method in ("tangermeme", "uniform"):
        whole = nb.dinucleotide_shuffle(X, n=3, random_state=[5, 6, 7, 8], method=method)
        alone = nb.dinucleotide_shuffle(X[2:3], n=3, random_state=7, method=method)
        assert torch.equal(whole[2:3], alone)


def test_edits_undo_each_other_and_change_nothing_in_place() -> None:
    X = nb.random_one_hot((3, 4, 30), random_state=0)
    before = X.clone()
    assert torch.equal(nb.delete(nb.insert(X, "GATTACA", start=11), 11, 18), X)
    assert torch.equal(nb.reverse_complement(nb.reverse_complement(X)), X)
    Y = nb.substitute(X, "NNNN")
    assert torch.equal(Y, X)
    nb.shuffle(X, n=2, random_state=0)
    nb.randomize(X, 0, 5, random_state=0)
    assert torch.equal(X, before)


@pytest.mark.usefixtures("loops")
def test_lower_case_is_read_as_upper_case() -> None:
    assert torch.equal(nb.one_hot_encode("acgtn"), nb.one_hot_encode("ACGTN"))
    assert nb.one_hot_encode("aA", alphabet=["a", "A"]).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("kind", [nb.PackedSequence, nb.CodedSequence])
def test_compact_containers_are_accepted_where_tensors_are(kind: type) -> None:
    X = nb.random_one_hot((5, 4, 41), random_state=0)
    X[1, :, 3:9] = 0
    X[4, :, 40] = 0
    C = kind.from_one_hot(X)
    assert C.shape == tuple(X.shape)
    assert torch.equal(C.to_one_hot(), X)
    assert C.to_one_hot(torch.float32).dtype is torch.float32
    for index in (slice(1, 4), torch.tensor([4, 1]), 1):
        assert torch.equal(C[index].to_one_hot(), X[index])
    Y = nb.substitute(C, "GATTACA")
    assert type(Y) is kind
    assert torch.equal(Y.to_one_hot(), nb.substitute(X, "GATTACA"))
    assert torch.equal(nb.reverse_complement(C).to_one_hot(), nb.reverse_complement(X))
    shuffled = nb.dinucleotide_shuffle(C, n=2, random_state=0, allow_N=True)
    assert torch.equal(shuffled.to_one_hot(), nb.dinucleotide_shuffle(X, n=2, random_state=0, allow_N=True))
    assert torch.equal(nb.gc_content(C), nb.gc_content(X))
    assert torch.equal(nb.kmers(C, 2), nb.kmers(X, 2))


def test_packed_sequences_decode_on_the_device(second_device: str) -> None:
    X = nb.random_one_hot((5, 4, 41), random_state=0)
    X[1, :, 3:9] = 0
    decoded = nb.PackedSequence.from_one_hot(X).to_one_hot(torch.float32, second_device)
    assert decoded.device.type == second_device
    assert torch.equal(decoded.cpu(), X.float())


def test_packed_sequences_are_saved_and_mapped(tmp_path: Path) -> None:
    X = nb.random_one_hot((5, 4, 41), random_state=0)
    X[2, :, 5] = 0
    nb.PackedSequence.from_one_hot(X).save(tmp_path / "p")
    for mmap in (False, True):
        assert torch.equal(nb.PackedSequence.load(tmp_path / "p", mmap=mmap).to_one_hot(), X)
    (tmp_path / "p" / "data.npy").write_bytes(b"half")
    with pytest.raises(FormatError, match="made by save"):
        nb.PackedSequence.load(tmp_path / "p")


def fasta(path: Path, **records: str) -> Path:
    path.write_text("".join(f">{name}\n{text}\n" for name, text in records.items()))
    return path


def test_read_sequences_from_fasta(tmp_path: Path) -> None:
    path = tmp_path / "x.fa"
    path.write_text(">chr6:100-108 first\nACGTNacg\n>chr1:5-13(-)\nGGGGCCCC\n")
    found = nb.read_sequences(path)
    assert found.X.shape == (2, 4, 8)
    assert text_of(found.X[0].to_one_hot()) == "ACGTNACG"
    assert found.loci[["chrom", "start", "end", "strand"]].to_numpy().tolist() == [
        ["chr6", 100, 108, "."],
        ["chr1", 5, 13, "-"],
    ]
    middle = nb.read_sequences(path, in_window=4)
    assert text_of(middle.X[0].to_one_hot()) == "GTNA"
    assert middle.loci["start"].tolist() == [102, 7]
    known = nb.read_sequences(path, drop_unknown=True)
    assert known.names == ["chr1:5-13(-)"]
    assert known.dropped["reason"].tolist() == ["holds an unknown base (N)"]
    assert nb.read_sequences(fasta(tmp_path / "y.fa", chr2R_17_29_dev="ACGT")).loci is None


def test_read_sequences_from_loci_lists_what_was_dropped(tmp_path: Path) -> None:
    genome = fasta(tmp_path / "g.fa", chr1="ACGTACGTACGTACGTACGT", chr2="GGGGGCCCCC")
    bed = tmp_path / "p.narrowPeak"
    bed.write_text(
        "track name=x\nchr1\t4\t12\tmid\t0\t.\t1\t1\t1\t2\nchr1\t17\t20\tend\t0\t.\t1\t1\t1\t1\n"
        "chr2\t2\t8\tsecond\t0\t+\t1\t1\t1\t3\n"
    )
    found = nb.read_sequences(loci=bed, genome=genome, in_window=6)
    assert found.names == ["chr1:5-11", "chr2:2-8"]
    assert text_of(found.X[0].to_one_hot()) == "CGTACG"
    assert found.loci["name"].tolist() == ["mid", "second"]
    assert found.dropped["name"].tolist() == ["end"]
    assert "leaves chr1, which has 20 bases" in found.dropped["reason"][0]
    on_summit = nb.read_sequences(loci=bed, genome=genome, in_window=4, summits=True)
    assert on_summit.names[0] == "chr1:4-8"


def test_bigwig_round_trip_and_overlaps(tmp_path: Path) -> None:
    pytest.importorskip("pyBigWig")
    loci = pd.DataFrame({"chrom": ["chr2", "chr1", "chr1"], "start": [5, 10, 12], "end": [9, 14, 16]})
    values = np.array([[1.0, 2, 3, 4], [1, 1, 1, 1], [3, 3, 3, 3]])
    nb.write_bigwig(tmp_path / "a.bw", values, loci, {"chr1": 50, "chr2": 20})
    genome = {c: np.tile(np.eye(4, dtype=np.int8), 13)[:, :n] for c, n in (("chr1", 50), ("chr2", 20))}
    window = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [9, 4], "end": [17, 12]})
    _, signal = nb.extract_loci(window, genome, signals=[tmp_path / "a.bw"], in_window=8, out_window=8)
    assert signal[0, 0].tolist() == [0, 1, 1, 2, 2, 3, 3, 0]
    assert signal[1, 0].tolist() == [0, 1, 2, 3, 4, 0, 0, 0]


def test_a_chromosome_without_signal_is_said() -> None:
    genome = {"chr1": np.tile(np.eye(4, dtype=np.int8), 5)}
    window = pd.DataFrame({"chrom": ["chr1"], "start": [4], "end": [12]})
    with pytest.warns(NbinterpWarning, match="no chromosome chr1"):
        nb.extract_loci(window, genome, signals=[{"chr2": np.zeros(9)}], in_window=8, out_window=8)


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nb.one_hot_encode("ACXT"), "'X' at position 2"),
        (lambda: nb.one_hot_encode("ACGT", ignore=["A"]), "both"),
        (lambda: nb.characters(torch.full((4, 2), 0.25)), "a tie at position 0"),
        (lambda: nb.insert(encode("AAAA"), "GC", start=3), "start"),
        (lambda: nb.insert(encode("AAAA"), "GN"), "letters of"),
        (lambda: nb.substitute(encode("AAAA"), "GCGCGC"), "width 6"),
        (lambda: nb.substitute(encode("AAAA").float() * 0.5, "G"), "got an entry of 0.5"),
        (lambda: nb.delete(encode("AAAA"), 2, 2), "start < end"),
        (lambda: nb.multisubstitute(encode("AAAA"), ["A", "C"], [1, 2]), "spacing"),
        (lambda: nb.randomize(encode("AAAA"), 0, 2, [[0.5, 0.5, 0.5, 0.5]]), "sum to 1"),
        (lambda: nb.dinucleotide_shuffle(encode("ACNGT")), "without a base"),
        (lambda: nb.dinucleotide_shuffle(encode("AAAAAA")), "identical"),
        (lambda: nb.dinucleotide_shuffle(encode("ACGTAC"), method="unifrom"), "did you mean 'uniform'"),
        (lambda: nb.dinucleotide_shuffle(encode("ACGTAC"), random_state=[1, 2]), "1 ints"),
        (lambda: nb.local_dinucleotide_shuffle(encode("ACGTAC"), bin_size=6), "bin_size"),
        (lambda: nb.random_one_hot((4, 5)), "shape"),
        (lambda: nb.kmers(encode("ACGT"), 9), "k"),
        (lambda: nb.gc_content(encode("ACGT"), alphabet="ATUX"), "G or C"),
        (lambda: nb.reverse_complement("ACX"), "'X'"),
        (nb.read_sequences, "neither"),
    ],
)
def test_errors_say_what_was_got_needed_and_to_do(call: object, words: str) -> None:
    with pytest.raises(NbinterpError, match=r"^\w+\([^)]*\)?.*: got .*; need .*; do .*") as caught:
        call()
    assert words in str(caught.value)


def test_errors_of_files(tmp_path: Path) -> None:
    genome = fasta(tmp_path / "g.fa", chr1="ACGTACGTAC")
    bed = tmp_path / "p.bed"
    bed.write_text("chr9\t1\t5\n")
    with pytest.raises(NbinterpError, match="chromosomes chr9"):
        nb.read_sequences(loci=bed, genome=genome, in_window=4)
    bed.write_text("chr1\t0\t1\n")
    with pytest.raises(NbinterpError, match=r"none left \(1 x window \[-4, 4\) leaves chr1"):
        nb.read_sequences(loci=bed, genome=genome, in_window=8)
    bed.write_text("chr1\tx\t1\n")
    with pytest.raises(FormatError, match="no number"):
        nb.read_sequences(loci=bed, genome=genome, in_window=8)
    bed.write_text("chr1\t1\t5\n")
    with pytest.raises(FormatError, match="no file"):
        nb.read_sequences(loci=bed, genome=tmp_path / "absent.fa")
    with pytest.raises(FormatError, match="cannot be read"):
        nb.read_sequences(tmp_path / "absent.fa")
    with pytest.raises(NbinterpError, match="lengths from 3 to 4"):
        nb.read_sequences(fasta(tmp_path / "u.fa", a="ACG", b="ACGT"))
    with pytest.raises(NbinterpError, match=r"read_sequences\(a\)"):
        nb.read_sequences(fasta(tmp_path / "w.fa", a="AC*G"))
    (tmp_path / "bad.vcf").write_text("chr1\t5\tA\n")
    with pytest.raises(FormatError, match="3 columns"):
        nb.read_vcf(tmp_path / "bad.vcf")
