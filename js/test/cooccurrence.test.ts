import assert from "node:assert/strict";
import test from "node:test";
import { binAt, beyond, columnAt, columnUnder, drawAround, drawSpacing, rootTicks, shade, short } from "../src/draw/cooccurrence";
import { SvgPen } from "../src/draw/glyphs";
import type { Theme } from "../src/draw/theme";
import { type Bin, binSize, bins, type CooccurrenceMeta, type CooccurrenceState, CooccurrenceStore } from "../src/state/cooccurrence";
import { clusterOrder } from "../src/state/cooccurrenceOrder";
import { band, poissonQuantile } from "../src/state/poisson";
import { said } from "../src/view/cooccurrencePair";

const META: CooccurrenceMeta = {
  names: ["b", "a", "c10", "c9"], n_names: 3, n_all: 5, n_examples: 20, n_annotations: 40, length: 100, max_distance: 4,
  stranded: true, whole: false, pairs: [], spacings: [], blocks: [],
};
/** b and a are in the page, and b with itself; a sees b: 10 + distance downstream same, 20 + .. downstream opposite, 30 .. upstream same, 40 .. upstream opposite. */
function make(start: Partial<CooccurrenceState> = {}, meta: Partial<CooccurrenceMeta> = {}): CooccurrenceStore {
  const ways = meta.stranded === false ? 2 : 4, counts = Int32Array.from({ length: 2 * ways * 4 }, (_, i) => (i < ways * 4 ? 10 * (1 + Math.floor(i / 4)) + (i % 4) : 1));
  const chance = Float32Array.from({ length: 2 * ways * 2 }, (_, i) => (i % 2 ? 2 : 8));
  return new CooccurrenceStore({ ...META, ...meta }, new Map<string, Int32Array | Float32Array>([
    ["observed", Int32Array.of(4, 6, 0, 0, 2, 0, 1, 0, 0, 0)], ["expected", Float32Array.of(4, 2, 0, 1, 2, 0, 1, 1, 0, 0)], ["strength", Float32Array.of(0, 5, 0, 0.2, 0, 0, 0.1, 0.3, 0, 0)],
    ["near", Int32Array.of(1, 0, 0, 0)], ["counts", counts], ["chance", chance], ["knots", Int32Array.of(0, 3)], ["marks", Int32Array.of(1, 6)],
  ]) as never, { pair: ["a", "b"], ...start });
}
const numbers = (list: ArrayLike<number>): number[] => Array.from(list);

test("a band of chance has the ends of the Poisson law", () => {
  assert.deepEqual([0, 0.01, 1, 3, 10, 100].map((mean) => band(mean)), [[0, 0], [0, 0], [0, 3], [1, 6], [5, 15], [84, 117]]);
  for (const mean of [499, 501]) for (const [p, z] of [[0.05, -1.645], [0.95, 1.645]] as const) assert.ok(Math.abs(poissonQuantile(mean, p) - mean - z * Math.sqrt(mean)) < 2);
});

test("what goes together stands together", () => {
  const groups = [0, 1, 0, 1, 2, 0], order = clusterOrder(6, (i, j) => (groups[i] === groups[j] ? 5 : groups[i] + groups[j] === 1 ? -3 : -1));
  assert.deepEqual([...order].sort(), [0, 1, 2, 3, 4, 5]);
  const runs = order.filter((one, k) => !k || groups[one] !== groups[order[k - 1]]);
  assert.equal(runs.length, 3);
  const chain = [3, 0, 2, 1, 4], at = (i: number): number => chain.indexOf(i), found = clusterOrder(5, (i, j) => -Math.abs(at(i) - at(j)));
  assert.ok([chain.join(), [...chain].reverse().join()].includes(found.join()), found.join());
  assert.deepEqual(clusterOrder(0, () => 0), []);
  assert.deepEqual(clusterOrder(1, () => 0), [0]);
});

test("names are filtered, ordered and numbered", () => {
  const store = make({ order: "count" }), names = () => store.shown.map((i) => META.names[i]);
  assert.deepEqual(names(), ["b", "a", "c10"]);
  store.set({ order: "name" });
  assert.deepEqual(names(), ["a", "b", "c10"]);
  store.set({ filter: "C, a" });
  assert.deepEqual(names(), ["a", "c9", "c10"]);
  assert.equal(store.passing, 3);
  store.set({ filter: "x" });
  assert.deepEqual(names(), []);
});

test("a pair has its numbers from either side", () => {
  const store = make();
  for (const [i, j] of [[0, 1], [1, 0]]) assert.deepEqual(store.together(i, j), { observed: 6, expected: 2, ratio: Math.log2(6.5 / 2.5), strength: 5 });
  assert.equal(store.value(1, 0), Math.log2(2.6));
  store.set({ value: "significance" });
  assert.equal(store.value(1, 0), 5);
  assert.ok(store.value(0, 2) < 0); // fewer than chance
  store.set({ value: "sequences" });
  assert.equal(store.value(0, 2), 0);
});

test("spacings are those of the one who sees, and turn with it", () => {
  const store = make(), first = (i: number, j: number): [string, number][] => store.spacings(i, j)!.map(({ words, counts }) => [words, counts[0]]);
  assert.deepEqual(first(1, 0), [["a\u25b8 b\u25b8", 10], ["b\u25b8 a\u25b8", 30], ["a\u25b8 \u25c2b", 20], ["\u25c2a b\u25b8", 40]]);
  assert.deepEqual(first(0, 1), [["b\u25b8 a\u25b8", 30], ["a\u25b8 b\u25b8", 10], ["b\u25b8 \u25c2a", 20], ["\u25c2b a\u25b8", 40]]);
  assert.deepEqual(first(0, 0).map(([words]) => words), ["b\u25b8 b\u25b8", "b\u25b8 \u25c2b", "\u25c2b b\u25b8"]);
  assert.deepEqual(numbers(store.spacings(1, 0)![0].expected), [8, 6, 4, 2]);
  assert.deepEqual(numbers(store.spacings(1, 0)![0].marks), [0, 1, 0, 0]);
  assert.equal(store.spacings(0, 2), null);
  assert.deepEqual(numbers(make({}, { whole: true }).spacings(0, 2)![0].counts), [0, 0, 0, 0]);
  assert.equal(make({ pair: ["a", "gone"] }).spacings(1, -1), null);
});

