import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { type Numbers, readBlocks } from "../src/core/wire";
import { type HitMeta, HitStore } from "../src/state/hit";
import { type HitAnswer, type HitAsk, HitAsker } from "../src/state/hitAsker";
import { keyOf } from "../src/state/hitKnown";

interface Fixture {
  ask: HitAsk;
  answer: { words: HitAnswer; hex: string };
  codes: number[];
  contributions: number[];
  kernels: number[][];
  hits: [number, number, string, string][];
  similarity: number[];
  reconstruction: number[];
}
const fixture = JSON.parse(readFileSync("../tests/fixtures/protocol/hits.json", "utf8")) as Fixture;
const told = () => readBlocks(new Uint8Array(Buffer.from(fixture.answer.hex, "hex")), fixture.answer.words.blocks);
const end = () => new AbortController().signal;
const close = (a: ArrayLike<number>, b: ArrayLike<number>, by = 1e-4): void => {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) assert.ok(Math.abs(a[i] - b[i]) < by, `${a[i]} is not ${b[i]}`);
};

const L = fixture.codes.length;
const META: HitMeta = {
  n: 2, length: L, blocks: [], names: ["a", "b"], loci: [null, null], predictions: null, target: "", annotations: [], height: 64, colors: "classic",
  motifs: ["GATA", "GG"], mode: "pp", root: false, usual: 0.7, stored: [],
};
function make(start = {}, meta = META): HitStore {
  const packed = new Uint8Array(2 * Math.ceil(L / 4)), widths = Int32Array.from(fixture.kernels, (one) => one.length / 4);
  fixture.codes.forEach((code, i) => { for (const row of [0, 1]) packed[row * Math.ceil(L / 4) + (i >> 2)] |= code << (6 - 2 * (i & 3)); });
  const values = Int16Array.from([...fixture.contributions, ...fixture.contributions], (v) => Math.round(v * 32767));
  const blocks = new Map<string, Numbers>([
    ["sequence", packed], ["unknown", new Int32Array(0)], ["widths", widths], ["lambdas", Float32Array.of(0.7, 0.7)],
    ["kernels", Float32Array.from(fixture.kernels.flat())], ["contributions", values], ["contributions_scale", Float32Array.of(1 / 32767, 1 / 32767)],
  ]);
  return new HitStore(meta, blocks, { lambda: 0.4, ...start });
}
async function filled(start = {}): Promise<HitStore> {
  const store = make(start);
  store.known.add(fixture.answer.words.key, await told());
  return store;
}
/** Blocks of one hit a region: region, start, strand. */
const blocksOf = (hits: [number, number, number][], regions: number[]): Map<string, Numbers> => new Map<string, Numbers>([
  ["regions", Int32Array.from(regions)], ["known", new Float32Array(3 * regions.length)], ["region", Int32Array.from(hits, (h) => h[0])],
  ["start", Int32Array.from(hits, (h) => h[1])], ["motif", Int32Array.from(hits, (h) => h[2])], ["rival", new Int32Array(hits.length).fill(-1)],
  ["tied", new Uint8Array(hits.length)], ["values", new Float32Array(7 * hits.length).fill(1)],
]);

test("hits are read, and put together, as Python wrote them", async () => {
  const store = await filled(), { rows, kept, explained } = store.fit;
  assert.deepEqual(kept.map((i) => store.hit(i)).map(({ start, end: to, motif, strand }) => [start, to, motif, "+-"[strand]]), fixture.hits);
  close(kept.map((i) => store.hit(i).numbers[1]), fixture.similarity);
  close(rows[1].values!, fixture.reconstruction);
  close(rows[2].values!, fixture.contributions.map((v, i) => v - fixture.reconstruction[i]));
  const square = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, v) => sum + v * v, 0);
  close([explained], [1 - square(rows[2].values!) / square(fixture.contributions)]);
  assert.deepEqual(rows.map((row) => row.extent.high), [1, 1, 1].map((v) => rows[0].extent.high * v));
});

test("the other strand is the reverse complement", () => {
  const store = make(), blocks = blocksOf([[0, 0, 1]], [0]); // GATA backwards is TATC: A of GATA under T
  store.known.add(keyOf(0.4, []), blocks);
  const want = new Float32Array(L), reverse = [3, 0, 3, 1];
  for (let j = 0; j < 4; j++) if (fixture.codes[j] === reverse[j]) want[j] = fixture.kernels[0][(3 - reverse[j]) * 4 + 3 - j];
  close(store.fit.rows[1].values!, want);
});

