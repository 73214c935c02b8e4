/** What is known of a mechanism space on the page: fine clusters with their sums, how they are cut into clusters, what is chosen, and what of it is shown. Pure of any host.
 *
 * The sums of some 2,000 fine clusters ("leaves") travel with the view, and a tree of them. A cluster is some leaves; whatever is
 * shown of it (mean map, letters, entropy, activity) is a sum over them, so that cuts, unions and sliders need no kernel.
 * Points are the sequences. A selection of points is a bitmap (state/spaceBits.ts); with no kernel its sums are those of the
 * leaves by the share of each that is selected, and said to be approximate.
 */
import { ceil, clamp, min } from "../core/numbers";
import { news, Told } from "../core/told";
import type { Numbers } from "../core/wire";
import { clampView, type View } from "../draw/scale";
import type { Block } from "../protocol";
import { Background, freeBits } from "./spaceBackground";
import { type Bits, bitsWhere, countBits, eachBit, hasBit } from "./spaceBits";
import { Clusters } from "./spaceClusters";
import { likeOrder } from "./spaceOrder";
import { difference, type Drawn, lettersOf } from "./spaceLogos";
import { Sums } from "./spaceSums";
import { Tree } from "./spaceTree";

/** What Python writes of the space (JSON). Blocks, of F leaves, N points, W positions, B bins:
 * "leaf" u2 (N), 65535 for none; "labels" i4 (F), the cluster of each leaf; "counts" i4 (F);
 * "maps", "squares" f4 (F, 4, W); "letters" i4 (F, 4, W); "y", "y_squares" f4 (F); "y_counts" i4 (F, B);
 * with a tree "children" i4 (F - 1, 2) and "heights" f8 (F - 1), as SciPy numbers them;
 * and, where cells are to be gone behind, "codes" u1 (N, ceil(W / 4)), two bits a base, with "unknown" i4 runs of (row, start, end).
 */
export interface SpaceMeta {
  n: number;
  /** W. */
  width: number;
  /** F. */
  leaves: number;
  /** Where the window begins in the sequence. */
  start: number;
  /** Letters of the reference under the window. */
  reference: string;
  /** The row of the reference; null where it is not among the points. */
  star: number | null;
  /** Chromosome and first position of the sequence. */
  locus: [string, number] | null;
  /** Mutations a base in the library. */
  rate: number;
  /** What activities are called, and the ends of their histogram. */
  activity: string;
  range: [number, number];
  /** Of the clusters of "labels", where they have one: label to name. */
  cluster_names: Record<string, string>;
  colors: "classic" | "safe" | "grey";
  blocks: Block[];
}

/** Whose sums: "" the whole library, "rest" all but what is shown, "c7" cluster 7, "sNAME" a named selection. */
export type Side = string;
/** By number, by height, or (null) the clusters that Python gave. */
export type Cut = { k: number } | { height: number } | null;
/** What was done to the clusters since the cut, by their ids. */
export type Edit = ["merge", ...number[]] | ["split", number];

export type Order = "tree" | "activity" | "size" | "entropy";
/** Of the matrix: bits, bits less those of free mutation, percent that differ from the reference, percent of the commonest base. */
export type Value = "entropy" | "difference" | "mismatch" | "consensus";
/** Of the logo's two rows. */
export type MapKind = "mean" | "foreground" | "difference";
export type LetterKind = "pwm" | "enrichment" | "frequency";

/** A named selection of points. */
export interface Named {
  name: string;
  /** How many points. */
  n: number;
  /** Another one whenever its points change. */
  version: number;
  /** Whether its sums are known exactly, from a kernel. */
  exact: boolean;
}

/** All of it is JSON. */
export interface SpaceState {
  cut: Cut;
  edits: Edit[];
  /** Names of clusters that have one, by `Cluster.key`: a cluster that comes back with another cut has its name again. */
  names: Record<string, string>;
  /** Ids of the clusters that are chosen; their union is what logos show. */
  chosen: number[];
  /** Ids of those under the pointer. */
  pointed: number[];
  /** Named selections; their bitmaps are `SpaceStore.bitmap(name)`. */
  selections: Named[];
  /** The selection that logos show in the place of the chosen clusters; "" for none. */
  selected: string;
  /** What differences are taken from. */
  against: Side;
  order: Order;
  value: Value;
  /** Marginals count the cells of at least (1) or at most (-1) this value. */
  threshold: number;
  side: 1 | -1;
  map: MapKind;
  letters: LetterKind;
  /** Whether the mean over the four bases is taken off each position, and whether all clusters share one scale. */
  centred: boolean;
  shared: boolean;
  /** Background separation. */
  rate: number;
  multiplier: number;
  adaptive: boolean;
  /** Positions of the window: in view, under the pointer, brushed, picked. */
  view: View;
  hover: number | null;
  selection: [number, number] | null;
  /** The one whose letters are counted. */
  position: number | null;
  /** What links call the sequence (always 0), and the widest margin of the views that are linked. */
  example: number;
  gutter: number;
}

