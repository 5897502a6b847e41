import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Scope, Shell } from "../src/worker/scope";
import { keepShell, NETWORK_WAIT_MS } from "../src/worker/shell";

const ORIGIN = "http://clinic.test";
const INDEX = "/static/index.html";
const ENTRY = "/static/assets/index-1.js";

/** A browser of paper: its caches, and a network that answers, fails or hangs. */
class Browser {
  readonly caches = new Map<string, Map<string, Response>>();
  network: "there" | "gone" | "hangs" | "broken" = "there";
  asked: string[] = [];
  private listeners = new Map<string, (event: object) => void>();

  constructor() {
    vi.stubGlobal("caches", {
      open: async (name: string) => this.cache(name),
      keys: async () => [...this.caches.keys()],
      delete: async (name: string) => this.caches.delete(name),
    });
    vi.stubGlobal("fetch", (request: Request) => this.fetch(request));
    vi.stubGlobal(
      "Request",
      class {
        url: string;
        constructor(path: string) {
          this.url = ORIGIN + path;
        }
      },
    );
  }

  private cache(name: string) {
    const held = this.caches.get(name) ?? new Map<string, Response>();
    this.caches.set(name, held);
    const path = (asked: string | { url: string }): string =>
      typeof asked === "string" ? asked : new URL(asked.url).pathname;
    return {
      addAll: async (requests: { url: string }[]) => {
        for (const one of requests) held.set(path(one), await this.fetch(one as Request));
      },
      match: async (asked: string | { url: string }) => held.get(path(asked))?.clone(),
      put: async (asked: { url: string }, answer: Response) => void held.set(path(asked), answer),
    };
  }

  private async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    this.asked.push(pathname);
    if (this.network === "gone") throw new TypeError("no line");
    if (this.network === "hangs") return new Promise(() => {});
    if (this.network === "broken") return new Response("a proxy's own words", { status: 502 });
    return new Response(`network ${pathname}`);
  }

  /** A build's worker takes over. */
  async takeOver(shell: Shell): Promise<void> {
    this.listeners = new Map();
    keepShell({
      SHELL: shell,
      location: { origin: ORIGIN },
      addEventListener: (name: string, run: (event: object) => void) => this.listeners.set(name, run),
      skipWaiting: async () => {},
      clients: { claim: async () => {} },
    } as unknown as Scope);
    for (const name of ["install", "activate"]) await this.happen(name);
  }

  private async happen(name: string): Promise<void> {
    let done: Promise<unknown> = Promise.resolve();
    this.listeners.get(name)?.({
      waitUntil: (promise: Promise<unknown>) => {
        done = promise;
      },
    });
    await done;
  }

  /** What the page gets; undefined where the worker keeps out of it. */
  async get(path: string, mode = "cors", method = "GET"): Promise<string | undefined> {
    let answer: Promise<Response> | undefined;
    this.listeners.get("fetch")?.({
      request: { url: ORIGIN + path, mode, method },
      respondWith: (promise: Promise<Response>) => {
        answer = promise;
      },
    });
    return answer && (await answer).text();
  }
}

const FIRST: Shell = { version: "1", files: [INDEX, ENTRY] };

describe("the page without a network", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.unstubAllGlobals());

  test("every address of the page opens from what is kept; with a network the newest comes", async () => {
    const browser = new Browser();
    await browser.takeOver(FIRST);
    expect(await browser.get("/clinic", "navigate")).toBe("network /clinic");
    browser.network = "gone";
    expect(await browser.get("/clinic", "navigate")).toBe(`network ${INDEX}`);
    expect(await browser.get("/case/c_1", "navigate")).toBe(`network ${INDEX}`);
    expect(await browser.get(ENTRY)).toBe(`network ${ENTRY}`);
  });

  test("a line that is there and carries nothing does not keep the page away", async () => {
    const browser = new Browser();
    await browser.takeOver(FIRST);
    browser.network = "hangs";
    const page = browser.get("/clinic", "navigate");
    await vi.advanceTimersByTimeAsync(NETWORK_WAIT_MS);
    expect(await page).toBe(`network ${INDEX}`);
  });

  test("a proxy whose service is down does not keep the page away with words of its own", async () => {
    const browser = new Browser();
    await browser.takeOver(FIRST);
    browser.network = "broken";
    expect(await browser.get("/clinic", "navigate")).toBe(`network ${INDEX}`);
  });

  test("answers of the interface are never kept nor made up, and sending is left alone", async () => {
    const browser = new Browser();
    await browser.takeOver(FIRST);
    for (const path of [
      "/api/v1/me",
      "/api/v1/ecgs/e_1",
      "/readyz",
      "/dicom-web/studies",
      "/docs",
      "/openapi.json",
    ])
      expect(await browser.get(path, "navigate"), path).toBeUndefined();
    expect(await browser.get("/api/v1/ecgs", "cors", "POST")).toBeUndefined();
    expect([...(browser.caches.get("shell-1")?.keys() ?? [])]).toEqual([INDEX, ENTRY]);
  });

  test("a new build takes the place of the old one, whose files are removed", async () => {
    const browser = new Browser();
    await browser.takeOver(FIRST);
    await browser.takeOver({ version: "2", files: [INDEX, "/static/assets/index-2.js"] });
    expect([...browser.caches.keys()]).toEqual(["shell-2"]);
  });

  test("a page that was opened before opens again: its files stay beside the shell", async () => {
    const browser = new Browser();
    await browser.takeOver(FIRST);
    const chunk = "/static/assets/CasePage-1.js";
    await browser.get(chunk);
    browser.network = "gone";
    expect(await browser.get(chunk)).toBe(`network ${chunk}`);
    await expect(browser.get("/static/assets/Board-1.js")).rejects.toThrow("no line");
  });

  test("a shell with a hole is not installed", async () => {
    const browser = new Browser();
    browser.network = "gone";
    await expect(browser.takeOver(FIRST)).rejects.toThrow("no line");
  });
});
