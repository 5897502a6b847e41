import { describe, expect, test } from "vitest";
import { mayClose, overdueFirst } from "../src/state/followups";
import { byDay, onDutyNow, othersIn, shiftsOf } from "../src/state/roster";
import type { ListedFollowUp } from "../src/wireCare";
import type { Roster, RosterNow, Shift } from "../src/wireDuty";
import { AT, somebody } from "./fixtures";

const shift = (person: string, from: string, change: Partial<Shift> = {}): Shift => ({
  shift_id: `${person} ${from}`,
  role: "first",
  person,
  name: `Dr ${person}`,
  site: null,
  from,
  to: new Date(Date.parse(from) + 43_200_000).toISOString(),
  instead_of: null,
  ...change,
});

const MORNING = "2026-03-02T00:00:00.000Z"; // 08:00 on the network's wall clock
const NIGHT = "2026-03-02T12:00:00.000Z";
const NEXT = "2026-03-03T00:00:00.000Z";

describe("the roster", () => {
  const roster: Roster = {
    from: MORNING,
    to: NEXT,
    roles: {
      first: [shift("chen", MORNING), shift("lin", NIGHT), shift("chen", NEXT)],
      head: [shift("zhao", MORNING, { role: "head" })],
    },
  };

  test("shows a person's own shifts that are not over, and to whom else one may be given", () => {
    expect(shiftsOf(roster, "chen", Date.parse(AT)).map((one) => one.from)).toEqual([MORNING, NEXT]);
    expect(shiftsOf(roster, "chen", Date.parse(NIGHT)).map((one) => one.from)).toEqual([NEXT]);
    expect(othersIn(roster, "chen").map((one) => one.person)).toEqual(["lin", "zhao"]);
  });

  test("stands by the day of the network's wall clock, each day in order of time and place", () => {
    const evening = shift("lin", "2026-03-02T17:00:00.000Z"); // after midnight there
    const days = byDay({ ...roster, roles: { ...roster.roles, second: [evening] } });
    expect(days.map(([day, shifts]) => [day, shifts.map((one) => one.person)])).toEqual([
      ["2026-03-02", ["chen", "zhao", "lin"]],
      ["2026-03-03", ["lin", "chen"]],
    ]);
  });

  test("of one's own site stands before that of the network", () => {
    const network = { first: shift("chen", MORNING), second: null };
    const own = { first: shift("sun", MORNING, { site: "jishi" }), second: null };
    const now: RosterNow = { at: AT, roles: network, sites: { jishi: own } };
    const clinic = somebody("sun", "clinic");
    clinic.user.sites = ["jishi"];
    expect(onDutyNow(now, somebody("chen", "cardiologist"))[0]?.[1]?.person).toBe("chen");
    expect(onDutyNow(now, clinic)[0]?.[1]?.person).toBe("sun");
    expect(onDutyNow(now, clinic)[1]).toEqual(["second", null]);
  });
});

describe("follow-ups", () => {
  const one = (overdue: boolean): ListedFollowUp => ({ overdue, role: "clinic" }) as ListedFollowUp;

  test("that are late come first and by themselves", () => {
    const { late, ahead } = overdueFirst([one(true), one(false), one(true)]);
    expect([late.length, ahead.length]).toEqual([2, 1]);
  });

  test("are closed by those whose list they are on, by doctors and by quality staff", () => {
    for (const role of ["clinic", "reader", "cardiologist", "ed", "quality"] as const)
      expect(mayClose(one(true), role), role).toBe(true);
    for (const role of ["dispatch", "cathlab", "admin", undefined] as const)
      expect(mayClose(one(true), role), String(role)).toBe(false);
  });
});
