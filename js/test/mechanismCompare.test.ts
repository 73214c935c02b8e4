import assert from "node:assert/strict";
import test from "node:test";
import type { Numbers } from "../src/core/wire";
import { chance, nearestPairs, oddsOf, welch, welchOf } from "../src/state/mechanismCompare";
import { SpaceStore } from "../src/state/space";
import { bitsWhere } from "../src/state/spaceBits";
import { numbers } from "./random";

test("Welch's t and its chance are SciPy's", () => {
  const cases = [ // ttest_ind_from_stats(..., equal_var=False)
    [1.0, 0.2, 0.5, 0.7, 12, 30, 4.1496663651074455, 0.00027496336549855577],
    [3, 2.9, 1, 2, 300, 20, 0.22176638128637205, 0.8267855711113226],
    [0.5, -0.5, 0.3, 0.1, 5, 4, 6.984302957695782, 0.0008834751215535734],
    [2.0, 0, 0.8, 0.6, 400, 900, 44.721359549995796, 3.3493087109140614e-194],
    [0, 0.001, 1, 1, 50, 50, -0.005, 0.9960207578982396],
  ];
  for (const [a, b, s, r, n, m, t, p] of cases) {
    const found = welch(a, b, s / Math.sqrt(n), r / Math.sqrt(m), n, m);
    assert.ok(Math.abs(found.t - t) < 1e-12 * Math.max(1, Math.abs(t)));
    assert.ok(Math.abs(Math.log(found.p / p)) < 0.015 * Math.max(1, -Math.log(p)), `${found.p} is not ${p}`);
  }
  const tails = [ // 2 * scipy.stats.t.sf(t, freedom); Wallace's approximation is good to 1.5 % of the exponent
    [0.5, 3, 0.651447964848151],
    [2, 4, 0.11611652351681556],
    [5, 10, 0.0005373336027564527],
    [20, 30, 6.7490836657712895e-19],
    [8, 1000, 3.4266614823914978e-15],
    [30, 200, 5.724161208827853e-76],
  ];
  for (const [t, freedom, p] of tails) assert.ok(Math.abs(Math.log(chance(t, freedom) / p)) < 0.015 * Math.max(2, -Math.log(p)), `${t} ${freedom}: ${chance(t, freedom)} is not ${p}`);
  assert.ok(Number.isNaN(welch(1, 1, 0, 0, 5, 5).p) && Number.isNaN(welch(1, 0, NaN, 1, 1, 5).p));
  assert.equal(welch(1, 0, 0, 0, 5, 5).t, Infinity);
});

const N = 60, W = 21, F = 6, REFERENCE = "ACGTNACGTACGTACGTACGT";

/** Clusters 0, 1, 2 of two leaves each; sequences a few mutations from the reference, row 7 with unknown bases; of cluster 1, position 3 is always A. */
function make(): { store: SpaceStore; codes: number[][]; maps: number[][]; of: (cluster: number) => number[] } {
  const next = numbers(11), given = [...REFERENCE].map((letter) => "ACGT".indexOf(letter));
  const leaf = Array.from({ length: N }, (_, i) => i % F), labels = [0, 0, 1, 1, 2, 2], codes = leaf.map((f, i) => given.map((code, at) => {
    const now = code < 0 || next() < 0.25 ? Math.floor(4 * next()) : code;
    return i === 7 && at > 17 ? 4 : at === 3 && labels[f] === 1 ? 0 : now;
  }));
  const maps = leaf.map((f) => Array.from({ length: 4 * W }, () => next() + (labels[f] === 1 ? 0.4 : 0))), stride = Math.ceil(W / 4), packed = new Uint8Array(N * stride);
  codes.forEach((row, i) => row.forEach((code, at) => { packed[i * stride + (at >> 2)] |= (code & 3) << (6 - 2 * (at & 3)); }));
  const sum = (of: (i: number, k: number) => number, size: number): number[] => Array.from({ length: F * size }, (_, j) => leaf.reduce((total, f, i) => total + (f === Math.floor(j / size) ? of(i, j % size) : 0), 0));
  const blocks = new Map<string, Numbers>(Object.entries({
    leaf: Uint16Array.from(leaf), labels: Int32Array.from(labels), counts: Int32Array.from(sum(() => 1, 1)), codes: packed, unknown: Int32Array.of(7, 18, 21),
    maps: Float64Array.from(sum((i, k) => maps[i][k], 4 * W)), squares: Float64Array.from(sum((i, k) => maps[i][k] ** 2, 4 * W)),
    letters: Int32Array.from(sum((i, k) => Number(codes[i][k % W] === Math.floor(k / W)), 4 * W)), y: new Float32Array(F), y_squares: new Float32Array(F), y_counts: new Int32Array(F * 4),
  }) as [string, never][]);
  const store = new SpaceStore({ n: N, width: W, leaves: F, start: 0, reference: REFERENCE, star: null, locus: null, rate: 0.1, activity: "y", range: [0, 1], cluster_names: {}, colors: "classic", blocks: [] }, blocks);
  return { store, codes, maps, of: (cluster) => leaf.flatMap((f, i) => (labels[f] === cluster ? [i] : [])) };
}

