/** CooccurrenceView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import type { Model } from "../core/host";
import { renderer } from "../core/mount";
import { joinMotif } from "../core/motif";
import { bindTraits, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import { type CooccurrenceMeta, type CooccurrenceState, CooccurrenceStore } from "../state/cooccurrence";
import { CooccurrenceViewer } from "../view/cooccurrence";

const TRAITS: Trait[] = [{ name: "pair" }, { name: "value" }, { name: "order" }, { name: "filter" }, { name: "partners" }];

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as CooccurrenceMeta;
  const store = new CooccurrenceStore(meta, await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks), stateOf<CooccurrenceState>(model, TRAITS));
  bindTraits(model, store, TRAITS, end);
  new CooccurrenceViewer(root, store, end);
  joinMotif(model, store, end);
}

export default { render: renderer("CooccurrenceView", mount) };
