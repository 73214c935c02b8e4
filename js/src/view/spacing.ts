/** What two motifs do together against their distance, as a person sees it, and the pair in a background. Owns a DOM node, knows no host. */
import { on } from "../core/events";
import { abs, ceil, floor, max, min, round } from "../core/numbers";
import { disc, drawCurves, ordinate, rangeOf, type Range, type Series } from "../draw/curve";
import type { Pen } from "../draw/glyphs";
import { drawCell } from "../draw/interactionGrid";
import type { Frame } from "../draw/logo";
import { clampView, number, signed, ticks, type View, whole } from "../draw/scale";
import { drawPair } from "../draw/spacingPair";
import { fade, type Theme } from "../draw/theme";
import { type Arrangement, ARRANGEMENTS, type Line, type Point, type Reading, saidOf, type SpacingStore, toCsv, wordsOf } from "../state/spacing";
import { Chooser } from "./chooser";
import { button, download, el, picker } from "./dom";
import { Progress } from "./progress";
import { type Scene, Screen } from "./screen";

/** Of the arrangements, on a light ground and on a dark one; the first is that of plot_spacing. */
const COLORS: Record<Arrangement, [string, string]> = { a_then_b: ["#2563b8", "#6ea8fe"], b_then_a: ["#b4530a", "#f2a65e"], facing: ["#1a8f4a", "#4cc47d"], apart: ["#8e6bbf", "#b79be6"] };
const LEFT = 64, TOP = 12, CURVE = 220, AXIS = 36, LANE = 14, GAP = 24, PAIR = 132, RULER = 20, NARROW = 640, TURN = 10.5, LONGEST = 14;
const LETTER = 9; // pixels a letter is given where not everything fits
const LARGEST = 14;

export class SpacingViewer implements Scene {
  #headline = el("div", "nbi-headline", "", { role: "status", "aria-live": "polite" });
  #readout = el("div", "nbi-readout");
  #status = el("span", "nbi-status");
  #chips = new Map<Arrangement, HTMLButtonElement>();
  #value: HTMLSelectElement;
  #readings: HTMLSelectElement;
  #helix: HTMLButtonElement;
  #turn: HTMLButtonElement;
  #letters = el("span", "nbi-dim");
  #chooser: Chooser | null = null;
  #progress: Progress;
  #screen: Screen;

