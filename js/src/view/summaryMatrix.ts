/** The mechanism summary matrix: which positions each cluster keeps. A cell gives its letters, and the sequences behind them. */
import { on } from "../core/events";
import { clamp, floor, max, min } from "../core/numbers";
import { short } from "../draw/cooccurrence";
import type { Pen } from "../draw/glyphs";
import { number, signed, whole } from "../draw/scale";
import { type Cells, drawBases, drawKey, drawMarginal, drawPicture, drawSide, hues, pictureOf, pixels } from "../draw/summaryMatrix";
import { fade } from "../draw/theme";
import type { Cluster, Order, SpaceState, SpaceStore, Value } from "../state/space";
import { freeBits } from "../state/spaceBackground";
import type { Sums } from "../state/spaceSums";
import { button, el, picker } from "./dom";
import { AIR, counted, NARROW, SpaceAxis } from "./spaceAxis";

const TOP = 30, MOST = 400, ROW = 18, FOOT = 24;
const VALUES: [Value, string][] = [["difference", "entropy less free"], ["entropy", "entropy"], ["mismatch", "% not the reference"], ["consensus", "% consensus"]];
const ORDERS: [Order, string][] = [["activity", "by activity"], ["tree", "as in the tree"], ["size", "by size"], ["entropy", "alike together"]];
/** What makes other cells. */
const CELLS = ["cut", "edits", "names", "order", "value", "rate", "threshold", "side"] as const;
const BASES = [..."ACGT"];
/** Ends of the threshold, its step, and its unit. */
const SCALES: Record<Value, [number, number, number, string]> = { difference: [-1, 1.5, 0.01, " bits"], entropy: [0, 2, 0.01, " bits"], mismatch: [0, 100, 1, " %"], consensus: [25, 100, 1, " %"] };

interface Row {
  one: Cluster;
  sums: Sums;
  values: Float64Array;
  box: [number, number, number];
  /** Cells that are counted. */
  passing: number;
}

export class SummaryMatrixPanel extends SpaceAxis {
  protected readonly follows = [...CELLS, "chosen", "position"] as const;
  #heat = el("canvas", "", "", { "aria-hidden": "true" });
  #box = el("div", "");
  #value: HTMLSelectElement;
  #order: HTMLSelectElement;
  #side: HTMLButtonElement;
  #threshold = el("input", "nbi-range", "", { type: "range", "aria-label": "value from which cells are counted" });
  #limit = el("span", "nbi-dim");
  #letters = el("div", "nbi-line");
  #rows: Row[] = [];
  #cells!: Cells;
  #shares = new Float64Array(0);
  /** Whether a click adds to what is chosen. */
  #more = false;
  #drawn = "";
  #version = 0;

