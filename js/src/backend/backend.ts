/** The one seam between a view and whatever answers it: a live kernel, or what was stored. */
export interface Backend {
  /** Resolves to true when a kernel answers, to false when there is none. */
  live(): Promise<boolean>;
}
