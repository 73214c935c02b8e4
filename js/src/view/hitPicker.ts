/** Which motifs compete: one row a motif, with its logo, to be found, switched on and off, and chosen. */
import { on } from "../core/events";
import { CanvasPen } from "../draw/glyphs";
import { drawContributions } from "../draw/motif";
import { whole } from "../draw/scale";
import { category, type Theme } from "../draw/theme";
import type { HitStore } from "../state/hit";
import { button, el } from "./dom";
import { type Cell, TableViewer } from "./table";

const WIDE = 120, TALL = 34;

export class HitPicker {
  readonly button: HTMLButtonElement;
  readonly panel = el("div", "nbi-hit-motifs");
  #table: TableViewer | null = null;
  #rows: Cell[][];
  #shown = "";

  constructor(private store: HitStore, private signal: AbortSignal) {
    this.#rows = store.meta.motifs.map((name) => ["", "", name, 0]);
    this.button = button("", "which motifs compete", () => this.#toggle(), signal);
    this.panel.hidden = true;
  }

  #toggle(): void {
    this.panel.hidden = !this.panel.hidden;
    this.update();
  }

  update(): void {
    const { store } = this, { motifs } = store.meta, on = motifs.length - store.off.length;
    this.button.textContent = on === motifs.length ? `${whole(on)} motif${on === 1 ? "" : "s"}` : `${whole(on)} of ${whole(motifs.length)} motifs`;
    this.button.setAttribute("aria-expanded", String(!this.panel.hidden));
    if (this.panel.hidden) return;
    if (!this.#table) this.#open();
    const counts = new Int32Array(motifs.length), { called, state } = store, key = JSON.stringify([state.off, called && store.fit.kept]);
    for (const i of called ? store.fit.kept : []) counts[called!.motif[i] >> 1]++;
    if (this.#shown !== key) {
      this.#shown = key;
      this.#rows.forEach((row, i) => { row[3] = counts[i]; });
      this.#table!.list({ order: motifs.map((_, i) => i), keep: () => true });
      this.#table!.redraw();
    }
    this.#table!.mark(motifs.indexOf(state.chosen));
  }

  #open(): void {
    const { signal } = this, box = el("div", ""), tools = el("span", "nbi-tools");
    tools.append(
      button("all", "let the motifs that are listed compete", () => this.#turn(this.#table!.listed, true), signal),
      button("none", "leave out the motifs that are listed", () => this.#turn(this.#table!.listed, false), signal),
    );
    this.panel.append(box);
    this.#table = new TableViewer(box, [{ name: "on", kind: "text", drawn: 14 }, { name: "logo", kind: "text", drawn: WIDE }, { name: "motif", kind: "text", least: 6 }, { name: "hits", kind: "number" }], this.#rows,
      "motifs", 240, (row) => this.#choose(row), signal, { noun: "motifs", tall: TALL + 4, tools, fill: (cell, row, column, theme) => this.#fill(cell, row, column, theme) });
    on(this.panel, "keydown", (e) => { if (e.key !== "Tab") e.stopPropagation(); }, signal);
  }

  #choose(row: number): void {
    const name = this.store.meta.motifs[row];
    this.store.set({ chosen: name === this.store.state.chosen ? "" : name });
  }

  #turn(rows: number[], compete: boolean): void {
    const { store } = this, { motifs } = store.meta, names = new Set(rows.map((i) => motifs[i])), off = new Set(store.state.off);
    store.set({ off: motifs.filter((name) => (names.has(name) ? !compete : off.has(name))) });
  }

  #fill(cell: HTMLElement, row: number, column: number, theme: Theme): void {
    const { store } = this, name = store.meta.motifs[row], off = store.state.off.includes(name);
    if (column === 0) {
      const box = el("input", "", "", { type: "checkbox", "aria-label": `${name} competes` });
      box.checked = !off;
      on(box, "click", (e) => e.stopPropagation());
      on(box, "change", () => this.#turn([row], box.checked));
      cell.replaceChildren(box);
    } else if (column === 1) {
      const ratio = devicePixelRatio || 1, canvas = el("canvas", "nbi-picture", "", { role: "img", "aria-label": `logo of ${name}` }), motif = store.kernel(row);
      Object.assign(canvas, { width: WIDE * ratio, height: TALL * ratio });
      Object.assign(canvas.style, { width: `${WIDE}px`, height: `${TALL}px` });
      const pen = new CanvasPen(canvas.getContext("2d")!, ratio);
      drawContributions(pen, motif, { x: 0, y: 1, width: Math.min(WIDE, motif.width * 11), height: TALL - 2 }, theme);
      cell.replaceChildren(canvas);
    } else if (column === 2) {
      const key = el("span", "nbi-key");
      key.style.background = category(name);
      cell.replaceChildren(key, name);
    }
    cell.classList.toggle("nbi-off-motif", off && column > 0);
  }
}
