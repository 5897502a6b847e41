/** Addresses of the pages: /, /case/ID, /ecg/ID, /clinic, /login. */
import { signal } from "@preact/signals";

export type Route = { page: "board" | "clinic" | "login" | "unknown" } | { page: "case" | "ecg"; id: string };

export function parseRoute(path: string): Route {
  const [first = "", second = ""] = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (first === "") return { page: "board" };
  if ((first === "case" || first === "ecg") && second) return { page: first, id: second };
  if (first === "clinic" || first === "login") return { page: first };
  return { page: "unknown" };
}

export const route = signal<Route>(parseRoute(typeof location === "undefined" ? "/" : location.pathname));

export function go(path: string, replace = false): void {
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  route.value = parseRoute(location.pathname);
  scrollTo(0, 0);
}

/** Links inside the pages change the page without loading it anew; a new tab stays a new tab. */
export function followLinks(): void {
  addEventListener("popstate", () => {
    route.value = parseRoute(location.pathname);
  });
  addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a");
    const plain =
      event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.defaultPrevented;
    if (!link || !plain || link.target || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/")) return;
    event.preventDefault();
    go(link.pathname);
  });
}
