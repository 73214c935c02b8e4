/** LogoView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { atEnd } from "../core/events";
import { KernelBackend } from "../backend/kernel";
import { SnapshotBackend } from "../backend/snapshot";
import type { Model } from "../core/host";
import { answers, joinLink, messages, renderer } from "../core/mount";
import { shared } from "../core/page";
import { bindTraits, MARKED, PLACE, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import type { LogoMeta } from "../protocol";
import { type Layout, PLAIN } from "../state/arrange";
import { type State, Store } from "../state/store";
import { LogoViewer } from "../view/logo";

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as LogoMeta;
  const blocks = await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks);
  const traits: Trait[] = [
    ...PLACE, ...MARKED,
    { name: "hypothetical", key: "all" },
    { name: "edits", key: "histories" },
    { name: "target", read: (target: string) => target || meta.first.target },
    { name: "method", read: (method: string) => method || meta.first.method },
    { name: "rows", key: "layout", read: (layout: Layout | null) => (layout?.order ? layout : PLAIN) },
  ];
  const store = new Store(meta, blocks, stateOf<State>(model, traits));
  bindTraits(model, store, traits, end);
  const viewer = new LogoViewer(root, store, end), kernel = new KernelBackend({ ...messages(model), answers: answers(model) }, end);
  kernel.live((live) => viewer.connect(live, live ? kernel : new SnapshotBackend(meta, blocks)));
  joinLink(model, store, end);
  const uid = model.get("uid") as string;
  shared().logos.set(uid, store);
  atEnd(end, () => { if (shared().logos.get(uid) === store) shared().logos.delete(uid); });
}

export default { render: renderer("LogoView", mount) };
