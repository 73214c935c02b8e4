/** Small helpers of the views. */

export const el = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, text = ""): HTMLElementTagNameMap[K] =>
  Object.assign(document.createElement(tag), { className: name, textContent: text });

export function download(blob: Blob, name: string): void {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A select of words; hidden while there is nothing to choose. */
export function picker(label: string, choices: string[], now: string, pick: (choice: string) => void, signal: AbortSignal): HTMLSelectElement {
  const select = el("select", "nbi-select");
  select.setAttribute("aria-label", label);
  select.title = label;
  choices.forEach((choice) => select.append(Object.assign(el("option", "", choice), { value: choice })));
  select.value = now;
  select.addEventListener("change", () => pick(select.value), { signal });
  return select;
}
