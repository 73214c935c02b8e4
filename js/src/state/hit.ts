/** What a HitView shows: hits of a region as they were called, what they explain, and which of them are shown. Pure of any host. */
import { max, min } from "../core/numbers";
import { dequantize, type Numbers, unpack } from "../core/wire";
import type { Extent } from "../draw/lod";
import type { Row } from "../draw/logo";
import type { AxisMeta } from "../protocol";
import { AxisStore, type AxisState } from "./axis";
import { type Called, Known, keyOf } from "./hitKnown";
import { type Asking, QUIET } from "./live";
import { makeRow } from "./rows";
import type { Example } from "./store";
import { type Item, Spans } from "./spans";

export interface HitMeta extends AxisMeta {
  motifs: string[];
  /** Motifs, then contributions: projected (p) or hypothetical (h). */
  mode: string;
  /** Whether contributions are drawn as signed square roots. */
  root: boolean;
  /** The penalty at which motifs have their own; others are in proportion. */
  usual: number;
  /** Penalties whose hits are stored: blocks "hits0.start" and so on. */
  stored: number[];
  colors: "classic" | "safe" | "grey";
}

export interface HitState extends AxisState, Asking {
  lambda: number;
  /** The least that is shown; null for each hit's lambda. */
  similarity: number | null;
  /** Names of the motifs that do not compete. */
  off: string[];
  /** Whether hits are drawn as large as explains most. */
  free: boolean;
  /** All four bases. */
  all: boolean;
  /** Whether a kernel answers; null until that is known. */
  live: boolean | null;
  /** Whether the hits that are shown have been waited for so long that what is drawn is old. */
  stale: boolean;
  /** What the kernel needed for its last answer. */
  seconds: number;
}

/** One hit, to be read. */
export interface Hit {
  start: number;
  end: number;
  /** Number of the motif's strand. */
  strand: number;
  motif: string;
  /** coefficient, similarity, cosine, explained, leave-one-out. */
  numbers: number[];
  rival: string;
  tied: boolean;
}

/** What is drawn of the hits that are shown. */
export interface Fit {
  /** Places in `Called` of the hits that are shown. */
  kept: number[];
  rows: Row[];
  /** Part of the contributions' squares; NaN where there are none. */
  explained: number;
}

const SIMILARITY = 3; // its place in `Called.values`

export class HitStore extends AxisStore<HitMeta, HitState, Example> {
  readonly known = new Known();
  #last: string;
  #spans: { key: string; spans: Spans; kept: string } | null = null;
  #fit: { key: string; fit: Fit; example: Example } | null = null;
  /** First value of each motif in the block of kernels. */
  #at: number[] = [];

