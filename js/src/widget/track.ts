/** TrackView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { KernelBackend } from "../backend/kernel";
import type { Model, RenderProps } from "../core/host";
import { linkOf } from "../core/page";
import { bytesOf, readBlocks } from "../core/wire";
import { join, type ProfilesMeta, TrackStore, TrackViewer } from "../view/track";

async function render({ model, el, signal }: RenderProps): Promise<() => void> {
  const own = new AbortController(), end = own.signal;
  signal?.addEventListener("abort", () => own.abort());
  const root = document.createElement("div");
  el.append(root);
  try {
    await mount(model, root, end);
  } catch (error) {
    root.className = "nbi-failed";
    root.textContent = `TrackView could not start: ${String(error)}`;
  }
  return () => own.abort();
}

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
  const follow = (name: string, apply: () => void): void => {
    model.on(`change:${name}`, apply);
    end.addEventListener("abort", () => model.off(`change:${name}`, apply));
  };
  follow("view", () => store.set({ view: view() }));
  follow("example", () => store.set({ example: model.get("example") as number }));
  follow("selection", () => store.set({ selection: selection() }));
  const channel = {
    send: (message: object) => model.send(message),
    listen: (handler: (message: unknown) => void, signal: AbortSignal) => {
      model.on("msg:custom", handler);
      signal.addEventListener("abort", () => model.off("msg:custom", handler));
    },
  };
  new TrackViewer(root, store, new KernelBackend(channel, end), end);
  let joined = new AbortController();
  const connect = (): void => {
    joined.abort();
    joined = new AbortController();
    const id = model.get("link") as string;
    if (id) join(store, linkOf(id), joined.signal);
  };
  connect();
  follow("link", connect);
  end.addEventListener("abort", () => joined.abort());
}

export default { render };
