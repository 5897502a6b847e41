import { describe, expect, test } from "vitest";
import { type DueCall, ringingCalls, ringsToTell, type UntoldCall, untoldOf } from "../src/state/imageCalls";

const call = { case_id: "c_1", site: null, due_at: "2026-03-02T08:00:00Z" };
const due: DueCall = { ...call, key: "a:1:0", study_uid: "1.1", tier: "CRIT", alert_id: "a", owed: true };
const untold: UntoldCall = {
  ...call,
  key: "r:0",
  study_uid: "1.2",
  critical: [{ id: "free_air", zh: "穿孔", en: "perforation" }],
  overdue: false,
  mine: true,
};
const NONE: ReadonlySet<string> = new Set();
const rung = (...args: Parameters<typeof ringingCalls>) => ringingCalls(...args).map((one) => one.key);

describe("what the page rings for", () => {
  const calls = { due: [due], untold: [untold] };

  test("an untold result before a due report; nothing before the service has said anything", () => {
    expect(rung(calls, NONE, "radiologist", null)).toEqual(["r:0", "a:1:0"]);
    expect(rung(null, NONE, "radiologist", null)).toEqual([]);
  });

  test("what was put away is heard again under the next ring, and not while its study is looked at", () => {
    expect(rung(calls, new Set(["a:1:0", "r:0"]), "radiologist", null)).toEqual([]);
    const next = { due: [{ ...due, key: "a:1:1" }], untold: [] };
    expect(rung(next, new Set(["a:1:0"]), "radiologist", null)).toEqual(["a:1:1"]);
    expect(rung(calls, NONE, "radiologist", "1.2")).toEqual(["a:1:0"]);
  });

  test("what the service does not know to be here is said, and of the study before the eyes that it is seen", () => {
    const said = (one: DueCall, looked: string | null) =>
      ringsToTell({ due: [one], untold: [untold] }, looked).map(({ type, ring }) => `${type} ${ring.key}`);
    expect(said(due, null)).toEqual(["delivered a:1:0"]);
    expect(said({ ...due, owed: false }, null)).toEqual([]);
    expect(said({ ...due, owed: false }, "1.1")).toEqual(["seen a:1:0"]);
    expect(ringsToTell(null, null)).toEqual([]);
  });

  test("another's duty rings at the clinic, which has the patient, and on no other page", () => {
    const others = { due: [], untold: [{ ...untold, mine: false }] };
    expect(rung(others, NONE, "clinic", null)).toEqual(["r:0"]);
    expect(rung(others, NONE, "cardiologist", null)).toEqual([]);
    expect(untoldOf(others, "c_1")).toHaveLength(1);
    expect(untoldOf(others, "c_2")).toEqual([]);
  });
});
