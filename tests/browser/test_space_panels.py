"""Panels of a mechanism space in Chromium, on a page of their own: tree and cut, summary matrix, logo, background."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage

from nbinterp.mechanism.cluster_tree import cut_tree
from nbinterp.mechanism.summary_sums import fine_sums

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
KINDS = {"u1": np.uint8, "u2": np.uint16, "i4": np.int32, "f4": np.float32, "f8": np.float64}
BLOCKS = {"leaf": "u2", "labels": "i4", "counts": "i4", "maps": "f4", "squares": "f4", "letters": "i4", "y": "f4",
          "y_squares": "f4", "y_counts": "i4", "children": "i4", "heights": "f8", "codes": "u1"}  # fmt: skip


def space(
    n: int = 3000, width: int = 60, fine: int = 80, k: int = 7, sites: int = 3, *, tree: bool = True
) -> dict[str, Any]:
    """Sequences that keep or lose each of some sites, and maps that show it: what the page is given."""
    rng = np.random.default_rng(0)
    kept = rng.integers(0, 2, (n, sites)).astype(bool)
    reference = rng.integers(0, 4, width)
    at = np.linspace(0, width, sites + 2)[1:-1].astype(int)[:, None] + np.arange(min(7, width // (sites + 2)))
    codes = np.where(rng.random((n, width)) < 0.1, rng.integers(0, 4, (n, width)), reference)
    maps = rng.normal(0, 0.05, (n, 4, width))
    for site, positions in enumerate(at):
        codes[:, positions] = np.where(kept[:, site, None], reference[positions], codes[:, positions])
        lost = np.flatnonzero(~kept[:, site])
        hit = positions[rng.integers(0, len(positions), len(lost))]
        codes[lost, hit] = (reference[hit] + rng.integers(1, 4, len(lost))) % 4
        strength = np.where(kept[:, site], 1.0, 0.15)[:, None] * (1 + site / 2)
        maps[:, reference[positions], positions] += strength
        maps[:, (reference[positions] + 1) % 4, positions] -= 0.4 * strength
    maps += np.sin(np.arange(width) / 9) * 0.05
    y = kept @ (1 + np.arange(sites)) + rng.normal(0, 0.4, n)
    group = kept @ 2 ** np.arange(sites)
    label = np.unique(group * 1000 + rng.integers(0, max(fine // 2**sites, 1), n), return_inverse=True)[1]
    sums = fine_sums(maps, codes.astype(np.uint8), label, y)
    means = sums.means.reshape(len(sums), -1)
    joined = linkage(means, "ward") if len(sums) > 1 else np.zeros((0, 4))
    groups = cut_tree(joined, k).labels if len(sums) > 1 else np.zeros(len(sums), int)
    assert sums.y_edges is not None
    padded = np.pad(codes, ((0, 0), (0, -width % 4))).reshape(n, -1, 4)
    values = {"leaf": label, "labels": groups, "counts": sums.n, "maps": sums.maps, "squares": sums.squares,
              "letters": sums.letters, "y": sums.y, "y_squares": sums.y_squares, "y_counts": sums.y_counts,
              "children": joined[:, :2], "heights": joined[:, 2],
              "codes": (padded * np.array([64, 16, 4, 1])).sum(axis=2)}  # fmt: skip
    left_out = () if tree else ("children", "heights")
    blocks = {name: [kind, base64.b64encode(np.ascontiguousarray(values[name], KINDS[kind]).tobytes()).decode()]
              for name, kind in BLOCKS.items() if name not in left_out}  # fmt: skip
    letters = "".join("ACGT"[base] for base in reference)
    meta = {"n": n, "width": width, "leaves": len(sums), "start": 100, "reference": letters, "star": 0, "locus": None,
            "rate": 0.1, "activity": "prediction", "range": sums.y_edges[[0, -1]].tolist(),
            "cluster_names": {"0": "all sites"} if k < 9 else {}, "colors": "classic", "blocks": []}  # fmt: skip
    return {"meta": meta, "start": {}, "blocks": blocks}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The panels as a script."""
    esbuild = ROOT / "js" / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists() or shutil.which("node") is None:
        pytest.skip("js/node_modules is not there: run `npm ci` in js")
    out = tmp_path_factory.mktemp("panels") / "page.js"
    command = [esbuild, "test/spacePage.ts", "--bundle", "--format=esm", f"--outfile={out}", "--log-level=warning"]
    subprocess.run(command, cwd=ROOT / "js", check=True)
    return out.read_text()


