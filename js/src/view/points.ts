/** A cloud of points as a person sees it: coloured, near or far, with outlines drawn about some. Owns a DOM node; knows neither host nor what a point is. */
import { atEnd } from "../core/events";
import { ceil, clamp, max, min, round } from "../core/numbers";
import { CanvasPen, type Pen, SvgPen } from "../draw/glyphs";
import { type Colours, css, inView, type Layer, paletteOf, quieted, Raster } from "../draw/points";
import { GlPoints } from "../draw/pointsGl";
import { drawCross, drawNames, drawOutline, drawRing, drawStar, type Spot } from "../draw/pointsMarks";
import { whole } from "../draw/scale";
import { fade } from "../draw/theme";
import { listenPlane, type Plane } from "../input/points";
import { alphaOf, type Camera, FULL, Grid, kept, middles, nearer, type Order, type Place, placeOf, type Rows, scaled, sequenceOf, sizeOf, WHOLE } from "../state/points";
import { type Bits, bitsWhere, countBits, eachBit, hasBit, type Mode, noBits, setBit } from "../state/spaceBits";
import { button, download, el, picker } from "./dom";
import { Legend } from "./pointsLegend";
import { type Scene, Screen } from "./screen";

export interface Points {
  n: number;
  /** x and y of each point in turn, y upwards, as shares of the box: 0 to 65,535. */
  xy: Uint16Array;
  /** A colour a point; 255 for none. */
  colour: Uint8Array;
  colours: Colours;
  order: Order;
  /** A bit a point (state/spaceBits.ts). */
  selected: Bits | null;
  /** The point that is the reference; null for none. */
  star: number | null;
  /** How many times as wide as high the box is; 0 fills the frame. */
  aspect: number;
  /** What x and y are. */
  axes: [string, string];
  height: number;
  /** How points are painted, from when they come into sight: by the graphics processor where it is one, or as said. */
  engine: "auto" | "webgl" | "density";
}

export interface PointsCalls {
  /** A person drew about some points, or chose those of a colour. */
  onSelect(bits: Bits, mode: Mode): void;
  /** A person clicked a point, or none; without this, it is selected. */
  onPick?(point: number | null, mode: Mode): void;
  onHover?(point: number | null): void;
  /** What is said of a point. */
  words?(point: number): string;
}

type Tool = "lasso" | "box" | "polygon" | "move";
const TOOLS: Record<Tool, string> = { lasso: "draw about points (l)", box: "draw a box about points (b)", polygon: "click the corners of an outline (p)", move: "drag moves the view (m); so does the space bar held" };
const MODES: [Mode, string][] = [["new", "select"], ["add", "add"], ["subtract", "remove"]];
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** Points that are drawn as discs of a fine edge; of more, small ones; of many, single pixels. */
const FEW = 60_000, MANY = 300_000;
const REACH = 10, CORNER = 9;

function rowsOf(bits: Bits): Rows {
  const rows = new Uint32Array(countBits(bits));
  let k = 0;
  eachBit(bits, (i) => { rows[k++] = i; });
  return rows;
}

export class PointsPanel implements Scene, Plane {
  #points: Points = { n: 0, xy: new Uint16Array(), colour: new Uint8Array(), colours: { title: "" }, order: "given", selected: null, star: null, aspect: 0, axes: ["", ""], height: 420, engine: "auto" };
  /** What has changed since all was there. */
  #news: Partial<Points> = {};
  #camera: Camera = WHOLE;
  #screen: Screen;
  #painting = el("canvas", "nbi-points-ground", "", { "aria-hidden": "true" });
  #readout = el("div", "nbi-readout", "", { "aria-live": "polite" });
  #legend: Legend;
  #tools: [Tool, HTMLButtonElement][];
  #mode: HTMLSelectElement;
  #tool: Tool = "lasso";
  /** Corners of the outline under way, in the data's coordinates: it stays about its points as the view moves. */
  #outline: number[] = [];
  /** The pointer, or what keys move in its place. */
  #at: [number, number] | null = null;
  #keyed = false;
  #hovered = -1;
  #sequence: Rows | null = null;
  #grid = new Grid(new Uint16Array(), 0);
  /** Colours in the grid's order. */
  #tints = new Uint8Array();
  /** Rows that are selected, as they are drawn. */
  #rows: Rows = new Uint32Array();
  #found = middles(new Uint16Array(), new Uint8Array(), 0);
  #raster: Raster | null = null;
  #gl: GlPoints | null = null;
  /** What the painting shows; "" for something else by now. */
  #painted = "";
  #gliding = 0;

