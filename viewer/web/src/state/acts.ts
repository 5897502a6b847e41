/** What people do: every act is one call, its answer is taken at once, its refusal is said in words. */
import { signal } from "@preact/signals";
import type { Body, Fits, PostPath } from "../contract";
import type { Alert, Person, Row, Tier } from "../wire";
import { newKey, Problem, post } from "./api";
import { takeAnswer } from "./live";
import { loadMe, me } from "./session";

interface CaseAnswer {
  case?: Row;
}

/** What went wrong last, until the reader puts it away. */
export const trouble = signal<Pick<Problem, "words" | "details"> | null>(null);
/** Acts on their way, by name and object, so that one tap is one call. */
export const busy = signal<ReadonlySet<string>>(new Set());

/** Run one act; true when the service confirmed it. */
export async function attempt(name: string, run: () => Promise<CaseAnswer | undefined>): Promise<boolean> {
  if (busy.value.has(name)) return false;
  busy.value = new Set(busy.value).add(name);
  try {
    const answer = await run();
    if (answer?.case) takeAnswer(answer.case);
    trouble.value = null;
    return true;
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
    trouble.value = failure;
    // Who is not signed in any more is asked to sign in at once, not at the next look.
    if (failure.status === 401) void loadMe().catch(() => undefined);
    return false;
  } finally {
    const rest = new Set(busy.value);
    rest.delete(name);
    busy.value = rest;
  }
}

const command = (name: string, path: PostPath, body?: object): Promise<boolean> =>
  attempt(name, () => post<CaseAnswer>(path, body));

const at = encodeURIComponent;

/** Somebody else was quicker: who and when, until the reader puts it away or acts again. */
export const quicker = signal<{ who: Person; at: string | null } | null>(null);

/** Answers the alert. Where two do so at once, both are written down, and the second is told of the first. */
export async function acknowledge(alertId: string): Promise<boolean> {
  let first: Alert | null = null;
  const done = await attempt(`ack ${alertId}`, async () => {
    const answer = await post<CaseAnswer>(`/alerts/${at(alertId)}/ack`);
    first = answer.case?.alert ?? null;
    return answer;
  });
  if (done) quicker.value = otherFirst(first, me.peek()?.user.id);
  return done;
}

/** The person who has the alert, where it is not this one. Pure. */
export function otherFirst(
  alert: Alert | null,
  own: string | undefined,
): { who: Person; at: string | null } | null {
  const who = alert?.held_by ?? alert?.acknowledged_by ?? null;
  return who === null || who.person === own ? null : { who, at: alert?.acknowledged_at ?? null };
}
export const decline = (alertId: string, reason: string) =>
  command(`decline ${alertId}`, `/alerts/${at(alertId)}/decline`, reason === "" ? {} : { reason });
export const silence = (alertId: string) => command(`silence ${alertId}`, `/alerts/${at(alertId)}/silence`);
export const openGreen = (caseId: string) => command(`green ${caseId}`, `/cases/${at(caseId)}/green-channel`);
export const standDown = (caseId: string, reason: string) =>
  command(`down ${caseId}`, `/cases/${at(caseId)}/stand-down`, { reason } satisfies Body<"Reason">);
export const closeCase = (caseId: string, reason: string) =>
  command(`close ${caseId}`, `/cases/${at(caseId)}/close`, { reason } satisfies Body<"Reason">);
/** What was filed to the wrong patient goes to another case; null: a new one. */
export const moveOut = (caseId: string, ecgs: string[], studies: string[], into: string | null) =>
  command(`move ${caseId}`, `/cases/${at(caseId)}/split`, {
    ecg_ids: ecgs,
    study_uids: studies,
    into,
  } satisfies Body<"Ecgs">);
export const identityChecked = (caseId: string, note: string) =>
  command(`identity ${caseId}`, `/cases/${at(caseId)}/identity-checked`, { note } satisfies Body<"Note">);
export const acceptTask = (taskId: string) => command(`accept ${taskId}`, `/tasks/${at(taskId)}/accept`);
export const finishTask = (taskId: string) => command(`done ${taskId}`, `/tasks/${at(taskId)}/done`);

export const sayEta = (caseId: string, place: "scene" | "hub", when: string | null) =>
  command(`eta ${caseId}`, `/cases/${at(caseId)}/ambulance/eta`, {
    place,
    at: when,
  } satisfies Body<"Arrival">);
export const sendFeedback = (caseId: string) =>
  command(`feedback ${caseId}`, `/cases/${at(caseId)}/feedback`);
export const feedbackSeen = (caseId: string) =>
  command(`feedback ${caseId}`, `/cases/${at(caseId)}/feedback-seen`);

export const followUpDone = (followUpId: string, result: string) =>
  command(`followup ${followUpId}`, `/followups/${at(followUpId)}/done`, { result } satisfies Body<"Came">);

/** The press is the time, by the service's clock; a second press changes nothing. */
export const tapMilestone = (caseId: string, milestone: string, key?: string, code?: string) =>
  command(`tap ${milestone}`, `/cases/${at(caseId)}/milestones`, {
    milestone,
    ...(key !== undefined && { key }),
    ...(code !== undefined && { code }),
  });

/** A day, or a day and a part of it, where nobody knows the hour. */
export interface Day {
  date: string;
  zone?: string;
}

export interface NewMilestone {
  milestone: string;
  at: string | Day;
  source: string;
  key?: string;
  note?: string;
  code?: string;
}

/** The key is made by the form, so that sending it again after a broken line changes nothing. */
export const recordMilestone = (caseId: string, key: string, value: NewMilestone) =>
  attempt(`milestone ${key}`, () =>
    post<CaseAnswer>(`/cases/${at(caseId)}/milestones`, value, { "Idempotency-Key": key }),
  );

export const recordFact = (caseId: string, value: { fact: string; code: string; note?: string }) =>
  attempt(`fact ${value.fact}`, () => post<CaseAnswer>(`/cases/${at(caseId)}/facts`, value));

export interface NewReading {
  text: string;
  tier: Tier;
  advice: string | null;
  /** `seq` of the newest reading that the signer has seen, 0 for none. */
  after: number;
  agrees?: boolean;
  reason?: string;
}

export const signReading = (ecgId: string, reading: NewReading) =>
  attempt(`reading ${ecgId}`, () => post<CaseAnswer>(`/ecgs/${at(ecgId)}/reading`, reading));
/** `of`: the number of the reading whose advice stands on the screen; one that came meanwhile is not read by that. */
export const adviceSeen = (ecgId: string, of: number | undefined) =>
  attempt(`seen ${ecgId}`, () =>
    post<undefined>(
      `/ecgs/${at(ecgId)}/advice-seen`,
      (of === undefined ? {} : { of }) satisfies Body<"SeenAdvice">,
    ),
  );
export const markOpened = (ecgId: string) =>
  attempt(`opened ${ecgId}`, () => post<undefined>(`/ecgs/${at(ecgId)}/opened`));
export { newKey };

/** What is sent above, held against what the service takes. */
export type Sent = [
  Fits<NewReading, Body<"Reading">>,
  Fits<NewMilestone, Body<"Milestone">>,
  Fits<Day, Body<"Day">>,
];
