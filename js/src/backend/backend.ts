/** The one seam between a view and whatever answers it: a live kernel, or what was stored. */
import type { Numbers } from "../core/wire";
import type { Answer, Ask } from "../protocol";

export interface Backend {
  /** Resolves to true when a kernel answers, to false when there is none. */
  live(): Promise<boolean>;
  /** Ask; parts of the answer come to `onAnswer`, whenever they are there. */
  ask(ask: Ask): void;
  onAnswer(tell: (answer: Answer, blocks: Map<string, Numbers>) => void): void;
}
