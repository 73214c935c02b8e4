"""Input that is not as it should be: regions of zeros, numbers that are none, patterns that are missing, a full disk."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import FormatError, NbinterpError
from nbinterp.hit import (
    Regions,
    call_hits,
    call_to_folder,
    hit_motifs,
    read_hits,
    read_regions,
    regions_from_modisco_fmt,
)
from nbinterp.motif import read_modisco
from tests.hit.synthetic import peaks, regions, write_inputs


def made(n: int = 12) -> tuple[Regions, Any]:
    data = regions(n)
    return Regions(data.X, data.projected, peaks(n, 120), pd.DataFrame()), hit_motifs(data.motifs, lambdas=0.6)


def test_a_region_of_zeros_has_a_row(tmp_path: Path) -> None:
    """It has no hit and is listed; its neighbours are as they were."""
    where, motifs = made()
    values = where.contributions.copy()
    values[3] = 0
    call_to_folder(tmp_path / "a", where, motifs, device="cpu", chunk=5)
    call_to_folder(tmp_path / "b", Regions(where.sequences, values, where.peaks, where.notes), motifs, device="cpu")
    quality = pd.read_csv(tmp_path / "b" / "peaks_qc.tsv", sep="\t").set_index("peak_id")
    assert len(quality) == 12
    assert quality.loc[3, ["nll", "dual_gap", "num_steps", "global_scale"]].tolist() == [0, 0, 0, 0]
    before, after = read_hits(tmp_path / "a"), read_hits(tmp_path / "b")
    expected = before[before["peak_id"] != 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(after, expected)
    assert len(after) < len(before)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_named(bad: float, tmp_path: Path) -> None:
    """By the number of the region in the whole, whichever chunk and batch it is in."""
    where, motifs = made()
    where.contributions[7, 50] = bad
    with pytest.raises(NbinterpError, match=r"contributions\): got NaN or infinity in region 7;"):
        call_to_folder(tmp_path, where, motifs, device="cpu", chunk=5, batch_size=2)
    with pytest.raises(NbinterpError, match="in region 7;"):
        call_hits(where.sequences, where.contributions, motifs, device="cpu")


def test_regions_of_odd_width_are_called(tmp_path: Path) -> None:
    """Fi-NeMo refuses them."""
    data = regions(4, length=121)
    where = Regions(data.X, data.projected, None, pd.DataFrame())
    found = call_to_folder(tmp_path, where, hit_motifs(data.motifs, lambdas=0.6), device="cpu")
    assert found.n_hits > 0
    assert found.relative_gap < 1e-9


def test_too_few_peaks_name_both_files(tmp_path: Path) -> None:
    data = regions(5)
    np.save(tmp_path / "ohe.npy", data.X)
    np.save(tmp_path / "attr.npy", data.hypothetical)
    (tmp_path / "short.bed").write_text("".join(f"chr1\t{i}\t{i + 10}\n" for i in range(3)))
    with pytest.raises(NbinterpError, match=r"got 3 peaks in .*short.bed, 5 regions in .*ohe.npy; need as many"):
        regions_from_modisco_fmt(
            tmp_path / "ohe.npy", [tmp_path / "attr.npy"], peaks=tmp_path / "short.bed", region_width=100
        )


def test_patterns_that_are_missing(tmp_path: Path) -> None:
    """A file with patterns of one sign is whole; one without any is refused by name."""
    npz, path = write_inputs(tmp_path, regions(4))
    with h5py.File(path, "a") as file:
        del file["neg_patterns"]
    assert len(hit_motifs(read_modisco(path, arrays=False))) == 8
    with h5py.File(path, "a") as file:
        file.move("pos_patterns", "neg_patterns")
    motifs = hit_motifs(read_modisco(path, arrays=False))
    assert set(motifs.names) == {f"neg_patterns.pattern_{i}" for i in range(4)}
    assert call_to_folder(tmp_path / "out", read_regions(npz), motifs, device="cpu").n_hits > 0
    with h5py.File(path, "a") as file:
        del file["neg_patterns"]
    with pytest.raises(NbinterpError, match=r"modisco.h5|motifs"):
        hit_motifs(read_modisco(path, arrays=False))


def test_names_that_are_not_unique() -> None:
    data = regions(2)
    with pytest.raises(NbinterpError, match=r"hit_motifs\(rename\): got two motifs of one name"):
        hit_motifs(data.motifs, rename={"m0": "GATA", "m1": "GATA"})
    with pytest.raises(NbinterpError, match="got two motifs of one name"):
        hit_motifs(data.motifs, rename={"m0": "m1"})


@pytest.mark.parametrize("writer", ["nbinterp.hit.run.np.save", "pandas.DataFrame.to_csv"])
def test_a_full_disk(writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, no half of a file is there, and with room again the run ends as it would have."""

    def full(*args: Any, **options: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    where, motifs = made()
    with monkeypatch.context() as patch:
        patch.setattr(writer, full)
        with pytest.raises(FormatError, match="got a full disk; need free space"):
            call_to_folder(tmp_path / "out", where, motifs, device="cpu", chunk=5)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".parts"]
    found = call_to_folder(tmp_path / "out", where, motifs, device="cpu", chunk=5)
    assert found.n_kept == (12 if "to_csv" in writer else 0)
    whole = call_to_folder(tmp_path / "whole", where, motifs, device="cpu")
    assert found.n_hits == whole.n_hits
    pd.testing.assert_frame_equal(read_hits(tmp_path / "out"), read_hits(tmp_path / "whole"))


def test_the_threads_are_given_back(tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    where, motifs = made(3)
    call_to_folder(tmp_path, where, motifs, device="cpu")
    assert torch.get_num_threads() == before


@pytest.mark.slow
def test_optimal_in_every_region(tmp_path: Path) -> None:
    """500 regions of 1,000 bases, 40 motifs on two strands: the true relative gap, and that it would be seen."""
    data = regions(500, 1000, 40, spacing=100)
    where = Regions(data.X, data.projected, peaks(500, 1000), pd.DataFrame())
    motifs = hit_motifs(data.motifs)
    assert len(motifs) == 80
    found = call_to_folder(tmp_path, where, motifs, device="cpu")
    print(f"largest relative gap of 500 regions x 80 strands: {found.relative_gap:.1e}, {found.n_hits} hits")
    assert found.relative_gap <= 1e-6
    early = call_hits(data.X[:8], data.projected[:8], motifs, solver="fista", device="cpu")
    assert early.regions["relative_gap"].max() > 1e-6
    truth = {(region, name, strand) for region, _, name, strand in data.truth}
    table = read_hits(tmp_path)
    called = set(zip(table["peak_id"], table["motif_name"], table["strand"], strict=True))
    recall = len(truth & called) / len(truth)
    print(f"planted motifs that are called in their region, on their strand: {recall:.3f}")
    assert recall > 0.8


def test_every_hit_is_written_once_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the chunks and the blocks in which they are written."""
    where, motifs = made(30)
    call_to_folder(tmp_path / "a", where, motifs, device="cpu")
    monkeypatch.setattr("nbinterp.hit.store._BLOCK", 7)
    call_to_folder(tmp_path / "b", where, motifs, device="cpu", chunk=4)
    for name in ("hits.tsv", "hits_unique.tsv", "hits.bed"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    table = read_hits(tmp_path / "a")
    assert table["start"].is_monotonic_increasing
    assert len(table) > 40
    assert re.match(r"chr\tstart\tend\t", (tmp_path / "b" / "hits.tsv").read_text())
