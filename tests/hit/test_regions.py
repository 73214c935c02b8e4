"""Regions: from every format, equal to Fi-NeMo's; at the ends of chromosomes; larger than memory; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import NbinterpError, NbinterpWarning
from nbinterp.hit import (
    Regions,
    read_peaks,
    read_regions,
    regions_from_bigwig,
    regions_from_bpnet_h5,
    regions_from_chrombpnet_h5,
    regions_from_modisco_fmt,
    write_regions,
)
from nbinterp.hit.rows import NpyRows

WIDTH = 400
MAKERS: dict[str, Callable[[Path], Regions]] = {
    "bw": lambda at: regions_from_bigwig(
        at / "peaks.narrowPeak", at / "genome.fa", [at / "contrib.bw"], region_width=WIDTH
    ),
    "chrombpnet": lambda at: regions_from_chrombpnet_h5(
        [at / "chrombpnet.h5"], peaks=at / "peaks.narrowPeak", region_width=WIDTH
    ),
    "bpnet": lambda at: regions_from_bpnet_h5([at / "bpnet.h5"], peaks=at / "peaks.narrowPeak", region_width=WIDTH),
    "modisco": lambda at: regions_from_modisco_fmt(
        at / "ohe.npz", [at / "attr.npz"], peaks=at / "peaks.narrowPeak", region_width=WIDTH
    ),
}


@pytest.mark.parity
@pytest.mark.real
@pytest.mark.parametrize("maker", MAKERS)
def test_extractors_equal_fi_nemo(inputs: Path, tmp_path: Path, maker: str) -> None:
    """Every array of the file, to the bit."""
    notes = write_regions(tmp_path / "regions.npz", MAKERS[maker](inputs), chunk=7)
    ours, theirs = np.load(tmp_path / "regions.npz"), np.load(inputs / "regions.npz")
    assert set(ours) == set(theirs)
    for name in theirs:
        expected = theirs[name]
        if maker == "bw" and name == "contributions":
            expected = (expected * theirs["sequences"]).sum(axis=1)
        assert ours[name].dtype == expected.dtype
        np.testing.assert_array_equal(ours[name], expected)
    assert notes.empty


@pytest.mark.real
def test_regions_without_peaks(inputs: Path, tmp_path: Path) -> None:
    regions = regions_from_chrombpnet_h5([inputs / "chrombpnet.h5"], region_width=WIDTH)
    write_regions(tmp_path / "r.npz", regions)
    assert set(np.load(tmp_path / "r.npz")) == {"sequences", "contributions"}
    again = read_regions(tmp_path / "r.npz")
    assert again.peaks is None
    assert again.hypothetical


@pytest.mark.real
def test_too_few_peaks_are_named(inputs: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.narrowPeak"
    short.write_text("".join((inputs / "peaks.narrowPeak").read_text().splitlines(keepends=True)[:30]))
    with pytest.raises(NbinterpError, match=r"peaks\): got 30 peaks in .*short.narrowPeak, 40 regions in .*bpnet.h5"):
        regions_from_bpnet_h5([inputs / "bpnet.h5"], peaks=short, region_width=WIDTH)


def h5(path: Path, seed: int, n: int = 5, length: int = 60) -> Path:
    rng = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        file["raw/seq"] = np.eye(4)[rng.integers(0, 4, (n, length))].transpose(0, 2, 1)
        file["shap/seq"] = rng.normal(size=(n, 4, length))
    return path


def test_several_files_are_averaged_in_float32(tmp_path: Path) -> None:
    """Fi-NeMo adds up in 16 bits: 2048 + 1 is 2048 there."""
    paths = [h5(tmp_path / f"{i}.h5", i) for i in range(3)]
    for path, value in zip(paths, (2048.0, 1.0, 1.0), strict=True):
        with h5py.File(path, "a") as file:
            file["shap/seq"][...] = value
    regions = regions_from_chrombpnet_h5(paths, region_width=20)
    np.testing.assert_allclose(regions.contributions[0:5], 2050 / 3, rtol=1e-6)


def test_numbers_that_are_none_are_listed(tmp_path: Path) -> None:
    path = h5(tmp_path / "a.h5", 0)
    with h5py.File(path, "a") as file:
        file["shap/seq"][3, 1, 30:32] = np.nan
    notes = write_regions(tmp_path / "r.npz", regions_from_chrombpnet_h5([path], region_width=20))
    assert notes[["region", "note"]].to_numpy().tolist() == [[3, "2 contributions were no numbers and are 0"]]
    assert np.isfinite(np.load(tmp_path / "r.npz")["contributions"]).all()


def test_the_ends_of_a_chromosome(tmp_path: Path) -> None:
    """Regions that leave it are padded and listed; what is inside is as it was."""
    pyBigWig = pytest.importorskip("pyBigWig")
    (tmp_path / "g.fa").write_text(">c\n" + "ACGTN" * 20 + "\n")
    with pyBigWig.open(str(tmp_path / "c.bw"), "w") as wig:
        wig.addHeader([("c", 100)])
        wig.addEntries("c", 0, values=np.arange(1.0, 101.0), span=1, step=1)
    peaks = pd.DataFrame({"chrom": "c", "start": [0, 40, 90], "end": [10, 60, 100], "name": list("abc")})
    regions = regions_from_bigwig(peaks, tmp_path / "g.fa", [tmp_path / "c.bw"], region_width=20)
    values, X = regions.contributions[0:3], regions.sequences[0:3]
    np.testing.assert_array_equal(values[0], [*[0] * 5, *range(1, 16)])
    np.testing.assert_array_equal(values[2], [*range(86, 101), *[0] * 5])
    np.testing.assert_array_equal(X.sum(axis=1)[1], [1, 1, 1, 1, 0] * 4)
    assert not X[0, :, :5].any()
    assert regions.notes.to_numpy().tolist() == [
        [0, "a", "5 positions beyond c are unknown bases"],
        [2, "c", "5 positions beyond c are unknown bases"],
    ]


def test_peaks_by_summit_and_order(tmp_path: Path) -> None:
    narrow = "chr2\t100\t300\tp\t0\t.\t1.5\t1\t1\t30\nchr1\t10\t20\tq\t0\t.\t1\t1\t1\t-1\n"
    (tmp_path / "a.narrowPeak").write_text(narrow)
    (tmp_path / "order.txt").write_text("chr9\t5\nchr1\t7\n")
    found = read_peaks(tmp_path / "a.narrowPeak", 40, chrom_order=tmp_path / "order.txt")
    assert found.to_numpy().tolist() == [["chr2", 2, 110, 0, "p"], ["chr1", 1, -5, 1, "q"]]
    assert [str(kind) for kind in found.dtypes[["chr_id", "start", "peak_id"]]] == ["int64", "int32", "uint32"]


def test_rows_are_read_as_needed(tmp_path: Path) -> None:
    """Forward in one stream, back from its beginning, in plain and packed files."""
    data = np.arange(600, dtype=np.float32).reshape(50, 3, 4)
    np.save(tmp_path / "a.npy", data)
    np.savez_compressed(tmp_path / "a.npz", x=data)
    for rows in (
        NpyRows("t", tmp_path / "a.npy"),
        NpyRows("t", tmp_path / "a.npz", "x"),
        NpyRows("t", tmp_path / "a.npz"),
    ):
        assert rows.shape == data.shape
        for part in (slice(0, 7), slice(7, 20), slice(30, 50), slice(5, 9), slice(45, 99), slice(9, 9)):
            np.testing.assert_array_equal(rows[part], data[part])


def test_float32_and_the_limits_of_half(tmp_path: Path) -> None:
    X = np.eye(4)[np.zeros((2, 8), int)].transpose(0, 2, 1)
    small = np.full((2, 8), 1e-6, np.float32)
    regions = Regions(X, small, None, pd.DataFrame())
    with pytest.warns(NbinterpWarning, match="2 regions .* beyond 16 bits"):
        write_regions(tmp_path / "a.npz", regions)
    write_regions(tmp_path / "b.npz", regions, dtype="float32")
    np.testing.assert_array_equal(read_regions(tmp_path / "b.npz").contributions[0:2], small)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda at: regions_from_chrombpnet_h5([], region_width=20), "h5s"),
        (lambda at: regions_from_chrombpnet_h5([at / "no.h5"], region_width=20), r"h5s\): got .*no.h5"),
        (lambda at: regions_from_bpnet_h5([h5(at / "a.h5", 0)], region_width=20), "input_seqs|hyp_scores"),
        (lambda at: regions_from_chrombpnet_h5([h5(at / "a.h5", 0)], region_width=80), "got 60 positions"),
        (lambda at: regions_from_chrombpnet_h5([h5(at / "a.h5", 0)], region_width=0), "region_width"),
        (
            lambda at: regions_from_chrombpnet_h5([h5(at / "a.h5", 0), h5(at / "b.h5", 0, n=4)], region_width=20),
            r"got shape \(4, 4, 20\) in .*b.h5",
        ),
        (lambda at: read_regions(at / "no.npz"), "read_regions"),
        (lambda at: read_regions(Path(__file__)), "read_regions"),
    ],
)
def test_bad_input(tmp_path: Path, make: Callable[[Path], Regions], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        make(tmp_path)


def test_an_odd_width_is_said(tmp_path: Path) -> None:
    with pytest.warns(NbinterpWarning, match="width 21 is odd; 20 is used"):
        assert regions_from_chrombpnet_h5([h5(tmp_path / "a.h5", 0)], region_width=21).length == 20


def test_a_file_cut_short(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((50, 4, 30)))
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NbinterpError, match="ends too early"):
        NpyRows("t", tmp_path / "a.npy")[0:50]
