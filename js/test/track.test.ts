import assert from "node:assert/strict";
import test from "node:test";
import { Nobody } from "../src/backend/nobody";
import { Link, sequenceOf } from "../src/core/link";
import type { Numbers } from "../src/core/wire";
import { type Pen, SvgPen } from "../src/draw/glyphs";
import { pyramid } from "../src/draw/lod";
import type { Theme } from "../src/draw/theme";
import { drawGutter, drawTrack, rowExtent, runsOf, type Strand, trackMode, type TrackRow } from "../src/draw/track";
import { join } from "../src/core/join";
import type { Answer, ProfilesMeta } from "../src/protocol";
import type { Change } from "../src/state/edits";
import { Live } from "../src/state/live";
import { toCsv, TrackStore } from "../src/state/track";

const FRAME = { x: 100, y: 10, width: 300, height: 80 };
const THEME: Theme = { dark: false, ink: "rgb(0, 0, 0)", ground: "#ffffff", font: "sans", mono: "mono", bases: [], unknown: "#999999", accent: "#2563b8" };

const strand = (values: number[], more: { ghost?: number[]; band?: [number[], number[]] } = {}): Strand => {
  const levels = (v: number[]) => pyramid(Float32Array.from(v));
  return { levels: levels(values), ghost: more.ghost ? levels(more.ghost) : null, band: more.band ? { low: levels(more.band[0]), high: levels(more.band[1]) } : null };
};
const row = (...strands: Strand[]): TrackRow => ({ label: "a", ghost: strands[0].ghost ? "b" : "", strands, extent: rowExtent(strands) });

/** Remembers the shapes and lines, as [colour, numbers of the path]. */
class Memory extends SvgPen {
  shapes: { d: string; color: string }[] = [];
  lines: number[][] = [];
  words: string[] = [];
  override shape(d: string, color: string): void { this.shapes.push({ d, color }); }
  override line(...at: Parameters<Pen["line"]>): void { this.lines.push(at.slice(0, 4) as number[]); }
  override text(words: string): void { this.words.push(words); }
}
const drawn = (one: TrackRow, view = { start: 0, end: one.strands[0].levels[0].mean.length }): Memory => {
  const pen = new Memory();
  drawTrack(pen, one, view, FRAME, THEME);
  return pen;
};
/** Corners of a path of M, H, V, Z. */
function corners(d: string): [number, number][] {
  let x = 0, y = 0;
  const out: [number, number][] = [];
  for (const [, kind, numbers] of d.matchAll(/([MHV])([-\d. ]+)/g)) {
    const v = numbers.trim().split(" ").map(Number);
    if (kind === "M") [x, y] = v;
    else if (kind === "H") x = v[0];
    else y = v[0];
    out.push([x, y]);
  }
  return out;
}

test("steps where a position is three pixels wide, an area below", () => {
  assert.deepEqual([3, 2.9].map(trackMode), ["steps", "area"]);
});

test("a stair goes through the values", () => {
  const { d } = drawn(row(strand([1, 4, 2]))).shapes[0];
  // 100 pixels a position, 20 a unit; the axis is at the bottom, y = 90
  assert.deepEqual(corners(d), [[100, 70], [200, 70], [200, 10], [300, 10], [300, 50], [400, 50], [400, 90], [100, 90]]);
});

test("the second strand hangs down from the same axis", () => {
  const { shapes } = drawn(row(strand([1, 2]), strand([2, 1])));
  const [up, down] = [shapes[0], shapes[2]].map((s) => corners(s.d).map(([, y]) => y));
  assert.deepEqual([Math.min(...up), Math.max(...up)], [10, 50]);
  assert.deepEqual([Math.min(...down), Math.max(...down)], [50, 90]);
});

test("an empty strand keeps its room, and its sign", () => {
  const { low, high } = rowExtent([strand([3, 1]), strand([0, 0])]);
  assert.equal(high, 3);
  assert.ok(Math.abs(low + 0.45) < 1e-9);
  assert.deepEqual(rowExtent([strand([3, -1])]), { low: -1, high: 3, clipped: false });
});

test("ghost and band count in the range", () => {
  assert.equal(rowExtent([strand([1, 2], { ghost: [5, 1] })]).high, 5);
  assert.equal(rowExtent([strand([1, 2], { band: [[-1, 1], [2, 7]] })]).low, -1);
});

