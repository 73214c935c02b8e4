/** What two motifs do together against their distance: the numbers of every pair, which point is chosen, and how it is written in. Pure of any host. */
import { abs, clamp, max, min } from "../core/numbers";
import type { Numbers } from "../core/wire";
import type { AxisMeta } from "../protocol";
import { AxisStore, type AxisState, type Place } from "./axis";
import { type Asking, QUIET } from "./live";

export const ARRANGEMENTS = ["a_then_b", "b_then_a", "facing", "apart"] as const;
export type Arrangement = (typeof ARRANGEMENTS)[number];
export const ORDERS = ["ab", "ba"] as const;
export type Order = (typeof ORDERS)[number];
export type Sign = "+" | "-";
export type Value = "cooperativity" | "effect";

/** Strands of a and b, as order ab reads an arrangement; order ba turns both. */
const STRANDS: Record<Arrangement, [Sign, Sign]> = { a_then_b: ["+", "+"], b_then_a: ["-", "-"], facing: ["+", "-"], apart: ["-", "+"] };
const turned = (sign: Sign): Sign => (sign === "+" ? "-" : "+");

export function strandsOf(arrangement: Arrangement, order: Order): [Sign, Sign] {
  const [a, b] = STRANDS[arrangement];
  return order === "ab" ? [a, b] : [turned(a), turned(b)];
}

/** How two motifs lie, as they are read: "GATA▸ ◂TEAD". */
export function wordsOf(arrangement: Arrangement, a: string, b: string): string {
  if (a === b && arrangement === "b_then_a") return `◂${a} ◂${b}`; // two of a kind, on the other strand
  const words: Record<Arrangement, string> = { a_then_b: `${a}▸ ${b}▸`, b_then_a: `${b}▸ ${a}▸`, facing: `${a}▸ ◂${b}`, apart: `◂${a} ${b}▸` };
  return words[arrangement];
}

/** The same for those who hear it. */
export function saidOf(arrangement: Arrangement, a: string, b: string): string {
  const words: Record<Arrangement, string> = {
    a_then_b: `${a}, then ${b} on the same strand`, b_then_a: `${b}, then ${a} on the same strand`, facing: `${a} and ${b} facing each other`, apart: `${a} and ${b} facing apart`,
  };
  return words[arrangement];
}

export interface SpacingMeta extends AxisMeta {
  /** `letters` are null where only the name and the width are known. */
  motifs: { name: string; width: number; letters: string | null }[];
  /** Motif a, motif b, and where a begins. */
  pairs: [number, number, number][];
  /** Rising. */
  distances: number[];
  /** Whether backgrounds came along. */
  backgrounds: boolean;
  live: boolean;
  colors: "classic" | "safe" | "grey";
}

export interface SpacingState extends AxisState, Asking {
  pair: number;
  value: Value;
  /** Both readings of an arrangement as their mean, or each by itself. */
  readings: "mean" | "both";
  arrangement: Arrangement;
  order: Order;
  distance: number;
  hidden: Arrangement[];
  /** Lines at turns of the helix from the chosen point. */
  helix: boolean;
  live: boolean | null;
  /** What the pointer is on. */
  pointed: Point | null;
  /** The distance that the map of all pairs is of; -1 for the strongest. */
  at: number;
}

export interface Point {
  arrangement: Arrangement;
  order: Order;
  distance: number;
}

/** What is known at a point; NaN where nothing is. */
export interface Reading {
  value: number;
  low: number;
  high: number;
  effect: number;
  cooperativity: number;
  n: number;
}

export interface Strongest {
  at: Point;
  reading: Reading;
}

export interface Line {
  arrangement: Arrangement;
  /** Null for the mean of both. */
  order: Order | null;
  readings: Reading[];
}

/** A motif as it is written in. */
export interface Site {
  motif: number;
  start: number;
  end: number;
  strand: Sign;
}

const BARE: Reading = { value: NaN, low: NaN, high: NaN, effect: NaN, cooperativity: NaN, n: 0 };
const known = (reading: Reading): boolean => Number.isFinite(reading.value);

export class SpacingStore extends AxisStore<SpacingMeta, SpacingState, Place> {
  /** Attributions (length,) that were told, by construct. */
  readonly told = new Map<string, Float32Array>();
  #strongest = new Map<string, Strongest>();

