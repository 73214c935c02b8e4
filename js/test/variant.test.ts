import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { join } from "../src/core/join";
import { Link, type LinkChange } from "../src/core/link";
import type { Numbers } from "../src/core/wire";
import { binOf, drawHistogram, edges, histogram, scoreAt, stepOf } from "../src/draw/variantHistogram";
import { SvgPen } from "../src/draw/glyphs";
import type { Theme } from "../src/draw/theme";
import type { Ask } from "../src/protocol";
import type { Change } from "../src/state/edits";
import { Live } from "../src/state/live";
import { factsOf, toCsv, type VariantMeta, VariantStore } from "../src/state/variant";
import { align, spans, toColumn, toPosition } from "../src/state/variantColumns";
import { Along } from "../src/state/variantLink";
import { pairRows } from "../src/state/variantRows";

const fixture = JSON.parse(readFileSync("../tests/fixtures/protocol/variant.json", "utf8")) as {
  alignments: { name: string; changes: Change[]; length: number; ref: number[]; alt: number[] }[];
  asks: Ask[];
};

const THEME: Theme = { dark: false, ink: "#1c1c1e", ground: "#ffffff", font: "sans-serif", mono: "monospace", bases: ["#1", "#2", "#3", "#4"], unknown: "#999999", accent: "#2563b8" };

/** Three variants of ACGTACGT: a substitution, an insertion, a deletion; attributions of the first two. */
function make(change: Partial<VariantMeta> = {}, more: [string, Numbers][] = []): VariantStore {
  const scores = Int16Array.from({ length: 32 }, (_, i) => i % 16);
  const meta: VariantMeta = {
    n: 3, length: 8, blocks: [], names: ["a", "b", "c"], loci: [["chr1", 100], ["chr1", 200], ["chr1", 300]], predictions: null, target: "", annotations: [],
    height: 64, colors: "classic", references: 1, live: null, profile: null, dropped: [],
    columns: [{ name: "difference", kind: "number" }, { name: "reference", kind: "number" }, { name: "alternative", kind: "number" }],
    rows: [[0.5, 1, 1.5], [-2, 3, 1], [null, 1, null]], scores: [{ name: "difference", column: 0, alleles: [1, 2] }],
    changes: [[[3, 4, "G"]], [[4, 4, "TT"]], [[2, 5, ""]]], ...change,
  };
  const blocks = new Map<string, Numbers>([
    ["sequence", Uint8Array.from([0b00011011, 0b00011011])], ["unknown", new Int32Array()], ["window", Int32Array.from([0, 0, 0])],
    ["attributions", scores], ["attributions.scale", Float32Array.from([0.5, 1])], ["attributions.rows", Int32Array.from([0, 1])],
    ["profiles.rows", new Int32Array()], ...more,
  ]);
  return new VariantStore(meta, blocks, { example: 0, view: { start: 0, end: 8 } });
}

for (const { name, changes, length, ref, alt } of fixture.alignments) test(`alleles in columns: ${name}`, () => {
  const found = align(changes, length);
  assert.deepEqual([[...found.ref], [...found.alt]], [ref, alt]);
});

test("positions and columns", () => {
  const columns = align([[3, 3, "GT"]], 8);
  assert.deepEqual([0, 2.5, 3, 4, 5, 5.5, 8].map((c) => toPosition(columns, c)), [0, 2.5, 3, 3, 3, 3.5, 6]);
  assert.deepEqual([0, 2.5, 3, 3.5, 5, 9].map((p) => toColumn(columns, p)), [0, 2.5, 5, 5.5, 7, 8]);
  assert.deepEqual(spans((i) => i > 1, 4), [{ start: 0, end: 2, there: false }, { start: 2, end: 4, there: true }]);
});

test("variants are ranked by how large their score is, and the missing come last", () => {
  const store = make();
  assert.deepEqual([...store.order], [1, 0, 2]);
  assert.deepEqual([0, 0.5, 1, 3].map((t) => store.count(t)), [3, 2, 1, 0]);
  store.set({ threshold: 0.6 });
  assert.deepEqual([0, 1, 2].map((i) => store.beyond(i)), [false, true, false]);
  assert.deepEqual(factsOf(store, 1), { score: -2, alleles: [3, 1] });
  assert.deepEqual(factsOf(store, 2), { score: NaN, alleles: null });
});

