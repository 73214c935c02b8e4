/** Spans as Python sends them, of rows that are in order. */
import type { Numbers } from "../src/core/wire";
import type { SpanMeta } from "../src/protocol";
import { Spans } from "../src/state/spans";

/** example, start, end, name, strand, score */
export type Row = [number, number, number, string?, string?, number?];

/** What is told of tables of n sequences, and their blocks. */
export function sent(tables: Record<string, Row[]>, n: number): [SpanMeta[], Map<string, Numbers>] {
  const blocks = new Map<string, Numbers>(), told = Object.entries(tables).map(([label, rows], k): SpanMeta => {
    const names = [...new Set(rows.map((row) => row[3] ?? ""))], of = (name: string, values: Numbers): unknown => blocks.set(`spans${k}.${name}`, values);
    of("at", Int32Array.from({ length: n + 1 }, (_, e) => rows.filter((row) => row[0] < e).length));
    of("start", Int32Array.from(rows, (row, i) => row[1] - (rows[i - 1]?.[1] ?? 0)));
    of("width", Int32Array.from(rows, (row) => row[2] - row[1]));
    of("name", Int32Array.from(rows, (row) => names.indexOf(row[3] ?? "")));
    of("strand", Uint8Array.from(rows, (row) => ["", "+", "-"].indexOf(row[4] ?? "")));
    of("value0", Float32Array.from(rows, (row) => row[5] ?? NaN));
    return { label, names, scores: ["score"] };
  });
  return [told, blocks];
}

export const spansOf = (rows: Row[], n = 1): Spans => new Spans(...sent({ hits: rows }, n));