  constructor(meta: HitMeta, blocks: Map<string, Numbers>, start: Partial<HitState>) {
    super(meta, blocks, { ...QUIET, lambda: meta.usual, similarity: null, off: [], free: false, all: false, live: null, stale: false, seconds: 0 }, start);
    this.#last = keyOf(meta.usual, []);
    meta.stored.forEach((lambda, k) => this.known.add(keyOf(lambda, []), blocks, `hits${k}.`));
    this.known.keep();
    let at = 0;
    for (const width of this.widths) { this.#at.push(at); at += 4 * width; }
  }

  get widths(): Int32Array {
    return this.blocks.get("widths") as Int32Array;
  }

  /** With no kernel, the penalty is one that is stored; hits that are called anew have other numbers. */
  override set(change: Partial<HitState>): void {
    const wanted = { ...change }, { live, example, lambda } = { ...this.state, ...wanted };
    if (live === false) wanted.lambda = nearest(this.known.lambdas(example), lambda);
    const before = this.spans, item = before.item(this.state.item);
    super.set(wanted);
    if (this.spans !== before) super.set({ under: -1, item: "item" in wanted || !item ? this.state.item : this.#again(item) });
  }

  /** The number that a hit has now, -1 where it is gone. */
  #again({ example, start, strand, name }: Item): number {
    const [set] = this.spans.sets, sign = strand === "+" ? 1 : 2;
    for (let row = set.at[example]; row < set.at[example + 1]; row++)
      if (set.start[row] === start && set.strand[row] === sign && set.names[set.name[row]] === name) return row;
    return -1;
  }

  // --- what was called ------------------------------------------------------------------------------------------------

  /** Numbers of the motifs that do not compete. */
  get off(): number[] {
    const off = new Set(this.state.off);
    return off.size ? this.meta.motifs.map((_, i) => i).filter((i) => off.has(this.meta.motifs[i])) : [];
  }
  /** What is asked for: with no kernel motifs are left out of the picture, not of the competition. */
  get key(): string {
    const { lambda, live } = this.state;
    return keyOf(lambda, live === false ? [] : this.off);
  }
  /** Whether that is known of the region. */
  get whole(): boolean {
    return !!this.known.get(this.key, this.state.example);
  }
  /** Settings of the hits that are shown: what was asked for, or what was shown last while that is on its way. */
  get #shown(): string {
    const { example } = this.state, { key } = this;
    if (this.known.get(key, example) || !this.known.get(this.#last, example)) this.#last = key;
    return this.#last;
  }
  get called(): Called | null {
    return this.known.get(this.#shown, this.state.example);
  }
  /** In how many regions hits are known under these settings, and how many of them are shown. */
  get everywhere(): { regions: number; hits: number } {
    const { spans } = this;
    return { regions: this.known.all(this.#shown).length, hits: spans.named(spans.sets[0], "").length };
  }

  heard(): void {
    this.set({ heard: this.state.heard + 1 });
  }

  /** The least similarity of a motif's hits. */
  least(motif: number): number {
    const { similarity, lambda } = this.state;
    return similarity ?? min((this.blocks.get("lambdas") as Float32Array)[motif] * (lambda / this.meta.usual), 0.999);
  }

  // --- spans ----------------------------------------------------------------------------------------------------------

  get #filter(): string {
    const { similarity, lambda, off } = this.state;
    return JSON.stringify([similarity, lambda, off]);
  }

  get spans(): Spans {
    const shown = this.#shown, key = `${shown} ${this.known.version}`, kept = this.#filter;
    if (this.#spans?.key !== key) this.#spans = { key, spans: this.#spanned(this.known.all(shown)), kept: "" };
    if (this.#spans.kept !== kept) {
      const off = new Set(this.off), values = this.known.all(shown).flatMap(([, { values }]) => [...values[SIMILARITY]]);
      this.#spans.kept = kept;
      this.#spans.spans.filter(({ name }, row) => !off.has(name[row]) && values[row] >= this.least(name[row]) - 1e-6);
    }
    return this.#spans.spans;
  }

  #spanned(all: [number, Called][]): Spans {
    const total = all.reduce((sum, [, { start }]) => sum + start.length, 0), { motifs, n } = this.meta, at = new Int32Array(n + 1);
    const [start, width, name] = [0, 1, 2].map(() => new Int32Array(total)), strand = new Uint8Array(total);
    let i = 0, before = 0;
    for (const [example, called] of all) {
      called.start.forEach((place, k) => {
        name[i] = called.motif[k] >> 1;
        start[i] = place - before; // as steps and widths
        before = place;
        width[i] = this.widths[name[i]];
        strand[i++] = 1 + (called.motif[k] & 1);
      });
      at[example + 1] = called.start.length;
    }
    for (let e = 0; e < n; e++) at[e + 1] += at[e];
    return new Spans([{ label: "hits", names: motifs, scores: [] }], new Map(Object.entries({ at, start, width, name, strand }).map(([column, values]) => [`spans0.${column}`, values])));
  }

  /** A hit of the region that is shown, by its place there. */
  hit(i: number): Hit {
    const { start, motif, rival, tied, values } = this.called!, k = motif[i] >> 1;
    return {
      start: start[i], end: start[i] + this.widths[k], strand: motif[i] & 1, motif: this.meta.motifs[k], numbers: values.slice(2).map((column) => column[i]),
      rival: rival[i] === k ? "the other strand" : this.meta.motifs[rival[i]] ?? "", tied: !!tied[i],
    };
  }
  /** The number of a hit among all spans, and back. */
  number(i: number): number {
    return this.spans.sets[0].at[this.state.example] + i;
  }

  // --- rows -----------------------------------------------------------------------------------------------------------

  protected make(e: number): Example {
    const { length, mode, root } = this.meta, codes = unpack(this.blocks.get("sequence") as Uint8Array, this.blocks.get("unknown") as Int32Array, e, length);
    const row = (name: string, channels: 1 | 4): Row => {
      const values = this.blocks.get(name) as Int16Array, scales = this.blocks.get(`${name}_scale`) as Float32Array, count = channels * length;
      return makeRow(root ? `${name} (root)` : name, dequantize(values, e * count, count, scales[e]), channels, codes);
    };
    const rows = [row("contributions", mode[1] === "h" ? 4 : 1)];
    if (this.blocks.has("hypothetical")) rows.push(row("hypothetical", 4));
    return { ...this.place(e), codes, rows, edited: null };
  }

  override get current(): Example {
    return this.#look().example;
  }
  get fit(): Fit {
    return this.#look().fit;
  }

  #look(): { fit: Fit; example: Example } {
    const { state: { example, free, all, stale }, original } = this, key = JSON.stringify([example, this.#shown, this.known.version, this.#filter, free, all, stale]);
    if (this.#fit?.key !== key) {
      const fit = this.#fitted(original, stale), rows = all ? [...fit.rows, ...original.rows.slice(1)] : fit.rows;
      this.#fit = { key, fit, example: { ...original, rows } };
    }
    return this.#fit;
  }

  #fitted({ codes, rows: [given] }: Example, stale: boolean): Fit {
    const { called } = this, y = given.values!, kept: number[] = [], off = new Set(this.off), sum = new Float32Array(y.length), [weight, whole, coefficient, similarity] = called?.values ?? [];
    called?.motif.forEach((strand, i) => {
      if (off.has(strand >> 1) || similarity[i] < this.least(strand >> 1) - 1e-6) return;
      kept.push(i);
      this.#put(sum, codes, called.start[i], strand, weight[i] * (this.state.free ? whole[i] / coefficient[i] : 1));
    });
    const rest = y.map((v, i) => v - sum[i]), square = (values: Float32Array): number => values.reduce((total, v) => total + v * v, 0);
    const rows = [given, makeRow("reconstruction", sum, given.channels, codes, { stale }), makeRow("residual", rest, given.channels, codes, { stale })];
    shareScale(rows);
    return { kept, rows, explained: 1 - square(rest) / square(y) };
  }

  /** Add a hit's part. */
  #put(sum: Float32Array, codes: Uint8Array, start: number, strand: number, weight: number): void {
    const motif = strand >> 1, width = this.widths[motif], kernels = this.blocks.get("kernels") as Float32Array, at = this.#at[motif], four = sum.length > codes.length;
    const value = (base: number, j: number): number => weight * kernels[at + (strand & 1 ? (3 - base) * width + width - 1 - j : base * width + j)];
    for (let j = 0; j < width; j++) {
      const place = start + j;
      if (four) for (let base = 0; base < 4; base++) sum[base * codes.length + place] += value(base, j);
      else if (codes[place] < 4) sum[place] += value(codes[place], j);
    }
  }

  /** Weights of a motif (4, width), to be drawn. */
  kernel(motif: number): { values: Float32Array; width: number } {
    const width = this.widths[motif], at = this.#at[motif];
    return { values: (this.blocks.get("kernels") as Float32Array).subarray(at, at + 4 * width), width };
  }
}

const nearest = (values: number[], to: number): number => values.reduce((best, v) => (Math.abs(v - to) < Math.abs(best - to) ? v : best), values[0] ?? to);

/** One range for what adds up. */
function shareScale(rows: Row[]): void {
  const shared = (parts: Extent[]): Pick<Extent, "low" | "high"> => ({ low: min(...parts.map(({ low }) => low)), high: max(...parts.map(({ high }) => high)) });
  const own = shared(rows.map(({ extent }) => extent)), four = shared(rows.map(({ stacked }) => stacked));
  for (const row of rows) Object.assign(row, { extent: { ...row.extent, ...own }, stacked: { ...row.stacked, ...four } });
}
