/** Points by place: a grid of cells that knows which of them are near, in a box, or inside an outline. Pure.
 *
 * Coordinates are those of the data, 0 to 65,535 to each side. Points keep the order in which they are drawn within a cell, so
 * that what is found under a pointer is what is seen there.
 */
import { clamp, floor, max, min } from "../core/numbers";
import { type Bits, noBits, setBit } from "./spaceBits";

/** Which points lie on top: the last of the data, or those of the highest or the lowest colour. */
export type Order = "given" | "ascending" | "descending";

export type Rows = Uint32Array<ArrayBuffer>;

export const FULL = 65535;
/** The colour of what has no value. */
export const MISSING = 255;

/** Rows in the order in which they are drawn, those without a value first; null for the order of the data. */
export function sequenceOf(colour: Uint8Array, n: number, order: Order): Rows | null {
  if (order === "given") return null;
  const rank = (c: number): number => (c === MISSING ? 0 : order === "ascending" ? c + 1 : MISSING - c), at = new Uint32Array(258), out = new Uint32Array(n);
  for (let i = 0; i < n; i++) at[rank(colour[i]) + 1]++;
  for (let k = 1; k < 258; k++) at[k] += at[k - 1];
  for (let i = 0; i < n; i++) out[at[rank(colour[i])]++] = i;
  return out;
}

/** Whether a place is inside an outline [x, y, x, y, ...]; where it crosses itself, inside and outside take turns. */
function within(outline: ArrayLike<number>, x: number, y: number): boolean {
  let odd = false;
  for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
    const y1 = outline[i + 1], y2 = outline[j + 1];
    if (y1 > y !== y2 > y && x < outline[i] + ((outline[j] - outline[i]) * (y - y1)) / (y2 - y1)) odd = !odd;
  }
  return odd;
}

export class Grid {
  /** Cells to a side, a power of two. */
  readonly side: number;
  /** Where each cell begins in `order`. */
  readonly at: Uint32Array;
  readonly order: Uint32Array;
  /** x and y in that order, so that they are read as they lie in memory. */
  readonly sorted: Uint16Array;
  /** Of the cell of the average point, points a square of one unit. */
  readonly crowd: number;
  #shift: number;