  constructor(root: HTMLElement, store: SpaceStore, signal: AbortSignal) {
    super(root, store, "summary-matrix", "clusters by positions: arrows go through cells, plus and minus zoom, 0 shows all", signal);
    root.classList.add("nbi-space-matrix");
    this.#value = picker("what cells show", VALUES, store.state.value, (value) => this.#show(value as Value), signal);
    this.#order = picker("order of the clusters", ORDERS.filter(([order]) => order !== "tree" || store.tree), store.state.order, (order) => store.set({ order: order as Order }), signal);
    this.#side = button("", "count cells of at most, or of at least, the threshold", () => store.set({ side: store.state.side > 0 ? -1 : 1 }), signal);
    on(this.#threshold, "input", () => store.set({ threshold: Number(this.#threshold.value) }), signal);
    this.facts.after(this.#value, this.#order, el("span", "nbi-dim", "count cells"), this.#side, this.#threshold, this.#limit);
    const area = el("div", "nbi-box"), { canvas } = this.screen;
    Object.assign(this.#box.style, { position: "absolute", overflow: "hidden", pointerEvents: "none" });
    Object.assign(this.#heat.style, { position: "absolute", imageRendering: "pixelated", height: "100%" });
    Object.assign(area.style, { position: "relative" });
    canvas.style.position = "relative";
    this.#box.append(this.#heat);
    area.append(this.#box, canvas);
    root.append(this.bar, this.readout, area, this.#letters);
    on(canvas, "pointerdown", (e) => { this.#more = e.ctrlKey || e.metaKey; }, signal);
    this.update({ cut: null });
    this.read();
  }

  // --- data -------------------------------------------------------------------------------------------------------------

  /** Another value has another threshold: half of what free mutation gives, or nearly all. */
  #show(value: Value): void {
    const free = freeBits(this.store.state.rate), limits: Record<Value, number> = { difference: -free / 2, entropy: free / 2, mismatch: 5, consensus: 95 };
    this.store.set({ value, threshold: limits[value], side: value === "consensus" ? 1 : -1 });
  }
  protected update(changed: Partial<SpaceState>): void {
    const { store, store: { state, given: { range } } } = this;
    if (CELLS.some((key) => key in changed)) {
      const span = range[1] - range[0] || 1, known = new Map(this.#rows.map((row) => [row.sums, row.box]));
      this.#rows = store.clusters.map((one): Row => {
        const sums = store.sums(`c${one.id}`), box = known.get(sums) ?? ([0.25, 0.5, 0.75].map((q) => (sums.quantile(q, range) - range[0]) / span) as Row["box"]);
        return { one, sums, values: store.row(one), box, passing: 0 };
      });
      const free = { entropy: freeBits(state.rate), difference: freeBits(state.rate), mismatch: 100 * state.rate, consensus: 100 - 100 * state.rate }[state.value];
      this.#cells = { value: state.value, free, rows: this.#rows.map(({ values }) => values), bases: state.value === "consensus" ? this.#rows.map(({ sums }) => sums.commonest) : undefined };
      this.#count();
      this.#version++;
    }
    const [low, high, step, unit] = SCALES[state.value], { length } = this.#rows;
    Object.assign(this.#threshold, { min: String(low), max: String(high), step: String(step), value: String(state.threshold) });
    this.#value.value = state.value;
    this.#order.value = state.order;
    this.#side.textContent = state.side > 0 ? "\u2265" : "\u2264";
    this.#limit.textContent = `${number(state.threshold)}${unit}`;
    this.facts.textContent = counted(length, "cluster");
    this.#spell();
    Object.assign(this.root.dataset, { rows: String(length), value: state.value, order: state.order });
  }
  /** How many clusters pass at each position, and how many positions in each cluster. */
  #count(): void {
    const { threshold, side } = this.store.state, { width } = this.store.given, counts = new Float64Array(width);
    for (const row of this.#rows) for (let i = 0; i < width; i++) if ((row.values[i] - threshold) * side >= 0) {
      counts[i]++;
      row.passing++;
    }
    this.#shares = counts.map((v) => v / (this.#rows.length || 1));
  }

  // --- words ------------------------------------------------------------------------------------------------------------

  protected read(): void {
    const { store, store: { state: { hover, chosen, position, pointed: [under] } } } = this, pointed = this.#rows.find(({ one }) => one.id === under), row = pointed ?? this.#rows.find(({ one }) => chosen.length === 1 && one.id === chosen[0]), at = hover ?? (pointed ? null : position);
    if (!row) {
      const share = at === null ? 0 : this.#shares[at];
      this.readout.textContent = at === null ? "point at a cell; click for its letters and the sequences behind it" : `${this.told(at)}: ${whole(share * this.#rows.length)} of ${whole(this.#rows.length)} clusters counted`;
      return;
    }
    const who = store.called(`c${row.one.id}`), activity = `${store.given.activity} ${number(row.sums.mean)}`;
    this.readout.replaceChildren(...(at === null ? [`${who}: ${counted(row.one.n)}, ${activity}, ${whole(row.passing)} of ${whole(store.given.width)} cells counted`] : [el("b", "", this.told(at)), ` ${who}: ${this.#said(row, at)} \u00b7 ${counted(row.one.n)}, ${activity}`]));
  }
  #said({ values, sums }: Row, at: number): string {
    const { value } = this.store.state, v = values[at], reference = this.store.reference[at], base = BASES[sums.commonest[at]] ?? "no base";
    if (value === "entropy") return `${number(v)} bits`;
    if (value === "difference") return `${signed(v)} bits against free mutation`;
    return value === "mismatch" ? `${number(v)} % do not have ${BASES[reference] ?? "N"}, the reference's` : `${number(v)} % have ${base}${base === BASES[reference] ? ", the reference's" : ""}`;
  }
  /** The letters at the position that is picked, of the clusters that are chosen; each goes to its sequences. */
  #spell(): void {
    const { store } = this, { state: { position }, given: { width } } = store, ids = store.chosen.map(({ id }) => id), side = ids.length ? `c${ids.join(" ")}` : "";
    if (position === null) return this.#letters.replaceChildren();
    const letters = store.sums(side).part("letters"), has = store.blocks.has("codes"), total = store.sums(side).n;
    const buttons = BASES.map((base, b) => {
      const n = letters[b * width + position], name = `${store.called(side)} ${this.told(position)}${base}`, words = `${base} ${whole(n)} (${number((100 * n) / total)} %)`;
      const one = button(words, has ? `keep these sequences as a selection` : "the letters of single sequences are not in this page", () => store.keep(name, store.behind(side, position, b)!));
      one.disabled = !has || !n;
      if (store.reference[position] === b) one.style.fontWeight = "600";
      return one;
    });
    this.#letters.replaceChildren(el("span", "nbi-dim", `${store.called(side)} at ${this.told(position)}:`), ...buttons);
  }

  // --- places -----------------------------------------------------------------------------------------------------------

  get #row(): number {
    const count = max(this.#rows.length, 1);
    return MOST / count >= 2 ? min(ROW, floor(MOST / count)) : MOST / count;
  }
  get #tall(): number {
    return this.#row * this.#rows.length;
  }
  get height(): number {
    return TOP + this.#tall + FOOT;
  }
  #rowAt(y: number): number {
    const at = floor((y - TOP) / this.#row);
    return y >= TOP && at < this.#rows.length ? at : -1;
  }

  // --- what a person wants ----------------------------------------------------------------------------------------------

  override hover(x: number, y: number): void {
    const row = this.#rows[this.#rowAt(y)];
    this.store.set({ pointed: row ? [row.one.id] : [] });
    super.hover(x, y);
  }
  override leave(): void {
    this.store.set({ pointed: [] });
    super.leave();
  }
  override click(x: number, y: number): void {
    const { store } = this, row = this.#rows[this.#rowAt(y)], { hover } = store.state;
    super.click(x, y);
    store.set({ position: this.inside(x) ? hover : null });
    if (row) store.choose([row.one.id], this.#more);
    else if (y >= TOP) store.choose([]);
  }
  protected override keys(shift: boolean): Record<string, () => void> {
    const { store } = this, far = shift ? 10 : 1;
    return {
      ...super.keys(shift),
      ArrowUp: () => store.step(-far), ArrowDown: () => store.step(far), ArrowLeft: () => this.#go(-far), ArrowRight: () => this.#go(far),
      Escape: () => { store.set({ selection: null, position: null }); store.choose([]); },
    };
  }
  /** Pick a position nearby, and look at it. */
  #go(by: number): void {
    const { state: { position, view }, given: { width } } = this.store, at = clamp(position === null ? floor((view.start + view.end) / 2) : position + by, 0, width - 1);
    this.store.set({ position: at });
    if (at < view.start || at >= view.end) this.centre(at + 0.5);
  }

  // --- painting -----------------------------------------------------------------------------------------------------------

  render(pen: Pen, marked: boolean): void {
    const { plot, screen: { theme, width }, store, store: { state } } = this, row = this.#row, bottom = TOP + this.#tall, narrow = width < NARROW, right = narrow ? 0 : width - plot.x - plot.width;
    if (!this.#rows.length) return pen.text("no clusters", plot.x, TOP, fade(theme.ink, 0.5), `11px ${theme.font}`);
    drawMarginal(pen, this.#shares, state.view, { ...plot, y: 4, height: TOP - AIR }, theme);
    drawKey(pen, this.#cells, hues(state.value, theme), { x: plot.x + 40, y: bottom + 10, width: 144, height: 8 }, theme);
    if (!marked) drawPicture(pen, this.#picture(), hues(state.value, theme), this.#frame(TOP));
    if (this.#cells.bases && this.p >= 9 && row >= 9) drawBases(pen, this.#cells, store.reference, state.view, { ...plot, y: TOP, height: this.#tall }, theme);
    const chosen = new Set(state.chosen), letters = narrow ? 6 : 14;
    this.#rows.forEach(({ one, box, passing }, i) => {
      const on = chosen.has(one.id) || (marked && state.pointed.includes(one.id)), words = row >= 9 || on ? short(one.name, letters) : "";
      drawSide(pen, { words, colour: one.colour, on, box, share: passing / store.given.width }, { ...plot, y: TOP + i * row, height: row }, right, theme);
      if (on && marked) for (const y of [TOP + i * row, TOP + (i + 1) * row]) pen.line(plot.x, y - 0.5, plot.x + plot.width, y - 0.5, fade(theme.ink, 0.7));
    });
    if (right) for (const [words, x] of [[store.given.activity, plot.x + plot.width + 16], ["count", plot.x + plot.width + right - 32]] as const) pen.text(short(words, 10), x, TOP - 10, fade(theme.ink, 0.55), `10px ${theme.font}`);
    pen.text("counted", plot.x - 8, TOP - 12, fade(theme.ink, 0.55), `10px ${theme.font}`, "right");
    if (!marked) return;
    this.mark(pen, 4, bottom);
    const { position } = state;
    if (position === null || position + 1 <= state.view.start || position >= state.view.end) return;
    for (const x of [this.x(position), this.x(position + 1)]) if (this.inside(x) || x === plot.x + plot.width) pen.line(x, 4, x, bottom, fade(theme.ink, 0.7));
  }
  #picture(): ReturnType<typeof pictureOf> {
    return pictureOf(this.#cells, this.store.state.view, this.plot.width, this.#tall);
  }
  /** Where the picture lies, which can begin and end within a position. */
  #frame(y: number): { x: number; y: number; width: number; height: number } {
    const { start, end } = this.store.state.view, from = floor(start), to = min(Math.ceil(end), this.store.given.width);
    return { x: this.x(from), y, width: (to - from) * this.p, height: this.#tall };
  }
  /** The picture lies under the canvas as an image of its own, made anew only where it differs. */
  painted(): void {
    const { plot, store: { state: { view, value } }, screen: { theme } } = this, frame = this.#frame(0), now = JSON.stringify([this.#version, view, plot, theme.dark, value]);
    Object.assign(this.#box.style, { left: `${plot.x}px`, top: `${TOP}px`, width: `${plot.width}px`, height: `${this.#tall}px` });
    Object.assign(this.#heat.style, { left: `${frame.x - plot.x}px`, width: `${frame.width}px` });
    if (now === this.#drawn || !this.#rows.length) return;
    this.#drawn = now;
    const picture = this.#picture(), { columns, rows } = picture;
    if (!columns) return;
    Object.assign(this.#heat, { width: columns, height: rows });
    this.#heat.getContext("2d")!.putImageData(new ImageData(pixels(picture, hues(value, theme)), columns, rows), 0, 0);
  }
}
