/** Positions to pixels, ticks, and numbers as text. Pure. */

export interface View {
  start: number;
  end: number;
}

/** Keep a view inside [0, length], at least `least` positions wide. */
export function clampView(view: View, length: number, least = 8): View {
  const width = Math.min(Math.max(view.end - view.start, Math.min(least, length)), length);
  const start = Math.min(Math.max(view.start, 0), length - width);
  return { start, end: start + width };
}

/** Zoom about a position that stays where it is. */
export function zoom(view: View, about: number, factor: number, length: number): View {
  return clampView({ start: about - (about - view.start) * factor, end: about + (view.end - about) * factor }, length);
}

/** Round steps for about one tick every `gap` pixels. */
export function ticks(view: View, pixels: number, offset: number, gap = 110): number[] {
  const raw = ((view.end - view.start) * gap) / Math.max(pixels, 1);
  const power = 10 ** Math.floor(Math.log10(Math.max(raw, 1)));
  const step = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? 10 * power);
  const out: number[] = [];
  for (let t = Math.ceil((view.start + offset) / step) * step; t <= view.end + offset; t += step) out.push(t - offset);
  return out;
}

/** Three significant digits, no trailing noise. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "no value";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return text.replace("-", "\u2212");
}

/** Thousands separated by commas, as genome browsers write them. */
export function whole(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}
