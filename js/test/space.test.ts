import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import type { Numbers } from "../src/core/wire";
import { type Cut, type Edit, type SpaceMeta, type SpaceState, SpaceStore } from "../src/state/space";
import { Background, freeBits } from "../src/state/spaceBackground";
import { bitsWhere, countBits, eachBit, hasBit, joinBits, noBits, setBit } from "../src/state/spaceBits";
import { centred, difference, lettersOf } from "../src/state/spaceLogos";
import { likeOrder } from "../src/state/spaceOrder";
import { Sums } from "../src/state/spaceSums";
import { Tree } from "../src/state/spaceTree";

/** Of clusters: numbers, one row a cluster, and matrices (4, W). */
interface Shown extends Record<"mean" | "error" | "centred" | "frequency" | "pwm" | "enrichment", number[][][]> {
  n: number[];
  Entropy: number[][];
  Consensus: number[][];
  Reference: number[][];
}
interface Fixture {
  reference: string;
  range: [number, number];
  blocks: Record<string, number[]>;
  trees: { children: number[][]; heights: number[]; cuts: { cut: { k: number } | { height: number }; labels: number[]; k: number; height: number; below: number | null }[] }[];
  clusters: Shown;
  order: { Entropy: number[]; size: number[] };
  edited: { tree: boolean; cut: Cut; edits: Edit[]; clusters: [number, string, number[]][] }[];
  rows: { values: number[][]; order: number[] };
  bitmap: number[];
  weights: number[];
  selection: Shown;
  behind: { cluster: number; position: number; base: number; points: number[] };
  difference: { a: number[]; b: number[]; values: number[][]; errors: number[][] };
  backgrounds: { rate: number; multiplier: number; adaptive: boolean; threshold: number; entropic: boolean[][]; background: number[][]; scale: number[]; foreground: number[][][] }[];
}
const fixture = JSON.parse(readFileSync("../tests/fixtures/protocol/space.json", "utf8")) as Fixture;
const flat = (values: unknown): number[] => (Array.isArray(values) ? values.flat(Infinity) as number[] : [values as number]);
const KINDS: Record<string, (values: number[]) => Numbers> = {
  leaf: (v) => Uint16Array.from(v), heights: (v) => Float64Array.from(v), codes: (v) => Uint8Array.from(v),
  maps: (v) => Float32Array.from(v), squares: (v) => Float32Array.from(v), y: (v) => Float32Array.from(v), y_squares: (v) => Float32Array.from(v),
};
const blocks = new Map(Object.entries(fixture.blocks).map(([name, values]) => [name, (KINDS[name] ?? ((v: number[]) => Int32Array.from(v)))(flat(values))]));
const F = fixture.blocks.counts.length, N = fixture.blocks.leaf.length, W = fixture.reference.length;
const META: SpaceMeta = {
  n: N, width: W, leaves: F, start: 100, reference: fixture.reference, star: 0, locus: null, rate: 0.1, activity: "prediction",
  range: fixture.range, cluster_names: {}, colors: "classic", blocks: [],
};
const make = (start: Partial<SpaceState> = {}, meta: Partial<SpaceMeta> = {}, given = blocks): SpaceStore => new SpaceStore({ ...META, ...meta }, given, start);
/** With no tree. */
const flatStore = (): SpaceStore => make({}, {}, new Map([...blocks].filter(([name]) => name !== "children" && name !== "heights")));
const close = (found: ArrayLike<number>, wanted: unknown, within = 1e-9): void => {
  const numbers = flat(wanted);
  assert.equal(found.length, numbers.length);
  numbers.forEach((v, i) => assert.ok(Math.abs(found[i] - v) <= within * Math.max(1, Math.abs(v)), `${i}: ${found[i]} is not ${v}`));
};
const ids = (store: SpaceStore): number[] => store.clusters.map(({ id }) => id);

test("a tree is cut as Python cuts it, by every number and height", () => {
  for (const { children, heights, cuts } of fixture.trees) {
    const tree = new Tree(heights.length + 1, flat(children), heights);
    for (const { cut, labels, k, height, below } of cuts) {
      const found = tree.cut(cut), what = JSON.stringify(cut);
      assert.deepEqual([...found.labels], labels, what);
      assert.deepEqual([found.k, found.height, found.below], [k, height, below ?? Infinity], what);
      const cover = tree.cover(found.labels);
      assert.equal(cover.size, k);
      for (const [label, nodes] of cover) {
        assert.equal(nodes.length, 1, what);
        assert.deepEqual([...tree.leaves(nodes[0])].sort((a, b) => a - b), labels.flatMap((one, i) => (one === label ? [i] : [])));
      }
    }
  }
});

