/** Points to pixels without WebGL: discs that lie on one another, or how many there are. And what colours mean. Pure. */
import { ceil, clamp, floor, min, round } from "../core/numbers";
import { type Grid, MISSING, type Place } from "../state/points";
import { CATEGORIES, EFFECT, fade, type Theme } from "./theme";

/** What colours mean: names, or values from low to high; 255 is for points without one. */
export interface Colours {
  title: string;
  names?: readonly string[];
  /** A colour a name; the page's twenty in turn where there are none. */
  colours?: readonly string[];
  low?: number;
  high?: number;
  /** Values are changes: the middle of low and high has no colour. */
  diverging?: boolean;
}

/** More has more contrast with the ground. */
const RAMP = {
  light: ["#d8c25a", "#86b366", "#2f9187", "#2a6596", "#2b2f70"],
  dark: ["#4a55a0", "#2f80a8", "#35a88c", "#93cc62", "#f7e56a"],
};

const rgbOf = (color: string): number[] => fade(color, 1).match(/\d+/g)!.slice(0, 3).map(Number);

/** A colour between those of a ramp. */
function between(stops: number[][], share: number): number[] {
  const at = clamp(share, 0, 1) * (stops.length - 1), k = min(floor(at), stops.length - 2);
  return stops[k].map((v, c) => round(v + (stops[k + 1][c] - v) * (at - k)));
}

/** Red, green, blue and 255 of each of 256 colours. */
export function paletteOf({ names, colours = CATEGORIES, diverging }: Colours, theme: Theme): Uint8Array {
  const shade = theme.dark ? "dark" : "light", grey = theme.dark ? "#8a8a8a" : "#a3a3a3", out = new Uint8Array(1024).fill(255);
  const stops = (names ? colours : diverging ? [EFFECT[shade][1], grey, EFFECT[shade][0]] : RAMP[shade]).map(rgbOf);
  for (let c = 0; c < 256; c++) out.set(c === MISSING ? rgbOf(grey) : names ? stops[c % stops.length] : between(stops, c / (MISSING - 1)), 4 * c);
  return out;
}

/** Colours of what is not selected: nearly none. */
export function quieted(palette: Uint8Array, theme: Theme): Uint8Array {
  const grey = theme.dark ? 90 : 190;
  return palette.map((v, i) => (i % 4 === 3 ? v : round(grey + (v - grey) * 0.18)));
}

export const css = (palette: Uint8Array, c: number): string => `rgb(${palette.subarray(4 * c, 4 * c + 3).join()})`;

/** What is drawn in one go: all points, or the selected ones alone. */
export interface Layer {
  palette: Uint8Array;
  /** Diameter of a point. */
  size: number;
  alpha: number;
  selected: boolean;
}

const EDGE = 24;

/** A picture in the making: red, green, blue and alpha of each pixel, the colours times alpha; with an edge that is not seen. */
export class Raster {
  #pixels: Float32Array;
  #wide: number;

  constructor(readonly width: number, readonly height: number) {
    this.#wide = width + 2 * EDGE;
    this.#pixels = new Float32Array(4 * this.#wide * (height + 2 * EDGE));
  }
  clear(): void {
    this.#pixels.fill(0);
  }

  /** Discs over one another: the rows `order[from]` to `order[to - 1]`. */
  discs(xy: Uint16Array, colour: Uint8Array, order: ArrayLike<number> | null, from: number, to: number, { ax, bx, ay, by }: Place, palette: Uint8Array, size: number, alpha: number): void {
    const wide = this.#wide, pixels = this.#pixels;
    const reach = min(ceil(size / 2 - 0.5), EDGE), left = reach - EDGE, right = this.width - left, bottom = this.height - left, offsets: number[] = [], shares: number[] = [];
    for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) {
      const share = clamp(size / 2 + 0.5 - Math.hypot(x, y), 0, 1) * alpha;
      if (share > 0.01) { offsets.push(4 * (y * wide + x)); shares.push(share); }
    }
    const m = offsets.length;
    let [a] = shares, rest = 1 - a;
    for (let k = from; k < to; k++) {
      const i = order ? order[k] : k, x = floor(xy[2 * i] * ax + bx), y = floor(xy[2 * i + 1] * ay + by);
      if (x < left || y < left || x >= right || y >= bottom) continue;
      const at = 4 * ((y + EDGE) * wide + x + EDGE), c = 4 * colour[i], r = palette[c], g = palette[c + 1], b = palette[c + 2];
      for (let j = 0; j < m; j++) {
        const p = at + offsets[j];
        if (m > 1) { a = shares[j]; rest = 1 - a; }
        pixels[p] = pixels[p] * rest + r * a;
        pixels[p + 1] = pixels[p + 1] * rest + g * a;
        pixels[p + 2] = pixels[p + 2] * rest + b * a;
        pixels[p + 3] = pixels[p + 3] * rest + a;
      }
    }
  }

  write({ data }: ImageData): void {
    const { width, height } = this, pixels = this.#pixels;
    for (let y = 0, q = 0; y < height; y++) for (let x = 0, p = 4 * ((y + EDGE) * this.#wide + EDGE); x < width; x++, p += 4, q += 4) {
      const a = pixels[p + 3];
      if (!a) continue;
      for (let c = 0; c < 3; c++) data[q + c] = pixels[p + c] / a;
      data[q + 3] = 255 * a;
    }
  }
}

/** Stretches of the grid's order that cover a frame, and `reach` pixels about it. */
export function inView(grid: Grid, { ax, bx, ay, by }: Place, width: number, height: number, reach: number, act: (from: number, to: number) => void): void {
  grid.each((-reach - bx) / ax, (height + reach - by) / ay, (width + reach - bx) / ax, (-reach - by) / ay, act);
}
