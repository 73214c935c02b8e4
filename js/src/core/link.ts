/** What linked views of one page share: where they look, what is hovered, selected, edited, and which motif is chosen. No kernel takes part.
 *
 * Views that carry the same link id find each other on the page. Positions are the genome's where a view knows its loci, and
 * the sequence's otherwise. A view hands itself as `origin`, so that it does not follow its own change.
 */
import type { Change } from "../state/edits";
import { news, Told } from "./told";

export interface LinkState {
  example: number;
  /** Name of the chromosome, or null where positions are the sequence's. */
  chrom: string | null;
  view: [number, number] | null;
  hover: number | null;
  selection: [number, number] | null;
  /** Name of the motif that is chosen: its instances stand out in every view. */
  motif: string | null;
  /** What else it may be called, best first: a view that does not know its name takes the first of these that it knows. */
  also: string[];
  /** [example, start, end] of a sequence, for a moment: the views that have it go there, and tell where that is on the genome. */
  site: [number, number, number] | null;
  /** Changes of each sequence that was edited, by `sequenceOf`. */
  edits: Record<string, Change[]>;
  /** The widest margin that a view needs for its labels, so that their axes line up. */
  gutter: number;
}

export type LinkChange = Partial<LinkState>;

/** Which sequence an example is: the same in every view that has as many bases of it, at the same place. */
export function sequenceOf({ length, loci }: { length: number; loci: unknown[] }, example: number | string): string {
  return JSON.stringify([Number(example), length, loci[Number(example)]]);
}

export class Link {
  readonly state: LinkState = { example: 0, chrom: null, view: null, hover: null, selection: null, motif: null, also: [], site: null, edits: {}, gutter: 0 };
  #followers = new Told<[LinkChange, object]>();

  /** The names of the chosen motif, the first one first; none where none is chosen. */
  get names(): string[] {
    const { motif, also } = this.state;
    return motif === null ? [] : [motif, ...also];
  }

  /** Tell all but the origin; what is the same already is not told. Another motif has other names. */
  set(change: LinkChange, origin: object): void {
    const real = news(this.state, "motif" in change ? { also: [], ...change } : change);
    if (!real) return;
    Object.assign(this.state, real);
    this.#followers.tell(real, origin);
  }

  subscribe(follow: (change: LinkChange, origin: object) => void, signal: AbortSignal): void {
    this.#followers.add(follow, signal);
  }
}
