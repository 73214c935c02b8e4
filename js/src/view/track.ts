/** Profiles as a person sees them: bar, read-out, canvas. Owns a DOM node, knows no host. */
import type { Backend } from "../backend/backend";
import { dequantize, type Numbers } from "../core/wire";
import { CanvasPen, type Pen, SvgPen } from "../draw/glyphs";
import { drawDensity, drawLanes, LANE, laneHeight, MAX_LANES, MOST, pack, type Placed } from "../draw/lanes";
import { type Level, pyramid } from "../draw/lod";
import type { Frame } from "../draw/logo";
import { drawMinimap, drawRuler } from "../draw/ruler";
import { clampView, number, type View, whole } from "../draw/scale";
import { fade, type Theme, themeOf } from "../draw/theme";
import { drawGutter, drawTrack, rowExtent, type Strand, trackMode, type TrackRow } from "../draw/track";
import { listen } from "../input/gesture";
import { Motion } from "./motion";
import { download, el } from "./dom";
import type { Annotation, Block } from "../protocol";

/** What nbinterp/widget/track.py writes. */
export interface ProfilesMeta {
  n: number;
  /** Of the whole sequence; profiles have `size` positions, from `offset` on. */
  length: number;
  offset: number;
  size: number;
  blocks: Block[];
  rows: { label: string; source: number; strands: 1 | 2; ghost: [string, number] | null; band: boolean }[];
  names: string[];
  loci: ([string, number] | null)[];
  predictions: (number | null)[] | null;
  target: string;
  annotations: Annotation[];
  height: number;
  scale: "row" | "shared";
}

export interface TrackState {
  example: number;
  view: View;
  selection: [number, number] | null;
  hover: number | null;
  hoveredItem: number;
  selectedItem: number;
  /** The margin of linked views; 0 when there is none. */
  gutter: number;
}

export type TrackChange = Partial<TrackState>;

/** One example, ready to draw. */
interface Example {
  rows: TrackRow[];
  /** The first row along the whole sequence, for the mini-map. */
  overview: Level[];
  items: Annotation[];
  /** Coordinate of the sequence's first position. */
  offset: number;
  name: string;
  chrom: string | null;
}

/** Data read once, and a small state that changes. */
export class TrackStore {
  state: TrackState;
  onGutter?: (wanted: number) => void;
  #examples = new Map<number, Example>();
  #listeners = new Set<(changed: TrackChange) => void>();

  constructor(readonly meta: ProfilesMeta, private blocks: Map<string, Numbers>, start: Partial<TrackState>) {
    const view = clampView(start.view ?? { start: 0, end: meta.length }, meta.length);
    this.state = { example: 0, selection: null, hover: null, hoveredItem: -1, selectedItem: -1, gutter: 0, ...start, view };
  }

