/** What stands in the cells of a motif's row: its logos, its name and the field that changes it, its matches, its tags. */
import { on } from "../core/events";
import { drawRow, OTHER, rowHeight } from "../draw/browserRow";
import { CanvasPen } from "../draw/glyphs";
import { number } from "../draw/scale";
import { category, type Theme } from "../draw/theme";
import type { BrowserStore } from "../state/browser";
import type { Motif } from "../state/browserEdits";
import { el } from "./dom";

export class BrowserCells {
  /** The motif whose name is being typed. */
  editing = -1;
  #typed = "";
  #canvases: HTMLCanvasElement[] = [];
  #trouble = "";

  constructor(private store: BrowserStore, private width: number, private done: () => void) {}

  fill(cell: HTMLElement, motif: Motif, column: string, theme: Theme): void {
    const { matches } = this.store.meta;
    if (column === "logo") this.#logo(cell, motif, theme);
    else if (column === "name") this.#name(cell, motif);
    else if (column === "match" || (column && column === matches?.score)) this.#matches(cell, motif, column === "match");
    else if (column === "tags") this.#tags(cell, motif);
    else if (column === "consensus") cell.classList.add("nbi-letters");
  }

  #logo(cell: HTMLElement, motif: Motif, theme: Theme): void {
    const { store, width } = this, ratio = devicePixelRatio || 1, height = rowHeight(store.state.lanes), matches = store.matches(motif);
    const canvas = this.#free();
    canvas.setAttribute("aria-label", `logo of ${motif.name}, ${store.consensus(motif)}`);
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    drawRow(new CanvasPen(canvas.getContext("2d")!, ratio), motif, matches, store.state, width, theme);
    cell.replaceChildren(canvas);
  }

  #tags(cell: HTMLElement, { tags }: Motif): void {
    const box = el("div", "nbi-tags");
    box.append(...tags.map((tag) => chip(tag)));
    cell.replaceChildren(box);
  }

  /** A canvas that no row in the page has: to make one takes as long as to draw on it. */
  #free(): HTMLCanvasElement {
    let canvas = this.#canvases.find((one) => !one.isConnected);
    if (!canvas) this.#canvases.push((canvas = el("canvas", "nbi-picture", "", { role: "img" })));
    return canvas;
  }

  /** A line for each logo; without room for any, the best one beside the motif. */
  #matches(cell: HTMLElement, motif: Motif, named: boolean): void {
    const { lanes } = this.store.state, shown = this.store.matches(motif).slice(0, Math.max(lanes, 1));
    cell.title = "";
    cell.classList.toggle("nbi-lines", lanes > 0);
    cell.style.setProperty("--nbi-lane", `${OTHER}px`);
    cell.replaceChildren(...shown.map(({ name, value, strand }) => (named ? el("div", "", name, { title: `${name}, ${strand} strand` }) : el("div", "nbi-dim", number(value)))));
  }

  #name(cell: HTMLElement, motif: Motif): void {
    if (this.editing === motif.number) return this.#field(cell, motif);
    const first = this.store.firstName(motif), { members } = motif;
    const was = members.length > 1 ? `${members.length} merged` : first === motif.name ? "" : `was ${first}`;
    cell.replaceChildren(el("div", "nbi-name", motif.name), ...(was ? [el("div", "nbi-was nbi-dim", was)] : []));
    cell.title = members.length > 1 ? `${motif.name}: ${members.map((i) => this.store.meta.names[i]).join(", ")}` : motif.name;
    on(cell, "dblclick", () => this.edit(motif));
  }

  /** Let a name be typed where it stands. */
  edit(motif: Motif): void {
    [this.editing, this.#typed, this.#trouble] = [motif.number, motif.name, ""];
    this.done();
  }

  #field(cell: HTMLElement, motif: Motif): void {
    const field = el("input", "nbi-rename", "", { "aria-label": `new name of ${motif.name}`, spellcheck: "false" });
    const trouble = el("div", "nbi-trouble", this.#trouble, { role: "alert" });
    const leave = (): void => {
      this.editing = -1; // before rows are drawn anew
      this.done();
    };
    const put = (): string => {
      this.editing = -1;
      const words = this.store.rename(motif.number, field.value);
      if (words) this.editing = motif.number;
      return words;
    };
    const say = (words: string): void => {
      this.#trouble = trouble.textContent = words;
      field.setAttribute("aria-invalid", String(!!words));
    };
    field.value = this.#typed;
    say(this.#trouble);
    on(field, "input", () => { this.#typed = field.value; say(""); });
    on(field, "click", (e) => e.stopPropagation());
    on(field, "keydown", (e) => {
      e.stopPropagation();
      if (e.key === "Escape") leave();
      else if (e.key === "Enter") {
        say(put());
        if (!this.#trouble) leave();
      }
    });
    on(field, "blur", () => { // elsewhere: a name that can be is taken
      if (this.editing !== motif.number || !field.isConnected) return;
      put();
      leave();
    });
    cell.classList.add("nbi-open");
    cell.replaceChildren(field, trouble);
    queueMicrotask(() => { field.focus(); field.select(); });
  }
}

/** A tag; with `off`, one that can be taken off. */
export function chip(tag: string, off?: () => void): HTMLElement {
  const one = el("span", "nbi-tag", tag);
  one.style.setProperty("--nbi-tag", category(tag));
  if (!off) return one;
  const cross = el("button", "nbi-quiet nbi-off", "\u00d7", { "aria-label": `take off ${tag}`, title: `take off ${tag}` });
  on(cross, "click", off);
  one.append(cross);
  return one;
}
