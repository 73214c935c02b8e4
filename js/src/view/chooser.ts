/** Which of the sequences is shown: a list of few, a field to search in for many, and a step to each side. */
import { on } from "../core/events";
import { whole } from "../draw/scale";
import { button, el } from "./dom";

const SEARCH = 20; // sequences from which the list is a field to search in

interface Choice {
  readonly meta: { n: number; names: string[] };
  readonly state: { example: number };
  set(change: { example: number }): void;
}

export class Chooser {
  readonly box = el("span", "nbi-chooser");
  #field: HTMLInputElement | HTMLSelectElement;
  #count = el("span", "nbi-count");

  constructor(private store: Choice, private tell: (words: string) => void, signal: AbortSignal) {
    const many = store.meta.n > SEARCH, step = (by: number) => (): void => store.set({ example: store.state.example + by });
    this.#field = many ? this.#search(signal) : el("select", "nbi-select");
    if (!many) this.#field.append(...this.#options((i) => String(i)));
    this.#field.setAttribute("aria-label", "sequence");
    on(this.#field, "change", () => this.#choose(this.#field.value.trim()), signal);
    this.box.append(
      button("\u2039", "previous sequence ([)", step(-1), signal), this.#field, button("\u203a", "next sequence (])", step(1), signal), this.#count,
    );
  }

  /** Say which one is shown. */
  update(): void {
    const { meta: { n, names }, state: { example } } = this.store;
    this.#field.value = n > SEARCH ? names[example] : String(example);
    this.#count.textContent = `${example + 1} of ${whole(n)}`;
  }

  #options(value: (i: number) => string): HTMLElement[] {
    return this.store.meta.names.map((name, i) => el("option", "", name, { value: value(i) }));
  }

  #search(signal: AbortSignal): HTMLInputElement {
    const id = `nbi-${Math.random().toString(36).slice(2)}`, list = el("datalist", "", "", { id });
    const field = el("input", "nbi-select", "", { type: "text", placeholder: "name or number", list: id });
    list.append(...this.#options((i) => this.store.meta.names[i]));
    on(field, "focus", () => field.select(), signal);
    this.box.append(list);
    return field;
  }

  /** By index; in the field by name, by number counted from 1, or by a part of the name. */
  #choose(said: string): void {
    const { names, n } = this.store.meta;
    let found = n > SEARCH ? names.indexOf(said) : Number(said);
    if (found < 0 && /^\d+$/.test(said) && Number(said) >= 1 && Number(said) <= n) found = Number(said) - 1;
    if (found < 0 && said) found = names.findIndex((name) => name.includes(said));
    if (found >= 0) this.store.set({ example: found });
    this.update();
    if (found < 0) this.tell(`no sequence is called ${said || "nothing"}`);
  }
}
