"""``nbinterp fimo``, ``tomtom`` and ``annotate``: what they write is what the functions give."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.cli.main import main

SITE = "TGACTCAGC"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A genome with three sites of one motif, thirty motifs, loci, spans: under short names."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.RandomState(0)
    letters = {"chr1": rng.choice(list("ACGT"), 3000), "chr2": rng.choice(list("acgt"), 400)}
    other = nb.reverse_complement(SITE)
    for chrom, at, text in (("chr1", 500, SITE), ("chr1", 1990, other), ("chr2", 100, SITE.lower())):
        letters[chrom][at : at + len(text)] = list(text)
    letters["chr1"][700:730] = "N"
    Path("g.fa").write_text("".join(f">{name} of a test\n{''.join(text)}\n" for name, text in letters.items()))
    matrices = {f"m{i}": torch.from_numpy(rng.dirichlet([0.4] * 4, 8).T.copy()) for i in range(29)}
    matrices["AP1 JUN"] = nb.one_hot_encode(SITE).double() * 0.88 + 0.03
    nb.write_meme("m.meme", nb.MotifSet(matrices))
    Path("l.bed").write_text("chr1\t480\t520\tfirst\nchr1\t1980\t2020\tsecond\n")
    Path("s.bed").write_text("chr1\t500\t508\ts1\t7\t+\nchr1\t1991\t1999\ts2\t8\t+\nchr2\t100\t109\ts3\t9\t.\n")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], words: str) -> pd.DataFrame:
    """Run a command that prints a table."""
    assert main(words.split()) == 0
    return pd.read_csv(io.StringIO(capsys.readouterr().out), sep="\t")


def fails(capsys: pytest.CaptureFixture[str], words: str, says: str) -> None:
    assert main(words.split()) == 2
    err = capsys.readouterr().err
    assert err.startswith("nbinterp: ")
    assert err.count("\n") == 1
    assert says in err


# ---- fimo ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_fimo_writes_what_the_function_gives(capsys: pytest.CaptureFixture[str]) -> None:
    ours = nb.fimo("m.meme", "g.fa", as_table=True)
    shown = run(capsys, "fimo m.meme g.fa")
    assert list(shown) == [
        "name", "sequence_name", "start", "end", "strand", "score", "p-value", "motif_idx", "example_idx"
    ]  # fmt: skip
    pd.testing.assert_frame_equal(shown, ours[list(shown)], rtol=1e-5)
    found = shown[(shown["name"] == "AP1 JUN") & (shown["score"] > 15)]
    assert found[["sequence_name", "start", "end", "strand"]].to_numpy().tolist() == [
        ["chr1", 500, 509, "+"], ["chr1", 1990, 1999, "-"], ["chr2", 100, 109, "+"]
    ]  # fmt: skip
    counted = nb.count_annotations(nb.as_annotations(shown))  # a table like any other
    assert counted.sum() == len(ours)
    lettered = run(capsys, "fimo m.meme g.fa --matched-sequence --q-values")
    assert list(lettered)[6:9] == ["p-value", "q-value", "matched_sequence"]
    assert (lettered["matched_sequence"].str.len() == lettered["end"] - lettered["start"]).all()


@pytest.mark.usefixtures("folder")
def test_fimo_streams(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Stretches are written one after the other, and a file's suffix says its form."""
    whole = nb.fimo("m.meme", "g.fa", as_table=True)
    stream = nb.stream_fimo
    parts: list[int] = []

    def small(*args: object, **kwargs: object) -> object:
        for part in stream(*args, **kwargs, size=500):
            parts.append(len(part))
            yield part

    monkeypatch.setattr(nb, "stream_fimo", small)
    assert main("fimo m.meme g.fa -o h.tsv.gz".split()) == 0
    assert len(parts) == 7
    with gzip.open("h.tsv.gz", "rt") as text:
        pd.testing.assert_frame_equal(pd.read_csv(text, sep="\t")[["start", "name"]], whole[["start", "name"]])
    assert main("fimo m.meme g.fa -o h.bed".split()) == 0
    bed = pd.read_csv("h.bed", sep="\t", header=None)
    best = bed[(bed[3] == "AP1_JUN") & (bed[6] > 15)]
    assert best[[0, 1, 2, 5]].to_numpy().tolist() == [
        ["chr1", 500, 509, "+"], ["chr1", 1990, 1999, "-"], ["chr2", 100, 109, "+"]
    ]  # fmt: skip
    np.testing.assert_array_equal(bed[4], np.rint(-10 * np.log10(bed[7])))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["h.tsv", "h.tsv.gz", "h.bed"])
