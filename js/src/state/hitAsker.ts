/** Asks for the hits that are shown and not known; the newest request wins. */
import { atEnd } from "../core/events";
import { floor } from "../core/numbers";
import type { Numbers } from "../core/wire";
import type { Block } from "../protocol";
import type { HitStore } from "./hit";

export interface HitAsk {
  kind: "hits";
  number: number;
  /** Of the settings: comes back with the answer. */
  key: string;
  /** Null for all regions. */
  example: number | null;
  lambda: number;
  off: number[];
}
/** Part of an answer; `blocks` describe the columns that came with it. */
export interface HitAnswer {
  kind: "hits";
  number: number;
  key: string;
  last: boolean;
  seconds: number;
  words: string;
  blocks: Block[];
}

const PATIENCE = 150; // ms until what is drawn counts as old

export class HitAsker {
  #number = floor(Math.random() * 2 ** 30); // two views of one model tell their answers apart
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private store: HitStore, private send: (ask: HitAsk) => void, signal: AbortSignal) {
    store.subscribe((changed) => {
      if (!["lambda", "off", "example"].some((name) => name in changed)) return;
      store.set({ failed: "" });
      this.look();
    }, signal);
    atEnd(signal, () => clearTimeout(this.#timer));
  }

  /** Ask for the region that is shown. */
  look(): void {
    const { store } = this;
    if (!store.state.live || store.whole) {
      this.#number++; // what is under way is stale
      clearTimeout(this.#timer);
      return store.set({ asking: false, stale: false });
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => store.set({ stale: true }), PATIENCE);
    this.#ask(store.state.example);
  }

  /** Ask for all regions. */
  all(): void {
    this.#ask(null);
  }

  #ask(example: number | null): void {
    const { store } = this, { key, off, state: { lambda } } = store;
    store.set({ asking: true, failed: "" });
    this.send({ kind: "hits", number: ++this.#number, key, example, lambda, off });
  }

  hear(answer: HitAnswer, blocks: Map<string, Numbers>): void {
    const { store } = this;
    store.known.add(answer.key, blocks); // a fact, whoever asked for it
    if (answer.number === this.#number) {
      clearTimeout(this.#timer);
      store.set({ stale: false, seconds: answer.seconds, failed: answer.words, ...(answer.last ? { asking: false } : {}) });
    }
    store.heard();
  }
}
