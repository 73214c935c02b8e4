/** Spans of one table, a row for each name: its name and number in the margin, its spans on a line. */
import { ceil, floor, max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { drawDensity, drawSpans, LANE, tint } from "../draw/lanes";
import type { Frame } from "../draw/logo";
import { whole } from "../draw/scale";
import { fade, type Theme } from "../draw/theme";
import { coverage, inside, type Run, runOf, type SpanSet, touching } from "../state/spans";
import type { TrackStore } from "../state/track";
import type { Under } from "./lanes";

/** Rows of a page; names on further pages are counted. */
export const ROWS = 12;
const NARROW = 72; // pixels of the margin that have no room for numbers beside names
const MOST = 120; // spans of a row that are still drawn one by one

interface Named {
  name: string;
  rows: Int32Array;
}

export class NameRows implements Under {
  #of: Run | null = null;
  #named: Named[] = [];
  #order = "";
  #runs = new Map<string, Run>();

  constructor(private store: TrackStore, private set: SpanSet) {}

  /** All names that the sequence has, in the order that is asked for. */
  get named(): Named[] {
    const { store, set } = this, run = store.spans.run(set, store.state.example), { order } = store.state;
    if (this.#of === run && this.#order === order) return this.#named;
    const groups = byName(run), counted = (a: Named, b: Named): number => b.rows.length - a.rows.length;
    this.#named = order === "count" ? groups.sort(counted) : groups.sort((a, b) => a.rows[0] - b.rows[0]);
    this.#of = run;
    this.#order = order;
    this.#runs.clear();
    return this.#named;
  }

  get pages(): number {
    return max(ceil(this.named.length / ROWS), 1);
  }

  /** The names of the page, and the one that is chosen, wherever it would be. */
  get shown(): Named[] {
    const { named, store: { state: { page, chosen } } } = this, from = min(page, this.pages - 1) * ROWS, shown = named.slice(from, from + ROWS);
    const other = !chosen || shown.some(({ name }) => name === chosen) ? undefined : named.find(({ name }) => name === chosen);
    return other ? [...shown, other] : shown;
  }

  #run({ name, rows }: Named): Run {
    let run = this.#runs.get(name);
    if (!run) this.#runs.set(name, (run = runOf(this.set, rows)));
    return run;
  }

  get #more(): number {
    return this.named.length - this.shown.length;
  }

  height(): number {
    const { length } = this.shown;
    return length && (length + Number(this.#more > 0)) * LANE + 4;
  }

  draw(pen: Pen, _p: number, frame: Frame, theme: Theme): void {
    const { shown } = this, more = `+${whole(this.#more)}${frame.x < NARROW ? "" : " more"}`;
    shown.forEach((one, i) => this.#row(pen, one, { ...frame, y: frame.y + i * LANE, height: LANE }, theme));
    if (this.#more) pen.text(more, frame.x - 10, frame.y + shown.length * LANE + 8, fade(theme.ink, 0.7), `10px ${theme.font}`, "right");
  }

  #row(pen: Pen, one: Named, frame: Frame, theme: Theme): void {
    const { store: { state }, set } = this, { view, chosen } = state, run = this.#run(one), middle = frame.y + 8, quiet = chosen !== "" && one.name !== chosen;
    const count = frame.x < NARROW ? "" : whole(one.rows.length), words = one.name || "no name", room = floor((frame.x - 18 - 6 * count.length) / 6.6);
    pen.text(count, frame.x - 10, middle, fade(theme.ink, quiet ? 0.3 : 0.5), `10px ${theme.font}`, "right");
    pen.text(words.length > room ? `${words.slice(0, room - 1)}\u2026` : words, frame.x - 14 - 5.6 * count.length, middle, fade(theme.ink, quiet ? 0.45 : 0.9), `11px ${theme.font}`, "right");
    pen.line(frame.x, middle, frame.x + frame.width, middle, fade(theme.ink, 0.08));
    pen.clip(frame.x, frame.y, frame.width, LANE);
    if (touching(run, view.start, view.end) <= MOST) drawSpans(pen, run, inside(run, view.start, view.end), () => frame.y + 3, view, frame, state, theme, false);
    else {
      const cover = coverage(run, view.start, view.end, ceil(frame.width)), most = cover.reduce((a, b) => max(a, b));
      drawDensity(pen, cover, most, { ...frame, y: frame.y + 2, height: 12 }, ...tint(set.names, set.name[one.rows[0]], false, chosen, theme));
    }
    pen.unclip();
  }

  find(p: number, position: number, y: number): number {
    const one = this.shown[floor(y / LANE)], slack = 2 / p;
    if (!one) return -1;
    const run = this.#run(one), [place] = inside(run, position - slack, position + slack);
    return place === undefined ? -1 : this.set.base + run.rows[place];
  }

  /** The name of the row at a height, or that there are more. */
  nameAt(y: number): { name: string } | "more" | null {
    const { shown } = this, i = floor(y / LANE);
    return shown[i] ?? (i === shown.length && this.#more ? "more" : null);
  }

  /** The page that a name is on. */
  pageOf(name: string): number {
    return floor(this.named.findIndex((one) => one.name === name) / ROWS);
  }
}

/** The rows of each name, in order. */
function byName({ set, rows }: Run): Named[] {
  const ends = new Int32Array(set.names.length + 1), sorted = new Int32Array(rows.length);
  for (const row of rows) ends[set.name[row] + 1]++;
  for (let code = 0; code < set.names.length; code++) ends[code + 1] += ends[code];
  const starts = ends.slice();
  for (const row of rows) sorted[starts[set.name[row]]++] = row;
  return set.names.map((name, code) => ({ name, rows: sorted.subarray(ends[code], ends[code + 1]) })).filter((one) => one.rows.length);
}
