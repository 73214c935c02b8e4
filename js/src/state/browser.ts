/** What a MotifBrowser shows: motifs read once, edits, and what is chosen. Pure of any host. */
import { clamp, max, min } from "../core/numbers";
import { news, Told } from "../core/told";
import type { Numbers } from "../core/wire";
import type { Matrix } from "../draw/motif";
import type { Block } from "../protocol";
import { alignedTo, type Edit, information, iupac, type Motif, replay, type Strand } from "./browserEdits";
import { act, type History, NOTHING, redo, undo } from "./edits";

/** What nbinterp/widget/browser.py writes. */
export interface BrowserMeta {
  blocks: Block[];
  names: string[];
  /** What each motif counts in a mean. */
  weights: number[];
  /** Sites behind each matrix, as its file says; 0 where unknown. */
  sites: number[];
  /** Instances of each motif; null where none were given. */
  counts: number[] | null;
  background: number[];
  matches: { names: string[]; score: string; drawn: boolean; most: number } | null;
  columns: { name: string; kind: "number" | "text" }[];
  cells: (string | number | null)[][];
  name: string;
  height: number;
}

/** A known motif beside one of ours: `start` is its first column, in ours. */
export interface Match {
  name: string;
  matrix: Matrix | null;
  start: number;
  strand: Strand;
  value: number;
}

export interface Instance {
  example: number;
  start: number;
  end: number;
}

export interface BrowserState {
  edits: History<Edit>;
  /** Numbers of the motifs chosen; the last one is shown large. */
  chosen: number[];
  /** All logos on the other strand. */
  reverse: boolean;
  units: "bits" | "contributions";
  /** Matches drawn under each motif. */
  lanes: number;
  /** Which instance of the motif that is shown large; -1 for none. */
  instance: number;
}

/** One to choose alone, one more (or less), all from the last chosen to it. */
export type How = "one" | "more" | "through";

export class BrowserStore {
  readonly state: BrowserState;
  readonly given: Motif[];
  #listeners = new Told<[Partial<BrowserState>]>();
  #anchor = -1;
  #matches = new Map<number, Match[]>();
  #replayed: { done: Edit[]; motifs: Motif[]; byNumber: Map<number, Motif> } | null = null;

  constructor(readonly meta: BrowserMeta, private blocks: Map<string, Numbers>, start: Partial<BrowserState>) {
    const { pwm, cwm, at } = Object.fromEntries(blocks);
    this.given = meta.names.map((name, number) => ({
      number, name, pwm: matrixOf(pwm, at, number), cwm: cwm ? matrixOf(cwm, at, number) : null, weight: meta.weights[number], tags: [], members: [number],
    }));
    const units = cwm ? "contributions" : "bits", lanes = meta.matches?.most ?? 0;
    this.state = { edits: NOTHING, chosen: [], reverse: false, units, lanes, instance: -1, ...start };
  }

  subscribe(listener: (changed: Partial<BrowserState>) => void, signal?: AbortSignal): void {
    this.#listeners.add(listener, signal);
  }

  /** Change the state; only what differs is told. What no longer is, is no longer chosen. */
  set(change: Partial<BrowserState>): void {
    const wanted = { ...change }, before = this.large;
    if (wanted.edits) {
      const { byNumber } = this.#replay(wanted.edits.done);
      wanted.chosen = (wanted.chosen ?? this.state.chosen).filter((one) => byNumber.has(one));
    }
    if (wanted.chosen && wanted.chosen.at(-1) !== before?.number) wanted.instance ??= -1;
    const real = news(this.state, wanted);
    if (!real) return;
    Object.assign(this.state, real);
    this.#listeners.tell(real);
  }

  // --- motifs -------------------------------------------------------------------------------------------------------