test("another variant is looked at as closely, about its own middle", () => {
  const meta = { length: 40, changes: [[[20, 21, "G"]], [[4, 4, "TT"]], [[30, 33, ""]]] as Change[][] };
  const store = make(meta, [["sequence", new Uint8Array(10)]]);
  store.set({ view: { start: 10, end: 30 }, selection: [12, 14] });
  store.set({ example: 2 });
  assert.deepEqual([store.state.view, store.state.selection], [{ start: 20, end: 40 }, null]);
  store.set({ example: 1 }); // as far as the window goes
  assert.deepEqual(store.state.view, { start: 0, end: 20 });
  store.set({ example: 9 });
  assert.equal(store.state.example, 2);
});

test("rows: the difference is where both have a base, gaps have no value", () => {
  const store = make(), [ref, alt, difference] = pairRows(store).letters;
  assert.deepEqual([...ref.row.observed!], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
  assert.deepEqual([...difference.row.observed!], new Array(8).fill(4));
  assert.deepEqual([ref.codes[3], alt.codes[3]], [3, 2]);
  assert.deepEqual(ref.row.extent, alt.row.extent);

  store.set({ example: 1 });
  const rows = pairRows(store).letters;
  assert.deepEqual([...rows[0].row.observed!], [0, 1, 2, 3, NaN, NaN, 4, 5]);
  assert.deepEqual([...rows[2].row.observed!], [8, 8, 8, 8, NaN, NaN, 10, 10]);
  assert.deepEqual(rows[0].spans.map(({ start, end, there }) => [start, end, there]), [[0, 4, true], [4, 6, false], [6, 8, true]]);
  assert.deepEqual(rows.map(({ spans: all }) => all.length), [3, 1, 3]);
  assert.deepEqual([...rows[1].codes], [0, 1, 2, 3, 3, 3, 0, 1]);

  store.set({ example: 2 });
  const bare = pairRows(store).letters;
  assert.equal(bare.length, 2);
  assert.equal(bare[0].row.observed, null);
});

test("profiles stand where their bases do", () => {
  const profile = Int16Array.from([1, 2, 3, 4, 10, 20, 30, 40]);
  const store = make({ profile: [1, 4] }, [["profiles", profile], ["profiles.scale", Float32Array.from([1])], ["profiles.rows", Int32Array.from([2])]]);
  store.set({ example: 2 });
  const { tracks, first } = pairRows(store), [both, change] = tracks;
  assert.equal(first, 2); // the profile is of positions 2 to 6, of which the alternative has lost 2 to 5
  assert.deepEqual([...both.strands[0].ghost![0].mean], [1, 2, 3, 4, NaN, NaN]);
  assert.deepEqual([...both.strands[0].levels[0].mean], [NaN, NaN, NaN, 10, 20, 30]);
  assert.deepEqual([...change.strands[0].levels[0].mean], [NaN, NaN, NaN, 6, NaN, NaN]);
});

test("what a model said before the notebook was saved is there", () => {
  const kept = new Map<string, Numbers>([["attributions", new Int16Array(16).fill(3)], ["attributions.scale", Float32Array.from([2])], ["attributions.rows", Int32Array.from([2])]]);
  const { meta, blocks } = make(), store = new VariantStore(meta, blocks, { example: 2 }, kept);
  assert.equal(store.attributions("alt")!.values[0], 6);
  store.set({ example: 0 });
  assert.equal(store.attributions("ref")!.values[1], 0.5);
});

test("the table of what is in view", () => {
  const store = make();
  store.set({ example: 1, view: { start: 0, end: 8 } });
  const lines = toCsv(store, pairRows(store)).trim().split("\n");
  assert.equal(lines[0], "position,ref,alt,reference,alternative,difference");
  assert.equal(lines[4], "203,T,T,3,11,8");
  assert.equal(lines[5], ",-,T,,12,");
});

test("bins hold every score, of both signs as wide to each side", () => {
  const { range, counts } = histogram([0.1, -0.4, 0.4, NaN, 0]);
  assert.deepEqual(range, { low: -0.4, high: 0.4 });
  assert.equal(counts.reduce((a, b) => a + b), 4);
  assert.equal(counts[30], 1);
  assert.equal(counts[0] + counts[60], 2);
  assert.equal(binOf(range, 9), 60);
  assert.ok(edges(range, 30)[0] < 0 && edges(range, 30)[1] > 0);
  assert.deepEqual(histogram([]).range, { low: 0, high: 1 });
  assert.deepEqual(histogram([2, 2]).range, { low: 0, high: 2 });
  assert.equal(stepOf({ low: 0, high: 1.03 }), 0.02);
  assert.equal(scoreAt({ low: -1, high: 1 }, { x: 10, y: 0, width: 100, height: 9 }, 60), 0);
});

test("the histogram is drawn, and bars beyond the threshold have colours", () => {
  const draw = (threshold: number): string => {
    const pen = new SvgPen();
    drawHistogram(pen, histogram([0.1, -0.4, 0.4, 0, 0, 0]), { threshold, shown: 0.1, bin: -1, held: false }, { x: 0, y: 20, width: 610, height: 100 }, "difference", "", THEME);
    return pen.svg(610, 120, "#fff");
  };
  assert.equal(draw(0.3).split("#b4530a").length - 1, 1); // what falls
  assert.equal(draw(0.3).split("#2563b8").length - 1, 1); // what rises, at least as much
  assert.equal(draw(0).split("#2563b8").length - 1, 2);
});

test("both alleles are asked for, and answers fill the rows", () => {
  const store = make({ live: { target: "enhancer", method: "saliency", profile: true }, profile: [1, 4] }), asked: Ask[] = [];
  let tell: (answer: any, blocks: Map<string, Numbers>) => void = () => undefined;
  store.set({ example: 2 });
  const live = new Live(store, { live: () => undefined, ask: (ask) => asked.push(ask as Ask), onAnswer: (handler) => { tell = handler; } });
  live.look();
  const answer = (more: object, blocks: [string, Numbers][]): void => tell({ number: asked.at(-1)!.number, last: true, prediction: 1, original: 1, deletion: [], insertion: [], ...more }, new Map(blocks));
  const profile = (): void => answer({ stage: "profile" }, [["profile", Int16Array.from([1, 2, 3, 4])], ["profile_scale", Float32Array.from([1])]]);
  const scores = (): void => answer({ stage: "scores" }, [["scores", new Int16Array(32).fill(2)], ["scores_scale", Float32Array.from([0.5])]]);
  profile();
  profile();
  scores();
  scores();
  assert.deepEqual(asked.map(({ example, target, method }) => [example, target, method]), [[0, "", "profile"], [3, "", "profile"], [0, "enhancer", "saliency"], [3, "enhancer", "saliency"]]);
  assert.deepEqual({ ...asked[1], number: 0, example: 0 }, { ...fixture.asks[1], number: 0, example: 0 });
  assert.equal(store.state.asking, false);
  const { letters, tracks } = pairRows(store);
  assert.equal(letters[0].row.observed![0], 1);
  assert.equal(letters.length, 3);
  assert.equal(tracks[0].strands[0].ghost![0].mean[0], 1);
  store.set({ example: 0 }); // its attributions are stored, its profiles are not; the reference's is known
  assert.deepEqual(asked.at(-1)!.method, "profile");
  assert.equal(asked.at(-1)!.example, 1);
  tell({ number: asked.at(-1)!.number, stage: "error", words: "out of memory", last: true, blocks: [] }, new Map());
  assert.equal(store.state.failed, "out of memory");
});

test("linked views hear positions of the reference, and the alternative as an edit", () => {
  const store = make(), link = new Link(), heard: LinkChange[] = [], end = new AbortController().signal;
  join(new Along(store), link, end);
  link.subscribe((change) => heard.push(change), end);
  store.set({ example: 1, hover: null });
  assert.deepEqual(Object.values(link.state.edits).at(-1), [[4, 4, "TT"]]);
  store.set({ hover: 7 });
  assert.equal(link.state.hover, 205);
  link.set({ hover: 204 }, link);
  assert.equal(store.state.hover, 6);
  link.set({ example: 2, chrom: "chr1", view: [300, 308], selection: [303, 305] }, link);
  assert.deepEqual([store.state.example, store.state.selection], [2, [3, 5]]);
});
