/** Spans as columns, by sequence and start: which there are, which lie where, and which come next. Pure.
 *
 * A million of them are never walked through to draw a frame: starts and ends are each in order, so that two searches count
 * what covers a place.
 */
import { floor } from "../core/numbers";
import type { Numbers } from "../core/wire";
import type { SpanMeta } from "../protocol";

export interface SpanSet extends SpanMeta {
  /** Number of the first span; those of all tables are counted through. */
  base: number;
  /** Where the spans of each sequence begin, and where the last ones end. */
  at: Int32Array;
  start: Int32Array;
  end: Int32Array;
  /** Which of the names, and 0 for no strand, 1 for +, 2 for -. */
  name: Int32Array;
  strand: Uint8Array;
  /** One column a score. */
  values: Float32Array[];
}

/** Some spans of one sequence, by start; ends are in their own order. */
export interface Run {
  set: SpanSet;
  rows: Int32Array;
  starts: Int32Array;
  ends: Int32Array;
}

/** One span, to be read. */
export interface Item {
  set: SpanSet;
  row: number;
  example: number;
  start: number;
  end: number;
  name: string;
  /** "+", "-" or "". */
  strand: string;
}

const KEPT = 64;

/** How many of the ordered values are less than one. */
export function below(values: ArrayLike<number>, than: number): number {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < than) low = middle + 1; else high = middle;
  }
  return low;
}

/** How many spans touch positions from a to b. */
export const touching = ({ starts, ends }: Run, a: number, b: number): number => below(starts, b) - below(ends, floor(a) + 1);

/** Those spans, as places in the run. */
export function inside(run: Run, a: number, b: number): number[] {
  const found: number[] = [];
  let i = below(run.starts, b), left = touching(run, a, b);
  while (left && i--) if (run.set.end[run.rows[i]] > a) { found.push(i); left--; }
  return found.reverse();
}

/** How many spans lie over each of n columns of equal width. */
export function coverage(run: Run, a: number, b: number, n: number): Int32Array {
  const step = (b - a) / n;
  return Int32Array.from({ length: n }, (_, i) => touching(run, a + i * step, a + (i + 1) * step));
}

/** A run of rows that are in the order of their starts. */
export function runOf(set: SpanSet, rows: Int32Array): Run {
  const starts = rows.map((row) => set.start[row]), ends = rows.map((row) => set.end[row]);
  if (ends.some((end, i) => end < ends[i - 1])) ends.sort();
  return { set, rows, starts, ends };
}

type Keep = (set: SpanSet, row: number) => boolean;

export class Spans {
  readonly sets: SpanSet[] = [];
  #runs = new Map<string, Run>();
  #named = new Map<string, Int32Array>();
  #keep: Keep = () => true;

  constructor(told: SpanMeta[], blocks: Map<string, Numbers>) {
    let base = 0;
    told.forEach((meta, k) => {
      const read = (column: string): any => blocks.get(`spans${k}.${column}`);
      const start: Int32Array = read("start"), end: Int32Array = read("width");
      for (let i = 0; i < start.length; i++) end[i] += start[i] += start[i - 1] | 0; // sent as steps and widths
      this.sets.push({ ...meta, base, at: read("at"), start, end, name: read("name"), strand: read("strand"), values: meta.scores.map((_, j) => read(`value${j}`)) });
      base += start.length;
    });
  }

  /** Show only some. */
  filter(keep: Keep): void {
    this.#keep = keep;
    this.#runs.clear();
    this.#named.clear();
  }

  /** Whether any span bears a name. */
  has(name: string): boolean {
    return this.sets.some(({ names }) => names.includes(name));
  }

  /** Rows from one to another; of a name, or of all for "". */
  #rows(set: SpanSet, name: string, from: number, to: number): Int32Array {
    const code = set.names.indexOf(name), rows = new Int32Array(to - from);
    let n = 0;
    for (let row = from; row < to; row++) if ((!name || set.name[row] === code) && this.#keep(set, row)) rows[n++] = row;
    return rows.subarray(0, n);
  }

  /** The spans of a sequence; of one name alone, where it is given. */
  run(set: SpanSet, example: number, name = ""): Run {
    return kept(this.#runs, [set.label, example, name], () => runOf(set, this.#rows(set, name, set.at[example], set.at[example + 1])));
  }

  /** The rows of a name, or of any for "", in all sequences. */
  named(set: SpanSet, name: string): Int32Array {
    return kept(this.#named, [set.label, name], () => this.#rows(set, name, 0, set.start.length));
  }

  /** The span of a number; nothing for -1. */
  item(number: number): Item | undefined {
    const set = this.sets.findLast(({ base }) => base <= number), row = number - set?.base!;
    return set && { set, row, example: below(set.at, row + 1) - 1, start: set.start[row], end: set.end[row], name: set.names[set.name[row]], strand: ["", "+", "-"][set.strand[row]] };
  }

  /** The next span of a name, or of any for "", to one side of a span, or of a place in a sequence. */
  next(name: string, from: Pick<Item, "example" | "start"> & Partial<Item>, by: 1 | -1): Item | undefined {
    const own = this.sets.indexOf(from.set!);
    let best: Item | undefined;
    this.sets.forEach((set, k) => {
      const first = set.at[from.example], rows = this.named(set, name), later = Number(k < own); // of those at one place, the first table's come first
      const row = k === own ? from.row! + (by > 0 ? 1 : 0) : first + below(set.start.subarray(first, set.at[from.example + 1]), from.start + later);
      const found = rows[below(rows, row) - (by > 0 ? 0 : 1)], item = found === undefined ? found : this.item(set.base + found)!;
      if (item && !(best && by * (item.example - best.example || item.start - best.start || 0.5) > 0)) best = item;
    });
    return best;
  }
}

/** What is known by a key, made when it is not; the latest are kept. */
function kept<T>(known: Map<string, T>, key: unknown[], make: () => T): T {
  const words = JSON.stringify(key);
  let found = known.get(words);
  if (!found) {
    if (known.size > KEPT) known.clear();
    known.set(words, (found = make()));
  }
  return found;
}
