/** The browser of motifs: a table of logos, a line of what can be done with those chosen, and one of them large. */
import { on } from "../core/events";
import { rowHeight } from "../draw/browserRow";
import type { BrowserState, BrowserStore, How } from "../state/browser";
import { type Motif, toMeme } from "../state/browserEdits";
import { columnsOf, rowsOf } from "../state/browserTable";
import { BrowserCells } from "./browserCells";
import { BrowserDetail } from "./browserDetail";
import { button, download, el, picker } from "./dom";
import { TableViewer } from "./table";

const HINT = "choose a motif: click, or the arrow keys; shift and ctrl choose several";

export class BrowserViewer {
  #columns;
  #cells: BrowserCells;
  #table: TableViewer;
  #detail: BrowserDetail;
  #said = el("span", "nbi-readout", "", { role: "status" });
  #acts = el("span", "nbi-tools");
  #tag: HTMLInputElement;
  #known = el("datalist", "");
  #merge: HTMLButtonElement;
  #rename: HTMLButtonElement;
  #undo: HTMLButtonElement;
  #redo: HTMLButtonElement;
  #reset: HTMLButtonElement;
  #turn: HTMLButtonElement;
  #choosing = false;

  constructor(private root: HTMLElement, private store: BrowserStore, private signal: AbortSignal) {
    const { meta } = store;
    root.className = "nbi-browser";
    root.dataset.lmSuppressShortcuts = "true";
    this.#columns = columnsOf(store);
    this.#cells = new BrowserCells(store, this.#columns[0].drawn!, () => this.#typed());
    this.#undo = button("undo", "undo (u)", () => store.undo(), signal);
    this.#redo = button("redo", "redo (r)", () => store.redo(), signal);
    this.#reset = button("reset", "forget all names, tags and merges", () => store.reset(), signal);
    this.#turn = button("reverse complement", "show the other strand of all logos (s)", () => this.#reverse(), signal);
    this.#merge = button("merge", "align the chosen motifs and make one of them (m)", () => store.merge(), signal);
    this.#rename = button("rename", "rename the motif that is shown large (F2)", () => this.#edit(), signal);
    this.#tag = this.#tagField();
    const list = el("div", ""), line = el("div", "nbi-line"), detail = el("div", "");
    root.append(list, line, detail);
    this.#table = new TableViewer(list, this.#columns, this.#rows, meta.name, meta.height, (row, how) => this.#choose(row, how), signal, {
      noun: "motifs", listing: this.#listing, tall: rowHeight(store.state.lanes), tools: this.#tools(),
      chosen: (row) => store.state.chosen.includes(row),
      fill: (cell, row, column, theme) => this.#cells.fill(cell, store.motif(row)!, this.#columns[column].name, theme),
    });
    list.setAttribute("aria-multiselectable", "true");
    list.style.setProperty("--nbi-first", `${this.#columns[0].drawn! + 16}px`);
    list.setAttribute("aria-label", `${meta.name}, a table`);
    const copy = button("copy MEME", "copy the chosen motifs in the MEME format (c)", () => void this.#copy(), signal);
    this.#acts.append(this.#tag, this.#known, this.#rename, this.#merge, copy);
    line.append(this.#said, this.#acts);
    this.#detail = new BrowserDetail(detail, store, signal);
    on(list, "mousedown", (e) => { // a span of rows, not of letters
      if (!e.shiftKey) return;
      e.preventDefault();
      this.#focus();
    }, signal);
    on(root, "keydown", (e) => this.#key(e), signal);
    store.subscribe((changed) => this.#follow(changed), signal);
    this.#update();
    if (store.large) this.#table.mark(store.large.number);
  }

  get #rows() {
    return rowsOf(this.store, this.#columns);
  }

  get #listing() {
    return { order: this.store.now.map((one) => one.number), keep: () => true };
  }

  #tools(): HTMLElement {
    const { store, signal, store: { meta } } = this, tools = el("span", "nbi-tools");
    if (store.given[0].cwm) tools.append(picker("what logos show", [["contributions", "contributions"], ["bits", "frequency"]], store.state.units, (units) => store.set({ units: units as BrowserState["units"] }), signal));
    if (meta.matches?.most) {
      const counts = Array.from({ length: meta.matches.most + 1 }, (_, k): [string, string] => [String(k), k === 1 ? "1 match" : k ? `${k} matches` : "no matches"]);
      tools.append(picker("matches under each motif", counts, String(store.state.lanes), (k) => store.show(Number(k)), signal));
    }
    tools.append(this.#turn, this.#undo, this.#redo, this.#reset, button("MEME", "save the motifs listed in the MEME format", () => this.#save(), signal));
    return tools;
  }

  #tagField(): HTMLInputElement {
    const { signal } = this, field = el("input", "nbi-motif nbi-tag-field", "", { placeholder: "add a tag", "aria-label": "tag for the chosen motifs", title: "type a tag for the chosen motifs, then Enter (t)", list: `nbi-tags-${this.store.meta.name}-${Math.random().toString(36).slice(2)}` });
    this.#known.id = field.getAttribute("list")!;
    on(field, "keydown", (e) => {
      e.stopPropagation();
      if (e.key === "Escape") this.#focus();
      if (e.key !== "Enter") return;
      this.store.tag(field.value);
      field.value = "";
    }, signal);
    return field;
  }

  /** What is chosen in the table is in sight there. */
  #choose(row: number, how: How): void {
    this.#choosing = true;
    this.store.choose(row, how, this.#table.listed);
    this.#choosing = false;
  }

  // --- what is done -------------------------------------------------------------------------------------------------

  #reverse(): void {
    this.store.set({ reverse: !this.store.state.reverse });
  }

  /** Type the name of the motif that is shown large, where it stands. */
  #edit(): void {
    const { large } = this.store;
    if (!large) return;
    this.#table.mark(large.number);
    this.#cells.edit(large);
  }

  #text(motifs: Motif[]): string {
    return toMeme(motifs, this.store.meta.background, this.store.sites);
  }

  #save(): void {
    const { store } = this, listed = this.#table.listed.map((number) => store.motif(number)!);
    download(new Blob([this.#text(listed)], { type: "text/plain" }), `${store.meta.name}.meme`);
  }

  async #copy(): Promise<void> {
    const { chosen } = this.store, text = this.#text(chosen);
    if (!chosen.length) return;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      if (!copied(text)) return this.#say("this page may not write to the clipboard; save MEME instead");
    }
    this.#say(`copied ${counted(chosen.length)} in the MEME format`);
  }

  #key(e: KeyboardEvent): void {
    const { store } = this, { key } = e, control = e.ctrlKey || e.metaKey;
    if ((e.target as HTMLElement).closest("input, select")) return;
    const keys: Record<string, () => void> = control
      ? { a: () => store.set({ chosen: [...this.#table.listed] }), c: () => void this.#copy(), z: () => store.undo(), Z: () => store.redo(), y: () => store.redo() }
      : {
          F2: () => this.#edit(), t: () => this.#tag.focus(), m: () => store.merge(), s: () => this.#reverse(), c: () => void this.#copy(),
          u: () => store.undo(), r: () => store.redo(), "[": () => store.step(-1), "]": () => store.step(1), Escape: () => store.set({ chosen: [] }),
        };
    if (key === "Enter" && !(e.target as HTMLElement).closest("button")) keys.Enter = () => this.#edit();
    if (!(key in keys) || (control && key === "c" && getSelection()?.toString())) return;
    e.preventDefault();
    e.stopPropagation();
    keys[key]();
  }

  /** A name begins to be typed, or is no more. */
  #typed(): void {
    const { root, root: { ownerDocument: { activeElement } } } = this, here = root.contains(activeElement);
    this.#table.redraw();
    if (here && this.#cells.editing < 0) this.#focus();
  }

  // --- what is shown ------------------------------------------------------------------------------------------------

  #follow(changed: Partial<BrowserState>): void {
    const { store } = this;
    if ("edits" in changed || "lanes" in changed) this.#table.refresh(this.#rows, this.#listing, rowHeight(store.state.lanes));
    else if ("reverse" in changed || "units" in changed) this.#table.redraw();
    if ("chosen" in changed && !this.#choosing) this.#table.mark(store.large?.number ?? -1);
    this.#update();
    if ("edits" in changed && document.activeElement === document.body) this.#focus(); // what had it is gone
  }

  #update(): void {
    const { store, store: { chosen, state: { edits, reverse } } } = this, n = chosen.length;
    this.#undo.disabled = !edits.done.length;
    this.#redo.disabled = !edits.undone.length;
    this.#reset.disabled = !edits.done.length && !edits.undone.length;
    this.#turn.setAttribute("aria-pressed", String(reverse));
    this.#merge.disabled = n < 2;
    this.#merge.textContent = n > 1 ? `merge ${n}` : "merge";
    this.#acts.hidden = !n;
    this.#known.replaceChildren(...store.tags.map((value) => el("option", "", "", { value })));
    this.#say(n > 1 ? `${counted(n)} chosen: ${chosen.slice(0, 4).map((one) => one.name).join(", ")}${n > 4 ? ", …" : ""}` : n ? `${chosen[0].name} chosen` : HINT);
    this.root.dataset.chosen = String(n);
    this.root.dataset.edits = String(edits.done.length);
    this.#detail.update();
  }

  #say(words: string): void {
    this.#said.textContent = this.#said.title = words;
  }

  #focus(): void {
    this.root.querySelector<HTMLElement>(".nbi-body")?.focus({ preventScroll: true });
  }
}

const counted = (n: number): string => `${n.toLocaleString("en")} ${n === 1 ? "motif" : "motifs"}`;

/** The old way, where a page that is not secure has no clipboard. */
function copied(text: string): boolean {
  const field = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
