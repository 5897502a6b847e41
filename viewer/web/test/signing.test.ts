/** A reading that is being written: what is taken, what is missing, what is sent. */
import { describe, expect, test } from "vitest";
import {
  emptyDraft,
  keepDraft,
  keptDraft,
  missing,
  signedBody,
  take,
  toggleAdvice,
  withTier,
} from "../src/state/signing";
import type { Analysis } from "../src/wire";

const machine = { tier: "ACT" } as Analysis;
const blank = emptyDraft("ACT", 41);

describe("a reading", () => {
  test("nothing is taken by itself, and nothing empty is signed", () => {
    expect([blank.taken, blank.text, missing(blank)]).toEqual([null, "", "text"]);
  });

  test("a template of the machine's tier agrees, and says which reading was seen", () => {
    const taken = take(blank, { id: "stemi", text: "急性下壁心肌梗死", tier: "ACT" }, machine);
    expect(missing(taken)).toBeNull();
    expect(signedBody(taken, machine)).toEqual({
      text: "急性下壁心肌梗死",
      tier: "ACT",
      advice: null,
      after: 41,
      agrees: true,
    });
  });

  test("another tier disagrees and needs a reason", () => {
    const taken = take(blank, { id: "er", text: "早期复极", tier: "FLAG" }, machine);
    expect([taken.disagrees, missing(taken)]).toEqual([true, "reason"]);
    const why = { ...taken, reason: " 与既往相同 " };
    expect(missing(why)).toBeNull();
    expect(signedBody(why, machine)).toMatchObject({ agrees: false, reason: "与既往相同" });
    expect(withTier(taken, "ACT", machine).disagrees).toBe(false);
  });

  test("there is nothing to agree with on paper", () => {
    const taken = take(blank, { id: "own", text: "x", tier: null }, null);
    expect(taken.disagrees).toBe(false);
    expect(signedBody(taken, null)).not.toHaveProperty("agrees");
  });

  test("a blank is not signed, in the reading or in the advice", () => {
    const taken = take(blank, { id: "stemi", text: "急性___心肌梗死", tier: "ACT" }, machine);
    expect(missing(taken)).toBe("blank");
    expect(missing({ ...taken, text: "x", advice: "按方案 ___ mg" })).toBe("blank");
  });

  test("advice is put in and taken out, whatever was typed beside it", () => {
    const typed = { ...blank, advice: "家属陪同" };
    const both = toggleAdvice(typed, "立即转院", ";");
    expect(both.advice).toBe("家属陪同;立即转院");
    expect(toggleAdvice(both, "立即转院", ";").advice).toBe("家属陪同");
    expect(toggleAdvice(blank, "立即转院", ";").advice).toBe("立即转院");
  });

  test("what was typed is kept by ECG until it is signed", () => {
    keepDraft("chen", "e_1", { ...blank, text: "半句" });
    expect([keptDraft("chen", "e_1")?.text, keptDraft("chen", "e_2")]).toEqual(["半句", null]);
    keepDraft("chen", "e_1", null);
    expect(keptDraft("chen", "e_1")).toBeNull();
  });

  test("that one doctor has begun is never put before another who signs in on the same page", () => {
    keepDraft("chen", "e_1", { ...blank, text: "半句" });
    expect(keptDraft("zhou", "e_1")).toBeNull();
    expect(keptDraft("chen", "e_1")?.text).toBe("半句");
    keepDraft("chen", "e_1", null);
  });
});

test("an amendment begins with the advice that holds; emptied, it is taken back, and only then", () => {
  const draft = { ...emptyDraft("ACT", 7, "嚼服阿司匹林"), text: "主动脉夹层" };
  expect(draft.advice).toBe("嚼服阿司匹林");
  expect(signedBody(draft, null)).not.toHaveProperty("withdraws");
  expect(signedBody({ ...draft, advice: "禁用抗凝" }, null)).not.toHaveProperty("withdraws");
  expect(signedBody({ ...draft, advice: " " }, null)).toMatchObject({ withdraws: true, advice: null });
  expect(signedBody({ ...emptyDraft("ACT", 0), text: "STEMI" }, null)).not.toHaveProperty("withdraws");
});
