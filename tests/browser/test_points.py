"""The panel of points in Chromium, on a page of its own: outlines, keys, zoom, WebGL and what stands in for it, speed.
And the comparison of two sides.

The pages are js/test/pointsPage.ts, which shows made-up points and keeps what the panel says on ``window.shown``, and
js/test/comparePage.ts; they are bundled here.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .page import ARGS, Page

pytestmark = pytest.mark.browser

JS = Path(__file__).parents[2] / "js"
SOFTWARE = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
AIR, FULL = 16, 65535


def html(name: str, dark: bool = False) -> str:
    """A page of its own."""
    esbuild = JS / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists():
        pytest.skip("js/node_modules is absent: run 'npm ci' in js/ to test panels on pages of their own")
    command = [str(esbuild), f"test/{name}.ts", "--bundle", "--format=iife", "--target=es2022"]
    code = subprocess.run(command, cwd=JS, check=True, capture_output=True, text=True).stdout
    css = "".join((JS / "src/widget" / f"{part}.css").read_text() for part in ("logo", "points"))
    style = (
        f":root {{ color-scheme: {'dark' if dark else 'light'} }} body {{ background: {'#111' if dark else '#fff'} }}"
    )
    return f"<!doctype html><meta charset=utf8><style>{style}{css}</style><body><script>{code}</script>"


@pytest.fixture(scope="module")
def gl_browser(browser: Any) -> Iterator[Any]:
    """Chromium with WebGL2 on the processor."""
    args = [one for one in ARGS if one != "--disable-gpu"] + SOFTWARE
    found = browser.browser_type.launch(executable_path=_chromium(), args=args)
    yield found
    found.close()


def _chromium() -> str:
    return next(p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p)


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Panel]]:
    """Show points on a page; ``show(n, {...}, on=browser, dark=..., **context)``."""
    opened: list[Page] = []

    def show_(
        n: int, options: dict[str, Any] | None = None, *, on: Any = None, dark: bool = False, **context: Any
    ) -> Panel:
        path = tmp_path / f"points{len(opened)}.html"
        path.write_text(html("pointsPage", dark))
        opened.append(Page(on or browser, path, **context))
        return Panel(opened[-1], n, options or {})

    yield show_
    for page in opened:
        page.context.close()


class Panel:
    """One panel: where its points are, and what it says."""

    def __init__(self, page: Page, n: int, options: dict[str, Any], index: int = 0) -> None:
        self.opened, self.page, self.n, self.index = page, page.page, n, index
        self.errors, self.outside, self.settle = page.errors, page.outside, page.settle
        self.page.evaluate("([n, options]) => { show(n, options); }", [n, options])
        self.root = self.page.locator(".nbi-points").nth(index)
        self.page.wait_for_function("i => document.querySelectorAll('.nbi-points')[i].dataset.paint", arg=index)
        self.settle()
        self.canvas = self.root.locator(".nbi-canvas")

    def data(self, name: str) -> str:
        return self.root.get_attribute(f"data-{name}")

    def kept(self, name: str) -> Any:
        return self.page.evaluate("([i, name]) => shown[i][name]", [self.index, name])

    def selected(self) -> np.ndarray:
        """Which points are selected."""
        bits = self.page.evaluate("i => Array.from(shown[i].selected())", self.index)
        return np.unpackbits(np.array(bits, dtype=np.uint8), bitorder="little")[: self.n].astype(bool)

    def pixels(self, groups: int = 12, by_value: bool = False) -> np.ndarray:
        """Where each point is on the canvas, by the rule: the box fills the frame but for its air, y upwards."""
        script = "([n, g, v]) => Array.from(clouds(n, g, v).xy)"
        xy = np.array(self.page.evaluate(script, [self.n, groups, by_value]), dtype=float).reshape(-1, 2)
        box = self.canvas.bounding_box()
        x = AIR + xy[:, 0] / FULL * (box["width"] - 2 * AIR)
        return np.column_stack([x, box["height"] - AIR - xy[:, 1] / FULL * (box["height"] - 2 * AIR)])

    def move(self, *corners: tuple[float, float], click: bool = False, modifier: str | None = None) -> None:
        """Drag through some places of the canvas, or click each."""
        self.canvas.scroll_into_view_if_needed()
        box, mouse = self.canvas.bounding_box(), self.page.mouse
        if modifier:
            self.page.keyboard.down(modifier)
        for k, (x, y) in enumerate(corners):
            mouse.move(box["x"] + x, box["y"] + y, steps=1 if click or not k else 6)
            if click:
                mouse.down()
                mouse.up()
            elif not k:
                mouse.down()
        if not click:
            mouse.up()
        if modifier:
            self.page.keyboard.up(modifier)
        self.settle()

    def use(self, tool: str) -> None:
        self.root.get_by_role("button", name=tool, exact=True).click()

    def inked(self) -> int:
        """How many pixels of the painting have something on them."""
        script = """e => { const c = e.querySelector('.nbi-points-ground'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 9; return n; }"""
        return int(self.root.evaluate(script))


def inside(at: np.ndarray, x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return (at[:, 0] > x0) & (at[:, 0] < x1) & (at[:, 1] > y0) & (at[:, 1] < y1)


def test_a_box_holds_the_points_that_are_in_it(show: Callable[..., Panel]) -> None:
    panel = show(5000)
    at = panel.pixels()
    panel.use("box")
    panel.move((100.5, 200.5), (500.5, 390.5))
    first = inside(at, 100.5, 200.5, 500.5, 390.5)
    np.testing.assert_array_equal(panel.selected(), first)
    assert panel.kept("mode") == "new"
    assert first.sum() > 500
    panel.move((700.5, 390.5), (400.5, 100.5), modifier="Shift")
    second = inside(at, 400.5, 100.5, 700.5, 390.5)
    np.testing.assert_array_equal(panel.selected(), first | second)
    panel.move((450.5, 150.5), (600.5, 380.5), modifier="Alt")
    now = (first | second) & ~inside(at, 450.5, 150.5, 600.5, 380.5)
    np.testing.assert_array_equal(panel.selected(), now)
    assert f"5,000 points · {now.sum():,} selected" in panel.root.inner_text()
    panel.root.get_by_role("combobox").select_option("subtract")
    panel.move((100.5, 200.5), (500.5, 390.5))
    np.testing.assert_array_equal(panel.selected(), now & ~first)
    panel.canvas.press("i")
    np.testing.assert_array_equal(panel.selected(), ~(now & ~first))
    panel.canvas.press("Escape")
    assert panel.selected().sum() == 0
    assert panel.errors == []
    assert panel.outside() == []


def test_a_lasso_and_a_polygon_hold_theirs(show: Callable[..., Panel]) -> None:
    panel = show(5000)
    at = panel.pixels()
    corners = [(60.5, 380.5), (300.5, 240.5), (540.5, 380.5)]
    (x0, y0), (x1, y1), (x2, _y2) = corners
    slope = (y0 - y1) / (x1 - x0)
    within = (at[:, 1] < y0) & (at[:, 1] > y0 - slope * (at[:, 0] - x0)) & (at[:, 1] > y0 - slope * (x2 - at[:, 0]))
    box = panel.canvas.bounding_box()
    panel.page.mouse.move(box["x"] + 100, box["y"] + 100)
    panel.page.mouse.down()
    panel.page.mouse.move(box["x"] + 105, box["y"] + 100)  # a line is no outline, and none is left of it
    panel.page.mouse.up()
    panel.move(*corners)  # the hand lifts, and the outline closes
    np.testing.assert_array_equal(panel.selected(), within)
    assert within.sum() > 300
    panel.canvas.press("Escape")
    panel.use("polygon")
    panel.move(*corners[:2], (900, 30), click=True)
    panel.canvas.press("Backspace")
    panel.move(corners[2], corners[0], click=True)  # the first corner again closes it
    np.testing.assert_array_equal(panel.selected(), within)
    panel.canvas.press("Escape")
    panel.move(*corners, corners[2], click=True)  # so does the last one
    np.testing.assert_array_equal(panel.selected(), within)
    panel.move(*corners, click=True)
    panel.canvas.press("Escape")  # the outline goes, the selection stays
    np.testing.assert_array_equal(panel.selected(), within)
    assert panel.errors == []


def test_keys_draw_move_and_choose_tools(show: Callable[..., Panel]) -> None:
    panel = show(5000)
    at = panel.pixels()
    width = panel.canvas.bounding_box()["width"]
    panel.canvas.focus()
    for key, tool in (("b", "box"), ("p", "polygon"), ("m", "move"), ("l", "lasso"), ("b", "box")):
        panel.page.keyboard.press(key)
        assert panel.data("tool") == tool
    for key in ["Enter"] + ["Shift+ArrowLeft"] * 20 + ["Shift+ArrowDown"] * 12 + ["Enter"]:
        panel.page.keyboard.press(key)
    panel.settle()
    expected = inside(at, width / 2 - 160, 210, width / 2, 306)
    np.testing.assert_array_equal(panel.selected(), expected)
    assert expected.sum() > 50
    panel.page.keyboard.press("l")
    for key in (
        ["Shift+ArrowRight", "Enter"]
        + ["Shift+ArrowRight"] * 5
        + ["Enter"]
        + ["Shift+ArrowUp"] * 9
        + ["Enter", "Enter"]
    ):
        panel.page.keyboard.press(key)
    panel.settle()
    assert 0 < panel.selected().sum() < expected.sum()
    panel.page.keyboard.press("m")
    panel.page.keyboard.press("Shift+ArrowDown")
    panel.page.keyboard.press("Enter")
    assert np.flatnonzero(panel.selected()).tolist() == [int(panel.data("hover"))]
    panel.settle()
    before = panel.inked()
    panel.page.keyboard.press("+")
    panel.settle()
    near = panel.inked()
    panel.page.keyboard.press("ArrowRight")
    panel.settle()
    assert len({before, near, panel.inked()}) == 3
    panel.page.keyboard.press("0")
    panel.settle()
    assert panel.inked() == before
    assert panel.errors == []


def test_points_are_read_out_and_clicked(show: Callable[..., Panel]) -> None:
    panel = show(400)
    at = panel.pixels()
    gaps = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) + 99 * np.eye(400)
    lonely = int(gaps.min(axis=1)[1:].argmax()) + 1
    panel.move((at[lonely, 0] + 3, at[lonely, 1] - 3), click=True)
    assert panel.data("hover") == str(lonely)
    assert panel.root.locator(".nbi-readout").inner_text() == f"point {lonely}"
    assert np.flatnonzero(panel.selected()).tolist() == [lonely]
    empty = next((x, 20.0) for x in range(40, 900, 20) if np.hypot(at[:, 0] - x, at[:, 1] - 20).min() > 15)
    panel.move(empty, click=True)
    assert panel.selected().sum() == 0
    assert panel.kept("hovers")[-1] is None
    panel.page.mouse.move(0, 0)
    assert panel.root.locator(".nbi-readout").inner_text() == "400 points"


def test_a_wheel_scrolls_the_page_and_zooms_with_a_key(show: Callable[..., Panel]) -> None:
    panel = show(5000, reduced_motion="reduce")
    before = panel.inked()
    panel.move((300, 300), click=True)
    panel.canvas.press("Escape")
    panel.settle()
    seen, painted = panel.inked(), panel.data("paint")
    panel.page.mouse.wheel(0, -40)
    panel.settle()
    assert [panel.inked(), panel.data("paint")] == [seen, painted]
    panel.page.keyboard.down("Control")
    panel.page.mouse.wheel(0, -300)
    panel.page.keyboard.up("Control")
    panel.page.wait_for_function("([e, was]) => e.dataset.paint !== was", arg=[panel.root.element_handle(), painted])
    panel.settle()
    assert panel.inked() != before
    panel.use("move")
    now = panel.inked()
    panel.move((300, 300), (380, 350))
    assert panel.inked() != now
    assert panel.selected().sum() == 0
    panel.root.get_by_role("button", name="all", exact=True).click()
    panel.settle()
    assert panel.inked() == pytest.approx(before, abs=9)
    panel.canvas.press("+")
    assert panel.data("moving") == "0"  # there at once, for who wants no motion


def test_another_theme_repaints(show: Callable[..., Panel]) -> None:
    panel = show(5000, {"byValue": True})
    brightest = """e => { const c = e.querySelector('.nbi-points-ground'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      let sum = 0, n = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) { sum += d[i + 1]; n++; } return sum / n; }"""
    light = panel.root.evaluate(brightest)
    panel.page.evaluate("document.documentElement.style.colorScheme = 'dark'; document.body.dataset.theme = 'dark'")
    panel.settle()
    assert panel.root.evaluate(brightest) != pytest.approx(light, abs=2)
    assert panel.data("engine") == "density"


def test_a_legend_says_and_selects(show: Callable[..., Panel]) -> None:
    panel = show(5000)
    colour = np.array(panel.page.evaluate("Array.from(clouds(5000, 12).colour)"))
    chips = panel.root.locator(".nbi-chip")
    assert chips.count() == 13  # twelve, and those without a value
    chips.nth(3).click()
    np.testing.assert_array_equal(panel.selected(), colour == 3)
    chips.last.click(modifiers=["Shift"])
    panel.page.evaluate("shown[0].panel.show({ colours: { title: 'effect', low: -2, high: 2, diverging: true } })")
    panel.settle()
    assert "effect\n−2\n2" in panel.root.locator(".nbi-legend").inner_text()


def test_pictures_hold_points_and_words(show: Callable[..., Panel]) -> None:
    panel = show(5000)
    for kind, starts in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with panel.page.expect_download() as caught:
            panel.root.get_by_role("button", name=kind).click()
        saved = Path(caught.value.path()).read_bytes()
        assert saved.startswith(starts)
        assert caught.value.suggested_filename == f"points.{kind.lower()}"
    assert saved.count(b"<image") == 1
    assert b"data:image/png;base64," in saved
    assert b">C3</text>" in saved
    assert saved.index(b"<rect") < saved.index(b"<image") < saved.index(b"<text")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_points_or_none(n: int, dark: bool, show: Callable[..., Panel]) -> None:
    panel = show(n, {"aspect": 1.5}, dark=dark)
    assert (panel.inked() > 0) == (n > 0)
    panel.canvas.press("i")
    assert panel.selected().sum() == n
    panel.canvas.press("+")
    panel.move((10, 10), (900, 20), (900, 400), (10, 400))
    for change in ("{ order: 'descending' }", "{ selected: null }", "{ star: null }"):
        panel.page.evaluate(f"shown[0].panel.show({change})")
    panel.settle()
    words = ["0 points", "1 point", "2 points"][n]
    assert panel.root.locator(".nbi-readout").inner_text() == words
    assert panel.canvas.get_attribute("aria-label").startswith(f"{words} by cluster.")
    assert panel.errors == []


def test_without_webgl_points_are_painted_all_the_same(gl_browser: Any, show: Callable[..., Panel]) -> None:
    """One context for all panels, dropped out of sight; lost, the picture stays."""
    panel = show(20_000, {"engine": "webgl"}, on=gl_browser)
    assert panel.data("engine") == "webgl"
    other = Panel(panel.opened, 3000, {"engine": "webgl"}, 1)
    shared = "globalThis[Symbol.for('nbinterp.v1')].points"
    assert panel.page.evaluate(f"{shared}.users.size") == 2
    with_gl = [panel.inked(), other.inked()]
    panel.page.evaluate("document.body.style.paddingBottom = '3000px'; scrollTo(0, 3000)")
    panel.page.wait_for_function(f"{shared} === undefined")
    panel.page.evaluate("scrollTo(0, 0)")
    panel.page.wait_for_function(f"{shared}?.users.size === 2")
    panel.settle()
    assert [panel.inked(), other.inked()] == with_gl
    panel.page.evaluate(f"{shared}.gl.getExtension('WEBGL_lose_context').loseContext()")
    panel.page.wait_for_function(
        "[...document.querySelectorAll('.nbi-points')].every(e => e.dataset.engine === 'density')"
    )
    panel.settle()
    for one, inked in zip((panel, other), with_gl, strict=True):
        assert one.inked() == pytest.approx(inked, rel=0.35)
    assert panel.errors == []


def test_a_processor_that_plays_a_graphics_processor_is_left_alone(gl_browser: Any, show: Callable[..., Panel]) -> None:
    panel = show(2000, on=gl_browser)
    assert panel.data("engine") == "density"
    assert panel.page.evaluate("globalThis[Symbol.for('nbinterp.v1')].points") is None
    assert Panel(panel.opened, 2000, {"engine": "webgl"}, 1).data("engine") == "webgl"


def test_selected_points_stand_out_in_either_way(gl_browser: Any, show: Callable[..., Panel]) -> None:
    ink = """(e) => { const g = e.querySelector('.nbi-points-ground'), d = g.getContext('2d').getImageData(0, 0, g.width, g.height).data;
      let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i + 3] > 60 && Math.max(d[i], d[i + 1], d[i + 2]) - Math.min(d[i], d[i + 1], d[i + 2]) > 60; return n; }"""
    for engine in ("webgl", "density"):
        panel = show(20_000, {"engine": engine}, on=gl_browser)
        before = panel.root.evaluate(ink)
        panel.root.locator(".nbi-chip").nth(6).click()
        panel.settle()
        after = panel.root.evaluate(ink)
        assert 0 < after < before / 2, engine  # the others have lost their colours


# where on the canvas the points are that lie at (30000, 30000)
PLACE = """e => { const { width, height } = e.querySelector('.nbi-canvas').getBoundingClientRect();
  return [16 + (30000 / 65535) * (width - 32), height - 16 - (30000 / 65535) * (height - 32)]; }"""


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_what_is_highest_or_lowest_lies_on_top(order: str, gl_browser: Any, show: Callable[..., Panel]) -> None:
    """Two points in one place, in either way of painting."""
    for engine in ("webgl", "density"):
        panel = show(2, {"engine": engine, "order": order}, on=gl_browser)
        panel.page.evaluate(
            "shown[0].panel.show({ xy: Uint16Array.of(30000, 30000, 30000, 30000), colour: Uint8Array.of(1, 0), star: null,"
            "colours: { title: 'two', names: ['low', 'high'], colours: ['#ff0000', '#0000ff'] } })"
        )
        panel.settle()
        red, _, blue = panel.root.evaluate(
            "e => { const c = e.querySelector('.nbi-points-ground'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let at = 3; for (let i = 3; i < d.length; i += 4) if (d[i] > d[at]) at = i; return [...d.subarray(at - 3, at)]; }"
        )
        assert (blue > red) == (order == "ascending"), engine
        panel.move(tuple(panel.root.evaluate(PLACE)), click=True)
        assert panel.data("hover") == str(int(order == "descending"))


PAN = """async ([e, n]) => {
  const c = e.querySelector('.nbi-canvas'), b = c.getBoundingClientRect(), ms = [];
  const send = (kind, x, y) => c.dispatchEvent(new PointerEvent(kind, { pointerId: 1, bubbles: true, clientX: b.left + x, clientY: b.top + y }));
  c.setPointerCapture = () => {};
  send('pointerdown', 300, 200);
  for (let k = 0; k < n; k++) {
    send('pointermove', 310 + 9 * (k % 7), 200 + k % 5);
    await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
    ms.push(Number(e.dataset.ms));
  }
  send('pointerup', 310, 200);
  return Math.min(...ms);
}"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["density", "webgl"])
def test_a_million_points_pan(engine: str, gl_browser: Any, show: Callable[..., Panel]) -> None:
    """JavaScript's milliseconds a frame, the least of several: about 20 as a density image on two busy cores, 1 with WebGL."""
    panel = show(1_000_000, {"engine": engine, "byValue": True}, on=gl_browser if engine == "webgl" else None)
    panel.use("move")
    ms = panel.page.evaluate(PAN, [panel.root.element_handle(), 12 if engine == "webgl" else 30])
    assert panel.data("engine") == engine
    assert ms < (60 if engine == "density" else 6), ms
    assert panel.errors == []


