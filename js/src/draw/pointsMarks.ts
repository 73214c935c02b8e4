/** What stands among points: names, a star, a ring about the one that is pointed at, an outline under way. Pure: (pen, data). */
import { abs } from "../core/numbers";
import { disc, stroke } from "./curve";
import type { Pen } from "./glyphs";
import { fade, type Theme } from "./theme";

export type Spot = [x: number, y: number];

/** More names than that say nothing. */
const NAMED = 40;

/** Names where their points are, those of the most first, as far as there is room: `taken` are places, and half their widths. */
export function drawNames(pen: Pen, names: readonly string[], { counts, points }: { counts: ArrayLike<number>; points: ArrayLike<number> }, of: (i: number) => Spot, taken: number[][], theme: Theme): void {
  const order = names.map((_, c) => c).filter((c) => points[c] >= 0).sort((a, b) => counts[b] - counts[a]);
  if (order.length <= NAMED) for (const c of order) {
    const [x, y] = of(points[c]), half = names[c].length * 3.4 + 3;
    if (taken.some(([u, v, w]) => abs(u - x) < w + half && abs(v - y) < 14)) continue;
    taken.push([x, y, half]);
    for (const [dx, dy, color] of [[-1, 0], [1, 0], [0, -1], [0, 1], [0, 0, theme.ink]] as [number, number, string?][]) pen.text(names[c], x + dx, y + dy, color ?? theme.ground, `600 11px ${theme.font}`, "center");
  }
}

export function drawStar(pen: Pen, [x, y]: Spot, theme: Theme): void {
  pen.shape(disc(x, y, 11), fade(theme.ground, 0.75));
  pen.shape(`M${x} ${y - 9}l2.1 6.3h6.6l-5.3 3.9 2 6.3-5.4-3.9-5.4 3.9 2-6.3-5.3-3.9h6.6Z`, theme.ink);
}

export function drawRing(pen: Pen, [x, y]: Spot, color: string, theme: Theme): void {
  pen.shape(disc(x, y, 7), theme.ink);
  pen.shape(disc(x, y, 5), color);
}

export function drawCross(pen: Pen, [x, y]: Spot, theme: Theme): void {
  pen.line(x - 9, y, x + 9, y, theme.ink, 1.5);
  pen.line(x, y - 9, x, y + 9, theme.ink, 1.5);
}

/** Of corners that are clicked, up to where the pointer is, the first marked since it closes the outline. */
export function drawOutline(pen: Pen, corners: Spot[], clicked: boolean, pointer: Spot | null, theme: Theme): void {
  if (!corners.length) return;
  pen.shape(`M${corners.map((one) => one.map((v) => v.toFixed(1)).join(" ")).join("L")}Z`, fade(theme.accent, 0.1));
  pen.shape(stroke([...corners, clicked && pointer ? pointer : corners[0]], 1.5), theme.accent);
  if (clicked) pen.shape(corners.map(([x, y], k) => disc(x, y, k ? 2.5 : 4)).join(""), theme.accent);
}
