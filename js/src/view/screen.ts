/** A canvas that paints itself: at most once a frame, and again when its width or the colours of the page change. */
import { atEnd, on } from "../core/events";
import { max, round } from "../core/numbers";
import { CanvasPen, type Pen, SvgPen } from "../draw/glyphs";
import { type BASES, type Theme, themeOf } from "../draw/theme";
import { download, el } from "./dom";

/** What is on it. */
export interface Scene {
  readonly height: number;
  /** Before each painting, with the theme read. */
  prepare?(): void;
  /** Draw all; `marked` is false on pictures to be saved, which have no cross-hair and no selection. */
  render(pen: Pen, marked: boolean): void;
  /** After each painting. */
  painted?(): void;
}

export class Screen {
  /** Keys are its own: a, c, x and others are commands of the notebook. */
  readonly canvas = el("canvas", "nbi-canvas", "", { role: "application", tabindex: "0", "data-lm-suppress-shortcuts": "true" });
  theme!: Theme;
  #pending = 0;
  #frames = 0;

  constructor(private root: HTMLElement, private scene: Scene, private colors: keyof typeof BASES, private signal: AbortSignal) {
    const resize = new ResizeObserver(() => this.draw()), themes = new MutationObserver(() => this.draw());
    resize.observe(root);
    themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme"] });
    on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.draw(), signal);
    atEnd(signal, () => { resize.disconnect(); themes.disconnect(); });
  }

  get width(): number {
    return max(this.root.clientWidth, 240);
  }

  /** Draw once in the next frame, however often it is asked. */
  draw(): void {
    if (this.#pending || this.signal.aborted) return;
    this.#pending = requestAnimationFrame(() => {
      this.#pending = 0;
      if (this.root.clientWidth) this.#paint();
    });
  }

  #paint(): void {
    const began = performance.now(), ratio = devicePixelRatio || 1, { canvas, scene, root } = this;
    this.theme = themeOf(root, this.colors);
    scene.prepare?.();
    const { width } = this, { height } = scene, w = round(width * ratio), h = round(height * ratio);
    if (canvas.width !== w || canvas.height !== h) {
      Object.assign(canvas, { width: w, height: h });
      canvas.style.height = `${height}px`;
    }
    const ctx = canvas.getContext("2d")!;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, w, h);
    scene.render(new CanvasPen(ctx, ratio), true);
    scene.painted?.();
    root.dataset.frames = String(++this.#frames);
    root.dataset.ms = (performance.now() - began).toFixed(2);
  }

  /** Save what is in view on its own ground; as PNG twice as fine. */
  save(kind: "PNG" | "SVG", name: string): void {
    const { width, theme: { ground } } = this, { height } = this.scene;
    if (kind === "SVG") {
      const pen = new SvgPen();
      this.scene.render(pen, false);
      return download(new Blob([pen.svg(width, height, ground)], { type: "image/svg+xml" }), `${name}.svg`);
    }
    const copy = Object.assign(document.createElement("canvas"), { width: width * 2, height: height * 2 }), ctx = copy.getContext("2d")!;
    ctx.fillStyle = ground;
    ctx.fillRect(0, 0, copy.width, copy.height);
    this.scene.render(new CanvasPen(ctx, 2), false);
    copy.toBlob((blob) => blob && download(blob, `${name}.png`));
  }
}