  #replay(done: Edit[]): { motifs: Motif[]; byNumber: Map<number, Motif> } {
    if (this.#replayed?.done !== done) {
      const motifs = replay(this.given, done, this.meta.background);
      this.#replayed = { done, motifs, byNumber: new Map(motifs.map((one) => [one.number, one])) };
    }
    return this.#replayed;
  }

  /** The motifs as they are now, in order. */
  get now(): Motif[] {
    return this.#replay(this.state.edits.done).motifs;
  }

  motif(number: number): Motif | undefined {
    return this.#replay(this.state.edits.done).byNumber.get(number);
  }

  /** The motifs that are chosen, in order of the set. */
  get chosen(): Motif[] {
    const chosen = new Set(this.state.chosen);
    return this.now.filter((one) => chosen.has(one.number));
  }

  /** The motif that is shown large. */
  get large(): Motif | undefined {
    return this.motif(this.state.chosen.at(-1) ?? -1);
  }

  /** Matches of a motif that was given, best first; a merged one was not compared. */
  matches({ members }: Motif): Match[] {
    const [i] = members;
    if (members.length > 1) return [];
    if (!this.#matches.has(i)) this.#matches.set(i, this.#read(i));
    return this.#matches.get(i)!;
  }

  #read(i: number): Match[] {
    const { matches } = this.meta;
    if (!matches) return [];
    const { match_at: at, match_target, match_offset, match_minus, match_value, target, target_at } = Object.fromEntries(this.blocks);
    return Array.from({ length: at[i + 1] - at[i] }, (_, k) => {
      const m = at[i] + k, t = match_target[m];
      return { name: matches.names[t], matrix: target ? matrixOf(target, target_at, t) : null, start: -match_offset[m] || 0, strand: match_minus[m] ? "-" : "+", value: Number(match_value[m].toPrecision(6)) };
    });
  }

  count({ members }: Motif): number | null {
    const { counts } = this.meta;
    return counts && members.reduce((sum, one) => sum + counts[one], 0);
  }

  sites = ({ members }: Motif): number => members.reduce((sum, one) => sum + this.meta.sites[one], 0);

  /** Instances that can be stepped through: those that travelled. */
  instances({ members }: Motif): Instance[] {
    const at = this.blocks.get("instance_at"), all = this.blocks.get("instance");
    if (!at || !all) return [];
    return members.flatMap((one) => Array.from({ length: at[one + 1] - at[one] }, (_, k) => {
      const i = 3 * (at[one] + k);
      return { example: all[i], start: all[i + 1], end: all[i + 2] };
    }));
  }

  get instance(): Instance | undefined {
    return this.large && this.instances(this.large)[this.state.instance];
  }

  /** The next instance of the motif that is shown large, or one before. */
  step(by: number): void {
    const n = this.large ? this.instances(this.large).length : 0, { instance } = this.state;
    if (n) this.set({ instance: instance < 0 ? (by > 0 ? 0 : n - 1) : (instance + by + n) % n });
  }

  bits = (motif: Motif): number => Number(information(motif.pwm, this.meta.background).toFixed(6));
  consensus = (motif: Motif): string => iupac(motif.pwm);

  // --- choosing -----------------------------------------------------------------------------------------------------

  /** A span reaches from what was last chosen by itself. */
  choose(number: number, how: How, listed: number[]): void {
    const { chosen } = this.state, others = chosen.filter((one) => one !== number), from = listed.indexOf(this.#anchor);
    if (how !== "through" || from < 0) this.#anchor = number;
    if (how === "more") return this.set({ chosen: others.length < chosen.length ? others : [...others, number] });
    if (how === "one" || from < 0) return this.set({ chosen: [number] });
    const to = listed.indexOf(number), span = listed.slice(min(from, to), max(from, to) + 1);
    this.set({ chosen: [...span.filter((one) => one !== number), number] });
  }

  /** The motif of one of these names: now, or at first, or whose best match bears it. */
  find(names: string[]): Motif | undefined {
    const { now } = this, first = (of: (one: Motif, name: string) => boolean) => names.flatMap((name) => now.find((one) => of(one, name)) ?? [])[0];
    return first((one, name) => one.name === name) ?? first((one, name) => this.#names(one).includes(name)) ?? first((one, name) => this.matches(one)[0]?.name === name);
  }

  #names = ({ members }: Motif): string[] => members.map((i) => this.meta.names[i]);

  /** The name that instances of a motif bear elsewhere: its first one. */
  firstName(motif: Motif): string {
    return this.#names(motif)[0];
  }

  /** What instances of a motif may be called where they were not called by it: as those it was merged from, or by best matches. */
  otherNames(motif: Motif): string[] {
    const best = motif.members.flatMap((i) => this.matches(this.given[i])[0]?.name ?? []);
    return [...new Set([...this.#names(motif).slice(1), motif.name, ...best])].filter((name) => name !== this.firstName(motif));
  }

  // --- edits --------------------------------------------------------------------------------------------------------

  act(edit: Edit, chosen = this.state.chosen): void {
    this.set({ edits: act(this.state.edits, edit), chosen });
  }
  undo(): void {
    this.set({ edits: undo(this.state.edits) });
  }
  redo(): void {
    this.set({ edits: redo(this.state.edits) });
  }
  reset(): void {
    this.set({ edits: NOTHING });
  }

  /** Give a motif another name; in words why not. */
  rename(number: number, typed: string): string {
    const name = typed.trim().replace(/\s+/g, " "), motif = this.motif(number)!;
    if (name === motif.name) return "";
    if (!name) return "a motif needs a name; type one";
    if (this.now.some((one) => one.name === name)) return `“${name}” is another motif’s name; choose one that is free`;
    this.act(["rename", number, name]);
    return "";
  }

  /** Put a tag on all that are chosen. */
  tag(typed: string): void {
    const tag = typed.trim().replace(/[,\s]+/g, " "), numbers = this.chosen.filter((one) => !one.tags.includes(tag)).map((one) => one.number);
    if (tag && numbers.length) this.act(["tag", numbers, tag]);
  }

  untag(motif: Motif, tag: string): void {
    this.act(["untag", [motif.number], tag]);
  }

  /** All tags that are in use. */
  get tags(): string[] {
    return [...new Set(this.now.flatMap((one) => one.tags))].sort();
  }

  /** Put the chosen motifs together, and choose what came of it. */
  merge(): void {
    const { chosen, given, state: { edits } } = this;
    if (chosen.length < 2) return;
    const number = given.length + edits.done.filter(([kind]) => kind === "merge").length;
    const [first, ...rest] = chosen.map((one) => one.name), plain = rest.length > 2 ? `${first}+${rest.length}` : [first, ...rest].join("+");
    const names = new Set(this.now.map((one) => one.name));
    let name = plain;
    for (let k = 2; names.has(name); k++) name = `${plain} (${k})`;
    this.act(["merge", alignedTo(chosen), name], [number]);
  }

  /** Kept between 0 and what there is. */
  show(lanes: number): void {
    this.set({ lanes: clamp(lanes, 0, this.meta.matches?.most ?? 0) });
  }
}

/** A matrix (4, w) out of columns that lie end to end. */
function matrixOf(columns: Numbers, at: Numbers, i: number): Matrix {
  const start = at[i], width = at[i + 1] - start, values = new Float32Array(4 * width);
  for (let k = 0; k < 4 * width; k++) values[(k & 3) * width + (k >> 2)] = columns[4 * start + k];
  return { values, width };
}
