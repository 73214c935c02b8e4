/** Answers from Python through the widget's messages. */
import type { Numbers } from "../core/wire";
import type { Answer, Ask, Hello } from "../protocol";
import type { Backend } from "./backend";

export interface Channel {
  send(message: Hello | Ask): void;
  listen(handler: (message: unknown) => void, signal: AbortSignal): void;
  /** Parts of answers, with their blocks read; a view that asks nothing has none. */
  answers?(handler: (answer: Answer, blocks: Map<string, Numbers>) => void, signal: AbortSignal): void;
}

export class KernelBackend implements Backend {
  constructor(private channel: Channel, private signal: AbortSignal, private patience = 5000) {}

  live(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.patience);
      this.channel.listen((message) => {
        if ((message as Partial<Hello> | null)?.kind !== "hello") return;
        clearTimeout(timer);
        resolve(true);
      }, this.signal);
      this.channel.send({ kind: "hello" });
    });
  }

  ask(ask: Ask): void {
    this.channel.send(ask);
  }

  onAnswer(tell: (answer: Answer, blocks: Map<string, Numbers>) => void): void {
    this.channel.answers?.(tell, this.signal);
  }
}
