/** The logo as a person sees it: what it has beyond any view along a sequence. Owns a DOM node, knows no host. */
import type { Backend } from "../backend/backend";
import { abs, clamp, floor, max, min, round } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { type Extent, type Level, modeOf } from "../draw/lod";
import { drawRow, drawStrip, type Frame, type Row } from "../draw/logo";
import { number, signed } from "../draw/scale";
import { fade } from "../draw/theme";
import { toBed, toCsv, toPython } from "../state/export";
import { Live } from "../state/live";
import type { Store } from "../state/store";
import { AxisViewer, CLEAR } from "./axis";
import { ComparePanel } from "./compare";
import { DataTable } from "./data";
import { button, download, el, picker } from "./dom";
import { Editor } from "./editor";
import { Lanes } from "./lanes";
import { Progress } from "./progress";
import { RowPanel } from "./rows";
import { targetPicker } from "./target";

const LETTERS = "ACGTN", GAP = 16;

export class LogoViewer extends AxisViewer<Store> {
  #pickers = el("span", "nbi-pickers");
  #mode: HTMLButtonElement;
  #progress: Progress;
  #editor: Editor;
  #rows: RowPanel;
  #compare: ComparePanel;
  #data: DataTable;
  #methods: string[] = [];
  #asker: Live | null = null;

