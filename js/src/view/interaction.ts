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

const TOP = 12, LEFT = 8, KEY = 52, WIDE = 860, SHARE = 0.42;

export class InteractionViewer implements Scene {
  readonly pair: SpacingViewer;
  #map = el("div", "nbi-map");
  #cells = el("div", "nbi-cells", "", { role: "grid", "aria-label": "pairs of motifs" });
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
    this.#build(signal);
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
    box.append(this.#screen.canvas, this.#cells);
    return box;
  }

  /** Cells for pointers, keys and screen readers, over the picture of them. */
  #build(signal: AbortSignal): void {
    this.#names.forEach((_, i) => {
      const row = el("div", "nbi-cells-row", "", { role: "row" });
      for (let j = 0; j <= i; j++) row.append(el("div", "nbi-cell", "", { role: "gridcell", "data-at": `${i} ${j}`, tabindex: "-1" }));
      this.#cells.append(row);
    });
    const cell = (e: Event): [number, number] | null => (((e.target as HTMLElement).dataset.at?.split(" ").map(Number) as [number, number] | undefined) ?? null);
    on(this.#cells, "pointerover", (e) => this.#point(cell(e)), signal);
    on(this.#cells, "pointerleave", () => this.#point(null), signal);
    on(this.#cells, "click", (e) => { const at = cell(e); if (at) this.#choose(at); }, signal);
    on(this.#cells, "keydown", (e) => { if (!e.ctrlKey && !e.metaKey && !e.altKey) this.#key(e); }, signal);
  }

  get #chosen(): [number, number] {
    const [a, b] = this.store.meta.pairs[this.store.state.pair];
    return [max(a, b), min(a, b)];
  }
  #pairAt(i: number, j: number): number {
    return this.#pairs.get(`${i} ${j}`) ?? -1;
  }
  #choose([i, j]: [number, number]): void {
    const pair = this.#pairAt(i, j), { at } = this.store.state;
    if (pair < 0) return;
    this.store.set({ pair });
    if (at >= 0) this.store.set({ distance: at, arrangement: this.store.best(pair, at).at.arrangement });
  }
  #key(e: KeyboardEvent): void {
    const [i, j] = this.#chosen, last = this.#names.length - 1;
    const steps: Record<string, [number, number]> = { ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1], Home: [i, 0], End: [i, i] };
    const to = steps[e.key];
    if (!to) return;
    e.preventDefault();
    e.stopPropagation();
    const row = clamp(to[0], 0, last);
    this.#choose([row, clamp(to[1], 0, row)]);
    this.#cells.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
  }
  #point(at: [number, number] | null): void {
    this.#pointed = at ? this.#pairAt(...at) : -1;
    this.#read();
    this.#screen.draw();
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #describe(): void {
    const { store, root } = this, { at, value, pair } = store.state, [row, column] = this.#chosen;
    this.#at.value = String(at < 0 ? 0 : store.meta.distances.indexOf(at) + 1);
    this.#where.textContent = at < 0 ? "strongest at any distance" : `strongest at ${whole(at)} bp`;
    this.#at.setAttribute("aria-valuetext", this.#where.textContent);
    for (const cell of this.#cells.querySelectorAll<HTMLElement>(".nbi-cell")) {
      const [i, j] = cell.dataset.at!.split(" ").map(Number), here = i === row && j === column;
      cell.setAttribute("aria-selected", String(here));
      cell.tabIndex = here ? 0 : -1;
      cell.setAttribute("aria-label", this.#words(this.#pairAt(i, j), true));
    }
    Object.assign(root.dataset, { pair: store.names(pair).join(" "), at: String(at), value });
    this.#read();
  }
  #read(): void {
    const words = this.#words(this.#pointed >= 0 ? this.#pointed : this.store.state.pair);
    this.#readout.textContent = words;
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
    const { store } = this, { theme } = this.#screen, size = this.#size, most = max(...store.meta.pairs.map((_, i) => abs(store.best(i).reading.value) || 0)), [row, column] = this.#chosen;
    const values = this.#names.map((_, i) => Array.from({ length: i + 1 }, (__, j) => this.#cell(i, j)));
    drawGrid(pen, this.#names, (i, j) => values[i][j], most, size, { x: LEFT, y: TOP }, theme);
    if (marked) this.#outline(pen, LEFT + column * size, TOP + row * size, size - 1, theme.ink);
    const foot = TOP + size * this.#names.length + 14;
    drawScale(pen, most || 1, { x: LEFT + 16, y: foot, width: 180, height: 8 }, theme);
    if (this.#screen.width > 420) pen.text("small: interval holds zero", LEFT + 220, foot + 4, fade(theme.ink, 0.6), `10px ${theme.font}`);
  }
  #outline(pen: Pen, x: number, y: number, size: number, color: string): void {
    for (const [a, b, c, d] of [[0, 0, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 0, 0]]) pen.line(x + a * size, y + b * size, x + c * size, y + d * size, color, 1.5);
  }
  painted(): void {
    this.#cells.style.setProperty("--nbi-size", `${this.#size}px`);
    this.#cells.style.inset = `${TOP}px auto auto ${LEFT}px`;
  }
}
