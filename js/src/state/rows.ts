/** Rows of an example: from scores, and after an edit: the answer, what it changed, and what is of the original only. Pure. */
import { max, min } from "../core/numbers";
import { type Extent, extent, pyramid } from "../draw/lod";
import type { Row } from "../draw/logo";
import type { Question, Said } from "./answers";
import type { Edited } from "./edits";
import type { Example } from "./store";

export const NONE: Extent = { low: 0, high: 0, clipped: false };

/** One row of scores (channels x length). */
export function makeRow(label: string, scores: Float32Array, channels: 1 | 4, codes: Uint8Array, more: Partial<Row> = {}): Row {
  const observed = channels === 1 ? scores : observe(scores, codes), levels = pyramid(observed), own = extent(levels);
  return { label, channels, values: scores, observed, levels, extent: own, stacked: channels === 4 ? stackedExtent(scores, codes.length) : own, ...more };
}

function observe(scores: Float32Array, codes: Uint8Array): Float32Array {
  const n = codes.length, out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = codes[i] < 4 ? scores[codes[i] * n + i] : 0;
  return out;
}

/** How far the stacks of four letters reach, up and down. */
function stackedExtent(scores: Float32Array, length: number): Extent {
  let low = 0, high = 0;
  for (let i = 0; i < length; i++) {
    let up = 0, down = 0;
    for (let c = 0; c < 4; c++) {
      const v = scores[c * length + i];
      if (v > 0) up += v; else if (v < 0) down += v;
    }
    low = min(low, down);
    high = max(high, up);
  }
  return { low, high, clipped: false };
}

/** Scores moved to where their positions are after the edit; 0 where a position is new. */
function carried(scores: Float32Array, channels: number, origin: Int32Array): Float32Array {
  const n = origin.length, out = new Float32Array(channels * n);
  for (let c = 0; c < channels; c++) for (let i = 0; i < n; i++) if (origin[i] >= 0) out[c * n + i] = scores[c * n + origin[i]];
  return out;
}

/** Rows after an edit, or under another target or method. What is not answered yet is shown as it was, faded. */
export function editedRows(original: Example, edited: Edited, said: Said | null, before: Said | null, question: Question, own: boolean): Row[] {
  const { codes, origin } = edited, rows: Row[] = [];
  const changed = question.changes.length > 0;
  if (!own && !said?.scores && !before?.scores) return changed ? original.rows.map((row) => later(row, edited, original.codes)) : original.rows;
  const [first, ...rest] = original.rows, others = own ? rest : original.rows;
  const ghosts = changed ? { ghost: original.codes, origin } : {};
  const scores = said?.scores ?? before?.scores ?? first.values;
  const channels = scores && scores.length === 4 * codes.length ? 4 : 1;
  const label = scores ? question.method || first.label : first.label;
  if (!scores) rows.push({ ...first, ...ghosts });
  else if (said?.scores) rows.push(makeRow(label, scores, channels, codes, { ...ghosts, errors: said.errors ?? undefined }));
  else rows.push(makeRow(label, carried(scores, channels, origin), channels, codes, { ...ghosts, stale: true }));
  if (changed && said?.scores && before?.scores) {
    const moved = carried(before.scores, 4, origin), was = observe(moved, original.codes.map((_, i) => (origin[i] < 0 ? 4 : original.codes[origin[i]])));
    const now = rows[0].observed!, difference = now.map((v, i) => v - was[i]);
    rows.push(makeRow("change", difference, 1, codes));
  }
  for (const row of others) rows.push(changed ? later(row, edited, null) : row);
  return rows;
}

/** A row that is of the original only, at the positions of now. */
function later(row: Row, { codes, origin }: Edited, ghost: Uint8Array | null): Row {
  const marks = ghost ? { ghost, origin } : {};
  if (!row.values) return { ...row, ...marks };
  return makeRow(`${row.label} (original)`, carried(row.values, row.channels, origin), row.channels, codes, { stale: true, ...marks });
}
