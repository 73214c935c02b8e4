/** The state of a view in the traits of its model: read once, followed, and written when the view comes to rest. */
import type { View } from "../draw/scale";
import type { Model } from "./host";
import { follower } from "./mount";

/** One trait: its name, the part of the state, and how one becomes the other. */
export interface Trait {
  name: string;
  /** Of the state; the trait's own name when it has no other. */
  key?: string;
  read?(value: any): unknown;
  write?(value: any): unknown;
}

/** What any view along a sequence keeps in traits. */
export const PLACE: Trait[] = [
  { name: "example" },
  { name: "view", read: ([start, end]: number[]): View => ({ start, end }), write: ({ start, end }: View) => [start, end] },
  { name: "selection", read: (span: number[]) => (span.length === 2 ? span : null), write: (span: number[] | null) => span ?? [] },
];

/** What stands out of its annotations: a name, and a span. */
export const MARKED: Trait[] = [
  { name: "motif", key: "chosen" },
  { name: "item" },
];

const REST = 150; // ms after which Python sees where a view is

export function stateOf<S>(model: Model, traits: Trait[]): Partial<S> {
  return Object.fromEntries(traits.map(({ name, key = name, read = (v) => v }) => [key, read(model.get(name))])) as Partial<S>;
}

interface Kept<S> {
  set(change: Partial<S>): void;
  subscribe(listener: (changed: Partial<S>) => void, signal: AbortSignal): void;
}

export function bindTraits<S>(model: Model, store: Kept<S>, traits: Trait[], end: AbortSignal): void {
  const follow = follower(model, end);
  for (const trait of traits) follow(trait.name, () => store.set(stateOf(model, [trait])));
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.subscribe((changed) => {
    for (const { name, key = name, write = (v: unknown) => v } of traits) if (key in changed) model.set(name, write(changed[key as keyof S]));
    clearTimeout(timer);
    timer = setTimeout(() => model.save_changes(), REST);
  }, end);
}
