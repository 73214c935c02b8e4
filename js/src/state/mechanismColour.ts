/** What colours each point: its cluster, a column, the base at a position, whether it holds a pattern of bases. Pure. */
import type { Numbers } from "../core/wire";
import type { Colours } from "../draw/points";
import { type MechanismMeta, sequenceOf } from "./mechanism";
import type { SpaceStore } from "./space";

export interface Colouring {
  colour: Uint8Array;
  colours: Colours;
}

const NONE = 255, MOST = 254, WILD = "-ACMGRSVTWYHKDBN";

/** Null where sequences are needed that are not in the page: a kernel tells them, as `told`. */
export function colourOf(what: string, store: SpaceStore, meta: MechanismMeta, bases: readonly string[], told?: Numbers): Colouring | null {
  const { n, start, width } = meta, [kind, word] = what.split(":"), column = meta.columns.findIndex(({ name }) => name === what);
  if (column >= 0) {
    const { kinds, low, high } = meta.columns[column];
    return { colour: store.blocks.get(`column${column}`) as Uint8Array, colours: kinds ? { title: what, names: kinds } : { title: what, low, high } };
  }
  if (kind === "cluster") return byCluster(store);
  const known = told as Uint8Array | undefined;
  if (!known && !store.blocks.has("codes")) return null;
  if (kind === "motif") {
    const colour = known ?? holding(store, width, word, n);
    return { colour, colours: { title: word, names: ["without", "with"], colours: ["#9aa3ad", "#d1495b"] } };
  }
  const at = Number(word) - start;
  const colour = known ?? Uint8Array.from({ length: n }, (_, i) => (store.blocks.get("codes")![i * ((width + 3) >> 2) + (at >> 2)] >> (6 - 2 * (at & 3))) & 3);
  const runs = store.blocks.get("unknown");
  if (runs && !known) for (let r = 0; r < runs.length; r += 3) if (runs[r + 1] <= at && at < runs[r + 2]) colour[runs[r]] = 4;
  return { colour, colours: { title: `base at ${at + store.original.offset}`, names: ["A", "C", "G", "T", "unknown"], colours: [...bases, "#888888"] } };
}

function byCluster(store: SpaceStore): Colouring {
  const of = new Uint8Array(65536).fill(NONE), names: string[] = [];
  for (const { leaves, colour, name } of store.clusters) {
    const c = colour % MOST;
    names[c] = name;
    for (let i = 0; i < leaves.length; i++) of[leaves[i]] = c;
  }
  return { colour: Uint8Array.from(store.leaf, (leaf) => of[leaf]), colours: { title: "cluster", names: Array.from(names, (name) => name ?? "") } };
}

/** Whether each sequence holds a pattern, on either strand: 1 or 0. */
function holding(store: SpaceStore, width: number, pattern: string, n: number): Uint8Array {
  const forward = [...pattern.toUpperCase()].map((letter) => WILD.indexOf(letter)), turned = [...forward].reverse().map((mask) => [1, 2, 4, 8].reduce((sum, bit, i) => sum + (mask & bit ? 8 >> i : 0), 0));
  const found = new Uint8Array(n);
  for (let row = 0; row < n; row++) {
    const bits = sequenceOf(store.blocks, width, row)!.map((code) => (1 << code) & 15);
    search: for (const strand of [forward, turned]) for (let i = 0; i + strand.length <= width; i++) {
      let j = 0;
      while (j < strand.length && bits[i + j] & strand[j]) j++;
      if (j === strand.length) { found[row] = 1; break search; }
    }
  }
  return found;
}
