/** Answers from Python through the widget's messages. */
import type { Numbers } from "../core/wire";
import type { Answer, Ask, Hello, Prune } from "../protocol";
import type { Backend } from "./backend";

export interface Channel {
  /** Whether the host says that no kernel will ever answer. */
  offline: boolean;
  send(message: Hello | Ask | Prune): void;
  listen(handler: (message: unknown) => void, signal: AbortSignal): void;
  /** Parts of answers, with their blocks read; a view that asks nothing has none. */
  answers?(handler: (answer: Answer, blocks: Map<string, Numbers>) => void, signal: AbortSignal): void;
}

export class KernelBackend implements Backend {
  constructor(private channel: Channel, private signal: AbortSignal, private patience = 5000) {}

  live(tell: (live: boolean) => void): void {
    if (this.channel.offline) return tell(false);
    const timer = setTimeout(() => tell(false), this.patience);
    let said = false;
    this.channel.listen((message) => {
      if (said || (message as Partial<Hello> | null)?.kind !== "hello") return;
      said = true;
      clearTimeout(timer);
      tell(true);
    }, this.signal);
    this.channel.send({ kind: "hello" });
  }

  ask(ask: Ask | Prune): void {
    this.channel.send(ask);
  }

  onAnswer(tell: (answer: Answer, blocks: Map<string, Numbers>) => void): void {
    this.channel.answers?.(tell, this.signal);
  }
}
