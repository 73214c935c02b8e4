/** Spans in lanes: packing, bars, and density where there are too many. Pure. */
import { max, min } from "../core/numbers";
import type { Run } from "../state/spans";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import type { View } from "./scale";
import { category, fade, legible, type Theme } from "./theme";

export const LANE = 16;
/** Spans in further lanes are counted, not drawn; zooming in brings them up. */
export const MAX_LANES = 8;
export const DENSE = 26;

/** What stands out: spans by number, and a name. */
export interface Marked {
  under: number;
  item: number;
  /** "" for none. */
  chosen: string;
}

/** How long a name is drawn. */
const long = (name: string): number => name.length * 6.2 + 8;

/** The lane of each span, by start, with room for the name beside a bar that is too short for it, at p pixels a position.
 *
 * The last lane is of those left over.
 */
export function pack({ set, rows, starts }: Run, p: number): { of: Uint8Array; lanes: number } {
  const ends = new Float64Array(MAX_LANES).fill(-Infinity);
  let lanes = 0;
  const of = Uint8Array.from(rows, (row, i) => {
    let lane = 0;
    const size = long(set.names[set.name[row]]), end = set.end[row];
    while (lane < MAX_LANES && ends[lane] > starts[i]) lane++;
    ends[lane] = end + (p < 1 || size < (end - starts[i]) * p ? 4 : size) / p;
    lanes = max(lanes, lane + 1);
    return lane;
  });
  return { of, lanes };
}

/** The colour of one of the names, grey for none beside others, and how much of it: others step back from the name that is chosen. */
export function tint(names: string[], code: number, strong: boolean, chosen: string, theme: Theme): [string, number] {
  const name = names[code], none = names.length > 1 ? theme.unknown : theme.accent;
  return [name ? category(name) : none, chosen && name !== chosen ? (strong ? 0.5 : 0.16) : strong || chosen ? 1 : 0.72];
}

/** Some spans of a run, each as high in the frame as `top` says; one without a top is not drawn. */
export function drawSpans(pen: Pen, run: Run, places: number[], top: (place: number) => number, view: View, frame: Frame, marked: Marked, theme: Theme, named = true): void {
  const { set, rows } = run, p = frame.width / (view.end - view.start), colors = new Map<number, [string, string, number]>();
  for (const place of places) {
    const row = rows[place], number = set.base + row, code = set.name[row], name = set.names[code], y = top(place);
    if (y < 0) continue;
    const strong = number === marked.under || number === marked.item, key = strong ? -1 - code : code;
    if (!colors.has(key)) { const [color, alpha] = tint(set.names, code, strong, marked.chosen, theme); colors.set(key, [fade(color, alpha), color, alpha]); }
    const [fill, color, alpha] = colors.get(key)!;
    const x = frame.x + (set.start[row] - view.start) * p, w = max((set.end[row] - set.start[row]) * p, 2), end = x + w;
    if (w < 5) pen.rect(x, y, w, 10, fill);
    else pen.shape(bar(max(x, frame.x - 9), y, min(end, frame.x + frame.width + 9), set.strand[row]), fill);
    if (number === marked.item) pen.rect(x, y + 12, w, 1.5, theme.ink);
    if (!named || !name || p <= 0.1) continue;
    const size = long(name), a = max(x, frame.x), b = min(end, frame.x + frame.width);
    if (size < b - a) pen.text(name, (a + b) / 2, y + 5.5, alpha < 0.5 ? fade(theme.ink, 0.4) : legible(color, alpha, theme.ground), `10px ${theme.font}`, "center");
    else if (p > 1) pen.text(name, end + 3, y + 5.5, fade(theme.ink, alpha < 0.7 ? 0.3 : 0.8), `10px ${theme.font}`);
  }
}

/** A rounded bar; a strand makes one end a chevron. */
function bar(x: number, y: number, e: number, strand: number): string {
  const w = e - x, r = min(3, w / 2), tip = min(5, w / 3), b = y + 10, m = y + 5;
  const right = strand === 1 ? `L${e - tip} ${y} L${e} ${m} L${e - tip} ${b}` : `L${e - r} ${y} Q${e} ${y} ${e} ${y + r} L${e} ${b - r} Q${e} ${b} ${e - r} ${b}`;
  const left = strand === 2 ? `L${x + tip} ${b} L${x} ${m} L${x + tip} ${y} Z` : `L${x + r} ${b} Q${x} ${b} ${x} ${b - r} L${x} ${y + r} Q${x} ${y} ${x + r} ${y} Z`;
  return `M${strand === 2 ? x + tip : x + r} ${y} ${right} ${left}`;
}

/** How many spans lie over each column; what there is can be seen. */
export function drawDensity(pen: Pen, cover: Int32Array, most: number, frame: Frame, color: string, alpha: number): void {
  cover.forEach((c, i) => {
    const h = max((frame.height * c) / most, 1.5);
    if (c) pen.rect(frame.x + i, frame.y + frame.height - h, 1, h, color, alpha);
  });
}
