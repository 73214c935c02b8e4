"""The command line: what it prints, what it writes, and how it fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.cli.main import main


def test_it_lists_and_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "list"]) == 0
    assert "attribution" in capsys.readouterr().out
    assert main(["report", "help", "attribution"]) == 0
    assert "n_shuffles" in capsys.readouterr().out
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    assert nb.__version__ in capsys.readouterr().out


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["report", "attribution", "-o", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("nbinterp: report attribution(")
    assert main(["report", "help", "nothing"]) == 2
    assert main(["export", str(tmp_path / "absent.ipynb")]) == 2


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.RandomState(0)
    genome = tmp_path / "g.fa"
    letters = rng.choice(list("ACGT"), 3000)
    letters[2000:2003] = "N"
    genome.write_text(">chr1\n" + "".join(letters) + "\n")
    loci = tmp_path / "p.bed"
    loci.write_text("".join(f"chr1\t{m - 5}\t{m + 5}\tp{i}\n" for i, m in enumerate((50, 500, 900, 1500, 2001))))
    torch.manual_seed(0)
    model = tmp_path / "m.torch"
    torch.save(nb.BPNet(4, 2).state_dict(), model)
    return {"genome": genome, "loci": loci, "model": model}


def parameters(path: Path, **values: object) -> str:
    path.write_text(json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in values.items()}))
    return str(path)


def test_attribute_and_seqlets(inputs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyBigWig")
    names = {f"{k}_filename": tmp_path / f"a.{k}.{e}" for k, e in (("ohe", "npz"), ("attr", "npz"), ("idx", "npy"))}
    given = parameters(
        tmp_path / "a.json", model=inputs["model"], sequences=inputs["genome"], loci=inputs["loci"], in_window=300,
        attr_window=100, n_shuffles=2, bigwig_filename=tmp_path / "a.bw", chroms=None, **names,
    )  # fmt: skip
    assert main(["attribute", "-p", given]) == 0
    one_hot, scores = (np.load(names[f"{k}_filename"])["arr_0"] for k in ("ohe", "attr"))
    index = np.load(names["idx_filename"])
    assert index.tolist() == [False, True, True, True, False]  # off the chromosome; fine; fine; fine; holds an N
    assert one_hot.shape == scores.shape == (3, 4, 100)
    assert scores.dtype == np.float32
    assert (one_hot.sum(axis=1) == 1).all()
    text = inputs["genome"].read_text().splitlines()[1]
    assert nb.characters(one_hot[0].astype(float)) == text[450:550]
    assert (tmp_path / "a.bw").stat().st_size > 0

    given = parameters(
        tmp_path / "s.json", loci=inputs["loci"], output_filename=tmp_path / "s.bed", threshold=0.5, **names
    )
    assert main(["seqlets", "-p", given]) == 0
    bed = pd.read_csv(tmp_path / "s.bed", sep="\t", header=None)
    assert (bed[0] == "chr1").all()
    assert bed[3].is_monotonic_decreasing
    assert ((bed[1] >= 450) & (bed[2] <= 1550)).all()


def test_unknown_and_missing_keys_are_refused(
    inputs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attribute", "-p", parameters(tmp_path / "a.json", n_shufles=3)]) == 2
    assert "did you mean 'n_shuffles'" in capsys.readouterr().err
    assert main(["attribute", "-p", parameters(tmp_path / "a.json", model="m")]) == 2
    assert "sequences, loci" in capsys.readouterr().err
    (tmp_path / "b.json").write_text("{")
    assert main(["seqlets", "-p", str(tmp_path / "b.json")]) == 2


def test_what_is_on_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(nb.report, "run_report", lambda name, values, out, **_: asked.append((name, values)) or out)
    given = parameters(tmp_path / "v.json", n_matched=3, n_demo=2)
    assert main(["variants", "--demo", "--no-both-strands", "-p", given, "--n-demo", "5", "-o", str(tmp_path)]) == 0
    assert asked == [("variants", {"demo": True, "both_strands": False, "n_matched": 3, "n_demo": "5"})]


def test_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert main(["export", str(tmp_path / "n.ipynb")]) == 0
    assert (tmp_path / "n.html").read_text().startswith("<!doctype html>")
