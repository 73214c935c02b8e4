/** Sums of some leaves, and what follows from them: mean map, standard errors, entropy, agreement, activities. Pure.
 *
 * Blocks are those of `SpaceMeta`; an answer of a kernel, which is exact, has the same blocks of a single leaf.
 */
import { max } from "../core/numbers";
import type { Numbers } from "../core/wire";

type Part = "counts" | "maps" | "squares" | "letters" | "y" | "y_squares" | "y_counts";
export type Blocks = ReadonlyMap<string, Numbers>;

/** SEAM's, in the logarithm. */
const EPSILON = 1e-10;

const converted = new WeakMap<Numbers, Float32Array>();

/** As one kind of numbers, so that adding is compiled for it alone; counts below 2 ** 24 stay exact. */
function floats(block: Numbers): Float32Array {
  if (block instanceof Float32Array) return block;
  let known = converted.get(block);
  if (!known) converted.set(block, (known = new Float32Array(block)));
  return known;
}

function add(sum: Float64Array, block: Float32Array, at: number, weight: number): void {
  for (let j = 0; j < sum.length; j++) sum[j] += weight * block[at + j];
}

export class Sums {
  /** Whether it adds parts of leaves, as if their points were all alike. */
  readonly approximate: boolean;
  #parts = new Map<Part, Float64Array>();
  #bits?: Float64Array;
  #entropy?: Float64Array;

  /** `weights` say how much of each leaf is meant; all of it by default. */
  constructor(private blocks: Blocks, private leaves: ArrayLike<number>, private weights?: ArrayLike<number>) {
    this.approximate = !!weights && Array.from(weights).some((w) => w > 0 && w < 1);
  }

  /** The sum of a block. */
  part(name: Part): Float64Array {
    const known = this.#parts.get(name);
    if (known) return known;
    const { leaves, weights } = this, block = floats(this.blocks.get(name)!), size = block.length / this.blocks.get("counts")!.length, sum = new Float64Array(size);
    for (let i = 0; i < leaves.length; i++) add(sum, block, leaves[i] * size, weights ? weights[i] : 1);
    this.#parts.set(name, sum);
    return sum;
  }

  /** Sequences. */
  get n(): number {
    return this.part("counts")[0];
  }
  get width(): number {
    return this.part("letters").length / 4;
  }
  /** Mean map, (4, W); NaN of nothing. */
  get means(): Float64Array {
    const { n } = this;
    return this.part("maps").map((v) => v / n);
  }
  /** Standard errors of the mean map; NaN of a single sequence. */
  get errors(): Float64Array {
    const { n } = this, maps = this.part("maps"), squares = this.part("squares");
    return maps.map((v, i) => (n > 1 ? Math.sqrt(max(squares[i] - (v * v) / n, 0) / (n - 1) / n) : NaN));
  }
  /** How often each base is seen among the known ones, (4, W), with so many added to each count. */
  frequencies(added = 0): Float64Array {
    const letters = this.part("letters"), w = this.width, p = new Float64Array(4 * w);
    for (let i = 0; i < w; i++) {
      const known = letters[i] + letters[i + w] + letters[i + 2 * w] + letters[i + 3 * w];
      for (let at = i; at < 4 * w; at += w) p[at] = (letters[at] + added) / (known + 4 * added || 1);
    }
    return p;
  }
  /** Bits at each position. */
  get bits(): Float64Array {
    return (this.#bits ??= this.#bitsOf(0));
  }
  /** As the summary matrix has them. */
  get entropy(): Float64Array {
    return (this.#entropy ??= this.#bitsOf(EPSILON));
  }
  #bitsOf(epsilon: number): Float64Array {
    const p = this.frequencies(), w = this.width, bits = new Float64Array(w);
    for (let i = 0; i < p.length; i++) if (p[i]) bits[i % w] -= p[i] * Math.log2(p[i] + epsilon);
    return bits;
  }
  /** Percent of all that do not hold the reference's base. */
  mismatch(reference: ArrayLike<number>): Float64Array {
    const { n, width: w } = this, letters = this.part("letters");
    return new Float64Array(w).map((_, i) => 100 - (reference[i] < 4 ? (100 * letters[reference[i] * w + i]) / n : 0));
  }
  /** The commonest base of each position; 4 where none is known. */
  get commonest(): Uint8Array {
    const { width: w } = this, letters = this.part("letters");
    return new Uint8Array(w).map((_, i) => {
      let best = 4;
      for (let b = 0; b < 4; b++) if (letters[b * w + i] > (best < 4 ? letters[best * w + i] : 0)) best = b;
      return best;
    });
  }
  /** Percent of all that hold it. */
  get consensus(): Float64Array {
    const { n, width: w, commonest } = this, letters = this.part("letters");
    return new Float64Array(w).map((_, i) => (commonest[i] < 4 ? (100 * letters[commonest[i] * w + i]) / n : 0));
  }

  // --- activities -----------------------------------------------------------------------------------------------------

  get mean(): number {
    return this.part("y")[0] / this.n;
  }
  /** Standard deviation of the activities. */
  get spread(): number {
    const { n } = this, y = this.part("y")[0];
    return n > 1 ? Math.sqrt(max(this.part("y_squares")[0] - (y * y) / n, 0) / (n - 1)) : NaN;
  }
  /** The activity that a share of the sequences is below: by their histogram, between whose edges it is taken to be even. */
  quantile(share: number, [low, high]: [number, number]): number {
    const counts = this.part("y_counts"), aim = share * counts.reduce((a, b) => a + b, 0);
    let seen = 0;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] && seen + counts[i] >= aim) return low + ((high - low) * (i + (aim - seen) / counts[i])) / counts.length;
      seen += counts[i];
    }
    return NaN;
  }
}
