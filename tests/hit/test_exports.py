"""Other formats: read back by other programs, equal to the tables."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.hit import Regions, call_to_folder, hit_motifs, read_hits
from nbinterp.hit.bigbed import write_bigbed
from nbinterp.hit.exports import export_hits, read_chrom_sizes
from nbinterp.hit.files import read_details
from tests.hit.synthetic import peaks, regions

SIZES = {"chr1": 606, "chr2": 61}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call in regions that overlap, the first and the last of which leave their chromosome."""
    data = regions(10)
    where = peaks(10, 120).assign(start=np.arange(10) * 55 - 4)
    path = tmp_path_factory.mktemp("call")
    call_to_folder(
        path, Regions(data.X, data.projected, where, pd.DataFrame()), hit_motifs(data.motifs, lambdas=0.6), device="cpu"
    )
    return path


def test_parquet(folder: Path) -> None:
    """One table with the columns of both files."""
    polars = pytest.importorskip("polars")
    path = export_hits(folder, ["parquet"])["parquet"]
    found, table = polars.read_parquet(path), read_details(folder)
    assert found.columns == list(table.columns)
    assert {"rival", "tied", "cosine", "explained", "leave_one_out"} <= set(found.columns)
    assert found.schema["hit_similarity"] == polars.Float32
    assert found.schema["peak_id"] == polars.UInt32
    for name in table:
        assert found[name].to_list() == table[name].tolist()


def test_bigbed_is_the_bed(folder: Path) -> None:
    """Read by another library: rows, what the columns are, and stretches."""
    pyBigWig = pytest.importorskip("pyBigWig")
    path = export_hits(folder, ["bigbed"], SIZES)["bigbed"]
    bed = pd.read_csv(folder / "hits.bed", sep="\t", header=None)
    with pyBigWig.open(str(path)) as opened:
        assert opened.isBigBed()
        assert opened.chroms() == {"chr1": 606}
        rows = [(start, end, *rest.split("\t")) for start, end, rest in opened.entries("chr1", 0, 606)]
        assert [line.split()[1].strip(";") for line in opened.SQL().decode().splitlines()[3:11]] == [
            "chrom", "chromStart", "chromEnd", "name", "score", "strand", "thickStart", "thickEnd",
        ]  # fmt: skip
    expected = [
        (a, min(b, 606), n, str(s), d, str(t), str(min(e, 606)))
        for _, a, b, n, s, d, t, e in bed.itertuples(index=False)
    ]
    assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize("n", [1, 513, 200_000])
