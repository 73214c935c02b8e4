import assert from "node:assert/strict";
import test from "node:test";
import { OUTLINES, SvgPen } from "../src/draw/glyphs";
import { tint, pack } from "../src/draw/lanes";
import { extent, letterAlpha, levelFor, modeOf, pyramid } from "../src/draw/lod";
import { clampView, number, ticks, whole, zoom } from "../src/draw/scale";
import { CATEGORIES, category, contrast, legible } from "../src/draw/theme";
import { runOf } from "../src/state/spans";
import { spansOf } from "./spans";
import { compare, matches, toTsv } from "../src/view/table";

test("words on a bar can be read, whatever its colour and the ground", () => {
  assert.equal(Math.round(contrast("#000000", "#ffffff")), 21);
  for (const ground of ["#ffffff", "#111111"]) for (const color of [...CATEGORIES, "#2563b8", "#6ea8fe"]) for (const alpha of [0.72, 1]) {
    const under = parseInt(ground.slice(1, 3), 16);
    const laid = [1, 3, 5].map((i) => Math.round(parseInt(color.slice(i, i + 2), 16) * alpha + under * (1 - alpha)));
    assert.ok(contrast(`rgb(${laid.join(",")})`, legible(color, alpha, ground)) >= 4.5, `${color} on ${ground}`);
  }
});

test("modes change at their thresholds and letters fade in", () => {
  assert.deepEqual([5, 4.9, 0.75, 0.74].map(modeOf), ["letters", "bars", "bars", "envelope"]);
  assert.deepEqual([4, 5, 6, 7, 9].map(letterAlpha), [0, 0, 0.5, 1, 1]);
});

test("a pyramid keeps the extremes and skips missing values", () => {
  const values = new Float32Array(5000).map((_, i) => Math.sin(i));
  values[1234] = 7;
  values[10] = NaN;
  const levels = pyramid(values);
  for (const level of levels) assert.equal(Math.max(...[...level.high].filter((v) => !Number.isNaN(v))), 7);
  assert.ok(levels[levels.length - 1].low.length <= 512);
  assert.equal(levelFor(levels, 0.05).bin, 16);
  assert.equal(levelFor(levels, 2).bin, 1);
});

test("one outlier does not set the scale, and a lone motif does", () => {
  const values = new Float32Array(1000).fill(0.01);
  for (let i = 0; i < 6; i++) values[500 + i] = 1;
  assert.deepEqual(extent(pyramid(values)), { low: 0, high: 1, clipped: false });
  values[5] = -100;
  const broken = extent(pyramid(values));
  assert.ok(broken.clipped && broken.low === -1.5 && broken.high === 1);
});

test("views stay inside and zoom keeps its centre", () => {
  assert.deepEqual(clampView({ start: -10, end: 20 }, 100), { start: 0, end: 30 });
  assert.deepEqual(clampView({ start: 90, end: 500 }, 100), { start: 0, end: 100 });
  const view = zoom({ start: 0, end: 100 }, 25, 0.5, 100);
  assert.deepEqual(view, { start: 12.5, end: 62.5 });
  assert.deepEqual(zoom({ start: 0, end: 4 }, 2, 0.1, 4), { start: 0, end: 4 });
});

test("ticks are round in genome coordinates", () => {
  assert.deepEqual(ticks({ start: 0, end: 100 }, 550, 1003).map((t) => t + 1003), [1020, 1040, 1060, 1080, 1100]);
});

test("numbers read as the field writes them", () => {
  assert.deepEqual([0, 1234.5, -0.12345, 1e-8, NaN].map(number), ["0", "1230", "\u22120.123", "1.00e\u22128", "no value"]);
  assert.equal(whole(1234567), "1,234,567");
});

test("spans that overlap get their own lanes", () => {
  const run = runOf(spansOf([[0, 0, 10], [0, 5, 15], [0, 12, 20]]).sets[0], Int32Array.of(0, 1, 2));
  const { of, lanes } = pack(run, 4);
  assert.deepEqual([lanes, ...of], [2, 0, 1, 0]);
});

test("a motif keeps its colour", () => {
  assert.equal(category("ETS"), category("ETS"));
});

test("vectors hold the outlines of the letters", () => {
  const pen = new SvgPen();
  pen.glyph(0, 1, 2, 3, 4, "#000");
  assert.ok(pen.svg(10, 10, "#fff").includes(OUTLINES[0]));
});

test("filters and sorting", () => {
  assert.ok(matches(5, "> 4") && !matches(5, "<=4") && matches(5, "1..5") && matches("CCGGAA", "gga") && matches(null, ""));
  assert.deepEqual([3, null, 1].sort(compare), [1, 3, null]);
  assert.equal(toTsv([{ name: "a", kind: "text" }], [["x"], [null]]), "a\nx\n\n");
});

test("what has no name is grey beside what has one, and the accent where nothing has", () => {
  const theme = { accent: "blue", unknown: "grey" } as never;
  assert.deepEqual(["", "ETS"].map((_, code) => tint(["", "ETS"], code, false, "", theme)[0]), ["grey", category("ETS")]);
  assert.equal(tint([""], 0, false, "", theme)[0], "blue");
});
