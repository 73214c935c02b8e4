"""The JASPAR set that comes with the package: what is in it, that it is exact, and how fast it is there."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import nbinterp as nb
from nbinterp import NbinterpError
from nbinterp.motif import jaspar_core, jaspar_table, load_jaspar
from nbinterp.motif.build_jaspar import core_of

GROUPS = {
    "vertebrates": 1019, "plants": 927, "insects": 296, "fungi": 193, "nematodes": 103, "urochordates": 94, "diatoms": 1
}  # fmt: skip


@pytest.mark.parametrize(("group", "n"), [*GROUPS.items(), (None, 2633)])
def test_each_taxonomic_group_has_its_motifs(group: str | None, n: int) -> None:
    motifs = load_jaspar(tax_group=group)
    table = jaspar_table(group)
    assert len(motifs) == len(table) == n
    assert list(motifs) == table["name"].tolist()
    assert motifs.alternate == tuple(table["factor"])
    assert motifs.widths == tuple(table["width"])
    assert motifs.n_sites == tuple(table["n_sites"])
    assert table["matrix"].str.split(".").str[0].is_unique  # one version of each
    assert list(motifs) == sorted(motifs)


def test_one_matrix_is_what_the_database_shows() -> None:
    """MA0004.1 Arnt, from twenty sites: the counts as JASPAR's page of it has them."""
    counts = torch.tensor(
        [[4, 19, 0, 0, 0, 0], [16, 0, 20, 0, 0, 0], [0, 1, 0, 20, 0, 20], [0, 0, 0, 0, 20, 0]], dtype=torch.float64
    )
    motifs = load_jaspar(dtype=torch.float64)
    assert torch.equal(motifs["MA0004.1 Arnt"], counts / 20)
    assert motifs.n_sites[motifs.names.index("MA0004.1 Arnt")] == 20
    assert "CC BY 4.0" in motifs.source
    fractions = torch.tensor(
        [0.453721, 998.639, 0.453721, 0.453721], dtype=torch.float64
    )  # a matrix made of frequencies
    column = load_jaspar(tax_group="plants", dtype=torch.float64)["MA1797.1 RAV2"][:, 1]
    torch.testing.assert_close(column, fractions / fractions.sum(), rtol=1e-15, atol=0)
    row = jaspar_table().set_index("matrix").loc["MA0004.1"]
    assert (row["factor"], row["tf_family"], row["tax_group"]) == ("Arnt", "PAS domain factors", "vertebrates")


def test_every_matrix_is_whole() -> None:
    motifs = load_jaspar(tax_group=None, dtype=torch.float64)
    for matrix in motifs.values():
        torch.testing.assert_close(matrix.sum(dim=0), torch.ones(matrix.shape[1], dtype=torch.float64))
        assert (matrix >= 0).all()


@pytest.mark.real
def test_entries_equal_those_of_a_jaspar_file(data_dir: Path) -> None:
    """The file has another release and six decimals; matrices are the same where identifier and version are."""
    theirs = nb.read_meme(data_dir / "jaspar_core_vertebrates.meme", dtype=torch.float64)
    ours = load_jaspar(dtype=torch.float64)
    shared = [name for name in theirs if name in ours]
    assert len(shared) > 850
    for name in shared:
        assert ours[name].shape == theirs[name].shape
        np.testing.assert_allclose(ours[name], theirs[name], atol=5.1e-7)  # half of the sixth decimal
    assert [ours.n_sites[ours.names.index(name)] for name in shared] == [
        theirs.n_sites[theirs.names.index(name)] for name in shared
    ]


