/** The part of anywidget's model that the widgets use; hosts differ in the rest. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(message: object, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(name: string, handler: (...args: any[]) => void): void;
  /** Set by the host of offline reports. */
  offline?: boolean;
  off(name: string, handler: (...args: any[]) => void): void;
}

export interface RenderProps {
  model: Model;
  el: HTMLElement;
  /** Absent in older hosts. */
  signal?: AbortSignal;
}
