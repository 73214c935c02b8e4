import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Link } from "../src/core/link";
import { aligned, drawRow, rowWidth } from "../src/draw/browserRow";
import { SvgPen } from "../src/draw/glyphs";
import { drawContributions, type Matrix, rangeOf } from "../src/draw/motif";
import type { Theme } from "../src/draw/theme";
import { type BrowserMeta, type BrowserState, BrowserStore } from "../src/state/browser";
import { align, alignedTo, type Edit, holds, information, iupac, type Motif, replay, toMeme } from "../src/state/browserEdits";
import { joinMotifs } from "../src/state/browserLink";
import { columnsOf, rowsOf } from "../src/state/browserTable";
import { toTsv } from "../src/view/table";

interface Fixture {
  background: number[];
  motifs: { name: string; weight: number; pwm: number[][] }[];
  edits: Edit[];
  after: { number: number; name: string; tags: string[]; members: number[]; weight: number; pwm: number[][]; consensus: string }[];
  pairs: { query: number; target: number; offset: number; strand: "+" | "-"; starts: [number, number]; width: number }[];
}
const fixture = JSON.parse(readFileSync("../tests/fixtures/protocol/browser.json", "utf8")) as Fixture;
const matrix = (columns: number[][]): Matrix => ({ width: columns.length, values: [0, 1, 2, 3].flatMap((base) => columns.map((c) => c[base])) });
const letters = (text: string): number[][] => [...text].map((one) => (one === "N" ? [0.25, 0.25, 0.25, 0.25] : [..."ACGT"].map((base) => Number(base === one))));
const given: Motif[] = fixture.motifs.map(({ name, weight, pwm }, number) => ({ number, name, weight, pwm: matrix(pwm), cwm: null, tags: [], members: [number] }));
const theme = { dark: false, ink: "#000000", accent: "#2563b8", bases: ["#0a", "#0c", "#06", "#07"], unknown: "#999999" } as unknown as Theme;
const end = () => new AbortController().signal;
const close = (a: number, b: number, within = 1e-8): void => assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);

/** GATA, TATC and three columns that say nothing; TATC is the other strand of GATA. */
function make(more: Partial<BrowserMeta> = {}, start: Partial<BrowserState> = {}, blocks: Record<string, unknown> = {}): BrowserStore {
  const texts = ["GATA", "TATC", "NNN"], at = Int32Array.of(0, 4, 8, 11);
  const meta: BrowserMeta = { blocks: [], names: ["GATA", "TATC", "flat"], weights: [3, 1, 0], sites: [0, 0, 0], counts: null, background: [0.25, 0.25, 0.25, 0.25], matches: null, columns: [], cells: [], name: "motifs", height: 300, ...more };
  return new BrowserStore(meta, new Map(Object.entries({ pwm: Float32Array.from(texts.flatMap(letters).flat()), at, ...blocks })) as never, start);
}
const MATCHES = {
  matches: { names: ["t", "u"], score: "q-value", drawn: true, most: 2 },
};
const MATCH_BLOCKS = {
  match_at: Int32Array.of(0, 2, 3, 3), match_target: Int32Array.of(0, 1, 1), match_offset: Int32Array.of(1, -2, 0), match_minus: Uint8Array.of(0, 1, 0), match_value: Float32Array.of(0.001, 0.5, 0.2),
  target: Uint8Array.from(["CGATA", "TT"].flatMap(letters).flat().map((v) => 255 * v)), target_at: Int32Array.of(0, 5, 7),
};

test("edits make the motifs that Python makes of them", () => {
  const now = replay(given, fixture.edits, fixture.background);
  assert.deepEqual(now.map(({ number, name, tags, members, weight }) => ({ number, name, tags, members, weight })), fixture.after.map(({ number, name, tags, members, weight }) => ({ number, name, tags, members, weight })));
  now.forEach((one, i) => {
    const wanted = matrix(fixture.after[i].pwm);
    assert.equal(one.pwm.width, wanted.width);
    for (let k = 0; k < 4 * wanted.width; k++) close(one.pwm.values[k], wanted.values[k]);
    assert.equal(iupac(one.pwm), fixture.after[i].consensus);
  });
});

test("motifs are aligned as motif_similarity aligns them, and stand where align_motifs puts them", () => {
  for (const { query, target, offset, strand, starts, width } of fixture.pairs) {
    const found = align(given[query].pwm, given[target].pwm);
    assert.deepEqual([found.offset, found.strand], [offset, strand]);
    const match = { name: "", matrix: given[target].pwm, start: -offset, strand, value: 0 }, axis = aligned(given[query], [match], false);
    assert.deepEqual([axis.start, axis.others[0].start, axis.span], [...starts, width]);
    const turned = aligned(given[query], [match], true); // mirrored, column for column
    assert.equal(turned.start + axis.start + axis.width, axis.span);
    assert.equal(turned.others[0].start + axis.others[0].start + match.matrix.width, axis.span);
    const [a, b] = [axis.others[0].matrix!.values, turned.others[0].matrix!.values];
    assert.deepEqual(Array.from(a), Array.from(b).reverse());
  }
});

