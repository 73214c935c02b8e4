/** The motif that is shown large: its logos and those it may be on one axis, what is known of it, where it is. */
import { floor, max, min } from "../core/numbers";
import { aligned, columns, drawOther, drawOwn } from "../draw/browserRow";
import type { Pen } from "../draw/glyphs";
import { rangeOf } from "../draw/motif";
import { number } from "../draw/scale";
import { fade } from "../draw/theme";
import type { BrowserStore } from "../state/browser";
import type { Motif } from "../state/browserEdits";
import { saidOf } from "../state/browserTable";
import { chip } from "./browserCells";
import { button, el } from "./dom";
import { Screen } from "./screen";

const OWN = 76, OTHER = 36, GAP = 12, COLUMN = 40, TOP = 8;
const LETTER = 7.2; // pixels of a label's letter, about

export class BrowserDetail {
  #picture = el("div", "nbi-large");
  #facts = el("div", "nbi-facts");
  #screen: Screen;

  constructor(private root: HTMLElement, private store: BrowserStore, signal: AbortSignal) {
    root.className = "nbi-detail";
    const detail = this;
    this.#screen = new Screen(this.#picture, { get height() { return detail.#height; }, render: (pen) => detail.#render(pen) }, "classic", signal);
    const { canvas } = this.#screen;
    canvas.setAttribute("role", "img");
    canvas.removeAttribute("tabindex");
    this.#picture.append(canvas);
    root.append(this.#picture, this.#facts);
    this.update();
  }

  /** Logos of the motif itself, top down. */
  #own(motif: Motif): ("bits" | "contributions")[] {
    return motif.cwm ? ["contributions", "bits"] : ["bits"];
  }

  get #height(): number {
    const { large } = this.store;
    return large ? 2 * TOP + this.#own(large).length * (OWN + GAP) + this.store.matches(large).length * (OTHER + 4) : 0;
  }

  #render(pen: Pen): void {
    const { store, store: { large } } = this, { theme, width } = this.#screen;
    if (!large) return;
    const matches = store.matches(large), axis = aligned(large, matches, store.state.reverse), names = max(...matches.map((m) => m.name.length), 16);
    const gutter = min(16 + LETTER * names, width * 0.4), frame = { x: gutter, y: TOP, width: width - gutter - 4, height: OWN }, { unit, own } = columns(frame, axis, COLUMN);
    const score = store.meta.matches?.score;
    const label = (words: string, y: number, quiet: string): void => {
      const cut = floor((gutter - 16) / LETTER), short = words.length > cut ? `${words.slice(0, cut - 1)}\u2026` : words;
      pen.text(short, gutter - 12, y - 7, theme.ink, `12px ${theme.font}`, "right");
      pen.text(quiet, gutter - 12, y + 7, fade(theme.ink, 0.6), `11px ${theme.font}`, "right");
    };
    pen.rect(own.x, TOP - 4, own.width, this.#height - TOP, theme.ink, 0.03); // the columns of the motif, down through its matches
    for (const units of this.#own(large)) {
      const [low, high] = units === "bits" ? [0, 2] : rangeOf(large.cwm!);
      drawOwn(pen, large, axis, units, { ...own, y: frame.y }, theme);
      label(units === "bits" ? "frequency" : "contribution", frame.y + OWN / 2, units === "bits" ? "0 to 2 bits" : `${number(low)} to ${number(high)}`);
      frame.y += OWN + GAP;
    }
    matches.forEach((match, k) => {
      drawOther(pen, axis.others[k], unit, { ...frame, height: OTHER - 4 }, theme);
      label(match.name, frame.y + OTHER / 2, [match.strand === "-" ? "\u2212" : "+", ...(score ? [`${score[0]} ${number(match.value)}`] : [])].join(", "));
      frame.y += OTHER + 4;
    });
  }

  /** Save the picture as it is. */
  save(kind: "PNG" | "SVG"): void {
    this.#screen.save(kind, this.store.large!.name.replace(/[^\w.-]+/g, "_"));
  }

  update(): void {
    const { store, store: { large } } = this;
    this.root.hidden = !large;
    if (!large) return;
    this.#screen.canvas.setAttribute("aria-label", `logos of ${large.name} and its matches, aligned`);
    this.#screen.draw();
    const heading = el("div", "nbi-headline");
    heading.append(el("b", "", large.name));
    const lines: HTMLElement[] = [heading, el("div", "", saidOf(store, large)), el("div", "nbi-letters", store.consensus(large))];
    if (large.members.length > 1) lines.push(el("div", "nbi-dim", `merged from ${large.members.map((i) => store.meta.names[i]).join(", ")}`));
    lines.push(this.#places(large), this.#tags(large), this.#saves());
    this.#facts.replaceChildren(...lines);
  }

  /** One instance after the other. */
  #places(motif: Motif): HTMLElement {
    const { store } = this, found = store.instances(motif), { instance } = store, line = el("div", "nbi-line");
    if (!found.length) {
      line.hidden = true;
      return line;
    }
    const all = store.count(motif)!, more = all > found.length ? ` (of ${all.toLocaleString("en")})` : "";
    const place = instance ? `${store.state.instance + 1} of ${found.length}${more}: example ${instance.example}, ${instance.start}\u2013${instance.end}` : `${found.length} to step through${more}`;
    line.append(button("\u25c2", "instance before ([)", () => this.store.step(-1)), button("\u25b8", "next instance (])", () => this.store.step(1)), el("span", "", place));
    return line;
  }

  #tags(motif: Motif): HTMLElement {
    const line = el("div", "nbi-line");
    line.hidden = !motif.tags.length;
    line.append(...motif.tags.map((tag) => chip(tag, () => this.store.untag(motif, tag))));
    return line;
  }

  #saves(): HTMLElement {
    const line = el("div", "nbi-line nbi-saves");
    for (const kind of ["SVG", "PNG"] as const) line.append(button(kind, `save these logos as ${kind}`, () => this.save(kind)));
    return line;
  }
}
