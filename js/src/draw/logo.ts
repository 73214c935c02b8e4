/** One row of the logo: letters, bars or an envelope. Pure: (pen, data, scale). */
import { abs, ceil, clamp, floor, max, min } from "../core/numbers";
import type { Pen } from "./glyphs";
import { type Extent, type Level, letterAlpha, levelFor, modeOf } from "./lod";
import type { View } from "./scale";
import { fade, type Theme } from "./theme";

export interface Row {
  label: string;
  channels: 1 | 4;
  /** Scores (channels x length), row by row; null for a sequence without scores. */
  values: Float32Array | null;
  /** Score of the base that is there. */
  observed: Float32Array | null;
  levels: Level[];
  extent: Extent;
  /** Range of the stacks of all four letters. */
  stacked: Extent;
  /** Not yet, or no longer, of the sequence that is shown: drawn at 40 %. */
  stale?: boolean;
  /** Letters before the edit, and where each position of now was then (-1: nowhere). */
  ghost?: Uint8Array;
  origin?: Int32Array;
  /** Standard error of the observed base. */
  errors?: Float32Array;
  /** Another row, drawn over this one at 40 %. */
  over?: Row;
}

export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function drawRow(pen: Pen, row: Row, codes: Uint8Array, view: View, frame: Frame, all: boolean, theme: Theme): void {
  const p = frame.width / (view.end - view.start);
  const stacks = all && row.channels === 4 && modeOf(p) === "letters";
  const { low, high } = stacks ? row.stacked : row.extent;
  const span = high - low || 1;
  const y = (v: number): number => frame.y + frame.height * (1 - (clamp(v, low, high) - low) / span);
  const zero = y(0);
  if (row.observed) pen.line(frame.x, zero, frame.x + frame.width, zero, fade(theme.ink, 0.12));
  pen.clip(frame.x, frame.y - 1, frame.width, frame.height + 2);
  const mode = modeOf(p);
  if (!row.observed) drawSequence(pen, codes, view, frame, p, theme);
  else if (mode === "envelope") drawEnvelope(pen, row.levels, row.extent, view, frame, p, y, zero, theme);
  else {
    const alpha = letterAlpha(p) * (row.stale ? STALE : 1);
    if (letterAlpha(p) < 1) drawBars(pen, row.observed, row.extent, codes, view, frame, p, y, zero, theme, (1 - letterAlpha(p)) * (row.stale ? STALE : 1));
    if (alpha > 0) {
      if (stacks && row.values) drawStacks(pen, row.values, codes.length, view, frame, p, y, theme, alpha);
      else drawLetters(pen, row, codes, view, frame, p, y, zero, theme, alpha);
      if (row.errors) drawErrors(pen, row.observed, row.errors, view, frame, p, y, theme);
    }
  }
  if (row.over?.observed) {
    const alone = { ...row.over, ghost: undefined, stale: true, extent: row.over.extent };
    pen.unclip();
    drawRow(pen, alone, codes, view, frame, all, theme);
    pen.clip(frame.x, frame.y - 1, frame.width, frame.height + 2);
  }
  if (row.ghost && row.origin) drawEdits(pen, row.ghost, row.origin, codes, view, frame, p, theme);
  pen.unclip();
}

const STALE = 0.4;
const first = (view: View): number => max(0, floor(view.start));
const last = (view: View, length: number): number => min(length, ceil(view.end));

/** The bases themselves, small, whatever their scores: those that were edited in their colours. */
export function drawStrip(pen: Pen, codes: Uint8Array, row: Row, view: View, frame: Frame, theme: Theme): void {
  const p = frame.width / (view.end - view.start), w = min(p * 0.8, frame.height * 0.8);
  if (modeOf(p) !== "letters" || !row.observed) return;
  for (let i = first(view); i < last(view, codes.length); i++) {
    const from = row.origin ? row.origin[i] : i, edited = !!row.ghost && (from < 0 || row.ghost[from] !== codes[i]);
    const x = frame.x + (i - view.start + 0.5) * p - w / 2;
    pen.glyph(codes[i], x, frame.y + frame.height, w, frame.height, edited ? (theme.bases[codes[i]] ?? theme.unknown) : theme.ink, edited ? 1 : 0.4);
  }
}

/** No scores yet: the letters in grey, as far as they can be read. */
function drawSequence(pen: Pen, codes: Uint8Array, view: View, frame: Frame, p: number, theme: Theme): void {
  const h = min(frame.height * 0.5, 18), y = frame.y + frame.height / 2 + h / 2;
  if (p < 3) return pen.rect(frame.x, y - h / 2 - 1, frame.width, 2, fade(theme.ink, 0.25));
  for (let i = first(view); i < last(view, codes.length); i++)
    pen.glyph(codes[i], frame.x + (i - view.start) * p + p * 0.06, y, p * 0.88, h, theme.unknown);
}

/** Whiskers of one standard error to each side. */
function drawErrors(pen: Pen, observed: Float32Array, errors: Float32Array, view: View, frame: Frame, p: number, y: (v: number) => number, theme: Theme): void {
  for (let i = first(view); i < last(view, observed.length); i++) {
    const x = frame.x + (i - view.start + 0.5) * p, a = y(observed[i] + errors[i]), b = y(observed[i] - errors[i]);
    if (b - a >= 2) pen.line(x, a, x, b, fade(theme.ink, 0.55));
  }
}

