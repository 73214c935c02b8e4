"""The page on the command line: every command on it runs, and prints what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.cli.main import _parser, main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text()
_FENCED = re.compile(r"^```sh\n(.*?)^```$(?:\s*^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
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
    return root


@pytest.mark.parametrize(("command", "shows"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_command_runs_and_shows_what_the_page_says(
    command: str, shows: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    words = shlex.split(command)[1:]
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
