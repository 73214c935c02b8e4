"""``nbinterp mutagenize``, ``mechanisms`` and ``surrogate``: what the functions give, in files, and taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nbinterp.cli.libraries import read_table
from nbinterp.cli.main import main
from nbinterp.mechanism import (
    MechanismSpace,
    combinatorial_library,
    compile_library,
    fit_surrogate,
    global_library,
    library_of,
    predict_library,
    random_library,
    read_surrogate,
    two_hot_library,
)
from nbinterp.mechanism.library_global import backgrounds_of

REFERENCE = "".join(np.random.default_rng(0).choice(list("ACGT"), 24))
N = 80
SMALL = ["-n", str(N), "-d", "cpu"]
STAGES = ["-k", "5", "--refits", "1", "--no-report"]


def network() -> torch.nn.Module:
    """Two outputs of a small network that knows some bases."""
    torch.manual_seed(0)
    layers = (torch.nn.Conv1d(4, 6, 5), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(120, 2))
    return torch.nn.Sequential(*layers).eval()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("model") / "model.pt"
    torch.save(network(), path)
    return ["-m", str(path), "--trust", "--task", "1"]


def run(*words: Any) -> int:
    return main([str(word) for word in words])


def refused(capsys: pytest.CaptureFixture[str], *words: Any) -> str:
    assert run(*words) == 2
    return capsys.readouterr().err


# ---- mutagenize


@pytest.mark.parametrize(
    ("words", "library"),
    [
        (["-n", 9], random_library(REFERENCE, 9, 0.1)),
        (["--num-sim", 9, "--mut-rate", 0.3, "--seed", 4, "--counts", "exact", "-w", 3, 9],
         random_library(REFERENCE, 9, 0.3, counts="exact", window=(3, 9), random_state=4)),
        (["-n", 9, "--stream", "squid"], random_library(REFERENCE, 9, 0.1, stream="squid")),
        (["--kind", "combinatorial", "-w", 3, 9, "--max-order", 1], combinatorial_library(REFERENCE, 1, window=(3, 9))),
        (["-n", 9, "--kind", "global", "-w", 3, 9, "--inter-window", 5, 6, "--context", "dinucleotide"],
         global_library(REFERENCE, 9, (3, 9), gaps=[(5, 6)], context="dinucleotide")),
        (["-n", 9, "--kind", "two-hot"], two_hot_library(REFERENCE, 9, 0.1)),
    ],
)  # fmt: skip
def test_libraries_are_those_of_the_functions(tmp_path: Path, words: list[Any], library: Any) -> None:
    assert run("mutagenize", REFERENCE, *words, "-o", tmp_path / "l.tsv") == 0
    table = read_table("test", tmp_path / "l.tsv")
    assert table["sequence"].tolist() == library.sequences()
    assert table["hamming"].tolist() == library.n_mutations.tolist()


@pytest.mark.parametrize("name", ["l.tsv", "l.csv.gz", "l.parquet"])
def test_predictions_in_any_table(
    tmp_path: Path, model: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("polars")
    (tmp_path / "two.fa").write_text(f">a\nACGT\n>b more\n{REFERENCE.lower()}\n")
    words = ["mutagenize", tmp_path / "two.fa", "--example", "b", *model, *SMALL, "-o", tmp_path / name]
    assert run(*words) == 0
    assert f"{N} sequences: {tmp_path / name}" in capsys.readouterr().out
    library = random_library(REFERENCE, N, 0.1)
    y = predict_library(network(), library, device="cpu")[:, 1].numpy()
    table = read_table("test", tmp_path / name)
    assert table.columns.tolist() == ["prediction", "hamming", "sequence"]
    np.testing.assert_allclose(table["prediction"], y, rtol=1e-5)
    assert table["sequence"].tolist() == library.sequences()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "two.fa"])


def test_seams_names_and_global_importance(tmp_path: Path, model: list[str]) -> None:
    words = [REFERENCE, *model, *SMALL, "--kind", "global", "-w", 8, 14, "--names", "seam", "-o", tmp_path / "mave.csv"]
    assert run("mutagenize", *words) == 0
    library = global_library(REFERENCE, N, (8, 14))
    pair = [predict_library(network(), one, device="cpu")[:, 1].numpy() for one in (library, backgrounds_of(library))]
    expected = compile_library(library, *pair, names="seam")
    table = pd.read_csv(tmp_path / "mave.csv")
    assert table.columns.tolist() == expected.columns.tolist() == ["DNN", "GIA", "Sequence"]
    np.testing.assert_allclose(table["GIA"], expected["GIA"], atol=1e-6)


def test_what_mutagenize_cannot_use_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = ["-o", tmp_path / "l.tsv"]
    assert "mutagenize(REFERENCE): got AC.fa; need letters, or a FASTA file" in refused(
        capsys, "mutagenize", "AC.fa", *out
    )
    (tmp_path / "one.fa").write_text(">a\nACGT\n")
    words = ["mutagenize", tmp_path / "one.fa", "--example", "b", *out]
    assert "got 'b'; need a record of" in refused(capsys, *words)
    words = ["mutagenize", REFERENCE, "--kind", "global", *out]
    assert "mutagenize(window): got none; need the motif's positions" in refused(capsys, *words)
    assert "random_library(rate): got 2.0" in refused(capsys, "mutagenize", REFERENCE, "-r", 2, *out)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = refused(capsys, "mutagenize", REFERENCE, "-o", tmp_path / "l.parquet")
    assert "got .parquet without polars; need polars; do pip install 'nbinterp[parquet]', or name it .tsv" in said
    assert [path.name for path in tmp_path.iterdir()] == ["one.fa"]


# ---- mechanisms


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, model: list[str]) -> Path:
    out = tmp_path_factory.mktemp("made") / "out"
    assert run("mechanisms", REFERENCE, *model, "-n", 700, "-d", "cpu", *STAGES, "-o", out) == 0
    return out


def test_the_folder_says_what_the_space_says(made: Path) -> None:
    space = MechanismSpace.load(made / "space")
    assert (len(space), space.clusters.k) == (700, 5)
    table = read_table("test", made / "library.tsv")
    assert table.columns.tolist() == ["prediction", "hamming", "cluster", "sequence"]
    assert table["cluster"].tolist() == space.labels.tolist()
    clusters = read_table("test", made / "clusters.tsv")
    assert clusters["n"].tolist() == space.clusters.sizes.tolist()
    assert {"median", "iqr", "reference", "consensus", "silhouette"} <= set(clusters)
    summary = read_table("test", made / "summary.tsv.gz")
    np.testing.assert_allclose(summary["Entropy"], space.summary()["Entropy"])
    with np.load(made / "logos.npz") as logos:
        np.testing.assert_allclose(logos["average"], space.logos(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(logos["foreground"], space.background().foreground, rtol=1e-5, atol=1e-6)
        assert logos["background"].shape == (4, 24)


def test_sites_are_written_with_what_they_add(tmp_path: Path) -> None:
    library = random_library(REFERENCE, 1500, 0.2)
    kept = (library.codes[:, 8:14] == library.reference_codes[8:14]).mean(1) > 0.8
    maps = np.random.default_rng(0).normal(size=(1500, 4, 24)).astype(np.float32) * 0.2
    maps[:, :, 8:14] += kept[:, None, None]
    MechanismSpace.from_parts(library, maps, kept + 0.0, n_clusters=6, n_refits=0).save(tmp_path / "space")
    assert (
        run("mechanisms", "--space", tmp_path / "space", "--no-report", "-o", tmp_path, "--motifs", "jaspar:insects")
        == 0
    )
    sites = read_table("test", tmp_path / "sites.tsv")
    assert (sites["name"][0], sites["positions"][0][:3]) == ("A", "8,9")
    assert "motif" in sites
    effects = read_table("test", tmp_path / "effects.tsv").set_index("term")
    assert effects.loc["A", "low"] > 0
    assert set(read_table("test", tmp_path / "clusters.tsv")["sites"].fillna("none")) <= {"A", "none"}
    assert read_table("test", tmp_path / "configurations.tsv")["A"].between(0, 1).all()


def test_other_clusters_keep_the_maps(made: Path, model: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    stamp = (made / "space" / "maps.npy").stat().st_mtime_ns
    words = [REFERENCE, *model, "-n", 700, "-d", "cpu", "-k", 3, "--refits", 0, "--no-report", "-o", made]
    assert run("mechanisms", *words) == 0
    assert "3 clusters of 700 sequences: no refits" in capsys.readouterr().out
    assert (made / "space" / "maps.npy").stat().st_mtime_ns == stamp
    said = refused(capsys, "mechanisms", REFERENCE, *model, "-n", 600, "-d", "cpu", *STAGES, "-o", made)
    assert "made with other values of library" in said
    assert run("mechanisms", REFERENCE, *model, "-n", 700, "-d", "cpu", *STAGES, "-o", made) == 0


def test_a_space_is_cut_elsewhere(made: Path, tmp_path: Path) -> None:
    tree = np.load(made / "space" / "linkage.npy")
    height = float(tree[-8:-6, 2].mean())
    words = ["--space", made / "space", "--height", height, "--refits", 0, "--no-report", "-o", tmp_path]
    assert run("mechanisms", *words) == 0
    assert MechanismSpace.load(tmp_path / "space").clusters.k == 8
    assert MechanismSpace.load(made / "space").clusters.k == 5


def test_options_reach_the_methods(tmp_path: Path, model: list[str]) -> None:
    words = [REFERENCE, *model, *SMALL, "--no-report"]
    out = ["-o", tmp_path / "a"]
    assert run("mechanisms", *words, "--method", "intgrad", "--steps", 3, "--save-window", 4, 20, "-k", 3, *out) == 0
    space = MechanismSpace.load(tmp_path / "a" / "space")
    assert (space.facts["method"], space.start, space.end) == ("integrated_gradients", 4, 20)
    out = ["-o", tmp_path / "b"]
    clusters = ["--cluster-method", "dbscan", "--eps", 1e-6, "--min-samples", 1, "--method", "ism"]
    assert run("mechanisms", *words, *clusters, *out) == 0
    assert MechanismSpace.load(tmp_path / "b" / "space").clusters.method == "dbscan"


def test_seams_files_are_read(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = MechanismSpace.load(made / "space")
    table = compile_library(space.library, space.y, names="seam")
    (tmp_path / "seam").mkdir()
    table.assign(Task=0).to_csv(tmp_path / "seam" / "mave.csv")
    np.save(tmp_path / "seam" / "maps_crop_5_20.npy", space.maps[:, :, 5:20].transpose(0, 2, 1))
    np.save(tmp_path / "seam" / "tree.npy", space.clusters.linkage)
    np.save(tmp_path / "seam" / "umap.npy", np.c_[space.embedding, space.y])
    assert run("mechanisms", "--seam", tmp_path / "seam", *STAGES, "-o", tmp_path / "out") == 0
    found = MechanismSpace.load(tmp_path / "out" / "space")
    np.testing.assert_array_equal(found.labels, space.labels)
    np.testing.assert_array_equal(found.embedding, space.embedding)
    assert (found.start, found.end, found.table.columns.tolist()) == (
        5,
        20,
        ["prediction", "hamming", "Task", "sequence"],
    )
    np.save(tmp_path / "seam" / "second_maps.npy", np.zeros((700, 15, 4), np.float32))
    said = refused(capsys, "mechanisms", "--seam", tmp_path / "seam", *STAGES, "-o", tmp_path / "out")
    assert "read_seam(maps): got maps_crop_5_20.npy and second_maps.npy; need one; do pass maps=" in said
    words = ["--maps", tmp_path / "seam" / "second_maps.npy", "--labels", tmp_path / "labels.npy"]
    np.save(tmp_path / "labels.npy", np.arange(700) % 4)
    assert run("mechanisms", "--seam", tmp_path / "seam" / "mave.csv", *words, *STAGES, "-o", tmp_path / "out") == 0
    assert MechanismSpace.load(tmp_path / "out" / "space").clusters.k == 4


def test_what_mechanisms_cannot_use_is_refused(
    tmp_path: Path, model: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["-o", tmp_path / "out"]
    assert "mechanisms(REFERENCE, --seam, --space): got none of them" in refused(capsys, "mechanisms", *out)
    both = refused(capsys, "mechanisms", REFERENCE, "--space", tmp_path, *out)
    assert "got reference and space; need exactly one" in both
    assert "mechanisms(--model): got none" in refused(capsys, "mechanisms", REFERENCE, *out)
    words = ["mechanisms", REFERENCE, *model, "-n", 1, "-d", "cpu", *STAGES, *out]
    assert "mechanism_space(library): got 1 sequence; need at least 2" in refused(capsys, *words)
    assert "without space.json" in refused(capsys, "mechanisms", "--space", tmp_path, *out)
    assert "read_seam(mave): got 0 tables" in refused(capsys, "mechanisms", "--seam", tmp_path, *out)
    words = ["mechanisms", REFERENCE, *model, *SMALL, "--motifs", tmp_path / "none.meme", *out]
    assert "none.meme" in refused(capsys, *words)
    assert not (tmp_path / "out").exists()
    words = ["mechanisms", REFERENCE, *model, *SMALL, "--kind", "two-hot", *out]
    assert "got a library of two copies" in refused(capsys, *words)


def test_a_few_clusters_have_no_sites_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = random_library(REFERENCE, 30, 0.1)
    maps = np.random.default_rng(0).normal(size=(30, 4, 24)).astype(np.float32)
    MechanismSpace.from_parts(library, maps, np.arange(30), n_clusters=2, n_refits=0).save(tmp_path / "space")
    assert run("mechanisms", "--space", tmp_path / "space", "--no-report", "-o", tmp_path) == 0
    said = capsys.readouterr()
    assert "nbinterp: warning: no sites: find_sites(source): got 2 clusters" in said.err
    assert "0 sites" in said.out
    assert not (tmp_path / "sites.tsv").exists()


def test_a_report_is_asked_for(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def pretend(name: str, values: dict[str, Any], out: Path, progress: bool = False) -> Path:
        asked.append((name, values))
        return out / "report.html"

    monkeypatch.setattr("nbinterp.report.run_report", pretend)
    words = ["--space", made / "space", "-k", 4, "--refits", 0, "--adaptive", "-o", tmp_path]
    assert run("mechanisms", *words) == 0
    assert f"report: {tmp_path / 'report.html'}" in capsys.readouterr().out
    ((name, values),) = asked
    assert (name, values["space"], values["adaptive"]) == ("mechanisms", str(tmp_path / "space"), True)
    from nbinterp.report.parameters import MechanismsParameters

    MechanismsParameters(**values).check()


# ---- surrogate


def test_a_surrogate_of_a_table(tmp_path: Path, model: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mutagenize", REFERENCE, *model, "-n", 400, "-d", "cpu", "-w", 6, 16, "-o", tmp_path / "l.tsv") == 0
    fit = ["--linearity", "linear", "--gpmap", "neighbour", "--gauge", "uniform", "--bootstrap", 3]
    assert run("surrogate", tmp_path / "l.tsv", *fit, "-o", tmp_path / "out") == 0
    library = random_library(REFERENCE, 400, 0.1, window=(6, 16))
    y = predict_library(network(), library, device="cpu")[:, 1].numpy()
    expected = fit_surrogate(library.codes[:, 6:16], y, linearity="linear", gpmap="neighbour").gauge("uniform")
    found = read_surrogate(tmp_path / "out" / "surrogate.npz")
    np.testing.assert_allclose(found.theta, expected.theta, atol=1e-5)
    logo = np.load(tmp_path / "out" / "logo.npy")
    np.testing.assert_array_equal(logo[:, 6:16], found.attribution_map())
    assert logo.shape == (4, 24)
    effects = read_table("test", tmp_path / "out" / "effects.tsv")
    change = expected.variant_effects(library.codes[0, 6:16])
    np.testing.assert_allclose(effects["phi"], change.T.ravel(), atol=1e-5)
    assert effects["position"].tolist() == np.repeat(np.arange(6, 16), 4).tolist()
    assert effects["reference"][::4].tolist() == list(REFERENCE[6:16])
    assert (effects["low"] <= effects["high"]).all()
    assert read_table("test", tmp_path / "out" / "pairs.tsv")["start"].between(6, 15).all()
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["r2"] == pytest.approx(expected.metrics.r2, abs=1e-4)
    assert f"R2 {metrics['r2']:.3f}" in capsys.readouterr().out


def test_a_surrogate_of_measurements_or_of_a_model(tmp_path: Path, model: list[str]) -> None:
    library = random_library(REFERENCE, 60, 0.2)
    y = library.n_mutations.astype(float)
    pd.DataFrame({"seq": library.sequences(), "log2FC": y}).to_csv(tmp_path / "mpra.csv", index=False)
    words = ["--columns", "seq", "log2FC", "--linearity", "linear", "--test", 0, "-o", tmp_path / "a"]
    assert run("surrogate", tmp_path / "mpra.csv", *words) == 0
    assert json.loads((tmp_path / "a" / "metrics.json").read_text())["n_test"] == 0
    words = ["--linearity", "linear", "-w", 4, 12, "-o", tmp_path / "b"]
    assert run("surrogate", REFERENCE, *model, *SMALL, *words) == 0
    assert len(read_table("test", tmp_path / "b" / "library.tsv")) == N
    assert read_surrogate(tmp_path / "b" / "surrogate.npz").length == 8
    lime = [
        "--linearity",
        "linear",
        "--penalty",
        "lime",
        "--n-effects",
        3,
        "--gauge",
        "wild-type",
        "-o",
        tmp_path / "c",
    ]
    assert run("surrogate", REFERENCE, *model, *SMALL, *lime) == 0
    assert read_surrogate(tmp_path / "c" / "surrogate.npz").options["n_effects"] == 3


def test_what_surrogate_cannot_use_is_refused(
    tmp_path: Path, model: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.tsv").write_text("x\ty\n1\t2\n")
    out = ["-o", tmp_path / "out"]
    said = refused(capsys, "surrogate", tmp_path / "a.tsv", *out)
    assert "got columns x, y in" in said
    assert "need sequence and prediction or Sequence and DNN or sequence and y; do name them with --columns" in said
    (tmp_path / "a.tsv").write_text("sequence\ty\nACGT\t2\nACGT\t3\n")
    assert "got sequences that are all the same" in refused(capsys, "surrogate", tmp_path / "a.tsv", *out)
    assert "No such file" in refused(capsys, "surrogate", tmp_path / "none.tsv", *out)
    words = ["surrogate", REFERENCE, *model, *SMALL, "--kind", "two-hot", *out]
    assert "surrogate(--kind): got two-hot" in refused(capsys, *words)
    words = ["surrogate", REFERENCE, *model, *SMALL, "--penalty", "lime", "--report", *out]
    assert "need ridge or lasso" in refused(capsys, *words)
    assert not (tmp_path / "out").exists()


def test_a_surrogates_report_is_asked_what_was_fitted(
    tmp_path: Path, model: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nbinterp.report.parameters import SurrogateParameters

    asked: list[dict[str, Any]] = []

    def pretend(name: str, values: dict[str, Any], out: Path, progress: bool = False) -> Path:
        asked.append(values)
        return out / "report.html"

    monkeypatch.setattr("nbinterp.report.run_report", pretend)
    words = [REFERENCE, *model, *SMALL, "--linearity", "linear", "--gpmap", "neighbor", "-w", 4, 9, "--report"]
    assert run("surrogate", *words, "-o", tmp_path) == 0
    SurrogateParameters(**asked[0]).check()
    measured = read_table("test", Path(asked[0]["measured"]))
    library = read_table("test", tmp_path / "library.tsv")
    assert measured["sequence"].tolist() == library["sequence"].tolist()
    np.testing.assert_allclose(measured["y"], library["prediction"], rtol=1e-6)
    said = refused(capsys, "surrogate", *words, "--test", 0, "-o", tmp_path)
    assert "surrogate(--test): got 0; need sequences held out" in said


# ---- stopped


def start(words: list[str], begun: Callable[[], bool]) -> subprocess.Popen[str]:
    """A command in a process of its own, once it has begun what it is to be stopped in."""
    command = [sys.executable, "-c", "import sys; from nbinterp.cli.main import main; sys.exit(main())", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    limit = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < limit and not begun():
        time.sleep(0.002)
    return process


def done(note: Path) -> int:
    return int(json.loads(note.read_text())["done"])


@pytest.mark.slow  # starts an interpreter
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_was_stopped_goes_on(tmp_path: Path, model: list[str], how: signal.Signals) -> None:
    """Stopped by Ctrl-C or killed while it attributes; what was finished is kept, and the end is the same."""
    words = [
        "mechanisms",
        REFERENCE,
        *model,
        "-n",
        "6000",
        "-d",
        "cpu",
        "-b",
        "2",
        "--clusterer",
        "kmeans",
        *STAGES,
        "-o",
    ]
    note = tmp_path / "a" / "space" / "maps.json"
    process = start([*words, str(tmp_path / "a")], lambda: note.exists() and done(note) > 0)
    process.send_signal(how)
    _, err = process.communicate(timeout=120)
    assert process.returncode == (130 if how == signal.SIGINT else -how), err
    if how == signal.SIGINT:
        assert "interrupted; finished steps are kept" in err
        assert "Traceback" not in err
    assert 0 < done(note) < 6000
    assert not (tmp_path / "a" / "library.tsv").exists()
    fast = ["64" if word == "2" else word for word in words]
    assert run(*fast, tmp_path / "a") == run(*fast, tmp_path / "b") == 0
    a, b = (MechanismSpace.load(tmp_path / name / "space") for name in "ab")
    np.testing.assert_allclose(a.maps, b.maps, atol=1e-6)
    np.testing.assert_allclose(a.y, b.y, atol=1e-6)


@pytest.mark.slow  # starts an interpreter
def test_predictions_that_were_stopped_go_on(tmp_path: Path, model: list[str]) -> None:
    words = ["mutagenize", REFERENCE, *model, "-n", "60000", "-d", "cpu", "-b", "2", "-o", str(tmp_path / "l.tsv")]
    beside = tmp_path / ".l.tsv.partial"
    process = start(words, (beside / "predictions.partial.npy").exists)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert not (tmp_path / "l.tsv").exists()
    assert 0 < done(beside / "predictions.json") < 60000
    assert run("mutagenize", REFERENCE, *model, *SMALL, "-o", tmp_path / "l.tsv") == 0  # another library: begun anew
    y = predict_library(network(), library_of(random_library(REFERENCE, N, 0.1).sequences()), device="cpu")[:, 1]
    np.testing.assert_allclose(read_table("test", tmp_path / "l.tsv")["prediction"], y.numpy(), rtol=1e-5)
    assert not beside.exists()
