/** Curves with their bands over positions or distances, on axes with round ticks. Pure: (pen, data, scale). */
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { number, type View } from "./scale";
import { fade, type Theme } from "./theme";

export interface Series {
  label: string;
  /** Rising. */
  x: ArrayLike<number>;
  mean: ArrayLike<number>;
  low?: ArrayLike<number>;
  high?: ArrayLike<number>;
  color: string;
  /** Drawn in short strokes, and thinner: another strand, another orientation. */
  dashed?: boolean;
}

export interface Range {
  low: number;
  high: number;
}

/** All that is drawn, zero included, with a little air. */
export function rangeOf(series: readonly Series[], more: readonly number[] = []): Range {
  let low = 0, high = 0;
  const take = (values: ArrayLike<number>): void => {
    for (let i = 0; i < values.length; i++) {
      if (values[i] < low) low = values[i];
      if (values[i] > high) high = values[i];
    }
  };
  for (const one of series) for (const values of [one.mean, one.low, one.high]) if (values) take(values);
  take(more);
  if (low === high) return { low: -1, high: 1 };
  const air = (high - low) * 0.06;
  return { low: low < 0 ? low - air : low, high: high > 0 ? high + air : high };
}

/** About `count` round values between two. */
export function valueTicks({ low, high }: Range, count: number): number[] {
  const raw = (high - low) / Math.max(count, 1), power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Ordinates of a frame. */
export const ordinate = ({ low, high }: Range, frame: Frame) => (v: number): number => frame.y + frame.height * (1 - (v - low) / (high - low));

/** Index of the point nearest to an abscissa, -1 where there is none. */
export function nearestPoint(x: ArrayLike<number>, at: number): number {
  let best = -1;
  for (let i = 0; i < x.length; i++) if (best < 0 || Math.abs(x[i] - at) < Math.abs(x[best] - at)) best = i;
  return best;
}

const px = (v: number): string => String(Math.round(v * 100) / 100);
const SPARSE = 14; // pixels between points from which each is marked

/** The first of the series lies on top. */
export function drawCurves(pen: Pen, series: readonly Series[], view: View, frame: Frame, range: Range, theme: Theme): void {
  const p = frame.width / (view.end - view.start), y = ordinate(range, frame), x = (v: number): number => frame.x + (v - view.start) * p;
  drawValues(pen, range, frame, theme);
  pen.clip(frame.x, frame.y - 2, frame.width, frame.height + 4);
  for (const one of [...series].reverse()) {
    const n = one.x.length, points = Array.from({ length: n }, (_, i): [number, number] => [x(one.x[i]), y(one.mean[i])]);
    if (one.low && one.high && n > 1) {
      const up = points.map(([at], i) => `${px(at)} ${px(y(one.high![i]))}`), down = points.map(([at], i) => `${px(at)} ${px(y(one.low![i]))}`).reverse();
      pen.shape(`M${[...up, ...down].join("L")}Z`, fade(one.color, 0.16));
    }
    const d = (one.dashed ? dashes(points) : [points]).map((part) => stroke(part, one.dashed ? 1.25 : 2)).join("");
    if (d) pen.shape(d, one.color);
    if (n && (points[n - 1][0] - points[0][0]) / n > SPARSE || n < 3) pen.shape(points.map(([a, b]) => disc(a, b, 2.25)).join(""), one.color);
  }
  pen.unclip();
}

/** Zero, quiet lines at round values, and what they are. */
export function drawValues(pen: Pen, range: Range, frame: Frame, theme: Theme): void {
  const y = ordinate(range, frame);
  for (const v of valueTicks(range, Math.max(2, Math.round(frame.height / 36)))) {
    pen.line(frame.x, y(v), frame.x + frame.width, y(v), fade(theme.ink, v === 0 ? 0.3 : 0.06));
    pen.text(number(v), frame.x - 8, y(v), fade(theme.ink, 0.6), `10px ${theme.font}`, "right");
  }
}

/** What lines mean, from the right edge leftwards. */
export function drawKey(pen: Pen, series: readonly Series[], right: number, y: number, theme: Theme): void {
  for (const { label, color, dashed } of [...series].reverse()) {
    pen.text(label, right, y, fade(theme.ink, 0.7), `11px ${theme.font}`, "right");
    const from = right - label.length * 6 - 30, points: [number, number][] = [[from, y], [from + 22, y]];
    pen.shape((dashed ? dashes(points) : [points]).map((part) => stroke(part, dashed ? 1.25 : 2)).join(""), color);
    right = from - 14;
  }
}

export function disc(x: number, y: number, r: number): string {
  return `M${px(x - r)} ${px(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}

/** A line through points as one shape, since what draws knows shapes, not strokes along a path. */
export function stroke(points: readonly [number, number][], thick: number): string {
  let d = "";
  for (let i = 1; i < points.length; i++) {
    const [[x1, y1], [x2, y2]] = [points[i - 1], points[i]], size = Math.hypot(x2 - x1, y2 - y1);
    if (!size) continue;
    const h = thick / 2, ux = ((x2 - x1) / size) * h, uy = ((y2 - y1) / size) * h, e = 0.6; // a little longer, so that no gap is seen at a bend
    const corners = [[x1 - e * ux - uy, y1 - e * uy + ux], [x2 + e * ux - uy, y2 + e * uy + ux], [x2 + e * ux + uy, y2 + e * uy - ux], [x1 - e * ux + uy, y1 - e * uy - ux]];
    d += `M${corners.map(([a, b]) => `${px(a)} ${px(b)}`).join("L")}Z`;
  }
  return d;
}

/** Cut a line into strokes of 5 pixels with gaps of 3. */
export function dashes(points: readonly [number, number][], on = 5, off = 3): [number, number][][] {
  const parts: [number, number][][] = [];
  let now: [number, number][] = points.length ? [points[0]] : [], left = on, inked = true;
  for (let i = 1; i < points.length; i++) {
    let [x, y] = points[i - 1];
    const [x2, y2] = points[i];
    for (let size = Math.hypot(x2 - x, y2 - y); size > 0; size = Math.hypot(x2 - x, y2 - y)) {
      const step = Math.min(left, size);
      x += ((x2 - x) / size) * step;
      y += ((y2 - y) / size) * step;
      left -= step;
      if (inked) now.push([x, y]);
      if (left <= 1e-9) {
        if (inked) parts.push(now);
        inked = !inked;
        left = inked ? on : off;
        now = inked ? [[x, y]] : [];
      } else break;
      if (step === size) break;
    }
  }
  if (inked && now.length > 1) parts.push(now);
  return parts;
}
