/** A reading that is being written: what is taken, what is missing, what is sent. */
import { describe, expect, test } from "vitest";
import {
  emptyDraft,
  giveBack,
  keepDraft,
  keptDraft,
  missing,
  signedBody,
  take,
  toggleAdvice,
  toggled,
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

  test("one's own words are never replaced: a template comes after them, and they can be had back", () => {
    const stemi = { id: "stemi", text: "急性下壁心肌梗死", tier: "ACT" } as const;
    const own = { id: "own", text: "", tier: null };
    const typed = { ...take(blank, own, machine), tier: "URG" as const, text: "窦性心动过速,建议复查" };
    const added = take(typed, stemi, machine);
    expect([added.text, added.tier]).toEqual(["窦性心动过速,建议复查\n急性下壁心肌梗死", "ACT"]);
    expect(take(added, stemi, machine).text).toBe(added.text);
    expect(take(added, own, machine).text).toBe(added.text);
    expect(take(typed, own, machine).text).toBe(typed.text);
    const back = giveBack({ ...added, advice: "平卧", after: 42 });
    expect(back).toMatchObject({ text: typed.text, tier: "URG", taken: "own", advice: "平卧", after: 42 });
    expect(giveBack(back).text).toBe(added.text);
    // A blank that was filled in is one's own, too; a template as it was given is not.
    const filled = { ...take(blank, { ...stemi, text: "急性___梗死" }, machine), text: "急性后壁梗死" };
    expect(take(filled, stemi, machine).text).toBe("急性后壁梗死\n急性下壁心肌梗死");
    expect(take(take(blank, stemi, machine), { ...stemi, id: "other", text: "早搏" }, machine)).toMatchObject(
      {
        text: "早搏",
        before: null,
      },
    );
  });

  test("a reason that was typed stays beside one that is taken", () => {
    expect(toggled("与去年相同", "早期复极", ";")).toBe("与去年相同;早期复极");
    expect(toggled("与去年相同;早期复极", "早期复极", ";")).toBe("与去年相同");
    expect(toggled("", "早期复极", ";")).toBe("早期复极");
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
