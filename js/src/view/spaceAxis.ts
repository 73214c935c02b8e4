/** What panels along the window share: one axis, so that they line up; the cross-hair, the brush, zoom and pan. */
import { ceil, clamp, floor, max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { whole } from "../draw/scale";
import { fade } from "../draw/theme";
import { type Intents, listen, type Places } from "../input/gesture";
import type { SpaceState, SpaceStore } from "../state/space";
import { button, el } from "./dom";
import { Motion } from "./motion";
import { type Scene, Screen } from "./screen";

export const NARROW = 560, AIR = 8;

/** What makes another map of what is shown. */
export const SHOWN = ["cut", "edits", "names", "chosen", "selections", "selected", "centred"] as const;

/** Left and right of the window, in pixels. */
const LEFT = 112, RIGHT = 104, LEFT_NARROW = 76;

export const counted = (n: number, noun = "sequence"): string => `${whole(n)} ${noun}${whole(n) === "1" ? "" : "s"}`;

/** Buttons that save a picture. */
export function saver(screen: Screen, name: string, signal: AbortSignal): HTMLElement {
  const both = el("span", "nbi-buttons");
  for (const kind of ["PNG", "SVG"] as const) both.append(button(kind, `save the picture as ${kind}`, () => screen.save(kind, name), signal));
  return both;
}

export abstract class SpaceAxis implements Scene, Places, Intents {
  protected bar = el("div", "nbi-bar");
  protected facts = el("span", "nbi-facts-line");
  protected readout = el("div", "nbi-readout", "", { "aria-live": "polite" });
  protected screen: Screen;
  protected motion: Motion;

  /** `name` is what saved pictures are called. */
  constructor(protected root: HTMLElement, protected store: SpaceStore, name: string, label: string, signal: AbortSignal) {
    root.dataset.jpSuppressContextMenu = "";
    this.screen = new Screen(root, this, store.given.colors, signal);
    this.screen.canvas.setAttribute("aria-label", label);
    this.motion = new Motion(store, () => this.screen.draw(), signal);
    this.bar.append(this.facts, el("span", "nbi-space"));
    this.bar.append(saver(this.screen, name, signal));
    listen(this.screen.canvas, this, this, signal);
    store.subscribe((changed) => {
      if (this.follows.some((key) => key in changed)) this.update(changed);
      this.read();
      this.screen.draw();
    }, signal);
  }

  /** What of the state `update` takes in. */
  protected abstract readonly follows: readonly (keyof SpaceState)[];
  protected abstract update(changed: Partial<SpaceState>): void;
  /** Say what is under the pointer. */
  protected abstract read(): void;
  abstract readonly height: number;
  abstract render(pen: Pen, marked: boolean): void;

  prepare(): void {
    this.store.onGutter?.(LEFT);
  }

  // --- places ---------------------------------------------------------------------------------------------------------

  get plot(): { x: number; width: number } {
    const { width } = this.screen, narrow = width < NARROW, x = narrow ? LEFT_NARROW : max(LEFT, this.store.state.gutter);
    return { x, width: width - x - (narrow ? AIR : RIGHT) };
  }
  /** Pixels a position. */
  protected get p(): number {
    const { view: { start, end } } = this.store.state;
    return this.plot.width / (end - start);
  }
  protected x(position: number): number {
    return this.plot.x + (position - this.store.state.view.start) * this.p;
  }
  protected inside(x: number): boolean {
    return x >= this.plot.x && x < this.plot.x + this.plot.width;
  }
  /** A position as it is told: of the sequence, or of its chromosome. */
  protected told(position: number): string {
    return whole(position + this.store.original.offset);
  }
  at(_x: number, _y: number): "rows" | "ruler" | "minimap" | "lanes" | "other" {
    return "rows";
  }
  position(x: number): number {
    return this.store.state.view.start + (x - this.plot.x) / this.p;
  }
  mapped(x: number): number {
    return ((x - this.plot.x) / this.plot.width) * this.store.given.width;
  }

  /** The brush and the cross-hair, from one height to another. */
  protected mark(pen: Pen, top: number, bottom: number): void {
    const { store: { state: { hover, selection, view } }, plot, screen: { theme }, p } = this, edge = plot.x + plot.width;
    if (selection) {
      const a = max(this.x(selection[0]), plot.x), b = min(this.x(selection[1]), edge);
      if (b > a) pen.rect(a, top, b - a, bottom - top, theme.accent, 0.12);
    }
    if (hover === null || hover + 1 <= view.start || hover >= view.end) return;
    const a = max(this.x(hover), plot.x), b = min(this.x(hover + 1), edge);
    if (p >= 5) pen.rect(a, top, b - a, bottom - top, theme.ink, 0.07);
    else pen.line((a + b) / 2, top, (a + b) / 2, bottom, fade(theme.ink, 0.35));
  }

  // --- what a person wants ----------------------------------------------------------------------------------------------

  hover(x: number, _y: number): void {
    const at = floor(this.position(x));
    this.store.set({ hover: this.inside(x) && at >= 0 && at < this.store.given.width ? at : null });
  }
  leave(): void {
    this.store.set({ hover: null });
  }
  brush(from: number, to: number, _done: boolean): void {
    const { width } = this.store.given, a = clamp(floor(min(from, to)), 0, width), b = clamp(ceil(max(from, to)), 0, width);
    this.store.set({ selection: b > a ? [a, b] : null });
  }
  pan(by: number): void {
    this.motion.by(by);
  }
  centre(position: number): void {
    const { start, end } = this.store.state.view;
    this.motion.by(position - (start + end) / 2);
  }
  zoom(about: number, factor: number): void {
    this.motion.zoom(about, factor);
  }
  /** A click outside the brush takes it away. */
  click(x: number, _y: number): void {
    const { selection } = this.store.state, at = this.position(x);
    if (selection && !(at >= selection[0] && at < selection[1])) this.store.set({ selection: null });
  }
  /** A double click zooms to the brush, or back to all. */
  fit(_x: number, _y: number): void {
    const { selection } = this.store.state, margin = selection ? (selection[1] - selection[0]) * 0.15 : 0;
    this.motion.glide(selection ? { start: selection[0] - margin, end: selection[1] + margin } : { start: 0, end: this.store.given.width });
  }
  /** What keys do. */
  protected keys(_shift: boolean): Record<string, () => void> {
    return { ...this.motion.keys(), Escape: () => this.store.set({ selection: null }) };
  }
  key(key: string, shift: boolean): boolean {
    const act = this.keys(shift)[key];
    act?.();
    return !!act;
  }
}