test("members of a merge are aligned to the one that counts most", () => {
  const store = make();
  assert.deepEqual(alignedTo(store.now.slice(0, 2)), [[0, 0, "+"], [1, 0, "-"]]);
  assert.deepEqual(alignedTo(given.slice(0, 2)), fixture.edits.find(([kind]) => kind === "merge")![1]);
  store.set({ chosen: [1, 0] });
  store.merge();
  assert.deepEqual(store.state.chosen, [3]);
  assert.deepEqual(store.now.map((one) => one.name), ["GATA+TATC", "flat"]);
  assert.equal(iupac(store.large!.pwm), "GATA");
  store.set({ chosen: [3, 2] });
  store.merge();
  store.set({ chosen: [4] });
  store.undo();
  assert.deepEqual(store.state.chosen, []); // what no longer is, is no longer chosen
  store.undo();
  store.redo();
  assert.deepEqual(store.now.map((one) => one.name), ["GATA+TATC", "flat"]);
  store.reset();
  assert.equal(store.now.length, 3);
});

test("a name that is taken is refused in words", () => {
  const store = make();
  assert.match(store.rename(0, "flat"), /another motif.s name/);
  assert.match(store.rename(0, "  "), /needs a name/);
  assert.equal(store.rename(0, "GATA"), "");
  assert.equal(store.state.edits.done.length, 0);
  assert.equal(store.rename(0, " new   name "), "");
  assert.equal(store.now[0].name, "new name");
  assert.equal(store.find(["GATA"]), store.now[0]); // its first name is known still
});

test("tags are put on all that are chosen, and taken off one", () => {
  const store = make({}, { chosen: [0, 2] });
  store.tag(" good, really ");
  store.tag("");
  assert.deepEqual(store.tags, ["good really"]);
  store.untag(store.now[2], "good really");
  assert.deepEqual(store.now.map((one) => one.tags.length), [1, 0, 0]);
});

test("rows are chosen alone, with others, and as a span of what is listed", () => {
  const store = make(), listed = [2, 1, 0];
  store.choose(2, "one", listed);
  store.choose(0, "through", listed);
  assert.deepEqual(store.state.chosen, [2, 1, 0]);
  store.choose(1, "through", listed);
  assert.deepEqual(store.state.chosen, [2, 1]); // back again
  store.choose(0, "more", listed);
  store.choose(1, "more", listed);
  assert.deepEqual(store.state.chosen, [2, 0]);
  store.choose(1, "one", listed);
  assert.equal(store.large!.name, "TATC");
});

test("a consensus is found in letters that stand for several, on either strand", () => {
  assert.ok(holds("WGATAR", "gata") && holds("WGATAR", "TATC") && holds("WGATAR", "NGATAR"));
  assert.ok(!holds("WGATAR", "GATAA") && !holds("NNNN", "A") && !holds("GATA", "GATAA") && !holds("GATA", "x"));
});

test("columns hold what is known, and say it in the saved file", () => {
  const store = make({ ...MATCHES, counts: [7, 0, 2], columns: [{ name: "note", kind: "text" }], cells: [["x"], [null], ["z"]] }, {}, MATCH_BLOCKS);
  const columns = columnsOf(store), named = (name: string) => columns.findIndex((c) => c.name === name);
  assert.deepEqual(columns.map((c) => c.name), ["logo", "name", "match", "q-value", "instances", "width", "information", "tags", "consensus", "note"]);
  const [head, first, second, last] = toTsv(columns, rowsOf(store, columns)).split("\n");
  assert.equal(head, "name\tmatch\tq-value\tinstances\twidth\tinformation\ttags\tconsensus\tnote");
  assert.match(first, /^GATA\tt\t0.001\t7\t4\t8\t\tGATA\tx$/);
  assert.match(second, /^TATC\tu\t0.2\t0\t4\t8\t\tTATC\t$/);
  assert.equal(last, "flat\t\t\t2\t3\t0\t\tNNN\tz");
  assert.ok(columns[named("match")].matches!("t", "U", 0)); // any of its matches
  store.set({ chosen: [0, 1] });
  store.merge();
  const merged = rowsOf(store, columns)[3];
  assert.deepEqual([merged[named("instances")], merged[named("match")], merged[named("note")]], [7, null, null]);
});

