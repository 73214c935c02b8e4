/** What a person does to the sequence: letters, brushes, pasted motifs, and the buttons for them. */
import type { Store } from "../state/store";
import { act, type Change, redo, shuffled, spell, undo } from "../state/edits";
import { whole } from "../draw/scale";
import { el } from "./dom";

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
  #pop: HTMLElement | null = null;
  #byName = new Map<string, HTMLButtonElement>();

  constructor(private root: HTMLElement, private store: Store, private stage: Stage, private signal: AbortSignal) {
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
    const motif = Object.assign(el("input", "nbi-select nbi-motif"), { placeholder: "motif, e.g. TGACTCA", spellcheck: false });
    motif.setAttribute("aria-label", "motif to paste at the start of the selection");
    motif.addEventListener("keydown", (e) => { if (e.key === "Enter") this.#paste(motif.value); }, { signal });
    this.tools.append(motif);
    this.#button(this.tools, "paste", "write the motif over what is there, from the selection on", () => this.#paste(motif.value));
    this.#button(this.tools, "insert", "put the motif in before the selection", () => this.#paste(motif.value, true));
    signal.addEventListener("abort", () => this.close());
    this.update();
  }

  #button(parent: HTMLElement, word: string, title: string, run: () => void): void {
    const button = Object.assign(el("button", "nbi-quiet", word), { title });
    button.addEventListener("click", run, { signal: this.signal });
    this.#byName.set(word, button);
    parent.append(button);
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
      this.store.set({ selection: null, selectedItem: -1 });
      return this.stage.tell(this.refusal);
    }
    const { x, width } = this.stage.column(position), colors = this.stage.colors(), pop = el("div", "nbi-pop");
    const now = this.#letters(position, position + 1);
    pop.setAttribute("role", "menu");
    pop.dataset.lmSuppressShortcuts = "true";
    pop.setAttribute("aria-label", `change base ${whole(position + this.store.current.offset)}, now ${now}`);
    [...BASES].forEach((letter, i) => {
      const button = Object.assign(el("button", "nbi-letter", letter), { disabled: letter === now, title: `${now} to ${letter}` });
      button.style.color = colors[i];
      button.addEventListener("click", () => this.put(position, letter));
      pop.append(button);
    });
    const out = Object.assign(el("button", "nbi-letter nbi-out", "\u2013"), { title: "take it out" });
    out.addEventListener("click", () => this.change([position, position + 1, ""]));
    pop.append(out);
    pop.addEventListener("keydown", (e) => {
      e.stopPropagation();
      const all = [...pop.querySelectorAll("button:not(:disabled)")] as HTMLButtonElement[], at = all.indexOf(document.activeElement as HTMLButtonElement);
      if (e.key === "Escape") { this.close(); this.stage.tell(""); }
      else if (e.key === "ArrowRight") all[(at + 1) % all.length].focus();
      else if (e.key === "ArrowLeft") all[(at + all.length - 1) % all.length].focus();
      else if (BASES.includes(e.key.toUpperCase())) this.put(position, e.key);
      else return;
      e.preventDefault();
    });
    this.root.append(pop);
    const half = pop.offsetWidth / 2;
    pop.style.left = `${Math.min(Math.max(x + width / 2 - half, 0), this.root.clientWidth - 2 * half)}px`;
    pop.style.top = `${this.stage.top}px`;
    (pop.querySelector("button:not(:disabled)") as HTMLButtonElement).focus({ preventScroll: true });
    this.#pop = pop;
    setTimeout(() => document.addEventListener("pointerdown", this.#outside), 0);
  }

  #outside = (e: Event): void => {
    if (!this.#pop?.contains(e.target as Node)) this.close();
  };

  close(): void {
    document.removeEventListener("pointerdown", this.#outside);
    if (!this.#pop) return;
    const had = this.#pop.contains(document.activeElement);
    this.#pop.remove();
    this.#pop = null;
    if (had) this.root.querySelector("canvas")?.focus({ preventScroll: true });
  }
}
