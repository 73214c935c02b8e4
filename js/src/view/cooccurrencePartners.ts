/** All partners of the motif that is chosen, and how far from it each stands. */
import { on } from "../core/events";
import { abs, ceil, clamp, max, min } from "../core/numbers";
import { columnUnder, drawAround, drawAroundAxis, short } from "../draw/cooccurrence";
import type { Pen } from "../draw/glyphs";
import type { Frame } from "../draw/logo";
import { fade } from "../draw/theme";
import { type Bin, binSize, type CooccurrenceState, type CooccurrenceStore } from "../state/cooccurrence";
import { said } from "./cooccurrencePair";
import { button, el, picker } from "./dom";
import { type Scene, Screen } from "./screen";

const ROW = 13, GAP = 8, TOP = 18, AXIS = 24, RIGHT = 8, LABEL = 14, LEAST = 2;

export class PartnersViewer implements Scene {
  #screen: Screen;
  #title = el("span", "nbi-facts-line");
  #readout = el("div", "nbi-readout", "", { "aria-live": "polite" });
  #value: HTMLSelectElement;
  /** Lane and column under the pointer. */
  #pointed: [number, number] = [-1, -1];
  #known: { key: string; lanes: { partner: number; bins: Bin[] }[] } | null = null;

  constructor(private root: HTMLElement, private store: CooccurrenceStore, signal: AbortSignal) {
    const bar = el("div", "nbi-bar");
    this.#screen = new Screen(root, this, "classic", signal);
    const { canvas } = this.#screen;
    this.#value = picker("what the map of partners shows", [["enrichment", "enrichment"], ["count", "number"]], store.state.partners, (partners) => store.set({ partners: partners as CooccurrenceState["partners"] }), signal);
    bar.append(this.#title, this.#value, el("span", "nbi-space"));
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the partners as ${kind}`, () => this.#screen.save(kind, "partners"), signal));
    root.append(bar, this.#readout, canvas);
    canvas.setAttribute("aria-label", "distances of all partners; up and down choose a partner, left and right read out distances");
    on(canvas, "pointermove", (e) => this.#point(this.#under(e)), signal);
    on(canvas, "pointerleave", () => this.#point([-1, -1]), signal);
    on(canvas, "click", (e) => this.#take(this.#under(e as PointerEvent)[0]), signal);
    on(canvas, "keydown", (e) => { if (!e.ctrlKey && !e.metaKey && !e.altKey) this.#key(e); }, signal);
    store.subscribe(() => this.#describe(), signal);
    this.#describe();
  }

  // --- data -----------------------------------------------------------------------------------------------------------

  get #lanes(): { partner: number; bins: Bin[] }[] {
    const [motif] = this.store.chosen, { max_distance } = this.store.meta, { filter, order } = this.store.state;
    const size = binSize(max_distance, (this.#plot.width - GAP) / 2, LEAST), key = `${motif} ${size} ${order} ${filter}`;
    if (this.#known?.key !== key) this.#known = { key, lanes: motif < 0 ? [] : this.store.around(motif, size) };
    return this.#known.lanes;
  }
  get #labels(): number {
    return max(24, ...this.store.shown.map((i) => min(this.store.meta.names[i].length, LABEL) * 7.2 + 12));
  }
  get #plot(): { x: number; width: number } {
    const x = this.#labels;
    return { x, width: max(this.#screen.width - x - RIGHT, 80) };
  }
  get #frame(): Frame {
    return { ...this.#plot, y: TOP, height: this.#lanes.length * ROW };
  }
  get height(): number {
    return this.#lanes.length ? TOP + this.#lanes.length * ROW + AXIS : 0;
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #describe(): void {
    const { motif, state: { partners } } = this.store;
    this.#value.value = partners;
    this.#pointed = [-1, -1];
    this.#title.textContent = motif ? `partners of ${motif}` : "no motif";
    Object.assign(this.root.dataset, { motif: motif ?? "", partners });
    this.#read();
    this.#screen.draw();
  }
  #read(): void {
    const { store, store: { meta } } = this, lanes = this.#lanes, [i, k] = this.#pointed, lane = lanes[i];
    const absent = store.shown.length - lanes.length;
    if (!lane?.bins[k]) {
      this.#readout.textContent = absent && store.motif ? `${absent} partners are too rare for their spacings to be in the page` : lanes.length ? "click a row to choose the partner" : "";
      return;
    }
    const bin = lane.bins[k], half = lane.bins.length / 2, side = meta.stranded ? (k < half ? "upstream" : "downstream") : k < half ? "to its left" : "to its right";
    const [from, to] = [bin.from, bin.to].map(abs).sort((a, b) => a - b);
    this.#readout.textContent = said(`${meta.names[lane.partner]} ${side}`, { ...bin, from, to });
  }

  // --- pointing -------------------------------------------------------------------------------------------------------

  #under(e: PointerEvent): [number, number] {
    const { left, top } = this.#screen.canvas.getBoundingClientRect(), lanes = this.#lanes, i = Math.floor((e.clientY - top - TOP) / ROW);
    return lanes[i] ? [i, columnUnder(e.clientX - left, lanes[i].bins.length, GAP, this.#frame)] : [-1, -1];
  }
  #point(at: [number, number]): void {
    if (at.join() === this.#pointed.join()) return;
    this.#pointed = at;
    this.#read();
    this.#screen.draw();
  }
  #take(lane: number): void {
    const partner = this.#lanes[lane]?.partner;
    if (partner !== undefined) this.store.choose(this.store.chosen[0], partner);
  }
  #key(e: KeyboardEvent): void {
    const lanes = this.#lanes, now = lanes.findIndex((one) => one.partner === this.store.chosen[1]), [, k] = this.#pointed;
    const down = { ArrowUp: -1, ArrowDown: 1 }[e.key], right = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (!lanes.length || (!down && !right)) return;
    if (down) this.#take(clamp(now + down, 0, lanes.length - 1));
    else this.#point([max(now, 0), clamp((k < 0 ? ceil(lanes[0].bins.length / 2) - (right! > 0 ? 1 : 0) : k) + right! * (e.shiftKey ? 10 : 1), 0, lanes[0].bins.length - 1)]);
    e.preventDefault();
    e.stopPropagation();
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  prepare(): void {
    this.#read();
  }
  render(pen: Pen, marked: boolean): void {
    const { store, store: { meta } } = this, { theme } = this.#screen, frame = this.#frame, lanes = this.#lanes;
    if (!lanes.length) return;
    const words = meta.stranded ? ["upstream", "downstream"] : ["to the left", "to the right"];
    pen.text(words[0], frame.x, 8, fade(theme.ink, 0.6), `10px ${theme.font}`);
    pen.text(words[1], frame.x + frame.width, 8, fade(theme.ink, 0.6), `10px ${theme.font}`, "right");
    const shown = lanes.map(({ partner, bins }) => ({ name: short(meta.names[partner], LABEL), bins, chosen: partner === store.chosen[1] }));
    drawAround(pen, shown, store.state.partners, { row: ROW, gap: GAP }, frame, marked ? this.#pointed : [-1, -1], theme);
    pen.rect(frame.x + frame.width / 2 - 1, frame.y, 2, frame.height - 1, theme.ink, 0.5);
    drawAroundAxis(pen, meta.max_distance, GAP, { ...frame, y: frame.y + frame.height, height: AXIS }, theme);
  }
}
