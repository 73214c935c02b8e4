/** How far apart the two of a pair stand, in each way in which they can lie, against chance. */
import { on } from "../core/events";
import { clamp, max } from "../core/numbers";
import { binAt, drawDistances, drawSpacing } from "../draw/cooccurrence";
import type { Pen } from "../draw/glyphs";
import type { Frame } from "../draw/logo";
import { number, whole } from "../draw/scale";
import { fade } from "../draw/theme";
import { type Bin, binSize, bins, type CooccurrenceStore, type Spacing } from "../state/cooccurrence";
import { button, el } from "./dom";
import { type Scene, Screen } from "./screen";

const LEFT = 36, RIGHT = 8, TOP = 8, STRIP = 62, GAP = 10, AXIS = 36, LINE = 14, NARROW = 400, LEAST = 2;

export class PairViewer implements Scene {
  #screen: Screen;
  #title = el("span", "nbi-facts-line");
  #readout = el("div", "nbi-readout", "", { "aria-live": "polite" });
  #turn: HTMLButtonElement;
  /** Strip and bin under the pointer or the keys. */
  #pointed: [number, number] | null = null;
  #known: { key: string; strips: { words: string; bins: Bin[] }[] | null } | null = null;

  constructor(private root: HTMLElement, private store: CooccurrenceStore, signal: AbortSignal) {
    const bar = el("div", "nbi-bar");
    this.#screen = new Screen(root, this, "classic", signal);
    const { canvas } = this.#screen;
    this.#turn = button("turn", "see the pair from the other motif", () => store.turn(), signal);
    bar.append(this.#title, el("span", "nbi-space"), this.#turn);
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the spacings as ${kind}`, () => this.#screen.save(kind, "spacings"), signal));
    root.append(bar, this.#readout, canvas);
    canvas.setAttribute("aria-label", "spacings of the pair; arrow keys read them out");
    on(canvas, "pointermove", (e) => this.#point(this.#under(e)), signal);
    on(canvas, "pointerleave", () => this.#point(null), signal);
    on(canvas, "keydown", (e) => { if (!e.ctrlKey && !e.metaKey && !e.altKey) this.#key(e); }, signal);
    on(canvas, "blur", () => this.#point(null), signal);
    store.subscribe((changed) => { if ("pair" in changed) this.#describe(); }, signal);
    this.#describe();
  }

  // --- data -----------------------------------------------------------------------------------------------------------

  get #plot(): { x: number; width: number } {
    return { x: LEFT, width: this.#screen.width - LEFT - RIGHT };
  }
  get #strips(): { words: string; bins: Bin[] }[] | null {
    const [i, j] = this.store.chosen, size = binSize(this.store.meta.max_distance, this.#plot.width, LEAST), key = `${i} ${j} ${size}`;
    if (this.#known?.key !== key) {
      const ways: Spacing[] | null = this.store.spacings(i, j);
      this.#pointed = null; // its bin is another one now
      this.#known = { key, strips: ways && ways.map((way) => ({ words: way.words, bins: bins([way], size) })) };
    }
    return this.#known.strips;
  }
  #frame(i: number): Frame {
    return { ...this.#plot, y: TOP + i * (STRIP + GAP), height: STRIP };
  }
  get #narrow(): boolean {
    return this.#plot.width < NARROW;
  }
  get height(): number {
    return (this.#strips?.length ?? 0) * (STRIP + GAP) + (this.#strips ? TOP + AXIS + (this.#narrow ? LINE : 0) : 0);
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #describe(): void {
    const { pair } = this.store.state, [a, b] = pair;
    this.#pointed = null;
    this.#title.textContent = !pair.length ? "no pair" : a === b ? `${a} twice` : `${a} and ${b}`;
    this.#turn.hidden = a === b;
    this.#turn.title = `see it from ${b}`;
    this.root.dataset.pair = pair.join(" ");
    this.#read();
    this.#screen.draw();
  }
  #read(): void {
    const strips = this.#strips, strip = strips?.[this.#pointed?.[0] ?? -1];
    this.#readout.textContent = strip ? said(strip.words, strip.bins[this.#pointed![1]]) : strips ? this.#summary(strips) : "these two are near each other too seldom to be in the page: read view.spacings";
  }
  #summary(strips: { words: string; bins: Bin[] }[]): string {
    const far = this.store.meta.max_distance, all = strips.flatMap((one) => one.bins), sum = (key: "count" | "expected"): number => all.reduce((total, bin) => total + bin[key], 0);
    return `${whole(sum("count"))} nearer than ${whole(far)} bp, ${number(sum("expected"))} expected of shuffled positions`;
  }

  // --- pointing -------------------------------------------------------------------------------------------------------

  #under(e: PointerEvent): [number, number] | null {
    const { left, top } = this.#screen.canvas.getBoundingClientRect(), strips = this.#strips, i = Math.floor((e.clientY - top - TOP) / (STRIP + GAP));
    if (!strips?.[i]) return null;
    const k = binAt(strips[i].bins.length, this.#frame(i), e.clientX - left);
    return k < 0 ? null : [i, k];
  }
  #point(at: [number, number] | null): void {
    if (at?.join() === this.#pointed?.join()) return;
    this.#pointed = at;
    this.#read();
    this.#screen.draw();
  }
  #key(e: KeyboardEvent): void {
    const strips = this.#strips, [i, k] = this.#pointed ?? [0, -1], step = e.shiftKey ? 10 : 1;
    const to = ({ ArrowLeft: [i, k - step], ArrowRight: [i, k + step], ArrowUp: [i - 1, k], ArrowDown: [i + 1, k], Home: [i, 0], End: [i, Infinity] } as Record<string, [number, number]>)[e.key];
    if (e.key === "f") this.store.turn();
    else if (to && strips?.length) this.#point([clamp(to[0], 0, strips.length - 1), clamp(to[1], 0, strips[0].bins.length - 1)]);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  prepare(): void {
    this.#read();
  }
  render(pen: Pen, marked: boolean): void {
    const strips = this.#strips, { theme } = this.#screen;
    if (!strips) return;
    const most = max(4, ...strips.flatMap((one) => one.bins.map((bin) => max(bin.count, bin.high)))) * 1.05;
    strips.forEach(({ words, bins: all }, i) => drawSpacing(pen, words, all, most, this.#frame(i), marked && this.#pointed?.[0] === i ? this.#pointed[1] : -1, theme));
    const foot = TOP + strips.length * (STRIP + GAP) - GAP;
    drawDistances(pen, this.store.meta.max_distance, { ...this.#plot, y: foot, height: AXIS }, theme);
    const quiet = fade(theme.ink, 0.6), font = `10px ${theme.font}`, right = LEFT + this.#plot.width;
    pen.text("bases between \u00b7 square-root scale", LEFT, foot + 28, quiet, font);
    const key = "band: 5\u201395 % of chance \u00b7 dot: q \u2264 0.05";
    if (this.#narrow) pen.text(key, LEFT, foot + 42, quiet, font);
    else pen.text(key, right, foot + 28, quiet, font, "right");
  }
}

/** What is at a bin, in words. */
export function said(words: string, { from, to, count, expected, low, high, marked }: Bin): string {
  const where = from === to ? `${number(from)} bp` : `${number(from)} to ${number(to)} bp`;
  return `${words}, ${where}: ${whole(count)} \u00d7, ${number(expected)} expected [${whole(low)} to ${whole(high)}]${marked ? ", q \u2264 0.05" : ""}`;
}
