/** A page of its own for the comparison of two sides, with a made-up space: tests/browser/test_points.py opens it. */
import type { Numbers } from "../src/core/wire";
import { SpaceStore } from "../src/state/space";
import { bitsWhere } from "../src/state/spaceBits";
import { ComparePanel } from "../src/view/mechanismCompare";
import { numbers } from "./random";

const W = 60, F = 12, BINS = 64, LEFT = 20, RIGHT = 27;

/** Three clusters of four leaves: a motif at 20 to 27 whole; broken; broken, and another at 40 to 45 made. */
function space(n: number, codes = true): SpaceStore {
  const next = numbers(3), reference = Array.from({ length: W }, () => Math.floor(4 * next())), leaf = Array.from({ length: n }, (_, i) => i % F), cluster = (f: number): number => f >> 2, stride = W / 4;
  const packed = new Uint8Array(n * stride), size = 4 * W, maps = new Float64Array(F * size), squares = new Float64Array(F * size), letters = new Int32Array(F * size);
  const counts = new Int32Array(F), y = new Float64Array(F), y_squares = new Float64Array(F), y_counts = new Int32Array(F * BINS);
  for (let i = 0; i < n; i++) {
    const f = leaf[i], c = cluster(f), broken = LEFT + Math.floor(next() * 8), value = 1 - 0.8 * Math.min(c, 1) + 0.5 * Number(c > 1) + 0.15 * (next() + next() - 1);
    for (let at = 0; at < W; at++) {
      const inside = at >= LEFT && at <= RIGHT, made = at >= 40 && at <= 45 && c === 2;
      let code = reference[at];
      if (made) code = (at * 3) % 4;
      else if (inside ? c > 0 && at === broken : next() < 0.1) code = (code + 1 + Math.floor(3 * next())) % 4;
      packed[i * stride + (at >> 2)] |= code << (6 - 2 * (at & 3));
      letters[f * size + code * W + at]++;
      for (let b = 0; b < 4; b++) {
        const strong = inside && c === 0 ? 0.3 : made ? 0.22 : 0, v = (b === code ? strong : -strong / 3) + 0.05 * (next() - 0.5);
        maps[f * size + b * W + at] += v;
        squares[f * size + b * W + at] += v * v;
      }
    }
    counts[f]++;
    y[f] += value;
    y_squares[f] += value * value;
    y_counts[f * BINS + Math.min(Math.max(Math.floor(((value + 0.5) / 2) * BINS), 0), BINS - 1)]++;
  }
  const blocks = { leaf: Uint16Array.from(leaf), labels: Int32Array.from({ length: F }, (_, f) => cluster(f)), counts, maps, squares, letters, y, y_squares, y_counts, unknown: new Int32Array(), ...(codes ? { codes: packed } : {}) };
  return new SpaceStore({
    n, width: W, leaves: F, start: 100, reference: reference.map((code) => "ACGT"[code]).join(""), star: null, locus: null, rate: 0.1, activity: "prediction", range: [-0.5, 1.5], cluster_names: { 0: "whole" }, colors: "classic", blocks: [],
  }, new Map<string, Numbers>(Object.entries(blocks) as [string, never][]));
}

function compare(n: number, { width = 0, codes = true } = {}): SpaceStore {
  const root = document.createElement("div"), store = space(n, codes);
  root.className = "nbi-track";
  if (width) root.style.width = `${width}px`;
  document.body.append(root);
  Object.assign(globalThis, { store, bitsWhere, rows: [] });
  new ComparePanel(root, store, new AbortController().signal, (rows) => (globalThis as unknown as { rows: number[][] }).rows.push(rows));
  return store;
}

Object.assign(globalThis, { compare });
