/** What a person does to the sequence: letters, brushes, pasted motifs, and the buttons for them. */
import { on } from "../core/events";
import type { Store } from "../state/store";
import { act, type Change, redo, shuffled, spell, undo } from "../state/edits";
import { whole } from "../draw/scale";
import { button, el } from "./dom";
import { Popover } from "./popover";

const BASES = "ACGT";

/** Where the editor finds out about the picture. */
export interface Stage {
  /** Left edge and width of a position, in pixels of the root. */
  column(position: number): { x: number; width: number };
  top: number;
  colors(): string[];
  tell(words: string): void;
  prune(start: number, end: number): void;
}

export class Editor {
  /** Why nothing can be edited; empty when it can. */
  refusal = "";
  readonly buttons = el("span", "nbi-buttons");
  readonly tools = el("div", "nbi-tools");
  #pop: Popover;
  #byName = new Map<string, HTMLButtonElement>();

  constructor(root: HTMLElement, private store: Store, private stage: Stage, private signal: AbortSignal) {
    this.#pop = new Popover(root, (focused) => { if (focused) root.querySelector("canvas")?.focus({ preventScroll: true }); }, signal);
    this.#button(this.buttons, "undo", "undo the last edit (u)", () => this.undo());
    this.#button(this.buttons, "redo", "redo it (r)", () => this.redo());
    this.#button(this.buttons, "reset", "back to the sequence as it was given", () => this.reset());
    this.tools.append(el("span", "nbi-dim", "selection"));
    this.#button(this.tools, "delete", "take the selected bases out (Delete)", () => this.#onSelection((a, b) => [a, b, ""]));
    this.#button(this.tools, "shuffle", "shuffle the selected bases", () => this.#onSelection((a, b) => [a, b, shuffled(this.#letters(a, b))]));
    this.#button(this.tools, "keep only", "shuffle all but the selected bases", () => this.#onSelection((a, b) => [0, this.#length, this.#keep(a, b)]));
    this.#button(this.tools, "prune", "shuffle selected bases that are not needed", () => {
      const { selection } = this.store.state;
      if (selection) this.stage.prune(...selection);
    });
    const motif = el("input", "nbi-select nbi-motif", "", {
      placeholder: "motif, e.g. TGACTCA", spellcheck: "false", "aria-label": "motif to paste at the start of the selection",
    });
    on(motif, "keydown", (e) => { if (e.key === "Enter") this.#paste(motif.value); }, signal);
    this.tools.append(motif);
    this.#button(this.tools, "paste", "write the motif over what is there, from the selection on", () => this.#paste(motif.value));
    this.#button(this.tools, "insert", "put the motif in before the selection", () => this.#paste(motif.value, true));
    this.update();
  }

  #button(parent: HTMLElement, word: string, title: string, run: () => void): void {
    const one = button(word, title, run, this.signal);
    this.#byName.set(word, one);
    parent.append(one);
  }

  get #length(): number {
    return this.store.meta.length;
  }
  #letters(a: number, b: number): string {
    return spell(this.store.current.codes.subarray(a, b));
  }

  /** Which buttons make sense now. */
  update(): void {
    const { done, undone } = this.store.history;
    const used = !this.refusal || done.length + undone.length > 0;
    this.buttons.hidden = !used;
    this.tools.hidden = !!this.refusal || !this.store.state.selection;
    this.#byName.get("undo")!.disabled = !done.length;
    this.#byName.get("redo")!.disabled = !undone.length;
    this.#byName.get("reset")!.disabled = !done.length;
  }

  // --- changes --------------------------------------------------------------------------------------------------------

  change(change: Change): void {
    this.close();
    if (this.refusal) return this.stage.tell(this.refusal);
    const [start, end, bases] = change;
    if (bases === this.#letters(start, end)) return; // nothing would change
    this.store.history = act(this.store.history, change);
  }
  undo(): void {
    this.close();
    this.store.history = undo(this.store.history);
  }
  redo(): void {
    this.store.history = redo(this.store.history);
  }
  reset(): void {
    const { done, undone } = this.store.history;
    this.store.history = { done: [], undone: [...undone, ...[...done].reverse()] };
  }
  put(position: number, letter: string): void {
    if (position >= 0 && position < this.#length) this.change([position, position + 1, letter.toUpperCase()]);
  }
  /** Take out the selection, or the base under the cursor. */
  remove(cursor: number | null): void {
    const { selection } = this.store.state;
    if (selection) this.#onSelection((a, b) => [a, b, ""]);
    else if (cursor !== null) this.change([cursor, cursor + 1, ""]);
  }

  #onSelection(make: (a: number, b: number) => Change): void {
    const { selection } = this.store.state;
    if (!selection) return this.stage.tell("select some bases first: drag over them, or < and >");
    this.change(make(...selection));
  }
  #keep(a: number, b: number): string {
    const before = this.#letters(0, a), after = this.#letters(b, this.#length), rest = shuffled(before + after);
    return rest.slice(0, before.length) + this.#letters(a, b) + rest.slice(before.length);
  }
  #paste(text: string, insert = false): void {
    const motif = text.trim().toUpperCase(), { selection } = this.store.state;
    if (!motif || /[^ACGTN]/.test(motif)) return this.stage.tell("a motif is spelt with A, C, G, T and N");
    if (!selection || selection[0] + motif.length > this.#length) return this.stage.tell(`no room for ${whole(motif.length)} bases there`);
    this.change([selection[0], selection[0] + (insert ? 0 : motif.length), motif]);
  }

  // --- the four letters --------------------------------------------------------------------------------------------

  /** Open the four letters over a position. */
  open(position: number): void {
    this.close();
    if (this.refusal) {
      this.store.set({ selection: null, item: -1 });
      return this.stage.tell(this.refusal);
    }
    const { x, width } = this.stage.column(position), colors = this.stage.colors(), now = this.#letters(position, position + 1);
    const pop = el("div", "nbi-pop", "", { role: "menu", "aria-label": `change base ${whole(position + this.store.current.offset)}, now ${now}` });
    const offer = (letter: string, title: string, run: () => void, kind = ""): HTMLButtonElement => {
      const one = el("button", `nbi-letter${kind}`, letter, { title });
      on(one, "click", run);
      pop.append(one);
      return one;
    };
    [...BASES].forEach((letter, i) => {
      const one = offer(letter, `${now} to ${letter}`, () => this.put(position, letter));
      one.disabled = letter === now;
      one.style.color = colors[i];
    });
    offer("\u2013", "take it out", () => this.change([position, position + 1, ""]), " nbi-out");
    on(pop, "keydown", (e) => {
      e.stopPropagation();
      const all = [...pop.querySelectorAll<HTMLElement>("button:not(:disabled)")], at = all.indexOf(document.activeElement as HTMLElement);
      if (e.key === "Escape") { this.close(); this.stage.tell(""); }
      else if (e.key === "ArrowRight") all[(at + 1) % all.length].focus();
      else if (e.key === "ArrowLeft") all[(at + all.length - 1) % all.length].focus();
      else if (BASES.includes(e.key.toUpperCase())) this.put(position, e.key);
      else return;
      e.preventDefault();
    });
    this.#pop.open(pop, (wide) => x + (width - wide) / 2, this.stage.top);
    pop.querySelector<HTMLElement>("button:not(:disabled)")!.focus({ preventScroll: true });
  }

  close(): void {
    this.#pop.close();
  }
}
