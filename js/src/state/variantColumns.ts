/** Two alleles in columns: where one has no base there is a gap. The same as nbinterp/live/variant_alleles.py; shared fixtures hold both. Pure. */
import type { Change } from "./edits";

/** Which base of each allele stands in each column; -1 where it has none. */
export interface Columns {
  ref: Int32Array;
  alt: Int32Array;
}

/** Columns end with the window: what only one of the two has at its right end is left out. */
export function align(changes: Change[], length: number): Columns {
  const ref: number[] = [], alt: number[] = [];
  let at = 0, shift = 0;
  const pair = (to: number): void => {
    for (; at < to; at++) { ref.push(at); alt.push(at + shift); }
  };
  for (const [start, end, { length: put }] of [...changes].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    pair(Math.min(start + put, end, length));
    for (let i = end - start; i < put; i++) { ref.push(-1); alt.push(start + i + shift); }
    for (; at < Math.min(end, length); at++) { ref.push(at); alt.push(-1); }
    shift += put - (end - start);
  }
  pair(length);
  return { ref: Int32Array.from(ref.slice(0, length)), alt: Int32Array.from(alt.slice(0, length)) };
}

/** Spans of columns in which a row has something, and in which it has not. */
export interface Span {
  start: number;
  end: number;
  there: boolean;
}

export function spans(there: (column: number) => boolean, length: number): Span[] {
  const found: Span[] = [];
  for (let i = 0; i < length; i++) {
    const now = there(i), last = found[found.length - 1];
    if (last?.there === now) last.end = i + 1;
    else found.push({ start: i, end: i + 1, there: now });
  }
  return found;
}

/** Position in the reference of a place among the columns, fractions included; a gap is where the next base is. */
export function toPosition({ ref }: Columns, place: number): number {
  const i = Math.floor(place);
  if (i >= ref.length) return last(ref) + 1;
  if (i < 0) return place;
  if (ref[i] >= 0) return ref[i] + (place - i);
  const next = ref.slice(i).find((p) => p >= 0);
  return next ?? last(ref) + 1;
}

/** The column of a position in the reference; past the last one, the end. */
export function toColumn({ ref }: Columns, position: number): number {
  const whole = Math.floor(position), i = ref.indexOf(whole);
  return i >= 0 ? i + (position - whole) : position < 0 ? position : ref.length;
}

const last = (ref: Int32Array): number => ref.reduce((a, b) => Math.max(a, b), -1);
