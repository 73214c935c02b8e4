/** HitView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { KernelBackend } from "../backend/kernel";
import type { Model } from "../core/host";
import { answers, joinLink, messages, renderer } from "../core/mount";
import { bindTraits, PLACE, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import { type HitMeta, type HitState, HitStore } from "../state/hit";
import { type HitAnswer, HitAsker } from "../state/hitAsker";
import { HitViewer } from "../view/hit";

const TRAITS: Trait[] = [
  ...PLACE, { name: "motif", key: "chosen" }, { name: "lambda_", key: "lambda" }, { name: "similarity", read: (least?: number) => least ?? null }, { name: "hidden", key: "off" }, { name: "unshrunk", key: "free" }, { name: "hypothetical", key: "all" },
];

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as HitMeta;
  const store = new HitStore(meta, await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks), stateOf<HitState>(model, TRAITS));
  const last = JSON.parse(model.get("answer") as string) as Partial<HitAnswer>; // what a saved notebook was told last
  if (last.key) store.known.add(last.key, await readBlocks(bytesOf(model.get("answer_data") as DataView), last.blocks!));
  bindTraits(model, store, TRAITS, end);
  const asker = new HitAsker(store, (ask) => model.send(ask), end), viewer = new HitViewer(root, store, asker, end);
  answers(model)((answer, parts) => asker.hear(answer as unknown as HitAnswer, parts), end);
  new KernelBackend(messages(model), end).live((live) => {
    viewer.connect(live);
    asker.look();
  });
  joinLink(model, store, end);
}

export default { render: renderer("HitView", mount) };
