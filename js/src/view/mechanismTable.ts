/** The sequences of what is shown: their activities, clusters, and where they differ from the reference; and all of them as text. */
import { number, whole } from "../draw/scale";
import { type MechanismMeta, sequenceOf } from "../state/mechanism";
import type { Look } from "../state/mechanismLook";
import type { SpaceStore } from "../state/space";
import { eachBit } from "../state/spaceBits";
import { button, el } from "./dom";
import { changesOf } from "./mechanismPoints";

const SHOWN = 200;

export class SequenceTable {
  readonly panel = el("div", "nbi-data");
  readonly button: HTMLButtonElement;

  constructor(private store: SpaceStore, private meta: MechanismMeta, private look: Look, private signal: AbortSignal) {
    this.panel.hidden = true;
    this.panel.tabIndex = 0;
    this.button = button("sequences", "the sequences of what is shown, as a table", () => { this.panel.hidden = !this.panel.hidden; this.update(); }, signal);
    store.subscribe((changed) => { if (["cut", "edits", "names", "chosen", "selected", "selections"].some((key) => key in changed)) this.update(); }, signal);
  }

  update(): void {
    const { panel, signal, look } = this;
    this.button.setAttribute("aria-expanded", String(!panel.hidden));
    if (panel.hidden) return;
    const rows = this.rows(), table = el("table", "nbi-agree"), cells = (kind: "th" | "td", words: readonly string[]): HTMLElement => {
      const line = el("tr", "");
      line.append(...words.map((one) => el(kind, "", one)));
      return line;
    };
    table.append(el("caption", "", `${whole(Math.min(rows.length, SHOWN))} of ${whole(rows.length)} sequences`), cells("th", ["row", "", this.store.given.activity, "cluster", "differs from the reference"]));
    for (const row of rows.slice(0, SHOWN)) {
      const [, activity, cluster, sequence] = this.#facts(row, 8), line = cells("td", ["", "", activity, cluster, sequence]);
      line.firstElementChild!.append(button(whole(row), "choose this sequence, to change it", () => look.set({ row }), signal));
      table.append(line);
    }
    panel.replaceChildren(table);
  }

  rows(): number[] {
    const { store } = this, rows: number[] = [];
    eachBit(store.points(store.subject), (row) => rows.push(row));
    return rows;
  }
  #facts(row: number, most: number): string[] {
    const { store, meta } = this, codes = sequenceOf(store.blocks, meta.width, row), id = store.labels[store.leaf[row]];
    return [String(row), number(store.blocks.get("activity")![row]), store.cluster(id)?.name ?? "", codes ? changesOf(codes, store, most) : ""];
  }

  /** Row, activity, cluster, and bases of the window where they are in the page. */
  toCsv(): string {
    const { store, meta } = this, { labels } = store, names = new Map(store.clusters.map(({ id, name }) => [id, name])), activity = store.blocks.get("activity")!;
    const lines = this.rows().map((row) => [row, activity[row], `"${(names.get(labels[store.leaf[row]]) ?? "").replaceAll('"', '""')}"`, Array.from(sequenceOf(store.blocks, meta.width, row) ?? [], (code) => "ACGTN"[code]).join("")].join(","));
    return [`row,${store.given.activity},cluster,sequence`, ...lines].join("\n") + "\n";
  }
}
