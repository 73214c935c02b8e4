/** What a LogoView shows: data read once, and a small state that changes. Pure of any host. */
import { dequantize, type Numbers, unpack } from "../core/wire";
import { type Extent, extent, pyramid } from "../draw/lod";
import type { Row } from "../draw/logo";
import { clampView, type View } from "../draw/scale";
import type { Annotation, LogoMeta } from "../protocol";

export interface State {
  example: number;
  view: View;
  selection: [number, number] | null;
  hover: number | null;
  all: boolean;
  hoveredItem: number;
  selectedItem: number;
}

export type Change = Partial<State>;

/** One example, ready to draw. */
export interface Example {
  codes: Uint8Array;
  rows: Row[];
  items: Annotation[];
  offset: number;
  name: string;
  chrom: string | null;
}

export class Store {
  state: State;
  private examples = new Map<number, Example>();
  private listeners = new Set<(changed: Change) => void>();

  constructor(readonly meta: LogoMeta, private blocks: Map<string, Numbers>, start: Partial<State>) {
    const view = clampView(start.view ?? { start: 0, end: meta.length }, meta.length);
    this.state = { example: 0, selection: null, hover: null, all: false, hoveredItem: -1, selectedItem: -1, ...start, view };
    this.state.example = Math.min(Math.max(this.state.example, 0), meta.n - 1);
  }

  subscribe(listener: (changed: Change) => void): void {
    this.listeners.add(listener);
  }

  set(change: Change): void {
    const real = Object.fromEntries(
      Object.entries(change).filter(([k, v]) => JSON.stringify(this.state[k as keyof State]) !== JSON.stringify(v)),
    ) as Change;
    if (!Object.keys(real).length) return;
    if (real.view) real.view = clampView(real.view, this.meta.length);
    if (real.example !== undefined) real.example = Math.min(Math.max(real.example, 0), this.meta.n - 1);
    if (real.example !== undefined && !("selection" in real)) Object.assign(real, { selection: null, selectedItem: -1 });
    Object.assign(this.state, real);
    for (const listener of this.listeners) listener(real);
  }

  get current(): Example {
    let example = this.examples.get(this.state.example);
    if (!example) {
      if (this.examples.size > 8) this.examples.clear(); // a few neighbours are enough
      this.examples.set(this.state.example, (example = this.make(this.state.example)));
    }
    return example;
  }

  private make(e: number): Example {
    const { length, tracks, loci, names, annotations, scale } = this.meta;
    const codes = unpack(this.blocks.get("sequence") as Uint8Array, this.blocks.get("unknown") as Int32Array, e, length);
    const rows = tracks.map((track, t): Row => {
      const values = this.blocks.get(`track${t}`) as Int16Array, scales = this.blocks.get(`scale${t}`) as Float32Array;
      const count = track.channels * length;
      const scores = dequantize(values, e * count, count, scales[e]);
      const observed = track.channels === 1 ? scores : observe(scores, codes);
      const levels = pyramid(observed);
      const own = extent(levels);
      const stacked = track.channels === 4 ? stackedExtent(scores, length) : own;
      return { label: track.label, channels: track.channels, values: scores, observed, levels, extent: own, stacked };
    });
    if (!rows.length) rows.push({ label: "sequence", channels: 1, values: null, observed: null, levels: pyramid(new Float32Array(length)), extent: NONE, stacked: NONE });
    shareScale(rows, scale);
    const locus = loci[e];
    return { codes, rows, items: annotations.filter((a) => a[0] === e), offset: locus ? locus[1] : 0, name: names[e], chrom: locus ? locus[0] : null };
  }
}

function observe(scores: Float32Array, codes: Uint8Array): Float32Array {
  const n = codes.length, out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = codes[i] < 4 ? scores[codes[i] * n + i] : 0;
  return out;
}

const NONE: Extent = { low: 0, high: 0, clipped: false };

/** How far the stacks of four letters reach, up and down. */
function stackedExtent(scores: Float32Array, length: number): Extent {
  let low = 0, high = 0;
  for (let i = 0; i < length; i++) {
    let up = 0, down = 0;
    for (let c = 0; c < 4; c++) {
      const v = scores[c * length + i];
      if (v > 0) up += v; else if (v < 0) down += v;
    }
    low = Math.min(low, down);
    high = Math.max(high, up);
  }
  return { low, high, clipped: false };
}

/** "shared": one range for all rows; "symmetric": the same height up and down. */
function shareScale(rows: Row[], scale: LogoMeta["scale"]): void {
  const both = (e: Extent): Extent => ({ ...e, low: Math.min(e.low, -e.high), high: Math.max(e.high, -e.low) });
  if (scale === "symmetric") for (const row of rows) { row.extent = both(row.extent); row.stacked = both(row.stacked); }
  if (scale === "shared") {
    const shared = { low: Math.min(...rows.map((r) => r.stacked.low)), high: Math.max(...rows.map((r) => r.stacked.high)), clipped: false };
    const low = Math.min(...rows.map((r) => r.extent.low)), high = Math.max(...rows.map((r) => r.extent.high));
    for (const row of rows) {
      row.extent = { ...row.extent, low, high };
      row.stacked = shared;
    }
  }
}
