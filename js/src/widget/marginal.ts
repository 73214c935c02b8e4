/** MarginalView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { KernelBackend } from "../backend/kernel";
import type { Model } from "../core/host";
import { answers, joinLink, messages, renderer } from "../core/mount";
import { bindTraits, PLACE, stateOf, type Trait } from "../core/traits";
import { bytesOf, type Numbers, readBlocks } from "../core/wire";
import { MarginalAsker, type MarginalState, MarginalStore } from "../state/marginal";
import type { Grid, MarginalAnswer, MarginalMeta } from "../state/placements";
import { MarginalViewer } from "../view/marginal";

const TRAITS: Trait[] = [...PLACE.filter(({ name }) => name !== "selection"), { name: "motif" }, { name: "start" }, { name: "strand" }];

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const read = async <T extends { blocks?: MarginalMeta["blocks"] }>(words: string, data: string): Promise<[T, Map<string, Numbers>]> => {
    const said = JSON.parse(model.get(words) as string) as T;
    return [said, await readBlocks(bytesOf(model.get(data) as DataView), said.blocks ?? [])];
  };
  const [meta, blocks] = await read<MarginalMeta>("meta", "data");
  const store = new MarginalStore(meta, blocks, stateOf<MarginalState>(model, TRAITS));
  const [grid, stored] = await read<Grid>("grid", "grid_data");
  grid.motifs?.forEach((motif, i) => store.known.add(motif, stored, `.${i}`));
  const [last, told] = await read<MarginalAnswer>("answer", "answer_data");
  if (last.motif) store.known.add(last.motif, told); // what a saved notebook was told last
  bindTraits(model, store, TRAITS, end);
  const viewer = new MarginalViewer(root, store, end), asker = new MarginalAsker(store, (ask) => model.send(ask), end);
  answers(model)((answer, parts) => asker.hear(answer as unknown as MarginalAnswer, parts), end);
  new KernelBackend(messages(model), end).live((live) => {
    viewer.connect(live && meta.live);
    asker.look();
  });
  joinLink(model, store, end);
}

export default { render: renderer("MarginalView", mount) };