test("sums are those of Python: clusters, selections, differences", () => {
  const store = make(), every = store.sums("");
  const check = (one: Sums, wanted: Shown, i: number): void => {
    close([one.n], wanted.n[i]);
    close(one.means, wanted.mean[i]);
    close(one.errors, wanted.error[i]);
    close(centred(one.means), wanted.centred[i]);
    close(one.entropy, wanted.Entropy[i], 2e-11);
    close(one.consensus, wanted.Consensus[i]);
    close(one.mismatch(store.reference), wanted.Reference[i]);
    for (const kind of ["frequency", "pwm", "enrichment"] as const) close(lettersOf(kind, one, every), wanted[kind][i]);
  };
  fixture.clusters.n.forEach((_, i) => check(store.sums(`c${i}`), fixture.clusters, i));
  store.keep("mine", Uint8Array.from(fixture.bitmap));
  close(store.weights("smine"), fixture.weights);
  check(store.sums("smine"), fixture.selection, 0);
  assert.ok(store.sums("smine").approximate && !store.sums("c0").approximate && !every.approximate);
  const { a, b, values, errors } = fixture.difference, found = difference(store.sums(`c${a.join(" ")}`), store.sums(`c${b.join(" ")}`));
  close(found.values, values);
  close(found.errors!, errors);
  store.choose(a);
  store.set({ map: "difference" });
  close(store.matrix("difference").values, values); // the rest is b
});

test("backgrounds are those of separate_background", () => {
  const store = make();
  for (const { rate, multiplier, adaptive, threshold, entropic, background, scale, foreground } of fixture.backgrounds) {
    store.set({ rate, multiplier, adaptive });
    const made = store.background;
    close([made.threshold], threshold);
    close(made.shared, background);
    scale.forEach((one, i) => {
      const sums = store.sums(`c${i}`);
      assert.deepEqual(made.entropic(sums), entropic[i]);
      close([made.scale(sums)], one);
      close(store.matrix("foreground", `c${i}`).values, foreground[i]);
    });
  }
  assert.equal(freeBits(0), 0);
  assert.equal(new Background([], 0.1, 0.5, true, 2).shared.length, 8);
});

test("rows that are alike stand together as in SciPy's Ward tree", () => {
  assert.deepEqual(likeOrder(fixture.rows.values), fixture.rows.order);
  assert.deepEqual(likeOrder(fixture.clusters.Entropy), fixture.order.Entropy);
  assert.deepEqual(likeOrder([]), []);
  assert.deepEqual(likeOrder([[1]]), [0]);
  const store = make({ order: "entropy" });
  assert.deepEqual(ids(store), fixture.order.Entropy);
  store.set({ order: "size" });
  assert.deepEqual(ids(store), fixture.order.size);
});

test("points are bits, and the points behind a cell are found", () => {
  const { cluster, position, base, points } = fixture.behind, found = make().behind(`c${cluster}`, position, base)!, seen: number[] = [];
  eachBit(found, (i) => seen.push(i));
  assert.deepEqual(seen, points);
  assert.equal(countBits(found), points.length);
  assert.equal(make({}, {}, new Map([...blocks].filter(([name]) => name !== "codes"))).behind("c1", 2, 3), null);
  const a = noBits(19), b = bitsWhere(19, (i) => i % 2 === 0);
  for (const i of [0, 7, 8, 18]) setBit(a, i);
  assert.deepEqual([0, 1, 7, 8, 17, 18].map((i) => hasBit(a, i)), [true, false, true, true, false, true]);
  assert.deepEqual([countBits(joinBits(a, b, "new")), countBits(joinBits(a, b, "add")), countBits(joinBits(a, b, "subtract"))], [10, 11, 1]);
});

