import { describe, expect, test } from "vitest";
import { sendFields } from "../src/parts/SendForm";
import {
  clinicOrder,
  electrodesFirst,
  reached,
  readFeedback,
  unreadFeedback,
  unseenAdvice,
} from "../src/state/clinic";
import { AT, reading, row, summary } from "./fixtures";

const advice = (at: string) => reading({ advice: "平卧", at });

describe("the clinic's page", () => {
  test("the newest state is the last one reached, whatever is missing before it", () => {
    const none = { sent: null, received: null, analysed: null, alerted: null, opened: null, acted: null };
    expect(reached(null)).toBeNull();
    expect(reached({ ...none, received: AT, diagnosed: null, advised: null })).toBe("received");
    expect(reached({ ...none, received: AT, diagnosed: AT, advised: null })).toBe("diagnosed");
  });

  test("advice calls until somebody here has said that they have seen it; newer advice calls again", () => {
    const first = row({ newest_advice: advice("2026-05-01T08:00:00.000Z") });
    const called = unseenAdvice([first]);
    expect(called).toHaveLength(1);
    const newer = row({ newest_advice: advice("2026-05-01T08:05:00.000Z") });
    expect(unseenAdvice([newer])).not.toEqual(called);
    const seen = { ...first, ecgs: [summary("e_1", { advice_seen_at: AT })] };
    expect(unseenAdvice([seen])).toEqual([]);
    expect(unseenAdvice([row({ newest_advice: null })])).toEqual([]);
  });

  test("advice that is taken back calls anew, until somebody here has said that they have seen it", () => {
    const told = row({ newest_advice: advice("2026-05-01T08:00:00.000Z") });
    const back = row({
      newest_advice: null,
      advice_withdrawn: { ...reading({ advice: null, at: "2026-05-01T08:09:00.000Z" }), withdrawn: "平卧" },
    });
    expect(unseenAdvice([back])).toHaveLength(1);
    expect(unseenAdvice([back])).not.toEqual(unseenAdvice([told]));
    expect(unseenAdvice([{ ...back, ecgs: [summary("e_1", { advice_seen_at: AT })] }])).toEqual([]);
  });

  test("a case with advice that nobody here has seen stands before those without", () => {
    const told = row({ case_id: "c_1", newest_advice: advice(AT) });
    const newer = row({ case_id: "c_2" });
    expect(clinicOrder([newer, told]).map((each) => each.case_id)).toEqual(["c_1", "c_2"]);
    const seen = { ...told, ecgs: [summary("e_1", { advice_seen_at: AT })] };
    expect(clinicOrder([newer, seen]).map((each) => each.case_id)).toEqual(["c_2", "c_1"]);
  });

  test("of former patients what nobody here has read comes apart from what was read", () => {
    const told = (id: string, seen_at: string | null) =>
      row({ case_id: id, state: "closed", feedback: { sent_at: AT, seen_at } });
    const cases = [told("c_1", AT), told("c_2", null), row({ feedback: null })];
    expect(unreadFeedback(cases).map((each) => each.case_id)).toEqual(["c_2"]);
    expect(readFeedback(cases).map((each) => each.case_id)).toEqual(["c_1"]);
  });

  test("the loose electrode stands before whatever else there is to say", () => {
    const zh = "请于15分钟后复查心电图;V2 电极脱落,请重新连接后再做一份";
    expect(electrodesFirst(zh)).toEqual({
      leads: ["V2 电极脱落,请重新连接后再做一份"],
      rest: ["请于15分钟后复查心电图"],
    });
    const en = "Repeat the ECG in 15 min; V1, V2: the electrode is off; reconnect it and record again";
    expect(electrodesFirst(en)).toEqual({
      leads: ["V1, V2: the electrode is off; reconnect it and record again"],
      rest: ["Repeat the ECG in 15 min"],
    });
  });

  test("what was left empty is unknown and is not sent; a time carries its offset", () => {
    const form = new FormData();
    for (const [name, value] of [
      ["age", "61"],
      ["sex", ""],
      ["name", "  "],
      ["onset_how", "60"],
      ["onset_at", "2026-05-01T15:30"],
    ] as const)
      form.append(name, value);
    expect(sendFields(form)).toEqual({ age: "61", onset_at: "2026-05-01T15:30:00.000+08:00" });
  });
});
