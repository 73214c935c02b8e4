/** Level of detail: which picture at which zoom, and the pyramid that a far view is drawn from. Pure. */
import { abs, ceil, max, min } from "../core/numbers";

export type Mode = "letters" | "bars" | "envelope";

/** p is CSS pixels a position. */
export function modeOf(p: number): Mode {
  return p >= 5 ? "letters" : p >= 0.75 ? "bars" : "envelope";
}

/** Letters fade in over bars between 5 and 7 pixels, so that the change is no jump. */
export function letterAlpha(p: number): number {
  return min(1, max(0, (p - 5) / 2));
}

export interface Level {
  bin: number;
  low: Float32Array;
  high: Float32Array;
  mean: Float32Array;
}

/** Minimum, maximum and mean over bins of 4, 16, 64, ... positions, until few are left. */
export function pyramid(values: Float32Array): Level[] {
  const levels: Level[] = [{ bin: 1, low: values, high: values, mean: values }];
  for (let last = levels[0]; last.low.length > 512; last = levels[levels.length - 1]) {
    const n = ceil(last.low.length / 4);
    const low = new Float32Array(n), high = new Float32Array(n), mean = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      let a = Infinity, b = -Infinity, sum = 0, count = 0;
      for (let j = 4 * i; j < min(4 * i + 4, last.low.length); j++) {
        if (Number.isNaN(last.mean[j])) continue;
        a = min(a, last.low[j]);
        b = max(b, last.high[j]);
        sum += last.mean[j];
        count++;
      }
      low[i] = count ? a : NaN;
      high[i] = count ? b : NaN;
      mean[i] = count ? sum / count : NaN;
    }
    levels.push({ bin: last.bin * 4, low, high, mean });
  }
  return levels;
}

/** The coarsest level whose bins are no wider than a pixel. */
export function levelFor(levels: Level[], p: number): Level {
  let best = levels[0];
  for (const level of levels) if (level.bin * p <= 1) best = level;
  return best;
}

export interface Extent {
  low: number;
  high: number;
  clipped: boolean;
}

/** How many times the fourth largest value a value may be before it is an outlier: a motif has more than three bases. */
const OUTLIER = 6;

/** The range of a row, zero included; up to three huge outliers do not set it. */
export function extent(levels: Level[]): Extent {
  const values = levels[0].mean, largest = [0, 0, 0, 0];
  let low = 0, high = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i], size = abs(v);
    if (v < low) low = v;
    if (v > high) high = v;
    if (size > largest[3]) {
      largest[3] = size;
      largest.sort((a, b) => b - a);
    }
  }
  const usual = largest[3];
  if (!usual || largest[0] <= OUTLIER * usual) return { low, high, clipped: false };
  const reach = 1.5 * usual;
  return { low: max(low, -reach), high: min(high, reach), clipped: true };
}
