/** Variants as a person sees them: their scores with a threshold, the list beyond it, and both alleles of one. Knows no host. */
import { abs } from "../core/numbers";
import { on } from "../core/events";
import type { Backend } from "../backend/backend";
import { number, whole } from "../draw/scale";
import { Live } from "../state/live";
import type { VariantStore } from "../state/variant";
import { el, picker } from "./dom";
import { type Listing, TableViewer } from "./table";
import { HistogramView } from "./variantHistogram";
import { PairView } from "./variantPair";

const LIST = 206; // pixels

export class VariantViewer {
  #status = el("span", "nbi-status");
  #threshold = el("input", "nbi-select nbi-number", "", { type: "number", min: "0", step: "any", placeholder: "none", "aria-label": "threshold" });
  #score: HTMLSelectElement | null = null;
  #table: TableViewer;
  #asker: Live | null = null;

  constructor(private root: HTMLElement, private store: VariantStore, private signal: AbortSignal) {
    root.classList.add("nbi-variant");
    const { meta, state } = store, bar = el("div", "nbi-bar"), top = el("div", "nbi-variant-top"), scores = el("div", "nbi-scores"), list = el("div", "nbi-list"), pair = el("div", "nbi-pair");
    const label = (words: string, field: HTMLElement): HTMLElement => { const one = el("label", ""); one.append(el("span", "nbi-dim", `${words} `), field); return one; };
    if (meta.scores.length > 1) bar.append(label("rank by", (this.#score = picker("score", meta.scores.map(({ name }) => name), state.score, (score) => store.set({ score, threshold: 0 }), signal))));
    bar.append(label("threshold", this.#threshold), el("span", "nbi-space"));
    if (meta.live) bar.append(el("span", "nbi-dim", `${meta.live.method} of ${meta.live.target}`));
    bar.append(this.#status);
    on(this.#threshold, "change", () => store.set({ threshold: abs(Number(this.#threshold.value)) || 0 }), signal);
    on(this.#threshold, "keydown", (e) => e.stopPropagation(), signal);
    root.append(bar, top, pair);
    top.append(scores, list);
    new HistogramView(scores, store, signal);
    if (meta.dropped.length) scores.append(el("div", "nbi-dim nbi-dropped", this.#dropped()));
    this.#table = new TableViewer(list, meta.columns, meta.rows, "variants", LIST, (row) => store.set({ example: row }), signal, { noun: "variants", listing: this.#listing });
    const view = new PairView(pair, store, (by) => this.#table.step(by), signal);
    store.subscribe((changed) => this.#follow(changed), signal);
    this.#follow(state);
    view.draw();
    this.#say(false);
  }

  /** Whether a kernel answers; one that was busy comes later. */
  connect(live: boolean, backend: Backend): void {
    if (this.signal.aborted) return;
    this.#say(live);
    this.#asker?.end();
    if (!live || !this.store.meta.live) return;
    this.#asker = new Live(this.store, backend);
    this.#asker.look();
  }

  #say(live: boolean): void {
    this.root.dataset.live = live ? "1" : "0";
    this.#status.className = `nbi-status ${live ? "nbi-live" : ""}`;
    this.#status.textContent = live ? "live" : "static: stored answers only";
  }

  #follow(changed: object): void {
    const { store, root } = this, { example, score, threshold } = store.state, ranked = "score" in changed || "threshold" in changed;
    if (ranked) this.#table.list(this.#listing);
    if ("example" in changed) this.#table.mark(example);
    if (!ranked && !("example" in changed)) return;
    if (this.#score) this.#score.value = score;
    this.#threshold.value = threshold ? String(threshold) : "";
    Object.assign(root.dataset, { selected: String(example), score, threshold: String(threshold), beyond: String(store.count()) });
  }

  get #listing(): Listing {
    const { store } = this;
    return { order: store.order, keep: (row) => store.beyond(row) };
  }

  /** "3 left out: ref is A, the genome has T (2); ...". */
  #dropped(): string {
    const { dropped } = this.store.meta, all = dropped.reduce((sum, [, n]) => sum + n, 0);
    const reasons = dropped.slice(0, 3).map(([reason, n]) => (n > 1 ? `${reason} (${whole(n)})` : reason)), more = dropped.length - reasons.length;
    return `${number(all)} left out: ${reasons.join("; ")}${more ? `; and ${whole(more)} other reasons` : ""}`;
  }
}
