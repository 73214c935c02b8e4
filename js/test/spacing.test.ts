import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { readBlocks } from "../src/core/wire";
import { type Pen, SvgPen } from "../src/draw/glyphs";
import { cellSize, drawCell, drawGrid, strength } from "../src/draw/interactionGrid";
import { drawPair } from "../src/draw/spacingPair";
import type { Theme } from "../src/draw/theme";
import { ARRANGEMENTS, saidOf, type SpacingMeta, type SpacingState, SpacingStore, strandsOf, toCsv, wordsOf } from "../src/state/spacing";
import { type SpacingAnswer, type SpacingAsk, SpacingAsker } from "../src/state/spacingAsker";

interface Fixture {
  ask: SpacingAsk;
  answer: { words: SpacingAnswer; hex: string };
  failed: SpacingAnswer;
  attributions: number[];
}
const fixture = JSON.parse(readFileSync("../tests/fixtures/protocol/spacing.json", "utf8")) as Fixture;
const end = () => new AbortController().signal;
const DISTANCES = [0, 2, 4];

const META: SpacingMeta = {
  n: 2, length: 20, blocks: [], names: ["x", "y"], loci: [null, null], predictions: null, annotations: [], height: 0, target: "",
  motifs: [{ name: "A", width: 2, letters: "AC" }, { name: "B", width: 3, letters: "GNT" }], pairs: [[0, 1, 9], [0, 0, 9]], distances: DISTANCES, backgrounds: true, live: true, colors: "classic",
};

/** Pair 0: cooperativity 1 + arrangement + distance / 10, less 0.5 in the second reading; pair 1: one reading, falling, with a gap. */
function make(start: Partial<SpacingState> = {}, meta = META): SpacingStore {
  const size = 2 * 4 * 2 * 3, block = (): Float32Array => new Float32Array(size).fill(NaN), n = new Int32Array(size);
  const [cooperativity, effect, low, high] = [block(), block(), block(), block()];
  for (let pair = 0; pair < 2; pair++) for (let a = 0; a < 4; a++) for (let o = 0; o < 2; o++) for (let i = 0; i < 3; i++) {
    if (pair && (o || (a === 2 && i === 1))) continue;
    const at = ((pair * 4 + a) * 2 + o) * 3 + i, value = pair ? -a - i : 1 + a + DISTANCES[i] / 10 - o / 2;
    [cooperativity[at], effect[at], low[at], high[at], n[at]] = [value, value + 10, value - 0.25, value + 0.25, 8 - o];
  }
  const weights = { motif0: Float32Array.of(1, 0, 0, 1, 0, 0, 0, 0), motif1: Float32Array.of(0, 0, 0, 0, 0, 0, 1, 0, 0.5, 0, 0, 0.5) };
  return new SpacingStore(meta, new Map<string, Float32Array | Int32Array | Uint8Array>([["cooperativity", cooperativity], ["effect", effect], ["low", low], ["high", high], ["n", n], ["codes", new Uint8Array(40).fill(3)], ...Object.entries(weights)]) as never, start);
}
const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-5, `${a} is not ${b}`);

test("strands of the arrangements are those of the table", () => {
  assert.deepEqual(ARRANGEMENTS.map((one) => strandsOf(one, "ab").join("")), ["++", "--", "+-", "-+"]);
  assert.deepEqual(ARRANGEMENTS.map((one) => strandsOf(one, "ba").join("")), ["--", "++", "-+", "+-"]);
  assert.deepEqual(ARRANGEMENTS.map((one) => wordsOf(one, "A", "B")), ["A▸ B▸", "B▸ A▸", "A▸ ◂B", "◂A B▸"]);
  assert.equal(wordsOf("b_then_a", "A", "A"), "◂A ◂A");
  assert.match(saidOf("facing", "A", "B"), /facing each other/);
});

