/** How the asking goes: a thin moving line while an answer is under way, and what went wrong in its own words. */
import { on } from "../core/events";
import type { Asking } from "../state/live";
import { el } from "./dom";

export class Progress {
  readonly trouble = el("div", "nbi-trouble", "", { role: "alert" });
  readonly busy = el("div", "nbi-busy");

  constructor(private root: HTMLElement, private store: { readonly state: Asking; set(change: Partial<Asking>): void }, signal: AbortSignal) {
    on(this.trouble, "click", () => store.set({ failed: "" }), signal);
  }

  update(): void {
    const { asking, heard, failed } = this.store.state;
    this.root.dataset.asking = asking ? "1" : "0";
    this.root.dataset.heard = String(heard);
    this.trouble.hidden = !failed;
    this.trouble.textContent = failed ? `${failed} \u00d7` : "";
  }

  /** Put the line in the gutter of a row, whose middle is at `y` of the canvas. */
  place(canvas: HTMLElement, gutter: number, y: number): void {
    this.busy.style.cssText = `left:8px;width:${gutter - 24}px;top:${canvas.offsetTop + y + 12}px`;
  }
}
