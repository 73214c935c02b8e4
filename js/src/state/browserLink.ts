/** The motif that is chosen is chosen in all linked views, and its instances are gone to there. */
import type { Link } from "../core/link";
import type { BrowserStore } from "./browser";

export function joinMotifs(store: BrowserStore, link: Link, signal: AbortSignal): void {
  let following = false;
  const follow = (): void => {
    const { motif } = link.state, found = motif === null ? undefined : store.find(motif);
    following = true;
    if (motif === null) store.set({ chosen: [] });
    else if (found && found !== store.large) store.set({ chosen: [found.number] });
    following = false;
  };
  store.subscribe((changed) => {
    if (following) return;
    const { large, instance } = store;
    if ("chosen" in changed) link.set({ motif: large ? store.firstName(large) : null }, store);
    if ("instance" in changed && instance) {
      link.set({ site: [instance.example, instance.start, instance.end] }, store);
      link.set({ site: null }, store);
    }
  }, signal);
  link.subscribe((change, origin) => {
    if (origin !== store && "motif" in change) follow();
  }, signal);
  if (link.state.motif !== null) follow();
  else if (store.large) link.set({ motif: store.firstName(store.large) }, store);
}
