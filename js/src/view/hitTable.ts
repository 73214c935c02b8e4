/** The hits of the region that are shown, as a table. */
import type { HitStore } from "../state/hit";
import type { Item } from "../state/spans";
import { button, el } from "./dom";
import { type Cell, type Column, TableViewer } from "./table";

const COLUMNS: Column[] = [
  { name: "motif", kind: "text", least: 8 },
  ...["start", "end"].map((name): Column => ({ name, kind: "number", least: 8 })),
  { name: "strand", kind: "text" },
  ...["coefficient", "similarity", "cosine", "explained", "leave one out"].map((name): Column => ({ name, kind: "number" })),
  { name: "rival", kind: "text", least: 18 },
];
const TALL = 24;

export class HitTable {
  readonly box = el("div", "");
  readonly button: HTMLButtonElement;
  #table: TableViewer;
  #shown: unknown = null;

  constructor(private store: HitStore, name: () => string, choose: (item: Item) => void, signal: AbortSignal) {
    const pick = (row: number): void => choose(store.spans.item(store.number(store.fit.kept[row]))!);
    this.button = button("table", "the hits that are shown, as a table", () => this.#toggle(), signal);
    this.#table = new TableViewer(this.box, COLUMNS, this.#rows(), name(), 200, pick, signal, { noun: "hits" });
    this.update();
  }

  #toggle(): void {
    this.box.hidden = !this.box.hidden;
    this.update();
  }

  #rows(): Cell[][] {
    const { store } = this, { offset } = store.current;
    return store.fit.kept.map((i): Cell[] => {
      const { start, end, strand, motif, numbers, rival, tied } = store.hit(i);
      return [motif, start + offset, end + offset, "+-"[strand], ...numbers, rival && `${tied ? "tied: " : ""}${rival}`];
    });
  }

  update(): void {
    const { store } = this, { fit, state: { item, example } } = store;
    this.button.setAttribute("aria-expanded", String(!this.box.hidden));
    if (this.box.hidden) return;
    if (this.#shown !== fit) {
      this.#shown = fit;
      const rows = this.#rows();
      this.#table.refresh(rows, { order: rows.map((_, i) => i), keep: () => true }, TALL);
    }
    this.#table.mark(item < 0 ? -1 : fit.kept.indexOf(item - store.spans.sets[0].at[example]));
  }
}