  constructor(private root: HTMLElement, private calls: PointsCalls, private signal: AbortSignal) {
    root.classList.add("nbi-points");
    const bar = el("div", "nbi-bar"), stage = el("div", "nbi-points-stage");
    this.#tools = (Object.keys(TOOLS) as Tool[]).map((tool) => [tool, button(tool, TOOLS[tool], () => this.#use(tool), signal)]);
    this.#mode = picker("what an outline does; Shift adds, Alt removes", MODES, "new", () => undefined, signal);
    bar.append(...this.#tools.map(([, one]) => one), this.#mode, el("span", "nbi-space"), button("all", "see all points (0)", () => this.#glide(WHOLE), signal));
    for (const kind of ["PNG", "SVG"] as const) bar.append(button(kind, `save the picture as ${kind}`, () => this.save(kind), signal));
    this.#screen = new Screen(root, this, "classic", signal);
    this.#legend = new Legend((colour) => this.#choose(colour), signal);
    stage.append(this.#painting, this.#screen.canvas);
    root.append(bar, this.#readout, stage, this.#legend.box);
    listenPlane(this.#screen.canvas, this, signal);
    const sight = new IntersectionObserver((seen) => this.#see(seen[seen.length - 1].isIntersecting), { rootMargin: "200px" });
    sight.observe(root);
    atEnd(signal, () => { sight.disconnect(); this.#see(false); });
    this.#use("lasso");
  }

  /** Show other points, or other things of them. */
  show(change: Partial<Points>): void {
    const { n, xy, colour, order, selected, colours: { title } } = Object.assign(this.#points, change);
    change = Object.assign(this.#news, change);
    if (xy.length < 2 * n || colour.length < n) return; // the rest is still to come
    this.#news = {};
    if (change.xy || change.order || (change.colour && order !== "given")) {
      this.#sequence = sequenceOf(colour, n, order);
      this.#grid = new Grid(xy, n, this.#sequence);
    }
    if (change.xy || change.colour) {
      this.#found = middles(xy, colour, n);
      this.#tints = new Uint8Array(n).map((_, k) => colour[this.#grid.order[k]]);
    }
    if (change.xy) { this.#hovered = -1; this.#outline = []; }
    this.#rows = !selected ? new Uint32Array() : this.#sequence ? this.#sequence.filter((i) => hasBit(selected, i)) : rowsOf(selected);
    this.#upload();
    this.#repaint();
    Object.assign(this.root.dataset, { n, selected: this.#rows.length, colours: title });
    this.#screen.canvas.setAttribute("aria-label", `${this.#words}${title && ` by ${title}`}. Arrow keys move, plus and minus zoom; with Shift, arrow keys move a cross-hair, and Enter sets a corner of an outline there.`);
    this.#read();
  }

  // --- painting -------------------------------------------------------------------------------------------------------

  get height(): number {
    return this.#points.height;
  }
  get #place(): Place {
    return placeOf(this.#camera, this.#screen.width, this.height, this.#points.aspect);
  }
  #repaint(): void {
    this.#painted = "";
    this.#screen.draw();
  }

  /** The context is taken while the points are in sight. */
  #see(seen: boolean): void {
    const { engine } = this.#points;
    if (!seen) this.#gl?.close();
    this.#gl = seen && engine !== "density" ? this.#gl ?? GlPoints.open(() => { this.#gl = null; this.#repaint(); }, engine === "webgl") : null;
    if (!seen) return;
    this.#upload();
    this.#repaint();
  }
  #upload(): void {
    const { xy, colour } = this.#points;
    this.#gl?.fill(xy, colour, this.#sequence, this.#rows);
  }

  /** Before each frame: the points, if they are not as they were. */
  prepare(): void {
    const { width, theme } = this.#screen, now = JSON.stringify([this.#camera, width, this.height, devicePixelRatio, theme.dark]);
    if (now === this.#painted) return;
    this.#painted = now;
    const began = performance.now();
    this.#paint(this.#painting, devicePixelRatio || 1);
    Object.assign(this.root.dataset, { engine: this.#gl ? "webgl" : "density", paint: (performance.now() - began).toFixed(2) });
    this.#legend.show(this.#points.colours, this.#palette, this.#found.counts);
  }
  get #palette(): Uint8Array {
    return paletteOf(this.#points.colours, this.#screen.theme);
  }

  #paint(canvas: HTMLCanvasElement, ratio: number): void {
    const { n } = this.#points, { width, theme } = this.#screen, { height } = this, palette = this.#palette, grid = this.#grid, place = this.#place, ctx = canvas.getContext("2d")!;
    Object.assign(canvas, { width: round(width * ratio), height: round(height * ratio) });
    if (!n) return;
    const size = sizeOf(n, this.#camera.k), alpha = alphaOf(grid.crowd, place, size), all = { palette, size, alpha, selected: false };
    const layers: Layer[] = this.#rows.length ? [{ ...all, palette: quieted(palette, theme), alpha: alpha * 0.6 }, { ...all, size: size + 0.5, alpha: max(alpha, 0.5), selected: true }] : [all];
    if (this.#gl) {
      const from = this.#gl.draw(canvas.width, canvas.height, scaled(place, ratio), ratio, layers);
      ctx.drawImage(from, 0, from.height - canvas.height, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
      return;
    }
    let seen = 0;
    inView(grid, place, width, height, REACH, (from, to) => { seen += to - from; });
    const r = seen > FEW ? 1 : ratio, picture = ctx.createImageData(ceil(width * r), ceil(height * r)), there = scaled(place, r);
    this.#draw(picture, there, r, seen > MANY ? 1 : seen > FEW ? min(size, 2) : 0, layers);
    const copy = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
    copy.getContext("2d")!.putImageData(picture, 0, 0);
    ctx.drawImage(copy, 0, 0, (picture.width * ratio) / r, (picture.height * ratio) / r);
  }
  /** Discs, of one size where there are many. */
  #draw(picture: ImageData, place: Place, ratio: number, fixed: number, layers: Layer[]): void {
    const { n, xy, colour } = this.#points, grid = this.#grid, { width, height } = picture;
    const raster = this.#raster?.width === width && this.#raster.height === height ? this.#raster : (this.#raster = new Raster(width, height));
    raster.clear();
    for (const { palette, size, alpha, selected } of layers) {
      const wide = fixed ? fixed + Number(selected) / 2 : size * ratio, rows = selected ? this.#rows : this.#sequence;
      if (selected || n <= FEW) raster.discs(xy, colour, rows, 0, rows ? rows.length : n, place, palette, wide, alpha);
      else inView(grid, place, width, height, REACH, (from, to) => raster.discs(grid.sorted, this.#tints, null, from, to, place, palette, wide, alpha));
    }
    raster.write(picture);
  }

  render(pen: Pen, marked: boolean): void {
    const { n, star, axes, xy, colour, colours: { names } } = this.#points, { width, theme } = this.#screen, { height } = this, { ax, bx, ay, by } = this.#place, [quiet, small] = [fade(theme.ink, 0.6), `11px ${theme.font}`];
    const at = (u: number, v: number): Spot => [u * ax + bx, v * ay + by], of = (i: number): Spot => at(xy[2 * i], xy[2 * i + 1]), key = this.#keyed ? this.#at : null;
    if (!n) pen.text("no points", width / 2, height / 2, quiet, `12px ${theme.font}`, "center");
    pen.text(axes[0], width - 4, height - 8, quiet, small, "right");
    pen.text(axes[1], 4, 10, quiet, small);
    drawNames(pen, names ?? [], this.#found, of, star === null ? [] : [[...of(star), 10]], theme);
    if (star !== null) drawStar(pen, of(star), theme);
    if (!marked) return;
    if (this.#hovered >= 0) drawRing(pen, of(this.#hovered), css(this.#palette, colour[this.#hovered]), theme);
    if (key) drawCross(pen, key, theme);
    drawOutline(pen, this.#outline.flatMap((u, k, all) => (k % 2 ? [] : [at(u, all[k + 1])])), this.#clicked, this.#at, theme);
  }

  /** Save what is in view, on its own ground; points as pixels, all else as lines and letters. */
  save(kind: "PNG" | "SVG"): void {
    const { width, theme: { ground } } = this.#screen, { height } = this, points = document.createElement("canvas"), name = "points";
    this.#paint(points, 2);
    if (kind === "SVG") {
      const pen = new SvgPen(), image = `<image width="${width}" height="${height}" href="${points.toDataURL()}"/>`;
      this.render(pen, false);
      return download(new Blob([pen.svg(width, height, ground).replace("/>", `/>${image}`)], { type: "image/svg+xml" }), `${name}.svg`);
    }
    const copy = Object.assign(document.createElement("canvas"), { width: points.width, height: points.height }), ctx = copy.getContext("2d")!;
    ctx.fillStyle = ground;
    ctx.fillRect(0, 0, copy.width, copy.height);
    ctx.drawImage(points, 0, 0);
    this.render(new CanvasPen(ctx, 2), false);
    copy.toBlob((blob) => blob && download(blob, `${name}.png`));
  }

  // --- what a person does ---------------------------------------------------------------------------------------------

  /** Whether corners are clicked, not drawn. */
  get #clicked(): boolean {
    return this.#tool === "polygon" || this.#keyed;
  }
  get moving(): boolean {
    return this.#tool === "move" || this.#tool === "polygon";
  }
  #use(tool: Tool): void {
    this.#tool = tool;
    this.cancel();
    for (const [one, box] of this.#tools) box.setAttribute("aria-pressed", String(one === tool));
    this.root.dataset.tool = tool;
  }
  #choose(wanted: number): void {
    const { colour, n } = this.#points;
    this.#select(bitsWhere(n, (i) => colour[i] === wanted), null);
  }
  #select(bits: Bits, mode: Mode | null): void {
    this.calls.onSelect(bits, mode ?? (this.#mode.value as Mode));
  }
  #data(x: number, y: number): [number, number] {
    const { ax, bx, ay, by } = this.#place;
    return [(x - bx) / ax, (y - by) / ay];
  }

  cancel(): void {
    this.#outline = [];
    this.#screen.draw();
  }
  drag(x: number, y: number, x0: number, y0: number): void {
    const [u, v] = this.#data(x, y), [u0, v0] = this.#data(x0, y0);
    if (this.#keyed) this.#outline = [];
    this.#keyed = false;
    if (this.#tool === "box") this.#outline = [u0, v0, u, v0, u, v, u0, v];
    else this.#outline.push(...(this.#outline.length ? [] : [u0, v0]), u, v);
    this.#screen.draw();
  }
  /** The points inside the outline. */
  drop(mode: Mode | null): void {
    const began = performance.now(), outline = this.#outline;
    if (outline.length < 6) return this.cancel();
    const bits = this.#grid.inside(outline);
    this.root.dataset.took = (performance.now() - began).toFixed(2);
    this.cancel();
    this.#select(bits, mode);
  }
  click(x: number, y: number, mode: Mode | null): void {
    if (this.#clicked) this.#corner(x, y, mode);
    else this.#pick(x, y, mode);
  }
  #pick(x: number, y: number, mode: Mode | null): void {
    const { n } = this.#points, { onPick } = this.calls, found = this.#near(x, y), bits = noBits(n);
    if (onPick) return onPick(found < 0 ? null : found, mode ?? (this.#mode.value as Mode));
    if (found >= 0) setBit(bits, found);
    if (found >= 0 || !mode) this.#select(bits, mode);
  }
  /** A corner of an outline that is clicked; of a box the other one, of a polygon the first again, is the last. */
  #corner(x: number, y: number, mode: Mode | null): void {
    const outline = this.#outline, [u, v] = this.#data(x, y), { ax, ay } = this.#place, last = outline.length - 2;
    const near = [0, last].some((k) => Math.hypot((outline[k] - u) * ax, (outline[k + 1] - v) * ay) < CORNER);
    if (this.#tool === "box" && outline.length) this.#outline = [outline[0], outline[1], u, outline[1], u, v, outline[0], v];
    else if (!near) outline.push(u, v);
    if (this.#tool === "box" ? this.#outline.length > 2 : near && last > 3) return this.drop(mode);
    this.#screen.draw();
  }
  twice(): void {
    if (!this.#clicked) this.#glide(WHOLE);
  }

  pan(dx: number, dy: number): void {
    const { ax, ay } = this.#place, { x, y, k } = this.#camera;
    this.#look(kept({ x: x - dx / ax / FULL, y: y - dy / ay / FULL, k }));
  }
  zoom(x: number, y: number, factor: number): void {
    this.#look(nearer(this.#camera, ...this.#data(x, y), factor));
  }
  #look(camera: Camera): void {
    cancelAnimationFrame(this.#gliding);
    this.#camera = camera;
    this.root.dataset.moving = "0";
    this.#screen.draw();
  }
  /** Look elsewhere in 120 ms; at once for who wants no motion. */
  #glide(to: Camera): void {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.#look(to);
    const from = this.#camera, began = performance.now();
    const step = (now: number): void => {
      const t = clamp((now - began) / 120, 0, 1), s = 1 - (1 - t) ** 3;
      this.#look({ x: from.x + (to.x - from.x) * s, y: from.y + (to.y - from.y) * s, k: from.k * (to.k / from.k) ** s });
      if (t === 1 || this.signal.aborted) return;
      this.root.dataset.moving = "1";
      this.#gliding = requestAnimationFrame(step);
    };
    step(began);
  }

  #near(x: number, y: number): number {
    const { ax, ay } = this.#place;
    return this.#grid.nearest(...this.#data(x, y), REACH / ax, -REACH / ay);
  }
  hover(x: number, y: number): void {
    this.#keyed &&= this.#outline.length > 0;
    this.#point(x, y);
  }
  leave(): void {
    this.#at = null;
    this.#hover(-1);
  }
  #point(x: number, y: number): void {
    this.#at = [x, y];
    if (this.#outline.length || this.#keyed) this.#screen.draw();
    this.#hover(this.#near(x, y));
  }
  #hover(found: number): void {
    if (found === this.#hovered) return;
    this.#hovered = found;
    this.calls.onHover?.(found < 0 ? null : found);
    this.root.dataset.hover = String(found);
    this.#read();
    this.#screen.draw();
  }
  get #words(): string {
    const { n } = this.#points;
    return `${whole(n)} point${n === 1 ? "" : "s"}`;
  }
  #read(): void {
    const chosen = this.#rows.length, i = this.#hovered;
    this.#readout.textContent = i >= 0 ? this.calls.words?.(i) ?? `point ${whole(i)}` : `${this.#words}${chosen ? ` \u00b7 ${whole(chosen)} selected` : ""}`;
  }

  key(key: string, shift: boolean): boolean {
    const { width } = this.#screen, { height } = this, arrow = ARROWS[key], tool = this.#tools.find(([one]) => one[0] === key)?.[0], { n, selected } = this.#points, mode = shift ? "add" : null;
    const [x, y] = this.#at ?? [width / 2, height / 2], zoom = (factor: number) => (): void => this.#glide(nearer(this.#camera, ...this.#data(x, y), factor));
    const keys: Record<string, () => void> = {
      "+": zoom(2), "=": zoom(2), "-": zoom(0.5), "0": () => this.#glide(WHOLE),
      i: () => this.#select(bitsWhere(n, (i) => !selected || !hasBit(selected, i)), "new"),
      Enter: () => {
        this.#keyed = true;
        if (this.#tool === "move") this.#pick(x, y, mode);
        else this.#corner(x, y, mode);
      },
      Backspace: () => { this.#outline.splice(-2); this.#screen.draw(); },
      Escape: () => (this.#outline.length ? this.cancel() : this.#select(noBits(n), "new")),
    };
    if (tool) this.#use(tool);
    else if (arrow && shift) {
      this.#keyed = true;
      this.#point(clamp(x + 8 * arrow[0], 0, width), clamp(y + 8 * arrow[1], 0, height));
    } else if (arrow) this.pan(-arrow[0] * width / 8, -arrow[1] * height / 8);
    else keys[key]?.();
    return !!(tool || arrow || keys[key]);
  }
}
