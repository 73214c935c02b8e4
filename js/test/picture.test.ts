import assert from "node:assert/strict";
import test from "node:test";
import { SvgPen } from "../src/draw/glyphs";
import { drawPicture, type Picture, widthOf } from "../src/draw/picture";
import type { Theme } from "../src/draw/theme";

const theme = { dark: false, ink: "#000000", accent: "#2563b8", bases: ["#0a", "#0c", "#06", "#07"] } as unknown as Theme;
const drawn = (picture: Picture, row: number, cells: unknown[] = []): string => {
  const pen = new SvgPen();
  drawPicture(pen, picture, row, cells, 100, 40, theme);
  return pen.svg(100, 40, "#fff");
};
const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

test("a logo has a letter for each base that says something, as high as its bits", () => {
  const values = Uint8Array.from([255, 0, 0, 0, 64, 64, 64, 64, 0, 128, 128, 0]), at = Int32Array.from([0, 2, 3]);
  const logo: Picture = { kind: "logo", values, at };
  assert.equal(widthOf(logo), 18);
  assert.equal(count(drawn(logo, 0), /<path/g), 1); // equal frequencies carry nothing
  assert.match(drawn(logo, 0), /matrix\(9\.000 0 0 -38\.000 0\.00 39\.00\)/);
  assert.equal(count(drawn(logo, 1), /matrix\(9\.000 0 0 -9\.500/g), 2); // one bit, shared by two
});

test("lines break where a value is missing, and flat ones are drawn", () => {
  const values = Float32Array.from([1, 1, 1, 1, NaN, 3, 4, 5]);
  const lines: Picture = { kind: "lines", values, count: 1, points: 4 };
  assert.equal(count(drawn(lines, 0), /<line/g), 3);
  assert.equal(count(drawn(lines, 1), /<line/g), 2);
  assert.equal(count(drawn({ ...lines, values: Float32Array.from([NaN, NaN, NaN, NaN]) }, 0), /<line/g), 0);
});

test("an interval is a mark and a whisker on the range of all rows", () => {
  const interval: Picture = { kind: "interval", value: 0, low: 1, high: 2, range: [-1, 1] };
  const up = drawn(interval, 0, [0.5, 0.25, 0.75]);
  assert.match(up, /<line x1="61.5" y1="20" x2="84.5" y2="20" stroke="#2563b8"/);
  assert.match(drawn(interval, 0, [-0.5, null, null]), /fill="#b4530a"/);
  assert.equal(count(drawn(interval, 0, [null, null, null]), /<rect/g), 1); // the ground alone
});
