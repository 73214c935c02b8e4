/** The logo of what is chosen: its mean map with standard errors, without the background, or against another; under it its letters; beside it its activities. */
import { floor, max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { pyramid } from "../draw/lod";
import type { Frame } from "../draw/logo";
import { drawHistogram, drawLabels, drawStacks, type Range, stackRange } from "../draw/meanLogo";
import { drawMinimap, drawRuler } from "../draw/ruler";
import { number, signed } from "../draw/scale";
import { fade } from "../draw/theme";
import type { LetterKind, MapKind, SpaceState, SpaceStore } from "../state/space";
import { centred, type Drawn } from "../state/spaceLogos";
import type { Sums } from "../state/spaceSums";
import { button, el, picker } from "./dom";
import { AIR, counted, NARROW, SHOWN, SpaceAxis } from "./spaceAxis";

const RULER = 22, MAP = 16, MEAN = 104, LETTERS = 60, SIDE = 64;
const MAPS: [MapKind, string][] = [["mean", "mean map"], ["foreground", "without background"], ["difference", "difference"]];
const KINDS: [LetterKind, string][] = [["pwm", "information"], ["enrichment", "enrichment"], ["frequency", "frequency"]];
const UNITS: Record<LetterKind, string> = { pwm: "bits", enrichment: "log2", frequency: "share" };
const BASES = [..."ACGT"];

export class MeanLogoPanel extends SpaceAxis {
  protected readonly follows = [...SHOWN, "against", "map", "letters", "shared", "rate", "multiplier", "adaptive"] as const;
  #maps: HTMLSelectElement;
  #letters: HTMLSelectElement;
  #against = el("span", "");
  #toggles: [HTMLButtonElement, "centred" | "shared"][];
  /** The choices that it has. */
  #known = "";
  #note = el("span", "nbi-dim");
  #map!: Drawn;
  #seen!: Drawn;
  #kept: [unknown, WeakMap<Sums, Range>][] = [];
  #ranges: [Range, Range] = [[0, 0], [0, 0]];

  constructor(root: HTMLElement, store: SpaceStore, signal: AbortSignal) {
    super(root, store, "logo", "mean map of what is chosen: plus and minus zoom, arrows move, 0 shows all", signal);
    root.classList.add("nbi-space-logo");
    this.#maps = picker("what the upper logo shows", MAPS, store.state.map, (map) => store.set({ map: map as MapKind }), signal);
    this.#letters = picker("what the letters show", KINDS, store.state.letters, (letters) => store.set({ letters: letters as LetterKind }), signal);
    const toggle = (words: string, title: string, key: "centred" | "shared"): [HTMLButtonElement, "centred" | "shared"] => [button(words, title, () => store.set({ [key]: !store.state[key] }), signal), key];
    this.#toggles = [
      toggle("centred", "take the mean over the four bases off each position; whiskers are of the values before", "centred"),
      toggle("one scale", "the scale of all clusters, rather than of what is shown", "shared"),
    ];
    this.facts.after(this.#note);
    const tools = el("div", "nbi-bar");
    tools.append(this.#maps, this.#against, this.#letters, ...this.#toggles.map(([one]) => one));
    root.append(this.bar, tools, this.readout, this.screen.canvas);
    this.update({});
    this.read();
  }

  // --- data and words -------------------------------------------------------------------------------------------------

  protected update(changed: Partial<SpaceState>): void {
    if ("centred" in changed) this.#kept = [];
    const { store } = this, { state, state: { map, letters, shared }, subject } = store, sums = store.sums(subject);
    const shown = ({ values, errors }: Drawn): Drawn => ({ values: state.centred ? centred(values) : values, errors });
    this.#map = shown(store.matrix(map));
    this.#seen = store.matrix(letters);
    this.#ranges = [
      shared && map !== "difference" ? this.#common(0, map === "mean" ? map : store.background, (side) => shown(store.matrix(map, side))) : stackRange(this.#map.values),
      letters !== "enrichment" ? [0, letters === "pwm" && !shared ? stackRange(this.#seen.values)[1] : letters === "pwm" ? 2 : 1] : shared ? this.#common(1, "", (side) => store.matrix(letters, side)) : stackRange(this.#seen.values),
    ];
    const spread = Number.isFinite(sums.spread) ? ` \u00b1 ${number(sums.spread)}` : "", n = sums.n, other = map === "difference" ? store.sums(state.against) : sums, approximate = sums.approximate || other.approximate;
    this.facts.textContent = store.called(subject);
    this.#note.textContent = n ? `${counted(n)} \u00b7 ${store.given.activity} ${number(sums.mean)}${spread}${approximate ? " \u00b7 approximate: each fine cluster by the share of it that is selected" : ""}` : "no sequences";
    this.#maps.value = map;
    this.#letters.value = letters;
    for (const [one, key] of this.#toggles) one.setAttribute("aria-pressed", String(state[key]));
    this.#choices();
    Object.assign(this.root.dataset, { subject, map, letters, n: String(Math.round(n)) });
  }
  /** The range of all clusters, and of what is shown; of clusters that are known it is kept for as long as `stamp` is the same. */
  #common(row: 0 | 1, stamp: unknown, of: (side: string) => Drawn): Range {
    if (this.#kept[row]?.[0] !== stamp) this.#kept[row] = [stamp, new WeakMap()];
    const { store } = this, [, known] = this.#kept[row], ranges = [...store.clusters.map(({ id }) => `c${id}`), store.subject].map((side) => {
      const sums = store.sums(side), range = known.get(sums) ?? stackRange(of(side).values);
      known.set(sums, range);
      return range;
    });
    return [min(...ranges.map(([low]) => low)), max(...ranges.map(([, high]) => high))];
  }
  /** What a difference can be taken from. */
  #choices(): void {
    const { store } = this, { map, against, selections } = store.state;
    const sides = ["rest", "", ...selections.map(({ name }) => `s${name}`), ...store.clusters.map(({ id }) => `c${id}`)], known = sides.includes(against) ? sides : [...sides, against];
    const words = known.map((side): [string, string] => [side, `from ${store.called(side)}`]), now = map === "difference" ? JSON.stringify(words) : "";
    if (now !== this.#known) this.#against.replaceChildren(...(now ? [picker("what the difference is from", words, against, (side) => store.set({ against: side }))] : []));
    this.#known = now;
    const select = this.#against.querySelector("select");
    if (select) select.value = against;
  }

  protected read(): void {
    const { hover, selection } = this.store.state, { width } = this.store.given;
    if (hover === null) {
      const { start, end } = this.store.state.view, brushed = selection ? ` \u00b7 brushed ${this.told(selection[0])}\u2013${this.told(selection[1])}` : "";
      this.readout.textContent = `${this.told(floor(start))}\u2013${this.told(Math.ceil(end))} in view${brushed}`;
      return;
    }
    const { values, errors } = this.#map, narrow = this.screen.width < NARROW, unit = UNITS[this.store.state.letters];
    const words = BASES.map((base, b) => {
      const at = b * width + hover, spread = errors?.[at] ? ` \u00b1 ${number(errors[at])}` : "";
      return ` \u00b7 ${base} ${signed(values[at])}${narrow ? "" : `${spread} (${number(this.#seen.values[at])} ${unit})`}`;
    });
    this.readout.replaceChildren(el("b", "", this.told(hover)), ` ${BASES[this.store.reference[hover]] ?? "N"}${narrow ? "" : " in the reference"}`, ...words);
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  get height(): number {
    return RULER + MAP + AIR + MEAN + AIR + LETTERS + AIR;
  }
  override at(_x: number, y: number): "rows" | "ruler" | "minimap" {
    return y < RULER ? "ruler" : y < RULER + MAP + AIR / 2 ? "minimap" : "rows";
  }
  get #upper(): Frame {
    return { ...this.plot, y: RULER + MAP + AIR, height: MEAN };
  }
  get #lower(): Frame {
    return { ...this.plot, y: RULER + MAP + AIR + MEAN + AIR, height: LETTERS };
  }

  render(pen: Pen, marked: boolean): void {
    const { store, store: { state, given, original }, plot, screen: { theme } } = this, { view } = state, upper = this.#upper, lower = this.#lower, sums = store.sums(store.subject), narrow = this.screen.width < NARROW;
    drawRuler(pen, view, original.offset, { ...plot, y: 0, height: RULER }, theme);
    drawMinimap(pen, pyramid(this.#sizes()), given.width, view, { ...plot, y: RULER, height: MAP }, theme);
    if (marked) this.mark(pen, upper.y, lower.y + lower.height);
    drawLabels(pen, state.map === "mean" ? "mean map" : state.map, narrow ? "" : state.map === "difference" ? "\u00b1 standard error" : "attribution", this.#ranges[0], upper, theme);
    drawLabels(pen, KINDS.find(([kind]) => kind === state.letters)![1], UNITS[state.letters], this.#ranges[1], lower, theme);
    const none = !sums.n ? "no sequences" : state.map === "difference" && !store.sums(state.against).n ? "nothing is left to take the difference from" : "";
    if (none) return pen.text(none, plot.x + plot.width / 2, upper.y + MEAN / 2, fade(theme.ink, 0.5), `12px ${theme.font}`, "center");
    drawStacks(pen, this.#map, view, upper, this.#ranges[0], theme);
    drawStacks(pen, this.#seen, view, lower, this.#ranges[1], theme);
    if (!narrow) this.#activities(pen, { x: plot.x + plot.width + 2 * AIR, y: upper.y, width: this.screen.width - plot.x - plot.width - 3 * AIR, height: SIDE });
  }
  #activities(pen: Pen, frame: Frame): void {
    const { store, screen: { theme } } = this, own = store.sums(store.subject);
    drawHistogram(pen, store.sums("").part("y_counts"), own.part("y_counts"), own.mean, store.given.range, frame, theme);
    pen.text(store.given.activity, frame.x, frame.y + SIDE + 26, fade(theme.ink, 0.55), `10px ${theme.font}`);
  }
  /** How much stands at each position. */
  #sizes(): Float32Array {
    const { values } = this.#map, w = this.store.given.width, sizes = new Float32Array(w);
    values.forEach((v, i) => { sizes[i % w] += Math.abs(v) || 0; });
    return sizes;
  }

  override click(x: number, y: number): void {
    super.click(x, y);
    this.store.set({ position: this.inside(x) && this.at(x, y) === "rows" ? this.store.state.hover : null });
  }
}
