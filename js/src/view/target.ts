/** What is asked of the model: an output, less another, over a span of a profile, on both strands. Labels say all of it. */
import type { Store } from "../state/store";
import { button, el, picker } from "./dom";

const BOTH = ", both strands", MINUS = " - ", AT = / at \d+-\d+$/;

/** The parts of a label, as nbinterp/live/targets.py reads them. */
export function parts(label: string): { of: string; less: string; at: string; both: boolean } {
  const both = label.endsWith(BOTH), [on, less = ""] = (both ? label.slice(0, -BOTH.length) : label).split(MINUS);
  const at = AT.exec(on)?.[0] ?? "";
  return { of: on.slice(0, on.length - at.length), less, at, both };
}

export function targetPicker(targets: string[], store: Store, signal: AbortSignal): HTMLElement {
  const box = el("span", "nbi-pickers");
  const set = (change: Partial<ReturnType<typeof parts>>): void => {
    const { of, less, at, both } = { ...parts(store.state.target), ...change };
    store.set({ target: of + at + (less && less !== of ? MINUS + less : "") + (both ? BOTH : "") });
    fill();
  };
  const fill = (): void => {
    const { of, less, at, both } = parts(store.state.target), others = targets.filter((t) => t !== of);
    const strands = button(both ? "both strands" : "one strand", "ask of the sequence as it is, or of both strands", () => set({ both: !both }), signal);
    box.replaceChildren();
    if (targets.length > 1) {
      box.append(picker("output of the model", targets, of, (t) => set({ of: t, at: "" }), signal));
      box.append(picker("less which output", ["less \u2026", ...others], less || "less \u2026", (t) => set({ less: others.includes(t) ? t : "" }), signal));
    }
    if (of.endsWith("profile")) {
      const toggle = () => set({ at: !at && store.state.selection ? ` at ${store.state.selection.join("-")}` : "" });
      box.append(button(at ? at.trim() : "at selection", "ask of the selected span of the profile, or of all of it", toggle, signal));
    }
    box.append(strands);
  };
  fill();
  return box;
}
