import { expect, test } from "vitest";
import { byDestination } from "../src/state/imageAsk";
import type { ForwardedObject } from "../src/wireImageAsk";

const object: ForwardedObject = {
  destination: "hospital",
  sop_uid: "1.1",
  state: "sent",
  attempts: 1,
  next_at: null,
  reason: null,
  receipt: "0000",
  ended_at: "2026-03-02T08:00:00Z",
};

test("what became of a study is counted by archive, with why it was not taken and when it is tried again", () => {
  const waits = { ...object, state: "waiting" as const, receipt: null, reason: "network", attempts: 3 };
  const [gone, other] = byDestination([
    object,
    { ...waits, next_at: "2026-03-02T09:00:00Z" },
    { ...waits, next_at: "2026-03-02T08:30:00Z", attempts: 2 },
    { ...object, destination: "county", state: "refused", reason: "0111" },
  ]);
  expect(gone).toEqual({
    destination: "hospital",
    counts: { waiting: 2, sent: 1, refused: 0 },
    reason: "network",
    attempts: 3,
    next_at: "2026-03-02T08:30:00Z",
    receipt: "0000",
  });
  expect(other?.counts).toEqual({ waiting: 0, sent: 0, refused: 1 });
  expect(other?.reason).toBe("0111");
});
