"""MotifBrowser in Python: edits and what they make, matches, contributions, instances, MEME, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.errors import NbinterpError
from nbinterp.live import Packed, unpack_blocks
from nbinterp.motif import MotifSet, align_motifs, motif_similarity, read_meme, read_modisco, tomtom
from nbinterp.widget.browser import MotifBrowser
from nbinterp.widget.browser_edits import Motif, iupac, replay

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "protocol" / "browser.json"
GATA, TATC = np.eye(4)[:, [2, 0, 3, 0]], np.eye(4)[:, [3, 0, 3, 1]]
EDITS: list[list[Any]] = [
    ["tag", [0, 2], "good"],
    ["rename", 2, "other"],
    ["merge", [[0, 0, "+"], [1, 1, "-"]], "both"],
    ["tag", [3], "mine"],
]


def three(**options: Any) -> MotifBrowser:
    motifs = MotifSet({"GATA": GATA, "TATC": TATC, "flat": np.full((4, 3), 0.25)}, n_sites=[30, 10, 5])
    return MotifBrowser(motifs, **options)


def edited(**options: Any) -> MotifBrowser:
    browser = three(**options)
    browser.edits = {"done": EDITS, "undone": []}
    return browser


def arrays(browser: MotifBrowser) -> dict[str, np.ndarray]:
    return unpack_blocks(Packed(browser.data, json.loads(browser.meta)["blocks"]))


def spans(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {"example_idx": 0, "start": np.arange(len(names)), "end": np.arange(len(names)) + 4, "name": names}
    )


# --- edits ----------------------------------------------------------------------------------------------------------


def test_the_fixture_of_both_halves() -> None:
    known = json.loads(FIXTURE.read_text())
    given = [
        Motif(i, one["name"], np.array(one["pwm"]).T, None, one["weight"], (), (i,))
        for i, one in enumerate(known["motifs"])
    ]
    for one, after in zip(replay(given, known["edits"], known["background"]), known["after"], strict=True):
        assert (one.number, one.name, list(one.tags), list(one.members)) == tuple(
            after[k] for k in ("number", "name", "tags", "members")
        )
        assert (one.weight, iupac(one.pwm)) == (after["weight"], after["consensus"])
        np.testing.assert_allclose(one.pwm.T, after["pwm"], atol=1e-8)  # the fixture has nine digits
    found = motif_similarity([one.pwm for one in given])
    for pair in known["pairs"]:
        at = pair["query"], pair["target"]
        assert (found.offset[at], "+-"[found.strand[at]]) == (pair["offset"], pair["strand"])
        aligned = align_motifs(*(given[i].pwm for i in at), pair["offset"], pair["strand"])
        assert [aligned.query_start, aligned.target_start, aligned.query.shape[1]] == [*pair["starts"], pair["width"]]


def test_edits_come_back() -> None:
    browser = edited()
    assert browser.tags == {"both": ["good", "mine"], "other": ["good"]}
    assert browser.names == {"GATA": "both", "TATC": "both", "flat": "other"}
    assert browser.merged == {"both": ["GATA", "TATC"]}
    assert list(browser.motifs) == ["both", "other"]
    assert browser.motifs.n_sites == (40, 5)
    pooled = (30 * np.c_[GATA, np.full(4, 0.25)] + 10 * np.c_[np.full(4, 0.25), GATA]) / 40
    np.testing.assert_allclose(browser.motifs["both"], pooled, atol=1e-6)
    assert browser.table["name"].tolist() == ["both", "other"]
    assert browser.table["consensus"].tolist() == [iupac(pooled), "NNN"]
    np.testing.assert_allclose(browser.table["information"], browser_bits(pooled, np.full((4, 3), 0.25)), atol=1e-5)
    browser.selected = ["other", "both"]
    assert browser.chosen == [2, 3]
    browser.reset()
    assert (browser.selected, browser.tags, browser.merged, browser.names) == ([], {}, {}, {})
    assert list(browser.motifs) == ["GATA", "TATC", "flat"]


def browser_bits(*matrices: np.ndarray) -> list[float]:
    """Bits against equal frequencies, by the definition."""
    return [float(sum(p * np.log2(4 * p) for p in m.ravel() if p > 0)) for m in matrices]


def test_motifs_that_were_left_alone_are_exactly_what_was_given() -> None:
    motifs = MotifSet({"a": np.array([[3.0, 1], [0, 1], [0, 1], [1, 1]])}, contributions=[np.ones((4, 2))])
    now = MotifBrowser(motifs).motifs
    assert now["a"].tolist() == motifs["a"].tolist()
    assert now.cwm("a").tolist() == motifs.cwm("a").tolist()


def test_instances_weigh_and_are_counted_by_name() -> None:
    browser = edited(instances=spans(["TATC"] * 3 + ["GATA", "unknown"]))
    assert browser.table["instances"].tolist() == [4, 0]
    pooled = (np.c_[GATA, np.full(4, 0.25)] + 3 * np.c_[np.full(4, 0.25), GATA]) / 4
    np.testing.assert_allclose(browser.motifs["both"], pooled, atol=1e-6)
    assert arrays(browser)["instance_at"].tolist() == [0, 1, 4, 4]
    assert arrays(browser)["instance"].reshape(-1, 3)[:, 1].tolist() == [3, 0, 1, 2]
    many = three(instances=spans(["GATA"] * 700))
    assert (many.table["instances"].tolist(), len(arrays(many)["instance"])) == ([700, 0, 0], 500)


def test_contributions_are_averaged_and_lie_on_nothing() -> None:
    weights = {"GATA": GATA, "TATC": -TATC, "flat": np.zeros((4, 3))}
    now = edited(contributions=weights).motifs
    assert now.has_contributions
    expected = (30 * np.c_[GATA, np.zeros(4)] - 10 * np.c_[np.zeros(4), GATA]) / 40
    np.testing.assert_allclose(now.cwm("both"), expected, atol=1e-6)


def test_meme_is_read_back(tmp_path: Path) -> None:
    browser = edited()
    text = browser.to_meme(tmp_path / "m.meme")
    assert text == browser.to_meme() == (tmp_path / "m.meme").read_text()
    back = read_meme(tmp_path / "m.meme")
    assert list(back) == ["both", "other"]
    np.testing.assert_allclose(back["both"], browser.motifs["both"], atol=1e-6)


# --- what is known of motifs ----------------------------------------------------------------------------------------


def test_matches_are_the_best_of_each_motif() -> None:
    rng = np.random.default_rng(0)
    targets = {f"t{i}": rng.dirichlet([0.3] * 4, 8).T for i in range(40)}
    motifs = {"one": targets["t7"][::-1, ::-1][:, 1:], "two": targets["t3"]}
    found = tomtom(motifs, targets, as_table=True)
    browser = MotifBrowser(motifs, matches=found.sample(frac=1, random_state=0), targets=targets, n_matches=2)
    meta, data = json.loads(browser.meta), arrays(browser)
    names = [meta["matches"]["names"][i] for i in data["match_target"]]
    best = found.groupby("query", sort=False).head(2)
    assert names == best["target"].tolist()
    assert data["match_offset"].tolist() == best["offset"].tolist()
    assert data["match_minus"].tolist() == (best["strand"] == "-").astype(int).tolist()
    assert browser.table["match"].tolist() == ["t7", "t3"]
    np.testing.assert_allclose(browser.table["q-value"], best["q-value"].to_numpy()[::2], rtol=1e-6)
    start = data["target_at"][data["match_target"][0]]
    drawn = data["target"].reshape(-1, 4)[start : start + 8].T / 255
    np.testing.assert_allclose(drawn, targets["t7"], atol=0.003)  # a byte a number


def test_matches_among_the_motifs_themselves_and_names_alone() -> None:
    table = pd.DataFrame({"query": ["GATA"], "target": ["TATC"], "offset": [0], "strand": ["-"]})
    assert json.loads(three(matches=table).meta)["matches"] == {
        "names": ["TATC"],
        "score": "",
        "drawn": True,
        "most": 1,
    }
    assert json.loads(three(matches=table.assign(target="x")).meta)["matches"]["drawn"] is False
    assert json.loads(three(matches=table, n_matches=0).meta)["matches"]["most"] == 0
    assert three(matches=table.iloc[:0]).table["match"].tolist() == ["", "", ""]


def test_a_table_adds_columns() -> None:
    table = pd.DataFrame({"cluster": [1.5, np.nan, 2], "note": ["a", None, "c"]}, index=[5, 6, 7])
    browser = edited(table=table)
    assert browser.table["note"].isna().tolist() == [True, False]
    assert browser.table["cluster"].tolist()[1] == 2
    assert json.loads(browser.meta)["cells"] == [[1.5, "a"], [None, None], [2, "c"]]


def test_patterns_of_a_modisco_file(data_dir: Path) -> None:
    path = data_dir.parent / "golden" / "modisco"
    files = sorted(path.rglob("*.h5")) if path.is_dir() else []
    if not files:
        pytest.skip(f"no MoDISco file under {path}")
    patterns = read_modisco(files[0])
    browser = MotifBrowser(patterns, instances=patterns.seqlets())
    assert list(browser.motifs) == list(patterns.names)
    assert browser.table["instances"].tolist() == [one.n_seqlets for one in patterns]
    np.testing.assert_allclose(browser.motifs.cwm(0), patterns[0].contrib_scores, atol=1e-6)


def test_two_thousand_motifs_are_small() -> None:
    rng = np.random.default_rng(0)
    browser = MotifBrowser({f"m{i}": rng.dirichlet([0.3] * 4, 15).T for i in range(2000)})
    wire = len(browser.data) + len(browser.meta)
    print(f"2,000 motifs: {wire / 1e6:.2f} MB on the wire")
    assert wire < 1e6


def test_state_that_a_notebook_keeps() -> None:
    state = edited().get_state()
    assert state["edits"] == {"done": EDITS, "undone": []}
    assert {"meta", "data", "chosen", "reverse", "link"} <= set(state)
    assert nb.link(three(), three())


def test_a_still_picture_follows_what_is_chosen() -> None:
    browser = three()
    first = browser.to_png()
    assert first[:4] == b"\x89PNG"
    assert browser.to_png() is first
    for change in ({"reverse": True}, {"chosen": [1]}, {"edits": {"done": EDITS, "undone": []}, "chosen": []}):
        before = browser.to_png()
        for name, value in change.items():
            browser.set_trait(name, value)
        assert browser.to_png() != before, change
    data, _ = browser._repr_mimebundle_()
    assert "image/png" in data
    assert three(contributions={"GATA": -GATA, "TATC": TATC, "flat": np.zeros((4, 3))}).to_png() != first
    many = MotifBrowser({f"motif {i}": GATA for i in range(40)})
    assert len(many.to_png()) < 100_000  # some of them


# --- errors ---------------------------------------------------------------------------------------------------------

MATCH = {"query": ["GATA"], "target": ["TATC"], "offset": [0], "strand": ["+"]}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MotifBrowser({}), r"MotifBrowser\(motifs\): got no motifs"),
        (lambda: MotifBrowser([GATA]), r"MotifBrowser\(motifs\): got a list"),
        (lambda: MotifBrowser({"a": GATA - 0.5}), r"\(motifs\): got negative numbers in 'a'; .*contributions="),
        (lambda: MotifBrowser({"a": GATA[:, :0]}), r"got shape \(4, 0\); need .*width at least 1"),
        (lambda: MotifBrowser(MotifSet([GATA, GATA], ["a", "a"])), r"\(names\): got 'a' twice"),
        (lambda: three(matches=pd.DataFrame({**MATCH, "query": ["GATB"]})), r"\(matches\): got query 'GATB'.*GATA"),
        (lambda: three(matches=pd.DataFrame({"query": ["GATA"]})), r"\(matches\): got columns query; need"),
        (lambda: three(matches=3), r"\(matches\): got a int"),
        (lambda: three(matches=pd.DataFrame(MATCH), targets={"x": GATA}), r"\(targets\): got none named 'TATC'"),
        (lambda: three(matches=pd.DataFrame(MATCH), n_matches=-1), r"\(n_matches\): got -1"),
        (lambda: three(targets={"x": GATA}), r"\(targets\): got targets without matches"),
        (lambda: three(contributions={"GATA": GATA}), r"\(contributions\): got none for 'TATC'"),
        (lambda: three(contributions=[GATA]), r"\(contributions\): got a list"),
        (lambda: three(contributions=dict.fromkeys(("GATA", "TATC", "flat"), GATA)), r"got shape \(4, 4\) for 'flat'"),
        (lambda: three(instances=spans(["GATA"]).drop(columns="start")), "need columns start"),
        (lambda: three(instances=spans(["GATA"]).drop(columns="name")), "need columns name"),
        (lambda: three(instances=spans(["other"])), r"\(instances\): got names such as 'other'"),
        (lambda: three(instances=[1]), r"\(instances\): got a list"),
        (lambda: three(table=pd.DataFrame({"a": [1]})), r"\(table\): got 1 rows; need a DataFrame of 3 rows"),
        (lambda: three(table=pd.DataFrame({"width": [1, 2, 3]})), r"\(table\): got a column 'width'"),
        (lambda: setattr(three(), "selected", ["GATB"]), r"\(selected\): got 'GATB'.*GATA"),
    ],
)
def test_errors_say_what_to_do(make: Any, words: str) -> None:
    with pytest.raises(NbinterpError, match=words):
        make()