test("a row is the motif over its matches, and turns as one", () => {
  const store = make(MATCHES, {}, MATCH_BLOCKS), [motif] = store.now, drawn = (state: BrowserState): string => {
    const pen = new SvgPen();
    drawRow(pen, motif, store.matches(motif), state, 90, theme);
    return pen.svg(90, 90, "#fff");
  };
  assert.deepEqual(store.matches(motif).map(({ start, strand }) => [start, strand]), [[-1, "+"], [2, "-"]]);
  const row = drawn(store.state), glyphs = (svg: string): number => svg.match(/<path/g)!.length;
  assert.equal(glyphs(row), 4 + 5 + 2);
  assert.equal(glyphs(drawn({ ...store.state, lanes: 0 })), 4);
  assert.notEqual(drawn({ ...store.state, reverse: true }), row);
  assert.equal(rowWidth(store.now, (one) => store.matches(one)), 9 * 8);
  const pen = new SvgPen();
  drawRow(pen, store.now[2], [], store.state, 90, theme); // what says nothing is a line
  assert.equal(pen.svg(90, 48, "#fff").match(/<path/g), null);
  assert.match(pen.svg(90, 48, "#fff"), /<rect x="0.00" y="42.00" width="27.00"/);
});

test("contributions below zero hang", () => {
  const pen = new SvgPen(), m = matrix([[2, -1, 0, 0], [0, 0, 0, 0]]);
  assert.deepEqual(rangeOf(m), [-1, 2]);
  drawContributions(pen, m, { x: 0, y: 0, width: 20, height: 30 }, theme);
  const svg = pen.svg(20, 30, "#fff");
  assert.match(svg, /matrix\(9.400 0 0 -20.000 0.30 20.00\)/);
  assert.match(svg, /matrix\(9.400 0 0 10.000 0.30 20.00\)/);
  drawContributions(new SvgPen(), matrix([[0, 0, 0, 0]]), { x: 0, y: 0, width: 20, height: 30 }, theme);
});

test("bits and MEME are those of Python", () => {
  close(information(matrix(letters("GATAN")), [0.25, 0.25, 0.25, 0.25]), 8);
  close(information(matrix(letters("A")), [0.3, 0.2, 0.2, 0.3]), Math.log2(1 / 0.3));
  const text = toMeme(make().now.slice(0, 1), [0.25, 0.25, 0.25, 0.25], () => 7);
  assert.match(text, /^MEME version 4\n\nALPHABET= ACGT\n\nstrands: \+ -\n\nBackground letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n\nMOTIF GATA\nletter-probability matrix: alength= 4 w= 4 nsites= 7 E= 0\n0.000000 0.000000 1.000000 0.000000\n/);
});

test("a link carries the chosen motif both ways, and instances in the sequence's own positions", () => {
  const blocks = { ...MATCH_BLOCKS, instance_at: Int32Array.of(0, 2, 2, 2), instance: Int32Array.of(5, 10, 14, 6, 20, 24) };
  const store = make({ ...MATCHES, counts: [2, 0, 0] }, {}, blocks), link = new Link(), heard: unknown[] = [];
  link.subscribe((change) => heard.push(change), end());
  joinMotifs(store, link, end());
  store.set({ chosen: [0] });
  store.step(-1);
  store.step(1);
  assert.deepEqual(heard, [{ motif: "GATA", also: ["t"] }, { site: [6, 20, 24] }, { site: null }, { site: [5, 10, 14] }, { site: null }]);
  link.set({ motif: "u" }, link); // the best match of TATC; of GATA it is the second one
  assert.equal(store.large!.name, "TATC");
  assert.equal(link.state.motif, "u");
  assert.equal(store.state.instance, -1);
  link.set({ motif: "nobody" }, link);
  assert.equal(store.large!.name, "TATC");
  link.set({ motif: null }, link);
  assert.equal(store.large, undefined);
  const late = make();
  link.set({ motif: "flat" }, link);
  joinMotifs(late, link, end());
  assert.equal(late.large!.name, "flat");
});

test("a motif that is merged or renamed may be called by its members' names and those of their best matches", () => {
  const store = make({ ...MATCHES }, {}, MATCH_BLOCKS), link = new Link();
  joinMotifs(store, link, end());
  store.set({ chosen: [0, 1] });
  store.merge();
  store.rename(store.large!.number, "ours");
  const { chosen } = store.state;
  store.set({ chosen: [] });
  store.set({ chosen });
  assert.deepEqual(link.names, ["GATA", "TATC", "ours", "t", "u"]);
  link.set({ motif: "elsewhere", also: ["flat", "GATA"] }, link);
  assert.equal(store.large!.name, "flat");
  link.set({ motif: "u" }, link);
  assert.deepEqual([link.names, store.large!.name], [["u"], "flat"]); // what was merged was not compared
});
