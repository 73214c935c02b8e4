import assert from "node:assert/strict";
import test from "node:test";
import { Link } from "../src/core/link";
import { join } from "../src/core/join";
import { SvgPen } from "../src/draw/glyphs";
import { MAX_LANES, pack } from "../src/draw/lanes";
import type { Theme } from "../src/draw/theme";
import type { ProfilesMeta } from "../src/protocol";
import { coverage, inside, runOf, Spans, touching } from "../src/state/spans";
import { TrackStore, type TrackState } from "../src/state/track";
import { Lanes } from "../src/view/lanes";
import { NameRows, ROWS } from "../src/view/nameRows";
import { SpanTracks } from "../src/view/spanTracks";
import { type Row, sent, spansOf } from "./spans";

const THEME: Theme = { dark: false, ink: "rgb(0, 0, 0)", ground: "#ffffff", font: "sans", mono: "mono", bases: [], unknown: "#999999", accent: "#2563b8" };
const FRAME = { x: 100, y: 0, width: 500, height: 80 };

/** Numbers that are the same each time. */
function random(seed = 1): (below: number) => number {
  return (below) => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return Math.floor((seed / 2 ** 32) * below); };
}
function someRows(count: number, n: number, length: number, names: string[], widest = 20): Row[] {
  const next = random();
  const rows = Array.from({ length: count }, (): Row => {
    const start = next(length - 1);
    return [next(n), start, Math.min(start + 1 + next(widest), length), names[next(names.length)], ["", "+", "-"][next(3)], next(100)];
  });
  return rows.sort((a, b) => a[0] - b[0] || a[1] - b[1] || b[2] - a[2]);
}
function store(tables: Record<string, Row[]>, n = 2, length = 100, start: Partial<TrackState> = {}): TrackStore {
  const [annotations, blocks] = sent(tables, n);
  blocks.set("profile0", new Int16Array(n * length)).set("profile0.scale", new Float32Array(n).fill(1));
  const meta: ProfilesMeta = {
    n, length, offset: 0, size: length, blocks: [], loci: Array(n).fill(null), rows: [{ label: "a", source: 0, strands: 1, ghost: null, band: false }],
    names: Array.from({ length: n }, (_, i) => `s${i}`), predictions: null, target: "", annotations, height: 72, scale: "row", live: null,
  };
  return new TrackStore(meta, blocks, start);
}
const end = new AbortController().signal;

test("what touches a place, and how much lies over it, is what a walk through all of them finds", () => {
  const rows: Row[] = [...someRows(400, 3, 200, ["a", "b", ""], 30), [2, 0, 200, "wide"]];
  const spans = spansOf(rows.sort((a, b) => a[0] - b[0] || a[1] - b[1] || b[2] - a[2]), 3), [set] = spans.sets;
  for (let e = 0; e < 3; e++) for (const name of ["", "a", "wide", "absent"]) {
    const run = spans.run(set, e, name), own = Array.from({ length: set.at[e + 1] - set.at[e] }, (_, i) => set.at[e] + i).filter((row) => !name || set.names[set.name[row]] === name);
    assert.deepEqual([...run.rows], own);
    for (const [a, b] of [[0, 200], [10.5, 11.25], [50, 90], [199, 200], [-5, 0], [199.5, 199.75]]) {
      const naive = own.filter((row) => set.end[row] > a && set.start[row] < b);
      assert.deepEqual(inside(run, a, b).map((place) => run.rows[place]), naive);
      assert.equal(touching(run, a, b), naive.length);
    }
    const naive = Array.from({ length: 7 }, (_, c) => own.filter((row) => set.end[row] > 20 + c * 5 && set.start[row] < 25 + c * 5).length);
    assert.deepEqual([...coverage(run, 20, 55, 7)], naive);
  }
});

test("no two spans of a lane overlap, nor does a name beside its bar, and what has no lane is counted", () => {
  const [set] = spansOf(someRows(300, 1, 400, ["", "GATA", "pos_patterns.pattern_12"], 40)).sets, run = runOf(set, Int32Array.from(set.start, (_, i) => i));
  for (const p of [0.5, 1.4, 6, Infinity]) {
    const { of, lanes } = pack(run, p), ends = new Map<number, number>();
    const beside = (row: number): number => { const name = set.names[set.name[row]].length * 6.2 + 8; return p < 1 || name < (set.end[row] - set.start[row]) * p ? 4 : name; };
    of.forEach((lane, i) => {
      if (lane < MAX_LANES) assert.ok(set.start[i] >= (ends.get(lane) ?? -Infinity));
      else for (let other = 0; other < MAX_LANES; other++) assert.ok(ends.get(other)! > set.start[i]); // none was free
      ends.set(lane, set.end[i] + beside(i) / p);
    });
    assert.equal(lanes, MAX_LANES + 1);
    assert.equal(pack(runOf(set, new Int32Array()), p).lanes, 0);
  }
});

