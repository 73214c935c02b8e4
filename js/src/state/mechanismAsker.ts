/** Asks a kernel for the exact sums of the selections that are shown, and for what the model says of new sequences. */
import { floor } from "../core/numbers";
import type { Numbers } from "../core/wire";
import type { Block } from "../protocol";
import type { Named, SpaceStore } from "./space";
import type { Bits } from "./spaceBits";

export interface MechanismAnswer {
  what: "sums" | "colour" | "variant" | "resample";
  number: number;
  key: string;
  seconds: number;
  /** Of an error. */
  words: string;
  blocks: Block[];
}
export type Ask = { what: "colour"; colour: string } | { what: "variant"; source: number; changes: [number, number][] } | { what: "resample"; count: number; rate: number; seed: number };

/** The same for the same bits. */
function hash(bits: Bits): number {
  let h = 2166136261;
  for (const byte of bits) h = Math.imul(h ^ byte, 16777619);
  return h >>> 0;
}

export class MechanismAsker {
  live = false;
  #number = floor(Math.random() * 2 ** 30); // two views of one model tell their answers apart
  /** What is under way, by kind. */
  #open = new Map<string, { number: number; key: string }>();

  constructor(private store: SpaceStore, private send: (message: object, bits?: Bits) => void, private told: (answer: MechanismAnswer | null, blocks: Map<string, Numbers>) => void, signal: AbortSignal) {
    store.subscribe((changed) => { if ("selections" in changed || "selected" in changed || "against" in changed) this.look(); }, signal);
  }

  /** Ask for the sums of a selection that is shown and not known exactly. */
  look(): void {
    const { state: { selections, selected, against } } = this.store, one = selections.find(({ name, exact }) => !exact && (name === selected || against === `s${name}`));
    if (!one || !this.live) this.#open.delete("sums");
    else if (this.#open.get("sums")?.key !== this.#key(one)) this.#ask("sums", this.#key(one), {}, this.store.bitmap(one.name));
  }
  #key({ name }: Named): string {
    return `${hash(this.store.bitmap(name)!)} ${name}`;
  }

  ask({ what, ...more }: Ask, key: string, bits?: Bits): void {
    this.#ask(what, key, more, bits);
  }
  #ask(what: string, key: string, more: object, bits?: Bits): void {
    this.#open.set(what, { number: ++this.#number, key });
    this.send({ kind: "mechanism", what, number: this.#number, key, ...more }, bits);
    this.told(null, new Map());
  }
  /** Whether an answer is waited for. */
  get asking(): boolean {
    return this.#open.size > 0;
  }

  /** Sums are a fact, whoever asked for them; other answers are to those who asked. */
  hear(answer: MechanismAnswer, blocks: Map<string, Numbers>): void {
    const { store } = this, mine = this.#open.get(answer.what)?.number === answer.number;
    if (mine) this.#open.delete(answer.what);
    if (answer.what === "sums" && !answer.words)
      for (const one of store.state.selections) if (!one.exact && this.#key(one) === answer.key) store.know(one.name, one.version, blocks);
    if (mine || (answer.what === "sums" && !answer.words)) this.told(answer, blocks);
    if (mine && answer.what === "sums" && !answer.words) this.look();
  }
}
