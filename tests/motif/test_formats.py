"""Motif files: every format there and back, recognised by content, and errors that name the place."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import FormatError, NbinterpError
from nbinterp.motif import (
    MotifSet,
    PatternSet,
    load_jaspar,
    read_modisco,
    read_motifs,
    write_modisco,
    write_motifs,
)


def some(n_sites: tuple[int, ...] = (100, 0, 1000)) -> MotifSet:
    g = np.random.RandomState(0)
    return MotifSet(
        [g.dirichlet(np.ones(4), size=w).T for w in (4, 1, 12)], ["MA1.1 GATA", "b", "c::d"], n_sites=n_sites
    )


@pytest.mark.parametrize("suffix", [".meme", ".jaspar", ".transfac", ".homer", ".npz"])
def test_there_and_back(suffix: str, tmp_path: Path) -> None:
    motifs = some()
    write_motifs(tmp_path / f"m{suffix}", motifs)
    again = read_motifs(tmp_path / f"m{suffix}", dtype=torch.float64)
    assert again.names == motifs.names
    assert again.widths == (4, 1, 12)
    assert again.source.endswith(suffix)
    if suffix not in {".homer", ".npz"}:
        assert again.n_sites == (100, 0, 1000)
    for name in motifs:
        assert torch.allclose(again[name], motifs[name], atol=2e-6)
    (tmp_path / f"m{suffix}").rename(tmp_path / "nameless")  # content tells, not the name
    assert read_motifs(tmp_path / "nameless").names == motifs.names


def test_what_a_mapping_or_a_compressed_file_gives(tmp_path: Path) -> None:
    write_motifs(tmp_path / "m.meme", dict(some()))
    with gzip.open(tmp_path / "m.gz", "wb") as out:
        out.write((tmp_path / "m.meme").read_bytes())
    assert read_motifs(tmp_path / "m.gz", "meme").names == some().names
    assert read_motifs(tmp_path / "m.gz").names == some().names


def test_files_as_others_write_them(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_text(">MA0001.1\tAGL3\n0 3 79\n94 75 4\n1 0 3\n2 19 11\n")  # JASPAR's raw counts, a tab in the header
    raw = read_motifs(path)
    assert (raw.names, raw.consensus(0), raw.n_sites) == (("MA0001.1 AGL3",), "CCA", (97,))
    path.write_text("VV  version 1\nXX\n//\nAC  M1\nXX\nID  V$X\nXX\nPO\tA\tC\tG\tT\n01\t0\t0\t9\t0\tG\nXX\n//\n")
    assert read_motifs(path).names == ("M1 V$X",)
    path.write_text(">AA\tname/x\t5.1\t-20\t0\tT:1\n0.9\t0.1\t0\t0\n0.9\t0.1\t0\t0\n\n>CC\n0\t1\t0\t0\n")
    assert read_motifs(path).names == ("name/x", "CC")
    head = "MEME version 5\nALPHABET= ACGT\nMOTIF\tx\ty\nletter-probability matrix: w= 1 nsites= unknown\n 0\t0 1 0\n"
    path.write_text(head + "URL http://x\n")
    assert (read_motifs(path).names, read_motifs(path).n_sites) == (("x y",), (0,))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("jaspar", ">a\nA [ 1 2 ]\nC [ 1 2 ]\nG [ 1 2 ]\n", "'a' with 3 rows"),
        ("jaspar", ">a\nA [ 1 2 ]\nC [ 1 2 ]\nG [ 1 2 ]\nT [ 1 ]\n", r"rows of \[1, 2\]"),
        ("jaspar", ">a\nA [ 1 x ]\n", "line 2"),
        ("jaspar", ">a\nA [ 0 ]\nC [ 0 ]\nG [ 0 ]\nT [ 0 ]\n", "empty column"),
        ("jaspar", ">\nA [ 1 ]\n", "without a name"),
        ("jaspar", "A [ 1 ]\n", "begins with '>'"),
        ("jaspar", ">a\nA 1\nC 1\nG 1\nT 0\n>a\nA 1\nC 1\nG 1\nT 0\n", "'a' twice"),
        ("transfac", "AC x\nP0 A C G T\n01 1 2 3\n//\n", "line 3"),
        ("transfac", "AC x\nP0 A C G T\n01 1 2 3 4\n", "without '//'"),
        ("transfac", "P0 A C G T\n01 1 2 3 4\n//\n", "without AC"),
        ("transfac", "P0 C A G T\n01 1 2 3 4\n//\n", "columns A C G T"),
        ("transfac", "AC x\n//\n", "no matrix"),
        ("homer", ">A\tb\t1\n0.1 0.2 0.7\n", "line 2"),
        ("homer", ">A\tb\t1\n", "without rows"),
        ("homer", "x\n", "begins with '>'"),
        ("meme", "MEME version 4\nALPHABET= ACGT\nMOTIF x\nletter-probability matrix: w= 0\n", "w= 0 in line 4"),
        ("meme", "MEME version 4\nALPHABET= ACGT\nMOTIF x\nletter-probability matrix: w= 1\nnan 0 0 0\n", "finite"),
        ("npz", "x", "npz"),
        (None, "hello\n", "begins with 'hello'"),
        (None, "", "begins with nothing"),
    ],
)
def test_malformed_files_say_where(name: str | None, text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_text(text)
    with pytest.raises(NbinterpError, match=words):
        read_motifs(tmp_path / "m", name)


def test_formats_that_are_not_known(tmp_path: Path) -> None:
    with pytest.raises(NbinterpError, match="did you mean 'meme'"):
        read_motifs(tmp_path / "m", "mem")
    with pytest.raises(NbinterpError, match=r"need a suffix of \.meme"):
        write_motifs(tmp_path / "m.txt", some())
    with pytest.raises(FormatError, match="cannot be read"):
        read_motifs(tmp_path / "absent")
    with pytest.raises(NbinterpError, match="PWM, not its CWM"):
        write_motifs(tmp_path / "m.homer", {"a": torch.tensor([[2.0], [-1.0], [0.0], [0.0]])})


# ---- the set ------------------------------------------------------------------------------------------------------


def test_views_of_a_set() -> None:
    motifs = MotifSet(
        [torch.eye(4)[:, [2, 0]], torch.rand(4, 3)], ["GA", "x"], contributions=[torch.ones(4, 2), torch.rand(4, 3)]
    )
    both = motifs.both_strands()
    assert both.names == ("GA", "x", "GA-rc", "x-rc")
    assert both.consensus("GA-rc") == "TC"
    assert torch.equal(both.cwm("x-rc"), motifs.cwm("x").flip(0, 1))
    chosen = motifs.select(["x"]).rename({"x": "y"})
    assert (chosen.names, chosen.widths) == (("y",), (3,))
    assert torch.equal(chosen.cwm("y"), motifs.cwm("x"))
    assert torch.allclose(motifs.pwm("x").sum(0), torch.ones(3))
    array, widths = motifs.to_array()
    assert array.shape == (2, 4, 3)
    assert widths.tolist() == [2, 3]
    assert not array[0, :, 2].any()
    assert MotifSet(array).names == ("motif_0", "motif_1")
    with pytest.raises(NbinterpError, match="did you mean 'GA'"):
        motifs.select(["GAA"])
    with pytest.raises(NbinterpError, match="without any"):
        some().cwm("b")
    with pytest.raises(NbinterpError, match="the 4 of its matrix"):
        MotifSet([torch.eye(4)], contributions=[torch.ones(4, 3)])


def test_trimming_keeps_the_core() -> None:
    core = torch.full((4, 10), 0.25)
    core[:, 4:7] = torch.eye(4)[:, :3]
    motifs = MotifSet({"a": core, "flat": torch.full((4, 5), 0.25)})
    assert motifs.trim().widths == (3, 5)
    assert motifs.trim(pad=2).widths == (7, 5)
    assert motifs.trim(pad=99).widths == (10, 5)
    weights = torch.zeros(4, 10)
    weights[0, 1:3] = -1.0
    assert MotifSet([core], contributions=[weights]).trim().widths == (2,)
    zero = MotifSet({"z": torch.zeros(4, 2)})  # a motif that says nothing is still a motif
    assert torch.equal(zero.pwm("z"), torch.full((4, 2), 0.25))


# ---- TF-MoDISco ---------------------------------------------------------------------------------------------------


@pytest.fixture
def golden(data_dir: Path) -> Path:
    path = data_dir.parent / "golden" / "modisco" / "modisco_results.h5"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return path


@pytest.mark.real
def test_a_modisco_file_there_and_back(golden: Path, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    patterns = read_modisco(golden)
    write_modisco(tmp_path / "again.h5", patterns)

    def contents(path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        with h5py.File(path) as file:
            found.update(file.attrs)
            file.visititems(lambda name, item: found.update({name: item[()] if hasattr(item, "dtype") else None}))
        return found

    before, after = contents(golden), contents(tmp_path / "again.h5")
    assert sorted(before) == sorted(after)
    for name, value in before.items():
        if value is not None:
            assert (np.asarray(value).dtype, np.shape(value)) == (np.asarray(after[name]).dtype, np.shape(after[name]))
            assert np.array_equal(value, after[name]), name


@pytest.mark.real
def test_what_a_modisco_file_says(golden: Path) -> None:
    patterns = read_modisco(golden)
    assert [p.n_seqlets for p in patterns] == [106, 93, 91, 89, 88, 97, 84]
    assert [p.positive for p in patterns] == [True] * 5 + [False] * 2
    assert patterns.window_size == 400
    motifs = read_motifs(golden)
    assert motifs.names == patterns.names
    assert motifs.has_contributions
    assert "TGACTCA" in motifs.consensus("pos_patterns.pattern_0") or "TGAGTCA" in motifs.consensus(0)
    assert max(motifs.trim().widths) < 40
    table = patterns.seqlets(length=400)
    assert len(table) == 648
    assert patterns.seqlets(length=2114)["start"].iloc[0] == table["start"].iloc[0] + 857
    first = patterns["pos_patterns.pattern_0"]
    assert first.seqlet_arrays["sequence"].shape == (106, 4, 50)
    assert not read_modisco(golden, arrays=False)[0].seqlet_arrays
    assert len(patterns.motifs("cwm", subpatterns=True)) == sum(len(p.subpatterns) for p in patterns)
    np.testing.assert_allclose(first.sequence.sum(0), 1)
    with pytest.raises(NbinterpError, match="at most 300"):
        patterns.seqlets(length=300)
    with pytest.raises(KeyError):
        patterns["pos_patterns.pattern_9"]


def test_odd_modisco_files(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "m.h5"
    write_modisco(path, PatternSet((), groups=("pos_patterns",)))
    empty = read_modisco(path)
    assert (len(empty), empty.groups, empty.window_size) == (0, ("pos_patterns",), None)
    assert len(empty.seqlets()) == 0
    with h5py.File(path, "w") as file:
        file.create_group("something")
    with pytest.raises(FormatError, match="HDF5 file with something"):
        read_modisco(path)
    with h5py.File(path, "w") as file:
        file["pos_patterns/pattern_0/sequence"] = np.eye(4)
    with pytest.raises(FormatError, match="contrib_scores"):
        read_motifs(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 20)
    with pytest.raises(FormatError, match="cannot be read"):
        read_motifs(path)


def test_patterns_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    seqlets = pd.DataFrame({"example_idx": [0], "start": [1], "end": [5], "strand": ["+"]})
    eye = np.eye(4)
    many = [nb.motif.Pattern(f"pos_patterns.pattern_{i}", eye, eye, eye, seqlets, {}) for i in range(12)]
    write_modisco(tmp_path / "m.h5", PatternSet(tuple(many)))
    assert read_modisco(tmp_path / "m.h5").names[9:] == tuple(f"pos_patterns.pattern_{i}" for i in (9, 10, 11))
    with pytest.raises(NbinterpError, match="rename it"):
        write_modisco(tmp_path / "m.h5", PatternSet((nb.motif.Pattern("x", eye, eye, eye, seqlets, {}),)))


# ---- JASPAR -------------------------------------------------------------------------------------------------------


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """JASPAR's download folder, on this machine."""
    root = tmp_path / "site"
    file = root / "2024" / "CORE" / "JASPAR2024_CORE_vertebrates_non-redundant_pfms_meme.txt"
    file.parent.mkdir(parents=True)
    nb.write_meme(file, some())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", file
    server.shutdown()
    server.server_close()
    thread.join()


