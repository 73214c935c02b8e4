/** Letters as paths in a unit box, y up; the same outlines as the Python charts. */
import outlines from "../../../nbinterp/chart/glyphs.json";
import { max } from "../core/numbers";

export const OUTLINES: readonly string[] = [outlines.A, outlines.C, outlines.G, outlines.T, outlines.N];

/** Paths are made once a page, whichever module comes first. */
export function glyphs(): Path2D[] {
  const shared = ((globalThis as Record<symbol, unknown>)[Symbol.for("nbinterp.v1")] ??= {}) as { glyphs?: Path2D[] };
  return (shared.glyphs ??= OUTLINES.map((d) => new Path2D(d)));
}

/** What a letter is drawn on: a canvas, or a recorder that writes SVG. */
export interface Pen {
  rect(x: number, y: number, w: number, h: number, color: string, alpha?: number): void;
  glyph(code: number, x: number, y: number, w: number, h: number, color: string, alpha?: number): void;
  text(words: string, x: number, y: number, color: string, font: string, align?: CanvasTextAlign): void;
  line(x1: number, y1: number, x2: number, y2: number, color: string, width?: number): void;
  shape(d: string, color: string): void;
  clip(x: number, y: number, w: number, h: number): void;
  unclip(): void;
}

export class CanvasPen implements Pen {
  #plain = false;
  constructor(private ctx: CanvasRenderingContext2D, private ratio: number) {}
  /** The canvas in pixels of the page; letters have boxes of their own, and most come after one another. */
  #page(): CanvasRenderingContext2D {
    const { ctx, ratio } = this;
    if (this.#plain) return ctx;
    this.#plain = true;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.globalAlpha = 1;
    return ctx;
  }
  rect(x: number, y: number, w: number, h: number, color: string, alpha = 1): void {
    const ctx = this.#page();
    ctx.globalAlpha = alpha;
    ctx.fillStyle = color;
    ctx.fillRect(x, y, w, h);
    ctx.globalAlpha = 1;
  }
  /** (x, y) is the lower left corner; a negative height hangs the letter upside down. */
  glyph(code: number, x: number, y: number, w: number, h: number, color: string, alpha = 1): void {
    const { ctx, ratio: r } = this;
    ctx.setTransform(w * r, 0, 0, -h * r, x * r, y * r);
    ctx.globalAlpha = alpha;
    ctx.fillStyle = color;
    ctx.fill(glyphs()[code], "evenodd");
    this.#plain = false;
  }
  text(words: string, x: number, y: number, color: string, font: string, align: CanvasTextAlign = "left"): void {
    const ctx = this.#page();
    Object.assign(ctx, { font, textAlign: align, textBaseline: "middle", fillStyle: color });
    ctx.fillText(words, x, y);
  }
  line(x1: number, y1: number, x2: number, y2: number, color: string, width = 1): void {
    const ctx = this.#page();
    ctx.strokeStyle = color;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    ctx.stroke();
  }
  shape(d: string, color: string): void {
    const ctx = this.#page();
    ctx.fillStyle = color;
    ctx.fill(new Path2D(d));
  }
  clip(x: number, y: number, w: number, h: number): void {
    const ctx = this.#page();
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, w, h);
    ctx.clip();
  }
  unclip(): void {
    this.ctx.restore();
    this.#plain = false;
  }
}

const escape = (s: string): string => s.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");

/** The same calls as exact vectors. */
export class SvgPen implements Pen {
  #parts: string[] = [];
  #clips = 0;
  rect(x: number, y: number, w: number, h: number, color: string, alpha = 1): void {
    this.#parts.push(`<rect x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${max(w, 0).toFixed(2)}" height="${max(h, 0).toFixed(2)}" fill="${color}" fill-opacity="${alpha}"/>`);
  }
  glyph(code: number, x: number, y: number, w: number, h: number, color: string, alpha = 1): void {
    this.#parts.push(`<path d="${OUTLINES[code]}" transform="matrix(${w.toFixed(3)} 0 0 ${(-h).toFixed(3)} ${x.toFixed(2)} ${y.toFixed(2)})" fill="${color}" fill-rule="evenodd" fill-opacity="${alpha}"/>`);
  }
  text(words: string, x: number, y: number, color: string, font: string, align: CanvasTextAlign = "left"): void {
    const anchor = align === "right" ? "end" : align === "center" ? "middle" : "start";
    this.#parts.push(`<text x="${x}" y="${y}" fill="${color}" style="font:${escape(font)}" text-anchor="${anchor}" dominant-baseline="middle">${escape(words)}</text>`);
  }
  line(x1: number, y1: number, x2: number, y2: number, color: string, width = 1): void {
    this.#parts.push(`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${color}" stroke-width="${width}"/>`);
  }
  shape(d: string, color: string): void {
    this.#parts.push(`<path d="${d}" fill="${color}"/>`);
  }
  clip(x: number, y: number, w: number, h: number): void {
    const id = `c${this.#clips++}`;
    this.#parts.push(`<clipPath id="${id}"><rect x="${x}" y="${y}" width="${w}" height="${h}"/></clipPath><g clip-path="url(#${id})">`);
  }
  unclip(): void {
    this.#parts.push("</g>");
  }
  svg(width: number, height: number, ground: string): string {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${ground}"/>${this.#parts.join("")}</svg>`;
  }
}
