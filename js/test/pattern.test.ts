/** The store of a PatternView: which seqlets are shown, in which order, and how it moves with others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Link } from "../src/core/link";
import type { Numbers } from "../src/core/wire";
import { drawStack, spreadOf } from "../src/draw/seqlets";
import { type PatternMeta, PatternStore } from "../src/state/pattern";
import { joinPatterns } from "../src/state/patternLink";

const facts = (name: string, positive: boolean, n: number) => ({ name, positive, width: 2, core: [0, 2] as [number, number], n, letters: true, parts: [{ name: "subpattern_0", n: 2 }] });
const meta: PatternMeta = { blocks: [], colors: "classic", window: 100, patterns: [facts("pos_patterns.pattern_0", true, 3), facts("neg_patterns.pattern_0", false, 3)] };
// example, start, end, minus, row, part
const places = Int32Array.from([5, 40, 42, 0, 1, 0, 2, 10, 12, 1, -1, -1, 2, 5, 7, 0, 0, 0]);

function store(): PatternStore {
  const blocks = new Map<string, Numbers>();
  for (const i of [0, 1]) {
    blocks.set(`places${i}`, places);
    blocks.set(`total${i}`, Float32Array.from(i ? [-1, -3, -2] : [1, 3, 2]));
    blocks.set(`pfm${i}`, new Float32Array(8).fill(i));
    blocks.set(`pfm${i}.0`, new Float32Array(8).fill(9));
    blocks.set(`cwm${i}`, new Float32Array(8));
    blocks.set(`codes${i}`, Uint8Array.from([0, 1, 2, 3, 4, 0]));
    blocks.set(`scores${i}`, Int16Array.from([10, 0, -20, 0, 0, 5]));
    blocks.set(`scale${i}`, Float32Array.from([0.5]));
  }
  return new PatternStore(meta, blocks, { pattern: 0, part: -1, order: "contribution", seqlet: -1 });
}

test("seqlets stand in the order that is asked for, the strongest of either sign first", () => {
  const one = store();
  assert.deepEqual(one.rows, [1, 2, 0]);
  one.set({ pattern: 1 });
  assert.deepEqual(one.rows, [1, 2, 0]);
  one.set({ order: "position" });
  assert.deepEqual(one.rows, [2, 1, 0]);
  one.set({ order: "sequence" });
  assert.deepEqual(one.rows, [2, 1, 0]);
  one.set({ order: "subpattern" });
  assert.deepEqual(one.rows, [2, 0, 1]); // one that is in none comes last
});

test("a subpattern has its own seqlets and means", () => {
  const one = store();
  one.set({ seqlet: 1 });
  one.set({ part: 0 });
  assert.deepEqual(one.rows, [2, 0]);
  assert.equal(one.state.seqlet, -1);
  assert.equal(one.frequencies[0], 9);
  one.set({ pattern: 1 });
  assert.deepEqual([one.state.part, one.frequencies[0]], [-1, 1]);
  one.set({ pattern: 7 });
  assert.equal(one.state.pattern, 1);
});

test("arrows go from row to row and stop at the ends", () => {
  const one = store();
  one.step(1);
  assert.equal(one.state.seqlet, 1);
  one.step(1);
  assert.equal(one.state.seqlet, 2);
  one.step(1e9);
  assert.equal(one.state.seqlet, 0);
  one.step(1);
  assert.equal(one.state.seqlet, 0);
  assert.deepEqual([...one.letters(1).values], [-10, 0]);
  assert.equal(one.seqlet(1).strand, "-");
});

test("linked views choose the pattern, and go to its seqlet where they have the sequence", () => {
  const one = store(), link = new Link(), end = new AbortController();
  joinPatterns(one, link, end.signal);
  link.set({ motif: "neg_patterns.pattern_0" }, link);
  assert.equal(one.state.pattern, 1);
  link.set({ motif: "of another view" }, link);
  assert.equal(one.state.pattern, 1);
  one.set({ seqlet: 1 }); // of no row
  assert.equal(link.state.selection, null);
  one.set({ seqlet: 0 });
  assert.deepEqual([link.state.example, link.state.selection, link.state.view], [1, [40, 42], [15, 67]]);
  one.set({ pattern: 0 });
  assert.equal(link.state.motif, "pos_patterns.pattern_0");
  end.abort();
  link.set({ motif: "neg_patterns.pattern_0" }, link);
  assert.equal(one.state.pattern, 0);
});

test("values fall into equal bins, and what is not known into none", () => {
  const counts = spreadOf([0, 0.5, 1, NaN, 2], 0, 1);
  assert.deepEqual([counts.length, counts[0], counts[15], counts[29]], [30, 1, 1, 2]);
});

test("a cell has the colour of its base, and what goes against the pattern that of the ink", () => {
  const drawn: string[] = [], pen = { rect: (...a: unknown[]) => drawn.push(`${a[4]} ${a[5]}`), glyph: () => drawn.push("glyph") };
  const letters = () => ({ codes: Uint8Array.from([0, 1, 2]), values: Float32Array.from([1, -0.5, 0]) }), theme = { bases: ["a", "c", "g", "t"], ink: "ink" };
  drawStack(pen as never, { n: 100, view: { start: 0, end: 3 }, letters: (i) => (i ? { codes: new Uint8Array(3), values: new Float32Array(3) } : letters()), full: 1 }, { x: 0, y: 0, width: 90, height: 300 }, theme as never);
  assert.deepEqual(drawn, ["a 1", "ink 0.25"]);
});
