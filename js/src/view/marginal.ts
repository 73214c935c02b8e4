/** A motif over backgrounds as a person sees it: to drag, flip and place, with what the model says. Owns a DOM node, knows no host. */
import { on } from "../core/events";
import { drawCurves, drawKey, nearestPoint, ordinate, rangeOf, type Range, type Series } from "../draw/curve";
import type { Pen } from "../draw/glyphs";
import { pyramid } from "../draw/lod";
import type { Frame } from "../draw/logo";
import { blockOf, drawBlock, type Matrix, reverseComplement } from "../draw/motif";
import { drawRuler } from "../draw/ruler";
import { number, whole, zoom } from "../draw/scale";
import { dotSize, dotsOf, drawAbscissa, drawStrip, type Strip } from "../draw/strip";
import { effectOf, fade } from "../draw/theme";
import { drawGutter, drawTrack, rowExtent, type Strand, type TrackRow } from "../draw/track";
import { type Intents, listen, type Places } from "../input/gesture";
import { type MarginalStore, toCsv } from "../state/marginal";
import { interval, type Placed, quantile, type StrandSign } from "../state/placements";
import { button, download, el, picker } from "./dom";
import { Motion } from "./motion";
import { Progress } from "./progress";
import { type Scene, Screen } from "./screen";

const RIGHT = 20, RULER = 22, STAGE = 74, CURVE = 150, TRACK = 72, GAP = 16, HEAD = 28, NARROW = 640;
const SIGNS: Record<StrandSign, string> = { "+": "+", "-": "\u2212" };
const STALE = 0.4;

export class MarginalViewer implements Places, Intents, Scene {
  #headline = el("div", "nbi-headline");
  #readout = el("div", "nbi-readout");
  #place = el("span", "nbi-place");
  #status = el("span", "nbi-status");
  #chooser: HTMLSelectElement;
  #flip: HTMLButtonElement;
  #progress: Progress;
  #screen: Screen;
  #motion: Motion;
  #matrices: Matrix[];
  /** What is held of the motif: how far to the right of its start the pointer took it. */
  #grab: number | null = null;
  #tracks: { of: Placed | null; rows: TrackRow[] } = { of: null, rows: [] };

