/** What the colours of points mean: a button for each name, which selects its points, or a ramp with its ends. */
import { type Colours, css } from "../draw/points";
import { number, whole } from "../draw/scale";
import { MISSING } from "../state/points";
import { button, el } from "./dom";

const SHOWN = 60, STOPS = 8;

export class Legend {
  readonly box = el("div", "nbi-legend");
  #shown = "";

  constructor(private choose: (colour: number) => void, private signal: AbortSignal) {}

  show({ title, names, low = 0, high = 1 }: Colours, palette: Uint8Array, counts: ArrayLike<number>): void {
    const now = JSON.stringify([title, names, low, high, palette.join(), names && Array.from(counts), counts[MISSING]]);
    if (now === this.#shown) return;
    this.#shown = now;
    const parts: HTMLElement[] = [el("span", "nbi-dim", title)];
    if (names) {
      const seen = names.map((_, c) => c).filter((c) => counts[c]);
      parts.push(...seen.slice(0, SHOWN).map((c) => this.#chip(names[c], c, palette, counts)));
      if (seen.length > SHOWN) parts.push(el("span", "nbi-dim", `and ${seen.length - SHOWN} more`));
    } else if (title) {
      const ramp = el("i", "nbi-points-ramp"), stops = Array.from({ length: STOPS }, (_, k) => css(palette, Math.round((k * (MISSING - 1)) / (STOPS - 1))));
      ramp.style.background = `linear-gradient(90deg, ${stops.join()})`;
      parts.push(el("span", "", number(low)), ramp, el("span", "", number(high)));
    }
    if (counts[MISSING] && title) parts.push(this.#chip("no value", MISSING, palette, counts));
    this.box.replaceChildren(...parts);
  }

  #chip(name: string, colour: number, palette: Uint8Array, counts: ArrayLike<number>): HTMLElement {
    const one = button("", `select the ${whole(counts[colour])} points`, () => this.choose(colour), this.signal), key = el("i", "");
    one.classList.add("nbi-chip");
    key.style.background = css(palette, colour);
    one.append(key, name, el("span", "nbi-dim", whole(counts[colour])));
    return one;
  }
}