test("columns of an area keep the extremes and the mean of what they hold", () => {
  const values = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i / 7) + (i === 1234 ? 5 : 0));
  for (const view of [{ start: 0, end: 5000 }, { start: 1000, end: 1500 }]) {
    const runs = runsOf(pyramid(values), view, FRAME);
    assert.equal(runs.length, 1);
    assert.equal(runs[0].mean.length, 300);
    assert.equal(Math.max(...runs[0].high), values[1234]);
    const part = values.slice(view.start, view.end), mean = part.reduce((a, b) => a + b, 0) / part.length;
    assert.ok(Math.abs(runs[0].mean.reduce((a, b) => a + b, 0) / 300 - mean) < 0.05);
  }
});

test("nothing is drawn outside the profile", () => {
  for (const [size, view] of [[1000, { start: -1000, end: 2000 }], [30, { start: -30, end: 60 }]] as const) {
    const [run] = runsOf(pyramid(new Float32Array(size).fill(1)), view, FRAME);
    assert.ok(Math.abs(run.x - 200) <= 1);
    assert.ok(Math.abs(run.mean.length * run.width - 100) <= 1.01);
  }
  assert.deepEqual(drawn(row(strand([1, 2])), { start: 5, end: 9 }).shapes, []);
});

test("missing values are hatched, and known ones beside them drawn", () => {
  const values = Array.from({ length: 60 }, (_, i) => (i >= 20 && i < 30 ? NaN : 1));
  const runs = runsOf(pyramid(Float32Array.from(values)), { start: 0, end: 60 }, FRAME);
  assert.deepEqual(runs.map((r) => [r.known, r.x, r.mean.length]), [[true, 100, 20], [false, 200, 10], [true, 250, 30]]);
  const hatches = drawn(row(strand(values))).lines.filter(([, a, , b]) => a !== b);
  assert.ok(hatches.length > 5);
  assert.ok(!drawn(row(strand(values.map(() => 1)))).lines.some(([, a, , b]) => a !== b));
});

test("a band and a ghost have shapes of their own", () => {
  const plain = drawn(row(strand([1, 2]))).shapes.length;
  assert.equal(drawn(row(strand([1, 2], { ghost: [2, 1] }))).shapes.length, plain + 1);
  const { shapes } = drawn(row(strand([1, 2], { band: [[0.5, 1], [2, 4]] })));
  assert.equal(shapes.length, plain + 1);
  assert.deepEqual(corners(shapes[1].d), [[100, 50], [250, 50], [250, 10], [400, 10], [400, 70], [250, 70], [250, 80], [100, 80]]);
});

test("a value that the scale cuts off is marked once", () => {
  const values = Array.from({ length: 900 }, (_, i) => 1 + (i % 3)), count = (v: number[]) => drawn(row(strand(v))).shapes.length;
  const marked = values.map((v, i) => (i === 449 || i === 450 ? 500 : v)); // of two columns side by side
  assert.ok(rowExtent([strand(marked)]).clipped);
  assert.equal(count(marked), count(values) + 2); // the wedge and its ground
});

test("the gutter names rows, ghosts and ranges without minus signs for a strand", () => {
  const pen = new Memory();
  drawGutter(pen, row(strand([4, 1], { ghost: [1, 1] }), strand([2, 1])), FRAME, THEME);
  assert.deepEqual(pen.words, ["a", "b", "4", "2", "+", "\u2212"]);
  for (const [values, said] of [[[0, 0], "all zero"], [[NaN, NaN], "no values"]] as const) {
    const other = new Memory();
    drawGutter(other, row(strand([...values])), FRAME, THEME);
    assert.deepEqual(other.words, ["a", said]);
  }
});

// --- what is shown, and what linked views tell each other ------------------------------------------------------------

function store(loci: ProfilesMeta["loci"] = [null, null], length = 100, offset = 10): TrackStore {
  const n = loci.length, size = length - 2 * offset;
  const blocks = new Map<string, Numbers>([
    ["profile0", Int16Array.from({ length: n * 2 * size }, (_, i) => i % 100)],
    ["profile0.scale", new Float32Array(n).fill(0.5)],
  ]);
  const meta: ProfilesMeta = {
    n, length, offset, size, blocks: [], loci, rows: [{ label: 'a "b"', source: 0, strands: 2, ghost: null, band: false }],
    names: loci.map((_, i) => `s${i}`), predictions: null, target: "", annotations: [], height: 72, scale: "row", live: null,
  };
  return new TrackStore(meta, blocks, {});
}
const end = new AbortController().signal;

