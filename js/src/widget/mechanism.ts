/** MechanismView as an anywidget: traits in, traits out. The only file of it that knows the host. */
import { KernelBackend } from "../backend/kernel";
import type { Model } from "../core/host";
import { atEnd } from "../core/events";
import type { Joinable } from "../core/join";
import { follower, joinLink, messages, renderer } from "../core/mount";
import { ceil, max } from "../core/numbers";
import { linkOf } from "../core/page";
import { bindTraits, stateOf, type Trait } from "../core/traits";
import { bytesOf, readBlocks } from "../core/wire";
import type { View } from "../draw/scale";
import { type MechanismMeta, readSpace } from "../state/mechanism";
import { type MechanismAnswer, MechanismAsker } from "../state/mechanismAsker";
import { Look, type LookState } from "../state/mechanismLook";
import { type SpaceState, SpaceStore } from "../state/space";
import { MechanismViewer } from "../view/mechanism";
import { placed } from "../view/mechanismPoints";

const TRAITS: Trait[] = [
  { name: "cut" }, { name: "edits" }, { name: "names" }, { name: "chosen" },
  { name: "view", read: ([start, end]: number[]): View => ({ start, end }), write: ({ start, end }: View) => [start, end] },
  { name: "span", key: "selection", read: (span: number[]) => (span.length ? span : null), write: (span: number[] | null) => span ?? [] },
];
/** Small things, in one trait. */
const SETTINGS = ["order", "value", "threshold", "side", "map", "letters", "centred", "shared", "rate", "multiplier", "adaptive"] as const;

async function mount(model: Model, root: HTMLElement, end: AbortSignal): Promise<void> {
  const meta = JSON.parse(model.get("meta") as string) as MechanismMeta;
  const blocks = readSpace(meta, await readBlocks(bytesOf(model.get("data") as DataView), meta.blocks));
  const store = new SpaceStore(meta, blocks, { ...stateOf<SpaceState>(model, TRAITS), ...(model.get("settings") as Partial<SpaceState>) });
  const look = new Look({ colour: model.get("colour") as string });
  keepSelections(model, store, end);
  bindTraits(model, store, TRAITS, end);
  bindTraits<LookState>(model, look, [{ name: "colour" }], end);
  bindTraits<SpaceState>(model, { set: () => undefined, subscribe: (tell, signal) => store.subscribe((changed) => {
    if (SETTINGS.some((key) => key in changed)) tell({ settings: Object.fromEntries(SETTINGS.map((key) => [key, store.state[key]])) } as Partial<SpaceState>);
  }, signal) }, [{ name: "settings" }], end);
  const asker = new MechanismAsker(store, (message, bits) => model.send(message, undefined, bits ? [bits.slice().buffer] : []), (answer, parts) => heard(answer, parts), end);
  const viewer = new MechanismViewer(root, store, meta, look, asker, () => toPython(store, look, model), end);
  const heard = (answer: MechanismAnswer | null, parts: Awaited<ReturnType<typeof readBlocks>>): void => {
    look.set({ asking: asker.asking, heard: look.state.heard + Number(!!answer), ...(answer && { failed: answer.words, ...(answer.what === "sums" ? { seconds: answer.seconds } : {}) }) });
    if (!answer || answer.words || answer.what === "sums") return;
    if (answer.what === "colour") {
      viewer.points.told = [answer.key, parts.get("colour") as Uint8Array];
      viewer.points.recolour();
      return;
    }
    const { key: name } = answer, leaves = [...parts.get("leaf")!], row = parts.get("row")?.[0] ?? -1;
    const fresh = { name, xy: placed(parts.get("xy")!, meta.box), leaves, activities: [...parts.get("activities")!], row: row < 0 ? null : row };
    look.set({ fresh: [...look.state.fresh.filter((one) => one.name !== name), fresh] });
    store.set({ selections: [...store.state.selections.filter((one) => one.name !== name), { name, n: leaves.length, version: answer.number, exact: false }] });
    store.know(name, answer.number, parts);
    store.set({ selected: name });
  };
  const hear = async (): Promise<void> => {
    const answer = JSON.parse(model.get("answer") as string) as Partial<MechanismAnswer>, data = bytesOf(model.get("answer_data") as DataView);
    if (answer.what) asker.hear(answer as MechanismAnswer, await readBlocks(data, answer.blocks!));
  };
  void hear(); // what a saved notebook was told last
  follower(model, end)("answer", () => void hear());
  new KernelBackend(messages(model), end).live((live) => {
    asker.live = live;
    look.set({ live });
    asker.look();
  });
  joinLink(model, joined(model, store), end);
}

