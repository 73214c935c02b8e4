/** What the views of one page share. Modules may be loaded once a widget or once a page, so it hangs on globalThis. */
import type { Store } from "../state/store";

interface Page {
  logos: Map<string, Store>;
}

export function shared(): Page {
  const all = globalThis as Record<symbol, unknown>;
  const page = (all[Symbol.for("nbinterp.v1")] ??= {}) as Partial<Page>;
  page.logos ??= new Map();
  return page as Page;
}
