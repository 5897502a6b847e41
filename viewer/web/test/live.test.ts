import { effect } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { line, rowSignal, rows, startLive, stopLive, watchWave } from "../src/state/live";
import { me } from "../src/state/session";
import type { Row } from "../src/wire";
import { AT, row, somebody } from "./fixtures";

/** The browser's socket, as far as a page sees it. */
class Socket {
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closed = false;
  readonly sent: object[] = [];
  constructor(readonly url: string) {
    sockets.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as object);
  }
  close(): void {
    this.closed = true;
  }
  mark(seq: number, server_time: string): void {
    this.onmessage?.({ data: JSON.stringify({ type: "mark", seq, server_time }) });
  }
  snapshot(seq: number, cases: Row[]): void {
    this.onmessage?.({ data: JSON.stringify({ type: "snapshot", seq, server_time: AT, cases }) });
  }
}

let sockets: Socket[] = [];
const newest = (): Socket => sockets.at(-1) as Socket;

beforeEach(() => {
  sockets = [];
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("location", { protocol: "http:", host: "service.test" });
  vi.stubGlobal("document", { visibilityState: "hidden", addEventListener() {}, removeEventListener() {} });
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("removeEventListener", () => {});
});

afterEach(() => {
  stopLive();
  vi.unstubAllGlobals();
});

describe("the line of a page", () => {
  test("asked for again for the same person, it stays", () => {
    startLive("chen");
    newest().snapshot(7, [row()]);
    startLive("chen");
    expect(sockets).toHaveLength(1);
    expect([...rows.value.cases.keys()]).toEqual(["c_1"]);
    expect(line.value.open).toBe(true);
  });

  test("of another person it begins anew, and nothing of the one before is left on the page", () => {
    startLive("chen");
    newest().snapshot(7, [row()]);
    startLive("zhou");
    expect(sockets.map((socket) => socket.closed)).toEqual([true, false]);
    expect(newest().url).not.toContain("after=");
    expect(rows.value.cases.size).toBe(0);
    expect(line.value.open).toBe(false);
  });

  test("is not called connected by what the line of an earlier session said", () => {
    startLive("chen");
    newest().snapshot(7, []);
    stopLive();
    startLive("chen");
    expect(line.value.open).toBe(false);
  });
});

describe("the row of one case", () => {
  test("tells its reader that it has left, and the next reader when it comes back", () => {
    startLive("chen");
    newest().snapshot(7, [row({ state: "closed" })]);
    const seen: (string | undefined)[] = [];
    const stop = effect(() => void seen.push(rowSignal("c_1").value?.state));
    newest().mark(8, "2026-03-04T08:05:00.000Z");
    newest().snapshot(9, [row({ seq: 9, state: "open" })]);
    expect(seen).toEqual(["closed", undefined, "open"]);
    stop();
  });
});

describe("a running stream", () => {
  const asked = (): (string | null)[] =>
    newest().sent.flatMap((said) => ("ecg_id" in said ? [said.ecg_id as string | null] : []));

  test("is asked for while somebody looks at it, and no longer", () => {
    me.value = somebody("chen", "cardiologist");
    startLive("chen");
    newest().snapshot(7, []);
    const leave = watchWave("e_1", () => {});
    leave();
    expect(asked()).toEqual(["e_1", null]);
  });

  test("beside another one that is still looked at is asked for again", () => {
    me.value = somebody("chen", "cardiologist");
    startLive("chen");
    newest().snapshot(7, []);
    const leave = watchWave("e_1", () => {});
    watchWave("e_2", () => {})();
    expect(asked()).toEqual(["e_1", "e_2", "e_1"]);
    leave();
  });

  test("is not asked for by whoever may see no trace: the service would end the line", () => {
    me.value = somebody("gao", "admin");
    startLive("gao");
    newest().snapshot(7, []);
    watchWave("e_1", () => {})();
    expect(asked()).toEqual([]);
  });
});
