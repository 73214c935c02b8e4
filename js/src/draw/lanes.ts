/** Annotation lanes: packing, bars, and density where there are too many. Pure. */
import { ceil, floor, max, min } from "../core/numbers";
import type { Annotation } from "../protocol";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { type View, whole } from "./scale";
import { category, fade, legible, type Theme } from "./theme";

export const LANE = 16;
export const MOST = 4000;

export interface Placed {
  index: number;
  lane: number;
  item: Annotation;
}

/** Greedy packing by start; `gap` keeps neighbours of one lane apart, in positions. */
export function pack(items: Annotation[], gap: number): { placed: Placed[]; lanes: number } {
  const order = items.map((item, index) => ({ item, index })).sort((a, b) => a.item[1] - b.item[1] || b.item[2] - a.item[2]);
  const ends: number[] = [];
  const placed = order.map(({ item, index }) => {
    let lane = ends.findIndex((end) => end + gap <= item[1]);
    if (lane < 0) lane = ends.push(0) - 1;
    ends[lane] = item[2];
    return { index, lane, item };
  });
  return { placed, lanes: ends.length };
}

/** Spans in further lanes are counted, not drawn; zooming in brings them up. */
export const MAX_LANES = 8;

export function laneHeight(lanes: number, dense: boolean): number {
  return dense ? 26 : min(lanes, MAX_LANES) * LANE;
}

export function drawLanes(pen: Pen, placed: Placed[], view: View, frame: Frame, hovered: number, selected: number, theme: Theme): void {
  const p = frame.width / (view.end - view.start);
  let hidden = 0;
  pen.clip(frame.x, frame.y - 2, frame.width, frame.height + 4);
  for (const { item, index, lane } of placed) {
    if (item[2] <= view.start || item[1] >= view.end) continue;
    if (lane >= MAX_LANES) { hidden++; continue; }
    const x = frame.x + (item[1] - view.start) * p, w = max((item[2] - item[1]) * p, 2);
    const y = frame.y + lane * LANE + 3;
    const strong = index === hovered || index === selected;
    const color = item[3] ? category(item[3]) : theme.accent;
    const alpha = strong ? 1 : 0.72;
    pen.shape(bar(x, y, w, 10, item[4]), fade(color, alpha));
    if (index === selected) pen.rect(x, y + 12, w, 1.5, theme.ink);
    if (!item[3]) continue;
    const size = item[3].length * 6.2 + 8;
    const a = max(x, frame.x), b = min(x + w, frame.x + frame.width);
    if (size < b - a) pen.text(item[3], (a + b) / 2, y + 5.5, legible(color, alpha, theme.ground), `10px ${theme.font}`, "center");
    else if (p > 1) pen.text(item[3], x + w + 3, y + 5.5, fade(theme.ink, 0.8), `10px ${theme.font}`);
  }
  pen.unclip();
  if (hidden) pen.text(`+${whole(hidden)} more`, frame.x - 10, frame.y + MAX_LANES * LANE - 8, fade(theme.ink, 0.7), `11px ${theme.font}`, "right");
}

/** A rounded bar; a strand makes one end a chevron. */
function bar(x: number, y: number, w: number, h: number, strand: string): string {
  const r = min(3, w / 2), tip = min(5, w / 2), b = y + h, e = x + w, m = y + h / 2;
  const right = strand === "+" ? `L${e - tip} ${y} L${e} ${m} L${e - tip} ${b}` : `L${e - r} ${y} Q${e} ${y} ${e} ${y + r} L${e} ${b - r} Q${e} ${b} ${e - r} ${b}`;
  const left = strand === "-" ? `L${x + tip} ${b} L${x} ${m} L${x + tip} ${y} Z` : `L${x + r} ${b} Q${x} ${b} ${x} ${b - r} L${x} ${y + r} Q${x} ${y} ${x + r} ${y} Z`;
  return `M${strand === "-" ? x + tip : x + r} ${y} ${right} ${left}`;
}

/** How many annotations cover each pixel column. */
export function drawDensity(pen: Pen, items: Annotation[], view: View, frame: Frame, theme: Theme): void {
  const p = frame.width / (view.end - view.start), n = ceil(frame.width);
  const change = new Int32Array(n + 1);
  for (const item of items) {
    const a = floor((item[1] - view.start) * p), b = ceil((item[2] - view.start) * p);
    if (b <= 0 || a >= n) continue;
    change[max(a, 0)]++;
    change[min(b, n)]--;
  }
  let depth = 0, top = 1;
  const cover = Array.from({ length: n }, (_, i) => (depth += change[i]));
  for (const c of cover) top = max(top, c);
  pen.text(`${whole(items.length)} spans`, frame.x - 10, frame.y + frame.height / 2, fade(theme.ink, 0.7), `11px ${theme.font}`, "right");
  cover.forEach((c, i) => c && pen.rect(frame.x + i, frame.y + frame.height * (1 - c / top), 1, (frame.height * c) / top, theme.accent, 0.6));
}
