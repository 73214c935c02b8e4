/** What a LogoView shows: data read once, and a small state that changes. Pure of any host. */
import { max, min } from "../core/numbers";
import { dequantize, type Numbers, unpack } from "../core/wire";
import { type Extent, pyramid } from "../draw/lod";
import type { Row } from "../draw/logo";
import type { LogoMeta } from "../protocol";
import { arrange, type Layout, PLAIN } from "./arrange";
import { AxisStore, type AxisState, type Place } from "./axis";
import { Answers, type Question, type Said } from "./answers";
import { applyChanges, type Change, type Edited, type History, NOTHING } from "./edits";
import { type Asker, type Asking, QUIET } from "./live";
import { Spans } from "./spans";
import { editedRows, makeRow, NONE } from "./rows";

export interface State extends AxisState, Asking {
  all: boolean;
  /** Changes of each example that has some. */
  histories: Record<string, History>;
  target: string;
  method: string;
  layout: Layout;
  /** Methods shown side by side; none when they are not compared. */
  compare: string[];
}

/** One example, ready to draw. */
export interface Example extends Place {
  codes: Uint8Array;
  rows: Row[];
  /** What was edited; null for the sequence as it was given. */
  edited: Edited | null;
}

export class Store extends AxisStore<LogoMeta, State, Example> implements Asker {
  readonly answers = new Answers();
  readonly spans: Spans;
  #shown: { key: string; example: Example; every: Row[] } | null = null;

  constructor(meta: LogoMeta, blocks: Map<string, Numbers>, start: Partial<State>) {
    const { target, method } = meta.first;
    super(meta, blocks, { ...QUIET, all: false, histories: {}, target, method, layout: PLAIN, compare: [] }, start);
    this.spans = new Spans(meta.annotations, blocks);
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
    return { prediction, original: prediction, spread: null, scores, errors: null, profile: null, references: null, whole, seconds: 0, deletion: [], insertion: [] };
  }

  /** The first question whose answer is shown and not known: of the original before any other, since changes are told from it. */
  get wanted(): Question | undefined {
    const { question, state: { compare } } = this, compared = compare.map((method) => ({ ...question, method, curves: true }));
    return [{ ...question, changes: [] }, question, ...compared].find((q) => !this.knows(q));
  }

  /** The changes of each example that has some. */
  get edits(): Record<string, Change[]> {
    return Object.fromEntries(Object.entries(this.state.histories).map(([example, { done }]) => [example, done]));
  }

  /** The example as it is shown: with its changes, under the target and the method chosen. */
  override get current(): Example {
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

  protected make(e: number): Example {
    const { length, tracks, scale } = this.meta;
    const codes = unpack(this.blocks.get("sequence") as Uint8Array, this.blocks.get("unknown") as Int32Array, e, length);
    const rows = tracks.map((track, t): Row => {
      const values = this.blocks.get(`track${t}`) as Int16Array, scales = this.blocks.get(`scale${t}`) as Float32Array;
      const count = track.channels * length;
      return makeRow(track.label, dequantize(values, e * count, count, scales[e]), track.channels, codes);
    });
    if (!rows.length) rows.push({ label: "sequence", channels: 1, values: null, observed: null, levels: pyramid(new Float32Array(length)), extent: NONE, stacked: NONE });
    shareScale(rows, scale);
    return { ...this.place(e), codes, rows, edited: null };
  }
}

/** "shared": one range for all rows; "symmetric": the same height up and down. */
function shareScale(rows: Row[], scale: LogoMeta["scale"]): void {
  const both = (e: Extent): Extent => ({ ...e, low: min(e.low, -e.high), high: max(e.high, -e.low) });
  if (scale === "symmetric") for (const row of rows) { row.extent = both(row.extent); row.stacked = both(row.stacked); }
  if (scale === "shared") {
    const shared = { low: min(...rows.map((r) => r.stacked.low)), high: max(...rows.map((r) => r.stacked.high)), clipped: false };
    const low = min(...rows.map((r) => r.extent.low)), high = max(...rows.map((r) => r.extent.high));
    for (const row of rows) {
      row.extent = { ...row.extent, low, high };
      row.stacked = shared;
    }
  }
}
