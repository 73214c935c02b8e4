/** A variant as linked views see it: positions of the reference in the place of columns, and the alternative as its edits. */
import { ceil, floor } from "../core/numbers";
import type { Joinable } from "../core/join";
import type { Change } from "./edits";
import type { VariantStore } from "./variant";
import { toColumn, toPosition } from "./variantColumns";

type State = Joinable["state"];

export class Along implements Joinable {
  constructor(private store: VariantStore) {}

  get meta(): Joinable["meta"] {
    return this.store.meta;
  }
  get original(): Joinable["original"] {
    return this.store.original;
  }
  get state(): State {
    const { state: { example, view, hover, selection }, original: { columns } } = this.store, at = (column: number): number => toPosition(columns, column);
    return {
      example, view: { start: at(view.start), end: at(view.end) }, hover: hover === null ? null : floor(at(hover)),
      selection: selection && [floor(at(selection[0])), ceil(at(selection[1]))],
    };
  }
  /** Views in which a model follows edits show the alternative. */
  get edits(): Record<string, Change[]> {
    const { example } = this.store.state;
    return { [example]: this.store.meta.changes[example] };
  }

  set onGutter(told: ((wanted: number) => void) | undefined) {
    this.store.onGutter = told;
  }
  get onGutter(): ((wanted: number) => void) | undefined {
    return this.store.onGutter;
  }

  set(change: Parameters<Joinable["set"]>[0]): void {
    if (change.example !== undefined) this.store.set({ example: change.example }); // its columns are those that follow
    const { columns } = this.store.original, at = (position: number): number => toColumn(columns, position), { view, hover, selection, gutter } = change;
    this.store.set({
      ...(view && { view: { start: at(view.start), end: at(view.end) } }),
      ...(hover !== undefined && { hover: hover === null ? null : at(hover) }),
      ...(selection !== undefined && { selection: selection && ([at(selection[0]), at(selection[1])] as [number, number]) }),
      ...(gutter !== undefined && { gutter }),
    });
  }

  subscribe(listener: (changed: object) => void, signal: AbortSignal): void {
    // another variant is another edit
    this.store.subscribe((changed) => listener("example" in changed ? { ...changed, histories: true } : changed), signal);
  }
}
