import assert from "node:assert/strict";
import test from "node:test";
import type { Pen } from "../src/draw/glyphs";
import { SvgPen } from "../src/draw/glyphs";
import { drawHistogram, drawLabels, drawStacks, stackRange } from "../src/draw/meanLogo";
import { type Cells, codeOf, drawBases, drawKey, drawMarginal, drawPicture, drawSide, hues, pictureOf, pixels } from "../src/draw/summaryMatrix";
import type { Theme } from "../src/draw/theme";
import { drawBand, drawHeights, drawTree, heightAt, levelOf, placesOf } from "../src/draw/tree";
import { Tree } from "../src/state/spaceTree";

const theme = { dark: false, ink: "#000000", ground: "#ffffff", font: "sans", accent: "#2563b8", bases: ["#1a8f4a", "#2563b8", "#c27803", "#d1333f"], unknown: "#999999" } as unknown as Theme;
const FRAME = { x: 100, y: 10, width: 200, height: 50 };

/** Keeps what is drawn. */
class Ear implements Pen {
  rects: [number, number, number, number, string, number][] = [];
  letters: { code: number; x: number; y: number; h: number }[] = [];
  lines: number[][] = [];
  shapes: [string, string][] = [];
  words: string[] = [];
  rect(x: number, y: number, w: number, h: number, color: string, alpha = 1): void { this.rects.push([x, y, w, h, color, alpha]); }
  glyph(code: number, x: number, y: number, _w: number, h: number): void { this.letters.push({ code, x, y, h }); }
  text(words: string): void { this.words.push(words); }
  line(...at: [number, number, number, number, string, number?]): void { this.lines.push(at.slice(0, 4) as number[]); }
  shape(d: string, color: string): void { this.shapes.push([d, color]); }
  clip(): void {}
  unclip(): void {}
}

test("stacks stand on the line, the largest letter outermost, with its standard error", () => {
  const values = Float64Array.of(3, -1, 1, 0, -2, 0, 0, 0), errors = Float64Array.from({ length: 8 }, () => 0.5), pen = new Ear(); // two positions: A 3, C 1, G -2; A -1
  assert.deepEqual(stackRange(values), [-2, 4]);
  drawStacks(pen, { values, errors }, { start: 0, end: 2 }, { ...FRAME, height: 60 }, [-2, 4], theme);
  const zero = 10 + 40;
  assert.deepEqual(pen.letters.filter(({ x }) => x < 200).map(({ code, y, h }) => [code, y, h]), [[1, zero, 10], [2, zero, -20], [0, zero - 10, 30]]);
  assert.deepEqual(pen.letters.filter(({ x }) => x >= 200).map(({ code, y, h }) => [code, y, h]), [[0, zero, -10]]);
  const whiskers = pen.lines.filter(([x1, , x2]) => x1 === x2).map(([x, a, , b]) => [x, a, b]);
  assert.deepEqual(whiskers, [[150, 5, 15], [250, 55, 65]]);
  const nothing = new Ear();
  drawStacks(nothing, { values: new Float64Array(8).fill(NaN), errors: new Float64Array(8).fill(NaN) }, { start: 0, end: 2 }, FRAME, [0, 0], theme);
  assert.deepEqual([nothing.letters, nothing.lines], [[], []]);
});

test("far off the tallest stack of each pixel is drawn", () => {
  const w = 2000, values = new Float64Array(4 * w), pen = new Ear();
  for (let i = 0; i < w; i++) values[i] = 0.5;
  values[2 * w + 1234] = 1;
  drawStacks(pen, { values }, { start: 0, end: w }, FRAME, stackRange(values), theme);
  const bars = pen.rects.slice(1);
  assert.ok(bars.length <= 202 && pen.letters.length === 0);
  const [x] = bars.find(([, , , , color]) => color === theme.bases[2])!;
  assert.ok(Math.abs(x - 100 - 123.4) < 0.1, String(x));
  const near = new Ear();
  drawStacks(near, { values }, { start: 1230, end: 1240 }, FRAME, stackRange(values), theme);
  assert.equal(near.letters.length, 11);
});

test("a cell is as strong as its value, in the colour of its side", () => {
  const free = 0.6, code = (value: Cells["value"], v: number, base?: number): number => codeOf({ value, free }, v, base);
  assert.deepEqual([code("entropy", 0), code("entropy", 1), code("entropy", 2)], [0, 32, 63]);
  assert.deepEqual([code("difference", 0), code("difference", 0.6), code("difference", 9), code("difference", -0.6)], [0, 63, 63, 127]);
  assert.deepEqual([code("mismatch", 0), code("mismatch", 100)], [0, 63]);
  assert.deepEqual([code("consensus", 25, 2), code("consensus", 100, 3), code("consensus", 0, 4)], [128, 255, 192]);
  assert.deepEqual(["entropy", "difference", "mismatch", "consensus"].map((value) => hues(value as Cells["value"], theme).length), [1, 2, 1, 4]);
});