test("stepping goes through all spans of a name, in all sequences and tables, once each and back again", () => {
  const a = someRows(60, 4, 50, ["x", "y"]), b = someRows(40, 4, 50, ["y", "z"]), spans = new Spans(...sent({ a, none: [], b }, 4));
  for (const name of ["y", "z", "", "absent"]) {
    const walk = (by: 1 | -1): number[] => {
      const found: number[] = [];
      let item = spans.next(name, { example: by > 0 ? 0 : 3, start: by > 0 ? 0 : 50 }, by);
      for (; item && found.length < 200; item = spans.next(name, item, by)) found.push(item.set.base + item.row);
      return found;
    };
    const all = spans.sets.flatMap((set) => [...spans.named(set, name)].map((row) => spans.item(set.base + row)!));
    const order = all.map((one, i) => ({ one, i })).sort((p, q) => p.one.example - q.one.example || p.one.start - q.one.start || p.i - q.i).map(({ one }) => one.set.base + one.row);
    assert.deepEqual(walk(1), order);
    assert.deepEqual(walk(-1), [...order].reverse());
  }
  assert.equal(spans.item(-1), undefined);
});

test("a threshold hides what is below it and what has no score, in every way of looking", () => {
  const one = store({ hits: [[0, 1, 5, "a", "+", 3], [0, 4, 9, "b", "-", NaN], [0, 8, 12, "a", "", -2], [1, 0, 4, "a", "+", 5]], other: [[0, 0, 3]] }), [set, other] = one.spans.sets;
  assert.equal(one.spans.named(set, "").length, 4);
  one.set({ thresholds: { hits: { score: -2 } } });
  assert.deepEqual([...one.spans.named(set, "")], [0, 2, 3]);
  one.set({ thresholds: { hits: { score: 0 } } });
  assert.deepEqual([...one.spans.run(set, 0).rows], [0]);
  assert.deepEqual([...one.spans.run(other, 0).rows], [0]);
  assert.equal(one.spans.next("a", one.spans.item(0)!, 1)?.row, 3);
  one.set({ thresholds: {} });
  assert.equal(one.spans.run(set, 0).rows.length, 3);
  const saved = store({ hits: [[0, 1, 5, "a", "+", 3], [0, 2, 5, "a", "+", 1]] }, 1, 50, { thresholds: { hits: { score: 2 }, gone: { score: 1 } } });
  assert.equal(saved.spans.run(saved.spans.sets[0], 0).rows.length, 1);
});

test("names have rows by count or by first appearance, in pages; the one that is chosen is always there", () => {
  const names = Array.from({ length: 500 }, (_, i) => `M${i}`), rows = names.flatMap((name, i): Row[] => Array.from({ length: 1 + (i % 7) }, (_, k) => [0, (i * 37 + k * 11) % 900, ((i * 37 + k * 11) % 900) + 9, name]));
  const one = store({ hits: rows.sort((a, b) => a[1] - b[1]) }, 1, 1000), [set] = one.spans.sets, view = new NameRows(one, set);
  const counts = view.shown.map(({ rows: own }) => own.length);
  assert.deepEqual(counts, Array(ROWS).fill(7));
  assert.equal(view.named.length, 500);
  assert.equal(view.named.reduce((sum, { rows: own }) => sum + own.length, 0), rows.length);
  for (const { name, rows: own } of view.named) assert.ok([...own].every((row) => set.names[set.name[row]] === name));
  one.set({ order: "first" });
  const starts = view.named.map(({ rows: own }) => own[0]);
  assert.deepEqual(starts, [...starts].sort((a, b) => a - b));
  const far = view.named[400].name;
  one.set({ chosen: far });
  assert.deepEqual([view.shown.length, view.shown[ROWS].name], [ROWS + 1, far]);
  one.set({ chosen: "absent", page: 99 });
  assert.equal(view.shown.length, 500 % ROWS);
  const pen = new SvgPen();
  one.set({ page: 0, chosen: "" });
  view.draw(pen, 0.5, FRAME, THEME);
  assert.ok(pen.svg(600, 300, "#fff").includes("+488 more"));
  assert.equal(view.nameAt(5 * 16 + 3) === view.shown[5], true);
  assert.equal(view.nameAt(ROWS * 16 + 3), "more");
});

