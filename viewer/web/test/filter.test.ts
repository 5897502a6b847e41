import { beforeEach, describe, expect, test } from "vitest";
import { hidden, layout, showSites } from "../src/state/filter";
import { takeAnswer } from "../src/state/live";
import { me } from "../src/state/session";
import { row, somebody } from "./fixtures";

describe("the filter by site", () => {
  beforeEach(() => {
    takeAnswer(row({ case_id: "c_1" }));
    showSites(new Set(["jishi"]));
  });

  test("leaves out what was not chosen, and says so", () => {
    me.value = somebody("chen", "cardiologist");
    expect(layout.value.now).toEqual([]);
    expect(hidden.value.now.map((each) => each.case_id)).toEqual(["c_1"]);
  });

  test("that somebody else chose in this browser hides no red case from who sees one site alone", () => {
    const one = somebody("li", "ed");
    me.value = { ...one, user: { ...one.user, sites: ["yinzhao"] } };
    expect(layout.value.now).toEqual(["c_1"]);
    expect(hidden.value.now).toEqual([]);
  });
});
