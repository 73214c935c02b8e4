/** VariantView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { KernelBackend } from "../backend/kernel";
import type { Model } from "../core/host";
import { answers, joinLink, messages, renderer } from "../core/mount";
import { bindTraits, PLACE, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import type { Block } from "../protocol";
import { type VariantMeta, type VariantState, VariantStore } from "../state/variant";
import { Along } from "../state/variantLink";
import { VariantViewer } from "../view/variant";

const TRAITS: Trait[] = [...PLACE, { name: "score" }, { name: "threshold" }];

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as VariantMeta;
  const read = (name: string, blocks: Block[]) => readBlocks(bytesOf(model.get(name) as DataView), blocks);
  const kept = await read("kept_data", JSON.parse(model.get("kept") as string) as Block[]);
  const store = new VariantStore(meta, await read("data", meta.blocks), stateOf<VariantState>(model, TRAITS), kept);
  bindTraits(model, store, TRAITS, end);
  const viewer = new VariantViewer(root, store, end), kernel = new KernelBackend({ ...messages(model), answers: answers(model) }, end);
  kernel.live((live) => viewer.connect(live, kernel));
  joinLink(model, new Along(store), end);
}

export default { render: renderer("VariantView", mount) };
