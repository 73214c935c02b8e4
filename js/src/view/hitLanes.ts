/** Hits under the rows; one that another motif would have explained as well is underlined in dashes. */
import { max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { LANE, MAX_LANES } from "../draw/lanes";
import type { Frame } from "../draw/logo";
import { fade, type Theme } from "../draw/theme";
import type { HitStore } from "../state/hit";
import type { SpanSet } from "../state/spans";
import { Lanes, type Under } from "./lanes";

const DASH = 3;

export class HitLanes implements Under {
  #set: SpanSet | null = null;
  #made!: Lanes;

  constructor(private store: HitStore) {}

  get #lanes(): Lanes {
    const [set] = this.store.spans.sets;
    if (this.#set !== set) { this.#set = set; this.#made = new Lanes(this.store, set); }
    return this.#made;
  }

  /** Room for one lane at least, so that what is below stays where it is. */
  height(p: number): number {
    return max(this.#lanes.height(p), LANE + 4);
  }
  find(p: number, position: number, y: number): number {
    return this.#lanes.find(p, position, y);
  }

  draw(pen: Pen, p: number, frame: Frame, theme: Theme): void {
    const { store } = this, { called, state: { view } } = store;
    if (!this.#lanes.height(p)) return pen.text(called ? "no hits" : "", frame.x + 4, frame.y + 8, fade(theme.ink, 0.5), `11px ${theme.font}`);
    this.#lanes.draw(pen, p, frame, theme);
    pen.clip(frame.x, frame.y, frame.width, frame.height);
    for (const i of store.fit.kept) {
      const { start, end, tied } = store.hit(i);
      if (!tied || end <= view.start || start >= view.end) continue;
      const lane = this.#laneOf(p, store.number(i), (start + end) / 2);
      if (lane < 0) continue;
      const a = frame.x + (start - view.start) * p, b = frame.x + (end - view.start) * p;
      for (let x = a; x < b; x += 2 * DASH) pen.rect(x, frame.y + lane * LANE + 14, min(DASH, b - x), 1.5, fade(theme.ink, 0.7));
    }
    pen.unclip();
  }

  #laneOf(p: number, number: number, middle: number): number {
    for (let lane = 0; lane < MAX_LANES; lane++) if (this.find(p, middle, lane * LANE + 5) === number) return lane;
    return -1;
  }
}
