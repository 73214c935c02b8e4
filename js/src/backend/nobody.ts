/** Where no kernel is: every question has the same answer, unless more is stored. */
import type { Numbers } from "../core/wire";
import type { Answer, Ask, Prune } from "../protocol";
import type { Backend } from "./backend";

export class Nobody implements Backend {
  #tell: (answer: Answer, blocks: Map<string, Numbers>) => void = () => undefined;

  constructor(private words: string) {}

  live(tell: (live: boolean) => void): void {
    tell(false);
  }

  onAnswer(tell: (answer: Answer, blocks: Map<string, Numbers>) => void): void {
    this.#tell = tell;
  }

  ask(ask: Ask | Prune): void {
    this.refuse(ask, this.words);
  }

  protected refuse(ask: Ask | Prune, words: string): void {
    this.answer(ask, { stage: "error", words });
  }

  protected answer({ number, example }: Ask | Prune, more: Partial<Answer>): void {
    const nothing = { prediction: null, original: null, spread: null, n_references: null, seconds: 0, words: "", deletion: [], insertion: [], blocks: [] };
    this.#tell({ kind: "answer", number, example, stage: "prediction", last: true, ...nothing, ...more }, new Map());
  }
}
