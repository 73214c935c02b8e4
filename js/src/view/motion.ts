/** Where a view along a sequence looks, and how it gets there: by keys, by pointer, at once or in a glide. */
import { clamp } from "../core/numbers";
import { clampView, type View, zoom } from "../draw/scale";

/** What moves: a store with a view. */
export interface Movable {
  readonly meta: { length: number };
  readonly state: { view: View; example: number };
  set(change: { view?: View; example?: number }): void;
}

export class Motion {
  /** Where a motion under way will end. */
  aim: View | null = null;
  #gliding = 0;

  constructor(private store: Movable, private draw: () => void, private signal: AbortSignal) {}

  go(view: View): void {
    cancelAnimationFrame(this.#gliding);
    this.aim = null;
    this.store.set({ view });
    this.draw();
  }

  /** Go there in 120 ms, so that the eye can follow; at once for who wants no motion. */
  glide(to: View): void {
    const target = clampView(to, this.store.meta.length);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.go(target);
    cancelAnimationFrame(this.#gliding);
    this.aim = target;
    const from = this.store.state.view, began = performance.now();
    const step = (now: number): void => {
      const t = clamp((now - began) / 120, 0, 1), eased = 1 - (1 - t) ** 3;
      const between = (a: number, b: number): number => (t === 1 ? b : a + (b - a) * eased);
      this.store.set({ view: { start: between(from.start, target.start), end: between(from.end, target.end) } });
      if (t < 1 && !this.signal.aborted) this.#gliding = requestAnimationFrame(step);
      else { this.aim = null; this.draw(); }
    };
    this.#gliding = requestAnimationFrame(step);
  }

  by(positions: number, glide = false): void {
    const { start, end } = this.store.state.view, to = { start: start + positions, end: end + positions };
    if (glide) this.glide(to);
    else this.go(to);
  }

  zoom(about: number, factor: number): void {
    this.go(zoom(this.store.state.view, about, factor, this.store.meta.length));
  }

  /** Keys that move, whatever is drawn. */
  keys(): Record<string, () => void> {
    const { example, view: now } = this.store.state, { length } = this.store.meta, view = this.aim ?? now;
    const width = view.end - view.start, middle = (view.start + view.end) / 2;
    const nearer = (): void => this.glide(zoom(view, middle, 0.5, length));
    const aside = (by: number) => (): void => this.go({ start: view.start + by, end: view.end + by });
    return {
      "+": nearer,
      "=": nearer,
      "-": () => this.glide(zoom(view, middle, 2, length)),
      ArrowLeft: aside(-width / 8),
      ArrowRight: aside(width / 8),
      Home: () => this.glide({ start: 0, end: width }),
      End: () => this.glide({ start: length - width, end: length }),
      "0": () => this.glide({ start: 0, end: length }),
      "[": () => this.store.set({ example: example - 1 }),
      "]": () => this.store.set({ example: example + 1 }),
    };
  }
}