export interface Cluster {
  /** Its label: Python's until it is cut otherwise, merged or split; numbers can be missing. */
  id: number;
  /** Nodes of the tree that it is made of: leaves below F, merges from F on. */
  nodes: number[];
  /** The same for the same leaves. */
  key: string;
  leaves: ArrayLike<number>;
  /** Sequences. */
  n: number;
  name: string;
  /** Of the page's twenty colours; of two parts of a cluster, the larger keeps it. */
  colour: number;
  /** What was merged into it. */
  from?: Cluster[];
}

/** Where the cut is: how many clusters (fewer than wanted where heights tie), the highest merge made, and the lowest one that is not. */
export interface CutFacts {
  k: number;
  wanted: number;
  height: number;
  below: number;
}

/** Python's names of blocks, and arrays that a wire delivers. */
export type SpaceBlocks = Map<string, Numbers>;

const LETTERS = "ACGT", NONE = 65535, KEPT = 8;

export class SpaceStore {
  readonly state: SpaceState;
  /** What a view along a sequence is told of it: the window is the sequence. */
  readonly meta: { n: number; length: number; loci: ([string, number] | null)[] };
  /** Chromosome, and the coordinate of the window's first position. */
  readonly original: { chrom: string | null; offset: number };
  readonly tree: Tree | null;
  /** Codes of the reference under the window, 4 where it is unknown. */
  readonly reference: Uint8Array;
  /** The leaf of each point. */
  readonly leaf: ArrayLike<number>;
  onGutter?: (wanted: number) => void;
  #told = new Told<[Partial<SpaceState>]>();
  #bitmaps = new Map<string, Bits>();
  /** Of the clusters that there are, by key; of selections that a kernel knows, by name; and of what was asked for last. */
  #sums = new Map<string, Sums>();
  #exact = new Map<string, Sums>();
  #recent = new Map<string, Sums>();
  #list: Cluster[] | null = null;
  #background: Background | null = null;
  #maker: Clusters;
  #version = 0;
  /** How many clusters were given; 0 if these are no cut of the tree. */
  #regular: number;

  constructor(readonly given: SpaceMeta, readonly blocks: SpaceBlocks, start: Partial<SpaceState> = {}) {
    const { width, leaves, locus, reference, rate, cluster_names } = given;
    this.meta = { n: 1, length: width, loci: [locus] };
    this.original = { chrom: locus?.[0] ?? null, offset: (locus?.[1] ?? 0) + given.start };
    this.reference = Uint8Array.from(reference, (letter) => (LETTERS.includes(letter) ? LETTERS.indexOf(letter) : 4));
    this.leaf = blocks.get("leaf")!;
    const children = blocks.get("children");
    this.tree = children?.length ? new Tree(leaves, children, blocks.get("heights")!) : null;
    this.#maker = new Clusters(this.tree, blocks.get("labels")!, blocks.get("counts")!);
    this.#regular = this.#maker.regular;
    this.state = {
      cut: null, edits: [], names: {}, chosen: [], pointed: [], selections: [], selected: "", against: "rest", order: "activity", value: "difference", threshold: -freeBits(rate) / 2, side: -1,
      map: "mean", letters: "pwm", centred: true, shared: true, rate, multiplier: 0.5, adaptive: false,
      view: { start: 0, end: width }, hover: null, selection: null, position: null, example: 0, gutter: 0, ...start,
    };
    const named = Object.keys(cluster_names).length ? this.#maker.of(null, [], {}).filter(({ id }) => id in cluster_names) : [];
    this.state.names = { ...Object.fromEntries(named.map(({ id, key }) => [key, cluster_names[id]])), ...this.state.names };
  }

