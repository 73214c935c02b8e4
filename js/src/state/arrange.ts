/** Which rows are shown, in which order, one over another or less another. By label, so that it holds across examples. Pure. */
import type { Row } from "../draw/logo";
import { makeRow } from "./rows";

export interface Layout {
  /** Labels from the top; rows not named come after, in their own order. */
  order: string[];
  hidden: string[];
  /** [label, label of the row it is drawn over]. */
  over: [string, string] | null;
  /** A row of its own: the first less the second. */
  minus: [string, string] | null;
}

export const PLAIN: Layout = { order: [], hidden: [], over: null, minus: null };

export function arrange(rows: Row[], codes: Uint8Array, layout: Layout): Row[] {
  const named = (label: string): Row | undefined => rows.find((r) => r.label === label);
  const place = (row: Row): number => { const at = layout.order.indexOf(row.label); return at < 0 ? layout.order.length + rows.indexOf(row) : at; };
  let shown = [...rows].sort((a, b) => place(a) - place(b)).filter((r) => !layout.hidden.includes(r.label));
  const [top, under] = layout.over?.map(named) ?? [];
  if (top && under && top !== under) shown = shown.filter((r) => r !== top).map((r) => (r === under ? { ...r, over: top } : r));
  const [a, b] = layout.minus?.map(named) ?? [];
  if (a?.observed && b?.observed && a !== b) shown.push(makeRow(`${a.label} \u2212 ${b.label}`, a.observed.map((v, i) => v - b.observed![i]), 1, codes));
  return shown.length ? shown : rows.slice(0, 1);
}

/** Move a label one place up or down among those shown. */
export function moved(layout: Layout, labels: string[], label: string, by: number): Layout {
  const order = [...labels], at = order.indexOf(label), to = at + by;
  if (at < 0 || to < 0 || to >= order.length) return layout;
  [order[at], order[to]] = [order[to], order[at]];
  return { ...layout, order };
}

export function toggled(layout: Layout, label: string): Layout {
  const hidden = layout.hidden.includes(label) ? layout.hidden.filter((l) => l !== label) : [...layout.hidden, label];
  return { ...layout, hidden };
}
