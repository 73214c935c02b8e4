import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { join } from "../src/core/join";
import { Link } from "../src/core/link";
import { readBlocks } from "../src/core/wire";
import { dashes, drawCurves, nearestPoint, rangeOf, stroke, valueTicks } from "../src/draw/curve";
import { type Pen, SvgPen } from "../src/draw/glyphs";
import { blockOf, reverseComplement } from "../src/draw/motif";
import { dotSize, dotsOf, type Strip } from "../src/draw/strip";
import type { Theme } from "../src/draw/theme";
import { MarginalAsker, MarginalStore, toCsv } from "../src/state/marginal";
import { type Grid, interval, type MarginalAnswer, type MarginalAsk, type MarginalMeta, type Placed, Placements, quantile } from "../src/state/placements";

interface Fixture {
  asks: MarginalAsk[];
  answer: { words: MarginalAnswer; hex: string };
  failed: MarginalAnswer;
  grid: { words: Grid; hex: string };
  placements: { starts: number[]; strands: number[]; effects: number[][]; profiles: number[][][] };
  interval: { factor: number; mean: number; low: number; high: number; n: number; p05: number; p95: number };
}
const fixture = JSON.parse(readFileSync("../tests/fixtures/protocol/marginal.json", "utf8")) as Fixture;
const read = ({ words, hex }: { words: MarginalAnswer | Grid; hex: string }) => readBlocks(new Uint8Array(Buffer.from(hex, "hex")), words.blocks);
const close = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) assert.ok(Math.abs(a[i] - b[i]) < 5e-4, `${a[i]} is not ${b[i]}`);
};

const META: MarginalMeta = {
  n: 3, length: 40, blocks: [], names: ["a", "b", "c"], loci: [null, null, null], predictions: null, annotations: [], height: 0, target: "y",
  motifs: [{ name: "AP1", letters: "TGACTCA" }, { name: "GATA", letters: "AGATAAGGTT" }], factor: fixture.interval.factor, live: true, profile: null, colors: "classic",
};
const end = () => new AbortController().signal;
const make = (start = {}, meta = META): MarginalStore => new MarginalStore(meta, new Map([["before", Float32Array.of(1, 2, 3)]]), start);
async function filled(start = {}): Promise<MarginalStore> {
  const store = make(start), blocks = await read(fixture.grid);
  (fixture.grid.words as Grid).motifs.forEach((motif, i) => store.known.add(motif, blocks, `.${i}`));
  return store;
}

test("answers and grids are read as they were written", async () => {
  const { starts, strands, effects, profiles } = fixture.placements;
  for (const [part, suffix] of [[fixture.answer, ""], [fixture.grid, ".0"]] as const) {
    const known = new Placements();
    known.add("AP1", await read(part), suffix);
    assert.equal(known.count("AP1"), 2);
    starts.forEach((start, i) => {
      const one = known.get("AP1", start, strands[i] ? "-" : "+") as Placed;
      close(one.effects, effects[i]);
      close(one.profile!, profiles[i].flat());
    });
    assert.equal(known.get("AP1", starts[0], "-"), null);
  }
  assert.deepEqual([fixture.failed.stage, fixture.failed.last, fixture.failed.blocks], ["error", true, []]);
});

test("means, intervals and bands are those of the Python half", () => {
  const { factor, mean, low, high, n, p05, p95 } = fixture.interval, effects = fixture.placements.effects[0];
  const found = interval(effects, factor), sorted = [...effects].sort((a, b) => a - b);
  close([found.mean, found.low, found.high, found.n], [mean, low, high, n]);
  close([quantile(sorted, 0.05), quantile(sorted, 0.95)], [p05, p95]);
  assert.ok(Number.isNaN(interval([1], null).low));
});

test("a view asks in the words of the fixture", async () => {
  const sent: MarginalAsk[] = [], store = make({ motif: "AP1", start: 12, strand: "-", live: true });
  const asker = new MarginalAsker(store, (ask) => sent.push(ask), end());
  asker.look();
  asker.look(); // the same is not asked twice
  store.known.add("GATA", await read(fixture.grid), ".1");
  store.set({ motif: "GATA", start: 0, strand: "+" });
  assert.deepEqual(sent.map((ask, i) => ({ ...ask, number: 7 + i })), fixture.asks);
  assert.equal(sent[1].number, sent[0].number + 1);
});

test("what was asked is heard, and what is whole is not asked for again", async () => {
  const sent: MarginalAsk[] = [], store = make({ start: 4, live: true }), asker = new MarginalAsker(store, (ask) => sent.push(ask), end());
  asker.look();
  const blocks = await read(fixture.answer), say = (more: Partial<MarginalAnswer>) => asker.hear({ ...fixture.answer.words, number: sent.at(-1)!.number, ...more }, blocks);
  assert.equal(store.now, null);
  say({ stage: "placed" });
  close(store.now!.effects, fixture.placements.effects[0]);
  assert.equal(store.state.asking, true);
  say({ stage: "curve", last: true });
  assert.equal(store.state.asking, false);
  store.set({ start: 12, strand: "-" }); // it came with the curve
  assert.equal(sent.length, 1);
  store.set({ start: 13 });
  assert.equal(sent.length, 2);
  say({ stage: "error", last: true, words: "the kettle is empty" });
  assert.deepEqual([store.state.failed, store.state.asking, store.shown], ["the kettle is empty", false, null]);
  store.set({ start: 12 });
  assert.equal(store.state.failed, "");
  asker.hear({ ...fixture.failed, number: -1 }, new Map()); // of another view
  assert.equal(store.state.failed, "");
});

