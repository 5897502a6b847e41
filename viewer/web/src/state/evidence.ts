/** Evidence in words and signs. Pure. */
import { t } from "../texts";
import type { Evidence, Finding, Row } from "../wire";
import { digitsOf, measure, quantity, quantityOf, unitBehind } from "./quantities";

const SIGNS: Record<string, string> = { ">=": "≥", "<=": "≤", ">": ">", "<": "<" };
const MORE_DIGITS = 2;

export function limit(name: string, value: number): string {
  return `${t("limit")} ${digitsOf(value, quantityOf(name).digits, false)}`;
}

/** Whether the value stands to its threshold as the evidence says: a supporting or borderline one may not. */
function holds({ value, threshold, relation }: Evidence): boolean {
  switch (relation) {
    case ">=":
      return value >= threshold;
    case "<=":
      return value <= threshold;
    case ">":
      return value > threshold;
    case "<":
      return value < threshold;
    default:
      return false;
  }
}

/** `+0.51 ≥ 0.20 mV`; where no relation is known, or it does not hold, `+0.51 mV (限 0.20)`. */
export function against(e: Evidence): string {
  const sign = SIGNS[e.relation ?? ""];
  if (sign === undefined || !holds(e))
    return `${quantity(e.quantity, e.value)} (${limit(e.quantity, e.threshold)})`;
  const { digits, signed } = quantityOf(e.quantity);
  // As many digits as it takes to see that the one is not the other.
  for (let more = 0; ; more++) {
    const [value, threshold] = [
      digitsOf(e.value, digits + more, signed),
      digitsOf(e.threshold, digits + more, false),
    ];
    const seen = e.value === e.threshold || value.replace("+", "") !== threshold;
    if (seen || more === MORE_DIGITS || sign === "≥" || sign === "≤")
      return `${value} ${sign} ${threshold}${unitBehind(e.quantity)}`;
  }
}

/** `V3 +0.51 mV (限 0.20)`; any measure but ST at J by its name. */
export function evidenceWords(e: Evidence): string {
  const name = e.quantity === "stj_mv" && e.lead !== null ? null : measure(e.quantity);
  const value = `${quantity(e.quantity, e.value)} (${limit(e.quantity, e.threshold)})`;
  return [e.lead, name, value].filter((part) => part !== null).join(" ");
}

/** The same with the rule that it speaks for. */
export const evidenceLine = (e: Evidence): string => `${evidenceWords(e)} ${e.rule}`;

/** How far beyond its threshold: above 1 is beyond. */
function beyond({ value, threshold, relation }: Evidence): number {
  if (value === 0 || threshold === 0) return 0;
  const below = (relation === "<" || relation === "<=") && threshold > 0;
  return Math.abs(below ? threshold / value : value / threshold);
}

/**
 * The evidence that the row shows: of the finding in its headline, by that finding's own rule, the one farthest beyond
 * its threshold. What only supports it (a reciprocal change) comes second.
 */
export function bestEvidence(row: Row): Evidence | null {
  const finding = row.findings.find((each) => each.tier === row.tier) ?? row.findings[0];
  if (!finding) return null;
  const own = finding.evidence.filter((e) => e.rule === finding.id);
  const ranked = (own.length > 0 ? own : [...finding.evidence]).sort((a, b) => beyond(b) - beyond(a));
  return ranked[0] ?? null;
}

/** What rests on one measure by one rule in one sense: a line of the list, each lead once. */
export interface EvidenceGroup {
  quantity: string;
  rule: string;
  trace: string | null;
  of: Evidence[];
}

export function grouped(evidence: readonly Evidence[]): EvidenceGroup[] {
  const groups: EvidenceGroup[] = [];
  for (const e of evidence) {
    const fits = groups.find(
      ({ quantity: name, rule, trace, of }) =>
        name === e.quantity &&
        rule === e.rule &&
        trace === (e.trace ?? null) &&
        of.every((other) => other.relation === e.relation && other.lead !== e.lead),
    );
    if (fits) fits.of.push(e);
    else groups.push({ quantity: e.quantity, rule: e.rule, trace: e.trace ?? null, of: [e] });
  }
  return groups;
}

export interface FindingEvidence {
  groups: EvidenceGroup[];
  /** Findings above that rest on the rest of it. */
  sameAs: string[];
}

/** The evidence of each finding without what stands already under a finding above it: there it is pointed to. */
export function evidenceOf(findings: readonly Finding[]): FindingEvidence[] {
  const said = new Map<string, string>();
  return findings.map((finding) => {
    const sameAs = new Set<string>();
    const groups = grouped(finding.evidence).filter((group) => {
      const key = JSON.stringify(group);
      const above = said.get(key);
      if (above !== undefined && above !== finding.id) sameAs.add(above);
      else said.set(key, finding.id);
      return above === undefined;
    });
    return { groups, sameAs: [...sameAs] };
  });
}
