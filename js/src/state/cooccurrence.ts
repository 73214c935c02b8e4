/** Which annotations come together: the numbers of every pair, their spacings, and what of them is shown. Pure of any host. */
import { floor, max, min } from "../core/numbers";
import { news, Told } from "../core/told";
import type { Numbers } from "../core/wire";
import type { Block } from "../protocol";
import { clusterOrder } from "./cooccurrenceOrder";
import { band } from "./poisson";
import { ARRANGEMENTS, type Arrangement, wordsOf } from "./spacing";

/** What nbinterp/widget/cooccurrence.py writes. */
export interface CooccurrenceMeta {
  /** The most frequent names, those in the most sequences first. */
  names: string[];
  /** How many stand in the map, and how many there are beyond the page. */
  n_names: number;
  n_all: number;
  n_examples: number;
  n_annotations: number;
  length: number;
  max_distance: number;
  stranded: boolean;
  /** Whether the spacings of all pairs are in the page. */
  whole: boolean;
  /** Rows of the strongest: row, column, log2 ratio, q, observed, expected. */
  pairs: (string | number | null)[][];
  /** row, column, distance, q, observed, expected, orientation. */
  spacings: (string | number | null)[][];
  blocks: Block[];
}

export type Value = "enrichment" | "sequences" | "significance";
export type Order = "cluster" | "count" | "name";

export interface CooccurrenceState {
  /** The motif and its partner; empty for none. */
  pair: string[];
  value: Value;
  order: Order;
  /** Words, one of which the names of the map contain. */
  filter: string;
  partners: "enrichment" | "count";
}

/** What is known of a pair. */
export interface Together {
  observed: number;
  expected: number;
  /** log2, with half a sequence added to both. */
  ratio: number;
  /** -log10 of q. */
  strength: number;
}

/** How often two stand so at each distance. */
export interface Spacing {
  words: string;
  counts: ArrayLike<number>;
  expected: ArrayLike<number>;
  /** Where the number is significant. */
  marks: ArrayLike<number>;
}

/** Distances taken together, and what chance gives. */
export interface Bin {
  from: number;
  to: number;
  count: number;
  expected: number;
  low: number;
  high: number;
  marked: boolean;
}

export const CALLED = -Math.log10(0.05);
const FLIPPED: Record<Arrangement, Arrangement> = { a_then_b: "b_then_a", b_then_a: "a_then_b", facing: "facing", apart: "apart" };
/** In the order of nbinterp.annotation.ORIENTATIONS. */
const WAYS: Arrangement[] = ["a_then_b", "facing", "b_then_a", "apart"];

export class CooccurrenceStore {
  readonly state: CooccurrenceState = { pair: [], value: "enrichment", order: "cluster", filter: "", partners: "enrichment" };
  #told = new Told<[Partial<CooccurrenceState>]>();
  #index = new Map<string, number>();
  #near = new Map<number, number>();
  #marked: Uint8Array;
  #shown: { key: string; names: number[] } | null = null;

