/** Many values of one kind on one line: a dot each, stacked where they crowd, with their mean and spread. Pure. */
import { disc, type Range, valueTicks } from "./curve";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { number } from "./scale";
import { fade, type Theme } from "./theme";

export interface Strip {
  label: string;
  values: ArrayLike<number>;
  color: (value: number) => string;
  mean: number;
  /** 5 and 95 % of the values. */
  low: number;
  high: number;
  /** The interval of the mean; NaN for none. */
  interval?: [number, number];
  /** Diameter of a dot. */
  size: number;
}

export interface Dot {
  x: number;
  y: number;
  r: number;
  /** Which of the values. */
  index: number;
}

const AXIS = 16, BAR = 12;

export const abscissa = ({ low, high }: Range, frame: Frame) => (v: number): number => frame.x + (frame.width * (v - low)) / (high - low);

const SIZES = [7, 6, 5, 4, 3, 2, 1.5, 1], AIR = 0.5;

/** Columns of values that would be stacked, for dots of a diameter. */
const columnOf = (v: number, range: Range, frame: Frame, size: number): number => Math.round((abscissa(range, frame)(v) - frame.x) / (size + AIR));

/** How large dots can be, so that no stack leaves the frame. */
export function dotSize(values: ArrayLike<number>, range: Range, frame: Frame): number {
  const fits = (size: number): boolean => {
    const stacks = new Map<number, number>();
    for (let i = 0; i < values.length; i++) {
      const column = columnOf(values[i], range, frame, size);
      stacks.set(column, (stacks.get(column) ?? 0) + 1);
    }
    return Math.max(0, ...stacks.values()) * (size + AIR) <= frame.height - BAR - 2;
  };
  return SIZES.find(fits) ?? SIZES[SIZES.length - 1];
}

/** Where the dots of a strip stand. */
export function dotsOf({ values, size }: Strip, range: Range, frame: Frame): Dot[] {
  const base = frame.y + frame.height - BAR, stacks = new Map<number, number>(), step = size + AIR;
  return Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]).map((index) => {
    const column = columnOf(values[index], range, frame, size), level = stacks.get(column) ?? 0;
    stacks.set(column, level + 1);
    return { x: frame.x + column * step, y: Math.max(base - (level + 0.5) * step, frame.y), r: size / 2, index };
  });
}

/** `chosen` is the value that is pointed at, -1 for none. */
export function drawStrip(pen: Pen, strip: Strip, range: Range, frame: Frame, chosen: number, alpha: number, theme: Theme): void {
  const x = abscissa(range, frame), base = frame.y + frame.height - BAR, bar = base + 5;
  const paths = new Map<string, string>(), dots = dotsOf(strip, range, frame);
  for (const { x: cx, y, r, index } of dots) {
    const color = strip.color(strip.values[index]);
    paths.set(color, (paths.get(color) ?? "") + disc(cx, y, r));
  }
  for (const [color, d] of paths) pen.shape(d, fade(color, (chosen < 0 ? 0.75 : 0.35) * alpha));
  const dot = dots.find((one) => one.index === chosen);
  if (dot) pen.shape(disc(dot.x, dot.y, dot.r + 1.5), theme.ink);
  const color = strip.color(strip.mean);
  pen.rect(x(strip.low), bar - 1, Math.max(x(strip.high) - x(strip.low), 1), 2, color, 0.3 * alpha);
  if (strip.interval && Number.isFinite(strip.interval[0])) pen.rect(x(strip.interval[0]), bar - 2.5, Math.max(x(strip.interval[1]) - x(strip.interval[0]), 2), 5, color, 0.65 * alpha);
  pen.rect(x(strip.mean) - 1, bar - 6, 2, 12, fade(color, alpha));
}

/** A title, a quiet note where there is room, and round values under the strips; zero is marked through all of them. */
export function drawAbscissa(pen: Pen, range: Range, frame: Frame, title: string, note: string, theme: Theme): void {
  const x = abscissa(range, frame), bottom = frame.y + frame.height;
  if (range.low <= 0 && range.high >= 0) pen.line(x(0), frame.y, x(0), bottom - AXIS, fade(theme.ink, 0.3));
  for (const v of valueTicks(range, Math.max(2, Math.round(frame.width / 80)))) {
    pen.line(x(v), bottom - AXIS, x(v), bottom - AXIS + 4, fade(theme.ink, 0.4));
    pen.text(number(v), x(v), bottom - 5, fade(theme.ink, 0.6), `10px ${theme.font}`, "center");
  }
  pen.text(title, frame.x, frame.y - 10, fade(theme.ink, 0.8), `11px ${theme.font}`);
  if (note && (title.length + note.length) * 5.6 < frame.width) pen.text(note, frame.x + frame.width, frame.y - 10, fade(theme.ink, 0.5), `10px ${theme.font}`, "right");
}
