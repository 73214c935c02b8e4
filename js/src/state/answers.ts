/** What the model said, by what it was asked: the latest few are kept, so that undo restores them at once. Pure. */
import { dequantize, type Numbers } from "../core/wire";
import type { Answer } from "../protocol";
import type { Change } from "./edits";

/** One question: a sequence with changes, under a target and a method. */
export interface Question {
  example: number;
  changes: Change[];
  target: string;
  method: string;
  /** Whether the curves of deletion and insertion are wanted too. */
  curves: boolean;
}

export interface Said {
  prediction: number | null;
  original: number | null;
  spread: number | null;
  /** (4, length), row by row; null while only the prediction is there, or where there are none. */
  scores: Float32Array | null;
  /** Standard error of the observed base. */
  errors: Float32Array | null;
  /** (strands, positions), row by row, of a view of profiles. */
  profile: Float32Array | null;
  references: number | null;
  /** Whether all of it is there. */
  whole: boolean;
  seconds: number;
  deletion: number[];
  insertion: number[];
}

const KEPT = 64;

export const keyOf = (q: Question): string => JSON.stringify([q.example, q.changes, q.target, q.method, q.curves]);

export class Answers {
  #said = new Map<string, Said>();

  get(question: Question): Said | null {
    return this.#said.get(keyOf(question)) ?? null;
  }

  /** Add a part of an answer to what is known already. */
  add(question: Question, answer: Answer, blocks: Map<string, Numbers>): void {
    const key = keyOf(question), before = this.#said.get(key);
    const read = (name: string): Float32Array | null => {
      const values = blocks.get(name) as Int16Array | undefined, scale = blocks.get(`${name}_scale`) as Float32Array | undefined;
      return values && scale ? dequantize(values, 0, values.length, scale[0]) : null;
    };
    this.#said.delete(key); // the newest is last
    this.#said.set(key, {
      prediction: answer.prediction, original: answer.original, spread: answer.spread,
      scores: read("scores") ?? before?.scores ?? null, errors: read("errors") ?? before?.errors ?? null,
      profile: read("profile"),
      references: answer.n_references, whole: answer.last, seconds: answer.seconds, deletion: answer.deletion, insertion: answer.insertion,
    });
    for (const old of [...this.#said.keys()].slice(0, -KEPT)) this.#said.delete(old);
  }
}
