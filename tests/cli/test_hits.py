"""``nbinterp hits``: Fi-NeMo's words, its files, and what is said of input that will not do."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest

from nbinterp.cli.main import _parser, main
from nbinterp.hit import read_hits
from tests.hit.conftest import golden, inputs  # noqa: F401 - fixtures
from tests.hit.synthetic import regions, write_inputs

KEY = ["peak_id", "start", "motif_name", "strand"]
COMMANDS = {
    "call-hits": "call", "collapse-hits": "collapse", "intersect-hits": "intersect",
    "extract-regions-h5": "extract-regions-chrombpnet-h5",
}  # fmt: skip
FASTER = {"batch_size"}  # a default of their method, not of the problem


def children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (group,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(group.choices)


@pytest.mark.parity
@pytest.mark.slow  # their import alone
def test_every_word_of_fi_nemo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, options, whether they are needed, and defaults."""
    theirs = pytest.importorskip("finemo.main")

    class Parsers(Exception):  # noqa: N818 - carries them out
        pass

    def stop(self: argparse.ArgumentParser, *args: Any) -> NoReturn:
        raise Parsers(self)

    with monkeypatch.context() as patch, pytest.raises(Parsers) as caught:
        patch.setattr(argparse.ArgumentParser, "parse_args", stop)
        theirs.cli()
    ours = children(children(_parser())["hits"])
    found = children(caught.value.args[0])
    assert set(found) <= set(ours)
    assert {COMMANDS.get(name, name) for name in found} <= set(ours)
    for command, parser in found.items():
        known = {word: action for action in ours[command]._actions for word in action.option_strings}
        for action in parser._actions:
            for word in action.option_strings:
                assert word in known, (command, word)
                mine = known[word]
                assert mine.required == action.required, (command, word)
                assert mine.nargs == action.nargs, (command, word)
                assert set(mine.choices or ()) == set(action.choices or ()), (command, word)
                if action.default is not None and action.dest not in FASTER and word not in ("-h", "--help"):
                    assert mine.default == action.default, (command, word)


EXTRACT = {
    "bw": ["-f", "genome.fa", "-b", "contrib.bw"],
    "chrombpnet-h5": ["-c", "chrombpnet.h5"],
    "h5": ["-c", "chrombpnet.h5"],
    "bpnet-h5": ["-c", "bpnet.h5"],
    "modisco-fmt": ["-s", "ohe.npz", "-a", "attr.npz"],
}