def test_the_build_packs_what_a_database_holds(tmp_path: Path) -> None:
    """Counts, fractions and a version past nine come back from a database written here."""
    import sqlite3

    with sqlite3.connect(tmp_path / "j.sqlite") as database:
        database.executescript("""
            CREATE TABLE matrix (id, collection, base_id, version, name);
            CREATE TABLE matrix_annotation (local_id, id, tag, val);
            CREATE TABLE matrix_data (id, row, col, val);
            INSERT INTO matrix VALUES (1, 'CORE', 'MA1', '9', 'old'), (2, 'CORE', 'MA1', '10', 'new'),
                (3, 'UNVALIDATED', 'UN1', '1', 'no'), (4, 'CORE', 'MA0', '1', 'pair');
            INSERT INTO matrix_annotation VALUES (0, 4, 'class', 'b'), (1, 4, 'class', 'a'), (2, 2, 'tax_group', 'plants');
        """)
        for matrix, counts in {1: [1, 1], 2: [70_000, 0], 3: [1, 1], 4: [0.125, 300_000]}.items():
            rows = [(matrix, letter, col, v + r) for r, letter in enumerate("ACGT") for col, v in enumerate(counts)]
            database.executemany("INSERT INTO matrix_data VALUES (?, ?, ?, ?)", rows[::-1])
    database.close()
    packed = core_of(tmp_path / "j.sqlite")
    assert packed["text"].tobytes().decode() == "MA0.1\tpair\t\tb::a\t\nMA1.10\tnew\tplants\t\t"
    counts = np.ascontiguousarray(packed["counts"].T).view("<i4").ravel().astype(float)
    counts[packed["exact_at"]] = packed["exact"]
    np.testing.assert_array_equal(
        counts.reshape(4, 4),
        [
            [0.125, 300_000, 1.125, 300_001],
            [2.125, 300_002, 3.125, 300_003],
            [70_000, 0, 70_001, 1],
            [70_002, 2, 70_003, 3],
        ],
    )
    done = subprocess.run(
        [sys.executable, "-m", "nbinterp.motif.build_jaspar", str(tmp_path / "j.sqlite"), "--out", str(tmp_path / "o")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "check which release it is" in done.stderr


def test_it_survives_being_written_and_read(tmp_path: Path) -> None:
    motifs = load_jaspar(tax_group="urochordates", dtype=torch.float64)
    nb.write_jaspar(tmp_path / "m.jaspar", motifs)
    back = nb.read_jaspar(tmp_path / "m.jaspar", dtype=torch.float64)
    assert back.names == motifs.names
    assert back.n_sites == motifs.n_sites
    for name in motifs:
        np.testing.assert_allclose(back[name], motifs[name], atol=1e-6)


def test_it_needs_no_network_no_environment_and_no_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NBINTERP_JASPAR", str(tmp_path))  # says where other releases are
    monkeypatch.setattr("urllib.request.urlopen", lambda *a, **k: pytest.fail("asked the network"))
    jaspar_core._core.cache_clear()
    took = []
    for _ in range(5):
        jaspar_core._core.cache_clear()
        start = time.process_time()
        assert len(load_jaspar("2026")) == 1019
        took.append(time.process_time() - start)
    assert min(took) < 0.1  # 0.03 s on two idle cores


def test_what_is_not_in_the_package_is_looked_for_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    nb.write_meme(folder / "JASPAR2026_CORE_vertebrates_non-redundant_pfms_meme.txt", {"M one": torch.eye(4)})
    assert load_jaspar(directory=folder).names == ("M one",)
    nb.write_meme(folder / "JASPAR2026_CORE_vertebrates_redundant_pfms_meme.txt", {"M two": torch.eye(4)})
    monkeypatch.setenv("NBINTERP_JASPAR", str(folder))
    assert load_jaspar(redundant=True).names == ("M two",)
    assert len(load_jaspar()) == 1019
    with pytest.raises(NbinterpError, match="put it there"):
        load_jaspar(collection="UNVALIDATED")


@pytest.mark.parametrize("call", [lambda group: load_jaspar(tax_group=group), jaspar_table])
def test_an_unknown_group_is_named(call) -> None:
    with pytest.raises(NbinterpError, match=r"\(tax_group\): got 'vertebrate'.*did you mean 'vertebrates'"):
        call("vertebrate")


def test_the_licence_lies_beside_it() -> None:
    text = (jaspar_core._FILE.parent / "JASPAR-LICENSE.txt").read_text()
    assert "Creative Commons Attribution 4.0 International" in text
    assert "10.1093/nar/gkaf1209" in text
