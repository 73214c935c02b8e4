/** LogoView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { KernelBackend } from "../backend/kernel";
import { bytesOf, readBlocks } from "../core/wire";
import { shared } from "../core/page";
import type { LogoMeta } from "../protocol";
import { type Change, Store } from "../state/store";
import { LogoViewer } from "../view/logo";
import type { Model, RenderProps } from "../core/host";

async function render({ model, el, signal }: RenderProps): Promise<() => void> {
  const own = new AbortController(), end = own.signal;
  signal?.addEventListener("abort", () => own.abort());
  const root = document.createElement("div");
  el.append(root);
  try {
    await mount(model, root, end);
  } catch (error) {
    root.className = "nbi-failed";
    root.textContent = `LogoView could not start: ${String(error)}`;
  }
  return () => own.abort();
}

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as LogoMeta;
  const blocks = await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks);
  const view = model.get("view") as number[], selection = model.get("selection") as number[];
  const store = new Store(meta, blocks, {
    example: model.get("example") as number,
    all: model.get("hypothetical") as boolean,
    view: { start: view[0], end: view[1] },
    selection: selection.length === 2 ? [selection[0], selection[1]] : null,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.subscribe((changed: Change) => {
    if (changed.view) model.set("view", [changed.view.start, changed.view.end]);
    if ("selection" in changed) model.set("selection", changed.selection ?? []);
    if (changed.example !== undefined) model.set("example", changed.example);
    if (changed.all !== undefined) model.set("hypothetical", changed.all);
    clearTimeout(timer);
    timer = setTimeout(() => model.save_changes(), 150); // Python sees where it came to rest
  });
  const follow = (name: string, apply: () => void): void => {
    model.on(`change:${name}`, apply);
    end.addEventListener("abort", () => model.off(`change:${name}`, apply));
  };
  follow("view", () => { const [start, stop] = model.get("view") as number[]; store.set({ view: { start, end: stop } }); });
  follow("example", () => store.set({ example: model.get("example") as number }));
  follow("hypothetical", () => store.set({ all: model.get("hypothetical") as boolean }));
  follow("selection", () => { const s = model.get("selection") as number[]; store.set({ selection: s.length === 2 ? [s[0], s[1]] : null }); });
  const channel = {
    send: (message: object) => model.send(message),
    listen: (handler: (message: unknown) => void, signal: AbortSignal) => {
      model.on("msg:custom", handler);
      signal.addEventListener("abort", () => model.off("msg:custom", handler));
    },
  };
  new LogoViewer(root, store, new KernelBackend(channel, end), end);
  const uid = model.get("uid") as string;
  shared().logos.set(uid, store);
  end.addEventListener("abort", () => { if (shared().logos.get(uid) === store) shared().logos.delete(uid); });
}

export default { render };
