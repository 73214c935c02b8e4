/** Stacks of all four letters at each position, up and down, with whiskers; far off as bars, and farther as the tallest of each pixel. Pure: (pen, data, scale). */
import { abs, ceil, floor, max, min } from "../core/numbers";
import type { Drawn } from "../state/spaceLogos";
import { disc } from "./curve";
import type { Pen } from "./glyphs";
import { letterAlpha } from "./lod";
import type { Frame } from "./logo";
import { number, type View } from "./scale";
import { effectOf, fade, type Theme } from "./theme";

export type Range = [low: number, high: number];

/** The deepest stack and the highest. */
export function stackRange(values: ArrayLike<number>): Range {
  const w = values.length / 4;
  let low = 0, high = 0;
  for (let i = 0; i < w; i++) {
    let down = 0, up = 0;
    for (let at = i; at < 4 * w; at += w) if (values[at] > 0) up += values[at]; else if (values[at] < 0) down += values[at];
    if (down < low) low = down;
    if (up > high) high = up;
  }
  return [low, high];
}

/** Positions to draw: all in view, or, where they are narrower than a pixel, the one of each pixel with the tallest stack. */
function positions(values: ArrayLike<number>, { start, end }: View, width: number): number[] {
  const first = max(0, floor(start)), last = min(values.length / 4, ceil(end)), p = width / (end - start), found: number[] = [];
  if (p >= 1) return Array.from({ length: max(last - first, 0) }, (_, i) => first + i);
  let pixel = -1, most = 0;
  for (let i = first; i < last; i++) {
    const here = floor((i - start) * p);
    let size = 0;
    for (let at = i; at < values.length; at += values.length / 4) size += abs(values[at]) || 0;
    if (here !== pixel) { found.push(i); [pixel, most] = [here, size]; }
    else if (size > most) { found[found.length - 1] = i; most = size; }
  }
  return found;
}

export function drawStacks(pen: Pen, { values, errors }: Drawn, view: View, frame: Frame, [low, high]: Range, theme: Theme): void {
  const w = values.length / 4, p = frame.width / (view.end - view.start), scale = frame.height / (high - low || 1), zero = frame.y + high * scale, letters = letterAlpha(p);
  pen.rect(frame.x, zero - 0.5, frame.width, 1, theme.ink, 0.15);
  pen.clip(frame.x, frame.y - 2, frame.width, frame.height + 4);
  for (const i of positions(values, view, frame.width)) {
    const x = frame.x + (i - view.start) * p, order = [0, 1, 2, 3].sort((a, b) => abs(values[a * w + i]) - abs(values[b * w + i]));
    let up = zero, down = zero;
    for (const base of order) {
      const h = values[base * w + i] * scale, y = h > 0 ? up : down;
      if (letters > 0 && abs(h) > 0.4) pen.glyph(base, x + p * 0.03, y, p * 0.94, h, theme.bases[base], letters);
      if (letters < 1 && abs(h) > 0.2) pen.rect(x, min(y, y - h), max(p - (p > 3 ? 0.6 : 0), 1), abs(h), theme.bases[base], 1 - letters);
      if (h > 0) up -= h;
      else if (h < 0) down -= h;
    }
    const tip = order[3], error = errors ? errors[tip * w + i] * scale : 0, y = values[tip * w + i] > 0 ? up : down;
    if (p >= 3 && error > 1) whisker(pen, x + p / 2, y - error, y + error, min(p / 4, 3), fade(theme.ink, 0.6));
  }
  pen.unclip();
}

function whisker(pen: Pen, x: number, top: number, bottom: number, half: number, color: string): void {
  pen.line(x, top, x, bottom, color);
  for (const y of [top, bottom]) pen.line(x - half, y, x + half, y, color);
}

/** What a row is, and the ends of its scale, in the margin. */
export function drawLabels(pen: Pen, what: string, unit: string, [low, high]: Range, frame: Frame, theme: Theme): void {
  const x = frame.x - 8, { ink, font } = theme, middle = frame.y + frame.height / 2;
  pen.text(what, x, middle - 7, fade(ink, 0.85), `11px ${font}`, "right");
  pen.text(unit, x, middle + 7, fade(ink, 0.55), `10px ${font}`, "right");
  if (!high && !low) return;
  if (frame.height > 44) for (const [v, y] of [[high, frame.y + 5], [low, frame.y + frame.height - 4]]) if (v) pen.text(number(v), x, y, fade(ink, 0.55), `10px ${font}`, "right");
}

/** Activities: those of all in quiet bars, and of what is shown, as shares of each. */
export function drawHistogram(pen: Pen, all: ArrayLike<number>, own: ArrayLike<number>, mean: number, range: readonly [number, number], frame: Frame, theme: Theme): void {
  const bins = all.length / 2, pair = (counts: ArrayLike<number>, k: number): number => counts[2 * k] + counts[2 * k + 1]; // two bins a bar
  const total = (counts: ArrayLike<number>): number => Array.from(counts).reduce((a, b) => a + b, 0) || 1, [n, m] = [total(all), total(own)];
  let most = 0;
  for (let k = 0; k < bins; k++) most = max(most, pair(all, k) / n, pair(own, k) / m);
  const w = frame.width / bins, base = frame.y + frame.height;
  for (let k = 0; k < bins; k++) for (const [share, color, alpha] of [[pair(all, k) / n, theme.ink, 0.14], [pair(own, k) / m, effectOf(theme, 1), 0.6]] as const) {
    const h = (share / (most || 1)) * frame.height;
    if (h) pen.rect(frame.x + k * w, base - h, w + 0.2, h, color, alpha);
  }
  pen.rect(frame.x, base, frame.width, 1, theme.ink, 0.15);
  if (Number.isFinite(mean)) pen.shape(disc(frame.x + ((mean - range[0]) / (range[1] - range[0] || 1)) * frame.width, base + 0.5, 2.5), theme.ink);
  for (const [v, x, side] of [[range[0], frame.x, "left"], [range[1], frame.x + frame.width, "right"]] as const) pen.text(number(v), x, base + 9, fade(theme.ink, 0.55), `10px ${theme.font}`, side);
}
