/** Pointers, wheels and keys to intents. Knows places on the canvas, not what is drawn there. */
import { on } from "../core/events";
import { abs } from "../core/numbers";

export interface Places {
  /** What lies under a point. */
  at(x: number, y: number): "rows" | "ruler" | "minimap" | "lanes" | "other";
  /** Position (fractional) under an x. */
  position(x: number): number;
  /** Position of the whole sequence under an x of the mini-map. */
  mapped(x: number): number;
}

export interface Intents {
  hover(x: number, y: number): void;
  leave(): void;
  brush(from: number, to: number, done: boolean): void;
  pan(by: number): void;
  centre(position: number): void;
  zoom(about: number, factor: number): void;
  click(x: number, y: number): void;
  key(key: string, shift: boolean): boolean;
  fit(x: number, y: number): void;
}

export function listen(canvas: HTMLCanvasElement, places: Places, intents: Intents, signal: AbortSignal): void {
  let drag: { kind: "brush" | "pan" | "map"; x: number; y: number; last: number; moved: boolean } | null = null;
  const point = (e: PointerEvent | WheelEvent | MouseEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  on(canvas, "pointerdown", (e) => {
    if (e.button !== 0) return;
    const [x, y] = point(e), where = places.at(x, y);
    const kind = where === "minimap" ? "map" : where === "ruler" || e.shiftKey ? "pan" : "brush";
    drag = { kind, x, y, last: x, moved: false };
    if (kind === "map") intents.centre(places.mapped(x));
    canvas.setPointerCapture(e.pointerId);
    canvas.focus({ preventScroll: true });
  }, signal);
  on(canvas, "pointermove", (e) => {
    const [x, y] = point(e);
    intents.hover(x, y);
    if (!drag) return;
    if (abs(x - drag.x) > 3) drag.moved = true;
    if (drag.kind === "map") intents.centre(places.mapped(x));
    else if (drag.kind === "pan") intents.pan(places.position(drag.last) - places.position(x));
    else if (drag.moved) intents.brush(places.position(drag.x), places.position(x), false);
    drag.last = x;
  }, signal);
  on(canvas, "pointerup", (e) => {
    if (!drag) return;
    const [x, y] = point(e);
    if (drag.kind === "brush") {
      if (drag.moved) intents.brush(places.position(drag.x), places.position(x), true);
      else intents.click(x, y);
    }
    drag = null;
  }, signal);
  on(canvas, "pointerleave", () => { if (!drag) intents.leave(); }, signal);
  on(canvas, "dblclick", (e) => intents.fit(...point(e)), signal);
  on(canvas, "wheel", (e) => {
    const sideways = abs(e.deltaX) > abs(e.deltaY);
    if (!e.ctrlKey && !e.shiftKey && !e.altKey && !e.metaKey && !sideways) return; // the page scrolls
    e.preventDefault();
    const [x] = point(e);
    if (sideways && !e.ctrlKey) intents.pan(places.position(e.deltaX) - places.position(0));
    else intents.zoom(places.position(x), Math.exp((e.deltaY || e.deltaX) * 0.0022));
  }, signal, false);
  on(canvas, "keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || !intents.key(e.key, e.shiftKey)) return;
    e.preventDefault();
    e.stopPropagation(); // a notebook in command mode would take the key
  }, signal);
}
