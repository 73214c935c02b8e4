/** Both alleles of a variant as a person sees them: letters in columns, the difference, profiles. Owns a DOM node, knows no host. */
import { ceil, clamp, floor, max, min, round } from "../core/numbers";
import { on } from "../core/events";
import type { Pen } from "../draw/glyphs";
import { modeOf } from "../draw/lod";
import { drawRow, drawStrip, type Frame } from "../draw/logo";
import { drawMinimap, drawRuler } from "../draw/ruler";
import { number, type View, whole } from "../draw/scale";
import { fade } from "../draw/theme";
import { drawGutter, drawTrack, type TrackRow } from "../draw/track";
import { type Intents, listen, type Places } from "../input/gesture";
import { factsOf, toCsv, type VariantStore } from "../state/variant";
import { type Span, spans, toPosition } from "../state/variantColumns";
import { type LetterRow, pairRows, type PairRows } from "../state/variantRows";
import { button, download, el } from "./dom";
import { Motion } from "./motion";
import { Progress } from "./progress";
import { type Scene, Screen } from "./screen";

const RIGHT = 12, RULER = 22, MAP = 22, TOP = 64, GAP = 16, WIDE = 108, SLIM = 60, TRACK = 64, NARROW = 560, LETTERS = "ACGTN", LONGEST = 14;
const SAID = ["example", "score", "threshold", "asking", "heard", "failed"]; // what the headline depends on
const SHORT: Record<string, string> = { reference: "ref", alternative: "alt", difference: "diff", profile: "prof", change: "diff" };

export class PairView implements Places, Intents, Scene {
  #headline = el("div", "nbi-headline", "", { role: "status", "aria-live": "polite" });
  #readout = el("div", "nbi-readout", "", { "aria-live": "polite" });
  #place = el("span", "nbi-place", "", { title: "copy, as genome browsers write it" });
  #progress: Progress;
  #screen: Screen;
  #motion: Motion;
  #rows: { key: string; of: PairRows } | null = null;
  #words = "";

