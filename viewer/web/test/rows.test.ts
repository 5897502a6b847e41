import { describe, expect, test } from "vitest";
import { callingRows } from "../src/state/alerts";
import {
  applyAnswer,
  applyEvent,
  applyMark,
  applySnapshot,
  compareOrder,
  holdLayout,
  NO_ROWS,
  sectionOf,
  sections,
  withoutOld,
} from "../src/state/rows";
import type { EventMessage, Row } from "../src/wire";
import { AT, alert, person, row, somebody, summary } from "./fixtures";

const snapshot = (seq: number, cases: Row[]) =>
  applySnapshot({ type: "snapshot", seq, server_time: AT, cases });

const event = (seq: number, after: Row | null, type = "alert_opened"): EventMessage => ({
  type,
  seq,
  at: AT,
  case_id: after?.case_id ?? null,
  actor: "service",
  row: after,
  data: {},
});

describe("the fold of /live", () => {
  test("a snapshot and the events after it are the later snapshot", () => {
    const log = [
      event(3, row({ seq: 3, tier: "URG" })),
      event(5, row({ case_id: "c_2", seq: 5 })),
      event(6, row({ seq: 6, tier: "ACT" })),
      event(8, row({ case_id: "c_2", seq: 8, state: "closed" })),
    ];
    const end = snapshot(8, [row({ seq: 6, tier: "ACT" }), row({ case_id: "c_2", seq: 8, state: "closed" })]);
    for (let cut = 0; cut <= log.length; cut++) {
      const begin = log.slice(0, cut).reduce(applyEvent, NO_ROWS);
      const taken = snapshot(begin.seq, [...begin.cases.values()]);
      expect(log.slice(cut).reduce(applyEvent, taken)).toEqual(end);
    }
  });

  test("a board that stays open lets go of what the service shows no more, and of nothing else", () => {
    const day = 24 * 3_600_000;
    const over = (id: string, change: Partial<Row> = {}) => row({ case_id: id, state: "closed", ...change });
    const held = snapshot(9, [
      over("c_old"),
      row({ case_id: "c_open" }),
      over("c_calls", { alert: alert([person("chen")]) }),
      over("c_unread", { feedback: { sent_at: AT, seen_at: null } }),
      over("c_read", { feedback: { sent_at: AT, seen_at: AT } }),
      over("c_looked_at"),
    ]);
    const now = Date.parse(AT) + day;
    expect(withoutOld(held, now - 1, [])).toBe(held);
    const left = withoutOld(held, now, ["c_looked_at"]);
    expect([...left.cases.keys()]).toEqual(["c_open", "c_calls", "c_unread", "c_looked_at"]);
    expect(left.seq).toBe(9);
  });

  test("an event that was applied before changes nothing", () => {
    const held = snapshot(9, [row({ seq: 9, tier: "ACT" })]);
    expect(applyEvent(held, event(4, row({ seq: 4, tier: "NONE" })))).toBe(held);
  });

  test("a row whose place moved by time alone is taken at the same number", () => {
    const held = snapshot(9, [row({ seq: 7, order: [2, "c_1"] })]);
    const after = applyEvent(held, event(9, row({ seq: 7, order: [1, "c_1"] }), "order_changed"));
    expect(after.cases.get("c_1")?.order).toEqual([1, "c_1"]);
  });

  test("a command's answer is taken at once but hides no event of another case", () => {
    const answered = applyAnswer(snapshot(9, [row({ seq: 9 })]), row({ seq: 12, tier: "NONE" }));
    expect(answered.seq).toBe(9);
    const after = applyEvent(answered, event(10, row({ case_id: "c_2", seq: 10 })));
    expect(after.cases.size).toBe(2);
    expect(applyEvent(after, event(11, row({ seq: 11, tier: "ACT" }))).cases.get("c_1")?.tier).toBe("NONE");
  });

  test("a mark moves the number forward and never back", () => {
    expect(applyMark(NO_ROWS, 7).seq).toBe(7);
    expect(applyMark({ ...NO_ROWS, seq: 9 }, 7).seq).toBe(9);
  });

  test("a snapshot of a new, shorter log replaces everything", () => {
    const held = snapshot(90, [row({ seq: 90 })]);
    expect(held.cases.size).toBe(1);
    expect(snapshot(2, []).seq).toBe(2);
  });
});

