/** Pointers on a plane to intents: draw, move, come nearer, point, click. Knows no points. */
import { on } from "../core/events";
import type { Mode } from "../state/spaceBits";

export interface Plane {
  /** Whether a drag moves what is seen; else it draws. */
  readonly moving: boolean;
  hover(x: number, y: number): void;
  leave(): void;
  /** Drawing from (x0, y0), now at (x, y). */
  drag(x: number, y: number, x0: number, y0: number): void;
  drop(mode: Mode | null): void;
  cancel(): void;
  click(x: number, y: number, mode: Mode | null): void;
  twice(): void;
  pan(dx: number, dy: number): void;
  zoom(x: number, y: number, factor: number): void;
  key(key: string, shift: boolean): boolean;
}

const NEAR = 3; // pixels that a hand moves in a click

export function listenPlane(canvas: HTMLCanvasElement, plane: Plane, signal: AbortSignal): void {
  let from: [number, number] | null = null, last: [number, number] = [0, 0], pans = false, moved = false, space = false;
  const at = (e: MouseEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  on(canvas, "pointerdown", (e) => {
    if (e.button > 1 || from) return;
    from = last = at(e);
    pans = plane.moving || space || e.button > 0;
    moved = false;
    canvas.setPointerCapture(e.pointerId);
    canvas.focus({ preventScroll: true });
    e.preventDefault();
  }, signal);
  on(canvas, "pointermove", (e) => {
    const [x, y] = at(e);
    if (!from) return plane.hover(x, y);
    moved ||= Math.hypot(x - from[0], y - from[1]) > NEAR;
    if (!moved) return;
    if (pans) plane.pan(x - last[0], y - last[1]);
    else plane.drag(x, y, ...from);
    last = [x, y];
  }, signal);
  on(canvas, "pointerup", (e) => {
    const mode = e.altKey ? "subtract" : e.shiftKey ? "add" : null;
    if (from && !moved) plane.click(...from, mode);
    else if (from && !pans) plane.drop(mode);
    from = null;
  }, signal);
  on(canvas, "pointercancel", () => {
    from = null;
    plane.cancel();
  }, signal);
  on(canvas, "pointerleave", () => { if (!from) plane.leave(); }, signal);
  on(canvas, "dblclick", () => plane.twice(), signal);
  on(canvas, "wheel", (e) => {
    const sideways = Math.abs(e.deltaX) > Math.abs(e.deltaY);
    if (!e.ctrlKey && !e.shiftKey && !e.altKey && !e.metaKey && !sideways) return; // the page scrolls
    e.preventDefault();
    if (sideways && !e.shiftKey) plane.pan(-e.deltaX, 0);
    else plane.zoom(...at(e), Math.exp((e.deltaY || e.deltaX) * -0.0022));
  }, signal, false);
  on(canvas, "keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === " ") space = true;
    else if (!plane.key(e.key, e.shiftKey)) return;
    e.preventDefault();
    e.stopPropagation(); // a notebook in command mode would take the key
  }, signal);
  on(canvas, "keyup", (e) => { if (e.key === " ") space = false; }, signal);
  on(canvas, "blur", () => { space = false; }, signal);
}