test("similarity hides a hit from the picture, the spans and the counts", async () => {
  const store = await filled(), [low, high] = [...fixture.similarity].sort();
  const shown = (): number => store.spans.named(store.spans.sets[0], "").length;
  assert.deepEqual([store.fit.kept.length, shown(), store.everywhere.hits], [2, 2, 2]);
  store.set({ similarity: (low + high) / 2 });
  assert.deepEqual([store.fit.kept.length, shown(), store.everywhere.hits], [1, 1, 1]);
  store.set({ similarity: null });
  assert.equal(shown(), 2);
});

test("with no kernel a motif is hidden, and the penalty is one that is stored", async () => {
  const store = await filled({ lambda: 0.5 });
  assert.equal(store.state.lambda, 0.5);
  store.set({ live: false });
  assert.equal(store.state.lambda, 0.4);
  store.set({ off: ["GATA"] });
  assert.deepEqual([store.key, store.fit.kept.map((i) => store.hit(i).motif)], ["0.4|", ["GG"]]);
  store.set({ example: 1 }); // nothing is stored for it
  assert.deepEqual([store.called, store.whole, store.fit.kept], [null, false, []]);
});

test("what was shown last stays until the answer is there", async () => {
  const store = await filled({ live: true });
  const { called } = store;
  store.set({ lambda: 0.5 });
  assert.deepEqual([store.called, store.whole], [called, false]);
  store.set({ off: ["GG"] });
  assert.equal(store.key, "0.5|1");
  assert.equal(store.fit.kept.length, 1); // hidden at once
  store.known.add("0.5|1", blocksOf([[0, 3, 0]], [0]));
  store.heard();
  assert.deepEqual([store.whole, store.called!.start[0]], [true, 3]);
});

test("a hit that is called again stays chosen", () => {
  const store = make({ live: true });
  store.known.add(keyOf(0.4, []), blocksOf([[0, 1, 0], [0, 6, 2], [1, 2, 0]], [0, 1]));
  store.known.add(keyOf(0.3, []), blocksOf([[0, 0, 1], [0, 1, 0], [0, 6, 2]], [0]));
  store.set({ item: 1, selection: [6, 9] });
  store.set({ lambda: 0.3 });
  assert.equal(store.state.item, 2);
  store.set({ item: 0, selection: [0, 4] });
  store.set({ lambda: 0.4 });
  assert.equal(store.state.item, -1);
  assert.deepEqual([store.everywhere.regions, store.everywhere.hits], [2, 3]);
  assert.equal(store.spans.item(2)!.example, 1);
});

test("a view asks in the words of the fixture, for the newest alone", async () => {
  const sent: HitAsk[] = [], store = make({ live: true }), asker = new HitAsker(store, (ask) => sent.push(ask), end());
  asker.look();
  assert.deepEqual({ ...sent[0], number: 7 }, fixture.ask);
  store.set({ lambda: 0.5 });
  store.set({ off: ["GG"] });
  assert.deepEqual(sent.map(({ key, off }) => [key, off]), [["0.4|", []], ["0.5|", []], ["0.5|1", [1]]]);
  const blocks = await told(), say = (more: Partial<HitAnswer>): void => asker.hear({ ...fixture.answer.words, number: sent.at(-1)!.number, ...more }, blocks);
  asker.hear({ ...fixture.answer.words, number: sent[0].number }, blocks); // overtaken, but a fact
  assert.deepEqual([store.state.asking, store.known.get("0.4|", 0)!.start.length], [true, 2]);
  say({ key: "0.5|1", seconds: 0.01 });
  assert.deepEqual([store.state.asking, store.whole, store.state.seconds], [false, true, 0.01]);
  store.set({ lambda: 0.4, off: [] });
  assert.equal(sent.length, 3); // known already
  store.set({ lambda: 0.9 });
  say({ key: "0.9|", blocks: [], words: "the kettle is empty" });
  assert.equal(store.state.failed, "the kettle is empty");
  asker.all();
  assert.equal(sent.at(-1)!.example, null);
});

test("what is stored is not forgotten, what was asked for is, in time", () => {
  const store = make();
  store.known.add(keyOf(0.7, []), blocksOf([], [0]));
  store.known.keep();
  for (let i = 0; i < 300; i++) store.known.add(keyOf(0.1 + i / 1000, []), blocksOf([], [0]));
  assert.ok(store.known.get(keyOf(0.7, []), 0));
  assert.ok(store.known.get(keyOf(0.399, []), 0));
  assert.equal(store.known.get(keyOf(0.1, []), 0), null);
  assert.ok(store.known.lambdas(0).length < 110);
});
