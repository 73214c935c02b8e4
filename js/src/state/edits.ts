/** Edits of one sequence and their history; the same as nbinterp/live/edits.py, which shared fixtures hold it to. Pure. */
import { floor, max } from "../core/numbers";

/** Bases put in the place of [start, end); positions are those that the changes before left. */
export type Change = [start: number, end: number, bases: string];

export interface History<T = Change> {
  done: T[];
  undone: T[];
}

export const NOTHING: History<never> = { done: [], undone: [] };
const LETTERS = "ACGTN";

/** Codes after the changes, and for each the position in the original that it stands for (-1: none). */
export interface Edited {
  codes: Uint8Array;
  origin: Int32Array;
}

/** The length stays: what is pushed off the end is lost, what is left open is unknown. */
export function applyChanges(codes: Uint8Array, changes: Change[]): Edited {
  const length = codes.length;
  let now = codes, origin = Int32Array.from(codes, (_, i) => i);
  for (const [start, end, bases] of changes) {
    const put = [...bases.toUpperCase()].map((b) => LETTERS.indexOf(b));
    const size = max(now.length - (end - start) + put.length, length);
    const next = new Uint8Array(size).fill(4), from = new Int32Array(size).fill(-1);
    next.set(now.subarray(0, start));
    from.set(origin.subarray(0, start));
    put.forEach((code, i) => {
      next[start + i] = code;
      if (i < end - start) from[start + i] = origin[start + i];
    });
    next.set(now.subarray(end), start + put.length);
    from.set(origin.subarray(end), start + put.length);
    [now, origin] = [next, from];
  }
  return { codes: now.slice(0, length), origin: origin.slice(0, length) };
}

export const act = <T>(history: History<T>, change: T): History<T> => ({ done: [...history.done, change], undone: [] });

export function undo<T>({ done, undone }: History<T>): History<T> {
  return done.length ? { done: done.slice(0, -1), undone: [...undone, done[done.length - 1]] } : { done, undone };
}

export function redo<T>({ done, undone }: History<T>): History<T> {
  return undone.length ? { done: [...done, undone[undone.length - 1]], undone: undone.slice(0, -1) } : { done, undone };
}

/** Letters of codes. */
export const spell = (codes: Uint8Array | number[]): string => [...codes].map((c) => LETTERS[c]).join("");

/** The same letters in another order; the seed is the text, so that the same brush gives the same shuffle. */
export function shuffled(text: string): string {
  const letters = [...text];
  let state = [...text].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619), 2166136261) >>> 0;
  for (let i = letters.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = floor((state / 2 ** 32) * (i + 1));
    [letters[i], letters[j]] = [letters[j], letters[i]];
  }
  return letters.join("");
}
