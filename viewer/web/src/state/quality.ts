/** What a quality page shows is its address: read and written here, pure; and numbers as a committee reads them. */
import { t } from "../texts";
import { tq } from "../textsQuality";
import type { CaseSet, Metric, MetricNumber, QualityView } from "../wireQuality";

export const PARTS = ["overview", "delays", "charts", "loop", "groups", "cases", "gaps", "report"] as const;
export type Part = (typeof PARTS)[number];

/** Behind the question mark, in this order; what is empty is left out, and the service then says what stands. */
export const ASKED = [
  "standard",
  "from",
  "to",
  "by",
  "group",
  "hours",
  "metric",
  "set",
  "against_from",
  "against_to",
  "mode",
  "owner",
  "field",
  "sort",
] as const;
export type Asked = Partial<Record<(typeof ASKED)[number], string>>;

/** What only one page asks; the rest goes along from page to page. */
const OF_A_PAGE: Readonly<Record<string, readonly Part[]>> = {
  metric: ["groups", "cases"],
  set: ["cases"],
  against_from: ["delays"],
  against_to: ["delays"],
  mode: ["delays"],
  owner: ["gaps"],
  field: ["gaps"],
  sort: ["groups"],
};

export function readAsked(search: string): Asked {
  const given = new URLSearchParams(search);
  const asked: Asked = {};
  for (const name of ASKED) {
    const value = given.get(name);
    if (value) asked[name] = value;
  }
  return asked;
}

export function writeAsked(asked: Asked): string {
  const said = new URLSearchParams();
  for (const name of ASKED) if (asked[name]) said.set(name, asked[name]);
  const text = said.toString();
  return text && `?${text}`;
}

/** The address of a page with the view that stands, changed by `change`. */
export function hrefOf(part: Part, asked: Asked, change: Asked = {}): string {
  const next: Asked = { ...asked, ...change };
  for (const [name, pages] of Object.entries(OF_A_PAGE))
    if (!pages.includes(part)) delete next[name as keyof Asked];
  return `/quality${part === "overview" ? "" : `/${part}`}${writeAsked(next)}`;
}

export const casesHref = (asked: Asked, metric: string, set: CaseSet, change: Asked = {}): string =>
  hrefOf("cases", asked, { ...change, metric, set });

// ---------------------------------------------------------------- numbers

const MINUS = "\u2212";
const signed = (text: string): string => text.replace(/^-/, MINUS);

/** `7.2`, `49`; one place below 20. */
export function minutes(value: number | null): string {
  if (value === null) return t("unknown");
  const digits = Math.abs(value) < 20 ? 1 : 0;
  const text = value.toFixed(digits);
  return signed(Number(text) === 0 ? (0).toFixed(digits) : text);
}

export const change = (value: number | null): string =>
  value !== null && value > 0 ? `+${minutes(value)}` : minutes(value);

/** `83 %`; what is not all is never called 100 %, what is not nothing never 0 %. */
export function percent(share: number | null): string {
  if (share === null) return t("unknown");
  const whole = Math.round(share * 100);
  if (whole === 100 && share < 1) return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
  if (whole === 0 && share > 0) return `${(Math.ceil(share * 1000) / 10).toFixed(1)} %`;
  return `${whole} %`;
}

export const span = (low: number | null, high: number | null, write: (v: number) => string): string =>
  low === null || high === null ? "" : `${write(low)}–${write(high)}`;

/** The number by which a metric is judged, in its own statistic. */
export function judgedBy(metric: Metric, number: MetricNumber): number | null {
  if (metric.statistic === "share") return number.share;
  return metric.statistic === "mean" ? number.mean_min : number.median_min;
}

export function valueText(metric: Metric, number: MetricNumber): string {
  const value = judgedBy(metric, number);
  return metric.statistic === "share" ? percent(value) : minutes(value);
}

export type Verdict = "met" | "missed" | "none" | "unknown";

/** Whether the edition's target was reached, as the service judges it. */
export function verdict(metric: Metric, number: MetricNumber): Verdict {
  const wanted =
    metric.statistic === "share" ? metric.target_share : (metric.target_min ?? metric.target_share);
  if (wanted === null) return "none";
  if (number.reached === null) return "unknown";
  return number.reached ? "met" : "missed";
}

/** `≤ 10 分钟 · ≥ 75 %`. */
export function targetText(metric: Metric): string {
  const said: string[] = [];
  if (metric.target_min !== null)
    said.push(tq(metric.below ? "below" : "atMost", { n: minutes(metric.target_min).replace(".0", "") }));
  if (metric.target_share !== null) said.push(`≥ ${percent(metric.target_share)}`);
  return said.join(" · ") || tq("noTarget");
}

// ---------------------------------------------------------------- months

/** `n` months before, or after where it is negative. */
export function monthsBefore(month: string, n: number): string {
  const [year = 0, of = 1] = month.split("-").map(Number);
  const whole = year * 12 + of - 1 - n;
  return `${Math.floor(whole / 12)}-${String((whole % 12) + 1).padStart(2, "0")}`;
}

/** How many months a period has, both ends included. */
export function monthsIn(from: string, to: string): number {
  const [a = 0, b = 1] = from.split("-").map(Number);
  const [c = 0, d = 1] = to.split("-").map(Number);
  return (c - a) * 12 + d - b + 1;
}

/** The period of the same length that ended just before. */
export const before = (from: string, to: string): [string, string] => {
  const n = monthsIn(from, to);
  return [monthsBefore(from, n), monthsBefore(to, n)];
};

/** The last day of a month: `2026-02` ends with `2026-02-28`. */
export function lastDay(month: string): string {
  const [year = 0, of = 1] = month.split("-").map(Number);
  return `${month}-${new Date(Date.UTC(year, of, 0)).getUTCDate()}`;
}

/** What a file of this view is asked for by: days, of which the last belongs to it, and the clinic. Files know neither
 * other groups nor hours: `wider` where the view has one and the file would hold more than the page. */
export function exportScope(view: QualityView): { query: Record<string, string>; wider: boolean } {
  const site = view.by === "clinic" ? view.group : "";
  return {
    query: { from: `${view.from_month}-01`, to: lastDay(view.to_month), ...(site && { site }) },
    wider: view.group !== site || view.hours !== "all",
  };
}
