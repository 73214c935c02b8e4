"""The mechanisms report: stability first, sites and effects as they are, and alone in one file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.mechanism import MechanismSpace, random_library, site_states
from nbinterp.report.mechanism_sites import Shares, against_truth, background_shares, find_named_sites, site_looks
from nbinterp.report.mechanisms import _home, reading_of, stability_by_number
from nbinterp.report.plane import Plane
from nbinterp.widget import MechanismView
from tests.report.cells import check_alone, page_alone, run_cells, table, timed_report

N: Final = 900
SITES: Final = {"GATA": (8, 17), "TEAD": (24, 33)}
ALONE, TOGETHER = (0.5, 0.3), 1.0


def synthetic(n: int = N, seed: int = 0, **more: Any) -> MechanismSpace:
    """Two sites whose effects are known, alone and together; maps show a site where it is kept."""
    random = np.random.RandomState(seed)
    codes = random.randint(0, 4, 42)
    for name, (start, end) in SITES.items():
        codes[start:end] = nb.demo.motifs()[name].argmax(dim=0).numpy()
    library = random_library("".join("ACGT"[code] for code in codes), n, rate=0.1, random_state=seed)
    wild, width = library.reference, library.shape[2]
    kept = [(library.codes[:, a:b] != library.reference_codes[a:b]).sum(axis=1) <= 1 for a, b in SITES.values()]
    y = 0.1 + ALONE[0] * kept[0] + ALONE[1] * kept[1] + TOGETHER * (kept[0] & kept[1])
    shape = np.zeros((2, 4, width))
    for row, (a, b) in zip(shape, SITES.values(), strict=True):
        row[:, a:b] = wild[:, a:b]
    strong = 1 + kept[0] & kept[1]
    maps = sum((one * (1 + strong))[:, None, None] * part for one, part in zip(kept, shape, strict=True))
    maps = maps + 0.05 * random.normal(size=(n, 4, width))
    made = {"n_clusters": 8, "n_refits": 2, **more}
    return MechanismSpace.from_parts(library, maps.astype(np.float32), y, **made)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space") / "enhancer"
    synthetic().save(folder)
    return folder


@pytest.fixture(scope="module")
def known_motifs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("motifs") / "known.meme"
    nb.write_meme(path, nb.demo.motifs(n_shuffled=4))
    return path


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the notebook shows."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **_: found.extend(things))
    return found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "none of them"),
        ({"demo": True, "space": str(Path(__file__).parent)}, "demo, space"),
        ({"space": "absent"}, "no folder"),
        ({"space": __file__}, "no folder"),
        ({"space": str(Path(__file__).parent), "reference": "ACGT"}, "leave it out"),
        ({"reference": "ACGT"}, "--model"),
        ({"demo": True, "method": "ism"}, "saturation_mutagenesis"),
        ({"demo": True, "clustering": "wards"}, "did you mean 'ward'"),
        ({"demo": True, "gauge": "empirical"}, "hierarchical"),
        ({"demo": True, "embedding": "phate"}, "umap"),
        ({"demo": True, "multiplier": 0}, "above 0"),
        ({"demo": True, "site_multiplier": -1}, "above 0"),
        ({"demo": True, "n_for_sites": 3}, "at least 5"),
        ({"demo": True, "max_mutations": 4}, "fewer than min_positions, 4"),
        ({"demo": True, "level": 1}, "between 0 and 1"),
        ({"demo": True, "tax_group": "birds"}, "vertebrates"),
    ],
)
def test_wrong_parameters_are_refused_at_once(given: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.check_parameters("mechanisms", given)


def test_a_folder_that_holds_no_space_is_refused(tmp_path: Path, shown: list[Any]) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NbinterpError, match="space"):
        run_cells("mechanisms", tmp_path / "out", space=tmp_path / "empty")


def test_what_is_known_is_read_back(space: Path, known_motifs: Path, tmp_path: Path, shown: list[Any]) -> None:
    """Sites to one base, their names, and what they add: alone and together."""
    known = run_cells("mechanisms", tmp_path / "out", space=space, motifs=known_motifs, n_bootstrap=200)
    sites = table(tmp_path / "out", "sites")
    assert sites["motif"].tolist() == ["GATA", "TEAD"]
    for row, span in zip(sites.itertuples(), SITES.values(), strict=True):
        assert abs(row.start - span[0]) <= 1
        assert abs(row.end - span[1]) <= 1
    effects = table(tmp_path / "out", "effects").set_index("term")["effect"]
    assert effects["A"] == pytest.approx(ALONE[0], abs=0.05)
    assert effects["B"] == pytest.approx(ALONE[1], abs=0.05)
    assert effects["A:B"] == pytest.approx(TOGETHER, abs=0.1)
    said = known["sentences"]
    assert "adjusted Rand index" in said[0]
    assert "A GATA and B TEAD" in " ".join(said)
    assert sum(isinstance(one, MechanismView) for one in shown) == 1
    assert {"clusters", "summary_matrix", "stability", "sites", "effects", "configurations"} == {
        path.stem for path in (tmp_path / "out" / "tables").iterdir()
    }
    states = site_states(known["space_"].library, known["sites"], known["space_"].reference)
    counts = table(tmp_path / "out", "configurations").set_index("keeps")["n"]
    assert counts["A GATA + B TEAD"] == states.all(axis=1).sum()
    assert counts.sum() == N
    # nothing is asked of the space twice
    before = (tmp_path / "out" / "progress.jsonl").read_text().count("\n")
    run_cells("mechanisms", tmp_path / "out", space=space, motifs=known_motifs, n_bootstrap=200)
    lines = [json.loads(one) for one in (tmp_path / "out" / "progress.jsonl").read_text().splitlines()[before:]]
    assert [one["kept"] for one in lines if "kept" in one] == [True, True]


def test_a_space_can_be_cut_elsewhere(space: Path, known_motifs: Path, tmp_path: Path, shown: list[Any]) -> None:
    known = run_cells("mechanisms", tmp_path / "out", space=space, motifs=known_motifs, n_clusters=3, n_bootstrap=20)
    assert known["clusters"].k == 3
    assert len(known["stability"].agreement) == 5  # measured anew
    assert len(table(tmp_path / "out", "clusters")) == 3


def test_labels_without_a_tree(known_motifs: Path, tmp_path: Path, shown: list[Any]) -> None:
    """Labels, some of them noise: no refits, and too few clusters for sites; the page says both."""
    whole = synthetic(300)
    labels = whole.cut(3).labels.copy()
    labels[::10] = -1
    MechanismSpace.from_parts(whole.library, whole.maps, whole.y, clusters=labels).save(tmp_path / "space")
    known = run_cells("mechanisms", tmp_path / "out", space=tmp_path / "space", motifs=known_motifs)
    assert "stability was not measured" in known["sentences"][0]
    assert "No sites: find_sites(source): got 3 clusters" in " ".join(known["sentences"])
    assert not any(isinstance(one, Plane) for one in shown)
    assert len(known["effects"]) == 0


def test_identical_maps(known_motifs: Path, tmp_path: Path, shown: list[Any]) -> None:
    library = random_library("ACGTACGTACGTACGTACGT", 60, random_state=0)
    maps = np.ones((60, 4, 20), np.float32)
    with pytest.warns(nb.NbinterpWarning):
        made = MechanismSpace.from_parts(library, maps, np.arange(60.0), n_clusters=4, n_refits=2)
    made.save(tmp_path / "space")
    known = run_cells("mechanisms", tmp_path / "out", space=tmp_path / "space", motifs=known_motifs)
    assert "1 cluster of 60 maps" in known["sentences"][0]
    assert "No sites" in " ".join(known["sentences"])


def test_the_demo_is_made_once(tmp_path: Path, shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """From a model; and again, with nothing computed: the space is read where it was left."""
    asked = {
        "demo": True,
        "task": "cooperative",
        "n_sequences": 60,
        "window": "235-250",
        "n_bootstrap": 20,
        "n_clusters": 6,
    }
    known = run_cells("mechanisms", tmp_path / "out", **asked)
    assert known["found"].target == "cooperative"
    assert known["found"].truth["name"].tolist() == ["TEAD"]
    assert (tmp_path / "out" / "space" / "maps.npy").is_file()
    monkeypatch.setattr("nbinterp.mechanism.space_make.attribute_library", None)
    again = run_cells("mechanisms", tmp_path / "out", **asked)
    assert (again["space_"].labels == known["space_"].labels).all()
    monkeypatch.undo()
    monkeypatch.setattr("IPython.display.display", lambda *things, **_: None)
    other = run_cells("mechanisms", tmp_path / "out", **{**asked, "method": "smooth_grad"})
    assert other["found"].folder.name.startswith("space-")  # the first one is left alone
    assert not np.allclose(other["space_"].maps, known["space_"].maps)


def test_other_maps_go_beside(tmp_path: Path) -> None:
    first = _home(tmp_path / "space", "a" * 20)
    assert first == tmp_path / "space"
    assert _home(tmp_path / "space", "b" * 20) == tmp_path / "space-bbbbbbbb"
    assert _home(tmp_path / "space", "a" * 20) == first


def test_stability_by_number() -> None:
    """Of three clouds far apart, three clusters come back; cut otherwise, they do not."""
    random = np.random.RandomState(0)
    library = random_library("ACGTACGTAC", 300, rate=0.3, random_state=0)
    cloud = np.arange(300) % 3
    maps = (10 * np.eye(3)[cloud] @ np.eye(3, 40)).reshape(300, 4, 10) + random.normal(size=(300, 4, 10))
    made = MechanismSpace.from_parts(library, maps.astype(np.float32), np.zeros(300), n_clusters=3, n_refits=1)
    found = stability_by_number(made, (3, 20, 500)).set_index("clusters")
    assert found.index.tolist() == [3, 20]
    assert found.loc[3, "agreement"] == 1
    assert found.loc[20, "high"] < 0.9
    assert (found["low"] <= found["agreement"]).all()
    given = MechanismSpace.from_parts(library, made.maps, made.y, clusters=cloud)
    assert len(stability_by_number(given)) == 0


def test_what_an_agreement_lets_one_read() -> None:
    assert "nearly the same" in reading_of(0.9)
    assert "groups" in reading_of(0.6)
    assert "noisy" in reading_of(0.2)
    assert reading_of(float("nan")) == "not measured"


def test_sites_that_nothing_keeps() -> None:
    asked = nb.check_parameters("mechanisms", {"demo": True, "site_multiplier": 1e-6})
    found = find_named_sites(asked, synthetic(), nb.demo.motifs(n_shuffled=4))
    assert "no cluster keeps" in found.why
    assert len(found.table) >= 1
    assert found.table["motif"].isna().all()


def test_what_a_site_looks_like() -> None:
    """Its own letters where it is kept, nothing where it is lost."""
    asked = nb.check_parameters("mechanisms", {"demo": True})
    made = synthetic()
    found = find_named_sites(asked, made, nb.demo.motifs(n_shuffled=4))
    kept = made.configurations(found.table, multiplier=0.8)
    looks = site_looks(found, made.background(), kept)
    for i, site in enumerate(found.table.itertuples()):
        letters = made.reference[site.start : site.end]
        where, lost = (looks[heading][i] for heading in ("where it is kept", "where it is lost"))
        assert (where.argmax(axis=0) == letters).mean() > 0.8
        assert where.max() > 2 * lost.max()


def test_the_background_that_lies_in_sites() -> None:
    """Half of the positions are a site; three quarters of the background are there, and it is a third of everything."""
    maps = np.zeros((8, 4, 4))
    maps[:, 0] = [3.0, 1.0, 0.0, 8.0]
    made = nb.mechanism.fine_sums(maps, ["AAAA", "CCCA", "GGGA", "TTTA"] * 2, [0] * 8)
    sites = pd.DataFrame({"start": [0], "end": [1]})
    found = background_shares(nb.mechanism.separate_background(made), made, sites)
    assert found.part == pytest.approx(4 / 12)
    assert found.inside == pytest.approx(3 / 4)
    assert found.hides
    assert "75% of it lies in the sites: clusters of this cut" in str(found)
    assert "lies in" not in str(Shares(0.5, float("nan"), False))


def test_sites_against_the_truth() -> None:
    sites = pd.DataFrame({"start": [10, 30], "end": [18, 39], "name": ["A", "B"], "motif": ["GATA", None]})
    truth = pd.DataFrame({"start": [9, 31, 60], "end": [18, 39, 70], "name": ["GATA", "ETS", "NRF1"]})
    found = against_truth(sites, truth.assign(strand="+", role="single"))
    assert found["site"].tolist() == ["A", "B", ""]
    assert found["called"].tolist() == ["GATA", "", ""]
    assert found["off"].tolist()[:2] == [1, 1]
    assert np.isnan(found["off"].iloc[2])
    assert against_truth(sites.head(0), truth.assign(strand="+", role="single"))["site"].tolist() == ["", "", ""]


# ---- the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(space: Path, known_motifs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = {"space": space, "motifs": known_motifs, "n_bootstrap": 200}
    return nb.run_report("mechanisms", asked, tmp_path_factory.mktemp("mechanisms")).parent


@pytest.mark.slow
def test_stability_is_stated_first(report: Path) -> None:
    page = (report / "report.html").read_text()
    assert 'class="error"' not in page
    assert 'class="stderr"' not in page
    assert "adjusted Rand index" in page[: page.index("</li>")]
    assert re.findall(r"<h2>(.*?)</h2>", page)[0] == "How far the clusters can be trusted"
    manifest = json.loads((report / "manifest.json").read_text())
    assert manifest["clusters"] == 8


@pytest.mark.slow
@pytest.mark.browser
def test_it_lives_alone_in_one_file(report: Path, tmp_path: Path, open_page: Callable[..., Any]) -> None:
    page = page_alone(report, tmp_path, open_page)
    check_alone(page)


@pytest.mark.slow
def test_the_demo_model_gives_its_grammar_away(tmp_path: Path) -> None:
    folder = timed_report("mechanisms", {"demo": True, "task": "cooperative"}, tmp_path, most=120)
    truth = table(folder, "truth")
    assert truth["called"].tolist() == ["NRF1", "GATA", "TEAD"]
    assert truth["off"].astype(float).max() <= 1
    effects = table(folder, "effects")
    pairs = effects[effects["order"] == 2]
    strongest = pairs.loc[pairs["effect"].abs().idxmax()]
    assert "GATA and" in strongest["reads"]
    assert "TEAD" in strongest["reads"]
    assert strongest["low"] > 0


@pytest.mark.slow
@pytest.mark.real
def test_twenty_thousand_mutants_of_a_real_enhancer(data_dir: Path, tmp_path: Path) -> None:
    text = (data_dir / "README.md").read_text()
    reference = next(one for one in re.findall(r"`([ACGT]+)`", text) if len(one) == 249)
    given = {"model": data_dir / "deepstarr.model.h5", "reference": reference, "tax_group": "insects"}
    folder = timed_report("mechanisms", given, tmp_path, most=300)  # of one core; two are quicker
    page = (folder / "report.html").read_text()
    assert "of 20,000 maps" in page
    assert (folder / "report.html").stat().st_size < 20e6
    assert len(table(folder, "clusters")) == 30
