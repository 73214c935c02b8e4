/** Look where the linked views look, and tell them where this one does. Positions on the way are the genome's where known. */
import type { Change } from "../state/edits";
import { atEnd } from "./events";
import { type Link, type LinkChange, sequenceOf } from "./link";
import { max, min } from "./numbers";

/** What a view that can be linked has; logos and tracks do. */
export interface Joinable {
  readonly meta: { n: number; length: number; loci: unknown[] };
  readonly state: { edits?: Record<string, Change[]>; example: number; view: { start: number; end: number }; hover: number | null; selection: [number, number] | null; chosen?: string };
  /** Chromosome and first position of the example that is shown. */
  readonly original: { chrom: string | null; offset: number };
  /** Changes of each example that has some, of a view in which sequences are edited; one with `state.edits` follows them. */
  readonly edits?: Record<string, Change[]>;
  /** Its annotations, where it has some. */
  readonly spans?: { has(name: string): boolean };
  /** Told at each drawing how wide a margin the view needs by itself. */
  onGutter?: (wanted: number) => void;
  set(change: Joined): void;
  subscribe(listener: (changed: object) => void, signal: AbortSignal): void;
}

interface Joined {
  example?: number;
  view?: { start: number; end: number };
  hover?: number | null;
  selection?: [number, number] | null;
  gutter?: number;
  edits?: Record<string, Change[]>;
  chosen?: string;
}

export function join(store: Joinable, link: Link, signal: AbortSignal): void {
  let following = false;
  const tell = (changed: object): void => {
    if (following) return;
    if ("histories" in changed) tellEdits();
    if ("chosen" in changed) link.set({ motif: store.state.chosen || null }, store);
    const { state, original: { chrom, offset } } = store, all = "example" in changed;
    const change: LinkChange = {};
    if (all || "view" in changed) change.view = [state.view.start + offset, state.view.end + offset];
    if (all || "hover" in changed) change.hover = state.hover === null ? null : state.hover + offset;
    if (all || "selection" in changed) change.selection = state.selection && [state.selection[0] + offset, state.selection[1] + offset];
    if (!Object.keys(change).length) return;
    const elsewhere = chrom === link.state.chrom ? {} : { view: null, hover: null, selection: null }; // what was told holds no longer
    link.set({ ...elsewhere, ...change, chrom, example: state.example }, store);
  };
  const tellEdits = (gone = false): void => {
    const own = Object.entries(store.edits ?? {}).map(([example, changes]) => [sequenceOf(store.meta, example), gone ? [] : changes]);
    link.set({ edits: { ...link.state.edits, ...Object.fromEntries(own) } }, store);
  };
  const follow = (change: LinkChange, origin: object): void => {
    if (origin === store) return;
    if (change.site && change.site[0] < store.meta.n) store.set(visited(change.site));
    const { example, chrom } = link.state, { n, length } = store.meta;
    following = true;
    if (change.gutter) store.set({ gutter: change.gutter });
    if (change.motif !== undefined && store.state.chosen !== undefined) store.set({ chosen: link.names.find((name) => store.spans?.has(name)) ?? change.motif ?? "" });
    if (change.edits && store.state.edits) store.set({ edits: change.edits });
    if ("example" in change && example < n) store.set({ example });
    const own = store.original;
    // positions of a sequence mean the same in that sequence alone, those of the genome wherever the chromosome is the same
    if (chrom === own.chrom && (chrom !== null || example === store.state.example)) store.set(placed(change, own.offset, length));
    following = false;
  };
  store.onGutter = (wanted) => {
    if (wanted > link.state.gutter) link.set({ gutter: wanted }, link); // no view's own, so that all take it
  };
  atEnd(signal, () => {
    store.onGutter = undefined;
    tellEdits(true);
  });
  const { gutter, edits, motif } = link.state;
  store.set(store.state.edits ? { gutter, edits } : { gutter });
  store.subscribe(tell, signal);
  link.subscribe(follow, signal);
  tellEdits();
  if (motif === null) tell({ chosen: 0 });
  else follow({ motif }, link);
  const { example, view } = store.state;
  if (link.state.view || link.state.selection) follow(link.state, link); // a view that comes late looks where the others do
  else if (example || view.end - view.start < store.meta.length) tell({ example }); // the first that looks at a part leads
}

const AROUND = 25; // positions about a site that is gone to

const visited = ([example, start, end]: [number, number, number]): Joined => ({ example, view: { start: start - AROUND, end: end + AROUND }, selection: [start, end] });

/** A change of the link as positions of a sequence that begins at `offset`. */
function placed({ view, hover, selection }: LinkChange, offset: number, length: number): Joined {
  const change: Joined = {};
  if (view && view[0] < offset + length && view[1] > offset) change.view = { start: view[0] - offset, end: view[1] - offset };
  if (hover !== undefined) change.hover = hover !== null && hover >= offset && hover < offset + length ? hover - offset : null;
  if (selection !== undefined) {
    const [a, b] = selection ? [max(selection[0] - offset, 0), min(selection[1] - offset, length)] : [0, 0];
    change.selection = b > a ? [a, b] : null;
  }
  return change;
}
