/** What the widgets do with their host alike: fail visibly, follow traits, join links. */
import { atEnd } from "./events";
import type { Answer } from "../protocol";
import type { Model, RenderProps } from "./host";
import { join, type Joinable } from "./join";
import { linkOf } from "./page";
import { bytesOf, type Numbers, readBlocks } from "./wire";

type Mount = (model: Model, root: HTMLElement, end: AbortSignal) => Promise<void>;

/** An anywidget's `render` of a view that mounts itself. */
export function renderer(name: string, mount: Mount): (props: RenderProps) => Promise<() => void> {
  return async ({ model, el, signal }) => {
    const own = new AbortController(), end = own.signal;
    atEnd(signal, () => own.abort());
    const root = document.createElement("div");
    el.append(root);
    try {
      await mount(model, root, end);
    } catch (error) {
      root.className = "nbi-failed";
      root.textContent = `${name} could not start: ${String(error)}`;
    }
    return () => own.abort();
  };
}

/** Do something at each change of a trait. */
export function follower(model: Model, end: AbortSignal): (name: string, apply: () => void) => void {
  return (name, apply) => {
    model.on(`change:${name}`, apply);
    atEnd(end, () => model.off(`change:${name}`, apply));
  };
}

/** Messages of the model. */
export const messages = (model: Model) => ({
  offline: model.offline ?? false,
  send: (message: object): void => model.send(message),
  listen: (handler: (message: unknown) => void, signal: AbortSignal): void => {
    model.on("msg:custom", handler);
    atEnd(signal, () => model.off("msg:custom", handler));
  },
});

/** Answers, which travel as traits, so that a saved notebook keeps the last; handed on in the order in which they came. */
export const answers = (model: Model) => (handler: (answer: Answer, blocks: Map<string, Numbers>) => void, signal: AbortSignal): void => {
  let turn = Promise.resolve();
  follower(model, signal)("answer", () => {
    const answer = JSON.parse(model.get("answer") as string) as Answer, data = bytesOf(model.get("answer_data") as DataView);
    turn = turn.then(async () => handler(answer, await readBlocks(data, answer.blocks)));
  });
};

/** Follow and lead the views of the link that the trait names, whatever it comes to be. */
export function joinLink(model: Model, store: Joinable, end: AbortSignal): void {
  let joined = new AbortController();
  const connect = (): void => {
    joined.abort();
    joined = new AbortController();
    const id = model.get("link") as string;
    if (id) join(store, linkOf(id), joined.signal);
  };
  connect();
  follower(model, end)("link", connect);
  atEnd(end, () => joined.abort());
}