  constructor(xy: Uint16Array, readonly n: number, sequence: Uint32Array | null = null) {
    const bits = clamp(floor(Math.log2(n / 2 + 1) / 2), 2, 9), shift = (this.#shift = 16 - bits), side = (this.side = 1 << bits);
    const cells = new Uint32Array(n), at = (this.at = new Uint32Array(side * side + 1)), order = (this.order = new Uint32Array(n)), sorted = (this.sorted = new Uint16Array(2 * n));
    for (let i = 0; i < n; i++) at[(cells[i] = ((xy[2 * i + 1] >> shift) << bits) | (xy[2 * i] >> shift)) + 1]++;
    let squares = 0;
    for (let c = 0; c < side * side; c++) {
      squares += at[c + 1] ** 2;
      at[c + 1] += at[c];
    }
    const next = at.slice();
    for (let k = 0; k < n; k++) {
      const i = sequence ? sequence[k] : k, to = next[cells[i]]++;
      order[to] = i;
      sorted[2 * to] = xy[2 * i];
      sorted[2 * to + 1] = xy[2 * i + 1];
    }
    this.crowd = n ? squares / n / 4 ** shift : 0;
  }

  /** Stretches of `order` that cover a box, cell by cell. */
  each(x0: number, y0: number, x1: number, y1: number, act: (from: number, to: number) => void): void {
    const { side, at } = this, cell = (v: number): number => clamp(floor(v / 2 ** this.#shift), -1, side), a = max(cell(x0), 0), b = min(cell(x1), side - 1);
    for (let row = max(cell(y0), 0); row <= min(cell(y1), side - 1) && a <= b; row++) act(at[row * side + a], at[row * side + b + 1]);
  }

  /** The point nearest to a place, no farther than rx and ry to the sides; -1 for none. */
  nearest(x: number, y: number, rx: number, ry: number): number {
    const { sorted, order } = this;
    let best = 1, found = -1;
    this.each(x - rx, y - ry, x + rx, y + ry, (from, to) => {
      for (let k = from; k < to; k++) {
        const far = ((sorted[2 * k] - x) / rx) ** 2 + ((sorted[2 * k + 1] - y) / ry) ** 2;
        if (far <= best) { best = far; found = order[k]; }
      }
    });
    return found;
  }

  /** All points inside an outline. Cells that no edge meets are in or out as their neighbours are; of the others each point is tested. */
  inside(outline: ArrayLike<number>): Bits {
    const { side, at, order, sorted } = this, bits = noBits(this.n), cells = Float64Array.from(outline, (v) => v / 2 ** this.#shift), met = this.#met(cells);
    let low = side, high = 0;
    for (let i = 1; i < cells.length; i += 2) { low = min(low, cells[i]); high = max(high, cells[i]); }
    for (let row = max(floor(low), 0); row <= min(floor(high), side - 1); row++) {
      for (let column = 0, whole: boolean | null = null; column < side; column++) {
        const cell = row * side + column, edge = met[cell];
        whole = edge ? null : whole ?? within(cells, column + 0.5, row + 0.5);
        if (edge || whole) for (let p = at[cell]; p < at[cell + 1]; p++) if (whole || within(outline, sorted[2 * p], sorted[2 * p + 1])) setBit(bits, order[p]);
      }
    }
    return bits;
  }

  /** Cells that an edge meets, and perhaps a neighbour of one. */
  #met(outline: Float64Array): Uint8Array {
    const { side } = this, met = new Uint8Array(side * side), E = 1e-6;
    for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
      const up = outline[i + 1] >= outline[j + 1], [p, q] = up ? [j, i] : [i, j], x1 = outline[p], y1 = outline[p + 1], dx = outline[q] - x1, dy = outline[q + 1] - y1;
      for (let row = max(floor(y1 - E), 0); row <= min(floor(y1 + dy + E), side - 1); row++) {
        const a = x1 + (dy ? clamp((row - y1) / dy, 0, 1) : 0) * dx, b = x1 + (dy ? clamp((row + 1 - y1) / dy, 0, 1) : 1) * dx;
        const from = max(floor(min(a, b) - E), 0), to = min(floor(max(a, b) + E), side - 1);
        if (from <= to) met.fill(1, row * side + from, row * side + to + 1);
      }
    }
    return met;
  }
}

/** A colour a point for how many share its cell, on a logarithmic scale; and how many are in the fullest. */
export function densityOf({ at, order, n }: Grid): { colour: Uint8Array; most: number } {
  const colour = new Uint8Array(n);
  let most = 1;
  for (let c = 1; c < at.length; c++) most = max(most, at[c] - at[c - 1]);
  for (let c = 1; c < at.length; c++) for (let k = at[c - 1]; k < at[c]; k++) colour[order[k]] = (Math.log(at[c] - at[c - 1]) / Math.log(most + 1)) * MISSING;
  return { colour, most };
}

/** How many of each colour there are, and a point of each that is near their middle; -1 for a colour that is all over the place. */
export function middles(xy: Uint16Array, colour: Uint8Array, n: number): { counts: Uint32Array; points: Int32Array } {
  const counts = new Uint32Array(256), [sx, sy, squares] = [0, 1, 2].map(() => new Float64Array(256)), best = new Float64Array(256).fill(Infinity), points = new Int32Array(256).fill(-1);
  for (let i = 0; i < n; i++) {
    const c = colour[i], x = xy[2 * i], y = xy[2 * i + 1];
    counts[c]++;
    sx[c] += x;
    sy[c] += y;
    squares[c] += x * x + y * y;
  }
  for (let i = 0; i < n; i++) {
    const c = colour[i], far = (xy[2 * i] - sx[c] / counts[c]) ** 2 + (xy[2 * i + 1] - sy[c] / counts[c]) ** 2;
    if (far < best[c]) { best[c] = far; points[c] = i; }
  }
  const sum = (of: Float64Array): number => of.reduce((a, b) => a + b), spread = (x: number, y: number, square: number, m: number): number => square / m - (x * x + y * y) / (m * m);
  const all = spread(sum(sx), sum(sy), sum(squares), n);
  return { counts, points: points.map((i, c) => (spread(sx[c], sy[c], squares[c], counts[c]) < LOCAL * all ? i : -1)) };
}
/** How much less than all points those of a colour are spread that has a middle. */
const LOCAL = 0.75;

/** Where a person looks: the middle, as a share of the box, y up; and how near. */
export interface Camera {
  x: number;
  y: number;
  k: number;
}

/** Pixels of a coordinate: x times ax plus bx, y times ay plus by. */
export interface Place {
  ax: number;
  bx: number;
  ay: number;
  by: number;
}

const AIR = 16, NEAREST = 4096;
export const WHOLE: Camera = { x: 0.5, y: 0.5, k: 1 };

/** `aspect` is how many times as wide as high the box of the data is; 0 fills the frame. */
export function placeOf({ x, y, k }: Camera, width: number, height: number, aspect: number): Place {
  const w = width - 2 * AIR, h = height - 2 * AIR, tall = aspect ? min(h, w / aspect) : h, wide = aspect ? tall * aspect : w;
  const ax = (k * wide) / FULL, ay = (-k * tall) / FULL;
  return { ax, bx: width / 2 - x * FULL * ax, ay, by: height / 2 - y * FULL * ay };
}

/** The same in pixels of a canvas, `ratio` to one of the page. */
export const scaled = ({ ax, bx, ay, by }: Place, ratio: number): Place => ({ ax: ax * ratio, bx: bx * ratio, ay: ay * ratio, by: by * ratio });

/** Nearer by a factor, about a coordinate that stays where it is. */
export function nearer(camera: Camera, u: number, v: number, factor: number): Camera {
  const k = clamp(camera.k * factor, 1, NEAREST), f = camera.k / k;
  return kept({ x: u / FULL + (camera.x - u / FULL) * f, y: v / FULL + (camera.y - v / FULL) * f, k });
}

/** The middle stays in the box. */
export const kept = ({ x, y, k }: Camera): Camera => ({ x: clamp(x, 0, 1), y: clamp(y, 0, 1), k });

/** Diameter of a point in pixels: of many, small; somewhat larger from near. */
export const sizeOf = (n: number, k: number): number => clamp(clamp(8 - 1.1 * Math.log10(n + 1), 1.5, 8) * k ** 0.3, 1.5, 12);

/** How opaque a point is: the less, the more of them lie on one another. */
export function alphaOf(crowd: number, { ax, ay }: Place, size: number): number {
  const overlap = (crowd / -(ax * ay)) * size * size;
  return clamp(1.1 / Math.sqrt(overlap), 0.06, 0.85);
}
