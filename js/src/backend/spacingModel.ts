/** The store of a SpacingView or InteractionView in the traits of its model, with what asks and hears. */
import { KernelBackend } from "./kernel";
import type { Model } from "../core/host";
import { answers, joinLink, messages } from "../core/mount";
import { bindTraits, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import { type SpacingMeta, type SpacingState, SpacingStore } from "../state/spacing";
import { type SpacingAnswer, SpacingAsker } from "../state/spacingAsker";

const TRAITS: Trait[] = [
  ...["example", "value", "readings", "arrangement", "order", "distance", "hidden", "helix"].map((name) => ({ name })),
  { name: "selection", read: (span: number[]) => (span.length === 2 ? span : null), write: (span: number[] | null) => span ?? [] },
];

export async function storeOf(model: Model, more: Trait[], end: AbortSignal): Promise<SpacingStore> {
  const meta = JSON.parse(model.get("meta") as string) as SpacingMeta, traits = [...TRAITS, ...more];
  const store = new SpacingStore(meta, await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks), stateOf<SpacingState>(model, traits));
  bindTraits(model, store, traits, end);
  const last = JSON.parse(model.get("answer") as string) as Partial<SpacingAnswer>; // what a saved notebook was told last
  const scores = last.key ? (await readBlocks(bytesOf(model.get("answer_data") as DataView), last.blocks!)).get("attributions") : undefined;
  if (scores) store.told.set(last.key!, scores as Float32Array);
  return store;
}

/** Find out whether a model answers, and ask it from then on. */
export function connect(model: Model, store: SpacingStore, viewer: { connect(live: boolean): void; again?: () => void }, end: AbortSignal): void {
  const asker = new SpacingAsker(store, (ask) => model.send(ask), end);
  viewer.again = () => asker.look();
  answers(model)((answer, parts) => asker.hear(answer as unknown as SpacingAnswer, parts), end);
  new KernelBackend(messages(model), end).live((live) => {
    viewer.connect(live && store.meta.live);
    asker.look();
  });
  joinLink(model, store, end);
}