  subscribe(listener: (changed: Partial<SpaceState>) => void, signal?: AbortSignal): void {
    this.#told.add(listener, signal);
  }

  /** Change the state; only what differs is told. Another cut forgets what was done to the clusters of the last one, and what was chosen stays chosen as far as there is anything of it. */
  set(change: Partial<SpaceState>): void {
    const wanted = { ...change };
    if (wanted.view) wanted.view = clampView(wanted.view, this.meta.length);
    delete wanted.example;
    const real = news(this.state, wanted);
    if (!real) return;
    if ("cut" in real && !("edits" in change)) real.edits = [];
    if (("cut" in real || "edits" in real) && this.state.pointed.length) real.pointed = [];
    const other = "cut" in real || "edits" in real, before = other ? this.chosen : [];
    Object.assign(this.state, real);
    if (other || "names" in real || "order" in real) this.#list = null;
    if (other || "rate" in real || "multiplier" in real || "adaptive" in real) this.#background = null;
    if (other) {
      if (!("chosen" in real) && this.#follow(before)) real.chosen = this.state.chosen;
      this.#forget();
    }
    if ((other || "selections" in real) && !this.#there(this.state.against)) real.against = this.state.against = "rest";
    this.#told.tell(real);
  }
  /** Whether there is such a side. */
  #there(side: Side): boolean {
    return side[0] === "c" ? this.#clustersOf(side).length > 0 : side[0] !== "s" || this.state.selections.some(({ name }) => name === side.slice(1));
  }
  /** Choose the clusters that hold what was chosen; whether these are others. */
  #follow(before: Cluster[]): boolean {
    const { labels, state } = this, now = [...new Set(before.map(({ leaves }) => labels[leaves[0]]))];
    if (JSON.stringify(now) === JSON.stringify(state.chosen)) return false;
    state.chosen = now;
    return true;
  }
  /** Keep the sums of clusters that there are. */
  #forget(): void {
    const keys = new Set(this.clusters.map(({ key }) => key));
    for (const key of this.#sums.keys()) if (!keys.has(key)) this.#sums.delete(key);
  }

  // --- clusters -------------------------------------------------------------------------------------------------------

