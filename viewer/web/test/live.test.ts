import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { line, rows, startLive, stopLive } from "../src/state/live";
import type { Row } from "../src/wire";
import { AT, row } from "./fixtures";

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
