/** Functions of numbers that everything that draws uses, by short names. */
export const { abs, ceil, floor, max, min, round } = Math;

export const clamp = (value: number, low: number, high: number): number => min(max(value, low), high);
