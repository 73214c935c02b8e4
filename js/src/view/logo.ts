/** The logo as a person sees it: bar, read-out, canvas. Owns a DOM node, knows no host. */
import type { Backend } from "../backend/backend";
import { CanvasPen, type Pen, SvgPen } from "../draw/glyphs";
import { drawDensity, drawLanes, LANE, laneHeight, MAX_LANES, MOST, pack, type Placed } from "../draw/lanes";
import { type Extent, modeOf } from "../draw/lod";
import { drawRow, drawStrip, type Frame, type Row } from "../draw/logo";
import { drawMinimap, drawRuler } from "../draw/ruler";
import { number, whole } from "../draw/scale";
import { fade, type Theme, themeOf } from "../draw/theme";
import { listen } from "../input/gesture";
import { toBed, toCsv, toPython } from "../state/export";
import { Live } from "../state/live";
import type { Store } from "../state/store";
import { Motion } from "./motion";
import { download, el, picker } from "./dom";
import { Editor } from "./editor";
import { targetPicker } from "./target";
import { ComparePanel } from "./compare";
import { DataTable } from "./data";
import { RowPanel } from "./rows";

const LETTERS = "ACGTN";
const SEARCH = 20; // sequences from which the chooser is a field to search in
const KINDS = ["PNG", "SVG", "CSV", "BED", "copy Python"] as const;
type Kind = (typeof KINDS)[number];
const RIGHT = 8, RULER = 22, MAP = 22, GAP = 16;

export class LogoViewer {
  #canvas = el("canvas", "nbi-canvas");
  #readout = el("div", "nbi-readout");
  #place = el("span", "nbi-place");
  #facts = el("span", "nbi-facts-line");
  #status = el("span", "nbi-status");
  #chooser: HTMLInputElement | HTMLSelectElement | null = null;
  #mode = el("button", "nbi-quiet");
  #pending = 0;
  #motion: Motion;
  #frames = 0;
  #placed: { placed: Placed[]; lanes: number; key: string } = { placed: [], lanes: 0, key: "" };
  #theme!: Theme;
  #trouble = el("div", "nbi-trouble");
  #busy = el("div", "nbi-busy");
  #pickers = el("span", "nbi-pickers");
  #editor: Editor;
  #rows: RowPanel;
  #compare: ComparePanel;
  #data: DataTable;
  #methods: string[] = [];
  #words = "";
  #asker: Live | null = null;

  constructor(private root: HTMLElement, private store: Store, private signal: AbortSignal) {
    root.classList.add("nbi-logo");
    root.dataset.jpSuppressContextMenu = "";
    this.#motion = new Motion(store, () => this.draw(), signal);
    const viewer = this;
    this.#rows = new RowPanel(root, store, signal);
    this.#data = new DataTable(store, () => this.#canvas.focus({ preventScroll: true }), signal);
    this.#compare = new ComparePanel(store, () => this.#methods, signal);
    this.#editor = new Editor(root, store, {
      column: (position) => ({ x: this.#x(position), width: this.#x(position + 1) - this.#x(position) }),
      get top() { return viewer.#canvas.offsetTop + viewer.#rowsTop - 30; },
      colors: () => this.#theme.bases,
      prune: (start, end) => this.#asker?.prune(start, end),
      tell: (words) => this.#tell(words),
    }, signal);
    this.#build();
    store.subscribe((changed) => {
      if (Object.keys(changed).some((key) => key !== "hover" && key !== "hoveredItem")) {
        this.#words = "";
        this.#describe();
      }
      this.draw();
    });
    listen(this.#canvas, this, this, signal);
    const resize = new ResizeObserver(() => this.draw());
    resize.observe(root);
    const themes = new MutationObserver(() => this.draw());
    themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(), { signal });
    signal.addEventListener("abort", () => { resize.disconnect(); themes.disconnect(); });
    this.#editor.refusal = "not connected yet";
    this.#describe();
    this.#say(false);
  }

  /** Take what answers: a kernel, or what is stored; a kernel that was busy comes later. */
  connect(live: boolean, backend: Backend): void {
    if (this.signal.aborted) return;
    const { meta } = this.store;
    this.#say(live);
    this.#editor.refusal = live
      ? meta.live ? "" : "no model: pass model= to edit the sequence"
      : meta.table ? "" : "no kernel: edits need the notebook";
    this.#pickers.replaceChildren();
    this.#methods = live && meta.live ? meta.live.methods : [];
    if (live && meta.live) this.#offer(meta.live.targets, meta.live.methods);
    this.#asker?.end();
    this.#asker = this.#editor.refusal ? null : new Live(this.store, backend);
    this.#asker?.look();
    this.#describe();
    this.draw();
  }

  /** Choices of what is asked of the model, and how. */
  #offer(targets: string[], methods: string[]): void {
    const { state } = this.store, { signal } = this;
    this.#pickers.append(targetPicker(targets, this.store, signal));
    if (methods.length > 1) this.#pickers.append(picker("method", methods, state.method, (method) => this.store.set({ method }), signal));
  }

