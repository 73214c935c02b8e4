/** The tree of the fine clusters, and the cut through it that makes clusters: drawn, dragged, chosen from. */
import { on } from "../core/events";
import { abs, clamp, max, min } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import type { Frame } from "../draw/logo";
import { number } from "../draw/scale";
import { fade } from "../draw/theme";
import { drawBand, drawHeights, drawTree, heightAt, levelOf, type Places, placesOf } from "../draw/tree";
import type { Cluster, SpaceState, SpaceStore } from "../state/space";
import { button, el } from "./dom";
import { type Scene, Screen } from "./screen";
import { counted, saver } from "./spaceAxis";

const LEFT = 48, RIGHT = 12, AIR = 8, TALL = 168, BAND = 10, WORDS = 18, NEAR = 7;
/** What the drawing follows. */
const OURS = ["cut", "edits", "names", "chosen", "selected", "order"];

export class TreePanel implements Scene {
  #screen: Screen;
  #number = el("input", "nbi-number", "", { type: "number", min: "1", "aria-label": "number of clusters" });
  #where = el("span", "nbi-dim");
  #name = el("input", "nbi-filter", "", { type: "text", "aria-label": "name of the cluster" });
  #merge: HTMLButtonElement;
  #split: HTMLButtonElement;
  #undo: HTMLButtonElement;
  #readout = el("div", "nbi-readout", "", { "aria-live": "polite" });
  #places: Places | null;
  #top = 0;
  #dragging = false;

