/** Hits by settings and region, however they became known. Pure. */
import { round } from "../core/numbers";
import type { Numbers } from "../core/wire";

/** Hits of one region under some settings, as columns. */
export interface Called {
  start: Int32Array;
  /** Motifs by number, strand by strand. */
  motif: Int32Array;
  rival: Int32Array;
  tied: Uint8Array;
  /** weight, unshrunk, coefficient, similarity, cosine, explained, leave-one-out. */
  values: Float32Array[];
  /** The duality gap, relative to the objective. */
  gap: number;
}

const VALUES = 7, KEPT = 100;

export const keyOf = (lambda: number, off: number[]): string => `${round(lambda * 1e4) / 1e4}|${off.join()}`;

/** Hits by settings and region, however they became known. */
export class Known {
  #by = new Map<string, Map<number, Called>>();
  #stored = new Set<string>();
  /** Grows as more is known. */
  version = 0;

  add(key: string, blocks: Map<string, Numbers>, prefix = ""): void {
    const read = <T extends Numbers>(name: string): T => blocks.get(prefix + name) as T;
    const regions = read<Int32Array>("regions"), told = read<Float32Array>("known"), region = read<Int32Array>("region"), n = region?.length;
    if (!regions) return;
    const here = this.#by.get(key) ?? new Map<number, Called>(), values = read<Float32Array>("values");
    let from = 0;
    regions.forEach((example, i) => {
      let to = from;
      while (to < n && region[to] === example) to++;
      const cut = <T extends Int32Array | Uint8Array>(name: string): T => read<T>(name).slice(from, to) as T;
      here.set(example, {
        start: cut("start"), motif: cut("motif"), rival: cut("rival"), tied: cut("tied"), gap: told[3 * i],
        values: Array.from({ length: VALUES }, (_, v) => values.slice(v * n + from, v * n + to)),
      });
      from = to;
    });
    this.#by.delete(key);
    this.#by.set(key, here); // the latest last
    const old = [...this.#by.keys()].filter((one) => !this.#stored.has(one));
    if (old.length > KEPT) this.#by.delete(old[0]);
    this.version++;
  }

  /** Never forget what is known now. */
  keep(): void {
    this.#stored = new Set(this.#by.keys());
  }

  get(key: string, example: number): Called | null {
    return this.#by.get(key)?.get(example) ?? null;
  }
  /** Of all regions that are known under these settings, in order. */
  all(key: string): [number, Called][] {
    return [...(this.#by.get(key) ?? [])].sort(([a], [b]) => a - b);
  }
  /** Penalties under which a region is known, all motifs competing. */
  lambdas(example: number): number[] {
    return [...this.#by].filter(([key, here]) => key.endsWith("|") && here.has(example)).map(([key]) => parseFloat(key)).sort((a, b) => a - b);
  }
}
