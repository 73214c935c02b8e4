/** Clusters by positions as a picture: each pixel is a cell, or the one of several that is farthest from what free mutation gives. Pure: (pen, data, scale). */
import { abs, ceil, clamp, floor, max, min, round } from "../core/numbers";
import type { Value } from "../state/space";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { number, type View } from "./scale";
import { CATEGORIES, EFFECT, fade, legible, type Theme } from "./theme";

/** What is shown, and of what it is a picture. */
export interface Cells {
  value: Value;
  /** One row a cluster, from top to bottom. */
  rows: readonly ArrayLike<number>[];
  /** The commonest base of each cell, where it gives the colour. */
  bases?: readonly ArrayLike<number>[];
  /** What free mutation gives; of a difference to it, the size that is drawn in full. */
  free: number;
}

/** A code for each pixel: 64 steps of a few colours. */
export interface Picture {
  codes: Uint8Array;
  columns: number;
  rows: number;
  /** Positions that it covers. */
  from: number;
  to: number;
}

const STEPS = 64;

/** Colours of a value, and how strong a cell is in which of them. */
export function hues(value: Value, theme: Theme): string[] {
  if (value === "consensus") return theme.bases;
  return value === "difference" ? [...EFFECT[theme.dark ? "dark" : "light"]] : [theme.accent];
}
export function codeOf({ value, free }: Pick<Cells, "value" | "free">, v: number, base = 0): number {
  const share = value === "entropy" ? v / 2 : value === "mismatch" ? (v / 100) ** 0.7 : value === "consensus" ? (v - 25) / 75 : abs(v) / (free || 1);
  const hue = value === "difference" ? Number(v < 0) : value === "consensus" ? min(base, 3) : 0;
  return hue * STEPS + round(clamp(share, 0, 1) * (STEPS - 1));
}
export const alphaOf = (code: number): number => 0.03 + (0.92 * (code % STEPS)) / (STEPS - 1);

/** What a view has room for: `width` and `height` are pixels. */
export function pictureOf(cells: Cells, { start, end }: View, width: number, height: number): Picture {
  const count = cells.rows.length, w = cells.rows[0]?.length ?? 0, from = max(0, floor(start)), to = min(w, ceil(end)), still = cells.value === "difference" ? 0 : cells.free;
  const columns = max(0, min(to - from, floor(width))), rows = min(count, max(1, floor(height))), codes = new Uint8Array(columns * rows);
  for (let r = 0; r < rows; r++) {
    const [k0, k1] = [floor((r * count) / rows), floor(((r + 1) * count) / rows)];
    for (let c = 0; c < columns; c++) {
      const [i0, i1] = [from + floor((c * (to - from)) / columns), from + floor(((c + 1) * (to - from)) / columns)];
      let [row, at] = [k0, i0];
      if (k1 > k0 + 1 || i1 > i0 + 1) for (let k = k0; k < k1; k++) for (let i = i0; i < i1; i++) if (abs(cells.rows[k][i] - still) > abs(cells.rows[row][at] - still)) [row, at] = [k, i];
      codes[r * columns + c] = codeOf(cells, cells.rows[row][at], cells.bases?.[row][at]);
    }
  }
  return { codes, columns, rows, from, to };
}

