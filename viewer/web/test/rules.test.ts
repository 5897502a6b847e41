import { afterEach, describe, expect, test } from "vitest";
import { against, bestEvidence, evidenceLine, evidenceOf, grouped } from "../src/state/evidence";
import { lang } from "../src/state/prefs";
import { measure, quantities, quantity, tableNumber } from "../src/state/quantities";
import { anchorOf, leadsOf, matches, ruleOf, rulesHref } from "../src/state/rules";
import type { Evidence, Finding, RuleSet, RuleText } from "../src/wire";
import { EVIDENCE, row } from "./fixtures";

afterEach(() => {
  lang.value = "zh";
  quantities.value = new Map();
});

const evidence = (change: Partial<Evidence>): Evidence => ({ ...EVIDENCE, ...change });

function rule(id: string, change: Partial<RuleText> = {}): RuleText {
  return {
    id,
    tier: "ACT",
    zh: "后壁心肌梗死",
    en: "Posterior MI",
    leads: "V1–V4, V5 V6; V7–V9",
    formula: "STJ ≤ −50 µV",
    formula_zh: "STJ ≤ −50 µV",
    conduction: [],
    lowers: [],
    restorable: false,
    source: "x",
    mark: "S",
    numbers: [],
    ...change,
  };
}

const RULES: RuleSet = {
  version: "2",
  marks: {},
  sections: [
    { section: "quality", zh: "质量", en: "Quality", rules: [rule("LEAD"), rule("CV-1"), rule("CV-10")] },
    { section: "guard", zh: "限制", en: "Guards", rules: [rule("MEAS-1"), rule("wide_qrs")] },
  ],
  thresholds: [],
  reciprocal: [],
  shared: [],
  tiers: [],
};

describe("evidence in words", () => {
  test("the board's line says lead, value, threshold and rule", () => {
    expect(evidenceLine(EVIDENCE)).toBe("V3 +0.51 mV (限 0.20) STE-1");
    const whole = evidence({ lead: null, quantity: "qrs_ms", value: 152, threshold: 120, rule: "MIM-LBBB" });
    expect(evidenceLine(whole)).toBe("QRS 152 ms (限 120) MIM-LBBB");
  });

  test("quantities are called as the service's table has it, in the reader's language", () => {
    quantities.value = new Map([
      [
        "t_low_mv",
        { key: "t_low_mv", zh: "T波最低点", en: "lowest of T", unit: "mV", digits: 2, signed: true },
      ],
    ]);
    expect(measure("t_low_mv")).toBe("T波最低点");
    expect(evidenceLine(evidence({ quantity: "t_low_mv", value: -0.3, threshold: -0.1 }))).toBe(
      "V3 T波最低点 −0.30 mV (限 −0.10) STE-1",
    );
    lang.value = "en";
    expect(measure("t_low_mv")).toBe("lowest of T");
    expect(measure("something_new_ms")).toBe("SOMETHING NEW");
  });

  test("units come from the name where the table has not come yet", () => {
    expect(quantity("stj_mv", -0.12)).toBe("−0.12 mV");
    expect(quantity("qrs_ms", 128.4)).toBe("128 ms");
    expect(quantity("axis_deg", -30)).toBe("−30°");
    expect(quantity("t_qrs_ratio", 0.362)).toBe("0.36");
    expect(tableNumber("ste_uv", 100)).toBe("100 µV");
    expect(tableNumber("repeat_min", 15)).toBe("15 min");
    expect(tableNumber("ratio", 0.25)).toBe("0.25");
  });

  test("the value stands to its threshold by the sign of the relation", () => {
    expect(against(EVIDENCE)).toBe("+0.51 ≥ 0.20 mV");
    expect(against(evidence({ value: -0.12, threshold: -0.05, relation: "<=" }))).toBe("−0.12 ≤ −0.05 mV");
    expect(against(evidence({ quantity: "pr_ms", value: 96, threshold: 120, relation: "<" }))).toBe(
      "96 < 120 ms",
    );
  });

  test("a sign is never written where it is not true, nor where it cannot be seen", () => {
    expect(against(evidence({ value: 0.19 }))).toBe("+0.19 mV (限 0.20)");
    const { relation, ...old } = EVIDENCE;
    expect(relation).toBe(">=");
    expect(against(old)).toBe("+0.51 mV (限 0.20)");
    expect(against(evidence({ value: 0.1004, threshold: 0.1, relation: ">" }))).toBe("+0.1004 > 0.1000 mV");
  });

  test("the row shows the headline's own evidence before what only supports it, the farthest beyond first", () => {
    const reciprocal = evidence({ lead: "aVL", value: -0.22, threshold: -0.05, rule: "STE-RECIP" });
    const finding = { ...row().findings[0], evidence: [reciprocal, EVIDENCE] };
    expect(bestEvidence(row())?.lead).toBe("V3");
    expect(bestEvidence(row({ findings: [finding as Finding] }))).toEqual(EVIDENCE);
    expect(bestEvidence(row({ findings: [] }))).toBeNull();
    const short = evidence({ lead: null, quantity: "pr_ms", value: 60, threshold: 120, relation: "<" });
    const barely = evidence({ value: 0.21 });
    expect(bestEvidence(row({ findings: [{ ...finding, evidence: [barely, short] } as Finding] }))).toEqual(
      short,
    );
  });

  test("what rests on one measure by one rule stands in one line, another sense and another trace apart", () => {
    const groups = grouped([
      EVIDENCE,
      evidence({ lead: "V2" }),
      evidence({ lead: "V2", threshold: 0.1 }),
      evidence({ lead: "V7", trace: "e_2" }),
      evidence({ lead: "aVL", rule: "STE-RECIP" }),
      evidence({ lead: "III", relation: "<=" }),
    ]);
    expect(groups.map((group) => [group.rule, group.trace, group.of.map((e) => e.lead)])).toEqual([
      ["STE-1", null, ["V3", "V2"]],
      ["STE-1", null, ["V2"]],
      ["STE-1", "e_2", ["V7"]],
      ["STE-RECIP", null, ["aVL"]],
      ["STE-1", null, ["III"]],
    ]);
  });

  test("what stands under a finding above is pointed to, not said again", () => {
    const base = row().findings[0] as Finding;
    const own = evidence({ lead: null, quantity: "age_years", value: 61, threshold: 45, rule: "CV-1" });
    const said = evidenceOf([base, { ...base, id: "CV-1", evidence: [...base.evidence, own] }]);
    expect(said[0]).toMatchObject({ sameAs: [], groups: [{ rule: "STE-1" }] });
    expect(said[1]).toMatchObject({ sameAs: ["STE-1"], groups: [{ rule: "CV-1", of: [own] }] });
  });
});

