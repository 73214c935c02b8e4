/** Share which motif is chosen with the views of the link that the trait names. */
import { atEnd } from "./events";
import type { Model } from "./host";
import { follower } from "./mount";
import { linkOf } from "./page";

/** A view in which a motif can be chosen. */
export interface Chooser {
  /** Name of the motif that is chosen. */
  readonly motif: string | null;
  /** Choose as another view did: the first of the names that is known here. */
  follow(names: string[]): void;
  /** Hear when a person chooses. */
  onChoice(listener: () => void, signal: AbortSignal): void;
}

export function joinMotif(model: Model, chooser: Chooser, end: AbortSignal): void {
  let joined = new AbortController();
  const connect = (): void => {
    joined.abort();
    joined = new AbortController();
    const id = model.get("link") as string;
    if (!id) return;
    const link = linkOf(id), { signal } = joined;
    link.subscribe((change, origin) => { if (origin !== chooser && "motif" in change) chooser.follow(link.names); }, signal);
    chooser.onChoice(() => link.set({ motif: chooser.motif }, chooser), signal);
    chooser.follow(link.names); // a view that comes late chooses what the others do
  };
  connect();
  follower(model, end)("link", connect);
  atEnd(end, () => joined.abort());
}