def test_bigbed_of_any_size(n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One block, two, and a tree of three levels: every stretch has the rows it should have."""
    pyBigWig = pytest.importorskip("pyBigWig")
    if n > 1000:
        monkeypatch.setattr("nbinterp.hit.bigbed._BLOCK", 20)
        monkeypatch.setattr("nbinterp.hit.bigbed._FAN", 30)
        n //= 10
    rng = np.random.default_rng(0)
    start = np.sort(rng.integers(0, 10**6, n))
    table = pd.DataFrame(
        {"chr": rng.choice(["chr1", "chr10", "chr2"], n), "start": start, "end": start + rng.integers(1, 200, n)}
    )
    table["name"] = [f"m{i}" for i in range(n)]
    write_bigbed(tmp_path / "a.bb", table, dict.fromkeys(("chr1", "chr2", "chr10", "chrX"), 10**6 + 200))
    with pyBigWig.open(str(tmp_path / "a.bb")) as opened:
        for chrom in set(table["chr"]):
            for low in rng.integers(0, 10**6, 20).tolist():
                rows = opened.entries(chrom, low, low + 1000) or []
                mine = table[(table["chr"] == chrom) & (table["start"] < low + 1000) & (table["end"] > low)]
                assert sorted(rest for *_, rest in rows) == sorted(mine["name"])
        assert (opened.header()["nLevels"] > 0) == (n > 1)
    header = (tmp_path / "a.bb").read_bytes()[:64]
    assert struct.unpack("<IHHQQQHH", header[:36])[-2:] == (4, 4)


def test_wide_views_of_a_bigbed_are_depths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every level's stretches, read by hand, equal what counting the rows at each base gives."""
    monkeypatch.setattr("nbinterp.hit.bigbed._BLOCK", 7)
    rng, sizes = np.random.default_rng(1), {"chr1": 4000, "chr2": 2500}
    start = rng.integers(0, 2000, 300)
    table = pd.DataFrame({"chr": rng.choice(list(sizes), 300), "start": start, "end": start + rng.integers(1, 30, 300)})
    write_bigbed(tmp_path / "a.bb", table, sizes)
    depth = {chrom: np.zeros(size, int) for chrom, size in sizes.items()}
    for row in table.itertuples():
        depth[row.chr][row.start : row.end] += 1
    raw = (tmp_path / "a.bb").read_bytes()
    n_levels, summary = struct.unpack_from("<H", raw, 6)[0], struct.unpack_from("<Q", raw, 44)[0]
    both = np.concatenate(list(depth.values()))
    seen = both[both > 0]
    whole = (len(seen), seen.min(), seen.max(), seen.sum(), np.square(seen).sum())
    assert struct.unpack_from("<Qdddd", raw, summary) == whole
    assert n_levels > 2
    for level in range(n_levels):
        length, _, data, index = struct.unpack_from("<IIQQ", raw, 64 + 24 * level)
        found = _inflated(raw[data + 4 : index])
        assert len(found) == struct.unpack_from("<I", raw, data)[0]
        expected = [
            (i, low, min(low + length, len(one)), len(some), some.min(), some.max(), some.sum(), np.square(some).sum())
            for i, one in enumerate(depth.values())
            for low in range(0, len(one), length)
            for some in [one[low : low + length][one[low : low + length] > 0]]
            if len(some)
        ]
        assert found == expected


def _inflated(raw: bytes) -> list[tuple[float, ...]]:
    """Summaries of blocks that stand one after the other."""
    out: list[tuple[float, ...]] = []
    while raw:
        unpacker = zlib.decompressobj()
        out += struct.iter_unpack("<IIIIffff", unpacker.decompress(raw))
        raw = unpacker.unused_data
    return out


def test_bigwig_sums_what_covers_a_base(folder: Path) -> None:
    pyBigWig = pytest.importorskip("pyBigWig")
    path = export_hits(folder, ["bigwig"], SIZES)["bigwig"]
    expected = np.zeros(606)
    for row in read_hits(folder / "hits_unique.tsv").itertuples():
        expected[max(row.start, 0) : row.end] += row.hit_coefficient_global
    with pyBigWig.open(str(path)) as opened:
        assert opened.chroms() == SIZES
        found = np.nan_to_num(opened.values("chr1", 0, 606))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_no_hits(tmp_path: Path) -> None:
    pytest.importorskip("polars")
    pyBigWig = pytest.importorskip("pyBigWig")
    data = regions(2)
    where = Regions(data.X, 0 * data.projected, peaks(2, 120), pd.DataFrame())
    call_to_folder(tmp_path, where, hit_motifs(data.motifs), device="cpu")
    found = export_hits(tmp_path, chrom_sizes=SIZES)
    assert all(path.is_file() for path in found.values())
    with pyBigWig.open(str(found["bigbed"])) as opened:
        assert opened.chroms() == {}


def test_sizes_are_read(tmp_path: Path) -> None:
    """From two columns, an index, a genome."""
    (tmp_path / "g.fa").write_text(">chr1\nACGT\nAC\n>chr2\nA\n")
    (tmp_path / "g.fa.sizes").write_text("chr1\t6\nchr2\t1\n\n")
    expected = {"chr1": 6, "chr2": 1}
    assert read_chrom_sizes(tmp_path / "g.fa") == expected
    assert read_chrom_sizes(tmp_path / "g.fa.fai") == expected
    assert read_chrom_sizes(tmp_path / "g.fa.sizes") == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "chrom_sizes"),
        ({"formats": ["bed"]}, "formats"),
        ({"chrom_sizes": {"1": 606}}, "got no chr1"),
        ({"chrom_sizes": "no.file"}, "read_chrom_sizes"),
    ],
)
def test_what_is_refused(folder: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        export_hits(folder, **options)


def test_rows_outside_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"chr": ["chr1"], "start": [5], "end": [11]})
    with pytest.raises(NbinterpError, match="chr1:5-11, of 10 bases"):
        write_bigbed(tmp_path / "a.bb", table, {"chr1": 10})
    with pytest.raises(NbinterpError, match="got no chr1"):
        write_bigbed(tmp_path / "a.bb", table, {"chr2": 10})
    assert not list(tmp_path.iterdir())


def test_hits_without_chromosomes_have_no_track(tmp_path: Path) -> None:
    data = regions(2)
    call_to_folder(
        tmp_path,
        Regions(data.X, data.projected, None, pd.DataFrame()),
        hit_motifs(data.motifs, lambdas=0.6),
        device="cpu",
    )
    with pytest.raises(NbinterpError, match="hits without chromosomes"):
        export_hits(tmp_path, ["bigbed"], SIZES)