test("without strands there is a left and a right", () => {
  const store = make({}, { stranded: false }), first = (i: number, j: number): [string, number][] => store.spacings(i, j)!.map(({ words, counts }) => [words, counts[0]]);
  assert.deepEqual(first(1, 0), [["a \u2026 b", 10], ["b \u2026 a", 20]]);
  assert.deepEqual(first(0, 1), [["b \u2026 a", 20], ["a \u2026 b", 10]]);
  assert.equal(first(0, 0).length, 1);
});

test("partners stand upstream from far to near, then downstream", () => {
  const [b, ...rest] = make({ order: "count" }).around(1, 1);
  assert.deepEqual(rest, []);
  assert.equal(b.partner, 0);
  assert.deepEqual(b.bins.map((bin) => bin.count), [76, 74, 72, 70, 30, 32, 34, 36]);
  assert.deepEqual(b.bins.map((bin) => bin.from), [-3, -2, -1, -0, 0, 1, 2, 3]);
  const turned = make({ order: "count" }).around(0, 1).find((one) => one.partner === 1)!; // same strands change sides, opposite ones do not
  assert.deepEqual(turned.bins.map((bin) => bin.count), [56, 54, 52, 50, 50, 52, 54, 56]);
});

test("distances are taken together where there is no room", () => {
  assert.deepEqual([binSize(100, 600, 2), binSize(100, 100, 2), binSize(1000, 300, 2), binSize(5, 1, 2)], [1, 2, 7, 5]);
  const way = { words: "", counts: [1, 2, 3], expected: [0.5, 0.5, 0.25], marks: [0, 1, 0] };
  assert.deepEqual(bins([way], 2).map(({ from, to, count, expected, marked }) => [from, to, count, expected, marked]), [[0, 1, 3, 1, true], [2, 2, 3, 0.25, false]]);
});

test("a motif that is chosen elsewhere finds its partner", () => {
  const store = make();
  store.follow(["b"]);
  assert.deepEqual(store.state.pair, ["b", "a"]);
  store.follow(["c10"]);
  assert.equal(store.state.pair[0], "c10");
  assert.notEqual(store.state.pair[1], "c10");
  store.set({ pair: ["a", "c10"] });
  store.follow(["c10"]); // not b, which it is strongest with
  assert.deepEqual(store.state.pair, ["c10", "a"]);
  store.follow(["unknown"]);
  store.follow([]);
  assert.equal(store.motif, "c10");
});

const THEME: Theme = { dark: false, ink: "#1c1c1e", ground: "#ffffff", font: "sans-serif", mono: "monospace", bases: ["#1", "#2", "#3", "#4"], unknown: "#999", accent: "#2563b8" } as Theme;
const bin = (count: number, more: Partial<Bin> = {}): Bin => ({ from: 0, to: 0, count, expected: 2, low: 1, high: 4, marked: false, ...more });

test("bars that leave the band have the colour of the effect", () => {
  assert.deepEqual([0, 1, 4, 5].map((count) => beyond(bin(count))), [-1, 0, 0, 1]);
  assert.deepEqual([shade(bin(3), "enrichment"), shade(bin(3), "count"), Math.sign(shade(bin(0), "enrichment"))], [0, 3, -1]);
  const pen = new SvgPen();
  drawSpacing(pen, "a b", [bin(9, { marked: true }), bin(2)], 10, { x: 0, y: 0, width: 100, height: 60 }, 0, THEME);
  const svg = pen.svg(100, 60, "#fff");
  assert.equal(svg.match(/fill="#2563b8"/g)?.length, 2); // its bar and its dot
  assert.ok(!svg.includes("NaN"));
  assert.deepEqual([rootTicks(4), rootTicks(10), rootTicks(268), rootTicks(0)], [[2], [2, 10], [40, 200], [1]]);
});

test("a column is found where it is drawn", () => {
  const frame = { x: 20, y: 0, width: 208, height: 26 };
  for (const k of [0, 49, 50, 99]) {
    const [x, w] = columnAt(k, 100, 8, frame);
    assert.equal(columnUnder(x + w / 2, 100, 8, frame), k);
  }
  for (const x of [19, 123, 228]) assert.equal(columnUnder(x, 100, 8, frame), -1);
  assert.deepEqual([19, 20, 227, 228].map((x) => binAt(4, frame, x)), [-1, 0, 3, -1]);
  const pen = new SvgPen();
  drawAround(pen, [{ name: "a", bins: [bin(9), bin(2)], chosen: true }], "enrichment", { row: 13, gap: 8 }, frame, [0, 0], THEME);
  assert.match(pen.svg(208, 26, "#fff"), /#2563b8/);
});

test("words", () => {
  assert.equal(said("x", bin(3, { from: 6, to: 6 })), "x, 6 bp: 3 \u00d7, 2 expected [1 to 4]");
  assert.equal(said("x", bin(1234, { from: 6, to: 7, marked: true })), "x, 6 to 7 bp: 1,234 \u00d7, 2 expected [1 to 4], q \u2264 0.05");
  assert.deepEqual([short("GATA", 4), short("GATA1", 4)], ["GATA", "GAT\u2026"]);
});
