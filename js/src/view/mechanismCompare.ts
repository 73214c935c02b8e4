/** What is chosen against something else: the difference of their maps with its error, where it is more than chance, their activities, the bases that tell them apart, and their nearest sequences. */
import { abs, floor, max } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { strength } from "../draw/interactionGrid";
import { drawHistogram, drawLabels, drawStacks, type Range, stackRange } from "../draw/meanLogo";
import { drawRuler } from "../draw/ruler";
import { number, signed, whole } from "../draw/scale";
import { effectOf, fade } from "../draw/theme";
import { type Change, nearestPairs, oddsOf, type Pair, type Pairs, type Welch, welch, welchOf } from "../state/mechanismCompare";
import type { Side, SpaceStore } from "../state/space";
import { type Drawn, difference } from "../state/spaceLogos";
import type { Sums } from "../state/spaceSums";
import { button, el, picker } from "./dom";
import { AIR, counted, NARROW, SpaceAxis } from "./spaceAxis";

const RULER = 22, TALL = 96, CELL = 9, SIDE = 64, ROWS = 12, PAIRS = 8, CHANGES = 12, SURE = 0.05, BASES = "ACGTN";

export class ComparePanel extends SpaceAxis {
  protected readonly follows = ["cut", "edits", "names", "chosen", "selections", "selected", "against"] as const;
  #against = el("span", "");
  #known = "";
  #note = el("div", "nbi-dim");
  #odds = el("table", "nbi-agree");
  #near = el("div", "nbi-near");
  #back: HTMLButtonElement;
  #find: HTMLButtonElement;
  #found: Pairs | null | undefined;
  #difference: Drawn = { values: new Float64Array(0) };
  #welch!: Welch;
  #range: Range = [0, 0];

