/** Every two of many motifs as a person sees them: a map of pairs to choose from, and the chosen pair against its distance. */
import { atEnd, on } from "../core/events";
import { abs, clamp, max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { type Cell, cellSize, drawGrid, drawScale } from "../draw/interactionGrid";
import { number, signed, whole } from "../draw/scale";
import { fade } from "../draw/theme";
import { saidOf, type SpacingStore, wordsOf } from "../state/spacing";
import { button, el } from "./dom";
import { type Scene, Screen } from "./screen";
import { SpacingViewer } from "./spacing";
import { type At, outline, type Pairs, Triangle } from "./triangle";

const TOP = 12, LEFT = 8, KEY = 52, WIDE = 860, SHARE = 0.42;

export class InteractionViewer implements Scene, Pairs {
  readonly pair: SpacingViewer;
  #map = el("div", "nbi-map");
  #cells: Triangle;
  #at: HTMLInputElement;
  #where = el("span", "nbi-dim");
  #readout = el("div", "nbi-readout");
  #screen: Screen;
  #names: string[];
  #pairs = new Map<string, number>();
  #pointed = -1;

  constructor(private root: HTMLElement, private store: SpacingStore, signal: AbortSignal) {
    root.classList.add("nbi-interaction");
    root.dataset.jpSuppressContextMenu = "";
    const { meta } = store, chosen = el("div", "nbi-chosen"), bar = el("div", "nbi-bar"), sides = el("div", "nbi-sides");
    this.#names = meta.motifs.map((one) => one.name);
    meta.pairs.forEach(([a, b], i) => this.#pairs.set(`${max(a, b)} ${min(a, b)}`, i));
    this.#cells = new Triangle(this, "pairs of motifs", signal);
    this.#screen = new Screen(this.#map, this, meta.colors, signal);
    const far = String(meta.distances.length);
    this.#at = el("input", "nbi-at", "", { type: "range", min: "0", max: far, step: "1", "aria-label": "distance of the map" });
    on(this.#at, "input", () => store.set({ at: Number(this.#at.value) ? meta.distances[Number(this.#at.value) - 1] : -1 }), signal);
    bar.append(this.#at, this.#where, el("span", "nbi-space"));
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the map as ${kind}`, () => this.#screen.save(kind, "interactions"), signal));
    this.#screen.canvas.removeAttribute("tabindex");
    this.#screen.canvas.setAttribute("role", "presentation");
    this.#map.append(bar, this.#readout, this.#frame());
    sides.append(this.#map, chosen);
    root.append(sides);
    this.pair = new SpacingViewer(chosen, store, signal, true);
    const arrange = (): void => this.#arrange(), sizes = new ResizeObserver(arrange);
    sizes.observe(root);
    atEnd(signal, () => sizes.disconnect());
    store.subscribe((changed) => {
      if (["pair", "value", "at"].some((key) => key in changed)) this.#describe();
      this.#screen.draw();
    }, signal);
    this.#describe();
  }

  #frame(): HTMLElement {
    const box = el("div", "nbi-box");
    box.append(this.#screen.canvas, this.#cells.box);
    return box;
  }

  get at(): At {
    const [a, b] = this.store.meta.pairs[this.store.state.pair];
    return [max(a, b), min(a, b)];
  }
  #pairAt(i: number, j: number): number {
    return this.#pairs.get(`${i} ${j}`) ?? -1;
  }
  choose([i, j]: At): void {
    const pair = this.#pairAt(i, j), { at } = this.store.state;
    if (pair < 0) return;
    this.store.set({ pair });
    if (at >= 0) this.store.set({ distance: at, arrangement: this.store.best(pair, at).at.arrangement });
  }
  point(at: At | null): void {
    this.#pointed = at ? this.#pairAt(...at) : -1;
    this.#read();
    this.#screen.draw();
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #describe(): void {
    const { store, root } = this, { at, value, pair } = store.state;
    this.#at.value = String(at < 0 ? 0 : store.meta.distances.indexOf(at) + 1);
    this.#where.textContent = at < 0 ? "strongest at any distance" : `strongest at ${whole(at)} bp`;
    this.#at.setAttribute("aria-valuetext", this.#where.textContent);
    this.#cells.describe(this.#names.length);
    Object.assign(root.dataset, { pair: store.names(pair).join(" "), at: String(at), value });
    this.#read();
  }
  #read(): void {
    const words = this.#words(this.#pointed >= 0 ? this.#pointed : this.store.state.pair);
    this.#readout.textContent = words;
  }
  said([i, j]: At): string {
    return this.#words(this.#pairAt(i, j), true);
  }
  #words(pair: number, heard = false): string {
    const { store } = this, { value, at } = store.state;
    if (pair < 0) return "not in the table";
    const [a, b] = store.names(pair), { reading, at: { arrangement, distance } } = store.best(pair, at), together = `${a} and ${b}`;
    if (!Number.isFinite(reading.value)) return `${together}: not measured`;
    const spread = Number.isFinite(reading.low) ? ` [${number(reading.low)} to ${number(reading.high)}]` : "";
    return `${together}: ${value} ${signed(reading.value)}${spread} at ${whole(distance)} bp, ${heard ? saidOf(arrangement, a, b) : wordsOf(arrangement, a, b)}`;
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  get #labels(): number {
    return max(...this.#names.map((name) => name.length)) * 7 + 16;
  }
  get #size(): number {
    return cellSize(this.#names.length, this.#screen.width - LEFT, this.#labels);
  }
  get height(): number {
    return TOP + this.#size * this.#names.length + KEY;
  }

  /** The map beside the pair where there is room, above it where there is not. */
  #arrange(): void {
    const width = this.root.clientWidth, wide = width >= WIDE, wanted = this.#names.length * 40 + this.#labels + LEFT;
    this.root.dataset.wide = wide ? "1" : "0";
    this.#map.style.flexBasis = wide ? `${clamp(wanted, 300, width * SHARE)}px` : "100%";
  }

  #cell(i: number, j: number): Cell | null {
    const pair = this.#pairAt(i, j);
    if (pair < 0) return null;
    const { value, low, high } = this.store.best(pair, this.store.state.at).reading;
    return { value, sure: !(low <= 0 && high >= 0) };
  }

  render(pen: Pen, marked: boolean): void {
    const { store } = this, { theme } = this.#screen, size = this.#size, most = max(...store.meta.pairs.map((_, i) => abs(store.best(i).reading.value) || 0)), [row, column] = this.at;
    const values = this.#names.map((_, i) => Array.from({ length: i + 1 }, (__, j) => this.#cell(i, j)));
    drawGrid(pen, this.#names, (i, j) => values[i][j], most, size, { x: LEFT, y: TOP }, theme);
    if (marked) outline(pen, LEFT + column * size, TOP + row * size, size - 1, size - 1, theme.ink);
    const foot = TOP + size * this.#names.length + 14;
    drawScale(pen, most || 1, { x: LEFT + 16, y: foot, width: 180, height: 8 }, theme);
    if (this.#screen.width > 420) pen.text("small: interval holds zero", LEFT + 220, foot + 4, fade(theme.ink, 0.6), `10px ${theme.font}`);
  }
  painted(): void {
    this.#cells.place(LEFT, TOP, this.#size);
  }
}
