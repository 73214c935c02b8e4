/** The ruler with round ticks, and the mini-map of the whole sequence. Pure. */
import { abs, max } from "../core/numbers";
import type { Pen } from "./glyphs";
import type { Level } from "./lod";
import type { Frame } from "./logo";
import { ticks, type View, whole } from "./scale";
import { fade, type Theme } from "./theme";

export function drawRuler(pen: Pen, view: View, offset: number, frame: Frame, theme: Theme): void {
  const p = frame.width / (view.end - view.start);
  for (const t of ticks(view, frame.width, offset)) {
    const x = frame.x + (t - view.start + (p >= 5 ? 0.5 : 0)) * p;
    if (x < frame.x || x > frame.x + frame.width) continue;
    pen.line(x, frame.y + frame.height - 5, x, frame.y + frame.height, fade(theme.ink, 0.4));
    pen.text(whole(t + offset), x, frame.y + frame.height / 2 - 3, fade(theme.ink, 0.7), `11px ${theme.font}`, x > frame.x + frame.width - 28 ? "right" : "center");
  }
}

/** Energy of the first row over the whole sequence, with the view as a window on it. */
export function drawMinimap(pen: Pen, levels: Level[], length: number, view: View, frame: Frame, theme: Theme): void {
  const level = levels.find((l) => l.low.length <= frame.width * 2) ?? levels[levels.length - 1];
  let top = 0;
  for (let i = 0; i < level.low.length; i++) top = max(top, abs(level.low[i]) || 0, abs(level.high[i]) || 0);
  pen.rect(frame.x, frame.y + frame.height - 1, frame.width, 1, fade(theme.ink, 0.12));
  if (top > 0) {
    const w = frame.width / level.low.length;
    for (let i = 0; i < level.low.length; i++) {
      const size = max(abs(level.low[i]) || 0, abs(level.high[i]) || 0) / top;
      const h = Math.sqrt(size) * frame.height;
      pen.rect(frame.x + i * w, frame.y + frame.height - h, max(w, 0.5), h, fade(theme.ink, 0.35));
    }
  }
  const a = frame.x + (view.start / length) * frame.width, b = frame.x + (view.end / length) * frame.width;
  pen.rect(frame.x, frame.y, a - frame.x, frame.height, theme.ground, 0.55);
  pen.rect(b, frame.y, frame.x + frame.width - b, frame.height, theme.ground, 0.55);
  pen.rect(a, frame.y, max(b - a, 2), frame.height, theme.accent, 0.14);
  pen.rect(a, frame.y, 1.5, frame.height, theme.accent, 0.9);
  pen.rect(max(b - 1.5, a + 1), frame.y, 1.5, frame.height, theme.accent, 0.9);
}