@pytest.mark.parity
@pytest.mark.real
@pytest.mark.parametrize("kind", EXTRACT)
def test_extractors(kind: str, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.chdir(inputs)
    out = str(tmp_path / "r.npz")
    assert (
        main(["hits", f"extract-regions-{kind}", *EXTRACT[kind], "-p", "peaks.narrowPeak", "-w", "400", "-o", out]) == 0
    )
    ours, theirs = np.load(out), np.load("regions.npz")
    for name in theirs:
        expected = theirs[name]
        if kind == "bw" and name == "contributions":
            expected = (expected * theirs["sequences"]).sum(axis=1)
        np.testing.assert_array_equal(ours[name], expected)


RUNS = {
    "pp": [], "hh": ["-M", "hh"], "pp_nofilter": ["-f", "-l", ".6"],
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.real
@pytest.mark.parametrize("run", RUNS)
def test_calls(run: str, golden: Path, tmp_path: Path) -> None:  # noqa: F811
    """Fi-NeMo's words and its iteration give its hits."""
    npz, h5 = (str(golden / "in" / name) for name in ("regions.npz", "modisco.h5"))
    words = [
        "hits",
        "call-hits",
        "-r",
        npz,
        "-m",
        h5,
        "-o",
        str(tmp_path),
        "--solver",
        "fista",
        "-d",
        "cpu",
        *RUNS[run],
    ]
    assert main(words) == 0
    ours, theirs = (
        pd.read_csv(at / "hits.tsv", sep="\t").sort_values(KEY, ignore_index=True) for at in (tmp_path, golden / run)
    )
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-4, atol=1e-5)
    asked, known = (pd.read_json(at / "parameters.json", typ="series") for at in (tmp_path, golden / run))
    assert set(known.index) <= set(asked.index)
    for name in (
        "lambda_default",
        "cwm_trim_threshold_default",
        "mode",
        "sqrt_transform",
        "no_post_filter",
        "num_motifs",
    ):
        assert asked[name] == known[name]


@pytest.mark.parity
@pytest.mark.real
def test_intersections_and_collapses(golden: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out.tsv"
    files = [str(golden / run / "hits.tsv") for run in ("pp", "pp_l05")]
    assert main(["hits", "intersect-hits", "-i", *files, "-o", str(out)]) == 0
    assert len(pd.read_csv(out, sep="\t")) == 200
    assert main(["hits", "collapse-hits", "-i", files[1], "-o", str(out)]) == 0
    ours, theirs = (pd.read_csv(path, sep="\t") for path in (out, golden / "collapsed_pp_l05.tsv"))
    assert list(ours.columns) == list(theirs.columns)
    both = ours.merge(theirs, on=KEY, suffixes=("", "_theirs"))
    assert len(both) == len(ours)
    means = [
        ours["hit_similarity"][ours["is_primary"] == 1].mean(),
        theirs["hit_similarity"][theirs["is_primary"] == 1].mean(),
    ]
    assert means[0] > means[1] + 0.01  # they mark the worst


@pytest.mark.parity
@pytest.mark.real
@pytest.mark.slow
def test_fi_nemo_reports_on_our_folder(golden: Path, tmp_path: Path) -> None:  # noqa: F811
    """Its own report, with its own seqlets, of our exact call."""
    pytest.importorskip("finemo")
    npz, h5 = (str(golden / "in" / name) for name in ("regions.npz", "modisco.h5"))
    assert main(["hits", "call", "-r", npz, "-m", h5, "-o", str(tmp_path / "call"), "-d", "cpu"]) == 0
    words = ["report", "-r", npz, "-H", str(tmp_path / "call"), "-m", h5, "-o", str(tmp_path / "report"), "-W", "300"]
    finemo = Path(sys.executable).parent / "finemo"
    done = subprocess.run([str(finemo), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    ours, theirs = (
        pd.read_csv(at / "motif_report.tsv", sep="\t") for at in (tmp_path / "report", golden / "report_pp")
    )
    assert list(ours.columns) == list(theirs.columns)
    assert abs(ours["num_hits_total"].sum() - theirs["num_hits_total"].sum()) <= 2  # one more hit is called exactly
    assert (tmp_path / "report" / "report.html").stat().st_size > 0


@pytest.mark.real
@pytest.mark.slow
def test_our_report_on_their_folder(golden: Path, tmp_path: Path) -> None:  # noqa: F811
    npz, h5 = (str(golden / "in" / name) for name in ("regions.npz", "modisco.h5"))
    shutil.copytree(golden / "pp", tmp_path / "call", copy_function=shutil.copyfile)
    hits = str(tmp_path / "call" / "hits.tsv")
    assert main(["hits", "report", "-r", npz, "-H", hits, "-m", h5, "-o", str(tmp_path / "report"), "-W", "300"]) == 0
    assert (tmp_path / "report" / "report.html").stat().st_size > 0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Words for a call of few regions."""
    npz, h5 = write_inputs(tmp_path_factory.mktemp("small"), regions(40))
    return ["hits", "call", "-r", str(npz), "-m", str(h5), "-l", "0.6", "-d", "cpu"]


def test_files_about_motifs(small: list[str], tmp_path: Path) -> None:
    """Blank lines and further columns do not matter; a motif goes by either of its names."""
    files = {
        "-I": "pos_patterns.pattern_0\tyes\n\npos_patterns.pattern_1\n",
        "-N": "pos_patterns.pattern_0\tGATA\n\n",
        "-L": "\nGATA\t0.65\n",
        "-T": "pos_patterns.pattern_1\t0.5\r\n",
        "-R": "GATA\t12\t18\n",
    }
    words = list(small)
    for flag, text in files.items():
        (tmp_path / flag).write_text(text)
        words += [flag, str(tmp_path / flag)]
    assert main([*words, "-o", str(tmp_path / "out")]) == 0
    motifs = pd.read_csv(tmp_path / "out" / "motif_data.tsv", sep="\t")
    assert motifs["motif_name"].tolist() == ["GATA", "GATA", "pos_patterns.pattern_1", "pos_patterns.pattern_1"]
    assert motifs["lambda"].tolist() == [0.65, 0.65, 0.6, 0.6]
    assert motifs.loc[0, ["motif_start", "motif_end"]].tolist() == [12, 18]


@pytest.mark.parametrize(
    ("flag", "text", "says"),
    [
        ("-I", "pos_patterns.patern_0\n", "pos_patterns.patern_0"),
        ("-N", "pos_patterns.pattern_9\tGATA\n", "pos_patterns.pattern_9"),
        ("-N", "pos_patterns.pattern_0\tGATA\npos_patterns.pattern_1\tGATA\n", "two motifs of one name"),
        ("-N", "pos_patterns.pattern_0\tpos_patterns.pattern_1\n", "two motifs of one name"),
        ("-N", "pos_patterns.pattern_0\tA\npos_patterns.pattern_0\tB\n", "pos_patterns.pattern_0 twice"),
        ("-N", "pos_patterns.pattern_0\n", "1 columns in line 1"),
        ("-L", "\nno_such_motif\t0.5\n", "no_such_motif"),
        ("-L", "pos_patterns.pattern_0\thigh\n", "'high' for pos_patterns.pattern_0"),
        ("-L", "pos_patterns.pattern_0\t1.5\n", "between 0 and 1"),
        ("-R", "pos_patterns.pattern_0\t3\t99\n", "spans"),
        ("-R", "pos_patterns.pattern_0\t3\n", "2 columns in line 1"),
        ("-T", None, "cwm_trim_thresholds"),
    ],
)
def test_files_that_will_not_do(
    flag: str, text: str | None, says: str, small: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "file").write_text(text)
    assert main([*small, "-o", str(tmp_path / "out"), flag, str(tmp_path / "file")]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_other_formats(small: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("polars")
    pytest.importorskip("pyBigWig")
    more = ["--parquet", "--bigbed", "--bigwig"]
    assert main([*small, "-o", str(tmp_path / "none"), *more]) == 2
    assert "chrom_sizes" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()  # said before anything is called
    (tmp_path / "sizes").write_text("chr1\t4800\n")
    assert main([*small, "-o", str(tmp_path / "out"), *more, "--chrom-sizes", str(tmp_path / "sizes")]) == 0
    assert {"hits.parquet", "hits.bb", "hits.bw"} <= {path.name for path in (tmp_path / "out").iterdir()}


def start(small: list[str], out: Path) -> subprocess.Popen[str]:
    """A call in a process of its own, with at least two chunks finished."""
    command = [sys.executable, "-c", "import sys; from nbinterp.cli.main import main; sys.exit(main())", *small]
    process = subprocess.Popen(
        [*command, "--chunk", "1", "-o", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until and len(list(out.glob(".parts/*.regions.npy"))) < 2:
        time.sleep(0.002)
    return process


@pytest.mark.slow  # starts an interpreter
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_stopped_goes_on(
    how: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stopped by Ctrl-C or killed; what was finished is kept, and the hits are those of a run that was not stopped."""
    npz, h5 = write_inputs(tmp_path, regions(12), n=300)
    words = ["hits", "call", "-r", str(npz), "-m", str(h5), "-l", "0.6", "-d", "cpu"]
    process = start(words, tmp_path / "out")
    process.send_signal(how)
    _, err = process.communicate(timeout=120)
    assert process.returncode == (130 if how == signal.SIGINT else -how), err
    if how == signal.SIGINT:
        assert "interrupted; finished steps are kept" in err
        assert "Traceback" not in err
    assert not (tmp_path / "out" / "hits.tsv").exists()
    kept = len(list((tmp_path / "out" / ".parts").glob("*.regions.npy")))
    assert 2 <= kept < 300
    assert main([*words, "--chunk", "1", "-o", str(tmp_path / "out")]) == 0
    assert f"{kept} regions were kept" in capsys.readouterr().err
    assert main([*words, "-o", str(tmp_path / "whole")]) == 0
    pd.testing.assert_frame_equal(read_hits(tmp_path / "out"), read_hits(tmp_path / "whole"), rtol=1e-6)
    assert not list((tmp_path / "out").glob(".*"))
