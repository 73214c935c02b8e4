/** MotifBrowser as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { atEnd } from "../core/events";
import type { Model } from "../core/host";
import { follower, renderer } from "../core/mount";
import { linkOf } from "../core/page";
import { bindTraits, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import { type BrowserMeta, type BrowserState, BrowserStore } from "../state/browser";
import { joinMotifs } from "../state/browserLink";
import { BrowserViewer } from "../view/browser";

const TRAITS: Trait[] = [{ name: "edits" }, { name: "chosen" }, { name: "reverse" }];

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as BrowserMeta;
  const store = new BrowserStore(meta, await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks), stateOf<BrowserState>(model, TRAITS));
  bindTraits(model, store, TRAITS, end);
  new BrowserViewer(root, store, end);
  let joined = new AbortController();
  const connect = (): void => {
    joined.abort();
    joined = new AbortController();
    const id = model.get("link") as string;
    if (id) joinMotifs(store, linkOf(id), joined.signal);
  };
  connect();
  follower(model, end)("link", connect);
  atEnd(end, () => joined.abort());
}

export default { render: renderer("MotifBrowser", mount) };