  /** In the order in which they are shown. */
  get clusters(): readonly Cluster[] {
    return (this.#list ??= this.#ordered(this.#maker.of(this.state.cut, this.state.edits, this.state.names)));
  }
  cluster(id: number): Cluster | undefined {
    return this.clusters.find((one) => one.id === id);
  }
  /** The chosen ones that there are. */
  get chosen(): Cluster[] {
    return this.state.chosen.flatMap((id) => this.cluster(id) ?? []);
  }
  /** The id of each leaf's cluster; -1 for none. */
  get labels(): Int32Array {
    const labels = new Int32Array(this.given.leaves).fill(-1);
    for (const { id, leaves } of this.clusters) for (let i = 0; i < leaves.length; i++) labels[leaves[i]] = id;
    return labels;
  }
  /** Where the cut is; null where there is no tree, or the clusters that were given are no cut of it. */
  get cutFacts(): CutFacts | null {
    const { tree } = this, cut = this.state.cut ?? (this.#regular ? { k: this.#regular } : null);
    return cut && tree ? tree.facts(cut) : null;
  }
  /** Cut into so many; the number that was given gives the clusters that were. */
  cutInto(k: number): void {
    this.set({ cut: k === this.#regular ? null : { k } });
  }

  canSplit(one: Cluster): boolean {
    return this.#maker.canSplit(one);
  }
  #ordered(list: Cluster[]): Cluster[] {
    const { tree, state: { order }, given: { range } } = this, some = order === "activity" || order === "entropy" ? list.map((one) => this.#sumsOf(one)) : [];
    if (order === "entropy") return likeOrder(some.map((one) => one.entropy)).map((i) => list[i]);
    const rank = list.map((one, i) => (order === "size" ? -one.n : order === "tree" ? tree ? min(...one.nodes.map((node) => tree.first[node])) : one.id : some[i].quantile(0.5, range)));
    return [...list.keys()].sort((i, j) => rank[i] - rank[j]).map((i) => list[i]);
  }

  /** Choose clusters, in the place of those that are chosen or with them; one that is chosen already is let go. */
  choose(ids: number[], more = false): void {
    const { chosen } = this.state, others = chosen.filter((id) => !ids.includes(id));
    const now = !more ? ids : others.length + ids.length > chosen.length ? [...chosen, ...ids.filter((id) => !chosen.includes(id))] : others;
    this.set({ chosen: now, selected: "" });
  }
  /** Choose the cluster that stands `by` further down. */
  step(by: number): void {
    const { clusters, state: { chosen } } = this, at = clusters.findIndex(({ id }) => id === chosen[chosen.length - 1]);
    if (clusters.length) this.choose([clusters[at < 0 ? 0 : clamp(at + by, 0, clusters.length - 1)].id]);
  }
  /** Cut into `by` more clusters, over numbers that heights skip. */
  stepCut(by: number): void {
    const { tree, clusters, given: { leaves } } = this;
    if (!tree) return;
    const now = this.cutFacts?.k ?? clusters.length;
    let k = clamp(now + by, 1, leaves);
    while (by > 0 && k < leaves && tree.facts({ k }).k <= now) k++;
    this.cutInto(k);
  }
  edit(...edit: Edit): void {
    this.set({ edits: [...this.state.edits, edit] });
  }
  undo(): void {
    this.set({ edits: this.state.edits.slice(0, -1) });
  }
  /** An empty name gives the number back. */
  rename(id: number, name: string): void {
    const key = this.cluster(id)?.key, { [key ?? ""]: _, ...others } = this.state.names;
    if (key !== undefined) this.set({ names: name.trim() ? { ...others, [key]: name.trim() } : others });
  }

  // --- selections -----------------------------------------------------------------------------------------------------

  /** Keep a selection under a name, and show it; one of that name is replaced, and an empty one is dropped. */
  keep(name: string, bits: Bits): void {
    const { selections } = this.state, old = selections.find((one) => one.name === name), n = countBits(bits);
    if (!n) return this.drop(name);
    this.#bitmaps.set(name, bits);
    this.#exact.delete(name);
    const one: Named = { name, n, version: ++this.#version, exact: false };
    this.set({ selections: old ? selections.map((each) => (each === old ? one : each)) : [...selections, one], selected: name });
  }
  drop(name: string): void {
    const { selections, selected } = this.state;
    this.#bitmaps.delete(name);
    this.#exact.delete(name);
    this.set({ selections: selections.filter((one) => one.name !== name), selected: selected === name ? "" : selected });
  }
  bitmap(name: string): Bits | undefined {
    return this.#bitmaps.get(name);
  }
  /** Take a kernel's answer, unless the selection has changed since it was asked for: blocks as of a single leaf. */
  know(name: string, version: number, blocks: SpaceBlocks): void {
    const { selections } = this.state;
    if (!selections.some((one) => one.name === name && one.version === version)) return;
    this.#exact.set(name, new Sums(blocks, [0]));
    this.set({ selections: selections.map((one) => (one.name === name ? { ...one, exact: true } : one)) });
  }
  /** The points of a side. */
  points(side: Side): Bits {
    const kept = side[0] === "s" && this.#bitmaps.get(side.slice(1));
    if (kept) return kept;
    if (side === "rest" && this.subject[0] === "s") return bitsWhere(this.given.n, ((own) => (i) => !hasBit(own, i))(this.points(this.subject)));
    const weights = this.weights(side);
    return bitsWhere(this.given.n, (i) => weights[this.leaf[i]] > 0);
  }
  /** The points of some clusters that have a base at a position of the window; null where their letters are not on the page. */
  behind(side: Side, position: number, base: number): Bits | null {
    const codes = this.blocks.get("codes"), runs = this.blocks.get("unknown"), stride = ceil(this.given.width / 4);
    if (!codes) return null;
    const unknown = new Set<number>(), mine = this.points(side);
    if (runs) for (let r = 0; r < runs.length; r += 3) if (runs[r + 1] <= position && position < runs[r + 2]) unknown.add(runs[r]);
    return bitsWhere(this.given.n, (i) => hasBit(mine, i) && !unknown.has(i) && ((codes[i * stride + (position >> 2)] >> (6 - 2 * (position & 3))) & 3) === base);
  }
  /** Of each point, its cluster's colour among the twenty; 20 for none. */
  get colours(): Uint8Array {
    const of = new Uint8Array(NONE + 1).fill(20), { leaf } = this, colours = new Uint8Array(leaf.length);
    for (const { leaves, colour } of this.clusters) for (let i = 0; i < leaves.length; i++) of[leaves[i]] = colour % 20;
    for (let i = 0; i < colours.length; i++) colours[i] = of[leaf[i]];
    return colours;
  }

  // --- sums -----------------------------------------------------------------------------------------------------------

  /** What logos show: the selection, the chosen clusters, or everything. */
  get subject(): Side {
    const { selected, chosen } = this.state;
    return selected ? `s${selected}` : chosen.length ? `c${chosen.join(" ")}` : "";
  }
  /** How much of each leaf belongs to a side. */
  weights(side: Side): Float64Array {
    const { leaves } = this.given, weights = new Float64Array(leaves);
    if (side === "") return weights.fill(1);
    if (side === "rest") return this.weights(this.subject).map((w) => 1 - w);
    if (side[0] === "s") {
      const bits = this.#bitmaps.get(side.slice(1)), counts = this.blocks.get("counts")!;
      if (bits) eachBit(bits, (i) => { if (this.leaf[i] < leaves) weights[this.leaf[i]]++; });
      return weights.map((w, leaf) => w / counts[leaf]);
    }
    for (const id of side.slice(1).split(" ")) for (const leaf of Array.from(this.cluster(Number(id))?.leaves ?? [])) weights[leaf] = 1;
    return weights;
  }
  #sumsOf({ key, leaves }: Cluster): Sums {
    let known = this.#sums.get(key);
    if (!known) this.#sums.set(key, (known = new Sums(this.blocks, leaves)));
    return known;
  }
  /** What a side is, so that the same words mean the same sums. */
  #meant(side: Side): string {
    if (side === "rest") return `!${this.#meant(this.subject)}`;
    if (side[0] === "s") return `s${this.state.selections.find(({ name }) => name === side.slice(1))?.version} ${side}`;
    return side && `c${this.#clustersOf(side).map(({ key }) => key).join(",")}`;
  }
  #clustersOf(side: Side): Cluster[] {
    return side.slice(1).split(" ").flatMap((id) => this.cluster(Number(id)) ?? []);
  }
  sums(side: Side): Sums {
    const exact = side[0] === "s" && this.#exact.get(side.slice(1)), some = side[0] === "c" ? this.#clustersOf(side) : [];
    if (exact) return exact;
    if (some.length === 1) return this.#sumsOf(some[0]);
    const meant = this.#meant(side), recent = this.#recent;
    let known = recent.get(meant);
    if (!known) {
      const weights = this.weights(side), used = [...weights.keys()].filter((leaf) => weights[leaf]);
      known = new Sums(this.blocks, used, used.map((leaf) => weights[leaf]));
      if (recent.size > KEPT) recent.clear();
      recent.set(meant, known);
    }
    return known;
  }
  /** What a side is called. */
  called(side: Side): string {
    if (side === "" || side === "rest") return side ? "the rest" : "the library";
    if (side[0] === "s") return side.slice(1);
    const names = this.#clustersOf(side).map(({ name }) => (/^\d+$/.test(name) ? `cluster ${name}` : name));
    return names.length > 3 ? `${names.length} clusters` : names.join(" + ");
  }
  /** Of the clusters, merged and split as they are. */
  get background(): Background {
    const { rate, multiplier, adaptive } = this.state;
    return (this.#background ??= new Background(this.clusters.map((one) => this.#sumsOf(one)), rate, multiplier, adaptive, this.given.width));
  }
  /** A cluster's row of the matrix. */
  row(one: Cluster): Float64Array {
    const sums = this.#sumsOf(one), { value, rate } = this.state;
    if (value === "mismatch") return sums.mismatch(this.reference);
    if (value === "consensus") return sums.consensus;
    return value === "entropy" ? sums.entropy : sums.entropy.map(((free) => (bits) => bits - free)(freeBits(rate)));
  }
  /** A matrix (4, W) to draw, and its standard errors where it has some. */
  matrix(kind: MapKind | LetterKind, side: Side = this.subject): Drawn {
    const sums = this.sums(side), { against } = this.state;
    if (kind === "mean") return { values: sums.means, errors: sums.errors };
    if (kind === "foreground") return { values: this.background.foreground(sums), errors: sums.errors };
    if (kind === "difference") return difference(sums, this.sums(against));
    return { values: lettersOf(kind, sums, this.sums("")) };
  }
}
