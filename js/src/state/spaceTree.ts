/** A tree of the leaves: where it is cut, which leaves are under a node, which nodes make up some leaves. Pure.
 *
 * Nodes below `count` are leaves, node count + i is the i-th merge (rows of a SciPy linkage matrix).
 */
import { max, min } from "../core/numbers";
import type { CutFacts } from "./space";

export interface Cutting extends CutFacts {
  /** Cluster of each leaf, numbered as SciPy's fcluster does, less 1. */
  labels: Int32Array;
}

export class Tree {
  /** Leaves from left to right; those of a node are `order` from `first` to `last`. */
  readonly order: Int32Array;
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly parent: Int32Array;
  /** The highest merge at or under each merge. */
  readonly #highest: Float64Array;
  readonly #sorted: Float64Array;

  constructor(readonly count: number, readonly children: ArrayLike<number>, readonly heights: ArrayLike<number>) {
    const merges = count - 1, nodes = count + merges, size = new Int32Array(nodes).fill(1);
    this.parent = new Int32Array(nodes).fill(-1);
    this.#highest = Float64Array.from(heights);
    for (let i = 0; i < merges; i++) {
      for (const side of [0, 1]) {
        const child = children[2 * i + side];
        this.parent[child] = count + i;
        if (child >= count) this.#highest[i] = max(this.#highest[i], this.#highest[child - count]);
      }
      size[count + i] = size[children[2 * i]] + size[children[2 * i + 1]];
    }
    this.#sorted = Float64Array.from(heights).sort();
    [this.order, this.first, this.last] = [new Int32Array(count), new Int32Array(nodes), new Int32Array(nodes)];
    for (let node = nodes - 1; node >= 0; node--) { // parents come before their children
      const at = this.first[node];
      this.last[node] = at + size[node];
      if (node < count) this.order[at] = node;
      else {
        const [left, right] = this.parts(node);
        [this.first[left], this.first[right]] = [at, at + size[left]];
      }
    }
  }

  parts(node: number): [number, number] {
    const i = node - this.count;
    return [this.children[2 * i], this.children[2 * i + 1]];
  }
  leaves(node: number): Int32Array {
    return this.order.subarray(this.first[node], this.last[node]);
  }
  height(node: number): number {
    return node < this.count ? 0 : this.heights[node - this.count];
  }

  /** The merges made at a height. */
  #made(height: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle] <= height) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** Where a cut by number or by height is; where heights tie, a number can be skipped, and the next smaller one is cut. */
  facts(cut: { k: number } | { height: number }): CutFacts {
    const { count } = this, sorted = this.#sorted;
    const height = "height" in cut ? cut.height : cut.k < count ? sorted[count - max(cut.k, 1) - 1] : -1;
    const made = this.#made(height), k = count - made;
    return { k, wanted: "k" in cut ? min(max(cut.k, 1), count) : k, height: made ? sorted[made - 1] : 0, below: sorted[made] ?? Infinity };
  }
  cut(where: { k: number } | { height: number }): Cutting {
    const { count } = this, facts = this.facts(where), labels = new Int32Array(count);
    if ("k" in where && where.k >= count) labels.forEach((_, leaf) => { labels[leaf] = leaf; }); // as SciPy has it
    else this.#number(labels, facts.k === count ? -Infinity : facts.height);
    return { ...facts, labels };
  }
  /** Clusters are numbered in the order in which SciPy finds them: those under a merge before its own leaves. */
  #number(labels: Int32Array, limit: number): void {
    const { count } = this, stack: [node: number, step: number][] = [[2 * count - 2, 0]];
    let next = 0;
    if (count === 1) return;
    while (stack.length) {
      const top = stack[stack.length - 1], [node, step] = top;
      if (step === 0 && this.#highest[node - count] <= limit) {
        for (const leaf of this.leaves(node)) labels[leaf] = next;
        next++;
        stack.pop();
        continue;
      }
      const parts = this.parts(node);
      top[1]++;
      if (step < 2) {
        if (parts[step] >= count) stack.push([parts[step], 0]);
      } else {
        for (const part of parts) if (part < count) labels[part] = next++;
        stack.pop();
      }
    }
  }

  /** For each label but -1, the fewest nodes that make up its leaves, ascending. */
  cover(labels: ArrayLike<number>): Map<number, number[]> {
    const { count, parent } = this, label = new Int32Array(parent.length).fill(-1), found = new Map<number, number[]>();
    label.set(labels);
    for (let node = count; node < label.length; node++) {
      const [a, b] = this.parts(node);
      if (label[a] === label[b]) label[node] = label[a];
    }
    label.forEach((one, node) => {
      if (one < 0 || (parent[node] >= 0 && label[parent[node]] === one)) return;
      if (found.has(one)) found.get(one)!.push(node);
      else found.set(one, [node]);
    });
    return found;
  }

  /** A colour for every node, so that of two parts the larger keeps it, and the K parts of any cut have K of them. */
  colours(size: ArrayLike<number>): Int32Array {
    const { count } = this, colour = new Int32Array(2 * count - 1), sizes = new Float64Array(2 * count - 1);
    for (let i = 0; i < count; i++) sizes[i] = size[i];
    for (let node = count; node < sizes.length; node++) sizes[node] = this.parts(node).reduce((sum, part) => sum + sizes[part], 0);
    for (let node = sizes.length - 1, next = 1; node >= count; node--) {
      const [a, b] = this.parts(node), larger = sizes[b] > sizes[a] ? b : a;
      colour[a] = colour[b] = next++;
      colour[larger] = colour[node];
    }
    return colour;
  }
}
