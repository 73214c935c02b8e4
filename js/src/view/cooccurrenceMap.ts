/** The map of pairs: which two share more or fewer sequences than chance. */
import { on } from "../core/events";
import { abs, clamp, floor, max, min } from "../core/numbers";
import { short } from "../draw/cooccurrence";
import type { Pen } from "../draw/glyphs";
import { type Cell, cellSize, drawGrid, drawScale } from "../draw/interactionGrid";
import { number, signed, whole } from "../draw/scale";
import { fade } from "../draw/theme";
import { CALLED, type CooccurrenceStore, type Order, type Value } from "../state/cooccurrence";
import { button, el, picker } from "./dom";
import { type Scene, Screen } from "./screen";
import { type At, outline, type Pairs, Triangle } from "./triangle";

const TOP = 8, LEFT = 2, KEY = 48, LABEL = 16, QUIET = 0.55, MANY = 20;
const VALUES: [Value, string][] = [["enrichment", "log2 observed / expected"], ["sequences", "sequences with both"], ["significance", "\u2212log10 q"]];
const ORDERS: [Order, string][] = [["cluster", "clustered"], ["count", "by frequency"], ["name", "by name"]];

export class MapViewer implements Scene, Pairs {
  #cells: Triangle;
  #screen: Screen;
  #readout = el("div", "nbi-readout");
  #count = el("span", "nbi-dim");
  #none = el("div", "nbi-none", "no names match the filter");
  #value: HTMLSelectElement;
  #order: HTMLSelectElement;
  #filter = el("input", "nbi-filter", "", { type: "text", placeholder: "filter names", "aria-label": "filter names" });
  #pointed: At | null = null;

  constructor(private root: HTMLElement, private store: CooccurrenceStore, signal: AbortSignal) {
    const bar = el("div", "nbi-bar"), box = el("div", "nbi-box");
    this.#cells = new Triangle(this, "pairs of motifs", signal);
    this.#screen = new Screen(root, this, "classic", signal);
    this.#screen.canvas.removeAttribute("tabindex");
    this.#screen.canvas.setAttribute("role", "presentation");
    this.#value = picker("what the map shows", VALUES, store.state.value, (value) => store.set({ value: value as Value }), signal);
    this.#order = picker("order of the names", ORDERS, store.state.order, (order) => store.set({ order: order as Order }), signal);
    on(this.#filter, "input", () => store.set({ filter: this.#filter.value }), signal);
    on(this.#filter, "keydown", (e) => e.stopPropagation(), signal);
    bar.append(this.#value, this.#order, this.#filter, this.#count);
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the map as ${kind}`, () => this.#screen.save(kind, "cooccurrence"), signal));
    box.append(this.#screen.canvas, this.#cells.box);
    root.append(bar, this.#readout, box, this.#none);
    store.subscribe(() => this.#describe(), signal);
    this.#describe();
  }

  /** How wide it wants to be. */
  get wanted(): number {
    return this.#names.length * 34 + this.#labels + LEFT;
  }

  get #names(): number[] {
    return this.store.shown;
  }
  get at(): At | null {
    const [a, b] = this.store.chosen.map((one) => this.#names.indexOf(one));
    return min(a, b) < 0 ? null : [max(a, b), min(a, b)];
  }
  /** The motif that was chosen stays the motif where it is one of the two. */
  choose([i, j]: At): void {
    const { store } = this, row = this.#names[i], column = this.#names[j];
    if (store.chosen[0] === column) store.choose(column, row);
    else store.choose(row, column);
  }
  point(at: At | null): void {
    if (at?.join() === this.#pointed?.join()) return;
    this.#pointed = at;
    this.#read();
    this.#screen.draw();
  }
  said([i, j]: At): string {
    return this.#words(this.#names[i], this.#names[j]);
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #describe(): void {
    const { store, root } = this, { value, order, filter, pair } = store.state, { n_all } = store.meta, n = this.#names.length;
    this.#value.value = value;
    this.#order.value = order;
    if (this.#filter.value !== filter) this.#filter.value = filter;
    this.#count.textContent = n === n_all ? `${whole(n)} ${n === 1 ? "name" : "names"}` : `${whole(n)} of ${whole(filter ? store.passing : n_all)} names`;
    this.#none.hidden = n > 0;
    this.#cells.describe(n);
    Object.assign(root.dataset, { pair: pair.join(" "), value, order, names: String(n) });
    this.#read();
    this.#screen.draw();
  }
  #read(): void {
    const [a, b] = this.#pointed ? this.#pointed.map((at) => this.#names[at]) : this.store.chosen;
    this.#readout.textContent = min(a, b) >= 0 ? this.#words(a, b) : this.store.state.pair.length ? `${this.store.state.pair.join(" and ")}: not in the page` : "";
  }
  #words(a: number, b: number): string {
    const { store: { meta } } = this, { observed, expected, ratio, strength } = this.store.together(a, b);
    const who = a === b ? `${meta.names[a]} twice` : `${meta.names[a]} and ${meta.names[b]}`, q = strength >= 300 ? "q\u00a0<\u00a01e\u2212300" : `q\u00a0${number(10 ** -strength)}`;
    return `${who}: in ${whole(observed)} of ${whole(meta.n_examples)} sequences, ${number(expected)} expected, log2\u00a0${signed(Number(ratio.toFixed(2)))}, ${q}`;
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  get #labels(): number {
    return max(0, ...this.#names.map((i) => min(this.store.meta.names[i].length, LABEL))) * (this.#names.length > MANY ? 5.2 : 7) + 16;
  }
  get #size(): number {
    return cellSize(this.#names.length, this.#screen.width - LEFT, this.#labels);
  }
  /** How many letters fit beside the last row. */
  get #letters(): number {
    const room = this.#screen.width - LEFT - this.#size * this.#names.length - 8;
    return clamp(floor(room / (this.#size < 12 ? 5 : 6.6)), 3, LABEL);
  }
  get height(): number {
    return this.#names.length ? TOP + this.#size * this.#names.length + KEY : 0;
  }

  #cell(i: number, j: number): Cell {
    const { store } = this, value = store.value(i, j), { strength } = store.together(i, j);
    return { value, sure: strength >= CALLED, quiet: QUIET, words: store.state.value === "sequences" ? whole(value) : undefined };
  }

  render(pen: Pen, marked: boolean): void {
    const { store } = this, { theme } = this.#screen, size = this.#size, names = this.#names, letters = this.#letters, { at } = this;
    if (!names.length) return;
    const cells = names.map((i, row) => names.slice(0, row + 1).map((j) => this.#cell(i, j)));
    const most = max(...cells.flat().map((one) => abs(one.value))) || 1;
    drawGrid(pen, names.map((i) => short(store.meta.names[i], letters)), (i, j) => cells[i][j], most, size, { x: LEFT, y: TOP }, theme);
    if (marked && at) outline(pen, LEFT + at[1] * size, TOP + at[0] * size, size - 1, size - 1, theme.ink);
    const foot = TOP + size * names.length + 12, low = store.state.value === "sequences" ? 0 : -1;
    drawScale(pen, most, { x: LEFT + 24, y: foot, width: 140, height: 8 }, theme, low);
    pen.text("small: q > 0.05", LEFT + 196, foot + 4, fade(theme.ink, 0.6), `10px ${theme.font}`);
  }
  painted(): void {
    this.#cells.place(LEFT, TOP, this.#size);
  }
}
