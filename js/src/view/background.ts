/** What all clusters share, taken off each: its settings, its logo, and how strong it is in what is chosen. */
import { on } from "../core/events";
import type { Pen } from "../draw/glyphs";
import { drawLabels, drawStacks, type Range, stackRange } from "../draw/meanLogo";
import { number } from "../draw/scale";
import { fade } from "../draw/theme";
import type { SpaceStore } from "../state/space";
import { freeBits } from "../state/spaceBackground";
import { centred } from "../state/spaceLogos";
import { el } from "./dom";
import { AIR, SHOWN, SpaceAxis } from "./spaceAxis";

const TALL = 56;

export class BackgroundPanel extends SpaceAxis {
  protected readonly follows = [...SHOWN, "rate", "multiplier", "adaptive"] as const;
  #rate: HTMLInputElement;
  #multiplier: HTMLInputElement;
  #adaptive = el("input", "", "", { type: "checkbox" });
  #shown: [HTMLElement, HTMLElement] = [el("span", "nbi-dim"), el("span", "nbi-dim")];
  #note = el("div", "nbi-dim");
  #values: Float64Array = new Float64Array(0);
  #range: Range = [0, 0];

  constructor(root: HTMLElement, store: SpaceStore, signal: AbortSignal) {
    super(root, store, "background", "what all clusters share", signal);
    root.classList.add("nbi-space-background");
    const line = el("div", "nbi-line"), slider = (words: string, title: string, key: "rate" | "multiplier", most: number, shown: HTMLElement): HTMLInputElement => {
      const input = el("input", "nbi-range", "", { type: "range", min: "0", max: String(most), step: "0.01", "aria-label": words }), label = el("label", "nbi-pickers", "", { title });
      label.style.whiteSpace = "nowrap";
      label.append(words, input, shown);
      line.append(label);
      on(input, "input", () => store.set({ [key]: Number(input.value) }), signal);
      return input;
    };
    this.#rate = slider("mutation rate", "mutations a base in the library: what a position that nothing needs varies by", "rate", 0.75, this.#shown[0]);
    this.#multiplier = slider("entropic above", "the part of the entropy of free mutation above which a position does not matter to a cluster", "multiplier", 2, this.#shown[1]);
    const adaptive = el("label", "nbi-pickers", "", { title: "as strong in each cluster as its entropic positions are" });
    adaptive.append(this.#adaptive, "scaled to each cluster");
    line.append(adaptive);
    on(this.#adaptive, "change", () => store.set({ adaptive: this.#adaptive.checked }), signal);
    this.facts.textContent = "shared background";
    root.append(this.bar, line, this.#note, this.screen.canvas, this.readout);
    this.update();
    this.read();
  }

  protected update(): void {
    const { store, store: { state, background, subject } } = this, { rate, multiplier, adaptive } = state;
    this.#values = state.centred ? centred(background.shared) : background.shared;
    this.#range = stackRange(this.#values);
    this.#rate.value = String(rate);
    this.#multiplier.value = String(multiplier);
    this.#adaptive.checked = adaptive;
    this.#shown[0].textContent = number(rate);
    this.#shown[1].textContent = `${number(multiplier)} \u00d7 ${number(freeBits(rate))} bits`;
    const sums = store.sums(subject), entropic = background.entropic(sums).filter(Boolean).length;
    this.#note.textContent = `${store.called(subject)}: ${entropic} of ${store.given.width} positions are entropic (above ${number(background.threshold)} bits)${adaptive ? `, background \u00d7 ${number(background.scale(sums))}` : ""}`;
  }
  protected read(): void {
    const { hover } = this.store.state, { width } = this.store.given;
    this.readout.textContent = hover === null ? "" : `${this.told(hover)} shared: ${[..."ACGT"].map((base, b) => `${base} ${number(this.#values[b * width + hover])}`).join(" \u00b7 ")}`;
  }

  get height(): number {
    return AIR + TALL + AIR;
  }
  render(pen: Pen, marked: boolean): void {
    const { plot, screen: { theme }, store: { state: { view } } } = this, frame = { ...plot, y: AIR, height: TALL };
    if (marked) this.mark(pen, frame.y, frame.y + frame.height);
    drawLabels(pen, "background", "attribution", this.#range, frame, theme);
    drawStacks(pen, { values: this.#values }, view, frame, this.#range, theme);
    if (!this.#range[0] && !this.#range[1]) pen.text("no position is so entropic in any cluster", plot.x + plot.width / 2, frame.y + TALL / 2 - 8, fade(theme.ink, 0.5), `11px ${theme.font}`, "center");
  }
}