describe("the page of rules", () => {
  test("a phrase of the tables says which leads a rule looks at", () => {
    expect([...leadsOf("V2 V3; I aVF")]).toEqual(["V2", "V3", "I", "aVF"]);
    expect([...leadsOf("V1–V4, V5 V6")]).toEqual(["V1", "V2", "V3", "V4", "V5", "V6"]);
    expect([...leadsOf("V3R V4R")]).toEqual(["V3R", "V4R"]);
    expect(leadsOf("all of the 18 but aVR").has("aVR")).toBe(false);
    expect(leadsOf("all of the 18 but aVR").size).toBe(17);
    expect(leadsOf("all but V1–V3").has("V2")).toBe(false);
    expect(leadsOf("usable ones").size).toBe(18);
    expect(leadsOf("aVR; all of the 12").has("aVR")).toBe(true);
    expect([...leadsOf("V1 V3; deepest S and V4")]).toEqual(["V1", "V3", "V4"]);
  });

  test("the filter takes an id, a term of either language, or a lead", () => {
    const posterior = rule("EQV-POST");
    for (const query of ["", "eqv-post", "后壁", "posterior", "v8", "V3 posterior", "后壁,v9"])
      expect(matches(posterior, query), query).toBe(true);
    for (const query of ["V4R", "aVL", "inferior", "posterior aVF"])
      expect(matches(posterior, query), query).toBe(false);
  });

  test("every name in a finding leads to the place that explains it", () => {
    expect(anchorOf("CV-1", RULES)).toBe("CV-1");
    expect(anchorOf("CV-10", RULES)).toBe("CV-10");
    expect(anchorOf("LEAD-4", RULES)).toBe("LEAD");
    expect(anchorOf("MEAS-1", RULES)).toBe("MEAS-1");
    expect(anchorOf("MEAS-5", RULES)).toBe("shared");
    expect(anchorOf("demographics_missing", RULES)).toBe("thresholds");
    expect(anchorOf("STE-RECIP", RULES)).toBe("STE-RECIP");
    expect(anchorOf("guard", RULES)).toBe("guard");
    expect(anchorOf("EQV-POST", RULES)).toBeNull();
    expect(ruleOf("wide_qrs", RULES)?.id).toBe("wide_qrs");
  });

  test("a link names the version by which the ECG was read", () => {
    expect(rulesHref("1", "STE-1")).toBe("/rules/1#STE-1");
    expect(rulesHref(null, "CV 1")).toBe("/rules#CV%201");
    expect(rulesHref("2")).toBe("/rules/2");
  });
});
