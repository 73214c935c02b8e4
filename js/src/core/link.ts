/** What linked views of one page share: where they look, what is hovered, what is selected. No kernel takes part.
 *
 * Views that carry the same link id find each other on the page. Positions are the genome's where a view knows its loci, and
 * the sequence's otherwise. A view hands itself as `origin`, so that it does not follow its own change.
 */

export interface LinkState {
  example: number;
  /** Name of the chromosome, or null where positions are the sequence's. */
  chrom: string | null;
  view: [number, number] | null;
  hover: number | null;
  selection: [number, number] | null;
  /** The widest margin that a view needs for its labels, so that their axes line up. */
  gutter: number;
}

export type LinkChange = Partial<LinkState>;

export class Link {
  readonly state: LinkState = { example: 0, chrom: null, view: null, hover: null, selection: null, gutter: 0 };
  #followers = new Set<(change: LinkChange, origin: object) => void>();

  /** Tell all but the origin; what is the same already is not told. */
  set(change: LinkChange, origin: object): void {
    const real = Object.fromEntries(
      Object.entries(change).filter(([k, v]) => JSON.stringify(this.state[k as keyof LinkState]) !== JSON.stringify(v)),
    ) as LinkChange;
    if (!Object.keys(real).length) return;
    Object.assign(this.state, real);
    for (const follow of [...this.#followers]) follow(real, origin);
  }

  subscribe(follow: (change: LinkChange, origin: object) => void, signal: AbortSignal): void {
    this.#followers.add(follow);
    signal.addEventListener("abort", () => this.#followers.delete(follow));
  }
}