test("another cut keeps what is chosen as far as there is anything of it, and its names and colours", () => {
  const store = make({ cut: { k: 4 }, order: "tree" }), told: object[] = [];
  store.subscribe((changed) => told.push(changed));
  store.choose([1]);
  store.rename(1, " promoter ");
  const { key, leaves, colour } = store.cluster(1)!;
  assert.equal(store.called("c1"), "promoter");
  store.set({ cut: { k: 1 } });
  assert.deepEqual(store.state.chosen, [0]);
  assert.deepEqual(told.at(-1), { cut: { k: 1 }, edits: [], chosen: [0] });
  store.edit("split", 0);
  store.set({ cut: { k: 1 } }); // the same
  assert.equal(store.state.edits.length, 1);
  store.set({ cut: { k: 5 } });
  assert.deepEqual(store.state.chosen, [store.labels[store.tree!.order[0]]]);
  store.set({ cut: { k: 4 } });
  const again = store.clusters.find((one) => one.key === key)!;
  assert.deepEqual([again.name, again.colour], ["promoter", colour]);
  for (let k = 1; k <= F; k++) {
    store.set({ cut: { k } });
    assert.deepEqual(store.clusters.map((one) => one.colour).sort((a, b) => a - b), Array.from({ length: k }, (_, i) => i));
    if (k > 1) {
      const [kept, made] = [...store.clusters].filter(({ nodes: [node] }) => store.tree!.parent[node] === 2 * F - k).sort((a, b) => b.n - a.n); // the parts of the last merge that is cut
      assert.equal(made.colour, k - 1);
      assert.ok(kept.colour < made.colour);
    }
    const starts = store.clusters.map((one) => store.tree!.first[one.nodes[0]]);
    assert.deepEqual(starts, [...starts].sort((a, b) => a - b));
  }
  store.rename(store.labels[leaves[0]], "");
  store.set({ cut: { k: 4 } });
  assert.ok(store.clusters.some((one) => one.name === "promoter")); // the name was of other leaves
});

test("clusters are merged, split, and put back", () => {
  const store = make({ cut: { k: 4 }, order: "tree" }), before = [...store.labels], total = store.sums("").n;
  store.choose([0]);
  store.choose([2], true);
  assert.deepEqual(store.state.chosen, [0, 2]);
  assert.equal(store.subject, "c0 2");
  const united = store.sums("c0 2").n;
  store.edit("merge", 0, 2);
  assert.deepEqual([ids(store).sort(), store.state.chosen, store.cluster(0)!.n], [[0, 1, 3], [0], united]);
  store.edit("split", 0);
  assert.deepEqual([...store.labels], before);
  store.undo();
  store.undo();
  assert.deepEqual([...store.labels], before);
  const large = [...store.clusters].sort((a, b) => b.n - a.n)[0], had = large.n;
  assert.ok(store.canSplit(large));
  store.edit("split", large.id);
  const [kept, made] = [store.cluster(large.id)!, store.cluster(4)!];
  assert.ok(kept.n >= made.n && kept.n + made.n === had);
  assert.deepEqual(store.clusters.reduce((sum, one) => sum + one.n, 0), total);
  store.edit("merge", kept.id, made.id);
  assert.equal(store.cluster(large.id)!.key, large.key); // the same leaves have the same key
  store.edit("merge", 77, 0);
  store.edit("split", 77);
  assert.equal(store.clusters.length, 4);
  store.set({ cut: { k: 3 } });
  assert.deepEqual(store.state.edits, []);
});

test("what was done to clusters makes those that Python makes of it", () => {
  for (const { tree, cut, edits, clusters } of fixture.edited) {
    const store = tree ? make({ cut, edits }) : flatStore();
    if (!tree) store.set({ cut, edits });
    const found = [...store.clusters].sort((a, b) => a.id - b.id).map(({ id, key, leaves }) => [id, key, Array.from(leaves).sort((a, b) => a - b)]);
    assert.deepEqual(found, clusters, JSON.stringify({ tree, cut, edits }));
  }
});

