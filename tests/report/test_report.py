"""Reports: parameters checked before anything starts, whole files or none, and runs that go on where they were."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import FormatError, NbinterpError


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"demo": True, "n_shufles": 3}, "did you mean 'n_shuffles'"),
        ({}, "none of them"),
        ({"demo": True, "fasta": "x"}, "fasta, demo"),
        ({"fasta": "x.fa"}, "--model"),
        ({"demo": True, "n_shuffles": "many"}, "type int"),
        ({"demo": True, "n_shuffles": 0}, "at least 1"),
        ({"demo": "perhaps"}, "type bool"),
        ({"demo": True, "method": "deeplift"}, "did you mean"),
        ({"demo": True, "threshold": 2}, "at most 1"),
        ({"demo": True, "max_seqlet_len": 2}, "at least 4"),
        ({"fasta": "absent.fa", "model": __file__}, "no file"),
        ({"loci": __file__, "model": __file__}, "genome"),
    ],
)
def test_wrong_parameters_are_refused_at_once(given: dict, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.check_parameters("attribution", given)


def test_words_from_a_shell_become_values() -> None:
    checked = nb.check_parameters("attribution", {"demo": "true", "n_shuffles": "7", "threshold": "1e-3"})
    assert (checked.demo, checked.n_shuffles, checked.threshold) == (True, 7, 1e-3)
    with pytest.raises(NbinterpError, match="did you mean 'attribution'"):
        nb.describe("atribution")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    nb.run_report("attribution", {"demo": True}, out)
    return out


def test_a_report_is_whole(report: Path) -> None:
    page = (report / "report.html").read_text()
    assert page.count('class="nbi-mount"') >= 5
    assert "Content-Security-Policy" in page
    assert 'class="error"' not in page
    manifest = json.loads((report / "manifest.json").read_text())
    assert manifest["target"] == "enhancer"
    assert len(manifest["model_hash"]) == 64
    assert {"predictions", "attributions", "seqlets"} <= set(manifest["seconds"])
    tables = {p.stem for p in (report / "tables").iterdir()}
    assert {"predictions", "seqlets", "kmers", "truth", "dropped"} <= tables
    assert (report / "figures" / "strongest.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads((report / "report.ipynb").read_text())["cells"]


def test_the_report_prints_recall_and_precision(report: Path) -> None:
    seqlets = pd.read_csv(report / "tables" / "seqlets.tsv", sep="\t")
    truth = pd.read_csv(report / "tables" / "truth.tsv", sep="\t")
    found = nb.demo.recovery(seqlets, truth)
    assert found.recall >= 0.93
    assert found.precision >= 0.75
    assert str(found) in (report / "report.html").read_text()


def test_a_second_run_reads_what_was_kept(report: Path) -> None:
    before = len((report / "progress.jsonl").read_text().splitlines())
    nb.run_report("attribution", {"demo": True, "threshold": 0.001}, report)
    lines = [json.loads(line) for line in (report / "progress.jsonl").read_text().splitlines()[before:]]
    kept = {line["step"]: line["kept"] for line in lines if "kept" in line}
    assert kept.pop("seqlets") is False  # the threshold is an input of this step alone
    assert all(kept.values())
    assert kept


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []

    def work(start: int, end: int) -> np.ndarray:
        calls.append((start, end))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return np.arange(start, end)

    with pytest.raises(KeyboardInterrupt):
        nb.Run(tmp_path).chunks("scores", work, 10, 3, "inputs")
    assert nb.Run(tmp_path).chunks("scores", work, 10, 3, "inputs").tolist() == list(range(10))
    assert calls == [(0, 3), (3, 6), (6, 9), (6, 9), (9, 10)]
    nb.Run(tmp_path).chunks("scores", work, 10, 3, "other inputs")
    assert len(calls) == 9


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = nb.Run(tmp_path)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(FormatError, match="full disk"):
        run.table("t", pd.DataFrame({"a": [1]}))
    monkeypatch.setattr("pickle.dump", full)
    with pytest.raises(FormatError, match="full disk"):
        run.step("s", lambda: 1)
    left = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert left == []


def test_a_failing_cell_says_why(tmp_path: Path) -> None:
    fasta = tmp_path / "x.fa"
    fasta.write_text(">a\nACGT\n>b\nAC*T\n")
    torch.save(nb.BPNet(4, 2).state_dict(), tmp_path / "m.torch")
    with pytest.raises(NbinterpError, match=r"'\*' at position 2"):
        nb.run_report("attribution", {"fasta": str(fasta), "model": str(tmp_path / "m.torch")}, tmp_path / "out")
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.slow
def test_two_hundred_long_sequences_stay_small(tmp_path: Path) -> None:
    X = nb.random_one_hot((200, 4, 2114), random_state=0)
    nb.one_hot_to_fasta(X, tmp_path / "x.fa")
    torch.manual_seed(0)
    torch.save(nb.BPNet(8, 3).state_dict(), tmp_path / "m.torch")
    given = {
        "fasta": str(tmp_path / "x.fa"),
        "model": str(tmp_path / "m.torch"),
        "transform": "logcounts",
        "n_shuffles": 3,
    }
    page = nb.run_report("attribution", given, tmp_path / "out")
    assert page.stat().st_size < 15e6


@pytest.mark.slow
@pytest.mark.real
def test_the_report_on_deepstarr(data_dir: Path, tmp_path: Path) -> None:
    given = {"model": data_dir / "deepstarr.model.h5", "fasta": data_dir / "deepstarr_example_sequences.fa"}
    page = nb.run_report("attribution", given, tmp_path)
    assert "Dense_Dev" in page.read_text()
    table = pd.read_csv(tmp_path / "tables" / "predictions.tsv", sep="\t")
    assert table["Dense_Dev"].max() == pytest.approx(7.3209, abs=1e-3)


@pytest.mark.slow
@pytest.mark.real
def test_known_sites_are_among_mpra_dragonns_strongest_seqlets(data_dir: Path, tmp_path: Path) -> None:
    """ETS, NRF1 and AP-1, on either strand, in the strongest fifth of the positive seqlets, or in the k-mers that carry most."""
    given = {"model": data_dir / "mpra_dragonn_conv.h5", "fasta": data_dir / "mpra_145bp_200.fa", "task": 2}
    nb.run_report("attribution", given, tmp_path)
    seqlets = pd.read_csv(tmp_path / "tables" / "seqlets.tsv", sep="\t")
    positive = seqlets[seqlets["attribution"] > 0].sort_values("attribution", ascending=False)
    strongest = " ".join(positive.head(max(20, len(positive) // 5))["sequence"])
    both = strongest + " " + nb.reverse_complement(strongest.replace(" ", "N"))
    for site in ("CCGGAA", "GCATGCGC", "TGACTCA"):
        assert site in both, site
