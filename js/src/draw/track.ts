/** One row of a profile: an area far away, steps near by; two strands mirrored, a ghost, a band. Pure: (pen, data, scale). */
import { abs, ceil, clamp, floor, max, min, round } from "../core/numbers";
import type { Pen } from "./glyphs";
import { type Extent, extent, type Level, levelFor } from "./lod";
import type { Frame } from "./logo";
import { number, type View } from "./scale";
import { fade, type Theme } from "./theme";

/** One strand, as far as it is known: its values, those of before, and where 90 % of them lie. */
export interface Strand {
  levels: Level[];
  ghost: Level[] | null;
  band: { low: Level[]; high: Level[] } | null;
}

export interface TrackRow {
  label: string;
  /** Label of the ghost, or nothing. */
  ghost: string;
  /** One, or two: the second hangs down. */
  strands: Strand[];
  /** Of the sequence as it was, until the answer is there: drawn at 40 %. */
  stale?: boolean;
  /** Range of the picture: values of the second strand count as negative. */
  extent: Extent;
}

export type TrackMode = "steps" | "area";

/** p is CSS pixels a position. */
export function trackMode(p: number): TrackMode {
  return p >= 3 ? "steps" : "area";
}

const signs = [1, -1] as const;
const LEAST = 0.15; // of the larger strand: the smaller one stays to be seen, even when it is empty

/** The range of a row, zero, ghost and band included. */
export function rowExtent(strands: Strand[]): Extent {
  let low = 0, high = 0, clipped = false;
  strands.forEach(({ levels, ghost, band }, s) => {
    for (const drawn of [levels, ghost, band?.low, band?.high]) {
      if (!drawn) continue;
      const own = extent(drawn);
      low = min(low, s ? -own.high : own.low);
      high = max(high, s ? -own.low : own.high);
      clipped ||= own.clipped;
    }
  });
  if (strands.length < 2) return { low, high, clipped };
  return { low: min(low, -LEAST * high), high: max(high, -LEAST * low), clipped };
}

/** Neighbouring columns of the picture that all have a value, or that all have none. */
export interface Run {
  known: boolean;
  x: number;
  /** Of one column. */
  width: number;
  low: number[];
  high: number[];
  mean: number[];
}

/** Columns in view: positions where they are wide enough, else pixels. Outside the profile there are none. */
export function runsOf(levels: Level[], view: View, frame: Frame): Run[] {
  const p = frame.width / (view.end - view.start), runs: Run[] = [];
  const add = (x: number, width: number, low: number, high: number, mean: number): void => {
    const known = !Number.isNaN(mean);
    let run = runs[runs.length - 1];
    if (!run || run.known !== known) runs.push((run = { known, x, width, low: [], high: [], mean: [] }));
    run.low.push(low);
    run.high.push(high);
    run.mean.push(mean);
  };
  if (trackMode(p) === "steps") {
    const { mean } = levels[0], last = min(mean.length, ceil(view.end));
    for (let i = max(0, floor(view.start)); i < last; i++) add(frame.x + (i - view.start) * p, p, mean[i], mean[i], mean[i]);
    return runs;
  }
  const level = levelFor(levels, p), n = level.mean.length, perPixel = 1 / (p * level.bin), from = view.start / level.bin;
  for (let c = 0; c < frame.width; c++) {
    const first = floor(from + c * perPixel), a = max(0, first);
    const b = min(n, max(first + 1, ceil(from + (c + 1) * perPixel)));
    if (b <= a) continue; // before the profile or after it
    let low = Infinity, high = -Infinity, sum = 0, count = 0;
    for (let i = a; i < b; i++) {
      if (Number.isNaN(level.mean[i])) continue;
      low = min(low, level.low[i]);
      high = max(high, level.high[i]);
      sum += level.mean[i];
      count++;
    }
    add(frame.x + c, 1, low, high, count ? sum / count : NaN);
  }
  return runs;
}

type Y = (v: number) => number;
type Tint = (color: string, alpha?: number) => string;
const STALE = 0.4;
const px = (v: number): string => String(round(v * 100) / 100);

