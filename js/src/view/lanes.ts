/** Spans under the rows: packed as the zoom asks, drawn, and found under the pointer. */
import { ceil, floor, max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { DENSE, drawDensity, drawSpans, LANE, MAX_LANES, pack } from "../draw/lanes";
import type { Frame } from "../draw/logo";
import { whole } from "../draw/scale";
import { category, fade, type Theme } from "../draw/theme";
import type { Axis } from "../state/axis";
import { coverage, inside, type Run, type SpanSet, touching } from "../state/spans";

const MOST = 1000; // spans in view that are still drawn one by one
const FEW = 4000; // spans of a sequence that are packed anew at each zoom, with room for names

/** What lies under the rows of a view. */
export interface Under {
  height(p: number): number;
  draw(pen: Pen, p: number, frame: Frame, theme: Theme): void;
  /** Number of the span `y` pixels below the top, or -1. */
  find(p: number, position: number, y: number): number;
}

export class Lanes implements Under {
  #run: Run | null = null;
  #key = 0;
  #packed!: ReturnType<typeof pack>;

  constructor(private store: Axis, private set: SpanSet) {}

  get run(): Run {
    return this.store.spans.run(this.set, this.store.state.example);
  }

  /** At p pixels a position. */
  #pack(run: Run, p: number): ReturnType<typeof pack> {
    const key = run.rows.length > FEW ? Infinity : floor(Math.log2(p) * 2);
    if (this.#run !== run || this.#key !== key) {
      this.#packed = pack(run, 2 ** (key / 2));
      this.#run = run;
      this.#key = key;
    }
    return this.#packed;
  }

  #dense(run: Run): boolean {
    const { start, end } = this.store.state.view;
    return touching(run, start, end) > MOST;
  }

  height(p: number): number {
    const { run } = this, height = this.#dense(run) ? DENSE : min(this.#pack(run, p).lanes, MAX_LANES) * LANE;
    return height && height + 4;
  }

  draw(pen: Pen, p: number, frame: Frame, theme: Theme): void {
    const { run, store: { state: { view, chosen }, state, spans } } = this, dense = this.#dense(run);
    let words = "";
    pen.clip(frame.x, frame.y - 2, frame.width, frame.height + 4);
    if (dense) {
      const cover = coverage(run, view.start, view.end, ceil(frame.width)), most = cover.reduce((a, b) => max(a, b));
      drawDensity(pen, cover, most, frame, theme.accent, chosen ? 0.16 : 0.6);
      if (chosen) drawDensity(pen, coverage(spans.run(this.set, state.example, chosen), view.start, view.end, cover.length), most, frame, category(chosen), 1);
      words = `${whole(touching(run, view.start, view.end))} spans`;
    } else {
      const { of } = this.#pack(run, p), places = inside(run, view.start, view.end), hidden = places.filter((place) => of[place] === MAX_LANES).length;
      drawSpans(pen, run, places, (place) => (of[place] < MAX_LANES ? frame.y + of[place] * LANE + 3 : -1), view, frame, state, theme);
      if (hidden) words = `+${whole(hidden)} more`;
    }
    pen.unclip();
    pen.text(words, frame.x - 10, frame.y + frame.height - 8, fade(theme.ink, 0.7), `11px ${theme.font}`, "right");
  }

  find(p: number, position: number, y: number): number {
    const { run } = this, lane = floor(y / LANE), slack = 2 / p;
    if (y < 0 || lane >= MAX_LANES || this.#dense(run)) return -1;
    const { of } = this.#pack(run, p), place = inside(run, position - slack, position + slack).find((i) => of[i] === lane);
    return place === undefined ? -1 : this.set.base + run.rows[place];
  }
}
