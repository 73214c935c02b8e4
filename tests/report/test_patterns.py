"""The patterns report: all that a TF-MoDISco file holds, on one page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.motif import Pattern, PatternSet, patterns_from_seqlets, read_modisco, write_modisco
from nbinterp.report import Grid, read_patterns
from nbinterp.report.parameters.record import TAX_GROUPS
from tests.report.cells import page_alone, run_cells, table, timed_report


@pytest.fixture(scope="module")
def golden(request: pytest.FixtureRequest) -> Path:
    folder = request.getfixturevalue("data_dir").parent / "golden" / "modisco"
    if not (folder / "modisco_results.h5").is_file():
        pytest.skip(f"no {folder / 'modisco_results.h5'}")
    return Path(folder)


def fasta_of(X: np.ndarray, path: Path) -> Path:
    letters = np.array(list("ACGTN"))[np.where(X.any(axis=1), X.argmax(axis=1), 4)]
    path.write_text("".join(f">s{i}\n{''.join(row)}\n" for i, row in enumerate(letters)))
    return path


@pytest.fixture(scope="module")
def report(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden file's report, with its sequences and attributions."""
    given = tmp_path_factory.mktemp("given")
    fasta = fasta_of(np.load(golden / "ohe.npz")["arr_0"], given / "x.fa")
    asked = {"modisco": golden / "modisco_results.h5", "fasta": fasta, "attributions": golden / "attr.npz"}
    return timed_report("patterns", asked, tmp_path_factory.mktemp("golden"), most=15)


