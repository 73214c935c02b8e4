/** The one seam between a view and whatever answers it: a live kernel, or what was stored. */
import type { Numbers } from "../core/wire";
import type { Answer, Ask, Prune } from "../protocol";

export interface Backend {
  /** Tells true once a kernel answers, false when none has for a while; a busy kernel may answer after that. */
  live(tell: (live: boolean) => void): void;
  /** Ask; parts of the answer come to `onAnswer`, whenever they are there. */
  ask(ask: Ask | Prune): void;
  onAnswer(tell: (answer: Answer, blocks: Map<string, Numbers>) => void): void;
}