test("with no kernel the motif stands where there is an answer", async () => {
  const store = await filled({ start: 7 });
  assert.equal(store.state.start, 7);
  store.set({ live: false });
  assert.equal(store.state.start, 4);
  store.flip();
  assert.deepEqual([store.state.start, store.state.strand], [12, "-"]);
  store.move(1);
  assert.equal(store.state.start, 12);
});

test("steps go to the next stored place, and live by bases", async () => {
  const store = make({ live: false }), blocks = await read(fixture.answer);
  const strands = new Map(blocks);
  strands.set("strands", Uint8Array.of(0, 0));
  store.known.add("AP1", strands);
  store.set({ start: 0 });
  const places = [1, 1, -1, -1].map((by) => { store.move(by); return store.state.start; });
  assert.deepEqual(places, [12, 12, 4, 4]);
  const live = make({ live: true, start: 30 });
  assert.deepEqual([1, 10, -10, -100].map((by) => { live.move(by); return live.state.start; }), [31, 33, 23, 0]);
});

test("another motif stands about the same middle, inside the backgrounds", () => {
  const store = make({ live: true, start: 33 });
  store.choose("GATA");
  assert.deepEqual([store.state.start, store.state.selection], [30, [30, 40]]);
  store.chooseBy(1);
  assert.equal(store.state.motif, "GATA");
  store.chooseBy(-1);
  assert.deepEqual([store.state.motif, store.state.start], ["AP1", 32]);
});

test("linked views see the place as selected, and can move it", () => {
  const store = make({ live: true, start: 5 }), link = new Link();
  join(store, link, end());
  store.move(3);
  assert.deepEqual(link.state.selection, [8, 15]);
  link.set({ selection: [20, 25] }, {});
  assert.deepEqual([store.state.start, store.state.selection], [20, [20, 27]]);
  link.set({ selection: null }, {});
  assert.equal(store.state.start, 20);
});

test("the table has every place that is known", async () => {
  const store = await filled();
  assert.deepEqual(toCsv(store).split("\n").map((line) => line.split(",").slice(0, 4).join()), ["motif,start,end,strand", '"AP1",4,11,+', '"AP1",12,19,-', ""]);
});

// --- drawing --------------------------------------------------------------------------------------------------------

const THEME: Theme = { dark: false, ink: "rgb(0, 0, 0)", ground: "#ffffff", font: "sans", mono: "mono", bases: [], unknown: "#999999", accent: "#2563b8" };
const FRAME = { x: 100, y: 10, width: 300, height: 80 };

test("ticks are round and inside", () => {
  assert.deepEqual(valueTicks({ low: -0.13, high: 1.02 }, 4), [0, 0.5, 1]);
  assert.deepEqual(valueTicks({ low: -2e-3, high: 1e-3 }, 3), [-0.002, -0.001, 0, 0.001]);
});

test("a range holds bands and zero", () => {
  const range = rangeOf([{ label: "", x: [0], mean: [1], low: [0.5], high: [2], color: "" }]);
  assert.equal(range.low, 0);
  assert.ok(range.high > 2 && range.high < 2.2);
  assert.deepEqual(rangeOf([]), { low: -1, high: 1 });
});

test("a curve goes through its points, with its band behind it", () => {
  class Memory extends SvgPen {
    shapes: string[] = [];
    override shape(d: string): void { this.shapes.push(d); }
    override line(..._at: Parameters<Pen["line"]>): void { /* ticks */ }
  }
  const pen = new Memory();
  drawCurves(pen, [{ label: "+", x: [0, 10], mean: [0, 1], low: [0, 0.5], high: [0, 2], color: "#000000" }], { start: 0, end: 10 }, FRAME, { low: 0, high: 2 }, THEME);
  assert.equal(pen.shapes[0], "M100 90L400 10L400 70L100 90Z");
  assert.match(pen.shapes[1], /^M/);
});

test("dashes cover a line but for its gaps", () => {
  const parts = dashes([[0, 0], [10, 0], [20, 0]]), lengths = parts.map((part) => part.at(-1)![0] - part[0][0]);
  assert.deepEqual(lengths, [5, 5, 4]);
  assert.deepEqual(parts[1], [[8, 0], [10, 0], [13, 0]]);
  assert.equal(stroke([[0, 0], [0, 0]], 2), "");
});

test("the nearest point", () => {
  assert.deepEqual([-5, 4, 6, 99].map((at) => nearestPoint([0, 5, 10], at)), [0, 1, 1, 2]);
  assert.equal(nearestPoint([], 3), -1);
});

test("a block is wide enough to be read, and stays in the frame", () => {
  assert.deepEqual(blockOf(200, 210, 7, FRAME), { x: 170, y: 10, width: 70, height: 62 });
  assert.equal(blockOf(100, 110, 7, FRAME).x, 100);
  assert.equal(blockOf(390, 400, 7, FRAME).x, 330);
  assert.deepEqual(reverseComplement({ values: [1, 2, 3, 4, 5, 6, 7, 8], width: 2 }).values, [8, 7, 6, 5, 4, 3, 2, 1]);
});

test("dots stack, and shrink until they fit", () => {
  const range = { low: 0, high: 1 }, frame = { x: 0, y: 0, width: 100, height: 40 };
  const strip = (values: number[]): Strip => ({ label: "", values, color: () => "", mean: 0, low: 0, high: 0, size: dotSize(values, range, frame) });
  assert.equal(dotSize([0.1, 0.9], range, frame), 7);
  const crowd = strip(Array(12).fill(0.5)), dots = dotsOf(crowd, range, frame);
  assert.ok(crowd.size < 3);
  assert.equal(new Set(dots.map((dot) => dot.x)).size, 1);
  assert.equal(new Set(dots.map((dot) => dot.y)).size, 12);
  assert.ok(dots.every((dot) => dot.y >= 0));
});
