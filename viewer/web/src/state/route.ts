/** Addresses of the pages: /, /case/ID, /ecg/ID, /study/UID, /rules, /rules/VERSION, /admin, /admin/PART, /quality/PART, and one word for each other page. */
import { batch, signal } from "@preact/signals";

const PLAIN = [
  "clinic",
  "clocks",
  "contacts",
  "detectors",
  "drill",
  "followups",
  "help",
  "imaging",
  "join",
  "login",
  "pair",
  "roster",
  "tasks",
  "tour",
] as const;
type Plain = (typeof PLAIN)[number];

export type Route =
  | { page: "board" | Plain | "unknown" }
  | { page: "case" | "ecg" | "study"; id: string }
  | { page: "rules"; version: string | null }
  | { page: "admin"; part: string }
  | { page: "quality"; part: string; id: string };

export function parseRoute(path: string): Route {
  const [first = "", second = "", third = ""] = path.split("/").filter(Boolean).map(decoded);
  if (first === "") return { page: "board" };
  if ((first === "case" || first === "ecg" || first === "study") && second)
    return { page: first, id: second };
  if (first === "rules") return { page: first, version: second || null };
  if (first === "admin") return { page: first, part: second };
  if (first === "quality") return { page: first, part: second, id: third };
  const plain = PLAIN.find((name) => name === first);
  if (plain) return { page: plain };
  return { page: "unknown" };
}

/** What a mistyped percent sign leaves as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const here = (): Location | null => (typeof location === "undefined" ? null : location);

export const route = signal<Route>(parseRoute(here()?.pathname ?? "/"));

/** What stands behind the question mark: what a page shows of itself, so that its address brings it back. */
export const search = signal(here()?.search ?? "");

/** The place on the page that the address names: a new object each time, so that the same place can be asked for twice. */
export const place = signal<{ id: string }>({ id: decoded(here()?.hash.slice(1) ?? "") });

function look(): void {
  batch(() => {
    const now = parseRoute(location.pathname);
    if (JSON.stringify(now) !== JSON.stringify(route.value)) route.value = now;
    search.value = location.search;
    place.value = { id: decoded(location.hash.slice(1)) };
  });
}

/** `path` may end in `#` and a place on the page, which the page itself then shows. */
export function go(path: string, replace = false): void {
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  look();
  if (place.value.id === "") scrollTo(0, 0);
}

/** Links inside the pages change the page without loading it anew; a new tab stays a new tab. */
export function followLinks(): void {
  addEventListener("popstate", look);
  addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a");
    const plain =
      event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.defaultPrevented;
    if (!link || !plain || link.target || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/")) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
}
