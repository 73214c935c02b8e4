/** The scores of all variants as a slider: pointer and keys move the threshold. Owns a DOM node, knows no host. */
import { abs, clamp, floor } from "../core/numbers";
import { on } from "../core/events";
import { binOf, drawHistogram, edges, type Histogram, histogram, scoreAt, stepOf } from "../draw/variantHistogram";
import type { Pen } from "../draw/glyphs";
import type { Frame } from "../draw/logo";
import { number, whole } from "../draw/scale";
import type { VariantStore } from "../state/variant";
import { el } from "./dom";
import { type Scene, Screen } from "./screen";

const LEFT = 44, RIGHT = 12, TOP = 26, HEIGHT = 132;

export class HistogramView implements Scene {
  readonly screen: Screen;
  readonly height = TOP + HEIGHT + 4;
  #words = el("div", "nbi-readout");
  #known: { score: string; histogram: Histogram } | null = null;
  #bin = -1;
  #held = false;

  constructor(root: HTMLElement, private store: VariantStore, signal: AbortSignal) {
    this.screen = new Screen(root, this, "classic", signal);
    const { canvas } = this.screen;
    canvas.setAttribute("role", "slider");
    canvas.classList.add("nbi-slider");
    root.append(canvas, this.#words);
    store.subscribe((changed) => {
      if (["score", "threshold", "example"].some((key) => key in changed)) this.update();
    }, signal);
    on(canvas, "pointerdown", (e) => { if (e.button === 0) this.#take(e); }, signal);
    on(canvas, "pointermove", (e) => this.#move(e), signal);
    for (const end of ["pointerup", "pointercancel"] as const) on(canvas, end, () => { this.#held = false; this.screen.draw(); }, signal);
    on(canvas, "pointerleave", () => { this.#bin = -1; this.update(); }, signal);
    on(canvas, "keydown", (e) => this.#key(e), signal);
    this.update();
  }

  get #histogram(): Histogram {
    const { store } = this, { name: score } = store.score;
    if (this.#known?.score !== score) this.#known = { score, histogram: histogram(store.meta.rows.map((_, i) => store.value(i))) };
    return this.#known!.histogram;
  }
  get #frame(): Frame {
    return { x: LEFT, y: TOP, width: this.screen.width - LEFT - RIGHT, height: HEIGHT };
  }
  /** "|difference|" where scores have signs. */
  get #size(): string {
    const { name } = this.store.score;
    return this.#histogram.range.low < 0 ? `|${name}|` : name;
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  update(): void {
    const { store, screen: { canvas } } = this, { threshold } = store.state, { range } = this.#histogram, words = this.#beyond();
    const attributes = {
      "aria-label": `threshold of ${this.#size}`, "aria-valuemin": "0", "aria-valuemax": String(range.high), "aria-valuenow": String(threshold),
      "aria-valuetext": words, "aria-orientation": "horizontal",
    };
    for (const [name, value] of Object.entries(attributes)) canvas.setAttribute(name, value);
    this.#read(words);
    this.screen.draw();
  }

  /** "134 of 10,000 variants with |difference| at least 0.42". */
  #beyond(): string {
    const { store } = this, { threshold } = store.state, n = store.count(), noun = store.meta.n === 1 ? "variant" : "variants";
    return threshold ? `${whole(n)} of ${whole(store.meta.n)} ${noun} with ${this.#size} \u2265 ${number(threshold)}` : `all ${whole(store.meta.n)} ${noun}: drag to set a threshold`;
  }

  #read(words = this.#beyond()): void {
    const { range, counts } = this.#histogram;
    if (this.#bin >= 0 && !this.#held) {
      const [a, b] = edges(range, this.#bin), n = counts[this.#bin];
      words = `${whole(n)} variant${n === 1 ? "" : "s"} from ${number(a)} to ${number(b)}`;
    }
    this.#words.textContent = words;
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  render(pen: Pen, marked: boolean): void {
    const { store } = this, { threshold, example } = store.state, missing = store.meta.n - this.#histogram.counts.reduce((a, b) => a + b, 0);
    const marks = { threshold, shown: store.value(example), bin: marked ? this.#bin : -1, held: this.#held };
    drawHistogram(pen, this.#histogram, marks, this.#frame, store.score.name, `variants, log scale${missing ? `; ${whole(missing)} without` : ""}`, this.screen.theme);
  }

  // --- moving the threshold ---------------------------------------------------------------------------------------------

  #x(e: PointerEvent): number {
    return e.clientX - this.screen.canvas.getBoundingClientRect().left;
  }
  #take(e: PointerEvent): void {
    this.#held = true;
    this.screen.canvas.setPointerCapture(e.pointerId);
    this.screen.canvas.focus({ preventScroll: true });
    this.#move(e);
  }
  #move(e: PointerEvent): void {
    const { range } = this.#histogram, score = scoreAt(range, this.#frame, this.#x(e));
    this.#bin = score < range.low || score > range.high ? -1 : binOf(range, score);
    if (this.#held) return this.#put(range.low < 0 ? abs(score) : score);
    this.#read();
    this.screen.draw();
  }
  /** At half a step, so that the number can be read and said; the largest score always passes. */
  #put(size: number): void {
    const { range } = this.#histogram, fine = stepOf(range) / 2;
    this.store.set({ threshold: Number((floor(clamp(size, 0, range.high) / fine + 1e-6) * fine).toPrecision(6)) });
  }

  #key(e: KeyboardEvent): void {
    const { range } = this.#histogram, step = stepOf(range), { threshold } = this.store.state;
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const by = (steps: number) => (): void => this.#put(threshold + steps * step), coarse = e.shiftKey ? 10 : 1;
    const keys: Record<string, () => void> = {
      ArrowRight: by(coarse), ArrowUp: by(coarse), ArrowLeft: by(-coarse), ArrowDown: by(-coarse), PageUp: by(10), PageDown: by(-10),
      Home: () => this.#put(0), End: () => this.#put(range.high), Escape: () => this.#put(0),
    };
    if (!(e.key in keys)) return;
    keys[e.key]();
    e.preventDefault();
    e.stopPropagation();
  }
}
