/** What a MarginalView shows: a motif at a place, and what is known of it. Pure of any host. */
import { atEnd } from "../core/events";
import type { Numbers } from "../core/wire";
import { AxisStore, type AxisState, type Place } from "./axis";
import { type Asking, QUIET } from "./live";
import { type MarginalAnswer, type MarginalAsk, type MarginalMeta, type Placed, Placements, type StrandSign } from "./placements";

export interface MarginalState extends AxisState, Asking {
  motif: string;
  start: number;
  strand: StrandSign;
  /** Whether a model answers; null until that is known. */
  live: boolean | null;
  /** Whether the place that is shown has been waited for so long that what is drawn is old. */
  stale: boolean;
  /** The background under the pointer, -1 for none. */
  background: number;
}

type Change = Partial<MarginalState>;

export class MarginalStore extends AxisStore<MarginalMeta, MarginalState, Place> {
  readonly known = new Placements();
  #shown: Placed | null = null;

  constructor(meta: MarginalMeta, blocks: Map<string, Numbers>, start: Partial<MarginalState>) {
    super(meta, blocks, { ...QUIET, motif: meta.motifs[0].name, start: 0, strand: "+", live: null, stale: false, background: -1 }, start);
    this.state.selection = this.#span(this.state.motif, this.state.start);
  }

  protected make(example: number): Place {
    return this.place(example);
  }

  /** Where the motif is, is what linked views see as selected; and the other way round. */
  override set(change: Change): void {
    const wanted = { ...change }, moves = "motif" in wanted || "start" in wanted || "strand" in wanted;
    if ("selection" in wanted && !moves && wanted.selection) wanted.start = wanted.selection[0];
    const { motif, start, strand, live } = { ...this.state, ...wanted };
    wanted.start = this.#fit(motif, start, strand, live);
    wanted.selection = this.#span(motif, wanted.start);
    super.set(wanted);
  }

  letters(motif: string): string {
    return this.meta.motifs.find((one) => one.name === motif)!.letters;
  }
  get width(): number {
    return this.letters(this.state.motif).length;
  }
  #span(motif: string, start: number): [number, number] {
    return [start, start + this.letters(motif).length];
  }

  /** Inside the backgrounds; and with no kernel, where there is an answer. */
  #fit(motif: string, start: number, strand: StrandSign, live: boolean | null): number {
    const inside = Math.min(Math.max(Math.round(start), 0), this.meta.length - this.letters(motif).length);
    return live === false ? (this.known.nearest(motif, inside, strand) ?? inside) : inside;
  }

  /** Step by positions; with no kernel to the next place that far away which is known. */
  move(by: number): void {
    const { motif, start, strand, live } = this.state, to = start + by;
    if (live !== false) return this.set({ start: to });
    const starts = this.known.curve(motif, strand).map((one) => one.start);
    this.set({ start: (by > 0 ? starts.find((s) => s >= to) : starts.findLast((s) => s <= to)) ?? (by > 0 ? starts.at(-1) : starts[0]) ?? to });
  }
  flip(): void {
    this.set({ strand: this.state.strand === "+" ? "-" : "+" });
  }
  /** Another motif about the same middle. */
  choose(motif: string): void {
    this.set({ motif, start: this.state.start + (this.width - this.letters(motif).length) / 2 });
  }
  chooseBy(by: number): void {
    const { motifs } = this.meta, at = motifs.findIndex((one) => one.name === this.state.motif) + by;
    if (motifs[at]) this.choose(motifs[at].name);
  }

  /** The place that is shown; null when it is not known. */
  get now(): Placed | null {
    const { motif, start, strand } = this.state;
    return this.known.get(motif, start, strand);
  }
  /** What is drawn: the place that is shown, or what was known last while that is on its way. */
  get shown(): Placed | null {
    this.#shown = this.now ?? (this.state.live === false || this.state.failed ? null : this.#shown);
    return this.#shown;
  }
  /** Numbers (n,) of the backgrounds as they are. */
  get before(): Float32Array {
    return this.blocks.get("before") as Float32Array;
  }
  heard(): void {
    this.set({ heard: this.state.heard + 1 });
  }
}

const PATIENCE = 150; // ms until what is drawn counts as old

/** Asks for what is shown and not known, and fills the curve; the newest request wins. */
export class MarginalAsker {
  #number = Math.floor(Math.random() * 2 ** 30); // two views of one model tell their answers apart
  #whole = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = "";

  constructor(private store: MarginalStore, private send: (ask: MarginalAsk) => void, signal: AbortSignal) {
    store.subscribe((changed) => {
      if (!("motif" in changed || "start" in changed || "strand" in changed)) return;
      store.set({ failed: "" });
      this.look();
    }, signal);
    atEnd(signal, () => clearTimeout(this.#timer));
  }

  look(): void {
    const { store } = this, { motif, start, strand, live } = store.state, { now } = store;
    clearTimeout(this.#timer);
    if (!live) return store.set({ asking: false, stale: false });
    const profile = !store.meta.profile || now?.profile;
    if (now) store.set({ stale: false });
    else this.#timer = setTimeout(() => store.set({ stale: true }), PATIENCE);
    if (now && profile && this.#whole.has(motif)) return store.set({ asking: false });
    const key = `${motif} ${start} ${strand}`;
    if (store.state.asking && key === this.#asked) return; // under way
    this.#asked = key;
    store.set({ asking: true });
    this.send({ kind: "marginal", number: ++this.#number, motif, start, strand, have: store.known.count(motif) });
  }

  hear(answer: MarginalAnswer, blocks: Map<string, Numbers>): void {
    const { store } = this;
    store.known.add(answer.motif, blocks); // a fact, whoever asked for it
    if (answer.number === this.#number) {
      clearTimeout(this.#timer);
      if (answer.last && answer.stage === "curve") this.#whole.add(answer.motif);
      store.set({ stale: false, failed: answer.words, ...(answer.last ? { asking: false } : {}) });
    }
    store.heard();
  }
}

/** All places of a motif that are known, as a table. */
export function toCsv(store: MarginalStore): string {
  const { motif } = store.state, lines = ["motif,start,end,strand,effect,p05,p95,backgrounds"];
  for (const strand of ["+", "-"] as const)
    for (const { start, mean, low, high, effects } of store.known.curve(motif, strand))
      lines.push([`"${motif.replace(/"/g, '""')}"`, start, start + store.width, strand, mean, low, high, effects.length].join(","));
  return `${lines.join("\n")}\n`;
}
