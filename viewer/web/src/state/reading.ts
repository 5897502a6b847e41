/** What is done about a study: each act is one call, after which the study is read anew. And its clock, pure. */
import { signal } from "@preact/signals";
import type { Coded, ImageReading, ReportTemplate, StudyReading } from "../wireImage";
import { attempt } from "./acts";
import { post } from "./api";

/** Counts on with each act here: whoever shows the study reads it again. */
export const acted = signal(0);

const act = async (uid: string, name: string, body: object = {}): Promise<boolean> => {
  const done = await attempt(`${name} ${uid}`, async () => {
    await post<StudyReading>(`/imaging/studies/${encodeURIComponent(uid)}/${name}`, body);
    return undefined;
  });
  if (done) acted.value += 1;
  return done;
};

export const claim = (uid: string, takeOver: boolean) => act(uid, "claim", { take_over: takeOver });
export const release = (uid: string) => act(uid, "release");
export const markStat = (uid: string, reason: string) => act(uid, "stat", { reason });
export const seen = (uid: string) => act(uid, "seen");

export const share = (uid: string, site: string, reason: string, case_id: string | null) =>
  act(uid, "share", { site, reason, case_id });

export interface Written {
  findings: string;
  impression: string;
  template: string | null;
}
export interface Signing extends Written {
  critical: string[];
  provisional: boolean;
}
/** The case as its writer saw it when the form was opened: what is said of one patient is not said of another. */
export interface OfCase {
  case_id: string | null;
}
const drafting = new Set<string>();
const newest = new Map<string, Signing>(); // what was written and ticked while another draft was on its way
/** Keep what is written and ticked; of what comes while one is on its way the newest follows, and none is lost. */
export async function keepDraft(uid: string, report: Signing): Promise<boolean> {
  newest.set(uid, report);
  if (drafting.has(uid)) return true;
  drafting.add(uid);
  try {
    let done = true;
    for (let next = newest.get(uid); next && done; next = newest.get(uid)) {
      newest.delete(uid);
      done = await act(uid, "draft", next);
    }
    return done;
  } finally {
    drafting.delete(uid);
  }
}
/** Once it is signed there is nothing left to be kept. */
export function sign(uid: string, report: Signing & OfCase): Promise<boolean> {
  newest.delete(uid);
  return act(uid, "report", report);
}
export const addendum = (uid: string, said: { text: string; reason: string; critical: string[] } & OfCase) =>
  act(uid, "addendum", said);

/** A signed text with a critical result that nobody has said back; `number`: 0 the report, n its n-th addendum. */
export interface Version {
  report_id: string;
  number: number;
  critical: readonly Coded[];
}
export const versionOf = (reading: ImageReading, reportId: string): number =>
  (reading.signed ?? []).findIndex((one) => one.report_id === reportId);
export const untoldVersions = (reading: ImageReading): Version[] =>
  reading.untold.map(({ report_id }) => {
    const number = versionOf(reading, report_id);
    return { report_id, number, critical: reading.signed?.[number]?.critical ?? [] };
  });

export interface Told {
  /** What was told: of what was signed meanwhile nobody has spoken. */
  report_ids: string[];
  to_role: string;
  way: string;
  reached: boolean;
  read_back: string | null;
  read_back_right: boolean;
  note: string | null;
}
export const tellCritical = (uid: string, told: Told & OfCase) => act(uid, "critical", told);

/** Has the other side said something back? A mark, or a lone "yes" in Chinese, is nothing; the service says the same. */
export const saidBack = (words: string | null): boolean =>
  (words ?? "").replace(/[^\p{L}\p{N}]/gu, "").length > 1;

/** A blank of a template that nobody has filled, also in part, or as an input method writes it. */
const BLANK = /[_＿]{2,}|＿/;

/** Why this cannot be signed yet; null: it can be. */
export function unsignable(written: Written): "empty" | "blank" | null {
  if (written.findings.trim() === "" || written.impression.trim() === "") return "empty";
  return BLANK.test(written.findings) || BLANK.test(written.impression) ? "blank" : null;
}

/** Is there something to keep? */
export const begun = (report: Signing): boolean =>
  report.findings.trim() !== "" ||
  report.impression.trim() !== "" ||
  report.critical.length > 0 ||
  report.provisional;

/** Would a template write over what a person has written? Its own text, in either language, nobody has. */
export function typed(report: Written, templates: readonly ReportTemplate[]): boolean {
  const own = (name: "findings" | "impression"): boolean =>
    report[name].trim() === "" ||
    templates.some((one) => one[name].zh === report[name] || one[name].en === report[name]);
  return !(own("findings") && own("impression"));
}

/** Critical results that the chosen template speaks of and that are not ticked. */
export function unticked(report: Signing, templates: readonly ReportTemplate[]): string[] {
  const chosen = templates.find((one) => one.id === report.template);
  return (chosen?.critical ?? []).filter((code) => !report.critical.includes(code));
}

/** Of the time of a study: which share is over, and how many seconds are left; below 0 it is late. */
export function clockAt(
  started_at: string,
  due_at: string,
  now_ms: number,
): { share: number; left_s: number } {
  const [from, to] = [Date.parse(started_at), Date.parse(due_at)];
  return { share: to > from ? (now_ms - from) / (to - from) : 1, left_s: (to - now_ms) / 1000 };
}
