/** Every pair of motifs as a triangle of cells, with the motifs' names down its edge: a name is read to the left for its row and downwards for its column. Pure. */
import { abs, floor, max, min } from "../core/numbers";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { number, signed } from "./scale";
import { effectOf, fade, legible, type Theme } from "./theme";

export interface Cell {
  value: number;
  /** Whether its interval leaves zero out, or there is none. */
  sure: boolean;
  /** In the place of the number with its sign. */
  words?: string;
  /** How opaque it is where it is not sure. */
  quiet?: number;
}

const TALLEST = 48, AIR = 1;

/** Size of a cell, so that cells and names fit. */
export function cellSize(count: number, width: number, names: number): number {
  return max(8, min(TALLEST, floor((width - names) / max(count, 1))));
}

/** How strong a colour is: less than in proportion, so that small effects are still seen. */
export const strength = (value: number, most: number): number => (most ? 0.06 + 0.94 * min(abs(value) / most, 1) ** 0.7 : 0);

export function drawCell(pen: Pen, { value, sure, words: own, quiet = 1 }: Cell, most: number, { x, y, width, height }: Frame, theme: Theme): void {
  const w = width - AIR, h = height - AIR;
  if (!Number.isFinite(value)) { // not measured, or no number
    for (let k = 0; k < w + h; k += 5) pen.line(x + max(0, k - h), y + min(k, h), x + min(k, w), y + max(0, k - w), fade(theme.ink, 0.22));
    return;
  }
  const color = effectOf(theme, value), alpha = strength(value, most) * (sure ? 1 : quiet), inset = sure ? 0 : w * 0.3;
  pen.rect(x, y, w, h, theme.ink, 0.035);
  pen.rect(x + inset, y + inset * (h / w), w - 2 * inset, h - 2 * inset * (h / w), color, alpha);
  if (!sure || w < 12 || h < 0.9 * w) return; // a lane is too low for words
  const ink = legible(color, alpha, theme.ground), words = w >= 38 ? own ?? signed(Number(value.toPrecision(abs(value) < 0.1 ? 1 : 2))) : value < 0 && alpha > 0.3 ? "\u2212" : "";
  if (words) pen.text(words, x + w / 2, y + h / 2 + 0.5, ink, `${w >= 38 ? 10 : 12}px ${theme.font}`, "center");
}

/** `cell(i, j)` for j <= i; null where a pair is not in the table. */
export function drawGrid(pen: Pen, names: readonly string[], cell: (i: number, j: number) => Cell | null, most: number, size: number, at: { x: number; y: number }, theme: Theme): void {
  names.forEach((name, i) => {
    for (let j = 0; j <= i; j++) drawCell(pen, cell(i, j) ?? { value: NaN, sure: false }, most, { x: at.x + j * size, y: at.y + i * size, width: size, height: size }, theme);
    pen.text(name, at.x + (i + 1) * size + 6, at.y + (i + 0.5) * size, theme.ink, `${size < 12 ? 8 : 11}px ${theme.font}`);
  });
}

/** What the colours mean, from `low` (-1, or 0 where there is nothing below) to 1 times the most. */
export function drawScale(pen: Pen, most: number, frame: Frame, theme: Theme, low = -1): void {
  const at = (share: number): number => (share - low) / (1 - low);
  for (let x = 0; x < frame.width; x += 4) { // whole pixels, so that no seam is seen
    const value = low + ((x + 2) / frame.width) * (1 - low);
    pen.rect(frame.x + x, frame.y, 4, 8, effectOf(theme, value), strength(value, 1));
  }
  for (const share of low ? [-1, 0, 1] : [0, 1]) pen.text(share ? (low && share > 0 ? "+" : "") + number(share * most) : "0", frame.x + frame.width * at(share), frame.y + 18, fade(theme.ink, 0.6), `10px ${theme.font}`, "center");
}
