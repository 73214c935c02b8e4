import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { type MechanismMeta, readSpace, sequenceOf } from "../src/state/mechanism";
import { type MechanismAnswer, MechanismAsker } from "../src/state/mechanismAsker";
import { colourOf } from "../src/state/mechanismColour";
import { Clusters } from "../src/state/spaceClusters";
import { SpaceStore, type Cut, type Edit } from "../src/state/space";
import { bitsWhere } from "../src/state/spaceBits";
import { Tree } from "../src/state/spaceTree";
import { placed } from "../src/view/mechanismPoints";

interface Case { cut: Cut; edits: Edit[]; clusters: [number, string, number[]][] }
const fixture = JSON.parse(readFileSync("../tests/fixtures/protocol/mechanism.json", "utf8")) as { counts: number[]; labels: number[]; tree: number[][]; cases: Case[] };

test("both halves cut, merge and split alike", () => {
  const tree = new Tree(fixture.counts.length, fixture.tree.flatMap(([a, b]) => [a, b]), fixture.tree.map((row) => row[2]));
  const clusters = new Clusters(tree, fixture.labels, Int32Array.from(fixture.counts));
  for (const { cut, edits, clusters: want } of fixture.cases) {
    const found = clusters.of(cut, edits, {}).map(({ id, key, leaves }) => [id, key, Array.from(leaves).sort((a, b) => a - b)]);
    assert.deepEqual(found, want, JSON.stringify([cut, edits]));
  }
});

// three sequences of five bases, the second with an unknown one; two leaves
const LETTERS = ["GATTA", "GACTA", "CATTC"], UNKNOWN = [[1, 4, 5]];
const meta = {
  n: 3, width: 5, leaves: 2, start: 10, reference: "GATNA", star: 0, locus: null, rate: 0.1, activity: "y", range: [0, 3], cluster_names: {}, colors: "classic", blocks: [],
  box: [-1, 3, 0, 2], axes: ["x", "y"], columns: [{ name: "y", low: 0, high: 3 }, { name: "kind", kinds: ["a", "b"] }], height: 300, live: false, method: "ward", stability: "",
} as unknown as MechanismMeta;

function given(): Map<string, any> {
  const pack = (word: string): number[] => [0, 4].map((at) => [0, 1, 2, 3].reduce((byte, i) => byte | (Math.max("ACGT".indexOf(word[at + i] ?? "A"), 0) << (6 - 2 * i)), 0));
  const plain = pack("GATAA"), rows = LETTERS.map((word, row) => pack(UNKNOWN.some(([r]) => r === row) ? `${word.slice(0, 4)}A` : word).map((byte, i) => byte ^ plain[i]));
  const mean = Int16Array.from({ length: 40 }, (_, i) => i), spread = Int16Array.from({ length: 40 }, (_, i) => 2 * i);
  return new Map<string, any>([
    ["codes", Uint8Array.from(rows.flat())], ["unknown", Int32Array.from(UNKNOWN.flat())], ["leaf", Uint16Array.of(0, 0, 1)], ["counts", Int32Array.of(2, 1)], ["labels", Int32Array.of(0, 1)],
    ["mean", mean], ["mean_scale", Float32Array.of(0.5, 0.25)], ["spread", spread], ["spread_scale", Float32Array.of(1, 1)],
    ["y", Float64Array.of(3, 1)], ["y_squares", Float64Array.of(5, 1)], ["y_counts", Int32Array.of(2, 0, 1, 0)], ["column0", Uint8Array.of(0, 254, 255)], ["column1", Uint8Array.of(0, 1, 0)],
    ["xy", Uint16Array.of(0, 0, 65535, 65535, 9, 9)],
  ]);
}

test("mean maps become sums, and bases come out from behind the reference", () => {
  const blocks = readSpace(meta, given());
  assert.deepEqual([...blocks.get("maps")!].slice(0, 3), [0, 1, 2]); // 2 points, half of i each
  assert.deepEqual([...blocks.get("squares")!].slice(0, 3), [0, 2 * (2 + 0.25), 2 * (4 + 1)]);
  assert.equal(blocks.get("maps")![20], 5); // the other leaf
  const words = [0, 1, 2].map((row) => [...sequenceOf(blocks, 5, row)!].map((code) => "ACGTN"[code]).join(""));
  assert.deepEqual(words, ["GATTA", "GACTN", "CATTC"]);
  const letters = blocks.get("letters")!;
  assert.deepEqual([0, 1, 2, 3].map((base) => letters[base * 5]), [0, 0, 2, 0]);
  assert.deepEqual([0, 1, 2, 3].map((base) => letters[base * 5 + 4]), [1, 0, 0, 0]); // the unknown one is counted as none
  assert.equal(Array.from(letters).reduce((a, b) => a + b), 14);
});