  constructor(root: HTMLElement, store: Store, signal: AbortSignal) {
    super(root, store, GAP, store.meta.colors, signal);
    root.classList.add("nbi-logo");
    const [set] = store.spans.sets;
    if (set) this.lanes = new Lanes(store, set);
    const { canvas } = this.screen, viewer = this;
    this.#progress = new Progress(root, store, signal);
    this.#rows = new RowPanel(root, store, signal);
    this.#data = new DataTable(store, () => canvas.focus({ preventScroll: true }), signal);
    this.#compare = new ComparePanel(store, () => this.#methods, signal);
    this.#editor = new Editor(root, store, {
      column: (position) => ({ x: this.x(position), width: this.p }),
      get top() { return canvas.offsetTop + viewer.rowsTop - 30; },
      colors: () => this.screen.theme.bases,
      prune: (start, end) => this.#asker?.prune(start, end),
      tell: (words) => this.tell(words),
    }, signal);
    this.#editor.refusal = "not connected yet";
    this.#mode = button("", "switch between the base that is there and all four", () => this.#switch(), signal);
    const line = el("div", "nbi-line");
    line.append(this.readout, this.#editor.tools);
    this.bar.append(this.#pickers, this.facts, el("span", "nbi-space"), this.#editor.buttons);
    if (store.meta.tracks.some((t) => t.channels === 4)) this.bar.append(this.#mode);
    this.start(
      [this.#compare.button, this.#rows.button, this.#exports()],
      line, this.#progress.trouble, canvas, this.#compare.panel, this.#data.panel, this.#progress.busy,
    );
  }

  /** Take what answers: a kernel, or what is stored; a kernel that was busy comes later. */
  connect(live: boolean, backend: Backend): void {
    if (this.signal.aborted) return;
    const { meta } = this.store;
    this.say(live);
    this.#editor.refusal = live
      ? meta.live ? "" : "no model: pass model= to edit the sequence"
      : meta.table ? "" : "no kernel: edits need the notebook";
    this.#pickers.replaceChildren();
    this.#methods = live && meta.live ? meta.live.methods : [];
    if (live && meta.live) this.#offer(meta.live.targets, meta.live.methods);
    this.#asker?.end();
    this.#asker = this.#editor.refusal ? null : new Live(this.store, backend);
    this.#asker?.look();
    this.describe();
    this.draw();
  }

  /** Choices of what is asked of the model, and how. */
  #offer(targets: string[], methods: string[]): void {
    const { state } = this.store, { signal } = this;
    this.#pickers.append(targetPicker(targets, this.store, signal));
    if (methods.length > 1) this.#pickers.append(picker("method", methods, state.method, (method) => this.store.set({ method }), signal));
  }

  // --- export ---------------------------------------------------------------------------------------------------------

  #exports(): HTMLElement {
    const { store } = this, text = (words: string, type: string, end: string): void => download(new Blob([words], { type }), `${this.file}.${end}`);
    const kinds: Record<string, () => void> = {
      PNG: () => this.screen.save("PNG", this.file),
      SVG: () => this.screen.save("SVG", this.file),
      CSV: () => text(toCsv(store.current, store.state), "text/csv", "csv"),
      BED: () => text(toBed(store), "text/plain", "bed"),
      "copy Python": () => void navigator.clipboard?.writeText(toPython(store)).then(() => this.tell("copied the Python that brings a view here")),
    };
    const save = picker("export what is in view", ["export", ...Object.keys(kinds)], "export", (kind) => {
      save.value = "export";
      kinds[kind]?.();
    }, this.signal);
    save.classList.add("nbi-quiet");
    return save;
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  protected override describe(): void {
    super.describe();
    const { current, meta } = this.store;
    for (const part of [this.#editor, this.#rows, this.#compare, this.#data, this.#progress]) part.update();
    this.facts.textContent = this.#prediction();
    this.screen.canvas.setAttribute("aria-label", `Sequence logo of ${current.name}, ${meta.length} bases. Arrow keys move, plus and minus zoom, comma and full stop step from base to base, n and p from span to span, a c g t change one, u takes it back, d shows the numbers as a table.`);
  }

  /** "enhancer 4.12, +0.83": the prediction of what is shown, and its change since the original. */
  #prediction(): string {
    const { store } = this, { meta, state, question } = store, name = state.target || meta.target;
    const said = store.said(question), before = store.said({ ...question, changes: [] });
    this.root.dataset.prediction = String(said?.prediction ?? "");
    if (said ? said.prediction === null : !meta.predictions) return name;
    const shown = said?.prediction ?? null;
    const words = [`${name || "prediction"} ${shown === null ? "\u2026" : number(shown)}`];
    if (said?.spread) words.push(` \u00b1 ${number(said.spread)}`);
    const original = before?.prediction ?? said?.original ?? null;
    if (question.changes.length && shown !== null && original !== null) words.push(`, ${signed(shown - original)}`);
    return words.join("");
  }

  protected values(position: number): (Node | string)[] {
    const { codes, rows } = this.store.current, parts: (Node | string)[] = [`${LETTERS[codes[position]]} `];
    for (const row of rows) {
      if (!row.observed) continue;
      parts.push(el("span", "nbi-dim", ` ${row.label} `), number(row.observed[position]));
      if (row.errors) parts.push(` \u00b1 ${number(row.errors[position])}`);
      if (row.channels === 4 && row.values) parts.push(this.#bars(row.values, position));
    }
    return parts;
  }

  /** The four hypothetical values as small bars. */
  #bars(values: Float32Array, i: number): HTMLElement {
    const n = this.store.meta.length, four = [0, 1, 2, 3].map((c) => values[c * n + i]);
    const top = max(...four.map(abs)) || 1, box = el("span", "nbi-four");
    four.forEach((v, c) => {
      const bar = el("i", ""), size = (abs(v) / top) * 7;
      bar.title = `${LETTERS[c]} ${number(v)}`;
      bar.style.cssText = `background:${this.screen.theme.bases[c]};height:${max(size, 0.5)}px;margin-top:${v > 0 ? 7 - size : 7}px`;
      box.append(bar);
    });
    return box;
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  protected get longest(): number {
    return max(...this.store.current.rows.map((r) => r.label.length));
  }
  protected get rowCount(): number {
    return this.store.current.rows.length;
  }
  protected get overview(): Level[] {
    return this.store.current.rows[0].levels;
  }
  protected get mode(): string {
    return modeOf(this.p);
  }

  protected drawRow(pen: Pen, i: number, frame: Frame): void {
    const { current: { rows, codes }, state: { view, all } } = this.store, row = rows[i], { theme } = this.screen;
    if (!i) drawStrip(pen, codes, row, view, { ...frame, y: frame.y - GAP + 2, height: 8 }, theme);
    drawRow(pen, row, codes, view, frame, all, theme);
    this.#gutter(pen, row, frame, all && row.channels === 4 && this.mode === "letters" ? row.stacked : row.extent);
  }

  #gutter(pen: Pen, row: Row, frame: Frame, { low, high }: Extent): void {
    const { theme } = this.screen, x = frame.x - 10, bottom = frame.y + frame.height - 3;
    const small = (words: string, y: number): void => pen.text(words, x, y, fade(theme.ink, 0.6), `10px ${theme.font}`, "right");
    const most = floor((frame.x - 12) / 7.4), whole = row.over ? `${row.label} / ${row.over.label}` : row.label;
    const label = whole.length > most ? `${whole.slice(0, most - 1)}\u2026` : whole;
    pen.text(label, x, frame.y + frame.height / 2, theme.ink, `12px ${theme.font}`, "right");
    if (!row.observed) return;
    if (high > 0) small(number(high), frame.y + 4);
    if (low < 0) small(number(low), bottom);
    if (high === 0 && low === 0) small("all zero", bottom);
  }

  override painted(): void {
    super.painted();
    this.#mode.textContent = this.store.state.all ? "all four bases" : "observed base";
    this.#progress.place(this.screen.canvas, this.plot.x, this.rowsTop + this.store.meta.height / 2);
  }

  // --- what a person does -----------------------------------------------------------------------------------------------

  protected override clickRow(position: number, inside: boolean): void {
    if (inside && position < this.store.meta.length && this.mode === "letters") this.#editor.open(position);
    else super.clickRow(position, inside);
  }

  protected override keys(): Record<string, () => void> {
    const { store } = this, { hover } = store.state, editor = this.#editor; // keys act where the cross-hair is
    const keys: Record<string, () => void> = {
      ...super.keys(),
      h: () => this.#switch(),
      Escape: () => store.set({ ...CLEAR, hover: null, failed: "" }),
      ",": () => this.#step(-1, false),
      ".": () => this.#step(1, false),
      "<": () => this.#step(-1, true),
      ">": () => this.#step(1, true),
      Enter: () => hover !== null && editor.open(hover),
      d: () => this.#data.toggle(),
      u: () => editor.undo(),
      r: () => editor.redo(),
      Delete: () => editor.remove(hover),
    };
    keys.Backspace = keys.Delete;
    for (const base of "acgt") keys[base] = () => hover !== null && editor.put(hover, base);
    return keys;
  }

  /** Between the base that is there and all four. */
  #switch(): void {
    this.store.set({ all: !this.store.state.all });
  }

  /** Move the cross-hair by a base, and with it the end of the selection. */
  #step(by: number, select: boolean): void {
    const { state, meta } = this.store, { view, selection } = state, inView = round((view.start + view.end) / 2);
    const from = state.hover ?? (selection ? selection[1] - 1 : inView), to = clamp(from + by, 0, meta.length - 1);
    const anchor = !select ? null : selection ? (from === selection[0] && selection[1] - selection[0] > 1 ? selection[1] - 1 : selection[0]) : from;
    const shift = to < view.start ? to - view.start : to + 1 > view.end ? to + 1 - view.end : 0;
    this.store.set({
      hover: to,
      ...(anchor === null ? {} : { selection: [min(anchor, to), max(anchor, to) + 1] as [number, number] }),
      ...(shift ? { view: { start: view.start + shift, end: view.end + shift } } : {}),
    });
  }
}
