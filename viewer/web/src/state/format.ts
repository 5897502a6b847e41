/** Numbers and instants as people here write them. Pure; unknown stays unknown. */
import { sourceName, type TextKey, t } from "../texts";
import type { AlertPerson, Person, Row, Site } from "../wire";
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

/** `16 分 55 秒`, `1 小时 05 分`: beside a time of day, which a bare `16:55` would be taken for. Never negative. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 2 * DAY_S) return duration(whole);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return t("spanHours", { h, m: two(m) });
  return m > 0 ? t("spanMinutes", { m, s: two(s) }) : t("spanSeconds", { s });
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

export const placeName = (site: Pick<Site, "name_zh" | "name_en">): string =>
  lang.value === "zh" ? site.name_zh : site.name_en;
export const siteName = (row: Row): string => placeName(row.site);

/** The service's words for a case in which nothing fired; the page says more of what that leaves open. */
const NOTHING_FIRED = /^没有规则(被)?触发/;

export function headline(row: Row): string {
  const said = lang.value === "zh" ? row.headline_zh : row.headline_en;
  if (row.tier === "NONE" && NOTHING_FIRED.test(row.headline_zh ?? "")) return t("noRule");
  if (said) return gathered(said);
  if (row.ecgs.length === 0) return t("noEcg");
  return row.tier === null ? t("notAnalysed") : t("noRule");
}

const LEAD = "(?:I{1,3}|aV[RLF]|V\\d\\d?R?)";
const LEAD_SENTENCE = new RegExp(`^(${LEAD}):? (.+)$`, "su");
const INTRO = new RegExp(`^([^::]+[::]\\s*)(?=${LEAD}:? )`, "u");
const NAMED_LEADS = 4;

/**
 * A list of sentences with what is said of several leads in the same words said once:
 * `V1 电极脱落;V2 电极脱落` becomes `V1、V2 电极脱落`. What is said of the patient comes before what is said of leads.
 */
export function gathered(said: string): string {
  const intro = INTRO.exec(said)?.[1] ?? "";
  const leads = new Map<string, string[]>();
  const others: string[] = [];
  for (const part of sentences(said.slice(intro.length))) {
    const [, lead, rest] = LEAD_SENTENCE.exec(part) ?? [];
    if (lead === undefined || rest === undefined) others.push(part);
    else leads.set(rest, [...(leads.get(rest) ?? []), lead]);
  }
  if ([...leads.values()].every((names) => names.length < 2)) return said;
  const zh = lang.value === "zh";
  const of = [...leads].map(([rest, names]) => `${someLeads(names)}${zh ? " " : ": "}${rest}`);
  const urgent = others.filter((part) => part.includes("QRS"));
  const calm = others.filter((part) => !part.includes("QRS"));
  return `${intro}${[...urgent, ...of, ...calm].join(zh ? ";" : "; ")}`;
}

/** Cut at semicolons; what goes on in small letters belongs to the sentence before. */
export function sentences(said: string): string[] {
  const out: string[] = [];
  for (const part of said.split(/[;;]\s*/u)) {
    const last = out.at(-1);
    if (last !== undefined && /^\p{Ll}/u.test(part) && !LEAD_SENTENCE.test(part))
      out.splice(-1, 1, `${last}; ${part}`);
    else if (part !== "") out.push(part);
  }
  return out;
}

/** `V1、V2`, and of many the first ones with their number. */
export function someLeads(names: readonly string[]): string {
  const comma = lang.value === "zh" ? "、" : ", ";
  if (names.length <= NAMED_LEADS) return names.join(comma);
  return `${names.slice(0, NAMED_LEADS - 1).join(comma)}… (${t("leadCount", { n: names.length })})`;
}

const INSTANT = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/g;

/** A text of the service with its instants on the network's wall clock. */
export const localTimes = (said: string): string => said.replace(INSTANT, (iso) => dateTime(iso));

/** Who did it: by name, else by the names that are known, else what it is. */
export function actorText(
  actor: string | null,
  name: string | null,
  names: ReadonlyMap<string, string>,
): string {
  if (name) return name;
  const [kind, id] = (actor ?? "").split(":", 2);
  if (kind === "user" && id) return names.get(id) ?? id;
  return sourceName(actor);
}

/** The people that a case's row names, by id. */
export function peopleOf(row: Row): Map<string, string> {
  const said = [
    ...(row.alert?.people ?? []),
    row.alert?.acknowledged_by,
    row.alert?.held_by,
    row.green_channel.opened_by,
    ...row.tasks.flatMap((task) => [task.accepted_by, task.done_by]),
  ];
  return new Map(said.flatMap((each) => (each?.name ? [[each.person, each.name] as const] : [])));
}

/** A note in both languages, Chinese first, in the reader's; any other as it stands. */
export function noteText(note: string): string {
  const both = /^(.*\p{Script=Han}.*) \/ (\P{Script=Han}+)$/su.exec(note);
  return (lang.value === "zh" ? both?.[1] : both?.[2]) ?? note;
}

export const patientLine = (row: Row): string => patientWords(row.patient.age_years, row.patient.sex);

export function patientWords(age_years: number | null, sex: string | null): string {
  if (age_years === null && sex !== "male" && sex !== "female") return t("patientUnknown");
  const sexWord: TextKey = sex === "male" ? "male" : sex === "female" ? "female" : "sexUnknown";
  const age = age_years === null ? t("ageUnknown") : String(Math.floor(age_years));
  return `${t(sexWord)}\u00a0${age}`;
}

export function personName(person: Person | AlertPerson | string | null): string {
  if (person === null) return t("unknown");
  return typeof person === "string" ? person : (person.name ?? person.person);
}
