/** A pattern as a person sees it: its logos over its seqlets, which can be gone through, and how they are spread. */
import { on } from "../core/events";
import { abs, clamp, floor, max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { drawRow, type Frame, type Row } from "../draw/logo";
import { drawMotif } from "../draw/motif";
import { number, signed, ticks, type View, whole } from "../draw/scale";
import { drawSpread, drawStack, type Spread, spreadOf } from "../draw/seqlets";
import { effectOf, fade } from "../draw/theme";
import { type Order, ORDERS, type PatternStore } from "../state/pattern";
import { button, el, picker } from "./dom";
import { type Scene, Screen } from "./screen";

const LEFT = 96, RIGHT = 8, SIDE = 216, GAP = 32, WIDE = 760;
const LETTER = 8; // pixels that a column has at least, as long as the core fits
const CWM = 88, PFM = 44, ONE = 52, AIR = 8, RULER = 28, STACK = 340, ROW = 12, SPREAD = 116;

/** How a number of the seqlets is spread, and what it is of one of them. */
interface Known extends Omit<Spread, "mark" | "color"> {
  of(seqlet: number): number;
}

const counted = (n: number): string => `${whole(n)} seqlet${n === 1 ? "" : "s"}`;

export class PatternViewer implements Scene {
  #screen: Screen;
  #readout = el("div", "nbi-readout", "", { "aria-live": "polite" });
  #choosers = el("span", "");
  #pointed = -1;
  #full = 0;
  #spreads: Known[] = [];

  constructor(private root: HTMLElement, private store: PatternStore, signal: AbortSignal) {
    root.classList.add("nbi-pattern");
    root.dataset.jpSuppressContextMenu = "";
    this.#screen = new Screen(root, this, store.meta.colors, signal);
    const bar = el("div", "nbi-bar"), { canvas } = this.#screen;
    this.#choosers.style.display = "contents"; // they wrap with the rest of the bar
    bar.append(this.#choosers, el("span", "nbi-space"));
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the picture as ${kind}`, () => this.#screen.save(kind, store.pattern.name), signal));
    root.append(bar, this.#readout, canvas);
    on(canvas, "pointermove", (e) => this.#point(this.#under(e)), signal);
    on(canvas, "pointerleave", () => this.#point(-1), signal);
    on(canvas, "click", (e) => { const seqlet = this.#under(e); if (seqlet >= 0) store.set({ seqlet }); }, signal);
    on(canvas, "keydown", (e) => this.#key(e), signal);
    store.subscribe((changed) => {
      if ("pattern" in changed) this.#choose();
      this.#update();
    }, signal);
    this.#choose();
    this.#update();
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  /** What can be chosen of this pattern. */
  #choose(): void {
    const { store } = this, { state, pattern, meta } = store;
    const focus = this.#choosers.contains(document.activeElement), names = meta.patterns.map(({ name, n }, i): [string, string] => [String(i), `${name} (${counted(n)})`]);
    const parts = pattern.parts.map(({ name, n }, i): [string, string] => [String(i), `${name} (${counted(n)})`]);
    const orders = ORDERS.filter((one) => one !== "subpattern" || pattern.parts.length).map((one): [string, string] => [one, `by ${one}`]);
    this.#choosers.replaceChildren(picker("pattern", names, String(state.pattern), (v) => store.set({ pattern: Number(v) })));
    if (parts.length) this.#choosers.append(picker("subpattern", [["-1", "all seqlets"], ...parts], String(state.part), (v) => store.set({ part: Number(v) })));
    this.#choosers.append(picker("order of the seqlets", orders, state.order, (v) => store.set({ order: v as Order })));
    if (focus) this.#choosers.querySelector("select")!.focus();
  }
  #update(): void {
    const { store, root } = this, { state, pattern } = store;
    this.#pointed = -1;
    this.#full = this.#strong();
    this.#spreads = this.#spread();
    const values = [String(state.pattern), ...(pattern.parts.length ? [String(state.part)] : []), state.order];
    this.#choosers.querySelectorAll("select").forEach((one, i) => { one.value = values[i]; });
    Object.assign(root.dataset, { pattern: pattern.name, seqlets: String(store.rows.length), seqlet: String(state.seqlet), order: state.order });
    this.#screen.canvas.setAttribute("aria-label", `seqlets of ${pattern.name}: arrows go through them, brackets go to another pattern`);
    this.#read();
    this.#screen.draw();
  }
  /** The size of contribution that is drawn in full: that which one in fifty is beyond, in the core. */
  #strong(): number {
    const { store } = this, { letters, core: [a, b], positive } = store.pattern, sizes: number[] = [];
    if (!letters) return 1;
    for (const i of store.rows) for (const v of store.letters(i).values.subarray(a, b)) sizes.push(abs(v));
    sizes.sort((x, y) => x - y);
    return (positive ? 1 : -1) * (sizes[floor(sizes.length * 0.98)] || 1);
  }
  get #shown(): number {
    return this.#pointed >= 0 ? this.#pointed : this.store.state.seqlet;
  }
  #read(): void {
    const { store } = this, { pattern, rows } = store, i = this.#shown, some = rows.length < store.stored || store.stored < pattern.n;
    const hint = pattern.letters ? "; point at one, or go through them with the arrows" : "; the file does not hold their letters";
    if (i < 0) {
      this.#readout.textContent = `${some ? `${whole(rows.length)} of ` : ""}${counted(pattern.n)}${pattern.n ? hint : ""}`;
      return;
    }
    const { example, start, end, strand, row, part, total } = store.seqlet(i), of = part >= 0 ? `, ${pattern.parts[part].name}` : "", hidden = row < 0 ? "; this sequence is not among those shown" : "";
    const amount = Number.isFinite(total) ? `: contribution ${signed(total)}` : "";
    this.#readout.textContent = `sequence ${whole(example)}, ${whole(start)}\u2013${whole(end)} (${strand})${amount}${of}${hidden}`;
  }

  // --- places ---------------------------------------------------------------------------------------------------------

  get #wide(): boolean {
    return this.#screen.width >= WIDE;
  }
  get #plot(): Frame {
    return { x: LEFT, y: AIR, width: this.#screen.width - LEFT - RIGHT - (this.#wide ? SIDE + GAP : 0), height: CWM };
  }
  /** The columns that are shown: all, or the core and as much around it as can be read. */
  get #view(): View {
    const { width, core: [a, b] } = this.store.pattern, n = clamp(floor(this.#plot.width / LETTER), min(b - a, width), width);
    const start = clamp(floor((a + b - n) / 2), 0, width - n);
    return { start, end: start + n };
  }
  /** Whether there are letters of seqlets to be shown. */
  get #stacked(): boolean {
    return this.store.pattern.letters && this.store.rows.length > 0;
  }
  get #one(): Frame {
    return { ...this.#plot, y: AIR + CWM + AIR + PFM + AIR, height: this.#stacked ? ONE : 0 };
  }
  get #stack(): Frame {
    const { y, height } = this.#one;
    return { ...this.#plot, y: y + height + RULER, height: this.#stacked ? min(STACK, this.store.rows.length * ROW) : 0 };
  }
  get height(): number {
    const { y, height } = this.#stack, foot = y + height + AIR;
    const spreads = this.#spreads.length * (SPREAD + AIR);
    return this.#wide ? max(foot, spreads + AIR) : foot + spreads;
  }
  /** The seqlet under the pointer, -1 for none. */
  #under(e: PointerEvent | MouseEvent): number {
    const box = this.#screen.canvas.getBoundingClientRect(), { x, y, width, height } = this.#stack, { rows } = this.store;
    const at = floor(((e.clientY - box.top - y) / height) * rows.length), across = e.clientX - box.left;
    return height && across >= x && across <= x + width ? (rows[at] ?? -1) : -1;
  }
  #point(seqlet: number): void {
    this.#screen.canvas.style.cursor = seqlet >= 0 ? "pointer" : "default";
    if (seqlet === this.#pointed) return;
    this.#pointed = seqlet;
    this.#read();
    this.#screen.draw();
  }
  #key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const { store } = this, far = e.shiftKey ? 10 : 1, to = (by: number) => (): void => store.set({ pattern: clamp(store.state.pattern + by, 0, store.meta.patterns.length - 1) });
    const keys: Record<string, () => void> = {
      ArrowDown: () => store.step(far), ArrowUp: () => store.step(-far), Home: () => store.step(-1e9), End: () => store.step(1e9),
      "[": to(-1), "]": to(1), Escape: () => store.set({ seqlet: -1 }),
    };
    if (!(e.key in keys)) return;
    e.preventDefault();
    e.stopPropagation();
    keys[e.key]();
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  render(pen: Pen, marked: boolean): void {
    const { store } = this, { theme } = this.#screen, plot = this.#plot, one = this.#one, shown = this.#shown;
    const bits = { ...plot, y: plot.y + CWM + AIR, height: PFM };
    this.#labels(pen, [["contribution", "mean", plot], ["bits", "letters", bits]]);
    this.#drawCore(pen, { ...plot, height: one.y + one.height - plot.y });
    this.#drawLogo(pen, store.contributions, plot);
    drawMotif(pen, this.#cut(store.frequencies), bits, theme);
    if (this.#stacked) {
      this.#labels(pen, [["contribution", shown >= 0 ? "of this one" : "of one", one]]);
      if (shown >= 0) this.#drawSeqlet(pen, shown, one);
      else pen.text("point at a seqlet below", one.x + one.width / 2, one.y + ONE / 2, fade(theme.ink, 0.35), `11px ${theme.font}`, "center");
    }
    this.#drawRuler(pen, { ...one, y: one.y + one.height + 2 });
    this.#drawStack(pen, marked);
    this.#drawSpreads(pen);
  }
  #labels(pen: Pen, rows: [string, string, Frame][]): void {
    const { ink, font } = this.#screen.theme;
    for (const [what, whose, { y, height }] of rows) {
      pen.text(whose, LEFT - 12, y + height / 2 - 7, fade(ink, 0.8), `11px ${font}`, "right");
      pen.text(what, LEFT - 12, y + height / 2 + 7, fade(ink, 0.5), `10px ${font}`, "right");
    }
  }
  /** The columns in view of a matrix (4, width). */
  #cut(values: Float32Array): { values: number[]; width: number } {
    const { width } = this.store.pattern, { start, end } = this.#view;
    return { values: [0, 1, 2, 3].flatMap((c) => [...values.subarray(c * width + start, c * width + end)]), width: end - start };
  }
  /** The core, as a band behind the logos. */
  #drawCore(pen: Pen, { x, y, width, height }: Frame): void {
    const { core: [a, b] } = this.store.pattern, { start, end } = this.#view, p = width / (end - start), from = max(a, start), to = min(b, end);
    pen.rect(x + (from - start) * p, y, (to - from) * p, height, this.#screen.theme.ink, 0.05);
  }
  /** All four letters of each column, up and down. */
  #drawLogo(pen: Pen, values: Float32Array, frame: Frame): void {
    const n = this.store.pattern.width, codes = new Uint8Array(n), observed = new Float32Array(n);
    let low = 0, high = 0;
    for (let j = 0; j < n; j++) {
      let up = 0, down = 0;
      for (let c = 0; c < 4; c++) {
        const v = values[c * n + j];
        if (v > 0) up += v;
        else down += v;
        observed[j] += v;
        if (abs(v) > abs(values[codes[j] * n + j])) codes[j] = c;
      }
      low = min(low, down);
      high = max(high, up);
    }
    this.#drawLetters(pen, { label: "", channels: 4, values, observed, levels: [], extent: { low, high, clipped: false }, stacked: { low, high, clipped: false } }, codes, frame);
  }
  #drawSeqlet(pen: Pen, i: number, frame: Frame): void {
    const { codes, values } = this.store.letters(i), extent = { low: min(0, ...values), high: max(0, ...values), clipped: false };
    this.#drawLetters(pen, { label: "", channels: 1, values, observed: values, levels: [], extent, stacked: extent }, codes, frame);
  }
  #drawLetters(pen: Pen, row: Row, codes: Uint8Array, frame: Frame): void {
    const { ink, font } = this.#screen.theme, { low, high } = row.extent;
    drawRow(pen, row, codes, this.#view, frame, row.channels === 4, this.#screen.theme);
    const most = abs(low) > high ? low : high;
    if (most) pen.text(number(most), LEFT - 12, most < 0 ? frame.y + frame.height - 4 : frame.y + 4, fade(ink, 0.5), `10px ${font}`, "right");
  }
  #drawRuler(pen: Pen, { x, y, width }: Frame): void {
    const { ink, font } = this.#screen.theme, view = this.#view, { start, end } = view, p = width / (end - start);
    for (const t of ticks(view, width, 0, 60)) {
      const at = x + (t - start + 0.5) * p;
      if (t >= end) continue;
      pen.line(at, y, at, y + 4, fade(ink, 0.4));
      pen.text(whole(t), at, y + 12, fade(ink, 0.6), `10px ${font}`, "center");
    }
  }
  #drawStack(pen: Pen, marked: boolean): void {
    const { store } = this, { rows, state } = store, { theme } = this.#screen, frame = this.#stack, at = rows.indexOf(this.#shown);
    if (!frame.height) return;
    drawStack(pen, { n: rows.length, view: this.#view, letters: (k) => store.letters(rows[k]), full: this.#full }, frame, theme);
    const h = frame.height / rows.length, small = `10px ${theme.font}`;
    pen.text(counted(rows.length), LEFT - 12, frame.y + 6, fade(theme.ink, 0.8), `11px ${theme.font}`, "right");
    pen.text(`by ${state.order}`, LEFT - 12, frame.y + 20, fade(theme.ink, 0.5), small, "right");
    if (state.order === "subpattern")
      rows.forEach((i, k) => {
        if (k && store.seqlet(i).part !== store.seqlet(rows[k - 1]).part) pen.line(LEFT - 8, frame.y + k * h, LEFT + frame.width, frame.y + k * h, fade(theme.ink, 0.5));
      });
    if (!marked || at < 0) return;
    const y = frame.y + at * h, tall = max(h, 2);
    for (const edge of [y - 0.5, y + tall + 0.5]) pen.line(frame.x, edge, frame.x + frame.width, edge, theme.ink);
    pen.shape(`M${frame.x - 2} ${y + tall / 2}l-5 -4v8Z`, theme.ink);
  }
  /** How places and contributions are spread, as far as they are known. */
  #spread(): Known[] {
    const { store } = this, { window } = store.meta, centres = store.block<Float32Array>("centres"), totals = store.block<Float32Array>("totals").filter(Number.isFinite).sort();
    const middle = (i: number): number => centres[store.block<Int32Array>("which")[i]], total = (i: number): number => store.seqlet(i).total, found: Known[] = [];
    const know = (title: string, values: Float32Array, low: number, high: number, of: (i: number) => number, even: boolean): void => {
      if (values.length) found.push({ title, counts: spreadOf(values, low, high), low, high, of, even });
    };
    if (window !== null) know("from the middle (bp)", centres, -window / 2, window / 2, middle, true);
    know("contribution", totals, min(0, totals[0]), max(0, totals[totals.length - 1]), total, false);
    return found;
  }
  #drawSpreads(pen: Pen): void {
    const { theme } = this.#screen, wide = this.#wide, stack = this.#stack, i = this.#shown, effect = effectOf(theme, this.store.pattern.positive ? 1 : -1);
    const x = wide ? this.#screen.width - RIGHT - SIDE : LEFT, width = wide ? SIDE : this.#screen.width - LEFT - RIGHT, y = wide ? AIR : stack.y + stack.height + AIR;
    this.#spreads.forEach(({ of, ...one }, k) => {
      const spread = { ...one, mark: i < 0 ? NaN : of(i), color: one.even ? theme.accent : effect };
      drawSpread(pen, spread, { x, y: y + k * (SPREAD + AIR), width, height: SPREAD }, theme);
    });
  }
}
