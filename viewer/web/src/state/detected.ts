/** What a detector said, as the page words it; pure. */
import type { Both, Detected, Measured } from "../wireImage";

/** Does it name something, to be shown under the banner? A hint does although the study keeps its place. */
export const isNamed = (one: Detected): boolean => one.raised === true || one.evidence.length > 0;

/** A number with its threshold: "volume 11.5 mL (≥ 1) · left …". */
export function inWords(one: Measured, say: (words: Both) => string): string {
  const sign = { ">=": "≥", "<=": "≤" }[one.relation] ?? one.relation;
  const value = `${say(one.name)} ${rounded(one.value)}${one.unit ? ` ${one.unit}` : ""}`;
  return [`${value} (${sign} ${rounded(one.threshold)})`, one.place && say(one.place)]
    .filter(Boolean)
    .join(" · ");
}

const rounded = (value: number): string => String(Math.round(value * 100) / 100);