  constructor(meta: SpacingMeta, blocks: Map<string, Numbers>, start: Partial<SpacingState>) {
    const rest = {
      ...QUIET, pair: 0, value: "cooperativity" as const, readings: "mean" as const, arrangement: "a_then_b" as const, order: "ab" as const, distance: meta.distances[0],
      hidden: [], helix: false, live: null, pointed: null, at: -1,
    };
    super(meta, blocks, rest, start);
    Object.assign(this.state, this.#fit(this.state));
    this.state.selection = this.span;
  }

  protected make(example: number): Place {
    return this.place(example);
  }

  override set(change: Partial<SpacingState>): void {
    const { selection: _, ...own } = change; // what is selected is the pair, whoever says something else
    if (!Object.keys(own).length) return;
    if (own.pair !== undefined && own.pair !== this.state.pair) Object.assign(own, { ...this.best(own.pair).at, ...own });
    const { pair, arrangement, order, distance } = { ...this.state, ...own };
    const wanted = { ...own, ...this.#fit({ pair, arrangement, order, distance }) };
    // linked views forget what was selected in another background: it is told anew
    if (own.example !== undefined && own.example !== this.state.example) super.set({ selection: null });
    super.set(own.example === undefined ? { ...wanted, selection: spanOf(this.sitesAt({ ...this.state, ...wanted })) } : wanted);
    if (!this.state.selection) super.set({ selection: this.span });
  }

  /** A distance that was measured, and a reading that there is. */
  #fit({ pair, arrangement, order, distance }: Point & { pair: number }): Point {
    const { distances } = this.meta, near = distances.reduce((best, d) => (abs(d - distance) < abs(best - distance) ? d : best), distances[0]);
    const there = (o: Order): boolean => distances.some((_, i) => this.#n(pair, arrangement, o, i) > 0);
    return { arrangement, distance: near, order: there(order) || !there(order === "ab" ? "ba" : "ab") ? order : order === "ab" ? "ba" : "ab" };
  }

  // --- numbers --------------------------------------------------------------------------------------------------------

  #index(pair: number, arrangement: Arrangement, order: Order, i: number): number {
    return ((pair * 4 + ARRANGEMENTS.indexOf(arrangement)) * 2 + ORDERS.indexOf(order)) * this.meta.distances.length + i;
  }
  #n(pair: number, arrangement: Arrangement, order: Order, i: number): number {
    return this.blocks.get("n")![this.#index(pair, arrangement, order, i)];
  }

  /** One reading of an arrangement, or the mean of both; the half width of its interval is then the mean of theirs, which is no less than its own. */
  reading(pair: number, arrangement: Arrangement, order: Order | null, i: number): Reading {
    if (i < 0) return BARE;
    if (order === null) {
      const both = ORDERS.map((o) => this.reading(pair, arrangement, o, i)).filter(known), mean = (key: keyof Reading): number => both.reduce((sum, one) => sum + one[key], 0) / both.length;
      if (both.length < 2) return both[0] ?? BARE;
      return { value: mean("value"), low: mean("low"), high: mean("high"), effect: mean("effect"), cooperativity: mean("cooperativity"), n: min(...both.map((one) => one.n)) };
    }
    const at = this.#index(pair, arrangement, order, i), get = (name: string): number => this.blocks.get(name)![at], effect = get("effect"), cooperativity = get("cooperativity");
    const sure = this.state.value === "cooperativity";
    return { value: sure ? cooperativity : effect, low: sure ? get("low") : NaN, high: sure ? get("high") : NaN, effect, cooperativity, n: get("n") };
  }

  /** What is known at a point, as it is drawn. */
  read({ arrangement, order, distance }: Point, pair = this.state.pair): Reading {
    return this.reading(pair, arrangement, this.state.readings === "mean" ? null : order, this.meta.distances.indexOf(distance));
  }

  /** Lines of the pair that are there, shown or not. */
  get lines(): Line[] {
    const { pair, readings } = this.state, orders = readings === "mean" ? [null] : ORDERS;
    const all = ARRANGEMENTS.flatMap((arrangement) => orders.map((order): Line => ({ arrangement, order, readings: this.meta.distances.map((_, i) => this.reading(pair, arrangement, order, i)) })));
    return all.filter((line) => line.readings.some(known));
  }
  get shownLines(): Line[] {
    return this.lines.filter((line) => !this.state.hidden.includes(line.arrangement));
  }

  /** Where a pair is strongest, up or down; at one distance, or at any. */
  best(pair: number, distance = -1): Strongest {
    const key = `${this.state.value} ${pair} ${distance}`, found = this.#strongest.get(key) ?? this.#search(pair, distance);
    this.#strongest.set(key, found);
    return found;
  }
  #search(pair: number, distance: number): Strongest {
    const { distances } = this.meta;
    let best: Strongest = { at: { arrangement: "a_then_b", order: "ab", distance: distance < 0 ? distances[0] : distance }, reading: BARE };
    for (const arrangement of ARRANGEMENTS)
      distances.forEach((d, i) => {
        if (distance >= 0 && d !== distance) return;
        const reading = this.reading(pair, arrangement, null, i);
        if (known(reading) && !(abs(reading.value) <= abs(best.reading.value))) best = { at: { arrangement, order: "ab", distance: d }, reading };
      });
    return best;
  }

  // --- moving ---------------------------------------------------------------------------------------------------------