  constructor(private root: HTMLElement, private store: SpaceStore, signal: AbortSignal) {
    root.classList.add("nbi-space-tree");
    root.dataset.jpSuppressContextMenu = "";
    const { tree } = store, bar = el("div", "nbi-bar"), { canvas } = (this.#screen = new Screen(root, this, store.given.colors, signal));
    this.#places = tree && placesOf(tree, store.blocks.get("counts")!);
    this.#top = tree ? max(0, ...Array.from(tree.heights)) : 0;
    this.#number.max = String(store.given.leaves);
    this.#number.disabled = !tree;
    Object.assign(this.#name.style, { width: "128px", borderBottom: "1px solid var(--nbi-hair)", opacity: "1" });
    this.#number.style.width = "64px";
    this.#merge = button("merge", "make the chosen clusters one (m)", () => this.#join(), signal);
    this.#split = button("split", "part the chosen cluster where the tree does (s)", () => this.#part(), signal);
    this.#undo = button("undo", "take back the last merge or split (u)", () => store.undo(), signal);
    bar.append(el("span", "nbi-facts-line", "clusters"), this.#number, this.#where, el("span", "nbi-space"), this.#name, this.#merge, this.#split, this.#undo);
    bar.append(saver(this.#screen, "tree", signal));
    root.append(bar, this.#readout, canvas);
    canvas.setAttribute("aria-label", "tree of clusters: left and right choose a cluster, up and down move the cut, m merges, s splits, u takes back");
    on(this.#number, "change", () => store.cutInto(clamp(Math.round(Number(this.#number.value)) || 1, 1, store.given.leaves)), signal);
    on(this.#name, "change", () => { if (store.chosen.length === 1) store.rename(store.chosen[0].id, this.#name.value); }, signal);
    for (const box of [this.#number, this.#name]) on(box, "keydown", (e) => e.stopPropagation(), signal);
    this.#listen(canvas, signal);
    store.subscribe((changed) => {
      if (OURS.some((key) => key in changed)) this.#update(changed);
      else if ("pointed" in changed) this.#show();
    }, signal);
    this.#update({});
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #update(changed: Partial<SpaceState>): void {
    const { store } = this, { cutFacts: facts, clusters, chosen, tree } = store, one = chosen.length === 1 ? chosen[0] : null;
    if (document.activeElement !== this.#number || "cut" in changed) this.#number.value = String(clusters.length);
    this.#where.textContent = !tree ? "as they were given, with no tree to cut" : facts ? this.#said(facts) : "as they were given, which is no cut of the tree";
    this.#name.value = one ? store.state.names[one.key] ?? "" : "";
    this.#name.disabled = !one;
    this.#name.placeholder = one ? `name ${store.called(`c${one.id}`)}` : "name one cluster";
    this.#merge.disabled = chosen.length < 2;
    this.#split.disabled = !one || !store.canSplit(one);
    this.#undo.disabled = !store.state.edits.length;
    Object.assign(this.root.dataset, { clusters: String(clusters.length), chosen: chosen.map(({ id }) => id).join(" ") });
    this.#show();
  }
  #show(): void {
    this.#read();
    this.#screen.draw();
  }
  #said({ k, wanted, height, below }: { k: number; wanted: number; height: number; below: number }): string {
    const edits = this.store.state.edits.length, skipped = wanted > k ? `${wanted} skipped, since merges tie in height: ${k} cut` : "";
    const gap = Number.isFinite(below) ? number(height) === number(below) ? `cut at ${number(height)}` : `cut between ${number(height)} and ${number(below)}` : "all in one";
    return [skipped, gap, edits ? `${edits} change${edits > 1 ? "s" : ""} since` : ""].filter(Boolean).join(" \u00b7 ");
  }
  #read(): void {
    const { store } = this, { pointed } = store.state, some = pointed.length ? pointed.flatMap((id) => store.cluster(id) ?? []) : store.chosen, n = some.reduce((sum, one) => sum + one.n, 0);
    if (!some.length) {
      this.#readout.textContent = store.tree ? "point at a cluster; drag the line to cut higher or lower" : "point at a cluster";
      return;
    }
    const side = `c${some.map(({ id }) => id).join(" ")}`, sums = store.sums(side);
    this.#readout.textContent = `${store.called(side)}: ${counted(n)} (${number((100 * n) / store.sums("").n)} %), ${store.given.activity} ${number(sums.mean)}${Number.isFinite(sums.spread) ? ` \u00b1 ${number(sums.spread)}` : ""}`;
  }

  // --- places ---------------------------------------------------------------------------------------------------------

  get #plot(): Frame {
    return { x: LEFT, y: AIR, width: this.#screen.width - LEFT - RIGHT, height: this.store.tree ? TALL : 0 };
  }
  get height(): number {
    const { y, height } = this.#plot;
    return y + height + BAND + WORDS;
  }
  /** Where the line of the cut is; null where there is none. */
  get #line(): number | null {
    const { cutFacts: facts } = this.store, level = levelOf(this.#top, this.#plot);
    return facts && (level(facts.height) + level(min(facts.below, this.#top))) / 2 - (Number.isFinite(facts.below) ? 0 : 4);
  }
  /** Clusters from left to right, with the spans they have: of a tree their leaves, else in their order. */
  #spans(): { one: Cluster; spans: { from: number; to: number }[] }[] {
    const { clusters } = this.store, places = this.#places, all = clusters.reduce((sum, { n }) => sum + n, 0);
    let at = 0;
    return clusters.map((one) => {
      const from = at / all;
      at += one.n;
      return { one, spans: places ? one.nodes.map((node) => ({ from: places.from[node], to: places.to[node] })) : [{ from, to: at / all }] };
    });
  }
  /** The clusters under a point: one, or, above the cut, all that the merge there holds. */
  #under(x: number, y: number): Cluster[] {
    const { store: { tree }, store } = this, plot = this.#plot, share = (x - plot.x) / plot.width, places = this.#places, line = this.#line;
    if (share < 0 || share >= 1) return [];
    if (tree && places && line !== null && y < line - NEAR) {
      const level = levelOf(this.#top, plot), near = (node: number): boolean => {
        const [a, b] = tree.parts(node), top = level(tree.height(node));
        return (abs(y - top) < 6 && share >= places.middle[a] && share <= places.middle[b]) || (y >= top && [a, b].some((part) => y <= level(tree.height(part)) && abs(share - places.middle[part]) * plot.width < 5));
      };
      let found = -1;
      for (let node = tree.count; node < tree.parent.length; node++) if (level(tree.height(node)) < line && near(node)) found = node;
      if (found < 0) return [];
      const leaves = new Set(tree.leaves(found)), labels = store.labels, ids = new Set([...leaves].map((leaf) => labels[leaf]));
      return store.clusters.filter(({ id }) => ids.has(id));
    }
    return this.#spans().filter(({ spans }) => spans.some(({ from, to }) => share >= from && share < to)).map(({ one }) => one).slice(0, 1);
  }

  // --- pointers and keys ------------------------------------------------------------------------------------------------

  #listen(canvas: HTMLCanvasElement, signal: AbortSignal): void {
    const point = (e: PointerEvent | MouseEvent): [number, number] => {
      const box = canvas.getBoundingClientRect();
      return [e.clientX - box.left, e.clientY - box.top];
    };
    const onLine = (y: number): boolean => this.#line !== null && abs(y - this.#line) <= NEAR;
    on(canvas, "pointerdown", (e) => {
      const [x, y] = point(e);
      if (e.button !== 0) return;
      canvas.focus({ preventScroll: true });
      if ((this.#dragging = onLine(y))) return canvas.setPointerCapture(e.pointerId);
      const found = this.#under(x, y).map(({ id }) => id);
      this.store.choose(found, e.shiftKey || e.ctrlKey || e.metaKey);
    }, signal);
    on(canvas, "pointermove", (e) => {
      const [x, y] = point(e);
      canvas.style.cursor = this.#dragging || onLine(y) ? "ns-resize" : "pointer";
      if (this.#dragging) return this.#cutAt(y);
      this.#point(onLine(y) ? [] : this.#under(x, y));
    }, signal);
    for (const end of ["pointerup", "pointercancel"] as const) on(canvas, end, () => { this.#dragging = false; }, signal);
    on(canvas, "pointerleave", () => this.#point([]), signal);
    on(canvas, "keydown", (e) => {
      const act = e.ctrlKey || e.metaKey || e.altKey ? undefined : this.#keys(e.shiftKey)[e.key];
      if (!act) return;
      e.preventDefault();
      e.stopPropagation();
      act();
    }, signal);
  }
  #point(some: Cluster[]): void {
    this.store.set({ pointed: some.map(({ id }) => id) });
  }
  #cutAt(y: number): void {
    const { k } = this.store.tree!.facts({ height: heightAt(this.#top, this.#plot, y) });
    if (k !== this.store.cutFacts?.k) this.store.cutInto(k);
  }
  #keys(shift: boolean): Record<string, () => void> {
    const { store } = this, far = shift ? 10 : 1;
    return {
      ArrowLeft: () => this.#step(-far), ArrowRight: () => this.#step(far), ArrowUp: () => store.stepCut(-far), ArrowDown: () => store.stepCut(far),
      m: () => this.#join(), s: () => this.#part(), u: () => store.undo(), Escape: () => store.choose([]),
    };
  }
  /** Choose the cluster that stands so many farther to the right. */
  #step(by: number): void {
    const order = this.#spans().sort((a, b) => a.spans[0].from - b.spans[0].from).map(({ one }) => one.id), at = order.indexOf(this.store.state.chosen[0]);
    if (order.length) this.store.choose([order[at < 0 ? 0 : clamp(at + by, 0, order.length - 1)]]);
  }
  #join(): void {
    const { chosen } = this.store;
    if (chosen.length > 1) this.store.edit("merge", ...chosen.map(({ id }) => id));
  }
  #part(): void {
    const { chosen: [one, ...others] } = this.store;
    if (one && !others.length && this.store.canSplit(one)) this.store.edit("split", one.id);
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  render(pen: Pen, marked: boolean): void {
    const { store, store: { tree } } = this, { theme } = this.#screen, plot = this.#plot, shown = new Set([...(marked ? store.state.pointed : []), ...store.state.chosen]), line = this.#line;
    if (tree) {
      drawHeights(pen, this.#top, plot, theme);
      drawTree(pen, tree, this.#places!, store.clusters.map(({ nodes, colour, id }) => ({ nodes, colour, on: shown.has(id) })), this.#top, plot, theme);
    }
    if (line !== null) {
      pen.line(plot.x, line, plot.x + plot.width, line, theme.accent, 1.25);
      pen.shape(`M${plot.x + plot.width + 9} ${line - 5}V${line + 5}L${plot.x + plot.width} ${line}Z`, theme.accent);
    }
    const spans = this.#spans().flatMap(({ one, spans: parts }) => parts.map((part) => ({ ...part, colour: one.colour, on: shown.has(one.id), words: one.name })));
    drawBand(pen, spans, { ...plot, y: plot.y + plot.height, height: BAND }, theme);
    if (!spans.length) pen.text("no clusters", plot.x, plot.y + 4, fade(theme.ink, 0.5), `11px ${theme.font}`);
  }
}
