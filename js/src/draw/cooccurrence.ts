/** How often two stand at each distance, and a motif among its partners. Pure: (pen, data, scale). */
import { floor, max, min, round } from "../core/numbers";
import type { Bin } from "../state/cooccurrence";
import { disc, valueTicks } from "./curve";
import type { Pen } from "./glyphs";
import { strength } from "./interactionGrid";
import type { Frame } from "./logo";
import { number, whole } from "./scale";
import { effectOf, fade, type Theme } from "./theme";

const HEAD = 18, QUIET = 0.28;

/** What stands at an abscissa; -1 for nothing. */
export function binAt(count: number, frame: Frame, x: number): number {
  const at = floor(((x - frame.x) / frame.width) * count);
  return at >= 0 && at < count ? at : -1;
}

/** Above the band of chance, under it, or inside. */
export const beyond = ({ count, low, high }: Bin): number => (count > high ? 1 : count < low ? -1 : 0);

/** Round numbers to name on a scale of square roots: the largest, and one near the middle. */
export function rootTicks(most: number): number[] {
  const power = 10 ** floor(Math.log10(max(most, 1))), top = ([5, 2, 1].find((m) => m * power <= most) ?? 1) * power, low = top / 5;
  return low >= 1 && low === round(low) ? [low, top] : [top];
}

/** Bars over the band of chance, on a scale of square roots, on which chance is as wide everywhere; what leaves the band has a colour, and what is significant a dot. */
export function drawSpacing(pen: Pen, words: string, bins: readonly Bin[], most: number, frame: Frame, pointed: number, theme: Theme): void {
  const base = frame.y + frame.height, room = frame.height - HEAD, w = frame.width / bins.length, air = w > 3 ? 1 : 0;
  const y = (value: number): number => base - Math.sqrt(min(value, most) / most) * room;
  pen.text(words, frame.x, frame.y + 5, fade(theme.ink, 0.85), `11px ${theme.font}`);
  for (const tick of rootTicks(most)) {
    pen.line(frame.x, y(tick), frame.x + frame.width, y(tick), fade(theme.ink, 0.06));
    pen.text(number(tick), frame.x - 6, y(tick), fade(theme.ink, 0.6), `10px ${theme.font}`, "right");
  }
  if (pointed >= 0) pen.rect(frame.x + pointed * w, frame.y + HEAD - 4, w, room + 4, theme.ink, 0.07);
  bins.forEach((bin, k) => {
    const x = frame.x + k * w, side = beyond(bin);
    pen.rect(x, y(bin.high), w, y(bin.low) - y(bin.high), theme.ink, 0.09); // the band
    if (bin.count) pen.rect(x + air / 2, y(bin.count), w - air, base - y(bin.count), side ? effectOf(theme, side) : theme.ink, side ? (bin.marked ? 1 : 0.6) : QUIET);
  });
  const dots = bins.flatMap((bin, k) => (bin.marked ? [disc(frame.x + (k + 0.5) * w, max(y(bin.count) - 4, frame.y + HEAD - 6), 2)] : []));
  if (dots.length) pen.shape(dots.join(""), effectOf(theme, 1));
  const line = bins.map((bin, k) => `${round((frame.x + (k + 0.5) * w) * 10) / 10} ${round(y(bin.expected) * 10) / 10}`);
  pen.shape(`M${line.join("L")}L${line.map((p) => p.replace(/ (.*)$/, (_, v: string) => ` ${Number(v) + 1}`)).reverse().join("L")}Z`, fade(theme.ink, 0.45));
  pen.line(frame.x, base + 0.5, frame.x + frame.width, base + 0.5, fade(theme.ink, 0.2));
}

/** Distances under bars of `distances` bases. */
export function drawDistances(pen: Pen, distances: number, frame: Frame, theme: Theme): void {
  for (const d of valueTicks({ low: 0, high: distances - 1 }, max(2, round(frame.width / 70)))) {
    const x = frame.x + ((d + 0.5) / distances) * frame.width;
    pen.line(x, frame.y, x, frame.y + 4, fade(theme.ink, 0.4));
    pen.text(whole(d), x, frame.y + 12, fade(theme.ink, 0.6), `10px ${theme.font}`, "center");
  }
}

export interface Lane {
  name: string;
  bins: readonly Bin[];
  chosen: boolean;
}

/** One row of distances for each partner, upstream left and downstream right of a gap where the motif stands. */
export function drawAround(pen: Pen, lanes: readonly Lane[], value: "enrichment" | "count", size: { row: number; gap: number }, frame: Frame, pointed: [number, number], theme: Theme): void {
  const all = lanes.flatMap((lane) => lane.bins), most = max(1e-9, ...all.map((bin) => Math.abs(shade(bin, value))));
  lanes.forEach(({ name, bins, chosen }, i) => {
    const y = frame.y + i * size.row, h = size.row - 1;
    pen.text(name, frame.x - 6, y + h / 2 + 0.5, chosen ? theme.ink : fade(theme.ink, 0.7), `${chosen ? "600 " : ""}${min(11, size.row)}px ${theme.font}`, "right");
    bins.forEach((bin, k) => {
      const [x, w] = columnAt(k, bins.length, size.gap, frame), v = shade(bin, value);
      if (pointed[0] === i && pointed[1] === k) pen.rect(x - 1, y - 1, w + 2, h + 2, theme.ink, 0.5);
      pen.rect(x, y, w + 0.3, h, theme.ink, 0.035);
      if (v) pen.rect(x, y, w + 0.3, h, effectOf(theme, v), strength(v, most) * (value === "count" || bin.marked ? 1 : 0.5));
    });
  });
}

/** How strongly a bin is coloured: by how far it leaves the band, or by its number. */
export function shade(bin: Bin, value: "enrichment" | "count"): number {
  if (value === "count") return bin.count;
  return beyond(bin) ? Math.log2((bin.count + 0.5) / (bin.expected + 0.5)) : 0;
}

/** Left edge and width of a column; the second half stands right of the gap. */
export function columnAt(k: number, columns: number, gap: number, frame: Frame): [number, number] {
  const w = (frame.width - gap) / columns;
  return [frame.x + k * w + (k >= columns / 2 ? gap : 0), w];
}

/** The column under an abscissa; -1 for none. */
export function columnUnder(x: number, columns: number, gap: number, frame: Frame): number {
  const w = (frame.width - gap) / columns, left = x - frame.x, half = (frame.width - gap) / 2;
  if (left < 0 || left >= frame.width || (left >= half && left < half + gap)) return -1;
  return min(floor((left < half ? left : left - gap) / w), columns - 1);
}

/** Signed distances under the lanes. */
export function drawAroundAxis(pen: Pen, distances: number, gap: number, frame: Frame, theme: Theme): void {
  const half = (frame.width - gap) / 2;
  for (const d of valueTicks({ low: 0, high: distances - 1 }, max(2, round(half / 60)))) {
    for (const side of d ? [-1, 1] : [-1]) {
      const share = (d + 0.5) / distances, x = d ? (side < 0 ? frame.x + half * (1 - share) : frame.x + half + gap + half * share) : frame.x + half + gap / 2;
      pen.line(x, frame.y, x, frame.y + 4, fade(theme.ink, 0.4));
      pen.text(d ? number(side * d) : "0", x, frame.y + 12, fade(theme.ink, 0.6), `10px ${theme.font}`, "center");
    }
  }
}

/** As much of a name as a label has room for. */
export const short = (name: string, most: number): string => (name.length > most ? `${name.slice(0, most - 1)}\u2026` : name);
