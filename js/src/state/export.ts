/** What is in view, as text for other programs. Pure. */
import { ceil, floor, max, min } from "../core/numbers";
import type { Example, State, Store } from "./store";

const LETTERS = "ACGTN";

/** The positions in view: coordinate, base, and each row's score. */
export function toCsv({ codes, rows, offset }: Example, { view }: Pick<State, "view">): string {
  const scored = rows.filter((r) => r.observed);
  const lines = [["position", "base", ...scored.map((r) => `"${r.label.replace(/"/g, '""')}"`)].join(",")];
  for (let i = max(0, floor(view.start)); i < min(codes.length, ceil(view.end)); i++)
    lines.push([i + offset, LETTERS[codes[i]], ...scored.map((r) => r.observed![i])].join(","));
  return lines.join("\n") + "\n";
}

/** The selection, and the spans in view, as BED6; of a sequence without a locus, under its name. */
export function toBed({ items, offset, name, chrom }: Example, { view, selection }: Pick<State, "view" | "selection">): string {
  const lines = selection ? [[selection[0], selection[1], "selection", 0, "."] as const] : [];
  const spans = items.filter((a) => a[2] > view.start && a[1] < view.end).map((a) => [a[1], a[2], a[3] || "span", a[5] ?? 0, a[4] || "."] as const);
  return [...lines, ...spans].map(([start, end, word, score, strand]) => [chrom ?? name, start + offset, end + offset, word.replace(/\s+/g, "_"), score, strand].join("\t") + "\n").join("");
}

/** Lines of Python that bring another view of the same sequences to where this one is. */
export function toPython({ state, history }: Pick<Store, "state" | "history">): string {
  const numbers = (values: number[]): string => `[${values.map((v) => (Number.isInteger(v) ? v : v.toFixed(2))).join(", ")}]`;
  const lines = [
    "# `view` is a LogoView of the same sequences",
    `view.example = ${state.example}`,
    `view.view = ${numbers([state.view.start, state.view.end])}`,
    `view.selection = ${numbers(state.selection ?? [])}`,
    `view.hypothetical = ${state.all ? "True" : "False"}`,
  ];
  if (state.target && state.method) lines.push(`view.target, view.method = ${JSON.stringify(state.target)}, ${JSON.stringify(state.method)}`);
  for (const [start, end, bases] of history.done) lines.push(`view.edit(${start}, ${JSON.stringify(bases)}, ${end})`);
  return lines.join("\n") + "\n";
}
