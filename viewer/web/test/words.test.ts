import { afterEach, describe, expect, test } from "vitest";
import { minutesText } from "../src/parts/Track";
import { callingRows, callsMe, mayDecline, nextAct, owedDeliveries, owedLooks } from "../src/state/alerts";
import { Problem } from "../src/state/api";
import { ServerClock } from "../src/state/clock";
import {
  actorText,
  dateTime,
  duration,
  elapsed,
  fromLocalInput,
  gathered,
  headline,
  localTimes,
  noteText,
  patientLine,
  peopleOf,
  timeOfDay,
  toLocalInput,
} from "../src/state/format";
import { firstLang, lang } from "../src/state/prefs";
import { parseRoute } from "../src/state/route";
import { may } from "../src/state/session";
import { burst } from "../src/state/sound";
import baseCss from "../src/styles/base.css?raw";
import "../src/textsRest";
import { CONDUCTION, LEAD_PHRASES, REASONS, ROLES, sourceName, TEXTS, TIERS, t } from "../src/texts";
import { ADMIN_TEXTS } from "../src/textsAdmin";
import { DRILL_PAGE_TEXTS } from "../src/textsDrillPage";
import { IMAGE_TEXTS } from "../src/textsImage";
import { QUALITY_TEXTS } from "../src/textsQuality";
import { TOUR_TEXTS } from "../src/textsTour";
import type { Interval } from "../src/wire";
import { AT, alert, person, row, somebody } from "./fixtures";

afterEach(() => {
  lang.value = "zh";
});

