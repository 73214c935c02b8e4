/** The panel that arranges rows: order, which are shown, one over another, one less another. */
import { on } from "../core/events";
import { type Layout, moved, PLAIN, toggled } from "../state/arrange";
import type { Store } from "../state/store";
import { button, el, picker } from "./dom";
import { Popover } from "./popover";

export class RowPanel {
  readonly button: HTMLButtonElement;
  #pop: Popover;

  constructor(root: HTMLElement, private store: Store, signal: AbortSignal) {
    this.button = button("rows", "order, hide, overlay and subtract rows", () => (this.#pop.box ? this.#pop.close() : this.#open()), signal);
    this.#pop = new Popover(root, () => this.#expanded(false), signal, this.button);
    this.#expanded(false);
  }

  /** There is something to arrange from two rows on. */
  update(): void {
    this.button.hidden = this.store.everyRow.length < 2;
    if (this.#pop.box) this.#fill(this.#pop.box);
  }

  #open(): void {
    const panel = el("div", "nbi-panel", "", { role: "group", "aria-label": "rows" }), { offsetLeft, offsetTop, offsetHeight } = this.button;
    on(panel, "keydown", (e) => { if (e.key === "Escape") this.#pop.close(); });
    this.#fill(panel);
    this.#pop.open(panel, () => offsetLeft - 80, offsetTop + offsetHeight + 2);
    this.#expanded(true);
  }

  #expanded(open: boolean): void {
    this.button.setAttribute("aria-expanded", String(open));
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
    on(box, "change", () => this.#set(toggled(this.store.state.layout, label)));
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
    const one = button(word, title, run);
    one.setAttribute("aria-label", title);
    one.dataset.key = key;
    return one;
  }

  /** "draw A over B", "subtract A from B". */
  #pair(key: "over" | "minus", verb: string, join: string, now: [string, string] | null, labels: string[]): HTMLElement {
    const line = el("div", "nbi-panel-line", `${verb} `), choices: [string, string][] = [["", "\u2013"], ...labels.map((l): [string, string] => [l, l])];
    const take = (): void => {
      const chosen: [string, string] = key === "over" ? [one.value, other.value] : [other.value, one.value];
      this.#set({ ...this.store.state.layout, [key]: chosen.every(Boolean) && chosen[0] !== chosen[1] ? chosen : null });
    };
    const [one, other] = [verb, join].map((word, i) => {
      const choice = picker(`${word} which row`, choices, now?.[i] ?? "", take);
      choice.dataset.key = `${key} ${i}`;
      return choice;
    });
    line.append(one, ` ${join} `, other);
    return line;
  }
}