/** `view` is counted from the first position of the profile. */
export function drawTrack(pen: Pen, row: TrackRow, view: View, frame: Frame, theme: Theme): void {
  const { low, high } = row.extent, span = high - low || 1, n = row.strands[0].levels[0].mean.length;
  const p = frame.width / (view.end - view.start);
  const y: Y = (v) => frame.y + frame.height * (1 - (clamp(v, low, high) - low) / span);
  const a = max(frame.x, frame.x - view.start * p), b = min(frame.x + frame.width, frame.x + (n - view.start) * p);
  if (b <= a) return;
  pen.clip(frame.x, frame.y - 1, frame.width, frame.height + 2);
  const tint: Tint = (color, alpha = 1) => fade(color, row.stale ? STALE * alpha : alpha);
  row.strands.forEach((strand, s) => {
    const half = row.strands.length < 2 ? frame
      : s ? { ...frame, y: y(0), height: frame.y + frame.height - y(0) } : { ...frame, height: y(0) - frame.y };
    drawStrand(pen, strand, row.extent, signs[s], view, frame, half, y, theme, tint);
  });
  pen.line(a, y(0), b, y(0), fade(theme.ink, row.strands.length < 2 ? 0.12 : 0.4)); // it says where the profile is, too
  pen.unclip();
}

function drawStrand(pen: Pen, strand: Strand, range: Extent, sign: 1 | -1, view: View, frame: Frame, half: Frame, y: Y, theme: Theme, tint: Tint): void {
  const runs = runsOf(strand.levels, view, frame), known = runs.filter((run) => run.known);
  const along: Y = (v) => y(sign * v), { ghost, band } = strand;
  const steps = trackMode(frame.width / (view.end - view.start)) === "steps", quiet = Boolean(ghost || band);
  for (const run of runs) if (!run.known) hatch(pen, run, half, theme);
  if (!steps && !band) shape(pen, known.map((r) => between(r, r.low.map((v) => min(v, 0)), r.high.map((v) => max(v, 0)), along)), tint(theme.accent, quiet ? 0.15 : 0.3));
  shape(pen, known.map((r) => between(r, r.mean.map(() => 0), r.mean, along)), tint(theme.accent, quiet ? 0.25 : steps ? 0.45 : 0.75));
  if (band) {
    const lows = runsOf(band.low, view, frame), highs = runsOf(band.high, view, frame);
    shape(pen, lows.map((r, i) => (r.known ? between(r, r.mean, highs[i].mean, along) : "")), tint(theme.accent, 0.35));
  }
  if (ghost) shape(pen, runsOf(ghost, view, frame).filter((r) => r.known).map((r) => outline(r, along, 1)), tint(theme.ink, 0.55));
  if (steps || quiet) shape(pen, known.map((r) => outline(r, along, 1.5)), tint(theme.accent));
  for (const run of known) marks(pen, run, range, sign, y, theme);
}

function shape(pen: Pen, parts: string[], color: string): void {
  const d = parts.join("");
  if (d) pen.shape(d, color);
}

/** A closed path between two stairs, one step a column. */
function between(run: Run, low: number[], high: number[], y: Y): string {
  const n = high.length, end = px(run.x + n * run.width);
  const edge = (i: number): string => px(run.x + i * run.width);
  let d = `M${edge(0)} ${px(y(high[0]))}`;
  for (let i = 1; i < n; i++) if (high[i] !== high[i - 1]) d += `H${edge(i)}V${px(y(high[i]))}`;
  d += `H${end}V${px(y(low[n - 1]))}`;
  for (let i = n - 1; i > 0; i--) if (low[i] !== low[i - 1]) d += `H${edge(i)}V${px(y(low[i - 1]))}`;
  return `${d}H${edge(0)}Z`;
}