test("a table of what is in view has positions of the genome and a column a strand", () => {
  const one = store([["chr1", 1000]]);
  one.set({ view: { start: 8, end: 20 } });
  const lines = toCsv(one).trimEnd().split("\n");
  assert.equal(lines[0], 'position,"a ""b"" (+)","a ""b"" (-)"');
  assert.deepEqual([lines.length, lines[1], lines[3]], [11, "1010,0,40", "1012,1,41"]);
});

test("linked views follow each other, and not themselves", () => {
  const link = new Link(), a = store(), b = store(), alone = store(), far = store([["chr1", 1e9]]);
  join(far, new Link(), end);
  far.set({ view: { start: 0.1, end: 50.3 } });
  assert.deepEqual(far.state.view, { start: 0.1, end: 50.3 }); // not as it would come back, with fewer digits
  join(a, link, end);
  join(b, link, end);
  a.set({ example: 1 });
  a.set({ view: { start: 20, end: 60 }, selection: [25, 30] });
  b.set({ hover: 33 });
  assert.deepEqual(b.state, { ...a.state });
  assert.deepEqual([a.state.hover, b.state.example, b.state.view, b.state.selection], [33, 1, { start: 20, end: 60 }, [25, 30]]);
  assert.equal(alone.state.example, 0);
  const late = store();
  join(late, link, end);
  assert.deepEqual(late.state.view, { start: 20, end: 60 });
});

test("positions on the way are the genome's; another chromosome is not followed", () => {
  const link = new Link(), a = store([["chr1", 1000]]), b = store([["chr1", 1020]]), c = store([["chr2", 1000]]), d = store([null]);
  for (const one of [a, b, c, d]) join(one, link, end);
  a.set({ view: { start: 30, end: 50 }, selection: [10, 25], hover: 5 });
  assert.deepEqual([link.state.chrom, link.state.view], ["chr1", [1030, 1050]]);
  assert.deepEqual([b.state.view, b.state.selection, b.state.hover], [{ start: 10, end: 30 }, [0, 5], null]);
  for (const one of [c, d]) assert.deepEqual([one.state.view, one.state.selection], [{ start: 0, end: 100 }, null]);
  c.set({ hover: 7 });
  assert.deepEqual(a.state.view, { start: 30, end: 50 });
  assert.deepEqual(link.state.view, null); // a view that comes late must not read positions of chr1 as those of chr2
});

test("a hover in a shorter view does not narrow the longer one", () => {
  const link = new Link(), long = store([["chr1", 1000]], 100), short = store([["chr1", 1040]], 40);
  join(long, link, end);
  join(short, link, end);
  long.set({ view: { start: 0, end: 90 } });
  assert.deepEqual(short.state.view, { start: 0, end: 40 });
  short.set({ hover: 3 });
  assert.deepEqual([long.state.view, long.state.hover], [{ start: 0, end: 90 }, 43]);
});

test("a view that left the page is told nothing", () => {
  const link = new Link(), a = store(), gone = store(), leave = new AbortController();
  join(a, link, end);
  join(gone, link, leave.signal);
  leave.abort();
  a.set({ view: { start: 20, end: 60 } });
  gone.set({ hover: 4 });
  assert.deepEqual([gone.state.view, a.state.hover], [{ start: 0, end: 100 }, null]);
});

// --- edits of a linked view ------------------------------------------------------------------------------------------

