/** Colours and fonts of the host, and the project's own palettes. */
import { round } from "../core/numbers";

export interface Theme {
  dark: boolean;
  ink: string;
  ground: string;
  font: string;
  mono: string;
  bases: string[];
  unknown: string;
  accent: string;
}

/** A C G T: classic by convention; safe for red-green colour blindness; light ground, then dark. */
export const BASES = {
  classic: { light: ["#1a8f4a", "#2563b8", "#c27803", "#d1333f"], dark: ["#4cc47d", "#6ea8fe", "#f2b33d", "#ff7a7f"] },
  safe: { light: ["#1b9e77", "#2563b8", "#b8860b", "#4a0030"], dark: ["#5eead4", "#7aa6ff", "#ffd166", "#b8477a"] },
  grey: { light: ["#444444", "#444444", "#444444", "#444444"], dark: ["#cccccc", "#cccccc", "#cccccc", "#cccccc"] },
} as const;

/** Twenty fixed colours for motifs: a name keeps its colour in every view of a page. */
export const CATEGORIES = (
  "#4269d0 #e08214 #2a9d8f #d1495b #8e6bbf #6c8b1f #c2528b #3a86a8 #9c6644 #5b7083 "
  + "#7d5ba6 #b5651d #1f8a70 #b23a48 #48639c #8f8f1f #a64d79 #2f7f9e #7f5539 #667085"
).split(" ");

export function category(name: string): string {
  let hash = 2166136261;
  for (const c of name) hash = Math.imul(hash ^ c.charCodeAt(0), 16777619);
  return CATEGORIES[(hash >>> 0) % CATEGORIES.length];
}

/** The diverging pair: what raises a prediction, and what lowers it. */
export const EFFECT = { light: ["#2563b8", "#b4530a"], dark: ["#6ea8fe", "#f2a65e"] } as const;

export const effectOf = (theme: Theme, value: number): string => EFFECT[theme.dark ? "dark" : "light"][value < 0 ? 1 : 0];

/** "rgb(a)" or hex to [r, g, b, a]. */
function channels(color: string): number[] {
  const hex = /^#([0-9a-f]{6})/i.exec(color);
  if (hex) return [0, 2, 4].map((i) => parseInt(hex[1].slice(i, i + 2), 16)).concat(1);
  const parts = color.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0];
  return [parts[0], parts[1], parts[2], parts[3] ?? 1];
}

/** The ink at an opacity, as hairlines and grids are drawn. */
export function fade(color: string, alpha: number): string {
  const [r, g, b] = channels(color);
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

const luminance = (rgb: number[]): number => {
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

/** Contrast of two opaque colours, 1 to 21 (WCAG 2). */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(channels(a).slice(0, 3)), luminance(channels(b).slice(0, 3))].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Black or white, whichever is read more easily on a colour laid over the ground. */
export function legible(color: string, alpha: number, ground: string): string {
  const under = channels(ground), mixed = channels(color).slice(0, 3).map((v, i) => round(v * alpha + under[i] * (1 - alpha)));
  const laid = `rgb(${mixed.join(", ")})`;
  return contrast(laid, "#ffffff") >= contrast(laid, "#000000") ? "#ffffff" : "#000000";
}

export function themeOf(root: HTMLElement, colors: keyof typeof BASES): Theme {
  const style = getComputedStyle(root);
  const [r, g, b] = channels(style.color);
  const dark = 0.299 * r + 0.587 * g + 0.114 * b > 140; // light ink means a dark ground
  const shade = dark ? "dark" : "light";
  return {
    dark,
    ink: style.color,
    ground: dark ? "#111111" : "#ffffff",
    font: style.fontFamily,
    mono: style.getPropertyValue("--nbi-mono").trim() || "monospace",
    bases: [...BASES[colors][shade]],
    unknown: dark ? "#777777" : "#999999",
    accent: dark ? "#6ea8fe" : "#2563b8",
  };
}
