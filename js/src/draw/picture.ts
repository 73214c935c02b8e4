/** Small pictures inside a table: a motif's logo, lines, an interval. Pure of any host. */
import { max, min } from "../core/numbers";
import type { Pen } from "./glyphs";
import { stackOf } from "./motif";
import { effectOf, fade, type Theme } from "./theme";

export type Picture =
  /** Matrices (4, w) of probabilities, end to end; row i has positions [at[i], at[i + 1]). */
  | { kind: "logo"; values: Uint8Array; at: Int32Array }
  /** `count` lines a row, of `points` values each; the first one quiet where there are several. */
  | { kind: "lines"; values: Float32Array; count: number; points: number }
  /** Columns of the row that hold the ends, and the range that all rows share. */
  | { kind: "interval"; value: number; low: number; high: number; range: [number, number] };

const BASE = 9, MOST = 24, LINES = 120, INTERVAL = 120;

/** Pixels a picture needs; a motif too wide for its place is drawn narrower. */
export function widthOf(picture: Picture): number {
  if (picture.kind !== "logo") return picture.kind === "lines" ? LINES : INTERVAL;
  let widest = 1;
  for (let i = 1; i < picture.at.length; i++) widest = max(widest, picture.at[i] - picture.at[i - 1]);
  return BASE * min(widest, MOST);
}

export function drawPicture(pen: Pen, picture: Picture, row: number, cells: readonly unknown[], width: number, height: number, theme: Theme): void {
  if (picture.kind === "logo") drawMotif(pen, picture.values, picture.at[row], picture.at[row + 1], width, height, theme);
  else if (picture.kind === "lines") drawLines(pen, picture.values, row, picture.count, picture.points, width, height, theme);
  else drawInterval(pen, [picture.value, picture.low, picture.high].map((c) => cells[c] as number | null), picture.range, width, height, theme);
}

/** Heights are bits against equal frequencies, of two at most. */
function drawMotif(pen: Pen, values: Uint8Array, start: number, end: number, width: number, height: number, theme: Theme): void {
  const w = min(BASE, width / (end - start));
  for (let i = start; i < end; i++) {
    let y = height - 1;
    for (const { base, height: part } of stackOf([0, 1, 2, 3].map((b) => values[4 * i + b]))) {
      const h = part * (height - 2);
      if (h > 0.3) pen.glyph(base, (i - start) * w, y, w, h, theme.bases[base]);
      y -= h;
    }
  }
}

function drawLines(pen: Pen, values: Float32Array, row: number, count: number, points: number, width: number, height: number, theme: Theme): void {
  const own = values.subarray(row * count * points, (row + 1) * count * points);
  let low = Infinity, high = -Infinity;
  for (const v of own) if (Number.isFinite(v)) { low = min(low, v); high = max(high, v); }
  if (!(high >= low)) return;
  const y = (v: number): number => height - 2 - ((v - low) / (high - low || 1)) * (height - 4);
  const x = (i: number): number => (i * (width - 1)) / max(points - 1, 1);
  for (let k = 0; k < count; k++) {
    const color = count > 1 && k === 0 ? fade(theme.ink, 0.4) : theme.accent;
    for (let i = 1; i < points; i++) {
      const a = own[k * points + i - 1], b = own[k * points + i];
      if (Number.isFinite(a) && Number.isFinite(b)) pen.line(x(i - 1), y(a), x(i), y(b), color, 1.25);
    }
  }
}

function drawInterval(pen: Pen, [value, low, high]: (number | null)[], range: [number, number], width: number, height: number, theme: Theme): void {
  const x = (v: number): number => 4 + ((v - range[0]) / (range[1] - range[0] || 1)) * (width - 8), middle = height / 2;
  if (range[0] < 0 && range[1] > 0) pen.line(x(0), 2, x(0), height - 2, fade(theme.ink, 0.25));
  if (value === null) return;
  const color = effectOf(theme, value);
  if (low !== null && high !== null) pen.line(x(low), middle, x(high), middle, color, 1.5);
  pen.rect(x(value) - 2.5, middle - 2.5, 5, 5, color);
}