test("a picture has a pixel a cell, or the one that is farthest from free mutation", () => {
  const rows = [0, 1, 2].map((k) => Float64Array.from({ length: 8 }, (_, i) => (k === 1 && i === 5 ? -0.6 : k === 2 && i === 2 ? 0.3 : 0.01)));
  const cells: Cells = { value: "difference", free: 0.6, rows }, whole = pictureOf(cells, { start: 0, end: 8 }, 100, 100);
  assert.deepEqual([whole.columns, whole.rows, whole.from, whole.to], [8, 3, 0, 8]);
  assert.deepEqual([...whole.codes].map((code, i) => (code > 5 ? `${i} ${code}` : "")).filter(Boolean), ["13 127", "18 32"]);
  const far = pictureOf(cells, { start: 0, end: 8 }, 4, 1);
  assert.deepEqual([...far.codes], [1, 32, 127, 1]);
  const part = pictureOf(cells, { start: 4.5, end: 6.5 }, 100, 100);
  assert.deepEqual([part.from, part.to, part.columns], [4, 7, 3]);
  assert.equal(pictureOf({ ...cells, rows: [] }, { start: 0, end: 8 }, 10, 10).codes.length, 0);
  const colours = hues("difference", theme), bytes = pixels(far, colours);
  assert.deepEqual([...bytes.slice(8, 12)], [180, 83, 10, 242]); // #b4530a
  const pen = new Ear();
  drawPicture(pen, whole, colours, { ...FRAME, width: 80, height: 30 });
  const area = pen.shapes.reduce((sum, [d]) => sum + [...d.matchAll(/h([\d.]+)v([\d.]+)/g)].reduce((all, [, w, h]) => all + Number(w) * Number(h), 0), 0);
  assert.equal(area, 80 * 30);
  assert.equal(pen.shapes.length, 3);
});

test("letters of cells say what differs from the reference", () => {
  const pen = new Ear(), cells: Cells = { value: "consensus", free: 90, rows: [[100, 60, 30]], bases: [[0, 1, 4]] };
  drawBases(pen, cells, Uint8Array.of(0, 2, 2), { start: 0, end: 3 }, FRAME, theme);
  assert.deepEqual(pen.words, ["A", "C", "N"]);
  const part = new Ear();
  drawBases(part, cells, Uint8Array.of(0, 2, 2), { start: 0.5, end: 2.5 }, FRAME, theme);
  assert.deepEqual(part.words, ["C"]);
});

test("marginals, sides, key, histogram and labels are drawn within their frames", () => {
  const pen = new Ear(), svg = new SvgPen();
  drawMarginal(pen, Float64Array.from({ length: 1000 }, (_, i) => Number(i === 500)), { start: 0, end: 1000 }, FRAME, theme);
  const bars = pen.rects.slice(1);
  assert.equal(bars.length, 1);
  assert.ok(Math.abs(bars[0][0] - 200) < 1 && bars[0][3] === 50);
  for (const height of [18, 0.4]) for (const right of [0, 104]) drawSide(svg, { words: "a<b", colour: 23, on: height > 1, box: [0.2, 0.3, 0.5], share: 0.5 }, { ...FRAME, height }, right, theme);
  for (const value of ["entropy", "difference", "mismatch", "consensus"] as const) drawKey(svg, { value, free: 0.6, rows: [] }, hues(value, theme), FRAME, theme);
  drawHistogram(svg, Int32Array.of(1, 2, 3, 4), Int32Array.of(0, 0, 0, 0), NaN, [0, 0], FRAME, theme);
  drawLabels(svg, "mean", "", [-1, 2], FRAME, theme);
  assert.doesNotMatch(svg.svg(300, 100, "#fff"), /NaN|Infinity|undefined/);
});

test("the tree stands over its sequences, and its merges above the cut are drawn", () => {
  const tree = new Tree(4, Int32Array.of(0, 2, 1, 3, 4, 5), Float64Array.of(1, 4, 9)), places = placesOf(tree, Int32Array.of(1, 2, 1, 4));
  assert.deepEqual([...tree.order], [0, 2, 1, 3]);
  assert.deepEqual([...places.from], [0, 0.25, 0.125, 0.5, 0, 0.25, 0]);
  assert.deepEqual([...places.to], [0.125, 0.5, 0.25, 1, 0.25, 1, 1]);
  assert.equal(places.middle[4], (0.0625 + 0.1875) / 2);
  const level = levelOf(9, FRAME);
  assert.deepEqual([level(9), level(0), level(100)], [10, 60, 10]);
  for (const height of [0, 1, 4, 9]) assert.ok(Math.abs(heightAt(9, FRAME, level(height)) - height) < 1e-9);
  for (const k of [1, 2, 3, 4]) {
    const pen = new Ear(), cover = [...tree.cover(tree.cut({ k }).labels).values()];
    drawTree(pen, tree, places, cover.map((nodes, i) => ({ nodes, colour: i, on: false })), 9, FRAME, theme);
    assert.equal(pen.shapes.length, k + Number(k > 1));
    if (k > 1) assert.equal(pen.shapes.at(-1)![0].match(/M/g)!.length, 3 * (k - 1));
  }
  const pen = new Ear();
  drawHeights(pen, 9, FRAME, theme);
  assert.deepEqual(pen.words, ["0", "2"]);
  drawBand(pen, [{ from: 0, to: 0.5, colour: 1, on: true, words: "one" }, { from: 0.5, to: 0.51, colour: 2, on: false, words: "two" }], FRAME, theme);
  assert.deepEqual(pen.words.slice(2), ["one"]);
  drawHeights(new SvgPen(), 0, FRAME, theme);
});
