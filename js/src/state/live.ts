/** Keeps what the model said in step with what is shown: asks when something new is shown, and drops what is stale. */
import type { Backend } from "../backend/backend";
import { floor } from "../core/numbers";
import type { Answers, Question } from "./answers";

/** What a person sees of the asking. */
export interface Asking {
  /** Whether an answer is under way. */
  asking: boolean;
  /** Parts of answers heard so far: what is drawn depends on it. */
  heard: number;
  /** What went wrong last, in its own words. */
  failed: string;
}

export const QUIET: Asking = { asking: false, heard: 0, failed: "" };

/** A store that shows what a model said. */
export interface Asker {
  readonly answers: Answers;
  readonly state: Asking;
  /** What is shown, as a question to the model. */
  readonly question: Question;
  /** The first question whose answer is shown and not known. */
  readonly wanted: Question | undefined;
  set(change: Partial<Asking>): void;
  subscribe(listener: (changed: object) => void): void;
}

const SHOWN = ["histories", "edits", "example", "target", "method", "compare"]; // what a question depends on

export class Live {
  #number = floor(Math.random() * 2 ** 30); // two views of one model tell their answers apart
  #asked: Question | null = null;
  #ended = false;

  constructor(private store: Asker, private backend: Backend) {
    backend.onAnswer((answer, blocks) => {
      if (this.#ended || answer.number !== this.#number || !this.#asked) return; // an older request's, or another view's of this model
      const question = this.#asked;
      if (answer.stage === "error") {
        this.#asked = null;
        return store.set({ failed: answer.words, asking: false });
      }
      store.answers.add(question, answer, blocks);
      if (answer.last) this.#asked = null;
      store.set({ heard: store.state.heard + 1, failed: "", asking: !answer.last });
      if (answer.last) this.look();
    });
    store.subscribe((changed) => {
      if (!SHOWN.some((key) => key in changed)) return;
      store.set({ failed: "" });
      this.look();
    });
  }

  /** Another takes over. */
  end(): void {
    this.#ended = true;
  }

  /** Have a span pruned; the edit that comes back is asked about like any other. */
  prune(start: number, end: number): void {
    const { question } = this.store;
    this.#asked = question;
    this.store.set({ asking: true, failed: "" });
    this.backend.ask({ kind: "prune", number: ++this.#number, ...question, start, end });
  }

  /** Ask for what is shown and not known. */
  look(): void {
    if (this.#ended) return;
    const { store } = this, { wanted } = store;
    if (!wanted) {
      this.#number++; // what is under way is stale
      this.#asked = null;
      return store.set({ asking: false });
    }
    this.#asked = wanted;
    store.set({ asking: true });
    this.backend.ask({ kind: "ask", number: ++this.#number, ...wanted });
  }
}
