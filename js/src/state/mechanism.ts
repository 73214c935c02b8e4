/** What Python sends of a space, as the store has it: mean maps of 16 bits become sums, bases come out from behind the reference, letters are counted. Pure. */
import { ceil } from "../core/numbers";
import { dequantize, type Numbers } from "../core/wire";
import type { SpaceBlocks, SpaceMeta } from "./space";

/** A column to colour by: numbers from low to high, or words; block "column0" and so on. */
export interface Column {
  name: string;
  low?: number;
  high?: number;
  kinds?: string[];
}

export interface MechanismMeta extends SpaceMeta {
  /** Left, right, bottom, top of the places. */
  box: [number, number, number, number];
  axes: [string, string];
  columns: Column[];
  height: number;
  /** Whether a model answers, where there is a kernel. */
  live: boolean;
  method: string;
  stability: string;
}

const LETTERS = "ACGT";

/** Blocks as `SpaceMeta` says; documented in nbinterp/widget/mechanism_data.py. */
export function readSpace({ leaves, width, reference, n }: MechanismMeta, given: Map<string, Numbers>): SpaceBlocks {
  const blocks: SpaceBlocks = new Map(given), counts = given.get("counts")!, size = 4 * width;
  const [maps, squares] = [0, 1].map(() => new Float32Array(leaves * size));
  const part = (name: string, leaf: number): Float32Array => dequantize(given.get(name) as Int16Array, leaf * size, size, given.get(`${name}_scale`)![leaf]);
  for (let leaf = 0, at = 0; leaf < leaves; leaf++) {
    const mean = part("mean", leaf), spread = part("spread", leaf), count = counts[leaf];
    for (let i = 0; i < size; i++, at++) {
      maps[at] = mean[i] * count;
      squares[at] = (spread[i] + mean[i] * mean[i]) * count;
    }
  }
  blocks.set("maps", maps).set("squares", squares);
  const codes = given.get("codes") as Uint8Array | undefined, stride = ceil(width / 4);
  if (!codes) return blocks;
  const plain = new Uint8Array(stride), bases = codes.slice(), leaf = given.get("leaf")!, letters = new Int32Array(leaves * size);
  for (let i = 0; i < width; i++) plain[i >> 2] |= (LETTERS.indexOf(reference[i]) & 3 & -Number(LETTERS.includes(reference[i]))) << (6 - 2 * (i & 3));
  for (let row = 0, at = 0; row < n; row++) for (let j = 0; j < stride; j++) bases[at++] ^= plain[j];
  for (let row = 0; row < n; row++) {
    const base = row * stride, to = leaf[row] * size;
    for (let i = 0; i < width; i++) letters[to + ((bases[base + (i >> 2)] >> (6 - 2 * (i & 3))) & 3) * width + i]++;
  }
  const runs = given.get("unknown")!;
  for (let r = 0; r < runs.length; r += 3) for (let i = runs[r + 1]; i < runs[r + 2]; i++) letters[leaf[runs[r]] * size + i]--; // they lie there as A
  return blocks.set("codes", bases).set("letters", letters);
}

/** Codes of a row under the window, 4 where unknown; null where sequences are not in the page. */
export function sequenceOf(blocks: SpaceBlocks, width: number, row: number): Uint8Array | null {
  const codes = blocks.get("codes"), runs = blocks.get("unknown"), base = row * ceil(width / 4);
  if (!codes) return null;
  const out = new Uint8Array(width).map((_, i) => (codes[base + (i >> 2)] >> (6 - 2 * (i & 3))) & 3);
  for (let [r, end] = [firstRun(runs!, row), runs!.length]; r < end && runs![r] === row; r += 3) out.fill(4, runs![r + 1], runs![r + 2]);
  return out;
}

/** Where the runs of a row begin, which ascend. */
function firstRun(runs: Numbers, row: number): number {
  let [low, high] = [0, runs.length / 3];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[3 * middle] < row) low = middle + 1;
    else high = middle;
  }
  return 3 * low;
}