/** Edited positions wear a small triangle, with the letter that was there beside it. */
function drawEdits(pen: Pen, ghost: Uint8Array, origin: Int32Array, codes: Uint8Array, view: View, frame: Frame, p: number, theme: Theme): void {
  for (let i = first(view); i < last(view, codes.length); i++) {
    const from = origin[i], isNew = from < 0 && codes[i] < 4, changed = from >= 0 && ghost[from] !== codes[i];
    const gap = i > 0 && from > 0 && origin[i - 1] >= 0 && from > origin[i - 1] + 1; // something was taken out before it
    if (!isNew && !changed && !gap) continue;
    const x = frame.x + (i - view.start + (gap && !changed ? 0 : 0.5)) * p, y = frame.y + frame.height;
    pen.shape(`M${x - 3.5} ${y} L${x + 3.5} ${y} L${x} ${y - 5} Z`, theme.accent);
    if (changed && p >= 7) pen.glyph(ghost[from], x - p * 0.28, frame.y + 9, p * 0.56, 9, theme.bases[ghost[from]] ?? theme.unknown, 0.35);
  }
}

function hatch(pen: Pen, x: number, frame: Frame, p: number, theme: Theme): void {
  for (let k = 0; k < frame.height; k += 5) pen.line(x, frame.y + k + min(p, 5), x + p, frame.y + k, fade(theme.ink, 0.25));
}

function drawLetters(pen: Pen, row: Row, codes: Uint8Array, view: View, frame: Frame, p: number, y: (v: number) => number, zero: number, theme: Theme, alpha: number): void {
  const observed = row.observed!;
  for (let i = first(view); i < last(view, codes.length); i++) {
    const x = frame.x + (i - view.start) * p, v = observed[i];
    if (Number.isNaN(v)) { hatch(pen, x, frame, p, theme); continue; }
    if (codes[i] === 4) { pen.glyph(4, x, zero + 4, p, 8, theme.unknown, alpha); continue; }
    const h = zero - y(v);
    if (abs(h) >= 0.3) pen.glyph(codes[i], x + p * 0.03, zero, p * 0.94, h, theme.bases[codes[i]], alpha);
    if (v > row.extent.high || v < row.extent.low) mark(pen, x + p / 2, y(v), v > 0, theme);
  }
}

/** A small wedge where the scale cuts a value off. */
function mark(pen: Pen, x: number, y: number, up: boolean, theme: Theme): void {
  const s = up ? 1 : -1;
  pen.shape(`M${x - 6.5} ${y + 6.5 * s} L${x + 6.5} ${y + 6.5 * s} L${x} ${y - 1.5 * s} Z`, theme.ground); // seen on any letter
  pen.shape(`M${x - 4} ${y + 5 * s} L${x + 4} ${y + 5 * s} L${x} ${y} Z`, theme.ink);
}

/** All four letters of each position, the smallest nearest to the axis. */
function drawStacks(pen: Pen, values: Float32Array, length: number, view: View, frame: Frame, p: number, y: (v: number) => number, theme: Theme, alpha: number): void {
  const order = [0, 1, 2, 3];
  for (let i = first(view); i < last(view, length); i++) {
    const x = frame.x + (i - view.start) * p;
    if ([0, 1, 2, 3].some((c) => Number.isNaN(values[c * length + i]))) { hatch(pen, x, frame, p, theme); continue; }
    const size = (c: number): number => abs(values[c * length + i]);
    order.sort((a, b) => size(a) - size(b));
    let up = 0, down = 0;
    for (const c of order) {
      const v = values[c * length + i];
      const from = v > 0 ? up : down, to = from + v, h = y(from) - y(to);
      if (abs(h) >= 0.3) pen.glyph(c, x + p * 0.03, y(from), p * 0.94, h, theme.bases[c], alpha);
      if (v > 0) up = to; else down = to;
    }
  }
}

function drawBars(pen: Pen, observed: Float32Array, extent: Extent, codes: Uint8Array, view: View, frame: Frame, p: number, y: (v: number) => number, zero: number, theme: Theme, alpha: number): void {
  const w = max(p - (p > 3 ? 0.6 : 0), 0.75);
  for (let i = first(view); i < last(view, codes.length); i++) {
    const v = observed[i], x = frame.x + (i - view.start) * p;
    if (Number.isNaN(v)) { pen.rect(x, frame.y, w, frame.height, theme.ink, 0.12 * alpha); continue; }
    if (!v) continue;
    const to = y(v);
    pen.rect(x, min(zero, to), w, abs(to - zero), codes[i] < 4 ? theme.bases[codes[i]] : theme.unknown, alpha);
    if (v > extent.high || v < extent.low) mark(pen, x + w / 2, to, v > 0, theme);
  }
}

/** Range of each pixel column, and a darker band of its mean. */
function drawEnvelope(pen: Pen, levels: Level[], extent: Extent, view: View, frame: Frame, p: number, y: (v: number) => number, zero: number, theme: Theme): void {
  const level = levelFor(levels, p), perPixel = 1 / (p * level.bin);
  const from = view.start / level.bin;
  for (let c = 0; c < frame.width; c++) {
    const a = max(0, floor(from + c * perPixel)), b = min(level.low.length, max(a + 1, ceil(from + (c + 1) * perPixel)));
    let low = 0, high = 0, sum = 0, n = 0;
    for (let i = a; i < b; i++) {
      if (Number.isNaN(level.mean[i])) continue;
      low = min(low, level.low[i]);
      high = max(high, level.high[i]);
      sum += level.mean[i];
      n++;
    }
    if (!n) { if (b > a) pen.rect(frame.x + c, frame.y, 1, frame.height, theme.ink, 0.12); continue; }
    if (high > extent.high || low < extent.low) mark(pen, frame.x + c, y(high > extent.high ? high : low), high > extent.high, theme);
    const top = y(high), bottom = y(low), mean = y(sum / n);
    pen.rect(frame.x + c, top, 1, max(bottom - top, 0.5), theme.accent, 0.35);
    pen.rect(frame.x + c, min(mean, zero), 1, max(abs(mean - zero), 0.7), theme.accent, 0.9);
  }
}
