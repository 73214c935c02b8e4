"""Every sequence function gives tangermeme's result, bit for bit, in the same run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as ours

pytestmark = pytest.mark.parity
ersatz = pytest.importorskip("tangermeme.ersatz")
utils = pytest.importorskip("tangermeme.utils")


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    return utils.random_one_hot((6, 4, 60), random_state=0)


def with_unknown(X: torch.Tensor) -> torch.Tensor:
    X = X.clone()
    X[0, :, 10:13] = 0
    X[2, :, 59] = 0
    return X


def same(a: object, b: object) -> None:
    assert isinstance(a, torch.Tensor)
    assert isinstance(b, torch.Tensor)
    assert a.dtype == b.dtype
    assert torch.equal(a, b)


@pytest.mark.parametrize("probs", [None, [[0.1, 0.2, 0.3, 0.4]], np.full((3, 4), 0.25)])
def test_random_one_hot(probs: object) -> None:
    same(
        ours.random_one_hot((3, 4, 50), probs=probs, random_state=3),
        utils.random_one_hot((3, 4, 50), probs=probs, random_state=3),
    )


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("text", ["ACGTN", "NNAC", "A" * 9000 + "CGT"])
def test_encode_and_characters(text: str) -> None:
    same(ours.one_hot_encode(text), utils.one_hot_encode(text))
    same(ours.one_hot_encode(text, dtype=torch.float32), utils.one_hot_encode(text, dtype=torch.float32))
    X = utils.one_hot_encode(text)
    assert ours.characters(X, allow_N=True) == utils.characters(X, allow_N=True) == text
    assert ours.characters(X, force=True) == utils.characters(X, force=True)
    same(ours.reverse_complement(X), utils.reverse_complement(X))
    assert ours.reverse_complement(text) == utils.reverse_complement(text)


@pytest.mark.parametrize("start", [None, 0, 7, 53])
def test_insert_and_substitute(X: torch.Tensor, start: int | None) -> None:
    X = with_unknown(X)
    same(ours.insert(X, "GATTACA", start=start), ersatz.insert(X, "GATTACA", start=start))
    same(ours.substitute(X, "GANTACA", start=start), ersatz.substitute(X, "GANTACA", start=start))
    each = utils.random_one_hot((6, 4, 7), random_state=9)
    same(ours.substitute(X, each, start=start), ersatz.substitute(X, each, start=start))


@pytest.mark.parametrize(("spacing", "start"), [(3, None), ([0, 5], None), ([2, 2], 4)])
def test_multisubstitute(X: torch.Tensor, spacing: object, start: int | None) -> None:
    motifs = ["GATA", "TGACTCA", "CC"]
    same(ours.multisubstitute(X, motifs, spacing, start=start), ersatz.multisubstitute(X, motifs, spacing, start=start))


def test_delete_randomize_shuffle(X: torch.Tensor) -> None:
    same(ours.delete(X, 5, 9), ersatz.delete(X, 5, 9))
    same(ours.randomize(X, 10, 30, n=2, random_state=1), ersatz.randomize(X, 10, 30, n=2, random_state=1))
    probs = [[0.7, 0.1, 0.1, 0.1]]
    same(ours.randomize(X, 0, 60, probs, random_state=1), ersatz.randomize(X, 0, 60, probs, random_state=1))
    for end in (30, -1, -5):
        same(ours.shuffle(X, 3, end, n=3, random_state=2), ersatz.shuffle(X, 3, end, n=3, random_state=2))


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("seed", [0, 7, 2**31 - 2, [5, 1, 5, 9, 2, 3]])
@pytest.mark.parametrize("span", [(0, -1), (5, 40), (10, -8)])
def test_dinucleotide_shuffle(X: torch.Tensor, seed: object, span: tuple[int, int]) -> None:
    same(
        ours.dinucleotide_shuffle(X, *span, n=4, random_state=seed),
        ersatz.dinucleotide_shuffle(X, *span, n=4, random_state=seed),
    )


@pytest.mark.usefixtures("loops")
def test_dinucleotide_shuffle_with_unknown_bases(X: torch.Tensor) -> None:
    X = with_unknown(X)
    same(
        ours.dinucleotide_shuffle(X, n=3, random_state=0, allow_N=True),
        ersatz.dinucleotide_shuffle(X, n=3, random_state=0, allow_N=True),
    )


@pytest.mark.usefixtures("loops")
def test_local_dinucleotide_shuffle() -> None:
    X = utils.random_one_hot((2, 4, 300), random_state=4)
    options = {"n": 3, "bin_size": 90, "min_bin_size": 40, "random_state": 3}
    same(ours.local_dinucleotide_shuffle(X, **options), ersatz.local_dinucleotide_shuffle(X, **options))


def test_composition(X: torch.Tensor) -> None:
    X = with_unknown(X)
    same(ours.gc_content(X), utils.gc_content(X))
    same(ours.entropy(X), utils.entropy(X))
    P = torch.rand(2, 4, 9, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(ours.information_content(P), utils.information_content(P), atol=0)
    same(ours.pwm_consensus(P[0] / P[0].sum(0)), utils.pwm_consensus(P[0] / P[0].sum(0)))


@pytest.mark.parametrize("overlap", [0, 1, 4, 7])
def test_chunk_and_unchunk(overlap: int) -> None:
    # two windows and more: the peer trims both ends of a sequence of one window, which ours keeps whole
    lengths = [64, 40, 31]
    X = [utils.random_one_hot((1, 4, n), random_state=n)[0] for n in lengths]
    chunks = ours.chunk(X, size=16, overlap=overlap)
    same(chunks, utils.chunk(X, size=16, overlap=overlap))
    for a, b in zip(ours.unchunk(chunks, lengths, overlap), utils.unchunk(chunks, lengths, overlap), strict=True):
        same(a, b)


def test_kmers(X: torch.Tensor) -> None:
    kmers = pytest.importorskip("tangermeme.kmers")
    scores = torch.rand(6, 60, generator=torch.Generator().manual_seed(0))
    same(ours.kmers(X, 3), kmers.kmers(X, 3))
    same(ours.kmers(with_unknown(X), 2), kmers.kmers(with_unknown(X), 2))
    # the sum over a window is one convolution there and a sum here: float32 rounding
    assert torch.allclose(ours.kmers(X, 4, scores), kmers.kmers(X, 4, scores), atol=1e-5)


@pytest.mark.slow  # the peer compiles for half a minute
@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # of the peer, under numpy 2
def test_gapped_kmers(X: torch.Tensor) -> None:
    kmers = pytest.importorskip("tangermeme.kmers")
    scores = torch.rand(6, 60, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    # where fewer are found than max_gkmers, the peer fails or, where it is one, counts it max_gkmers times
    for options in ({}, {"max_gkmers": 4, "max_pos": 30}, {"min_k": 3, "max_k": 5, "max_gap": 3, "max_len": 8}):
        a, b = ours.gapped_kmers(X, scores, **options), kmers.gapped_kmers(X, scores, **options)
        assert abs(a - b).max() < 1e-12
        assert (a != 0).sum() == (b != 0).sum()


def test_packed_sequences_hold_the_same_bytes(X: torch.Tensor) -> None:
    X = with_unknown(X)
    a, b = ours.PackedSequence.from_one_hot(X), utils.PackedSequence.from_one_hot(X)
    same(a.data, b.data)
    same(a.n_runs, torch.as_tensor(b.n_runs))
    same(a.to_codes(), b.to_codes())
    same(a.to_one_hot(), b.to_one_hot())
    same(a[torch.tensor([2, 0])].to_one_hot(), b[torch.tensor([2, 0])].to_one_hot())


def test_coordinates() -> None:
    loci = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [100, 7], "end": [201, 20]})
    seqlets = pd.DataFrame({"example_idx": [1, 0], "start": [3, 5], "end": [9, 6], "attribution": [0.1, 0.2]})
    for window in (None, 50, 51):
        a = ours.example_to_fasta_coords(seqlets, loci, window=window, one_indexed=window == 50)
        b = utils.example_to_fasta_coords(seqlets, loci, window=window, one_indexed=window == 50)
        pd.testing.assert_frame_equal(a, b)
    Y = torch.rand(2, 3, 30)
    assert torch.allclose(ours.extract_signal(seqlets, Y), utils.extract_signal(seqlets, Y))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two chromosomes with lower case and N, as downloads have them."""
    rng = np.random.RandomState(0)
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    with path.open("w") as out:
        for name, length in (("chr1", 5000), ("chr2", 3001)):
            letters = rng.choice(list("ACGTacgtN"), size=length, p=[0.12] * 8 + [0.04])
            text = "".join(letters)
            out.write(f">{name}\n" + "\n".join(text[i : i + 60] for i in range(0, length, 60)) + "\n")
    return path


