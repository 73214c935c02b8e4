/** A space of mechanisms as a person sees it: points to draw about, a tree to cut, and what is chosen there as logos and a matrix. Puts panels together; knows no host. */
import { atEnd, on } from "../core/events";
import { whole } from "../draw/scale";
import type { MechanismMeta } from "../state/mechanism";
import type { MechanismAsker } from "../state/mechanismAsker";
import type { Look } from "../state/mechanismLook";
import type { SpaceStore } from "../state/space";
import { noBits, setBit } from "../state/spaceBits";
import { BackgroundPanel } from "./background";
import { button, download, el, picker } from "./dom";
import { MeanLogoPanel } from "./meanLogo";
import { ComparePanel } from "./mechanismCompare";
import { NewPanel } from "./mechanismNew";
import { DRAWN, MechanismPoints } from "./mechanismPoints";
import { SelectionList } from "./mechanismSelections";
import { SequenceTable } from "./mechanismTable";
import { Progress } from "./progress";
import { SummaryMatrixPanel } from "./summaryMatrix";
import { TreePanel } from "./tree";

const WIDE = 860, BASE = "base:", MOTIF = "motif:";

export class MechanismViewer {
  readonly points: MechanismPoints;
  #facts = el("span", "nbi-facts-line");
  #status = el("span", "nbi-status");
  #colour: HTMLSelectElement;
  #word = el("input", "nbi-select nbi-word");
  #progress: Progress;
  #table: SequenceTable;
  #selections: SelectionList;
  /** Whether the points have the colours that are asked for. */
  #known = false;

