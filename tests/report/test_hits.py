"""The hits report: a call of ours or of Fi-NeMo's on one page that needs nothing else, with Fi-NeMo's tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.hit import Regions, call_hits, call_to_folder, hit_motifs, read_hits, read_regions, write_regions
from nbinterp.hit.folder import read_call
from nbinterp.motif import PatternSet, patterns_from_seqlets, read_modisco, write_modisco
from nbinterp.report.cells import Cells
from nbinterp.report.counts import Bars, Scatter, histogram
from nbinterp.report.hits import read_called
from nbinterp.report.logos import Logos, information
from tests.hit.synthetic import regions as synthetic
from tests.report.cells import check_alone, page_alone, run_cells, table, timed_report


@pytest.fixture(scope="module")
def golden(request: pytest.FixtureRequest) -> Path:
    folder = request.getfixturevalue("data_dir").parent / "golden" / "finemo"
    if not (folder / "report_pp").is_dir():
        pytest.skip(f"no {folder / 'report_pp'}")
    return Path(folder)


def asked_of(golden: Path, run: str, **more: Any) -> dict[str, Any]:
    given = golden / "in"
    return {
        "regions": given / "regions.npz", "hits": golden / run, "modisco": given / "modisco.h5", "modisco_window": 300,
        **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def report(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of Fi-NeMo's own call."""
    return timed_report("hits", asked_of(golden, "pp"), tmp_path_factory.mktemp("golden"), most=20)


@pytest.mark.parity
@pytest.mark.real
def test_tables_are_those_of_fi_nemo(report: Path, golden: Path) -> None:
    theirs = pd.read_csv(golden / "report_pp" / "motif_report.tsv", sep="\t")
    ours = table(report, "motif_report")
    exact = list(theirs.columns[:-1])
    pd.testing.assert_frame_equal(ours[exact], theirs[exact], check_dtype=False)
    np.testing.assert_allclose(ours["cwm_similarity"], theirs["cwm_similarity"], atol=1e-3)
    counts = pd.read_csv(golden / "report_pp" / "motif_occurrences.tsv", sep="\t")
    mine = table(report, "motif_occurrences")
    assert set(counts.columns) == set(mine.columns)
    assert len(mine) == 40  # those without hits, too
    pd.testing.assert_frame_equal(
        mine[mine["total"] > 0].reset_index(drop=True)[counts.columns], counts, check_dtype=False
    )
    assert list(table(report, "seqlet_confusion").columns) == ["motif_name_seqlets", "motif_name_hits", "frac_overlap"]
    assert len(table(report, "seqlets")) == theirs["num_seqlets"].sum()


@pytest.mark.real
def test_the_page_says_what_is_there(report: Path, golden: Path) -> None:
    page = (report / "report.html").read_text()
    assert 'class="error"' not in page
    assert 'class="stderr"' not in page
    assert "202 hits of 6 of 6 motifs in 40 regions of 400 bp" in page
    assert "The call is Fi-NeMo&#x27;s" in page or "The call is Fi-NeMo's" in page
    assert "202 of its 202 hits are hits at the optimum too" in page
    hits = table(report, "hits")
    assert len(hits) == 202
    assert {"match", "match_q", "explained", "leave_one_out", "tied", "rival", "q-value"} <= set(hits.columns)
    assert hits["explained"].between(0, 1).all()
    assert hits["q-value"].between(0, 1).all()
    assert len(table(report, "hits_unique")) == len(read_hits(golden / "pp" / "hits_unique.tsv"))
    assert len(table(report, "agreement")) == 203


@pytest.mark.browser
@pytest.mark.real
def test_it_lives_alone_in_one_file(report: Path, tmp_path: Path, open_page: Callable[..., Any]) -> None:
    page = page_alone(report, tmp_path, open_page)
    assert page.page.locator("use[href^='#nbi-letter']").count() > 100
    check_alone(page)


