/** Methods side by side: how far they agree, and which one the model bears out. */
import { on } from "../core/events";
import { max, min } from "../core/numbers";
import type { Store } from "../state/store";
import { number } from "../draw/scale";
import { CATEGORIES } from "../draw/theme";
import { button, el } from "./dom";

const WIDTH = 260, HEIGHT = 120, LEFT = 44, BOTTOM = 18;

export class ComparePanel {
  readonly button: HTMLButtonElement;
  readonly panel = el("div", "nbi-compare", "", { role: "group", "aria-label": "methods compared" });

  constructor(private store: Store, private methods: () => string[], signal: AbortSignal) {
    this.button = button("compare", "attribution methods side by side", () => store.set({ compare: store.state.compare.length ? [] : this.methods().slice(0, 3) }), signal);
    this.panel.hidden = true;
  }

  update(): void {
    const { compare, asking } = this.store.state, all = this.methods();
    this.button.hidden = all.length < 2;
    this.button.setAttribute("aria-pressed", String(compare.length > 0));
    this.panel.hidden = !compare.length;
    if (!compare.length) return;
    const found = compare.map((method) => ({ method, said: this.store.said({ ...this.store.question, method, curves: true }) }));
    const scores = compare.map((method) => this.store.everyRow.find((r) => r.label === method)?.observed ?? null);
    const boxes = el("div", "nbi-boxes");
    all.forEach((method) => {
      const label = el("label", ""), box = Object.assign(el("input", ""), { type: "checkbox", checked: compare.includes(method) });
      on(box, "change", () => this.store.set({ compare: all.filter((m) => (m === method ? box.checked : compare.includes(m))) }));
      label.append(box, ` ${method}`);
      const at = compare.indexOf(method);
      if (at >= 0) label.style.setProperty("--nbi-key", CATEGORIES[at]);
      boxes.append(label);
    });
    const curves = found.map(({ said }) => (said?.deletion.length ? { deletion: said.deletion, insertion: said.insertion } : null));
    this.panel.replaceChildren(
      boxes,
      plot("deleting the highest scores first", curves.map((c) => c?.deletion ?? null)),
      plot("inserting the highest scores first", curves.map((c) => c?.insertion ?? null)),
      this.#table(compare, scores, curves, asking),
    );
  }

  /** Correlation of each pair, and the means of the curves. */
  #table(methods: string[], scores: (Float32Array | null)[], curves: ({ deletion: number[]; insertion: number[] } | null)[], asking: boolean): HTMLElement {
    const table = el("table", "nbi-agree"), head = el("tr", "");
    for (const word of ["", ...methods.map((_, i) => `r with ${i + 1}`), "mean, deleting", "mean, inserting"]) head.append(el("th", "", word));
    table.append(head);
    methods.forEach((method, i) => {
      const row = el("tr", ""), name = el("th", "", `${i + 1} ${method}`);
      name.style.setProperty("--nbi-key", CATEGORIES[i]);
      row.append(name);
      methods.forEach((_, j) => row.append(el("td", "", i === j ? "\u2013" : scores[i] && scores[j] ? correlation(scores[i], scores[j]).toFixed(2) : asking ? "\u2026" : "")));
      for (const key of ["deletion", "insertion"] as const) row.append(el("td", "", curves[i] ? number(mean(curves[i][key])) : asking ? "\u2026" : ""));
      table.append(row);
    });
    return table;
  }
}

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** Pearson's, over the positions where both have a value. */
export function correlation(a: Float32Array, b: Float32Array): number {
  let n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) continue;
    n++; sa += a[i]; sb += b[i]; saa += a[i] * a[i]; sbb += b[i] * b[i]; sab += a[i] * b[i];
  }
  return (n * sab - sa * sb) / Math.sqrt((n * saa - sa * sa) * (n * sbb - sb * sb));
}

const text = (x: number, y: number, anchor: string, words: string): string => `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;

/** Predictions against the share of bases, a line for each method. */
function plot(title: string, curves: (number[] | null)[]): HTMLElement {
  const values = curves.flatMap((c) => c ?? []), low = min(...values), high = max(...values), box = el("div", "");
  const y = (v: number): number => 18 + (HEIGHT - 8) * (1 - (v - low) / (high - low || 1)), x = (i: number, n: number): number => LEFT + ((WIDTH - LEFT - 4) * i) / (n - 1);
  const parts = values.length ? [
    `<path class="nbi-axis" d="M${LEFT} ${HEIGHT + 14}H${WIDTH - 4}"/>`,
    ...[low, high].map((v) => text(LEFT - 4, y(v) + 4, "end", number(v))),
    ...["start", "middle", "end"].map((anchor, i) => text(x(i, 3), HEIGHT + 28, anchor, `${i * 50} %`)),
    ...curves.map((curve, k) => curve && `<polyline points="${curve.map((v, i) => [x(i, curve.length), y(v)])}" fill="none" stroke="${CATEGORIES[k]}" stroke-width="1.5"/>`),
  ] : [];
  box.innerHTML = `<svg width="${WIDTH}" height="${HEIGHT + BOTTOM + 16}" role="img" aria-label="${title}">${text(LEFT, 11, "start", title)}${parts.join("")}</svg>`;
  return box;
}
