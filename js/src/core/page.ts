/** What the views of one page share. Modules may be loaded once a widget or once a page, so it hangs on globalThis. */
import type { Store } from "../state/store";
import { Link } from "./link";

interface Page {
  logos: Map<string, Store>;
  links: Map<string, Link>;
}

export function shared(): Page {
  const all = globalThis as Record<symbol, unknown>;
  const page = (all[Symbol.for("nbinterp.v1")] ??= {}) as Partial<Page>;
  page.logos ??= new Map();
  page.links ??= new Map();
  return page as Page;
}

/** The link of a name; made when the first view asks for it. */
export function linkOf(id: string): Link {
  const { links } = shared();
  let link = links.get(id);
  if (!link) links.set(id, (link = new Link()));
  return link;
}
