/** Selections of points as bitmaps: point i is bit i & 7 of byte i >> 3 (numpy.packbits with bitorder="little"). Pure. */
import { ceil } from "../core/numbers";

export type Bits = Uint8Array;
/** How a new selection meets the old one. */
export type Mode = "new" | "add" | "subtract";

export const noBits = (n: number): Bits => new Uint8Array(ceil(n / 8));
export const hasBit = (bits: Bits, i: number): boolean => ((bits[i >> 3] >> (i & 7)) & 1) > 0;
export const setBit = (bits: Bits, i: number): void => { bits[i >> 3] |= 1 << (i & 7); };

/** How many bits are set. */
export function countBits(bits: Bits): number {
  let n = 0;
  for (let v of bits) for (; v; v &= v - 1) n++;
  return n;
}

export function joinBits(old: Bits, wanted: Bits, mode: Mode): Bits {
  return mode === "new" ? wanted.slice() : old.map((v, i) => (mode === "add" ? v | wanted[i] : v & ~wanted[i]));
}

/** The bits of the points that a test passes. */
export function bitsWhere(n: number, test: (i: number) => boolean): Bits {
  const bits = noBits(n);
  for (let i = 0; i < n; i++) if (test(i)) setBit(bits, i);
  return bits;
}

/** Do something with each point that is set. */
export function eachBit(bits: Bits, act: (i: number) => void): void {
  for (let b = 0; b < bits.length; b++) for (let v = bits[b]; v; v &= v - 1) act(8 * b + 31 - Math.clz32(v & -v));
}
