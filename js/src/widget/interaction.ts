/** InteractionView as an anywidget: traits in, traits out. */
import type { Model } from "../core/host";
import { renderer } from "../core/mount";
import { connect, storeOf } from "../backend/spacingModel";
import { InteractionViewer } from "../view/interaction";

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const store = await storeOf(model, [{ name: "pair" }, { name: "at" }], end);
  connect(model, store, new InteractionViewer(root, store, end).pair, end);
}

export default { render: renderer("InteractionView", mount) };
