import { describe, expect, test } from "vitest";
import { otherFirst } from "../src/state/acts";
import { unreadFeedback } from "../src/state/clinic";
import { calledPeople, reachedOn } from "../src/state/people";
import { AT, alert, person, row } from "./fixtures";

describe("who of an alert was reached", () => {
  test("one channel says the most that is known of it", () => {
    expect(reachedOn(person("zhang")).reached).toBe("sent");
    expect(reachedOn(person("zhang", { delivered_at: AT })).reached).toBe("delivered");
    expect(reachedOn(person("zhang", { delivered_at: AT, seen_at: AT })).reached).toBe("seen");
    expect(reachedOn(person("zhang", { seen_at: AT, declined_at: AT })).reached).toBe("declined");
    expect(reachedOn(person("zhang", { seen_at: AT, acknowledged_at: AT })).reached).toBe("acknowledged");
    expect(reachedOn(person("zhang", { sent_at: null }))).toEqual({ reached: "waiting", at: null });
  });

  test("a channel that gave up and yet brought it is no unreachable one", () => {
    expect(reachedOn(person("zhang", { unreachable_at: AT })).reached).toBe("unreachable");
    expect(reachedOn(person("zhang", { unreachable_at: AT, delivered_at: AT })).reached).toBe("delivered");
  });

  test("a person stands once, with the best that any channel has brought, in the order of calling", () => {
    const called = calledPeople(
      alert([
        person("zhang", { channel: "sms", unreachable_at: AT }),
        person("li", { channel: "phone", unreachable_at: AT }),
        person("zhang", { channel: "live", seen_at: AT }),
      ]),
    );
    expect(called.map((one) => [one.person, one.reached])).toEqual([
      ["zhang", "seen"],
      ["li", "unreachable"],
    ]);
    expect(called[0]?.channels).toHaveLength(2);
  });
});

test("the clinic is shown what came back and nobody has read, whatever became of the case", () => {
  const sent = (id: string, sent_at: string, seen_at: string | null) =>
    row({ case_id: id, state: "closed", feedback: { sent_at, seen_at } });
  const cases = [row(), sent("c_2", "2026-03-02T08:00Z", null), sent("c_3", AT, AT), sent("c_4", AT, null)];
  expect(unreadFeedback(cases).map((one) => one.case_id)).toEqual(["c_4", "c_2"]);
});

describe("two who answer at once", () => {
  const zhao = { person: "zhao", name: "赵主任" };
  const answered = { ...alert([]), state: "acknowledged" as const, acknowledged_at: AT, held_by: zhao };

  test("the second is told who has it and since when; the first is told nothing", () => {
    expect(otherFirst(answered, "chen")).toEqual({ who: zhao, at: AT });
    expect(otherFirst(answered, "zhao")).toBeNull();
    expect(otherFirst(null, "chen")).toBeNull();
  });
});
