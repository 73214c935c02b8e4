/** TrackView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { KernelBackend } from "../backend/kernel";
import { Nobody } from "../backend/nobody";
import type { Model } from "../core/host";
import { answers, joinLink, messages, renderer } from "../core/mount";
import { bindTraits, MARKED, PLACE, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import type { ProfilesMeta } from "../protocol";
import { TrackStore, type TrackState } from "../state/track";
import { TrackViewer } from "../view/track";

const TRAITS: Trait[] = [...PLACE, ...MARKED, { name: "annotation_layout", key: "annotationLayout" }, { name: "thresholds" }];

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as ProfilesMeta;
  const store = new TrackStore(meta, await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks), stateOf<TrackState>(model, TRAITS));
  bindTraits(model, store, TRAITS, end);
  const viewer = new TrackViewer(root, store, end), kernel = new KernelBackend({ ...messages(model), answers: answers(model) }, end);
  kernel.live((live) => viewer.connect(live, live ? kernel : new Nobody("no kernel: the profile is of the sequence as it was given")));
  joinLink(model, store, end);
}

export default { render: renderer("TrackView", mount) };
