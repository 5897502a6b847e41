import { describe, expect, test } from "vitest";
import { callsMe } from "../src/state/alerts";
import { clinicOrder } from "../src/state/clinic";
import { drillClass, isDrill, realFirst } from "../src/state/drill";
import { isLive } from "../src/state/rows";
import { alert, person, row, somebody } from "./fixtures";

const DRILL = { ends_at: "2026-03-02T08:25:00.000Z" };

describe("a drill", () => {
  const practice = row({ case_id: "c_d", drill: DRILL, order: [1, 0, 1, "c_d"] });
  const real = row({ case_id: "c_r", order: [0, 2, 9, "c_r"], tier: "URG" });

  test("is known by its row, and marks whatever shows it", () => {
    expect([isDrill(practice), isDrill(real), isDrill(undefined)]).toEqual([true, false, false]);
    expect([drillClass(practice), drillClass(real)]).toEqual([" drill", ""]);
  });

  test("never stands before a patient, however urgent it looks and whoever has not answered", () => {
    expect(realFirst([practice, real]).map((one) => one.case_id)).toEqual(["c_r", "c_d"]);
    const unanswered = { ...practice, alert: alert([person("chen")], { exhausted: true }) };
    expect(clinicOrder([unanswered, real]).map((one) => one.case_id)).toEqual(["c_r", "c_d"]);
  });

  test("that is over calls nobody, though nobody had answered", () => {
    const over = row({ drill: DRILL, state: "closed", alert: alert([person("chen")], { state: "ended" }) });
    expect(isLive(over)).toBe(false);
    expect(callsMe(over.alert, somebody("chen", "cardiologist"))).toBe(false);
  });
});
