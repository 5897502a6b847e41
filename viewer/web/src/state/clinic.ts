/** What a clinic must see first. Pure. */
import type { Alert, Ecg, EcgState, Reading, Row } from "../wire";
import { sentences } from "./format";
import { compareOrder, isLive } from "./rows";

/** No doctor answered, and the service has called everybody it could. */
export const isUnanswered = (row: Row): boolean =>
  row.alert !== null && row.alert.state === "open" && row.alert.exhausted;

/** How much the clinic must know of it: nobody answers, before somebody is still being called, before the rest. */
function waiting(alert: Alert | null): number {
  if (alert?.state !== "open") return 2;
  return alert.exhausted ? 0 : 1;
}

/** A drill never stands before a patient. */
const practice = (row: Row): number => Number((row.drill ?? null) !== null);

/**
 * The live cases: those that nobody answers first, then those with advice that nobody here has seen, then those that wait
 * for an answer, then by the worklist's order; never by what came last.
 */
export function clinicOrder(cases: Iterable<Row>): Row[] {
  return [...cases]
    .filter(isLive)
    .sort(
      (a, b) =>
        practice(a) - practice(b) ||
        Number(isUnanswered(b)) - Number(isUnanswered(a)) ||
        Number(hasUnseen(b)) - Number(hasUnseen(a)) ||
        waiting(a.alert) - waiting(b.alert) ||
        compareOrder(a.order, b.order),
    );
}

const byFeedback = (a: Row, b: Row): number =>
  (b.feedback?.sent_at ?? "").localeCompare(a.feedback?.sent_at ?? "");

/** Cases whose outcome was sent here and not read, what came last first. */
export function unreadFeedback(cases: Iterable<Row>): Row[] {
  return [...cases].filter((row) => row.feedback !== null && row.feedback.seen_at === null).sort(byFeedback);
}

/** Cases whose outcome was read here, what came last first. */
export function readFeedback(cases: Iterable<Row>): Row[] {
  return [...cases].filter((row) => row.feedback !== null && row.feedback.seen_at !== null).sort(byFeedback);
}

/** The states that a village doctor waits for, in their order. */
export const STATES = ["sent", "received", "opened", "diagnosed", "advised"] as const satisfies EcgState[];

/** How far an ECG is: the last of the states that it has reached; null before the first. */
export function reached(states: Ecg["states"] | null): (typeof STATES)[number] | null {
  return [...STATES].reverse().find((state) => states?.[state]) ?? null;
}

/** Advice that nobody here has said to have seen: by its case and its instant, so that a newer one is another. */
export function unseenAdvice(cases: Iterable<Row>): string[] {
  return [...cases].flatMap((row) => {
    const told = row.advice_withdrawn ?? row.newest_advice;
    return isLive(row) && told && !adviceSeenAt(row, told) ? [`${row.case_id} ${told.at}`] : [];
  });
}

/** Is there advice, or its withdrawal, that nobody here has said to have seen? */
export const hasUnseen = (row: Row): boolean => unseenAdvice([row]).length > 0;

/** When somebody of the clinic said that they have seen the newest advice. */
export const adviceSeenAt = (row: Row, reading: Reading): string | null =>
  row.ecgs.find((ecg) => ecg.ecg_id === (reading.ecg_id ?? row.ecg_id))?.advice_seen_at ?? null;

const OF_A_LEAD = /^(?:[^::]{0,20}[::]\s*)?(?:I{1,3}|aV[RLF]|V\d\d?R?)(?:[、,:\s]|$)/u;

/** What to put right at the electrodes, before whatever else there is to say of the recording. */
export function electrodesFirst(said: string): { leads: string[]; rest: string[] } {
  const parts = sentences(said);
  return {
    leads: parts.filter((part) => OF_A_LEAD.test(part)),
    rest: parts.filter((part) => !OF_A_LEAD.test(part)),
  };
}
