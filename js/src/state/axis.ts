/** What any view along a sequence knows and keeps: which one, where, what is chosen there, and who is told. Pure. */
import { clamp } from "../core/numbers";
import { news, Told } from "../core/told";
import type { Numbers } from "../core/wire";
import { clampView, type View } from "../draw/scale";
import type { Annotation, AxisMeta } from "../protocol";

export interface AxisState {
  example: number;
  view: View;
  selection: [number, number] | null;
  hover: number | null;
  hoveredItem: number;
  selectedItem: number;
  /** The margin of linked views; 0 when there is none. */
  gutter: number;
}

/** Which sequence an example is, and what lies on it. */
export interface Place {
  items: Annotation[];
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
  onGutter?: (wanted: number) => void;
  set(change: Partial<AxisState>): void;
  subscribe(listener: (changed: object) => void, signal?: AbortSignal): void;
}

const KEPT = 8; // a few neighbours are enough

/** Data read once, and a small state that changes. */
export abstract class AxisStore<M extends AxisMeta, S extends AxisState, E extends Place> implements Axis {
  readonly state: S;
  onGutter?: (wanted: number) => void;
  #examples = new Map<number, E>();
  #listeners = new Told<[Partial<S>]>();

  constructor(readonly meta: M, readonly blocks: Map<string, Numbers>, rest: Omit<S, keyof AxisState>, start: Partial<S>) {
    const axis: AxisState = { example: 0, view: { start: 0, end: meta.length }, selection: null, hover: null, hoveredItem: -1, selectedItem: -1, gutter: 0 };
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
    if (real.example !== undefined && !("selection" in real)) Object.assign(real, { selection: null, selectedItem: -1 });
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
    const { loci, names, annotations } = this.meta, locus = loci[example];
    return { items: annotations.filter((a) => a[0] === example), offset: locus ? locus[1] : 0, name: names[example], chrom: locus ? locus[0] : null };
  }
}