  /** `show` is told of sequences that a person wants to see. */
  constructor(root: HTMLElement, store: SpaceStore, signal: AbortSignal, private show?: (rows: number[]) => void) {
    super(root, store, "comparison", "difference of mean maps: plus and minus zoom, arrows move, 0 shows all", signal);
    root.classList.add("nbi-space-compare");
    const tools = el("div", "nbi-bar"), tables = el("div", "nbi-compare");
    this.#back = button("turn", "compare the other way", () => this.#turn(), signal);
    this.#find = button("nearest sequences", "the pairs of sequences, one of each side, that the fewest mutations part", () => {
      this.#found = nearestPairs(store, ...this.#sides, PAIRS);
      this.#list();
    }, signal);
    tools.append(this.#against, this.#back, this.#find);
    tables.append(this.#odds, this.#near);
    root.append(this.bar, tools, this.#note, this.readout, this.screen.canvas, tables);
    this.update();
    this.read();
  }

  get #sides(): [Side, Side] {
    const { subject, state: { against } } = this.store;
    return [subject, against];
  }
  get #sums(): [Sums, Sums] {
    const [a, b] = this.#sides;
    return [this.store.sums(a), this.store.sums(b)];
  }
  /** What stood against it is chosen, and it stands against that. */
  #turn(): void {
    const [a, b] = this.#sides, { store } = this;
    if (b[0] === "s") store.set({ selected: b.slice(1), against: a });
    else if (b[0] === "c") store.set({ chosen: b.slice(1).split(" ").map(Number), selected: "", against: a });
  }

  protected update(): void {
    const { store } = this, [one, other] = this.#sums, [a, b] = this.#sides.map((side) => store.called(side)), known = one.n > 0 && other.n > 0;
    this.#difference = difference(one, other);
    this.#range = stackRange(this.#difference.values);
    this.#welch = welchOf(one, other);
    this.facts.textContent = known ? `${a} against ${b}` : "choose clusters, or draw about points, to compare them";
    this.#note.textContent = known ? this.#said(one, other) : "";
    this.#choices();
    this.#found = undefined;
    this.#find.hidden = !known;
    this.#back.hidden = !/^[cs]/.test(this.#sides[1]);
    this.#table(known ? oddsOf(one, other, ROWS) : []);
    this.#list();
    Object.assign(this.root.dataset, { a: this.#sides[0], b: this.#sides[1] });
  }
  /** "300 sequences, prediction 2.1 ± 0.4; 1,700 sequences, 0.3 ± 0.2; +1.8 ± 0.03, t 60, p 1e-300". */
  #said(one: Sums, other: Sums): string {
    const { given: { activity } } = this.store, of = (sums: Sums): string => `${sums.approximate ? "about " : ""}${counted(sums.n)}, ${activity} ${number(sums.mean)}${give(sums.spread)}`;
    const [e, f] = [one, other].map((sums) => sums.spread / Math.sqrt(sums.n)), { t, p } = welch(one.mean, other.mean, e, f, one.n, other.n), [x, y] = this.#sides.map((side) => this.store.points(side));
    const shared = x.some((byte, i) => byte & y[i]) ? " \u00b7 some sequences are on both sides: t is too small" : "";
    return `${of(one)} against ${of(other)}: ${signed(one.mean - other.mean)}${give(Math.hypot(e, f))}${p >= 0 ? `, Welch\u2019s t ${number(t)}, p ${small(p)}` : ""}${shared}`;
  }
  #choices(): void {
    const { store } = this, { against, selections } = store.state, sides = [...new Set(["rest", "", ...selections.map(({ name }) => `s${name}`), ...store.clusters.map(({ id }) => `c${id}`), against])].filter((side) => side !== store.subject);
    const words = sides.map((side): [string, string] => [side, `against ${store.called(side)}`]), now = JSON.stringify([words, against]);
    if (now !== this.#known) this.#against.replaceChildren(picker("what it is compared with", words, against, (side) => store.set({ against: side })));
    this.#known = now;
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  protected read(): void {
    const { hover } = this.store.state, { width } = this.store.given, { values, errors } = this.#difference, { t, q } = this.#welch;
    const said = [0, 1, 2, 3].map((b) => b * width + hover!).sort((i, j) => abs(t[j]) - abs(t[i])).map((i) => `${BASES[floor(i / width)]} ${signed(values[i])}${give(errors![i])}${t[i] ? `, t ${number(t[i])}` : ""}${q[i] < SURE ? `, q ${small(q[i])}` : ""}`);
    this.readout.textContent = hover === null ? "" : [this.told(hover), ...said].join(" \u00b7 ");
  }

  /** The bases that tell the two apart. */
  #table(odds: ReturnType<typeof oddsOf>): void {
    const { store } = this, names = this.#sides.map((side) => `in ${store.called(side)}`);
    this.#odds.hidden = !odds.length;
    this.#odds.replaceChildren(el("caption", "", "bases that tell them apart, the surest first"), row("th", ["base", ...names, "log2 odds", "\u00b1"]), ...odds.map(({ position, base, shares, ratio, error }) => {
      const own = BASES[store.reference[position]] + this.told(position), name = store.reference[position] === base ? `${own} kept` : own + BASES[base];
      const line = row("td", ["", ...shares.map((v) => `${number(100 * v)} %`), signed(ratio), number(error)]);
      line.firstElementChild!.append(button(name, "look at this position", () => store.set({ position, hover: position })));
      return line;
    }));
  }
  /** The nearest sequences, once they were asked for. */
  #list(): void {
    const found = this.#found, [a, b] = this.#sides.map((side) => this.store.called(side));
    if (!found) return this.#near.replaceChildren(found === null ? "the sequences are not in the page: ask for them in Python" : "");
    const { pairs, first, tried, all } = found, part = tried.map((n, k) => (n < all[k] ? `the ${whole(n)} of ${whole(all[k])} nearest to the reference` : `all ${whole(n)}`));
    const table = el("table", "nbi-agree"), lines = [...first, ...pairs].map((pair) => this.#pair(pair, first.includes(pair)));
    table.append(el("caption", "", `fewest mutations from ${a} (${part[0]}) to ${b} (${part[1]})`), ...lines);
    this.#near.replaceChildren(table);
  }
  #pair({ rows, changes }: Pair, plain: boolean): HTMLElement {
    const named = (row: number): string => (row < 0 ? "reference" : `row ${whole(row)}`), line = row("td", ["", String(changes.length), this.#words(changes)]);
    line.firstElementChild!.append(button(`${named(rows[0])} \u2192 ${named(rows[1])}`, "show them among the points", () => this.show?.(rows.filter((one) => one >= 0))));
    if (plain) line.className = "nbi-dim";
    return line;
  }
  /** "A12G T40C and 3 more". */
  #words(changes: Change[]): string {
    const said = changes.slice(0, CHANGES).map(([at, from, to]) => `${BASES[from]}${at + this.store.original.offset}${BASES[to]}`).join(" ");
    return changes.length > CHANGES ? `${said} and ${changes.length - CHANGES} more` : said || "the same";
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  get height(): number {
    return RULER + AIR + TALL + AIR + 4 * CELL + AIR;
  }
  override at(_x: number, y: number): "rows" | "ruler" {
    return y < RULER ? "ruler" : "rows";
  }

  render(pen: Pen, marked: boolean): void {
    const { store: { state: { view }, given, original }, plot, screen: { theme } } = this, frame = { ...plot, y: RULER + AIR, height: TALL }, [one, other] = this.#sums;
    drawRuler(pen, view, original.offset, { ...plot, y: 0, height: RULER }, theme);
    if (marked) this.mark(pen, frame.y, this.height - AIR);
    if (!one.n || !other.n) return pen.text("nothing to compare", plot.x + plot.width / 2, frame.y + TALL / 2, fade(theme.ink, 0.5), `12px ${theme.font}`, "center");
    const narrow = this.screen.width < NARROW;
    drawLabels(pen, "difference", narrow ? "" : "\u00b1 standard error", this.#range, frame, theme);
    drawStacks(pen, this.#difference, view, frame, this.#range, theme);
    this.#grid(pen, frame.y + TALL + AIR);
    if (narrow) return;
    BASES.slice(0, 4).split("").forEach((base, b) => pen.text(base, plot.x + plot.width + 6, frame.y + TALL + AIR + (b + 0.5) * CELL, theme.bases[b], `9px ${theme.font}`));
    const side = { x: plot.x + plot.width + 2 * AIR, y: frame.y, width: this.screen.width - plot.x - plot.width - 3 * AIR, height: SIDE };
    drawHistogram(pen, other.part("y_counts"), one.part("y_counts"), one.mean, given.range, side, theme);
    pen.text(`${given.activity} (grey: the other)`, side.x + side.width, side.y + SIDE + 26, fade(theme.ink, 0.55), `10px ${theme.font}`, "right");
  }
  /** Welch's t of each base: full where it is more than chance, else small. */
  #grid(pen: Pen, top: number): void {
    const { store: { given, state: { view } }, plot: { x: left, width }, p, screen: { theme } } = this, { t, q } = this.#welch, most = t.reduce((high, v) => (abs(v) < Infinity ? max(high, abs(v)) : high), 0), w = max(p - (p > 3 ? 0.6 : 0), 1);
    pen.text("t", left - 8, top + 2 * CELL, fade(theme.ink, 0.55), `10px ${theme.font}`, "right");
    pen.clip(left, top, width, 4 * CELL);
    for (let b = 0; b < 4; b++) for (let i = max(floor(view.start), 0); i < view.end && i < given.width; i++) {
      const v = t[b * given.width + i], sure = q[b * given.width + i] < SURE, high = sure ? CELL - 1 : 2;
      if (v) pen.rect(this.x(i), top + b * CELL + (CELL - 1 - high) / 2, w, high, effectOf(theme, v), strength(v, most) * (sure ? 1 : 0.5));
    }
    pen.unclip();
  }
}

/** " ± 0.3", where it is known. */
const give = (error: number): string => (error >= 0 ? ` \u00b1 ${number(error)}` : "");
const small = (p: number): string => (p < 1e-300 ? "< 1e\u2212300" : number(p));

function row(kind: "th" | "td", cells: string[]): HTMLTableRowElement {
  const one = el("tr", "");
  one.append(...cells.map((words) => el(kind, "", words)));
  return one;
}
