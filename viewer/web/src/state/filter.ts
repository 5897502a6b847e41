/** Which sites a board shows: chosen by its reader, kept in this browser, and never silent about what it leaves out. */
import { computed, signal } from "@preact/signals";
import type { Row, Site } from "../wire";
import { board } from "./live";
import type { Layout, SectionId } from "./rows";
import { me } from "./session";

const KEY = "boardSites";
const store = typeof localStorage === "undefined" ? null : localStorage;

/** Ids of the sites that are shown; empty for all. */
export const sitesShown = signal<ReadonlySet<string>>(keptSites(store?.getItem(KEY) ?? null));

/** What was kept; anything that is no list of ids shows all sites. */
export function keptSites(kept: string | null): ReadonlySet<string> {
  if (kept === null) return new Set();
  try {
    const said: unknown = JSON.parse(kept);
    return new Set(Array.isArray(said) ? said.filter((id): id is string => typeof id === "string") : []);
  } catch {
    return new Set();
  }
}

export function showSites(sites: ReadonlySet<string>): void {
  sitesShown.value = sites;
  if (sites.size === 0) store?.removeItem(KEY);
  else store?.setItem(KEY, JSON.stringify([...sites]));
}

export interface Shown {
  readonly layout: Layout;
  /** Cases of sites that are not shown, by what that leaves unseen. */
  readonly hidden: Readonly<Record<Exclude<SectionId, "closed">, readonly Row[]>>;
}

const EVERY_SITE: ReadonlySet<string> = new Set();
const SECTIONS = ["now", "urgent", "rest", "closed"] as const;

/** What the filter leaves of the sections, as ids. Pure. */
export function filtered(parts: Record<SectionId, Row[]>, sites: ReadonlySet<string>): Shown {
  const fits = (row: Row): boolean => sites.size === 0 || sites.has(row.site.id);
  const ids = (id: SectionId): string[] => parts[id].filter(fits).map((row) => row.case_id);
  const rest = (id: SectionId): Row[] => (sites.size === 0 ? [] : parts[id].filter((row) => !fits(row)));
  return {
    layout: { now: ids("now"), urgent: ids("urgent"), rest: ids("rest"), closed: ids("closed") },
    hidden: { now: rest("now"), urgent: rest("urgent"), rest: rest("rest") },
  };
}

/** The same list where nothing in it has moved: whoever draws it then has nothing to do. */
export function settled(before: Layout, after: Layout): Layout {
  const kept = { ...after };
  let moved = false;
  for (const id of SECTIONS) {
    if (sameIds(before[id], after[id])) kept[id] = before[id];
    else moved = true;
  }
  return moved ? kept : before;
}

const sameIds = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);

let last: Layout = { now: [], urgent: [], rest: [], closed: [] };

/** Who sees one site alone has nothing to choose: what another person of this browser chose hides nothing from them. */
export const hasChoice = computed(() => me.value?.user.sites?.length !== 1);

const shown = computed(() => filtered(board.value, hasChoice.value ? sitesShown.value : EVERY_SITE));

/** Where each case stands on this board; the same object until one moves. */
export const layout = computed(() => {
  last = settled(last, shown.value.layout);
  return last;
});

export const hidden = computed(() => shown.value.hidden);

/** The sites that have cases on the board, by distance, with how many are open. */
export const sitesThere = computed(() => {
  const found = new Map<string, { site: Site; open: number }>();
  for (const section of SECTIONS)
    for (const row of board.value[section]) {
      const one = found.get(row.site.id) ?? { site: row.site, open: 0 };
      if (section !== "closed") one.open += 1;
      found.set(row.site.id, one);
    }
  return [...found.values()].sort((a, b) => a.site.id.localeCompare(b.site.id));
});
