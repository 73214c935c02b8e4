/** Hits of a region as a person sees them: beside what they explain, with what they leave. Owns a DOM node, knows no host. */
import { on } from "../core/events";
import { floor, max } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { type Level, modeOf } from "../draw/lod";
import { drawRow, drawStrip, type Frame, type Row } from "../draw/logo";
import { number, whole } from "../draw/scale";
import { fade } from "../draw/theme";
import { toCsv } from "../state/export";
import type { HitStore } from "../state/hit";
import type { HitAsker } from "../state/hitAsker";
import type { Item } from "../state/spans";
import { AxisViewer } from "./axis";
import { button, download, el } from "./dom";
import { HitControls } from "./hitControls";
import { HitLanes } from "./hitLanes";
import { HitPicker } from "./hitPicker";
import { HitTable } from "./hitTable";
import { Progress } from "./progress";

const LETTERS = "ACGTN", GAP = 16;
/** Labels where there is little room. */
const SHORT: Record<string, string> = { con: "given", rec: "hits", res: "rest", hyp: "all four" };

export class HitViewer extends AxisViewer<HitStore> {
  #progress: Progress;
  #controls: HitControls;
  #picker: HitPicker;
  #table: HitTable;
  #every: HTMLButtonElement;

  constructor(root: HTMLElement, store: HitStore, asker: HitAsker, signal: AbortSignal) {
    super(root, store, GAP, store.meta.colors, signal);
    root.classList.add("nbi-hit");
    this.lanes = new HitLanes(store);
    this.#progress = new Progress(root, store, signal);
    this.#controls = new HitControls(store, signal);
    this.#picker = new HitPicker(store, signal);
    this.#table = new HitTable(store, () => `${this.file}_hits`, (item) => this.pick(item), signal);
    this.#every = button("call all regions", "call the hits of all regions under these settings", () => asker.all(), signal);
    const save = { PNG: () => this.screen.save("PNG", this.file), SVG: () => this.screen.save("SVG", this.file), CSV: () => this.#save() };
    const buttons = Object.entries(save).map(([kind, act]) => button(kind, `save what is in view as ${kind}`, act, signal));
    if (store.blocks.has("hypothetical") || store.meta.mode[1] === "h") buttons.unshift(button("all four bases", "switch between the base that is there and all four (h)", () => this.#switch(), signal));
    this.#controls.box.append(el("span", "nbi-space"), this.#every, this.#picker.button, this.#table.button);
    this.bar.append(el("span", "nbi-space"));
    on(this.#picker.button, "click", () => this.draw(), signal);
    this.start(buttons, this.facts, this.#controls.box, this.#picker.panel, this.readout, this.#progress.trouble, this.screen.canvas, this.#table.box, this.#progress.busy);
  }

  /** Whether a kernel answers from now on. */
  connect(live: boolean): void {
    if (this.signal.aborted) return;
    this.say(live);
    this.store.set({ live });
    this.describe();
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  protected override describe(): void {
    super.describe();
    const { store } = this, { meta, current, called, state, whole: answered } = store;
    for (const part of [this.#progress, this.#controls, this.#picker, this.#table]) part.update();
    this.#every.hidden = meta.n < 2 || !state.live;
    this.facts.textContent = this.#said();
    Object.assign(this.root.dataset, { hits: called ? store.fit.kept.length : "", whole: answered ? "1" : "0", lambda: state.lambda, seconds: state.seconds });
    this.screen.canvas.setAttribute("aria-label", `Contributions of ${current.name}, ${meta.length} bases, what its hits explain of them, and the rest. Arrow keys move, plus and minus zoom, n and p step from hit to hit.`);
  }

  /** "27 hits explain 63 % of the squares, gap < 1e-9 · 412 hits in 100 regions". */
  #said(): string {
    const { store } = this, { called, state: { live } } = store;
    if (!called) return live === false ? "no hits are stored for this region: run the notebook" : "\u2026";
    const { fit: { kept, explained } } = store, n = kept.length, { regions, hits } = store.everywhere;
    const part = Number.isNaN(explained) ? "all contributions are 0" : `${whole(n)} hit${n === 1 ? " explains" : "s explain"} ${number(100 * explained)} % of the squares`;
    const words = [part, `duality gap ${called.gap < 1e-9 ? "< 1e\u22129" : number(called.gap)}`];
    const tied = kept.filter((i) => called.tied[i]).length;
    if (tied) words.push(`${whole(tied)} tied`);
    if (regions > 1) words.push(`${whole(hits)} hits in ${regions === store.meta.n ? "all" : whole(regions)} regions`);
    return words.join(" \u00b7 ");
  }

  protected override scores({ row, example }: Item): string {
    const { store } = this, [set] = store.spans.sets;
    if (example !== store.state.example) return "";
    const { numbers: [coefficient, similarity], rival, tied } = store.hit(row - set.at[example]);
    return `, coefficient ${number(coefficient)}, similarity ${number(similarity)}${rival && (tied ? `, ${rival} would do as well` : `, next ${rival}`)}`;
  }

  protected values(position: number): (Node | string)[] {
    const { codes, rows } = this.store.current;
    return [`${LETTERS[codes[position]]} `, ...rows.flatMap(({ label, observed }) => [el("span", "nbi-dim", ` ${label} `), number(observed![position])])];
  }

  /** Of the chosen name, here alone where other regions are not known under these settings. */
  override painted(): void {
    super.painted();
    const { state: { hover, chosen }, everywhere, meta } = this.store, { readout } = this;
    if (hover === null && chosen && everywhere.regions < meta.n) readout.textContent = readout.textContent!.replace(/ here, [\d,]+ in \d+ sequences?$/, " here");
    this.#progress.place(this.screen.canvas, this.plot.x, this.rowsTop + GAP + meta.height * 1.5);
  }

  #save(): void {
    download(new Blob([toCsv(this.store.current, this.store.state)], { type: "text/csv" }), `${this.file}.csv`);
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  protected get longest(): number {
    return max(...this.store.current.rows.map((row) => row.label.length));
  }
  protected get rowCount(): number {
    return this.store.current.rows.length;
  }
  protected get overview(): Level[] {
    return this.store.original.rows[0].levels;
  }
  protected get mode(): string {
    return modeOf(this.p);
  }

  protected drawRow(pen: Pen, i: number, frame: Frame): void {
    const { current: { rows, codes }, state: { view, all } } = this.store, row = rows[i], { theme } = this.screen;
    if (!i) drawStrip(pen, codes, row, view, { ...frame, y: frame.y - GAP + 2, height: 8 }, theme);
    drawRow(pen, row, codes, view, frame, all, theme);
    this.#gutter(pen, row, frame, all && row.channels === 4 && this.mode === "letters");
  }

  #gutter(pen: Pen, row: Row, { x: left, y, height }: Frame, stacked: boolean): void {
    const { theme } = this.screen, x = left - 10, { low, high } = stacked ? row.stacked : row.extent, most = floor((left - 12) / 7.4);
    const label = most < 10 ? SHORT[row.label.slice(0, 3)] : row.label;
    const small = (words: string, at: number): void => pen.text(words, x, at, fade(theme.ink, 0.6), `10px ${theme.font}`, "right");
    pen.text(label, x, y + height / 2, theme.ink, `12px ${theme.font}`, "right");
    if (high > 0) small(number(high), y + 4);
    if (low < 0) small(number(low), y + height - 3);
    if (row.observed!.every((v) => !v)) small("all zero", y + height / 2 + 14);
  }

  // --- what a person does -----------------------------------------------------------------------------------------------

  #switch(): void {
    this.store.set({ all: !this.store.state.all });
  }

  protected override keys(): Record<string, () => void> {
    return { ...super.keys(), h: () => this.#switch() };
  }
}
