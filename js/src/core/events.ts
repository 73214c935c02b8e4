/** Listeners that end with a signal. */

export function on<K extends keyof HTMLElementEventMap>(target: EventTarget, type: K, act: (event: HTMLElementEventMap[K]) => void, signal?: AbortSignal, passive?: boolean): void {
  target.addEventListener(type, act as (event: Event) => void, { signal, passive });
}

/** Tidy up. */
export function atEnd(signal: AbortSignal | undefined, act: () => void): void {
  signal?.addEventListener("abort", act);
}