test("two readings are averaged, with the mean of their intervals; or stand alone", () => {
  const store = make({ arrangement: "facing", distance: 2 }), both = store.read(store.state);
  close(both.value, 2.95);
  close(both.low, 2.7);
  assert.equal(both.n, 7);
  store.set({ readings: "both" });
  close(store.read(store.state).value, 3.2);
  store.turn();
  close(store.read(store.state).value, 2.7);
  assert.equal(store.lines.length, 8);
  store.set({ value: "effect" });
  close(store.read(store.state).value, 12.7);
  assert.ok(Number.isNaN(store.read(store.state).low)); // it has none of its own
});

test("a pair is strongest somewhere, and choosing it goes there", () => {
  const store = make();
  assert.deepEqual(store.best(0).at, { arrangement: "apart", order: "ab", distance: 4 });
  assert.deepEqual(store.best(0, 0).at, { arrangement: "apart", order: "ab", distance: 0 });
  close(store.best(1).reading.value, -5);
  store.set({ pair: 1, distance: 2 });
  assert.deepEqual([store.state.arrangement, store.state.distance], ["apart", 2]); // what was said is kept
  store.set({ value: "effect" });
  close(store.best(1).reading.value, 10); // of that value, not of the one before
});

test("steps go along the distances and from line to line", () => {
  const store = make();
  store.move(1);
  assert.equal(store.state.distance, 2);
  store.move(10);
  assert.equal(store.state.distance, 4);
  store.set({ distance: 3 });
  assert.equal(store.state.distance, 2); // one that was measured
  store.climb(true);
  assert.equal(store.state.arrangement, "b_then_a");
  store.toggle("facing");
  store.climb(true);
  assert.equal(store.state.arrangement, "apart");
  store.climb(true);
  assert.equal(store.state.arrangement, "apart");
  store.climb(false);
  assert.equal(store.state.arrangement, "b_then_a");
  store.toggle("facing");
  assert.deepEqual(store.state.hidden, []);
});

test("a reading that was not measured is not chosen, and gaps stay gaps", () => {
  const store = make({ pair: 1, arrangement: "facing", distance: 2 });
  store.turn();
  assert.equal(store.state.order, "ab");
  assert.ok(Number.isNaN(store.read(store.state).value));
  store.set({ readings: "both" });
  assert.equal(store.lines.length, 4);
});

test("both motifs are written into the background, and an N leaves it", () => {
  const store = make({ arrangement: "facing", distance: 2 }), letters = (): string => [...store.sequence!].map((code) => "ACGTN"[code]).join("");
  assert.deepEqual([store.state.selection, letters()], [[9, 16], `${"T".repeat(9)}ACTTATC${"T".repeat(4)}`]); // GNT turned is ANC
  store.turn();
  assert.deepEqual([store.state.selection, letters()], [[4, 11], `${"T".repeat(4)}GTTTTGT${"T".repeat(9)}`]);
  assert.deepEqual(store.weights(store.sites[1]), [1, 0, 0.5]);
  assert.deepEqual(store.weights({ ...store.sites[1], strand: "-" }), [0.5, 0, 1]);
  assert.equal(make({}, { ...META, backgrounds: false }).sequence, null);
});

test("a view asks in the words of the fixture, once, and hears the newest", async () => {
  const sent: SpacingAsk[] = [], store = make({ arrangement: "facing", order: "ba", distance: 4, example: 1 });
  const asker = new SpacingAsker(store, (ask) => sent.push(ask), end());
  asker.look();
  assert.equal(sent.length, 0); // nobody is there
  store.set({ live: true });
  asker.look();
  assert.deepEqual({ ...sent[0], number: fixture.ask.number }, fixture.ask);
  store.set({ distance: 2 });
  assert.equal(sent.length, 2);
  const blocks = await readBlocks(new Uint8Array(Buffer.from(fixture.answer.hex, "hex")), fixture.answer.words.blocks);
  asker.hear({ ...fixture.answer.words, number: sent[0].number }, blocks); // overtaken, but true
  assert.deepEqual([store.attributions, store.state.asking], [null, true]);
  asker.hear({ ...fixture.failed, number: sent[1].number }, new Map());
  assert.deepEqual([store.state.failed, store.state.asking], [fixture.failed.words, false]);
  store.set({ distance: 4 });
  assert.deepEqual([[...store.attributions!], store.state.failed, sent.length], [fixture.attributions, "", 2]);
});

