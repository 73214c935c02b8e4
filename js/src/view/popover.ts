/** A small box over a view; a click elsewhere closes it. */
import { atEnd } from "../core/events";
import { max, min } from "../core/numbers";

export class Popover {
  box: HTMLElement | null = null;

  /** `closed` is told whether the box had the focus; `opener` may be clicked without closing it. */
  constructor(private root: HTMLElement, private closed: (focused: boolean) => void, signal: AbortSignal, private opener?: HTMLElement) {
    atEnd(signal, () => this.close());
  }

  /** Show a box, as near to a place as the root has room. */
  open(box: HTMLElement, left: (width: number) => number, top: number): void {
    this.close();
    box.dataset.lmSuppressShortcuts = "true";
    const { root } = this;
    root.append((this.box = box));
    const { offsetWidth: width } = box;
    box.style.left = `${max(min(left(width), root.clientWidth - width), 0)}px`;
    box.style.top = `${top}px`;
    setTimeout(() => document.addEventListener("pointerdown", this.#outside), 0);
  }

  #outside = (e: Event): void => {
    const target = e.target as Node;
    if (!this.box?.contains(target) && !this.opener?.contains(target)) this.close();
  };

  close(): void {
    document.removeEventListener("pointerdown", this.#outside);
    const { box } = this;
    if (!box) return;
    const focused = box.contains(document.activeElement);
    box.remove();
    this.box = null;
    this.closed(focused);
  }
}