/** A store whose first row a model answers for, of 2 sequences of 20 bases with profiles from 5 to 15. */
function live(): TrackStore {
  const blocks = new Map<string, Numbers>([["profile0", Int16Array.from({ length: 20 }, (_, i) => i % 10)], ["profile0.scale", new Float32Array(2).fill(1)]]);
  const meta: ProfilesMeta = {
    n: 2, length: 20, offset: 5, size: 10, blocks: [], loci: [null, null], rows: [{ label: "predicted", source: 0, strands: 1, ghost: null, band: false }],
    names: ["a", "b"], predictions: null, target: "", annotations: [], height: 72, scale: "row", live: 0,
  };
  return new TrackStore(meta, blocks, {});
}
const answer = (values: number[]): [Answer, Map<string, Numbers>] => [
  {
    kind: "answer", number: 1, example: 0, stage: "profile", last: true, prediction: 1, original: 2, spread: null, n_references: null,
    seconds: 0, words: "", deletion: [], insertion: [], blocks: [],
  },
  new Map<string, Numbers>([["profile", Int16Array.from(values)], ["profile_scale", Float32Array.of(1)]]),
];

test("an edit is asked about; its profile stands before the original, at the positions of now", () => {
  const one = live(), key = sequenceOf(one.meta, 0);
  assert.equal(typeof one.wanted, "undefined");
  one.set({ edits: { [key]: [[0, 2, ""]] } }); // two bases taken out: all that follows moves up
  assert.deepEqual(one.wanted?.changes, [[0, 2, ""]]);
  assert.equal(one.current.rows[0].label, "predicted (original)");
  one.set({ asking: true });
  assert.deepEqual([one.current.rows[0].label, one.current.rows[0].stale], ["predicted", true]);
  one.answers.add(one.question, ...answer([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
  one.set({ heard: 1, asking: false });
  const [{ ghost, strands: [strand] }] = one.current.rows;
  assert.equal(ghost, "original");
  assert.deepEqual([...strand.levels[0].mean], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  assert.deepEqual([...strand.ghost![0].mean], [2, 3, 4, 5, 6, 7, 8, 9, NaN, NaN]);
  assert.equal(one.wanted, undefined);
  one.set({ example: 1 });
  assert.equal(one.current, one.original); // the other sequence was not edited
  one.set({ example: 0, edits: {} });
  assert.equal(one.current, one.original);
});

test("a substitution leaves the original as it was, and a stale row is drawn at 40 %", () => {
  const one = live(), key = sequenceOf(one.meta, 0);
  one.set({ edits: { [key]: [[7, 8, "A"]] }, asking: true });
  const [row] = one.current.rows;
  assert.equal(row.strands[0].levels, one.original.rows[0].strands[0].levels);
  const alpha = (r: TrackRow): number => Number(/[\d.]+(?=\)$)/.exec(drawn(r).shapes[0].color));
  assert.ok(Math.abs(alpha(row) - 0.4 * alpha({ ...row, stale: false })) < 1e-6);
});

test("edits are told by sequence, also to a view that comes late, and to none that has no model", () => {
  const link = new Link(), editor = Object.assign(store([null, null], 20), { edits: { 1: [[3, 4, "T"]] } as Record<string, Change[]> });
  const early = live(), other = store(), leave = new AbortController();
  join(early, link, end);
  join(other, link, end);
  join(editor, link, leave.signal);
  const late = live();
  join(late, link, end);
  for (const one of [early, late]) assert.equal(one.changes.length, 0);
  early.set({ example: 1 }); // both, since they are linked
  for (const one of [early, late]) assert.deepEqual(one.changes, [[3, 4, "T"]]);
  assert.equal(other.changes.length, 0);
  leave.abort(); // what left the page, or was run again, is not edited any more
  assert.equal(early.changes.length, 0);
  const elsewhere = store([["chr1", 5], null], 20);
  assert.notEqual(sequenceOf(elsewhere.meta, 0), sequenceOf(early.meta, 0));
});

test("of linked views, the first that looks at a part leads", () => {
  const link = new Link(), all = store(), part = store(), late = store();
  part.set({ view: { start: 20, end: 60 } });
  late.set({ view: { start: 5, end: 15 } });
  for (const one of [all, part, late]) join(one, link, end);
  for (const one of [all, part, late]) assert.deepEqual(one.state.view, { start: 20, end: 60 });
});

test("with no one to answer, it says so in its own words", () => {
  const one = live();
  const asker = new Live(one, new Nobody("no kernel"));
  asker.look();
  one.set({ edits: { [sequenceOf(one.meta, 0)]: [[7, 8, "A"]] } });
  assert.deepEqual([one.state.failed, one.state.asking], ["no kernel", false]);
  one.set({ edits: {} });
  assert.equal(one.state.failed, "");
});
