/** What a LogoView shows: data read once, and a small state that changes. Pure of any host. */
import { dequantize, type Numbers, unpack } from "../core/wire";
import { type Extent, pyramid } from "../draw/lod";
import type { Row } from "../draw/logo";
import { clampView, type View } from "../draw/scale";
import type { Annotation, LogoMeta } from "../protocol";
import { arrange, type Layout, PLAIN } from "./arrange";
import { Answers, type Question, type Said } from "./answers";
import { type Edited, applyChanges, type History, NOTHING } from "./edits";
import { editedRows, makeRow, NONE } from "./rows";

export interface State {
  example: number;
  view: View;
  selection: [number, number] | null;
  hover: number | null;
  all: boolean;
  hoveredItem: number;
  selectedItem: number;
  /** Changes of each example that has some. */
  histories: Record<string, History>;
  target: string;
  method: string;
  /** Whether an answer is under way. */
  asking: boolean;
  /** Parts of answers heard so far: what is drawn depends on it. */
  heard: number;
  layout: Layout;
  /** The margin of linked views; 0 when there is none. */
  gutter: number;
  /** Methods shown side by side; none when they are not compared. */
  compare: string[];
  /** What went wrong last, in its own words. */
  failed: string;
}

export type Change = Partial<State>;

/** One example, ready to draw. */
export interface Example {
  codes: Uint8Array;
  rows: Row[];
  items: Annotation[];
  offset: number;
  name: string;
  chrom: string | null;
  /** What was edited; null for the sequence as it was given. */
  edited: Edited | null;
}

export class Store {
  state: State;
  onGutter?: (wanted: number) => void;
  readonly answers = new Answers();
  #examples = new Map<number, Example>();
  #shown: { key: string; example: Example; every: Row[] } | null = null;
  #listeners = new Set<(changed: Change) => void>();

  constructor(readonly meta: LogoMeta, readonly blocks: Map<string, Numbers>, start: Partial<State>) {
    const view = clampView(start.view ?? { start: 0, end: meta.length }, meta.length);
    this.state = {
      example: 0, selection: null, hover: null, all: false, hoveredItem: -1, selectedItem: -1, histories: {},
      target: meta.first.target, method: meta.first.method, layout: PLAIN, gutter: 0, compare: [], asking: false, heard: 0, failed: "", ...start, view,
    };
    this.state.example = Math.min(Math.max(this.state.example, 0), meta.n - 1);
  }

  // --- edits --------------------------------------------------------------------------------------------------------

  get history(): History {
    return this.state.histories[this.state.example] ?? NOTHING;
  }
  set history(history: History) {
    this.set({ histories: { ...this.state.histories, [this.state.example]: history } });
  }

  /** What is shown now, as a question to the model. */
  get question(): Question {
    const { example, target, method } = this.state;
    return { example, changes: this.history.done, target, method, curves: false };
  }

  /** Whether this is the sequence as it was given, under the target and the method whose numbers came with it. */
  isFirst({ changes, target, method, curves }: Question): boolean {
    const { first } = this.meta;
    return first.scores && !curves && !changes.length && target === first.target && method === first.method;
  }

  knows(question: Question): boolean {
    return this.isFirst(question) || (this.answers.get(question)?.whole ?? false);
  }

  /** What was said of a question; of the first one, what came with the view. */
  said(question: Question): Said | null {
    const heard = this.answers.get(question), whole = this.isFirst(question);
    if (heard || question.curves || question.changes.length || question.target !== this.meta.first.target) return heard;
    const prediction = this.meta.predictions?.[question.example] ?? null, [row] = this.original.rows;
    const scores = whole && row.channels === 4 ? row.values : null;
    return { prediction, original: prediction, spread: null, scores, errors: null, references: null, whole, seconds: 0, deletion: [], insertion: [] };
  }

