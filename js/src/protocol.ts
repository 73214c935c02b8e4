/** What the two halves of a widget say to each other: nbinterp/widget/logo.py writes it, nbinterp/live packs the bytes. */

/** One block of the binary trait. */
export interface Block {
  name: string;
  dtype: "u1" | "i2" | "i4" | "f4";
  shape: number[];
  offset: number;
  length: number;
  encoding: "raw" | "gzip";
}

export interface TrackMeta {
  label: string;
  channels: 1 | 4;
}

/** [example, start, end, name, strand, score] */
export type Annotation = [number, number, number, string, string, number | null];

export interface LogoMeta {
  n: number;
  length: number;
  blocks: Block[];
  tracks: TrackMeta[];
  names: string[];
  loci: ([string, number] | null)[];
  predictions: (number | null)[] | null;
  target: string;
  annotations: Annotation[];
  height: number;
  colors: "classic" | "safe" | "grey";
  scale: "row" | "shared" | "symmetric";
}

/** Asked once on start; a live kernel answers with the same word. */
export interface Hello {
  kind: "hello";
}
