/** Profiles as a person sees them: what they have beyond any view along a sequence. Owns a DOM node, knows no host. */
import type { Backend } from "../backend/backend";
import { max, min } from "../core/numbers";
import type { Item } from "../state/spans";
import type { Pen } from "../draw/glyphs";
import type { Level } from "../draw/lod";
import type { Frame } from "../draw/logo";
import { number, signed } from "../draw/scale";
import { drawGutter, drawTrack, type Strand, trackMode } from "../draw/track";
import { Live } from "../state/live";
import { ORIGINAL, toCsv, type TrackStore } from "../state/track";
import { AxisViewer } from "./axis";
import { AnnotationPanel } from "./annotations";
import { button, download, el } from "./dom";
import { Progress } from "./progress";
import { SpanTracks } from "./spanTracks";

const LONGEST = 16; // letters of a name in the margin

export class TrackViewer extends AxisViewer<TrackStore> {
  #progress: Progress;
  #asker: Live | null = null;
  #tracks: SpanTracks | null = null;

  constructor(root: HTMLElement, store: TrackStore, signal: AbortSignal) {
    super(root, store, 14, "classic", signal);
    root.classList.add("nbi-track");
    this.#progress = new Progress(root, store, signal);
    this.bar.append(this.facts, el("span", "nbi-space"));
    const save = { PNG: () => this.screen.save("PNG", this.file), SVG: () => this.screen.save("SVG", this.file), CSV: () => this.#table() };
    const buttons = Object.entries(save).map(([kind, act]) => button(kind, `save what is in view as ${kind}`, act, signal));
    const parts = [this.readout, this.#progress.trouble, this.screen.canvas];
    if (store.spans.sets.length) {
      const tracks = (this.lanes = this.#tracks = new SpanTracks(store));
      parts.push(new AnnotationPanel(store, tracks, () => `${this.file}_annotations`, (item) => this.pick(item), signal).box);
    }
    this.start(buttons, ...parts, this.#progress.busy);
  }

  /** Take what answers: a kernel, or what says that there is none; a kernel that was busy comes later. */
  connect(live: boolean, backend: Backend): void {
    if (this.signal.aborted) return;
    this.say(live);
    if (this.store.meta.live === null) return;
    this.#asker?.end();
    this.#asker = new Live(this.store, backend);
    this.#asker.look();
  }

  protected override describe(): void {
    super.describe();
    const { meta, state, current } = this.store, given = meta.predictions ? `${meta.target || "prediction"} ${number(meta.predictions[state.example] ?? NaN)}` : meta.target;
    this.#progress.update();
    this.facts.textContent = [given, this.#change()].filter(Boolean).join(" \u00b7 ");
    this.screen.canvas.setAttribute("aria-label", `Profiles of ${current.name}, ${meta.length} positions. Arrow keys move, plus and minus zoom, n and p step from annotation to annotation.`);
  }

  /** "2 edits: sum 412, +30": how many there are, and what they do to all of the profile. */
  #change(): string {
    const { changes: { length }, answers, question } = this.store, said = answers.get(question);
    if (!length) return "";
    const words = `${length} edit${length > 1 ? "s" : ""}`;
    if (said?.prediction == null || said.original === null) return words;
    return `${words}: sum ${number(said.prediction)}, ${signed(said.prediction - said.original)}`;
  }

  override painted(): void {
    super.painted();
    this.#progress.place(this.screen.canvas, this.plot.x, this.rowsTop + this.store.meta.height / 2);
  }

  protected override scores({ set, row }: Item): string {
    return set.values.map((values, i) => (Number.isNaN(values[row]) ? "" : `, ${set.scores[i]} ${number(values[row])}`)).join("");
  }

  /** In the margin, a name is chosen, or no longer; "+n more" turns the page. */
  override click(x: number, y: number): void {
    const { state } = this.store, found = x < this.plot.x ? this.#tracks?.nameAt(this.p, y - this.lanesTop) : null;
    if (!found) return super.click(x, y);
    if (found === "more") return this.store.set({ page: (state.page + 1) % max(...this.#tracks!.rows.map((rows) => rows.pages)) });
    this.store.set({ chosen: found.name === state.chosen ? "" : found.name });
  }

  #table(): void {
    download(new Blob([toCsv(this.store)], { type: "text/csv" }), `${this.file}.csv`);
  }

  protected get longest(): number {
    const { meta: { rows, live }, spans, state } = this.store, ghost = live === null ? 0 : ORIGINAL.length + 1;
    const names = state.annotationLayout === "rows" ? spans.sets.flatMap((set) => set.names.map((name) => min(name.length, LONGEST) + 4)) : [];
    return max(ghost, ...names.slice(0, 500), ...rows.map((r) => max(r.label.length, (r.ghost?.[0].length ?? 0) + 1)));
  }
  protected get rowCount(): number {
    return this.store.meta.rows.length;
  }
  protected get overview(): Level[] {
    return this.store.current.overview;
  }
  protected get mode(): string {
    return trackMode(this.p);
  }

  protected drawRow(pen: Pen, i: number, frame: Frame): void {
    const { state: { view }, meta: { offset }, current } = this.store, row = current.rows[i], { theme } = this.screen;
    drawTrack(pen, row, { start: view.start - offset, end: view.end - offset }, frame, theme);
    drawGutter(pen, row, frame, theme);
  }

  protected values(position: number): (Node | string)[] {
    const { current, meta } = this.store, i = position - meta.offset;
    if (i < 0 || i >= meta.size) return [el("span", "nbi-dim", " outside the profiles")];
    return current.rows.flatMap(({ label, strands, ghost }) => {
      const signs = strands.length > 1 ? "+\u2212" : "";
      const parts = [el("span", "nbi-dim", ` ${label} `), strands.map((s, k) => value(s, i, signs[k])).join(", ")];
      return ghost ? [...parts, el("span", "nbi-dim", ` ${ghost} `), strands.map((s) => number(s.ghost![0].mean[i])).join(", ")] : parts;
    });
  }
}

/** A value and its band, as text. */
function value({ levels, band }: Strand, i: number, sign = ""): string {
  const between = band && ` [${number(band.low[0].mean[i])} to ${number(band.high[0].mean[i])}]`;
  return `${number(levels[0].mean[i])}${between ?? ""}${sign && ` (${sign})`}`;
}
