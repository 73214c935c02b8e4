"""MotifBrowser in Chromium, offline and in JupyterLab: rows, edits, what is saved, links, speed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbinterp as nb
from nbinterp.motif import MotifSet, read_meme
from nbinterp.widget.browser import MotifBrowser
from tests.browser.jupyter import Jupyter
from tests.browser.test_logo import BUDGET

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

WORDS = ["GATA", "TATC", "CACGTG", "GGAA"]


def matrix(word: str, p: float = 0.91) -> np.ndarray:
    one = np.full((4, len(word)), (1 - p) / 3)
    one[["ACGT".index(base) for base in word], range(len(word))] = p
    return one


def motifs() -> MotifSet:
    return MotifSet(
        {word: matrix(word) for word in WORDS} | {"flat": np.full((4, 5), 0.25)},
        n_sites=[5, 4, 3, 2, 1],
        contributions=[matrix(word) - 0.3 for word in WORDS] + [np.zeros((4, 5))],
    )


def spans() -> pd.DataFrame:
    rows = [(0, 30, "GATA"), (1, 90, "GATA"), (0, 60, "CACGTG"), (1, 10, "TATC")]
    table = pd.DataFrame(rows, columns=["example_idx", "start", "name"])
    return table.assign(end=table["start"] + 6, strand="+")


def full(**options: Any) -> MotifBrowser:
    known = {"Gata1": matrix("AGATAA"), "Myc": matrix("CACGTG"), "Spi1": matrix("AGGAAGT")}
    rows = [("GATA", "Gata1", 1, "+", 0.001), ("TATC", "Gata1", 1, "-", 0.002), ("CACGTG", "Myc", 0, "+", 1e-6)]
    rows += [("GATA", "Spi1", 2, "-", 0.4), ("GGAA", "Spi1", 1, "+", 0.03)]
    matches = pd.DataFrame(rows, columns=["query", "target", "offset", "strand", "q-value"])
    given: dict[str, Any] = {"matches": matches, "targets": known, "instances": spans(), **options}
    return MotifBrowser(motifs(), **given)


def ready(page: Any) -> Any:
    browser = page.page.locator(".nbi-browser")
    browser.locator(".nbi-row").first.wait_for()
    return browser


def listed(browser: Any) -> list[str]:
    return [one.inner_text() for one in browser.locator(".nbi-name").all()]


def chosen(browser: Any) -> list[str]:
    return [one.inner_text() for one in browser.locator(".nbi-row.nbi-on .nbi-name").all()]


def row(browser: Any, name: str) -> Any:
    return browser.locator(".nbi-row").filter(has=browser.page.locator(f".nbi-name:text-is('{name}')"))


INK = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((n, v) => n + (v > 0), 0)"


def test_rows_are_logos_over_their_matches(open_page: Callable[..., Any]) -> None:
    page = open_page(full())
    browser = ready(page)
    assert listed(browser) == [*WORDS, "flat"]
    canvases = browser.locator(".nbi-row canvas").all()
    assert all(one.evaluate(INK) for one in canvases)  # a motif that says nothing is a line
    assert canvases[0].get_attribute("aria-label") == "logo of GATA, GATA"
    assert row(browser, "GATA").locator(".nbi-lines").first.inner_text().split() == ["Gata1", "Spi1"]
    before = canvases[0].evaluate(INK)
    browser.get_by_label("matches under each motif").select_option("0")
    assert browser.locator(".nbi-row canvas").first.evaluate(INK) < before
    assert "Gata1" in row(browser, "GATA").inner_text()  # beside the motif then
    for label, choice in (("what logos show", "bits"), ("matches under each motif", "2")):
        browser.get_by_label(label).select_option(choice)
    turned = browser.get_by_role("button", name="reverse complement")
    turned.click()
    assert turned.get_attribute("aria-pressed") == "true"
    assert page.errors == []
    assert page.outside() == []


def test_logo_and_name_stay_in_sight(open_page: Callable[..., Any]) -> None:
    """With more columns than there is room for, the others are gone to under them."""
    more = pd.DataFrame({f"a number of its own {i}": np.arange(5) * 1.5 for i in range(9)})
    page = open_page(full(table=more))
    browser = ready(page)
    body = browser.locator(".nbi-body")
    before = row(browser, "GATA").bounding_box()
    name = row(browser, "GATA").locator(".nbi-td").nth(1)
    stands = name.bounding_box()["x"]
    body.evaluate("e => { e.scrollLeft = 1e6; }")
    page.settle()
    assert row(browser, "GATA").bounding_box()["x"] < before["x"] - 100
    assert name.bounding_box()["x"] == stands
    last = browser.get_by_role("button", name="a number of its own 8").bounding_box()
    frame = body.bounding_box()
    assert last["x"] + last["width"] <= frame["x"] + frame["width"]
    head = browser.locator(".nbi-th").nth(1).bounding_box()
    assert head["x"] == stands
    over = "([x, y]) => document.elementFromPoint(x, y).closest('.nbi-td').matches(':nth-child(2)')"
    box = name.bounding_box()
    assert page.page.evaluate(over, [box["x"] + 20, box["y"] + 20])
    assert name.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_sort_and_filter(open_page: Callable[..., Any]) -> None:
    page = open_page(full(table=pd.DataFrame({"cluster": [2, 1, 2, 1, 3]})))
    browser = ready(page)
    browser.get_by_role("button", name="q-value").click()
    browser.get_by_role("button", name="q-value").click()
    assert listed(browser) == ["CACGTG", "GATA", "TATC", "GGAA", "flat"]  # what has none comes last
    for column, typed, found in [
        ("match", "spi", ["GATA", "GGAA"]),
        ("consensus", "RATA", ["GATA", "TATC"]),  # on either strand
        ("instances", ">= 2", ["GATA"]),
        ("information", "> 8", ["CACGTG"]),
        ("cluster", "2", ["CACGTG", "GATA"]),
        ("name", "fla", ["flat"]),
    ]:
        field = browser.get_by_label(f"filter {column}")
        field.fill(typed)
        assert listed(browser) == found, column
        field.fill("")
    row(browser, "GGAA").click()
    field = browser.get_by_label("tag for the chosen motifs")
    field.fill("ets")
    field.press("Enter")
    browser.get_by_label("filter tags").fill("ets")
    assert listed(browser) == ["GGAA"]
    assert browser.locator(".nbi-count, .nbi-dim").first.inner_text() == "1 of 5 motifs"


def test_choosing_by_pointer_and_by_keys(open_page: Callable[..., Any]) -> None:
    page = open_page(full())
    browser = ready(page)
    assert "click, or the arrow keys" in browser.get_by_role("status").inner_text()
    row(browser, "TATC").click()
    assert (chosen(browser), browser.locator(".nbi-headline").inner_text()) == (["TATC"], "TATC")
    row(browser, "GGAA").click(modifiers=["Shift"])
    assert chosen(browser) == ["TATC", "CACGTG", "GGAA"]
    row(browser, "CACGTG").click(modifiers=["Control"])
    assert chosen(browser) == ["TATC", "GGAA"]
    body = browser.locator(".nbi-body")
    body.focus()
    keys = page.page.keyboard
    for key, names in [("Home", ["GATA"]), ("ArrowDown", ["TATC"]), ("Shift+ArrowDown", ["TATC", "CACGTG"])]:
        keys.press(key)
        assert chosen(browser) == names, key
    keys.press("Control+a")
    assert browser.get_attribute("data-chosen") == "5"
    assert row(browser, "flat").get_attribute("aria-selected") == "true"
    assert browser.locator(".nbi-table").get_attribute("aria-multiselectable") == "true"
    keys.press("Escape")
    assert chosen(browser) == []
    assert not browser.locator(".nbi-detail").is_visible()


def test_a_name_is_changed_in_place_and_one_that_is_taken_is_refused(open_page: Callable[..., Any]) -> None:
    page = open_page(full())
    browser = ready(page)
    row(browser, "GATA").locator(".nbi-name").dblclick()
    field = browser.locator(".nbi-rename")
    field.fill("GGAA")
    field.press("Enter")
    assert "another motif" in browser.get_by_role("alert").inner_text()
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("GATA box")
    field.press("Enter")
    assert listed(browser)[0] == "GATA box"
    assert "was GATA" in row(browser, "GATA box").inner_text()
    keys = page.page.keyboard
    keys.press("F2")  # the keys go on from there
    field.press("Escape")
    assert listed(browser)[0] == "GATA box"
    keys.press("u")
    assert listed(browser)[0] == "GATA"
    keys.press("r")
    assert listed(browser)[0] == "GATA box"
    browser.get_by_role("button", name="reset").click()
    assert listed(browser)[0] == "GATA"
    assert browser.get_by_role("button", name="reset").is_disabled()
    for typed, name in (("elsewhere", "elsewhere"), ("GGAA", "elsewhere")):  # leaving takes a name that can be taken
        row(browser, listed(browser)[0]).locator(".nbi-name").dblclick()
        field.fill(typed)
        row(browser, "TATC").click()
        assert (listed(browser)[0], field.count()) == (name, 0)


def test_tags_merge_and_what_is_saved(open_page: Callable[..., Any], tmp_path: Path) -> None:
    page = open_page(full())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    browser, keys = ready(page), page.page.keyboard
    row(browser, "GATA").click()
    row(browser, "TATC").click(modifiers=["Control"])
    browser.locator(".nbi-body").focus()
    keys.press("t")
    keys.type("gata family")
    keys.press("Enter")
    keys.press("Escape")
    assert browser.locator(".nbi-row .nbi-tag").all_inner_texts() == ["gata family"] * 2
    keys.press("m")
    assert listed(browser) == ["GATA+TATC", "CACGTG", "GGAA", "flat"]
    assert chosen(browser) == ["GATA+TATC"]
    assert "merged from GATA, TATC" in browser.locator(".nbi-facts").inner_text()
    assert "4 bp, 5.7 bits, 3 instances" in browser.locator(".nbi-facts").inner_text()
    with page.page.expect_download() as caught:
        browser.get_by_role("button", name="TSV").click()
    table = pd.read_csv(caught.value.path(), sep="\t")
    assert table["name"].tolist() == listed(browser)
    assert table["consensus"].tolist() == ["GATA", "CACGTG", "GGAA", "NNNNN"]
    assert table["tags"].fillna("").tolist() == ["gata family", "", "", ""]
    with page.page.expect_download() as caught:
        browser.get_by_role("button", name="MEME", exact=True).click()
    assert caught.value.suggested_filename == "motifs.meme"
    saved = read_meme(caught.value.path())
    assert list(saved) == listed(browser)
    np.testing.assert_allclose(saved["GATA+TATC"], matrix("GATA"), atol=1e-6)  # both say the same
    assert saved.n_sites == (9, 3, 2, 1)
    row(browser, "GGAA").click(modifiers=["Control"])
    browser.locator(".nbi-body").focus()
    keys.press("c")
    browser.get_by_role("status").filter(has_text="copied 2 motifs").wait_for()
    (tmp_path / "copied.meme").write_text(page.page.evaluate("() => navigator.clipboard.readText()"))
    assert list(read_meme(tmp_path / "copied.meme")) == ["GATA+TATC", "GGAA"]
    browser.get_by_role("button", name="take off gata family").wait_for(state="hidden")  # GGAA is large
    row(browser, "GATA+TATC").click()
    browser.get_by_role("button", name="take off gata family").click()
    assert browser.locator(".nbi-row .nbi-tag").count() == 0
    for _ in range(3):
        browser.get_by_role("button", name="undo").click()
    assert listed(browser) == [*WORDS, "flat"]
    assert page.errors == []
    assert page.outside() == []


def test_edits_that_a_notebook_kept_are_there_again(open_page: Callable[..., Any]) -> None:
    view = full()
    view.edits = {"done": [["merge", [[0, 0, "+"], [1, 0, "-"]], "both"], ["tag", [5], "kept"]], "undone": []}
    view.selected = ["both"]
    browser = ready(open_page(view))
    assert (listed(browser)[0], chosen(browser)) == ("both", ["both"])
    assert browser.locator(".nbi-headline").inner_text() == "both"


@pytest.mark.parametrize("loci", [False, True])
def test_linked_views_follow_each_other(loci: bool, open_page: Callable[..., Any]) -> None:
    X = nb.random_one_hot((2, 4, 120), random_state=0)
    place = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [1000, 5000], "end": [1120, 5120]}) if loci else None
    logo, view = nb.LogoView(X, annotations=spans(), loci=place), full()
    nb.link(logo, view)
    page = open_page(logo, view)
    letters, browser = page.logo(), ready(page)
    row(browser, "GATA").click()
    nexts = browser.get_by_role("button", name="\u25b8")
    for example, start in ((0, 30), (1, 90), (0, 30)):
        nexts.click()
        page.settle()
        assert f"{example + 1} of 2" in letters.inner_text()
        first = [0, 0] if not loci else [1000, 5000]
        shown = f"selected {start + first[example]:,}\u2013{start + 6 + first[example]:,}"
        assert shown.replace(",", "") in letters.locator(".nbi-readout").inner_text().replace(",", "")
    logo_keys, canvas = page.page.keyboard, letters.locator("canvas")
    canvas.focus()
    logo_keys.press("0")
    page.settle()
    box, gutter = canvas.bounding_box(), 24 + 7.6 * len("sequence")
    x = box["x"] + gutter + (box["width"] - gutter - 8) * 63 / 120
    page.page.mouse.click(x, box["y"] + box["height"] - 12)  # the span of CACGTG
    page.settle()
    assert chosen(browser) == ["CACGTG"]
    assert page.errors == []


def test_spans_may_bear_the_name_of_the_best_match(open_page: Callable[..., Any]) -> None:
    """Sites named by a database stand out for the pattern that was found to be that motif."""
    logo = nb.LogoView(nb.random_one_hot((2, 4, 120), random_state=0), annotations=spans().replace("GATA", "Gata1"))
    view = full()
    nb.link(logo, view)
    page = open_page(logo, view)
    letters, browser = page.logo(), ready(page)
    row(browser, "GATA").click()
    page.settle()
    assert "Gata1: 1 here, 2 in 2 sequences" in letters.locator(".nbi-readout").inner_text()
    row(browser, "CACGTG").click()  # by its own name, which some have
    page.settle()
    assert "CACGTG: 1 here" in letters.locator(".nbi-readout").inner_text()
    assert chosen(browser) == ["CACGTG"]
    assert page.errors == []


def many(n: int) -> MotifBrowser:
    rng = np.random.default_rng(0)
    given = {f"motif_{i}": rng.dirichlet([0.3] * 4, int(rng.integers(6, 18))).T for i in range(n)}
    names = list(given)
    rows = [
        (name, names[(i * 7 + k) % n], k - 1, "+-"[k % 2], 10.0**-k) for i, name in enumerate(names) for k in range(3)
    ]
    return MotifBrowser(given, matches=pd.DataFrame(rows, columns=["query", "target", "offset", "strand", "q-value"]))


SCROLL = """async (steps) => {
  const body = document.querySelector('.nbi-body'), table = document.querySelector('.nbi-table');
  const frame = () => new Promise((r) => requestAnimationFrame(() => r()));
  const times = [];
  let blank = 0;
  for (const step of steps) {
    body.scrollTop += step;
    await frame(); // the scroll is told at the beginning of a frame, and what it drew is shown at the end
    const box = body.getBoundingClientRect();
    for (let y = box.top + 60; y < box.bottom - 4; y += 16) {
      const canvas = document.elementFromPoint(box.left + 20, y)?.closest('.nbi-row')?.querySelector('canvas');
      if (!canvas?.width) blank++;
    }
    times.push(Number(table.dataset.ms));
  }
  return [times, blank, body.scrollTop];
}"""


def test_two_thousand_motifs_scroll(open_page: Callable[..., Any]) -> None:
    page = open_page(many(2000))
    browser = ready(page)
    assert browser.locator(".nbi-row").count() < 20
    for name, step in (("wheel", 120), ("page", 480), ("far", 6000)):
        times, blank, top = page.page.evaluate(SCROLL, [step] * 25)
        took = float(np.median(times))
        print(f"2,000 motifs, {name}: {took:.1f} ms of script a frame, at most {max(times):.1f}")
        assert blank == 0
        assert took < BUDGET
    assert top > 150_000
    browser.get_by_label("filter name").fill("motif_19")
    assert browser.locator(".nbi-table").get_attribute("data-shown") == "111"
    assert page.errors == []


def test_edge_cases_draw_without_errors(open_page: Callable[..., Any]) -> None:
    one = MotifBrowser({"a name that is much too long for its column, and then some more": matrix("G")})
    no_match = MotifBrowser(motifs(), matches=pd.DataFrame({"query": [], "target": [], "offset": [], "strand": []}).astype({"query": str, "target": str, "offset": int, "strand": str}))  # fmt: skip
    wide = MotifBrowser({"wide": np.tile(matrix("ACGT"), 30), "flat": np.full((4, 1), 0.25)})
    page = open_page(one, no_match, wide)
    page.page.set_viewport_size({"width": 420, "height": 900})
    for i in range(3):
        browser = page.page.locator(".nbi-browser").nth(i)
        browser.locator(".nbi-row").first.click()
        page.settle()
        assert browser.locator(".nbi-large canvas").evaluate(INK)
    assert page.errors == []


def test_logos_follow_the_theme(open_page: Callable[..., Any]) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        canvas = ready(open_page(full(), color_scheme=scheme)).locator("canvas").first
        colours[scheme] = canvas.evaluate("c => [...c.getContext('2d').getImageData(3, 20, 30, 1).data]")
    assert colours["light"] != colours["dark"]


@pytest.mark.slow
def test_edits_reach_the_next_cell(lab: Jupyter, browser: Any) -> None:
    make = """import json, numpy as np, nbinterp as nb