test("the table has the lines that are drawn", () => {
  const lines = toCsv(make()).trim().split("\n");
  assert.equal(lines.length, 1 + 12);
  assert.match(lines[1], /^"A","B",a_then_b,mean,0,7,0.75,10.75,0.5,1$/);
  assert.match(toCsv(make({ readings: "both", value: "effect" })).split("\n")[4], /^"A","B",a_then_b,ba,0,7,0.5,10.5,,$/);
});

// --- drawing --------------------------------------------------------------------------------------------------------

const THEME: Theme = { dark: false, ink: "rgb(0, 0, 0)", ground: "#ffffff", font: "sans", mono: "mono", bases: ["#1a8f4a", "#2563b8", "#c27803", "#d1333f"], unknown: "#999999", accent: "#2563b8" };

class Memory extends SvgPen {
  words: string[] = [];
  letters: [number, number, string][] = [];
  rects: number[][] = [];
  lines = 0;
  override text(words: string): void { this.words.push(words); }
  override glyph(code: number, _x: number, _y: number, _w: number, h: number, color: string): void { this.letters.push([code, h, color]); }
  override rect(x: number, y: number, w: number, h: number): void { this.rects.push([x, y, w, h]); }
  override line(..._at: Parameters<Pen["line"]>): void { this.lines++; }
}

test("a pair shows names, strands and the distance; its letters are in colour and the background grey", () => {
  const pen = new Memory(), codes = Uint8Array.of(0, 1, 2, 3, 0, 1, 2, 3, 0, 1), block = (name: string, start: number, strand: "+" | "-") => ({ name, start, end: start + 2, strand, weights: [1, 0.5] });
  const pair = { blocks: [block("A", 1, "+"), block("B", 6, "-")], codes, attributions: null, color: "#2563b8" };
  drawPair(pen, pair, { start: 0, end: 10 }, { x: 0, y: 0, width: 400, height: 134 }, THEME);
  assert.deepEqual(pen.words, ["A ▸", "◂ B", "3 bp"]);
  assert.deepEqual(pen.letters.slice(0, 3), [[0, 30, THEME.ink], [1, 100, THEME.bases[1]], [2, 50, THEME.bases[2]]]);
  const scored = new Memory();
  drawPair(scored, { ...pair, attributions: Float32Array.of(0, 2, 0, 0, 0, 0, 0, -2, 0, 0) }, { start: 0, end: 10 }, { x: 0, y: 0, width: 400, height: 134 }, THEME);
  assert.deepEqual(scored.letters, [[1, 50, THEME.bases[1]], [3, -50, THEME.bases[3]]]);
});

test("cells show sign and certainty without colour, too", () => {
  const draw = (value: number, sure: boolean, size = 20): Memory => { const pen = new Memory(); drawCell(pen, { value, sure }, 2, { x: 0, y: 0, width: size, height: size }, THEME); return pen; };
  assert.deepEqual(draw(-2, true).words, ["\u2212"]);
  assert.deepEqual(draw(2, true).words, []);
  assert.deepEqual(draw(-1.234, true, 44).words, ["\u22121.2"]);
  assert.ok(draw(2, false).rects[1][2] < draw(2, true).rects[1][2] / 2);
  assert.ok(draw(NaN, false).lines > 3);
  assert.ok(strength(0.02, 2) > 0 && strength(2, 2) === 1 && strength(1, 0) === 0);
});

test("a map of pairs has a cell a pair and a name a motif, and fits", () => {
  const pen = new Memory();
  drawGrid(pen, ["a", "b", "c"], (i, j) => ({ value: i - j, sure: true }), 2, 20, { x: 0, y: 0 }, THEME);
  assert.deepEqual(pen.words, ["a", "b", "c"]);
  assert.equal(pen.rects.length, 12);
  assert.deepEqual([cellSize(3, 900, 60), cellSize(20, 480, 80), cellSize(200, 480, 80)], [48, 20, 8]);
});