describe("words", () => {
  const pairs = [
    ...Object.values(TEXTS),
    ...Object.values(ADMIN_TEXTS),
    ...Object.values(DRILL_PAGE_TEXTS),
    ...Object.values(IMAGE_TEXTS),
    ...Object.values(QUALITY_TEXTS),
    ...Object.values(TOUR_TEXTS),
    ...Object.values(ROLES),
    ...Object.values(TIERS).map((x) => x.word),
    ...Object.values(CONDUCTION),
    ...Object.values(REASONS),
    ...Object.entries(LEAD_PHRASES).map(([en, zh]) => [zh, en] as const),
  ];

  test("every text stands in both languages with the same fillings", () => {
    const fillings = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();
    for (const [zh, en] of pairs) {
      expect(zh.length * en.length).toBeGreaterThan(0);
      expect(fillings(zh)).toEqual(fillings(en));
    }
  });

  test("the page never says normal, not even to deny it", () => {
    for (const [zh, en] of pairs) {
      expect(zh).not.toContain("正常");
      expect(en.toLowerCase()).not.toContain("normal");
    }
  });

  test("every tier has its own shape", () => {
    expect(new Set(Object.values(TIERS).map((tier) => tier.shape)).size).toBe(6);
  });

  test("the address chooses the language before memory does; Chinese is first", () => {
    expect(firstLang(null, null)).toBe("zh");
    expect(firstLang("en", "zh")).toBe("en");
    expect(firstLang("fr", "en")).toBe("en");
  });

  test("unknown is said, in both languages, and is never 0", () => {
    const nobody = row({ patient: { age_years: null, sex: null, chest_pain: null } });
    expect(patientLine(nobody)).toBe("性别年龄未知");
    expect(timeOfDay(null)).toBe("— 未知");
    lang.value = "en";
    expect(timeOfDay(null)).toBe("— unknown");
    expect(headline(row({ headline_en: null, ecgs: [] }))).toBe(t("noEcg"));
  });

  test("a note in both languages is shown in the reader's, any other as it stands", () => {
    expect(noteText("已发表病例 / Published case")).toBe("已发表病例");
    expect(noteText("BP 90/60, 出汗 / 恶心")).toBe("BP 90/60, 出汗 / 恶心");
    lang.value = "en";
    expect(noteText("已发表病例 / Published case")).toBe("Published case");
    expect(noteText("no / yes")).toBe("no / yes");
  });

  test("a problem document becomes words: what happened, what is safe, what came", () => {
    const said = { detail: "x", zh: "病例已关闭", expected: "open", got: "closed" };
    const problem = new Problem(409, "conflict", said);
    expect(problem.words).toContain("没有任何改变");
    expect(problem.words).toContain("病例已关闭");
    expect(problem.details).toBe("x · 应为 open,收到 closed");
    lang.value = "en";
    expect(problem.words).toContain("(x)");
    expect(new Problem(0, "network", {}).words).toContain("may not have been done");
  });

  test("a refusal is short, whatever came, and a file that cannot be read is answered by what can be sent", () => {
    const long = new Problem(422, "invalid", { detail: "d".repeat(5000), got: { x: "y".repeat(5000) } });
    expect(long.words.length).toBeLessThan(300);
    expect(long.details.length).toBeLessThan(500);
    const unread = new Problem(415, "unknown_format", { detail: "of no format known here" });
    expect(unread.words).toContain("DICOM");
    expect([unread.retryable, new Problem(0, "network", {}).retryable]).toEqual([false, true]);
  });

  test("what is said of twelve leads in the same words is said once, what is said of the patient first", () => {
    const leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
    const off = leads.map((lead) => `${lead} 电极脱落,请重新连接后再做一份`).join(";");
    const said = gathered(`信号质量差,请重新采集:${off};未检测到QRS波,请立即查看患者`);
    expect(said).toBe(
      "信号质量差,请重新采集:未检测到QRS波,请立即查看患者;I、II、III… (12 个导联) 电极脱落,请重新连接后再做一份",
    );
    lang.value = "en";
    const english = leads.slice(0, 2).map((lead) => `${lead}: the electrode is off; reconnect it`);
    expect(gathered(`Poor signal quality: ${english.join("; ")}; Too few leads`)).toBe(
      "Poor signal quality: I, II: the electrode is off; reconnect it; Too few leads",
    );
    expect(gathered("V6: the electrode is off; reconnect it")).toBe("V6: the electrode is off; reconnect it");
  });

  test("where no rule fired, the headline says what that leaves open", () => {
    const none = row({ tier: "NONE", findings: [], headline_zh: "没有规则触发" });
    expect(headline(none)).toBe("没有规则触发,不能排除心肌梗死");
  });

  test("a history line has names and the network's wall clock", () => {
    expect(localTimes("记录时间:造影 2026-03-02T08:05:00.000Z")).toBe("记录时间:造影 2026-03-02 16:05:00");
    const names = new Map([["ed1", "王医生"]]);
    expect(actorText("user:ed1", null, names)).toBe("王医生");
    expect(actorText("user:ed2", null, names)).toBe("ed2");
    expect(actorText("service", null, names)).toBe("系统");
    expect(peopleOf(row({ alert: alert([person("chen", { name: "陈医生" })]) })).get("chen")).toBe("陈医生");
  });

  test("times that contradict each other are no length of time", () => {
    const interval = { minutes: -10, negative: true } as Interval;
    expect(minutesText(interval)).toBe("顺序矛盾");
    expect(minutesText({ ...interval, minutes: 10, negative: false })).toBe("10 分钟");
  });

  test("every source that the service's tables name has words in both languages", () => {
    const sources =
      "server device quality reader cardiologist clinic gps guard ed cathlab ccu dispatch radiologist family published_report service";
    for (const source of sources.split(" ")) {
      lang.value = "zh";
      const zh = sourceName(source);
      lang.value = "en";
      expect([zh, sourceName(source)], source).not.toContain(source);
      expect(zh.toLowerCase() === sourceName(source).toLowerCase(), source).toBe(
        ["gps", "ccu"].includes(source),
      );
    }
  });

  test("a source is named, an unknown one shown as it is", () => {
    expect(sourceName("clinic")).toBe("基层");
    expect(sourceName("device:cart-1")).toBe("设备 cart-1");
    expect(sourceName("elsewhere")).toBe("elsewhere");
  });
});

