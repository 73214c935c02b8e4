/** Cells for pointers, keys and screen readers, over the picture of a triangle of pairs. Owns a DOM node. */
import { on } from "../core/events";
import { clamp } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { el } from "./dom";

export type At = [number, number];

/** Whose triangle it is; a cell is [row, column], with the column no larger. */
export interface Pairs {
  /** The cell that is chosen; null for none of those that are shown. */
  readonly at: At | null;
  choose(at: At): void;
  point(at: At | null): void;
  /** What is heard of a cell. */
  said(at: At): string;
}

export class Triangle {
  readonly box = el("div", "nbi-cells");
  #count = -1;

  constructor(private pairs: Pairs, label: string, signal: AbortSignal) {
    this.box.setAttribute("role", "grid");
    this.box.setAttribute("aria-label", label);
    const cell = (e: Event): At | null => ((e.target as HTMLElement).dataset.at?.split(" ").map(Number) as At | undefined) ?? null;
    on(this.box, "pointerover", (e) => pairs.point(cell(e)), signal);
    on(this.box, "pointerleave", () => pairs.point(null), signal);
    on(this.box, "click", (e) => { const at = cell(e); if (at) pairs.choose(at); }, signal);
    on(this.box, "keydown", (e) => { if (!e.ctrlKey && !e.metaKey && !e.altKey) this.#key(e); }, signal);
  }

  /** Have cells for so many names, and say what they are. */
  describe(count: number): void {
    if (count !== this.#count) this.#build(count);
    const { at } = this.pairs, [row, column] = at ?? [0, 0];
    for (const cell of this.box.querySelectorAll<HTMLElement>(".nbi-cell")) {
      const [i, j] = cell.dataset.at!.split(" ").map(Number), here = i === row && j === column;
      cell.setAttribute("aria-selected", String(here && !!at));
      cell.tabIndex = here ? 0 : -1;
      cell.setAttribute("aria-label", this.pairs.said([i, j]));
    }
  }
  #build(count: number): void {
    this.#count = count;
    this.box.replaceChildren(...Array.from({ length: count }, (_, i) => {
      const row = el("div", "nbi-cells-row", "", { role: "row" });
      for (let j = 0; j <= i; j++) row.append(el("div", "nbi-cell", "", { role: "gridcell", "data-at": `${i} ${j}`, tabindex: "-1" }));
      return row;
    }));
  }

  #key(e: KeyboardEvent): void {
    const [i, j] = this.pairs.at ?? [0, 0], last = this.#count - 1;
    const steps: Record<string, At> = { ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1], Home: [i, 0], End: [i, i] };
    const to = steps[e.key];
    if (!to) return;
    e.preventDefault();
    e.stopPropagation();
    const row = clamp(to[0], 0, last);
    this.pairs.choose([row, clamp(to[1], 0, row)]);
    this.box.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  /** Lie over the picture. */
  place(left: number, top: number, size: number): void {
    this.box.style.setProperty("--nbi-size", `${size}px`);
    this.box.style.inset = `${top}px auto auto ${left}px`;
  }
}

/** The four edges of a cell. */
export function outline(pen: Pen, x: number, y: number, width: number, height: number, color: string): void {
  for (const [a, b, c, d] of [[0, 0, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 0, 0]]) pen.line(x + a * width, y + b * height, x + c * width, y + d * height, color, 1.5);
}