from nbinterp.widget import MotifBrowser
from nbinterp.motif import MotifSet
gata = np.eye(4)[:, [2, 0, 3, 0]]
view = MotifBrowser(MotifSet({"GATA": gata, "TATC": gata[::-1, ::-1].copy(), "ACGT": np.eye(4)}))
view"""
    tell = "print(json.dumps([view.selected, view.tags, view.names, view.merged, view.motifs.consensus(0)]))"
    lab.write("browser.ipynb", make, tell, "view.reset(); view.selected = ['ACGT']")
    with lab.open(browser, "browser.ipynb") as notebook:
        notebook.run(0)
        page = notebook.page
        view = page.locator(".nbi-browser")
        row(view, "GATA").click()
        row(view, "TATC").click(modifiers=["Shift"])
        page.keyboard.press("m")
        page.keyboard.press("F2")
        view.locator(".nbi-rename").fill("Gata1")
        page.keyboard.press("Enter")
        page.keyboard.press("t")
        page.keyboard.type("known")
        page.keyboard.press("Enter")
        found = [
            ["Gata1"],
            {"Gata1": ["known"]},
            {"GATA": "Gata1", "TATC": "Gata1"},
            {"Gata1": ["GATA", "TATC"]},
            "GATA",
        ]
        assert notebook.told(1, lambda known: known == found) == found
        notebook.run(2)
        page.wait_for_function("() => document.querySelector('.nbi-browser').dataset.edits === '0'")
        assert (listed(view), chosen(view)) == (["GATA", "TATC", "ACGT"], ["ACGT"])
        assert json.loads(notebook.run(1))[0] == ["ACGT"]