@pytest.fixture(scope="module")
def peaks() -> pd.DataFrame:
    rng = np.random.RandomState(1)
    starts = rng.randint(0, 3000, size=40)
    return pd.DataFrame(
        {"chrom": rng.choice(["chr1", "chr2"], 40), "start": starts, "end": starts + rng.randint(1, 90, size=40)}
    )


@pytest.mark.parametrize(
    "options",
    [
        {"in_window": 100},
        {"in_window": 101, "out_window": 31, "max_jitter": 4, "return_mask": True},
        {"in_window": 60, "n_loci": 5, "chroms": ["chr2"], "return_mask": True},
        {"in_window": 60, "min_counts": 7.5, "out_window": 30, "return_mask": True},
    ],
)
def test_extract_loci(genome: Path, peaks: pd.DataFrame, options: dict) -> None:
    io = pytest.importorskip("tangermeme.io")
    rng = np.random.RandomState(2)
    wig = {"chr1": rng.rand(5000).astype(np.float32), "chr2": rng.rand(3001).astype(np.float32)}
    signals = {"signals": [wig]} if "out_window" in options else {}
    exclude = pd.DataFrame({"chrom": ["chr1"], "start": [1000], "end": [1150]})
    common = {**options, **signals, "exclusion_lists": exclude}
    a = ours.extract_loci([peaks, peaks.iloc[:7]], str(genome), **common)
    b = io.extract_loci([peaks, peaks.iloc[:7]], str(genome), **common)
    if not isinstance(a, list):
        a, b = [a], [b]
    for x, y in zip(a, b, strict=True):
        same(x, y)


