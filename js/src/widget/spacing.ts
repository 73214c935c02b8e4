/** SpacingView as an anywidget: traits in, traits out. */
import type { Model } from "../core/host";
import { renderer } from "../core/mount";
import { connect, storeOf } from "../backend/spacingModel";
import { SpacingViewer } from "../view/spacing";

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const store = await storeOf(model, [], end);
  connect(model, store, new SpacingViewer(root, store, end), end);
}

export default { render: renderer("SpacingView", mount) };
