import { describe, expect, test } from "vitest";
import { signedLine } from "../src/parts/SignedReading";
import { nextAct } from "../src/state/alerts";
import { clinicOrder, isUnanswered } from "../src/state/clinic";
import { agreed, disagreed, proposesChannel, shownTier, signedFirst, signedOf } from "../src/state/verdict";
import "../src/textsRest";
import { AT, alert, person, reading, row, somebody, summary } from "./fixtures";

const chen = somebody("chen", "cardiologist");
const act = summary("e_1", { tier: "ACT" });

describe("whose words stand first", () => {
  test("the machine's until a doctor has signed", () => {
    const unread = row({ ecgs: [act] });
    expect(signedFirst(unread)).toBeNull();
    expect([shownTier(unread), agreed(unread), proposesChannel(unread)]).toEqual(["ACT", false, true]);
  });

  test("the doctor's once signed; the machine's stay marked where the tiers differ", () => {
    const read = row({ ecgs: [{ ...act, signed_tier: "NONE" }], reading: reading() });
    expect(signedFirst(read)?.text).toBe("早期复极");
    expect([shownTier(read), agreed(read), disagreed(read)]).toEqual(["NONE", false, true]);
    expect(nextAct(read, chen)).toBe("openCase");
  });

  test("a doctor who agrees takes the mark away and leaves the channel the next act", () => {
    const read = row({ ecgs: [{ ...act, signed_tier: "ACT" }], reading: reading({ tier: "ACT" }) });
    expect([agreed(read), nextAct(read, chen)]).toEqual([true, "openGreen"]);
  });

  test("a new ECG of the same tier is unreviewed, but nobody has disagreed with it", () => {
    const later = row({
      ecg_id: "e_2",
      ecgs: [{ ...act, signed_tier: "ACT" }, summary("e_2", { tier: "ACT" })],
      reading: reading({ tier: "ACT" }),
    });
    expect(signedFirst(later)?.ecg_id).toBe("e_1");
    expect([agreed(later), disagreed(later)]).toEqual([false, false]);
  });

  test("a doctor who sees more than the machine is offered the channel", () => {
    const read = row({
      tier: "NONE",
      ecgs: [summary("e_1", { tier: "NONE", signed_tier: "ACT" })],
      reading: reading({ tier: "ACT" }),
    });
    expect([shownTier(read), agreed(read), nextAct(read, chen)]).toEqual(["ACT", false, "openGreen"]);
  });

  test("a reading of a harmless ECG never hides another ECG of the case, read or not", () => {
    const harmless = summary("e_2", { tier: "NONE", signed_tier: "NONE" });
    for (const other of [act, { ...act, signed_tier: "ACT" as const }]) {
      const both = row({ ecgs: [other, harmless], reading: reading({ ecg_id: "e_2" }) });
      expect(signedFirst(both)).toBeNull();
      expect([shownTier(both), proposesChannel(both)]).toEqual(["ACT", true]);
    }
    const settled = row({
      ecgs: [{ ...act, signed_tier: "NONE" }, harmless],
      reading: reading({ ecg_id: "e_2" }),
    });
    expect([signedFirst(settled)?.tier, proposesChannel(settled)]).toEqual(["NONE", false]);
  });
});

describe("the clinic's page", () => {
  test("the most urgent case stands first, whatever came last; one that nobody answers before all", () => {
    const infarction = row({ case_id: "c_old", order: [0, 1] });
    const harmless = row({
      case_id: "c_new",
      tier: "NONE",
      order: [5, 0],
      opened_at: "2026-03-02T09:00:00.000Z",
    });
    const exhausted = row({
      case_id: "c_x",
      tier: "URG",
      order: [2],
      alert: alert([person("a")], { exhausted: true }),
    });
    const ids = (rows: ReturnType<typeof row>[]) => clinicOrder(rows).map((each) => each.case_id);
    expect(ids([harmless, infarction])).toEqual(["c_old", "c_new"]);
    expect(ids([harmless, infarction, exhausted])).toEqual(["c_x", "c_old", "c_new"]);
  });

  test("an answered alert is no longer unanswered, a closed case with an open one still is", () => {
    const rung = alert([person("a")], { exhausted: true });
    expect(isUnanswered(row({ alert: { ...rung, state: "acknowledged", acknowledged_at: AT } }))).toBe(false);
    const closed = row({ state: "closed", alert: rung });
    expect([isUnanswered(closed), clinicOrder([closed]).length]).toEqual([true, 1]);
    expect(clinicOrder([row({ state: "closed" })])).toEqual([]);
  });
});

describe("an ECG that was signed before another of its case was", () => {
  const both = row({
    ecgs: [summary("e_1", { tier: "ACT", signed_tier: "ACT" }), summary("e_2", { signed_tier: "NONE" })],
    reading: reading({ ecg_id: "e_2" }),
  });

  test("stays a signed one", () => {
    expect(signedOf(both, "e_1")).toEqual({ tier: "ACT", reading: null });
    expect(signedOf(both, "e_2")?.reading?.text).toBe("早期复极");
    expect(signedOf(row({ ecgs: [act] }), "e_1")).toBeNull();
    expect(signedOf(undefined, "e_1")).toBeNull();
  });

  test("is never printed as not signed", () => {
    expect(signedLine(both, "e_1")).toContain("医师已签发");
    expect(signedLine(both, "e_2")).toContain("早期复极");
    expect(signedLine(row({ ecgs: [act] }), "e_1")).toContain("未签发");
  });
});
