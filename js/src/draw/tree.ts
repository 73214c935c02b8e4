/** A tree of clusters: what is merged above the cut, what is not yet below it, as wide as it has sequences. Pure: (pen, data, scale). */
import { clamp, max, min } from "../core/numbers";
import type { Tree } from "../state/spaceTree";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import { number } from "./scale";
import { CATEGORIES, fade, type Theme } from "./theme";

/** Where nodes stand: shares of the width. */
export interface Places {
  from: Float64Array;
  to: Float64Array;
  middle: Float64Array;
}

/** Leaves from left to right, each as wide as its part of all sequences; a merge stands between its parts. */
export function placesOf(tree: Tree, counts: ArrayLike<number>): Places {
  const nodes = tree.parent.length, [from, to, middle] = [new Float64Array(nodes), new Float64Array(nodes), new Float64Array(nodes)];
  let at = 0, all = 0;
  for (let i = 0; i < counts.length; i++) all += counts[i];
  for (const leaf of tree.order) {
    from[leaf] = at / all;
    at += counts[leaf];
    to[leaf] = at / all;
    middle[leaf] = (from[leaf] + to[leaf]) / 2;
  }
  for (let node = tree.count; node < nodes; node++) {
    const [a, b] = tree.parts(node);
    [from[node], to[node], middle[node]] = [from[a], to[b], (middle[a] + middle[b]) / 2];
  }
  return { from, to, middle };
}

/** Heights by their square roots, the highest at the top. */
export const levelOf = (most: number, frame: Frame) => (height: number): number => frame.y + frame.height * (1 - Math.sqrt(clamp(height / (most || 1), 0, 1)));
export const heightAt = (most: number, frame: Frame, y: number): number => most * clamp(1 - (y - frame.y) / frame.height, 0, 1) ** 2;

/** A cluster, as the tree shows it. */
export interface Branch {
  nodes: readonly number[];
  colour: number;
  on: boolean;
}

export function drawTree(pen: Pen, tree: Tree, places: Places, branches: readonly Branch[], top: number, frame: Frame, theme: Theme): void {
  const level = levelOf(top, frame), base = frame.y + frame.height, x = (share: number): number => frame.x + share * frame.width;
  const made = new Set<number>();
  let above = "", some = branches.some(({ on }) => on);
  for (const { nodes, colour, on } of branches) {
    const color = CATEGORIES[colour % CATEGORIES.length], d: string[] = [];
    for (const node of nodes) {
      for (let up = tree.parent[node]; up >= 0 && !made.has(up); up = tree.parent[up]) made.add(up);
      const y = min(level(tree.height(node)), base - 3), a = x(places.from[node]), b = max(x(places.to[node]), a + 0.75);
      d.push(`M${fixed(x(places.middle[node]))} ${fixed(y)}L${fixed(b)} ${base}H${fixed(a)}Z`);
    }
    pen.shape(d.join(""), fade(color, some && !on ? 0.3 : 0.75));
  }
  for (const node of made) {
    const y = level(tree.height(node)), [a, b] = tree.parts(node);
    above += rule(x(places.middle[a]) - 0.5, y - 0.5, x(places.middle[b]) - x(places.middle[a]) + 1, 1);
    for (const part of [a, b]) above += rule(x(places.middle[part]) - 0.5, y, 1, min(level(tree.height(part)), base - 3) - y);
  }
  if (above) pen.shape(above, fade(theme.ink, 0.5));
}

const fixed = (v: number): string => v.toFixed(1);
const rule = (x: number, y: number, w: number, h: number): string => `M${fixed(x)} ${fixed(y)}h${fixed(w)}v${fixed(h)}h${fixed(-w)}Z`;

/** Round heights in the margin. */
export function drawHeights(pen: Pen, top: number, frame: Frame, theme: Theme): void {
  const level = levelOf(top, frame), power = top > 0 ? 10 ** Math.floor(Math.log10(top)) : 1, first = [5, 2, 1].find((m) => m * power <= top) ?? 1;
  let last = Infinity;
  for (const v of [0, first * power * 0.1, first * power * 0.4, first * power]) {
    const y = level(v);
    if (last - y < 14) continue;
    last = y;
    pen.line(frame.x - 4, y, frame.x, y, fade(theme.ink, 0.4));
    pen.text(number(v), frame.x - 8, y, fade(theme.ink, 0.6), `10px ${theme.font}`, "right");
  }
}

/** A band of colours under the tree: each cluster as wide as it has sequences. */
export function drawBand(pen: Pen, spans: readonly { from: number; to: number; colour: number; on: boolean; words: string }[], frame: Frame, theme: Theme): void {
  const some = spans.some(({ on }) => on);
  for (const { from, to, colour, on, words } of spans) {
    const x = frame.x + from * frame.width, w = (to - from) * frame.width, color = CATEGORIES[colour % CATEGORIES.length];
    pen.rect(x, frame.y, max(w - (w > 4 ? 1 : 0), 0.5), frame.height, color, some && !on ? 0.35 : 1);
    if (on) pen.rect(x, frame.y + frame.height + 1, max(w - 1, 2), 2, theme.ink);
    if (words && w > 6.5 * words.length + 4) pen.text(words, x + w / 2, frame.y + frame.height + 11, fade(theme.ink, on ? 1 : 0.65), `${on ? "600 " : ""}10px ${theme.font}`, "center");
  }
}
