/** An order in which what goes together stands together: average linkage, each join turned so that its neighbours are alike. Pure. */
import { max } from "../core/numbers";

/** `alike(i, j)` is larger the more two of `count` go together; equal ones join in their order. */
export function clusterOrder(count: number, alike: (i: number, j: number) => number): number[] {
  const leaves: number[][] = Array.from({ length: count }, (_, i) => [i]), size = leaves.map(() => 1);
  const near = leaves.map((_, i) => leaves.map((__, j) => (i === j ? -Infinity : alike(i, j))));
  const there = new Set(leaves.keys());
  while (there.size > 1) {
    const [a, b] = closest(near, [...there]);
    leaves[a] = joined(leaves[a], leaves[b], alike);
    for (const k of there) if (k !== a && k !== b) near[a][k] = near[k][a] = (size[a] * near[a][k] + size[b] * near[b][k]) / (size[a] + size[b]);
    size[a] += size[b];
    there.delete(b);
  }
  return [...there].flatMap((i) => leaves[i]);
}

function closest(near: readonly number[][], there: readonly number[]): [number, number] {
  let best: [number, number] = [there[0], there[1]], most = -Infinity;
  there.forEach((i, at) => {
    for (const j of there.slice(at + 1)) if (near[i][j] > most) { most = near[i][j]; best = [i, j]; }
  });
  return best;
}

/** One after the other, either of them turned round where its other end fits better. */
function joined(a: number[], b: number[], alike: (i: number, j: number) => number): number[] {
  const ways = [[a, b], [a, [...b].reverse()], [[...a].reverse(), b], [[...a].reverse(), [...b].reverse()]];
  const fits = ways.map(([left, right]) => alike(left[left.length - 1], right[0]));
  return ways[fits.indexOf(max(...fits))].flat();
}
