"""The annotations report: on the demo it names what was planted, where it was; and it says so where there is nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import NbinterpError
from tests.report.cells import run_cells

TABLES = {"counts", "dropped", "hits", "motifs", "pairs", "preferred", "seqlets", "sites", "spacings", "truth"}


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / f"{name}.tsv", sep="\t", keep_default_na=False)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it comes, on fewer sequences."""
    out = tmp_path_factory.mktemp("annotations")
    return nb.run_report("annotations", {"demo": True, "n_demo": 40}, out).parent


@pytest.fixture(scope="module")
def cooperative(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The task in which GATA and TEAD act together, 4 to 8 bases apart."""
    out = tmp_path_factory.mktemp("cooperative")
    return run_cells("annotations", out, demo=True, task="cooperative", n_shuffles=10)


def test_a_report_is_whole(report: Path) -> None:
    page = (report / "report.html").read_text()
    assert 'class="findings"' in page
    assert 'class="error"' not in page
    assert 'class="stderr"' not in page
    assert page.count('class="nbi-mount"') == 9
    assert {path.stem for path in (report / "tables").glob("*.tsv")} == TABLES
    figures = {path.stem: path.read_bytes()[:4] for path in (report / "figures").iterdir()}
    assert figures == {"richest": b"\x89PNG", "pairs": b"\x89PNG"}
    manifest = json.loads((report / "manifest.json").read_text())
    assert manifest["motifs_found"] == 4
    assert {"predictions", "attributions", "seqlets", "names", "hits"} == set(manifest["seconds"])


def test_planted_motifs_are_found_by_name_where_they_are(report: Path) -> None:
    """The journey from attributions to names: recall and precision of the names, held and on the page."""
    sites, planted = table(report, "sites"), table(report, "truth")
    found = nb.demo.recovery(sites, planted, by_name=True)
    assert found.n_sites == 61
    assert found.recall >= 0.93
    assert found.precision >= 0.85
    assert str(found) in (report / "report.html").read_text()
    exact = sites.merge(planted, on=["example_idx", "start", "end", "name"])
    assert len(exact) / len(sites) >= 0.85  # to the base
    motifs = table(report, "motifs").set_index("name")
    assert set(motifs.index) == {"ETS", "AP1", "NRF1", "REP"}  # and none of the shuffled ones
    assert motifs.loc["ETS", "attribution"] == motifs["attribution"].max()
    assert motifs.loc["REP", "attribution"] < -0.7


def test_tables_agree_with_each_other(report: Path) -> None:
    seqlets, sites, counts = table(report, "seqlets"), table(report, "sites"), table(report, "counts")
    motifs, hits = table(report, "motifs"), table(report, "hits")
    assert (seqlets["name"] != "").sum() >= len(sites)
    assert counts["sites"].sum() == len(sites) == motifs["count"].sum()
    for row in motifs.itertuples():
        assert counts[row.name].sum() == row.count
        assert (counts[row.name] > 0).sum() == row.examples
    meme = nb.read_meme(report / "tables" / "motifs.meme")
    assert list(meme) == list(motifs["name"])
    assert all(meme.consensus(name) == nb.demo.motifs().consensus(name) for name in meme)
    used = hits[hits["used"]].groupby("name")["attribution"].median().abs()
    others = hits[~hits["used"]].groupby("name")["attribution"].median().abs()
    assert (used[others.index] > 5 * others).all()


def test_the_pair_and_its_spacing_are_found(cooperative: dict[str, Any]) -> None:
    first = cooperative["pairs"].iloc[0]
    assert {first["row"], first["column"]} == {"GATA", "TEAD"}
    assert first["q-value"] < 1e-8
    preferred = cooperative["preferred"]
    assert len(preferred) == 1
    assert preferred["distances"].tolist() == ["4-8"]
    assert any("GATA then TEAD on one strand, 4-8 bases apart" in one for one in cooperative["sentences"])
    found = nb.demo.recovery(cooperative["sites"], cooperative["inputs"].truth, task="cooperative", by_name=True)
    assert found.precision >= 0.9
    assert found.by_motif.query("role == 'pair'")["recall"].min() >= 0.85


def test_another_bound_for_names_repeats_no_step(tmp_path: Path) -> None:
    given = {"demo": True, "n_demo": 2, "n_shuffles": 2}
    run_cells("annotations", tmp_path, **given)
    before = len((tmp_path / "progress.jsonl").read_text().splitlines())
    run_cells("annotations", tmp_path, **given, name_threshold=0.04, max_distance=50)
    lines = [json.loads(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()[before:]]
    assert {"attributions-0", "seqlets", "names"} <= {line["step"] for line in lines}
    assert all(line["kept"] for line in lines)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"n_demo": 3, "threshold": 1e-300}, "0 seqlets stand out in 3 sequences"),
        ({"n_demo": 3, "name_threshold": 1e-12}, "the closest match has q = "),
        ({"n_demo": 1}, "in 1 sequence of 400 bp"),
        ({"n_demo": 3, "stranded": False, "scan": False, "edits": True}, "No spacing below 100 bases"),
    ],
)
def test_little_or_nothing_is_a_report_too(given: dict[str, Any], says: str, tmp_path: Path) -> None:
    made = run_cells("annotations", tmp_path, demo=True, n_shuffles=2, **given)
    assert says in " ".join(made["sentences"])
    assert len(made["sentences"]) <= 5
    assert len(table(tmp_path, "seqlets")) == len(made["seqlets"])
    assert (tmp_path / "manifest.json").is_file()


def test_sites_of_loci_are_on_the_genome(tmp_path: Path) -> None:
    """One motif of one's own, in JASPAR's format; what the BED file says lies in the genome."""
    rng = np.random.RandomState(0)
    letters = "".join(rng.choice(list("ACGT"), 3000))
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n")
    (tmp_path / "p.bed").write_text("".join(f"chr1\t{m - 5}\t{m + 5}\n" for m in (500, 900, 1500)))
    (tmp_path / "m.jaspar").write_text(">own\nA [9 0 0 9]\nC [0 9 0 0]\nG [0 0 9 0]\nT [0 0 0 0]\n")
    torch.manual_seed(0)
    torch.save(nb.BPNet(4, 2).state_dict(), tmp_path / "m.torch")
    made = run_cells("annotations",
        tmp_path / "out", model=str(tmp_path / "m.torch"), loci=str(tmp_path / "p.bed"), genome=str(tmp_path / "g.fa"),
        motifs=str(tmp_path / "m.jaspar"), in_window=400, transform="logcounts", n_shuffles=2, threshold=0.2, name_threshold=0.99,
    )  # fmt: skip
    bed = pd.read_csv(tmp_path / "out" / "tables" / "sites.bed", sep="\t", header=None)
    assert len(bed) == len(made["sites"]) > 0
    assert bed[4].between(0, 1000).all()
    one_hot = made["inputs"].X.to_one_hot()
    for (_, line), site in zip(bed.iterrows(), made["sites"].itertuples(), strict=True):
        assert letters[line[1] : line[2]] == nb.characters(one_hot[site.example_idx, :, site.start : site.end])
    assert set(bed[3]) == {"own"}
    assert {"chrom", "start", "end"} <= set(table(tmp_path / "out", "seqlets"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"demo": True, "name_threshold": 0}, "between 0 and 1"),
        ({"demo": True, "fdr": 1}, "between 0 and 1"),
        ({"demo": True, "hit_threshold": 2}, "between 0 and 1"),
        ({"demo": True, "max_distance": 0}, "at least 1"),
        ({"demo": True, "tax_group": "mammals"}, "vertebrates"),
        ({"demo": True, "motifs": "absent.meme"}, "no file"),
        ({"demo": True, "method": "shap"}, "saliency"),
        ({"demo": True, "max_seqlet_len": 2}, "at least 4"),
        ({"fasta": __file__}, "--model"),
    ],
)
def test_wrong_parameters_are_refused_at_once(given: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.check_parameters("annotations", given)


@pytest.mark.browser
def test_it_lives_without_kernel_and_network(report: Path, open_page: Callable[..., Any]) -> None:
    page = open_page(report / "report.html")
    for mount in page.page.locator(".nbi-mount").all():
        mount.scroll_into_view_if_needed()
        page.page.wait_for_function("e => e.firstElementChild?.firstElementChild", arg=mount.element_handle())
    assert page.page.locator(".nbi-failed").count() == 0
    page.page.locator(".nbi-browser").get_by_text("ETS", exact=True).first.click()
    for kind in (".nbi-logo", ".nbi-track"):  # the sites of the motif that was chosen stand out
        page.page.locator(kind).get_by_text("ETS: ", exact=False).first.wait_for()
    assert page.errors == []
    assert page.outside() == []


@pytest.mark.slow
@pytest.mark.real
def test_deepstarr_reads_ap1_and_gata(data_dir: Path, tmp_path: Path) -> None:
    given = {
        "model": data_dir / "deepstarr.model.h5", "fasta": data_dir / "deepstarr_example_sequences.fa",
        "motifs": data_dir / "jaspar_core_vertebrates.meme",
    }  # fmt: skip
    page = nb.run_report("annotations", given, tmp_path)
    assert page.stat().st_size < 5e6
    names = table(tmp_path, "motifs")["name"]
    assert names.str.contains("FOS|JUN|BATF|NFE2").any()
    assert names.str.contains("GATA").any()
    assert sum(json.loads((tmp_path / "manifest.json").read_text())["seconds"].values()) < 300
