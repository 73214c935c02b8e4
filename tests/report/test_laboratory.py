"""The reports that ask "what if?": each runs on the demo, finds what is known of it, and lives with no network."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.report.run import template_path
from tests.report.cells import run_cells

SMALL: dict[str, dict[str, Any]] = {
    "marginalization": {"n_demo": 16, "n_shown": 2, "step": 100, "attributions": True},
    "spacing": {"n_demo": 16, "task": "cooperative", "min_distance": 2, "max_distance": 10, "others": "NRF1"},
    "variants": {"n_demo": 8, "n_matched": 4, "n_shown": 4},
    "design": {"n_demo": 2, "n_steps": 3, "protected": "0-50,390-400"},
    "context": {"n_demo": 4, "n_shuffles": 4, "n_pruned": 3},
}


@pytest.mark.parametrize("name", nb.list_templates())
def test_the_parameters_cell_repeats_the_record(name: str) -> None:
    cells = json.loads(template_path(name).read_text())["cells"]
    source = next("".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", []))
    values: dict[str, Any] = {}
    exec(source, {}, values)
    assert values.pop("out") == "."
    assert values == {word: default for word, _, default, _ in nb.describe(name)}
    assert {f.name for f in dataclasses.fields(nb.check_parameters(name, {"demo": True}))} == set(values)


def _once(make: Callable[[str], Path]) -> Callable[[str], Path]:
    """What is made of a template when it is first asked for."""
    made: dict[str, Path] = {}
    return lambda name: made[name] if name in made else made.setdefault(name, make(name))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a report of the demo, with its page."""

    def make(name: str) -> Path:
        return nb.run_report(name, {"demo": True, **SMALL[name]}, tmp_path_factory.mktemp(name)).parent

    return _once(make)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a report of the demo, without a page, which takes a kernel."""

    def make(name: str) -> Path:
        out = tmp_path_factory.mktemp(name)
        run_cells(name, out, demo=True, **SMALL[name])
        return out

    return _once(make)


QUICK = "design"  # the page that is made in the default tests
PAGES = [name if name == QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SMALL]


@pytest.mark.parametrize("name", PAGES)
def test_a_report_is_whole(name: str, report: Callable[[str], Path]) -> None:
    folder = report(name)
    page = (folder / "report.html").read_text()
    assert 'class="findings"' in page
    assert 'class="error"' not in page
    assert 'class="stderr"' not in page
    assert "Content-Security-Policy" in page
    assert page.count('class="nbi-mount"') >= 2
    assert len(list((folder / "figures").glob("*.png"))) == 1
    assert json.loads((folder / "manifest.json").read_text())["parameters"]["demo"] is True


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / f"{name}.tsv", sep="\t", keep_default_na=False)


def test_motifs_are_ranked_as_planted(tables: Callable[[str], Path]) -> None:
    truth = table(tables("marginalization"), "truth")
    measured = truth.set_index("name")["measured effect"]
    assert list(measured.index[:3]) == ["ETS", "AP1", "NRF1"]
    assert measured.loc[["ETS", "AP1", "NRF1"]].is_monotonic_decreasing
    assert measured["REP"] < -0.7
    assert len(table(tables("marginalization"), "effects")) == 14


def test_the_pair_is_found(tables: Callable[[str], Path]) -> None:
    found = table(tables("spacing"), "spacing")
    strong = found[found["cooperativity"] > 1]
    assert set(strong["arrangement"]) == {"a_then_b"}
    assert sorted(set(strong["distance"])) == [4, 5, 6, 7, 8]
    pairs = table(tables("spacing"), "interactions")
    assert len(pairs[["motif_a", "motif_b"]].drop_duplicates()) == 6


def test_variants_in_sites_weigh_more(tables: Callable[[str], Path]) -> None:
    found = table(tables("variants"), "truth").set_index("site")
    assert found.loc["ETS", "mean"] > 10 * found.loc["no site", "mean"]
    assert len(table(tables("variants"), "effects")) == 80


def test_designs_climb_and_spare_what_is_protected(tables: Callable[[str], Path]) -> None:
    folder = tables("design")
    steps = table(folder, "steps")
    assert steps.groupby("example_idx")["prediction"].apply(lambda one: one.is_monotonic_increasing).all()
    made = steps[steps["step"] > 0]
    assert made["start"].between(50, 389).all()
    ends = nb.read_sequences(folder / "tables" / "designed.fa").X.to_one_hot()
    last = steps.groupby("example_idx")["prediction"].last().to_numpy()
    assert np.allclose(nb.predict(nb.demo.load_model(), ends)[:, 0], last, atol=1e-5)


def test_what_is_needed_is_the_site(tables: Callable[[str], Path]) -> None:
    folder = tables("context")
    _, truth = nb.demo.sequences(4)
    motifs = {one for name in nb.demo.motifs() for one in both_strands(nb.demo.motifs().consensus(name))}
    strongest = table(folder, "pruned").iloc[0]
    sites = truth[(truth["example_idx"] == strongest["example_idx"])]
    assert ((sites["start"] < strongest["end"]) & (sites["end"] > strongest["start"])).any()
    kept = strongest["kept"].strip(".")
    assert any(re.search(kept, motif) for motif in motifs), kept  # a dot is a base that may be any


def both_strands(site: str) -> tuple[str, str]:
    return site, nb.reverse_complement(site)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("marginalization", {"fasta": __file__, "model": __file__}, "MEME"),
        ("marginalization", {"demo": True, "strands": "forward"}, "strands"),
        ("marginalization", {"demo": True, "level": 1.5}, "between 0 and 1"),
        ("marginalization", {"demo": True, "motifs": "absent.meme"}, "no file"),
        ("spacing", {"demo": True, "min_distance": 5, "max_distance": 4}, "at least 5"),
        ("spacing", {"fasta": __file__, "model": __file__, "motif_a": "GATA"}, "--motif-b"),
        ("variants", {"model": __file__}, "neither"),
        ("variants", {"variants": __file__, "model": __file__}, "--genome"),
        ("variants", {"demo": True, "fasta": __file__}, "leave it out"),
        ("variants", {"demo": True, "shifts": "0,x"}, "whole numbers"),
        ("design", {"demo": True, "by": "screening"}, "evolve"),
        ("design", {"demo": True, "protected": "10"}, "spans"),
        ("design", {"demo": True, "wanted": "high"}, "a number"),
        ("design", {"fasta": __file__, "model": __file__, "by": "beam"}, "--by evolve"),
        ("context", {"demo": True, "part": 0}, "between 0 and 1"),
        ("context", {"demo": True, "n_shuffles": 1}, "at least 2"),
    ],
)
def test_wrong_parameters_are_refused_at_once(name: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.check_parameters(name, given)


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_it_lives_without_kernel_and_network(
    name: str, report: Callable[[str], Path], open_page: Callable[..., Any]
) -> None:
    page = open_page(report(name) / "report.html")
    for mount in page.page.locator(".nbi-mount").all():
        mount.scroll_into_view_if_needed()
        page.page.wait_for_function("e => e.firstElementChild?.firstElementChild", arg=mount.element_handle())
    assert page.page.locator(".nbi-failed").count() == 0
    assert page.errors == []
    assert page.outside() == []


@pytest.mark.slow
def test_motifs_go_into_profiles_too(tmp_path: Path) -> None:
    """A model with a profile: the table shows it before and after, and a parameter file of the peer's form runs it."""
    from nbinterp.cli.main import main

    rng = np.random.RandomState(0)
    (tmp_path / "g.fa").write_text(">chr1\n" + "".join(rng.choice(list("ACGT"), 3000)) + "\n")
    (tmp_path / "p.bed").write_text("".join(f"chr1\t{m - 5}\t{m + 5}\n" for m in (500, 900, 1500)))
    nb.write_meme(tmp_path / "m.meme", nb.MotifSet({"GATA": nb.one_hot_encode("AGATAA").float()}))
    torch.manual_seed(0)
    torch.save(nb.BPNet(4, 2).state_dict(), tmp_path / "m.torch")
    given = {
        "model": "m.torch", "sequences": "g.fa", "loci": "p.bed", "motifs": "m.meme", "in_window": 400, "chroms": ["chr1"],
        "batch_size": 8, "minimal": False, "output_filename": "out/",
    }  # fmt: skip
    paths = {k: str(tmp_path / v) for k, v in given.items() if isinstance(v, str)}
    (tmp_path / "a.json").write_text(json.dumps({**given, **paths}))
    assert main(["marginalize", "-p", str(tmp_path / "a.json")]) == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert '\\"name\\": \\"profile\\"' in page
    assert set(table(tmp_path / "out", "effects")["n"]) == {3}


@pytest.mark.slow
@pytest.mark.real
def test_every_motif_of_jaspar(data_dir: Path, tmp_path: Path) -> None:
    """All 879 motifs in 64 backgrounds: one small file in far less than ten minutes, and ETS and NFE2 where they belong."""
    given = {
        "model": data_dir / "mpra_dragonn_conv.json", "weights": data_dir / "mpra_dragonn_conv.h5", "task": 2,
        "fasta": data_dir / "mpra_145bp_200.fa", "motifs": data_dir / "jaspar_core_vertebrates.meme", "shuffle": True,
    }  # fmt: skip
    page = nb.run_report("marginalization", given, tmp_path)
    assert page.stat().st_size < 15e6
    effects = table(tmp_path, "effects")
    assert len(effects) == 2 * 879
    seconds = json.loads((tmp_path / "manifest.json").read_text())["seconds"]
    assert sum(seconds.values()) < 600
    rank = effects.groupby("name")["effect"].max().rank(ascending=False)
    assert rank[[name for name in rank.index if "NFE2" in name]].min() <= 40
