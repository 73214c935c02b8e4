/** Several tables of spans under one another, each packed or with a row for each name. */
import type { Pen } from "../draw/glyphs";
import { LANE } from "../draw/lanes";
import type { Frame } from "../draw/logo";
import { floor, max } from "../core/numbers";
import { fade, type Theme } from "../draw/theme";
import type { TrackStore } from "../state/track";
import { Lanes, type Under } from "./lanes";
import { NameRows } from "./nameRows";

const GAP = 6;

export class SpanTracks implements Under {
  #packed: Lanes[];
  readonly rows: NameRows[];

  constructor(private store: TrackStore) {
    this.#packed = store.spans.sets.map((set) => new Lanes(store, set));
    this.rows = store.spans.sets.map((set) => new NameRows(store, set));
  }

  get #parts(): Under[] {
    return this.store.state.annotationLayout === "rows" ? this.rows : this.#packed;
  }
  /** Several tables have their labels: beside packed lanes, and over rows of names. */
  get #titled(): boolean {
    return this.store.spans.sets.length > 1;
  }
  get #head(): number {
    return this.#titled && this.#parts === this.rows ? LANE : 0;
  }
  #size(part: Under, p: number): number {
    const height = part.height(p);
    return this.#titled ? this.#head + max(height, LANE) + GAP : height;
  }

  height(p: number): number {
    return this.#parts.reduce((sum, part) => sum + this.#size(part, p), 0);
  }

  draw(pen: Pen, p: number, frame: Frame, theme: Theme): void {
    let { y } = frame;
    this.#parts.forEach((part, k) => {
      const height = part.height(p), { label } = this.store.spans.sets[k], at = { ...frame, y: y + this.#head, height: height - 4 };
      if (this.#titled) this.#title(pen, label, y + 8, frame, theme);
      if (height) part.draw(pen, p, at, theme);
      else if (this.#titled) pen.text("none here", frame.x + 4, at.y + 8, fade(theme.ink, 0.5), `11px ${theme.font}`);
      y += this.#size(part, p);
    });
  }

  #title(pen: Pen, label: string, y: number, frame: Frame, theme: Theme): void {
    const most = floor((frame.x - 12) / 6.5);
    if (this.#head) return pen.text(label, frame.x, y, fade(theme.ink, 0.7), `11px ${theme.font}`);
    pen.text(label.length > most ? `${label.slice(0, most - 1)}\u2026` : label, frame.x - 10, y, fade(theme.ink, 0.9), `11px ${theme.font}`, "right");
  }

  #at<T>(p: number, y: number, nothing: T, ask: (k: number, y: number) => T): T {
    let from = 0;
    for (const [k, part] of this.#parts.entries()) {
      const size = this.#size(part, p);
      if (y >= from && y < from + size) return ask(k, y - from - this.#head);
      from += size;
    }
    return nothing;
  }

  find(p: number, position: number, y: number): number {
    return this.#at(p, y, -1, (k, inside) => (inside < 0 ? -1 : this.#parts[k].find(p, position, inside)));
  }

  nameAt(p: number, y: number): ReturnType<NameRows["nameAt"]> {
    return this.#parts === this.rows ? this.#at<ReturnType<NameRows["nameAt"]>>(p, y, null, (k, inside) => this.rows[k].nameAt(inside)) : null;
  }
}
