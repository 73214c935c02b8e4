/** What a motif does at places of many backgrounds, as told by nbinterp/live/placements.py. Pure of any host. */
import { dequantize, type Numbers } from "../core/wire";
import type { AxisMeta, Block } from "../protocol";

export type StrandSign = "+" | "-";

/** Where a profile lies: strands, and columns of `step` positions from `offset` on. */
export interface ProfileSpan {
  strands: number;
  columns: number;
  step: number;
  offset: number;
  label: string;
}

/** What nbinterp/widget/marginal.py writes; n is the number of backgrounds. */
export interface MarginalMeta extends AxisMeta {
  motifs: { name: string; letters: string }[];
  /** Half the width of a 95 % interval, in standard deviations; null for one background. */
  factor: number | null;
  /** Whether a model is there, as long as the kernel is. */
  live: boolean;
  profile: ProfileSpan | null;
  colors: "classic" | "safe" | "grey";
}

export interface MarginalAsk {
  kind: "marginal";
  /** Grows with each request; an answer to an older one is stale. */
  number: number;
  motif: string;
  start: number;
  strand: StrandSign;
  /** Places of the motif that are known here, so that the others are told. */
  have: number;
}

/** Part of an answer: the place that was asked for, the same with its profile, other places of the motif, or what went wrong. */
export interface MarginalAnswer {
  kind: "marginal";
  number: number;
  motif: string;
  stage: "placed" | "profile" | "curve" | "error";
  last: boolean;
  seconds: number;
  words: string;
  blocks: Block[];
}

/** The stored grid: blocks of the i-th motif end in ".i". */
export interface Grid {
  motifs: string[];
  blocks: Block[];
}

/** A motif at one place. */
export interface Placed {
  start: number;
  effects: Float32Array;
  mean: number;
  /** 5 and 95 % of the backgrounds. */
  low: number;
  high: number;
  /** (3 strands + 3, columns): means, 5 and 95 % with the motif; and of the difference, summed over strands. */
  profile: Float32Array | null;
}

/** The q-th part of sorted values, between neighbours where it falls between them. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1), i = Math.floor(at), j = Math.min(i + 1, sorted.length - 1);
  return sorted[i] + (sorted[j] - sorted[i]) * (at - i);
}

export interface Interval {
  mean: number;
  low: number;
  high: number;
  n: number;
}

/** Mean over backgrounds and its 95 % interval; NaN for one background. */
export function interval(effects: ArrayLike<number>, factor: number | null): Interval {
  const n = effects.length;
  let mean = 0, squares = 0;
  for (let i = 0; i < n; i++) mean += effects[i] / n;
  for (let i = 0; i < n; i++) squares += (effects[i] - mean) ** 2;
  const half = factor === null ? NaN : factor * Math.sqrt(squares / (n - 1));
  return { mean, low: mean - half, high: mean + half, n };
}

export function placed(start: number, effects: Float32Array, profile: Float32Array | null): Placed {
  const sorted = Float32Array.from(effects).sort();
  return { start, effects, mean: interval(effects, null).mean, low: quantile(sorted, 0.05), high: quantile(sorted, 0.95), profile };
}

/** All places that are known, of all motifs. */
export class Placements {
  #known = new Map<string, Map<number, Placed>>();
  #curves = new Map<string, Placed[]>();

  get(motif: string, start: number, strand: StrandSign): Placed | null {
    return this.#known.get(motif + strand)?.get(start) ?? null;
  }

  /** How many places of a motif are known, on both strands. */
  count(motif: string): number {
    return (this.#known.get(`${motif}+`)?.size ?? 0) + (this.#known.get(`${motif}-`)?.size ?? 0);
  }

  /** Along one strand, from left to right. */
  curve(motif: string, strand: StrandSign): Placed[] {
    const key = motif + strand;
    let curve = this.#curves.get(key);
    if (!curve) this.#curves.set(key, (curve = [...(this.#known.get(key)?.values() ?? [])].sort((a, b) => a.start - b.start)));
    return curve;
  }

  /** The known place nearest to a start. */
  nearest(motif: string, start: number, strand: StrandSign): number | null {
    let best: number | null = null;
    for (const one of this.curve(motif, strand)) if (best === null || Math.abs(one.start - start) < Math.abs(best - start)) best = one.start;
    return best;
  }

  /** Take in what came with an answer, or of a stored grid. */
  add(motif: string, blocks: Map<string, Numbers>, suffix = ""): void {
    const starts = blocks.get(`starts${suffix}`), strands = blocks.get(`strands${suffix}`);
    if (!starts || !strands) return;
    const [effects, profiles] = ["effects", "profiles"].map((name) => scaled(blocks, name, suffix, starts.length));
    for (let i = 0; i < starts.length; i++) {
      const key = motif + "+-"[strands[i]], known = this.#known.get(key) ?? new Map<number, Placed>(), before = known.get(starts[i]);
      known.set(starts[i], placed(starts[i], effects![i], profiles?.[i] ?? before?.profile ?? null));
      this.#known.set(key, known);
      this.#curves.delete(key);
    }
  }
}

/** Rows of a block of 16 bits, each with its scale. */
function scaled(blocks: Map<string, Numbers>, name: string, suffix: string, rows: number): Float32Array[] | null {
  const values = blocks.get(name + suffix) as Int16Array | undefined, scale = blocks.get(`${name}_scale${suffix}`) as Float32Array | undefined;
  if (!values || !scale) return null;
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, i) => dequantize(values, i * width, width, scale[i]));
}
