/** Which annotations come together, as a person sees it: a map of pairs to choose from, the spacing of the chosen one, its motif's partners, and the strongest as tables. */
import { atEnd } from "../core/events";
import { clamp } from "../core/numbers";
import { whole } from "../draw/scale";
import type { CooccurrenceStore } from "../state/cooccurrence";
import { MapViewer } from "./cooccurrenceMap";
import { PairViewer } from "./cooccurrencePair";
import { PartnersViewer } from "./cooccurrencePartners";
import { button, el } from "./dom";
import { type Column, TableViewer } from "./table";

const WIDE = 860, SHARE = 0.5, LEAST = 440, TABLE = 220;
const text = (name: string): Column => ({ name, kind: "text" }), figure = (name: string, hint: string): Column => ({ name, kind: "number", hint });
const Q = figure("q", "< 0.01"), EXPECTED = figure("expected", "> 1");
const PAIRS = [text("motif"), text("partner"), figure("log2", "> 0"), Q, figure("sequences", "> 9"), EXPECTED];
const SPACINGS = [text("motif"), text("partner"), figure("distance", "< 20"), Q, figure("seen", "> 9"), EXPECTED, text("partner lies")];

export class CooccurrenceViewer {
  #map = el("div", "nbi-map");
  #chosen = el("div", "nbi-chosen");
  #tables = el("div", "nbi-tables");

  constructor(private root: HTMLElement, private store: CooccurrenceStore, signal: AbortSignal) {
    root.classList.add("nbi-cooccurrence");
    root.dataset.jpSuppressContextMenu = "";
    const sides = el("div", "nbi-sides"), pair = el("div", "nbi-pair"), partners = el("div", "nbi-partners"), { meta } = store;
    const strands = meta.stranded || !meta.names.length ? "" : ", strands not known";
    const facts = el("div", "nbi-dim", `${whole(meta.n_annotations)} annotations in ${whole(meta.n_examples)} sequences${strands}`);
    root.append(facts);
    if (meta.names.length) this.#show(sides, pair, partners, signal);
    else root.append(el("div", "nbi-none", "nothing to count: the table of annotations is empty"));
  }

  #show(sides: HTMLElement, pair: HTMLElement, partners: HTMLElement, signal: AbortSignal): void {
    const { root, store } = this;
    this.#chosen.append(pair, partners);
    sides.append(this.#map, this.#chosen, this.#tables);
    root.append(sides);
    const map = new MapViewer(this.#map, store, signal);
    new PairViewer(pair, store, signal);
    new PartnersViewer(partners, store, signal);
    this.#list(signal);
    const sizes = new ResizeObserver(() => this.#arrange(map.wanted));
    sizes.observe(root);
    atEnd(signal, () => sizes.disconnect());
    store.subscribe((changed) => { if ("filter" in changed) this.#arrange(map.wanted); }, signal);
  }

  /** The map beside the pair where there is room, above it where there is not. */
  #arrange(wanted: number): void {
    const width = this.root.clientWidth, wide = width >= WIDE;
    this.root.dataset.wide = wide ? "1" : "0";
    this.root.style.setProperty("--nbi-left", `${clamp(wanted, LEAST, width * SHARE)}px`);
  }

  /** The strongest pairs and the strongest spacings, one table at a time. */
  #list(signal: AbortSignal): void {
    const { meta } = this.store, boxes = [el("div", ""), el("div", "")], bar = el("div", "nbi-bar", "", { role: "tablist" });
    const choose = (rows: (string | number | null)[][]) => (row: number): void => this.store.set({ pair: [String(rows[row][0]), String(rows[row][1])] });
    const tabs = ["strongest pairs", "strongest spacings"].map((words, i) => {
      const tab = button(words, "", () => show(i), signal);
      tab.setAttribute("role", "tab");
      return tab;
    });
    const show = (which: number): void => {
      boxes.forEach((box, i) => { box.hidden = i !== which; });
      tabs.forEach((tab, i) => tab.setAttribute("aria-selected", String(i === which)));
    };
    bar.append(...tabs);
    this.#tables.append(bar, ...boxes);
    new TableViewer(boxes[0], PAIRS, meta.pairs, "pairs", TABLE, choose(meta.pairs), signal, { noun: "pairs" });
    new TableViewer(boxes[1], meta.stranded ? SPACINGS : SPACINGS.map((one, i) => ({ ...one, hidden: i === 6 })), meta.spacings, "spacings", TABLE, choose(meta.spacings), signal, { noun: "spacings" });
    show(0);
  }
}