test("cuts step over numbers that heights skip, and say where they are", () => {
  const tied = fixture.trees[1], given = new Map(blocks).set("heights", Float64Array.from(tied.heights)), store = make({ cut: { k: 1 } }, {}, given), seen = [1];
  for (let i = 0; i < F; i++) { store.stepCut(1); seen.push(store.cutFacts!.k); }
  const there = [...new Set(tied.cuts.map(({ k }) => k))].sort((a, b) => a - b);
  assert.ok(there.length < F);
  assert.deepEqual([...new Set(seen)], there);
  const skipped = Array.from({ length: F }, (_, i) => i + 1).find((k) => !there.includes(k))!;
  store.set({ cut: { k: skipped } });
  assert.ok(store.cutFacts!.k < skipped && store.cutFacts!.wanted === skipped);
  store.set({ cut: { height: store.cutFacts!.height } });
  assert.equal(store.cutFacts!.wanted, store.cutFacts!.k);
  assert.equal(make().cutFacts!.k, 4); // what was given is a cut of the tree
  assert.equal(make({}, {}, new Map(blocks).set("labels", Int32Array.from({ length: F }, (_, leaf) => leaf % 3))).cutFacts, null);
  const back = make({ cut: { k: 9 } });
  back.stepCut(-4);
  back.stepCut(-1);
  assert.deepEqual([back.state.cut, [...back.labels]], [null, fixture.blocks.labels]);
});

test("clusters that have no tree are merged alone", () => {
  const store = flatStore(), cut: Cut = { k: 2 };
  assert.equal(store.clusters.length, 4);
  assert.ok(!store.canSplit(store.clusters[0]));
  store.set({ cut });
  assert.deepEqual([store.clusters.length, store.cutFacts], [4, null]);
  store.edit("merge", 1, 3);
  assert.equal(store.cluster(1)!.n, fixture.clusters.n[1] + fixture.clusters.n[3]);
  store.edit("split", 1);
  assert.deepEqual(store.clusters.map((one) => one.id).sort(), [0, 1, 2, 3]);
});

test("selections are kept, replaced, answered and dropped", () => {
  const store = make(), bits = Uint8Array.from(fixture.bitmap), told: Partial<SpaceState>[] = [];
  store.subscribe((changed) => told.push(changed));
  store.keep("a", bits);
  assert.deepEqual(store.state.selections, [{ name: "a", n: countBits(bits), version: 1, exact: false }]);
  assert.equal(store.subject, "sa");
  const rest = store.sums("rest").n;
  assert.ok(Math.abs(rest + store.sums("sa").n - N) < 1e-9);
  assert.equal(countBits(store.points("rest")) + countBits(bits), N);
  const exact = new Map<string, Numbers>([...blocks].filter(([name]) => /counts|maps|squares|letters|^y/.test(name)).map(([name, block]) => [name, block.slice(0, block.length / F) as Numbers]));
  store.know("a", 0, exact); // of bits that are no more
  assert.ok(!store.state.selections[0].exact);
  store.know("a", 1, exact);
  assert.ok(store.state.selections[0].exact && !store.sums("sa").approximate);
  assert.equal(store.sums("sa").n, fixture.blocks.counts[0]);
  store.keep("a", bitsWhere(N, () => true));
  assert.deepEqual([store.state.selections[0].version, store.sums("sa").approximate, store.sums("sa").n], [2, false, N]);
  store.choose([1]);
  assert.deepEqual([store.state.selected, store.subject], ["", "c1"]);
  store.keep("a", noBits(N));
  assert.deepEqual([store.state.selections, store.bitmap("a")], [[], undefined]);
  assert.ok(told.length > 4);
  store.keep("b", bits);
  assert.equal(Math.round(store.sums("sb").n), countBits(bits));
  store.drop("b");
  store.keep("b", bitsWhere(N, (i) => i < 3)); // another one of that name
  assert.equal(store.sums("sb").n.toFixed(9), "3.000000000");
  store.set({ against: "sb" });
  store.drop("b");
  assert.equal(store.state.against, "rest");
  store.set({ against: "c3" });
  store.set({ cut: { k: 2 } });
  assert.deepEqual([store.state.against, told.at(-1)!.against], ["rest", "rest"]);
});

test("activities are read from their histogram", () => {
  const counts = Int32Array.of(0, 4, 0, 4), one = new Sums(new Map<string, Numbers>([["counts", Int32Array.of(8)], ["y_counts", counts], ["y", Float32Array.of(16)], ["y_squares", Float32Array.of(40)]]), [0]);
  assert.deepEqual([0.25, 0.5, 0.75, 1].map((q) => one.quantile(q, [0, 4])), [1.5, 2, 3.5, 4]);
  assert.deepEqual([one.mean, one.spread], [2, Math.sqrt(8 / 7)]);
});
