/** A motif over the motifs that it may be, column over column. Pure: (pen, data, frame). */
import { max, min } from "../core/numbers";
import type { BrowserState, Match } from "../state/browser";
import { type Motif, type Strand, turned } from "../state/browserEdits";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { drawContributions, drawMotif, type Matrix } from "./motif";
import type { Theme } from "./theme";

const COLUMN = 9; // pixels of a position in a row, at most
const LEAST = 8, MOST = 22; // positions that a row has room for; of more, each is narrower

/** Where motifs stand on one axis of `span` columns, as they are drawn. */
export interface Aligned {
  span: number;
  start: number;
  width: number;
  flip: Strand;
  others: { start: number; matrix: Matrix | null }[];
}

export function aligned(motif: Motif, matches: Match[], reverse: boolean): Aligned {
  const { width } = motif.pwm, flip: Strand = reverse ? "-" : "+", [first, end] = extent(motif, matches);
  const place = (start: number, columns: number): number => (reverse ? end - start - columns : start - first);
  const others = matches.map(({ start, matrix, strand }) => ({
    start: matrix ? place(start, matrix.width) : 0,
    matrix: matrix && turned(matrix, strand === flip ? "+" : "-"),
  }));
  return { span: end - first, start: place(0, width), width, flip, others };
}

/** The columns from the first to the last of a motif and its matches, in the motif's own. */
function extent(motif: Motif, matches: Match[]): [number, number] {
  const drawn = matches.filter(({ matrix }) => matrix);
  return [min(0, ...drawn.map((m) => m.start)), max(motif.pwm.width, ...drawn.map((m) => m.start + m.matrix!.width))];
}

/** Pixels that the widest row asks for, of what there is. */
export function rowWidth(motifs: readonly Motif[], matches: (motif: Motif) => Match[]): number {
  const widest = motifs.reduce((most, one) => {
    const [first, end] = extent(one, matches(one));
    return max(most, end - first);
  }, LEAST);
  return COLUMN * min(widest, MOST);
}

/** Columns of the axis as pixels: no wider than `most` each. */
export function columns(frame: Frame, { span, start, width }: Aligned, most: number): { unit: number; own: Frame } {
  const unit = min(most, frame.width / span);
  return { unit, own: { ...frame, x: frame.x + start * unit, width: width * unit } };
}

/** The motif itself: what says nothing is a flat line. */
export function drawOwn(pen: Pen, motif: Motif, { flip }: Aligned, units: "bits" | "contributions", frame: Frame, theme: Theme): void {
  if (units === "contributions" && motif.cwm) return drawContributions(pen, turned(motif.cwm, flip), frame, theme);
  pen.rect(frame.x, frame.y + frame.height, frame.width, 1, theme.ink, 0.25);
  drawMotif(pen, turned(motif.pwm, flip), frame, theme);
}

/** One match, at its columns. */
export function drawOther(pen: Pen, { start, matrix }: Aligned["others"][number], unit: number, frame: Frame, theme: Theme): void {
  if (!matrix) return;
  const own = { ...frame, x: frame.x + start * unit, width: matrix.width * unit };
  pen.rect(own.x, own.y + own.height, own.width, 1, theme.ink, 0.12);
  drawMotif(pen, matrix, own, theme);
}

const PAD = 6;
/** Pixels of a motif in a row, and of each match under it. */
export const OWN = 36, OTHER = 20;

export const rowHeight = (lanes: number): number => 2 * PAD + OWN + lanes * OTHER;

/** A whole row: the motif, and the best of its matches under it. */
export function drawRow(pen: Pen, motif: Motif, matches: Match[], { reverse, units, lanes }: Pick<BrowserState, "reverse" | "units" | "lanes">, width: number, theme: Theme): void {
  const shown = matches.slice(0, lanes), axis = aligned(motif, shown, reverse), all: Frame = { x: 0, y: PAD, width, height: OWN };
  const { unit, own } = columns(all, axis, COLUMN);
  drawOwn(pen, motif, axis, units, own, theme);
  axis.others.forEach((other, k) => drawOther(pen, other, unit, { ...all, y: PAD + OWN + k * OTHER + 4, height: OTHER - 5 }, theme));
}