@pytest.fixture
def panels(script: str, open_page: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Open the panels of a space."""

    def open_(given: dict[str, Any], *, dark: bool = False, width: int = 1100, **options: Any) -> Any:
        css = "".join((ROOT / "js" / "src" / "widget" / f"{name}.css").read_text() for name in ("logo", "mechanism"))
        scheme, ground = ("dark", "#111") if dark else ("light", "#fff")
        page = f"""<!doctype html><meta charset="utf-8"><style>{css}
            :root {{ color-scheme: {scheme}; }} body {{ margin: 16px; background: {ground}; }} #root > div + div {{ margin-top: 16px; }}
            </style><body><div id="root" class="nbi-mechanism"></div>
            <script type="application/json" id="given">{json.dumps(given)}</script><script type="module">{script}</script>"""
        path = tmp_path / f"panels{width}{dark}.html"
        path.write_text(page)
        opened = open_page(path, color_scheme=scheme, **options)
        opened.page.set_viewport_size({"width": width, "height": 900})
        ready = "() => document.querySelectorAll('#root > div[data-frames]').length === 4"
        opened.page.wait_for_function(ready)
        opened.settle()
        return opened

    return open_


def panel(page: Any, name: str) -> Any:
    return page.page.locator(f".nbi-space-{name}")


def state(page: Any, what: str) -> Any:
    return page.page.evaluate(f"() => store.{what}")


def place(page: Any, name: str, x: float, y: float) -> tuple[float, float]:
    """A point of a panel's canvas, on the page."""
    canvas = panel(page, name).locator("canvas.nbi-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    return box["x"] + x, box["y"] + y


def said(page: Any, name: str) -> str:
    return panel(page, name).locator(".nbi-readout").inner_text()


def test_the_tree_is_cut_by_hand_by_keys_and_by_number(panels: Callable[..., Any]) -> None:
    page = panels(space())
    tree = panel(page, "tree")
    canvas = tree.locator("canvas")
    assert tree.get_attribute("data-clusters") == "7"
    x, y = place(page, "tree", 400, 0)
    line = page.page.evaluate(
        """() => { // the row of pixels with the most of the accent
            const canvas = document.querySelector('.nbi-space-tree canvas'), at = canvas.getContext('2d'), rows = [];
            const data = at.getImageData(0, 0, canvas.width, canvas.height).data;
            for (let y = 0; y < canvas.height; y++) { let n = 0; for (let x = 0; x < canvas.width; x++) { const i = 4 * (y * canvas.width + x); if (data[i + 2] > 150 && data[i] < 90) n++; } rows.push(n); }
            return rows.indexOf(Math.max(...rows)); }"""
    )
    page.page.mouse.move(x, y + line)
    page.page.mouse.down()
    page.page.mouse.move(x, y + 20, steps=8)
    page.page.mouse.up()
    assert state(page, "clusters.length") == 2
    assert re.match(r"cut between [\d.]+ and [\d.]+$", tree.locator(".nbi-dim").first.inner_text())
    canvas.focus()
    for key, k in (("ArrowDown", 3), ("ArrowDown", 4), ("Shift+ArrowDown", 14), ("ArrowUp", 13)):
        page.page.keyboard.press(key)
        assert state(page, "clusters.length") == k
    number = tree.get_by_label("number of clusters")
    number.fill("4")
    number.press("Enter")
    assert state(page, "clusters.length") == 4
    assert page.errors == []
    assert page.outside() == []


def test_clusters_are_chosen_named_merged_and_split(panels: Callable[..., Any]) -> None:
    page = panels(space())
    tree = panel(page, "tree")
    x, y = place(page, "tree", 100, 170)
    page.page.mouse.click(x, y)
    assert state(page, "state.chosen") == [0]
    assert said(page, "tree").startswith("all sites: ")
    page.page.keyboard.press("ArrowRight")
    assert state(page, "state.chosen") == [1]
    name = tree.get_by_label("name of the cluster")
    name.fill("mine")
    name.press("Enter")
    assert panel(page, "logo").locator(".nbi-facts-line").inner_text() == "mine"
    assert panel(page, "matrix").get_attribute("data-rows") == "7"
    page.page.mouse.click(x, y, button="left")
    page.page.keyboard.down("Shift")
    page.page.mouse.click(*place(page, "tree", 250, 170))
    page.page.keyboard.up("Shift")
    assert state(page, "state.chosen") == [0, 1]
    tree.get_by_role("button", name="merge").click()
    assert (state(page, "clusters.length"), state(page, "state.chosen")) == (6, [0])
    assert "1 change since" in tree.locator(".nbi-dim").first.inner_text()
    tree.locator("canvas").focus()
    page.page.keyboard.press("s")
    assert state(page, "clusters.length") == 7
    page.page.keyboard.press("u")
    page.page.keyboard.press("u")
    assert state(page, "state.edits") == []
    page.page.mouse.click(*place(page, "tree", 285, 12))  # the merge of all
    assert page.errors == []


def test_a_cell_gives_its_letters_and_its_sequences(panels: Callable[..., Any]) -> None:
    page = panels(space())
    matrix = panel(page, "matrix")
    p = (matrix.locator("canvas.nbi-canvas").bounding_box()["width"] - 112 - 104) / 60
    at = place(page, "matrix", 112 + 17.5 * p, 30 + 18 * 2.5)
    page.page.mouse.move(*at)
    one = state(page, "clusters[2].id")
    assert state(page, "state.hover") == 17
    assert re.match(rf"117 cluster {one}: [+−][\d.]+ bits against free mutation", said(page, "matrix"))
    assert said(page, "tree").startswith(f"cluster {one}: ")  # the row is under the pointer everywhere
    assert said(page, "logo").startswith("117 ")  # one cross-hair through all
    page.page.mouse.click(*at)
    assert (state(page, "state.chosen"), state(page, "state.position")) == ([one], 17)
    letters = matrix.locator(".nbi-line button")
    assert letters.count() == 4
    counts = [int(words.split()[1].replace(",", "")) for words in letters.all_inner_texts()]
    assert sum(counts) == state(page, "chosen[0].n")
    letters.nth(int(np.argmax(counts))).click()
    assert state(page, "state.selections[0].n") == max(counts)
    assert state(page, "subject").startswith(f"scluster {one} 117")
    assert panel(page, "logo").locator(".nbi-facts-line").inner_text().startswith(f"cluster {one} 117")
    matrix.locator("canvas.nbi-canvas").focus()
    for key, position in (("ArrowRight", 18), ("ArrowLeft", 17), ("Shift+ArrowRight", 27)):
        page.page.keyboard.press(key)
        assert state(page, "state.position") == position
    page.page.keyboard.press("ArrowDown")
    assert state(page, "chosen[0].id") == state(page, "clusters[3].id")
    for value, words in (("mismatch", "% do not have"), ("consensus", "% have"), ("entropy", "bits ·")):
        matrix.get_by_label("what cells show").select_option(value)
        page.settle()
        assert words in said(page, "matrix")
    for order in ("tree", "size", "entropy"):
        matrix.get_by_label("order of the clusters").select_option(order)
        page.settle()
        assert matrix.get_attribute("data-order") == order
    sizes = page.page.evaluate("() => { store.set({ order: 'size' }); return store.clusters.map(one => one.n); }")
    assert sizes == sorted(sizes, reverse=True)
    assert page.errors == []


def test_panels_share_one_axis(panels: Callable[..., Any]) -> None:
    page = panels(space())
    for name, y in (("logo", 90), ("matrix", 60), ("background", 30)):
        page.page.mouse.move(*place(page, name, 600, y))
        assert state(page, "state.hover") == 34
    x, y = place(page, "logo", 300, 90)
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + 100, y, steps=4)
    page.page.mouse.up()
    assert state(page, "state.selection") == [13, 21]
    page.page.mouse.dblclick(x + 50, y)
    page.settle()
    page.page.wait_for_function(
        "() => Math.abs(store.state.view.start - 11.8) < 1e-9 && Math.abs(store.state.view.end - 22.2) < 1e-9"
    )
    panel(page, "logo").locator("canvas").focus()
    page.page.keyboard.press("0")
    page.page.wait_for_function("() => store.state.view.end === 60")
    page.page.keyboard.press("+")
    page.page.wait_for_function("() => Math.abs(store.state.view.end - 45) < 1e-9")
    page.page.keyboard.press("Escape")
    assert state(page, "state.selection") is None
    assert page.errors == []


def test_logos_follow_what_is_chosen_and_the_background(panels: Callable[..., Any]) -> None:
    page = panels(space())
    logo, ground = panel(page, "logo"), panel(page, "background")
    assert logo.get_attribute("data-subject") == ""
    assert "3,000 sequences · prediction" in logo.inner_text()
    page.page.evaluate("() => store.choose([store.clusters[0].id])")
    logo.get_by_label("what the upper logo shows").select_option("difference")
    page.settle()
    side = logo.get_by_label("what the difference is from")
    assert side.locator("option").all_inner_texts()[:2] == ["from the rest", "from the library"]
    side.select_option("c2")
    assert state(page, "state.against") == "c2"
    logo.get_by_label("what the upper logo shows").select_option("foreground")
    page.settle()
    assert side.count() == 0
    before = page.page.evaluate("() => [...store.matrix('foreground').values]")
    ground.get_by_label("entropic above").fill("1.2")
    ground.get_by_label("scaled to each cluster").check()
    page.settle()
    assert state(page, "state.multiplier") == 1.2
    assert page.page.evaluate("() => [...store.matrix('foreground').values]") != before
    assert "background ×" in ground.inner_text()
    page.page.evaluate("() => store.keep('few', new Uint8Array(375).fill(5))")
    assert "approximate" in logo.inner_text()
    for kind in ("enrichment", "frequency"):
        logo.get_by_label("what the letters show").select_option(kind)
    logo.get_by_role("button", name="centred").click()
    assert logo.get_by_role("button", name="centred").get_attribute("aria-pressed") == "false"
    assert page.errors == []


def test_pictures_are_saved(panels: Callable[..., Any]) -> None:
    page = panels(space())
    for name, kind in (("tree", "SVG"), ("logo", "SVG"), ("matrix", "SVG"), ("background", "SVG"), ("matrix", "PNG")):
        with page.page.expect_download() as waiting:
            panel(page, name).get_by_role("button", name=kind).click()
        saved = Path(waiting.value.path()).read_bytes()
        assert len(saved) > 2000
        assert saved.startswith(b"<svg" if kind == "SVG" else b"\x89PNG")
    assert page.errors == []


@pytest.mark.parametrize("given", [{"n": 1, "width": 10, "fine": 1, "k": 1, "sites": 1}, {"tree": False}])
def test_a_space_with_nothing_to_cut_is_shown(panels: Callable[..., Any], given: dict[str, Any]) -> None:
    page = panels(space(**given), width=420)
    tree = panel(page, "tree")
    assert tree.get_by_label("number of clusters").is_disabled()
    assert "no tree to cut" in tree.inner_text()
    page.page.mouse.click(*place(page, "tree", 100, 14))
    assert len(state(page, "state.chosen")) == 1
    assert page.page.evaluate("() => document.documentElement.scrollWidth") <= 420
    assert page.errors == []


def test_a_space_that_is_all_noise_is_shown(panels: Callable[..., Any]) -> None:
    given = space(tree=False)
    none = np.full(given["meta"]["leaves"], -1, np.int32)
    given["blocks"]["labels"] = ["i4", base64.b64encode(none.tobytes()).decode()]
    page = panels(given)
    assert panel(page, "matrix").locator(".nbi-facts-line").inner_text() == "0 clusters"
    assert panel(page, "logo").locator(".nbi-facts-line").inner_text() == "the library"
    panel(page, "matrix").locator("canvas.nbi-canvas").focus()
    for key in ("ArrowDown", "ArrowRight", "Escape"):
        page.page.keyboard.press(key)
    assert page.errors == []


@pytest.mark.slow
def test_a_cut_of_two_thousand_leaves_is_quick(panels: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    page = panels(space(8000, 249, 2000, 30, 5))
    times = page.page.evaluate(
        """async () => {
            const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done))), cut = [], logo = [], paint = [];
            for (let i = 0; i < 24; i++) {
                let began = performance.now();
                store.cutInto(31 + i);
                cut.push(performance.now() - began);
                await frame();
                paint.push([...document.querySelectorAll('#root > div')].reduce((sum, one) => sum + Number(one.dataset.ms), 0));
                began = performance.now();
                store.choose([store.clusters[i].id]);
                logo.push(performance.now() - began);
                await frame();
            }
            const mid = list => [Math.min(...list), list.sort((a, b) => a - b)[12]].map(v => v.toFixed(1)).join(' / ');
            return { cut: mid(cut), paint: mid(paint), logo: mid(logo), least: Math.min(...cut) };
        }"""
    )
    with capsys.disabled():
        print(f"\n{state(page, 'given.leaves')} leaves, ms least / middle:", times)
    assert times["least"] < 50
