/** Answers from what the page holds, where no kernel is: single substitutions, from the table of all of them. */
import type { Numbers } from "../core/wire";
import type { Answer, Ask, LogoMeta, Prune } from "../protocol";
import type { Backend } from "./backend";

export class SnapshotBackend implements Backend {
  #tell: (answer: Answer, blocks: Map<string, Numbers>) => void = () => undefined;

  constructor(private meta: LogoMeta, private blocks: Map<string, Numbers>) {}

  live(tell: (live: boolean) => void): void {
    tell(false);
  }

  onAnswer(tell: (answer: Answer, blocks: Map<string, Numbers>) => void): void {
    this.#tell = tell;
  }

  ask(ask: Ask | Prune): void {
    const { meta } = this, original = meta.predictions?.[ask.example] ?? null;
    const answer: Answer = {
      kind: "answer", number: ask.number, example: ask.example, stage: "prediction", last: true, prediction: original,
      original, spread: null, n_references: null, seconds: 0, words: "", deletion: [], insertion: [], blocks: [],
    };
    if (ask.kind === "prune") return this.#tell({ ...answer, stage: "error", words: "no kernel: pruning needs the notebook" }, new Map());
    const [change, ...more] = ask.changes;
    if (change) {
      const [start, end, bases] = change, base = "ACGT".indexOf(bases);
      if (!meta.table || original === null || more.length || end !== start + 1 || bases.length !== 1 || base < 0) {
        const words = meta.table
          ? "no kernel: single substitutions are stored, anything more needs the notebook"
          : "no kernel: edits need the notebook";
        return this.#tell({ ...answer, stage: "error", words }, new Map());
      }
      const table = this.blocks.get("table") as Int16Array, scale = this.blocks.get("table_scale") as Float32Array;
      answer.prediction = original + table[(ask.example * 4 + base) * meta.length + start] * scale[ask.example];
    }
    this.#tell(answer, new Map());
  }
}