def test_jaspar_is_fetched_once_and_held_to_its_checksum(mirror: tuple[str, Path], tmp_path: Path) -> None:
    site, file = mirror
    cache = tmp_path / "cache"
    right = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(FormatError, match=right):
        load_jaspar(2024, site=site, cache=cache, sha256="0" * 64)
    assert not list(cache.glob("*"))  # nothing is kept of what was not asked for
    motifs = load_jaspar(2024, site=site, cache=cache, sha256=right)
    assert motifs.names == some().names
    assert motifs.source.startswith(site)
    file.unlink()
    assert load_jaspar(2024, site=site, cache=cache).names == motifs.names
    (kept,) = cache.glob("*.txt")
    kept.write_text(kept.read_text().replace("0.", "1.", 1))
    with pytest.raises(FormatError, match="remove the file"):
        load_jaspar(2024, site=site, cache=cache)
    with pytest.raises(FormatError, match="cannot be fetched"):
        load_jaspar(2020, site=site, cache=cache)
    with pytest.raises(NbinterpError, match="one of 'CORE'"):
        load_jaspar(collection="core")


def test_jaspar_from_a_folder(mirror: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = mirror[1].parent
    assert load_jaspar(2024, directory=folder).names == some().names
    monkeypatch.setenv("NBINTERP_JASPAR", str(folder))
    assert load_jaspar(2024).source == str(mirror[1])
    with pytest.raises(FormatError, match="put it there"):
        load_jaspar(2022)
