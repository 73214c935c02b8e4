/** The points of a space: coloured by what is chosen, the selection bright, new sequences among them. */
import { clamp, round } from "../core/numbers";
import { number, whole } from "../draw/scale";
import { themeOf } from "../draw/theme";
import { type MechanismMeta, sequenceOf } from "../state/mechanism";
import { colourOf } from "../state/mechanismColour";
import type { Look } from "../state/mechanismLook";
import { FULL } from "../state/points";
import type { SpaceStore } from "../state/space";
import { type Bits, bitsWhere, countBits, joinBits, type Mode, noBits, setBit } from "../state/spaceBits";
import { PointsPanel } from "./points";

/** What is drawn, until it is kept under a name. */
export const DRAWN = "selection";

export class MechanismPoints {
  #panel: PointsPanel;
  #marked = "";
  /** Told by a kernel, where sequences are not in the page: what, and the colour of each point. */
  told: [string, Uint8Array] | null = null;

  constructor(private root: HTMLElement, private store: SpaceStore, private meta: MechanismMeta, private look: Look, signal: AbortSignal) {
    const { box: [left, right, bottom, top], axes, height, n } = meta;
    this.#panel = new PointsPanel(root, {
      onSelect: (bits, mode) => this.#select(bits, mode),
      onPick: (point, mode) => this.#pick(point, mode),
      words: (point) => this.words(point),
    }, signal);
    this.#panel.show({ n, aspect: (right - left) / (top - bottom), axes, height });
    this.#place();
    this.recolour();
    this.mark();
    store.subscribe((changed) => {
      if (("cut" in changed || "edits" in changed || "names" in changed) && look.state.colour === "cluster") this.recolour();
      if (["cut", "edits", "chosen", "selected", "selections"].some((key) => key in changed)) this.mark();
    }, signal);
    look.subscribe((changed) => {
      if ("fresh" in changed) this.#place();
      if ("colour" in changed || "fresh" in changed) this.recolour();
      if ("fresh" in changed) this.mark();
    }, signal);
  }

  /** Points that are new come after those of the library. */
  #place(): void {
    const xy = this.store.blocks.get("xy") as Uint16Array, more = this.look.state.fresh.flatMap((one) => one.xy), all = new Uint16Array(xy.length + more.length);
    all.set(xy);
    all.set(more, xy.length);
    this.#panel.show({ n: all.length / 2, xy: all });
  }
  /** Whether the colour is known; else it is to be asked for. */
  recolour(): boolean {
    const { look, store, meta, root } = this, { colour: what, fresh } = look.state, found = colourOf(what, store, meta, themeOf(root, meta.colors).bases, this.told?.[0] === what ? this.told[1] : undefined);
    if (!found) return false;
    const { colour, colours } = found, more = fresh.flatMap((one) => one.leaves), all = new Uint8Array(meta.n + more.length).fill(255);
    all.set(colour);
    if (what === "cluster") {
      const of = new Map(store.clusters.flatMap((one) => Array.from(one.leaves, (leaf): [number, number] => [leaf, one.colour % 254])));
      all.set(more.map((leaf) => of.get(leaf) ?? 255), meta.n);
    }
    const { name, low, high } = meta.columns[0];
    if (what === name && high! > low!) all.set(fresh.flatMap((one) => one.activities.map((y) => round(254 * clamp((y - low!) / (high! - low!), 0, 1)))), meta.n); // the first column is the activity
    this.#panel.show({ colour: all, colours });
    return true;
  }
  /** Let what is chosen stand out. */
  mark(): void {
    const { store, look: { state: { fresh } }, meta: { n, star } } = this, { subject, state: { selected, selections } } = store;
    const now = JSON.stringify([store.chosen.map(({ key }) => key), selected, selections.find(({ name }) => name === selected)?.version, fresh.length]);
    if (now === this.#marked) return;
    this.#marked = now;
    let at = n, of = -1, shown: Bits | null = subject ? store.points(subject) : null;
    const total = n + fresh.reduce((sum, one) => sum + one.leaves.length, 0);
    if (shown && total > n) {
      const wide = noBits(total);
      wide.set(shown);
      shown = wide;
    }
    for (const { name, leaves } of fresh) {
      if (name === selected) for (let i = 0; i < leaves.length; i++) setBit(shown!, (of = at + i));
      at += leaves.length;
    }
    this.#panel.show({ selected: shown, star: of >= 0 && countBits(shown!) === 1 ? of : star });
  }

  #select(bits: Bits, mode: Mode): void {
    const { store, meta: { n } } = this, own = bits.length * 8 >= n + 8 || n % 8 ? bitsWhere(n, (i) => ((bits[i >> 3] >> (i & 7)) & 1) > 0) : bits;
    store.keep(DRAWN, mode === "new" || !store.subject ? own : joinBits(store.points(store.subject), own, mode));
  }
  /** A click on a point chooses its cluster; beside them all, none. */
  #pick(point: number | null, mode: Mode): void {
    const { store, look, meta: { n } } = this;
    if (point !== null && point >= n) return;
    look.set({ row: point });
    if (point === null) return store.set({ chosen: [], selected: "" });
    const id = store.labels[store.leaf[point]];
    if (id >= 0) store.choose([id], mode !== "new");
  }

  /** "row 12 · prediction 3.1 · cluster 4 · 9 changes". */
  words(point: number): string {
    const { store, meta } = this, { n, columns } = meta;
    if (point >= n) return "new";
    const cluster = store.cluster(store.labels[store.leaf[point]]), said = [`row ${whole(point)}`];
    columns.slice(0, 6).forEach(({ name, low, high, kinds }, k) => {
      const v = store.blocks.get(`column${k}`)![point];
      if (v < 255) said.push(`${name} ${kinds ? kinds[v] : number(low! + ((high! - low!) * v) / 254)}`);
    });
    if (cluster) said.push(/^\d+$/.test(cluster.name) ? `cluster ${cluster.name}` : cluster.name);
    const codes = sequenceOf(store.blocks, meta.width, point);
    if (codes) said.push(changesOf(codes, store, 4));
    return said.join(" \u00b7 ");
  }
}

/** "A12G T40C and 3 more": where a sequence is not the reference. */
export function changesOf(codes: Uint8Array, { reference, original }: SpaceStore, most: number): string {
  const found: string[] = [];
  codes.forEach((code, i) => { if (code !== reference[i]) found.push(`${"ACGTN"[reference[i]]}${i + original.offset}${"ACGTN"[code]}`); });
  return found.length > most ? `${found.slice(0, most).join(" ")} and ${found.length - most} more` : found.join(" ") || "the reference";
}

/** Places of new sequences as those of the points; what lies outside their box is put on its edge. */
export function placed(xy: ArrayLike<number>, [left, right, bottom, top]: MechanismMeta["box"]): number[] {
  return Array.from(xy, (v, i) => round(clamp(i & 1 ? (v - bottom) / (top - bottom) : (v - left) / (right - left), 0, 1) * FULL));
}