describe("time", () => {
  test("durations are tabular and never negative", () => {
    expect(duration(134)).toBe("02:14");
    expect(duration(3600 + 61)).toBe("1:01:01");
    expect(duration(-5)).toBe("00:00");
    expect(duration(3 * 86400)).toBe("3 天");
  });

  test("what came after an act is said in seconds, from one minute on in minutes", () => {
    const later = (seconds: number) => new Date(Date.parse(AT) + seconds * 1000).toISOString();
    expect(elapsed(AT, later(40))).toBe("40 秒后");
    expect(elapsed(AT, later(1320))).toBe("22 分钟后");
    expect(elapsed(AT, later(59.7))).toBe("1 分钟后");
    expect(elapsed(null, AT)).toBe("");
  });

  test("instants are shown on the network's wall clock and come back unchanged", () => {
    expect(timeOfDay(AT)).toBe("16:05:00");
    expect(dateTime(AT)).toBe("2026-03-02 16:05:00");
    expect(Date.parse(fromLocalInput(toLocalInput(Date.parse(AT))))).toBe(Date.parse(AT));
    expect(fromLocalInput("2026-03-02T16:05")).toBe("2026-03-02T16:05:00.000+08:00");
  });

  test("the service's clock ticks between its messages and follows its jumps", () => {
    const clock = new ServerClock();
    expect(clock.now(0)).toBeNull();
    clock.observe(1_000_000, 0);
    expect(clock.now(2500)).toBe(1_002_500);
    clock.observe(5_000_000, 5000);
    expect(clock.now(5000)).toBe(5_000_000);
  });

  test("a clock that stands still does not tick, and ticks again when it runs", () => {
    const clock = new ServerClock();
    clock.observe(1_000_000, 0);
    clock.observe(1_000_000, 5000);
    expect(clock.now(9000)).toBe(1_000_000);
    expect(clock.stands).toBe(true);
    clock.observe(1_005_000, 10_000);
    expect(clock.stands).toBe(false);
    expect(clock.now(11_000)).toBe(1_006_000);
  });

  test("events caught up after a break do not turn the clock back", () => {
    const clock = new ServerClock();
    clock.observe(1_000_000, 0);
    clock.notBefore(900_000, 100);
    expect(clock.now(100)).toBe(1_000_100);
    clock.notBefore(2_000_000, 200);
    expect(clock.now(200)).toBe(2_000_000);
  });
});

describe("alerts", () => {
  const me = somebody("zhang", "cardiologist");

  test("an alert calls those it was sent to, until they decline or somebody answers", () => {
    expect(callsMe(alert([person("zhang")]), me)).toBe(true);
    expect(callsMe(alert([person("li")]), me)).toBe(false);
    expect(callsMe(alert([person("zhang", { sent_at: null })]), me)).toBe(false);
    expect(callsMe(alert([person("zhang", { declined_at: AT })]), me)).toBe(false);
    expect(callsMe(alert([person("zhang")], { state: "acknowledged" }), me)).toBe(false);
    const given = { person: "zhang", name: "zhang" };
    const mine = alert([person("li")], { state: "acknowledged", held_by: given, given_to: given });
    expect([callsMe(mine, me), mayDecline(mine, me), nextAct(row({ alert: mine }), me)]).toEqual([
      true,
      true,
      "ack",
    ]);
    const of_li = alert([], { state: "acknowledged", given_to: { person: "li", name: "li" } });
    expect([callsMe(of_li, me), mayDecline(of_li, me)]).toEqual([false, false]);
  });

  test("when nobody answered it calls everybody who could, but not the clinic", () => {
    const exhausted = alert([person("li")], { exhausted: true });
    expect(callsMe(exhausted, me)).toBe(true);
    expect(callsMe(exhausted, somebody("zhao", "clinic"))).toBe(false);
    expect(callsMe(exhausted, somebody("zhou", "quality"))).toBe(false);
  });

  test("only who was called and may answer can say that he cannot take it", () => {
    expect(mayDecline(alert([person("zhang")]), me)).toBe(true);
    expect(mayDecline(alert([person("li")]), me)).toBe(false);
    expect(mayDecline(alert([person("zhang", { declined_at: AT })]), me)).toBe(false);
    expect(mayDecline(alert([person("zhang")], { state: "acknowledged" }), me)).toBe(false);
    expect(mayDecline(alert([person("zhang")]), somebody("zhang", "dispatch"))).toBe(false);
  });

  test("nobody is offered what the service would refuse", () => {
    const waiting = row({ alert: alert([person("li")]) });
    for (const role of ["clinic", "quality", "admin", "dispatch", "cathlab", "ccu", "radiologist"] as const) {
      expect(nextAct(waiting, somebody("w", role)), role).toBe("openCase");
      expect(may("sign", role) || may("openChannel", role), role).toBe(false);
    }
    expect(nextAct(waiting, somebody("w", "ed"))).toBe("ack");
    expect(may("sign", "ed")).toBe(false);
  });

  test("a closed case whose alert was answered does not ring", () => {
    const answered = alert([person("zhang")], { state: "acknowledged" });
    expect(callingRows([row({ alert: answered, state: "closed" })], me)).toEqual([]);
  });

  test("delivery is owed once for each alert that was sent here", () => {
    const rows = [
      row({ alert: alert([person("zhang")]) }),
      row({ alert: alert([person("zhang", { delivered_at: AT })], { alert_id: "a_2" }) }),
      row({ alert: alert([person("li")], { alert_id: "a_3" }) }),
    ];
    expect(owedDeliveries(rows, "zhang").map((one) => one.alert_id)).toEqual(["a_1"]);
  });

  test("a board owes a look for the case before it, and only a board that was rung", () => {
    const rows = [
      row({ alert: alert([person("zhang", { delivered_at: AT })]) }),
      row({ alert: alert([person("zhang", { seen_at: AT })], { alert_id: "a_2" }) }),
      row({ alert: alert([person("zhang", { channel: "sms" })], { alert_id: "a_3" }) }),
      row({ alert: alert([person("zhang")], { alert_id: "a_4", state: "acknowledged" }) }),
    ];
    expect(owedLooks(rows, "zhang").map((one) => one.alert_id)).toEqual(["a_1"]);
    expect(owedDeliveries(rows, "zhang").map((one) => one.alert_id)).toEqual(["a_2"]);
  });

  test("the next act: confirm, then the green channel, then the case", () => {
    expect(nextAct(row({ alert: alert([person("li")]) }), me)).toBe("ack");
    const answered = alert([person("li")], { state: "acknowledged" });
    expect(nextAct(row({ alert: answered }), me)).toBe("openGreen");
    expect(nextAct(row({ alert: answered, tier: "URG" }), me)).toBe("openCase");
    expect(nextAct(row({ alert: answered }), somebody("w", "cathlab"))).toBe("openCase");
    const open = { ...row().green_channel, state: "open" as const };
    expect(nextAct(row({ alert: answered, green_channel: open }), me)).toBe("openCase");
  });

  test("a high-priority burst is ten pulses, a medium one three", () => {
    expect(burst("high")).toHaveLength(10);
    expect(burst("medium")).toHaveLength(3);
    const starts = burst("high").map((pulse) => pulse.start_s);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
  });
});