@pytest.mark.slow
def test_a_lasso_of_a_hundred_thousand_points_is_quick(show: Callable[..., Panel]) -> None:
    """From the pointer that lifts to the bits: about 5 ms on two busy cores."""
    panel = show(100_000)
    round_ = [(500 + 380 * np.cos(a), 230 + 150 * np.sin(a)) for a in np.linspace(0, 6.2, 30)]
    took = []
    for _ in range(3):
        panel.move(*round_)
        took.append(float(panel.data("took")))
    assert panel.selected().sum() > 30_000
    assert min(took) < 40, took


@pytest.fixture
def compare(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Show a made-up space of three clusters, ``compare(n, {...}, script)``: a motif that is whole, broken, or another."""
    opened: list[Page] = []

    def compare_(n: int, options: dict[str, Any] | None = None, *, dark: bool = False, **context: Any) -> Page:
        path = tmp_path / f"compare{len(opened)}.html"
        path.write_text(html("comparePage", dark))
        opened.append(Page(browser, path, **context))
        opened[-1].page.evaluate("([n, options]) => { compare(n, options); }", [n, options or {}])
        opened[-1].settle()
        return opened[-1]

    yield compare_
    for page in opened:
        page.context.close()


def test_two_clusters_are_compared(compare: Callable[..., Page]) -> None:
    page = compare(3000)
    view = page.page.locator(".nbi-space-compare")
    assert "choose clusters, or draw about points, to compare them" in view.inner_text()
    page.page.evaluate("store.set({ chosen: [0] })")
    page.settle()
    assert view.locator(".nbi-facts-line").inner_text() == "whole against the rest"
    view.get_by_role("combobox").select_option("c2")
    page.settle()
    words = view.inner_text()
    assert "whole against cluster 2" in words
    assert "1,000 sequences, prediction 0.99" in words
    assert "Welch’s t 1" in words
    first = view.locator("table").first
    assert "in whole" in first.inner_text()
    assert "in cluster 2" in first.inner_text()
    named = [one.inner_text() for one in first.get_by_role("button").all()]
    inside = [int("".join(filter(str.isdigit, one))) for one in named]
    assert len(named) == 12
    assert all(120 <= at <= 127 or 140 <= at <= 145 for at in inside)
    first.get_by_role("button").first.click()
    assert page.page.evaluate("store.state.position + 100") == inside[0]
    assert view.locator(".nbi-readout").inner_text().startswith(str(inside[0]))
    view.get_by_role("button", name="turn").click()
    page.settle()
    assert view.locator(".nbi-facts-line").inner_text() == "cluster 2 against whole"
    assert page.errors == []
    assert page.outside() == []


def test_nearest_sequences_are_found_when_asked_for(compare: Callable[..., Page]) -> None:
    page = compare(3000)
    view = page.page.locator(".nbi-space-compare")
    page.page.evaluate("store.set({ chosen: [1], against: 'c0' })")
    assert view.locator("table").count() == 1
    view.get_by_role("button", name="nearest sequences").click()
    rows = view.locator(".nbi-near tr")
    assert rows.count() == 10
    assert "fewest mutations from cluster 1 (all 1,000) to whole (all 1,000)" in view.inner_text()
    assert rows.nth(2).locator("td").nth(1).inner_text() == "1"  # the motif is mended
    rows.nth(2).get_by_role("button").click()
    assert len(page.page.evaluate("rows[0]")) == 2
    page.page.evaluate("store.set({ against: 'rest' })")  # other sides: the list is of the last ones
    assert view.locator("table").count() == 1
    assert page.errors == []


def test_selections_are_compared_and_said_to_be_approximate(compare: Callable[..., Page]) -> None:
    page = compare(600, {"codes": False})
    view = page.page.locator(".nbi-space-compare")
    page.page.evaluate("store.keep('some', bitsWhere(600, (i) => i % 7 < 3)); store.set({ against: 'c1' })")
    page.settle()
    assert "about 2" in view.inner_text()
    assert "some sequences are on both sides" in view.inner_text()
    view.get_by_role("button", name="nearest sequences").click()
    assert "the sequences are not in the page" in view.inner_text()
    page.page.evaluate("store.set({ chosen: [2], selected: '', against: 'c2' })")
    page.settle()
    assert page.errors == []


@pytest.mark.parametrize("width", [420, 1100])
def test_a_comparison_fits_and_is_saved(width: int, compare: Callable[..., Page]) -> None:
    page = compare(600, dark=width == 420)
    page.page.set_viewport_size({"width": width, "height": 900})
    page.page.evaluate("store.set({ chosen: [0], against: 'c1' })")
    page.settle()
    view = page.page.locator(".nbi-space-compare")
    assert view.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    with page.page.expect_download() as caught:
        view.get_by_role("button", name="SVG").click()
    assert caught.value.suggested_filename == "comparison.svg"
    assert "NaN" not in Path(caught.value.path()).read_text()
    for n in (1, 3):
        few = compare(n)
        few.page.evaluate("store.set({ chosen: [0] })")
        few.settle()
        assert "NaN" not in few.page.locator(".nbi-space-compare").inner_text()
        assert few.errors == []
