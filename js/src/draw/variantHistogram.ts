/** How many variants have which score, on a logarithmic axis, and the threshold as a line to be moved. Pure: (pen, data, scale). */
import { floor, max, min, round } from "../core/numbers";
import { disc, type Range } from "./curve";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { whole } from "./scale";
import { abscissa, drawAbscissa } from "./strip";
import { effectOf, fade, type Theme } from "./theme";

export interface Histogram {
  range: Range;
  counts: number[];
}

const BINS = 61, AXIS = 16;

/** Equal bins from the smallest to the largest value; of both signs, as wide to each side, with one bin about zero. */
export function histogram(values: Iterable<number>): Histogram {
  const known = [...values].filter(Number.isFinite);
  let low = 0, high = 0;
  for (const v of known) { low = min(low, v); high = max(high, v); }
  if (low < 0) { high = max(-low, high); low = -high; }
  const range = low === high ? { low: 0, high: 1 } : { low, high }, counts = new Array<number>(BINS).fill(0);
  for (const v of known) counts[binOf(range, v)]++;
  return { range, counts };
}

export function binOf({ low, high }: Range, v: number): number {
  return min(max(floor(((v - low) / (high - low)) * BINS), 0), BINS - 1);
}

export function edges({ low, high }: Range, bin: number): [number, number] {
  const width = (high - low) / BINS;
  return [low + bin * width, low + (bin + 1) * width];
}

/** The score under an abscissa. */
export const scoreAt = ({ low, high }: Range, frame: Frame, x: number): number => low + ((x - frame.x) / frame.width) * (high - low);

/** Steps of a key: a hundredth of the largest score, made round. */
export function stepOf({ high }: Range): number {
  const raw = high / 100, power = 10 ** floor(Math.log10(raw));
  return ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10) * power;
}

export interface Marks {
  threshold: number;
  /** The score of the variant that is shown; NaN for none. */
  shown: number;
  /** Bin under the pointer, -1 for none. */
  bin: number;
  held: boolean;
}

export function drawHistogram(pen: Pen, { range, counts }: Histogram, { threshold, shown, bin, held }: Marks, frame: Frame, title: string, note: string, theme: Theme): void {
  const x = abscissa(range, frame), base = frame.y + frame.height - AXIS, room = frame.height - AXIS - 12;
  const most = max(9, ...counts), tall = (count: number): number => (Math.log1p(count) / Math.log1p(most)) * room; // few beyond many stay to be seen
  drawAbscissa(pen, range, frame, title, note, theme);
  for (let n = 1; n <= most; n *= 10) {
    pen.line(frame.x, base - tall(n), frame.x + frame.width, base - tall(n), fade(theme.ink, 0.06));
    pen.text(whole(n), frame.x - 6, base - tall(n), fade(theme.ink, 0.6), `10px ${theme.font}`, "right");
  }
  pen.line(frame.x, base, frame.x + frame.width, base, fade(theme.ink, 0.12));
  // below the threshold without a colour; of both signs so is the bin about zero
  const inner = range.low < 0 ? max(threshold, (range.high - range.low) / BINS / 2) : threshold, rises = range.low < 0 ? effectOf(theme, 1) : theme.accent;
  const parts: [number, number, string, number][] = [[range.low, -inner, effectOf(theme, -1), 0.85], [-inner, inner, theme.ink, 0.25], [inner, range.high, rises, 0.85]];
  counts.forEach((count, i) => {
    const [a, b] = edges(range, i), h = tall(count);
    for (const [from, to, color, alpha] of parts) {
      const left = max(x(a) + 0.5, x(from)), right = min(x(b) - 0.5, x(to));
      if (count && right > left) pen.rect(left, base - h, right - left, h, color, bin === i ? alpha + 0.15 : alpha);
    }
  });
  if (Number.isFinite(shown)) {
    const at = x(min(max(shown, range.low), range.high));
    pen.shape(`M${round(at * 10) / 10} ${base + 1}l-4 5h8Z`, theme.ink);
  }
  for (const sign of range.low < 0 ? [-1, 1] : [1]) {
    const at = x(sign * min(threshold, range.high)); // one that none passes stands at the end
    if (!threshold && sign < 0) continue;
    pen.line(at, frame.y, at, base, threshold ? theme.ink : fade(theme.ink, 0.25), held ? 2 : 1.25);
    pen.shape(disc(at, frame.y + 1, held ? 5.5 : 4.5), theme.ink);
    pen.shape(disc(at, frame.y + 1, held ? 3 : 2), theme.ground);
  }
}
