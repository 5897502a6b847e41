/** The rules as people read them: which version, which rule, which leads. Pure but for the reading itself. */
import type { RuleSet, RuleText } from "../wire";
import { get } from "./api";

const held = new Map<string, Promise<RuleSet>>();

/** A version never changes while the page is open: read once. */
export function loadRules(version: string): Promise<RuleSet> {
  const before = held.get(version);
  if (before) return before;
  const loading = get<RuleSet>(`/rules/${encodeURIComponent(version)}`);
  held.set(version, loading);
  loading.catch(() => held.delete(version));
  return loading;
}

/** Where a rule is explained; without a version among those that hold now. */
export function rulesHref(version: string | null, id: string | null = null): string {
  const page = version === null ? "/rules" : `/rules/${encodeURIComponent(version)}`;
  return id === null ? page : `${page}#${encodeURIComponent(id)}`;
}

export const RECIPROCAL = "STE-RECIP";
export const SHARED = "shared";
export const THRESHOLDS = "thresholds";

/** What is explained in another place than under its own name. */
const ELSEWHERE: Record<string, string> = {
  "STE-2": SHARED,
  "MEAS-5": SHARED,
  demographics_missing: THRESHOLDS,
  age_under_18: SHARED,
  corrected_leads: "LEAD",
};

export const allRules = (rules: RuleSet): RuleText[] => rules.sections.flatMap((section) => section.rules);

/** The rule of a name that stands in a finding: `LEAD-4` is said by the rule LEAD. */
export function ruleOf(id: string, rules: RuleSet): RuleText | null {
  const all = allRules(rules);
  return all.find((rule) => rule.id === id) ?? all.find((rule) => id.startsWith(`${rule.id}-`)) ?? null;
}

/** The id of the element that explains a name; null where this version does not know it. */
export function anchorOf(id: string, rules: RuleSet): string | null {
  const fixed = [RECIPROCAL, SHARED, THRESHOLDS, "tiers", ...rules.sections.map((each) => each.section)];
  if (fixed.includes(id)) return id;
  return ruleOf(id, rules)?.id ?? ELSEWHERE[id] ?? null;
}

const ORDER = [
  "I",
  "II",
  "III",
  "aVR",
  "aVL",
  "aVF",
  "V1",
  "V2",
  "V3",
  "V4",
  "V5",
  "V6",
  "V7",
  "V8",
  "V9",
] as const;
const LEADS: readonly string[] = [...ORDER, "V3R", "V4R", "V5R"];
const BY_SMALL = new Map(LEADS.map((lead) => [lead.toLowerCase(), lead]));

/** The leads that a phrase of the tables names, `V1–V4` being four. */
function named(phrase: string): string[] {
  const found = phrase.matchAll(/\b(?:(V\d)–(V\d)|(aV[RLF]|V\dR?|I{1,3}))(?!\w)/g);
  return [...found].flatMap(([, from, to, one]) => {
    if (one !== undefined) return [one];
    const [first, last] = [from, to].map((name) => LEADS.indexOf(name ?? ""));
    return LEADS.slice(first, (last ?? 0) + 1);
  });
}

/** Which leads a rule looks at. A part that names none, as "usable ones", stands for all of them. */
export function leadsOf(phrase: string): ReadonlySet<string> {
  const parts = phrase.split(";").flatMap((part) => {
    const [head = "", but = ""] = part.split(/\bbut\b/);
    const these = named(head);
    const without = named(but);
    return (these.length > 0 ? these : LEADS).filter((lead) => !without.includes(lead));
  });
  return new Set(parts);
}

/** Every word of the query: a lead's name asks for rules that look at it, anything else stands in id, term or formula. */
export function matches(rule: RuleText, query: string): boolean {
  const said = [rule.id, rule.zh, rule.en, rule.formula, rule.formula_zh].join("\n").toLowerCase();
  return query
    .toLowerCase()
    .split(/[\s,,、]+/u)
    .filter(Boolean)
    .every((word) => {
      const lead = BY_SMALL.get(word);
      return lead === undefined ? said.includes(word) : leadsOf(rule.leads).has(lead);
    });
}
