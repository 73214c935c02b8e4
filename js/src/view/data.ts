/** The positions in view as a table that can be read, by eye or by a screen reader. */
import { on } from "../core/events";
import { min } from "../core/numbers";
import { toCsv } from "../state/export";
import type { Store } from "../state/store";
import { el } from "./dom";

const MOST = 200;

export class DataTable {
  readonly panel = el("div", "nbi-data");

  constructor(private store: Store, private back: () => void, signal: AbortSignal) {
    this.panel.hidden = true;
    this.panel.tabIndex = 0;
    this.panel.dataset.lmSuppressShortcuts = "true";
    on(this.panel, "keydown", (e) => { if (e.key === "Escape" || e.key === "d") { e.stopPropagation(); this.toggle(); } }, signal);
  }

  toggle(): void {
    this.panel.hidden = !this.panel.hidden;
    this.update();
    if (this.panel.hidden) this.back();
    else this.panel.focus({ preventScroll: true });
  }

  update(): void {
    if (this.panel.hidden) return;
    const { view } = this.store.state, end = min(view.end, view.start + MOST), table = el("table", "nbi-agree");
    table.append(el("caption", "", end < view.end ? `the first ${MOST} positions in view` : "the positions in view"));
    toCsv(this.store.current, { view: { start: view.start, end } }).trim().split("\n").forEach((line, i) => {
      const row = el("tr", "");
      for (const cell of line.split(",")) row.append(el(i ? "td" : "th", "", cell.replace(/^"|"$/g, "")));
      table.append(row);
    });
    this.panel.replaceChildren(table);
  }
}