  /** Say something in the read-out line. */
  #tell(words: string): void {
    this.#words = words;
    this.#read();
  }

  #build(): void {
    const { meta } = this.store;
    const bar = el("div", "nbi-bar");
    if (meta.n > 1) bar.append(this.#buildChooser());
    this.#place.addEventListener("click", () => this.#copyPlace(), { signal: this.signal });
    bar.append(this.#place, this.#pickers, this.#facts, el("span", "nbi-space"), this.#editor.buttons);
    if (meta.tracks.some((t) => t.channels === 4)) {
      this.#mode.addEventListener("click", () => this.store.set({ all: !this.store.state.all }), { signal: this.signal });
      bar.append(this.#mode);
    }
    bar.append(this.#compare.button, this.#rows.button);
    const save = picker("export what is in view", ["export", ...KINDS], "export", (kind) => {
      save.value = "export";
      this.#save(kind as Kind);
    }, this.signal);
    save.classList.add("nbi-quiet");
    bar.append(save);
    bar.append(this.#status);
    this.#readout.setAttribute("aria-live", "polite");
    Object.assign(this.#canvas, { tabIndex: 0 });
    this.#canvas.setAttribute("role", "application");
    this.#canvas.dataset.lmSuppressShortcuts = "true"; // a, c, x and others are commands of the notebook
    this.#trouble.setAttribute("role", "alert");
    this.#trouble.addEventListener("click", () => this.store.set({ failed: "" }), { signal: this.signal });
    const line = el("div", "nbi-line");
    line.append(this.#readout, this.#editor.tools);
    this.root.append(bar, line, this.#trouble, this.#canvas, this.#compare.panel, this.#data.panel, this.#busy);
  }

  #buildChooser(): HTMLElement {
    const { meta } = this.store, box = el("span", "nbi-chooser");
    const step = (by: number): HTMLButtonElement => {
      const button = el("button", "nbi-quiet", by < 0 ? "\u2039" : "\u203a");
      button.title = by < 0 ? "previous sequence ([)" : "next sequence (])";
      button.addEventListener("click", () => this.store.set({ example: this.store.state.example + by }), { signal: this.signal });
      return button;
    };
    this.#chooser = meta.n > SEARCH ? this.#buildSearch(box) : this.#buildSelect();
    this.#chooser.setAttribute("aria-label", "sequence");
    box.append(step(-1), this.#chooser, step(1), el("span", "nbi-count"));
    return box;
  }

  #buildSelect(): HTMLSelectElement {
    const select = el("select", "nbi-select");
    this.store.meta.names.forEach((name, i) => select.append(Object.assign(el("option", "", name), { value: String(i) })));
    select.addEventListener("change", () => this.store.set({ example: Number(select.value) }), { signal: this.signal });
    return select;
  }

  /** Where there are many: a field that finds a name, or a number counted from 1. */
  #buildSearch(box: HTMLElement): HTMLInputElement {
    const { names, n } = this.store.meta, list = el("datalist", "");
    list.id = `nbi-${Math.random().toString(36).slice(2)}`;
    names.forEach((name) => list.append(Object.assign(el("option", ""), { value: name })));
    const input = Object.assign(el("input", "nbi-select"), { type: "text", placeholder: "name or number" });
    input.setAttribute("list", list.id);
    input.addEventListener("focus", () => input.select(), { signal: this.signal });
    input.addEventListener("change", () => {
      const said = input.value.trim(), exact = names.indexOf(said), part = names.findIndex((one) => one.includes(said));
      const counted = /^\d+$/.test(said) ? Number(said) - 1 : -1;
      const found = exact >= 0 ? exact : counted >= 0 && counted < n ? counted : said ? part : -1;
      if (found < 0) this.#readout.textContent = `no sequence is called ${said || "nothing"}`;
      else this.store.set({ example: found });
      input.value = names[this.store.state.example];
    }, { signal: this.signal });
    box.append(list);
    return input;
  }

  /** The span in view as genome browsers read it: from 1, both ends included. */
  #copyPlace(): void {
    const { current, state: { view } } = this.store;
    const text = `${current.chrom ?? current.name}:${whole(Math.floor(view.start) + current.offset + 1)}-${whole(Math.ceil(view.end) + current.offset)}`;
    void navigator.clipboard?.writeText(text).then(() => { this.#readout.textContent = `copied ${text} (from 1, both ends included)`; });
  }

  /** What the bar says of the example. */
  #describe(): void {
    const { meta, state, current } = this.store;
    this.#editor.update();
    this.#rows.update();
    this.#compare.update();
    this.#data.update();
    this.root.dataset.asking = state.asking ? "1" : "0";
    this.root.dataset.heard = String(state.heard);
    this.#trouble.hidden = !state.failed;
    this.#trouble.textContent = state.failed ? `${state.failed} \u00d7` : "";
    if (this.#chooser) this.#chooser.value = this.#chooser instanceof HTMLInputElement ? current.name : String(state.example);
    const count = this.root.querySelector(".nbi-count");
    if (count) count.textContent = `${state.example + 1} of ${whole(meta.n)}`;
    this.#facts.textContent = this.#prediction();
    this.#place.title = "copy, as genome browsers write it";
    this.#canvas.setAttribute("aria-label", `Sequence logo of ${current.name}, ${meta.length} bases. Arrow keys move, plus and minus zoom, comma and full stop step from base to base, a c g t change one, u takes it back, d shows the numbers as a table.`);
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
    if (question.changes.length && shown !== null && original !== null) {
      const change = shown - original;
      words.push(`, ${change >= 0 ? "+" : ""}${number(change)}`);
    }
    return words.join("");
  }

  #say(live: boolean): void {
    this.root.dataset.live = live ? "1" : "0";
    this.#status.className = `nbi-status ${live ? "nbi-live" : ""}`;
    this.#status.textContent = live ? "live" : "static: stored answers only";
  }

  // --- layout -----------------------------------------------------------------------------------------------------

  get #width(): number {
    return Math.max(this.root.clientWidth, 240);
  }
  /** The margin that the labels need. */
  get #margin(): number {
    const longest = Math.max(...this.store.current.rows.map((r) => r.label.length));
    return this.#width < 560 ? 56 : Math.min(180, Math.max(72, longest * 7.6 + 24));
  }
  get #plot(): { x: number; width: number } {
    const x = this.#width < 560 ? this.#margin : Math.max(this.#margin, this.store.state.gutter);
    return { x, width: this.#width - x - RIGHT };
  }
  /** Pixels a position. */
  get #p(): number {
    const { view } = this.store.state;
    return this.#plot.width / (view.end - view.start);
  }
  get #rowsTop(): number {
    return RULER + MAP + GAP;
  }
  get #rowHeight(): number {
    return this.store.meta.height;
  }
  #lanes(): { placed: Placed[]; lanes: number } {
    const { items } = this.store.current, p = this.#p, key = `${this.store.state.example} ${Math.round(Math.log2(p) * 2)}`;
    if (this.#placed.key !== key) {
      const named = items.some((a) => a[3]) ? 58 : 4; // names beside short bars need room
      this.#placed = { ...pack(items, items.length > MOST ? 0 : (p > 1 ? named : 4) / p), key };
    }
    return this.#placed;
  }
  get #lanesTop(): number {
    return this.#rowsTop + this.store.current.rows.length * (this.#rowHeight + GAP);
  }
  get #height(): number {
    const { items } = this.store.current;
    return this.#lanesTop + (items.length ? laneHeight(this.#lanes().lanes, items.length > MOST) + 4 : 0);
  }

  // --- drawing ----------------------------------------------------------------------------------------------------

  /** Draw once in the next frame, however often it is asked. */
  draw(): void {
    if (this.#pending || this.signal.aborted) return;
    this.#pending = requestAnimationFrame(() => {
      this.#pending = 0;
      if (this.root.clientWidth) this.#paint();
    });
  }

  #paint(): void {
    this.store.onGutter?.(this.#margin);
    const began = performance.now(), ratio = devicePixelRatio || 1;
    this.#theme = themeOf(this.root, this.store.meta.colors);
    const width = this.#width, height = this.#height;
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
      this.#canvas.style.height = `${height}px`;
    }
    const ctx = this.#canvas.getContext("2d")!;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#render(new CanvasPen(ctx, ratio), true);
    this.#read();
    const { all } = this.store.state;
    this.#mode.textContent = all ? "all four bases" : "observed base";
    this.#mode.title = "switch between the base that is there and all four";
    this.root.dataset.mode = modeOf(this.#p);
    const { x } = this.#plot;
    this.#busy.style.cssText = `left:8px;width:${x - 24}px;top:${this.#canvas.offsetTop + this.#rowsTop + this.#rowHeight / 2 + 12}px`;
    this.root.dataset.moving = this.#motion.aim ? "1" : "0";
    this.root.dataset.frames = String(++this.#frames);
    this.root.dataset.ms = (performance.now() - began).toFixed(2);
  }

  #render(pen: Pen, overlay: boolean): void {
    const { store } = this, theme = this.#theme, plot = this.#plot, { state, current, meta } = store, { view } = state;
    drawRuler(pen, view, current.offset, { ...plot, y: 0, height: RULER }, theme);
    drawMinimap(pen, current.rows[0].levels, meta.length, view, { ...plot, y: RULER, height: MAP }, theme);
    drawStrip(pen, current.codes, current.rows[0], view, { ...plot, y: this.#rowsTop - GAP + 2, height: 8 }, theme);
    current.rows.forEach((row, i) => {
      const frame = this.#rowFrame(i);
      if (overlay) this.#band(pen, frame);
      drawRow(pen, row, current.codes, view, frame, state.all, theme);
      this.#gutter(pen, row, frame, state.all && row.channels === 4 && modeOf(this.#p) === "letters" ? row.stacked : row.extent);
    });
    if (current.items.length) {
      const frame = { ...plot, y: this.#lanesTop, height: this.#height - this.#lanesTop - 4 };
      if (current.items.length > MOST) drawDensity(pen, current.items, view, frame, theme);
      else drawLanes(pen, this.#lanes().placed, view, frame, state.hoveredItem, state.selectedItem, theme);
    }
    if (overlay) this.#cross(pen);
  }

  #rowFrame(i: number): Frame {
    return { ...this.#plot, y: this.#rowsTop + i * (this.#rowHeight + GAP), height: this.#rowHeight };
  }

  #gutter(pen: Pen, row: Row, frame: Frame, extent: Extent): void {
    const theme = this.#theme, x = frame.x - 10, small = `10px ${theme.font}`;
    const middle = frame.y + frame.height / 2;
    const most = Math.floor((frame.x - 12) / 7.4);
    const whole = row.over ? `${row.label} / ${row.over.label}` : row.label;
    const label = whole.length > most ? `${whole.slice(0, most - 1)}\u2026` : whole;
    pen.text(label, x, middle, theme.ink, `12px ${theme.font}`, "right");
    if (!row.observed) return;
    if (extent.high > 0) pen.text(number(extent.high), x, frame.y + 4, fade(theme.ink, 0.6), small, "right");
    if (extent.low < 0) pen.text(number(extent.low), x, frame.y + frame.height - 3, fade(theme.ink, 0.6), small, "right");
    if (extent.high === 0 && extent.low === 0) pen.text("all zero", x, frame.y + frame.height - 3, fade(theme.ink, 0.6), small, "right");
  }

  #x(position: number): number {
    return this.#plot.x + (position - this.store.state.view.start) * this.#p;
  }

  #band(pen: Pen, frame: Frame): void {
    const { selection } = this.store.state;
    if (!selection) return;
    const a = Math.max(this.#x(selection[0]), frame.x), b = Math.min(this.#x(selection[1]), frame.x + frame.width);
    if (b > a) pen.rect(a, frame.y - 4, b - a, frame.height + 8, this.#theme.accent, 0.12);
  }

  #cross(pen: Pen): void {
    const { hover } = this.store.state;
    if (hover === null) return;
    const a = this.#x(hover), b = this.#x(hover + 1), bottom = this.#lanesTop - GAP + 4;
    if (b - a >= 5) pen.rect(a, this.#rowsTop - 4, b - a, bottom - this.#rowsTop + 4, this.#theme.ink, 0.07);
    else pen.line((a + b) / 2, this.#rowsTop - 4, (a + b) / 2, bottom, fade(this.#theme.ink, 0.35));
  }

  /** The one line that says what is under the cross-hair; it never covers a letter. */
  #read(): void {
    const { state, current } = this.store, { view, hover, selection } = state;
    this.#place.textContent = (current.chrom ? `${current.chrom}:` : `${current.name}:`) + `${whole(Math.floor(view.start) + current.offset)}-${whole(Math.ceil(view.end) + current.offset)}`;
    if (this.#words) return this.#readout.replaceChildren(this.#words);
    if (hover === null || hover >= current.codes.length) {
      const bp = Math.round(view.end - view.start);
      const chosen = selection ? ` \u00b7 selected ${whole(selection[0] + current.offset)}\u2013${whole(selection[1] + current.offset)} (${whole(selection[1] - selection[0])} bp)` : "";
      this.#readout.replaceChildren(`${whole(bp)} bp in view${chosen}`);
      return;
    }
    const parts: (Node | string)[] = [el("b", "", whole(hover + current.offset)), ` ${LETTERS[current.codes[hover]]} `];
    for (const row of current.rows) {
      if (!row.observed) continue;
      parts.push(el("span", "nbi-dim", ` ${row.label} `), number(row.observed[hover]));
      if (row.errors) parts.push(` \u00b1 ${number(row.errors[hover])}`);
      if (row.channels === 4 && row.values) parts.push(this.#bars(row.values, hover));
    }
    const item = state.hoveredItem >= 0 ? current.items[state.hoveredItem] : null;
    if (item) parts.push(el("span", "nbi-dim", " \u00b7 "), `${item[3] || "span"} ${whole(item[1] + current.offset)}\u2013${whole(item[2] + current.offset)}${item[4] ? ` (${item[4]})` : ""}${item[5] === null ? "" : `, ${number(item[5])}`}`);
    this.#readout.replaceChildren(...parts);
  }

  /** The four hypothetical values as small bars. */
  #bars(values: Float32Array, i: number): HTMLElement {
    const n = this.store.meta.length, four = [0, 1, 2, 3].map((c) => values[c * n + i]);
    const top = Math.max(...four.map(Math.abs)) || 1, box = el("span", "nbi-four");
    four.forEach((v, c) => {
      const bar = el("i", ""), size = (Math.abs(v) / top) * 7;
      bar.title = `${LETTERS[c]} ${number(v)}`;
      bar.style.cssText = `background:${this.#theme.bases[c]};height:${Math.max(size, 0.5)}px;margin-top:${v > 0 ? 7 - size : 7}px`;
      box.append(bar);
    });
    return box;
  }

  // --- Places: what lies where --------------------------------------------------------------------------------------

  at(_x: number, y: number): "rows" | "ruler" | "minimap" | "lanes" | "other" {
    if (y < RULER) return "ruler";
    if (y < RULER + MAP + 4) return "minimap";
    if (y < this.#lanesTop - GAP / 2) return "rows";
    return "lanes";
  }
  position(x: number): number {
    return this.store.state.view.start + (x - this.#plot.x) / this.#p;
  }
  mapped(x: number): number {
    return ((x - this.#plot.x) / this.#plot.width) * this.store.meta.length;
  }

  // --- Intents: what a person wants -----------------------------------------------------------------------------------

  hover(x: number, y: number): void {
    const position = Math.floor(this.position(x)), inside = x >= this.#plot.x && position >= 0 && position < this.store.meta.length;
    this.store.set({ hover: inside ? position : null, hoveredItem: this.#itemAt(x, y) });
  }
  leave(): void {
    this.store.set({ hover: null, hoveredItem: -1 });
  }
  brush(from: number, to: number, _done: boolean): void {
    const a = Math.max(0, Math.floor(Math.min(from, to))), b = Math.min(this.store.meta.length, Math.ceil(Math.max(from, to)));
    this.store.set({ selection: b > a ? [a, b] : null });
  }
  pan(by: number): void {
    this.#motion.by(by);
  }
  centre(position: number): void {
    const { view } = this.store.state;
    this.#motion.by(position - (view.start + view.end) / 2);
  }
  zoom(about: number, factor: number): void {
    this.#motion.zoom(about, factor);
  }
  click(x: number, y: number): void {
    const index = this.#itemAt(x, y), position = Math.floor(this.position(x));
    if (index < 0 && this.at(x, y) === "rows" && x >= this.#plot.x && position < this.store.meta.length && modeOf(this.#p) === "letters")
      return this.#editor.open(position);
    if (index < 0) return this.store.set({ selection: null, selectedItem: -1 });
    const item = this.store.current.items[index];
    this.store.set({ selectedItem: index, selection: [item[1], item[2]] });
    const { view } = this.store.state;
    this.#motion.by((item[1] + item[2] - view.start - view.end) / 2, true);
  }
  fit(x: number, y: number): void {
    const { selection } = this.store.state;
    if (this.at(x, y) === "minimap") return this.#motion.glide({ start: 0, end: this.store.meta.length });
    if (!selection) return;
    const margin = (selection[1] - selection[0]) * 0.15;
    this.#motion.glide({ start: selection[0] - margin, end: selection[1] + margin });
  }
  key(key: string): boolean {
    const moves: Record<string, () => void> = {
      ...this.#motion.keys(),
      h: () => this.store.set({ all: !this.store.state.all }),
      Escape: () => this.store.set({ selection: null, selectedItem: -1, hover: null, failed: "" }),
      ",": () => this.#step(-1, false),
      ".": () => this.#step(1, false),
      "<": () => this.#step(-1, true),
      ">": () => this.#step(1, true),
      Enter: () => this.#cursor !== null && this.#editor.open(this.#cursor),
      d: () => this.#data.toggle(),
      u: () => this.#editor.undo(),
      r: () => this.#editor.redo(),
      Delete: () => this.#editor.remove(this.#cursor),
      Backspace: () => this.#editor.remove(this.#cursor),
    };
    for (const base of "acgt") moves[base] = () => this.#cursor !== null && this.#editor.put(this.#cursor, base);
    moves[key]?.();
    return key in moves;
  }

  /** The position under the cross-hair, wherever the pointer or the keys put it. */
  get #cursor(): number | null {
    return this.store.state.hover;
  }

  /** Move the cross-hair by a base, and with it the end of the selection. */
  #step(by: number, select: boolean): void {
    const { state, meta } = this.store, { view, selection } = state, inView = Math.round((view.start + view.end) / 2);
    const from = state.hover ?? (selection ? selection[1] - 1 : inView), to = Math.min(Math.max(from + by, 0), meta.length - 1);
    const anchor = !select ? null : selection ? (from === selection[0] && selection[1] - selection[0] > 1 ? selection[1] - 1 : selection[0]) : from;
    const shift = to < view.start ? to - view.start : to + 1 > view.end ? to + 1 - view.end : 0;
    this.store.set({
      hover: to,
      ...(anchor === null ? {} : { selection: [Math.min(anchor, to), Math.max(anchor, to) + 1] as [number, number] }),
      ...(shift ? { view: { start: view.start + shift, end: view.end + shift } } : {}),
    });
  }

  #itemAt(x: number, y: number): number {
    if (y < this.#lanesTop || this.store.current.items.length > MOST) return -1;
    const lane = Math.floor((y - this.#lanesTop) / LANE), slack = 2 / this.#p, position = this.position(x);
    if (lane >= MAX_LANES) return -1;
    return this.#lanes().placed.find((one) => one.lane === lane && one.item[1] - slack <= position && position < one.item[2] + slack)?.index ?? -1;
  }

  /** What is in view on its own ground, twice as fine, without cross-hair and selection. */
  #picture(done: (blob: Blob) => void): void {
    const copy = Object.assign(document.createElement("canvas"), { width: this.#width * 2, height: this.#height * 2 });
    const ctx = copy.getContext("2d")!;
    ctx.fillStyle = this.#theme.ground;
    ctx.fillRect(0, 0, copy.width, copy.height);
    this.#render(new CanvasPen(ctx, 2), false);
    copy.toBlob((blob) => blob && done(blob));
  }

  // --- export -------------------------------------------------------------------------------------------------------

  #save(kind: Kind): void {
    const { current, state } = this.store, name = current.name.replace(/[^\w.-]+/g, "_");
    if (kind === "PNG") return this.#picture((blob) => download(blob, `${name}.png`));
    if (kind === "SVG") {
      const pen = new SvgPen();
      this.#render(pen, false);
      return download(new Blob([pen.svg(this.#width, this.#height, this.#theme.ground)], { type: "image/svg+xml" }), `${name}.svg`);
    }
    if (kind === "CSV") return download(new Blob([toCsv(current, state)], { type: "text/csv" }), `${name}.csv`);
    if (kind === "BED") return download(new Blob([toBed(current, state)], { type: "text/plain" }), `${name}.bed`);
    const code = toPython(this.store);
    void navigator.clipboard?.writeText(code).then(() => this.#tell("copied the Python that brings a view here"));
  }
}
