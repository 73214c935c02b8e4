/** Answers from what the page holds; there is no kernel. */
import type { Backend } from "./backend";

export class SnapshotBackend implements Backend {
  live(): Promise<boolean> {
    return Promise.resolve(false);
  }
}