test("points are coloured by cluster, column, base and pattern", () => {
  const blocks = readSpace(meta, given()), store = new SpaceStore(meta, blocks), of = (what: string) => colourOf(what, store, meta, ["a", "c", "g", "t"])!;
  assert.deepEqual([...of("cluster").colour], [0, 0, 1]);
  assert.deepEqual([...of("y").colour], [0, 254, 255]);
  assert.deepEqual(of("kind").colours, { title: "kind", names: ["a", "b"] });
  assert.deepEqual([...of("base:10").colour], [2, 2, 1]);
  assert.deepEqual([...of("base:14").colour], [0, 4, 1]);
  assert.deepEqual([...of("motif:ATT").colour], [1, 0, 1]);
  assert.deepEqual([...of("motif:AAT").colour], [1, 0, 1]); // the other strand
  assert.deepEqual([...of("motif:RAYT").colour], [1, 1, 0]);
  assert.deepEqual([...of("motif:NNNNN").colour], [1, 0, 1]);
  const without = new Map(blocks);
  without.delete("codes");
  assert.equal(colourOf("base:10", new SpaceStore(meta, without), meta, []), null);
  assert.deepEqual([...colourOf("base:10", new SpaceStore(meta, without), meta, [], Uint8Array.of(3, 2, 1))!.colour], [3, 2, 1]);
});

test("new sequences are placed in the box, or on its edge", () => {
  assert.deepEqual(placed([1, 1, -9, 9], meta.box), [32768, 32768, 0, 65535]);
});

test("what is shown and not known is asked for; the newest answer counts, and facts always do", () => {
  const store = new SpaceStore(meta, readSpace(meta, given())), sent: any[] = [], told: unknown[] = [], end = new AbortController();
  const asker = new MechanismAsker(store, (message, bits) => sent.push([message, bits]), (answer) => told.push(answer?.what ?? null), end.signal);
  store.keep("a", bitsWhere(3, (i) => i < 2));
  assert.equal(sent.length, 0); // no kernel
  asker.live = true;
  asker.look();
  assert.equal(sent.length, 1);
  assert.deepEqual([...sent[0][1]], [3]);
  assert.equal(asker.asking, true);
  store.keep("a", bitsWhere(3, (i) => i > 0));
  assert.equal(sent.length, 2);
  const answer = (i: number, more: object = {}): MechanismAnswer => ({ what: "sums", number: sent[i][0].number, key: sent[i][0].key, seconds: 0, words: "", blocks: [], ...more });
  const sums = new Map<string, any>([["counts", Int32Array.of(2)], ["maps", new Float32Array(20)], ["squares", new Float32Array(20)], ["letters", new Int32Array(20)], ["y", Float32Array.of(1)], ["y_squares", Float32Array.of(1)], ["y_counts", Int32Array.of(1, 1)]]);
  asker.hear(answer(0), sums);
  assert.equal(store.state.selections[0].exact, false); // of other points
  asker.hear(answer(1, { words: "out of memory" }), new Map());
  assert.equal(store.state.selections[0].exact, false);
  assert.equal(asker.asking, false);
  asker.hear({ ...answer(1), number: 7 }, sums); // another view asked for it
  assert.equal(store.state.selections[0].exact, true);
  assert.equal(store.sums("sa").approximate, false);
  store.keep("b", bitsWhere(3, () => true));
  store.set({ against: "sa" });
  assert.equal(sent.length, 3);
  asker.ask({ what: "colour", colour: "base:3" }, "base:3");
  assert.equal(sent.length, 4);
  assert.equal(sent[3][0].colour, "base:3");
  asker.hear(answer(3, { what: "colour", number: 1 }), new Map());
  assert.equal(told.at(-1), null); // not what was asked for last
  end.abort();
  store.keep("c", bitsWhere(3, (i) => i === 1));
  assert.equal(sent.length, 4);
});
