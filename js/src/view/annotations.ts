/** What a person does with annotations: how they lie, which scores are shown, and a table of what is in view or brushed. */
import { on } from "../core/events";
import { max, min } from "../core/numbers";
import { number, whole } from "../draw/scale";
import { inside, type Item, type SpanSet } from "../state/spans";
import type { TrackState, TrackStore } from "../state/track";
import { button, el, picker } from "./dom";
import type { SpanTracks } from "./spanTracks";
import { type Cell, type Column, TableViewer } from "./table";

const ROWS = 5000; // of the table
const REST = 150; // ms after which it follows the view
const STEPS = 200;

export class AnnotationPanel {
  readonly box = el("div", "nbi-spans");
  #list = el("div", "nbi-span-list");
  #order: HTMLSelectElement;
  #layout: HTMLSelectElement;
  #pages = el("span", "nbi-tools");
  #page = el("span", "nbi-dim");
  #sliders: Slider[];
  #table: TableViewer | null = null;
  #rows: Cell[][] = [];
  #items: Item[] = [];
  #caption = el("div", "nbi-dim");
  #open: HTMLButtonElement;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private store: TrackStore, private tracks: SpanTracks, private name: () => string, private choose: (item: Item) => void, private signal: AbortSignal) {
    const set = (change: Partial<TrackState>): void => store.set(change), bar = el("div", "nbi-line");
    this.#layout = picker("layout of the annotations", [["packed", "packed lanes"], ["rows", "a row for each name"]], "packed", (layout) => set({ annotationLayout: layout as "packed", page: 0 }), signal);
    this.#order = picker("order of the rows", [["count", "by count"], ["first", "by first appearance"]], "count", (order) => set({ order: order as "count", page: 0 }), signal);
    const turn = (by: number) => (): void => set({ page: min(max(store.state.page + by, 0), this.#last) });
    this.#pages.append(button("\u2039", "names before these", turn(-1), signal), this.#page, button("\u203a", "names after these", turn(1), signal));
    this.#open = button("table", "the annotations in view, or in the selection, as a table", () => this.#toggle(), signal);
    bar.append(this.#layout, this.#order, this.#pages, el("span", "nbi-space"), this.#open);
    this.#sliders = store.spans.sets.map((set) => new Slider(store, set, signal));
    this.#list.hidden = true;
    this.box.append(bar, ...this.#sliders.map(({ line }) => line), this.#list);
    this.#open.setAttribute("aria-expanded", "false");
    store.subscribe((changed) => {
      if (Object.keys(changed).some((key) => ["annotationLayout", "order", "page", "thresholds", "example"].includes(key))) this.#update();
      if (Object.keys(changed).some((key) => ["view", "example", "selection", "thresholds"].includes(key))) this.#later();
      if ("item" in changed) this.#mark();
    }, signal);
    this.#update();
  }

  get #last(): number {
    return max(...this.tracks.rows.map((rows) => rows.pages)) - 1;
  }

  #update(): void {
    const { annotationLayout, order, page } = this.store.state, rows = annotationLayout === "rows", last = rows ? this.#last : 0;
    this.#layout.value = annotationLayout;
    this.#order.value = order;
    this.#order.hidden = !rows;
    this.#pages.hidden = !last;
    this.#page.textContent = `page ${min(page, last) + 1} of ${last + 1}`;
    for (const slider of this.#sliders) slider.update();
  }

  // --- the table ------------------------------------------------------------------------------------------------------

  #toggle(): void {
    this.#list.hidden = !this.#list.hidden;
    this.#open.setAttribute("aria-expanded", String(!this.#list.hidden));
    this.#fill();
  }

  #later(): void {
    clearTimeout(this.#timer);
    if (!this.#list.hidden) this.#timer = setTimeout(() => this.#fill(), REST);
  }

  /** Spans that touch the selection, if one was brushed, or else the view. */
  #found(): { items: Item[]; all: number; brushed: boolean; where: string } {
    const { store: { spans, state: { example, view, selection, item } } } = this, brushed = item < 0 && selection;
    const [a, b] = brushed || [view.start, view.end], items: Item[] = [];
    let all = 0;
    for (const set of spans.sets) {
      const run = spans.run(set, example), places = inside(run, a, b);
      all += places.length;
      for (const place of places.slice(0, ROWS - items.length)) items.push(spans.item(set.base + run.rows[place])!);
    }
    return { items, all, brushed: !!brushed, where: brushed ? "in the selection" : "in view" };
  }

  #fill(): void {
    if (this.#list.hidden || this.signal.aborted) return;
    const { store } = this, { items, all, brushed, where } = this.#found(), scores = [...new Set(store.spans.sets.flatMap((set) => set.scores))], several = store.spans.sets.length > 1;
    const text = (name: string): Column => ({ name, kind: "text" }), value = (name: string): Column => ({ name, kind: "number" });
    const { offset } = store.current;
    this.#items = items;
    this.#rows.splice(0, Infinity, ...items.map(({ set, row, start, end, name, strand }): Cell[] => {
      const known = scores.map((score) => set.values[set.scores.indexOf(score)]?.[row] ?? NaN);
      return [...(several ? [set.label] : []), name, start + offset, end + offset, strand, ...known.map((v) => (Number.isNaN(v) ? null : v))];
    }));
    this.#caption.textContent = all > items.length ? `the first ${whole(items.length)} of ${whole(all)} ${where}: zoom in, brush or raise a threshold` : brushed ? where : "";
    if (this.#table) this.#table.list({ order: items.map((_, i) => i), keep: () => true });
    else {
      const columns = [...(several ? [text("track")] : []), text("name"), value("start"), value("end"), text("strand"), ...scores.map(value)], box = el("div", "");
      this.#list.append(this.#caption, box);
      this.#table = new TableViewer(box, columns, this.#rows, this.name(), 220, (row) => this.choose(this.#items[row]), this.signal, { noun: "annotations" });
    }
    this.#mark();
  }

