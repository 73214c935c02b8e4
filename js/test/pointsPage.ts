/** A page of its own for the panel of points, with made-up points: tests/browser/test_points.py opens it. */
import { countBits, joinBits, noBits } from "../src/state/spaceBits";
import { type Points, PointsPanel } from "../src/view/points";
import { numbers } from "./random";

/** Clouds about some middles; their numbers as colours, or how far up they are. */
export function clouds(n: number, groups: number, byValue = false): Pick<Points, "n" | "xy" | "colour"> {
  const next = numbers(7), xy = new Uint16Array(2 * n), colour = new Uint8Array(n), middle = Array.from({ length: groups }, () => [10_000 + 45_000 * next(), 10_000 + 45_000 * next(), 1500 + 4000 * next()]);
  for (let i = 0; i < n; i++) {
    const g = Math.floor(next() ** 1.5 * groups), [x, y, wide] = middle[g], r = wide * Math.sqrt(-2 * Math.log(1 - next())), a = 2 * Math.PI * next();
    xy[2 * i] = Math.min(Math.max(x + r * Math.cos(a), 0), 65535);
    xy[2 * i + 1] = Math.min(Math.max(y + r * Math.sin(a) * 0.7, 0), 65535);
    colour[i] = byValue ? Math.floor((xy[2 * i + 1] / 65535) * 254) : i % 997 === 5 ? 255 : g;
  }
  return { n, xy, colour };
}

const NAMES = (groups: number): string[] => Array.from({ length: groups }, (_, k) => `C${k}`);

/** Shown in a box as wide as is wanted; what the panel says is kept on `window`. */
function show(n: number, { groups = 12, byValue = false, width = 0, ...more }: { groups?: number; byValue?: boolean; width?: number } & Partial<Points>): PointsPanel {
  const root = document.createElement("div"), kept: Record<string, unknown> = { hovers: [] as unknown[], picks: [] as unknown[] }, data = clouds(n, groups, byValue);
  root.className = "nbi-track";
  if (width) root.style.width = `${width}px`;
  document.body.append(root);
  let selected = noBits(n);
  const began = performance.now(), panel = new PointsPanel(root, {
    onSelect: (bits, mode) => {
      selected = joinBits(selected, bits, mode);
      Object.assign(kept, { mode, drawn: countBits(bits), count: countBits(selected), at: performance.now() });
      panel.show({ selected });
    },
    onHover: (point) => { (kept.hovers as unknown[]).push(point); },
  }, new AbortController().signal);
  const colours = byValue ? { title: "prediction", low: -1.25, high: 3.5 } : { title: "cluster", names: NAMES(groups) };
  panel.show({ ...data, colours, star: n ? 0 : null, axes: ["PC 1, 31 %", "PC 2, 12 %"], ...more });
  Object.assign(kept, { began: performance.now() - began, panel, selected: () => selected });
  ((globalThis as Record<string, unknown>).shown as unknown[]).push(kept);
  return panel;
}

Object.assign(globalThis, { shown: [], show, clouds });
