/** PatternView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { atEnd } from "../core/events";
import type { Model } from "../core/host";
import { follower, renderer } from "../core/mount";
import { linkOf } from "../core/page";
import { bindTraits, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import { type PatternMeta, type PatternState, PatternStore } from "../state/pattern";
import { joinPatterns } from "../state/patternLink";
import { PatternViewer } from "../view/pattern";

const TRAITS: Trait[] = ["pattern", "part", "order", "seqlet"].map((name) => ({ name }));

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as PatternMeta;
  const store = new PatternStore(meta, await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks), stateOf<PatternState>(model, TRAITS));
  bindTraits(model, store, TRAITS, end);
  new PatternViewer(root, store, end);
  let joined = new AbortController();
  const connect = (): void => {
    joined.abort();
    joined = new AbortController();
    const id = model.get("link") as string;
    if (id) joinPatterns(store, linkOf(id), joined.signal);
  };
  connect();
  follower(model, end)("link", connect);
  atEnd(end, () => joined.abort());
}

export default { render: renderer("PatternView", mount) };
