"""Files of a call: equal to Fi-NeMo's, collapsed and intersected, resumed, compared with seqlets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.hit import (
    HitCaller,
    Regions,
    call_to_folder,
    collapse_hits,
    hit_motifs,
    intersect_hits,
    read_hit_motifs,
    read_hits,
    read_regions,
)
from nbinterp.hit.evaluate import evaluate_hits
from nbinterp.motif import read_modisco
from tests.hit.synthetic import regions as synthetic

KEY = ["chr", "start", "motif_name", "strand", "peak_id"]


def made(n: int = 12) -> tuple[Regions, Any]:
    data = synthetic(n)
    peaks = pd.DataFrame(
        {
            "chr": "chr1",
            "chr_id": 0,
            "start": np.arange(n) * 60,
            "peak_id": np.arange(n),
            "peak_name": [f"p{i}" for i in range(n)],
        }
    )
    return Regions(data.X, data.projected, peaks, pd.DataFrame()), hit_motifs(data.motifs, lambdas=0.6)


@pytest.mark.parity
@pytest.mark.real
@pytest.mark.parametrize("run", ["pp", "pp_nopeaks"])
def test_files_equal_fi_nemo(golden: Path, tmp_path: Path, run: str) -> None:
    """Names, columns, order of columns, and values."""
    name = "regions_nopeaks.npz" if run == "pp_nopeaks" else "regions.npz"
    motifs = hit_motifs(read_modisco(golden / "in" / "modisco.h5", arrays=False), half=True)
    call_to_folder(tmp_path, read_regions(golden / "in" / name), motifs, solver="fista", device="cpu", chunk=16)
    for file in ("hits.tsv", "peaks_qc.tsv", "motif_data.tsv"):
        ours, theirs = (
            pd.read_csv(folder / file, sep="\t", keep_default_na=False) for folder in (tmp_path, golden / run)
        )
        keys = {"hits.tsv": KEY, "motif_data.tsv": ["motif_id"], "peaks_qc.tsv": ["peak_id"]}[file]
        ours, theirs = (t.sort_values(keys, ignore_index=True) for t in (ours, theirs))
        assert list(ours.columns) == list(theirs.columns)
        if file == "peaks_qc.tsv":
            ours, theirs = (
                t.drop(columns="dual_gap") for t in (ours, theirs)
            )  # a difference of near equals, in float32
        pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(np.load(tmp_path / "motif_cwms.npy"), np.load(golden / run / "motif_cwms.npy"))
    unique = read_hits(tmp_path / "hits_unique.tsv")
    if run == "pp":
        theirs = read_hits(golden / run / "hits_unique.tsv")
        pd.testing.assert_frame_equal(*(t[KEY[:4]].sort_values(KEY[:4], ignore_index=True) for t in (unique, theirs)))
        bed = pd.read_csv(tmp_path / "hits.bed", sep="\t", header=None)
        stored = pd.read_csv(golden / run / "hits.bed", sep="\t", header=None)
        order = [0, 1, 3, 5]
        bed, stored = (t.sort_values(order, ignore_index=True) for t in (bed, stored))
        pd.testing.assert_frame_equal(bed[[0, 1, 2, 3, 5]], stored[[0, 1, 2, 3, 5]])
        assert bed[4].between(1, 1000).all()
    else:
        assert len(unique) == 202  # regions that know no chromosome share nothing


@pytest.mark.real
def test_their_folders_are_read(golden: Path) -> None:
    motifs = read_hit_motifs(golden / "pp")
    assert len(motifs) == 12
    assert motifs.strands == ("+", "-") * 6
    assert len(read_hits(golden / "pp")) == 202


@pytest.mark.parity
@pytest.mark.real
def test_report_equals_fi_nemo(golden: Path) -> None:
    """Counts and recall exactly; mean contributions and their cosine to the 16 bits in which Fi-NeMo computes them."""
    regions, patterns = (
        read_regions(golden / "in" / "regions.npz"),
        read_modisco(golden / "in" / "modisco.h5", arrays=False),
    )
    found = evaluate_hits(read_hits(golden / "pp"), regions, read_hit_motifs(golden / "pp"), patterns, window=300)
    theirs = pd.read_csv(golden / "report_pp" / "motif_report.tsv", sep="\t")
    exact = list(theirs.columns[:-1])
    pd.testing.assert_frame_equal(found.report[exact], theirs[exact], check_dtype=False)
    np.testing.assert_allclose(found.report["cwm_similarity"], theirs["cwm_similarity"], atol=1e-3)
    occurrences = pd.read_csv(golden / "report_pp" / "motif_occurrences.tsv", sep="\t")
    ours = found.occurrences[found.occurrences["total"] > 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(ours[occurrences.columns], occurrences, check_dtype=False)
    seqlets = pd.read_csv(golden / "report_pp" / "seqlets.tsv", sep="\t")
    columns = list(seqlets.columns)
    assert found.seqlets is not None
    pd.testing.assert_frame_equal(
        *(t[columns].sort_values(columns, ignore_index=True) for t in (found.seqlets, seqlets)), check_dtype=False
    )
    for name, matrix in found.contributions.items():
        stored = np.loadtxt(golden / "report_pp" / "CWMs" / name / "hits_fc.txt")
        np.testing.assert_allclose(matrix, stored, atol=1e-3 * np.abs(stored).max())
    diagonal = found.confusion[found.confusion["motif_name_seqlets"] == found.confusion["motif_name_hits"]]
    their_confusion = pd.read_csv(golden / "report_pp" / "seqlet_confusion.tsv", sep="\t")
    recall = diagonal["motif_name_seqlets"].map(theirs.set_index("motif_name")["seqlet_recall"])
    assert (diagonal["frac_overlap"] >= recall - 1e-12).all()
    assert found.confusion["frac_overlap"].max() <= 1
    assert their_confusion["frac_overlap"].max() > 1  # their bins count one seqlet twice


def worst_first(hits: pd.DataFrame, part: float) -> list[int]:
    """Every pair, by the definition."""
    size = ((hits["end"] - hits["start"]) * part).astype(int)
    rows = list(zip(hits["chr"], 2 * hits["start"] + size, 2 * hits["end"] - size, hits["hit_similarity"], strict=True))
    return [
        int(not any(
            a != b and one[0] == other[0] and one[1] <= other[2] and other[1] <= one[2]
            and (other[3] > one[3] or (other[3] == one[3] and b < a))
            for b, other in enumerate(rows)
        ))
        for a, one in enumerate(rows)
    ]  # fmt: skip


@pytest.mark.parametrize("part", [0, 0.2, 0.5, 1])
def test_collapse_keeps_the_best(part: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    start = rng.integers(0, 400, 150)
    hits = pd.DataFrame(
        {"chr": rng.choice(["chr1", "chr2"], 150), "start": start, "end": start + rng.integers(4, 30, 150),
         "hit_similarity": rng.integers(60, 100, 150) / 100, "peak_id": 0}
    )  # fmt: skip
    assert collapse_hits(hits, part)["is_primary"].tolist() == worst_first(hits, part)
    monkeypatch.setattr("nbinterp.hit.collapse._PAIRS", 50)
    assert collapse_hits(hits, part)["is_primary"].tolist() == worst_first(hits, part)


def test_collapse_without_chromosomes() -> None:
    """Regions stand for themselves."""
    hits = pd.DataFrame({"chr": "NA", "start": [3, 3], "end": [9, 9], "hit_similarity": [0.9, 0.8], "peak_id": [0, 1]})
    assert collapse_hits(hits)["is_primary"].tolist() == [1, 1]
    assert collapse_hits(hits.assign(peak_id=0))["is_primary"].tolist() == [1, 0]
    assert collapse_hits(hits.iloc[:0])["is_primary"].tolist() == []
    with pytest.raises(NbinterpError, match="overlap_frac"):
        collapse_hits(hits, 2)


@pytest.mark.parity
@pytest.mark.real
def test_intersections_equal_fi_nemo(golden: Path) -> None:
    """But for its column of ones."""
    first = read_hits(golden / "pp")
    for other, relaxed, file in (("pp_l05", False, "pp_ppl05"), ("pp_t01", True, "relaxed_pp_ppt01")):
        theirs = pd.read_csv(golden / f"intersect_{file}.tsv", sep="\t")
        ours = intersect_hits([first, read_hits(golden / other)], relaxed)
        columns = [name for name in theirs if not name.startswith("count")]
        assert set(ours.columns) == set(columns)
        pd.testing.assert_frame_equal(
            *(t[columns].sort_values(columns, ignore_index=True) for t in (ours, theirs)), check_dtype=False, rtol=1e-6
        )


def test_a_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was finished is not called again, and the files are those of a run that was not interrupted."""
    regions, motifs = made()
    call_to_folder(tmp_path / "whole", regions, motifs, chunk=5, device="cpu")
    called: list[int] = []
    real = HitCaller.__call__

    def interrupted(self: HitCaller, X: Any, contributions: Any, *, first: int = 0, **options: Any) -> Any:
        if first == 10 and not called.count(10):
            called.append(10)
            raise KeyboardInterrupt
        called.append(first)
        return real(self, X, contributions, first=first, **options)

    monkeypatch.setattr(HitCaller, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        call_to_folder(tmp_path / "cut", regions, motifs, chunk=5, device="cpu")
    assert not (tmp_path / "cut" / "hits.tsv").exists()
    found = call_to_folder(tmp_path / "cut", regions, motifs, chunk=5, device="cpu")
    assert called == [0, 5, 10, 10]
    assert (found.n_kept, found.n_regions) == (10, 12)
    assert not (tmp_path / "cut" / ".parts").exists()
    assert same_folders(tmp_path / "whole", tmp_path / "cut")


def same_folders(one: Path, other: Path) -> bool:
    """Whether they have files of the same names and bytes."""
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in (one, other))
    return first == second


