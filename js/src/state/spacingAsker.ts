/** Asks for the attributions of the pair that is shown, where a model answers; the newest request wins. */
import type { Numbers } from "../core/wire";
import type { Answer } from "../protocol";
import type { SpacingStore } from "./spacing";

export interface SpacingAsk {
  kind: "spacing";
  number: number;
  /** Of the construct: comes back with the answer. */
  key: string;
  pair: number;
  arrangement: string;
  order: string;
  distance: number;
  background: number;
}
export type SpacingAnswer = Omit<Answer, "kind"> & { kind: "spacing"; key: string };

const SHOWN = ["pair", "arrangement", "order", "distance", "example"];

export class SpacingAsker {
  #number = Math.floor(Math.random() * 2 ** 30); // two views of one model tell their answers apart

  constructor(private store: SpacingStore, private send: (ask: SpacingAsk) => void, signal: AbortSignal) {
    store.subscribe((changed) => {
      if (!SHOWN.some((key) => key in changed)) return;
      store.set({ failed: "" });
      this.look();
    }, signal);
  }

  look(): void {
    const { store } = this, { live, pair, arrangement, order, distance, example: background } = store.state;
    this.#number++; // what is under way is stale
    if (!live || !store.meta.backgrounds || store.attributions) return store.set({ asking: false });
    store.set({ asking: true, failed: "" });
    this.send({ kind: "spacing", number: this.#number, key: store.key, pair, arrangement, order, distance, background });
  }

  hear(answer: SpacingAnswer, blocks: Map<string, Numbers>): void {
    const { store } = this, scores = blocks.get("attributions");
    if (scores) store.told.set(answer.key, scores as Float32Array); // a fact, whoever asked for it
    if (answer.number === this.#number) store.set({ failed: answer.words, asking: false });
    store.set({ heard: store.state.heard + 1 });
  }
}