@pytest.mark.slow
@pytest.mark.parity
@pytest.mark.real
def test_fi_nemo_reports_on_our_folder(golden: Path, tmp_path: Path) -> None:
    """Its report of our call is ours of our call."""
    tool = Path(sys.executable).parent / "finemo"
    if not tool.is_file():
        pytest.skip("finemo is not installed")
    given = golden / "in"
    motifs = hit_motifs(read_modisco(given / "modisco.h5", arrays=False))
    call_to_folder(tmp_path / "call", read_regions(given / "regions.npz"), motifs, device="cpu")
    words = ["report", "-r", given / "regions.npz", "-H", tmp_path / "call", "-o", tmp_path / "theirs", "-m",
             given / "modisco.h5", "-W", 300]  # fmt: skip
    done = subprocess.run([str(tool), *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = pd.read_csv(tmp_path / "theirs" / "motif_report.tsv", sep="\t")
    known = run_cells("hits", tmp_path / "ours", **asked_of(golden, "pp", hits=tmp_path / "call", n_permutations=0))
    exact = list(theirs.columns[:-1])
    pd.testing.assert_frame_equal(known["compared"].report[exact], theirs[exact], check_dtype=False)
    np.testing.assert_allclose(known["compared"].report["cwm_similarity"], theirs["cwm_similarity"], atol=2e-3)


# ---- what is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "neither"),
        ({"regions": __file__, "demo": True}, "both"),
        ({"demo": True, "modisco": __file__}, "leave them out"),
        ({"regions": __file__}, "--hits, or --modisco"),
        ({"regions": "absent.npz", "modisco": __file__}, "no file"),
        ({"regions": __file__, "hits": "absent"}, "no folder"),
        ({"regions": __file__, "hits": __file__}, "the folder of a call"),
        ({"regions": __file__, "modisco": __file__, "mode": "xx"}, "mode"),
        ({"demo": True, "global_lambda": 1.5}, "0 to 1"),
        ({"demo": True, "n_permutations": -1}, "at least 0"),
    ],
)
def test_wrong_parameters_are_refused_at_once(given: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.check_parameters("hits", given)


def test_no_model_is_asked_for() -> None:
    assert not {word for word, *_ in nb.describe("hits")} & {"model", "weights", "head", "task"}


# ---- edges: the template's own cells, without a kernel ---------------------------------------------------------------


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the notebook shows."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **_: found.extend(things))
    return found


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    """Regions, patterns of their planted motifs, known motifs."""
    data = synthetic(10)
    spans = pd.DataFrame(data.truth, columns=["example_idx", "start", "name", "strand"])
    width = 12
    spans = spans.assign(end=spans["start"] + width)
    spans = spans[(spans["end"] <= 120)]
    patterns = patterns_from_seqlets(data.X, data.hypothetical, spans[spans["strand"] == "+"])
    write_modisco(tmp_path / "m.h5", patterns)
    write_regions(tmp_path / "r.npz", Regions(data.X, data.hypothetical, None, pd.DataFrame()))
    nb.write_meme(tmp_path / "known.meme", nb.demo.motifs(n_shuffled=4))
    return {"regions": tmp_path / "r.npz", "modisco": tmp_path / "m.h5", "motifs": tmp_path / "known.meme"}


FEW: dict[str, Any] = {"modisco_window": 120, "n_permutations": 1, "n_shown": 4}


def test_without_a_call_it_calls(given: dict[str, Path], tmp_path: Path, shown: list[Any]) -> None:
    known = run_cells("hits", tmp_path / "out", **given, **FEW)
    stored = read_hits(tmp_path / "out" / "call")
    assert len(stored) == len(known["hits"]) > 10
    assert "true duality gap is at most" in known["solved"]
    assert known["compared"].report["seqlet_recall_tolerant"].mean() > 0.8
    assert sum(isinstance(one, Scatter) for one in shown) == 1
    assert sum(isinstance(one, Cells) for one in shown) == 1
    again = run_cells("hits", tmp_path / "again", **given, **FEW, hits=tmp_path / "out" / "call")
    pd.testing.assert_frame_equal(again["hits"], known["hits"])


def test_hypothetical_and_other_penalties(given: dict[str, Path], tmp_path: Path, shown: list[Any]) -> None:
    known = run_cells("hits", tmp_path / "out", **given, **FEW, mode="hh", global_lambda=0.6)
    assert known["found"].options["mode"] == "hh"
    assert set(known["motifs"].lambdas) == {0.6}


def test_no_hits_at_all(given: dict[str, Path], tmp_path: Path, shown: list[Any]) -> None:
    known = run_cells("hits", tmp_path / "out", **given, **FEW, global_lambda=0.999)
    assert len(known["hits"]) == 0
    assert "No hits in 10 regions" in known["sentences"][0]
    assert table(tmp_path / "out", "motif_report")["num_hits_total"].eq(0).all()


def test_less_is_asked_less_is_shown(given: dict[str, Path], tmp_path: Path, shown: list[Any]) -> None:
    run_cells("hits", tmp_path / "one", **given, **FEW)
    del shown[:]
    plain = {"regions": given["regions"], "motifs": given["motifs"], "hits": tmp_path / "one" / "call"}
    known = run_cells("hits", tmp_path / "two", **plain, **{**FEW, "n_permutations": 0})
    assert known["patterns"] is None
    assert not any(isinstance(one, (Scatter, Cells)) for one in shown)
    assert not (tmp_path / "two" / "tables" / "significance.tsv").exists()
    assert known["hits"]["q-value"].isna().all()
    other = run_cells("hits", tmp_path / "three", **given, hits=tmp_path / "one" / "call", **{**FEW, "recall": False})
    assert other["patterns"] is None


def test_one_motif(given: dict[str, Path], tmp_path: Path, shown: list[Any]) -> None:
    whole = read_modisco(given["modisco"])
    write_modisco(
        tmp_path / "one.h5", PatternSet(whole[:1] if isinstance(whole, tuple) else (whole[0],), window_size=120)
    )
    known = run_cells("hits", tmp_path / "out", **{**given, "modisco": tmp_path / "one.h5"}, **FEW)
    assert known["names"] == [whole[0].name]
    assert "of 1 of 1 motif in 10 regions" in known["sentences"][0]


@pytest.mark.real
@pytest.mark.parametrize("run", ["hh", "pp_sqrt", "pp_nopeaks", "pp_nofilter"])
def test_every_kind_of_fi_nemos_calls(golden: Path, tmp_path: Path, run: str) -> None:
    """What the optimum says of its hits is found for nearly all of them: they are nearly the same."""
    more = {"regions": golden / "in" / "regions_nopeaks.npz"} if run == "pp_nopeaks" else {}
    found = read_called(nb.check_parameters("hits", asked_of(golden, run, device="cpu", **more)), tmp_path)
    assert found.solver == "Fi-NeMo"
    assert len(found.table) == len(found.files)
    assert found.table["explained"].notna().mean() > 0.98
    assert found.agreement is not None
    both = found.agreement[(found.agreement[["coefficient", "coefficient_optimum"]] > 0).all(axis=1)]
    assert len(both) >= 0.98 * len(found.table)
    assert found.quality["explained"].between(0, 1).all()


def test_the_grammar_of_the_demo_is_read_back(tmp_path: Path, shown: list[Any]) -> None:
    known = run_cells("hits", tmp_path / "out", demo=True, n_demo=80, n_permutations=1, n_shown=5)
    said = " ".join(known["sentences"])
    assert "GATA then TEAD, on one strand, 4 to 8 bp apart" in said
    assert "planted sites" in said
    assert known["compared"].report["seqlet_recall_tolerant"].min() > 0.9
    assert known["matched"].set_index("name")["match"].str.contains("GATA|TEAD|Nrf1|NFE2|ELK1|ETV|^$").all()


# ---- its parts -------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_as_it_was_called(given: dict[str, Path], tmp_path: Path) -> None:
    regions = read_regions(given["regions"])
    motifs = hit_motifs(read_modisco(given["modisco"]))
    call_to_folder(tmp_path / "call", regions, motifs, device="cpu")
    hits = call_hits(regions.sequences[0:10], regions.contributions[0:10], motifs, device="cpu")
    found = read_call(tmp_path / "call", regions)
    expected = hits.table.sort_values(["example_idx", "start", "name", "strand"], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected[found.columns], check_dtype=False, rtol=1e-6)
    assert set(found.columns) == set(expected.columns)
    few = Regions(regions.sequences[0:2], regions.contributions[0:2], None, pd.DataFrame())
    with pytest.raises(NbinterpError, match=r"read_call\(regions\): got hits of peak"):
        read_call(tmp_path / "call", few)
    details = tmp_path / "call" / "hits_details.tsv"
    details.write_text("\n".join(details.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(NbinterpError, match=r"read_call\(folder\): .*other rows"):
        read_call(tmp_path / "call", regions)


def test_pictures() -> None:
    assert Bars([0, 1], [3, 0], "hits", "regions")._repr_html_().count("<rect") == 1
    assert Bars([0.0], [0], "hits", "regions")._repr_html_().count("<rect") == 0
    text = Scatter(["a<b", "c"], [3, 0], [5000, 0], "seqlets", "hits")._repr_html_()
    assert text.count("<circle") == 2
    assert "a&lt;b: 3 seqlets, 5,000 hits" in text
    assert "nan" not in Scatter([], [], [], "x", "y")._repr_html_()
    assert Cells(["a"], [], np.zeros((1, 0)), "x", "y")._repr_html_().count("<rect") == 0
    assert histogram(np.array([0, 2, 2])) == ([0.0, 1.0, 2.0], [1, 0, 2])
    assert sum(histogram(np.random.default_rng(0).normal(size=50), 10)[1]) == 50
    assert histogram([]) == ([0.0], [0])
    logos = Logos(["m"], {"one": [-np.eye(4)], "none": [None], "nothing": [np.full((4, 4), np.nan)]}, [(0, 2)])
    assert logos._repr_html_().count("<use") == 4
    assert logos._repr_html_().count('opacity="0.35"') == 2
    assert logos._repr_html_().count(">none<") == 2 + 1  # two cells, and the heading
    np.testing.assert_allclose(information(np.full((4, 2), 0.25)), 0, atol=1e-12)
