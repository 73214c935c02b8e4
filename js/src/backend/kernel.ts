/** Answers from Python through the widget's messages. */
import type { Hello } from "../protocol";
import type { Backend } from "./backend";

export interface Channel {
  send(message: Hello): void;
  listen(handler: (message: unknown) => void, signal: AbortSignal): void;
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
}