  constructor(private root: HTMLElement, private store: SpaceStore, private meta: MechanismMeta, private look: Look, private asker: MechanismAsker, private python: () => string, signal: AbortSignal) {
    root.classList.add("nbi-mechanism");
    root.dataset.jpSuppressContextMenu = "";
    const bar = el("div", "nbi-bar"), sides = el("div", "nbi-sides"), left = el("div", "nbi-side"), right = el("div", "nbi-side"), part = (): HTMLElement => el("div", "");
    const [points, tree, logo, matrix, background, compare] = [part(), part(), part(), part(), part(), part()];
    this.#progress = new Progress(root, look, signal);
    this.#table = new SequenceTable(store, meta, look, signal);
    this.#colour = picker("what colours the points", ["cluster", ...meta.columns.map(({ name }) => name), [BASE, "base at\u2026"], [MOTIF, "motif\u2026"]], "cluster", (what) => this.#pick(what), signal);
    on(this.#word, "keydown", (e) => e.stopPropagation(), signal);
    on(this.#word, "change", () => this.#type(), signal);
    const colours = el("span", "nbi-pickers");
    colours.append(el("span", "nbi-dim", "colour"), this.#colour, this.#word);
    bar.append(this.#facts, el("span", "nbi-space"), colours, this.#table.button, this.#exports(signal), this.#status);
    sides.append(left, right);
    root.append(bar, el("div", "nbi-dim nbi-stability", meta.stability ? `stability: ${meta.stability}` : ""), this.#progress.trouble, sides, this.#table.panel, this.#progress.busy);
    this.points = new MechanismPoints(points, store, meta, look, signal);
    this.#selections = new SelectionList(store, look, signal);
    left.append(points, this.#selections.box, new NewPanel(store, look, asker, signal).box, tree);
    right.append(logo, matrix);
    new TreePanel(tree, store, signal);
    new MeanLogoPanel(logo, store, signal);
    new SummaryMatrixPanel(matrix, store, signal);
    this.#folded("background", background, (box) => new BackgroundPanel(box, store, signal), signal);
    this.#folded("comparison", compare, (box) => new ComparePanel(box, store, signal, (rows) => this.#show(rows)), signal);
    right.append(background, compare);
    const sizes = new ResizeObserver(() => { root.dataset.wide = root.clientWidth >= WIDE ? "1" : "0"; });
    sizes.observe(root);
    atEnd(signal, () => sizes.disconnect());
    store.subscribe(() => this.#describe(), signal);
    look.subscribe((changed) => {
      if ("live" in changed) this.#selections.update();
      if ("colour" in changed || ("live" in changed && !this.#known)) this.#coloured();
      this.#describe();
    }, signal);
    this.#coloured();
    this.#describe();
  }

  /** A panel that is made once it is asked for. */
  #folded(name: string, part: HTMLElement, make: (box: HTMLElement) => void, signal: AbortSignal): void {
    const box = el("div", "", "", { hidden: "" }), fold = button(name, `show or hide the ${name}`, () => {
      if (!box.firstChild) make(box);
      box.hidden = !box.hidden;
      fold.setAttribute("aria-expanded", String(!box.hidden));
    }, signal);
    fold.setAttribute("aria-expanded", "false");
    fold.classList.add("nbi-fold");
    part.append(fold, box);
  }
  /** Select some sequences, which are then in the table. */
  #show(rows: number[]): void {
    const bits = noBits(this.store.given.n);
    for (const row of rows) setBit(bits, row);
    this.store.keep(DRAWN, bits);
    this.#table.panel.hidden = false;
    this.#table.update();
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #describe(): void {
    const { store, root, look: { state: { live, seconds } } } = this, one = store.state.selections.find(({ name }) => name === store.state.selected);
    this.#facts.textContent = `${whole(store.given.n)} sequences, ${whole(store.clusters.length)} cluster${store.clusters.length === 1 ? "" : "s"} by ${this.meta.method}`;
    this.#status.className = `nbi-status ${live ? "nbi-live" : ""}`;
    this.#status.textContent = live ? "live" : "static: clusters exact, selections approximate";
    this.#progress.update();
    Object.assign(root.dataset, { live: live ? "1" : "0", clusters: store.clusters.length, subject: store.subject, exact: one ? Number(one.exact) : "", selected: one?.n ?? "", seconds });
  }

  // --- colours --------------------------------------------------------------------------------------------------------

  #pick(what: string): void {
    if (what !== BASE && what !== MOTIF) return this.look.set({ colour: what });
    this.#ask(what, "");
    this.#word.focus();
  }
  /** The field for a position or a pattern, where one is needed. */
  #ask(kind: string, word: string): void {
    Object.assign(this.#word, { hidden: false, value: word, placeholder: kind === BASE ? "position" : "TGASTCA" });
    this.#word.setAttribute("aria-label", kind === BASE ? "position whose bases colour the points" : "pattern of bases (IUPAC) that colours the points");
    this.#colour.value = kind;
  }
  #type(): void {
    const { meta: { start, width, locus }, look } = this, word = this.#word.value.trim(), first = locus?.[1] ?? 0, position = Number(word) - first;
    if (this.#colour.value === MOTIF) {
      if (!/^[ACGTRYSWKMBDHVN]+$/i.test(word)) return look.set({ failed: `${word || "nothing"} is no pattern of bases: write letters such as TGASTCA` });
      return look.set({ colour: MOTIF + word.toUpperCase(), failed: "" });
    }
    if (!/^\d+$/.test(word) || position < start || position >= start + width) return look.set({ failed: `no base at ${word || "nothing"}: positions are ${start + first} to ${start + width + first - 1}` });
    look.set({ colour: BASE + position, failed: "" });
  }
  #coloured(): void {
    const { look: { state: { colour, live } }, points, asker, meta: { locus } } = this, [kind, word] = colour.split(/(?<=^base:|^motif:)/);
    if (!word) {
      this.#word.hidden = true;
      this.#colour.value = colour;
    } else this.#ask(kind, kind === BASE ? String(Number(word) + (locus?.[1] ?? 0)) : word);
    if ((this.#known = points.recolour())) return;
    if (live) asker.ask({ what: "colour", colour }, colour);
    else if (live === false) this.look.set({ failed: "no kernel: sequences are too many to be in the page, so that their bases need the notebook" });
  }

  // --- export ---------------------------------------------------------------------------------------------------------

  #exports(signal: AbortSignal): HTMLElement {
    const kinds: Record<string, () => void> = {
      CSV: () => download(new Blob([this.#table.toCsv()], { type: "text/csv" }), "sequences.csv"),
      "copy Python": () => void navigator.clipboard?.writeText(this.python()).then(() => { this.#facts.textContent = "copied the Python that brings a view here"; }),
    };
    const save = picker("save the sequences that are shown, or copy the Python that brings a view here", ["export", ...Object.keys(kinds)], "export", (kind) => {
      save.value = "export";
      kinds[kind]?.();
    }, signal);
    save.classList.add("nbi-quiet");
    return save;
  }
}