describe("addresses", () => {
  test("each page has its own", () => {
    expect(parseRoute("/")).toEqual({ page: "board" });
    expect(parseRoute("/case/c_1")).toEqual({ page: "case", id: "c_1" });
    expect(parseRoute("/ecg/e%201")).toEqual({ page: "ecg", id: "e 1" });
    expect(parseRoute("/case")).toEqual({ page: "unknown" });
    for (const page of ["tasks", "contacts", "roster", "followups", "clinic"] as const)
      expect(parseRoute(`/${page}`)).toEqual({ page });
    expect(parseRoute("/rules")).toEqual({ page: "rules", version: null });
    expect(parseRoute("/rules/1")).toEqual({ page: "rules", version: "1" });
    expect(parseRoute("/rules/%")).toEqual({ page: "rules", version: "%" });
  });
});

describe("contrast", () => {
  const [light = "", dark = ""] = baseCss.split(':root[data-theme="dark"]');
  const tokens = (css: string) =>
    new Map([...css.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1] ?? "", m[2] ?? ""]));

  function luminance(hex: string): number {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  const pairs = [
    ["text", "bg"],
    ["text", "surface"],
    ["muted", "bg"],
    ["muted", "surface"],
    ["red", "bg"],
    ["red", "red-soft"],
    ["text", "red-soft"],
    ["muted", "red-soft"],
    ["blue", "red-soft"],
    ["on-red", "red-strong"],
    ["amber", "bg"],
    ["amber", "surface"],
    ["amber", "amber-soft"],
    ["on-amber", "amber-strong"],
    ["blue", "bg"],
    ["blue", "surface"],
    ["on-strong", "strong"],
    ["trace", "paper"],
    ["trace", "paper-strong"],
    ["evidence", "paper"],
    ["text", "line"],
  ] as const;

  test.each([
    ["light", light],
    ["dark", dark],
  ])("every text in the %s theme has 4.5:1", (_name, css) => {
    const known = tokens(css);
    for (const [ink, ground] of pairs) {
      const [a, b] = [ink, ground].map((token) => luminance(known.get(token) ?? ""));
      const ratio = (Math.max(a ?? 0, b ?? 0) + 0.05) / (Math.min(a ?? 0, b ?? 0) + 0.05);
      expect(ratio, `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });
});