test("a span is found where it is drawn, packed and in rows, of the right table", () => {
  for (const annotationLayout of ["packed", "rows"] as const) {
    const one = store({ a: [[0, 10, 30, "x"], [0, 20, 40, "y"]], none: [], b: [[0, 20, 40, "x"], [1, 0, 100, "z"]] }, 2, 100, { annotationLayout }), tracks = new SpanTracks(one), p = 5, found = new Set<number>();
    for (let y = 0; y < tracks.height(p); y += 4) for (const x of [12, 25, 38]) found.add(tracks.find(p, x, y));
    assert.deepEqual([...found].sort(), [-1, 0, 1, 2]);
    const last = annotationLayout === "packed" ? 36 + 6 + 16 + 6 : 16 + 36 + 6 + 16 + 16 + 6 + 16; // tables with their labels, 6 apart
    assert.deepEqual([last - 3, last + 1, last + 15].map((y) => tracks.find(p, 25, y)), [-1, 2, 2]);
    one.set({ example: 1 });
    const pen = new SvgPen();
    tracks.draw(pen, p, FRAME, THEME);
    assert.equal(pen.svg(600, 200, "#fff").split("none here").length, 3);
  }
});

test("of many, how much lies over each column is drawn, and the chosen name over it", () => {
  const one = store({ a: someRows(5000, 1, 10_000, ["x", "y"]) }, 1, 10_000), lanes = new Lanes(one, one.spans.sets[0]), boxes = (): number => { const pen = new SvgPen(); lanes.draw(pen, 0.05, FRAME, THEME); return pen.svg(600, 60, "#fff").split("<rect").length; };
  const all = boxes();
  assert.ok(all > 400 && all < 520);
  one.set({ chosen: "x" });
  assert.ok(boxes() > all + 300);
  assert.equal(lanes.find(0.05, 500, 5), -1);
  one.set({ view: { start: 0, end: 200 } });
  assert.notEqual(Math.max(...Array.from({ length: 200 }, (_, x) => lanes.find(2.5, x, 5))), -1);
});

test("the chosen motif goes through the link, wherever the views are, and to one that comes late", () => {
  const link = new Link(), a = store({ hits: [[0, 1, 5, "GATA"]] }), b = store({ hits: [] }, 5, 40), leave = new AbortController();
  join(a, link, leave.signal);
  join(b, link, end);
  a.set({ chosen: "GATA" });
  assert.deepEqual([link.state.motif, b.state.chosen], ["GATA", "GATA"]);
  const late = store({ hits: [] });
  join(late, link, end);
  assert.equal(late.state.chosen, "GATA");
  link.set({ motif: null }, {});
  for (const one of [a, b, late]) assert.equal(one.state.chosen, "");
  const leads = new Link(), saved = store({ hits: [] }, 2, 100, { chosen: "AP1" });
  join(saved, leads, end);
  assert.equal(leads.state.motif, "AP1");
  assert.equal(saved.state.chosen, "AP1");
});

test("of a motif whose name a view does not know, it takes another name that it knows", () => {
  const link = new Link(), one = store({ hits: [[0, 1, 5, "GATA4"], [0, 6, 9, "AP1"]] });
  join(one, link, end);
  link.set({ motif: "pattern_0", also: ["GATA2", "GATA4", "AP1"] }, {});
  assert.deepEqual([one.state.chosen, link.state.motif], ["GATA4", "pattern_0"]);
  link.set({ motif: "pattern_1" }, {});
  assert.deepEqual([one.state.chosen, link.names], ["pattern_1", ["pattern_1"]]);
  const late = store({ hits: [[0, 1, 5, "AP1"]] });
  link.set({ motif: "pattern_2", also: ["AP1"] }, {});
  join(late, link, end);
  assert.equal(late.state.chosen, "AP1");
});

test("another selection, or another sequence, is no longer the span that was clicked on", () => {
  const one = store({ hits: [[0, 1, 5, "a"], [1, 1, 5, "a"]] });
  one.set({ item: 0, selection: [1, 5] });
  one.set({ item: 0, selection: [1, 5] });
  assert.equal(one.state.item, 0);
  one.set({ selection: [1, 6] });
  assert.equal(one.state.item, -1);
  one.set({ example: 1, item: 1, selection: [1, 5] });
  assert.deepEqual([one.state.item, one.state.selection], [1, [1, 5]]);
  one.set({ example: 0 });
  assert.deepEqual([one.state.item, one.state.selection], [-1, null]);
});
