/** A table to sort, filter and save; only the rows in view exist in the page. Owns a DOM node, knows no host. */
import { ceil, floor, max, min } from "../core/numbers";
import { CanvasPen } from "../draw/glyphs";
import { drawPicture, type Picture, widthOf } from "../draw/picture";
import { number, whole } from "../draw/scale";
import { type Theme, themeOf } from "../draw/theme";
import { download, el } from "./dom";

export interface Column {
  name: string;
  kind: "number" | "text";
  /** Kept for the saved file, drawn elsewhere. */
  hidden?: boolean;
  /** Drawn in the place of the text, or beside the number. */
  picture?: Picture;
  /** Drawn by the view that has the table, so many pixels wide: nothing to sort, to filter or to save. */
  drawn?: number;
  /** What its filter is for, and which rows it keeps, where words and numbers are not enough. */
  hint?: string;
  /** Letters that it has room for at least. */
  least?: number;
  matches?(cell: Cell, filter: string, row: number): boolean;
}
export type Cell = string | number | null;

const ROW = 24, TALL = 36;
const ENOUGH = 24; // letters of a text that are seen where there is no room for all
const AHEAD = 100; // pixels about the view in which rows are made, so that scrolling finds them there

/** "> 3", "1..5", "<=0.01" on numbers; words otherwise. */
export function matches(cell: Cell, filter: string): boolean {
  const text = filter.trim();
  if (!text) return true;
  const range = /^(-?[\d.eE+-]+)\s*\.\.\s*(-?[\d.eE+-]+)$/.exec(text);
  if (range && typeof cell === "number") return cell >= Number(range[1]) && cell <= Number(range[2]);
  const compare = /^(<=|>=|<|>|=)\s*(-?[\d.eE+-]+)$/.exec(text);
  if (compare && typeof cell === "number") {
    const v = Number(compare[2]);
    return { "<=": cell <= v, ">=": cell >= v, "<": cell < v, ">": cell > v, "=": cell === v }[compare[1]]!;
  }
  return String(cell ?? "").toLowerCase().includes(text.toLowerCase());
}

export function compare(a: Cell, b: Cell): number {
  if (a === b) return 0;
  if (a === null) return 1; // the missing come last
  if (b === null) return -1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
}

export function toTsv(columns: Column[], rows: Cell[][]): string {
  const kept = columns.map((_, i) => i).filter((i) => columns[i].drawn === undefined);
  return [columns.map((c) => c.name), ...rows].map((r) => kept.map((i) => r[i] ?? "").join("\t")).join("\n") + "\n";
}

/** Which rows are listed, whatever is typed into the filters, and in which order while no column sorts them. */
export interface Listing {
  order: ArrayLike<number>;
  keep(row: number): boolean;
}

/** How a row is chosen: alone, one more (or less), or all from the one before to it. */
export type How = "one" | "more" | "through";

export interface TableOptions {
  /** What rows are called. */
  noun?: string;
  listing?: Listing;
  /** Pixels of a row. */
  tall?: number;
  /** What else can be done with the table, before it is saved. */
  tools?: HTMLElement;
  /** Whether a row is chosen, where several can be; else the last one that was picked is. */
  chosen?(row: number): boolean;
  /** Put into a cell what is not its text. */
  fill?(cell: HTMLElement, row: number, column: number, theme: Theme): void;
}

export class TableViewer {
  #order: number[] = [];
  #noun: string;
  #listing: Listing;
  #sort: { column: number; up: boolean } | null = null;
  #filters: string[];
  #body = el("div", "nbi-body");
  #inner = el("div", "nbi-inner");
  #none: HTMLElement;
  #head: HTMLElement;
  #count = el("span", "nbi-dim");
  #heads = new Map<number, HTMLElement>();
  #shown: number[];
  #height: number;
  #theme: Theme | null = null;
  /** The rows in view, each drawn once. */
  #drawn = new Map<number, HTMLElement>();
  #options: TableOptions;
  selected = -1;