  /** Step by distances that were measured. */
  move(by: number): void {
    const { distances } = this.meta, at = distances.indexOf(this.state.distance);
    this.set({ distance: distances[clamp(at + by, 0, distances.length - 1)], pointed: null });
  }
  /** To the line above or below at this distance. */
  climb(up: boolean): void {
    const { state } = this, at = this.meta.distances.indexOf(state.distance), here = this.read(state).value;
    const now = (line: Line): boolean => line.arrangement === state.arrangement && (line.order ?? state.order) === state.order;
    const others = this.shownLines.filter((line) => !now(line) && known(line.readings[at])).map((line) => ({ line, far: line.readings[at].value - here }));
    const [next] = others.filter(({ far }) => (up ? far >= 0 : far < 0) || Number.isNaN(far)).sort((one, two) => abs(one.far) - abs(two.far));
    if (next) this.set({ arrangement: next.line.arrangement, order: next.line.order ?? state.order, pointed: null });
  }
  turn(): void {
    this.set({ order: this.state.order === "ab" ? "ba" : "ab" });
  }
  toggle(arrangement: Arrangement): void {
    const { hidden } = this.state;
    this.set({ hidden: hidden.includes(arrangement) ? hidden.filter((one) => one !== arrangement) : [...hidden, arrangement] });
  }

  // --- the pair in a background ---------------------------------------------------------------------------------------------

  names(pair = this.state.pair): [string, string] {
    const [a, b] = this.meta.pairs[pair];
    return [this.meta.motifs[a].name, this.meta.motifs[b].name];
  }

  /** Motif a and motif b, where a point puts them. */
  sitesAt({ pair, arrangement, order, distance }: Point & { pair: number }): [Site, Site] {
    const [a, b, start] = this.meta.pairs[pair], [wide, other] = [a, b].map((i) => this.meta.motifs[i].width), [strandA, strandB] = strandsOf(arrangement, order);
    const second = order === "ab" ? start + wide + distance : start - distance - other;
    return [{ motif: a, start, end: start + wide, strand: strandA }, { motif: b, start: second, end: second + other, strand: strandB }];
  }
  get sites(): [Site, Site] {
    return this.sitesAt(this.state);
  }
  get span(): [number, number] {
    return spanOf(this.sites);
  }

  /** The background with both written in; an N leaves what is there. Null where no background came along. */
  get sequence(): Uint8Array | null {
    const { length, backgrounds, motifs } = this.meta, { example } = this.state;
    if (!backgrounds) return null;
    const codes = (this.blocks.get("codes") as Uint8Array).slice(example * length, (example + 1) * length);
    for (const { motif, start, strand } of this.sites) {
      const letters = stranded(motifs[motif].letters ?? "", strand);
      for (let i = 0; i < letters.length; i++) if (letters[i] !== "N") codes[start + i] = "ACGT".indexOf(letters[i]);
    }
    return codes;
  }

  /** How much each position of a motif says, 0 to 1, as it stands on a strand. */
  weights({ motif, strand }: Site): number[] {
    const values = this.blocks.get(`motif${motif}`), { width } = this.meta.motifs[motif];
    const bits = Array.from({ length: width }, (_, i) => {
      const column = values ? [0, 1, 2, 3].map((base) => values[base * width + i]) : [], total = column.reduce((a, b) => a + b, 0);
      return total ? 1 + column.reduce((sum, v) => (v ? sum + (v / total) * Math.log2(v / total) : sum), 0) / 2 : 0;
    });
    return strand === "+" ? bits : bits.reverse();
  }

  get key(): string {
    const { pair, arrangement, order, distance, example } = this.state;
    return [pair, arrangement, order, distance, example].join(" ");
  }
  get attributions(): Float32Array | null {
    return this.told.get(this.key) ?? null;
  }
}

const spanOf = (sites: readonly Site[]): [number, number] => [min(...sites.map((one) => one.start)), max(...sites.map((one) => one.end))];

export const stranded = (letters: string, strand: Sign): string => (strand === "+" ? letters : [...letters].reverse().map((c) => "TGCAN"["ACGTN".indexOf(c)]).join(""));

/** The lines of the pair, as a table. */
export function toCsv(store: SpacingStore): string {
  const [a, b] = store.names(), quoted = (words: string): string => `"${words.replace(/"/g, '""')}"`;
  const lines = ["motif_a,motif_b,arrangement,order,distance,n,cooperativity,effect,low,high"], { value } = store.state;
  for (const { arrangement, order, readings } of store.lines)
    readings.forEach((one, i) => {
      const ends = value === "cooperativity" ? [one.low, one.high] : ["", ""];
      if (known(one)) lines.push([quoted(a), quoted(b), arrangement, order ?? "mean", store.meta.distances[i], one.n, one.cooperativity, one.effect, ...ends].join(","));
    });
  return `${lines.join("\n")}\n`;
}
