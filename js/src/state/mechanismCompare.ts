/** Two sides of a space: where their maps differ by more than chance, which bases tell them apart, and which of their sequences are nearest to each other. Pure. */
import { abs, ceil, min } from "../core/numbers";
import { sequenceOf } from "./mechanism";
import type { Side, SpaceStore } from "./space";
import { eachBit, hasBit } from "./spaceBits";
import type { Sums } from "./spaceSums";

/** Of each base and position, (4, W). */
export interface Welch {
  t: Float64Array;
  /** False discovery rates, of all of them together (Benjamini and Hochberg). */
  q: Float64Array;
}

/** erfc to 1 part in 10^7, wherever (Numerical Recipes 6.2). */
function erfc(z: number): number {
  const t = 2 / (2 + z);
  return t * Math.exp(-z * z + [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223].reduce((sum, c) => sum * t + c, 0));
}

/** How likely so large a t is by chance, of either sign (Wallace's approximation). */
export function chance(t: number, freedom: number): number {
  return erfc((((8 * freedom + 1) / (8 * freedom + 3)) * Math.sqrt(freedom * Math.log1p((t * t) / freedom))) / Math.SQRT2);
}

/** Welch's t of means: without a value where both sides are constant, or one has a single sequence. */
export function welch(a: number, b: number, e: number, f: number, n: number, m: number): { t: number; p: number } {
  const error = Math.hypot(e, f), t = (a - b) / error;
  return { t, p: chance(t, error ** 4 / (e ** 4 / (n - 1) + f ** 4 / (m - 1))) };
}

export function welchOf(one: Sums, other: Sums): Welch {
  const [a, b, e, f] = [one.means, other.means, one.errors, other.errors], p = new Float64Array(a.length), q = new Float64Array(a.length).fill(NaN);
  const t = a.map((v, i) => {
    const found = welch(v, b[i], e[i], f[i], one.n, other.n);
    p[i] = found.p;
    return found.t;
  });
  const order = [...p.keys()].filter((i) => p[i] >= 0).sort((i, j) => p[j] - p[i]);
  order.reduce((least, i, k) => (q[i] = min(least, (p[i] * order.length) / (order.length - k))), 1);
  return { t, q };
}

/** How much more often a base stands at a position of the one side than of the other. */
export interface Odds {
  position: number;
  base: number;
  /** Shares of the two sides. */
  shares: [number, number];
  /** log2 of the ratio of the odds, with half a sequence added to each count, and its standard error. */
  ratio: number;
  error: number;
}

/** The surest base of each position, the surest first. */
export function oddsOf(one: Sums, other: Sums, most: number): Odds[] {
  const w = one.width, sides = [one, other].map((sums) => ({ n: sums.n, counts: sums.part("letters") })), found: Odds[] = [];
  for (let i = 0; i < 4 * w; i++) {
    const cells = sides.flatMap(({ n, counts }) => [counts[i] + 0.5, n - counts[i] + 0.5]), [a, b, c, d] = cells, shares = sides.map(({ n, counts }) => counts[i] / n) as [number, number];
    if (shares[0] || shares[1]) found.push({ position: i % w, base: (i - (i % w)) / w, shares, ratio: Math.log2((a * d) / (b * c)), error: Math.sqrt(cells.reduce((sum, v) => sum + 1 / v, 0)) / Math.LN2 });
  }
  const seen = new Set<number>();
  return found.sort((x, y) => abs(y.ratio / y.error) - abs(x.ratio / x.error)).filter(({ position }) => !seen.has(position) && seen.add(position)).slice(0, most);
}

/** A sequence of the one side and the nearest to it of the other: how many bases differ. */
export interface Pair {
  rows: [number, number];
  changes: Change[];
}
/** Position, base before, base after; 4 for one that is unknown. */
export type Change = [position: number, from: number, to: number];

export interface Pairs {
  pairs: Pair[];
  /** Nearest of each side to the reference: row -1. */
  first: Pair[];
  /** How many of each side were compared, those nearest to the reference, and how many there are. */
  tried: [number, number];
  all: [number, number];
}

/** Sequences of each side that are compared with all of the other's: some 2 million pairs. */
const MOST = 1500;

/** Pairs that differ least, one for each sequence of the first side; null where sequences are not in the page. Sequences of both sides are left out. */
export function nearestPairs(store: SpaceStore, a: Side, b: Side, kept: number, most = MOST): Pairs | null {
  const { blocks, given: { width }, reference } = store, codes = blocks.get("codes"), bits = [store.points(a), store.points(b)];
  if (!codes) return null;
  const stride = ceil(width / 4), packed = (row: number, out = new Uint32Array(ceil(stride / 4))): Uint32Array<ArrayBuffer> => {
    new Uint8Array(out.buffer).set(codes.subarray(row * stride, (row + 1) * stride));
    return out;
  };
  const own = packed(0), bytes = new Uint8Array(own.buffer).fill(0), now = packed(0);
  reference.forEach((code, i) => { bytes[i >> 2] |= (code & 3) << (6 - 2 * (i & 3)); });
  const sides = bits.map((mine, k) => {
    const rows: { row: number; far: number }[] = [];
    eachBit(mine, (row) => { if (!hasBit(bits[1 - k], row)) rows.push({ row, far: distance(packed(row, now), own, Infinity) }); });
    return rows.sort((x, y) => x.far - y.far);
  });
  const [ones, others] = sides.map((rows) => rows.slice(0, most).map(({ row }) => ({ row, code: packed(row) }))), best = ones.map(({ row, code }) => {
    let least = Infinity, found = -1;
    for (const other of others) {
      const far = distance(code, other.code, least);
      if (far < least) { least = far; found = other.row; }
    }
    return { rows: [row, found] as [number, number], least };
  });
  const changes = (x: ArrayLike<number>, y: Uint8Array): Change[] => Array.from(y, (to, i): Change => [i, x[i], to]).filter(([, from, to]) => from !== to);
  const of = (row: number): Uint8Array => sequenceOf(blocks, width, row)!, all = sides.map((rows) => rows.length) as [number, number];
  return {
    pairs: best.filter(({ least }) => least < Infinity).sort((x, y) => x.least - y.least).slice(0, kept).map(({ rows }) => ({ rows, changes: changes(of(rows[0]), of(rows[1])) })),
    first: sides.flatMap(([one]) => (one ? [{ rows: [-1, one.row] as [number, number], changes: changes(reference, of(one.row)) }] : [])),
    tried: [ones.length, others.length], all,
  };
}

/** How many two-bit letters differ; no more is counted once there are `enough`. */
function distance(a: Uint32Array, b: Uint32Array, enough: number): number {
  let far = 0;
  for (let k = 0; k < a.length && far < enough; k++) {
    let x = a[k] ^ b[k];
    x = (x | (x >>> 1)) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    x = (x + (x >>> 4)) & 0x0f0f0f0f;
    far += Math.imul(x, 0x01010101) >>> 24;
  }
  return far;
}
