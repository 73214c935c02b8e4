/** How a space is looked at, beside what the space itself keeps: what colours the points, whether a kernel answers, what is new. Pure. */
import { news, Told } from "../core/told";
import { type Asking, QUIET } from "./live";

/** A sequence, or some, that a model was asked about. */
export interface Fresh {
  /** Of its sums, among the selections of the space. */
  name: string;
  /** x and y of each in turn, as those of the points. */
  xy: number[];
  leaves: number[];
  activities: number[];
  /** The row of the library that it is; null where it is none. */
  row: number | null;
}

export interface LookState extends Asking {
  colour: string;
  /** Null until that is known. */
  live: boolean | null;
  fresh: Fresh[];
  /** The row that was clicked; null for none. */
  row: number | null;
  /** What the kernel needed for its last sums. */
  seconds: number;
}

export class Look {
  readonly state: LookState;
  #told = new Told<[Partial<LookState>]>();

  constructor(start: Partial<LookState>) {
    this.state = { ...QUIET, colour: "cluster", live: null, fresh: [], row: null, seconds: 0, ...start };
  }
  subscribe(listener: (changed: Partial<LookState>) => void, signal?: AbortSignal): void {
    this.#told.add(listener, signal);
  }
  set(change: Partial<LookState>): void {
    const real = news(this.state, change);
    if (!real) return;
    Object.assign(this.state, real);
    this.#told.tell(real);
  }
}