  constructor(private root: HTMLElement, private columns: Column[], private rows: Cell[][], private name: string, height: number,
    private choose: (row: number, how: How) => void, private signal: AbortSignal, options: TableOptions = {}) {
    const { noun = "rows", listing, tall, tools } = (this.#options = options);
    this.#noun = noun;
    this.#listing = listing ?? { order: rows.map((_, i) => i), keep: () => true };
    root.classList.add("nbi-table");
    root.setAttribute("role", "grid");
    root.setAttribute("aria-rowcount", String(rows.length + 1));
    this.#filters = columns.map(() => "");
    this.#shown = columns.map((_, i) => i).filter((i) => !columns[i].hidden);
    this.#height = tall ?? (columns.some((c) => c.picture) ? TALL : ROW);
    const sizes = this.#shown.map((i) => this.#size(i));
    root.style.setProperty("--nbi-columns", `${sizes.map(({ least, grows }) => (grows ? `minmax(${least}, ${grows}fr)` : least)).join(" ")} 1fr`);
    root.style.setProperty("--nbi-least", `calc(${sizes.map(({ least }) => least).join(" + ")})`); // head and rows scroll as one
    const bar = el("div", "nbi-bar");
    const save = el("button", "nbi-quiet", "TSV");
    save.title = `save the ${noun} shown as TSV`;
    save.addEventListener("click", () => this.#save(), { signal });
    tools?.append(save);
    bar.append(this.#count, el("span", "nbi-space"), tools ?? save);
    this.#body.style.maxHeight = `${height}px`;
    this.#body.tabIndex = 0;
    this.#none = el("div", "nbi-none", `no ${noun} match`);
    this.#inner.append(this.#none);
    this.#head = this.#headOf();
    this.#body.append(this.#head, this.#inner);
    this.#body.addEventListener("scroll", () => this.#draw(), { signal });
    this.#body.addEventListener("keydown", (e) => this.#key(e), { signal });
    root.append(bar, this.#body);
    const resize = new ResizeObserver(() => { this.#draw(); this.#measure(); }), dark = matchMedia("(prefers-color-scheme: dark)");
    const recolour = (): void => { this.#theme = null; this.redraw(); }, themes = new MutationObserver(recolour);
    resize.observe(this.#body);
    themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme"] });
    dark.addEventListener("change", recolour, { signal });
    signal.addEventListener("abort", () => { resize.disconnect(); themes.disconnect(); });
    this.#update();
  }

  /** The width of a column: of its longest word, and of its picture. */
  #size(i: number): { least: string; grows: number } {
    const { name, kind, picture, drawn, hint, least = 0 } = this.columns[i];
    if (drawn !== undefined) return { least: `${drawn + 16}px`, grows: 0 };
    const words = picture && picture.kind !== "interval" ? [] : this.rows.slice(0, 200).map((r) => this.#text(r[i], this.columns[i]).length);
    const n = min(40, max(name.length + 2, least, ...words));
    const room = max(kind === "text" ? min(n, max(ENOUGH, least)) : n, hint ? hint.length : kind === "number" ? 9 : 6);
    if (!picture) return { least: `${room + 3}ch`, grows: kind === "text" ? n : 0 };
    const wide = widthOf(picture) + 16;
    return { least: picture.kind === "interval" ? `${wide + 8 * (n + 1)}px` : `max(${wide}px, ${n + 3}ch)`, grows: 0 };
  }

  #text(cell: Cell, column: Column): string {
    if (cell === null) return "";
    if (typeof cell !== "number") return String(cell);
    return Number.isInteger(cell) && column.kind === "number" ? whole(cell) : number(cell);
  }

  #headOf(): HTMLElement {
    const head = el("div", "nbi-head", "", { role: "row" });
    for (const i of this.#shown) {
      const column = this.columns[i], box = el("div", `nbi-th ${column.kind}`, "", { role: "columnheader" }), label = el("button", "nbi-sort", column.name), filter = el("input", "nbi-filter");
      label.title = `sort by ${column.name}`;
      if (column.drawn !== undefined) {
        head.append(box);
        box.append(el("span", "nbi-sort", column.name));
        continue;
      }
      label.addEventListener("click", () => {
        const up = this.#sort?.column === i ? !this.#sort.up : column.kind === "text";
        this.#sort = { column: i, up };
        this.#update();
      }, { signal: this.signal });
      filter.placeholder = column.hint ?? (column.kind === "number" ? "> 1, 0..5" : "filter");
      filter.setAttribute("aria-label", `filter ${column.name}`);
      filter.addEventListener("input", () => { this.#filters[i] = filter.value; this.#update(); }, { signal: this.signal });
      filter.addEventListener("keydown", (e) => e.stopPropagation(), { signal: this.signal });
      this.#heads.set(i, label);
      box.append(label, ...(column.picture?.kind === "lines" ? [] : [filter]));
      head.append(box);
    }
    return head;
  }

  #update(): void {
    const { order, keep } = this.#listing, typed = this.#filters.flatMap((f, c) => (f.trim() ? [[c, f] as const] : []));
    this.#order = Array.from(order).filter((i) => keep(i) && typed.every(([c, f]) => (this.columns[c].matches ?? matches)(this.rows[i][c], f, i)));
    if (this.#sort) {
      const { column, up } = this.#sort;
      this.#order.sort((a, b) => {
        const x = this.rows[a][column], y = this.rows[b][column];
        return x === null || y === null ? compare(x, y) : (up ? 1 : -1) * compare(x, y);
      });
    }
    this.#heads.forEach((h, i) => {
      h.dataset.sort = this.#sort?.column === i ? (this.#sort.up ? "up" : "down") : "";
      h.parentElement!.setAttribute("aria-sort", this.#sort?.column === i ? (this.#sort.up ? "ascending" : "descending") : "none");
    });
    const all = whole(order.length), some = this.#order.length === order.length ? "" : `${whole(this.#order.length)} of `;
    this.#count.textContent = `${some}${all} ${order.length === 1 ? this.#noun.slice(0, -1) : this.#noun}`;
    this.root.dataset.shown = String(this.#order.length);
    this.#draw();
  }

  /** Make the rows that come into view, and let go of those that leave it. */
  #draw(): void {
    const began = performance.now(), { scrollTop, clientHeight } = this.#body, ahead = ceil(AHEAD / this.#height);
    const top = max(0, floor(scrollTop / this.#height) - ahead), n = ceil(clientHeight / this.#height) + 2 * ahead;
    const shown = this.#order.slice(top, top + n), wanted = new Set(shown);
    this.root.style.setProperty("--nbi-row", `${this.#height}px`);
    this.#inner.style.height = `${(this.#order.length || 2) * this.#height}px`;
    for (const [i, row] of this.#drawn) {
      if (wanted.has(i)) continue;
      row.remove();
      this.#drawn.delete(i);
    }
    this.#none.hidden = this.#order.length > 0;
    let next = this.#none.nextElementSibling;
    shown.forEach((i, k) => { // in the page as they are listed
      const row = this.#place(i, top + k);
      if (row === next) next = next.nextElementSibling;
      else this.#inner.insertBefore(row, next);
    });
    this.root.dataset.ms = (performance.now() - began).toFixed(2);
  }

  /** Whether columns go beyond the frame. */
  #measure(): void {
    const { scrollWidth, clientWidth } = this.#body;
    this.root.dataset.wider = scrollWidth > clientWidth ? "1" : "0";
  }

  /** Draw all rows in view anew: what they show has changed. */
  redraw(): void {
    this.#forget();
    this.#draw();
  }

  #forget(): void {
    this.#drawn.forEach((row) => row.remove());
    this.#drawn.clear();
  }

  /** A row at its place; made when it comes into view. */
  #place(i: number, at: number): HTMLElement {
    let row = this.#drawn.get(i);
    if (!row) {
      row = el("div", "nbi-row", "", { role: "row", "data-row": String(i) });
      for (const k of this.#shown) row.append(this.#cell(i, k));
      row.addEventListener("click", (e) => this.pick(i, e.shiftKey ? "through" : e.ctrlKey || e.metaKey ? "more" : "one"));
      this.#drawn.set(i, row);
    }
    const on = this.#options.chosen?.(i) ?? i === this.selected;
    row.classList.toggle("nbi-on", on);
    row.setAttribute("aria-selected", String(on));
    row.setAttribute("aria-rowindex", String(at + 2));
    row.style.top = `${at * this.#height}px`;
    return row;
  }

  #cell(i: number, k: number): HTMLElement {
    const column = this.columns[k], { picture } = column, words = this.#text(this.rows[i][k], column);
    const cell = Object.assign(el("div", `nbi-td ${column.kind}`, picture && picture.kind !== "interval" ? "" : words), { title: String(this.rows[i][k] ?? "") });
    cell.setAttribute("role", "gridcell");
    this.#options.fill?.(cell, i, k, (this.#theme ??= themeOf(this.root, "classic")));
    if (!picture) return cell;
    const canvas = el("canvas", "nbi-picture"), ratio = devicePixelRatio || 1, width = widthOf(picture), height = this.#height - 4;
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${column.name} ${words}`);
    drawPicture(new CanvasPen(canvas.getContext("2d")!, ratio), picture, i, this.rows[i], width, height, (this.#theme ??= themeOf(this.root, "classic")));
    cell.append(canvas);
    return cell;
  }

  pick(i: number, how: How = "one"): void {
    this.selected = i;
    this.choose(i, how);
    this.#draw();
  }

  #key(e: KeyboardEvent): void {
    const { key, shiftKey } = e, page = max(floor(this.#body.clientHeight / this.#height) - 1, 1), n = this.#order.length;
    const by = ({ ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -n, End: n } as Record<string, number>)[key];
    if (by === undefined || e.target !== this.#body) return;
    e.preventDefault();
    e.stopPropagation();
    this.step(by, shiftKey ? "through" : "one");
  }

  /** Choose the row that is listed `by` further down; from one that is not listed, the first. */
  step(by: number, how: How = "one"): void {
    const at = this.#order.indexOf(this.selected), next = min(max(at + by, 0), this.#order.length - 1);
    if (next < 0) return;
    this.pick(this.#order[next], how);
    this.#reveal();
  }

  /** The rows that are listed, in order. */
  get listed(): number[] {
    return this.#order;
  }

  /** List other rows, or in another order. */
  list(listing: Listing): void {
    this.#listing = listing;
    this.#update();
    this.#reveal();
  }

  /** Show other rows, which may be of another height. */
  refresh(rows: Cell[][], listing: Listing, tall: number): void {
    this.#height = tall;
    this.#listing = listing;
    this.rows = rows;
    this.#forget();
    this.#update();
  }

  /** Mark a row that was chosen elsewhere. */
  mark(i: number): void {
    if (i === this.selected) return this.#draw();
    this.selected = i;
    this.#reveal();
  }

  /** Scroll to the chosen row, where it is listed. */
  #reveal(): void {
    const at = this.#order.indexOf(this.selected), { scrollTop, clientHeight } = this.#body, room = clientHeight - this.#head.offsetHeight;
    if (at >= 0) this.#body.scrollTop = min(max(scrollTop, (at + 1) * this.#height - room), at * this.#height);
    this.#draw();
  }

  #save(): void {
    download(new Blob([toTsv(this.columns, this.#order.map((i) => this.rows[i]))], { type: "text/tab-separated-values" }), `${this.name}.tsv`);
  }
}
