/** Seqlets laid over each other, a row each, and how their numbers are spread. Pure: (pen, data, scale). */
import { abs, floor, max, min } from "../core/numbers";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { number, type View, whole } from "./scale";
import { fade, type Theme } from "./theme";

export interface Stack {
  n: number;
  /** Columns that are shown. */
  view: View;
  /** Of row i. */
  letters(i: number): { codes: Uint8Array; values: Float32Array };
  /** Contribution that is drawn in full colour, with the sign of the pattern. */
  full: number;
}

const LETTER = 9; // pixels from which letters can be read

/** The colour is the base, its depth the contribution; what goes against the pattern is grey. */
export function drawStack(pen: Pen, { n, view: { start, end }, letters, full }: Stack, frame: Frame, theme: Theme): void {
  const w = frame.width / (end - start), h = frame.height / n, readable = h >= LETTER && w >= 5;
  for (let i = 0; i < n; i++) {
    const { codes, values } = letters(i), y = frame.y + i * h;
    for (let j = start; j < end; j++) {
      const part = values[j] / (full || 1), depth = min(abs(part), 1), known = codes[j] < 4, x = frame.x + (j - start) * w;
      if (readable) pen.glyph(codes[j], x + w * 0.1, y + h * 0.9, w * 0.8, h * 0.8, known && part >= 0 ? theme.bases[codes[j]] : theme.ink, 0.12 + 0.88 * depth);
      else if (depth > 0.02) pen.rect(x, y, w, h, known && part > 0 ? theme.bases[codes[j]] : theme.ink, part > 0 ? depth : depth * 0.5);
    }
  }
}

export interface Spread {
  title: string;
  low: number;
  high: number;
  counts: number[];
  /** Where the chosen one lies; NaN for none. */
  mark: number;
  /** Whether every place is as likely, by chance. */
  even: boolean;
  color: string;
}

const BINS = 30, NUMBER = 44;

/** Equal bins of what is known. */
export function spreadOf(values: ArrayLike<number>, low: number, high: number): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (let i = 0; i < values.length; i++) {
    const bin = floor(((values[i] - low) / (high - low || 1)) * BINS);
    if (Number.isFinite(bin)) counts[min(max(bin, 0), BINS - 1)]++;
  }
  return counts;
}

export function drawSpread(pen: Pen, { title, low, high, counts, mark, even, color }: Spread, frame: Frame, theme: Theme): void {
  const top = frame.y + 20, base = frame.y + frame.height - 16, most = max(1, ...counts), w = frame.width / counts.length, total = counts.reduce((a, b) => a + b, 0);
  const small = `10px ${theme.font}`, x = (v: number): number => frame.x + (min(max((v - low) / (high - low || 1), 0), 1)) * frame.width;
  pen.text(title, frame.x, frame.y + 6, fade(theme.ink, 0.8), `11px ${theme.font}`);
  counts.forEach((count, i) => {
    const tall = ((base - top) * count) / most;
    if (count) pen.rect(frame.x + i * w, base - tall, max(w - 1, 1), tall, color, 0.75);
  });
  if (even && total) {
    const y = base - ((base - top) * total) / counts.length / most;
    pen.line(frame.x, y, frame.x + frame.width, y, fade(theme.ink, 0.35));
  }
  pen.line(frame.x, base, frame.x + frame.width, base, fade(theme.ink, 0.12));
  if (low < 0 && high > 0) pen.line(x(0), top, x(0), base, fade(theme.ink, 0.12));
  const apart = low < 0 && high > 0 && min(x(0) - x(low), x(high) - x(0)) > NUMBER; // else numbers would lie on each other
  const ends: [number, CanvasTextAlign][] = [[low, "left"], ...(apart ? [[0, "center"] as [number, CanvasTextAlign]] : []), [high, "right"]];
  for (const [v, align] of ends) pen.text(number(v), x(v), base + 9, fade(theme.ink, 0.6), small, align);
  pen.text(`most ${whole(most)}`, frame.x + frame.width, frame.y + 6, fade(theme.ink, 0.5), small, "right");
  if (Number.isFinite(mark)) pen.shape(`M${x(mark)} ${base - 1}l-4 -6h8Z`, theme.ink);
}
