/** Clusters of a cut, and of what was done to it: merged, split. Pure. */
import { max, min } from "../core/numbers";
import type { Numbers } from "../core/wire";
import type { Cluster, Cut, Edit } from "./space";
import type { Tree } from "./spaceTree";

export class Clusters {
  #colours: Int32Array | null;

  /** `labels` are those that were given, and `counts` the sequences of each leaf. */
  constructor(private tree: Tree | null, private labels: ArrayLike<number>, private counts: Numbers) {
    this.#colours = tree?.colours(counts) ?? null;
  }

  /** By id. */
  of(cut: Cut, edits: readonly Edit[], names: Readonly<Record<string, string>>): Cluster[] {
    const { tree } = this, list = new Map(this.#parted(cut).map((one) => [one.id, one]));
    let next = max(-1, ...list.keys()) + 1;
    for (const [kind, ...ids] of edits) {
      const some = ids.flatMap((id) => list.get(id) ?? []);
      if (kind === "merge" && some.length > 1) {
        for (const { id } of some) list.delete(id);
        const id = min(...some.map((one) => one.id)), nodes = some.flatMap((one) => one.nodes);
        list.set(id, this.#cluster(id, tree ? this.#fewest(nodes) : nodes.sort((a, b) => a - b), some));
      } else if (kind === "split" && some.length && this.canSplit(some[0])) {
        const [{ id, from, nodes }] = some;
        list.delete(id);
        for (const part of from ?? this.#halves(nodes).map((half, i) => this.#cluster(i ? next++ : id, half))) list.set(part.id, part);
      }
    }
    return [...list.values()].sort((a, b) => a.id - b.id).map((one) => ({ ...one, name: names[one.key] ?? one.name }));
  }
  /** How many clusters were given, where they are a cut of the tree; else 0. */
  get regular(): number {
    const { tree, labels } = this, k = new Set(Array.from(labels)).size;
    if (!tree) return 0;
    const cut = tree.cut({ k }).labels, pairs = new Set(Array.from(labels, (label, leaf) => `${label} ${cut[leaf]}`));
    return new Set(cut).size === k && pairs.size === k ? k : 0;
  }
  canSplit({ from, nodes }: Cluster): boolean {
    return !!from || (!!this.tree && (nodes.length > 1 || nodes[0] >= this.counts.length));
  }

  #parted(cut: Cut): Cluster[] {
    const { tree } = this, labels = cut && tree ? tree.cut(cut).labels : this.labels, found = tree ? tree.cover(labels) : new Map<number, number[]>();
    if (!tree) for (let leaf = 0; leaf < labels.length; leaf++) {
      const label = labels[leaf];
      if (label >= 0 && !found.get(label)?.push(leaf)) found.set(label, [leaf]);
    }
    if (!cut || !tree) return [...found].map(([id, nodes]) => this.#cluster(id, nodes));
    // leaves are numbered along the whole tree: by their first leaves, clusters have the numbers that a cut of it gives them
    return [...found.values()].map((nodes) => ({ nodes, first: min(...nodes.map((node) => tree.leaves(node).reduce((a, b) => min(a, b)))) })).sort((a, b) => a.first - b.first).map(({ nodes }, id) => this.#cluster(id, nodes));
  }
  #cluster(id: number, nodes: number[], from?: Cluster[]): Cluster {
    const { tree, counts } = this, colours = this.#colours;
    const leaves = !tree ? nodes : nodes.length === 1 ? tree.leaves(nodes[0]) : nodes.flatMap((node) => [...tree.leaves(node)]);
    let n = 0;
    for (let i = 0; i < leaves.length; i++) n += counts[leaves[i]];
    return { id, nodes, key: nodes.join(" "), leaves, n, name: String(id), colour: colours ? min(...nodes.map((node) => colours[node])) : id, from };
  }
  /** The fewest nodes of the tree for the same leaves, so that the same leaves have the same key. */
  #fewest(nodes: number[]): number[] {
    const tree = this.tree!, labels = new Int32Array(tree.count).fill(-1);
    for (const node of nodes) for (const leaf of tree.leaves(node)) labels[leaf] = 0;
    return tree.cover(labels).get(0)!;
  }
  /** The two parts of a merge, or the largest node and the others; the larger first. */
  #halves(nodes: number[]): [number[], number[]] {
    const size = (node: number): number => this.#cluster(0, [node]).n;
    const [largest, ...others] = (nodes.length > 1 ? [...nodes] : this.tree!.parts(nodes[0])).sort((a, b) => size(b) - size(a));
    return [[largest], others.sort((a, b) => a - b)];
  }
}
