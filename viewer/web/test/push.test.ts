import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { keyBytes } from "../src/state/push";
import { listenToPush } from "../src/worker/push";
import type { Scope } from "../src/worker/scope";

interface Shown {
  title: string;
  tag: string;
  silent: boolean;
  data: { ref: string | null };
  close: () => void;
}

/** The worker in a browser of paper: what it shows, where it posts, which pages there are. */
class Browser {
  shown: Shown[] = [];
  posts: [path: string, body: unknown][] = [];
  pages: { focus: () => Promise<void>; focused: number }[] = [];
  openedPages: string[] = [];
  broken = false;
  private readonly listeners = new Map<string, (event: object) => void>();

  constructor() {
    const registration = {
      showNotification: async (title: string, options: Omit<Shown, "title" | "close">) => {
        const one: Shown = { title, ...options, close: () => this.shown.splice(this.shown.indexOf(one), 1) };
        this.shown = [...this.shown.filter((each) => each.tag !== one.tag), one];
      },
      getNotifications: async ({ tag }: { tag: string }) => this.shown.filter((each) => each.tag === tag),
    };
    const clients = {
      matchAll: async () => this.pages,
      openWindow: async (path: string) => this.openedPages.push(path),
    };
    const post = async (path: string, init: { body: string }) => {
      if (this.broken) throw new TypeError("no line");
      this.posts.push([path, JSON.parse(init.body)]);
    };
    const scope = {
      addEventListener: (name: string, run: (event: object) => void) => this.listeners.set(name, run),
      registration,
      clients,
    };
    vi.stubGlobal("fetch", post);
    listenToPush(scope as unknown as Scope);
  }

  async happen(name: string, event: object): Promise<void> {
    let done: Promise<unknown> = Promise.resolve();
    const waitUntil = (promise: Promise<unknown>): void => {
      done = promise;
    };
    this.listeners.get(name)?.({ ...event, waitUntil });
    await done;
  }

  push = (message: unknown): Promise<void> =>
    this.happen("push", { data: { json: () => JSON.parse(JSON.stringify(message)) } });
}

const ALERT = {
  kind: "alert",
  title: "胸痛预警 ACT",
  body: "阴赵卫生院",
  tag: "t1",
  ref: "0".repeat(32),
  silent: false,
  close: false,
};
const STOP = { ...ALERT, kind: "alert_stop", ref: "1".repeat(32), silent: true, close: true };

describe("push messages", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.unstubAllGlobals());

  test("shows a message and says that it is shown", async () => {
    const browser = new Browser();
    await browser.push(ALERT);
    expect(browser.shown).toMatchObject([{ title: ALERT.title, tag: "t1", silent: false }]);
    expect(browser.posts).toEqual([["/api/v1/receipts/push", { ref: ALERT.ref, status: "delivered" }]]);
  });

  test("the end of an alert takes its place without a sound, and is put away", async () => {
    const browser = new Browser();
    await browser.push(ALERT);
    await browser.push({ ...ALERT, tag: "t2" });
    await browser.push(STOP);
    expect(browser.shown.map(({ tag, silent }) => [tag, silent])).toEqual([
      ["t2", false],
      ["t1", true],
    ]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(browser.shown.map(({ tag }) => tag)).toEqual(["t2"]);
  });

  test("an alert that rings again at once is not put away with the end of the one before", async () => {
    const browser = new Browser();
    await browser.push(STOP);
    const again = { ...ALERT, ref: "2".repeat(32) };
    await browser.push(again);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(browser.shown).toMatchObject([{ silent: false, data: { ref: again.ref } }]);
  });

  test("a tap says that it was seen and opens the board, or the page that is open", async () => {
    const browser = new Browser();
    await browser.push(ALERT);
    await browser.happen("notificationclick", { notification: browser.shown[0] });
    expect(browser.posts.at(-1)).toEqual(["/api/v1/receipts/push", { ref: ALERT.ref, status: "seen" }]);
    expect([browser.shown, browser.openedPages]).toEqual([[], ["/"]]);

    const page = { focused: 0, focus: async () => void page.focused++ };
    browser.pages = [page];
    await browser.push(ALERT);
    await browser.happen("notificationclick", { notification: browser.shown[0] });
    expect([page.focused, browser.openedPages]).toEqual([1, ["/"]]);
  });

  test("what cannot be read, and what cannot be told, is shown all the same", async () => {
    const browser = new Browser();
    browser.broken = true;
    await browser.push(ALERT);
    await browser.happen("push", { data: null });
    await browser.push({ title: 4 });
    expect(browser.shown.map(({ tag }) => tag)).toEqual(["t1", "unreadable"]);
  });
});

test("a key is read from its base64url", () => {
  expect([...keyBytes("-_8")]).toEqual([251, 255]);
});
