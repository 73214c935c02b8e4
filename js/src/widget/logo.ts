/** LogoView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { type Channel, KernelBackend } from "../backend/kernel";
import { SnapshotBackend } from "../backend/snapshot";
import type { Model } from "../core/host";
import { follower, joinLink, messages, renderer } from "../core/mount";
import { shared } from "../core/page";
import { bytesOf, readBlocks } from "../core/wire";
import type { Answer, LogoMeta } from "../protocol";
import { type Layout, PLAIN } from "../state/arrange";
import type { History } from "../state/edits";
import { Store } from "../state/store";
import { LogoViewer } from "../view/logo";

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as LogoMeta;
  const blocks = await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks);
  const view = model.get("view") as number[], selection = model.get("selection") as number[];
  const store = new Store(meta, blocks, {
    example: model.get("example") as number,
    all: model.get("hypothetical") as boolean,
    view: { start: view[0], end: view[1] },
    selection: selection.length === 2 ? [selection[0], selection[1]] : null,
    layout: (model.get("rows") as Layout | null)?.order ? (model.get("rows") as Layout) : PLAIN,
    histories: model.get("edits") as Record<string, History>,
    target: (model.get("target") as string) || meta.first.target,
    method: (model.get("method") as string) || meta.first.method,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.subscribe((changed) => {
    if (changed.view) model.set("view", [changed.view.start, changed.view.end]);
    if ("selection" in changed) model.set("selection", changed.selection ?? []);
    if (changed.example !== undefined) model.set("example", changed.example);
    if (changed.all !== undefined) model.set("hypothetical", changed.all);
    if (changed.histories) model.set("edits", changed.histories);
    if (changed.target !== undefined) model.set("target", changed.target);
    if (changed.layout) model.set("rows", changed.layout);
    if (changed.method !== undefined) model.set("method", changed.method);
    clearTimeout(timer);
    timer = setTimeout(() => model.save_changes(), 150); // Python sees where it came to rest
  });
  const follow = follower(model, end);
  follow("view", () => { const [start, stop] = model.get("view") as number[]; store.set({ view: { start, end: stop } }); });
  follow("example", () => store.set({ example: model.get("example") as number }));
  follow("hypothetical", () => store.set({ all: model.get("hypothetical") as boolean }));
  follow("selection", () => { const s = model.get("selection") as number[]; store.set({ selection: s.length === 2 ? [s[0], s[1]] : null }); });
  follow("edits", () => store.set({ histories: model.get("edits") as Record<string, History> }));
  follow("target", () => store.set({ target: model.get("target") as string }));
  follow("method", () => store.set({ method: model.get("method") as string }));
  const viewer = new LogoViewer(root, store, end);
  const kernel = new KernelBackend(channelOf(model), end);
  kernel.live((live) => viewer.connect(live, live ? kernel : new SnapshotBackend(meta, blocks)));
  joinLink(model, store, end);
  const uid = model.get("uid") as string;
  shared().logos.set(uid, store);
  end.addEventListener("abort", () => { if (shared().logos.get(uid) === store) shared().logos.delete(uid); });
}

/** Messages of the model, and answers, which travel as traits so that a saved notebook keeps the last. */
function channelOf(model: Model): Channel {
  return {
    ...messages(model),
    answers: (handler, signal) => {
      let turn = Promise.resolve(); // parts are handed on in the order in which they came
      const heard = (): void => {
        const answer = JSON.parse(model.get("answer") as string) as Answer, data = bytesOf(model.get("answer_data") as DataView);
        turn = turn.then(async () => handler(answer, await readBlocks(data, answer.blocks)));
      };
      model.on("change:answer", heard);
      signal.addEventListener("abort", () => model.off("change:answer", heard));
    },
  };
}

export default { render: renderer("LogoView", mount) };
