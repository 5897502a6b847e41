import { describe, expect, test } from "vitest";
import { filtered, keptSites, settled } from "../src/state/filter";
import { News } from "../src/state/news";
import { sections } from "../src/state/rows";
import { alert, person, row, somebody } from "./fixtures";

const at = (site: string, id: string, tier: "ACT" | "URG" | "NONE") =>
  row({ case_id: id, tier, site: { ...row().site, id: site } });

describe("the filter by site", () => {
  const parts = sections([
    at("a", "a1", "ACT"),
    at("b", "b1", "ACT"),
    at("b", "b2", "URG"),
    at("c", "c1", "NONE"),
  ]);

  test("without a choice all is shown and nothing hidden", () => {
    const { layout, hidden } = filtered(parts, new Set());
    expect(layout).toEqual({ now: ["a1", "b1"], urgent: ["b2"], rest: ["c1"], closed: [] });
    expect(Object.values(hidden).flat()).toEqual([]);
  });

  test("what a choice leaves out is counted by its urgency", () => {
    const { layout, hidden } = filtered(parts, new Set(["a", "gone"]));
    expect(layout).toEqual({ now: ["a1"], urgent: [], rest: [], closed: [] });
    expect(hidden.now.map((one) => one.case_id)).toEqual(["b1"]);
    expect([hidden.urgent.length, hidden.rest.length]).toEqual([1, 1]);
  });

  test("what is kept in the browser and is no list shows all sites", () => {
    expect(keptSites(null).size).toBe(0);
    expect(keptSites("{").size).toBe(0);
    expect(keptSites('{"a": 1}').size).toBe(0);
    expect([...keptSites('["a", 3]')]).toEqual(["a"]);
  });

  test("a section in which nothing has moved is the same list", () => {
    const before = { now: ["a"], urgent: ["b"], rest: [], closed: [] };
    expect(settled(before, { now: ["a"], urgent: ["b"], rest: [], closed: [] })).toBe(before);
    const after = settled(before, { now: ["a"], urgent: ["c"], rest: [], closed: [] });
    expect(after.now).toBe(before.now);
    expect(after.urgent).toEqual(["c"]);
  });
});

describe("new red cases", () => {
  const reader = somebody("lin", "reader");
  const other = row({ case_id: "c_2", alert: alert([person("chen")]) });

  test("what was there at the beginning is no news; what comes is news once", () => {
    const news = new News();
    expect(news.take([row()], reader)).toEqual([]);
    expect(news.take([row(), other], reader)).toEqual([other]);
    expect(news.take([row(), other], reader)).toEqual([]);
  });

  test("an alert that calls the reader rings by itself; one that was answered is over", () => {
    const news = new News();
    news.take([], reader);
    const mine = row({ case_id: "c_3", alert: alert([person("lin")]) });
    const answered = row({ case_id: "c_4", alert: { ...alert([person("chen")]), state: "acknowledged" } });
    expect(news.take([mine, answered], reader)).toEqual([]);
  });

  test("who may not answer is not startled", () => {
    const news = new News();
    const quality = somebody("q", "quality");
    news.take([], quality);
    expect(news.take([other], quality)).toEqual([]);
  });
});
