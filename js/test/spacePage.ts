/** The panels of a mechanism space on a page of their own: tests/browser/test_space_panels.py builds and opens it. */
import { type SpaceMeta, type SpaceState, SpaceStore } from "../src/state/space";
import { BackgroundPanel } from "../src/view/background";
import { MeanLogoPanel } from "../src/view/meanLogo";
import { SummaryMatrixPanel } from "../src/view/summaryMatrix";
import { TreePanel } from "../src/view/tree";

const KINDS = { u1: Uint8Array, u2: Uint16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };

interface Given {
  meta: SpaceMeta;
  start: Partial<SpaceState>;
  /** Kind and base64 of each block. */
  blocks: Record<string, [keyof typeof KINDS, string]>;
}

const given = JSON.parse(document.getElementById("given")!.textContent!) as Given;
const blocks = new Map(Object.entries(given.blocks).map(([name, [kind, text]]) => [name, new KINDS[kind](Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)]));
const store = new SpaceStore(given.meta, blocks, given.start), { signal } = new AbortController();
const root = document.getElementById("root")!;
for (const Panel of [TreePanel, MeanLogoPanel, SummaryMatrixPanel, BackgroundPanel]) {
  const box = document.createElement("div");
  root.append(box);
  new Panel(box, store, signal);
}
Object.assign(globalThis, { store });
