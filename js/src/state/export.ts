/** What is in view, as text for other programs. Pure. */
import { ceil, floor, max, min } from "../core/numbers";
import { inside, type Spans } from "./spans";
import type { History } from "./edits";
import type { Example, State } from "./store";

const LETTERS = "ACGTN";

/** The positions in view: coordinate, base, and each row's score. */
export function toCsv({ codes, rows, offset }: Example, { view }: Pick<State, "view">): string {
  const scored = rows.filter((r) => r.observed);
  const lines = [["position", "base", ...scored.map((r) => `"${r.label.replace(/"/g, '""')}"`)].join(",")];
  for (let i = max(0, floor(view.start)); i < min(codes.length, ceil(view.end)); i++)
    lines.push([i + offset, LETTERS[codes[i]], ...scored.map((r) => r.observed![i])].join(","));
  return lines.join("\n") + "\n";
}

interface Bedded {
  current: Pick<Example, "offset" | "name" | "chrom">;
  state: State;
  spans: Spans;
}

/** The selection, and the spans in view, as BED6; of a sequence without a locus, under its name. */
export function toBed({ current: { offset, name, chrom }, state: { example, view, selection }, spans }: Bedded): string {
  const lines = selection ? [[selection[0], selection[1], "selection", 0, "."] as const] : [];
  const inView = spans.sets.flatMap((set) => {
    const run = spans.run(set, example);
    return inside(run, view.start, view.end).map((place) => spans.item(set.base + run.rows[place])!);
  });
  return [...lines, ...inView.map(({ set, row, start, end, name, strand }) => [start, end, name || "span", set.values[0]?.[row] || 0, strand || "."] as const)].map(([start, end, word, score, strand]) => [chrom ?? name, start + offset, end + offset, word.replace(/\s+/g, "_"), score, strand].join("\t") + "\n").join("");
}

/** Lines of Python that bring another view of the same sequences to where this one is. */
export function toPython({ state, history }: { state: State; history: History }): string {
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
