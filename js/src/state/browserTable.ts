/** Motifs as the rows of a table: what stands in its columns, and how those are filtered. Pure. */
import { rowWidth } from "../draw/browserRow";
import type { Cell, Column } from "../view/table";
import type { BrowserStore } from "./browser";
import { holds, type Motif } from "./browserEdits";

type Filled = Column & { of(motif: Motif): Cell };

/** Columns in order; the first one is the logos. */
export function columnsOf(store: BrowserStore): Filled[] {
  const { matches, counts, columns, cells } = store.meta, best = (motif: Motif) => store.matches(motif)[0];
  const any = (words: string[], filter: string): boolean => words.some((word) => word.toLowerCase().includes(filter.trim().toLowerCase()));
  const known = (value?: number): Cell => (value !== undefined && Number.isFinite(value) ? value : null);
  const of = (row: number): Motif => store.motif(row)!;
  const all: (Filled | null)[] = [
    { name: "logo", kind: "text", drawn: rowWidth(store.given, (motif) => store.matches(motif)), of: () => null },
    { name: "name", kind: "text", of: (motif) => motif.name },
    matches && { name: "match", kind: "text", of: (motif) => best(motif)?.name ?? null, matches: (_, typed, row) => any(store.matches(of(row)).map((one) => one.name), typed) },
    matches?.score ? { name: matches.score, kind: "number", hint: "< 0.01", of: (motif) => known(best(motif)?.value) } : null,
    counts && { name: "instances", kind: "number", hint: "> 100", of: (motif) => store.count(motif) },
    { name: "width", kind: "number", hint: "6..12", of: (motif) => motif.pwm.width },
    { name: "information", kind: "number", hint: "> 8", of: store.bits },
    { name: "tags", kind: "text", least: 12, of: (motif) => motif.tags.join(",") || null },
    { name: "consensus", kind: "text", hint: "GATAR", of: store.consensus, matches: (cell, typed) => holds(String(cell), typed.trim()) },
    ...columns.map((column, k): Filled => ({ ...column, hint: column.kind === "number" ? "> 1" : undefined, of: ({ members }) => (members.length > 1 ? null : cells[members[0]][k]) })),
  ];
  return all.filter((one) => one !== null);
}

/** Cells by number of the motif, of those that are there now. */
export function rowsOf(store: BrowserStore, columns: Filled[]): Cell[][] {
  const rows: Cell[][] = [];
  for (const motif of store.now) rows[motif.number] = columns.map((column) => column.of(motif));
  return rows;
}

/** In words: what a motif is. */
export function saidOf(store: BrowserStore, motif: Motif): string {
  const n = store.count(motif), sites = n === null ? "" : `, ${n.toLocaleString("en")} ${n === 1 ? "instance" : "instances"}`;
  return `${motif.pwm.width} bp, ${store.bits(motif).toFixed(1)} bits${sites}`;
}
