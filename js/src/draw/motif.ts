/** A motif as a block that stands somewhere: its logo, its strand, and the span that it covers. Pure: (pen, data, scale). */
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { fade, type Theme } from "./theme";

/** A matrix (4, w), row by row. */
export interface Matrix {
  values: ArrayLike<number>;
  width: number;
}

/** The other strand of a motif. */
export function reverseComplement({ values, width }: Matrix): Matrix {
  return { values: Array.from({ length: 4 * width }, (_, i) => values[4 * width - 1 - i]), width };
}

/** Bases from the lowest up, each with its part of the two bits that a position can have. */
export function stackOf(weights: number[]): { base: number; height: number }[] {
  const total = weights.reduce((a, b) => a + b) || 1, p = weights.map((v) => v / total);
  const bits = 2 + p.reduce((sum, v) => (v ? sum + v * Math.log2(v) : sum), 0);
  return [0, 1, 2, 3].sort((a, b) => p[a] - p[b]).map((base) => ({ base, height: (p[base] * bits) / 2 }));
}

/** Stacks of letters, as tall as their information, of two bits at most. */
export function drawMotif(pen: Pen, { values, width }: Matrix, frame: Frame, theme: Theme): void {
  const w = frame.width / width;
  for (let i = 0; i < width; i++) {
    const weights = [0, 1, 2, 3].map((base) => values[base * width + i]), known = weights.some((v) => v);
    if (!known) pen.glyph(4, frame.x + i * w, frame.y + frame.height, w * 0.94, frame.height * 0.3, theme.unknown);
    let y = frame.y + frame.height;
    for (const { base, height } of stackOf(weights)) {
      const h = height * frame.height;
      if (h > 0.4) pen.glyph(base, frame.x + i * w + w * 0.03, y, w * 0.94, h, theme.bases[base]);
      y -= h;
    }
  }
}

/** The highest stack and the deepest one. */
export function rangeOf({ values, width }: Matrix): [low: number, high: number] {
  let low = 0, high = 0;
  for (let i = 0; i < width; i++) {
    let up = 0, down = 0;
    for (let base = 0; base < 4; base++) {
      const v = values[base * width + i];
      if (v > 0) up += v;
      else down += v;
    }
    [low, high] = [Math.min(low, down), Math.max(high, up)];
  }
  return [low, high];
}

/** Stacks of letters as tall as their contributions: those below zero hang, the smallest nearest to the line. */
export function drawContributions(pen: Pen, matrix: Matrix, frame: Frame, theme: Theme): void {
  const { values, width } = matrix, [low, high] = rangeOf(matrix), w = frame.width / width, scale = frame.height / (high - low || 1);
  const zero = frame.y + high * scale;
  for (let i = 0; i < width; i++) {
    let up = zero, down = zero;
    for (const base of [0, 1, 2, 3].sort((a, b) => Math.abs(values[a * width + i]) - Math.abs(values[b * width + i]))) {
      const h = values[base * width + i] * scale;
      if (Math.abs(h) > 0.4) pen.glyph(base, frame.x + i * w + w * 0.03, h > 0 ? up : down, w * 0.94, h, theme.bases[base]);
      if (h > 0) up -= h;
      else down -= h;
    }
  }
  pen.rect(frame.x, zero - 0.5, frame.width, 1, theme.ink, 0.25);
}

const LETTER = 10; // pixels that a letter needs at least
const ARROW = 9;

/** Where a block is drawn that covers [a, b] on the line: no narrower than can be read, within the frame. */
export function blockOf(a: number, b: number, width: number, frame: Frame): Frame {
  const size = Math.min(Math.max(b - a, LETTER * width), frame.width);
  const inside = Math.min(Math.max((a + b - size) / 2, Math.min(a, frame.x)), Math.max(b, frame.x + frame.width) - size);
  return { x: inside, y: frame.y, width: size, height: frame.height - 18 };
}

/** The block, and under it the line of the backgrounds with the span that it covers: [a, b] in pixels. */
export function drawBlock(pen: Pen, motif: Matrix, strand: "+" | "-", a: number, b: number, frame: Frame, held: boolean, theme: Theme): void {
  const block = blockOf(a, b, motif.width, frame), line = frame.y + frame.height - 4, { x, y, width: w, height: h } = block;
  pen.rect(frame.x, line - 0.5, frame.width, 1, theme.ink, 0.2);
  pen.clip(frame.x - ARROW - 2, frame.y - 2, frame.width + 2 * ARROW + 4, frame.height + 4);
  const tint = fade(theme.accent, held ? 0.2 : 0.1), r = 4;
  pen.shape(`M${x + r} ${y}H${x + w - r}Q${x + w} ${y} ${x + w} ${y + r}V${y + h}H${x}V${y + r}Q${x} ${y} ${x + r} ${y}Z`, tint);
  pen.shape(`M${x} ${y + h}H${x + w}L${b} ${line - 3}H${a}Z`, fade(theme.accent, held ? 0.14 : 0.07)); // down to the span itself
  pen.rect(a, line - 2, Math.max(b - a, 2), 4, theme.accent);
  const forward = strand === "+", tip = forward ? x + w + ARROW - 2 : x - ARROW + 2, foot = forward ? x + w + 2 : x - 2, middle = y + h / 2;
  pen.shape(`M${foot} ${middle - 6}L${tip} ${middle}L${foot} ${middle + 6}Z`, theme.accent);
  drawMotif(pen, motif, { x: x + 2, y: y + 4, width: w - 4, height: h - 6 }, theme);
  pen.unclip();
}
