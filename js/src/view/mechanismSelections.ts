/** The named selections of a space: shown, kept under another name, dropped. */
import { on } from "../core/events";
import { whole } from "../draw/scale";
import type { Look } from "../state/mechanismLook";
import type { SpaceStore } from "../state/space";
import { button, el } from "./dom";
import { DRAWN } from "./mechanismPoints";

export class SelectionList {
  readonly box = el("div", "nbi-bar nbi-selections");
  #field: HTMLInputElement;

  constructor(private store: SpaceStore, private look: Look, private signal: AbortSignal) {
    this.#field = el("input", "nbi-select nbi-keep", "", { placeholder: "keep as\u2026", "aria-label": "name to keep what is shown under", title: "type a name for the points that are shown, then Enter" });
    on(this.#field, "keydown", (e) => {
      e.stopPropagation();
      if (e.key === "Enter") this.#keep();
    }, signal);
    store.subscribe((changed) => { if ("selections" in changed || "selected" in changed || "chosen" in changed) this.update(); }, signal);
    this.update();
  }

  #keep(): void {
    const { store } = this, name = this.#field.value.trim(), { selected, subject } = { ...store.state, subject: store.subject };
    if (!name || !subject) return;
    this.#field.value = "";
    const bits = store.points(subject).slice();
    if (selected === DRAWN && name !== DRAWN) store.drop(DRAWN);
    store.keep(name, bits);
  }

  update(): void {
    const { store, signal, look } = this, { selections, selected } = store.state, chips = selections.map(({ name, n, exact }) => {
      const chip = el("span", "nbi-kept"), show = button(name, exact ? "show it" : "show it; what is known of it is approximate so far", () => store.set({ selected: selected === name ? "" : name }), signal);
      show.setAttribute("aria-pressed", String(selected === name));
      show.append(el("span", "nbi-dim", ` ${exact || look.state.live ? "" : "~"}${whole(n)}`));
      const drop = button("\u00d7", `drop ${name}`, () => this.#drop(name), signal);
      drop.setAttribute("aria-label", drop.title);
      chip.append(show, drop);
      return chip;
    });
    this.#field.hidden = !store.subject;
    this.box.replaceChildren(el("span", "nbi-dim", selections.length ? "selections" : "draw about points to select them"), ...chips, this.#field);
  }
  #drop(name: string): void {
    const { look, store } = this;
    store.drop(name);
    look.set({ fresh: look.state.fresh.filter((one) => one.name !== name) });
  }
}
