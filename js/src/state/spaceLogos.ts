/** Logos as matrices (4, W): letters as nbinterp.mechanism.cluster_logos has them, and differences of mean maps. Pure. */
import type { LetterKind } from "./space";
import type { Sums } from "./spaceSums";

export interface Drawn {
  values: Float64Array;
  /** Standard errors. */
  errors?: Float64Array;
}

/** SEAM's, added to frequencies. */
const LITTLE = 1e-6;

/** Frequencies; with half a count of each letter, times the bits that they hold; or log2 against the library's. */
export function lettersOf(kind: LetterKind, sums: Sums, library: Sums): Float64Array {
  if (kind === "frequency") return sums.frequencies();
  const p = sums.frequencies(0.5), w = sums.width;
  if (kind === "enrichment") {
    const all = library.frequencies(0.5);
    return p.map((v, i) => Math.log2(v / all[i]));
  }
  const bits = new Float64Array(w);
  p.forEach((v, i) => { bits[i % w] += (v + LITTLE) * Math.log2((v + LITTLE) / 0.25); });
  return p.map((v, i) => (v + LITTLE) * bits[i % w]);
}

/** The mean map less that of another side, and its standard error (Welch). */
export function difference(one: Sums, other: Sums): Drawn {
  const a = one.means, b = other.means, e = one.errors, f = other.errors;
  return { values: a.map((v, i) => v - b[i]), errors: e.map((v, i) => Math.hypot(v, f[i])) };
}

/** Less the mean over the four bases at each position. */
export function centred(values: Float64Array): Float64Array {
  const w = values.length / 4, out = new Float64Array(4 * w);
  for (let i = 0; i < w; i++) {
    const mean = (values[i] + values[i + w] + values[i + 2 * w] + values[i + 3 * w]) / 4;
    for (let at = i; at < 4 * w; at += w) out[at] = values[at] - mean;
  }
  return out;
}
