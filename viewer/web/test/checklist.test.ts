import { describe, expect, test } from "vitest";
import { queryOf, verdictOn } from "../src/state/checklist";
import type { Reperfusion } from "../src/wireCare";

const clock = { verdict: "lysis_checklist" } as Reperfusion;

describe("the checklist of contraindications", () => {
  const none: ReadonlySet<string> = new Set();
  const two: ReadonlySet<string> = new Set(["stroke", "bleeding"]);

  test("asks by what is present, or says that none is", () => {
    expect(queryOf(none)).toBe("?contraindications=none");
    expect(queryOf(two)).toBe(queryOf(new Set(["bleeding", "stroke"])));
  });

  test("shows a verdict for exactly what is ticked: one that was not reached, or of another answer, never", () => {
    const checked = { query: queryOf(none), clock };
    expect(verdictOn(checked, none)).toBe(clock);
    expect(verdictOn(checked, two)).toBeNull();
    expect(verdictOn(null, none)).toBeNull();
  });
});