describe("the worklist", () => {
  test("order is compared element by element, the missing last", () => {
    expect(compareOrder([0, 5, "a"], [0, 6])).toBeLessThan(0);
    expect(compareOrder([0, 5, "b"], [0, 5, "a"])).toBeGreaterThan(0);
    expect(compareOrder([0], [0, 1])).toBeGreaterThan(0);
    expect(compareOrder([0, null], [0, 1])).toBeGreaterThan(0);
    expect(compareOrder([1, "x"], [1, "x"])).toBe(0);
  });

  test("no row is lost: every tier has its section, only merged cases are left out", () => {
    const tiers = ["ACT", "CRIT", "URG", "FLAG", "REC", "NONE", null] as const;
    const rows = tiers.map((tier, i) => row({ case_id: `c_${i}`, tier, order: [i] }));
    const parts = sections([...rows, row({ case_id: "c_m", state: "merged" }), row({ state: "closed" })]);
    expect(parts.now.map((r) => r.tier)).toEqual(["ACT", "CRIT"]);
    expect(parts.urgent.map((r) => r.tier)).toEqual(["URG"]);
    expect(parts.rest.map((r) => r.tier)).toEqual(["FLAG", "REC", "NONE", null]);
    expect(parts.closed).toHaveLength(1);
  });

  test("an ECG that nobody has read is urgent, whatever the others say; one that never came is not", () => {
    const ecg = summary("e_2");
    expect(sectionOf(row({ tier: "NONE", ecgs: [ecg] }))).toBe("urgent");
    expect(sectionOf(row({ tier: null, ecgs: [{ ...ecg, received_at: null, live: true }] }))).toBe("urgent");
    expect(sectionOf(row({ tier: "ACT", ecgs: [ecg] }))).toBe("now");
    expect(sectionOf(row({ tier: "NONE", ecgs: [{ ...ecg, state: "diagnosed" }] }))).toBe("rest");
    expect(sectionOf(row({ tier: null, ecgs: [{ ...ecg, received_at: null }] }))).toBe("rest");
  });

  test("a case whose alert is open is among the open ones, and calls, whatever its state", () => {
    for (const state of ["closed", "merged"] as const) {
      const ringing = row({ state, alert: alert([person("chen")]) });
      expect(sections([ringing]).now).toEqual([ringing]);
      expect(callingRows([ringing], somebody("chen", "cardiologist"))).toEqual([ringing]);
    }
  });

  test("under a pointer every row keeps its place, whatever becomes of its case, and new ones come after all", () => {
    const shown = { now: ["a"], urgent: ["b", "c"], rest: ["d"], closed: ["e"] };
    const wanted = { now: ["x", "c", "a"], urgent: ["y"], rest: ["d"], closed: ["b", "e", "z"] };
    const held = holdLayout(shown, wanted);
    expect(held.layout).toEqual({
      now: ["a"],
      urgent: ["b", "c"],
      rest: ["d", "x", "y"],
      closed: ["e", "z"],
    });
    expect(held.arrivals).toEqual(["x", "y"]);
    expect(held.waiting).toBeGreaterThan(0);
    // A second change while it is held: what came first stays before what came later.
    const again = holdLayout(held.layout, { ...wanted, now: ["w", "x", "c", "a"] });
    expect(again.layout.rest).toEqual(["d", "x", "y", "w"]);
    expect(again.arrivals).toEqual(["w"]);
  });

  test("a list that is as the worklist wants it waits for nothing", () => {
    const shown = { now: ["a"], urgent: [], rest: ["d"], closed: [] };
    expect(holdLayout(shown, shown)).toEqual({ layout: shown, arrivals: [], waiting: 0 });
  });
});
