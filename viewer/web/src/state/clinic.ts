/** What a clinic must see first. Pure. */
import type { Alert, Row } from "../wire";
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

/** The live cases: those without an answer first, then by the worklist's order; never by what came last. */
export function clinicOrder(cases: Iterable<Row>): Row[] {
  return [...cases]
    .filter(isLive)
    .sort(
      (a, b) =>
        practice(a) - practice(b) || waiting(a.alert) - waiting(b.alert) || compareOrder(a.order, b.order),
    );
}

/** Cases whose outcome was sent here and not read, what came last first. */
export function unreadFeedback(cases: Iterable<Row>): Row[] {
  return [...cases]
    .filter((row) => row.feedback !== null && row.feedback.seen_at === null)
    .sort((a, b) => (b.feedback?.sent_at ?? "").localeCompare(a.feedback?.sent_at ?? ""));
}