  constructor(private root: HTMLElement, private store: MarginalStore, private signal: AbortSignal) {
    root.classList.add("nbi-marginal");
    root.dataset.jpSuppressContextMenu = "";
    const { meta, blocks, state } = store;
    this.#matrices = meta.motifs.map(({ letters }, i) => ({ values: blocks.get(`motif${i}`) as Float32Array, width: letters.length }));
    this.#motion = new Motion(store, () => this.#screen.draw(), signal);
    this.#screen = new Screen(root, this, meta.colors, signal);
    this.#progress = new Progress(root, store, signal);
    this.#chooser = picker("motif", meta.motifs.map((one) => one.name), state.motif, (motif) => store.choose(motif), signal);
    this.#flip = button("", "put in the other strand (f)", () => store.flip(), signal);
    this.#build();
    store.subscribe(() => { this.#describe(); this.#screen.draw(); }, signal);
    const { canvas } = this.#screen;
    on(canvas, "pointerdown", (e) => { if (e.button === 0 && !e.shiftKey) this.#take(e); }, signal);
    for (const end of ["pointerup", "pointercancel"] as const) on(canvas, end, () => this.#drop(), signal);
    listen(canvas, this, this, signal);
    this.#describe();
  }

  #build(): void {
    const { store, signal } = this, bar = el("div", "nbi-bar"), box = el("span", "nbi-chooser");
    if (store.meta.motifs.length > 1)
      box.append(button("\u2039", "previous motif ([)", () => store.chooseBy(-1), signal), this.#chooser, button("\u203a", "next motif (])", () => store.chooseBy(1), signal));
    else box.append(el("b", "", store.state.motif));
    bar.append(box, this.#flip, this.#place, el("span", "nbi-space"));
    const file = (): string => `${store.state.motif.replace(/[^\w.-]+/g, "_")}_${store.state.start}`;
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the picture as ${kind}`, () => this.#screen.save(kind, file()), signal));
    bar.append(button("CSV", "save the effects at every place that is known as CSV", () => download(new Blob([toCsv(store)], { type: "text/csv" }), `${file()}.csv`), signal), this.#status);
    this.#headline.setAttribute("role", "status");
    this.#headline.setAttribute("aria-live", "polite");
    this.root.append(bar, this.#headline, this.#readout, this.#progress.trouble, this.#screen.canvas, this.#progress.busy);
  }

  /** Whether a model answers. */
  connect(live: boolean): void {
    if (this.signal.aborted) return;
    this.root.dataset.live = live ? "1" : "0";
    this.#status.className = `nbi-status ${live ? "nbi-live" : ""}`;
    this.#status.textContent = live ? "live" : "static: stored answers only";
    this.store.set({ live });
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #describe(): void {
    const { store, root } = this, { motif, start, strand, stale } = store.state, { now } = store, names = store.meta.n === 1 ? "1 background" : `${whole(store.meta.n)} backgrounds`;
    this.#progress.update();
    this.#chooser.value = motif;
    this.#flip.textContent = `${SIGNS[strand]} strand`;
    this.#flip.setAttribute("aria-label", `strand ${strand === "+" ? "plus" : "minus"}; flip`);
    this.#place.textContent = `${whole(start)}\u2013${whole(start + store.width)}`;
    this.#headline.classList.toggle("nbi-stale", stale);
    this.#sayEffect(names);
    Object.assign(root.dataset, { place: `${motif} ${start} ${strand}`, effect: now ? String(now.mean) : "", late: stale ? "1" : "0" });
    this.#screen.canvas.setAttribute("aria-label", `${motif} over ${names} of ${whole(store.meta.length)} positions, now at ${whole(start)} on the ${strand === "+" ? "plus" : "minus"} strand. `
      + "Arrow keys move it by one, with shift by ten, Home and End to the ends; f flips it; [ and ] choose another motif; plus, minus and 0 zoom.");
  }

  /** "effect +0.83 (95 % interval 0.71 to 0.95, 32 backgrounds)"; while it is waited for, what was known last. */
  #sayEffect(names: string): void {
    const { store } = this, { motif, strand, live, failed } = store.state, { shown } = store;
    if (!shown) {
      const nothing = live === false && !store.known.curve(motif, strand).length;
      const words = nothing ? `no stored answer for ${motif} on ${SIGNS[strand]}: run the notebook` : failed ? "no answer" : "\u2026";
      return this.#headline.replaceChildren(el("span", "nbi-dim", words));
    }
    const { mean, low, high } = interval(shown.effects, store.meta.factor), sure = Number.isFinite(low);
    const spread = sure ? ` (95 % interval ${number(low)} to ${number(high)}, ${names})` : ` (${names}: no interval)`;
    this.#headline.replaceChildren(el(sure ? "b" : "span", sure ? "" : "nbi-dim", `effect ${signed(mean)}`), el("span", "nbi-dim", spread));
  }

  /** The one line that says what is pointed at, or what is put in. */
  #read(): void {
    const { store } = this, { motif, strand, hover, background } = store.state, { shown, before } = store, { target, names } = store.meta;
    const parts: (Node | string)[] = [];
    if (background >= 0 && shown) {
      const was = before[background], effect = shown.effects[background];
      parts.push(el("b", "", names[background]), el("span", "nbi-dim", ` ${target} `), `${number(was)} \u2192 ${number(was + effect)}`, el("span", "nbi-dim", " effect "), signed(effect));
    } else if (hover !== null) {
      parts.push(el("b", "", whole(hover)));
      for (const s of ["+", "-"] as const) {
        const curve = store.known.curve(motif, s), i = nearestPoint(curve.map((one) => one.start + store.width / 2), hover + 0.5);
        if (i >= 0) parts.push(el("span", "nbi-dim", `  ${SIGNS[s]} at ${whole(curve[i].start)} `), `${signed(curve[i].mean)} [${number(curve[i].low)} to ${number(curve[i].high)}]`);
      }
    } else {
      const letters = store.letters(motif), put = strand === "+" ? letters : complement(letters);
      parts.push(el("span", "nbi-letters", put), el("span", "nbi-dim", ` put in on ${SIGNS[strand]}`));
      if (shown) parts.push(el("span", "nbi-dim", ` \u00b7 ${target} `), `${number(mean(before))} \u2192 ${number(mean(before) + shown.mean)}`);
    }
    this.#readout.replaceChildren(...parts);
  }

  // --- layout ---------------------------------------------------------------------------------------------------------

  get #narrow(): boolean {
    return this.#screen.width < NARROW;
  }
  get #margin(): number {
    return this.#narrow ? 56 : 96;
  }
  get #plot(): { x: number; width: number } {
    const x = this.#narrow ? this.#margin : Math.max(this.#margin, this.store.state.gutter);
    return { x, width: this.#screen.width - x - RIGHT };
  }
  get #stage(): Frame {
    return { ...this.#plot, y: RULER + 4, height: STAGE };
  }
  get #curve(): Frame {
    return { ...this.#plot, y: RULER + STAGE + HEAD, height: CURVE };
  }
  get #stripTop(): number {
    return this.#curve.y + CURVE + (this.store.meta.profile ? 2 * (TRACK + GAP) + 8 : 0) + GAP + HEAD;
  }
  /** Before and after on one axis; the effect in each background on another: side by side where there is room. */
  get #panels(): { pair: Frame; effect: Frame } {
    const { x, width } = this.#plot, y = this.#stripTop, height = 112;
    if (this.#narrow) return { pair: { x, width, y, height }, effect: { x, width, y: y + height + HEAD + 8, height } };
    const half = (width - 64) / 2;
    return { pair: { x, width: half, y, height }, effect: { x: x + half + 64, width: half, y, height } };
  }
  get height(): number {
    const { effect } = this.#panels;
    return effect.y + effect.height + 4;
  }
  #x(position: number): number {
    const { view } = this.store.state, { x, width } = this.#plot;
    return x + ((position - view.start) * width) / (view.end - view.start);
  }
  get #span(): [number, number] {
    const { start } = this.store.state;
    return [this.#x(start), this.#x(start + this.store.width)];
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  prepare(): void {
    this.store.onGutter?.(this.#margin);
    this.#progress.place(this.#screen.canvas, this.#plot.x, this.#curve.y + CURVE / 2);
  }
  painted(): void {
    this.#read();
    this.root.dataset.moving = this.#motion.aim ? "1" : "0";
  }

  render(pen: Pen, marked: boolean): void {
    const { store } = this, { view, motif, strand } = store.state, { theme } = this.#screen, stage = this.#stage;
    const matrix = this.#matrices[store.meta.motifs.findIndex((one) => one.name === motif)];
    drawRuler(pen, view, 0, { ...this.#plot, y: 0, height: RULER }, theme);
    if (!this.#narrow) pen.text(motif.length > 13 ? `${motif.slice(0, 12)}\u2026` : motif, stage.x - 18, stage.y + 28, theme.ink, `12px ${theme.font}`, "right");
    drawBlock(pen, strand === "+" ? matrix : reverseComplement(matrix), strand, ...this.#span, stage, marked && this.#grab !== null, theme);
    this.#renderCurve(pen, marked);
    this.#renderTracks(pen);
    this.#renderStrips(pen, marked);
  }

  /** Both strands, that of the motif on top. */
  get #series(): Series[] {
    const { store } = this, { motif, strand } = store.state, { theme } = this.#screen, half = store.width / 2;
    return [strand, strand === "+" ? "-" : "+"].map((s, i): Series => {
      const curve = store.known.curve(motif, s as StrandSign), take = (pick: (one: Placed) => number): number[] => curve.map(pick);
      const band = i ? {} : { low: take((one) => one.low), high: take((one) => one.high) };
      return { label: `${SIGNS[s as StrandSign]} strand`, x: take((one) => one.start + half), mean: take((one) => one.mean), ...band, color: i ? fade(theme.ink, 0.5) : theme.accent, dashed: i > 0 };
    });
  }

  #renderCurve(pen: Pen, marked: boolean): void {
    const { store } = this, { state: { view, hover } } = store, { theme } = this.#screen, frame = this.#curve, series = this.#series, { now } = store;
    const range = rangeOf(series, now ? [now.low, now.high] : []), [a, b] = this.#span, centre = (a + b) / 2;
    pen.text("effect", frame.x - 8, frame.y - 15, theme.ink, `12px ${theme.font}`, "right");
    if (!this.#narrow) pen.text("mean over backgrounds, band 5\u201395 %", frame.x, frame.y - 14, fade(theme.ink, 0.5), `10px ${theme.font}`);
    drawKey(pen, series, frame.x + frame.width, frame.y - 14, theme);
    pen.clip(frame.x, 0, frame.width, this.height);
    pen.rect(a, frame.y, Math.max(b - a, 1), frame.height, theme.accent, 0.08);
    pen.line(centre, this.#stage.y + STAGE - 2, centre, frame.y + frame.height, fade(theme.accent, 0.45));
    if (marked && hover !== null) pen.line(this.#x(hover + 0.5), frame.y, this.#x(hover + 0.5), frame.y + frame.height, fade(theme.ink, 0.3));
    pen.unclip();
    if (series.some((one) => one.x.length)) drawCurves(pen, series, view, frame, range, theme);
    else pen.line(frame.x, frame.y + frame.height / 2, frame.x + frame.width, frame.y + frame.height / 2, fade(theme.ink, 0.12));
    if (now) this.#renderMark(pen, now, centre, range);
  }

  /** The place that is shown: its mean, and the interval as a whisker. */
  #renderMark(pen: Pen, now: Placed, x: number, range: Range): void {
    const { theme } = this.#screen, frame = this.#curve, y = ordinate(range, frame), { mean: at, low, high } = interval(now.effects, this.store.meta.factor);
    if (x < frame.x - 1 || x > frame.x + frame.width + 1) return;
    if (Number.isFinite(low)) pen.rect(x - 1.5, y(high), 3, y(low) - y(high), theme.accent, 0.7);
    pen.rect(x - 5.5, y(at) - 5.5, 11, 11, theme.ground);
    pen.rect(x - 4, y(at) - 4, 8, 8, theme.accent);
  }

  /** The profile before and after, and what changed. */
  #renderTracks(pen: Pen): void {
    const { profile } = this.store.meta, { theme } = this.#screen, { view } = this.store.state;
    if (!profile) return;
    const own = { start: (view.start - profile.offset) / profile.step, end: (view.end - profile.offset) / profile.step };
    this.#rows().forEach((row, i) => {
      const frame = { ...this.#plot, y: this.#curve.y + CURVE + GAP + 8 + i * (TRACK + GAP), height: TRACK };
      drawTrack(pen, row, own, frame, theme);
      drawGutter(pen, row, frame, theme);
    });
  }

  #rows(): TrackRow[] {
    const { shown, meta, blocks } = this.store, before = blocks.get("profile") as Float32Array | undefined;
    const of = shown?.profile ? shown : this.#tracks.of; // the number is there before the profile
    if (!meta.profile || !before || (this.#tracks.rows.length && of === this.#tracks.of)) return this.#tracks.rows;
    const { strands: S, columns: P, label } = meta.profile, after = of?.profile;
    const read = (values: Float32Array, row: number) => pyramid(values.slice(row * P, (row + 1) * P));
    const strand = (values: Float32Array, first: number, apart: number, ghost: number | null): Strand => ({
      levels: read(values, first), ghost: ghost === null ? null : read(before, ghost), band: { low: read(values, first + apart), high: read(values, first + 2 * apart) },
    });
    const drawn = Array.from({ length: S }, (_, s) => (after ? strand(after, s, S, s) : strand(before, s, S, null)));
    const rows: TrackRow[] = [{ label, ghost: after ? "before" : "", strands: drawn, extent: rowExtent(drawn) }];
    if (after) { const change = [strand(after, 3 * S, 1, null)]; rows.push({ label: "change", ghost: "", strands: change, extent: rowExtent(change) }); }
    this.#tracks = { of, rows };
    return rows;
  }

  /** Strips, their axes and ranges. */
  get #strips(): { pair: [Strip, Frame][]; effect: [Strip, Frame][]; ranges: [Range, Range] } {
    const { before, shown, meta } = this.store, { theme } = this.#screen, { pair, effect } = this.#panels, lane = (pair.height - 16) / 2;
    const after = shown && Float32Array.from(before, (v, i) => v + shown.effects[i]), effects = shown?.effects ?? new Float32Array();
    const ranges: [Range, Range] = [around([...before, ...(after ?? [])]), rangeOf([], Array.from(effects))];
    const make = (label: string, values: Float32Array, size: number, color: (v: number) => string): Strip => {
      const sorted = Float32Array.from(values).sort(), { mean: m, low, high } = interval(values, meta.factor);
      return { label, values, color, mean: m, low: quantile(sorted, 0.05), high: quantile(sorted, 0.95), interval: [low, high], size };
    };
    const lanes = [before, after].map((_, i): Frame => ({ ...pair, y: pair.y + i * lane, height: lane })), alone = { ...effect, height: effect.height - 16 };
    const size = Math.min(...[before, after ?? before].map((values) => dotSize(values, ranges[0], lanes[0])));
    const two: [Strip, Frame][] = [[make("before", before, size, () => theme.ink), lanes[0]]];
    if (after) two.push([make("after", after, size, () => theme.accent), lanes[1]]);
    return { pair: two, effect: shown ? [[make("effect", effects, dotSize(effects, ranges[1], alone), (v) => effectOf(theme, v)), alone]] : [], ranges };
  }

  #renderStrips(pen: Pen, marked: boolean): void {
    const { pair, effect } = this.#panels, { theme } = this.#screen, { stale, background } = this.store.state, strips = this.#strips, alpha = stale ? STALE : 1;
    drawAbscissa(pen, strips.ranges[0], pair, this.store.meta.target, "", theme);
    if (strips.effect.length) drawAbscissa(pen, strips.ranges[1], effect, "effect in each background", "bar: 95 % interval of the mean, line: 5\u201395 %", theme);
    [strips.pair, strips.effect].forEach((group, i) => group.forEach(([strip, frame]) => {
      drawStrip(pen, strip, strips.ranges[i], frame, marked ? background : -1, i || strip.label === "after" ? alpha : 1, theme);
      if (!i) pen.text(strip.label, frame.x - 12, frame.y + frame.height - 7, fade(theme.ink, 0.8), `11px ${theme.font}`, "right");
    }));
  }

  // --- the motif in hand --------------------------------------------------------------------------------------------------

  #take(e: PointerEvent): void {
    const box = this.#screen.canvas.getBoundingClientRect(), [x, y] = [e.clientX - box.left, e.clientY - box.top];
    if (this.at(x, y) !== "rows") return;
    this.#grab = this.#over(x, y) ? this.position(x) - this.store.state.start : this.store.width / 2;
    this.#screen.draw();
  }
  #drop(): void {
    this.#grab = null;
    this.#screen.draw();
  }
  /** Whether a point is on the block, or on the span under it. */
  #over(x: number, y: number): boolean {
    const [a, b] = this.#span, stage = this.#stage, block = blockOf(a, b, this.store.width, stage);
    if (y < stage.y + stage.height) return x >= block.x - 10 && x <= block.x + block.width + 10;
    return x >= Math.min(a, b - 8) - 4 && x <= Math.max(b, a + 8) + 4;
  }

  /** Keep the motif in view, wherever keys took it. */
  #follow(): void {
    const { view, start } = this.store.state, end = start + this.store.width;
    const by = start < view.start ? start - view.start : end > view.end ? end - view.end : 0;
    if (by) this.#motion.by(by);
  }

  // --- Places and Intents ---------------------------------------------------------------------------------------------------

  at(_x: number, y: number): "rows" | "ruler" | "other" {
    return y < RULER ? "ruler" : y < this.#stripTop - HEAD ? "rows" : "other";
  }
  position(x: number): number {
    const { view } = this.store.state, plot = this.#plot;
    return view.start + ((x - plot.x) * (view.end - view.start)) / plot.width;
  }
  mapped(x: number): number {
    return this.position(x);
  }

  hover(x: number, y: number): void {
    const rows = this.at(x, y) === "rows", position = Math.floor(this.position(x)), { canvas } = this.#screen;
    canvas.style.cursor = this.#grab !== null ? "grabbing" : rows && this.#over(x, y) ? "grab" : rows ? "crosshair" : "default";
    const inside = rows && this.#grab === null && x >= this.#plot.x && position >= 0 && position < this.store.meta.length && y > this.#curve.y;
    this.store.set({ hover: inside ? position : null, background: this.#dotAt(x, y) });
  }
  leave(): void {
    this.store.set({ hover: null, background: -1 });
  }
  /** The background whose dot is under a point. */
  #dotAt(x: number, y: number): number {
    if (y < this.#stripTop) return -1;
    const { pair, effect, ranges } = this.#strips;
    let best = -1, least = 36;
    [pair, effect].forEach((group, i) => group.forEach(([strip, frame]) => {
      for (const dot of dotsOf(strip, ranges[i], frame)) {
        const far = (dot.x - x) ** 2 + (dot.y - y) ** 2;
        if (far < least) [best, least] = [dot.index, far];
      }
    }));
    return best;
  }
  brush(_from: number, to: number): void {
    if (this.#grab !== null) this.store.set({ start: to - this.#grab });
  }
  click(x: number, y: number): void {
    const { background } = this.store.state;
    if (this.at(x, y) === "rows" && x >= this.#plot.x - 4 && !this.#over(x, y)) this.store.set({ start: this.position(x) - this.store.width / 2 });
    else if (background >= 0) this.store.set({ example: background }); // linked views show it
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
  fit(): void {
    this.#motion.glide({ start: 0, end: this.store.meta.length });
  }

  key(key: string, shift: boolean): boolean {
    const { store } = this, { length } = store.meta, step = shift ? 10 : 1, middle = store.state.start + store.width / 2;
    const move = (by: number) => (): void => { store.move(by); this.#follow(); };
    const zoomed = (factor: number) => (): void => this.#motion.glide(zoom(this.#motion.aim ?? store.state.view, middle, factor, length));
    const keys: Record<string, () => void> = {
      ArrowLeft: move(-step), ArrowRight: move(step), Home: move(-length), End: move(length),
      f: () => store.flip(), F: () => store.flip(), "[": () => store.chooseBy(-1), "]": () => store.chooseBy(1),
      "+": zoomed(0.5), "=": zoomed(0.5), "-": zoomed(2), "0": () => this.fit(), Escape: () => this.leave(),
    };
    keys[key]?.();
    return key in keys;
  }
}

const signed = (v: number): string => `${v >= 0 ? "+" : ""}${number(v)}`;
const mean = (values: Float32Array): number => interval(values, null).mean;
const complement = (letters: string): string => [...letters].reverse().map((c) => "TGCAN"["ACGTN".indexOf(c)]).join("");

/** A range about values that need not touch zero. */
function around(values: number[]): Range {
  const low = Math.min(...values), high = Math.max(...values), air = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return { low: low - air, high: high + air };
}
