"""The page on the command line: every command on it runs, and prints what the page says."""

from __future__ import annotations

import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp import mechanism
from nbinterp.cli.main import _parser, main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text()
_FENCED = re.compile(r"^```sh\n(.*?)^```$(?:\s*^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
_QUICKER = {  # the same, on fewer sequences
    "mutagenize": ["-n", "60"],
    "mechanisms": ["-n", "60", "--refits", "0", "--no-report", "--overwrite"],
    "surrogate": ["-n", "60", "--max-iterations", "5", "--bootstrap", "2"],
}
COMMANDS = [(line, text) for lines, text in _FENCED.findall(PAGE) for line in lines.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the page's commands name."""
    root = tmp_path_factory.mktemp("page")
    X, truth = nb.demo.sequences(6, random_state=0)
    nb.one_hot_to_fasta(X, root / "peaks.fa", headers=[f"p{i}" for i in range(6)])
    nb.one_hot_to_fasta(X[:2], root / "genome.fa", headers=["chr1", "chr2"])
    (root / "peaks.bed").write_text("chr1\t50\t150\n")
    (root / "seqlets.bed").write_text("chr1\t60\t70\nchr2\t10\t20\n")
    truth[["example_idx", "start", "end"]].to_csv(root / "seqlets.tsv", sep="\t", index=False)
    motifs = nb.demo.motifs()
    nb.write_meme(root / "motifs.meme", nb.MotifSet([*motifs.values()] * 9, [f"m{i}" for i in range(9 * len(motifs))]))
    spans = pd.DataFrame({"example_idx": [0], "start": [0], "end": [motifs.widths[0]], "strand": ["+"]})
    matrix = motifs[0].double().numpy()
    pattern = nb.motif.Pattern("pos_patterns.pattern_0", matrix, matrix, matrix, spans, {})
    nb.write_modisco(root / "modisco.h5", nb.motif.PatternSet((pattern,)))
    rng = np.random.default_rng(0)
    np.savez(root / "attributions.ohe.npz", X.numpy())
    np.savez(root / "attributions.attr.npz", rng.normal(size=X.shape) ** 3)
    _write_library(root)
    return root


def _write_library(root: Path) -> None:
    """An enhancer, a model, and what the page's commands write that others of them read."""
    enhancer = "".join(np.random.default_rng(0).choice(list("ACGT"), 160))
    (root / "enhancer.fa").write_text(f">peak_1\n{enhancer}\n>peak_7\n{enhancer[::-1]}\n")
    torch.manual_seed(0)
    layers = (torch.nn.Conv1d(4, 3, 5, stride=4), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(117, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(torch.nn.Sequential(*layers).eval(), torch.zeros(1, 4, 160)).save(root / "model.pt")
    library = mechanism.random_library(enhancer, 60, 0.1)
    y = library.n_mutations + np.random.default_rng(1).normal(size=60)
    table = mechanism.compile_library(library, y)
    table.to_csv(root / "library.tsv", sep="\t", index=False)
    table.rename(columns={"sequence": "seq", "prediction": "log2FC"}).to_csv(root / "mpra.tsv", sep="\t", index=False)
    maps = np.random.default_rng(0).normal(size=(60, 160, 4)).astype(np.float32)
    (root / "folder").mkdir()
    for folder in (root, root / "folder"):
        mechanism.compile_library(library, y, names="seam").to_csv(folder / "mave.csv", index=False)
    np.save(root / "folder" / "maps.npy", maps)
    mechanism.MechanismSpace.from_parts(library, maps, y, n_refits=0).save(root / "out" / "space")


@pytest.mark.parametrize(("command", "shows"), COMMANDS, ids=[command for command, _ in COMMANDS])
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # its loader is deprecated
def test_a_command_runs_and_shows_what_the_page_says(
    command: str, shows: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    words = shlex.split(command)[1:]
    words += _QUICKER.get(words[0], [])
    if any(word.endswith(".parquet") for word in words):
        pytest.importorskip("polars")
    assert main(words) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    if shows:
        assert out.split() == shows.split()
    if "-o" in words:
        assert (folder / words[words.index("-o") + 1]).stat().st_size > 0


def test_every_verb_is_on_the_page() -> None:
    """Reports have a page of their own."""
    (verbs,) = (action.choices for action in _parser()._subparsers._group_actions)
    reports = set(nb.report.list_templates())
    assert not [verb for verb in verbs if verb not in reports and f"`{verb}`" not in PAGE]