  /** With `lanes`, the same numbers as rows of cells under the axis. */
  constructor(private root: HTMLElement, private store: SpacingStore, private signal: AbortSignal, private lanes = false) {
    root.classList.add("nbi-spacing");
    root.dataset.jpSuppressContextMenu = "";
    const { meta, state } = store;
    this.#screen = new Screen(root, this, meta.colors, signal);
    this.#progress = new Progress(root, store, signal);
    this.#value = picker("value", [["cooperativity", "cooperativity"], ["effect", "effect of both"]], state.value, (value) => store.set({ value: value as "effect" }), signal);
    this.#readings = picker("readings", [["mean", "readings averaged"], ["both", "each reading (2nd dashed)"]], state.readings, (readings) => store.set({ readings: readings as "both" }), signal);
    this.#helix = button("10.5 bp", "lines at turns of the helix from the chosen point (h)", () => store.set({ helix: !store.state.helix }), signal);
    this.#turn = button("other reading", "show the other reading: the same arrangement, seen from the other strand (f)", () => store.turn(), signal);
    this.#build();
    store.subscribe(() => { this.#describe(); this.#screen.draw(); }, signal);
    const { canvas } = this.#screen;
    const place = (e: PointerEvent): [number, number] => {
      const box = canvas.getBoundingClientRect();
      return [e.clientX - box.left, e.clientY - box.top];
    };
    on(canvas, "pointermove", (e) => this.#hover(...place(e)), signal);
    on(canvas, "pointerleave", () => store.set({ pointed: null, hover: null }), signal);
    on(canvas, "click", (e) => this.#click(...place(e as PointerEvent)), signal);
    on(canvas, "keydown", (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey || !this.#key(e.key, e.shiftKey)) return;
      e.preventDefault();
      e.stopPropagation();
    }, signal);
    this.#describe();
  }

  #build(): void {
    const { store, signal, root } = this, bar = el("div", "nbi-bar"), legend = el("div", "nbi-legend", "", { role: "group", "aria-label": "lines" }), below = el("div", "nbi-bar");
    for (const arrangement of ARRANGEMENTS) {
      const chip = button("", "show or hide this line", () => store.toggle(arrangement), signal);
      chip.classList.add("nbi-chip");
      chip.append(el("i", ""), el("span", ""));
      this.#chips.set(arrangement, chip);
      legend.append(chip);
    }
    bar.append(this.#value, this.#readings, this.#helix, el("span", "nbi-space"));
    const file = (): string => `spacing_${store.names().join("_").replace(/[^\w.-]+/g, "_")}`;
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the picture as ${kind}`, () => this.#screen.save(kind, file()), signal));
    bar.append(button("CSV", "save the lines of this pair as CSV", () => download(new Blob([toCsv(store)], { type: "text/csv" }), `${file()}.csv`), signal), this.#status);
    if (store.meta.backgrounds) this.#chooser = new Chooser(store, (words) => { this.#readout.textContent = words; }, signal);
    if (this.#chooser) below.append(this.#chooser.box);
    below.append(this.#turn, this.#letters);
    root.append(bar, this.#headline, legend, this.#readout, this.#progress.trouble, this.#screen.canvas, below, this.#progress.busy);
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
    const { store, root } = this, { state } = store, [a, b] = store.names(), { arrangement, order, distance, value } = state, now = store.read(state);
    this.#progress.update();
    this.#value.value = value;
    this.#readings.value = state.readings;
    this.#helix.setAttribute("aria-pressed", String(state.helix));
    const there = new Set(store.lines.map((line) => line.arrangement));
    for (const [one, chip] of this.#chips) {
      const shown = !state.hidden.includes(one);
      chip.lastElementChild!.textContent = wordsOf(one, a, b);
      chip.setAttribute("aria-label", saidOf(one, a, b));
      chip.setAttribute("aria-pressed", String(shown));
      chip.hidden = !there.has(one);
    }
    this.#say(wordsOf(arrangement, a, b), now);
    const [first, second] = store.sites, seen = (name: string, { start, end, strand }: typeof first): string => `${name} ${whole(start)}\u2013${whole(end)} (${strand === "+" ? "+" : "\u2212"})`;
    this.#turn.setAttribute("aria-pressed", String(order === "ba"));
    this.#turn.hidden = a === b;
    this.#letters.textContent = `${seen(a, first)}, ${seen(b, second)}${!store.meta.backgrounds ? "" : store.attributions ? " \u00b7 letters: DeepLIFT/SHAP attributions" : " \u00b7 letters: information of the motifs"}`;
    this.#chooser?.update();
    if (!state.pointed && state.hover === null) this.#readout.replaceChildren(el("span", "nbi-dim", this.#hint));
    Object.assign(root.dataset, { place: `${arrangement} ${order} ${distance}`, number: Number.isFinite(now.value) ? String(now.value) : "", letters: store.attributions ? "attributions" : "information" });
    this.#screen.canvas.setAttribute("aria-label", `${value} of ${a} and ${b} against the bases between them; now ${whole(distance)} bases, ${saidOf(arrangement, a, b)}. `
      + "Left and right arrows step through distances, with shift by ten, Home and End to the ends; up and down choose a line; f shows the other reading; [ and ] another background; v switches the value; h marks helical turns; Enter looks again.");
    if (state.pointed) this.#point(state.pointed);
    else if (state.hover !== null) this.#readout.replaceChildren(el("b", "", whole(state.hover)), el("span", "nbi-dim", ` in ${store.original.name}`));
  }

  get #hint(): string {
    const { value } = this.store.state;
    return value === "effect" ? "effect of both together: no interval of its own in the table, so no band" : "above zero, the two do more than the sum of what each does alone";
  }

  /** "GATA▸ 6 bp TEAD▸ cooperativity +1.2 (interval 1.1 to 1.3, 64 backgrounds)". */
  #say(words: string, now: Reading): void {
    const { distance, value } = this.store.state, parts = [el("b", "", Number.isFinite(now.value) ? `${value} ${signed(now.value)}` : "not measured")];
    parts.push(el("span", "nbi-dim", this.#spread(now)), el("span", "", ` \u00b7 ${words}, ${whole(distance)} bp between`));
    this.#headline.replaceChildren(...parts);
  }
  #spread({ value, low, high, n, effect, cooperativity }: Reading): string {
    if (!Number.isFinite(value)) return "";
    const many = `${whole(n)} background${n === 1 ? "" : "s"}`, sum = `the sum of both alone ${signed(effect - cooperativity)}`;
    if (Number.isFinite(low)) return ` (interval ${number(low)} to ${number(high)}, ${many})`;
    return this.store.state.value === "effect" ? ` (${sum}, ${many})` : ` (${many}: no interval)`;
  }

  #point(point: Point): void {
    const { store } = this, reading = store.read(point), [a, b] = store.names(), { value } = store.state, second = store.state.readings === "both" && a !== b ? `, reading ${point.order === "ab" ? 1 : 2}` : "";
    const other = value === "effect" ? "cooperativity" : "effect of both";
    const parts = [el("b", "", `${whole(point.distance)} bp`), el("span", "nbi-dim", ` ${wordsOf(point.arrangement, a, b)}${second}  ${value} `), el("span", "", signed(reading.value))];
    if (Number.isFinite(reading.low)) parts.push(el("span", "", ` [${number(reading.low)} to ${number(reading.high)}]`));
    parts.push(el("span", "nbi-dim", `  ${other} `), el("span", "", signed(value === "effect" ? reading.cooperativity : reading.effect)));
    parts.push(el("span", "nbi-dim", "  sum of both alone "), el("span", "", signed(reading.effect - reading.cooperativity)));
    this.#readout.replaceChildren(...parts);
  }

  // --- layout ---------------------------------------------------------------------------------------------------------

  get #narrow(): boolean {
    return this.#screen.width < NARROW;
  }
  /** Room for names beside the ends of the lines; 0 where there is none. */
  get #labels(): number {
    const names = this.store.names();
    return this.#narrow || names.some((name) => name.length > LONGEST) ? 0 : 6.6 * (names[0].length + names[1].length + 3) + 16;
  }
  get #curve(): Frame {
    return { x: LEFT, y: TOP, width: this.#screen.width - LEFT - (this.#labels || 20), height: this.#narrow ? CURVE - 40 : CURVE };
  }
  get #laneTop(): number {
    return this.#curve.y + this.#curve.height + AXIS + (this.lanes ? 8 : 0);
  }
  get #lanesHeight(): number {
    return this.lanes ? LANE * this.#arrangements.length + 16 : 0;
  }
  get #pair(): Frame {
    return { x: 16, y: this.#laneTop + this.#lanesHeight + GAP, width: this.#screen.width - 32, height: PAIR };
  }
  get height(): number {
    return this.#pair.y + this.#pair.height + RULER + 8;
  }
  /** The smallest between two distances. */
  get #step(): number {
    const { distances } = this.store.meta;
    return distances.length > 1 ? min(...distances.slice(1).map((d, i) => d - distances[i])) : 1;
  }
  /** Half a step to both sides of the distances. */
  get #span(): View {
    const { distances } = this.store.meta, step = this.#step;
    return { start: distances[0] - step / 2, end: distances[distances.length - 1] + step / 2 };
  }
  #x(distance: number): number {
    const { start, end } = this.#span, { x, width } = this.#curve;
    return x + ((distance - start) * width) / (end - start);
  }
  /** Of one distance alone, points stand beside each other. */
  #aside(arrangement: Arrangement): number {
    return this.store.meta.distances.length > 1 ? 0 : (ARRANGEMENTS.indexOf(arrangement) - 1.5) * 0.1;
  }
  get #arrangements(): Arrangement[] {
    return [...new Set(this.store.lines.map((line) => line.arrangement))];
  }
  /** All places of the pair, where letters can then still be read, so that the first motif stays put; else the pair in the middle. */
  get #window(): View {
    const { store } = this, { length, pairs, motifs, distances } = store.meta, [a, b, start] = pairs[store.state.pair], far = distances[distances.length - 1] + motifs[b].width + 3;
    const every = { start: start - far, end: start + motifs[a].width + far }, letters = this.#pair.width / LETTER, [from, to] = store.span;
    const least = to - from + 6, size = every.end - every.start <= letters * 1.25 ? every.end - every.start : max(letters, least);
    const shown = max(size, this.#pair.width / LARGEST), middle = size === every.end - every.start ? (every.start + every.end) / 2 : (from + to) / 2;
    return clampView({ start: round(middle - shown / 2), end: round(middle + shown / 2) }, length);
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  prepare(): void {
    const { theme } = this.#screen;
    for (const [one, chip] of this.#chips) chip.style.setProperty("--nbi-line", colorOf(one, theme));
  }

  render(pen: Pen, marked: boolean): void {
    const { store } = this, { theme } = this.#screen, frame = this.#curve, lines = this.#ordered, series = lines.flatMap((line) => this.#series(line, theme)), range = rangeOf(series);
    if (marked) this.#drawHelix(pen, frame, theme);
    drawCurves(pen, series, this.#span, frame, range, theme);
    this.#drawAlone(pen, lines, range, theme);
    this.#drawAxis(pen, frame, theme);
    if (this.#labels) this.#drawLabels(pen, lines, range, theme);
    if (!lines.length) pen.text(store.lines.length ? "every line is hidden: choose one above" : "nothing was measured for this pair", frame.x + frame.width / 2, frame.y + frame.height / 2 - 12, fade(theme.ink, 0.6), `12px ${theme.font}`, "center");
    if (marked) this.#drawPoints(pen, range, theme);
    if (this.lanes) this.#drawLanes(pen, theme);
    this.#drawPair(pen, marked, theme);
  }
  painted(): void {
    this.#progress.place(this.#screen.canvas, LEFT + 40, this.#pair.y + 40);
  }

  /** The chosen line comes first, and so lies on top. */
  get #ordered(): Line[] {
    const { shownLines, state } = this.store, chosen = ({ arrangement }: Line): boolean => arrangement === state.arrangement;
    return [...shownLines.filter(chosen), ...shownLines.filter((line) => !chosen(line))];
  }

  /** A line as curves without gaps. */
  #series({ arrangement, order, readings }: Line, theme: Theme): Series[] {
    const { distances } = this.store.meta, color = colorOf(arrangement, theme), runs: number[][] = [];
    readings.forEach(({ value }, i) => {
      if (!Number.isFinite(value)) return;
      if (i && Number.isFinite(readings[i - 1].value)) runs[runs.length - 1].push(i);
      else runs.push([i]);
    });
    return runs.map((run) => {
      const column = (key: "value" | "low" | "high"): number[] => run.map((i) => readings[i][key]), banded = run.every((i) => Number.isFinite(readings[i].low));
      return { label: "", x: run.map((i) => distances[i] + this.#aside(arrangement)), mean: column("value"), ...(banded ? { low: column("low"), high: column("high") } : {}), color, dashed: order === "ba" };
    });
  }

  /** Points with none beside them have whiskers in place of a band. */
  #drawAlone(pen: Pen, lines: Line[], range: Range, theme: Theme): void {
    const y = ordinate(range, this.#curve), { distances } = this.store.meta;
    lines.forEach(({ arrangement, readings }) => readings.forEach(({ value, low, high }, i) => {
      const beside = [i - 1, i + 1].some((j) => Number.isFinite(readings[j]?.value));
      if (beside || !Number.isFinite(value) || !Number.isFinite(low)) return;
      const x = this.#x(distances[i] + this.#aside(arrangement));
      pen.line(x, y(low), x, y(high), colorOf(arrangement, theme), 1.5);
    }));
  }

  #drawAxis(pen: Pen, frame: Frame, theme: Theme): void {
    const foot = frame.y + frame.height, font = `10px ${theme.font}`, { distances } = this.store.meta, span = this.#span;
    const at = distances.length * 24 <= frame.width ? distances : ticks(span, frame.width, 0, 64).filter((t) => t >= distances[0]);
    let last = -Infinity;
    for (const t of at) {
      const x = this.#x(t);
      pen.line(x, foot, x, foot + 4, fade(theme.ink, 0.4));
      if (x - last < 20) continue; // distances need not be even
      pen.text(whole(t), x, foot + 12, fade(theme.ink, 0.6), font, "center");
      last = x;
    }
    pen.text("bases between the motifs", frame.x + frame.width / 2, foot + 27, fade(theme.ink, 0.7), `11px ${theme.font}`, "center");
  }

  /** Names beside the ends, apart from each other. */
  #drawLabels(pen: Pen, lines: Line[], range: Range, theme: Theme): void {
    const y = ordinate(range, this.#curve), [a, b] = this.store.names(), right = this.#curve.x + this.#curve.width;
    const ends = lines.filter(({ order }) => order !== "ba").map(({ arrangement, readings }) => ({ arrangement, at: y(readings.findLast(({ value }) => Number.isFinite(value))!.value) })).sort((one, two) => one.at - two.at);
    let last = -Infinity;
    const placed = ends.map((end) => ({ ...end, at: (last = max(end.at, last + 14)) })), over = max(0, last - (this.#curve.y + this.#curve.height));
    for (const { arrangement, at } of placed) pen.text(wordsOf(arrangement, a, b), right + 8, at - over, colorOf(arrangement, theme), `11px ${theme.font}`);
  }

  #drawHelix(pen: Pen, frame: Frame, theme: Theme): void {
    const { helix, distance } = this.store.state, { start, end } = this.#span;
    if (!helix) return;
    for (let k = ceil((start - distance) / TURN); k <= floor((end - distance) / TURN); k++) pen.line(this.#x(distance + k * TURN), frame.y, this.#x(distance + k * TURN), frame.y + frame.height, fade(theme.ink, 0.16));
  }

  /** The chosen point, and the one that is pointed at. */
  #drawPoints(pen: Pen, range: Range, theme: Theme): void {
    const { store } = this, { state } = store, y = ordinate(range, this.#curve), foot = this.#curve.y + this.#curve.height;
    const mark = (point: Point, size: number): void => {
      const { value } = store.read(point), x = this.#x(point.distance + this.#aside(point.arrangement));
      if (!Number.isFinite(value)) return;
      pen.shape(disc(x, y(value), size + 2), theme.ground);
      pen.shape(disc(x, y(value), size), colorOf(point.arrangement, theme));
    };
    if (store.meta.distances.length > 1) pen.line(this.#x(state.distance), this.#curve.y, this.#x(state.distance), foot, fade(theme.ink, 0.25));
    if (!state.hidden.includes(state.arrangement)) mark(state, 4.5);
    if (state.pointed) mark(state.pointed, 3.5);
  }

  /** The same numbers as cells, an arrangement a row. */
  #drawLanes(pen: Pen, theme: Theme): void {
    const { store } = this, { distances } = store.meta, arrangements = this.#arrangements, w = max(1, this.#x(distances[0] + this.#step) - this.#x(distances[0]));
    const rows = arrangements.map((arrangement) => distances.map((_, i) => store.reading(store.state.pair, arrangement, null, i))), most = max(...rows.flat().map(({ value }) => abs(value) || 0));
    rows.forEach((row, k) => {
      const y = this.#laneTop + k * LANE;
      row.forEach(({ value, low, high }, i) => drawCell(pen, { value, sure: !(low <= 0 && high >= 0) }, most, { x: this.#x(distances[i]) - min(w, 40) / 2, y, width: min(w, 40) + (w < 6 ? 1 : 0), height: LANE }, theme));
      pen.rect(LEFT - 18, y + LANE / 2 - 1.5, 10, 3, colorOf(arrangements[k], theme));
    });
  }

  #drawPair(pen: Pen, marked: boolean, theme: Theme): void {
    const { store } = this, frame = this.#pair, view = this.#window, names = store.names(), { hover, arrangement } = store.state, p = frame.width / (view.end - view.start);
    const blocks = store.sites.map((site, i) => ({ ...site, name: names[i], weights: store.weights(site) }));
    drawPair(pen, { blocks, codes: store.sequence, attributions: store.attributions, color: colorOf(arrangement, theme) }, view, frame, theme);
    const foot = frame.y + frame.height;
    for (const t of ticks(view, frame.width, 0)) {
      pen.line(frame.x + (t - view.start + 0.5) * p, foot + 1, frame.x + (t - view.start + 0.5) * p, foot + 5, fade(theme.ink, 0.4));
      pen.text(whole(t), frame.x + (t - view.start + 0.5) * p, foot + 13, fade(theme.ink, 0.6), `10px ${theme.font}`, "center");
    }
    if (marked && hover !== null && hover >= view.start && hover < view.end) pen.rect(frame.x + (hover - view.start) * p, frame.y + 30, p, frame.height - 30, theme.ink, 0.08);
  }

  // --- pointer and keys -------------------------------------------------------------------------------------------------

  /** The point of a line that is shown, nearest to a place. */
  #near(x: number, y: number): Point | null {
    const frame = this.#curve, { store } = this, { distances } = store.meta, lines = store.shownLines, foot = frame.y + frame.height;
    if (x < frame.x - 12 || x > frame.x + frame.width + 12 || y < 0 || y > this.#laneTop + this.#lanesHeight) return null;
    const one = distances.length === 1, at = one ? 0 : distances.reduce((best, d, i) => (abs(this.#x(d) - x) < abs(this.#x(distances[best]) - x) ? i : best), 0);
    if (this.lanes && y >= this.#laneTop) {
      const row = this.#arrangements[floor((y - this.#laneTop) / LANE)];
      return row ? { arrangement: row, order: "ab", distance: distances[at] } : null;
    }
    if (y > foot + 8) return null;
    const scale = ordinate(rangeOf(lines.flatMap((line) => this.#series(line, this.#screen.theme))), frame), there = lines.filter((line) => Number.isFinite(line.readings[at].value));
    if (!there.length) return null;
    const far = (line: Line): number => Math.hypot(scale(line.readings[at].value) - y, one ? this.#x(distances[0] + this.#aside(line.arrangement)) - x : 0), near = there.reduce((best, line) => (far(line) < far(best) ? line : best));
    return { arrangement: near.arrangement, order: near.order ?? store.state.order, distance: distances[at] };
  }
  /** The position of the background under a place. */
  #position(x: number, y: number): number | null {
    const frame = this.#pair, view = this.#window, at = floor(view.start + ((x - frame.x) * (view.end - view.start)) / frame.width);
    return y >= frame.y && y <= frame.y + frame.height + RULER && at >= view.start && at < view.end ? at : null;
  }
  #hover(x: number, y: number): void {
    const pointed = this.#near(x, y);
    this.#screen.canvas.style.cursor = pointed ? "pointer" : "default";
    this.store.set({ pointed, hover: pointed ? null : this.#position(x, y) });
  }
  #click(x: number, y: number): void {
    const point = this.#near(x, y);
    if (point) this.store.set(point);
  }

  #key(key: string, shift: boolean): boolean {
    const { store } = this, { state, meta } = store, step = shift ? 10 : 1, far = meta.distances.length;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => store.move(-step), ArrowRight: () => store.move(step), Home: () => store.move(-far), End: () => store.move(far),
      ArrowUp: () => store.climb(true), ArrowDown: () => store.climb(false), f: () => store.turn(), h: () => store.set({ helix: !state.helix }),
      v: () => store.set({ value: state.value === "effect" ? "cooperativity" : "effect" }), "[": () => store.set({ example: state.example - 1 }), "]": () => store.set({ example: state.example + 1 }),
      Enter: () => this.again?.(), Escape: () => store.set({ pointed: null, hover: null }),
    };
    keys[key]?.();
    return key in keys;
  }
  /** Ask once more for what is shown, after a failure. */
  again?: () => void;
}

const colorOf = (arrangement: Arrangement, theme: Theme): string => COLORS[arrangement][theme.dark ? 1 : 0];
