import { beforeEach, describe, expect, test } from "vitest";
import { ANSWER_MS, type LineState, LiveLine, SILENCE_MS, type SocketLike } from "../src/state/socket";
import type { LiveMessage } from "../src/wire";

class FakeSocket implements SocketLike {
  onopen = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: string[] = [];
  closed = false;
  constructor(readonly path: string) {}
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.closed = true;
  }
  say(seq: number): void {
    this.onmessage?.({ data: JSON.stringify({ type: "mark", seq, server_time: "2026-03-02T08:05:00Z" }) });
  }
}

let now = 0;
let timers: { at: number; run: () => void }[] = [];
let sockets: FakeSocket[] = [];
let states: LineState[] = [];
let refused = 0;
let seq = 0;

function advance(ms: number): void {
  const end = now + ms;
  for (;;) {
    const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
    if (!next) break;
    timers = timers.filter((timer) => timer !== next);
    now = next.at;
    next.run();
  }
  now = end;
}

function line(): LiveLine {
  return new LiveLine(
    {
      open: (path) => {
        const socket = new FakeSocket(path);
        sockets.push(socket);
        return socket;
      },
      later: (run, ms) => {
        const timer = { at: now + ms, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
      nowMs: () => now,
      random: () => 1,
    },
    {
      after: () => seq,
      message: (message: LiveMessage) => {
        if ("seq" in message) seq = message.seq;
      },
      state: (state) => states.push(state),
      refused: () => {
        refused += 1;
      },
    },
  );
}

beforeEach(() => {
  now = 0;
  timers = [];
  sockets = [];
  states = [];
  refused = 0;
  seq = 0;
});

const newest = (): FakeSocket => sockets[sockets.length - 1] as FakeSocket;

describe("the line to /live", () => {
  test("the first connection asks for a snapshot, a later one resumes after what is held", () => {
    line().start();
    expect(newest().path).toBe("/api/v1/live");
    newest().say(41);
    newest().onclose?.({ code: 1006 });
    advance(600);
    expect(newest().path).toBe("/api/v1/live?after=41");
  });

  test("a line that is closed because the session is over is looked into, though it had spoken", () => {
    line().start();
    newest().say(41);
    newest().onclose?.({ code: 1006 });
    expect(refused).toBe(0);
    advance(600);
    newest().say(42);
    newest().onclose?.({ code: 4401 });
    expect(refused).toBe(1);
  });

  test("pauses double up to ten seconds and begin anew after a message", () => {
    line().start();
    const gaps: number[] = [];
    for (let i = 0; i < 7; i++) {
      const before = now;
      newest().onclose?.({ code: 1006 });
      const count = sockets.length;
      while (sockets.length === count) advance(100);
      gaps.push(now - before);
    }
    expect(gaps).toEqual([500, 1000, 2000, 4000, 8000, 10000, 10000]);
    newest().say(1);
    newest().onclose?.({ code: 1006 });
    advance(500);
    expect(sockets).toHaveLength(9);
  });

  test("the loss is dated from its beginning, through failing attempts, until a message comes", () => {
    line().start();
    newest().say(1);
    advance(5000);
    newest().onclose?.({ code: 1006 });
    advance(600);
    newest().onclose?.({ code: 1006 });
    expect(states.at(-1)).toEqual({ open: false, lostAtMs: 5000 });
    advance(1000);
    newest().say(2);
    expect(states.at(-1)).toEqual({ open: true, lostAtMs: null });
  });

  test("a line without marks is dead although it looks open", () => {
    line().start();
    newest().say(1);
    const first = newest();
    advance(SILENCE_MS + 1000);
    expect(first.closed).toBe(true);
    expect(states.at(-1)?.open).toBe(false);
    expect(sockets).toHaveLength(2);
  });

  test("a connection closed before any message asks whether the session still stands", () => {
    line().start();
    newest().onclose?.({ code: 1006 });
    expect(refused).toBe(1);
  });

  test("nothing is sent while there is no line", () => {
    const live = line();
    live.start();
    expect(live.send({ type: "ping" })).toBe(false);
    newest().say(1);
    expect(live.send({ type: "ping" })).toBe(true);
    expect(newest().sent).toEqual(['{"type":"ping"}']);
  });

  test("when the network is said to be back it does not wait", () => {
    const live = line();
    live.start();
    newest().onclose?.({ code: 1006 });
    live.hurry();
    expect(sockets).toHaveLength(2);
    newest().say(1);
    live.hurry();
    expect(sockets).toHaveLength(2);
  });

  test("that looks open is asked whether it is, and given up soon where nothing answers", () => {
    const live = line();
    live.start();
    newest().say(1);
    live.hurry();
    expect(newest().sent).toEqual(['{"type":"ping"}']);
    newest().say(1);
    advance(ANSWER_MS + 1000);
    expect(states.at(-1)?.open).toBe(true);
    live.hurry();
    advance(ANSWER_MS);
    expect(states.at(-1)?.open).toBe(false);
  });

  test("after stop nothing is tried again", () => {
    const live = line();
    live.start();
    live.stop();
    advance(60_000);
    expect(sockets).toHaveLength(1);
    expect(sockets[0]?.closed).toBe(true);
  });
});