def test_vcf_and_fasta(tmp_path: Path, X: torch.Tensor) -> None:
    io = pytest.importorskip("tangermeme.io")
    vcf = tmp_path / "a.vcf"
    row = "chr1\t7\trs1\tA\tG,T\t.\tPASS\tAF=0.1\tGT\t0/1\t1/1"
    vcf.write_text(f"##x\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\ts2\n{row}\n")
    theirs = io.read_vcf(str(vcf))
    pd.testing.assert_frame_equal(ours.read_vcf(vcf), theirs.fillna("."), check_dtype=False)
    assert list(ours.read_vcf(vcf, samples=True).columns[-2:]) == ["s1", "s2"]
    ours.one_hot_to_fasta(with_unknown(X), tmp_path / "ours.fa")
    io.one_hot_to_fasta(with_unknown(X), str(tmp_path / "theirs.fa"))
    assert (tmp_path / "ours.fa").read_bytes() == (tmp_path / "theirs.fa").read_bytes()


@pytest.fixture(scope="module")
def islands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A genome whose GC content changes along it, with a stretch of N."""
    rng = np.random.RandomState(0)
    path = tmp_path_factory.mktemp("islands") / "g.fa"
    with path.open("w") as out:
        for name, length in (("chr1", 60_000), ("chr2", 31_017)):
            gc = np.repeat(rng.uniform(0.25, 0.75, -(-length // 500)), 500)[:length]
            letters = np.where(rng.rand(length) < gc, rng.choice(list("GC"), length), rng.choice(list("ATat"), length))
            letters[5000:6000] = "N"
            out.write(f">{name}\n{''.join(letters)}\n")
    return path


@pytest.mark.parametrize("options", [{}, {"chroms": ["chr2"]}, {"gc_bin_width": 0.05, "max_n_perc": 0.5}])
def test_extract_matching_loci(islands: Path, options: dict) -> None:
    peer = pytest.importorskip("tangermeme.match")
    rng = np.random.RandomState(3)
    starts = rng.randint(0, 29_000, 40)
    loci = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 40), "start": starts, "end": starts + 150})
    common = {"in_window": 200, "out_window": 100, "random_state": 1, **options}
    ours = ours_match(loci, islands, **common)
    theirs = peer.extract_matching_loci(loci, str(islands), **common)
    assert len(theirs) > 15
    pd.testing.assert_frame_equal(ours.reset_index(drop=True), theirs.reset_index(drop=True), check_dtype=False)


def ours_match(loci: pd.DataFrame, fasta: Path, **options: object) -> pd.DataFrame:
    return ours.extract_matching_loci(loci, fasta, **options)


def test_matching_loci_avoid_signal(islands: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyBigWig")
    peer = pytest.importorskip("tangermeme.match")
    rng = np.random.RandomState(4)
    places = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [0, 0], "end": [31_000, 31_000]})
    ours.write_bigwig(tmp_path / "s.bw", rng.gamma(0.3, size=(2, 31_000)), places, {"chr1": 60_000, "chr2": 31_017})
    starts = rng.randint(1000, 29_000, 20)
    loci = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + 150})
    common = {
        "in_window": 200,
        "out_window": 100,
        "random_state": 1,
        "bigwig": str(tmp_path / "s.bw"),
        "signal_beta": 1.3,
    }
    mine, theirs = ours_match(loci, islands, **common), peer.extract_matching_loci(loci, str(islands), **common)
    pd.testing.assert_frame_equal(mine.reset_index(drop=True), theirs.reset_index(drop=True), check_dtype=False)
    # with equal windows the peer sums nothing and keeps every tile; ours leaves out those with signal
    whole = ours_match(loci, islands, **{**common, "out_window": 200, "signal_beta": 0.0})
    assert (whole["start"] >= 31_000).all()