def test_a_scan_that_was_stopped_goes_on(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = nb.stream_fimo
    scanned: list[int] = []
    stop = 3

    def small(*args: Any, **kwargs: Any) -> Any:
        for part in stream(*args, **kwargs, size=500):
            if len(scanned) == stop:
                raise KeyboardInterrupt
            scanned.append(len(part))
            yield part

    def text() -> str:
        return (gzip.decompress if name.endswith("gz") else bytes)(Path(name).read_bytes()).decode()

    monkeypatch.setattr(nb, "stream_fimo", small)
    Path(name).write_text("old")
    assert main(f"fimo m.meme g.fa -o {name}".split()) == 130
    assert Path(name).read_text() == "old"
    assert len([path for path in Path().iterdir() if "partial" in path.name]) == 2
    with Path(f".{name}.partial").open("ab") as rows:
        rows.write(b"half a li")  # a kill in the middle of a write
    stop = -1
    assert main(f"fimo m.meme g.fa -o {name}".split()) == 0
    assert "3 stretches" in capsys.readouterr().err
    assert len(scanned) == 7
    assert not [path for path in Path().iterdir() if "partial" in path.name]
    went_on = text()
    scanned.clear()
    assert main(f"fimo m.meme g.fa -o {name}".split()) == 0
    assert len(scanned) == 7
    assert text() == went_on


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("change", ["options", "motifs", "sequences", "state"])
def test_what_another_scan_left_is_not_taken(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = nb.stream_fimo
    skipped = []

    def dies(*args: Any, **kwargs: Any) -> Any:
        skipped.append(kwargs["skip"])
        yield next(stream(*args, **kwargs, size=500))
        raise KeyboardInterrupt

    monkeypatch.setattr(nb, "stream_fimo", dies)
    command = "fimo m.meme g.fa -o h.tsv"
    main(command.split())
    main(command.split())
    assert skipped == [0, 1]
    if change == "options":
        command += " --threshold 1e-3"
    elif change == "state":
        Path(".h.tsv.partial.json").write_text("{")
    else:
        path, old, new = {"motifs": ("m.meme", "m3", "m3b"), "sequences": ("g.fa", "ACG", "ACC")}[change]
        text = Path(path).read_text()
        assert old in text
        Path(path).write_text(text.replace(old, new, 1))
    main(command.split())
    assert skipped[2] == 0


@pytest.mark.usefixtures("folder")
def test_fimo_options_reach_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    counts = run(capsys, "fimo m.meme g.fa --counts --no-rc --threshold 1e-3 --background 0.3,0.2,0.2,0.3")
    expected = nb.fimo("m.meme", "g.fa", threshold=1e-3, reverse_complement=False, return_counts=True,
                       background=[0.3, 0.2, 0.2, 0.3])  # fmt: skip
    assert counts["hits"].tolist() == expected.tolist()
    assert counts.loc[29, ["name", "alternate"]].tolist() == ["AP1 JUN", "JUN"]
    shown = run(capsys, "fimo m.meme g.fa --q-values")
    np.testing.assert_allclose(
        shown["q-value"], nb.fimo("m.meme", "g.fa", as_table=True, q_values=True)["q-value"], 1e-5
    )
    assert len(run(capsys, "fimo m.meme g.fa --background motifs")) == len(nb.fimo("m.meme", "g.fa", as_table=True))


@pytest.mark.usefixtures("folder")
def test_fimo_at_loci_gives_places_in_the_genome(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "fimo m.meme g.fa --loci l.bed --in-window 50")
    best = shown[shown["score"] > 15]
    assert best[["chrom", "chrom_start", "chrom_end", "start", "example_idx"]].to_numpy().tolist() == [
        ["chr1", 500, 509, 25, 0], ["chr1", 1990, 1999, 15, 1]
    ]  # fmt: skip
    assert main("fimo m.meme g.fa --loci l.bed --in-window 50 --bed".split()) == 0
    assert "chr1\t500\t509\tAP1_JUN\t" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_fimo_of_nothing_has_a_header(capsys: pytest.CaptureFixture[str]) -> None:
    Path("e.fa").write_text(">short\nAC\n>none\n\n")
    for words in ("fimo m.meme e.fa", "fimo m.meme e.fa --q-values"):
        shown = run(capsys, words)
        assert shown.empty
        assert shown.columns[0] == "name"
    assert main("fimo m.meme e.fa --bed".split()) == 0
    assert capsys.readouterr().out == ""
    np.save("x.npy", np.eye(4)[None, :, [0, 1, 2, 3]])
    assert run(capsys, "fimo m.meme x.npy --counts")["hits"].sum() == 0


@pytest.mark.usefixtures("folder")
def test_fimo_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.meme").write_text("MEME version 4\n\nMOTIF a\nletter-probability matrix: w= 2\n 1 0 0 0\n")
    for words, says in (
        ("fimo absent.meme g.fa", "absent.meme"),
        ("fimo bad.meme g.fa", "need 2 rows"),
        ("fimo jaspar:vertebrate g.fa", "did you mean 'vertebrates'"),
        ("fimo m.meme absent.fa", "a path to no file"),
        ("fimo m.meme m.meme", "need a FASTA file"),
        ("fimo m.meme g.fa --threshold 2", "p-value in (0, 1]"),
        ("fimo m.meme g.fa --background a,b", "parted by commas"),
        ("fimo m.meme g.fa --background 1,2", "four frequencies"),
        ("fimo m.meme g.fa --counts --bed", "leave one out"),
        ("fimo m.meme g.fa --in-window 5", "pass --loci too"),
        ("fimo m.meme m.npz", "an npz with arr_0"),
        ("fimo m.meme g.fa --loci m.meme", "BED"),
    ):
        fails(capsys, words, says)
    with pytest.raises(SystemExit) as done:
        main("fimo m.meme g.fa --counts --q-values".split())
    assert done.value.code == 2


@pytest.mark.usefixtures("folder")
def test_a_closed_pipe_is_no_error() -> None:
    many = "".join(f">s{i}\n{SITE}{SITE}\n" for i in range(20_000))
    Path("many.fa").write_text(many)
    done = subprocess.run(
        f"{sys.executable} -m nbinterp fimo m.meme many.fa | head -n 2; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "141"
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.gpu
@pytest.mark.usefixtures("folder")
def test_fimo_on_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    pd.testing.assert_frame_equal(
        run(capsys, "fimo m.meme g.fa --device cuda"), run(capsys, "fimo m.meme g.fa --device cpu")
    )


# ---- tomtom -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_tomtom_writes_what_the_function_gives(capsys: pytest.CaptureFixture[str]) -> None:
    motifs = nb.read_motifs("m.meme", dtype="float64")
    ours = nb.tomtom(motifs, motifs, n_nearest=3, as_table=True)
    shown = run(capsys, "tomtom m.meme m.meme -n 3")
    pd.testing.assert_frame_equal(shown[list(ours)], ours, rtol=1e-5)
    best = shown.groupby("query_idx").first()
    assert best["target"].tolist() == list(motifs)
    assert (best["query_consensus"] == best["target_consensus"]).all()
    assert len(run(capsys, "tomtom m.meme m.meme -n 0")) == 30 * 30
    few = run(capsys, "tomtom m.meme m.meme -n 0 --q-threshold 0.3 --no-rc")
    all_ = nb.tomtom(motifs, motifs, reverse_complement=False, as_table=True)
    assert 30 < len(few) == (all_["q-value"] <= 0.3).sum() < (all_["p-value"] <= 0.3).sum()
    assert (few["strand"] == "+").all()


@pytest.mark.usefixtures("folder")
def test_tomtom_reads_letters_and_jaspar(capsys: pytest.CaptureFixture[str]) -> None:
    first = run(capsys, f"tomtom {nb.reverse_complement(SITE)} m.meme -n 1").iloc[0]
    assert (first["target"], first["strand"], first["target_consensus"]) == ("AP1 JUN", "-", "GCTGAGTCA")
    shown = run(capsys, "tomtom TGACTCA -n 5")
    assert shown["target"].str.contains("BACH|NFE2|BATF|JDP2|FOS|JUN", case=False).all()


def test_tomtom_trims_patterns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pattern's empty flanks would hang over every target."""
    letters = nb.one_hot_encode(SITE).double().numpy()
    flank = np.full((4, 20), 0.25)
    sequence = np.concatenate([flank, letters, flank], axis=1)
    contributions = np.concatenate([flank * 0, letters, flank * 0], axis=1)
    seqlets = pd.DataFrame({"example_idx": [0], "start": [0], "end": [49], "strand": ["+"]})
    pattern = nb.motif.Pattern("pos_patterns.pattern_0", sequence, contributions, contributions, seqlets, {})
    nb.write_modisco("p.h5", nb.motif.PatternSet((pattern,)))
    trimmed = run(capsys, "tomtom p.h5 m.meme -n 1").iloc[0]
    assert (trimmed["target"], trimmed["query_consensus"], trimmed["offset"]) == ("AP1 JUN", SITE, 0)
    assert len(run(capsys, "tomtom p.h5 m.meme -n 1 --trim 0").iloc[0]["query_consensus"]) == 49


@pytest.mark.usefixtures("folder")
def test_tomtom_warns_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    nb.write_meme("few.meme", {"a": nb.one_hot_encode(SITE)})
    assert main("tomtom m.meme few.meme".split()) == 0
    err = capsys.readouterr().err
    assert err.startswith("nbinterp: warning: tomtom: 1 targets are few")
    assert err.count("\n") == 1
    fails(capsys, "tomtom m.meme absent", "absent")
    fails(capsys, "tomtom m.meme m.meme -n -1", "at least 1")


# ---- annotate -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_annotate_names_spans_of_a_genome(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "annotate s.bed m.meme --sequences g.fa")
    assert list(shown)[:6] == ["chrom", "start", "end", "seqlet_name", "seqlet_score", "seqlet_strand"]
    assert shown[["seqlet_name", "name", "strand", "motif_start", "motif_end", "rank"]].to_numpy().tolist() == [
        ["s1", "AP1 JUN", "+", 500, 509, 0], ["s2", "AP1 JUN", "-", 1990, 1999, 0], ["s3", "AP1 JUN", "+", 100, 109, 0]
    ]  # fmt: skip
    assert main("annotate s.bed m.meme --sequences g.fa -o n.bed".split()) == 0
    bed = pd.read_csv("n.bed", sep="\t", header=None)
    assert bed[[0, 1, 2, 3, 5]].to_numpy().tolist() == [
        ["chr1", 500, 508, "AP1_JUN", "+"], ["chr1", 1991, 1999, "AP1_JUN", "-"], ["chr2", 100, 109, "AP1_JUN", "+"]
    ]  # fmt: skip


def test_annotate_is_the_function_however_it_is_fed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By number of the record, of one-hot sequence, and some at a time."""
    rng = np.random.RandomState(1)
    X = nb.random_one_hot((5, 4, 60), random_state=1)
    nb.one_hot_to_fasta(X, "x.fa", headers=list("abcde"))
    np.savez("x.npz", X.numpy())
    start = rng.randint(0, 45, 20)
    seqlets = pd.DataFrame(
        {"example_idx": rng.randint(0, 5, 20), "start": start, "end": start + rng.randint(5, 15, 20)}
    )
    seqlets.to_csv("s.tsv", sep="\t", index=False)
    ours = nb.annotate_seqlets(X, seqlets, nb.read_motifs("m.meme", dtype="float64"), n_nearest=2, as_table=True)
    monkeypatch.setattr("nbinterp.cli.annotate._CHUNK", 7)
    for sequences in ("x.fa", "x.npz"):
        shown = run(capsys, f"annotate s.tsv m.meme -n 2 --sequences {sequences}")
        for column in ("example_idx", "start", "end", "name", "strand", "offset", "motif_start", "motif_end", "rank"):
            assert shown[column].tolist() == ours[column].tolist(), column
        np.testing.assert_allclose(shown[["p-value", "q-value"]], ours[["motif_p-value", "motif_q-value"]], rtol=1e-5)
    kept = run(capsys, "annotate s.tsv m.meme -n 2 --sequences x.fa --q-threshold 0.5")
    assert len(kept) == (ours["motif_q-value"] <= 0.5).sum()


def test_annotate_calls_seqlets_of_attributions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    X = nb.random_one_hot((6, 4, 80), random_state=0).numpy()
    attributions = np.random.RandomState(0).normal(0, 0.01, X.shape).astype(np.float32)
    X[2, :, 30:39] = nb.one_hot_encode(SITE)
    attributions[2, :, 30:39] += 1
    np.savez("x.ohe.npz", X)
    np.savez("x.attr.npz", attributions)
    shown = run(capsys, "annotate x.attr.npz m.meme --sequences x.ohe.npz")
    best = shown.sort_values("attribution").iloc[-1]
    assert (best["example_idx"], best["name"], best["motif_start"]) == (2, "AP1 JUN", 30)
    none = run(capsys, "annotate x.attr.npz m.meme --sequences x.ohe.npz --seqlet-threshold 1e-12")
    assert none.empty
    assert list(none) == list(shown)
    fails(capsys, "annotate x.attr.npz m.meme --sequences g.fa", "as .npz or .npy")


@pytest.mark.usefixtures("folder")
def test_annotate_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", np.zeros((2, 4, 30)))
    np.save("flat.npy", np.zeros((2, 4)))
    Path("odd.tsv").write_text("start\tstop\n1\t2\n")
    Path("out.bed").write_text("chr2\t395\t405\n")
    Path("other.bed").write_text("chrX\t1\t9\n")
    Path("number.tsv").write_text("example_idx\tstart\tend\n7\t1\t9\n")
    Path("empty.bed").write_text("")
    for words, says in (
        ("annotate absent.bed m.meme --sequences g.fa", "absent.bed"),
        ("annotate odd.tsv m.meme --sequences g.fa", "columns start, stop"),
        ("annotate out.bed m.meme --sequences g.fa", "got chr2:395-405; need spans within"),
        ("annotate other.bed m.meme --sequences g.fa", "got chrX:1-9; need names or numbers of records"),
        ("annotate number.tsv m.meme --sequences g.fa", "got 7:1-9"),
        ("annotate number.tsv m.meme --sequences x.npy", "within 2 sequences"),
        ("annotate empty.bed m.meme --sequences g.fa", "BED rows"),
        ("annotate s.bed m.meme --sequences x.npy", "pass the genome's FASTA"),
        ("annotate s.bed m.meme --sequences flat.npy", "need (N, 4, L)"),
        ("annotate s.bed m.meme --sequences absent.fa", "absent.fa"),
        ("annotate s.bed absent.meme --sequences g.fa", "absent.meme"),
    ):
        fails(capsys, words, says)


@pytest.mark.parametrize("verb", ["fimo", "tomtom", "annotate"])
def test_help_fits_and_shows_how(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    text = capsys.readouterr().out
    assert f"nbinterp {verb} " in text.split("examples:")[1]
    assert max(map(len, text.split("examples:")[0].splitlines())) <= 80
