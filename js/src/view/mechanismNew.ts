/** New sequences: a variant that is typed, mutants of what a selection agrees on. A model says where they land. */
import { on } from "../core/events";
import { whole } from "../draw/scale";
import type { MechanismAsker } from "../state/mechanismAsker";
import type { Look } from "../state/mechanismLook";
import type { SpaceStore } from "../state/space";
import { button, el } from "./dom";

const FORM = /^([ACGTN])?(\d+)([ACGT])$/i;

export class NewPanel {
  readonly box = el("div", "nbi-bar nbi-new");
  #field = el("input", "nbi-select nbi-variant", "", { placeholder: "A120G T133C", "aria-label": "changes of a sequence" });
  #source: HTMLButtonElement;
  #count = el("input", "nbi-select nbi-number", "", { type: "number", min: "1", max: "10000", value: "100", "aria-label": "how many mutants" });
  #again: HTMLButtonElement;
  #where = el("span", "nbi-dim nbi-where");
  #row: number | null = null;
  #seed = 0;

  constructor(private store: SpaceStore, private look: Look, private asker: MechanismAsker, signal: AbortSignal) {
    this.#source = button("", "", () => { this.#row = this.#row === null ? look.state.row : null; this.update(); }, signal);
    this.#again = button("mutate the selection", "mutants of what the points that are shown agree on, at the library's rate", () => this.#resample(), signal);
    on(this.#field, "keydown", (e) => {
      e.stopPropagation();
      if (e.key === "Enter") this.#drop();
    }, signal);
    on(this.#count, "keydown", (e) => e.stopPropagation(), signal);
    this.box.append(el("span", "nbi-dim", "new"), this.#field, this.#source, button("drop in", "ask the model where this sequence lands", () => this.#drop(), signal), el("span", "nbi-space"), this.#count, this.#again, this.#where);
    store.subscribe((changed) => { if (["selected", "chosen", "cut", "edits", "names"].some((key) => key in changed)) this.update(); }, signal);
    look.subscribe((changed) => { if ("row" in changed || "live" in changed || "fresh" in changed) this.update(); }, signal);
    this.update();
  }

  update(): void {
    const { look: { state: { live, row } }, store } = this;
    if (row === null) this.#row = null;
    else if (this.#row !== null) this.#row = row;
    this.box.hidden = !live;
    this.#source.hidden = row === null;
    this.#source.textContent = this.#row === null ? "of the reference" : `of row ${whole(this.#row)}`;
    this.#source.title = this.#row === null ? `change row ${whole(row ?? 0)}, which was clicked, instead` : "change the reference instead";
    this.#again.disabled = !store.subject;
    this.#where.textContent = this.#landed();
  }
  /** "lands in cluster 3; row 12 of the library", "61 % land in cluster 3, 20 % in cluster 4, 19 % elsewhere". */
  #landed(): string {
    const { store } = this, one = this.look.state.fresh.find(({ name }) => name === store.state.selected), counts = new Map<string, number>();
    if (!one) return "";
    for (const leaf of one.leaves) {
      const id = store.labels[leaf], name = id < 0 ? "no cluster" : store.called(`c${id}`);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const all = one.leaves.length, [first, ...others] = [...counts].sort(([, a], [, b]) => b - a), share = (n: number): string => `${Math.round((100 * n) / all)} %`;
    if (all === 1) return `lands in ${first[0]}; ${one.row === null ? "not in the library" : `row ${whole(one.row)} of the library`}`;
    const rest = others.slice(2).reduce((sum, [, n]) => sum + n, 0);
    return [`${share(first[1])} land in ${first[0]}`, ...others.slice(0, 2).map(([name, n]) => `${share(n)} in ${name}`), ...(rest ? [`${share(rest)} elsewhere`] : [])].join(", ");
  }

  #drop(): void {
    const { store, look, asker } = this, words = this.#field.value.trim().toUpperCase().split(/[\s,]+/).filter(Boolean), { locus, start } = store.given, changes: [number, number][] = [];
    for (const word of words) {
      const [, from, place, to] = FORM.exec(word) ?? [], position = Number(place) - (locus?.[1] ?? 0), there = "ACGTN"[store.reference[position - start]];
      if (!to) return look.set({ failed: `${word} is no change: write A120G, or 120G` });
      if (from && there && this.#row === null && from !== there) return look.set({ failed: `the reference has ${there} at ${place}, not ${from}` });
      changes.push([position, "ACGT".indexOf(to)]);
    }
    if (words.length) asker.ask({ what: "variant", source: this.#row ?? -1, changes }, `${words.join(" ")}${this.#row === null ? "" : ` of row ${this.#row}`}`);
  }
  #resample(): void {
    const { store, asker } = this;
    asker.ask({ what: "resample", count: Number(this.#count.value), rate: store.given.rate, seed: this.#seed++ }, `mutants of ${store.called(store.subject)}${this.#seed > 1 ? ` (${this.#seed})` : ""}`, store.points(store.subject));
  }
}