  /** `step` chooses the variant that is listed so much further down. */
  constructor(private root: HTMLElement, private store: VariantStore, private step: (by: number) => void, signal: AbortSignal) {
    root.dataset.jpSuppressContextMenu = "";
    this.#motion = new Motion(store, () => this.draw(), signal);
    this.#screen = new Screen(root, this, store.meta.colors, signal);
    this.#progress = new Progress(root, store, signal);
    const bar = el("div", "nbi-bar");
    bar.append(button("\u2039", "previous variant listed ([)", () => step(-1), signal), button("\u203a", "next variant listed (])", () => step(1), signal), this.#place, el("span", "nbi-space"));
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the alleles in view as ${kind}`, () => this.#screen.save(kind, this.#file), signal));
    bar.append(button("CSV", "save what is in view as CSV", () => download(new Blob([toCsv(store, this.rows)], { type: "text/csv" }), `${this.#file}.csv`), signal));
    on(this.#place, "click", () => this.#copyPlace(), signal);
    root.append(this.#headline, bar, this.#readout, this.#progress.trouble, this.#screen.canvas, this.#progress.busy);
    store.subscribe((changed) => {
      if (!("hover" in changed)) this.#words = "";
      if (Object.keys(changed).some((key) => SAID.includes(key))) this.describe();
      this.draw();
    }, signal);
    listen(this.#screen.canvas, this, this, signal);
    this.describe();
  }

  get rows(): PairRows {
    const { store } = this, { example, heard } = store.state, key = `${example} ${heard}`;
    if (this.#rows?.key !== key) this.#rows = { key, of: pairRows(store) };
    return this.#rows!.of;
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  /** "rs12 chr1:1,000 A>G  difference +0.83  reference 4.12 -> alternative 4.95". */
  describe(): void {
    const { store } = this, { example, threshold } = store.state, { names } = store.meta, { score, alleles } = factsOf(store, example);
    const words = allelesOf(store, example), parts: (Node | string)[] = [el("b", "", names[example])];
    const dim = (text: string): number => parts.push(el("span", "nbi-dim", text));
    if (words && !names[example].endsWith(words)) parts.push(` ${words}`);
    dim(` \u00b7 ${store.score.name} `);
    parts.push(Number.isFinite(score) ? signed(score) : "no value");
    if (alleles) { dim(" \u00b7 reference "); parts.push(number(alleles[0])); dim(" \u2192 alternative "); parts.push(number(alleles[1])); }
    if (!store.beyond(example)) dim(` \u00b7 below the threshold of ${number(threshold)}`);
    this.#headline.replaceChildren(...parts);
    this.#progress.update();
    this.#screen.canvas.setAttribute("aria-label", `Reference and alternative of ${names[example]} ${words}. Arrow keys move, plus and minus zoom, 0 shows all, comma and full stop step from base to base, [ and ] choose another variant.`);
  }

  #read(): void {
    const { store } = this, { view, hover, selection } = store.state, { original: pair } = store, at = (column: number): string => whole(toPosition(pair.columns, column) + pair.offset);
    this.#place.textContent = `${pair.chrom ? `${pair.chrom}:` : ""}${at(floor(view.start))}-${at(ceil(view.end))}`;
    if (this.#words) { this.#readout.textContent = this.#words; return; }
    if (hover === null) {
      const chosen = selection ? ` \u00b7 selected ${at(selection[0])}\u2013${at(selection[1])}` : "", known = this.rows.letters.length > 2 || store.state.asking;
      this.#readout.textContent = `${whole(view.end - view.start)} columns in view${chosen}${known ? "" : " \u00b7 attributions of this variant are not stored"}`;
      return;
    }
    const inserted = pair.columns.ref[hover] < 0, parts: (Node | string)[] = [el("b", "", inserted ? `before ${at(hover)}` : at(hover)), " ", this.#bases(hover)];
    const say = (label: string, words: string): void => { parts.push(el("span", "nbi-dim", ` ${label} `), words); };
    const { letters, tracks, first } = this.rows;
    for (const { row } of letters) if (row.observed && Number.isFinite(row.observed[hover])) say(row.label, `${number(row.observed[hover])}${row.errors ? ` \u00b1 ${number(row.errors[hover])}` : ""}`);
    for (const { label, strands } of tracks) {
      const values = strands.map((s) => s.levels[0].mean[hover - first]).filter((v) => v !== undefined && !Number.isNaN(v));
      if (values.length) say(label, values.map(number).join(", "));
    }
    this.#readout.replaceChildren(...parts);
  }

  /** "A", "A > G", or what is there of one alone. */
  #bases(column: number): string {
    const { columns, ref, alt } = this.store.original, [a, b] = [columns.ref[column] < 0 ? "\u2013" : LETTERS[ref[columns.ref[column]]], columns.alt[column] < 0 ? "\u2013" : LETTERS[alt[columns.alt[column]]]];
    return a === b ? a : `${a} > ${b}`;
  }

  get #file(): string {
    return this.store.meta.names[this.store.state.example].replace(/[^\w.-]+/g, "_");
  }

  /** The span in view as genome browsers read it: from 1, both ends included. */
  #copyPlace(): void {
    const { original: { columns, offset, chrom }, state: { view } } = this.store, at = (column: number): number => floor(toPosition(columns, column)) + offset;
    const text = `${chrom ? `${chrom}:` : ""}${whole(at(floor(view.start)) + 1)}-${whole(at(ceil(view.end)))}`;
    void navigator.clipboard?.writeText(text).then(() => { this.#words = `copied ${text} (from 1, both ends included)`; this.#read(); });
  }

  // --- layout ---------------------------------------------------------------------------------------------------------

  get #narrow(): boolean {
    return this.#screen.width < NARROW;
  }
  get #plot(): { x: number; width: number } {
    const x = this.#narrow ? SLIM : max(WIDE, this.store.state.gutter);
    return { x, width: this.#screen.width - x - RIGHT };
  }
  get #p(): number {
    const { view } = this.store.state;
    return this.#plot.width / (view.end - view.start);
  }
  get #tracksTop(): number {
    return TOP + this.rows.letters.length * (this.store.meta.height + GAP);
  }
  get height(): number {
    return this.#tracksTop + this.rows.tracks.length * (TRACK + GAP);
  }
  #x(column: number): number {
    return this.#plot.x + (column - this.store.state.view.start) * this.#p;
  }
  /** The part of a frame that columns take, and the part of the view in it; null when none is in view. */
  #part({ start, end }: { start: number; end: number }, frame: Frame): [View, Frame] | null {
    const { view } = this.store.state, a = max(start, view.start), b = min(end, view.end);
    return b > a ? [{ start: a, end: b }, { ...frame, x: this.#x(a), width: (b - a) * this.#p }] : null;
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  draw(): void {
    this.#screen.draw();
  }
  prepare(): void {
    this.store.onGutter?.(this.#narrow ? SLIM : WIDE);
    this.#progress.place(this.#screen.canvas, this.#plot.x, TOP + this.store.meta.height / 2);
  }
  painted(): void {
    this.#read();
    Object.assign(this.root.dataset, { mode: modeOf(this.#p), moving: this.#motion.aim ? "1" : "0", rows: String(this.rows.letters.length + this.rows.tracks.length) });
  }

  render(pen: Pen, marked: boolean): void {
    const { store, rows } = this, { state: { view }, meta: { height, length } } = store, { theme } = this.#screen, plot = this.#plot;
    this.#ruler(pen);
    drawMinimap(pen, rows.overview, length, view, { ...plot, y: RULER, height: MAP }, theme);
    this.#changed(pen);
    if (marked) this.#band(pen);
    rows.letters.forEach((one, i) => this.#letters(pen, one, { ...plot, y: TOP + i * (height + GAP), height }));
    rows.tracks.forEach((row, i) => {
      const frame = { ...plot, y: this.#tracksTop + i * (TRACK + GAP), height: TRACK };
      drawTrack(pen, row, { start: view.start - rows.first, end: view.end - rows.first }, frame, theme);
      this.#gutter(pen, row, frame);
    });
    if (marked) this.#cross(pen);
  }

  /** Positions of the reference; what is inserted has none. */
  #ruler(pen: Pen): void {
    const { columns, offset } = this.store.original, { theme } = this.#screen, frame = { ...this.#plot, y: 0, height: RULER };
    for (const span of spans((c) => columns.ref[c] >= 0, columns.ref.length)) {
      const part = this.#part(span, frame);
      if (!part) continue;
      if (span.there) drawRuler(pen, part[0], offset + columns.ref[span.start] - span.start, part[1], theme);
      else pen.text(`+${span.end - span.start}`, part[1].x + part[1].width / 2, RULER / 2 - 3, theme.accent, `11px ${theme.font}`, "center");
    }
  }

  /** A band through all rows where the alleles differ. */
  #changed(pen: Pen): void {
    const { columns: { ref, alt }, ref: a, alt: b } = this.store.original, { theme } = this.#screen, top = RULER + MAP + 4;
    for (const span of spans((c) => ref[c] < 0 || alt[c] < 0 || a[ref[c]] !== b[alt[c]], ref.length)) {
      const part = span.there && this.#part(span, { ...this.#plot, y: top, height: this.height - top - GAP + 4 });
      if (part) pen.rect(part[1].x, top, max(part[1].width, 1.5), part[1].height, theme.accent, 0.1);
    }
  }

  /** A row in the spans where it has bases; a thin line where it has none. */
  #letters(pen: Pen, { row, codes, spans: all }: LetterRow, frame: Frame): void {
    const { theme } = this.#screen, { low, high } = row.extent, zero = row.observed ? frame.y + frame.height * (high / (high - low || 1)) : frame.y + frame.height / 2;
    for (const span of all) {
      const part = this.#part(span, frame);
      if (!part) continue;
      const [view, own] = part;
      if (!span.there) this.#gap(pen, span, own, clamp(zero, frame.y, frame.y + frame.height));
      else {
        drawRow(pen, row, codes, view, own, false, theme);
        if (row.label !== "difference") drawStrip(pen, codes, row, view, { ...own, y: own.y - GAP + 4, height: 8 }, theme);
      }
    }
    if (row.observed) this.#gutter(pen, { label: row.label, ghost: "", strands: [{ levels: row.levels, ghost: null, band: null }], extent: row.extent, stale: row.stale }, frame);
    else pen.text(this.#label(row.label), frame.x - 10, frame.y + frame.height / 2, theme.ink, `12px ${theme.font}`, "right");
  }

  #gap(pen: Pen, { start, end }: Span, frame: Frame, zero: number): void {
    const { ink } = this.#screen.theme, h = frame.height, inner = end - start > 1 && frame.width > 40;
    pen.clip(frame.x, frame.y, frame.width, h);
    for (let k = -h; k < frame.width; k += 6) pen.line(frame.x + k, frame.y + h, frame.x + k + h, frame.y, fade(ink, 0.09));
    pen.unclip();
    pen.line(frame.x, zero, frame.x + frame.width, zero, fade(ink, 0.55), 1.5);
    if (inner) pen.text(`${end - start} bp`, frame.x + frame.width / 2, zero - 9, fade(ink, 0.6), `10px ${this.#screen.theme.font}`, "center");
  }

  #label(label: string): string {
    return this.#narrow ? (SHORT[label] ?? label) : label;
  }
  #gutter(pen: Pen, row: TrackRow, frame: Frame): void {
    drawGutter(pen, { ...row, label: this.#label(row.label), ghost: this.#label(row.ghost) }, frame, this.#screen.theme);
  }

  #band(pen: Pen): void {
    const { selection } = this.store.state, part = selection && this.#part({ start: selection[0], end: selection[1] }, { ...this.#plot, y: 0, height: 0 });
    if (part) pen.rect(part[1].x, RULER + MAP + 4, part[1].width, this.height - RULER - MAP - GAP, this.#screen.theme.accent, 0.12);
  }
  #cross(pen: Pen): void {
    const { hover } = this.store.state, { theme } = this.#screen, top = RULER + MAP + 4, height = this.height - top - GAP + 4;
    const part = hover === null ? null : this.#part({ start: hover, end: hover + 1 }, { ...this.#plot, y: top, height });
    if (!part) return;
    const [, { x, width }] = part;
    if (this.#p >= 5) pen.rect(x, top, width, height, theme.ink, 0.07);
    else pen.line(x + width / 2, top, x + width / 2, top + height, fade(theme.ink, 0.35));
  }

  // --- Places and Intents -----------------------------------------------------------------------------------------------

  at(_x: number, y: number): "rows" | "ruler" | "minimap" {
    return y < RULER ? "ruler" : y < RULER + MAP + 4 ? "minimap" : "rows";
  }
  position(x: number): number {
    return this.store.state.view.start + (x - this.#plot.x) / this.#p;
  }
  mapped(x: number): number {
    return ((x - this.#plot.x) / this.#plot.width) * this.store.meta.length;
  }
  hover(x: number, _y: number): void {
    const column = floor(this.position(x));
    this.store.set({ hover: x >= this.#plot.x && column >= 0 && column < this.store.meta.length ? column : null });
  }
  leave(): void {
    this.store.set({ hover: null });
  }
  brush(from: number, to: number): void {
    const a = max(0, floor(min(from, to))), b = min(this.store.meta.length, ceil(max(from, to)));
    this.store.set({ selection: b > a ? [a, b] : null });
  }
  pan(by: number): void {
    this.#motion.by(by);
  }
  centre(column: number): void {
    const { start, end } = this.#motion.aim ?? this.store.state.view, half = (end - start) / 2;
    this.#motion.go({ start: column - half, end: column + half });
  }
  zoom(about: number, factor: number): void {
    this.#motion.zoom(about, factor);
  }
  click(): void {
    this.store.set({ selection: null });
  }
  /** A double click shows the selection, or all of the window. */
  fit(): void {
    const { selection } = this.store.state;
    this.#motion.glide(selection ? { start: selection[0], end: selection[1] } : { start: 0, end: this.store.meta.length });
  }

  key(key: string): boolean {
    const { store } = this, { hover, example, view } = store.state, { length } = store.meta, last = length - 1;
    const cross = (by: number) => (): void => {
      const to = clamp((hover ?? floor(store.middle(example)) - by) + by, 0, last);
      store.set({ hover: to });
      if (to < view.start || to >= view.end) this.centre(to + 0.5);
    };
    const keys: Record<string, () => void> = {
      ...this.#motion.keys(), "[": () => this.step(-1), "]": () => this.step(1), ",": cross(-1), ".": cross(1), Home: () => this.centre(0), End: () => this.centre(length),
      Escape: () => store.set({ selection: null, hover: null, failed: "" }), Enter: () => this.centre(round(store.middle(example)) + 0.5),
    };
    keys[key]?.();
    return key in keys;
  }
}

const signed = (v: number): string => `${v >= 0 ? "+" : ""}${number(v)}`;

/** "chr1:1,000 A>G", with long alleles cut short; nothing where the table has no alleles. */
function allelesOf({ meta }: VariantStore, row: number): string {
  const cell = (name: string): string => String(meta.rows[row][meta.columns.findIndex((c) => c.name === name)] ?? "");
  const short = (bases: string): string => (bases.length > LONGEST ? `${bases.slice(0, LONGEST - 1)}\u2026` : bases || "\u2013");
  return `${cell("chrom") ? `${cell("chrom")}:` : ""}${whole(Number(cell("start").split(",")[0]))} ${short(cell("ref"))}>${short(cell("alt"))}`;
}
