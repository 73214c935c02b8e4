/** TableView as an anywidget. The only file of it that knows the host. */
import type { RenderProps } from "../core/host";
import { shared } from "../core/page";
import { type Cell, type Column, TableViewer } from "../view/table";

function render({ model, el, signal }: RenderProps): () => void {
  const own = new AbortController(), end = own.signal;
  signal?.addEventListener("abort", () => own.abort());
  const root = document.createElement("div");
  el.append(root);
  const columns = JSON.parse(model.get("columns") as string) as Column[], rows = JSON.parse(model.get("rows") as string) as Cell[][];
  const link = model.get("link") as string, place = ["example_idx", "start", "end"].map((name) => columns.findIndex((c) => c.name === name));
  const choose = (row: number): void => {
    model.set("selected", row);
    model.save_changes();
    const logo = shared().logos.get(link);
    if (!logo || place[0] < 0) return;
    const [example, start, stop] = place.map((c) => (c < 0 ? -1 : Number(rows[row][c])));
    if (start < 0 || stop < 0) return logo.set({ example });
    const margin = Math.max(25, stop - start);
    logo.set({ example, view: { start: start - margin, end: stop + margin }, selection: [start, stop] });
  };
  new TableViewer(root, columns, rows, model.get("name") as string, model.get("height") as number, choose, end);
  return () => own.abort();
}

export default { render };
