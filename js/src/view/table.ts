/** A table to sort, filter and save; only the rows in view exist in the page. Owns a DOM node, knows no host. */
import { number, whole } from "../draw/scale";

export interface Column {
  name: string;
  kind: "number" | "text";
}
export type Cell = string | number | null;

const ROW = 24;

const el = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, text = ""): HTMLElementTagNameMap[K] =>
  Object.assign(document.createElement(tag), { className: name, textContent: text });

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
  return [columns.map((c) => c.name), ...rows].map((r) => r.map((v) => v ?? "").join("\t")).join("\n") + "\n";
}

export class TableViewer {
  #order: number[] = [];
  #sort: { column: number; up: boolean } | null = null;
  #filters: string[];
  #body = el("div", "nbi-body");
  #inner = el("div", "nbi-inner");
  #count = el("span", "nbi-dim");
  #heads: HTMLElement[] = [];
  selected = -1;

  constructor(private root: HTMLElement, private columns: Column[], private rows: Cell[][], private name: string, height: number,
    private choose: (row: number) => void, private signal: AbortSignal) {
    root.classList.add("nbi-table");
    root.setAttribute("role", "grid");
    root.setAttribute("aria-rowcount", String(rows.length + 1));
    this.#filters = columns.map(() => "");
    const chars = columns.map((c, i) => Math.min(40, Math.max(c.name.length + 2, ...rows.slice(0, 200).map((r) => this.#text(r[i], c).length))));
    root.style.setProperty("--nbi-columns", chars.map((n, i) => (columns[i].kind === "text" ? `minmax(${Math.max(n, 9) + 3}ch, ${n}fr)` : `${Math.max(n, 9) + 3}ch`)).join(" ") + " 1fr");
    root.style.setProperty("--nbi-least", `${chars.reduce((sum, n) => sum + Math.max(n, 9) + 3, 0)}ch`); // head and rows scroll as one
    const bar = el("div", "nbi-bar");
    const save = el("button", "nbi-quiet", "TSV");
    save.title = "save the rows shown as TSV";
    save.addEventListener("click", () => this.#save(), { signal });
    bar.append(this.#count, el("span", "nbi-space"), save);
    this.#body.style.maxHeight = `${height}px`;
    this.#body.tabIndex = 0;
    this.#body.append(this.#head(), this.#inner);
    this.#body.addEventListener("scroll", () => this.#draw(), { signal });
    this.#body.addEventListener("keydown", (e) => this.#key(e), { signal });
    root.append(bar, this.#body);
    new ResizeObserver(() => this.#draw()).observe(this.#body);
    this.#update();
  }

  #text(cell: Cell, column: Column): string {
    if (cell === null) return "";
    if (typeof cell !== "number") return String(cell);
    return Number.isInteger(cell) && column.kind === "number" ? whole(cell) : number(cell);
  }

  #head(): HTMLElement {
    const head = el("div", "nbi-head");
    this.columns.forEach((column, i) => {
      const box = el("div", `nbi-th ${column.kind}`), label = el("button", "nbi-sort", column.name), filter = el("input", "nbi-filter");
      label.title = `sort by ${column.name}`;
      label.addEventListener("click", () => {
        const up = this.#sort?.column === i ? !this.#sort.up : column.kind === "text";
        this.#sort = { column: i, up };
        this.#update();
      }, { signal: this.signal });
      filter.placeholder = column.kind === "number" ? "> 1, 0..5" : "filter";
      filter.setAttribute("aria-label", `filter ${column.name}`);
      filter.addEventListener("input", () => { this.#filters[i] = filter.value; this.#update(); }, { signal: this.signal });
      filter.addEventListener("keydown", (e) => e.stopPropagation(), { signal: this.signal });
      this.#heads.push(label);
      box.append(label, filter);
      head.append(box);
    });
    return head;
  }

  #update(): void {
    this.#order = this.rows.map((_, i) => i).filter((i) => this.#filters.every((f, c) => matches(this.rows[i][c], f)));
    if (this.#sort) {
      const { column, up } = this.#sort;
      this.#order.sort((a, b) => {
        const x = this.rows[a][column], y = this.rows[b][column];
        return x === null || y === null ? compare(x, y) : (up ? 1 : -1) * compare(x, y);
      });
    }
    this.#heads.forEach((h, i) => { h.dataset.sort = this.#sort?.column === i ? (this.#sort.up ? "up" : "down") : ""; });
    this.#count.textContent = this.#order.length === this.rows.length ? `${whole(this.rows.length)} rows` : `${whole(this.#order.length)} of ${whole(this.rows.length)} rows`;
    this.root.dataset.shown = String(this.#order.length);
    this.#draw();
  }

  #draw(): void {
    const top = Math.max(0, Math.floor(this.#body.scrollTop / ROW) - 5), n = Math.ceil(this.#body.clientHeight / ROW) + 12;
    this.#inner.style.height = `${this.#order.length * ROW}px`;
    this.#inner.replaceChildren(...this.#order.slice(top, top + n).map((i, k) => this.#row(i, top + k)));
    if (!this.#order.length) this.#inner.replaceChildren(el("div", "nbi-none", "no rows match"));
  }

  #row(i: number, at: number): HTMLElement {
    const row = el("div", `nbi-row ${i === this.selected ? "nbi-on" : ""}`);
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", String(at + 2));
    row.style.top = `${at * ROW}px`;
    row.dataset.row = String(i);
    this.columns.forEach((c, k) => row.append(Object.assign(el("div", `nbi-td ${c.kind}`, this.#text(this.rows[i][k], c)), { title: String(this.rows[i][k] ?? "") })));
    row.addEventListener("click", () => this.pick(i));
    return row;
  }

  pick(i: number): void {
    this.selected = i;
    this.choose(i);
    this.#draw();
  }

  #key(e: KeyboardEvent): void {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    e.preventDefault();
    e.stopPropagation();
    const at = this.#order.indexOf(this.selected), next = Math.min(Math.max(at + (e.key === "ArrowDown" ? 1 : -1), 0), this.#order.length - 1);
    if (next < 0) return;
    this.#body.scrollTop = Math.min(Math.max(this.#body.scrollTop, (next + 3) * ROW - this.#body.clientHeight), next * ROW);
    this.pick(this.#order[next]);
  }

  #save(): void {
    const blob = new Blob([toTsv(this.columns, this.#order.map((i) => this.rows[i]))], { type: "text/tab-separated-values" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${this.name}.tsv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}
