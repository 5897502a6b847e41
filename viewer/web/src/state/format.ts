/** Numbers and instants as people here write them. Pure; unknown stays unknown. */
import { type TextKey, t } from "../texts";
import type { AlertPerson, Evidence, Person, Row } from "../wire";
import { lang } from "./prefs";

/** The county networks this serves share one wall clock, whatever the browser's own zone. */
const ZONE_MS = 8 * 3_600_000;
const DAY_S = 86_400;

/** `02:14`, `1:02:14`, or days for what is old. Never negative: clocks differ by less than people care about. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 2 * DAY_S)
    return lang.value === "zh" ? `${Math.floor(whole / DAY_S)} 天` : `${Math.floor(whole / DAY_S)} d`;
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

const two = (n: number): string => String(n).padStart(2, "0");

const wall = (iso: string): Date => new Date(Date.parse(iso) + ZONE_MS);

/** `16:05:12` on the network's wall clock. */
export function timeOfDay(iso: string | null | undefined): string {
  return iso ? wall(iso).toISOString().slice(11, 19) : t("unknown");
}

export const hourMinute = (iso: string | null | undefined): string =>
  iso ? wall(iso).toISOString().slice(11, 16) : t("unknown");

export function dateTime(iso: string | null | undefined): string {
  return iso ? wall(iso).toISOString().slice(0, 19).replace("T", " ") : t("unknown");
}

/** For `<input type="datetime-local" step="1">`, and back with the offset said. */
export const toLocalInput = (ms: number): string => new Date(ms + ZONE_MS).toISOString().slice(0, 19);
export const fromLocalInput = (local: string): string =>
  `${local.length === 16 ? `${local}:00` : local}.000+08:00`;

export function secondsBetween(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : (Date.parse(to) - Date.parse(from)) / 1000;
}

/** `40 秒后`, `22 分钟后`: whole minutes from one minute on. */
export function elapsed(from: string | null, to: string | null): string {
  const seconds = secondsBetween(from, to);
  if (seconds === null) return "";
  const whole = Math.round(seconds);
  return whole < 60 ? t("afterSeconds", { n: whole }) : t("afterMinutes", { n: Math.floor(whole / 60) });
}

/** `+0.51 mV`, `128 ms`: the unit is in the quantity's name, a true minus before what is below zero. */
export function quantity(name: string, value: number): string {
  const signed = (digits: number): string => {
    const said = Math.abs(value).toFixed(digits);
    return value < 0 ? `−${said}` : `+${said}`;
  };
  if (name.endsWith("_mv")) return `${signed(2)} mV`;
  if (name.endsWith("_ms")) return `${Math.round(value)} ms`;
  if (name.endsWith("_bpm")) return `${Math.round(value)} /min`;
  if (name.endsWith("_deg")) return `${Math.round(value)}°`;
  if (name.endsWith("_s")) return `${value.toFixed(1)} s`;
  return String(Number(value.toFixed(2)));
}

/** The measure without its unit: `STJ`, `QRS`. */
export function measure(name: string): string {
  return name
    .replace(/_(mv|ms|s|bpm|deg|hz)$/, "")
    .replaceAll("_", " ")
    .toUpperCase();
}

export function limit(name: string, value: number): string {
  return `${t("limit")} ${quantity(name, value).replace(/^\+/, "").replace(/ .*$/, "")}`;
}

/** `V3 +0.51 mV (限 0.20) STE-1` */
export function evidenceLine(e: Evidence): string {
  return `${e.lead} ${quantity(e.quantity, e.value)} (${limit(e.quantity, e.threshold)}) ${e.rule}`;
}

/**
 * The evidence that the row shows: of the finding in its headline, by that finding's own rule, the one farthest beyond
 * its threshold. What only supports it (a reciprocal change) comes second.
 */
export function bestEvidence(row: Row): Evidence | null {
  const finding = row.findings.find((each) => each.tier === row.tier) ?? row.findings[0];
  if (!finding) return null;
  const own = finding.evidence.filter((e) => e.rule === finding.id);
  const beyond = (e: Evidence): number => (e.threshold === 0 ? 0 : Math.abs(e.value / e.threshold));
  const ranked = (own.length > 0 ? own : [...finding.evidence]).sort((a, b) => beyond(b) - beyond(a));
  return ranked[0] ?? null;
}

export const siteName = (row: Row): string => (lang.value === "zh" ? row.site.name_zh : row.site.name_en);

export function headline(row: Row): string {
  const said = lang.value === "zh" ? row.headline_zh : row.headline_en;
  if (said) return said;
  if (row.ecgs.length === 0) return t("noEcg");
  return row.tier === null ? t("notAnalysed") : t("noRule");
}

/** A note in both languages, Chinese first, in the reader's; any other as it stands. */
export function noteText(note: string): string {
  const both = /^(.*\p{Script=Han}.*) \/ (\P{Script=Han}+)$/su.exec(note);
  return (lang.value === "zh" ? both?.[1] : both?.[2]) ?? note;
}

export function patientLine(row: Row): string {
  const { age_years, sex } = row.patient;
  const sexWord: TextKey = sex === "male" ? "male" : sex === "female" ? "female" : "sexUnknown";
  const age = age_years === null ? t("ageUnknown") : String(Math.floor(age_years));
  return `${t(sexWord)}\u00a0${age}`;
}

export function personName(person: Person | AlertPerson | string | null): string {
  if (person === null) return t("unknown");
  return typeof person === "string" ? person : (person.name ?? person.person);
}
