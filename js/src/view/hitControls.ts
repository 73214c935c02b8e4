/** How hits are called and which are shown: two sliders, which act as they move. */
import { on } from "../core/events";
import { min } from "../core/numbers";
import { number } from "../draw/scale";
import type { HitStore } from "../state/hit";
import { button, el } from "./dom";

export class HitControls {
  readonly box = el("div", "nbi-line nbi-knobs");
  #lambda: Knob;
  #similarity: Knob;
  #stored = el("span", "nbi-dim");
  #follow: HTMLButtonElement;
  #free: HTMLButtonElement;

  constructor(private store: HitStore, signal: AbortSignal) {
    const several = new Set(store.blocks.get("lambdas")).size > 1;
    const title = several ? "the penalty of most motifs; others are in proportion" : "the penalty: about the least cosine at which a motif is called";
    this.#lambda = new Knob("lambda", title, 0.3, 0.99, (lambda) => store.set({ lambda }), signal);
    this.#similarity = new Knob("similarity", "the least similarity of hits that are shown", 0, 1, (similarity) => store.set({ similarity }), signal);
    this.#follow = button("as lambda", "show hits whose similarity is at least their lambda", () => store.set({ similarity: null }), signal);
    this.#free = button("unshrunk", "draw hits as large as explains most: the penalty shrinks them", () => store.set({ free: !store.state.free }), signal);
    this.box.append(this.#lambda.box, this.#stored, this.#similarity.box, this.#follow, this.#free);
  }

  update(): void {
    const { store } = this, { lambda, similarity, live, example, free } = store.state, known = store.known.lambdas(example);
    this.#lambda.show(lambda);
    this.#similarity.show(similarity ?? lambda);
    this.#follow.setAttribute("aria-pressed", String(similarity === null));
    this.#free.setAttribute("aria-pressed", String(free));
    this.#stored.textContent = live === false && known.length ? `stored: ${known.map(number).join(", ")}` : "";
    this.#stored.title = live === false ? "no kernel: the slider goes to the nearest that is stored" : "";
  }
}

/** A slider with its number; at most one change a frame. */
class Knob {
  readonly box = el("label", "nbi-knob");
  #range: HTMLInputElement;
  #field: HTMLInputElement;
  #waiting = 0;

  constructor(name: string, title: string, private low: number, high: number, turn: (value: number) => void, signal: AbortSignal) {
    this.#range = el("input", "nbi-range", "", { type: "range", min: String(low), max: String(high), step: "0.01", "aria-label": name });
    this.#field = el("input", "nbi-select nbi-number", "", { type: "number", min: "0.01", max: "0.99", step: "0.01", "aria-label": `${name} as a number` });
    this.box.title = title;
    this.box.append(el("span", "", name), this.#range, this.#field);
    on(this.#range, "input", () => {
      this.#waiting ||= requestAnimationFrame(() => {
        this.#waiting = 0;
        turn(Number(this.#range.value));
      });
    }, signal);
    on(this.#field, "change", () => {
      const value = Number(this.#field.value);
      if (value > 0 && value < 1) turn(value);
    }, signal);
    for (const one of [this.#range, this.#field]) on(one, "keydown", (e) => e.stopPropagation(), signal);
  }

  show(value: number): void {
    this.#range.min = String(min(this.low, value));
    this.#range.value = String(value);
    if (document.activeElement !== this.#field) this.#field.value = String(Number(value.toFixed(3)));
  }
}
