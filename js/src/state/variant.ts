/** What a VariantView shows: variants by their score, and both alleles of one in columns. Pure of any host. */
import { abs, ceil, floor, max, min } from "../core/numbers";
import { dequantize, type Numbers, unpack } from "../core/wire";
import type { AxisMeta } from "../protocol";
import { Answers, type Question } from "./answers";
import { AxisStore, type AxisState, type Place } from "./axis";
import { applyChanges, type Change } from "./edits";
import { type Asker, type Asking, QUIET } from "./live";
import { align, type Columns } from "./variantColumns";
import type { PairRows } from "./variantRows";

/** A number to rank by: its column, and those of the predictions that it compares. */
export interface Score {
  name: string;
  column: number;
  alleles: [number, number] | null;
}

/** What nbinterp/widget/variant.py writes. */
export interface VariantMeta extends AxisMeta {
  columns: { name: string; kind: "number" | "text"; hidden?: boolean }[];
  rows: (string | number | null)[][];
  scores: Score[];
  /** In positions of the reference, the last one first. */
  changes: Change[][];
  /** What was left out: reason, and how many. */
  dropped: [string, number][];
  /** How many windows of references there are; the alternatives come after them. */
  references: number;
  /** What the model is asked; null when there is none. */
  live: { target: string; method: string; profile: boolean } | null;
  /** Strands and positions of profiles. */
  profile: [number, number] | null;
  colors: "classic" | "safe" | "grey";
}

export interface VariantState extends AxisState, Asking {
  score: string;
  threshold: number;
}

/** Both alleles of a variant: codes, and where their bases stand. */
export interface Pair extends Place {
  changes: Change[];
  columns: Columns;
  ref: Uint8Array;
  alt: Uint8Array;
}

export type Allele = "ref" | "alt";
const ALLELES: Allele[] = ["ref", "alt"];
export const PROFILE = "profile"; // asked for in the place of a method

/** What is known of an allele: of the bases that are there, or of the strands (S x P). */
export interface Known {
  values: Float32Array;
  errors: Float32Array | null;
}

export class VariantStore extends AxisStore<VariantMeta, VariantState, Pair> implements Asker {
  readonly answers = new Answers();
  #orders = new Map<string, Int32Array>();

  /** `kept` is what a model said before the notebook was saved. */
  constructor(meta: VariantMeta, blocks: Map<string, Numbers>, start: Partial<VariantState>, private kept = new Map<string, Numbers>()) {
    super(meta, blocks, { ...QUIET, score: meta.scores[0].name, threshold: 0 }, start);
  }

  protected make(e: number): Pair {
    const { length, changes } = this.meta, window = (this.blocks.get("window") as Int32Array)[e];
    const ref = unpack(this.blocks.get("sequence") as Uint8Array, this.blocks.get("unknown") as Int32Array, window, length);
    return { ...this.place(e), changes: changes[e], columns: align(changes[e], length), ref, alt: applyChanges(ref, changes[e]).codes };
  }

  /** Another variant is looked at as closely as the one before, about its own middle. */
  override set(change: Partial<VariantState>): void {
    const { state, meta } = this, { example } = change;
    if (example === undefined || change.view || !meta.changes[example] || example === state.example) return super.set(change);
    const half = (state.view.end - state.view.start) / 2, middle = this.middle(example) + 0.5;
    super.set({ ...change, view: { start: middle - half, end: middle + half } });
  }

  /** The first column that a variant changes. */
  middle(example: number): number {
    const starts = this.meta.changes[example].map(([start]) => start);
    return starts.length ? min(...starts) : this.meta.length / 2;
  }

  // --- the list -------------------------------------------------------------------------------------------------------

  get score(): Score {
    return this.meta.scores.find(({ name }) => name === this.state.score) ?? this.meta.scores[0];
  }

  value(row: number, { column }: Score = this.score): number {
    const cell = this.meta.rows[row][column];
    return typeof cell === "number" ? cell : NaN;
  }

  /** Rows by how large their score is, up or down; the missing come last. */
  get order(): Int32Array {
    const { score } = this, known = this.#orders.get(score.name);
    if (known) return known;
    const size = Float64Array.from(this.meta.rows, (_, i) => abs(this.value(i, score)));
    const of = (i: number): number => (Number.isNaN(size[i]) ? -1 : size[i]);
    const order = Int32Array.from(size, (_, i) => i).sort((a, b) => of(b) - of(a) || a - b);
    this.#orders.set(score.name, order);
    return order;
  }

