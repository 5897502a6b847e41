import { describe, expect, test } from "vitest";
import { inWords, isNamed } from "../src/state/detected";
import type { Detected } from "../src/wireImage";

const both = (words: string) => ({ zh: `中${words}`, en: words });
const HINT: Detected = {
  plugin: "cardiothoracic_ratio",
  version: "1",
  title: null,
  status: "enabled",
  raised: false,
  reason: null,
  said: both("hint"),
  evidence: [
    {
      quantity: "cardiothoracic_ratio",
      name: both("ratio"),
      unit: "",
      value: 0.5849,
      relation: ">",
      threshold: 0.5,
      place: null,
    },
  ],
  banner: both("banner"),
};

describe("what a detector said", () => {
  test("a hint is named under the banner, although the study keeps its place", () => {
    expect(isNamed(HINT)).toBe(true);
    expect(isNamed({ ...HINT, evidence: [] })).toBe(false);
    expect(isNamed({ ...HINT, evidence: [], raised: true })).toBe(true);
  });

  test("a number stands with its unit, threshold and place, in the language of the page", () => {
    const [ratio] = HINT.evidence;
    if (!ratio) throw new Error("expected one number");
    expect(inWords(ratio, (words) => words.en)).toBe("ratio 0.58 (> 0.5)");
    const blood = { ...ratio, unit: "mL", value: 11.52, relation: ">=", threshold: 1, place: both("left") };
    expect(inWords(blood, (words) => words.zh)).toBe("中ratio 11.52 mL (≥ 1) · 中left");
  });
});
