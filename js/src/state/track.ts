/** What a TrackView shows: profiles read once, and what a model says of them after edits. Pure of any host. */
import { sequenceOf } from "../core/link";
import { abs, ceil, floor, max, min } from "../core/numbers";
import { news } from "../core/told";
import { dequantize, type Numbers } from "../core/wire";
import { type Level, pyramid } from "../draw/lod";
import { rowExtent, type Strand, type TrackRow } from "../draw/track";
import type { ProfilesMeta } from "../protocol";
import { Answers, type Question } from "./answers";
import { AxisStore, type AxisState, type Place } from "./axis";
import { applyChanges, type Change } from "./edits";
import { Spans } from "./spans";
import { type Asker, type Asking, QUIET } from "./live";

export interface TrackState extends AxisState, Asking {
  /** Changes of each sequence that was edited in a linked view, by `sequenceOf`. */
  edits: Record<string, Change[]>;
  annotationLayout: "packed" | "rows";
  /** Of rows of names: by how many spans they have here, or which comes first. */
  order: "count" | "first";
  /** Which names have rows now. */
  page: number;
  /** The least score that is shown, by table and score. */
  thresholds: Record<string, Record<string, number>>;
}

/** One example, ready to draw. */
export interface Profiles extends Place {
  rows: TrackRow[];
  /** The first row along the whole sequence, for the mini-map. */
  overview: Level[];
}

/** What the line behind a profile that was predicted anew is called. */
export const ORIGINAL = "original";

export class TrackStore extends AxisStore<ProfilesMeta, TrackState, Profiles> implements Asker {
  readonly answers = new Answers();
  readonly spans: Spans;
  #shown: { key: string; profiles: Profiles } | null = null;

  constructor(meta: ProfilesMeta, blocks: Map<string, Numbers>, start: Partial<TrackState>) {
    super(meta, blocks, { ...QUIET, edits: {}, annotationLayout: "packed", order: "count", page: 0, thresholds: {} }, start);
    this.spans = new Spans(meta.annotations, blocks);
    this.#filter(this.state.thresholds);
  }

  override set(change: Partial<TrackState>): void {
    const { thresholds } = change;
    if (thresholds && news(this.state, { thresholds })) this.#filter(thresholds);
    super.set(change);
  }

  /** A span whose score is missing is shown as long as no threshold is set. */
  #filter(thresholds: TrackState["thresholds"]): void {
    const tests = new Map(this.spans.sets.map((set) => [set, Object.entries(thresholds[set.label] ?? {}).map(([score, least]) => [set.values[set.scores.indexOf(score)], Math.fround(least)] as const)]));
    this.spans.filter((set, row) => {
      for (const [values, least] of tests.get(set)!) if (values && !(values[row] >= least)) return false;
      return true;
    });
  }

  /** What was done to the sequence that is shown; nothing, where no model answers for it. */
  get changes(): Change[] {
    const { meta, state: { edits, example } } = this;
    return meta.live === null ? [] : edits[sequenceOf(meta, example)] ?? [];
  }

  get question(): Question {
    return { example: this.state.example, changes: this.changes, target: "", method: "", curves: false };
  }

  get wanted(): Question | undefined {
    const { question } = this;
    return question.changes.length && !this.answers.get(question) ? question : undefined;
  }

  override get current(): Profiles {
    const { original, question, state: { heard, asking } } = this;
    if (!question.changes.length) return original;
    const key = JSON.stringify([question, heard, asking]);
    if (this.#shown?.key !== key) this.#shown = { key, profiles: { ...original, rows: this.#edited(original.rows, question) } };
    return this.#shown.profiles;
  }

  /** Rows after an edit: the live one as it was answered, over the original; the others where their bases are now. */
  #edited(rows: TrackRow[], question: Question): TrackRow[] {
    const { length, offset, size, live, scale } = this.meta, profile = this.answers.get(question)?.profile;
    const { origin } = applyChanges(new Uint8Array(length), question.changes);
    const carried = (levels: Level[]): Level[] => {
      const from = (i: number): number => origin[i + offset] - offset, { mean } = levels[0];
      return mean.every((_, i) => from(i) === i) ? levels : pyramid(mean.map((_, i) => mean[from(i)] ?? NaN));
    };
    const moved = rows.map((row, i): TrackRow => {
      const isLive = this.meta.rows[i].source === live, answered = isLive && profile;
      const strands = row.strands.map(({ levels, ghost, band }, s): Strand => (answered
        ? { levels: pyramid(profile.slice(s * size, (s + 1) * size)), ghost: carried(levels), band: null }
        : { levels: carried(levels), ghost: ghost && carried(ghost), band: band && { low: carried(band.low), high: carried(band.high) } }));
      if (answered) return { label: row.label, ghost: ORIGINAL, strands, extent: rowExtent(strands) };
      const { asking } = this.state, label = isLive && !asking ? `${row.label} (${ORIGINAL})` : row.label;
      return { ...row, label, strands, stale: isLive && asking };
    });
    if (scale === "shared") shareScale(moved);
    return moved;
  }

  protected make(e: number): Profiles {
    const { length, offset, size, scale } = this.meta;
    const read = (name: string, strands: number, s: number): Level[] => {
      const values = this.blocks.get(name) as Int16Array, scales = this.blocks.get(`${name}.scale`) as Float32Array;
      return pyramid(dequantize(values, (e * strands + s) * size, size, scales[e]));
    };
    const rows = this.meta.rows.map(({ label, source, strands: n, ghost, band }): TrackRow => {
      const strands = Array.from({ length: n }, (_, s): Strand => ({
        levels: read(`profile${source}`, n, s),
        ghost: ghost && read(`profile${ghost[1]}`, n, s),
        band: band ? { low: read(`low${source}`, n, s), high: read(`high${source}`, n, s) } : null,
      }));
      return { label, ghost: ghost?.[0] ?? "", strands, extent: rowExtent(strands) };
    });
    if (scale === "shared") shareScale(rows);
    const energy = new Float32Array(length);
    for (const { levels } of rows[0].strands) for (let i = 0; i < size; i++) energy[offset + i] = max(energy[offset + i], abs(levels[0].mean[i]) || 0);
    return { ...this.place(e), rows, overview: pyramid(energy) };
  }
}

/** One range for all rows. */
function shareScale(rows: TrackRow[]): void {
  const low = min(...rows.map((r) => r.extent.low)), high = max(...rows.map((r) => r.extent.high));
  for (const row of rows) row.extent = { ...row.extent, low, high };
}

/** Positions in view that have a profile, with all that is drawn there. */
export function toCsv({ current, state: { view }, meta }: TrackStore): string {
  const columns: [string, Float32Array][] = [];
  for (const row of current.rows) row.strands.forEach((s, k) => {
    const sign = row.strands.length > 1 ? ` (${"+-"[k]})` : "", add = (name: string, levels: Level[]): number => columns.push([name + sign, levels[0].mean]);
    add(row.label, s.levels);
    if (s.band) { add(`${row.label} low`, s.band.low); add(`${row.label} high`, s.band.high); }
    if (s.ghost) add(row.ghost, s.ghost);
  });
  const lines = [["position", ...columns.map(([name]) => `"${name.replace(/"/g, '""')}"`)].join(",")];
  const first = max(0, floor(view.start) - meta.offset), last = min(meta.size, ceil(view.end) - meta.offset);
  for (let i = first; i < last; i++) lines.push([i + meta.offset + current.offset, ...columns.map(([, values]) => values[i])].join(","));
  return `${lines.join("\n")}\n`;
}