/** Red, green, blue and opacity of every pixel. */
export function pixels({ codes }: Picture, colors: readonly string[]): Uint8ClampedArray<ArrayBuffer> {
  const table = new Uint32Array(colors.length * STEPS), out = new Uint32Array(codes.length);
  colors.forEach((color, hue) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    for (let step = 0; step < STEPS; step++) table[hue * STEPS + step] = ((round(alphaOf(step) * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
  for (let i = 0; i < codes.length; i++) out[i] = table[codes[i]];
  return new Uint8ClampedArray(out.buffer);
}

/** The same as shapes, one of all cells of a code, for pictures that are saved. */
export function drawPicture(pen: Pen, { codes, columns, rows }: Picture, colors: readonly string[], frame: Frame): void {
  const paths = new Map<number, string[]>(), [w, h] = [frame.width / columns, frame.height / rows], fixed = (v: number): string => String(round(v * 100) / 100);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; ) {
    const code = codes[r * columns + c], first = c;
    while (c < columns && codes[r * columns + c] === code) c++;
    if (!paths.has(code)) paths.set(code, []);
    paths.get(code)!.push(`M${fixed(frame.x + first * w)} ${fixed(frame.y + r * h)}h${fixed((c - first) * w)}v${fixed(h)}h${fixed((first - c) * w)}z`);
  }
  for (const [code, d] of paths) pen.shape(d.join(""), fade(colors[floor(code / STEPS)], alphaOf(code)));
}

/** The commonest base in each cell, where there is room for letters; those that the reference does not have are heavy. */
export function drawBases(pen: Pen, cells: Cells, reference: ArrayLike<number>, { start, end }: View, frame: Frame, theme: Theme): void {
  const p = frame.width / (end - start), h = frame.height / cells.rows.length;
  cells.bases!.forEach((row, k) => {
    for (let i = ceil(start); i < min(floor(end), row.length); i++) {
      const base = row[i], ink = base < 4 ? legible(theme.bases[base], alphaOf(codeOf(cells, cells.rows[k][i], base)), theme.ground) : theme.ink;
      pen.text("ACGTN"[base], frame.x + (i + 0.5 - start) * p, frame.y + (k + 0.5) * h + 0.5, fade(ink, base === reference[i] ? 0.6 : 1), `${base === reference[i] ? "" : "700 "}${min(11, floor(h))}px ${theme.font}`, "center");
    }
  });
}

/** What the colours mean. */
export function drawKey(pen: Pen, { value, free }: Cells, colors: readonly string[], frame: Frame, theme: Theme): void {
  const [low, high] = { difference: [-free, free], entropy: [0, 2], mismatch: [0, 100], consensus: [25, 100] }[value], steps = 24, w = frame.width / steps;
  for (let i = 0; i < steps; i++) {
    const code = codeOf({ value, free }, low + ((high - low) * (i + 0.5)) / steps);
    pen.rect(frame.x + i * w, frame.y, w + 0.2, frame.height, value === "consensus" ? theme.ink : colors[floor(code / STEPS)], alphaOf(code));
  }
  const text = (words: string, x: number, side: CanvasTextAlign): void => pen.text(words, x, frame.y + frame.height / 2 + 0.5, fade(theme.ink, 0.6), `10px ${theme.font}`, side);
  text(number(low), frame.x - 6, "right");
  text(`${value === "difference" ? "+" : ""}${number(high)}${value === "mismatch" || value === "consensus" ? " %" : " bits"}`, frame.x + frame.width + 6, "left");
}

/** Bars that count cells above the picture, as shares of all clusters. */
export function drawMarginal(pen: Pen, shares: ArrayLike<number>, view: View, frame: Frame, theme: Theme): void {
  const p = frame.width / (view.end - view.start), base = frame.y + frame.height;
  pen.rect(frame.x, base - 0.5, frame.width, 1, theme.ink, 0.12);
  for (let i = max(0, floor(view.start)); i < min(shares.length, ceil(view.end)); ) {
    const x = frame.x + (i - view.start) * p;
    let most = shares[i++]; // of all positions in a pixel
    while (i < shares.length && frame.x + (i - view.start) * p < floor(x) + 1) most = max(most, shares[i++]);
    const a = max(x, frame.x), b = min(max(x + p - (p > 3 ? 1 : 0), x + 1), frame.x + frame.width);
    if (most && b > a) pen.rect(a, base - most * frame.height, b - a, most * frame.height, theme.ink, 0.5);
  }
}

/** What stands beside a row. */
export interface Side {
  words: string;
  colour: number;
  on: boolean;
  /** Quartiles of its activities, as shares of their range. */
  box: [low: number, middle: number, high: number];
  /** Share of positions that are counted. */
  share: number;
}

/** Names and colours left of a row; right of it its activities, and how many of its cells are counted (where there is room: `right` pixels). */
export function drawSide(pen: Pen, { words, colour, on, box, share }: Side, frame: Frame, right: number, theme: Theme): void {
  const { x, y, width, height } = frame, middle = y + height / 2, color = CATEGORIES[colour % CATEGORIES.length], edge = x + width;
  pen.rect(x - 10, y, 6, max(height - (height > 3 ? 1 : 0), 0.5), color);
  if (words) pen.text(words, x - 16, middle, fade(theme.ink, on ? 1 : 0.75), `${on ? "600 " : ""}${clamp(height + 1, 9, 11)}px ${theme.font}`, "right");
  if (!right) return;
  const activity = edge + 16, wide = right - 56, at = (v: number): number => activity + v * wide, thick = clamp(height - 2, 0.5, 6);
  pen.rect(at(box[0]), middle - thick / 2, max(at(box[2]) - at(box[0]), 1), thick, color, on ? 0.9 : 0.55);
  pen.rect(at(box[1]) - 1, middle - max(thick / 2, 0.5), 2, max(thick, 1), theme.ink);
  pen.rect(activity + wide + 8, middle - thick / 2, share * 20, thick, theme.ink, 0.5);
}
