/** Spans under the rows: packed as the zoom asks, drawn, and found under the pointer. */
import { floor, round } from "../core/numbers";
import type { Pen } from "../draw/glyphs";
import { drawDensity, drawLanes, LANE, laneHeight, MAX_LANES, MOST, pack, type Placed } from "../draw/lanes";
import type { Frame } from "../draw/logo";
import type { Theme } from "../draw/theme";
import type { Axis } from "../state/axis";

export class Lanes {
  #packed: { placed: Placed[]; lanes: number; key: string } = { placed: [], lanes: 0, key: "" };

  constructor(private store: Axis) {}

  /** At p pixels a position. */
  #at(p: number): { placed: Placed[]; lanes: number } {
    const { items } = this.store.current, key = `${this.store.state.example} ${round(Math.log2(p) * 2)}`;
    if (this.#packed.key !== key) {
      const named = items.some((a) => a[3]) ? 58 : 4; // names beside short bars need room
      this.#packed = { ...pack(items, items.length > MOST ? 0 : (p > 1 ? named : 4) / p), key };
    }
    return this.#packed;
  }

  height(p: number): number {
    const { items } = this.store.current;
    return items.length ? laneHeight(this.#at(p).lanes, items.length > MOST) + 4 : 0;
  }

  draw(pen: Pen, p: number, frame: Frame, theme: Theme): void {
    const { current: { items }, state: { view, hoveredItem, selectedItem } } = this.store;
    if (items.length > MOST) drawDensity(pen, items, view, frame, theme);
    else if (items.length) drawLanes(pen, this.#at(p).placed, view, frame, hoveredItem, selectedItem, theme);
  }

  /** Index of the span `y` pixels below the top of the lanes, or -1. */
  find(p: number, position: number, y: number): number {
    const lane = floor(y / LANE), slack = 2 / p;
    if (y < 0 || lane >= MAX_LANES || this.store.current.items.length > MOST) return -1;
    return this.#at(p).placed.find((one) => one.lane === lane && one.item[1] - slack <= position && position < one.item[2] + slack)?.index ?? -1;
  }
}
