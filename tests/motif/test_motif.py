"""Motif sets and MEME files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import nbinterp as nb
from nbinterp.errors import FormatError, NbinterpError


def some() -> nb.MotifSet:
    torch.manual_seed(0)
    return nb.MotifSet(
        [torch.rand(4, w).softmax(0) for w in (6, 11)],
        ["MA0001.1 GATA", "x"],
        n_sites=[20, 0],
        background=(0.3, 0.2, 0.2, 0.3),
    )


def test_round_trip(tmp_path: Path) -> None:
    motifs = some()
    nb.write_meme(tmp_path / "m.meme", motifs)
    again = nb.read_meme(tmp_path / "m.meme")
    assert again.names == motifs.names
    assert again.n_sites == (20, 0)
    assert again.background == motifs.background
    assert again.alternate == ("GATA", "")
    for name in motifs:
        assert torch.allclose(again[name], motifs[name], atol=1e-6)
    assert len(nb.read_meme(tmp_path / "m.meme", n_motifs=1)) == 1


def test_a_set_is_a_mapping() -> None:
    motifs = some()
    assert list(motifs) == ["MA0001.1 GATA", "x"]
    assert torch.equal(motifs[1], motifs["x"])
    assert torch.equal(motifs.reverse_complement().reverse_complement()["x"], motifs["x"])
    assert float(nb.MotifSet({"A": torch.eye(4)}).information("A").sum()) == pytest.approx(8)
    with pytest.raises(KeyError):
        motifs["absent"]


@pytest.mark.parity
@pytest.mark.real
def test_the_whole_of_jaspar_equals_tangermeme(data_dir: Path) -> None:
    io = pytest.importorskip("tangermeme.io")
    path = data_dir / "jaspar_core_vertebrates.meme"
    ours, theirs = nb.read_meme(path), io.read_meme(str(path))
    assert list(ours) == list(theirs)
    assert len(ours) == 879
    for name in theirs:
        assert torch.allclose(ours[name].double(), theirs[name].double(), atol=1e-7)


HEAD = "MEME version 4\nALPHABET= ACGT\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("something", "MEME version"),
        (HEAD, "no motif"),
        (HEAD + "MOTIF a\nletter-probability matrix: w= 2\n0 0 1 0\n", "1 rows up to line 5"),
        (HEAD + "MOTIF a\nletter-probability matrix: w= 2\n0 0 1 0\n0 0 x 0\n", "line 6"),
        (HEAD + "letter-probability matrix: w= 1\n0 0 1 0\n", "without MOTIF"),
        ("MEME version 4\nALPHABET= ACDEFGHIKLMNPQRSTVWY\n", "ALPHABET"),
    ],
)
def test_malformed_files_name_the_line(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "m.meme").write_text(text)
    with pytest.raises(FormatError, match=words):
        nb.read_meme(tmp_path / "m.meme")


def test_bad_sets() -> None:
    with pytest.raises(NbinterpError, match="transpose"):
        nb.MotifSet({"a": torch.zeros(7, 4)})
    with pytest.raises(NbinterpError, match="twice"):
        nb.MotifSet([torch.eye(4)] * 2, ["a", "a"])
    with pytest.raises(FormatError, match="cannot be read"):
        nb.read_meme("absent.meme")
