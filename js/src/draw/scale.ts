/** Positions to pixels, ticks, and numbers as text. Pure. */
import { abs, ceil, clamp, floor, max, min, round } from "../core/numbers";

export interface View {
  start: number;
  end: number;
}

/** Keep a view inside [0, length], at least `least` positions wide. */
export function clampView(view: View, length: number, least = 8): View {
  const width = clamp(view.end - view.start, min(least, length), length);
  const start = clamp(view.start, 0, length - width);
  return { start, end: start + width };
}

/** Zoom about a position that stays where it is. */
export function zoom(view: View, about: number, factor: number, length: number): View {
  return clampView({ start: about - (about - view.start) * factor, end: about + (view.end - about) * factor }, length);
}

/** Round steps for about one tick every `gap` pixels. */
export function ticks(view: View, pixels: number, offset: number, gap = 110): number[] {
  const raw = ((view.end - view.start) * gap) / max(pixels, 1);
  const power = 10 ** floor(Math.log10(max(raw, 1)));
  const step = max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? 10 * power);
  const out: number[] = [];
  for (let t = ceil((view.start + offset) / step) * step; t <= view.end + offset; t += step) out.push(t - offset);
  return out;
}

/** Three significant digits, no trailing noise. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "no value";
  if (value === 0) return "0";
  const size = abs(value);
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return text.replaceAll("-", "\u2212");
}

/** A number with its sign, as of a change. */
export const signed = (value: number): string => (value >= 0 ? "+" : "") + number(value);

/** Thousands separated by commas, as genome browsers write them. */
export function whole(value: number): string {
  return round(value).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}
