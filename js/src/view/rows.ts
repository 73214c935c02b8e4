/** The panel that arranges rows: order, which are shown, one over another, one less another. */
import { type Layout, moved, PLAIN, toggled } from "../state/arrange";
import type { Store } from "../state/store";
import { el } from "./dom";

export class RowPanel {
  readonly button = el("button", "nbi-quiet", "rows");
  #panel: HTMLElement | null = null;

  constructor(private root: HTMLElement, private store: Store, private signal: AbortSignal) {
    this.button.title = "order, hide, overlay and subtract rows";
    this.button.setAttribute("aria-expanded", "false");
    this.button.addEventListener("click", () => (this.#panel ? this.#close() : this.#open()), { signal });
    signal.addEventListener("abort", () => this.#close());
  }

  /** There is something to arrange from two rows on. */
  update(): void {
    this.button.hidden = this.store.everyRow.length < 2;
    if (this.#panel) this.#fill(this.#panel);
  }

  #open(): void {
    const panel = el("div", "nbi-panel");
    panel.setAttribute("role", "group");
    panel.setAttribute("aria-label", "rows");
    panel.dataset.lmSuppressShortcuts = "true";
    panel.addEventListener("keydown", (e) => { if (e.key === "Escape") this.#close(); });
    this.#fill(panel);
    this.root.append(panel);
    panel.style.top = `${this.button.offsetTop + this.button.offsetHeight + 2}px`;
    panel.style.left = `${Math.min(Math.max(this.button.offsetLeft - 80, 0), Math.max(this.root.clientWidth - panel.offsetWidth, 0))}px`;
    this.#panel = panel;
    this.button.setAttribute("aria-expanded", "true");
    setTimeout(() => document.addEventListener("pointerdown", this.#outside), 0);
  }

  #outside = (e: Event): void => {
    const target = e.target as Node;
    if (!this.#panel?.contains(target) && !this.button.contains(target)) this.#close();
  };

  #close(): void {
    document.removeEventListener("pointerdown", this.#outside);
    this.#panel?.remove();
    this.#panel = null;
    this.button.setAttribute("aria-expanded", "false");
  }

  #set(layout: Layout): void {
    this.store.set({ layout });
  }

  #fill(panel: HTMLElement): void {
    const { layout } = this.store.state, labels = this.#labels();
    const focus = (document.activeElement as HTMLElement | null)?.dataset.key;
    panel.replaceChildren(...labels.map((label, i) => this.#line(label, i, labels)));
    panel.append(
      this.#pair("over", "draw", "over", layout.over, labels),
      this.#pair("minus", "subtract", "from", layout.minus && [layout.minus[1], layout.minus[0]], labels),
      this.#action("as they came", "plain", "undo the arrangement", () => this.#set(PLAIN)),
    );
    if (focus) (panel.querySelector(`[data-key="${focus}"]`) as HTMLElement | null)?.focus();
  }

  #labels(): string[] {
    const { order } = this.store.state.layout, all = this.store.everyRow.map((r) => r.label);
    return [...order.filter((l) => all.includes(l)), ...all.filter((l) => !order.includes(l))];
  }

  #line(label: string, i: number, labels: string[]): HTMLElement {
    const line = el("div", "nbi-panel-line"), box = el("input", ""), words = el("label", "");
    Object.assign(box, { type: "checkbox", checked: !this.store.state.layout.hidden.includes(label) });
    box.dataset.key = `show ${i}`;
    box.addEventListener("change", () => this.#set(toggled(this.store.state.layout, label)));
    words.append(box, ` ${label}`);
    const rest = labels.filter((l) => l !== label), { hidden } = this.store.state.layout;
    const only = { ...this.store.state.layout, hidden: rest.every((l) => hidden.includes(l)) ? [] : rest }; // again: all
    line.append(
      words,
      this.#action("solo", `solo ${i}`, `show ${label} alone`, () => this.#set(only)),
      this.#action("\u2191", `up ${i - 1}`, `move ${label} up`, () => this.#set(moved(this.store.state.layout, labels, label, -1))),
      this.#action("\u2193", `down ${i + 1}`, `move ${label} down`, () => this.#set(moved(this.store.state.layout, labels, label, 1))),
    );
    return line;
  }

  #action(word: string, key: string, title: string, run: () => void): HTMLButtonElement {
    const button = Object.assign(el("button", "nbi-quiet", word), { title });
    button.setAttribute("aria-label", title);
    button.dataset.key = key;
    button.addEventListener("click", run, { signal: this.signal });
    return button;
  }

  /** "draw A over B", "subtract A from B". */
  #pair(key: "over" | "minus", verb: string, join: string, now: [string, string] | null, labels: string[]): HTMLElement {
    const line = el("div", "nbi-panel-line", `${verb} `), one = this.#choice(labels, now?.[0] ?? "", `${verb} which row`), other = this.#choice(labels, now?.[1] ?? "", `${join} which row`);
    const take = (): void => {
      const chosen: [string, string] = key === "over" ? [one.value, other.value] : [other.value, one.value];
      this.#set({ ...this.store.state.layout, [key]: chosen.every(Boolean) && chosen[0] !== chosen[1] ? chosen : null });
    };
    one.addEventListener("change", take);
    other.addEventListener("change", take);
    one.dataset.key = `${key} 0`;
    other.dataset.key = `${key} 1`;
    line.append(one, ` ${join} `, other);
    return line;
  }

  #choice(labels: string[], now: string, title: string): HTMLSelectElement {
    const select = el("select", "nbi-select");
    select.setAttribute("aria-label", title);
    for (const label of ["", ...labels]) select.append(Object.assign(el("option", "", label || "\u2013"), { value: label }));
    select.value = now;
    return select;
  }
}
