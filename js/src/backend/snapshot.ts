/** Answers from what the page holds, where no kernel is: single substitutions, from the table of all of them. */
import type { Numbers } from "../core/wire";
import type { Ask, LogoMeta, Prune } from "../protocol";
import { Nobody } from "./nobody";

export class SnapshotBackend extends Nobody {
  constructor(private meta: LogoMeta, private blocks: Map<string, Numbers>) {
    super("no kernel: edits need the notebook");
  }

  override ask(ask: Ask | Prune): void {
    const { meta, blocks } = this, { example } = ask, original = meta.predictions?.[example] ?? null, [change, ...more] = ask.changes;
    if (ask.kind === "prune") return this.refuse(ask, "no kernel: pruning needs the notebook");
    if (!change) return this.answer(ask, { prediction: original, original });
    if (!meta.table) return super.ask(ask);
    const [start, end, bases] = change, base = "ACGT".indexOf(bases);
    if (original === null || more.length || end !== start + 1 || bases.length !== 1 || base < 0)
      return this.refuse(ask, "no kernel: single substitutions are stored, anything more needs the notebook");
    const table = blocks.get("table") as Int16Array, scale = blocks.get("table_scale") as Float32Array;
    this.answer(ask, { prediction: original + table[(example * 4 + base) * meta.length + start] * scale[example], original });
  }
}