/** Named selections in the traits: their names, and their bits one after the other. */
function keepSelections(model: Model, store: SpaceStore, end: AbortSignal): void {
  const size = ceil(store.given.n / 8);
  let own = false, written = "";
  const read = (): void => {
    const names = model.get("kept") as string[], bits = bytesOf(model.get("bits") as DataView);
    if (own || bits.length !== size * names.length) return;
    for (const { name } of store.state.selections) if (!names.includes(name) && store.bitmap(name)) store.drop(name);
    names.forEach((name, i) => {
      const part = bits.slice(i * size, (i + 1) * size);
      if (String(store.bitmap(name)) !== String(part)) store.keep(name, part);
    });
    store.set({ selected: model.get("shown") as string });
  };
  read();
  const follow = follower(model, end);
  for (const name of ["kept", "bits", "shown"]) follow(name, read);
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.subscribe((changed) => {
    if (!("selections" in changed) && !("selected" in changed)) return;
    const some = store.state.selections.filter(({ name }) => store.bitmap(name)), all = new Uint8Array(size * some.length); // those of the library
    some.forEach(({ name }, i) => all.set(store.bitmap(name)!, i * size));
    const now = JSON.stringify(some.map(({ name, version }) => [name, version]));
    own = true;
    model.set("kept", some.map(({ name }) => name));
    if (now !== written) model.set("bits", new DataView(all.buffer)); // not when sums alone are news
    written = now;
    model.set("shown", some.some(({ name }) => name === store.state.selected) ? store.state.selected : "");
    own = false;
    clearTimeout(timer);
    timer = setTimeout(() => model.save_changes(), 150);
  }, end);
  atEnd(end, () => clearTimeout(timer));
}

/** The space as linked views see it: positions are shared, and the examples of a logo that `logo()` made are the clusters. */
function joined(model: Model, store: SpaceStore): Joinable {
  const keys = (): string[] => model.get("followed") as string[], example = (): number => {
    const [one, ...others] = store.state.selected ? [] : store.chosen, at = one && !others.length ? keys().indexOf(one.key) : -1, id = model.get("link") as string;
    return at >= 0 || !id ? max(at, 0) : linkOf(id).state.example;
  };
  return {
    get meta() { return { ...store.meta, n: keys().length }; },
    get state() { return { view: store.state.view, hover: store.state.hover, selection: store.state.selection, example: example() }; },
    original: store.original,
    set onGutter(tell: ((wanted: number) => void) | undefined) { store.onGutter = tell; },
    set({ example, view, hover, selection, gutter }) {
      const one = example === undefined ? undefined : store.clusters.find(({ key }) => key === keys()[example]);
      if (one && store.chosen.length < 2) store.choose([one.id]);
      store.set(Object.fromEntries(Object.entries({ view, hover, selection, gutter }).filter(([, value]) => value !== undefined)));
    },
    subscribe: (tell, signal) => store.subscribe((changed) => {
      const told = Object.fromEntries(Object.entries(changed).filter(([key]) => ["view", "hover", "selection"].includes(key)));
      if (keys().length && ("chosen" in changed || "selected" in changed)) told.example = 0;
      if (Object.keys(told).length) tell(told);
    }, signal),
  };
}

/** Lines of Python that bring another view of the same space to where this one is. */
function toPython({ state }: SpaceStore, { state: { colour } }: Look, model: Model): string {
  const names = model.get("kept") as string[], bits = bytesOf(model.get("bits") as DataView), { cut, edits, chosen } = state;
  const lines = [`view.cut, view.edits = ${cut ? JSON.stringify(cut) : "None"}, ${JSON.stringify(edits)}`, `view.names = ${JSON.stringify(state.names)}`, `view.chosen, view.colour = ${JSON.stringify(chosen)}, ${JSON.stringify(colour)}`];
  if (names.length) lines.push("import base64", `view.bits = base64.b64decode("${btoa(Array.from(bits, (byte) => String.fromCharCode(byte)).join(""))}")`, `view.kept = ${JSON.stringify(names)}`, `view.shown = ${JSON.stringify(model.get("shown"))}`);
  return `# \`view\` is a MechanismView of the same space\n${lines.join("\n")}\n`;
}

export default { render: renderer("MechanismView", mount) };
