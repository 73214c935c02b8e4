/** What all clusters share, taken off each: as nbinterp.mechanism.separate_background. Pure. */
import { abs } from "../core/numbers";
import type { Sums } from "./spaceSums";

/** Bits at a position that is mutated at a rate and selected for nothing. */
export function freeBits(rate: number): number {
  return [1 - rate, rate / 3, rate / 3, rate / 3].reduce((bits, p) => (p > 0 ? bits - p * Math.log2(p) : bits), 0);
}

export class Background {
  /** Bits above which a position is entropic. */
  readonly threshold: number;
  /** The mean over clusters of their mean maps at entropic positions, (4, W). */
  readonly shared: Float64Array;

  constructor(clusters: readonly Sums[], rate: number, multiplier: number, private adaptive: boolean, width: number) {
    this.threshold = multiplier * freeBits(rate);
    this.shared = new Float64Array(4 * width);
    for (const one of clusters) {
      const maps = one.part("maps"), { bits, n } = one;
      for (let i = 0; i < width; i++) if (bits[i] > this.threshold) for (let at = i; at < maps.length; at += width) this.shared[at] += maps[at] / n;
    }
    for (let at = 0; at < this.shared.length; at++) this.shared[at] /= clusters.length || 1;
  }

  /** Where letters vary so freely that the mechanism does not need them. */
  entropic(one: Sums): boolean[] {
    return Array.from(one.bits, (bits) => bits > this.threshold);
  }
  /** How strong it is in some sums; 1 unless adaptive. */
  scale(one: Sums): number {
    if (!this.adaptive) return 1;
    const { shared, threshold } = this, maps = one.part("maps"), { bits, n, width } = one;
    let ours = 0, all = 0, valid = false;
    for (let i = 0; i < width; i++) {
      if (!(bits[i] > threshold)) continue;
      let own = 0, common = 0;
      for (let at = i; at < maps.length; at += width) {
        own += abs(maps[at] / n);
        common += abs(shared[at]);
      }
      if (!own || !common) continue;
      [ours, all, valid] = [ours + own, all + common, true];
    }
    return valid ? ours / all : 1;
  }
  /** The mean map without it. */
  foreground(one: Sums): Float64Array {
    const scale = this.scale(one);
    return one.means.map((v, i) => v - scale * this.shared[i]);
  }
}