  subscribe(listener: (changed: TrackChange) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  set(change: TrackChange): void {
    const wanted = { ...change };
    if (wanted.view) wanted.view = clampView(wanted.view, this.meta.length);
    if (wanted.example !== undefined) wanted.example = Math.min(Math.max(wanted.example, 0), this.meta.n - 1);
    const real = Object.fromEntries(
      Object.entries(wanted).filter(([k, v]) => JSON.stringify(this.state[k as keyof TrackState]) !== JSON.stringify(v)),
    ) as TrackChange;
    if (!Object.keys(real).length) return;
    if (real.example !== undefined && !("selection" in real)) Object.assign(real, { selection: null, selectedItem: -1 });
    Object.assign(this.state, real);
    for (const listener of [...this.#listeners]) listener(real);
  }

  get place(): { chrom: string | null; offset: number } {
    return this.current;
  }

  get current(): Example {
    let example = this.#examples.get(this.state.example);
    if (!example) {
      if (this.#examples.size > 8) this.#examples.clear(); // a few neighbours are enough
      this.#examples.set(this.state.example, (example = this.#make(this.state.example)));
    }
    return example;
  }

  #make(e: number): Example {
    const { length, offset, size, loci, names, annotations, scale } = this.meta;
    const read = (name: string, strands: number, s: number): Level[] => {
      const values = this.blocks.get(name) as Int16Array, scales = this.blocks.get(`${name}.scale`) as Float32Array;
      return pyramid(dequantize(values, (e * strands + s) * size, size, scales[e]));
    };
    const rows = this.meta.rows.map(({ label, source, strands: n, ghost, band }): TrackRow => {
      const strands = Array.from({ length: n }, (_, s): Strand => ({
        levels: read(`profile${source}`, n, s),
        ghost: ghost && read(`profile${ghost[1]}`, n, s),
        band: band ? { low: read(`low${source}`, n, s), high: read(`high${source}`, n, s) } : null,
      }));
      return { label, ghost: ghost?.[0] ?? "", strands, extent: rowExtent(strands) };
    });
    if (scale === "shared") {
      const low = Math.min(...rows.map((r) => r.extent.low)), high = Math.max(...rows.map((r) => r.extent.high));
      for (const row of rows) row.extent = { ...row.extent, low, high };
    }
    const energy = new Float32Array(length);
    for (const { levels } of rows[0].strands) for (let i = 0; i < size; i++) energy[offset + i] = Math.max(energy[offset + i], Math.abs(levels[0].mean[i]) || 0);
    const locus = loci[e];
    return { rows, overview: pyramid(energy), items: annotations.filter((a) => a[0] === e), offset: locus ? locus[1] : 0, name: names[e], chrom: locus ? locus[0] : null };
  }
}

const RIGHT = 8, RULER = 22, MAP = 22, GAP = 14;
const SEARCH = 20; // sequences from which the chooser is a field to search in

export class TrackViewer {
  #canvas = el("canvas", "nbi-canvas");
  #readout = el("div", "nbi-readout");
  #place = el("span", "nbi-place");
  #facts = el("span", "nbi-facts-line");
  #status = el("span", "nbi-status");
  #count = el("span", "nbi-count");
  #chooser: HTMLInputElement | HTMLSelectElement | null = null;
  #pending = 0;
  #motion: Motion;
  #frames = 0;
  #packed: { placed: Placed[]; lanes: number; key: string } = { placed: [], lanes: 0, key: "" };
  #theme!: Theme;

  constructor(private root: HTMLElement, private store: TrackStore, backend: Pick<Backend, "live">, private signal: AbortSignal) {
    root.classList.add("nbi-track");
    root.dataset.jpSuppressContextMenu = "";
    this.#motion = new Motion(store, () => this.draw(), signal);
    this.#build();
    store.subscribe((changed) => {
      if ("example" in changed) this.#describe();
      this.draw();
    }, signal);
    listen(this.#canvas, this, this, signal);
    const resize = new ResizeObserver(() => this.draw());
    resize.observe(root);
    const themes = new MutationObserver(() => this.draw());
    themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(), { signal });
    signal.addEventListener("abort", () => { resize.disconnect(); themes.disconnect(); });
    this.#describe();
    this.#say(false);
    backend.live((live) => { if (!signal.aborted) this.#say(live); });
  }

  #build(): void {
    const bar = el("div", "nbi-bar");
    if (this.store.meta.n > 1) bar.append(this.#buildChooser());
    this.#place.title = "copy, as genome browsers write it";
    this.#place.addEventListener("click", () => this.#copyPlace(), { signal: this.signal });
    bar.append(this.#place, this.#facts, el("span", "nbi-space"));
    for (const kind of ["PNG", "SVG", "CSV"] as const)
      bar.append(this.#button(kind, `save what is in view as ${kind}`, () => this.#save(kind)));
    bar.append(this.#status);
    this.#readout.setAttribute("aria-live", "polite");
    this.#canvas.tabIndex = 0;
    this.#canvas.setAttribute("role", "application");
    this.#canvas.dataset.lmSuppressShortcuts = "true"; // a, c, x and others are commands of the notebook
    this.root.append(bar, this.#readout, this.#canvas);
  }

  #button(words: string, title: string, act: () => void): HTMLButtonElement {
    const button = Object.assign(el("button", "nbi-quiet", words), { title });
    button.addEventListener("click", act, { signal: this.signal });
    return button;
  }

  #buildChooser(): HTMLElement {
    const { names, n } = this.store.meta, box = el("span", "nbi-chooser"), step = (by: number) => () => this.store.set({ example: this.store.state.example + by });
    const options = names.map((name, i) => Object.assign(el("option", "", name), { value: n > SEARCH ? name : String(i) }));
    if (n > SEARCH) {
      const list = el("datalist", "");
      list.id = `nbi-${Math.random().toString(36).slice(2)}`;
      list.append(...options);
      box.append(list);
      this.#chooser = Object.assign(el("input", "nbi-select"), { type: "text", placeholder: "name or number" });
      this.#chooser.setAttribute("list", list.id);
      this.#chooser.addEventListener("focus", () => (this.#chooser as HTMLInputElement).select(), { signal: this.signal });
    } else {
      this.#chooser = el("select", "nbi-select");
      this.#chooser.append(...options);
    }
    this.#chooser.addEventListener("change", () => this.#choose(this.#chooser!.value.trim()), { signal: this.signal });
    this.#chooser.setAttribute("aria-label", "sequence");
    box.append(this.#button("\u2039", "previous sequence ([)", step(-1)), this.#chooser, this.#button("\u203a", "next sequence (])", step(1)), this.#count);
    return box;
  }

  /** By index; in a field to search in by name, by number counted from 1, or by a part of the name. */
  #choose(said: string): void {
    const { names, n } = this.store.meta;
    let found = n > SEARCH ? names.indexOf(said) : Number(said);
    if (found < 0 && /^\d+$/.test(said) && Number(said) >= 1 && Number(said) <= n) found = Number(said) - 1;
    if (found < 0 && said) found = names.findIndex((name) => name.includes(said));
    if (found >= 0) this.store.set({ example: found });
    this.#describe();
    if (found < 0) this.#readout.textContent = `no sequence is called ${said || "nothing"}`;
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
    if (this.#chooser) this.#chooser.value = meta.n > SEARCH ? current.name : String(state.example);
    this.#count.textContent = `${state.example + 1} of ${whole(meta.n)}`;
    this.#facts.textContent = meta.predictions ? `${meta.target || "prediction"} ${number(meta.predictions[state.example] ?? NaN)}` : meta.target;
    this.#canvas.setAttribute("aria-label", `Profiles of ${current.name}, ${meta.length} positions. Arrow keys move, plus and minus zoom.`);
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
    const longest = Math.max(...this.store.meta.rows.map((r) => Math.max(r.label.length, (r.ghost?.[0].length ?? 0) + 1)));
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
  get #lanesTop(): number {
    return this.#rowsTop + this.store.meta.rows.length * (this.store.meta.height + GAP);
  }
  get #height(): number {
    const { items } = this.store.current;
    return this.#lanesTop + (items.length ? laneHeight(this.#lanes().lanes, items.length > MOST) + 4 : 0);
  }
  #lanes(): { placed: Placed[]; lanes: number } {
    const { items } = this.store.current, p = this.#p, key = `${this.store.state.example} ${Math.round(Math.log2(p) * 2)}`;
    if (this.#packed.key !== key) {
      const named = items.some((a) => a[3]) ? 58 : 4; // names beside short bars need room
      this.#packed = { ...pack(items, items.length > MOST ? 0 : (p > 1 ? named : 4) / p), key };
    }
    return this.#packed;
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
    const began = performance.now(), ratio = devicePixelRatio || 1, width = this.#width, height = this.#height;
    this.#theme = themeOf(this.root, "classic");
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
    Object.assign(this.root.dataset, {
      mode: trackMode(this.#p), moving: this.#motion.aim ? "1" : "0", frames: String(++this.#frames), ms: (performance.now() - began).toFixed(2),
    });
  }

  #render(pen: Pen, marked: boolean): void {
    const theme = this.#theme, plot = this.#plot, { state, current, meta } = this.store, { view } = state;
    const own = { start: view.start - meta.offset, end: view.end - meta.offset };
    drawRuler(pen, view, current.offset, { ...plot, y: 0, height: RULER }, theme);
    drawMinimap(pen, current.overview, meta.length, view, { ...plot, y: RULER, height: MAP }, theme);
    current.rows.forEach((row, i) => {
      const frame = { ...plot, y: this.#rowsTop + i * (meta.height + GAP), height: meta.height };
      if (marked) this.#chosen(pen, frame);
      drawTrack(pen, row, own, frame, theme);
      drawGutter(pen, row, frame, theme);
    });
    if (current.items.length) {
      const frame = { ...plot, y: this.#lanesTop, height: this.#height - this.#lanesTop - 4 };
      if (current.items.length > MOST) drawDensity(pen, current.items, view, frame, theme);
      else drawLanes(pen, this.#lanes().placed, view, frame, state.hoveredItem, state.selectedItem, theme);
    }
    if (marked) this.#cross(pen);
  }

  #x(position: number): number {
    return this.#plot.x + (position - this.store.state.view.start) * this.#p;
  }

  #chosen(pen: Pen, frame: Frame): void {
    const { selection } = this.store.state;
    if (!selection) return;
    const a = Math.max(this.#x(selection[0]), frame.x), b = Math.min(this.#x(selection[1]), frame.x + frame.width);
    if (b > a) pen.rect(a, frame.y - 4, b - a, frame.height + 8, this.#theme.accent, 0.12);
  }

  #cross(pen: Pen): void {
    const { hover, view } = this.store.state, top = this.#rowsTop - 4, bottom = this.#lanesTop - GAP + 4;
    if (hover === null || hover + 1 <= view.start || hover >= view.end) return;
    const a = Math.max(this.#x(hover), this.#plot.x), b = Math.min(this.#x(hover + 1), this.#plot.x + this.#plot.width);
    if (this.#p >= 5) pen.rect(a, top, b - a, bottom - top, this.#theme.ink, 0.07);
    else pen.line((a + b) / 2, top, (a + b) / 2, bottom, fade(this.#theme.ink, 0.35));
  }

  /** The one line that says what is under the cross-hair; it never covers the profile. */
  #read(): void {
    const { state, current, meta } = this.store, { view, hover, selection } = state, at = (v: number): string => whole(v + current.offset);
    this.#place.textContent = `${current.chrom ?? current.name}:${at(Math.floor(view.start))}-${at(Math.ceil(view.end))}`;
    if (hover === null) {
      const chosen = selection ? ` \u00b7 selected ${at(selection[0])}\u2013${at(selection[1])} (${whole(selection[1] - selection[0])} bp)` : "";
      this.#readout.replaceChildren(`${whole(view.end - view.start)} bp in view${chosen}`);
      return;
    }
    const parts: (Node | string)[] = [el("b", "", at(hover)), " "], i = hover - meta.offset;
    if (i < 0 || i >= meta.size) parts.push(el("span", "nbi-dim", " outside the profiles"));
    else for (const row of current.rows) {
      parts.push(el("span", "nbi-dim", ` ${row.label} `), row.strands.map((s, k) => value(s, i, row.strands.length > 1 ? "+\u2212"[k] : "")).join(", "));
      if (row.ghost) parts.push(el("span", "nbi-dim", ` ${row.ghost} `), row.strands.map((s) => number(s.ghost![0].mean[i])).join(", "));
    }
    const item = current.items[state.hoveredItem];
    if (item) parts.push(el("span", "nbi-dim", " \u00b7 "), `${item[3] || "span"} ${at(item[1])}\u2013${at(item[2])}${item[4] ? ` (${item[4]})` : ""}${item[5] === null ? "" : `, ${number(item[5])}`}`);
    this.#readout.replaceChildren(...parts);
  }

  // --- Places: what lies where --------------------------------------------------------------------------------------

  at(_x: number, y: number): "rows" | "ruler" | "minimap" | "lanes" | "other" {
    if (y < RULER) return "ruler";
    if (y < RULER + MAP + 4) return "minimap";
    return y < this.#lanesTop - GAP / 2 ? "rows" : "lanes";
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
    const index = this.#itemAt(x, y);
    if (index < 0) return this.store.set({ selection: null, selectedItem: -1 });
    const item = this.store.current.items[index], { view } = this.store.state;
    this.store.set({ selectedItem: index, selection: [item[1], item[2]] });
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
      Escape: () => this.store.set({ selection: null, selectedItem: -1 }),
    };
    moves[key]?.();
    return key in moves;
  }

  #itemAt(x: number, y: number): number {
    if (y < this.#lanesTop || this.store.current.items.length > MOST) return -1;
    const lane = Math.floor((y - this.#lanesTop) / LANE), slack = 2 / this.#p, position = this.position(x);
    if (lane >= MAX_LANES) return -1;
    return this.#lanes().placed.find((one) => one.lane === lane && one.item[1] - slack <= position && position < one.item[2] + slack)?.index ?? -1;
  }

  // --- export -------------------------------------------------------------------------------------------------------

  #save(kind: "PNG" | "SVG" | "CSV"): void {
    const name = this.store.current.name.replace(/[^\w.-]+/g, "_");
    if (kind === "PNG") return this.#picture((blob) => download(blob, `${name}.png`));
    if (kind === "CSV") return download(new Blob([toCsv(this.store)], { type: "text/csv" }), `${name}.csv`);
    const pen = new SvgPen();
    this.#render(pen, false);
    download(new Blob([pen.svg(this.#width, this.#height, this.#theme.ground)], { type: "image/svg+xml" }), `${name}.svg`);
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
}

/** A value and its band, as text. */
function value(strand: Strand, i: number, sign: string): string {
  const band = strand.band && ` [${number(strand.band.low[0].mean[i])} to ${number(strand.band.high[0].mean[i])}]`;
  return `${number(strand.levels[0].mean[i])}${band ?? ""}${sign && ` (${sign})`}`;
}

/** Positions in view that have a profile, with all that is drawn there. */
export function toCsv({ current, state: { view }, meta }: TrackStore): string {
  const columns: [string, Float32Array][] = [];
  for (const row of current.rows) row.strands.forEach((s, k) => {
    const sign = row.strands.length > 1 ? ` (${"+-"[k]})` : "", add = (name: string, levels: Level[]): number => columns.push([name + sign, levels[0].mean]);
    add(row.label, s.levels);
    if (s.band) { add(`${row.label} low`, s.band.low); add(`${row.label} high`, s.band.high); }
    if (s.ghost) add(row.ghost, s.ghost);
  });
  const lines = [["position", ...columns.map(([name]) => `"${name.replace(/"/g, '""')}"`)].join(",")];
  const first = Math.max(0, Math.floor(view.start) - meta.offset), last = Math.min(meta.size, Math.ceil(view.end) - meta.offset);
  for (let i = first; i < last; i++) lines.push([i + meta.offset + current.offset, ...columns.map(([, values]) => values[i])].join(","));
  return `${lines.join("\n")}\n`;
}