/** The stair itself, as thin bars: what draws knows shapes, not strokes along a path. */
function outline(run: Run, y: Y, thick: number): string {
  if (run.width === 1) { // columns of a pixel: one shape, as tall in each as the line is steep
    const at = run.mean.map(y), before = (i: number): number => at[max(i - 1, 0)];
    return between(run, at.map((v, i) => max(v, before(i)) + thick / 2), at.map((v, i) => min(v, before(i)) - thick / 2), (v) => v);
  }
  const bar = (x: number, top: number, w: number, h: number): string => `M${px(x)} ${px(top)}h${px(w)}v${px(h)}h${px(-w)}z`;
  let d = "", from = 0;
  for (let i = 1; i <= run.mean.length; i++) {
    if (i < run.mean.length && run.mean[i] === run.mean[from]) continue; // a tread goes on while the value does
    const level = y(run.mean[from]), x = run.x + i * run.width;
    d += bar(run.x + from * run.width, level - thick / 2, (i - from) * run.width, thick);
    if (i < run.mean.length) {
      const next = y(run.mean[i]);
      d += bar(x - thick / 2, min(level, next) - thick / 2, thick, abs(next - level) + thick);
    }
    from = i;
  }
  return d;
}

/** Where there is no value. */
function hatch(pen: Pen, run: Run, frame: Frame, theme: Theme): void {
  const w = run.mean.length * run.width, h = frame.height;
  if (h < 1) return;
  if (w < 4) return pen.rect(run.x, frame.y, w, h, theme.ink, 0.12);
  pen.clip(run.x, frame.y, w, h);
  const phase = 6 - ((run.x - frame.x) % 6);
  for (let k = phase - h - 6; k < w; k += 6) pen.line(run.x + k, frame.y + h, run.x + k + h, frame.y, fade(theme.ink, 0.25));
  pen.unclip();
}

/** A small wedge where the scale cuts values off, one for neighbours that are cut off alike. */
function marks(pen: Pen, run: Run, range: Extent, sign: 1 | -1, y: Y, theme: Theme): void {
  if (!range.clipped) return;
  let before = 0;
  for (let i = 0; i < run.mean.length; i++) {
    const [low, high] = sign > 0 ? [run.low[i], run.high[i]] : [-run.high[i], -run.low[i]];
    const side = high > range.high ? 1 : low < range.low ? -1 : 0;
    if (side && side !== before) {
      const x = run.x + (i + 0.5) * run.width, tip = y(side * Infinity);
      pen.shape(`M${x - 6.5} ${tip + 6.5 * side}L${x + 6.5} ${tip + 6.5 * side}L${x} ${tip - 1.5 * side}Z`, theme.ground); // seen on any profile
      pen.shape(`M${x - 4} ${tip + 5 * side}L${x + 4} ${tip + 5 * side}L${x} ${tip}Z`, theme.ink);
    }
    before = side;
  }
}

/** Label, what the ghost is, and the range. */
export function drawGutter(pen: Pen, row: TrackRow, frame: Frame, theme: Theme): void {
  const two = row.strands.length > 1, x = frame.x - (two ? 14 : 10); // signs of the strands stand between
  const small = `10px ${theme.font}`, quiet = fade(theme.ink, 0.6), { low, high } = row.extent;
  const fit = (words: string, letter: number, room: number): string => {
    const most = floor((room - 2) / letter);
    return words.length > most ? `${words.slice(0, most - 1)}\u2026` : words;
  };
  const bottom = frame.y + frame.height, legend = row.ghost !== "" && frame.height >= 56, middle = frame.y + frame.height / 2 - (legend ? 6 : 0);
  pen.text(fit(row.label, 7.4, x), x, middle, theme.ink, `12px ${theme.font}`, "right");
  if (legend) {
    const name = fit(row.ghost, 5.8, x - 14), from = x - name.length * 5.8 - 4;
    pen.text(name, x, middle + 14, quiet, small, "right");
    pen.line(from - 10, middle + 14, from, middle + 14, quiet);
  }
  if (high > 0) pen.text(number(high), x, frame.y + 4, quiet, small, "right");
  if (low < 0) pen.text(number(two ? -low : low), x, bottom - 3, quiet, small, "right");
  const empty = row.strands.every((s) => s.levels[0].mean.every((v) => Number.isNaN(v)));
  if (empty || (high === 0 && low === 0)) pen.text(empty ? "no values" : "all zero", x, bottom - 3, quiet, small, "right");
  if (!two || high === low) return;
  const zero = frame.y + (frame.height * high) / (high - low);
  pen.text("+", frame.x - 6, zero - 7, quiet, small, "center");
  pen.text("\u2212", frame.x - 6, zero + 6, quiet, small, "center");
}
