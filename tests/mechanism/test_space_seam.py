"""SEAM's own files become a space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from nbinterp.errors import FormatError, NbinterpError
from nbinterp.mechanism import MechanismSpace, compile_library, random_library, read_seam

N, L = 60, 20
RNG = np.random.default_rng(0)
LIBRARY = random_library("".join(RNG.choice(list("ACGT"), L)), N, 0.2)
Y = RNG.normal(size=N)
MAPS = RNG.normal(size=(N, L, 4)).astype(np.float32)
TREE = linkage(MAPS.reshape(N, -1).astype(float), "ward")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What its scripts leave: a table with an index, maps with letters last, a tree."""
    table = compile_library(LIBRARY, Y, names="seam").assign(Task="Dev")
    table.insert(1, "GIA", Y * 2)
    table.to_csv(tmp_path / "mave.csv")
    np.save(tmp_path / "attributions.npy", MAPS)
    np.save(tmp_path / "linkage.npy", TREE)
    np.save(tmp_path / "unrelated.npy", np.zeros(3))
    return tmp_path


def read(*args: Any, **options: Any) -> MechanismSpace:
    return read_seam(*args, **{"n_clusters": 5, "n_refits": 0, **options})


def test_a_folder_is_told_apart_by_shapes(folder: Path) -> None:
    space = read(folder)
    np.testing.assert_array_equal(space.maps, MAPS.transpose(0, 2, 1))
    np.testing.assert_array_equal(space.library.codes, LIBRARY.codes)
    np.testing.assert_allclose(space.y, Y)
    np.testing.assert_array_equal(space.labels, fcluster(TREE, 5, "maxclust") - 1)
    assert space.table.columns.tolist() == ["prediction", "hamming", "global_importance", "Task", "sequence"]
    assert (space.start, space.facts["source"], space.facts["embedding"]) == (0, "SEAM", "pca")
    assert isinstance(space.maps, np.memmap)  # not read whole


def test_files_by_name_go_before_those_that_are_found(folder: Path) -> None:
    np.save(folder / "cut_crop_5_15.npy", MAPS[:, 5:15])
    np.save(folder / "umap.npy", RNG.normal(size=(N, 3)))
    np.save(folder / "labels.npy", np.arange(N) % 4)
    space = read(folder, folder / "cut_crop_5_15.npy")
    assert (space.start, space.end, space.clusters.k) == (5, 15, 4)
    np.testing.assert_allclose(space.embedding, np.load(folder / "umap.npy")[:, :2], rtol=1e-6)
    alone = read(
        folder / "mave.csv", folder / "cut_crop_5_15.npy", linkage=folder / "linkage.npy", start=3, n_clusters=2
    )
    assert (alone.start, alone.clusters.k, alone.facts["embedding"]) == (3, 2, "pca")


def test_the_reference_may_be_elsewhere(folder: Path) -> None:
    other = "".join("ACGT"[(code + 1) % 4] for code in LIBRARY.reference_codes)
    assert read(folder, reference=other).reference_row is None
    assert read(folder, reference=3).reference_row == 3


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda f: (f / "mave.csv").unlink(),
            r"read_seam\(mave\): got 0 tables \(.csv\) in .*; need one; do name the file",
        ),
        (lambda f: (f / "more.csv").write_text("a\n1\n"), "got 2 tables"),
        (lambda f: (f / "mave.csv").write_text("Sequence,y\nA,1\n"), r"got columns Sequence, y; need Sequence and DNN"),
        (lambda f: (f / "mave.csv").write_bytes(b""), "need a .csv table"),
        (lambda f: (f / "attributions.npy").unlink(), r"read_seam\(maps\): got none beside .*; need maps \(N, L, 4\)"),
        (lambda f: np.save(f / "b.npy", MAPS), "got attributions.npy and b.npy; need one; do pass maps="),
        (lambda f: (f / "linkage.npy").write_bytes(b"x"), r"need an array \(.npy\)"),
    ],
)
def test_what_cannot_be_read_is_refused(folder: Path, spoil: Any, message: str) -> None:
    spoil(folder)
    with pytest.raises(FormatError, match=message):
        read(folder)


def test_maps_of_other_sequences_are_refused(folder: Path) -> None:
    np.save(folder / "few.npy", MAPS[:-1])
    with pytest.raises(NbinterpError, match=r"got 59 maps of 60 sequences"):
        read(folder / "mave.csv", folder / "few.npy")
    pd.DataFrame({"Sequence": ["ACGT", "ACG"], "DNN": [0, 1]}).to_csv(folder / "mave.csv")
    with pytest.raises(NbinterpError, match="several lengths"):
        read(folder / "mave.csv", folder / "few.npy")
