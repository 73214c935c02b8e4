/** What a PatternView shows: one pattern, or a subpattern of it, and its seqlets in an order. Pure of any host. */
import { clamp } from "../core/numbers";
import { news, Told } from "../core/told";
import type { Numbers } from "../core/wire";
import type { Block } from "../protocol";

/** What nbinterp/widget/pattern.py writes. */
export interface PatternMeta {
  blocks: Block[];
  colors: "classic" | "safe" | "grey";
  /** Width of the window that seqlets were sought in. */
  window: number | null;
  patterns: PatternFacts[];
}

export interface PatternFacts {
  name: string;
  positive: boolean;
  width: number;
  core: [number, number];
  n: number;
  /** Whether the letters of its seqlets are known. */
  letters: boolean;
  parts: { name: string; n: number }[];
}

export const ORDERS = ["contribution", "position", "sequence", "subpattern"] as const;
export type Order = (typeof ORDERS)[number];

export interface PatternState {
  pattern: number;
  /** Which subpattern, -1 for all seqlets. */
  part: number;
  order: Order;
  /** Among those that are stored, -1 for none. */
  seqlet: number;
}

export interface Seqlet {
  example: number;
  start: number;
  end: number;
  strand: "+" | "-";
  /** Of the linked views; -1 where they do not have the sequence. */
  row: number;
  part: number;
  total: number;
}

export class PatternStore {
  readonly state: PatternState = { pattern: 0, part: -1, order: "contribution", seqlet: -1 };
  #told = new Told<[Partial<PatternState>]>();
  #rows: { key: string; rows: number[] } | null = null;
  #scores: { pattern: number; values: Float32Array } | null = null;

  constructor(readonly meta: PatternMeta, private blocks: Map<string, Numbers>, start: Partial<PatternState>) {
    this.set(start);
  }

  /** Another pattern has other subpatterns and seqlets. */
  set(wanted: Partial<PatternState>): void {
    const { state, meta } = this, { pattern = state.pattern, part = state.part } = wanted;
    if (!meta.patterns[pattern]) return;
    const other = pattern !== state.pattern ? { part: -1, seqlet: -1 } : part !== state.part ? { seqlet: -1 } : {};
    const real = news(state, { ...other, ...wanted });
    if (!real) return;
    Object.assign(state, real);
    this.#told.tell(real);
  }
  subscribe(listener: (changed: Partial<PatternState>) => void, signal: AbortSignal): void {
    this.#told.add(listener, signal);
  }

  get pattern(): PatternFacts {
    return this.meta.patterns[this.state.pattern];
  }
  find(names: string[]): number {
    const found = names.map((name) => this.meta.patterns.findIndex((one) => one.name === name));
    return found.find((at) => at >= 0) ?? -1;
  }
  block<T extends Numbers>(kind: string): T {
    return this.blocks.get(`${kind}${this.state.pattern}`) as T;
  }

  /** Means over the seqlets, (4, width): letters and contributions. */
  get frequencies(): Float32Array {
    return this.#mean("pfm");
  }
  get contributions(): Float32Array {
    return this.#mean("cwm");
  }
  #mean(kind: string): Float32Array {
    const { part, pattern } = this.state, own = part < 0 ? undefined : this.blocks.get(`${kind}${pattern}.${part}`);
    return (own ?? this.block<Float32Array>(kind)) as Float32Array;
  }

  // --- seqlets --------------------------------------------------------------------------------------------------------

  get stored(): number {
    return this.block<Int32Array>("places").length / 6;
  }
  seqlet(i: number): Seqlet {
    const [example, start, end, minus, row, part] = this.block<Int32Array>("places").subarray(6 * i, 6 * i + 6);
    return { example, start, end, strand: minus ? "-" : "+", row, part, total: this.block<Float32Array>("total")[i] };
  }
  /** Those that are shown, from top to bottom. */
  get rows(): number[] {
    const { pattern, part, order } = this.state, key = `${pattern} ${part} ${order}`;
    if (this.#rows?.key === key) return this.#rows.rows;
    const all = Array.from({ length: this.stored }, (_, i) => this.seqlet(i)), sign = this.pattern.positive ? 1 : -1;
    const strength = (i: number): number => -sign * (all[i].total || 0);
    const by: Record<Order, (i: number) => number[]> = {
      contribution: (i) => [strength(i)],
      position: (i) => [all[i].start],
      sequence: (i) => [all[i].example, all[i].start],
      subpattern: (i) => [all[i].part < 0 ? 1e9 : all[i].part, strength(i)],
    };
    const rank = all.map((_, i) => by[order](i)), rows = all.flatMap((one, i) => (part < 0 || one.part === part ? [i] : []));
    rows.sort((i, j) => rank[i].map((v, k) => v - rank[j][k]).find((d) => d) ?? i - j);
    this.#rows = { key, rows };
    return rows;
  }
  /** Choose the seqlet that stands `by` rows further down. */
  step(by: number): void {
    const { rows } = this, at = rows.indexOf(this.state.seqlet);
    if (rows.length) this.set({ seqlet: rows[at < 0 ? 0 : clamp(at + by, 0, rows.length - 1)] });
  }
  /** Bases of a seqlet as codes, and what they contribute. */
  letters(i: number): { codes: Uint8Array; values: Float32Array } {
    const { width } = this.pattern, { pattern } = this.state;
    if (this.#scores?.pattern !== pattern) {
      const scale = this.block<Float32Array>("scale")[0];
      this.#scores = { pattern, values: Float32Array.from(this.block<Int16Array>("scores"), (v) => v * scale) };
    }
    return { codes: this.block<Uint8Array>("codes").subarray(i * width, (i + 1) * width), values: this.#scores.values.subarray(i * width, (i + 1) * width) };
  }
}
