"""The surrogate report: judged by what it never saw, right on what is known, and alone in one file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.errors import FormatError, NbinterpError
from nbinterp.mechanism import fit_surrogate, library_of, random_library
from nbinterp.report.library import read_measured, read_sampled
from nbinterp.report.plane import Line, Plane
from nbinterp.report.surrogates import fit_and_judge, pair_strengths, split_sequences, variant_table
from nbinterp.report.triangle import Triangle
from tests.report.cells import check_alone, page_alone, run_cells, table

LENGTH = 14
PAIR = (3, 8)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the notebook shows."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **_: found.extend(things))
    return found


class World:
    """A sequence whose mutants' activities are known: effects under a curve, and one pair."""

    def __init__(self, n: int = 900, pair: float = 0.0) -> None:
        random = np.random.RandomState(0)
        self.reference = "".join(random.choice(list("ACGT"), LENGTH))
        self.library = random_library(self.reference, n, rate=0.2, random_state=1)
        self.wild = self.library.reference_codes.astype(int)
        theta = -np.abs(random.normal(size=(4, LENGTH)))
        self.theta = theta - theta[self.wild, np.arange(LENGTH)]
        codes = self.library.codes
        both = (codes[:, PAIR[0]] != self.wild[PAIR[0]]) & (codes[:, PAIR[1]] != self.wild[PAIR[1]])
        self.phi = self.theta[codes, np.arange(LENGTH)].sum(axis=1) + pair * both
        self.y = 3 / (1 + np.exp(-(self.phi + 1.5))) + 0.05 * random.normal(size=n)

    def save(self, path: Path, columns: tuple[str, str] = ("sequence", "y")) -> Path:
        frame = pd.DataFrame({columns[0]: self.library.sequences(), columns[1]: self.y})
        frame.to_csv(path, sep="," if path.suffix == ".csv" else "\t", index=False)
        return path


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "none of them"),
        ({"demo": True, "reference": "ACGT"}, "reference, demo"),
        ({"reference": "ACGT"}, "--model"),
        ({"reference": "ACGN", "model": __file__}, "the letter 'N'"),
        ({"demo": True, "measured": __file__}, "demo, measured"),
        ({"measured": "absent.tsv"}, "no file"),
        ({"demo": True, "window": "80"}, "two positions"),
        ({"demo": True, "window": "90-80"}, "two positions"),
        ({"demo": True, "rate": 0}, "above 0"),
        ({"demo": True, "n_sequences": 10}, "at least 50"),
        ({"demo": True, "gpmap": "pairs"}, "pairwise"),
        ({"demo": True, "gauge": "wildtype"}, "did you mean"),
        ({"demo": True, "noise": "student"}, "SkewedT"),
        ({"demo": True, "n_bootstrap": 1}, "at least 2"),
        ({"demo": True, "held_out": 1.0}, "between 0 and 1"),
        ({"demo": True, "max_distanse": 3}, "did you mean 'max_distance'"),
    ],
)
def test_wrong_parameters_are_refused_at_once(given: dict[str, Any], words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        nb.check_parameters("surrogate", given)


def test_measured_sequences_need_no_model(tmp_path: Path, shown: list[Any]) -> None:
    """Known effects come back: their order, their signs, and the activity of every sequence that was held out."""
    world = World()
    path = world.save(tmp_path / "mave.csv", ("Sequence", "DNN"))
    known = run_cells("surrogate", tmp_path / "out", measured=path, n_bootstrap=3, reg_strength=0.1)
    best = known["best"]
    assert known["library"].sequences()[0] == world.reference
    assert "".join("ACGT"[c] for c in known["library"].reference_codes) == world.reference  # the commonest letters
    assert best.metrics.explained > 0.97 > known["fits"][0].metrics.explained
    variants = table(tmp_path / "out", "variants")
    own = world.theta[["ACGT".index(base) for base in variants["alt"]], variants["position"]]
    assert np.corrcoef(variants["effect"], own)[0, 1] > 0.98
    scale = variants["effect"].to_numpy() @ own / (own @ own)
    inside = (variants["low"] <= scale * own) & (scale * own <= variants["high"])
    assert 0.75 <= inside.mean() <= 1
    assert "of the variance of measurement" in known["sentences"][0]
    assert not any("by the model" in one for one in known["sentences"])


def test_what_is_judged_was_never_seen(tmp_path: Path) -> None:
    world = World(300)
    repeated = library_of(world.library.sequences() * 2, world.reference)
    rows, held = split_sequences(repeated, 0.25, 3)
    words = np.array(repeated.sequences())
    assert not set(words[rows]) & set(words[held])
    assert sorted([*rows, *held]) == list(range(600))
    asked = nb.check_parameters("surrogate", {"measured": world.save(tmp_path / "a.tsv"), "reg_strength": 0.1})
    y = np.tile(world.y, 2)
    fits = fit_and_judge(asked, repeated, y, rows, held)
    assert [one.name for one in fits] == ["additive, on a line", "additive, under a curve"]
    for one in fits:
        left = y[held] - one.surrogate.predict(repeated[held])
        assert one.metrics.explained == pytest.approx(1 - left @ left / ((y[held] - y[held].mean()) ** 2).sum())
        assert (one.metrics.n_train, one.metrics.n_test) == (len(rows), len(held))
    by_hand = fit_surrogate(repeated[rows], y[rows], linearity="linear", reg_strength=0.1, test=0)
    np.testing.assert_allclose(fits[0].surrogate.theta, by_hand.theta)


def test_the_penalty_is_chosen_by_others(tmp_path: Path) -> None:
    """Few sequences without pairs: the more parameters, the stronger it is."""
    world = World(300)
    asked = nb.check_parameters(
        "surrogate", {"measured": world.save(tmp_path / "a.tsv"), "gpmap": "pairwise", "max_distance": 4}
    )
    rows, held = split_sequences(world.library, 0.2, 0)
    fits = fit_and_judge(asked, world.library, world.y, rows, held)
    assert fits[-1].surrogate.facts["strength"] > fits[1].surrogate.facts["strength"] / 10
    assert fits[-1].metrics.explained > 0.85
    assert fits[-1].n_parameters == 1 + 3 * LENGTH + 9 * (4 * LENGTH - 10)


def test_the_planted_pair_is_the_strongest(tmp_path: Path, shown: list[Any]) -> None:
    world = World(1500, pair=3.0)
    path = world.save(tmp_path / "m.tsv")
    known = run_cells("surrogate", tmp_path / "out", measured=path, gpmap="pairwise", n_bootstrap=0, reg_strength=1.0)
    top = table(tmp_path / "out", "pairs").iloc[0]
    assert (top["start"], top["end"] - 1) == PAIR
    assert top["epistasis"] > 0
    assert sum(isinstance(one, Triangle) for one in shown) == 1
    names = [f"{world.reference[at]}{at}" for at in PAIR]
    assert f"{names[0]} and {names[1]}, whose substitutions together take less" in " ".join(known["sentences"])


def test_pairs_are_what_two_substitutions_do_beyond_their_sum() -> None:
    world = World(400)
    surrogate = fit_surrogate(world.library, world.y, gpmap="neighbour", linearity="linear", test=0)
    found = pair_strengths(surrogate, world.library.reference).sort_values("start", ignore_index=True)
    i = int(found["start"][0])
    values = []
    for a in range(4):
        for b in range(4):
            if a == world.wild[i] or b == world.wild[i + 1]:
                continue
            codes = np.repeat(world.wild[None], 4, axis=0)
            codes[[1, 3], i] = a
            codes[[2, 3], i + 1] = b
            none, left, right, both = surrogate.phi(codes.astype(np.uint8))
            values.append(both - left - right + none)
    assert found["epistasis"][0] == pytest.approx(np.mean(values))
    assert found["spread"][0] == pytest.approx(np.std(values))


def test_the_table_of_variants_says_what_predictions_say() -> None:
    world = World(400)
    surrogate = fit_surrogate(world.library, world.y, test=0)
    found = variant_table(surrogate, world.library)
    assert len(found) == 3 * LENGTH
    assert found["effect"].abs().is_monotonic_decreasing
    row = found.iloc[5]
    codes = world.wild.copy()
    codes[row["position"]] = "ACGT".index(row["alt"])
    both = surrogate.predict(np.stack([codes, world.wild]).astype(np.uint8))
    assert row["change"] == pytest.approx(both[0] - both[1])
    assert row["n"] == (world.library.codes[:, row["position"]] == codes[row["position"]]).sum()


def test_the_demo_is_read_back(tmp_path: Path, shown: list[Any]) -> None:
    """Around GATA and TEAD: the strongest positions are theirs, and changes agree with the model's own."""
    asked = {
        "demo": True,
        "task": "cooperative",
        "n_sequences": 400,
        "window": "224-250",
        "n_bootstrap": 2,
        "reg_strength": 10.0,
    }
    known = run_cells("surrogate", tmp_path / "out", **asked)
    assert known["found"].truth["name"].tolist() == ["GATA", "TEAD"]
    assert known["hit"] == 1.0
    assert known["agreement"] > 0.85
    assert known["best"].metrics.explained > 0.85
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["target"] == "cooperative"
    before = (tmp_path / "out" / "progress.jsonl").read_text().count("\n")
    run_cells("surrogate", tmp_path / "out", **asked)
    lines = [json.loads(one) for one in (tmp_path / "out" / "progress.jsonl").read_text().splitlines()[before:]]
    assert {one["step"] for one in lines} == {"activities", "fits", "draws", "substitutions"}
    assert all(one["kept"] for one in lines)


def test_which_sequence() -> None:
    found = read_sampled(
        nb.check_parameters("surrogate", {"demo": True, "n_sequences": 60, "example": "3", "window": "5-50"})
    )
    assert (found.name, found.library.window) == ("demo_3", (5, 50))
    assert len(np.unique(found.library.codes, axis=0)) == len(found.library) == 60 - found.dropped
    asked = nb.check_parameters("surrogate", {"demo": True, "example": "demo_3", "n_sequences": 60, "window": "5-50"})
    assert read_sampled(asked).key == found.key
    for given, words in (({"example": "99"}, "below 40"), ({"window": "10-4000"}, "the 400 bases")):
        with pytest.raises(NbinterpError, match=words):
            read_sampled(nb.check_parameters("surrogate", {"demo": True, "n_sequences": 60, **given}))


def test_tables_are_read_with_care(tmp_path: Path) -> None:
    world = World(80)
    frame = pd.DataFrame({"seq": world.library.sequences(), "score": world.y})
    frame.loc[3, "score"] = np.nan
    frame.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    found = read_measured(str(tmp_path / "a.tsv"), "here", reference=world.reference.lower())
    assert (len(found.library), found.dropped) == (79, 1)
    assert read_measured(str(tmp_path / "a.tsv"), "here", example="4").library.reference_row == 4
    frame[::-1].to_csv(tmp_path / "turned.tsv", sep="\t", index=False)
    commonest = read_measured(str(tmp_path / "turned.tsv"), "here").library.reference_codes
    assert commonest.tolist() == world.wild.tolist()  # though the first row is a mutant
    frame.rename(columns={"score": "value"}).to_csv(tmp_path / "b.tsv", sep="\t", index=False)
    with pytest.raises(FormatError, match="seq, value; need one of sequence"):
        read_measured(str(tmp_path / "b.tsv"), "here")
    frame.head(9).to_csv(tmp_path / "c.tsv", sep="\t", index=False)
    with pytest.raises(FormatError, match="at least 50"):
        read_measured(str(tmp_path / "c.tsv"), "here")


def test_pictures() -> None:
    text = Plane(
        [0, 1, np.nan], [0, 1, 2], "a<b", "c", Line([0, 1], [0, 1], [0, 0], [1, 1]), (0.5, 0.5, "here")
    )._repr_html_()
    assert text.count("h0") == 2
    assert "a&lt;b" in text
    assert text.count("<circle") == 1
    assert text.count("Z") == 1  # the band
    assert Plane(np.arange(9000), np.arange(9000), "x", "y")._repr_html_().count("h0") == 3000
    assert "nan" not in Plane([], [], "x", "y")._repr_html_()
    assert "nan" not in Plane([1, 1], [2, 2], "x", "y")._repr_html_()
    pairs = Triangle("ACGTACGTAC", 100, [[100, 101], [102, 109]], [1.0, -0.01], "of <it>", [(101, 104, "GATA")])
    text = pairs._repr_html_()
    assert text.count("<rect") == 1  # the other is too pale to be seen
    assert "A100 and C101: 1 of &lt;it&gt;" in text
    assert ">GATA<" in text
    assert Triangle("", 0, np.zeros((0, 2)), [], "x")._repr_html_().count("<rect") == 0


# ---- the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = {
        "demo": True,
        "task": "cooperative",
        "n_sequences": 1500,
        "window": "220-254",
        "gpmap": "pairwise",
        "n_bootstrap": 2,
    }
    return nb.run_report("surrogate", asked, tmp_path_factory.mktemp("surrogate")).parent


