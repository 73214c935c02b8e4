/** The pattern that is chosen is the motif chosen in all linked views, and its chosen seqlet is gone to there. */
import type { Link } from "../core/link";
import type { PatternStore } from "./pattern";

const AROUND = 25; // positions about a seqlet

export function joinPatterns(store: PatternStore, link: Link, signal: AbortSignal): void {
  let following = false;
  const follow = (): void => {
    const pattern = store.find(link.names);
    following = true;
    if (pattern >= 0) store.set({ pattern });
    following = false;
  };
  store.subscribe((changed) => {
    if (following) return;
    if ("pattern" in changed) link.set({ motif: store.pattern.name }, store);
    if ("seqlet" in changed && store.state.seqlet >= 0) {
      const { row, start, end } = store.seqlet(store.state.seqlet);
      if (row >= 0) link.set({ example: row, chrom: null, view: [start - AROUND, end + AROUND], selection: [start, end] }, store);
    }
  }, signal);
  link.subscribe((change, origin) => {
    if (origin !== store && "motif" in change) follow();
  }, signal);
  follow();
}
