/** What the two halves of a widget say to each other: nbinterp/live/protocol.py, nbinterp/widget/logo.py and track.py are the other half. */
import type { Change } from "./state/edits";

/** One block of the binary trait. */
export interface Block {
  name: string;
  dtype: "u1" | "u2" | "i2" | "i4" | "f4" | "f8";
  shape: number[];
  offset: number;
  length: number;
  encoding: "raw" | "gzip";
}

export interface TrackMeta {
  label: string;
  channels: 1 | 4;
}

/** A table of annotations; blocks "spans0.at", ".start", ".width", ".name", ".strand" and ".value0" hold the columns of the first. */
export interface SpanMeta {
  label: string;
  /** In the order in which they first appear. */
  names: string[];
  scores: string[];
}

/** What can be asked of the model behind a view. */
export interface LiveMeta {
  targets: string[];
  methods: string[];
}

/** What every view along sequences of one length is told of them. */
export interface AxisMeta {
  n: number;
  length: number;
  blocks: Block[];
  names: string[];
  loci: ([string, number] | null)[];
  predictions: (number | null)[] | null;
  target: string;
  annotations: SpanMeta[];
  /** Of a row, in pixels. */
  height: number;
}

export interface LogoMeta extends AxisMeta {
  tracks: TrackMeta[];
  /** The target that `predictions` are of, the method that is live, and whether the first track has its scores. */
  first: { target: string; method: string; scores: boolean };
  live: LiveMeta | null;
  /** Whether a table of single edits is stored: blocks "table" and "table_scale", changes in prediction (n, 4, length). */
  table: boolean;
  colors: "classic" | "safe" | "grey";
  scale: "row" | "shared" | "symmetric";
}

/** What nbinterp/widget/track.py writes. */
export interface ProfilesMeta extends AxisMeta {
  /** Profiles have `size` positions, from `offset` on. */
  offset: number;
  size: number;
  rows: { label: string; source: number; strands: 1 | 2; ghost: [string, number] | null; band: boolean }[];
  /** The row that a model answers edits for; null when there is none. */
  live: number | null;
  scale: "row" | "shared";
}

/** Asked once on start; a live kernel answers with the same word. */
export interface Hello {
  kind: "hello";
}

export interface Ask {
  kind: "ask";
  /** Grows with each request; an answer to an older one is stale. */
  number: number;
  example: number;
  changes: Change[];
  target: string;
  method: string;
  /** Whether deletion and insertion are to come with the last scores. */
  curves: boolean;
}

/** Replace what the prediction does not need of a span; the answer is an edit. */
export interface Prune extends Omit<Ask, "kind"> {
  kind: "prune";
  start: number;
  end: number;
}

/** Part of an answer; `blocks` describe the bytes that came with it: scores (1, 4, L), errors (1, L), profile (1, S, P), and their scales. */
export interface Answer {
  kind: "answer";
  number: number;
  example: number;
  stage: "prediction" | "scores" | "profile" | "error";
  last: boolean;
  prediction: number | null;
  original: number | null;
  spread: number | null;
  n_references: number | null;
  seconds: number;
  words: string;
  deletion: number[];
  insertion: number[];
  blocks: Block[];
}
