/** Two motifs in a background: letters, both blocks with their names and strands, and what lies between. Pure: (pen, data, scale). */
import { abs, ceil, floor, max, min } from "../core/numbers";
import type { Pen } from "./glyphs";
import type { Frame } from "./logo";
import type { View } from "./scale";
import { fade, type Theme } from "./theme";

export interface Block {
  name: string;
  start: number;
  end: number;
  strand: "+" | "-";
  /** How tall its letters are, 0 to 1. */
  weights: number[];
}

export interface Pair {
  blocks: readonly Block[];
  /** Codes of the whole sequence; null where only the places are known. */
  codes: Uint8Array | null;
  /** Scores of the whole sequence, in place of the weights. */
  attributions: Float32Array | null;
  color: string;
}

const HEAD = 34, QUIET = 0.3, TIP = 8;

export function drawPair(pen: Pen, pair: Pair, view: View, frame: Frame, theme: Theme): void {
  const p = frame.width / (view.end - view.start), x = (position: number): number => frame.x + (position - view.start) * p;
  const body: Frame = { ...frame, y: frame.y + HEAD, height: frame.height - HEAD };
  for (const block of pair.blocks) drawBlock(pen, block, x(block.start), x(block.end), body, pair.color, theme);
  drawGap(pen, pair.blocks, x, frame.y + HEAD - 8, theme);
  pen.clip(body.x, body.y - 1, body.width, body.height + 2);
  if (!pair.codes) pen.rect(body.x, body.y + body.height / 2 - 0.5, body.width, 1, theme.ink, 0.25);
  else if (pair.attributions) drawScores(pen, pair.codes, pair.attributions, pair.blocks, view, body, p, theme);
  else drawWeights(pen, pair.codes, pair.blocks, view, body, p, theme);
  pen.unclip();
}

/** A tinted field that points where the motif reads, with its name above. */
function drawBlock(pen: Pen, { name, strand }: Block, a: number, b: number, body: Frame, color: string, theme: Theme): void {
  const top = body.y - 4, bottom = body.y + body.height, middle = (top + bottom) / 2, [foot, tip] = strand === "+" ? [b, b + TIP] : [a, a - TIP];
  pen.clip(body.x - TIP - 2, body.y - HEAD, body.width + 2 * TIP + 4, body.height + HEAD + 2);
  pen.rect(a, top, b - a, bottom - top, color, 0.14);
  pen.shape(`M${foot} ${middle - 9}L${tip} ${middle}L${foot} ${middle + 9}Z`, color);
  pen.rect(a, top, b - a, 2, color);
  const words = strand === "+" ? `${name} \u25b8` : `\u25c2 ${name}`;
  pen.text(words, (a + b) / 2, body.y - HEAD + 7, theme.ink, `600 12px ${theme.font}`, "center");
  pen.unclip();
}

/** "6 bp" on a line from block to block. */
function drawGap(pen: Pen, blocks: readonly Block[], x: (position: number) => number, y: number, theme: Theme): void {
  const [first, second] = [...blocks].sort((one, two) => one.start - two.start), a = x(first.end), b = x(second.start), ink = fade(theme.ink, 0.6);
  const words = `${second.start - first.end} bp`, room = words.length * 6 + 8, middle = (a + b) / 2, font = `11px ${theme.font}`;
  if (b - a < room + 12) return pen.text(words, middle, y - 18, ink, font, "center");
  pen.text(words, middle, y, ink, font, "center");
  for (const [from, to] of [[a + 2, middle - room / 2], [middle + room / 2, b - 2]]) pen.line(from, y, to, y, fade(theme.ink, 0.25));
  for (const at of [a + 2, b - 2]) pen.line(at, y - 4, at, y + 4, fade(theme.ink, 0.4));
}

const inside = (blocks: readonly Block[], i: number): Block | undefined => blocks.find((one) => i >= one.start && i < one.end);
const least = (p: number): number => max(p * 0.9, 0.75);

function drawWeights(pen: Pen, codes: Uint8Array, blocks: readonly Block[], view: View, frame: Frame, p: number, theme: Theme): void {
  const foot = frame.y + frame.height;
  for (let i = max(floor(view.start), 0); i < min(ceil(view.end), codes.length); i++) {
    const block = inside(blocks, i), tall = block ? max(block.weights[i - block.start], 0.06) : QUIET, x = frame.x + (i - view.start + 0.05) * p;
    letter(pen, codes[i], x, foot, least(p), tall * frame.height, !!block, theme);
  }
}

function drawScores(pen: Pen, codes: Uint8Array, scores: Float32Array, blocks: readonly Block[], view: View, frame: Frame, p: number, theme: Theme): void {
  const [from, to] = [max(floor(view.start), 0), min(ceil(view.end), codes.length)];
  let low = 0, high = 0;
  for (let i = from; i < to; i++) [low, high] = [min(low, scores[i] || 0), max(high, scores[i] || 0)];
  const scale = frame.height / (high - low || 1), zero = frame.y + high * scale;
  pen.line(frame.x, zero, frame.x + frame.width, zero, fade(theme.ink, 0.12));
  for (let i = from; i < to; i++) {
    const tall = scores[i] * scale;
    if (abs(tall) >= 0.3) letter(pen, codes[i], frame.x + (i - view.start + 0.05) * p, zero, least(p), tall, !!inside(blocks, i), theme);
  }
}

/** In its colour inside a motif, quiet elsewhere; a bar where it could not be read. */
function letter(pen: Pen, code: number, x: number, foot: number, width: number, tall: number, own: boolean, theme: Theme): void {
  const color = own ? (theme.bases[code] ?? theme.unknown) : theme.ink, alpha = own ? 1 : 0.28;
  if (width < 3) pen.rect(x, tall > 0 ? foot - tall : foot, width, abs(tall), color, own ? 0.9 : 0.16);
  else pen.glyph(code, x, foot, width, tall, color, alpha);
}
