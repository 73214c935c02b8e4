/** TrackView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { KernelBackend } from "../backend/kernel";
import type { Model } from "../core/host";
import { follower, joinLink, messages, renderer } from "../core/mount";
import { bytesOf, readBlocks } from "../core/wire";
import { type ProfilesMeta, TrackStore, TrackViewer } from "../view/track";

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as ProfilesMeta;
  const blocks = await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks);
  const view = (): { start: number; end: number } => { const [start, stop] = model.get("view") as number[]; return { start, end: stop }; };
  const selection = (): [number, number] | null => { const s = model.get("selection") as number[]; return s.length === 2 ? [s[0], s[1]] : null; };
  const store = new TrackStore(meta, blocks, { example: model.get("example") as number, view: view(), selection: selection() });
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.subscribe((changed) => {
    if (changed.view) model.set("view", [changed.view.start, changed.view.end]);
    if ("selection" in changed) model.set("selection", changed.selection ?? []);
    if (changed.example !== undefined) model.set("example", changed.example);
    clearTimeout(timer);
    timer = setTimeout(() => model.save_changes(), 150); // Python sees where it came to rest
  }, end);
  const follow = follower(model, end);
  follow("view", () => store.set({ view: view() }));
  follow("example", () => store.set({ example: model.get("example") as number }));
  follow("selection", () => store.set({ selection: selection() }));
  new TrackViewer(root, store, new KernelBackend(messages(model), end), end);
  joinLink(model, store, end);
}

export default { render: renderer("TrackView", mount) };