@pytest.mark.real
def test_every_pattern_is_there_with_its_counts(report: Path, golden: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(golden / "modisco_results.h5") as file:
        truth = {
            f"{group}.{key}": (int(one["seqlets/n_seqlets"][0]), sum(part.startswith("subpattern") for part in one))
            for group in file
            for key, one in file[group].items()
        }
    patterns = table(report, "patterns")
    said = {row.name: (row.n_seqlets, row.n_subpatterns) for row in patterns.itertuples(index=False)}
    assert said == truth
    assert len(truth) == 7
    assert table(report, "seqlets")["name"].value_counts().to_dict() == {name: n for name, (n, _) in truth.items()}
    assert set(table(report, "matches")["query"].value_counts()) == {3}
    page = (report / "report.html").read_text()
    assert f"{sum(n for n, _ in truth.values()):,} seqlets" in page
    assert 'class="error"' not in page
    assert 'class="stderr"' not in page
    for kind in ("pfm", "cwm"):
        text = (report / "motifs" / f"{kind}.meme").read_text()
        assert [line.split()[1] for line in text.splitlines() if line.startswith("MOTIF")] == patterns["name"].tolist()


@pytest.mark.real
def test_the_planted_motifs_are_named(report: Path) -> None:
    """AP-1, NRF1, CTCF, GATA, SP/KLF, and of the negative ones SNAI/ZEB and REST."""
    best = table(report, "patterns").set_index("name")["match"]
    families = {
        "pos_patterns.pattern_0": ("JDP2", "FOS", "JUN", "NFE2", "BACH", "BATF"), "pos_patterns.pattern_1": ("Nrf1", "NRF1"),
        "pos_patterns.pattern_2": ("CTCF",), "pos_patterns.pattern_3": ("GATA", "Gata", "TAL1"),
        "pos_patterns.pattern_4": ("SP", "KLF", "Klf"), "neg_patterns.pattern_0": ("SNAI", "ZEB", "Snai", "SCRT"),
        "neg_patterns.pattern_1": ("REST",),
    }  # fmt: skip
    for name, words in families.items():
        assert any(word in best[name] for word in words), (name, best[name])


@pytest.mark.browser
@pytest.mark.real
def test_it_lives_alone_in_one_file(report: Path, tmp_path: Path, open_page: Callable[..., Any]) -> None:
    page = page_alone(report, tmp_path, open_page)
    view, logo = page.page.locator(".nbi-pattern"), page.page.locator(".nbi-logo")
    assert view.get_attribute("data-pattern") == "pos_patterns.pattern_0"
    assert view.get_attribute("data-seqlets") == "106"
    # a pattern that is chosen in the list is the one whose seqlets are shown
    page.page.get_by_text("pos_patterns.pattern_2", exact=True).first.click()
    page.page.wait_for_function(
        "() => document.querySelector('.nbi-pattern').dataset.pattern === 'pos_patterns.pattern_2'"
    )
    # and a seqlet that is chosen is gone to in its sequence
    canvas = view.locator("canvas")
    canvas.focus()
    before = logo.text_content()
    for _ in range(40):  # until one that is shown
        page.page.keyboard.press("ArrowDown")
        if logo.text_content() != before:
            break
    assert logo.text_content() != before
    assert page.page.locator(".nbi-failed").count() == 0
    assert page.errors == []
    assert page.outside() == []


# ---- what is asked ---------------------------------------------------------------------------------------------------


def test_no_model_is_asked_for() -> None:
    words = {word for word, *_ in nb.describe("patterns")}
    assert "modisco" in words
    assert not words & {"model", "weights", "head", "task", "batch_size", "device"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "neither"),
        ({"modisco": __file__, "demo": True}, "both"),
        ({"modisco": "absent.h5"}, "no file"),
        ({"modisco": __file__, "motifs": "absent.meme"}, "no file"),
        ({"modisco": __file__, "trim": 1.5}, "0 to 1"),
        ({"modisco": __file__, "level": -0.1}, "0 to 1"),
        ({"modisco": __file__, "n_matches": 0}, "at least 1"),
        ({"modisco": __file__, "tax_group": "vertebrate"}, "did you mean 'vertebrates'"),
        ({"modisco": __file__, "fasta": __file__}, "--attributions"),
        ({"modisco": __file__, "attributions": __file__}, "--fasta"),
        ({"modisco": __file__, "loci": __file__}, "--genome"),
        ({"modisco": __file__, "genome": __file__}, "--loci"),
        ({"modisco": __file__, "loci": __file__, "genome": __file__, "fasta": __file__}, "one of them"),
        ({"demo": True, "fasta": __file__, "attributions": __file__}, "leave them out"),
    ],
)
def test_wrong_parameters_are_refused_at_once(given: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.check_parameters("patterns", given)


@pytest.mark.parametrize("name", ["patterns", "annotations"])
def test_the_groups_are_those_of_jaspar(name: str) -> None:
    assert set(TAX_GROUPS) == set(nb.jaspar_table(None)["tax_group"])
    for group in (*TAX_GROUPS, ""):
        nb.check_parameters(name, {"demo": True, "tax_group": group})
    with pytest.raises(NbinterpError, match=r"tax_group\): got 'plant' \(did you mean 'plants'\?\)"):
        nb.check_parameters(name, {"demo": True, "tax_group": "plant"})


# ---- edges: the template's own cells, without a kernel ---------------------------------------------------------------


def planted(n: int, name: str, *, scale: float = 1.0, width: int = 20, seed: int = 0) -> PatternSet:
    """A pattern of GATAA within random flanks."""
    rng = np.random.default_rng(seed)
    X = np.eye(4)[rng.integers(0, 4, (max(n, 1), 60))].transpose(0, 2, 1)
    X[:, :, 25:30] = np.eye(4)[:, [2, 0, 3, 0, 0]]
    scores = np.zeros_like(X)
    scores[:, :, 25:30] = scale
    spans = pd.DataFrame({"example_idx": np.arange(n), "start": 27 - width // 2, "end": 27 + width // 2, "name": name})
    return patterns_from_seqlets(X, X * scores, spans)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the notebook shows."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **_: found.extend(things))
    return found


def test_a_file_without_patterns(tmp_path: Path, shown: list[Any]) -> None:
    write_modisco(tmp_path / "m.h5", PatternSet((), groups=("pos_patterns", "neg_patterns")))
    known = run_cells("patterns", tmp_path / "out", modisco=tmp_path / "m.h5")
    assert known["sentences"] == [
        "There are no patterns in this file: TF-MoDISco found too few seqlets, or too few alike."
    ]
    assert len(table(tmp_path / "out", "patterns")) == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["patterns"] == 0


def test_one_pattern_and_none_that_lowers(tmp_path: Path, shown: list[Any]) -> None:
    write_modisco(tmp_path / "m.h5", planted(12, "a"))
    known = run_cells("patterns", tmp_path / "out", modisco=tmp_path / "m.h5")
    assert known["sentences"][0] == "1 pattern of 12 seqlets in 12 sequences: 1 that raises the prediction."
    assert known["table"]["consensus"].tolist() == ["GATAA"]
    assert len(known["pairs"]) == 0
    assert not any(isinstance(one, Grid) for one in shown)


def test_patterns_that_are_alike_are_said_to_be(tmp_path: Path, shown: list[Any]) -> None:
    first, second = planted(12, "a")[0], planted(9, "a", seed=1)[0]
    turned = Pattern(
        "pos_patterns.pattern_1",
        *(m[::-1, ::-1] for m in (second.sequence, second.contrib_scores, second.hypothetical_contribs)),
        second.seqlets,
        {},
    )
    write_modisco(tmp_path / "m.h5", PatternSet((first, turned), window_size=60))
    known = run_cells("patterns", tmp_path / "out", modisco=tmp_path / "m.h5")
    assert any(
        "1 pair may be one pattern: pos_patterns.pattern_1 and pos_patterns.pattern_0 (1.00)" in s
        for s in known["sentences"]
    )
    assert known["pairs"]["strand"].tolist() == ["-"]
    assert sum(isinstance(one, Grid) for one in shown) == 1


def test_only_patterns_that_lower_without_seqlets_or_contributions(tmp_path: Path, shown: list[Any]) -> None:
    """A pattern of one column, one without seqlets, and one that contributes nothing."""
    names = [f"neg_patterns.pattern_{i}" for i in range(3)]
    none = pd.DataFrame({"example_idx": [], "start": [], "end": [], "strand": []})
    narrow, empty, flat = np.eye(4)[:, :1], np.full((4, 6), 0.25), np.eye(4)[:, [2, 0, 3, 0]]
    seqlets = pd.DataFrame({"example_idx": [0], "start": [3], "end": [4], "strand": ["-"]})
    patterns = (
        Pattern(names[0], narrow, -narrow, -narrow, seqlets, {}),
        Pattern(names[1], empty, -empty, -empty, none, {}),
        Pattern(names[2], flat, 0 * flat, 0 * flat, seqlets.assign(end=7), {}),
    )
    write_modisco(tmp_path / "m.h5", PatternSet(patterns, groups=("neg_patterns",)))
    known = run_cells("patterns", tmp_path / "out", modisco=tmp_path / "m.h5")
    assert known["table"]["width"].tolist() == [1, 6, 4]
    assert known["table"]["n_seqlets"].tolist() == [1, 0, 1]
    assert "3 that lower the prediction" in known["sentences"][0]


def test_a_broken_file_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 20)
    with pytest.raises(NbinterpError, match="cannot be read"):
        read_patterns(nb.check_parameters("patterns", {"modisco": tmp_path / "m.h5"}))


def test_known_motifs_of_one_name_are_refused(tmp_path: Path) -> None:
    write_modisco(tmp_path / "m.h5", planted(12, "a"))
    nb.write_meme(tmp_path / "k.meme", nb.MotifSet({"a": np.eye(4)}))
    text = (tmp_path / "k.meme").read_text()
    (tmp_path / "k.meme").write_text(text + text[text.index("MOTIF") :])
    with pytest.raises(NbinterpError, match="'a'"):
        read_patterns(nb.check_parameters("patterns", {"modisco": tmp_path / "m.h5", "motifs": tmp_path / "k.meme"}))


def test_sequences_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_modisco(tmp_path / "m.h5", planted(12, "a"))
    X = np.eye(4, dtype=np.int8)[np.zeros((5, 60), int)].transpose(0, 2, 1)
    asked = {"modisco": tmp_path / "m.h5", "fasta": fasta_of(X, tmp_path / "x.fa"), "attributions": tmp_path / "a.npy"}
    for array, words in (
        (np.zeros((5, 4, 60), np.float32), "at least 12"),
        (np.zeros((5, 4, 50), np.float32), "as the sequences"),
        (np.zeros((5, 60, 4), np.float32), "transpose"),
        (np.array([["a"]]), "numbers"),
    ):
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(NbinterpError, match=words):
            read_patterns(nb.check_parameters("patterns", asked))
    (tmp_path / "a.npy").write_text("nothing")
    with pytest.raises(NbinterpError, match="npz or npy"):
        read_patterns(nb.check_parameters("patterns", asked))


@pytest.mark.real
def test_sequences_stand_by_how_many_seqlets_they_have(golden: Path, tmp_path: Path) -> None:
    X = np.load(golden / "ohe.npz")["arr_0"]
    asked = {
        "modisco": golden / "modisco_results.h5", "fasta": fasta_of(X, tmp_path / "x.fa"),
        "attributions": golden / "attr.npz", "n_shown": 7,
    }  # fmt: skip
    found = read_patterns(nb.check_parameters("patterns", asked))
    counts = read_modisco(golden / "modisco_results.h5").seqlets()["example_idx"].value_counts()
    assert [counts[int(name[1:])] for name in found.names] == sorted(counts, reverse=True)[:7]
    assert found.shown is not None
    for row, name in enumerate(found.names):
        assert np.array_equal(found.shown[row], X[int(name[1:])])
        own, there = (
            found.seqlets[found.seqlets["example_idx"] == int(name[1:])],
            found.ranked.query("example_idx == @row"),
        )
        assert own["start"].tolist() == there["start"].tolist()
    # what the marked spans contribute is what the pattern's file says
    inside = found.ranked[found.ranked["example_idx"] < 7]
    whole = read_modisco(golden / "modisco_results.h5")
    assert found.contributions is not None
    for span in inside.itertuples():
        assert np.sign(found.contributions[span.example_idx, span.start : span.end].sum()) == (
            1 if whole[span.name].positive else -1
        )


def test_sequences_may_be_loci_of_a_genome(tmp_path: Path, shown: list[Any]) -> None:
    """Twelve windows of a genome: those shown stand by how many seqlets they have, and seqlets of the others have no row."""
    rng = np.random.default_rng(0)
    genome = np.eye(4)[rng.integers(0, 4, 12 * 70)]
    for i in range(12):
        genome[70 * i + 30 : 70 * i + 35] = np.eye(4)[[2, 0, 3, 0, 0]]
    X = np.stack([genome[70 * i + 5 : 70 * i + 65].T for i in range(12)])
    scores = np.zeros(X.shape, np.float32)
    scores[:, :, 25:30] = 1
    sites = [(i, start) for i in range(12) for start in ([17, 20] if i in (4, 9) else [17])]
    spans = pd.DataFrame(sites, columns=["example_idx", "start"]).assign(name="a")
    write_modisco(tmp_path / "m.h5", patterns_from_seqlets(X, X * scores, spans.assign(end=spans["start"] + 20)))
    fasta_of(genome.T[None], tmp_path / "g.fa")
    (tmp_path / "l.bed").write_text("".join(f"s0\t{70 * i + 5}\t{70 * i + 65}\n" for i in range(12)))
    np.save(tmp_path / "a.npy", scores)
    given = {"modisco": tmp_path / "m.h5", "loci": tmp_path / "l.bed", "genome": tmp_path / "g.fa",
             "attributions": tmp_path / "a.npy", "n_shown": 3}  # fmt: skip
    found = read_patterns(nb.check_parameters("patterns", given))
    assert found.shown is not None
    assert found.rows is not None
    np.testing.assert_array_equal(found.shown, X[[4, 9, 0]])
    assert found.rows.tolist() == [2, -1, -1, -1, 0, -1, -1, -1, -1, 1, -1, -1]
    known = run_cells("patterns", tmp_path / "out", **given)
    assert json.loads(known["logo"].meta)["n"] == 3
    assert set(known["spans"]["example_idx"]) == {0, 1, 2}
    assert "of one in another sequence" in next(
        one.data for one in shown if "In the sequences" in str(getattr(one, "data", ""))
    )


def test_known_motifs_are_read_as_the_functions_read_them(tmp_path: Path) -> None:
    write_modisco(tmp_path / "m.h5", planted(12, "a"))
    nb.write_meme(tmp_path / "k.meme", nb.MotifSet({"a": np.full((4, 3), 1 / 4), "b": np.eye(4) * 0.9 + 0.025}))
    for given, same in (
        ({"motifs": tmp_path / "k.meme"}, str(tmp_path / "k.meme")),
        ({"tax_group": "fungi"}, "jaspar:fungi"),
        ({"tax_group": ""}, "jaspar:all"),
    ):
        known = read_patterns(nb.check_parameters("patterns", {"modisco": tmp_path / "m.h5", **given})).known
        expected = nb.read_motifs(same, dtype="float64")
        assert list(known) == list(expected)
        assert all((known[name].numpy() == expected[name].numpy()).all() for name in list(known)[:20])
        assert str(known[0].dtype) == "torch.float64"


def test_a_grid_has_a_cell_for_each_pair() -> None:
    text = Grid(["a<b", "b", "c"], np.array([[1, 0.5, -0.2], [0.5, 1, 0], [-0.2, 0, 1]]))._repr_html_()
    assert text.count("<rect") == 3
    assert "a&lt;b" in text
    assert "c and a&lt;b: -0.20" in text
    assert Grid([], np.zeros((0, 0)))._repr_html_().count("<rect") == 0
