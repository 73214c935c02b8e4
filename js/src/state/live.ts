/** Keeps what the model said in step with what is shown: asks when something new is shown, and drops what is stale. */
import type { Backend } from "../backend/backend";
import type { Question } from "./answers";
import type { Store } from "./store";

export class Live {
  #number = Math.floor(Math.random() * 2 ** 30); // two views of one model tell their answers apart
  #asked: Question | null = null;
  #ended = false;

  constructor(private store: Store, private backend: Backend) {
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
      if ("histories" in changed || "example" in changed || "target" in changed || "method" in changed || "compare" in changed) {
        store.set({ failed: "" });
        this.look();
      }
    });
  }

  /** Another takes over. */
  end(): void {
    this.#ended = true;
  }

  /** Have a span pruned; the edit that comes back is asked about like any other. */
  prune(start: number, end: number): void {
    const { store } = this;
    this.#asked = store.question;
    store.set({ asking: true, failed: "" });
    this.backend.ask({ kind: "prune", number: ++this.#number, ...store.question, start, end });
  }

  /** Ask for what is shown and not known: the original under this target and method first, since changes are told from it. */
  look(): void {
    const { store } = this;
    if (this.#ended) return;
    const { question, state: { compare } } = store;
    const compared = compare.map((method) => ({ ...question, method, curves: true }));
    const wanted = [{ ...question, changes: [] }, question, ...compared].find((q) => !store.knows(q));
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
