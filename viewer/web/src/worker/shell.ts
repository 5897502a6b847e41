/**
 * The page opens without a network: what the clinic's page needs is kept, under the version of its build.
 *
 * No answer of the interface is ever kept: what stands on the page is the service's newest word, or is said to be old.
 */
import type { Extendable, FetchLike, Scope } from "./scope";

const PREFIX = "shell-";
const INDEX = "/static/index.html";
/** A link that is there and carries nothing must not keep the page away. */
export const NETWORK_WAIT_MS = 4000;
/** Addresses of programs: never a page, never kept. */
const PROGRAMS = /^\/(api|dicom-web|healthz|readyz|metrics|docs|openapi\.json)(\/|$)/;
/** Their names carry their content's hash: what is kept under a name is that thing. */
const ASSETS = "/static/assets/";

export function keepShell(scope: Scope): void {
  const { SHELL: shell } = scope;
  scope.addEventListener("install", (event: Extendable) =>
    event.waitUntil(Promise.all([scope.skipWaiting(), shell && keep(shell.version, shell.files)])),
  );
  scope.addEventListener("activate", (event: Extendable) =>
    event.waitUntil(Promise.all([scope.clients.claim(), forgetOthers(shell?.version)])),
  );
  if (!shell) return;
  scope.addEventListener("fetch", (event: FetchLike) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== scope.location.origin || PROGRAMS.test(url.pathname))
      return;
    if (request.mode === "navigate") event.respondWith(page(request, shell.version));
    else if (url.pathname.startsWith(ASSETS)) event.respondWith(asset(request, shell.version));
    else if (url.pathname.startsWith("/static/")) event.respondWith(newest(request, shell.version));
  });
}

const cacheOf = (version: string): Promise<Cache> => caches.open(PREFIX + version);

/** All or nothing: a worker whose shell has holes is not installed, and is tried again. */
async function keep(version: string, files: readonly string[]): Promise<void> {
  const cache = await cacheOf(version);
  await cache.addAll(files.map((file) => new Request(file, { cache: "no-cache" })));
}

async function forgetOthers(version: string | undefined): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== PREFIX + version);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** The service's newest page; without a network, or where it is too slow, or down behind its proxy, the kept one. */
async function page(request: Request, version: string): Promise<Response> {
  const kept = await (await cacheOf(version)).match(INDEX);
  if (!kept) return fetch(request);
  const late = new Promise<undefined>((done) => setTimeout(() => done(undefined), NETWORK_WAIT_MS));
  try {
    const answer = await Promise.race([fetch(request), late]);
    return answer === undefined || answer.status >= 500 ? kept : answer;
  } catch {
    return kept;
  }
}

async function asset(request: Request, version: string): Promise<Response> {
  const cache = await cacheOf(version);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const fresh = await fetch(request);
  // Kept beside the shell: a page that was open before opens again without a network.
  if (fresh.ok) void cache.put(request, fresh.clone()).catch(() => undefined);
  return fresh;
}

async function newest(request: Request, version: string): Promise<Response> {
  try {
    return await fetch(request);
  } catch (failure) {
    const kept = await (await cacheOf(version)).match(request, { ignoreVary: true });
    if (kept) return kept;
    throw failure;
  }
}
