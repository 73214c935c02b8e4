/** The motif that is chosen is chosen in all linked views, by its name or by that of its best match, and its instances are gone to there. */
import type { Link } from "../core/link";
import type { BrowserStore } from "./browser";

export function joinMotifs(store: BrowserStore, link: Link, signal: AbortSignal): void {
  let following = false;
  const follow = (): void => {
    const { names } = link, found = store.find(names);
    following = true;
    if (!names.length) store.set({ chosen: [] });
    else if (found && found !== store.large) store.set({ chosen: [found.number] });
    following = false;
  };
  const tell = (): void => {
    const { large } = store;
    link.set(large ? { motif: store.firstName(large), also: store.otherNames(large) } : { motif: null }, store);
  };
  store.subscribe((changed) => {
    if (following) return;
    const { instance } = store;
    if ("chosen" in changed) tell();
    if ("instance" in changed && instance) {
      link.set({ site: [instance.example, instance.start, instance.end] }, store);
      link.set({ site: null }, store);
    }
  }, signal);
  link.subscribe((change, origin) => {
    if (origin !== store && "motif" in change) follow();
  }, signal);
  if (link.names.length) follow();
  else if (store.large) tell();
}
