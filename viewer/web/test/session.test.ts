import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { somebody } from "./fixtures";

const kept = new Map<string, string>();
let asked: string[] = [];

/** A line that is there and carries nothing: only who gives up comes back. */
const hangs = (path: string, init: RequestInit): Promise<Response> => {
  asked.push(`${init.method} ${path}`);
  return new Promise((_, failed) => {
    init.signal?.addEventListener("abort", () => failed(new DOMException("given up", "AbortError")));
  });
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  kept.clear();
  asked = [];
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  vi.stubGlobal("location", { pathname: "/", hash: "", search: "", host: "service.test" });
  vi.stubGlobal("history", { replaceState() {}, pushState() {} });
  vi.stubGlobal("scrollTo", () => {});
  vi.stubGlobal("fetch", hangs);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("on a line that is there and carries nothing", () => {
  test("an act is not waited for without end", async () => {
    const { post } = await import("../src/state/api");
    const act = post("/alerts/a_1/ack").catch((failure: unknown) => failure);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await act).toMatchObject({ status: 0, code: "network" });
  });

  test("whoever signs out is gone from the page within seconds, and the service is told later", async () => {
    const session = await import("../src/state/session");
    session.me.value = somebody("li", "clinic");
    void session.signOut();
    await vi.advanceTimersByTimeAsync(5000);
    expect(session.me.value).toBeNull();
    expect(kept.get("signOutOwed")).toBe("yes");
    expect(asked).toEqual(["DELETE /api/v1/session"]);
  });
});

test("an answer that was asked for before somebody signed out does not bring them back", async () => {
  let tell = (_: Response): void => {};
  const asking = new Promise<Response>((done) => {
    tell = done;
  });
  vi.stubGlobal("fetch", (path: string) =>
    path.endsWith("/me") ? asking : Promise.resolve(new Response(null, { status: 204 })),
  );
  const session = await import("../src/state/session");
  session.me.value = somebody("li", "clinic");
  const loading = session.loadMe();
  await session.signOut();
  tell(Response.json(somebody("li", "clinic")));
  await loading;
  expect(session.me.value).toBeNull();
  expect(session.confirmed.value).toBe(false);
});
