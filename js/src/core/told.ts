/** State that others are told of: who they are, and what of a change is news. */
import { atEnd } from "./events";

/** What of `wanted` is not so now. */
export function news<S extends object>(now: S, wanted: Partial<S>): Partial<S> | null {
  const real = Object.entries(wanted).filter(([k, v]) => JSON.stringify(now[k as keyof S]) !== JSON.stringify(v));
  return real.length ? (Object.fromEntries(real) as Partial<S>) : null;
}

export class Told<A extends unknown[]> {
  #listeners = new Set<(...news: A) => void>();

  add(listener: (...news: A) => void, signal?: AbortSignal): void {
    this.#listeners.add(listener);
    atEnd(signal, () => this.#listeners.delete(listener));
  }

  tell(...news: A): void {
    for (const listener of [...this.#listeners]) listener(...news);
  }
}
