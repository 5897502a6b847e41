import { h, render } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Loaded, useLoaded } from "../src/parts/load";
import { type RulesRead, useRules } from "../src/parts/useRules";
import { line } from "../src/state/live";

/** A part that shows nothing: it tells what it was given. */
let given: Loaded<string> | null = null;
function Probe({ path }: { path: string }): null {
  given = useLoaded<string>(path, 1);
  return null;
}

/** The same for the rules of a version. */
let readRules: RulesRead | null = null;
function RulesProbe({ version }: { version: string }): null {
  readRules = useRules(version);
  return null;
}

const asked: string[] = [];
let network: "there" | "gone" = "there";
/** Of a document as much as a part without elements needs. */
const page = { nodeType: 1, childNodes: [], firstChild: null, insertBefore() {}, removeChild() {} };

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(200);
}

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    if (network === "gone") throw new TypeError("no line");
    return Response.json("read");
  });
});

afterEach(() => {
  render(null, page as unknown as Element);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("what a page reads of the service", () => {
  test("is asked for once where it came", async () => {
    network = "there";
    line.value = { open: true, lostAtMs: null };
    render(h(Probe, { path: "/a" }), page as unknown as Element);
    await settle();
    expect(given).toMatchObject({ value: "read", problem: null });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual(["/api/v1/a"]);
  });

  test("and was not reached is asked for again as soon as there is a line, without an event", async () => {
    network = "gone";
    line.value = { open: false, lostAtMs: 0 };
    render(h(Probe, { path: "/b" }), page as unknown as Element);
    await settle();
    expect(given?.problem?.status).toBe(0);
    network = "there";
    line.value = { open: true, lostAtMs: null };
    await vi.advanceTimersByTimeAsync(5000);
    expect(given).toMatchObject({ value: "read", problem: null });
  });

  test("is left alone without a line, and asked for ever more seldom where the service is broken", async () => {
    network = "gone";
    line.value = { open: false, lostAtMs: 0 };
    render(h(Probe, { path: "/c" }), page as unknown as Element);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveLength(1);
    line.value = { open: true, lostAtMs: null };
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.length).toBeLessThan(20);
  });

  test("rules that were not reached are asked for again, too", async () => {
    network = "gone";
    line.value = { open: false, lostAtMs: 0 };
    render(h(RulesProbe, { version: "v9" }), page as unknown as Element);
    await settle();
    expect(readRules?.problem?.status).toBe(0);
    network = "there";
    line.value = { open: true, lostAtMs: null };
    await vi.advanceTimersByTimeAsync(5000);
    expect(readRules).toMatchObject({ rules: "read", problem: null });
  });
});
