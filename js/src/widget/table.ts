/** TableView as an anywidget. The only file of it that knows the host. */
import type { Model } from "../core/host";
import { renderer } from "../core/mount";
import { max } from "../core/numbers";
import { shared } from "../core/page";
import { bytesOf, dequantize, readBlocks } from "../core/wire";
import type { Picture } from "../draw/picture";
import type { Block } from "../protocol";
import { type Cell, type Column, TableViewer } from "../view/table";

/** A picture as Python describes it: with the names of its blocks. */
type Described =
  | { kind: "logo"; values: string; at: string }
  | { kind: "lines"; values: string; scale: string; count: number; points: number }
  | Extract<Picture, { kind: "interval" }>;

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const described = JSON.parse(model.get("columns") as string) as (Omit<Column, "picture"> & { picture?: Described })[];
  const blocks = await readBlocks(bytesOf(model.get("data") as DataView), JSON.parse(model.get("blocks") as string) as Block[]);
  const picture = (one?: Described): Picture | undefined => {
    if (one?.kind === "logo") return { kind: "logo", values: blocks.get(one.values) as Uint8Array, at: blocks.get(one.at) as Int32Array };
    if (one?.kind !== "lines") return one;
    const values = blocks.get(one.values) as Int16Array, scale = blocks.get(one.scale) as Float32Array, size = one.count * one.points;
    const numbers = new Float32Array(values.length);
    scale.forEach((s, i) => numbers.set(dequantize(values, i * size, size, s), i * size));
    return { kind: "lines", values: numbers, count: one.count, points: one.points };
  };
  const columns = described.map((column): Column => ({ ...column, picture: picture(column.picture) }));
  const rows = JSON.parse(model.get("rows") as string) as Cell[][];
  const link = model.get("link") as string, place = ["example_idx", "start", "end"].map((name) => columns.findIndex((c) => c.name === name));
  const choose = (row: number): void => {
    model.set("selected", row);
    model.save_changes();
    const logo = shared().logos.get(link);
    if (!logo || place[0] < 0) return;
    const [example, start, stop] = place.map((c) => (c < 0 ? -1 : Number(rows[row][c])));
    if (start < 0 || stop < 0) return logo.set({ example });
    const margin = max(25, stop - start);
    logo.set({ example, view: { start: start - margin, end: stop + margin }, selection: [start, stop] });
  };
  new TableViewer(root, columns, rows, model.get("name") as string, model.get("height") as number, choose, end);
}

export default { render: renderer("TableView", mount) };