def test_other_numbers_are_called_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept is known by the numbers it was called from, not by the name of a file or its age."""
    regions, motifs = made(6)
    other = Regions(regions.sequences, -regions.contributions, regions.peaks, regions.notes)

    def full(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nbinterp.hit.run.write_store", full)
        with pytest.raises(KeyboardInterrupt):
            call_to_folder(tmp_path / "a", regions, motifs, chunk=3, device="cpu")
    assert len(list((tmp_path / "a" / ".parts").iterdir())) == 4
    assert call_to_folder(tmp_path / "a", other, motifs, chunk=3, device="cpu").n_kept == 0
    call_to_folder(tmp_path / "b", other, motifs, chunk=3, device="cpu")
    assert same_folders(tmp_path / "a", tmp_path / "b")


def test_another_question_is_not_answered_from_what_was_kept(tmp_path: Path) -> None:
    regions, motifs = made(4)
    call_to_folder(tmp_path, regions, motifs, chunk=2, device="cpu")
    stricter = call_to_folder(tmp_path, regions, hit_motifs(synthetic(4).motifs, lambdas=0.9), chunk=2, device="cpu")
    assert len(read_hits(tmp_path)) == stricter.n_hits


def test_no_hits_are_tables_too(tmp_path: Path) -> None:
    regions, motifs = made(3)
    empty = Regions(regions.sequences, 0 * regions.contributions, regions.peaks, regions.notes)
    call_to_folder(tmp_path, empty, motifs, device="cpu")
    assert read_hits(tmp_path).empty
    assert pd.read_csv(tmp_path / "peaks_qc.tsv", sep="\t")["global_scale"].eq(0).all()
    found = evaluate_hits(read_hits(tmp_path), empty, motifs)
    assert found.report["num_hits_total"].eq(0).all()
    assert found.report["cwm_similarity"].isna().all()
    assert len(found.occurrences) == 3  # a region without hits is a region


def test_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "hits.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(NbinterpError, match=r"read_hits\(path\)"):
        read_hits(tmp_path)
    with pytest.raises(NbinterpError, match=r"read_hit_motifs\(out\)"):
        read_hit_motifs(tmp_path)
    with pytest.raises(NbinterpError, match=r"intersect_hits\(tables\)"):
        intersect_hits([])


def test_hits_of_other_regions_are_refused(tmp_path: Path) -> None:
    regions, motifs = made(4)
    call_to_folder(tmp_path, regions, motifs, device="cpu")
    fewer = Regions(regions.sequences[:2], regions.contributions[:2], regions.peaks.iloc[:2], regions.notes)
    with pytest.raises(NbinterpError, match=r"evaluate_hits\(hits\): got hits of peak 2"):
        evaluate_hits(read_hits(tmp_path), fewer, motifs)


@pytest.mark.parametrize("block", [1, 7, 20])
def test_rows_come_in_one_order_however_few_at_a_time(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regions in no order, which overlap, on several chromosomes: tables and the best of doubles are those of one block."""
    regions, motifs = made(12)
    rng = np.random.default_rng(0)
    where = regions.peaks.assign(
        chr_id=rng.integers(0, 2, 12), start=rng.integers(0, 4, 12) * 20, chr=lambda t: "chr" + t["chr_id"].astype(str)
    )
    for peaks in (where, None):
        placed = Regions(regions.sequences, regions.contributions, peaks, regions.notes)
        call_to_folder(tmp_path / "whole", placed, motifs, chunk=5, device="cpu")
        with monkeypatch.context() as patch:
            patch.setattr("nbinterp.hit.store._BLOCK", block)
            call_to_folder(tmp_path / "parts", placed, motifs, chunk=5, device="cpu")
        assert same_folders(tmp_path / "whole", tmp_path / "parts")
        table = read_hits(tmp_path / "parts")
        assert len(table) > block
        assert len(read_hits(tmp_path / "parts" / "hits_unique.tsv")) <= len(table)
        keys = ["chr", "start", "motif_name", "strand", "peak_id"] if peaks is not None else ["peak_id", "start"]
        ordered = table.sort_values(keys, kind="stable")
        assert ordered.index.is_monotonic_increasing