  /** Whether a variant is at or beyond the threshold. */
  beyond(row: number, threshold = this.state.threshold): boolean {
    return threshold === 0 || abs(this.value(row)) >= threshold;
  }

  /** How many are: they come first in the order. */
  count(threshold = this.state.threshold): number {
    const { order } = this;
    let low = 0, high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.beyond(order[middle], threshold)) low = middle + 1; else high = middle;
    }
    return low;
  }

  // --- what is known of the alleles -------------------------------------------------------------------------------------

  #question(allele: Allele, method: string): Question {
    const { meta, state: { example } } = this, at = allele === "ref" ? (this.blocks.get("window") as Int32Array)[example] : meta.references + example;
    return { example: at, changes: [], target: method === PROFILE ? "" : meta.live?.target ?? "", method, curves: false };
  }

  /** What is stored of an allele, wherever it is. */
  #read(name: string, allele: Allele): Known | null {
    for (const blocks of [this.blocks, this.kept]) {
      const row = (blocks.get(`${name}.rows`) as Int32Array | undefined)?.indexOf(this.state.example) ?? -1;
      if (row < 0) continue;
      const values = blocks.get(name) as Int16Array, scales = blocks.get(`${name}.scale`) as Float32Array;
      const size = values.length / scales.length / 2, from = (2 * row + ALLELES.indexOf(allele)) * size;
      return { values: dequantize(values, from, size, scales[row]), errors: null };
    }
    return null;
  }

  attributions(allele: Allele): Known | null {
    const { meta: { live, length }, original } = this, stored = this.#read("attributions", allele);
    const said = stored || !live ? null : this.answers.get(this.#question(allele, live.method));
    if (!said?.scores) return stored;
    const { scores, errors } = said, codes = original[allele];
    return { values: Float32Array.from(codes, (code, i) => (code < 4 ? scores[code * length + i] : 0)), errors };
  }

  profile(allele: Allele): Known | null {
    const values = this.answers.get(this.#question(allele, PROFILE))?.profile;
    return this.#read("profiles", allele) ?? (values ? { values, errors: null } : null);
  }

  get question(): Question {
    return this.#question("alt", this.meta.live?.method ?? "");
  }

  /** Profiles come first: they are one forward pass each. */
  get wanted(): Question | undefined {
    const { live } = this.meta;
    if (!live) return undefined;
    const methods = [...(live.profile && !this.#read("profiles", "ref") ? [PROFILE] : []), ...(this.#read("attributions", "ref") ? [] : [live.method])];
    return methods.flatMap((method) => ALLELES.map((allele) => this.#question(allele, method))).find((q) => !this.answers.get(q)?.whole);
  }
}

/** Scores and predictions as a person reads them. */
export function factsOf(store: VariantStore, row: number): { score: number; alleles: [number, number] | null } {
  const { score, meta } = store, cells = score.alleles?.map((column) => meta.rows[row][column]);
  const both = cells?.every((cell) => typeof cell === "number") ? (cells as [number, number]) : null;
  return { score: store.value(row), alleles: both };
}

/** Columns in view, with both bases and all that is drawn there. */
export function toCsv(store: VariantStore, { letters, tracks, first }: PairRows): string {
  const { original: { columns, ref, alt, offset }, state: { view }, meta: { length } } = store, base = (codes: Uint8Array, i: number): string => (i < 0 ? "-" : "ACGTN"[codes[i]]);
  const rows = letters.filter(({ row }) => row.observed).map(({ row }): [string, (c: number) => number] => [row.label, (c) => row.observed![c]]);
  for (const { label, strands } of tracks) strands.forEach((s, k) => {
    const sign = strands.length > 1 ? ` (${"+-"[k]})` : "";
    if (s.ghost) rows.push([`${label} reference${sign}`, (c) => s.ghost![0].mean[c - first]]);
    rows.push([`${label}${s.ghost ? " alternative" : ""}${sign}`, (c) => s.levels[0].mean[c - first]]);
  });
  const lines = [["position", "ref", "alt", ...rows.map(([name]) => name)].join(",")];
  for (let c = max(0, floor(view.start)); c < min(length, ceil(view.end)); c++) {
    const values = rows.map(([, at]) => at(c)).map((v) => (v === undefined || Number.isNaN(v) ? "" : v));
    lines.push([columns.ref[c] < 0 ? "" : columns.ref[c] + offset, base(ref, columns.ref[c]), base(alt, columns.alt[c]), ...values].join(","));
  }
  return `${lines.join("\n")}\n`;
}
