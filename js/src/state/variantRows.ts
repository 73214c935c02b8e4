/** What is drawn of a variant: both alleles in columns, what differs where both have a base, and their profiles. Pure. */
import { abs, max, min } from "../core/numbers";
import { type Level, pyramid } from "../draw/lod";
import type { Row } from "../draw/logo";
import { rowExtent, type Strand, type TrackRow } from "../draw/track";
import { makeRow, NONE } from "./rows";
import type { Allele, Known, Pair, VariantStore } from "./variant";
import { type Span, spans } from "./variantColumns";

/** Letters of one allele, or of the difference; drawn in the spans in which it has bases. */
export interface LetterRow {
  row: Row;
  codes: Uint8Array;
  spans: Span[];
}

export interface PairRows {
  letters: LetterRow[];
  tracks: TrackRow[];
  /** The column at which profiles begin. */
  first: number;
  /** The larger of both alleles' attributions, for the mini-map. */
  overview: Level[];
}

export const LABELS: Record<Allele, string> = { ref: "reference", alt: "alternative" };

/** Values of an allele where its bases stand; NaN in gaps. */
function placed(values: ArrayLike<number>, at: Int32Array, offset = 0): Float32Array {
  return Float32Array.from(at, (i) => (i < 0 ? NaN : values[i - offset] ?? NaN));
}

export function pairRows(store: VariantStore): PairRows {
  const { original: pair } = store, { columns } = pair, n = columns.ref.length;
  const codes = { ref: codesOf(pair, "ref"), alt: codesOf(pair, "alt") };
  const known = { ref: store.attributions("ref"), alt: store.attributions("alt") };
  const letters = (["ref", "alt"] as const).map((allele): LetterRow => {
    // what the alternative has of its own wears a mark, as an edit does
    const marks = allele === "alt" ? { ghost: codes.ref, origin: columns.ref.map((i, c) => (i < 0 ? -1 : c)) } : {};
    return { row: letterRow(LABELS[allele], known[allele], columns[allele], codes[allele], marks), codes: codes[allele], spans: spans((c) => columns[allele][c] >= 0, n) };
  });
  shareScale(letters.map(({ row }) => row));
  const [ref, alt] = letters.map(({ row }) => row.observed);
  if (ref && alt) {
    letters.push({ row: makeRow("difference", alt.map((v, c) => v - ref[c]), 1, codes.alt), codes: codes.alt, spans: spans((c) => columns.ref[c] >= 0 && columns.alt[c] >= 0, n) });
  }
  const overview = pyramid(Float32Array.from({ length: n }, (_, c) => max(abs(ref?.[c] || 0), abs(alt?.[c] || 0))));
  return { letters, ...profileRows(store, pair), overview };
}

const codesOf = (pair: Pair, allele: Allele): Uint8Array => Uint8Array.from(pair.columns[allele], (i) => (i < 0 ? 4 : pair[allele][i]));

function letterRow(label: string, known: Known | null, at: Int32Array, codes: Uint8Array, marks: Partial<Row>): Row {
  if (!known) return { label, channels: 1, values: null, observed: null, levels: pyramid(new Float32Array(codes.length)), extent: NONE, stacked: NONE, ...marks };
  return makeRow(label, placed(known.values, at), 1, codes, { ...marks, errors: known.errors ? placed(known.errors, at) : undefined });
}

/** Both alleles on one scale, so that they can be compared by eye. */
function shareScale(rows: Row[]): void {
  const low = min(...rows.map((r) => r.extent.low)), high = max(...rows.map((r) => r.extent.high)), clipped = rows.some((r) => r.extent.clipped);
  for (const row of rows) if (row.observed) row.extent = { low, high, clipped };
}

/** The alternative's profile over that of the reference, and what changed, over strands. */
function profileRows(store: VariantStore, { columns }: Pair): { tracks: TrackRow[]; first: number } {
  const { profile, length } = store.meta;
  if (!profile) return { tracks: [], first: 0 };
  const [S, P] = profile, offset = (length - P) >> 1, both = (["ref", "alt"] as const).map((allele) => store.profile(allele));
  const there = (c: number): boolean => [columns.ref[c], columns.alt[c]].some((i) => i >= offset && i < offset + P);
  const first = columns.ref.findIndex((_, c) => there(c)), last = columns.ref.findLastIndex((_, c) => there(c)) + 1;
  const levels = (allele: 0 | 1, s: number): Level[] => {
    const values = both[allele]?.values.slice(s * P, (s + 1) * P), at = (allele ? columns.alt : columns.ref).slice(first, last);
    return pyramid(values ? placed(values, at, offset) : new Float32Array()); // not there yet: nothing is drawn
  };
  const strands = Array.from({ length: S }, (_, s): Strand => ({ levels: levels(1, s), ghost: levels(0, s), band: null }));
  const sum = strands[0].levels[0].mean.map((_, i) => strands.reduce((all, { levels: [{ mean }], ghost }) => all + mean[i] - ghost![0].mean[i], 0));
  const change: Strand = { levels: pyramid(sum), ghost: null, band: null };
  const row = (label: string, of: Strand[], ghost: string): TrackRow => ({ label, ghost, strands: of, extent: rowExtent(of) });
  return { tracks: [row("profile", strands, LABELS.ref), row("change", [change], "")], first };
}