test("each base of each position has its t, and rates of false discovery over all", () => {
  const { store, maps, of } = make(), { t, q } = welchOf(store.sums("c1"), store.sums("c0")), p = new Float64Array(4 * W);
  for (let k = 0; k < 4 * W; k++) {
    const [a, b] = [1, 0].map((c) => of(c).map((i) => maps[i][k])), mean = (v: number[]): number => v.reduce((x, y) => x + y) / v.length, error = (v: number[]): number => Math.sqrt(v.reduce((s, x) => s + (x - mean(v)) ** 2, 0) / (v.length - 1) / v.length);
    const wanted = (mean(a) - mean(b)) / Math.hypot(error(a), error(b));
    assert.ok(Math.abs(t[k] - wanted) < 1e-5, `${t[k]} ${wanted}`); // sums are of four bytes
    p[k] = welch(mean(a), mean(b), error(a), error(b), a.length, b.length).p;
  }
  const sorted = [...p].sort((x, y) => x - y);
  q.forEach((v, k) => { // the least of p * m / rank over all that are no less likely
    const wanted = Math.min(1, ...sorted.flatMap((one, r) => (one >= p[k] ? [(one * p.length) / (r + 1)] : [])));
    assert.ok(Math.abs(v - wanted) < 1e-4 * wanted);
  });
  assert.ok(q.filter((v) => v < 0.05).length > 20);
});

test("the base that tells two apart comes first", () => {
  const { store, codes, of } = make(), odds = oddsOf(store.sums("c1"), store.sums("c2"), 300), share = (cluster: number, at: number, base: number): number => of(cluster).filter((i) => codes[i][at] === base).length / 20;
  assert.deepEqual([odds[0].position, odds[0].base, odds[0].shares[0]], [3, 0, 1]); // T was there
  assert.ok(odds[0].ratio > 4 && oddsOf(store.sums("c2"), store.sums("c1"), 1)[0].ratio < -4);
  assert.deepEqual(odds.map(({ position }) => position).sort((a, b) => a - b), [...new Array(W).keys()]);
  assert.ok(odds.every(({ ratio, error }, k) => !k || Math.abs(ratio / error) <= Math.abs(odds[k - 1].ratio / odds[k - 1].error)));
  for (const { position, base, shares, ratio, error } of odds) {
    const [a, b] = [1, 2].map((cluster) => 20 * share(cluster, position, base) + 0.5);
    shares.forEach((v, k) => assert.ok(Math.abs(v - share(k + 1, position, base)) < 1e-12 && shares[0] + shares[1] > 0));
    assert.ok(Math.abs(2 ** ratio - a / (21 - a) / (b / (21 - b))) < 1e-9);
    assert.ok(Math.abs((error * Math.LN2) ** 2 - 1 / a - 1 / (21 - a) - 1 / b - 1 / (21 - b)) < 1e-12);
  }
});

test("the nearest sequences are those that brute force finds", () => {
  const { store, codes, of } = make(), reference = [...REFERENCE].map((letter) => "ACGTN".indexOf(letter)), far = (x: number[], y: number[]): number => x.filter((code, i) => (code & 3) !== (y[i] & 3)).length;
  const found = nearestPairs(store, "c0", "c1", 99)!, least = of(0).map((i) => Math.min(...of(1).map((j) => far(codes[i], codes[j]))));
  assert.deepEqual([found.tried, found.all], [[20, 20], [20, 20]]);
  assert.deepEqual(found.pairs.map(({ rows }) => far(codes[rows[0]], codes[rows[1]])), [...least].sort((a, b) => a - b));
  assert.deepEqual(found.pairs.map(({ rows }) => rows[0]).sort((a, b) => a - b), of(0));
  for (const { rows: [i, j], changes } of [...found.pairs, ...found.first]) {
    const from = i < 0 ? reference : codes[i];
    assert.deepEqual(changes, codes[j].flatMap((code, at) => (code === from[at] ? [] : [[at, from[at], code]])));
  }
  assert.deepEqual(found.first.map(({ rows }) => far(codes[rows[1]], reference)), [0, 1].map((c) => Math.min(...of(c).map((i) => far(codes[i], reference)))));
  assert.equal(nearestPairs(store, "c0", "c1", 3)!.pairs.length, 3);
});

test("work is bounded, and what is on both sides is on neither", () => {
  const { store, codes, of } = make(), near = (c: number, m: number): number[] => {
    const reference = [...REFERENCE].map((letter) => "ACGTA".indexOf(letter)), far = (i: number): number => codes[i].filter((code, at) => (code & 3) !== (reference[at] & 3)).length;
    return of(c).sort((i, j) => far(i) - far(j)).slice(0, m);
  };
  const { pairs, tried, all } = nearestPairs(store, "c0", "c2", 99, 4)!;
  assert.deepEqual([tried, all], [[4, 4], [20, 20]]);
  for (const { rows } of pairs) assert.ok(near(0, 4).includes(rows[0]) && near(2, 4).includes(rows[1]));
  store.keep("some", bitsWhere(N, (i) => i % F === 0 || i % F === 2));
  const { pairs: mixed, all: left } = nearestPairs(store, "ssome", "c0", 99)!;
  assert.deepEqual(left, [10, 10]);
  for (const { rows } of mixed) assert.ok(rows[0] % F === 2 && rows[1] % F === 1);
  assert.deepEqual(nearestPairs(store, "c0", "c0", 9), { pairs: [], first: [], tried: [0, 0], all: [0, 0] });
  store.blocks.delete("codes");
  assert.equal(nearestPairs(store, "c0", "c1", 9), null);
});