  constructor(readonly meta: CooccurrenceMeta, readonly blocks: Map<string, Numbers>, start: Partial<CooccurrenceState>) {
    Object.assign(this.state, start);
    meta.names.forEach((name, i) => this.#index.set(name, i));
    const near = this.#block("near");
    for (let k = 0; k < near.length / 2; k++) this.#near.set(this.#triangle(near[2 * k], near[2 * k + 1]), k);
    this.#marked = new Uint8Array(this.#block("counts").length);
    for (const at of Array.from(this.#block("marks"))) this.#marked[at] = 1;
  }

  subscribe(listener: (changed: Partial<CooccurrenceState>) => void, signal?: AbortSignal): void {
    this.#told.add(listener, signal);
  }
  set(change: Partial<CooccurrenceState>): void {
    const real = news(this.state, change);
    if (!real) return;
    Object.assign(this.state, real);
    this.#told.tell(real);
  }

  #block(name: string): Numbers {
    return this.blocks.get(name)!;
  }
  #triangle(i: number, j: number): number {
    const a = max(i, j);
    return (a * (a + 1)) / 2 + min(i, j);
  }

  // --- which names ----------------------------------------------------------------------------------------------------

  /** Numbers of the motif and its partner; -1 for what is not in the page. */
  get chosen(): [number, number] {
    const [a, b] = this.state.pair;
    return [this.#index.get(a) ?? -1, this.#index.get(b) ?? -1];
  }
  choose(i: number, j: number): void {
    this.set({ pair: [this.meta.names[i], this.meta.names[j]] });
  }
  /** See the pair from its other side. */
  turn(): void {
    this.set({ pair: [...this.state.pair].reverse() });
  }
  get motif(): string | null {
    return this.state.pair[0] ?? null;
  }
  onChoice(listener: () => void, signal: AbortSignal): void {
    this.subscribe((changed) => { if ("pair" in changed) listener(); }, signal);
  }
  /** Choose a motif by the first of its names that is known, with the partner that it has, or else its strongest. */
  follow(names: string[]): void {
    const name = names.find((one) => this.#index.has(one)), i = this.#index.get(name ?? "") ?? -1, { pair } = this.state;
    if (i < 0 || pair[0] === name) return;
    if (pair[1] === name) return this.turn();
    const others = this.shown.filter((j) => j !== i), strength = others.map((j) => this.together(i, j).strength);
    this.choose(i, others.length ? others[strength.indexOf(max(...strength))] : i);
  }

  /** How many names pass the filter. */
  get passing(): number {
    return this.#passing().length;
  }
  #passing(): number[] {
    const words = this.state.filter.toLowerCase().split(/[\s,]+/).filter(Boolean), all = this.meta.names.map((_, i) => i);
    return words.length ? all.filter((i) => words.some((word) => this.meta.names[i].toLowerCase().includes(word))) : all;
  }
  /** Numbers of the names in the map, as they stand. */
  get shown(): number[] {
    const { order, filter } = this.state, key = `${order} ${filter}`;
    if (this.#shown?.key !== key) this.#shown = { key, names: this.#ordered(this.#passing().slice(0, this.meta.n_names)) };
    return this.#shown.names;
  }
  #ordered(names: number[]): number[] {
    const { order } = this.state;
    if (order === "count") return names;
    if (order === "name") return names.sort((i, j) => this.meta.names[i].localeCompare(this.meta.names[j], undefined, { numeric: true }));
    return clusterOrder(names.length, (a, b) => this.together(names[a], names[b]).ratio).map((at) => names[at]);
  }

  // --- numbers --------------------------------------------------------------------------------------------------------

  together(i: number, j: number): Together {
    const at = this.#triangle(i, j), observed = this.#block("observed")[at], expected = this.#block("expected")[at];
    return { observed, expected, ratio: Math.log2((observed + 0.5) / (expected + 0.5)), strength: this.#block("strength")[at] };
  }
  /** What the map shows of a pair. */
  value(i: number, j: number): number {
    const { observed, ratio, strength } = this.together(i, j), { value } = this.state;
    return value === "sequences" ? observed : value === "enrichment" ? ratio : strength * (ratio < 0 ? -1 : 1);
  }
  /** Whether the spacings of a pair are in the page. */
  has(i: number, j: number): boolean {
    return i >= 0 && j >= 0 && (this.meta.whole || this.#near.has(this.#triangle(i, j)));
  }

  /** The ways in which two can lie, as the first of them reads; null where they are not in the page. */
  spacings(i: number, j: number): Spacing[] | null {
    if (!this.has(i, j)) return null;
    const [a, b] = [this.meta.names[i], this.meta.names[j]], { stranded } = this.meta;
    if (!stranded) return (i === j ? [0] : [0, 1]).map((way) => this.#way(i, j, way, way ? `${b} \u2026 ${a}` : `${a} \u2026 ${b}`));
    const ways = ARRANGEMENTS.filter((one) => i !== j || one !== "b_then_a");
    return ways.map((one) => this.#way(i, j, WAYS.indexOf(one), wordsOf(one, a, b)));
  }
  #way(i: number, j: number, way: number, words: string): Spacing {
    const n = this.meta.max_distance, pair = this.#near.get(this.#triangle(i, j));
    if (pair === undefined) return { words, counts: new Int32Array(n), expected: new Float32Array(n), marks: new Uint8Array(n) };
    const { stranded } = this.meta, knots = this.#block("knots"), turned = this.#block("near")[2 * pair] !== i; // kept as the other one sees it
    const kept = !turned ? way : stranded ? WAYS.indexOf(FLIPPED[WAYS[way]]) : 1 - way, row = pair * (stranded ? 4 : 2) + kept;
    const chance = this.#block("chance").subarray(row * knots.length, (row + 1) * knots.length);
    return {
      words, counts: this.#block("counts").subarray(row * n, (row + 1) * n), marks: this.#marked.subarray(row * n, (row + 1) * n),
      expected: Float32Array.from({ length: n }, (_, d) => between(knots, chance, d)),
    };
  }

  /** Partners in the map with, for each, its distances to the motif: those upstream (or to its left) from far to near, then downstream. */
  around(i: number, size: number): { partner: number; bins: Bin[] }[] {
    return this.shown.filter((j) => this.has(i, j)).map((partner) => {
      const [up, down] = this.#sides(i, partner);
      return { partner, bins: [...bins(up, size).reverse().map((one) => ({ ...one, from: -one.from, to: -one.to })), ...bins(down, size)] };
    });
  }
  #sides(i: number, j: number): [Spacing[], Spacing[]] {
    const ways = (this.meta.stranded ? [[2, 3], [0, 1]] : [[1], [0]]).map((side) => side.map((way) => this.#way(i, j, way, "")));
    return [ways[0], ways[1]];
  }
}

/** A value between knots, in a line. */
function between(knots: ArrayLike<number>, values: ArrayLike<number>, at: number): number {
  let k = 1;
  while (k < knots.length - 1 && knots[k] < at) k++;
  if (knots.length < 2) return values[0] ?? 0;
  const share = (at - knots[k - 1]) / (knots[k] - knots[k - 1]);
  return values[k - 1] + share * (values[k] - values[k - 1]);
}

/** Distances by `size` together, of several ways together. */
export function bins(ways: readonly Spacing[], size: number): Bin[] {
  const n = ways[0].counts.length;
  return Array.from({ length: Math.ceil(n / size) }, (_, k): Bin => {
    const from = k * size, to = min(from + size, n);
    let count = 0, expected = 0, marked = false;
    for (const { counts, expected: chance, marks } of ways) for (let d = from; d < to; d++) {
      count += counts[d];
      expected += chance[d];
      marked ||= marks[d] > 0;
    }
    const [low, high] = band(expected);
    return { from, to: to - 1, count, expected, low, high, marked };
  });
}

/** How many distances a column holds, so that it is `least` pixels wide. */
export const binSize = (distances: number, width: number, least: number): number => max(1, Math.ceil(distances / max(floor(width / least), 1)));