  #mark(): void {
    const { item } = this.store.state;
    this.#table?.mark(this.#items.findIndex(({ set, row }) => set.base + row === item));
  }
}

/** The least score that is shown of one table, and how many are left. */
class Slider {
  readonly line = el("div", "nbi-line nbi-span-line");
  #range = el("input", "nbi-range", "", { type: "range", min: "0", max: String(STEPS) });
  #field = el("input", "nbi-select nbi-number", "", { type: "number", step: "any", placeholder: "all" });
  #kept = el("span", "nbi-dim");
  #score: string;
  #extents = new Map<string, [number, number]>();
  #waiting = 0;

  constructor(private store: TrackStore, private set: SpanSet, signal: AbortSignal) {
    const { label, scores } = set, [first = ""] = scores;
    this.#score = first;
    this.line.append(el("span", "nbi-span-label", label, { title: label }));
    if (!first || !set.start.length) {
      this.line.append(el("span", "nbi-dim", set.start.length ? `${whole(set.start.length)} annotations; no scores, so no threshold` : "no annotations"));
      return;
    }
    for (const one of [this.#range, this.#field]) {
      one.setAttribute("aria-label", `least score of ${label}`);
      on(one, "keydown", (e) => e.stopPropagation(), signal);
    }
    on(this.#range, "input", () => this.#slide(), signal);
    on(this.#field, "change", () => this.#least(this.#field.value === "" ? null : Number(this.#field.value)), signal);
    const pick = picker(`score of ${label}`, scores, first, (score) => { this.#score = score; this.update(); }, signal);
    this.line.append(scores.length > 1 ? pick : el("span", "nbi-dim", first), el("span", "nbi-dim", "\u2265"), this.#field, this.#range, this.#kept);
  }

  /** At most once a frame. */
  #slide(): void {
    this.#waiting ||= requestAnimationFrame(() => {
      this.#waiting = 0;
      const [low, high] = this.#extent, at = Number(this.#range.value);
      this.#least(at ? low + ((high - low) * at) / STEPS : null);
    });
  }

  /** Null shows all, those with no score too. */
  #least(value: number | null): void {
    const { thresholds } = this.store.state, { [this.#score]: _, ...others } = thresholds[this.set.label] ?? {};
    this.store.set({ thresholds: { ...thresholds, [this.set.label]: value === null || !Number.isFinite(value) ? others : { ...others, [this.#score]: value } } });
  }

  get #extent(): [number, number] {
    let known = this.#extents.get(this.#score);
    if (!known) {
      let low = Infinity, high = -Infinity;
      for (const v of this.set.values[this.set.scores.indexOf(this.#score)]) { if (v < low) low = v; if (v > high) high = v; }
      this.#extents.set(this.#score, (known = [low, high]));
    }
    return known;
  }

  update(): void {
    const { set, store } = this, all = set.start.length;
    if (!this.#score || !all) return;
    const least = store.state.thresholds[set.label]?.[this.#score], [low, high] = this.#extent, known = high >= low;
    this.#range.disabled = this.#field.disabled = !known;
    this.#range.value = least === undefined ? "0" : String((STEPS * (least - low)) / (high - low || 1));
    this.#field.value = least === undefined ? "" : String(Number(least.toPrecision(4)));
    this.#range.title = known ? `${number(low)} to ${number(high)}` : "";
    const kept = store.spans.named(set, "").length;
    this.#kept.textContent = known ? (kept === all ? `all ${whole(all)}` : `${whole(kept)} of ${whole(all)}`) : `${whole(all)}; no score is a number`;
  }
}
