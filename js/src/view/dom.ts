/** Small helpers of the views. */
import { on } from "../core/events";

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, name: string, text = "", attributes: Record<string, string> = {}): HTMLElementTagNameMap[K] {
  const one = Object.assign(document.createElement(tag), { className: name, textContent: text });
  for (const key in attributes) one.setAttribute(key, attributes[key]);
  return one;
}

export function download(blob: Blob, name: string): void {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A select of words; of pairs, what is chosen and the words for it. */
export function picker(label: string, choices: (string | [string, string])[], now: string, pick: (choice: string) => void, signal?: AbortSignal): HTMLSelectElement {
  const select = el("select", "nbi-select", "", { "aria-label": label, title: label });
  for (const choice of choices) {
    const [value, words] = typeof choice === "string" ? [choice, choice] : choice;
    select.append(el("option", "", words, { value }));
  }
  select.value = now;
  on(select, "change", () => pick(select.value), signal);
  return select;
}

export function button(words: string, title: string, act: () => void, signal?: AbortSignal): HTMLButtonElement {
  const one = el("button", "nbi-quiet", words, { title });
  on(one, "click", act, signal);
  return one;
}
