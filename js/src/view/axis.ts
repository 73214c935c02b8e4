/** What any view along a sequence is: a bar, a read-out, a ruler with a mini-map, rows, and spans under them.
 *
 * A view of its own says what its rows are, and calls `start` when it is ready. It knows no host.
 */
import { on } from "../core/events";
import { ceil, floor, max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import type { Level } from "../draw/lod";
import type { Frame } from "../draw/logo";
import { drawMinimap, drawRuler } from "../draw/ruler";
import { number, whole } from "../draw/scale";
import { type BASES, fade } from "../draw/theme";
import { type Intents, listen, type Places } from "../input/gesture";
import type { Axis } from "../state/axis";
import { below, type Item } from "../state/spans";
import { Chooser } from "./chooser";
import { el } from "./dom";
import type { Under } from "./lanes";
import { Motion } from "./motion";
import { type Scene, Screen } from "./screen";

const RIGHT = 8, RULER = 22, MAP = 22;
/** Nothing is selected, and no name stands out. */
export const CLEAR = { selection: null, item: -1, chosen: "" };

type Words = (Node | string)[];

export abstract class AxisViewer<T extends Axis> implements Places, Intents, Scene {
  protected bar = el("div", "nbi-bar");
  protected readout = el("div", "nbi-readout", "", { "aria-live": "polite" });
  protected facts = el("span", "nbi-facts-line");
  protected motion: Motion;
  protected screen: Screen;
  #place = el("span", "nbi-place", "", { title: "copy, as genome browsers write it" });
  #status = el("span", "nbi-status");
  #chooser: Chooser | null = null;
  /** What lies under the rows, where there is something. */
  protected lanes?: Under;
  #words = "";
  /** Spans of the chosen name in each sequence, and the rows that were counted. */
  #counts: number[] = [];
  #counted: Int32Array | null = null;

  /** `gap` is the space between rows. */
  constructor(protected root: HTMLElement, protected store: T, private gap: number, colors: keyof typeof BASES, protected signal: AbortSignal) {
    root.dataset.jpSuppressContextMenu = "";
    this.motion = new Motion(store, () => this.draw(), signal);
    this.screen = new Screen(root, this, colors, signal);
    if (store.meta.n > 1) this.bar.append((this.#chooser = new Chooser(store, (words) => this.#flash(words), signal)).box);
    on(this.#place, "click", () => this.#copyPlace(), signal);
    this.bar.append(this.#place);
  }

  /** Show all of it: the parts of the view from the top, the bar ending in `last`. */
  protected start(last: Node[], ...parts: Node[]): void {
    this.bar.append(...last, this.#status);
    this.root.append(this.bar, ...parts);
    this.store.subscribe((changed) => {
      if (Object.keys(changed).some((key) => key !== "hover" && key !== "under")) {
        this.#words = "";
        this.describe();
      }
      this.draw();
    }, this.signal);
    listen(this.screen.canvas, this, this, this.signal);
    this.describe();
    this.say(false);
  }

  // --- what a view has of its own -------------------------------------------------------------------------------------

  /** How many letters the longest label has. */
  protected abstract get longest(): number;
  protected abstract get rowCount(): number;
  /** What the mini-map shows. */
  protected abstract get overview(): Level[];
  protected abstract get mode(): string;
  protected abstract drawRow(pen: Pen, i: number, frame: Frame): void;
  /** What is at a position, in words. */
  protected abstract values(position: number): Words;

  /** What the bar says of the example. */
  protected describe(): void {
    this.#chooser?.update();
  }

  /** Whether anyone answers. */
  protected say(live: boolean): void {
    this.root.dataset.live = live ? "1" : "0";
    this.#status.className = `nbi-status ${live ? "nbi-live" : ""}`;
    this.#status.textContent = live ? "live" : "static: stored answers only";
  }

  /** Say something in the read-out line, until something changes. */
  protected tell(words: string): void {
    this.#words = words;
    this.#read();
  }

  // --- layout ---------------------------------------------------------------------------------------------------------

  /** The margin that the labels need. */
  get #margin(): number {
    return this.screen.width < 560 ? 56 : min(180, max(72, this.longest * 7.6 + 24));
  }
  protected get plot(): { x: number; width: number } {
    const { width } = this.screen, x = width < 560 ? this.#margin : max(this.#margin, this.store.state.gutter);
    return { x, width: width - x - RIGHT };
  }
  /** Pixels a position. */
  protected get p(): number {
    const { view } = this.store.state;
    return this.plot.width / (view.end - view.start);
  }
  protected get rowsTop(): number {
    return RULER + MAP + this.gap;
  }
  protected get lanesTop(): number {
    return this.rowsTop + this.rowCount * (this.store.meta.height + this.gap);
  }
  get height(): number {
    return this.lanesTop + (this.lanes?.height(this.p) ?? 0);
  }
  protected x(position: number): number {
    return this.plot.x + (position - this.store.state.view.start) * this.p;
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  draw(): void {
    this.screen.draw();
  }

  prepare(): void {
    this.store.onGutter?.(this.#margin);
  }

  render(pen: Pen, marked: boolean): void {
    const { store: { meta, state: { view }, current }, plot, rowsTop, screen: { theme } } = this, { height } = meta;
    drawRuler(pen, view, current.offset, { ...plot, y: 0, height: RULER }, theme);
    drawMinimap(pen, this.overview, meta.length, view, { ...plot, y: RULER, height: MAP }, theme);
    for (let i = 0; i < this.rowCount; i++) {
      const frame = { ...plot, y: rowsTop + i * (height + this.gap), height };
      if (marked) this.#band(pen, frame);
      this.drawRow(pen, i, frame);
    }
    this.lanes?.draw(pen, this.p, { ...plot, y: this.lanesTop, height: this.height - this.lanesTop - 4 }, theme);
    if (marked) this.#cross(pen);
  }

  painted(): void {
    this.#read();
    Object.assign(this.root.dataset, { mode: this.mode, moving: this.motion.aim ? "1" : "0" });
  }

  /** The selection. */
  #band(pen: Pen, frame: Frame): void {
    const { selection } = this.store.state;
    if (!selection) return;
    const a = max(this.x(selection[0]), frame.x), b = min(this.x(selection[1]), frame.x + frame.width);
    if (b > a) pen.rect(a, frame.y - 4, b - a, frame.height + 8, this.screen.theme.accent, 0.12);
  }

  #cross(pen: Pen): void {
    const { hover, view } = this.store.state, { plot, screen: { theme } } = this, top = this.rowsTop - 4, bottom = this.lanesTop - this.gap + 4;
    if (hover === null || hover + 1 <= view.start || hover >= view.end) return;
    const a = max(this.x(hover), plot.x), b = min(this.x(hover + 1), plot.x + plot.width);
    if (this.p >= 5) pen.rect(a, top, b - a, bottom - top, theme.ink, 0.07);
    else pen.line((a + b) / 2, top, (a + b) / 2, bottom, fade(theme.ink, 0.35));
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  /** The one line that says what is under the cross-hair; it never covers a row. */
  #read(): void {
    const { current, spans, state: { view, hover, selection, under } } = this.store, at = (v: number): string => whole(v + current.offset);
    this.#place.textContent = `${current.chrom || current.name}:${at(floor(view.start))}-${at(ceil(view.end))}`;
    if (this.#words) return this.#flash(this.#words);
    if (hover === null) {
      const chosen = selection ? ` \u00b7 selected ${at(selection[0])}\u2013${at(selection[1])} (${whole(selection[1] - selection[0])} bp)` : "";
      return this.#flash(`${whole(view.end - view.start)} bp in view${chosen}${this.#chosen()}`);
    }
    const parts = [el("b", "", at(hover)), " ", ...this.values(hover)], item = spans.item(under);
    if (item) parts.push(el("span", "nbi-dim", " \u00b7 "), `${item.name || "span"} ${at(item.start)}\u2013${at(item.end)}${item.strand && ` (${item.strand})`}${this.scores(item)}`);
    this.readout.replaceChildren(...parts);
  }

  /** ", 12.3": what is known of a span. */
  protected scores({ set: { values: [first] }, row }: Item): string {
    return first && !Number.isNaN(first[row]) ? `, ${number(first[row])}` : "";
  }

  /** "GATA: 3 here, 340 in 200 sequences". */
  #chosen(): string {
    const { spans: { sets }, spans, state: { example, chosen }, meta: { names } } = this.store;
    if (!chosen || !sets.length) return "";
    const lists = sets.map((set) => spans.named(set, chosen));
    if (this.#counted !== lists[0]) {
      this.#counted = lists[0];
      this.#counts = names.map((_, e) => lists.reduce((sum, rows, k) => sum + below(rows, sets[k].at[e + 1]) - below(rows, sets[k].at[e]), 0));
    }
    const found = this.#counts.filter(Boolean);
    return ` \u00b7 ${chosen}: ${whole(this.#counts[example])} here, ${whole(found.reduce((a, b) => a + b, 0))} in ${found.length} sequence${found.length === 1 ? "" : "s"}`;
  }

  /** Say something until the next drawing. */
  #flash(words: string): void {
    this.readout.textContent = words;
  }

  /** The span in view as genome browsers read it: from 1, both ends included. */
  #copyPlace(): void {
    const { current, state: { view } } = this.store;
    const text = `${current.chrom ?? current.name}:${whole(floor(view.start) + current.offset + 1)}-${whole(ceil(view.end) + current.offset)}`;
    void navigator.clipboard?.writeText(text).then(() => this.#flash(`copied ${text} (from 1, both ends included)`));
  }

  /** The example's name, fit for a file. */
  protected get file(): string {
    return this.store.current.name.replace(/[^\w.-]+/g, "_");
  }

  // --- Places: what lies where ------------------------------------------------------------------------------------------

  at(_x: number, y: number): "rows" | "ruler" | "minimap" | "lanes" | "other" {
    if (y < RULER) return "ruler";
    if (y < RULER + MAP + 4) return "minimap";
    return y < this.lanesTop - this.gap / 2 ? "rows" : "lanes";
  }
  position(x: number): number {
    return this.store.state.view.start + (x - this.plot.x) / this.p;
  }
  mapped(x: number): number {
    return ((x - this.plot.x) / this.plot.width) * this.store.meta.length;
  }
  #itemAt(x: number, y: number): number {
    return this.lanes?.find(this.p, this.position(x), y - this.lanesTop) ?? -1;
  }

  // --- Intents: what a person wants ---------------------------------------------------------------------------------------

  hover(x: number, y: number): void {
    const position = floor(this.position(x)), inside = x >= this.plot.x && position >= 0 && position < this.store.meta.length;
    this.store.set({ hover: inside ? position : null, under: this.#itemAt(x, y) });
  }
  leave(): void {
    this.store.set({ hover: null, under: -1 });
  }
  brush(from: number, to: number): void {
    const a = max(0, floor(min(from, to))), b = min(this.store.meta.length, ceil(max(from, to)));
    this.store.set({ selection: b > a ? [a, b] : null });
  }
  pan(by: number): void {
    this.motion.by(by);
  }
  centre(position: number): void {
    const { view } = this.store.state;
    this.motion.by(position - (view.start + view.end) / 2);
  }
  zoom(about: number, factor: number): void {
    this.motion.zoom(about, factor);
  }
  click(x: number, y: number): void {
    const item = this.store.spans.item(this.#itemAt(x, y));
    if (!item) return this.clickRow(floor(this.position(x)), x >= this.plot.x && this.at(x, y) === "rows");
    this.pick(item);
  }
  /** Choose a span, and its name. */
  protected pick(item: Item): void {
    this.store.set({ chosen: item.name });
    this.#show(item);
  }
  /** Select a span, and look at it. */
  #show({ set, row, example, start, end }: Item): void {
    const { view } = this.store.state;
    this.store.set({ example, item: set.base + row, selection: [start, end] });
    this.motion.by((start + end - view.start - view.end) / 2, true);
  }
  /** To the next span of the name that is chosen, or of any, in whatever sequence. */
  #next(by: 1 | -1): void {
    const { spans, state: { example, chosen, item, selection, view } } = this.store, start = selection ? selection[0] + Number(by > 0) : by > 0 ? floor(view.start) : ceil(view.end);
    const found = spans.next(chosen, spans.item(item) ?? { example, start }, by);
    if (found) this.#show(found);
    else this.tell(`no ${by > 0 ? "later" : "earlier"} ${chosen || "span"}`);
  }
  /** A click on no span: at a position, inside the rows or not. */
  protected clickRow(_position: number, _inside: boolean): void {
    this.store.set({ selection: null, item: -1 });
  }
  fit(x: number, y: number): void {
    const { selection } = this.store.state;
    if (this.at(x, y) === "minimap") return this.motion.glide({ start: 0, end: this.store.meta.length });
    if (!selection) return;
    const margin = (selection[1] - selection[0]) * 0.15;
    this.motion.glide({ start: selection[0] - margin, end: selection[1] + margin });
  }
  /** What keys do. */
  protected keys(): Record<string, () => void> {
    return { ...this.motion.keys(), Escape: () => this.store.set(CLEAR), n: () => this.#next(1), p: () => this.#next(-1) };
  }
  key(key: string): boolean {
    const keys = this.keys();
    keys[key]?.();
    return key in keys;
  }
}