@pytest.mark.slow
def test_the_page_says_how_good_it_is_first(report: Path) -> None:
    page = (report / "report.html").read_text()
    assert 'class="error"' not in page
    assert 'class="stderr"' not in page
    assert "sequences that it never saw" in page[: page.index("</li>")]
    assert {path.stem for path in (report / "tables").iterdir()} == {
        "fits", "curve", "variants", "pairs", "pair_effects", "truth",
    }  # fmt: skip
    assert (report / "figures" / "effects.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
@pytest.mark.browser
def test_it_lives_alone_in_one_file(report: Path, tmp_path: Path, open_page: Callable[..., Any]) -> None:
    page = page_alone(report, tmp_path, open_page)
    check_alone(page)


@pytest.mark.slow
@pytest.mark.real
def test_a_real_enhancer(data_dir: Path, tmp_path: Path) -> None:
    given = {
        "model": data_dir / "deepstarr.model.h5", "fasta": data_dir / "deepstarr_example_sequences.fa",
        "n_sequences": 4000, "n_bootstrap": 2,
    }  # fmt: skip
    nb.run_report("surrogate", given, tmp_path)
    fits = table(tmp_path, "fits").set_index("surrogate")
    assert fits.loc["additive, under a curve", "explained"] > fits.loc["additive, on a line", "explained"] > 0.5
    variants = table(tmp_path, "variants")
    assert variants["change"].astype(float).corr(variants["model"].astype(float)) > 0.9


@pytest.mark.parametrize("linearity", ["linear", "nonlinear"])
def test_a_lasso_leaves_what_acts(linearity: str, tmp_path: Path) -> None:
    """Its penalty is found too: neither so strong that nothing is left, nor so weak that it explains less."""
    world = World(300)
    path = world.save(tmp_path / "a.tsv")
    asked = nb.check_parameters("surrogate", {"measured": path, "penalty": "lasso", "linearity": linearity})
    rows, held = split_sequences(world.library, 0.2, 0)
    best = fit_and_judge(asked, world.library, world.y, rows, held)[-1]
    assert best.metrics.explained > 0.7
