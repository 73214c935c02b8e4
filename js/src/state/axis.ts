/** What any view along a sequence knows and keeps: which one, where, what is chosen there, and who is told. Pure. */
import { clamp } from "../core/numbers";
import { news, Told } from "../core/told";
import type { Numbers } from "../core/wire";
import { clampView, type View } from "../draw/scale";
import type { AxisMeta } from "../protocol";
import type { Spans } from "./spans";

export interface AxisState {
  example: number;
  view: View;
  selection: [number, number] | null;
  hover: number | null;
  /** Numbers of the spans under the pointer and clicked on; -1 for none. */
  under: number;
  item: number;
  /** The name whose spans stand out; "" for none. */
  chosen: string;
  /** The margin of linked views; 0 when there is none. */
  gutter: number;
}

/** Which sequence an example is. */
export interface Place {
  /** Coordinate of the sequence's first position. */
  offset: number;
  name: string;
  chrom: string | null;
}

/** What a view along a sequence needs of its store. */
export interface Axis {
  readonly meta: AxisMeta;
  readonly state: AxisState;
  readonly current: Place;
  readonly spans: Spans;
  onGutter?: (wanted: number) => void;
  set(change: Partial<AxisState>): void;
  subscribe(listener: (changed: object) => void, signal?: AbortSignal): void;
}

const KEPT = 8; // a few neighbours are enough

/** Data read once, and a small state that changes. */
export abstract class AxisStore<M extends AxisMeta, S extends AxisState, E extends Place> {
  readonly state: S;
  onGutter?: (wanted: number) => void;
  #examples = new Map<number, E>();
  #listeners = new Told<[Partial<S>]>();

  constructor(readonly meta: M, readonly blocks: Map<string, Numbers>, rest: Omit<S, keyof AxisState>, start: Partial<S>) {
    const axis: AxisState = { example: 0, view: { start: 0, end: meta.length }, selection: null, hover: null, under: -1, item: -1, chosen: "", gutter: 0 };
    this.state = { ...axis, ...rest, ...start } as S;
    Object.assign(this.state, this.#inside(this.state));
  }

  protected abstract make(example: number): E;

  subscribe(listener: (changed: Partial<S>) => void, signal?: AbortSignal): void {
    this.#listeners.add(listener, signal);
  }

  /** Change the state; only what differs is told. Another example has another selection. */
  set(change: Partial<S>): void {
    const real = news(this.state, this.#inside(change));
    if (!real) return;
    if ("example" in real && !("selection" in change)) real.selection = null;
    if ("selection" in real && !("item" in change)) real.item = -1;
    Object.assign(this.state, real);
    this.#listeners.tell(real);
  }

  #inside(change: Partial<S>): Partial<S> {
    const { n, length } = this.meta, inside = { ...change };
    if (inside.view) inside.view = clampView(inside.view, length);
    if (inside.example !== undefined) inside.example = clamp(inside.example, 0, n - 1);
    return inside;
  }

  /** The example as it was given. */
  get original(): E {
    const { example } = this.state;
    let found = this.#examples.get(example);
    if (!found) {
      if (this.#examples.size > KEPT) this.#examples.clear();
      this.#examples.set(example, (found = this.make(example)));
    }
    return found;
  }

  /** The example as it is shown. */
  get current(): E {
    return this.original;
  }

  protected place(example: number): Place {
    const { loci, names } = this.meta, locus = loci[example];
    return { offset: locus ? locus[1] : 0, name: names[example], chrom: locus ? locus[0] : null };
  }
}