  subscribe(listener: (changed: Change) => void, signal?: AbortSignal): void {
    this.#listeners.add(listener);
    signal?.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  set(change: Change): void {
    const wanted = { ...change };
    if (wanted.view) wanted.view = clampView(wanted.view, this.meta.length);
    if (wanted.example !== undefined) wanted.example = Math.min(Math.max(wanted.example, 0), this.meta.n - 1);
    const real = Object.fromEntries(
      Object.entries(wanted).filter(([k, v]) => JSON.stringify(this.state[k as keyof State]) !== JSON.stringify(v)),
    ) as Change;
    if (!Object.keys(real).length) return;
    if (real.example !== undefined && !("selection" in real)) Object.assign(real, { selection: null, selectedItem: -1 });
    Object.assign(this.state, real);
    for (const listener of [...this.#listeners]) listener(real);
  }

  get place(): { chrom: string | null; offset: number } {
    return this.original;
  }

  /** The example as it was given. */
  get original(): Example {
    let example = this.#examples.get(this.state.example);
    if (!example) {
      if (this.#examples.size > 8) this.#examples.clear(); // a few neighbours are enough
      this.#examples.set(this.state.example, (example = this.#make(this.state.example)));
    }
    return example;
  }

  /** The example as it is shown: with its changes, under the target and the method chosen. */
  get current(): Example {
    return this.#look().example;
  }

  /** All rows there are, hidden ones too. */
  get everyRow(): Row[] {
    return this.#look().every;
  }

  #look(): { example: Example; every: Row[] } {
    const { original, question, state: { layout, heard, compare } } = this;
    const key = JSON.stringify([question, heard, layout, compare]);
    if (this.#shown?.key !== key) {
      const edited = applyChanges(original.codes, question.changes);
      const before = this.said({ ...question, changes: [] });
      const own = this.isFirst(question) ? original.rows : editedRows(original, edited, this.said(question), before, question, this.meta.first.scores);
      const every = compare.length ? this.#beside(own, edited) : own;
      const rows = layout === PLAIN ? every : arrange(every, edited.codes, layout);
      if (rows !== original.rows) shareScale(rows, this.meta.scale);
      this.#shown = { key, every, example: { ...original, codes: edited.codes, rows, edited: question.changes.length ? edited : null } };
    }
    return this.#shown;
  }

  /** A row for each method that is compared and not there yet. */
  #beside(rows: Row[], edited: Edited): Row[] {
    const others = this.state.compare.filter((method) => !rows.some((r) => r.label === method)).flatMap((method) => {
      const said = this.said({ ...this.question, method, curves: true });
      return said?.scores ? [makeRow(method, said.scores, 4, edited.codes, { errors: said.errors ?? undefined })] : [];
    });
    return [...rows, ...others];
  }

  #make(e: number): Example {
    const { length, tracks, loci, names, annotations, scale } = this.meta;
    const codes = unpack(this.blocks.get("sequence") as Uint8Array, this.blocks.get("unknown") as Int32Array, e, length);
    const rows = tracks.map((track, t): Row => {
      const values = this.blocks.get(`track${t}`) as Int16Array, scales = this.blocks.get(`scale${t}`) as Float32Array;
      const count = track.channels * length;
      return makeRow(track.label, dequantize(values, e * count, count, scales[e]), track.channels, codes);
    });
    if (!rows.length) rows.push({ label: "sequence", channels: 1, values: null, observed: null, levels: pyramid(new Float32Array(length)), extent: NONE, stacked: NONE });
    shareScale(rows, scale);
    const locus = loci[e];
    return { codes, rows, items: annotations.filter((a) => a[0] === e), offset: locus ? locus[1] : 0, name: names[e], chrom: locus ? locus[0] : null, edited: null };
  }
}

/** "shared": one range for all rows; "symmetric": the same height up and down. */
function shareScale(rows: Row[], scale: LogoMeta["scale"]): void {
  const both = (e: Extent): Extent => ({ ...e, low: Math.min(e.low, -e.high), high: Math.max(e.high, -e.low) });
  if (scale === "symmetric") for (const row of rows) { row.extent = both(row.extent); row.stacked = both(row.stacked); }
  if (scale === "shared") {
    const shared = { low: Math.min(...rows.map((r) => r.stacked.low)), high: Math.max(...rows.map((r) => r.stacked.high)), clipped: false };
    const low = Math.min(...rows.map((r) => r.extent.low)), high = Math.max(...rows.map((r) => r.extent.high));
    for (const row of rows) {
      row.extent = { ...row.extent, low, high };
      row.stacked = shared;
    }
  }
}
