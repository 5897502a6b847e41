import { afterEach, describe, expect, test } from "vitest";
import { lang } from "../src/state/prefs";
import {
  before,
  casesHref,
  change,
  exportScope,
  hrefOf,
  judgedBy,
  lastDay,
  minutes,
  monthsBefore,
  monthsIn,
  percent,
  readAsked,
  targetText,
  verdict,
  writeAsked,
} from "../src/state/quality";
import { parseRoute } from "../src/state/route";
import { homeOf, may } from "../src/state/session";
import type { Metric, MetricNumber } from "../src/wireQuality";

afterEach(() => {
  lang.value = "zh";
});

const number = (over: Partial<MetricNumber> = {}): MetricNumber => ({
  n: 40,
  mean_min: 8,
  median_min: 6,
  q1_min: 4,
  q3_min: 9,
  met: 32,
  late: 8,
  share: 0.8,
  share_low: 0.65,
  share_high: 0.9,
  reached: true,
  ...over,
});

const metric = (over: Partial<Metric> = {}): Metric => ({
  id: "fmc_to_ecg",
  zh: "首次医疗接触至首份心电图",
  en: "first contact to ECG",
  label: "FMC2ECG",
  from: null,
  to: null,
  statistic: "mean",
  target_min: 10,
  below: false,
  target_share: 0.75,
  source: "China",
  mark: "S",
  without: number(),
  with_all: number(),
  missing: 0,
  negative: 0,
  excluded: 0,
  reasons: [],
  uncertain: 0,
  possibly: 0,
  half_width_min: null,
  trend: [],
  first: true,
  ...over,
});

describe("the address of a quality page", () => {
  test("brings the view back, and holds nothing that nobody asked for", () => {
    const view = { standard: "cn", from: "2026-05", to: "2026-07", by: "site", group: "阴赵", hours: "off" };
    expect(readAsked(writeAsked(view))).toEqual(view);
    expect(readAsked("?lang=en&x=1&group=")).toEqual({});
    expect(writeAsked({})).toBe("");
  });

  test("goes along from page to page without what only one page asks", () => {
    const asked = { from: "2026-05", metric: "DIDO", set: "late", owner: "clinic" };
    expect(hrefOf("overview", asked)).toBe("/quality?from=2026-05");
    expect(hrefOf("groups", asked)).toBe("/quality/groups?from=2026-05&metric=DIDO");
    expect(casesHref(asked, "DTW", "missing")).toBe("/quality/cases?from=2026-05&metric=DTW&set=missing");
    expect(hrefOf("gaps", asked, { owner: "" })).toBe("/quality/gaps?from=2026-05");
  });

  test("names the page, and the case of a form", () => {
    expect(parseRoute("/quality")).toEqual({ page: "quality", part: "", id: "" });
    expect(parseRoute("/quality/form/c_1")).toEqual({ page: "quality", part: "form", id: "c_1" });
  });
});

describe("numbers", () => {
  test("unknown is said and is never 0; a true minus; no share is rounded to all or nothing", () => {
    expect([minutes(null), percent(null)]).toEqual(["— 未知", "— 未知"]);
    expect([minutes(7.24), minutes(48.6), minutes(-3.2), minutes(-0.01)]).toEqual([
      "7.2",
      "49",
      "−3.2",
      "0.0",
    ]);
    expect([change(3.2), change(-3.2)]).toEqual(["+3.2", "−3.2"]);
    expect([percent(0.834), percent(0.9999), percent(0.0004), percent(1), percent(0)]).toEqual([
      "83 %",
      "99.9 %",
      "0.1 %",
      "100 %",
      "0 %",
    ]);
  });

  test("a metric is judged by its own statistic and its share; without a target it is only reported", () => {
    expect(judgedBy(metric(), number())).toBe(8);
    expect(judgedBy(metric({ statistic: "median" }), number())).toBe(6);
    expect(judgedBy(metric({ statistic: "share" }), number())).toBe(0.8);
    expect(verdict(metric(), number({ reached: true }))).toBe("met");
    expect(verdict(metric(), number({ reached: false }))).toBe("missed");
    expect(verdict(metric(), number({ reached: null, n: 0 }))).toBe("unknown");
    expect(verdict(metric({ target_min: null, target_share: null }), number())).toBe("none");
  });

  test("the target is written in both languages", () => {
    expect(targetText(metric())).toBe("≤ 10 分钟 · ≥ 75 %");
    lang.value = "en";
    expect(targetText(metric())).toBe("≤ 10 min · ≥ 75 %");
    expect(targetText(metric({ target_min: 30, below: true, target_share: null }))).toBe("< 30 min");
    expect(targetText(metric({ target_min: null, target_share: null }))).toBe("no target, reported");
  });
});

test("months over the turn of a year; the period before has the same length", () => {
  expect(monthsBefore("2026-01", 1)).toBe("2025-12");
  expect(monthsBefore("2025-12", -1)).toBe("2026-01");
  expect(monthsIn("2025-11", "2026-02")).toBe(4);
  expect(before("2025-11", "2026-02")).toEqual(["2025-07", "2025-10"]);
});

test("quality staff begin with the numbers; a clinic may look, a doctor on duty has no such page", () => {
  expect(homeOf("quality")).toBe("/quality");
  expect(
    (["quality", "admin", "clinic", "cardiologist", "dispatch"] as const).map((r) => may("quality", r)),
  ).toEqual([true, true, true, false, false]);
});

test("a file holds the days of the months and none of the next", () => {
  expect(["2026-02", "2024-02", "2026-04", "2026-12"].map(lastDay)).toEqual([
    "2026-02-28",
    "2024-02-29",
    "2026-04-30",
    "2026-12-31",
  ]);
  const view = {
    standard: "china",
    from_month: "2026-05",
    to_month: "2026-06",
    by: "clinic",
    group: "",
    hours: "all",
  };
  const days = { from: "2026-05-01", to: "2026-06-30" };
  expect(exportScope(view)).toEqual({ query: days, wider: false });
  expect(exportScope({ ...view, group: "c-1" })).toEqual({ query: { ...days, site: "c-1" }, wider: false });
  expect(exportScope({ ...view, by: "mode", group: "2" })).toEqual({ query: days, wider: true });
  expect(exportScope({ ...view, hours: "off" })).toEqual({ query: days, wider: true });
});
