/** Blocks of the binary trait to typed arrays. */
import type { Block } from "../protocol";
import { ceil } from "./numbers";

type Bytes = Uint8Array<ArrayBuffer>;
export type Numbers = Uint8Array | Uint16Array | Int16Array | Int32Array | Float32Array | Float64Array;
const KINDS = { u1: Uint8Array, u2: Uint16Array, i2: Int16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array } as const;

/** Copy, since a host may hand out views at any offset into a whole message. */
export function bytesOf(view: DataView | Uint8Array | ArrayBuffer): Bytes {
  const { buffer = view as ArrayBuffer, byteOffset = 0, byteLength } = view as Partial<DataView> & ArrayBuffer;
  return new Uint8Array((buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength));
}

async function gunzip(data: Bytes): Promise<Bytes> {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Read all blocks, by name. */
export async function readBlocks(data: Bytes, blocks: Block[]): Promise<Map<string, Numbers>> {
  const read = blocks.map(async (block): Promise<[string, Numbers]> => {
    const part = data.slice(block.offset, block.offset + block.length);
    const raw = block.encoding === "gzip" ? await gunzip(part) : part;
    return [block.name, new KINDS[block.dtype](raw.buffer)];
  });
  return new Map(await Promise.all(read));
}

/** Unpack one sequence of two-bit codes; unknown bases (4) come from runs of (row, start, end). */
export function unpack(packed: Uint8Array, runs: Int32Array, row: number, length: number): Uint8Array {
  const codes = new Uint8Array(length), stride = ceil(length / 4), base = row * stride;
  for (let i = 0; i < length; i++) codes[i] = (packed[base + (i >> 2)] >> (6 - 2 * (i & 3))) & 3;
  for (let r = 0; r < runs.length; r += 3) if (runs[r] === row) codes.fill(4, runs[r + 1], runs[r + 2]);
  return codes;
}

const MISSING = -32768;

/** Turn int16 back into numbers; the lowest code stands for a missing value. */
export function dequantize(values: Int16Array, start: number, count: number, scale: number): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = values[start + i] === MISSING ? NaN : values[start + i] * scale;
  return out;
}
